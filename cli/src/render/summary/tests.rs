//! Snapshots of summaries: of a small run, of a large one, of one that is invalid.

use super::*;
use crate::sample::{self, Sample};
use scn_runtime::fault::Fault;
use scn_runtime::run::Outcome;

fn drawn(sample: &Sample, clock: Clock) -> String {
    let verdict = Verdict::of(&sample.report, &Outcome::default(), &sample.program);
    let digest = Digest::of(&sample.report);
    let summary = Summary {
        report: &sample.report,
        digest: &digest,
        verdict: &verdict,
        program: &sample.program,
        style: Style { colour: false },
        clock,
        columns: None,
    };
    summary.draw()
}

#[test]
fn a_small_run_is_told_in_a_few_lines() {
    let text = drawn(&sample::small(), Clock::default());
    assert!(text.lines().count() <= 18, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_large_run_has_everything() {
    insta::assert_snapshot!(drawn(&sample::large(), Clock::default()));
}

#[test]
fn an_invalid_run_says_what_to_do() {
    let mut sample = sample::large();
    sample.report.stopped = Some(Stopped::Threshold("checks rate > 99%".to_owned()));
    sample.report.thresholds[2].aborted = true;
    sample.report.thresholds[3].value = None;
    sample.report.thresholds[3].ok = false;
    sample.report.generator.invalid = vec![
        Invalid::Late(23_000_000),
        Invalid::Saturated {
            worker: 1,
            seconds: 12,
        },
        Invalid::Dropped(1),
        Invalid::Ports(28_000),
        Invalid::Descriptors(5),
        Invalid::Memory(2),
    ];
    insta::assert_snapshot!(drawn(&sample, Clock::default()));
}

#[test]
fn hidden_times_leave_no_number_that_changes() {
    let mut slower = sample::large();
    slower.report.nanos *= 2;
    slower.report.generator.busy = vec![0.9, 0.9];
    slower.report.generator.lag.p99 *= 3;
    slower.report.thresholds[0].value = Some(1.0);
    let hidden = Clock { hidden: true };
    assert_eq!(drawn(&sample::large(), hidden), drawn(&slower, hidden));
}

#[test]
fn texts_of_servers_do_not_steer_the_terminal() {
    let mut sample = sample::large();
    for series in &mut sample.report.series {
        series
            .tags
            .push(("name".to_owned(), "GET /\u{1b}[2J\r\nx".to_owned()));
        series
            .tags
            .retain(|(name, value)| name != "name" || value.contains('\u{1b}'));
    }
    sample.report.errors[0].example = Fault::text("other", "\u{1b}]0;title\u{7}");
    sample.report.checks[0]
        .example
        .as_mut()
        .expect("it failed")
        .sides = Some(("\u{1b}[31m".to_owned(), "b".to_owned()));
    let text = drawn(&sample, Clock::default());
    assert!(!text.contains(['\u{1b}', '\r', '\u{7}']), "{text:?}");
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut sample = sample::large();
    let error = sample.report.errors[0].clone();
    sample.report.errors = vec![error; 50];
    let check = sample.report.checks[1].clone();
    sample.report.checks = vec![check; 100];
    let text = drawn(&sample, Clock::default());
    assert!(text.contains("30 errors not shown") && text.contains("60 checks not shown"));
    assert!(text.lines().count() < 150);
}
