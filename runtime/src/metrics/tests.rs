//! From recorders to the report: the same samples give the same report, however many workers measured them.

use super::{
    ContextId, Head, Interval, IterationEnd, Link, NameId, Operation, Protocol, Recorder, Totals,
};
use crate::fault::{Fault, Place, kind};
use crate::report::{CheckExample, MetricKind, Report, Value};
use crate::timer::Nanos;
use scn_compiler::Span;
use scn_compiler::ir::load::{BinaryOp, Threshold};
use scn_compiler::ir::{Global, GlobalId, GlobalKind, Program, Scalar, Scenario, Site, SiteKind};
use std::time::SystemTime;

const SECOND: Nanos = 1_000_000_000;

fn site(kind: SiteKind, label: &str) -> Site {
    Site {
        kind,
        label: label.to_owned(),
        span: Span::default(),
    }
}

fn threshold(metric: &str, aggregate: &str, op: BinaryOp, value: f64) -> Threshold {
    Threshold {
        metric: metric.to_owned(),
        declared: None,
        filter: Vec::new(),
        aggregate: aggregate.to_owned(),
        op,
        value,
        or_empty: false,
        abort_after: None,
        text: format!("{metric} {aggregate}"),
        span: Span::default(),
    }
}

fn scenario(name: &str, thresholds: Vec<Threshold>) -> Scenario {
    Scenario {
        name: name.to_owned(),
        setup: None,
        init: None,
        each: None,
        exit: None,
        teardown: None,
        cells: Vec::new(),
        load: None,
        source: None,
        tags: Vec::new(),
        thresholds,
        span: Span::default(),
    }
}

/// Site 0 is a check, site 1 a step; global 0 is a trend of floats.
fn program() -> Program {
    let metric = GlobalKind::Metric {
        kind: "trend".to_owned(),
        sample: Scalar::Float,
    };
    Program {
        sites: vec![
            site(SiteKind::Check, "is well"),
            site(SiteKind::Step, "buy"),
        ],
        globals: vec![Global {
            name: "ratio".to_owned(),
            doc: None,
            kind: metric,
            span: Span::default(),
        }],
        scenarios: vec![
            scenario(
                "shop",
                vec![
                    threshold("http.requests", "count", BinaryOp::Eq, 1000.0),
                    Threshold {
                        declared: Some(GlobalId(0)),
                        ..threshold("ratio", "mean", BinaryOp::Lt, 1.0)
                    },
                ],
            ),
            scenario(
                "bar",
                vec![threshold("http.requests", "count", BinaryOp::Gt, 0.0)],
            ),
        ],
        thresholds: vec![threshold("checks", "rate", BinaryOp::Gt, 0.99)],
        ..Program::default()
    }
}

/// What user `k` does in an iteration, which depends on nothing but its number.
fn iterate(recorder: &Recorder, base: ContextId, k: u64) {
    let begin = SECOND / 500 * k;
    let step = recorder.child(base, 1, || "buy");
    let name = recorder.name(&format!("GET /{}", k % 3));
    let method = recorder.method("GET");
    let fails = k.is_multiple_of(7);
    recorder.operation(
        step,
        &Operation {
            protocol: Protocol::Http,
            name,
            method,
            status: if fails { 0 } else { 200 },
            kind: fails.then_some(kind::TIMEOUT),
            failed: fails,
            intended: begin,
            started: begin + 1000,
            done: begin + 1000 + k * k,
            phases: [-1, -1, -1, 10, k as i64, 30],
            sent: 100,
            received: k,
            link: if k.is_multiple_of(10) {
                Link::Opened
            } else {
                Link::Reused
            },
        },
    );
    recorder.step(step, begin + 2000, k as i64);
    recorder.check(base, 0, begin + 2000, !k.is_multiple_of(5), || {
        CheckExample {
            label: None,
            sides: Some((k.to_string(), "1".to_owned())),
            error: None,
            user: k,
            iteration: 0,
        }
    });
    recorder.sample(base, 0, MetricKind::Trend, false, begin, k as f64 / 2000.0);
    let end = if fails {
        IterationEnd::Failed
    } else {
        IterationEnd::Done
    };
    if fails {
        let fault = Fault::fixed(kind::TIMEOUT, "too slow")
            .during("http.get")
            .at(Place {
                function: 1,
                span: Span::default(),
            });
        recorder.error(base, begin + 2500, &fault, || fault.clone());
    }
    recorder.iteration(base, begin + 3000, 3000, end);
    recorder.lag(begin, 5 * k);
}

/// A thousand iterations in two seconds, shared by some workers.
fn run(workers: u32) -> Report {
    let program = program();
    let mut totals = Totals::new(&program, &program.scenarios);
    let recorders: Vec<Recorder> = (0..workers).map(|_| Recorder::default()).collect();
    let tags = [("team".to_owned(), "a".to_owned())];
    for half in 0..2 {
        for (worker, recorder) in (0..).zip(&recorders) {
            let base = recorder.context("shop", &tags);
            let users = (half * 500..(half + 1) * 500)
                .filter(|k| k % u64::from(workers) == u64::from(worker));
            for k in users {
                recorder.user_started(base);
                iterate(recorder, base, k);
                recorder.user_ended(base);
            }
            recorder.waited(SECOND / 2);
            totals.add(worker, recorder.take((half + 1) * SECOND));
        }
        totals.tick((half + 1) * SECOND, false);
    }
    totals.report(Head {
        started: SystemTime::UNIX_EPOCH,
        nanos: 2 * SECOND,
        workers: 1,
        seed: 1,
        stopped: None,
    })
}

fn sum(report: &Report, metric: &str) -> f64 {
    let all = report
        .series
        .iter()
        .filter(|series| series.metric == metric);
    all.map(|series| match &series.value {
        Value::Counter(sum) => *sum,
        Value::Rate { yes, .. } => *yes as f64,
        Value::Trend(all) => all.count() as f64,
        Value::Gauge { last, .. } => *last,
    })
    .sum()
}

#[test]
fn the_report_does_not_depend_on_the_number_of_workers() {
    let strip = |mut report: Report| {
        // How busy each worker was, and how many users there were at once, is about the workers.
        report.generator.busy.clear();
        report.scenarios.iter_mut().for_each(|one| one.peak = 0);
        report.series.retain(|series| series.metric != "users");
        format!("{report:#?}")
    };
    let one = strip(run(1));
    assert_eq!(one, strip(run(3)));
    assert_eq!(one, strip(run(4)));
}

#[test]
fn the_report_holds_what_was_measured() {
    let report = run(2);
    assert_eq!(sum(&report, "http.requests"), 1000.0);
    assert_eq!(sum(&report, "http.failed"), 143.0);
    assert_eq!(sum(&report, "http.wait"), 1000.0);
    assert_eq!(sum(&report, "http.dns"), 0.0);
    assert_eq!(sum(&report, "http.connections.opened"), 100.0);
    assert_eq!(sum(&report, "http.sent"), 100_000.0);
    assert_eq!(sum(&report, "iterations.failed"), 143.0);
    assert_eq!(sum(&report, "checks"), 800.0);
    assert_eq!(sum(&report, "errors"), 143.0);
    let shop = &report.scenarios[0];
    assert_eq!(
        (shop.users, shop.iterations, shop.failed, shop.leaked),
        (1000, 1000, 143, 0)
    );
    let failed = report
        .series
        .iter()
        .find(|series| series.tags.iter().any(|(_, value)| value == kind::TIMEOUT));
    let tags: Vec<&str> = failed
        .unwrap()
        .tags
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(tags, ["kind", "method", "name", "scenario", "step", "team"]);
    let check = &report.checks[0];
    assert_eq!(
        (check.passed, check.failed, check.label.as_str()),
        (800, 200, "is well")
    );
    assert_eq!(check.example.as_ref().unwrap().user, 0, "the first failure");
    let error = &report.errors[0];
    assert_eq!((error.count, error.first), (143, 2500));
    assert_eq!(report.timeline.len(), 2);
    assert_eq!(report.timeline[0].requests, 500);
    assert_eq!(
        report.timeline[0].errors,
        [(kind::TIMEOUT.to_owned(), 72)],
        "an operation's error is not counted again where it ends the iteration"
    );
    assert_eq!(report.timeline[1].busy, 0.5);
}

#[test]
fn thresholds_see_their_scenario() {
    let report = run(2);
    let ok: Vec<bool> = report.thresholds.iter().map(|one| one.ok).collect();
    assert_eq!(ok, [true, true, false, false]);
    let mean = report.thresholds[1].value.unwrap();
    assert!((mean - 0.24975).abs() < 1e-3, "{mean}");
    assert_eq!(
        report.thresholds[2].value,
        Some(0.0),
        "the other scenario had no requests"
    );
    assert_eq!(report.thresholds[3].value, Some(0.8));
}

#[test]
fn what_nobodys_users_do_is_no_load() {
    let recorder = Recorder::default();
    iterate(&recorder, ContextId::NONE, 1);
    let interval = recorder.take(SECOND);
    assert!(interval.operations.is_empty() && interval.steps.is_empty());
    assert_eq!(interval.checks.len(), 1, "checks of `setup` count");
}

#[test]
fn intervals_hold_what_is_new() {
    let recorder = Recorder::default();
    recorder.begin(SECOND);
    let base = recorder.context("shop", &[]);
    recorder.user_started(base);
    assert_eq!(recorder.name("GET /"), recorder.name("GET /"));
    iterate(&recorder, base, 1);
    let first = recorder.take(2 * SECOND);
    assert_eq!((first.from, first.until), (0, SECOND));
    assert!(first.names.iter().any(|name| &**name == "GET /"));
    assert_eq!(first.operations.len(), 1);
    let second = recorder.take(3 * SECOND);
    assert!(second.names.is_empty() && second.contexts.is_empty());
    assert!(second.operations.is_empty() && second.checks.is_empty());
    assert_eq!(second.users[0].1.alive, 1, "users stay");
    assert_eq!(second.users[0].1.started, 0);
    assert_ne!(recorder.name("GET /"), NameId::NONE);
}

#[test]
fn intervals_cross_threads() {
    fn crosses<T: Send>() {}
    crosses::<Interval>();
    crosses::<Totals>();
    crosses::<Report>();
}
