//! Markdown tables of what was measured.

use super::Bench;
use super::servers::Kind;
use super::stats::{Spread, paired, spread};
use super::suites::{Claim, Suite};
use super::turns::{Sample, Series};
use std::fmt::Write;
use std::process::Command;

/// A command as one would type it.
pub(crate) fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        match word.contains(' ') {
            true => format!("'{word}'"),
            false => word.into_owned(),
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// `min / MED / max` with so many decimals.
pub(crate) fn three(spread: Option<Spread>, decimals: usize) -> String {
    let Some(Spread { min, median, max }) = spread else {
        return "-".to_owned();
    };
    format!("{min:.decimals$} / **{median:.decimals$}** / {max:.decimals$}")
}

/// The word behind a measured value with a bar.
pub(crate) fn verdict(median: Option<f64>, bar: Option<f64>) -> String {
    match (median, bar) {
        (_, None) => "(for comparison)".to_owned(),
        (None, Some(bar)) => format!("at most {bar:.2}: not measured"),
        (Some(median), Some(bar)) if median <= bar => format!("at most {bar:.2}: reached"),
        (Some(_), Some(bar)) => format!("at most {bar:.2}: MISSED"),
    }
}

/// The report of a suite whose clients took turns.
pub(crate) fn turns(
    suite: &Suite,
    kind: Kind,
    series: &[Series],
    notes: &[String],
    bench: &Bench,
) -> String {
    let mut text = format!(
        "### {}: {}\n\nServer {kind:?} on core {}, client on core {}, {} connections, {} rounds of {} s.\n\n",
        suite.name,
        suite.about,
        bench.server_core,
        bench.client_core,
        bench.connections,
        bench.rounds,
        bench.seconds
    );
    text.push_str("| client | CPU us/request min / MED / max | requests/s MED | peak RSS MiB MED |\n|---|---|---|---|\n");
    for one in series {
        let column = |of: fn(&Sample) -> f64| spread(one.samples.iter().flatten().map(of));
        let median = |of: fn(&Sample) -> f64, decimals: usize| {
            column(of).map_or("-".to_owned(), |spread| {
                format!("{:.decimals$}", spread.median)
            })
        };
        let (rate, memory) = (
            median(|sample| sample.rate, 0),
            median(|sample| sample.memory, 1),
        );
        let cost = three(column(|sample| sample.cost), 2);
        let _ = writeln!(
            text,
            "| {} | {cost} | {rate} | {memory} |",
            one.client.name()
        );
    }
    text.push_str("\n| ratio of CPU/request | min / MED / max | bar |\n|---|---|---|\n");
    for claim in suite.claims {
        let _ = writeln!(text, "{}", claim_row(claim, series));
    }
    text.push_str("\n```text\n");
    series
        .iter()
        .for_each(|one| text.push_str(&format!("{}\n", one.command)));
    text.push_str("```\n");
    notes
        .iter()
        .for_each(|note| text.push_str(&format!("\nFailed: {note}\n")));
    text
}

fn claim_row(claim: &Claim, series: &[Series]) -> String {
    let costs = |client| {
        let found = series.iter().find(|one| one.client == client);
        let samples = found.map_or(&[][..], |one| &one.samples);
        samples
            .iter()
            .map(|sample| sample.map(|sample| sample.cost))
            .collect::<Vec<_>>()
    };
    let ratio = paired(&costs(claim.of), &costs(claim.to));
    format!(
        "| {} / {} | {} | {} |",
        claim.of.name(),
        claim.to.name(),
        three(ratio, 3),
        verdict(ratio.map(|spread| spread.median), claim.bar)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::clients::Client;

    fn series(client: Client, costs: &[Option<f64>]) -> Series {
        let sample = |cost: f64| Sample {
            cost,
            rate: 1.0,
            memory: 1.0,
        };
        Series {
            client,
            samples: costs.iter().map(|cost| cost.map(sample)).collect(),
            command: String::new(),
        }
    }

    #[test]
    fn a_claim_shows_its_ratio_and_whether_it_holds() {
        let all = [
            series(Client::Wrk, &[Some(10.0), Some(10.0), None]),
            series(Client::PeerHttp, &[Some(7.0), Some(8.0), Some(1.0)]),
        ];
        let claim = |bar| Claim {
            of: Client::PeerHttp,
            to: Client::Wrk,
            bar,
        };
        let row = claim_row(&claim(Some(0.85)), &all);
        assert_eq!(
            row,
            "| peer-http / wrk | 0.700 / **0.750** / 0.800 | at most 0.85: reached |"
        );
        assert!(claim_row(&claim(Some(0.7)), &all).contains("MISSED"));
        assert!(claim_row(&claim(Some(0.7)), &all[1..]).contains("not measured"));
        assert!(claim_row(&claim(None), &all).contains("for comparison"));
    }

    #[test]
    fn three_numbers_are_shown_of_samples() {
        let shown = three(spread([20.0, 1.0, 14.96]), 1);
        assert_eq!(shown, "1.0 / **15.0** / 20.0");
        assert_eq!(three(None, 1), "-");
    }

    #[test]
    fn words_with_blanks_are_quoted() {
        let mut command = Command::new("wrk");
        command.args(["-H", "connection: close"]);
        assert_eq!(command_line(&command), "wrk -H 'connection: close'");
    }
}
