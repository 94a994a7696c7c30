//! What a run comes to: counts of everything that decides over its exit status.

use crate::event::{End, Event, Observer, SectionKind};
use crate::report::{Report, ScenarioReport};
use std::cell::RefCell;
use std::rc::Rc;

/// What a run has come to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Iterations that ended, well or not.
    pub iterations: u64,
    /// Iterations that an error ended.
    pub failed_iterations: u64,
    /// Checks and expects that were evaluated.
    pub checks: u64,
    /// Those that did not hold.
    pub failed_checks: u64,
    /// Tests that ran.
    pub tests: u64,
    /// Tests that an error ended, or in which a check failed.
    pub failed_tests: u64,
    /// Other sections that an error ended: `setup`, `init`, `exit`, `teardown`, initialisers, servers' starts.
    pub failed_sections: u64,
    /// Errors in servers.
    pub server_errors: u64,
    /// Errors of `defer` bodies that yielded to others.
    pub failed_defers: u64,
    /// Sections, iterations and tests that the end of the run cancelled.
    pub cancelled: u64,
    /// Whether the run was asked to stop.
    pub stopped: bool,
    /// Objects that were alive at the end; there must be none.
    pub live_objects: u64,
    /// Everything that was measured, if scenarios ran.
    pub report: Option<Box<Report>>,
}

impl Outcome {
    /// Takes the counts of a load run from what was measured: its users tell no events, unless it is verbose.
    pub fn measured(&mut self, report: Report, is_verbose: bool) {
        let sum = |count: fn(&ScenarioReport) -> u64| report.scenarios.iter().map(count).sum();
        self.iterations = sum(|scenario| scenario.iterations);
        self.failed_iterations = sum(|scenario| scenario.failed);
        self.cancelled = sum(|scenario| scenario.interrupted);
        if !is_verbose {
            self.failed_sections += sum(|scenario| scenario.failed_sections);
        }
        self.failed_checks = report.checks.iter().map(|check| check.failed).sum();
        let passed: u64 = report.checks.iter().map(|check| check.passed).sum();
        self.checks = passed + self.failed_checks;
        self.report = Some(Box::new(report));
    }

    /// Whether all held.
    pub fn is_ok(&self) -> bool {
        let bad = [
            self.failed_iterations,
            self.failed_checks,
            self.failed_tests,
            self.failed_sections,
            self.server_errors,
        ];
        bad.iter().all(|count| *count == 0)
    }
}

/// Counts events on their way to the observer: here, or where the events of a component are read.
#[derive(Debug, Default)]
pub struct Tally {
    outcome: Outcome,
    /// Failed checks and tests when the test began.
    before: (u64, u64),
}

impl Tally {
    /// What they come to.
    pub fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }

    /// A test begins.
    pub fn begin_test(&mut self) {
        self.before = (self.outcome.failed_checks, self.outcome.failed_tests);
    }

    /// A test with a failed check has failed, too.
    pub fn end_test(&mut self) {
        let (checks, tests) = self.before;
        if self.outcome.failed_checks > checks && self.outcome.failed_tests == tests {
            self.outcome.failed_tests += 1;
        }
    }

    /// Counts one.
    pub fn count(&mut self, event: &Event) {
        let outcome = &mut self.outcome;
        match event {
            Event::Check { ok, .. } => {
                outcome.checks += 1;
                outcome.failed_checks += u64::from(!ok);
            }
            Event::SectionEnd { section, end, .. } => {
                let failed = u64::from(end.is_failed());
                let is_server = section.kind == SectionKind::Server;
                outcome.cancelled += u64::from(matches!(end, End::Cancelled) && !is_server);
                match section.kind {
                    SectionKind::Each => {
                        outcome.iterations += 1;
                        outcome.failed_iterations += failed;
                    }
                    SectionKind::Test => {
                        outcome.tests += 1;
                        outcome.failed_tests += failed;
                    }
                    _ => outcome.failed_sections += failed,
                }
            }
            Event::ServerError { .. } => outcome.server_errors += 1,
            Event::WorkerFailed { .. } => outcome.failed_sections += 1,
            Event::DeferFailed { .. } => outcome.failed_defers += 1,
            _ => (),
        }
    }
}

/// What the context reports to: counts, then tells the observer.
///
/// The sink must not be called after the observer's borrow ends: `run` drops the context before it returns.
pub(super) fn sink(
    observer: &mut dyn Observer,
    tally: Rc<RefCell<Tally>>,
) -> Box<dyn FnMut(Event)> {
    // SAFETY: only the lifetime is widened; `run` holds the borrow for as long as the context, and with it this sink.
    let observer: &'static mut dyn Observer = unsafe { std::mem::transmute(observer) };
    Box::new(move |event| {
        tally.borrow_mut().count(&event);
        observer.event(event);
    })
}
