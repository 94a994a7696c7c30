//! What a run was judged by: checks, errors that ended iterations, thresholds; failures drawn at their place.

use super::super::failures;
use super::super::numbers::{count, counted, share};
use super::super::table::{Look, Table};
use super::super::transcript::one_line;
use super::{Summary, mark_if, threshold_value};
use crate::digest::verdict::is_check;
use scn_runtime::report::{CheckReport, ErrorReport, ThresholdReport};

/// How many checks are listed.
const MOST_CHECKS: usize = 40;
/// How many errors are drawn; further ones are one line each.
const MOST_DRAWN: usize = 3;
/// How many errors are listed.
const MOST_ERRORS: usize = 20;

impl Summary<'_> {
    pub(super) fn checks(&self) -> String {
        let all = self
            .report
            .checks
            .iter()
            .filter(|check| is_check(check, self.program));
        // Those that failed come first when not all can be listed.
        let mut checks: Vec<&CheckReport> = all.collect();
        if checks.len() > MOST_CHECKS {
            checks.sort_by_key(|check| check.failed == 0);
        }
        if checks.is_empty() {
            return String::new();
        }
        let mut out = self.title("checks");
        let widest = checks
            .iter()
            .map(|check| one_line(&check.label).chars().count())
            .max()
            .unwrap_or(0)
            .min(60);
        for check in checks.iter().take(MOST_CHECKS) {
            out.push_str(&self.check(check, widest));
        }
        if let Some(more) = checks
            .len()
            .checked_sub(MOST_CHECKS)
            .filter(|more| *more > 0)
        {
            out.push_str(
                &self
                    .style
                    .dim(&format!("  {} not shown\n", counted(more as u64, "check"))),
            );
        }
        out
    }

    fn check(&self, check: &CheckReport, widest: usize) -> String {
        let total = check.passed + check.failed;
        let label = one_line(&check.label);
        if check.failed == 0 {
            return format!(
                "  {} {label:widest$}  {}\n",
                self.style.green("✓"),
                self.style.dim(&count(total))
            );
        }
        let failed = self.style.red(&format!(
            "{} of {} failed",
            count(check.failed),
            count(total)
        ));
        let mut out = format!(
            "  {} {label:widest$}  {failed}, {} held\n",
            self.style.red("✗"),
            share(check.passed, total)
        );
        if let Some(example) = &check.example {
            let span = self.program.site(check.site).span;
            let drawn = failures::check(
                span,
                example.sides.as_ref(),
                example.error.as_ref(),
                self.program,
            );
            out.push_str(&indented(&drawn.draw(self.style)));
            let who = format!(
                "    first in iteration {} of user {}",
                example.iteration + 1,
                example.user
            );
            let label = example
                .label
                .as_deref()
                .map(|label| format!(": {}", one_line(label)))
                .unwrap_or_default();
            out.push_str(&format!("{}\n", self.style.dim(&format!("{who}{label}"))));
        }
        out
    }

    pub(super) fn errors(&self) -> String {
        let errors = &self.report.errors;
        if errors.is_empty() {
            return String::new();
        }
        let mut out = self.title("errors that ended iterations and sections");
        for error in errors.iter().take(MOST_DRAWN) {
            let when = self.when(error);
            out.push_str(&format!(
                "  {} in {}{when}\n",
                self.style.red(&format!("{} ×", count(error.count))),
                error.scenario
            ));
            out.push_str(&indented(
                &failures::fault(&error.example, self.program).draw(self.style),
            ));
        }
        let mut table = Table::new(2, 4);
        for error in errors.iter().take(MOST_ERRORS).skip(MOST_DRAWN) {
            let place = error
                .example
                .data()
                .place
                .and_then(|place| self.program.position(place));
            table.row(
                Look::Plain,
                [
                    format!("{} ×", count(error.count)),
                    error.example.kind().to_owned(),
                    one_line(&error.example.to_string()),
                    place.unwrap_or_default(),
                ],
            );
            table.look(0, Look::Bad);
        }
        out.push_str(&table.draw(self.style));
        if let Some(more) = errors
            .len()
            .checked_sub(MOST_ERRORS)
            .filter(|more| *more > 0)
        {
            out.push_str(
                &self
                    .style
                    .dim(&format!("  {} not shown\n", counted(more as u64, "error"))),
            );
        }
        out
    }

    fn when(&self, error: &ErrorReport) -> String {
        match error.count {
            1 => format!(", at {}", self.clock.length(error.first)),
            _ => format!(
                ", from {} to {}",
                self.clock.length(error.first),
                self.clock.length(error.last)
            ),
        }
    }

    /// Each threshold with what was measured.
    pub(crate) fn thresholds(&self) -> String {
        if self.report.thresholds.is_empty() {
            return String::new();
        }
        let several = self.report.scenarios.len() > 1;
        let mut table = Table::new(2, 4);
        for one in &self.report.thresholds {
            let (mark, look) = if one.ok {
                ("✓", Look::Good)
            } else {
                ("✗", Look::Bad)
            };
            let scope = match (&one.scenario, several) {
                (Some(scenario), true) => format!("{scenario}: "),
                _ => String::new(),
            };
            table.row(
                Look::Plain,
                [
                    mark.to_owned(),
                    format!("{scope}{}", one_line(&one.text)),
                    self.measured(one),
                    note(one),
                ],
            );
            table.look(0, look);
            mark_if(&mut table, 2, !one.ok, Look::Bad);
            table.look(3, Look::Dim);
        }
        format!("{}{}", self.title("thresholds"), table.draw(self.style))
    }

    fn measured(&self, one: &ThresholdReport) -> String {
        match one.value {
            Some(value) => threshold_value(one, value, self.clock),
            None => "no data".to_owned(),
        }
    }
}

/// What is to be said beside a threshold's value.
fn note(one: &ThresholdReport) -> String {
    match (one.aborted, one.value, one.ok) {
        (true, ..) => "it ended the run".to_owned(),
        (_, None, false) => "no samples: write `or empty` if that is well".to_owned(),
        _ => String::new(),
    }
}

fn indented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.is_empty() {
        true => "\n".to_owned(),
        false => format!("    {line}\n"),
    });
    lines.collect()
}
