//! Memory over a long run at full rate: the last minute against the second.

use super::Bench;
use super::child::Child;
use super::clients::{Client, Load};
use super::process;
use super::report::command_line;
use super::servers::Kind;
use super::turns::limit;
use std::time::{Duration, Instant};

/// Runs for so many minutes and compares.
pub(crate) fn run(bench: &Bench, minutes: u64) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut server = bench.server(Kind::Canned)?;
    let target = server.target();
    let seconds = minutes.max(3) * 60;
    let load = Load {
        target: &target,
        connections: bench.connections,
        seconds,
        roots: &bench.certificate.roots,
        results: &bench.folder.path().join("scn.json"),
    };
    let client = Client::Scn("flat.scn");
    let command = client.command(&bench.programs, &load);
    let shown = command_line(&command);
    let folder = bench.folder.path();
    let mut child = Child::start(command, Some(bench.client_core), "flat", folder).map_err(text)?;
    let start = Instant::now();
    let mut samples = Vec::new();
    while child.runs().map_err(text)? && start.elapsed() < Duration::from_secs(seconds - 1) {
        if let Some(memory) = process::memory(child.id()) {
            samples.push((start.elapsed().as_secs(), memory.now));
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let finished = child.finish(limit(seconds)).map_err(text)?;
    finished.succeeded(client.saturated_status())?;
    let answered = server.count().map_err(text)?;
    let second = mean(&samples, 60..120).ok_or("nothing was seen of the second minute")?;
    let last =
        mean(&samples, seconds - 60..seconds).ok_or("nothing was seen of the last minute")?;
    let word = if is_flat(second, last) {
        "reached"
    } else {
        "MISSED"
    };
    Ok(format!(
        "### flat: resident memory over {} minutes at full rate\n\n\
         {answered} requests over {} connections, server on core {}, client on core {}.\n\n\
         | second minute KiB | last minute KiB | bar |\n|---|---|---|\n\
         | {second:.0} | {last:.0} | within 2 % or 1 MiB: {word} |\n\n```text\n{shown}\n```\n",
        seconds / 60,
        bench.connections,
        bench.server_core,
        bench.client_core
    ))
}

/// The mean of the samples within a span of seconds.
fn mean(samples: &[(u64, u64)], span: std::ops::Range<u64>) -> Option<f64> {
    let within: Vec<f64> = samples
        .iter()
        .filter(|(at, _)| span.contains(at))
        .map(|(_, memory)| *memory as f64)
        .collect();
    (!within.is_empty()).then(|| within.iter().sum::<f64>() / within.len() as f64)
}

/// Whether the last minute is within 2 % or 1 MiB of the second, whichever is more. In KiB.
fn is_flat(second: f64, last: f64) -> bool {
    (last - second).abs() <= (second * 0.02).max(1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_of_the_span_only() {
        let samples = [(0, 1), (60, 10), (119, 20), (120, 99)];
        assert_eq!(mean(&samples, 60..120), Some(15.0));
        assert_eq!(mean(&samples, 200..300), None);
    }

    #[test]
    fn flat_is_two_percent_or_a_mebibyte() {
        assert!(is_flat(8_000.0, 9_000.0));
        assert!(!is_flat(8_000.0, 9_100.0));
        assert!(is_flat(100_000.0, 101_900.0));
        assert!(!is_flat(100_000.0, 102_100.0));
    }
}
