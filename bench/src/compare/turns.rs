//! Clients in turns against one server: round by round, each round in another order, so that whatever disturbs the
//! machine for a while disturbs all of them.

use super::Bench;
use super::child::Child;
use super::clients::{Client, Load, find};
use super::report;
use super::servers::{Kind, Server};
use super::suites::Suite;
use std::time::Duration;

/// One client's turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// CPU for each request, in microseconds.
    pub(crate) cost: f64,
    /// Requests per second of the process's life.
    pub(crate) rate: f64,
    /// Highest resident memory, in MiB.
    pub(crate) memory: f64,
}

/// All turns of one client.
pub(crate) struct Series {
    /// Who.
    pub(crate) client: Client,
    /// One for each round; none where it failed.
    pub(crate) samples: Vec<Option<Sample>>,
    /// The command line of the last turn.
    pub(crate) command: String,
}

/// Runs a suite and gives its report.
pub(crate) fn run(bench: &Bench, suite: &Suite, kind: Kind) -> Result<String, String> {
    let mut series = present(bench, suite);
    let mut notes = Vec::new();
    for one in &series {
        one.client
            .prepare(&bench.programs, bench.folder.path())
            .map_err(|why| format!("{}: {why}", one.client.name()))?;
    }
    let mut server = bench.server(kind)?;
    for round in 0..bench.rounds {
        for turn in 0..series.len() {
            let index = (turn + round) % series.len();
            let sample = take_turn(bench, &mut server, &mut series[index]);
            if let Err(error) = &sample {
                notes.push(format!(
                    "round {}, {}: {error}",
                    round + 1,
                    series[index].client.name()
                ));
            }
            series[index].samples.push(sample.ok());
        }
        eprintln!("{}: round {} of {}", suite.name, round + 1, bench.rounds);
    }
    Ok(report::turns(suite, kind, &series, &notes, bench))
}

/// The clients whose programs are there; the others are told of.
fn present(bench: &Bench, suite: &Suite) -> Vec<Series> {
    let mut series = Vec::new();
    for client in suite.clients {
        match find(client.program(&bench.programs)) {
            Some(_) => series.push(Series {
                client: *client,
                samples: Vec::new(),
                command: String::new(),
            }),
            None => eprintln!(
                "note: {} is left out: there is no such program",
                client.name()
            ),
        }
    }
    series
}

fn take_turn(bench: &Bench, server: &mut Server, series: &mut Series) -> Result<Sample, String> {
    let target = server.target();
    let load = Load {
        target: &target,
        connections: bench.connections,
        seconds: bench.seconds,
        roots: &bench.certificate.roots,
        results: &bench.folder.path().join("scn.json"),
    };
    let command = series.client.command(&bench.programs, &load);
    series.command = report::command_line(&command);
    let text = |error: std::io::Error| error.to_string();
    let before = server.count().map_err(text)?;
    let child = Child::start(
        command,
        Some(bench.client_core),
        "client",
        bench.folder.path(),
    )
    .map_err(text)?;
    let finished = child.finish(limit(bench.seconds)).map_err(text)?;
    let answered = server.count().map_err(text)?.saturating_sub(before);
    finished.succeeded(series.client.saturated_status())?;
    if answered == 0 {
        return Err("the server answered nothing".to_owned());
    }
    let requests = answered as f64;
    Ok(Sample {
        cost: finished.processor().as_secs_f64() * 1e6 / requests,
        rate: requests / finished.elapsed.as_secs_f64(),
        memory: finished.peak as f64 / 1024.0,
    })
}

/// The time that a client may take before it is killed.
pub(crate) fn limit(seconds: u64) -> Duration {
    Duration::from_secs(seconds * 3 + 30)
}
