//! Checks and errors of a run, each with the first of its failures.

use super::{Checks, Errors};
use crate::report::{CheckExample, CheckReport, ErrorReport};
use crate::timer::Nanos;
use scn_compiler::ir::Program;
use std::collections::BTreeMap;

/// What the workers found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The templates of labels, by site.
    labels: Vec<String>,
    checks: BTreeMap<(u32, String), Check>,
    errors: BTreeMap<ErrorPlace, Error>,
}

/// Kind, function and start of the place, scenario.
type ErrorPlace = (String, Option<(u32, u32)>, String);

#[derive(Debug, Default)]
struct Check {
    passed: u64,
    failed: u64,
    example: Option<(Nanos, Box<CheckExample>)>,
}

#[derive(Debug)]
struct Error {
    report: ErrorReport,
    /// When the example came.
    at: Nanos,
}

impl Findings {
    /// Of a program.
    pub fn new(program: &Program) -> Findings {
        Findings {
            labels: program
                .sites
                .iter()
                .map(|site| site.label.clone())
                .collect(),
            ..Findings::default()
        }
    }

    /// The template of a site's label.
    pub fn label(&self, site: u32) -> &str {
        self.labels.get(site as usize).map_or("", String::as_str)
    }

    /// Adds a check's evaluations.
    pub fn add_checks(&mut self, site: u32, scenario: String, checks: Checks) {
        let sum = self.checks.entry((site, scenario)).or_default();
        sum.passed += checks.passed;
        sum.failed += checks.failed;
        let rank =
            |(at, example): &(Nanos, Box<CheckExample>)| (*at, example.user, example.iteration);
        sum.example = match (sum.example.take(), checks.example) {
            (Some(known), Some(new)) if rank(&new) < rank(&known) => Some(new),
            (known, new) => known.or(new),
        };
    }

    /// Adds errors.
    pub fn add_errors(
        &mut self,
        kind: &str,
        place: Option<(u32, u32)>,
        scenario: String,
        errors: Errors,
    ) {
        let key = (kind.to_owned(), place, scenario);
        match (self.errors.get_mut(&key), errors.example) {
            (Some(known), example) => {
                let report = &mut known.report;
                report.count += errors.count;
                report.first = report.first.min(errors.first);
                report.last = report.last.max(errors.last);
                if let Some(example) = example
                    && errors.first < known.at
                {
                    report.example = *example;
                    known.at = errors.first;
                }
            }
            (None, Some(example)) => {
                let report = ErrorReport {
                    example: *example,
                    scenario: key.2.clone(),
                    count: errors.count,
                    first: errors.first,
                    last: errors.last,
                };
                let at = errors.first;
                self.errors.insert(key, Error { report, at });
            }
            (None, None) => debug_assert!(false, "a worker's first error comes with an example"),
        }
    }

    /// Checks in source order.
    pub fn checks(&self) -> Vec<CheckReport> {
        let all = self.checks.iter();
        all.map(|((site, scenario), check)| CheckReport {
            label: self.label(*site).to_owned(),
            site: *site,
            scenario: scenario.clone(),
            passed: check.passed,
            failed: check.failed,
            example: check
                .example
                .as_ref()
                .map(|(_, example)| (**example).clone()),
        })
        .collect()
    }

    /// Errors, most frequent first, then in the order in which they came.
    pub fn errors(&self) -> Vec<ErrorReport> {
        let mut all: Vec<ErrorReport> = self.errors.values().map(|e| e.report.clone()).collect();
        all.sort_by_key(|error| (std::cmp::Reverse(error.count), error.first));
        all
    }
}
