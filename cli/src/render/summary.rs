//! The summary of a load run: the verdict, then what was run, measured and judged, each part only if it has something.
//!
//! Enter at [`Summary::draw`]. A run without a load plan has its transcript, and needs only [`Summary::thresholds`].

mod judged;
mod measured;

pub(crate) use measured::metric_text;

use super::numbers::{Clock, count, counted};
use super::program::ProgramText;
use super::table::{Look, Table};
use crate::digest::Digest;
use crate::digest::verdict::Verdict;
use crate::terminal::{Exit, Style};
use scn_runtime::report::{Invalid, Report, Stopped, ThresholdReport, Unit};

/// What a summary is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary<'r> {
    /// What was measured.
    pub(crate) report: &'r Report,
    /// The same, put together.
    pub(crate) digest: &'r Digest,
    /// How it went.
    pub(crate) verdict: &'r Verdict,
    /// The program that ran.
    pub(crate) program: &'r ProgramText,
    /// Colours.
    pub(crate) style: Style,
    /// How times are shown.
    pub(crate) clock: Clock,
    /// How wide the terminal is, if it goes to one.
    pub(crate) columns: Option<usize>,
}

impl Summary<'_> {
    /// The whole summary.
    pub(crate) fn draw(&self) -> String {
        let parts = [
            self.headline(),
            self.scenarios(),
            self.requests(),
            self.steps(),
            self.metrics(),
            self.checks(),
            self.errors(),
            self.thresholds(),
            self.pools(),
            self.closing(),
            self.invalid(),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("\n{}", parts.join("\n"))
    }

    /// `✗ failed in 2m 30s: 1 of 4 thresholds does not hold`.
    fn headline(&self) -> String {
        let mark = match self.verdict.exit {
            Exit::Success => self.style.green("✓ passed"),
            _ => self.style.red(&format!("✗ {}", self.verdict.word())),
        };
        let reasons = match self.verdict.reasons.is_empty() {
            true => String::new(),
            false => format!(": {}", self.verdict.reasons.join("; ")),
        };
        let length = self.clock.length(self.report.nanos);
        let stopped = match &self.report.stopped {
            Some(why) => format!(
                "{}\n",
                self.style.yellow(&format!("  {}", stopped_text(why)))
            ),
            None => String::new(),
        };
        format!("{mark} in {length}{reasons}\n{stopped}")
    }

    fn scenarios(&self) -> String {
        let mut table = Table::new(0, 1);
        let heads = [
            "scenario",
            "users",
            "at once",
            "iterations",
            "rate",
            "failed",
            "dropped",
            "interrupted",
            "p50",
            "p95",
            "p99",
        ];
        let timed = !self.digest.iterations.is_empty();
        let columns = if timed { heads.len() } else { heads.len() - 3 };
        table.row(Look::Dim, heads.into_iter().take(columns));
        for one in &self.report.scenarios {
            let mut cells = vec![
                one.name.clone(),
                count(one.users),
                count(one.peak),
                count(one.iterations),
                self.clock.rate(one.iterations, self.report.nanos),
                count(one.failed),
                count(one.dropped),
                count(one.interrupted),
            ];
            if let Some((_, times)) = self
                .digest
                .iterations
                .iter()
                .find(|(name, _)| *name == one.name)
            {
                let points = [50.0, 95.0, 99.0].map(|percent| times.percentile(percent));
                cells.extend(points.map(|nanos| self.clock.show(nanos as i64)));
            }
            table.row(Look::Plain, cells);
            mark_if(&mut table, 5, one.failed > 0, Look::Bad);
            mark_if(&mut table, 6, one.dropped > 0, Look::Doubtful);
            mark_if(&mut table, 7, one.interrupted > 0, Look::Doubtful);
        }
        let leaked: u64 = self.report.scenarios.iter().map(|one| one.leaked).sum();
        let leaked = match leaked {
            0 => String::new(),
            some => self.style.red(&format!(
                "{} never ended: this is a defect in scn\n",
                counted(some, "user")
            )),
        };
        let scenarios = &self.report.scenarios;
        let spare: Vec<usize> = [
            (7, scenarios.iter().all(|one| one.interrupted == 0)),
            (6, scenarios.iter().all(|one| one.dropped == 0)),
            (5, scenarios.iter().all(|one| one.failed == 0)),
            (9, true),
            (2, true),
        ]
        .into_iter()
        .filter_map(|(column, is_spare)| is_spare.then_some(column))
        .collect();
        let drawn = table.draw_within(self.style, self.columns, &spare);
        format!("{drawn}{leaked}")
    }

    fn title(&self, text: &str) -> String {
        format!("{}\n", self.style.bold(text))
    }
}

/// Changes how a cell of the last row looks, under a condition.
fn mark_if(table: &mut Table, column: usize, condition: bool, look: Look) {
    if condition {
        table.look(column, look);
    }
}

/// Why a run ended before its plan did.
pub(crate) fn stopped_text(why: &Stopped) -> String {
    match why {
        Stopped::Asked => "stopped on request; this is what was measured until then".to_owned(),
        Stopped::TimeLimit(_) => {
            "stopped by the time limit; this is what was measured until then".to_owned()
        }
        Stopped::Script(reason) if reason.is_empty() => "stopped by the script".to_owned(),
        Stopped::Script(reason) => format!(
            "stopped by the script: {}",
            super::transcript::one_line(reason)
        ),
        Stopped::Threshold(text) => format!(
            "aborted by the threshold `{}`",
            super::transcript::one_line(text)
        ),
    }
}

/// A value of a threshold in its unit.
pub(crate) fn threshold_value(one: &ThresholdReport, value: f64, clock: Clock) -> String {
    if clock.hidden && (one.unit != Unit::Number || one.text.contains("/s")) {
        return "[value]".to_owned();
    }
    match one.unit {
        _ if one.text.contains('%') => super::numbers::percent(value),
        Unit::Nanos => clock.show(value as i64),
        Unit::Bytes => super::numbers::bytes(value as u64),
        // The values of thresholds are never in millionths.
        Unit::Number | Unit::Millionths => super::numbers::number(value),
    }
}

/// Why a run is invalid, and what to do about it.
pub(crate) fn invalid_text(why: &Invalid, clock: Clock) -> (String, &'static str) {
    const MORE: &str =
        "use more workers, cores or machines, a lower rate, or less work in the script";
    match why {
        Invalid::Late(p99) => (
            format!(
                "iterations began late: by {} at the 99th percentile",
                clock.show(*p99 as i64)
            ),
            MORE,
        ),
        Invalid::Saturated { worker, seconds } => (
            format!(
                "worker {worker} had no time to spare for {} in a row",
                counted(*seconds, "second")
            ),
            MORE,
        ),
        Invalid::Dropped(number) => (
            format!("{} dropped while users were free", were(*number, "arrival")),
            MORE,
        ),
        Invalid::Ports(number) => (
            format!(
                "{} failed because no local port was left",
                counted(*number, "connection")
            ),
            "give the scenario a `source` pool with more addresses, keep connections alive, or widen net.ipv4.ip_local_port_range",
        ),
        Invalid::Descriptors(number) => (
            format!(
                "{} failed because no file descriptor was left",
                counted(*number, "connection")
            ),
            "raise the limit (ulimit -Hn) or use fewer users",
        ),
        Invalid::Memory(number) => (
            format!(
                "{} failed because the system had no memory left",
                counted(*number, "operation")
            ),
            "use fewer users or smaller messages, or a machine with more memory",
        ),
    }
}

/// `1 arrival was`, `3 arrivals were`.
fn were(number: u64, word: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", counted(number, word))
}

#[cfg(test)]
mod tests;
