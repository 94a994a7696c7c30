//! 90,000 connected users behind a pool of source addresses, each sending once in 30 seconds.

use super::Bench;
use super::child::Child;
use super::report::command_line;
use super::results;
use super::servers::{Kind, Server};
use std::process::Command;
use std::time::{Duration, Instant};

/// Users; the scenario spawns 3,000 per second.
const USERS: u64 = 90_000;
/// From the start to the end of the plan.
const SECONDS: u64 = 100;
/// Descriptors are limited for each table, so the server has processes and scn has workers.
const PROCESSES: usize = 6;
/// The most resident memory, in MiB.
const BAR: f64 = 300.0;

/// What was seen while the users were there.
#[derive(Default)]
struct Seen {
    open: u64,
    peak: u64,
    answered: u64,
}

/// Runs the plan once.
pub(crate) fn run(bench: &Bench) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut server = Server::start_canned(Kind::Canned, &bench.place(), PROCESSES).map_err(text)?;
    let results = bench.folder.path().join("connected.json");
    let mut command = Command::new(&bench.programs.scn);
    command.args(["run", "--workers", "5"]);
    command.arg(bench.programs.bench.join("scenarios/connected.scn"));
    command.args(["--set", &format!("target={}", server.target())]);
    command.args(["--quiet", "--out", &format!("json={}", results.display())]);
    let shown = command_line(&command);
    let mut child = Child::start(command, None, "connected", bench.folder.path()).map_err(text)?;
    let seen = watch(&mut child, &mut server)?;
    let finished = child
        .finish(Duration::from_secs(SECONDS * 2))
        .map_err(text)?;
    finished.succeeded(None)?;
    let read = results::read(&results)?;
    let count = |name: &str| {
        results::sum_of_scenarios(&read, name).map_or("-".to_owned(), |n| n.to_string())
    };
    let peak = seen.peak.max(finished.peak) as f64 / 1024.0;
    let holds = seen.open >= USERS && peak < BAR;
    Ok(format!(
        "### connected: {USERS} connected users from a pool of 16 source addresses, each sending once in 30 s\n\n\
         | connections open at once | requests answered | iterations failed | users leaked | peak RSS MiB | CPU s | bar |\n|---|---|---|---|---|---|---|\n\
         | {} | {} | {} | {} | {peak:.1} | {:.1} | all connected, under {BAR:.0} MiB: {} |\n\n```text\n{shown}\n```\n",
        seen.open,
        seen.answered,
        count("failed"),
        count("leaked_users"),
        finished.processor().as_secs_f64(),
        if holds { "reached" } else { "MISSED" }
    ))
}

/// Looks every second until the plan ends.
fn watch(child: &mut Child, server: &mut Server) -> Result<Seen, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut seen = Seen::default();
    let start = Instant::now();
    while child.runs().map_err(text)? && start.elapsed() < Duration::from_secs(SECONDS * 2) {
        let counts = server.counts().map_err(text)?;
        seen.open = seen.open.max(counts.open);
        seen.answered = counts.answered;
        if let Some(memory) = super::process::memory(child.id()) {
            seen.peak = seen.peak.max(memory.peak);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(seen)
}
