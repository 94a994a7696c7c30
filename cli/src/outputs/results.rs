//! `--out json=`, and the `report` of `--json`: everything that a run has come to, in the form of `docs/results.md`.
//!
//! `docs/results.schema.json` describes it; a test holds both together. Enter at [`value`].

use super::Results;
use crate::digest::percentiles;
use crate::render::json::{error, place_value, span_place};
use crate::render::numbers::Clock;
use crate::render::program::ProgramText;
use crate::render::summary::invalid_text;
use scn_compiler::ir::SiteKind;
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{
    CheckReport, ErrorReport, GeneratorReport, Invalid, Percentiles, Point, PoolReport, Progress,
    ScenarioReport, Series, StageReport, Stopped, ThresholdReport, Unit, Value as Measured,
};
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// The version of the form: a number that goes up when a reader has to change.
const FORM: u32 = 1;

/// The document.
pub(crate) fn value(results: &Results<'_>) -> Value {
    let (report, digest, program) = (results.report, results.digest, results.program);
    let scenario = |one: &ScenarioReport| {
        let times = digest.iterations.iter().find(|(name, _)| *name == one.name);
        scenario(one, times.map(|(_, times)| times))
    };
    json!({
        "form": FORM,
        "version": env!("CARGO_PKG_VERSION"),
        "file": results.file,
        "started": timestamp(report.started),
        "nanos": report.nanos,
        "workers": report.workers,
        // Readers in JavaScript would round a number of 64 bits.
        "seed": report.seed.to_string(),
        "verdict": {
            "outcome": results.verdict.word(),
            "status": results.verdict.exit.code(),
            "reasons": results.verdict.reasons,
        },
        "stopped": report.stopped.as_ref().map(stopped),
        "scenarios": list(&report.scenarios, scenario),
        "requests": list(&digest.requests, |row| json!({
            "protocol": row.protocol,
            "name": row.name,
            "count": row.count,
            "failed": row.failed,
            "response_nanos": distribution(&row.response),
            "service_nanos": distribution(&row.service),
        })),
        "steps": list(&digest.steps, |step| json!({
            "scenario": step.scenario,
            "name": step.name,
            "nanos": distribution(&step.times),
        })),
        "checks": list(&report.checks, |one| check(one, program)),
        "thresholds": list(&report.thresholds, |one| {
            let mut value = threshold(one);
            value["place"] = span_place(one.span, &program.sources);
            value
        }),
        "errors": list(&report.errors, |one| failure(one, program)),
        "failures": list(&digest.kinds, kind),
        "statuses": list(&digest.statuses, |(status, count)| json!({ "status": status, "count": count })),
        "metrics": list(&report.series, series),
        "timeline": list(&report.timeline, point),
        "pools": list(&report.pools, pool),
        "generator": generator(&report.generator),
    })
}

/// A second of a run that goes on, as a line of `--json`.
pub(crate) fn progress(one: &Progress) -> Value {
    let mut value = json!({ "type": "progress" });
    let parts = json!({
        "second": point(&one.point),
        "totals": {
            "iterations": one.totals.iterations,
            "failed_iterations": one.totals.failed_iterations,
            "dropped": one.totals.dropped,
            "requests": one.totals.requests,
            "failed": one.totals.failed,
            "passed_checks": one.totals.passed_checks,
            "failed_checks": one.totals.failed_checks,
            "sent_bytes": one.totals.sent,
            "received_bytes": one.totals.received,
            "failures": list(&one.totals.errors, kind),
            "response_nanos": points(&one.totals.response),
        },
        "scenarios": list(&one.scenarios, |scenario| json!({
            "name": scenario.name,
            "users": scenario.users,
            "stages": list(&scenario.stages, stage),
        })),
        "thresholds": list(&one.thresholds, threshold),
        "stopping": one.stopping,
    });
    merge(&mut value, parts);
    value
}

/// A time by the wall clock, in UTC: `2026-11-21T23:00:00Z`.
pub(crate) fn timestamp(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        // Milliseconds are all that anybody compares with logs.
        Ok(time) => format!("{time:.3}"),
        Err(_) => "1970-01-01T00:00:00.000Z".to_owned(),
    }
}

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    Value::Array(all.iter().map(one).collect())
}

fn merge(value: &mut Value, more: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (value, more) {
        fields.extend(more);
    }
}

fn stopped(why: &Stopped) -> Value {
    let (by, text) = match why {
        Stopped::Asked => ("request", ""),
        Stopped::Script(reason) => ("script", reason.as_str()),
        Stopped::Threshold(text) => ("threshold", text.as_str()),
        Stopped::TimeLimit(text) => ("time_limit", text.as_str()),
    };
    json!({ "by": by, "text": text })
}

fn scenario(one: &ScenarioReport, times: Option<&Histogram>) -> Value {
    json!({
        "name": one.name,
        "users": one.users,
        "peak_users": one.peak,
        "leaked_users": one.leaked,
        "iterations": one.iterations,
        "failed": one.failed,
        "interrupted": one.interrupted,
        "dropped": one.dropped,
        "failed_sections": one.failed_sections,
        "iteration_nanos": times.map(distribution),
        "stages": list(&one.stages, stage),
    })
}

fn stage(one: &StageReport) -> Value {
    json!({ "text": one.text, "from_nanos": one.from, "to_nanos": one.to })
}

fn kind(one: &(String, u64)) -> Value {
    json!({ "kind": one.0, "count": one.1 })
}

fn distribution(times: &Histogram) -> Value {
    points(&percentiles(times))
}

fn points(one: &Percentiles) -> Value {
    json!({
        "count": one.count,
        "mean": one.mean,
        "min": one.min,
        "p50": one.p50,
        "p90": one.p90,
        "p95": one.p95,
        "p99": one.p99,
        "p999": one.p999,
        "max": one.max,
    })
}

fn check(one: &CheckReport, program: &ProgramText) -> Value {
    let site = program.site(one.site);
    let example = one.example.as_ref().map(|example| {
        json!({
            "label": example.label,
            "left": example.sides.as_ref().map(|sides| &sides.0),
            "right": example.sides.as_ref().map(|sides| &sides.1),
            "error": example.error.as_ref().map(|fault| error(fault, program)),
            "user": example.user,
            "iteration": example.iteration,
        })
    });
    json!({
        "label": one.label,
        "kind": if site.kind == SiteKind::Expect { "expect" } else { "check" },
        "scenario": one.scenario,
        "passed": one.passed,
        "failed": one.failed,
        "place": span_place(site.span, &program.sources),
        "example": example,
    })
}

fn threshold(one: &ThresholdReport) -> Value {
    json!({
        "text": one.text,
        "scenario": one.scenario,
        "unit": unit(one.unit),
        "value": one.value,
        "bound": one.bound,
        "samples": one.samples,
        "ok": one.ok,
        "aborted": one.aborted,
    })
}

fn failure(one: &ErrorReport, program: &ProgramText) -> Value {
    let mut example = error(&one.example, program);
    example["place"] = one
        .example
        .data()
        .place
        .map_or(Value::Null, |place| place_value(place, program));
    json!({
        "scenario": one.scenario,
        "count": one.count,
        "first_nanos": one.first,
        "last_nanos": one.last,
        "error": example,
    })
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanos => "nanos",
        Unit::Bytes => "bytes",
        Unit::Number => "number",
        Unit::Millionths => "millionths",
    }
}

fn series(one: &Series) -> Value {
    let tags: Map<String, Value> = one
        .tags
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let mut value = json!({ "name": one.metric, "unit": unit(one.unit), "tags": tags });
    let measured = match &one.value {
        Measured::Counter(sum) => json!({ "kind": "counter", "sum": sum }),
        Measured::Gauge { last, min, max } => {
            json!({ "kind": "gauge", "last": last, "min": min, "max": max })
        }
        Measured::Rate { yes, total } => json!({ "kind": "rate", "yes": yes, "total": total }),
        Measured::Trend(values) => json!({
            "kind": "trend",
            "values": distribution(values),
            "buckets": values.buckets().map(|(most, count)| json!([most, count])).collect::<Vec<_>>(),
        }),
    };
    merge(&mut value, measured);
    value
}

fn point(one: &Point) -> Value {
    json!({
        "at_nanos": one.at,
        "nanos": one.nanos,
        "users": one.users,
        "iterations": one.iterations,
        "failed_iterations": one.failed_iterations,
        "dropped": one.dropped,
        "requests": one.requests,
        "failed": one.failed,
        "sent_bytes": one.sent,
        "received_bytes": one.received,
        "opened": one.opened,
        "failures": list(&one.errors, kind),
        "passed_checks": one.checks.0,
        "failed_checks": one.checks.1,
        "response_nanos": points(&one.response),
        "service_nanos": points(&one.service),
        "lag_nanos": points(&one.lag),
        "busy": one.busy,
    })
}

fn pool(one: &PoolReport) -> Value {
    json!({
        "name": one.name,
        "size": one.size,
        "leases": one.leases,
        "peak": one.peak,
        "waits": one.waits,
        "waited_nanos": one.waited,
        "shared": one.shared,
        "fell_back": one.fell_back,
        "failed": one.failed,
        "addresses": list(&one.addresses, |(address, leases)| json!({ "address": address.to_string(), "leases": leases })),
    })
}

fn generator(one: &GeneratorReport) -> Value {
    json!({
        "valid": one.invalid.is_empty(),
        "invalid": list(&one.invalid, invalid),
        "lag_nanos": points(&one.lag),
        "busy": one.busy,
    })
}

fn invalid(why: &Invalid) -> Value {
    let (name, count) = match why {
        Invalid::Late(nanos) => ("late", *nanos),
        Invalid::Saturated { seconds, .. } => ("saturated", *seconds),
        Invalid::Dropped(count) => ("dropped", *count),
        Invalid::Ports(count) => ("ports", *count),
        Invalid::Descriptors(count) => ("descriptors", *count),
        Invalid::Memory(count) => ("memory", *count),
    };
    let (text, help) = invalid_text(why, Clock::default());
    json!({ "why": name, "value": count, "text": text, "help": help })
}
