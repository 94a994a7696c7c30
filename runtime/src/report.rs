//! What a run has come to, as data: filled by [`crate::metrics`], rendered by whoever asked for the run.
//!
//! Times are nanoseconds. Everything here can cross threads; nothing is formatted. Enter at [`Report`]; while a run
//! goes on, each second gives a [`Progress`].

use crate::fault::Fault;
use crate::metrics::Histogram;
use scn_compiler::Span;
use std::net::IpAddr;
use std::time::SystemTime;

/// The results of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// When the users' part began, by the wall clock.
    pub started: SystemTime,
    /// How long it took.
    pub nanos: u64,
    /// Worker threads.
    pub workers: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// Why it ended before its plan did.
    pub stopped: Option<Stopped>,
    /// Each scenario's users and iterations.
    pub scenarios: Vec<ScenarioReport>,
    /// Each metric with each set of tags.
    pub series: Vec<Series>,
    /// Second by second.
    pub timeline: Vec<Point>,
    /// Thresholds in source order, the file's last.
    pub thresholds: Vec<ThresholdReport>,
    /// Checks in source order.
    pub checks: Vec<CheckReport>,
    /// Errors that ended iterations or other sections, most frequent first.
    pub errors: Vec<ErrorReport>,
    /// Address pools that were used.
    pub pools: Vec<PoolReport>,
    /// Whether the generator was the limit.
    pub generator: GeneratorReport,
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody asked: Ctrl-C.
    Asked,
    /// `run.stop(reason)`.
    Script(String),
    /// A threshold with `abort`: its text.
    Threshold(String),
    /// The limit of its time was over; why, as it is told.
    TimeLimit(String),
}

/// A scenario's users and iterations.
#[derive(Clone, Debug, Default)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// Users that were started.
    pub users: u64,
    /// The most that were there at once.
    pub peak: u64,
    /// Users that were there at the end and are counted nowhere else: none, or there is a defect.
    pub leaked: u64,
    /// Iterations that ended, well or not.
    pub iterations: u64,
    /// Of these, those that an error ended.
    pub failed: u64,
    /// Iterations that the end of the run cut off.
    pub interrupted: u64,
    /// Arrivals for which there was no free user.
    pub dropped: u64,
    /// `init`s and `exit`s of users that an error ended.
    pub failed_sections: u64,
    /// Its stages in time.
    pub stages: Vec<StageReport>,
}

/// A stage of a load plan in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageReport {
    /// As it is written: `arrivals 10/s -> 500/s over 30s`.
    pub text: String,
    /// When it begins, from the start of the users' part.
    pub from: u64,
    /// When it ends; nothing if the plan has no bound in time.
    pub to: Option<u64>,
}

/// Kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MetricKind {
    /// A sum.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A share of true samples.
    Rate,
    /// A distribution.
    Trend,
}

impl MetricKind {
    /// The kind by its word in `metric` items.
    pub fn of_word(word: &str) -> MetricKind {
        match word {
            "counter" => MetricKind::Counter,
            "gauge" => MetricKind::Gauge,
            "rate" => MetricKind::Rate,
            _ => MetricKind::Trend,
        }
    }
}

/// Units of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Bytes.
    Bytes,
    /// Numbers of things, or of anything.
    Number,
    /// Millionths: trends of numbers that may be fractions.
    Millionths,
}

/// A metric with one set of tags.
#[derive(Clone, Debug)]
pub struct Series {
    /// `http.duration`, or the name of a `metric` item.
    pub metric: String,
    /// Its unit.
    pub unit: Unit,
    /// Tags in the order of their names.
    pub tags: Vec<(String, String)>,
    /// What was measured.
    pub value: Value,
}

/// What was measured.
#[derive(Clone, Debug)]
pub enum Value {
    /// A counter's sum.
    Counter(f64),
    /// A gauge's values.
    Gauge {
        /// The last.
        last: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// A rate's samples.
    Rate {
        /// True ones.
        yes: u64,
        /// All.
        total: u64,
    },
    /// A trend's distribution.
    Trend(Histogram),
}

/// What happened in one second (or more, in a long run).
#[derive(Clone, Debug, Default)]
pub struct Point {
    /// When it began, from the start of the users' part.
    pub at: u64,
    /// How long it was.
    pub nanos: u64,
    /// Users alive at its end.
    pub users: u64,
    /// Iterations that ended.
    pub iterations: u64,
    /// Iterations that an error ended.
    pub failed_iterations: u64,
    /// Arrivals that were dropped.
    pub dropped: u64,
    /// Operations of all protocols that ended: requests.
    pub requests: u64,
    /// Of these, failed ones.
    pub failed: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Connections opened.
    pub opened: u64,
    /// Errors by kind: of operations, and those that ended iterations without being one of these.
    pub errors: Vec<(String, u64)>,
    /// Checks that held, and that did not.
    pub checks: (u64, u64),
    /// Response times.
    pub response: Percentiles,
    /// Service times.
    pub service: Percentiles,
    /// How late iterations began.
    pub lag: Percentiles,
    /// The busiest worker's share of time in which it did not wait.
    pub busy: f64,
}

/// Points of a distribution, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Samples.
    pub count: u64,
    /// Their mean.
    pub mean: u64,
    /// The least.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// 90 of 100 are at most this.
    pub p90: u64,
    /// 95 of 100 are at most this.
    pub p95: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
    /// 999 of 1000 are at most this.
    pub p999: u64,
    /// The greatest.
    pub max: u64,
}

impl Percentiles {
    /// Of a distribution.
    pub fn of(histogram: &Histogram) -> Percentiles {
        let percentile = |percent| histogram.percentile(percent);
        Percentiles {
            count: histogram.count(),
            mean: histogram.mean() as u64,
            min: histogram.min(),
            p50: percentile(50.0),
            p90: percentile(90.0),
            p95: percentile(95.0),
            p99: percentile(99.0),
            p999: percentile(99.9),
            max: histogram.max(),
        }
    }
}

/// A threshold and what came of it.
#[derive(Clone, Debug)]
pub struct ThresholdReport {
    /// Its source text.
    pub text: String,
    /// Its place.
    pub span: Span,
    /// The scenario that it stands in; nothing for one of the file.
    pub scenario: Option<String>,
    /// The unit of value and bound.
    pub unit: Unit,
    /// What was measured; nothing if there were no samples.
    pub value: Option<f64>,
    /// Its bound.
    pub bound: f64,
    /// Samples.
    pub samples: u64,
    /// Whether it holds.
    pub ok: bool,
    /// Whether it ended the run.
    pub aborted: bool,
}

/// A check and what came of it.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// Its label, interpolated parts as a template.
    pub label: String,
    /// Its reporting site.
    pub site: u32,
    /// The scenario.
    pub scenario: String,
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
    /// The first failure: both sides, or the error of the condition.
    pub example: Option<CheckExample>,
}

/// A failed check.
#[derive(Clone, Debug)]
pub struct CheckExample {
    /// Its label with everything filled in, if that is another one.
    pub label: Option<String>,
    /// Both sides of a comparison.
    pub sides: Option<(String, String)>,
    /// Why the condition could not be evaluated.
    pub error: Option<Fault>,
    /// The user.
    pub user: u64,
    /// The iteration.
    pub iteration: u64,
}

/// An error that ended iterations or other sections.
#[derive(Clone, Debug)]
pub struct ErrorReport {
    /// The first one, with its place.
    pub example: Fault,
    /// The scenario.
    pub scenario: String,
    /// How often.
    pub count: u64,
    /// When it came first and last, from the start of the users' part.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// What a pool of addresses has handed out.
#[derive(Clone, Debug, Default)]
pub struct PoolReport {
    /// Its name.
    pub name: String,
    /// Addresses in it.
    pub size: u64,
    /// Leases.
    pub leases: u64,
    /// The most that were out at once.
    pub peak: u64,
    /// Leases that had to wait.
    pub waits: u64,
    /// How long these waited, all together.
    pub waited: u64,
    /// Leases of addresses that others had at the time.
    pub shared: u64,
    /// Leases that went to another pool.
    pub fell_back: u64,
    /// Requests for an address that failed.
    pub failed: u64,
    /// Leases by address, most frequent first, at most 1,000.
    pub addresses: Vec<(IpAddr, u64)>,
}

/// Whether the load generator was the limit.
#[derive(Clone, Debug, Default)]
pub struct GeneratorReport {
    /// Why the run is invalid; nothing if it is valid.
    pub invalid: Vec<Invalid>,
    /// How late iterations began, against their intended time.
    pub lag: Percentiles,
    /// Each worker's share of time in which it did not wait.
    pub busy: Vec<f64>,
}

/// Why a run is invalid.
#[derive(Clone, Debug, PartialEq)]
pub enum Invalid {
    /// Iterations began late: the 99th percentile of the lag.
    Late(u64),
    /// A worker had no time to wait for that many seconds in a row.
    Saturated {
        /// The worker.
        worker: u32,
        /// Seconds.
        seconds: u64,
    },
    /// Arrivals were dropped while users were free.
    Dropped(u64),
    /// That many connections failed because no local port was left.
    Ports(u64),
    /// That many failed because no descriptor was left.
    Descriptors(u64),
    /// That many failed because the system had no memory left.
    Memory(u64),
}

/// A second of a run that goes on.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What happened in it.
    pub point: Point,
    /// Distributions of its samples, by trend metric.
    pub trends: Vec<(String, Histogram)>,
    /// Since the start.
    pub totals: Totals,
    /// Where each scenario stands.
    pub scenarios: Vec<ScenarioProgress>,
    /// How thresholds stand.
    pub thresholds: Vec<ThresholdReport>,
    /// Whether users have been asked to stop.
    pub stopping: bool,
}

/// Sums since the start of the users' part.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Iterations.
    pub iterations: u64,
    /// Failed iterations.
    pub failed_iterations: u64,
    /// Dropped arrivals.
    pub dropped: u64,
    /// Operations of all protocols.
    pub requests: u64,
    /// Failed ones.
    pub failed: u64,
    /// Checks that held.
    pub passed_checks: u64,
    /// Checks that did not.
    pub failed_checks: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Errors by kind, most frequent first.
    pub errors: Vec<(String, u64)>,
    /// Response times.
    pub response: Percentiles,
}

/// Where a scenario stands.
#[derive(Clone, Debug)]
pub struct ScenarioProgress {
    /// Its name.
    pub name: String,
    /// Users alive.
    pub users: u64,
    /// Its stages.
    pub stages: Vec<StageReport>,
}
