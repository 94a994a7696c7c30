//! The tables of the page. Each is a section, or nothing if it would be empty.

use super::super::Results;
use super::{escaped, section};
use crate::digest::verdict::is_check;
use crate::digest::{Metric, Requests};
use crate::render::numbers::{
    Clock, bytes, count, counted, number, per_second, per_second_of, share,
};
use crate::render::summary::{metric_text, threshold_value};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{CheckReport, ErrorReport, PoolReport, Unit};

/// Points of distributions that tables show.
const POINTS: [(&str, f64); 7] = [
    ("min", 0.0),
    ("p50", 50.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p99.9", 99.9),
    ("max", 100.0),
];

/// A cell: its text, which is not escaped yet, and a class.
struct Cell(String, &'static str);

fn text(text: impl Into<String>) -> Cell {
    Cell(text.into(), "")
}

fn num(text: impl Into<String>) -> Cell {
    Cell(text.into(), "n")
}

fn bad_if(condition: bool, text: impl Into<String>) -> Cell {
    Cell(text.into(), if condition { "n bad" } else { "n" })
}

fn mark(ok: bool) -> Cell {
    match ok {
        true => Cell("✓".to_owned(), "mark good"),
        false => Cell("✗".to_owned(), "mark bad"),
    }
}

fn show(nanos: u64) -> String {
    Clock::default().show(nanos as i64)
}

/// A table with heads; the first `texts` of them stand to the left.
fn table(heads: &[&str], texts: usize, rows: Vec<Vec<Cell>>) -> String {
    let heads = heads.iter().enumerate().map(|(index, head)| {
        let class = if index < texts { "" } else { " class=\"n\"" };
        format!("<th{class}>{}</th>", escaped(head))
    });
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().map(|Cell(text, class)| match class {
            "" => format!("<td>{}</td>", escaped(&text)),
            class => format!("<td class=\"{class}\">{}</td>", escaped(&text)),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    });
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        heads.collect::<String>(),
        rows.collect::<String>()
    )
}

fn points(times: &Histogram) -> impl Iterator<Item = Cell> + use<> {
    let cells = POINTS.map(|(_, percent)| match times.count() {
        0 => num("-"),
        _ => num(show(times.percentile(percent))),
    });
    cells.into_iter()
}

fn with_points<'h>(heads: &[&'h str]) -> Vec<&'h str> {
    heads
        .iter()
        .copied()
        .chain(POINTS.map(|(head, _)| head))
        .collect()
}

pub(super) fn thresholds(results: &Results<'_>) -> String {
    let all = &results.report.thresholds;
    if all.is_empty() {
        return String::new();
    }
    let rows = all.iter().map(|one| {
        let value = match one.value {
            Some(value) => threshold_value(one, value, Clock::default()),
            None => "no data".to_owned(),
        };
        let note = if one.aborted { "ended the run" } else { "" };
        vec![
            mark(one.ok),
            Cell(one.text.clone(), "code"),
            bad_if(!one.ok, value),
            num(count(one.samples)),
            text(one.scenario.clone().unwrap_or_else(|| "all".to_owned())),
            text(note),
        ]
    });
    // The heads of numbers stand over them.
    let drawn = table(
        &["", "threshold", "measured", "samples", "scenario", ""],
        2,
        rows.collect(),
    );
    let drawn = drawn.replace(
        "<th class=\"n\">scenario</th><th class=\"n\"></th>",
        "<th>scenario</th><th></th>",
    );
    section("Thresholds", &drawn)
}

pub(super) fn requests(results: &Results<'_>) -> String {
    let rows = &results.digest.requests;
    if rows.is_empty() {
        return String::new();
    }
    let nanos = results.report.nanos;
    let mut cells = Vec::new();
    for row in rows.iter().chain(&results.digest.all_requests()) {
        cells.push(request(row, nanos));
        if row.waited() {
            let blank = [
                Cell("service time".to_owned(), "sub"),
                num(""),
                num(""),
                num(""),
            ];
            cells.push(blank.into_iter().chain(points(&row.service)).collect());
        }
    }
    let heads = with_points(&["name", "count", "rate", "failed"]);
    let hint = "<p class=\"hint\">Response times count from the intended start of a request; service times, shown where they differ much, from its sending.</p>\n";
    let statuses = &results.digest.statuses;
    let statuses: Vec<String> = statuses
        .iter()
        .map(|(status, number)| format!("{} × {}", escaped(status), count(*number)))
        .collect();
    let statuses = match statuses.is_empty() {
        true => String::new(),
        false => format!(
            "<p class=\"hint\">Responses by status: {}.</p>\n",
            statuses.join(", ")
        ),
    };
    let drawn = table(&heads, 1, cells);
    section("Requests", &format!("{drawn}{statuses}{hint}"))
}

fn request(row: &Requests, nanos: u64) -> Vec<Cell> {
    let name = match row.protocol.as_str() {
        "" | "http" => row.name.clone(),
        protocol if protocol == row.name => row.name.clone(),
        protocol => format!("{protocol} {}", row.name),
    };
    let class = if row.protocol.is_empty() {
        "total"
    } else {
        "code"
    };
    let head = [
        Cell(name, class),
        num(count(row.count)),
        num(per_second(per_second_of(row.count, nanos))),
        bad_if(row.failed > 0, share(row.failed, row.count)),
    ];
    head.into_iter().chain(points(&row.response)).collect()
}

pub(super) fn steps(results: &Results<'_>) -> String {
    let steps = &results.digest.steps;
    if steps.is_empty() {
        return String::new();
    }
    let rows = steps.iter().map(|step| {
        let head = [
            text(&step.name),
            text(&step.scenario),
            num(count(step.times.count())),
        ];
        head.into_iter().chain(points(&step.times)).collect()
    });
    section(
        "Steps",
        &table(
            &with_points(&["step", "scenario", "count"]),
            2,
            rows.collect(),
        ),
    )
}

pub(super) fn checks(results: &Results<'_>) -> String {
    let checks = results
        .report
        .checks
        .iter()
        .filter(|check| is_check(check, results.program));
    let rows: Vec<Vec<Cell>> = checks.map(|check| check_row(check, results)).collect();
    if rows.is_empty() {
        return String::new();
    }
    section(
        "Checks",
        &table(
            &[
                "",
                "check",
                "scenario",
                "first failure",
                "held",
                "failed",
                "share",
            ],
            4,
            rows,
        ),
    )
}

fn check_row(check: &CheckReport, results: &Results<'_>) -> Vec<Cell> {
    let example = check.example.as_ref().map(|example| {
        let what = match (&example.sides, &example.error) {
            (_, Some(error)) => error.to_string(),
            (Some((left, right)), None) => {
                format!("left: {}\nright: {}", bounded(left), bounded(right))
            }
            (None, None) => "does not hold".to_owned(),
        };
        let site = results.program.site(check.site).span;
        let (line, _) = results.program.sources.line_column(site);
        format!(
            "{what}\nline {line}, user {}, iteration {}",
            example.user,
            example.iteration + 1
        )
    });
    vec![
        mark(check.failed == 0),
        Cell(check.label.clone(), "code"),
        text(&check.scenario),
        Cell(example.unwrap_or_default(), "pre"),
        num(count(check.passed)),
        bad_if(check.failed > 0, count(check.failed)),
        num(share(check.passed, check.passed + check.failed)),
    ]
}

/// A value of bounded length.
fn bounded(value: &str) -> String {
    const MOST: usize = 400;
    match value.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}... ({} characters)", &value[..at], value.chars().count()),
        None => value.to_owned(),
    }
}

pub(super) fn errors(results: &Results<'_>) -> String {
    let errors = &results.report.errors;
    if errors.is_empty() {
        return String::new();
    }
    let rows = errors.iter().map(|one| error_row(one, results));
    let heads = [
        "count", "kind", "message", "place", "scenario", "first", "last",
    ];
    let drawn = table(&heads, 5, rows.collect()).replacen(
        "<th>count</th>",
        "<th class=\"n\">count</th>",
        1,
    );
    section("Errors that ended iterations and sections", &drawn)
}

fn error_row(one: &ErrorReport, results: &Results<'_>) -> Vec<Cell> {
    let place = one
        .example
        .data()
        .place
        .filter(|place| results.program.is_known(*place));
    let source = place.map(|place| {
        let source = results.program.sources.text(place.span);
        let position = results.program.position(place).unwrap_or_default();
        format!(
            "{position}\n{}",
            bounded(source.lines().next().unwrap_or_default())
        )
    });
    vec![
        bad_if(true, count(one.count)),
        Cell(one.example.kind().to_owned(), "code"),
        Cell(bounded(&one.example.to_string()), "long"),
        Cell(source.unwrap_or_default(), "pre code"),
        text(&one.scenario),
        num(Clock::default().length(one.first)),
        num(Clock::default().length(one.last)),
    ]
}

pub(super) fn metrics(results: &Results<'_>) -> String {
    let metrics = &results.digest.metrics;
    if metrics.is_empty() {
        return String::new();
    }
    let rows = metrics
        .iter()
        .map(|metric| vec![Cell(metric.name.clone(), "code"), text(samples(metric))]);
    section(
        "Metrics of the scenario",
        &table(&["metric", "samples"], 2, rows.collect()),
    )
}

fn samples(metric: &Metric) -> String {
    metric_text(metric, &POINTS, [": ", ", "], |value| match metric.unit {
        Unit::Nanos => show(value as u64),
        Unit::Bytes => bytes(value as u64),
        Unit::Number => number(value),
        Unit::Millionths => number(value / 1e6),
    })
}

pub(super) fn scenarios(results: &Results<'_>) -> String {
    let rows = results.report.scenarios.iter().map(|one| {
        let stages: Vec<&str> = one.stages.iter().map(|stage| stage.text.as_str()).collect();
        vec![
            text(&one.name),
            Cell(stages.join("\n"), "pre code"),
            num(count(one.users)),
            num(count(one.peak)),
            num(count(one.iterations)),
            num(per_second(per_second_of(
                one.iterations,
                results.report.nanos,
            ))),
            bad_if(one.failed > 0, count(one.failed)),
            num(count(one.dropped)),
            num(count(one.interrupted)),
        ]
    });
    let heads = [
        "scenario",
        "load",
        "users",
        "at once",
        "iterations",
        "rate",
        "failed",
        "dropped",
        "interrupted",
    ];
    section("Scenarios", &table(&heads, 2, rows.collect()))
}

pub(super) fn pools(results: &Results<'_>) -> String {
    let pools = &results.report.pools;
    if pools.is_empty() {
        return String::new();
    }
    let rows = pools.iter().map(|pool| {
        let average = pool
            .waited
            .checked_div(pool.waits)
            .map_or("-".to_owned(), show);
        vec![
            text(&pool.name),
            num(count(pool.size)),
            num(count(pool.leases)),
            num(count(pool.peak)),
            num(count(pool.waits)),
            num(average),
            num(count(pool.shared)),
            num(count(pool.fell_back)),
            bad_if(pool.failed > 0, count(pool.failed)),
        ]
    });
    let heads = [
        "pool",
        "addresses",
        "leases",
        "at once",
        "waited",
        "on average",
        "shared",
        "fell back",
        "failed",
    ];
    let addresses: String = pools.iter().map(addresses).collect();
    let drawn = table(&heads, 1, rows.collect());
    section("Address pools", &format!("{drawn}{addresses}"))
}

/// Leases by address, to be opened.
fn addresses(pool: &PoolReport) -> String {
    if pool.addresses.is_empty() {
        return String::new();
    }
    let items = pool.addresses.iter().map(|(address, leases)| {
        format!(
            "<span><b>{address}</b> {}</span>\n",
            counted(*leases, "lease")
        )
    });
    format!(
        "<details><summary>addresses of {}</summary>\n<div class=\"addresses\">\n{}</div></details>\n",
        escaped(&pool.name),
        items.collect::<String>()
    )
}

pub(super) fn generator(results: &Results<'_>) -> String {
    let generator = &results.report.generator;
    let lag = &generator.lag;
    let mut facts = vec![
        (
            "verdict",
            match generator.invalid.is_empty() {
                true => "valid: the generator was not the limit".to_owned(),
                false => "invalid: the generator was the limit".to_owned(),
            },
        ),
        (
            "iterations began late by",
            format!(
                "p50 {}, p99 {}, p99.9 {}, max {}",
                show(lag.p50),
                show(lag.p99),
                show(lag.p999),
                show(lag.max)
            ),
        ),
        (
            "busy",
            generator
                .busy
                .iter()
                .map(|busy| format!("{:.0} %", busy * 100.0))
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "transfer",
            format!(
                "{} sent, {} received",
                bytes(results.digest.sent),
                bytes(results.digest.received)
            ),
        ),
    ];
    if !results.digest.connections.is_empty() {
        let parts = results
            .digest
            .connections
            .iter()
            .map(|(what, number)| format!("{} {what}", count(*number)));
        facts.push(("connections", parts.collect::<Vec<_>>().join(", ")));
    }
    let rows = facts
        .into_iter()
        .map(|(name, value)| vec![text(name), text(value)]);
    section(
        "Generator",
        &table(&["", ""], 2, rows.collect())
            .replace("<thead><tr><th></th><th></th></tr></thead>\n", ""),
    )
}
