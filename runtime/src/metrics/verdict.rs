//! Whether the load generator was the limit (ARCHITECTURE.md, "Verdict").

use super::timeline::busy;
use super::{Counts, Histogram, Interval};
use crate::report::{GeneratorReport, Invalid, Percentiles};
use crate::timer::Nanos;

/// The lag's 99th percentile that a valid run may have.
const LATEST: Nanos = 10_000_000;
/// Samples that a 99th percentile needs: of fewer it is the greatest one, and one late start is no verdict.
const ENOUGH: u64 = 100;
/// The share of time that a worker must wait, or it is saturated.
const LEAST_WAITING: f64 = 0.05;
/// How long it may do without.
const SATURATED: Nanos = 3_000_000_000;

/// What the workers tell about themselves.
#[derive(Debug, Default)]
pub(super) struct Generator {
    lag: Histogram,
    workers: Vec<Worker>,
    dropped_while_free: u64,
    lacks: [u64; 3],
}

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    waited: Nanos,
    wall: Nanos,
    /// How long it has been saturated without a break, and the longest such time.
    saturated: Nanos,
    longest: Nanos,
}

impl Generator {
    /// Adds a worker's interval.
    pub fn add(&mut self, worker: u32, interval: &Interval) {
        self.add_lag(&interval.lag);
        let lacks = self.lacks.iter_mut().zip(interval.lacks);
        lacks.for_each(|(sum, more)| *sum += more);
        let iterations = interval.iterations.iter();
        self.dropped_while_free += iterations
            .map(|(_, iterations)| iterations.dropped_while_free)
            .sum::<u64>();
        let worker = worker as usize;
        if self.workers.len() <= worker {
            self.workers.resize(worker + 1, Worker::default());
        }
        let wall = interval.until.saturating_sub(interval.from);
        self.workers[worker].add(interval.waited, wall);
    }

    fn add_lag(&mut self, lag: &Counts) {
        lag.add_to(&mut self.lag);
    }

    /// What came of it.
    pub fn report(&self) -> GeneratorReport {
        let lag = Percentiles::of(&self.lag);
        let mut invalid = Vec::new();
        if lag.count >= ENOUGH && lag.p99 > LATEST {
            invalid.push(Invalid::Late(lag.p99));
        }
        invalid.extend((0..).zip(&self.workers).filter_map(|(worker, times)| {
            (times.longest >= SATURATED).then_some(Invalid::Saturated {
                worker,
                seconds: times.longest / 1_000_000_000,
            })
        }));
        let counted = [
            (
                self.dropped_while_free,
                Invalid::Dropped as fn(u64) -> Invalid,
            ),
            (self.lacks[0], Invalid::Ports),
            (self.lacks[1], Invalid::Descriptors),
            (self.lacks[2], Invalid::Memory),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        invalid.extend(counted.map(|(count, reason)| reason(count)));
        GeneratorReport {
            invalid,
            lag,
            busy: self.workers.iter().map(Worker::busy).collect(),
        }
    }
}

impl Worker {
    fn add(&mut self, waited: Nanos, wall: Nanos) {
        self.waited += waited;
        self.wall += wall;
        self.saturated = match (waited as f64) < LEAST_WAITING * wall as f64 {
            true => self.saturated + wall,
            false => 0,
        };
        self.longest = self.longest.max(self.saturated);
    }

    fn busy(&self) -> f64 {
        match self.wall {
            0 => 0.0,
            wall => busy(self.waited, wall),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ContextId, Iterations};

    const SECOND: Nanos = 1_000_000_000;

    fn interval(second: Nanos, waited: Nanos) -> Interval {
        Interval {
            from: second * SECOND,
            until: (second + 1) * SECOND,
            waited,
            ..Interval::default()
        }
    }

    #[test]
    fn three_seconds_in_a_row_without_waiting_are_too_many() {
        let mut generator = Generator::default();
        for (second, waited) in [1, 1, 50, 49, 49].into_iter().enumerate() {
            generator.add(1, &interval(second as u64, waited * SECOND / 1000));
        }
        assert!(generator.report().invalid.is_empty());
        generator.add(1, &interval(5, 0));
        let found = generator.report();
        assert_eq!(
            found.invalid,
            [Invalid::Saturated {
                worker: 1,
                seconds: 3
            }]
        );
        assert_eq!(found.busy[0], 0.0, "nothing is known of worker 0");
        assert!(found.busy[1] > 0.97);
    }

    #[test]
    fn lag_counts_by_its_99th_percentile() {
        let mut generator = Generator::default();
        let mut on_time = interval(0, SECOND);
        (0..99).for_each(|at| on_time.lag.record(at, 1000));
        on_time.lag.record(99, 50_000_000);
        generator.add(0, &on_time);
        assert!(generator.report().invalid.is_empty());
        let mut late = interval(1, SECOND);
        late.lag.record(100, 50_000_000);
        generator.add(0, &late);
        assert!(
            matches!(generator.report().invalid[..], [Invalid::Late(lag)] if lag >= 49_000_000)
        );
    }

    #[test]
    fn what_ran_out_is_told() {
        let mut generator = Generator::default();
        let mut some = interval(0, SECOND);
        some.lacks = [1, 2, 3];
        let dropped = Iterations {
            dropped: 9,
            dropped_while_free: 4,
            ..Iterations::default()
        };
        some.iterations.push((ContextId(1), dropped));
        generator.add(0, &some);
        let reasons = [
            Invalid::Dropped(4),
            Invalid::Ports(1),
            Invalid::Descriptors(2),
            Invalid::Memory(3),
        ];
        assert_eq!(generator.report().invalid, reasons);
    }

    #[test]
    fn dropped_arrivals_alone_do_not_invalidate() {
        let mut generator = Generator::default();
        let mut some = interval(0, SECOND);
        let dropped = Iterations {
            dropped: 9,
            ..Iterations::default()
        };
        some.iterations.push((ContextId(1), dropped));
        generator.add(0, &some);
        assert!(generator.report().invalid.is_empty());
    }
}
