//! Reports for the tests of what is made of them: one of a large run, one of a small one.

use crate::render::program::ProgramText;
use scn_compiler::SourceId;
use scn_compiler::Span;
use scn_compiler::source::Source;
use scn_runtime::fault::{Fault, Place};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{
    CheckExample, CheckReport, ErrorReport, GeneratorReport, Percentiles, Point, PoolReport,
    Progress, Report, ScenarioProgress, ScenarioReport, Series, StageReport, ThresholdReport,
    Totals, Unit, Value,
};
use std::time::{Duration, UNIX_EPOCH};

/// A report with the program that it is about.
pub(crate) struct Sample {
    pub(crate) report: Report,
    pub(crate) program: ProgramText,
}

const PROGRAM: &str = r#"metric checkout_time: trend<duration>
metric cart_items: counter<int>
scenario checkout {
  load {
    arrivals 10/s -> 500/s over 30s
    arrivals 500/s for 2m
  }
  thresholds {
    http.duration p95 < 300ms
    http.failed rate < 1%
    checks rate > 99%
    checkout_time p99 < 2s or empty
  }
  let r = http.get("http://127.0.0.1:8080/items/7")
  check r.status == 200
  check "has items": r.text() contains "item"
  step "buy" {
    let b = http.post("http://127.0.0.1:8080/cart", json: { item: 7 })
    expect b.status == 201
    cart_items.add(1)
    checkout_time.add(1s)
  }
}
"#;

/// Numbers that look random and are always the same (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A time around `median`, with a long tail.
    fn time(&mut self, median: f64) -> u64 {
        let spread = (self.next() + self.next() + self.next() - 1.5) * 1.6;
        let tail = if self.next() > 0.995 { 12.0 } else { 1.0 };
        (median * spread.exp() * tail) as u64
    }

    fn times(&mut self, count: u64, median: f64) -> Histogram {
        let mut times = Histogram::default();
        (0..count).for_each(|_| times.record(self.time(median)));
        times
    }
}

fn program() -> ProgramText {
    let source = Source {
        name: "checkout.scn".to_owned(),
        text: PROGRAM.to_owned(),
    };
    let checked = scn_compiler::check(
        source,
        &crate::files::Files::of_entry(std::path::Path::new("checkout.scn")),
        &scn_stdlib::LIBRARY,
    );
    let hir = checked.hir.as_ref().expect("the sample is well-formed");
    let program = scn_compiler::lower(&checked.sources, hir);
    ProgramText::new(checked.sources, &program)
}

/// The place of a text in the program.
fn span_of(text: &str) -> Span {
    let start = PROGRAM.find(text).expect("the sample holds the text") as u32;
    Span {
        source: SourceId(0),
        start,
        end: start + text.len() as u32,
    }
}

fn series(metric: &str, unit: Unit, tags: &[(&str, &str)], value: Value) -> Series {
    let tags = tags
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Series {
        metric: metric.to_owned(),
        unit,
        tags: tags.collect(),
        value,
    }
}

fn requests(noise: &mut Noise, name: &str, count: u64, failed: u64, median: f64) -> Vec<Series> {
    let method = name.split(' ').next().unwrap_or_default();
    let tags = [
        ("method", method),
        ("name", name),
        ("scenario", "checkout"),
        ("status", "200"),
    ];
    let service = noise.times(count, median);
    // Carts waited for their turn.
    let waits = if method == "POST" { 1.4 } else { 1.02 };
    let response = noise.times(count, median * waits);
    vec![
        series("http.duration", Unit::Nanos, &tags, Value::Trend(response)),
        series("http.service", Unit::Nanos, &tags, Value::Trend(service)),
        series(
            "http.failed",
            Unit::Number,
            &tags,
            Value::Rate {
                yes: failed,
                total: count,
            },
        ),
        series(
            "http.requests",
            Unit::Number,
            &tags,
            Value::Counter(count as f64),
        ),
        series(
            "http.sent",
            Unit::Bytes,
            &tags,
            Value::Counter(count as f64 * 140.0),
        ),
        series(
            "http.received",
            Unit::Bytes,
            &tags,
            Value::Counter(count as f64 * 2_300.0),
        ),
    ]
}

fn threshold(text: &str, unit: Unit, value: f64, bound: f64, ok: bool) -> ThresholdReport {
    ThresholdReport {
        text: text.to_owned(),
        span: span_of(text),
        scenario: Some("checkout".to_owned()),
        unit,
        value: Some(value),
        bound,
        samples: 61_234,
        ok,
        aborted: false,
    }
}

fn check(program: &ProgramText, label: &str, passed: u64, failed: u64) -> CheckReport {
    let site = (0..).find(|site| program.site(*site).label == label);
    CheckReport {
        label: label.to_owned(),
        site: site.expect("the sample has the check"),
        scenario: "checkout".to_owned(),
        passed,
        failed,
        example: (failed > 0).then(|| CheckExample {
            label: None,
            sides: Some(("503".to_owned(), "200".to_owned())),
            error: None,
            user: 17,
            iteration: 4,
        }),
    }
}

fn error(kind: &'static str, message: &str, text: &str, count: u64) -> ErrorReport {
    ErrorReport {
        example: Fault::text(kind, message).during("http.post").at(Place {
            function: 0,
            span: span_of(text),
        }),
        scenario: "checkout".to_owned(),
        count,
        first: 31_000_000_000,
        last: 148_000_000_000,
    }
}

fn stages() -> Vec<StageReport> {
    let stage = |text: &str, from: u64, to: u64| StageReport {
        text: text.to_owned(),
        from: from * 1_000_000_000,
        to: Some(to * 1_000_000_000),
    };
    vec![
        stage("arrivals 10/s -> 500/s over 30s", 0, 30),
        stage("arrivals 500/s for 2m", 30, 150),
    ]
}

fn percentiles_around(noise: &mut Noise, median: f64, count: u64) -> Percentiles {
    crate::digest::percentiles(&noise.times(count.clamp(1, 400), median))
}

fn point(noise: &mut Noise, second: u64) -> Point {
    let rate = 500.0 * (second as f64 / 30.0).min(1.0) + 10.0;
    let iterations = (rate * (0.97 + 0.06 * noise.next())) as u64;
    let slow = if (80..95).contains(&second) { 3.0 } else { 1.0 };
    let failed = if slow > 1.0 {
        iterations / 25
    } else {
        second % 3
    };
    let median = 9e6 * (1.0 + rate / 600.0) * slow;
    Point {
        at: second * 1_000_000_000,
        nanos: 1_000_000_000,
        users: (rate / 4.0 * slow) as u64,
        iterations,
        failed_iterations: failed / 2,
        dropped: u64::from(slow > 1.0) * (second % 4),
        requests: iterations * 2,
        failed,
        sent: iterations * 280,
        received: iterations * 4_600,
        opened: if second < 31 { 4 } else { 0 },
        errors: vec![
            ("connection_reset".to_owned(), failed / 2),
            ("timeout".to_owned(), failed - failed / 2),
        ],
        checks: (iterations * 2 - failed, failed),
        response: percentiles_around(noise, median * 1.05, iterations),
        service: percentiles_around(noise, median, iterations),
        lag: percentiles_around(noise, 12_000.0, iterations),
        busy: 0.2 + rate / 2_000.0 + 0.05 * noise.next(),
    }
}

/// A run of two and a half minutes in which something went wrong.
pub(crate) fn large() -> Sample {
    let program = program();
    let noise = &mut Noise(0x9e37_79b9_7f4a_7c15);
    let mut all = requests(noise, "GET /items/{}", 70_210, 61, 14e6);
    all.extend(requests(noise, "POST /cart", 70_120, 402, 22e6));
    let step = [("scenario", "checkout"), ("step", "buy")];
    all.push(series(
        "step.duration",
        Unit::Nanos,
        &step,
        Value::Trend(noise.times(70_120, 24e6)),
    ));
    all.push(series(
        "checkout_time",
        Unit::Nanos,
        &[],
        Value::Trend(noise.times(69_718, 90e6)),
    ));
    all.push(series(
        "cart_items",
        Unit::Number,
        &[],
        Value::Counter(69_718.0),
    ));
    let lag = percentiles_around(noise, 12_000.0, 400);
    let report = Report {
        started: UNIX_EPOCH + Duration::from_secs(1_790_000_000),
        nanos: 150_420_000_000,
        workers: 2,
        seed: 42,
        stopped: None,
        scenarios: vec![ScenarioReport {
            name: "checkout".to_owned(),
            users: 412,
            peak: 390,
            leaked: 0,
            iterations: 70_210,
            failed: 231,
            interrupted: 4,
            dropped: 23,
            failed_sections: 0,
            stages: stages(),
        }],
        series: all,
        timeline: (0..150).map(|second| point(noise, second)).collect(),
        thresholds: vec![
            threshold(
                "http.duration p95 < 300ms",
                Unit::Nanos,
                71_200_000.0,
                300e6,
                true,
            ),
            threshold("http.failed rate < 1%", Unit::Number, 0.0033, 0.01, true),
            threshold("checks rate > 99%", Unit::Number, 0.9871, 0.99, false),
            threshold(
                "checkout_time p99 < 2s or empty",
                Unit::Nanos,
                310e6,
                2e9,
                true,
            ),
        ],
        checks: vec![
            check(&program, "r.status == 200", 68_404, 1_806),
            check(&program, "has items", 70_210, 0),
        ],
        errors: vec![
            error(
                "script.expect",
                "left is 503, right is 201",
                "expect b.status == 201",
                171,
            ),
            error(
                "connection_reset",
                "connection reset by peer",
                "http.post(\"http://127.0.0.1:8080/cart\", json: { item: 7 })",
                60,
            ),
        ],
        pools: vec![PoolReport {
            name: "clients".to_owned(),
            size: 62,
            leases: 412,
            peak: 62,
            waits: 12,
            waited: 14_000_000_000,
            shared: 3,
            fell_back: 0,
            failed: 1,
            addresses: (1..=62u8)
                .map(|last| (std::net::IpAddr::from([127, 0, 1, last]), 7))
                .collect(),
        }],
        generator: GeneratorReport {
            invalid: Vec::new(),
            lag,
            busy: vec![0.43, 0.39],
        },
    };
    Sample { report, program }
}

/// One iteration of one user, and all held.
pub(crate) fn small() -> Sample {
    let Sample {
        mut report,
        program,
    } = large();
    let noise = &mut Noise(7);
    report.nanos = 31_000_000;
    report.series = requests(noise, "GET /items/{}", 1, 0, 4e6);
    report.timeline = Vec::new();
    report.thresholds = Vec::new();
    report.errors = Vec::new();
    report.pools = Vec::new();
    report.checks = vec![check(&program, "r.status == 200", 1, 0)];
    report.scenarios = vec![ScenarioReport {
        name: "checkout".to_owned(),
        users: 1,
        peak: 1,
        iterations: 1,
        ..ScenarioReport::default()
    }];
    report.generator.busy = vec![0.02];
    report.workers = 1;
    Sample { report, program }
}

/// The second of a large run that begins at `second`.
pub(crate) fn progress(second: u64) -> Progress {
    let Sample { report, .. } = large();
    let past = &report.timeline[..=second as usize];
    let sum = |what: fn(&Point) -> u64| past.iter().map(what).sum::<u64>();
    let point = past.last().expect("there is a second").clone();
    let noise = &mut Noise(second + 1);
    Progress {
        trends: vec![(
            "http.duration".to_owned(),
            noise.times(point.requests, 14e6),
        )],
        totals: Totals {
            iterations: sum(|point| point.iterations),
            failed_iterations: sum(|point| point.failed_iterations),
            dropped: sum(|point| point.dropped),
            requests: sum(|point| point.requests),
            failed: sum(|point| point.failed),
            passed_checks: sum(|point| point.checks.0),
            failed_checks: sum(|point| point.checks.1),
            sent: sum(|point| point.sent),
            received: sum(|point| point.received),
            errors: vec![
                ("timeout".to_owned(), sum(|point| point.errors[1].1)),
                (
                    "connection_reset".to_owned(),
                    sum(|point| point.errors[0].1),
                ),
            ],
            response: point.response,
        },
        scenarios: vec![ScenarioProgress {
            name: "checkout".to_owned(),
            users: point.users,
            stages: stages(),
        }],
        thresholds: report.thresholds,
        stopping: false,
        point,
    }
}
