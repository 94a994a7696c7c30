//! Sums of samples: what a series, a threshold, a second of the run adds up. Adding is exact and knows no order.

use super::{Counts, Gauge, Histogram};
use crate::report::{MetricKind, Unit, Value};
use crate::timer::Nanos;

/// Samples that are added.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delta<'a> {
    /// An amount.
    Amount(f64),
    /// True samples, and all.
    Share(u64, u64),
    /// Samples of a distribution.
    Times(&'a Counts),
    /// Values of a level.
    Level(&'a Gauge),
}

/// A sum of samples.
#[derive(Clone, Debug)]
pub(super) enum Sum {
    /// Of amounts.
    Amount(f64),
    /// True samples, and all.
    Share(u64, u64),
    /// A distribution, with the last sample and when it came.
    Times(Histogram, (Nanos, u64)),
    /// A level: its values as a distribution in millionths, the last, the least, the greatest.
    Level(Histogram, (Nanos, f64), f64, f64),
}

/// What an aggregate of a threshold comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Aggregate {
    /// Nothing without samples.
    pub value: Option<f64>,
    /// How many there are.
    pub samples: u64,
}

/// What one step of a histogram is worth.
pub(super) fn worth(unit: Unit) -> f64 {
    match unit {
        Unit::Millionths => 1e-6,
        Unit::Nanos | Unit::Bytes | Unit::Number => 1.0,
    }
}

impl Sum {
    /// Of no samples yet.
    pub fn new(kind: MetricKind) -> Sum {
        match kind {
            MetricKind::Counter => Sum::Amount(0.0),
            MetricKind::Rate => Sum::Share(0, 0),
            MetricKind::Trend => Sum::Times(Histogram::default(), (0, 0)),
            MetricKind::Gauge => Sum::Level(
                Histogram::default(),
                (0, 0.0),
                f64::INFINITY,
                f64::NEG_INFINITY,
            ),
        }
    }

    /// Adds samples of the same kind.
    pub fn add(&mut self, delta: Delta<'_>) {
        match (self, delta) {
            (Sum::Amount(sum), Delta::Amount(more)) => *sum += more,
            (Sum::Share(yes, total), Delta::Share(more, of)) => {
                *yes += more;
                *total += of;
            }
            (Sum::Times(all, last), Delta::Times(counts)) => {
                counts.add_to(all);
                *last = (*last).max(counts.last());
            }
            (Sum::Level(all, last, min, max), Delta::Level(gauge)) => {
                gauge.samples.add_to(all);
                if gauge.last.0 >= last.0 {
                    *last = gauge.last;
                }
                *min = min.min(gauge.min);
                *max = max.max(gauge.max);
            }
            (sum, delta) => debug_assert!(false, "{delta:?} is not of the kind of {sum:?}"),
        }
    }

    /// An aggregate of it by its word; rates are per second of `seconds`.
    pub fn aggregate(&self, word: &str, unit: Unit, seconds: f64) -> Aggregate {
        let samples = self.samples();
        let value = match self {
            Sum::Amount(sum) => Some(match word {
                "rate" => per(*sum, seconds),
                _ => *sum,
            }),
            _ if samples == 0 => None,
            Sum::Share(yes, total) => Some(match word {
                "rate" => *yes as f64 / *total as f64,
                _ => *yes as f64,
            }),
            Sum::Times(all, (_, last)) => Some(match word {
                "count" => samples as f64,
                "rate" => per(samples as f64, seconds),
                "last" => *last as f64 * worth(unit),
                _ => distribution(all, word) * worth(unit),
            }),
            Sum::Level(all, (_, last), min, max) => Some(match word {
                "last" => *last,
                "min" => *min,
                "max" => *max,
                _ => distribution(all, word) * worth(Unit::Millionths),
            }),
        };
        Aggregate { value, samples }
    }

    fn samples(&self) -> u64 {
        match self {
            Sum::Amount(sum) => u64::from(*sum != 0.0),
            Sum::Share(_, total) => *total,
            Sum::Times(all, _) | Sum::Level(all, ..) => all.count(),
        }
    }

    /// As a report has it.
    pub fn value(&self) -> Value {
        match self {
            Sum::Amount(sum) => Value::Counter(*sum),
            Sum::Share(yes, total) => Value::Rate {
                yes: *yes,
                total: *total,
            },
            Sum::Times(all, _) => Value::Trend(all.clone()),
            Sum::Level(_, (_, last), min, max) => Value::Gauge {
                last: *last,
                min: *min,
                max: *max,
            },
        }
    }
}

fn per(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}

fn distribution(all: &Histogram, word: &str) -> f64 {
    match word {
        "mean" => all.mean(),
        "min" => all.min() as f64,
        "max" => all.max() as f64,
        "med" => all.percentile(50.0) as f64,
        percentile => {
            // The checker lets no other word pass.
            let percent = percentile.strip_prefix('p').and_then(|p| p.parse().ok());
            all.percentile(percent.unwrap_or(100.0)) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: &[(Nanos, u64)]) -> Counts {
        let mut counts = Counts::default();
        for (at, value) in values {
            counts.record(*at, *value);
        }
        counts
    }

    #[test]
    fn aggregates_of_a_distribution() {
        let mut sum = Sum::new(MetricKind::Trend);
        assert_eq!(sum.aggregate("p95", Unit::Nanos, 2.0).value, None);
        sum.add(Delta::Times(&times(&[(5, 40), (6, 10)])));
        sum.add(Delta::Times(&times(&[(2, 20), (3, 30)])));
        let of = |word| sum.aggregate(word, Unit::Nanos, 2.0).value;
        assert_eq!(of("count"), Some(4.0));
        assert_eq!(of("rate"), Some(2.0));
        assert_eq!(of("mean"), Some(25.0));
        assert_eq!(of("min"), Some(10.0));
        assert_eq!(of("max"), Some(40.0));
        assert_eq!(of("med"), Some(20.0));
        assert_eq!(of("p75"), Some(30.0));
        assert_eq!(of("p99.9"), Some(40.0));
        assert_eq!(of("last"), Some(10.0), "the sample that came last");
    }

    #[test]
    fn counters_without_samples_are_0_and_shares_are_nothing() {
        let counter = Sum::new(MetricKind::Counter);
        assert_eq!(
            counter.aggregate("count", Unit::Number, 1.0).value,
            Some(0.0)
        );
        assert_eq!(
            counter.aggregate("rate", Unit::Number, 0.0).value,
            Some(0.0)
        );
        let share = Sum::new(MetricKind::Rate);
        assert_eq!(share.aggregate("rate", Unit::Number, 1.0).value, None);
        assert_eq!(share.aggregate("count", Unit::Number, 1.0).value, None);
    }

    #[test]
    fn levels_keep_sign_and_fraction() {
        let mut sum = Sum::new(MetricKind::Gauge);
        let gauge = Gauge {
            last: (9, -1.5),
            min: -1.5,
            max: 3.0,
            samples: times(&[(8, 3_000_000), (9, 0)]),
        };
        sum.add(Delta::Level(&gauge));
        let of = |word| sum.aggregate(word, Unit::Number, 1.0).value;
        assert_eq!(
            (of("last"), of("min"), of("max")),
            (Some(-1.5), Some(-1.5), Some(3.0))
        );
        assert_eq!(of("mean"), Some(1.5));
    }
}
