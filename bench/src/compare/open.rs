//! The open model: how far behind their intended start 20,000 arrivals per second begin.
//!
//! Server and client have a core each where there are two: the schedule is what is measured, so the processor is to be free.

use super::Bench;
use super::child::Child;
use super::report::{command_line, three};
use super::results::{self, Lag};
use super::servers::Kind;
use super::stats::spread;
use super::turns::limit;
use std::fmt::Write;

/// The most that half of the arrivals may be late, in microseconds.
const BAR: f64 = 30.0;

/// One round.
struct Round {
    lag: Lag,
    dropped: u64,
    answered: u64,
    busy: f64,
    status: i32,
}

/// Runs the rounds.
pub(crate) fn run(bench: &Bench) -> Result<String, String> {
    let mut rounds = Vec::new();
    let mut notes = String::new();
    let mut command = String::new();
    for round in 0..bench.rounds {
        match measure(bench, &mut command) {
            Ok(found) => rounds.push(found),
            Err(error) => drop(writeln!(notes, "Failed: round {}: {error}\n", round + 1)),
        }
        eprintln!("open: round {} of {}", round + 1, bench.rounds);
    }
    Ok(report(bench, &rounds, &command, &notes))
}

fn report(bench: &Bench, rounds: &[Round], command: &str, notes: &str) -> String {
    let micros =
        |point: fn(&Lag) -> f64| spread(rounds.iter().map(|round| point(&round.lag) / 1e3));
    let sum = |count: fn(&Round) -> u64| rounds.iter().map(count).sum::<u64>();
    let p50 = micros(|lag| lag.p50);
    let word = match p50 {
        None => "not measured",
        Some(spread) if spread.median < BAR => "reached",
        Some(_) => "MISSED",
    };
    let marked = rounds.iter().filter(|round| round.status == 4).count();
    let busy = spread(rounds.iter().map(|round| round.busy * 100.0));
    format!(
        "### open: 20,000 arrivals per second, lag of the actual behind the intended start\n\n\
         Server on core {}, client on core {}, {} rounds of {} s.\n\n\
         | lag, us | min / MED / max of the rounds | bar |\n|---|---|---|\n\
         | p50 | {} | under {BAR:.0}: {word} |\n| p90 | {} | (reported) |\n| p99 | {} | (reported) |\n| greatest | {} | (reported) |\n\n\
         {} requests answered, {} arrivals dropped, {marked} of {} runs marked invalid, CPU of the client {} %.\n\n```text\n{command}\n```\n\n{notes}",
        bench.server_core,
        bench.apart_core,
        bench.rounds,
        bench.seconds,
        three(p50, 1),
        three(micros(|lag| lag.p90), 1),
        three(micros(|lag| lag.p99), 1),
        three(micros(|lag| lag.max), 0),
        sum(|round| round.answered),
        sum(|round| round.dropped),
        rounds.len(),
        three(busy, 0)
    )
}

fn measure(bench: &Bench, shown: &mut String) -> Result<Round, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut server = bench.server(Kind::Canned)?;
    let results = bench.folder.path().join("open.json");
    let file = bench.programs.bench.join("scenarios/open.scn");
    let target = server.target();
    let mut command = std::process::Command::new(&bench.programs.scn);
    command.args(["run", "--workers", "1"]).arg(&file);
    command.args([
        "--set",
        &format!("target={target}"),
        "--for",
        &format!("{}s", bench.seconds),
    ]);
    command.args(["--quiet", "--out", &format!("json={}", results.display())]);
    *shown = command_line(&command);
    let child =
        Child::start(command, Some(bench.apart_core), "open", bench.folder.path()).map_err(text)?;
    let finished = child.finish(limit(bench.seconds)).map_err(text)?;
    finished.succeeded(Some(4))?;
    let read = results::read(&results)?;
    Ok(Round {
        lag: results::lag(&read).ok_or("the results say nothing of lag")?,
        dropped: results::sum_of_scenarios(&read, "dropped")
            .ok_or("the results say nothing of drops")?,
        answered: server.count().map_err(text)?,
        busy: finished.processor().as_secs_f64() / finished.elapsed.as_secs_f64(),
        status: libc::WEXITSTATUS(finished.account.status),
    })
}
