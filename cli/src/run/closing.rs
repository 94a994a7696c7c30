//! The end of a run: its report judged, the summary printed, the outputs written, the exit status.
//!
//! Enter at [`End::close`].

use crate::digest::Digest;
use crate::digest::verdict::Verdict;
use crate::execute::RunOptions;
use crate::outputs::{Outputs, Results, results};
use crate::render::json;
use crate::render::numbers::Clock;
use crate::render::program::ProgramText;
use crate::render::summary::Summary;
use crate::render::tally::Tally;
use crate::terminal::{Exit, Style, Terminal};
use scn_runtime::report::Report;
use scn_runtime::run::Outcome;
use std::io::Write;

/// A run that has ended.
pub(super) struct End<'e> {
    /// The file, as it was named.
    pub(super) file: &'e str,
    pub(super) program: &'e ProgramText,
    pub(super) outcome: Outcome,
    /// What was told while it went on.
    pub(super) tally: Tally,
    /// Whether users came by a plan.
    pub(super) is_load: bool,
    pub(super) nanos: i64,
    pub(super) style: Style,
    pub(super) clock: Clock,
    /// How wide the terminal is, if text goes to one.
    pub(super) columns: Option<usize>,
    pub(super) options: &'e RunOptions,
    /// Whether text goes to the error stream.
    pub(super) to_err: bool,
    /// What kept it from going on, if something did.
    pub(super) cut: Option<Cut>,
}

/// What kept a run from going on, which is judged whatever it told until then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "component-host"),
    allow(dead_code, reason = "only components are kept from going on")
)]
pub(crate) struct Cut {
    /// The status that follows.
    pub(crate) exit: Exit,
    /// What happened, as a reason of the verdict.
    pub(crate) why: String,
}

impl End<'_> {
    /// Prints and writes everything, and says how it ends.
    pub(super) fn close(mut self, outputs: Outputs, terminal: &mut Terminal<'_>) -> Exit {
        let Some(mut report) = self.outcome.report.take() else {
            let exit = self.cut.as_ref().map_or(self.tally.exit(), |cut| cut.exit);
            let text = self.text(exit, None);
            self.print(&text, terminal);
            return exit;
        };
        if !self.is_load {
            // A functional run has no rate that the generator could fail to keep.
            report.generator.invalid.clear();
        }
        let verdict = self.verdict(&report);
        let digest = Digest::of(&report);
        let results = Results {
            file: self.file,
            report: &report,
            digest: &digest,
            verdict: &verdict,
            program: self.program,
        };
        let text = self.text(verdict.exit, Some(&results));
        self.print(&text, terminal);
        let written = outputs.finish(&results, terminal);
        match written && self.tally.lost_workers == 0 {
            true => verdict.exit,
            false => Exit::Internal,
        }
    }

    fn print(&self, text: &str, terminal: &mut Terminal<'_>) {
        let writer: &mut dyn Write = match self.to_err {
            true => terminal.err,
            false => terminal.out,
        };
        let _ = writer.write_all(text.as_bytes());
        let _ = writer.flush();
    }

    /// A functional run without thresholds is judged by what was told of it.
    fn verdict(&self, report: &Report) -> Verdict {
        let mut verdict = Verdict::of(report, &self.outcome, self.program);
        if !self.is_load && report.thresholds.is_empty() {
            verdict.exit = self.tally.exit();
        }
        if let Some(cut) = &self.cut {
            verdict.exit = cut.exit;
            verdict.reasons.insert(0, cut.why.clone());
            verdict.outside.insert(0, cut.why.clone());
        }
        verdict
    }

    fn text(&self, exit: Exit, results: Option<&Results<'_>>) -> String {
        if self.options.json {
            return self.json(exit, results);
        }
        if self.options.quiet && exit == Exit::Success {
            return String::new();
        }
        let summary = results.map(|results| Summary {
            report: results.report,
            digest: results.digest,
            verdict: results.verdict,
            program: self.program,
            style: self.style,
            clock: self.clock,
            columns: self.columns,
        });
        match summary {
            // One that crashed has told nothing of its users.
            Some(summary) if self.is_load && !summary.report.scenarios.is_empty() => summary.draw(),
            Some(summary) => match summary.thresholds() {
                thresholds if thresholds.is_empty() => self.short(exit),
                thresholds => format!("\n{thresholds}{}", self.short(exit)),
            },
            None => self.short(exit),
        }
    }

    fn json(&self, exit: Exit, results: Option<&Results<'_>>) -> String {
        let Some(results) = results.filter(|_| self.is_load) else {
            return format!("{}\n", self.summary(&self.tally, exit));
        };
        let mut line = serde_json::json!({ "type": "report" });
        line["results"] = results::value(results);
        let tally = Tally::of_report(results.report, self.program, &self.outcome);
        format!("{line}\n{}\n", self.summary(&tally, exit))
    }

    /// The last line for programs.
    fn summary(&self, tally: &Tally, exit: Exit) -> serde_json::Value {
        let mut summary = json::summary(tally, exit, self.nanos, self.clock);
        if let Some(cut) = &self.cut {
            summary["reason"] = cut.why.as_str().into();
        }
        summary
    }

    /// `✓ 4 checks held, 3 requests in 1.24 s`.
    fn short(&self, exit: Exit) -> String {
        let mark = match exit {
            Exit::Success => self.style.green("✓"),
            _ => self.style.red("✗"),
        };
        let (tally, time) = (self.tally.text(self.style), self.clock.show(self.nanos));
        if let Some(cut) = &self.cut {
            // Users who are led tell nothing one by one: what they did is lost with the report.
            return match self.is_load {
                true => format!("\n{mark} {} after {time}, without results\n", cut.why),
                false => format!("\n{mark} {} after {time}; until then {tally}\n", cut.why),
            };
        }
        let stopped = if self.outcome.stopped {
            ", stopped"
        } else {
            ""
        };
        format!("\n{mark} {tally}{stopped} in {time}\n")
    }
}
