//! What people ask of a report: requests by name, steps, metrics of their own, bytes; and the verdict.
//!
//! The report has one series for each set of tags; here they are put together, once, for the summary and all outputs.
//! Enter at [`Digest::of`]; [`verdict`] says how the run went.

pub(crate) mod verdict;

use scn_runtime::metrics::Histogram;
use scn_runtime::report::{Percentiles, Point, Report, Series, Unit, Value};
use std::collections::BTreeMap;

/// Protocols with metrics of their own, in the order of reports.
const PROTOCOLS: [&str; 6] = ["http", "ws", "tcp", "tls", "udp", "dns"];

/// Metrics of the tool that belong to no protocol.
const OTHERS: [&str; 6] = [
    "iteration",
    "iterations",
    "step",
    "checks",
    "errors",
    "users",
];

/// A report put together.
#[derive(Debug, Default)]
pub(crate) struct Digest {
    /// Operations by protocol and name, most frequent first.
    pub(crate) requests: Vec<Requests>,
    /// How long iterations took, by scenario.
    pub(crate) iterations: Vec<(String, Histogram)>,
    /// Responses by status, least status first.
    pub(crate) statuses: Vec<(String, u64)>,
    /// Failures by kind, most frequent first.
    pub(crate) kinds: Vec<(String, u64)>,
    /// Steps in the order of their names.
    pub(crate) steps: Vec<Steps>,
    /// Samples of `metric` items, and of anything else that is not of the tool.
    pub(crate) metrics: Vec<Metric>,
    /// Counts around connections: `http.connections` and the like, with what tells them apart.
    pub(crate) connections: Vec<(String, u64)>,
    /// Bytes sent.
    pub(crate) sent: u64,
    /// Bytes received.
    pub(crate) received: u64,
}

/// Operations of one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    /// `http`, `tcp`...
    pub(crate) protocol: String,
    /// `GET /items/{}`.
    pub(crate) name: String,
    /// How many ended.
    pub(crate) count: u64,
    /// How many failed.
    pub(crate) failed: u64,
    /// Response times.
    pub(crate) response: Histogram,
    /// Service times.
    pub(crate) service: Histogram,
}

/// Runs of a step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    /// Its name, with those around it.
    pub(crate) name: String,
    /// The scenario.
    pub(crate) scenario: String,
    /// How long they took.
    pub(crate) times: Histogram,
}

/// A metric with its samples.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    /// Its name.
    pub(crate) name: String,
    /// Its unit.
    pub(crate) unit: Unit,
    /// All its samples.
    pub(crate) value: Value,
}

impl Digest {
    /// Puts a report together.
    pub(crate) fn of(report: &Report) -> Digest {
        let mut digest = Digest {
            requests: requests(&report.series),
            iterations: iterations(&report.series),
            statuses: statuses(&report.series),
            kinds: kinds(&report.timeline),
            steps: steps(&report.series),
            metrics: metrics(&report.series),
            connections: connections(&report.series),
            ..Digest::default()
        };
        for series in &report.series {
            match (protocol_metric(&series.metric), &series.value) {
                (Some((_, "sent")), Value::Counter(sum)) => digest.sent += *sum as u64,
                (Some((_, "received")), Value::Counter(sum)) => digest.received += *sum as u64,
                _ => {}
            }
        }
        digest
    }

    /// All operations as if they had one name; nothing when there are fewer than two names.
    pub(crate) fn all_requests(&self) -> Option<Requests> {
        if self.requests.len() < 2 {
            return None;
        }
        let mut all = Requests {
            name: "all".to_owned(),
            ..Requests::default()
        };
        for row in &self.requests {
            all.count += row.count;
            all.failed += row.failed;
            all.response.merge(&row.response);
            all.service.merge(&row.service);
        }
        Some(all)
    }
}

impl Requests {
    /// Whether requests waited long for their turn: service times then say something else than response times.
    pub(crate) fn waited(&self) -> bool {
        // A few requests say nothing about waiting.
        if self.service.count() < 20 {
            return false;
        }
        let (response, service) = (
            self.response.percentile(95.0),
            self.service.percentile(95.0),
        );
        response > service + service / 10 && response > service + 1_000_000
    }
}

/// `http` and `duration` of `http.duration`; nothing for metrics of no protocol.
pub(crate) fn protocol_metric(metric: &str) -> Option<(&'static str, &str)> {
    let (first, rest) = metric.split_once('.')?;
    let protocol = PROTOCOLS.iter().find(|protocol| **protocol == first)?;
    Some((protocol, rest))
}

/// A tag's value.
pub(crate) fn tag<'s>(series: &'s Series, name: &str) -> Option<&'s str> {
    let found = series.tags.iter().find(|(tag, _)| tag == name);
    found.map(|(_, value)| value.as_str())
}

/// Points of a distribution.
pub(crate) fn percentiles(histogram: &Histogram) -> Percentiles {
    Percentiles {
        count: histogram.count(),
        mean: histogram.mean() as u64,
        min: histogram.min(),
        p50: histogram.percentile(50.0),
        p90: histogram.percentile(90.0),
        p95: histogram.percentile(95.0),
        p99: histogram.percentile(99.0),
        p999: histogram.percentile(99.9),
        max: histogram.max(),
    }
}

fn requests(series: &[Series]) -> Vec<Requests> {
    let mut found: BTreeMap<(usize, &str), Requests> = BTreeMap::new();
    for one in series {
        let Some((protocol, rest)) = protocol_metric(&one.metric) else {
            continue;
        };
        if !matches!(rest, "duration" | "service" | "failed") {
            continue;
        }
        let name = tag(one, "name").unwrap_or_default();
        let order = PROTOCOLS.iter().position(|known| *known == protocol);
        let row = found.entry((order.unwrap_or_default(), name)).or_default();
        match (rest, &one.value) {
            ("duration", Value::Trend(times)) => row.response.merge(times),
            ("service", Value::Trend(times)) => row.service.merge(times),
            ("failed", Value::Rate { yes, total }) => {
                row.failed += yes;
                row.count += total;
            }
            _ => {}
        }
    }
    let mut rows: Vec<Requests> = found
        .into_iter()
        .map(|((order, name), row)| Requests {
            protocol: PROTOCOLS[order].to_owned(),
            name: if name.is_empty() {
                PROTOCOLS[order].to_owned()
            } else {
                name.to_owned()
            },
            count: row.count.max(row.response.count()),
            ..row
        })
        .filter(|row| row.count > 0)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

fn iterations(series: &[Series]) -> Vec<(String, Histogram)> {
    let mut found: BTreeMap<&str, Histogram> = BTreeMap::new();
    for one in series
        .iter()
        .filter(|one| one.metric == "iteration.duration")
    {
        if let Value::Trend(times) = &one.value {
            let scenario = tag(one, "scenario").unwrap_or_default();
            found.entry(scenario).or_default().merge(times);
        }
    }
    let found = found.into_iter();
    found
        .map(|(name, times)| (name.to_owned(), times))
        .collect()
}

fn statuses(series: &[Series]) -> Vec<(String, u64)> {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for one in series {
        let Some((_, "failed")) = protocol_metric(&one.metric) else {
            continue;
        };
        if let (Some(status), Value::Rate { total, .. }) = (tag(one, "status"), &one.value) {
            *found.entry(status).or_default() += total;
        }
    }
    let found = found.into_iter();
    found
        .map(|(status, count)| (status.to_owned(), count))
        .collect()
}

fn kinds(timeline: &[Point]) -> Vec<(String, u64)> {
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    for (kind, count) in timeline.iter().flat_map(|point| &point.errors) {
        *found.entry(kind).or_default() += count;
    }
    let found = found.into_iter().filter(|(_, count)| *count > 0);
    let mut kinds: Vec<(String, u64)> = found
        .map(|(kind, count)| (kind.to_owned(), count))
        .collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds
}

fn steps(series: &[Series]) -> Vec<Steps> {
    let mut found: BTreeMap<(&str, &str), Histogram> = BTreeMap::new();
    for one in series.iter().filter(|one| one.metric == "step.duration") {
        if let Value::Trend(times) = &one.value {
            let key = (
                tag(one, "scenario").unwrap_or_default(),
                tag(one, "step").unwrap_or_default(),
            );
            found.entry(key).or_default().merge(times);
        }
    }
    let rows = found.into_iter().map(|((scenario, name), times)| Steps {
        name: name.to_owned(),
        scenario: scenario.to_owned(),
        times,
    });
    rows.collect()
}

fn metrics(series: &[Series]) -> Vec<Metric> {
    let mut found: Vec<Metric> = Vec::new();
    for one in series.iter().filter(|one| is_own(&one.metric)) {
        match found.iter_mut().find(|metric| metric.name == one.metric) {
            Some(metric) => merge(&mut metric.value, &one.value),
            None => found.push(Metric {
                name: one.metric.clone(),
                unit: one.unit,
                value: one.value.clone(),
            }),
        }
    }
    found
}

/// Whether a metric was declared by the scenario. Names of the tool's own metrics have a dot or are few.
fn is_own(metric: &str) -> bool {
    let first = metric.split('.').next().unwrap_or_default();
    protocol_metric(metric).is_none() && !OTHERS.contains(&first) && metric != "server.errors"
}

/// Adds what other tags have measured. Of gauges the later one's last value counts.
fn merge(into: &mut Value, other: &Value) {
    match (into, other) {
        (Value::Counter(sum), Value::Counter(more)) => *sum += more,
        (
            Value::Gauge { last, min, max },
            Value::Gauge {
                last: other_last,
                min: other_min,
                max: other_max,
            },
        ) => {
            *last = *other_last;
            *min = min.min(*other_min);
            *max = max.max(*other_max);
        }
        (
            Value::Rate { yes, total },
            Value::Rate {
                yes: more,
                total: of,
            },
        ) => {
            *yes += more;
            *total += of;
        }
        (Value::Trend(times), Value::Trend(more)) => times.merge(more),
        _ => {}
    }
}

/// Counters around connections, by what they are called: `opened`, `reused`, `failed connection_refused`.
fn connections(series: &[Series]) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for one in series {
        let Some((_, rest)) = protocol_metric(&one.metric) else {
            continue;
        };
        let (Some(what), Value::Counter(sum)) = (rest.strip_prefix("connections"), &one.value)
        else {
            continue;
        };
        let what = what.trim_start_matches('.');
        let label = match tag(one, "kind") {
            Some(kind) => format!("{what} ({kind})"),
            None => what.to_owned(),
        };
        match found.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += *sum as u64,
            None => found.push((label, *sum as u64)),
        }
    }
    found.retain(|(_, count)| *count > 0);
    found
}
