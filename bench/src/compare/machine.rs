//! What the figures were measured on, and with which versions.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A paragraph for the head of a report; programs come with the argument that makes them tell their version.
pub(crate) fn describe(programs: &[(&Path, &str)]) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = field(&read("/proc/cpuinfo"), "model name");
    let memory: u64 = field(&read("/proc/meminfo"), "MemTotal")
        .split_whitespace()
        .next()
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
    let congestion = read("/proc/sys/net/ipv4/tcp_congestion_control")
        .trim()
        .to_owned();
    let told = programs
        .iter()
        .filter_map(|(program, argument)| version(program, argument));
    let versions: Vec<String> = told.collect();
    format!(
        "Machine: {cores} cores of {processor}, {:.0} GiB, Linux {kernel}, congestion control {congestion}. Programs: {}.\n",
        memory as f64 / 1024.0 / 1024.0,
        versions.join("; ")
    )
}

/// The value behind a name and a colon.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or(String::new(), |(_, value)| value.trim().to_owned())
}

/// The first line of what a program says about its version, wherever it says it.
fn version(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Some(
        text.lines()
            .find(|line| !line.trim().is_empty())?
            .trim()
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\n";
        assert_eq!(field(text, "model name"), "AMD EPYC");
        assert_eq!(field(text, "flags"), "");
    }

    #[test]
    fn a_version_is_a_first_line() {
        let file = std::env::current_exe().expect("tests are a program");
        let line = version(&file, "--list").expect("it lists its tests");
        assert!(line.ends_with(": test"), "{line}");
        assert_eq!(version(Path::new("/no/such/program"), "-v"), None);
    }
}
