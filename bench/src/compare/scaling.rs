//! CPU for each request as users grow while the total rate stays: scn against the raw client, both paced.
//!
//! Only a window in the steady state counts, taken from the outside: time on processors and the server's count at its
//! two ends. So connecting and starting up are left out.

use super::Bench;
use super::child::Child;
use super::clients::{Load, scn};
use super::process;
use super::report::{command_line, three, verdict};
use super::servers::{Kind, Server};
use super::stats::{paired, spread};
use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

/// Requests per second, all users together.
const RATE: usize = 10_000;
/// Between the last user's start and the window.
const SETTLE: Duration = Duration::from_secs(2);
/// The addresses of the pool in `paced.scn`: from one address, the kernel's search for a free port becomes slow where half
/// of its ports are taken.
const SOURCES: &str = "127.0.0.2-127.0.0.9";
const FEW: usize = 1_000;
const MANY: usize = 19_000;
/// The highest growth of scn's cost divided by that of the raw client.
const BAR: f64 = 1.25;

/// Costs by round of one client at one number of users.
struct Column {
    raw: bool,
    users: usize,
    costs: Vec<Option<f64>>,
    command: String,
}

/// Runs both clients at both numbers of users, in turns.
pub(crate) fn run(bench: &Bench) -> Result<String, String> {
    let kinds = [(true, FEW), (false, FEW), (true, MANY), (false, MANY)];
    let mut columns = kinds.map(|(raw, users)| Column {
        raw,
        users,
        costs: Vec::new(),
        command: String::new(),
    });
    let mut notes = String::new();
    for round in 0..bench.rounds {
        for turn in 0..columns.len() {
            let column = &mut columns[(turn + round) % kinds.len()];
            let cost = cost(bench, column);
            if let Err(error) = &cost {
                let _ = writeln!(
                    notes,
                    "Failed: round {}, {} users: {error}\n",
                    round + 1,
                    column.users
                );
            }
            column.costs.push(cost.ok());
        }
        eprintln!("scaling: round {} of {}", round + 1, bench.rounds);
    }
    Ok(report(bench, &columns, &notes))
}

fn report(bench: &Bench, columns: &[Column; 4], notes: &str) -> String {
    let mut text = format!(
        "### scaling: CPU for each request with {FEW} and {MANY} users at {RATE} requests/s\n\n\
         Server on core {}, client on core {}, {} rounds with windows of {} s.\n\n\
         | client | users | CPU us/request min / MED / max |\n|---|---|---|\n",
        bench.server_core, bench.client_core, bench.rounds, bench.seconds
    );
    for column in columns {
        let cost = three(spread(column.costs.iter().flatten().copied()), 2);
        let name = if column.raw { "peer-http" } else { "scn" };
        let _ = writeln!(text, "| {name} | {} | {cost} |", column.users);
    }
    let [raw_few, scn_few, raw_many, scn_many] = columns;
    let (raw, own) = (growths(raw_many, raw_few), growths(scn_many, scn_few));
    let ratio = paired(&own, &raw);
    let reached = verdict(ratio.map(|spread| spread.median), Some(BAR));
    let shown = |growths: &[Option<f64>]| three(spread(growths.iter().flatten().copied()), 3);
    let _ = write!(
        text,
        "\n| growth from {FEW} to {MANY} users | min / MED / max | bar |\n|---|---|---|\n\
         | peer-http | {} | (for comparison) |\n| scn | {} | (for comparison) |\n\
         | scn / peer-http | {} | {reached} |\n\n```text\n",
        shown(&raw),
        shown(&own),
        three(ratio, 3)
    );
    columns
        .iter()
        .for_each(|column| text.push_str(&format!("{}\n", column.command)));
    text + "```\n\n" + notes
}

/// The growth of each round in which both numbers of users were measured.
fn growths(many: &Column, few: &Column) -> Vec<Option<f64>> {
    let pairs = many.costs.iter().zip(&few.costs);
    pairs.map(|(many, few)| Some((*many)? / (*few)?)).collect()
}

/// Microseconds for each request within the window.
fn cost(bench: &Bench, column: &mut Column) -> Result<f64, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut server = bench.server(Kind::Canned)?;
    let ramp = Duration::from_secs_f64(column.users as f64 / RATE as f64);
    let length = ramp + SETTLE + Duration::from_secs(bench.seconds + 3);
    let command = command(bench, column, &server, length.as_secs_f64().ceil() as u64)?;
    column.command = command_line(&command);
    let folder = bench.folder.path();
    let mut child =
        Child::start(command, Some(bench.client_core), "paced", folder).map_err(text)?;
    std::thread::sleep(ramp + SETTLE);
    let look = |child: &mut Child, server: &mut Server| -> Result<(f64, u64), String> {
        if !child.runs().map_err(text)? {
            return Err(format!("it ended too early: {}", child.said().trim()));
        }
        let used = process::processor_time(child.id()).ok_or("it ended too early")?;
        Ok((used.as_secs_f64(), server.count().map_err(text)?))
    };
    let (used_before, count_before) = look(&mut child, &mut server)?;
    std::thread::sleep(Duration::from_secs(bench.seconds));
    let (used, count) = look(&mut child, &mut server)?;
    let answered = count.saturating_sub(count_before);
    let wanted = RATE as u64 * bench.seconds;
    if answered.abs_diff(wanted) > wanted / 10 {
        return Err(format!(
            "{answered} requests in the window instead of {wanted}"
        ));
    }
    Ok((used - used_before) * 1e6 / answered as f64)
}

fn command(
    bench: &Bench,
    column: &Column,
    server: &Server,
    seconds: u64,
) -> Result<Command, String> {
    let target = server.target();
    if column.raw {
        let mut command = Command::new(&bench.programs.own);
        let address = server.address.to_string();
        command.args(["peer-http", "--target", &address]);
        command.args(["--connections", &column.users.to_string()]);
        command.args([
            "--sources",
            SOURCES,
            "--rate",
            &RATE.to_string(),
            "--seconds",
            &seconds.to_string(),
        ]);
        return Ok(command);
    }
    let original = bench.programs.bench.join("scenarios/paced.scn");
    let source = std::fs::read_to_string(&original).map_err(|error| error.to_string())?;
    let file = bench
        .folder
        .path()
        .join(format!("paced_{}.scn", column.users));
    std::fs::write(&file, paced(&source, column.users)).map_err(|error| error.to_string())?;
    let load = Load {
        target: &target,
        connections: column.users,
        seconds,
        roots: &bench.certificate.roots,
        results: &bench.folder.path().join("scn.json"),
    };
    let mut command = Command::new(&bench.programs.scn);
    command.args(scn("--workers 1", &file, &load));
    Ok(command)
}

/// The scenario with the pause that gives the total rate: a load block's pauses are constants.
fn paced(source: &str, users: usize) -> String {
    source.replace("pace 100ms", &format!("pace {}ms", users * 1000 / RATE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_follows_from_users_and_rate() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let source =
            std::fs::read_to_string(folder.join("scenarios/paced.scn")).expect("it exists");
        assert!(
            source.contains("limit spawn 10000/s"),
            "the starts are spread by the rate"
        );
        assert!(
            source.contains(SOURCES),
            "both clients have the same addresses"
        );
        assert!(paced(&source, 19_000).contains("pace 1900ms"));
        assert!(paced(&source, 1_000).contains("pace 100ms"));
    }

    #[test]
    fn growth_needs_both_numbers_of_a_round() {
        let column = |costs: &[Option<f64>]| Column {
            raw: true,
            users: 1,
            costs: costs.to_vec(),
            command: String::new(),
        };
        let many = column(&[Some(12.0), None, Some(9.0)]);
        let few = column(&[Some(10.0), Some(10.0), Some(10.0)]);
        assert_eq!(growths(&many, &few), [Some(1.2), None, Some(0.9)]);
    }
}
