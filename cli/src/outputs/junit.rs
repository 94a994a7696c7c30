//! `--out junit=`: what a run was judged by, as test cases, for continuous integration.
//!
//! A case fails exactly if it is a reason for the exit status: where thresholds apply, failed checks are told in the
//! case's output only. Enter at [`document`].

use super::Results;
use crate::digest::verdict::{has_thresholds, is_check};
use crate::render::numbers::{Clock, count, counted};
use crate::render::summary::{invalid_text, threshold_value};
use scn_runtime::report::{CheckReport, ScenarioReport, ThresholdReport};

/// A file with tests.
#[derive(Debug)]
pub(crate) struct TestFile {
    /// Its name.
    pub(crate) name: String,
    /// Its tests.
    pub(crate) tests: Vec<TestCase>,
    /// What failed outside of any test.
    pub(crate) outside: Option<String>,
}

/// A test that ran.
#[derive(Clone, Debug)]
pub(crate) struct TestCase {
    /// Its name.
    pub(crate) name: String,
    /// How long it took.
    pub(crate) nanos: i64,
    /// What failed, as it is drawn; nothing if all held.
    pub(crate) failure: Option<String>,
}

/// The document of `scn test`: a suite for each file.
pub(crate) fn tests(files: &[TestFile], nanos: i64) -> String {
    let suites: Vec<Suite> = files.iter().map(test_suite).collect();
    written(
        "scn test",
        &suites,
        nanos as f64 / 1e9,
        std::time::SystemTime::now(),
    )
}

fn test_suite(file: &TestFile) -> Suite {
    let mut cases: Vec<Case> = file
        .tests
        .iter()
        .map(|test| test_case(test, &file.name))
        .collect();
    if let Some(text) = &file.outside {
        let mut case = Case::passed(&file.name, "servers and values".to_owned());
        case.failure = Some(("outside of any test".to_owned(), text.clone()));
        case.is_error = true;
        cases.push(case);
    }
    Suite {
        name: file.name.clone(),
        seconds: cases.iter().map(|case| case.seconds).sum(),
        cases,
    }
}

fn test_case(test: &TestCase, file: &str) -> Case {
    let mut case = Case::passed(file, test.name.clone());
    case.seconds = test.nanos as f64 / 1e9;
    case.failure = test
        .failure
        .as_ref()
        .map(|text| ("the test failed".to_owned(), text.clone()));
    case
}

/// A suite that is being put together.
#[derive(Default)]
struct Suite {
    name: String,
    seconds: f64,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    seconds: f64,
    failure: Option<(String, String)>,
    /// Not the target's fault: an `error` instead of a `failure`.
    is_error: bool,
    output: String,
}

/// The document.
pub(crate) fn document(results: &Results<'_>) -> String {
    let report = results.report;
    let seconds = report.nanos as f64 / 1e9;
    let mut suites: Vec<Suite> = report
        .scenarios
        .iter()
        .map(|one| scenario(one, results))
        .collect();
    suites.push(whole(results));
    suites.retain(|suite| !suite.cases.is_empty());
    written(results.file, &suites, seconds, report.started)
}

/// The document of these suites.
fn written(name: &str, suites: &[Suite], seconds: f64, started: std::time::SystemTime) -> String {
    let sum = |what: fn(&Case) -> bool| {
        suites
            .iter()
            .map(|suite| number(suite, what))
            .sum::<usize>()
    };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{seconds:.3}\">\n",
        escaped(name),
        sum(|_| true),
        sum(Case::is_failure),
        sum(Case::is_error),
    ));
    let timestamp = super::results::timestamp(started);
    suites
        .iter()
        .for_each(|suite| suite.write(&timestamp, &mut out));
    out.push_str("</testsuites>\n");
    out
}

impl Case {
    fn is_failure(&self) -> bool {
        self.failure.is_some() && !self.is_error
    }

    fn is_error(&self) -> bool {
        self.failure.is_some() && self.is_error
    }

    fn passed(class: &str, name: String) -> Case {
        Case {
            class: class.to_owned(),
            name,
            seconds: 0.0,
            failure: None,
            is_error: false,
            output: String::new(),
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&self.class),
            escaped(&self.name),
            self.seconds
        ));
        if self.failure.is_none() && self.output.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push_str(">\n");
        if let Some((message, text)) = &self.failure {
            let tag = if self.is_error { "error" } else { "failure" };
            let (message, text) = (escaped(message), content(text));
            out.push_str(&format!(
                "      <{tag} type=\"{tag}\" message=\"{message}\">{text}</{tag}>\n"
            ));
        }
        if !self.output.is_empty() {
            out.push_str(&format!(
                "      <system-out>{}</system-out>\n",
                content(&self.output)
            ));
        }
        out.push_str("    </testcase>\n");
    }
}

fn number(suite: &Suite, what: fn(&Case) -> bool) -> usize {
    suite.cases.iter().filter(|case| what(case)).count()
}

impl Suite {
    fn write(&self, timestamp: &str, out: &mut String) {
        // Readers of the format expect a local time without a zone.
        let timestamp = timestamp.trim_end_matches('Z');
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"{:.3}\" timestamp=\"{timestamp}\">\n",
            escaped(&self.name),
            self.cases.len(),
            number(self, Case::is_failure),
            number(self, Case::is_error),
            self.seconds,
        ));
        self.cases.iter().for_each(|case| case.write(out));
        out.push_str("  </testsuite>\n");
    }
}

/// A scenario's iterations, checks and thresholds.
fn scenario(one: &ScenarioReport, results: &Results<'_>) -> Suite {
    let judged = has_thresholds(results.report, &one.name);
    let mut cases = vec![iterations(one, results, judged)];
    let checks = results.report.checks.iter();
    let checks =
        checks.filter(|found| found.scenario == one.name && is_check(found, results.program));
    cases.extend(checks.map(|found| check(found, results, judged)));
    let thresholds = results.report.thresholds.iter();
    let thresholds = thresholds.filter(|found| found.scenario.as_deref() == Some(&one.name));
    cases.extend(thresholds.map(|found| threshold(found, &one.name)));
    Suite {
        name: one.name.clone(),
        seconds: results.report.nanos as f64 / 1e9,
        cases,
    }
}

fn iterations(one: &ScenarioReport, results: &Results<'_>, judged: bool) -> Case {
    let mut case = Case::passed(&one.name, "iterations".to_owned());
    let text = format!(
        "{} of {} failed",
        count(one.failed),
        counted(one.iterations, "iteration")
    );
    let errors = results
        .report
        .errors
        .iter()
        .filter(|error| error.scenario == one.name);
    let lines = errors.map(|error| {
        let place = error
            .example
            .data()
            .place
            .and_then(|place| results.program.position(place));
        let (kind, place) = (error.example.kind(), place.unwrap_or_default());
        format!(
            "{} × {kind} at {place}: {}\n",
            count(error.count),
            error.example
        )
    });
    match (one.failed, judged) {
        (0, _) => {}
        (_, false) => case.failure = Some((text, lines.collect())),
        (_, true) => {
            case.output = format!("{text}; thresholds decide\n{}", lines.collect::<String>())
        }
    }
    case
}

fn check(found: &CheckReport, results: &Results<'_>, judged: bool) -> Case {
    let mut case = Case::passed(&found.scenario, format!("check: {}", found.label));
    let text = format!(
        "{} of {} failed",
        count(found.failed),
        counted(found.passed + found.failed, "check")
    );
    let (line, column) = results
        .program
        .sources
        .line_column(results.program.site(found.site).span);
    let mut details = format!("at {}:{line}:{column}\n", results.file);
    if let Some(example) = &found.example {
        if let Some((left, right)) = &example.sides {
            details.push_str(&format!("left: {left}\nright: {right}\n"));
        }
        if let Some(error) = &example.error {
            details.push_str(&format!("{error}\n"));
        }
    }
    match (found.failed, judged) {
        (0, _) => {}
        (_, false) => case.failure = Some((text, details)),
        (_, true) => case.output = format!("{text}; thresholds decide\n{details}"),
    }
    case
}

fn threshold(found: &ThresholdReport, class: &str) -> Case {
    let mut case = Case::passed(class, format!("threshold: {}", found.text));
    let value = match found.value {
        Some(value) => threshold_value(found, value, Clock::default()),
        None => "no data".to_owned(),
    };
    match found.ok {
        true => case.output = format!("measured: {value}\n"),
        false => {
            case.failure = Some((
                format!("measured: {value}"),
                format!("{} samples", count(found.samples)),
            ))
        }
    }
    case
}

/// What belongs to no scenario: the file's thresholds, sections, servers, the generator.
fn whole(results: &Results<'_>) -> Suite {
    let class = "run";
    let report = results.report;
    let thresholds = report
        .thresholds
        .iter()
        .filter(|found| found.scenario.is_none());
    let mut cases: Vec<Case> = thresholds.map(|found| threshold(found, class)).collect();
    let mut generator = Case::passed(class, "the load generator was not the limit".to_owned());
    if !report.generator.invalid.is_empty() {
        let reasons = report
            .generator
            .invalid
            .iter()
            .map(|why| invalid_text(why, Clock::default()));
        let text: String = reasons
            .map(|(text, help)| format!("{text}\n  help: {help}\n"))
            .collect();
        generator.failure = Some(("the run is invalid".to_owned(), text));
        generator.is_error = true;
    }
    cases.push(generator);
    let mut rest = Case::passed(class, "sections and servers".to_owned());
    if !results.verdict.outside.is_empty() {
        rest.failure = Some((results.verdict.outside.join("; "), String::new()));
        rest.is_error = true;
    }
    cases.push(rest);
    Suite {
        name: class.to_owned(),
        seconds: report.nanos as f64 / 1e9,
        cases,
    }
}

/// Text between tags, where lines may end as they are.
fn content(text: &str) -> String {
    escaped(text).replace("&#10;", "\n")
}

/// Text for XML 1.0, in which most control characters cannot even be escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
