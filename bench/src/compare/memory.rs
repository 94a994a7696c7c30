//! Memory of users at rest: the growth of scn's process from one connected user to many, divided by the users.

use super::Bench;
use super::child::Child;
use super::clients::{Client, Load};
use super::process;
use super::report::{command_line, three};
use super::servers::Kind;
use super::stats::spread;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How long memory may settle after the last user has connected.
const SETTLE: Duration = Duration::from_secs(2);

/// How long all users may take to connect.
const PATIENCE: Duration = Duration::from_secs(150);

/// A kind of connection: its scenario, its server, and the most KiB that a user may cost.
struct Row {
    name: &'static str,
    scenario: &'static str,
    server: Kind,
    bar: f64,
}

const ROWS: [Row; 3] = [
    Row {
        name: "TCP",
        scenario: "idle_tcp.scn",
        server: Kind::CannedEcho,
        bar: 2.0,
    },
    Row {
        name: "HTTP",
        scenario: "idle_http.scn",
        server: Kind::Canned,
        bar: 2.0,
    },
    Row {
        name: "TLS",
        scenario: "idle_tls.scn",
        server: Kind::NginxTls,
        bar: 12.0,
    },
];

/// Measures every kind of connection.
pub(crate) fn run(bench: &Bench, users: usize) -> String {
    let rounds = bench.rounds.min(3);
    let mut text = format!(
        "### memory: resident memory of {users} connected users at rest\n\n\
         Growth of the process against one user, divided by the users; {rounds} rounds.\n\n\
         | connection | KiB with one user MED | KiB with all MED | KiB for each user min / MED / max | bar |\n|---|---|---|---|---|\n"
    );
    let mut commands = String::new();
    for row in &ROWS {
        let mut rounds_of_row = Vec::new();
        for round in 0..rounds {
            match growth(bench, row, users, &mut commands) {
                Ok(pair) => rounds_of_row.push(pair),
                Err(error) => {
                    let _ = writeln!(
                        commands,
                        "failed: {}, round {}: {error}",
                        row.name,
                        round + 1
                    );
                }
            }
            eprintln!("memory: {}, round {} of {rounds}", row.name, round + 1);
        }
        text.push_str(&line(row, users, &rounds_of_row));
    }
    let _ = write!(text, "\n```text\n{commands}```\n");
    text
}

/// Resident KiB with one user and with all of them.
fn growth(
    bench: &Bench,
    row: &Row,
    users: usize,
    commands: &mut String,
) -> Result<(u64, u64), String> {
    let (one, _) = resident(bench, row, 1)?;
    let (all, command) = resident(bench, row, users)?;
    if !commands.contains(row.scenario) {
        let _ = writeln!(commands, "{command}");
    }
    Ok((one, all))
}

fn line(row: &Row, users: usize, rounds: &[(u64, u64)]) -> String {
    let each = rounds
        .iter()
        .map(|(one, all)| all.saturating_sub(*one) as f64 / (users.max(2) - 1) as f64);
    let each = spread(each);
    let median = |side: fn(&(u64, u64)) -> u64| {
        let found = spread(rounds.iter().map(|pair| side(pair) as f64));
        found.map_or("-".to_owned(), |spread| format!("{:.0}", spread.median))
    };
    let verdict = super::report::verdict(each.map(|spread| spread.median), Some(row.bar));
    format!(
        "| {} | {} | {} | {} | {verdict} |\n",
        row.name,
        median(|pair| pair.0),
        median(|pair| pair.1),
        three(each, 3)
    )
}

/// Starts users, waits until each has connected and been answered, and takes the resident KiB.
fn resident(bench: &Bench, row: &Row, users: usize) -> Result<(u64, String), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut server = bench.server(row.server)?;
    let target = server.target();
    let load = Load {
        target: &target,
        connections: users,
        seconds: 200,
        roots: &bench.certificate.roots,
        results: &bench.folder.path().join("scn.json"),
    };
    let command = Client::Scn(row.scenario).command(&bench.programs, &load);
    let shown = command_line(&command);
    let folder = bench.folder.path();
    let mut child = Child::start(command, Some(bench.client_core), "idle", folder).map_err(text)?;
    let start = Instant::now();
    loop {
        let counts = server.counts().map_err(text)?;
        if counts.answered >= users as u64 && counts.open >= users as u64 {
            break;
        }
        if !child.runs().map_err(text)? {
            return Err(format!(
                "it ended before its users had connected: {}",
                child.said().trim()
            ));
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{} of {users} users connected", counts.open));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(SETTLE);
    let memory = process::memory(child.id()).ok_or("it ended while its users rested")?;
    Ok((memory.now, shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_growth_by_user() {
        let shown = line(
            &ROWS[1],
            1001,
            &[(8_000, 9_000), (8_000, 9_100), (8_000, 9_200)],
        );
        assert_eq!(
            shown,
            "| HTTP | 8000 | 9100 | 1.000 / **1.100** / 1.200 | at most 2.00: reached |\n"
        );
        assert!(line(&ROWS[1], 1001, &[(8_000, 12_000)]).contains("MISSED"));
        assert!(line(&ROWS[1], 1001, &[]).contains("not measured"));
    }
}
