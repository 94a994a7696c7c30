//! How a run went: the exit status and the reasons for it, as `docs/exit-status.md` has them.
//!
//! Where thresholds apply they alone judge checks and iterations. Enter at [`Verdict::of`].

use crate::render::numbers::counted;
use crate::render::program::ProgramText;
use crate::terminal::Exit;
use scn_compiler::ir::SiteKind;
use scn_runtime::report::{CheckReport, Report, ScenarioReport};
use scn_runtime::run::Outcome;

/// How a run went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The status that follows: success, failed or invalid.
    pub(crate) exit: Exit,
    /// Why it is not success, the gravest first.
    pub(crate) reasons: Vec<String>,
    /// Those of them that lie outside of users: sections, servers.
    pub(crate) outside: Vec<String>,
}

impl Verdict {
    /// Judges a run.
    pub(crate) fn of(report: &Report, outcome: &Outcome, program: &ProgramText) -> Verdict {
        let mut reasons = Vec::new();
        let invalid = !report.generator.invalid.is_empty();
        if invalid {
            reasons.push("the load generator, not the target, was the limit".to_owned());
        }
        let outside = outside(outcome);
        reasons.extend(outside.iter().cloned());
        reasons.extend(thresholds(report));
        reasons.extend(unjudged(report, program));
        let exit = match (invalid, reasons.is_empty()) {
            (true, _) => Exit::Invalid,
            (false, false) => Exit::Failed,
            (false, true) => Exit::Success,
        };
        Verdict {
            exit,
            reasons,
            outside,
        }
    }

    /// `passed`, `failed` or `invalid`.
    pub(crate) fn word(&self) -> &'static str {
        match self.exit {
            Exit::Success => "passed",
            Exit::Invalid => "invalid",
            _ => "failed",
        }
    }
}

/// Whether failed checks and iterations of a scenario are judged by thresholds.
pub(crate) fn has_thresholds(report: &Report, scenario: &str) -> bool {
    report.thresholds.iter().any(|threshold| {
        threshold
            .scenario
            .as_deref()
            .is_none_or(|name| name == scenario)
    })
}

/// Whether a check is one of the run's own results: a failed `expect` is the error that it raises.
pub(crate) fn is_check(check: &CheckReport, program: &ProgramText) -> bool {
    program.site(check.site).kind != SiteKind::Expect
}

/// What failed outside of users, whatever thresholds say.
fn outside(outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    if outcome.failed_sections > 0 {
        found.push(format!(
            "{} failed",
            counted(outcome.failed_sections, "section")
        ));
    }
    if outcome.server_errors > 0 {
        found.push(counted(outcome.server_errors, "server error"));
    }
    found
}

fn thresholds(report: &Report) -> Option<String> {
    let broken = report.thresholds.iter().filter(|one| !one.ok).count();
    let verb = if broken == 1 { "does" } else { "do" };
    (broken > 0).then(|| {
        let all = counted(report.thresholds.len() as u64, "threshold");
        format!("{broken} of {all} {verb} not hold")
    })
}

/// Failed iterations and checks of scenarios without thresholds.
fn unjudged(report: &Report, program: &ProgramText) -> Vec<String> {
    let judged_here = |scenario: &str| !has_thresholds(report, scenario);
    let failed = |scenario: &&ScenarioReport| judged_here(&scenario.name);
    let iterations: u64 = report
        .scenarios
        .iter()
        .filter(failed)
        .map(|one| one.failed)
        .sum();
    let checks: u64 = report
        .checks
        .iter()
        .filter(|check| judged_here(&check.scenario) && is_check(check, program))
        .map(|check| check.failed)
        .sum();
    [(iterations, "iteration"), (checks, "check")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} failed", counted(count, what)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{self, Sample};
    use scn_runtime::report::Invalid;

    fn verdict(sample: &Sample, outcome: &Outcome) -> Verdict {
        Verdict::of(&sample.report, outcome, &sample.program)
    }

    #[test]
    fn thresholds_alone_judge_where_they_apply() {
        let mut sample = sample::large();
        sample
            .report
            .thresholds
            .iter_mut()
            .for_each(|one| one.ok = true);
        assert!(sample.report.checks.iter().any(|check| check.failed > 0));
        let found = verdict(&sample, &Outcome::default());
        assert_eq!((found.exit, found.word()), (Exit::Success, "passed"));
        sample.report.thresholds[0].ok = false;
        assert_eq!(verdict(&sample, &Outcome::default()).exit, Exit::Failed);
    }

    #[test]
    fn without_thresholds_every_failure_counts() {
        let mut sample = sample::large();
        sample.report.thresholds.clear();
        let found = verdict(&sample, &Outcome::default());
        assert_eq!(found.exit, Exit::Failed);
        assert_eq!(found.reasons.len(), 2, "iterations and checks: {found:?}");
        sample.report.checks.clear();
        sample
            .report
            .scenarios
            .iter_mut()
            .for_each(|one| one.failed = 0);
        assert_eq!(verdict(&sample, &Outcome::default()).exit, Exit::Success);
    }

    #[test]
    fn thresholds_of_one_scenario_do_not_judge_another() {
        let mut sample = sample::large();
        for threshold in &mut sample.report.thresholds {
            threshold.ok = true;
            threshold.scenario = Some("another".to_owned());
        }
        assert_eq!(verdict(&sample, &Outcome::default()).exit, Exit::Failed);
    }

    #[test]
    fn sections_count_whatever_thresholds_say_and_an_invalid_run_is_invalid() {
        let mut sample = sample::large();
        sample
            .report
            .thresholds
            .iter_mut()
            .for_each(|one| one.ok = true);
        let outcome = Outcome {
            failed_sections: 1,
            ..Outcome::default()
        };
        assert_eq!(verdict(&sample, &outcome).exit, Exit::Failed);
        sample.report.generator.invalid = vec![Invalid::Dropped(3)];
        let found = verdict(&sample, &outcome);
        assert_eq!((found.exit, found.word()), (Exit::Invalid, "invalid"));
        assert_eq!(found.reasons.len(), 2);
    }
}
