//! What a run has measured: requests, steps, metrics of its own, pools, bytes, and how the generator fared.

use super::super::numbers::{bytes, count, counted, number, share};
use super::super::table::{Look, Table};
use super::super::transcript::one_line;
use super::{Summary, invalid_text, mark_if};
use crate::digest::{Metric, Requests};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{Unit, Value};

/// How many names a table shows.
const MOST_ROWS: usize = 30;
/// How many kinds of failures and statuses are named.
const MOST_KINDS: usize = 8;
/// How long a name may be.
const LONG_NAME: usize = 56;
/// Points of distributions that tables show.
const POINTS: [(&str, f64); 6] = [
    ("p50", 50.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p99.9", 99.9),
    ("max", 100.0),
];

impl Summary<'_> {
    pub(super) fn requests(&self) -> String {
        let rows = &self.digest.requests;
        if rows.is_empty() {
            return String::new();
        }
        let mut table = Table::new(0, 1);
        let heads = ["requests", "count", "rate", "failed"];
        table.row(
            Look::Dim,
            heads.into_iter().chain(POINTS.map(|(head, _)| head)),
        );
        for row in rows.iter().take(MOST_ROWS) {
            self.request_row(&mut table, row);
        }
        if let Some(all) = self.digest.all_requests() {
            self.request_row(&mut table, &all);
        }
        let hidden = rows.len().saturating_sub(MOST_ROWS);
        let more = match hidden {
            0 => String::new(),
            hidden => self
                .style
                .dim(&format!("{} not shown\n", counted(hidden as u64, "name"))),
        };
        let kinds = self.kinds();
        // Of a request, what is least telling goes where there is no room: p99.9, p90, the greatest, the rate.
        let drawn = table.draw_within(self.style, self.columns, &[8, 5, 9, 2]);
        format!("{drawn}{more}{kinds}")
    }

    fn request_row(&self, table: &mut Table, row: &Requests) {
        let name = match row.protocol.as_str() {
            "" | "http" => short(&row.name),
            protocol if protocol == row.name => row.name.clone(),
            protocol => format!("{protocol} {}", short(&row.name)),
        };
        let cells = [
            name,
            count(row.count),
            self.clock.rate(row.count, self.report.nanos),
            share(row.failed, row.count),
        ];
        table.row(
            Look::Plain,
            cells.into_iter().chain(self.points(&row.response)),
        );
        mark_if(table, 3, row.failed > 0, Look::Bad);
        if row.waited() {
            let blank = ["  service time", "", "", ""].map(str::to_owned);
            table.row(
                Look::Dim,
                blank.into_iter().chain(self.points(&row.service)),
            );
        }
    }

    fn points(&self, times: &Histogram) -> [String; 6] {
        POINTS.map(|(_, percent)| match times.count() {
            0 => "-".to_owned(),
            _ => self.clock.show(times.percentile(percent) as i64),
        })
    }

    /// Failures by kind over the whole run, and responses by status if some are errors.
    fn kinds(&self) -> String {
        let line = |name: &str, all: &[(String, u64)]| {
            let shown = all.iter().take(MOST_KINDS);
            let parts: Vec<String> = shown
                .map(|(kind, times)| format!("{} {}", one_line(kind), count(*times)))
                .collect();
            format!("{} {}\n", self.style.dim(name), parts.join(", "))
        };
        let mut out = String::new();
        if !self.digest.kinds.is_empty() {
            out.push_str(&line("failures by kind:", &self.digest.kinds));
        }
        if self
            .digest
            .statuses
            .iter()
            .any(|(status, _)| status.as_str() >= "400")
        {
            let statuses: Vec<(String, u64)> = self
                .digest
                .statuses
                .iter()
                .map(|(status, times)| (format!("{status} ×"), *times))
                .collect();
            out.push_str(&line("responses by status:", &statuses));
        }
        out
    }

    pub(super) fn steps(&self) -> String {
        if self.digest.steps.is_empty() {
            return String::new();
        }
        let several = self.report.scenarios.len() > 1;
        let mut table = Table::new(0, 1);
        table.row(
            Look::Dim,
            ["steps", "count"]
                .into_iter()
                .chain(POINTS.map(|(head, _)| head)),
        );
        for step in self.digest.steps.iter().take(MOST_ROWS) {
            let name = match several {
                true => short(&format!("{}: {}", step.scenario, step.name)),
                false => short(&step.name),
            };
            let cells = [name, count(step.times.count())];
            table.row(
                Look::Plain,
                cells.into_iter().chain(self.points(&step.times)),
            );
        }
        table.draw_within(self.style, self.columns, &[6, 3, 7])
    }

    pub(super) fn metrics(&self) -> String {
        if self.digest.metrics.is_empty() {
            return String::new();
        }
        let mut table = Table::new(0, 2);
        let (name, value) = (self.style.dim("metrics"), String::new());
        for metric in &self.digest.metrics {
            table.row(
                Look::Plain,
                [format!("  {}", short(&metric.name)), self.metric(metric)],
            );
        }
        format!("{name}{value}\n{}", table.draw(self.style))
    }

    fn metric(&self, metric: &Metric) -> String {
        metric_text(metric, &POINTS, ["  ", "  "], |value| {
            self.in_unit(metric.unit, value)
        })
    }

    fn in_unit(&self, unit: Unit, value: f64) -> String {
        match unit {
            Unit::Nanos => self.clock.show(value as i64),
            Unit::Bytes => bytes(value as u64),
            Unit::Number => number(value),
            Unit::Millionths => number(value / 1e6),
        }
    }

    pub(super) fn pools(&self) -> String {
        if self.report.pools.is_empty() {
            return String::new();
        }
        let mut table = Table::new(0, 1);
        let heads = [
            "pools",
            "addresses",
            "leases",
            "at once",
            "waited",
            "on average",
            "shared",
            "fell back",
            "failed",
        ];
        table.row(Look::Dim, heads);
        for pool in &self.report.pools {
            let average = match pool.waits {
                0 => "-".to_owned(),
                waits => self.clock.show((pool.waited / waits) as i64),
            };
            let cells = [
                pool.name.clone(),
                count(pool.size),
                count(pool.leases),
                count(pool.peak),
                count(pool.waits),
                average,
                count(pool.shared),
                count(pool.fell_back),
                count(pool.failed),
            ];
            table.row(Look::Plain, cells);
            mark_if(&mut table, 8, pool.failed > 0, Look::Bad);
        }
        table.draw(self.style)
    }

    /// Bytes, connections, and the generator's own state.
    pub(super) fn closing(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            out.push_str(&format!(
                "{} {text}\n",
                self.style.dim(&format!("{name:<11}"))
            ))
        };
        if self.digest.sent + self.digest.received > 0 {
            let bytes = |value: u64| {
                if self.clock.hidden {
                    "[bytes]".to_owned()
                } else {
                    bytes(value)
                }
            };
            line(
                "transfer",
                format!(
                    "{} sent, {} received",
                    bytes(self.digest.sent),
                    bytes(self.digest.received)
                ),
            );
        }
        if !self.digest.connections.is_empty() {
            let parts = self
                .digest
                .connections
                .iter()
                .map(|(what, number)| format!("{} {what}", count(*number)));
            line("connections", parts.collect::<Vec<_>>().join(", "));
        }
        line("generator", self.generator());
        out
    }

    fn generator(&self) -> String {
        let generator = &self.report.generator;
        let lag = &generator.lag;
        let mut parts = Vec::new();
        if lag.count > 0 {
            let [p50, p99, max] =
                [lag.p50, lag.p99, lag.max].map(|nanos| self.clock.show(nanos as i64));
            parts.push(format!("starts late by p50 {p50}, p99 {p99}, max {max}"));
        }
        let workers = counted(u64::from(self.report.workers), "worker");
        let busiest = generator.busy.iter().copied().fold(0.0, f64::max);
        parts.push(match self.clock.hidden {
            true => "[busy]".to_owned(),
            false => format!(
                "{workers}, the busiest {:.0} % of the time",
                busiest * 100.0
            ),
        });
        parts.push(format!("seed {}", self.report.seed));
        parts.join("; ")
    }

    pub(super) fn invalid(&self) -> String {
        if self.report.generator.invalid.is_empty() {
            return String::new();
        }
        let title = self.style.red("these numbers do not describe the target");
        let mut out = format!(
            "{title}
"
        );
        for why in &self.report.generator.invalid {
            let (text, help) = invalid_text(why, self.clock);
            out.push_str(&format!(
                "  {text}\n    {}: {help}\n",
                self.style.cyan("help")
            ));
        }
        out
    }
}

/// A name of bounded length: it may come from a server.
fn short(name: &str) -> String {
    let name = one_line(name);
    match name.char_indices().nth(LONG_NAME) {
        Some((at, _)) => format!("{}...", &name[..at]),
        None => name,
    }
}

/// What a metric holds, each value as `one` writes it; between the count and the points of a trend, and between these,
/// stand the two `gaps`.
pub(crate) fn metric_text(
    metric: &Metric,
    points: &[(&str, f64)],
    gaps: [&str; 2],
    one: impl Fn(f64) -> String,
) -> String {
    match &metric.value {
        Value::Counter(sum) => one(*sum),
        Value::Gauge { last, min, max } => {
            format!("last {}, min {}, max {}", one(*last), one(*min), one(*max))
        }
        Value::Rate { yes, total } => format!("{} of {}", share(*yes, *total), count(*total)),
        Value::Trend(values) => {
            let points = points.iter().map(|(head, percent)| {
                format!("{head} {}", one(values.percentile(*percent) as f64))
            });
            let points: Vec<String> = points.collect();
            let samples = counted(values.count(), "sample");
            format!("{samples}{}{}", gaps[0], points.join(gaps[1]))
        }
    }
}
