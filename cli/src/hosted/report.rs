//! Results as data again: the `report` and `progress` of a component, in the form of `docs/results.md`.
//!
//! What is summed up there for readers (`requests`, `steps`, `failures`...) is not read: it follows from the metrics.
//! Enter at [`report`] and [`progress`].

use super::events::{Reader, text};
use scn_runtime::fault::Fault;
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{
    CheckExample, CheckReport, ErrorReport, GeneratorReport, Invalid, Percentiles, Point,
    PoolReport, Progress, Report, ScenarioProgress, ScenarioReport, Series, StageReport, Stopped,
    ThresholdReport, Totals, Unit, Value as Measured,
};
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The results of a run; nothing if they are not of this form.
pub(super) fn report(value: &Value, reader: &Reader<'_>) -> Option<Report> {
    Some(Report {
        started: started(&value["started"]),
        nanos: value["nanos"].as_u64()?,
        workers: count(&value["workers"]) as u32,
        seed: value["seed"].as_str()?.parse().ok()?,
        stopped: stopped(&value["stopped"]),
        scenarios: list(&value["scenarios"], scenario),
        series: list(&value["metrics"], series),
        timeline: list(&value["timeline"], point),
        thresholds: list(&value["thresholds"], |one| threshold(one, reader)),
        checks: list(&value["checks"], |one| check(one, reader)),
        errors: list(&value["errors"], |one| error(one, reader)),
        pools: list(&value["pools"], pool),
        generator: generator(&value["generator"]),
    })
}

/// A second of a run that goes on.
pub(super) fn progress(value: &Value, reader: &Reader<'_>) -> Option<Progress> {
    Some(Progress {
        point: point(&value["second"])?,
        trends: Vec::new(),
        totals: totals(&value["totals"]),
        scenarios: list(&value["scenarios"], |one| {
            Some(ScenarioProgress {
                name: text(&one["name"]),
                users: count(&one["users"]),
                stages: list(&one["stages"], stage),
            })
        }),
        thresholds: list(&value["thresholds"], |one| threshold(one, reader)),
        stopping: value["stopping"] == true,
    })
}

/// Entries that are whole; others are of another version's form.
fn list<T>(value: &Value, one: impl Fn(&Value) -> Option<T>) -> Vec<T> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(one).collect()
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// `2026-11-21T23:00:00.000Z`.
fn started(value: &Value) -> SystemTime {
    let parsed = value.as_str().and_then(|text| text.parse().ok());
    parsed.map_or(UNIX_EPOCH, |time: jiff::Timestamp| {
        let nanos = u64::try_from(time.as_nanosecond()).unwrap_or(0);
        UNIX_EPOCH + Duration::from_nanos(nanos)
    })
}

fn stopped(value: &Value) -> Option<Stopped> {
    let why = text(&value["text"]);
    Some(match value["by"].as_str()? {
        "script" => Stopped::Script(why),
        "threshold" => Stopped::Threshold(why),
        "time_limit" => Stopped::TimeLimit(why),
        _ => Stopped::Asked,
    })
}

fn scenario(one: &Value) -> Option<ScenarioReport> {
    Some(ScenarioReport {
        name: one["name"].as_str()?.to_owned(),
        users: count(&one["users"]),
        peak: count(&one["peak_users"]),
        leaked: count(&one["leaked_users"]),
        iterations: count(&one["iterations"]),
        failed: count(&one["failed"]),
        interrupted: count(&one["interrupted"]),
        dropped: count(&one["dropped"]),
        failed_sections: count(&one["failed_sections"]),
        stages: list(&one["stages"], stage),
    })
}

fn stage(one: &Value) -> Option<StageReport> {
    Some(StageReport {
        text: one["text"].as_str()?.to_owned(),
        from: count(&one["from_nanos"]),
        to: one["to_nanos"].as_u64(),
    })
}

fn series(one: &Value) -> Option<Series> {
    let tags = one["tags"].as_object()?.iter();
    let number = |name: &str| one[name].as_f64();
    Some(Series {
        metric: one["name"].as_str()?.to_owned(),
        unit: unit(&one["unit"]),
        tags: tags
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        value: match one["kind"].as_str()? {
            "counter" => Measured::Counter(number("sum")?),
            "gauge" => Measured::Gauge {
                last: number("last")?,
                min: number("min")?,
                max: number("max")?,
            },
            "rate" => Measured::Rate {
                yes: count(&one["yes"]),
                total: count(&one["total"]),
            },
            _ => Measured::Trend(histogram(one)),
        },
    })
}

/// The distribution of its buckets, with the true ends and mean.
fn histogram(one: &Value) -> Histogram {
    let buckets = list(&one["buckets"], |pair| {
        Some((pair[0].as_u64()?, pair[1].as_u64()?))
    });
    let values = points(&one["values"]);
    Histogram::of_buckets(&buckets, values.mean, values.min, values.max)
}

fn unit(value: &Value) -> Unit {
    match value.as_str() {
        Some("nanos") => Unit::Nanos,
        Some("bytes") => Unit::Bytes,
        Some("millionths") => Unit::Millionths,
        _ => Unit::Number,
    }
}

fn points(one: &Value) -> Percentiles {
    Percentiles {
        count: count(&one["count"]),
        mean: count(&one["mean"]),
        min: count(&one["min"]),
        p50: count(&one["p50"]),
        p90: count(&one["p90"]),
        p95: count(&one["p95"]),
        p99: count(&one["p99"]),
        p999: count(&one["p999"]),
        max: count(&one["max"]),
    }
}

fn kinds(value: &Value) -> Vec<(String, u64)> {
    list(value, |one| {
        Some((one["kind"].as_str()?.to_owned(), one["count"].as_u64()?))
    })
}

fn point(one: &Value) -> Option<Point> {
    Some(Point {
        at: one["at_nanos"].as_u64()?,
        nanos: count(&one["nanos"]),
        users: count(&one["users"]),
        iterations: count(&one["iterations"]),
        failed_iterations: count(&one["failed_iterations"]),
        dropped: count(&one["dropped"]),
        requests: count(&one["requests"]),
        failed: count(&one["failed"]),
        sent: count(&one["sent_bytes"]),
        received: count(&one["received_bytes"]),
        opened: count(&one["opened"]),
        errors: kinds(&one["failures"]),
        checks: (count(&one["passed_checks"]), count(&one["failed_checks"])),
        response: points(&one["response_nanos"]),
        service: points(&one["service_nanos"]),
        lag: points(&one["lag_nanos"]),
        busy: one["busy"].as_f64().unwrap_or(0.0),
    })
}

fn totals(one: &Value) -> Totals {
    Totals {
        iterations: count(&one["iterations"]),
        failed_iterations: count(&one["failed_iterations"]),
        dropped: count(&one["dropped"]),
        requests: count(&one["requests"]),
        failed: count(&one["failed"]),
        passed_checks: count(&one["passed_checks"]),
        failed_checks: count(&one["failed_checks"]),
        sent: count(&one["sent_bytes"]),
        received: count(&one["received_bytes"]),
        errors: kinds(&one["failures"]),
        response: points(&one["response_nanos"]),
    }
}

fn threshold(one: &Value, reader: &Reader<'_>) -> Option<ThresholdReport> {
    Some(ThresholdReport {
        text: one["text"].as_str()?.to_owned(),
        span: reader.span(&one["place"]).unwrap_or_default(),
        scenario: one["scenario"].as_str().map(str::to_owned),
        unit: unit(&one["unit"]),
        value: one["value"].as_f64(),
        bound: one["bound"].as_f64()?,
        samples: count(&one["samples"]),
        ok: one["ok"].as_bool()?,
        aborted: one["aborted"] == true,
    })
}

fn check(one: &Value, reader: &Reader<'_>) -> Option<CheckReport> {
    let example = &one["example"];
    let sides = example["left"].as_str().zip(example["right"].as_str());
    Some(CheckReport {
        label: one["label"].as_str()?.to_owned(),
        site: reader.site(one["kind"].as_str()?, &one["place"])?,
        scenario: text(&one["scenario"]),
        passed: count(&one["passed"]),
        failed: count(&one["failed"]),
        example: example.is_object().then(|| CheckExample {
            label: example["label"].as_str().map(str::to_owned),
            sides: sides.map(|(left, right)| (left.to_owned(), right.to_owned())),
            error: reader.fault(&example["error"]),
            user: count(&example["user"]),
            iteration: count(&example["iteration"]),
        }),
    })
}

fn error(one: &Value, reader: &Reader<'_>) -> Option<ErrorReport> {
    let example: Fault = reader.fault(&one["error"])?;
    Some(ErrorReport {
        example,
        scenario: text(&one["scenario"]),
        count: count(&one["count"]),
        first: count(&one["first_nanos"]),
        last: count(&one["last_nanos"]),
    })
}

fn pool(one: &Value) -> Option<PoolReport> {
    Some(PoolReport {
        name: one["name"].as_str()?.to_owned(),
        size: count(&one["size"]),
        leases: count(&one["leases"]),
        peak: count(&one["peak"]),
        waits: count(&one["waits"]),
        waited: count(&one["waited_nanos"]),
        shared: count(&one["shared"]),
        fell_back: count(&one["fell_back"]),
        failed: count(&one["failed"]),
        addresses: list(&one["addresses"], |one| {
            Some((
                one["address"].as_str()?.parse().ok()?,
                one["leases"].as_u64()?,
            ))
        }),
    })
}

fn generator(one: &Value) -> GeneratorReport {
    GeneratorReport {
        invalid: list(&one["invalid"], invalid),
        lag: points(&one["lag_nanos"]),
        busy: list(&one["busy"], Value::as_f64),
    }
}

fn invalid(one: &Value) -> Option<Invalid> {
    let value = one["value"].as_u64()?;
    Some(match one["why"].as_str()? {
        "late" => Invalid::Late(value),
        "saturated" => Invalid::Saturated {
            worker: 0,
            seconds: value,
        },
        "dropped" => Invalid::Dropped(value),
        "ports" => Invalid::Ports(value),
        "descriptors" => Invalid::Descriptors(value),
        "memory" => Invalid::Memory(value),
        _ => return None,
    })
}
