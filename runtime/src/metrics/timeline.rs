//! A run second by second: sums of the second that goes on, and the points of those before.
//!
//! After 3,600 points two and two become one, and further points are as long as these.

use super::{Histogram, Interval};
use crate::report::{Percentiles, Point};
use crate::timer::Nanos;
use std::collections::BTreeMap;

/// Points that are kept.
const POINTS: usize = 3600;

/// Sums of a stretch of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Stretch {
    /// The counts, without distributions and errors.
    pub point: Point,
    pub response: Histogram,
    pub service: Histogram,
    pub lag: Histogram,
    pub errors: BTreeMap<String, u64>,
}

impl Stretch {
    /// Adds what is not told apart by key.
    pub fn add(&mut self, interval: &Interval) {
        interval.lag.add_to(&mut self.lag);
        let wall = interval.until.saturating_sub(interval.from);
        if wall > 0 {
            self.point.busy = self.point.busy.max(busy(interval.waited, wall));
        }
    }

    /// Adds one error of a kind.
    pub fn add_errors(&mut self, kind: &str, count: u64) {
        if count > 0 {
            *self.errors.entry(kind.to_owned()).or_default() += count;
        }
    }

    /// Adds a stretch that follows.
    fn append(&mut self, next: &Stretch) {
        add_counts(&mut self.point, &next.point);
        self.response.merge(&next.response);
        self.service.merge(&next.service);
        self.lag.merge(&next.lag);
        next.errors
            .iter()
            .for_each(|(kind, count)| self.add_errors(kind, *count));
    }

    /// As a point.
    pub fn to_point(&self) -> Point {
        Point {
            errors: by_frequency(&self.errors),
            response: Percentiles::of(&self.response),
            service: Percentiles::of(&self.service),
            lag: Percentiles::of(&self.lag),
            ..self.point.clone()
        }
    }
}

/// The share of time in which a worker did not wait.
pub(super) fn busy(waited: Nanos, wall: Nanos) -> f64 {
    (1.0 - waited as f64 / wall as f64).clamp(0.0, 1.0)
}

/// Errors, most frequent first.
pub(super) fn by_frequency(errors: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut errors: Vec<_> = errors.iter().map(|(kind, n)| (kind.clone(), *n)).collect();
    errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    errors
}

fn add_counts(into: &mut Point, next: &Point) {
    into.nanos += next.nanos;
    into.users = next.users;
    into.iterations += next.iterations;
    into.failed_iterations += next.failed_iterations;
    into.dropped += next.dropped;
    into.requests += next.requests;
    into.failed += next.failed;
    into.sent += next.sent;
    into.received += next.received;
    into.opened += next.opened;
    into.checks.0 += next.checks.0;
    into.checks.1 += next.checks.1;
    into.busy = into.busy.max(next.busy);
}

/// The points so far.
#[derive(Debug)]
pub(super) struct Timeline {
    points: Vec<Point>,
    /// Seconds that the next point has already, and how many it is to have.
    open: Option<(Stretch, u32)>,
    span: u32,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline {
            points: Vec::new(),
            open: None,
            span: 1,
        }
    }
}

impl Timeline {
    /// Adds a second.
    pub fn push(&mut self, second: &Stretch) {
        let count = match &mut self.open {
            None => {
                self.open = Some((second.clone(), 1));
                1
            }
            Some((open, count)) => {
                open.append(second);
                *count += 1;
                *count
            }
        };
        if count == self.span {
            self.close();
        }
    }

    fn close(&mut self) {
        let Some((stretch, _)) = self.open.take() else {
            return;
        };
        self.points.push(stretch.to_point());
        if self.points.len() == POINTS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.span *= 2;
        let pairs = self.points.chunks(2);
        self.points = pairs
            .map(|pair| {
                let both = pair[0].clone();
                pair.get(1)
                    .map_or(both.clone(), |second| merged(both, second))
            })
            .collect();
    }

    /// All points.
    pub fn points(&self) -> Vec<Point> {
        let open = self.open.iter().map(|(stretch, _)| stretch.to_point());
        self.points.iter().cloned().chain(open).collect()
    }
}

/// Two points as one. Their distributions are gone: percentiles are the worse ones of the two.
fn merged(mut first: Point, second: &Point) -> Point {
    add_counts(&mut first, second);
    let mut errors: BTreeMap<String, u64> = first.errors.iter().cloned().collect();
    for (kind, count) in &second.errors {
        *errors.entry(kind.clone()).or_default() += count;
    }
    first.errors = by_frequency(&errors);
    first.response = worse(first.response, second.response);
    first.service = worse(first.service, second.service);
    first.lag = worse(first.lag, second.lag);
    first
}

fn worse(a: Percentiles, b: Percentiles) -> Percentiles {
    if a.count == 0 || b.count == 0 {
        return if a.count == 0 { b } else { a };
    }
    let count = a.count + b.count;
    let sum = |p: Percentiles| u128::from(p.mean) * u128::from(p.count);
    Percentiles {
        count,
        mean: ((sum(a) + sum(b)) / u128::from(count)) as u64,
        min: a.min.min(b.min),
        p50: a.p50.max(b.p50),
        p90: a.p90.max(b.p90),
        p95: a.p95.max(b.p95),
        p99: a.p99.max(b.p99),
        p999: a.p999.max(b.p999),
        max: a.max.max(b.max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64, requests: u64) -> Stretch {
        let mut stretch = Stretch {
            point: Point {
                at: at * 1_000_000_000,
                nanos: 1_000_000_000,
                requests,
                ..Point::default()
            },
            ..Stretch::default()
        };
        stretch.response.record(100 + at);
        stretch.add_errors("timeout", 1);
        stretch
    }

    #[test]
    fn a_long_run_keeps_its_sums() {
        let mut timeline = Timeline::default();
        let seconds = 3 * POINTS as u64 + 1;
        (0..seconds).for_each(|at| timeline.push(&second(at, at)));
        let points = timeline.points();
        assert!(points.len() < POINTS);
        let requests: u64 = points.iter().map(|point| point.requests).sum();
        assert_eq!(requests, seconds * (seconds - 1) / 2);
        let errors: u64 = points.iter().map(|point| point.errors[0].1).sum();
        assert_eq!(errors, seconds);
        let mut next = 0;
        for point in &points {
            assert_eq!(point.at, next, "points follow each other");
            next += point.nanos;
            assert_eq!(point.response.count, point.nanos / 1_000_000_000);
        }
        assert_eq!(next, seconds * 1_000_000_000);
    }
}
