//! The plots of a run: rate, response times, their distribution, users, failures.
//!
//! Long runs are drawn with several seconds in a point. Enter at [`all`].

use super::super::Results;
use super::plot::{Mark, Plot, Scale, Series, Shape, decades, round_step};
use crate::render::numbers::{Clock, count, counted, number, per_second};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{Percentiles, Point};

/// How many points a plot has at most.
const MOST_POINTS: usize = 240;
/// How many kinds of failures have a colour of their own.
const MOST_KINDS: usize = 5;
/// Colours of kinds of failures.
const KINDS: [&str; 6] = ["k1", "k2", "k3", "k4", "k5", "k6"];
/// Bars for each power of ten of the distribution.
const BARS: f64 = 24.0;

/// All plots that have something to show.
pub(super) fn all(results: &Results<'_>) -> String {
    let mut seconds = 1;
    let (mut drawn, mut late) = (Vec::new(), String::new());
    if results.report.timeline.len() > 1 {
        let line = Timeline::of(&results.report.timeline);
        seconds = line.seconds;
        drawn.extend([
            line.rate(),
            line.response(),
            line.users(),
            line.failures(results),
        ]);
        late = line.lateness();
    }
    drawn.extend([distribution(results), late]);
    drawn.retain(|plot| !plot.is_empty());
    if drawn.is_empty() {
        return String::new();
    }
    let note = match seconds {
        1 => String::new(),
        some => format!(
            "<p class=\"hint\">Each point of a plot over time stands for {some} seconds; of response times it shows the slowest of them.</p>\n"
        ),
    };
    format!(
        "<section class=\"plots\">\n{}</section>\n{note}",
        drawn.concat()
    )
}

/// The seconds of a run, some of them put together.
struct Timeline {
    points: Vec<Point>,
    /// Where each begins and the last one ends, in seconds.
    xs: Vec<f64>,
    seconds: usize,
}

impl Timeline {
    fn of(all: &[Point]) -> Timeline {
        let seconds = all.len().div_ceil(MOST_POINTS);
        let points: Vec<Point> = all.chunks(seconds).map(together).collect();
        let mut xs: Vec<f64> = points.iter().map(|point| point.at as f64 / 1e9).collect();
        let end = all.last().map_or(0, |point| point.at + point.nanos);
        xs.push(end as f64 / 1e9);
        Timeline {
            points,
            xs,
            seconds,
        }
    }

    fn plot<'p>(
        &'p self,
        title: &'p str,
        series: Vec<Series>,
        y_text: fn(f64) -> String,
    ) -> Plot<'p> {
        Plot {
            title,
            note: String::new(),
            xs: &self.xs,
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            series,
            marks: Vec::new(),
            x_text: clock,
            x_ticks: clock_ticks,
            y_text,
            whole: false,
        }
    }

    fn series(
        &self,
        label: &str,
        class: &'static str,
        shape: Shape,
        value: impl Fn(&Point) -> f64,
    ) -> Series {
        Series {
            label: label.to_owned(),
            class,
            shape,
            values: self.points.iter().map(value).collect(),
        }
    }

    fn rate(&self) -> String {
        let each = |what: fn(&Point) -> u64| {
            move |point: &Point| crate::render::numbers::per_second_of(what(point), point.nanos)
        };
        let series = vec![
            self.series("requests", "c1", Shape::Area, each(|point| point.requests)),
            self.series(
                "iterations",
                "c2",
                Shape::Line,
                each(|point| point.iterations),
            ),
            self.series(
                "failed requests",
                "bad",
                Shape::Line,
                each(|point| point.failed),
            ),
        ];
        self.plot("Rate", series, per_second).draw()
    }

    fn response(&self) -> String {
        let at = |what: fn(&Percentiles) -> u64| {
            move |point: &Point| match point.response.count {
                0 => f64::NAN,
                _ => what(&point.response) as f64,
            }
        };
        let series = vec![
            self.series("p99", "c3", Shape::Line, at(|times| times.p99)),
            self.series("p95", "c2", Shape::Line, at(|times| times.p95)),
            self.series("median", "c1", Shape::Line, at(|times| times.p50)),
        ];
        let values = || {
            series
                .iter()
                .flat_map(|one| one.values.iter().copied())
                .filter(|value| *value > 0.0)
        };
        let (least, most) = (
            values().fold(f64::MAX, f64::min),
            values().fold(0.0, f64::max),
        );
        let mut plot = self.plot("Response time", Vec::new(), time);
        plot.note = "from the intended start".to_owned();
        if most > least * 50.0 {
            plot.y_scale = Scale::Log;
        }
        plot.series = series;
        plot.draw()
    }

    fn users(&self) -> String {
        let series = vec![self.series("users", "c4", Shape::Area, |point| point.users as f64)];
        let mut plot = self.plot("Users", series, number);
        plot.whole = true;
        plot.draw()
    }

    /// Whether the generator kept up.
    fn lateness(&self) -> String {
        let at = |what: fn(&Percentiles) -> u64| {
            move |point: &Point| match point.lag.count {
                0 => f64::NAN,
                _ => what(&point.lag) as f64,
            }
        };
        let series = vec![
            self.series("p99", "c3", Shape::Line, at(|times| times.p99)),
            self.series("median", "c1", Shape::Line, at(|times| times.p50)),
        ];
        let mut plot = self.plot("Late starts of iterations", series, time);
        plot.note = "the generator's own lag".to_owned();
        plot.draw()
    }

    fn failures(&self, results: &Results<'_>) -> String {
        let kinds = &results.digest.kinds;
        let of = |point: &Point, kind: &str| {
            let found = point.errors.iter().filter(|(name, _)| name == kind);
            found.map(|(_, count)| *count as f64).sum::<f64>()
        };
        let named = kinds.iter().take(MOST_KINDS).zip(KINDS);
        let mut series: Vec<Series> = named
            .map(|((kind, _), class)| {
                self.series(kind, class, Shape::Bars, |point| of(point, kind))
            })
            .collect();
        if kinds.len() > MOST_KINDS {
            let rest = |point: &Point| {
                kinds[MOST_KINDS..]
                    .iter()
                    .map(|(kind, _)| of(point, kind))
                    .sum()
            };
            series.push(self.series("others", KINDS[MOST_KINDS], Shape::Bars, rest));
        }
        let dropped = self.points.iter().any(|point| point.dropped > 0);
        if dropped {
            series.push(
                self.series("dropped arrivals", "dropped", Shape::Bars, |point| {
                    point.dropped as f64
                }),
            );
        }
        // The legend of a single kind is its name, too.
        let title = match series.as_slice() {
            [only] => format!("Failures: {}", only.label),
            _ => "Failures by kind".to_owned(),
        };
        let mut plot = self.plot(&title, series, number);
        plot.whole = true;
        plot.draw()
    }
}

/// Several seconds as one point: sums, and the slowest second's times.
fn together(points: &[Point]) -> Point {
    let mut all = points[0].clone();
    for point in &points[1..] {
        all.nanos += point.nanos;
        all.users = point.users;
        all.iterations += point.iterations;
        all.dropped += point.dropped;
        all.requests += point.requests;
        all.failed += point.failed;
        all.errors.extend(point.errors.iter().cloned());
        all.lag.count += point.lag.count;
        all.lag.p50 = all.lag.p50.max(point.lag.p50);
        all.lag.p99 = all.lag.p99.max(point.lag.p99);
        all.response.count += point.response.count;
        all.response.p50 = all.response.p50.max(point.response.p50);
        all.response.p95 = all.response.p95.max(point.response.p95);
        all.response.p99 = all.response.p99.max(point.response.p99);
    }
    all
}

/// How often each response time came, on a logarithmic axis.
fn distribution(results: &Results<'_>) -> String {
    let all = results.digest.all_requests();
    let Some(all) = all.as_ref().or(results.digest.requests.first()) else {
        return String::new();
    };
    let times = &all.response;
    if times.count() < 10 {
        return String::new();
    }
    let (xs, values) = bars(times);
    let mark = |name: &str, percent: f64| {
        let at = times.percentile(percent) as f64;
        Mark {
            at,
            text: format!("{name} {}", time(at)),
        }
    };
    let plot = Plot {
        title: "Distribution of response times",
        note: format!("{}, logarithmic", counted(times.count(), "request")),
        xs: &xs,
        x_scale: Scale::Log,
        y_scale: Scale::Linear,
        series: vec![Series {
            label: "requests".to_owned(),
            class: "c1",
            shape: Shape::Bars,
            values,
        }],
        marks: vec![
            mark("p50", 50.0),
            mark("p95", 95.0),
            mark("p99", 99.0),
            mark("p99.9", 99.9),
        ],
        x_text: time,
        x_ticks: decades,
        y_text: |value| count(value as u64),
        whole: true,
    };
    plot.draw()
}

/// Edges of bars of equal width on a logarithmic axis, and the values in each.
fn bars(times: &Histogram) -> (Vec<f64>, Vec<f64>) {
    let place = |value: f64| (value.max(1.0).log10() * BARS).floor();
    let (first, last) = (place(times.min() as f64), place(times.max() as f64));
    let bars = (last - first) as usize + 1;
    let mut values = vec![0.0; bars];
    for (value, count) in times.buckets() {
        let value = value.clamp(times.min(), times.max());
        let bar = (place(value as f64) - first) as usize;
        values[bar.min(bars - 1)] += count as f64;
    }
    let xs = (0..=bars)
        .map(|bar| 10f64.powf((first + bar as f64) / BARS))
        .collect();
    (xs, values)
}

fn time(nanos: f64) -> String {
    let text = Clock::default().show(nanos.round() as i64);
    // Ticks are round: `5.00 ms` says no more than `5 ms`.
    match text.split_once(' ') {
        Some((value, unit))
            if value.contains('.') && value.trim_end_matches('0').ends_with('.') =>
        {
            format!(
                "{} {unit}",
                value.trim_end_matches('0').trim_end_matches('.')
            )
        }
        _ => text,
    }
}

/// `0:30`, `2:00`, `1:05:00`; below a minute of resolution seconds are enough.
fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

/// Round times.
fn clock_ticks(from: f64, to: f64) -> Vec<f64> {
    const STEPS: [f64; 14] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    ];
    let least = (to - from) / 8.0;
    let step = STEPS.into_iter().find(|step| *step >= least);
    let step = step.unwrap_or_else(|| round_step(least / 3600.0, true) * 3600.0);
    let first = (from / step).ceil() as u64;
    let ticks = (first..).map(|tick| tick as f64 * step);
    ticks.take_while(|tick| *tick <= to + 1e-6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_time_are_round_and_few() {
        assert_eq!(
            clock_ticks(0.0, 150.0),
            [0.0, 30.0, 60.0, 90.0, 120.0, 150.0]
        );
        assert!(clock_ticks(0.0, 1e6).len() <= 10);
        assert_eq!(clock(65.0), "1:05");
        assert_eq!(clock(3_905.0), "1:05:05");
        assert_eq!(time(5e6), "5 ms");
        assert_eq!(time(5_250_000.0), "5.25 ms");
        assert_eq!(time(100e6), "100 ms");
    }

    #[test]
    fn bars_hold_every_value() {
        let mut times = Histogram::default();
        for value in [1u64, 10, 999, 1_000_000, 1_000_001, 60_000_000_000] {
            times.record(value);
        }
        let (xs, values) = bars(&times);
        assert_eq!(xs.len(), values.len() + 1);
        assert_eq!(values.iter().sum::<f64>(), 6.0);
        assert!(xs[0] <= 1.0 && *xs.last().expect("there are edges") >= 60e9);
    }

    #[test]
    fn seconds_are_put_together_without_losing_any() {
        let second = |at: u64| Point {
            at: at * 1_000_000_000,
            nanos: 1_000_000_000,
            requests: at,
            ..Point::default()
        };
        let all: Vec<Point> = (0..1000).map(second).collect();
        let line = Timeline::of(&all);
        assert!(line.points.len() <= MOST_POINTS && line.seconds == 5);
        assert_eq!(
            line.points.iter().map(|point| point.requests).sum::<u64>(),
            999 * 500
        );
        assert_eq!(line.xs.last(), Some(&1000.0));
    }
}
