//! The report of `scn test`: one line for each test, with what it said and what failed below it.

use super::numbers::Clock;
use super::program::ProgramText;
use super::tally::Tally;
use super::transcript::{Detail, Transcript};
use crate::outputs::junit::TestCase;
use crate::terminal::Style;
use scn_runtime::event::{End, Event, SectionKind};

/// Turns the events of tests into lines.
#[derive(Debug)]
pub(crate) struct TestReport<'p> {
    program: &'p ProgramText,
    transcript: Transcript<'p>,
    style: Style,
    clock: Clock,
    detail: Detail,
    /// What the test that runs has reported.
    current: Tally,
    /// Tests that passed and failed.
    pub(crate) passed: usize,
    /// Tests that failed.
    pub(crate) failed: usize,
    /// Each test, with what failed in it as it was drawn.
    pub(crate) cases: Vec<TestCase>,
    out: String,
}

impl<'p> TestReport<'p> {
    /// A report on tests that have not begun.
    pub(crate) fn new(
        program: &'p ProgramText,
        style: Style,
        clock: Clock,
        detail: Detail,
    ) -> Self {
        // A test that passes is one line: what held in it is told on request only.
        let inner = if detail == Detail::Verbose {
            Detail::Verbose
        } else {
            Detail::Quiet
        };
        Self {
            program,
            transcript: Transcript::new(program, style, clock, inner),
            style,
            clock,
            detail,
            current: Tally::default(),
            passed: 0,
            failed: 0,
            cases: Vec::new(),
            out: String::new(),
        }
    }

    /// The text since the last time it was taken.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Tells what happened.
    pub(crate) fn event(&mut self, event: &Event) {
        self.current.count(event, self.program);
        match event {
            Event::SectionStart { section } if section.kind == SectionKind::Test => {}
            Event::SectionEnd {
                section,
                nanos,
                end,
            } if section.kind == SectionKind::Test => {
                if let End::Failed(_) = end {
                    self.transcript.event(event);
                }
                self.finish(&section.name, *nanos, matches!(end, End::Cancelled));
            }
            other => self.transcript.event(other),
        }
    }

    fn finish(&mut self, name: &str, nanos: i64, cancelled: bool) {
        let tally = std::mem::take(&mut self.current);
        let time = self.style.dim(&format!("({})", self.clock.show(nanos)));
        let details = self.transcript.take();
        let good = tally.is_good() && !cancelled;
        self.cases.push(TestCase {
            name: name.to_owned(),
            nanos,
            failure: (!good).then(|| details.clone()),
        });
        if good {
            self.passed += 1;
            if self.detail > Detail::Quiet {
                self.out
                    .push_str(&format!("{} {name} {time}\n", self.style.green("✓")));
            }
        } else {
            self.failed += 1;
            self.out
                .push_str(&format!("{} {name} {time}\n", self.style.red("✗")));
        }
        self.out.push_str(&details);
    }

    /// What failed outside of any test: servers that do not start, params without a value.
    pub(crate) fn rest(&mut self) -> (String, bool) {
        let good = std::mem::take(&mut self.current).is_good();
        (self.transcript.take(), good)
    }
}
