//! Counts what a run reports, and judges it.

use crate::digest::Digest;
use crate::digest::verdict::is_check;
use crate::render::findings::plural;
use crate::render::program::ProgramText;
use crate::terminal::{Exit, Style};
use scn_compiler::ir::SiteKind;
use scn_runtime::event::{End, Event, SectionKind};
use scn_runtime::report::{Report, ScenarioReport};
use scn_runtime::run::Outcome;

/// The counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Checks that held; `expect`s are counted with them.
    pub(crate) held: usize,
    /// Checks that did not.
    pub(crate) broken: usize,
    /// Exchanges with peers.
    pub(crate) exchanges: usize,
    /// Iterations and tests that ended well.
    pub(crate) done: usize,
    /// Iterations and tests that ended by an error.
    pub(crate) failed: usize,
    /// Iterations and tests that the end of the run cut off.
    pub(crate) cancelled: usize,
    /// Errors anywhere else: sections, servers.
    pub(crate) errors: usize,
    /// Workers that could not go on: a failure of the tool itself.
    pub(crate) lost_workers: usize,
}

impl Tally {
    /// Counts one report.
    pub(crate) fn count(&mut self, event: &Event, program: &ProgramText) {
        match event {
            Event::Check { ok: true, .. } => self.held += 1,
            // A failed `expect` counts when its error ends something.
            Event::Check { site, .. } if program.site(*site).kind == SiteKind::Expect => {}
            Event::Check { .. } => self.broken += 1,
            Event::Exchange(_) => self.exchanges += 1,
            Event::SectionEnd { section, end, .. } => self.end(section.kind, end),
            Event::ServerError { .. } => self.errors += 1,
            Event::WorkerFailed { .. } => self.lost_workers += 1,
            // What a `defer` reports yields to the error that was there first.
            _ => {}
        }
    }

    fn end(&mut self, kind: SectionKind, end: &End) {
        let counts = matches!(kind, SectionKind::Each | SectionKind::Test);
        match end {
            End::Done if counts => self.done += 1,
            End::Failed(_) if counts => self.failed += 1,
            End::Cancelled if counts => self.cancelled += 1,
            End::Failed(_) => self.errors += 1,
            End::Done | End::Cancelled => {}
        }
    }

    /// The counts of a load run, whose observer does not see everything.
    pub(crate) fn of_report(report: &Report, program: &ProgramText, outcome: &Outcome) -> Tally {
        let checks = || {
            let all = report.checks.iter();
            all.filter(|check| is_check(check, program))
        };
        let of_all = |what: fn(&ScenarioReport) -> u64| {
            let all = report.scenarios.iter();
            all.map(what).sum::<u64>() as usize
        };
        let (iterations, failed) = (of_all(|one| one.iterations), of_all(|one| one.failed));
        Tally {
            held: checks().map(|check| check.passed).sum::<u64>() as usize,
            broken: checks().map(|check| check.failed).sum::<u64>() as usize,
            exchanges: Digest::of(report)
                .requests
                .iter()
                .map(|row| row.count)
                .sum::<u64>() as usize,
            done: iterations.saturating_sub(failed),
            failed,
            cancelled: of_all(|one| one.interrupted),
            errors: (outcome.failed_sections + outcome.server_errors) as usize,
            lost_workers: 0,
        }
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.held += other.held;
        self.broken += other.broken;
        self.exchanges += other.exchanges;
        self.done += other.done;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.errors += other.errors;
        self.lost_workers += other.lost_workers;
    }

    /// Whether everything held.
    pub(crate) fn is_good(&self) -> bool {
        self.broken + self.failed + self.errors == 0
    }

    /// The exit status that follows.
    pub(crate) fn exit(&self) -> Exit {
        match (self.lost_workers, self.is_good()) {
            (0, true) => Exit::Success,
            (0, false) => Exit::Failed,
            _ => Exit::Internal,
        }
    }

    /// `4 checks held, 1 failed, 3 requests`.
    pub(crate) fn text(&self, style: Style) -> String {
        let mut parts = Vec::new();
        match self.held {
            0 if self.broken > 0 => {}
            0 => parts.push("no checks".to_owned()),
            held => parts.push(format!("{} held", plural(held, "check"))),
        }
        if self.broken > 0 {
            parts.push(style.red(&format!("{} failed", plural(self.broken, "check"))));
        }
        if self.exchanges > 0 {
            parts.push(plural(self.exchanges, "request"));
        }
        if self.failed > 0 {
            parts.push(style.red(&format!("{} failed", plural(self.failed, "iteration"))));
        }
        if self.cancelled > 0 {
            parts.push(style.yellow(&format!("{} cut off", plural(self.cancelled, "iteration"))));
        }
        if self.errors > 0 {
            parts.push(style.red(&plural(self.errors, "error")));
        }
        parts.join(", ")
    }
}
