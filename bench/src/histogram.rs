//! A log-linear histogram of fixed size: 32 buckets for each power of two, so at most 3.1 % error.
//!
//! It exists so that the raw clients measure latency as cheaply as it can be done; it is not what scn reports with.

/// Buckets for each power of two.
const SUB: u64 = 32;
/// Powers of two above the exact range: values up to 2^40 ns, 18 minutes.
const OCTAVES: u64 = 36;

/// Counts of durations in nanoseconds.
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
}

impl Histogram {
    /// An empty one.
    pub(crate) fn new() -> Histogram {
        Histogram {
            buckets: vec![0; (SUB * OCTAVES) as usize],
            count: 0,
        }
    }

    /// Counts one value.
    pub(crate) fn record(&mut self, nanos: u64) {
        self.buckets[bucket(nanos)] += 1;
        self.count += 1;
    }

    /// The upper bound of the bucket in which the quantile lies; 0 without values.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper(index as u64);
            }
        }
        0
    }
}

/// Values below `SUB` have a bucket each; above, the five bits behind the leading one choose it.
fn bucket(nanos: u64) -> usize {
    if nanos < SUB {
        return nanos as usize;
    }
    let octave = u64::from(nanos.ilog2()) - 4;
    let index = octave * SUB + (nanos >> (octave - 1)) - SUB;
    index.min(SUB * OCTAVES - 1) as usize
}

/// The largest value of a bucket.
fn upper(index: u64) -> u64 {
    if index < SUB {
        return index;
    }
    let (octave, sub) = (index / SUB, index % SUB);
    ((SUB + sub + 1) << (octave - 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_and_the_error_is_small() {
        for shift in 0..39 {
            for offset in [0, 1, 7, 31] {
                let value = (1u64 << shift) + (offset << shift) / 33;
                let high = upper(bucket(value) as u64);
                assert!(high >= value, "{value} above its bucket's end {high}");
                assert!(
                    (high - value) as f64 <= value as f64 / 31.0,
                    "{value} in {high}"
                );
            }
        }
    }

    #[test]
    fn buckets_follow_each_other() {
        for value in 1..100_000 {
            let step = bucket(value) - bucket(value - 1);
            assert!(step <= 1, "a gap before {value}");
        }
    }

    #[test]
    fn quantiles_of_a_known_distribution() {
        let mut histogram = Histogram::new();
        (1..=1000).for_each(|value| histogram.record(value));
        let median = histogram.quantile(0.5);
        assert!((500..=516).contains(&median), "{median}");
        assert!((990..=1023).contains(&histogram.quantile(0.99)));
        assert_eq!(Histogram::new().quantile(0.5), 0);
    }
}
