//! A log-linear histogram of fixed resolution: 128 buckets for each octave, so values are off by at most 0.8 %.
//!
//! The layout is that of HdrHistogram (Tene): merging is exact, and pages of octaves that were never hit take no memory.

/// Buckets for each octave.
pub(super) const BUCKETS: usize = 128;

/// A distribution of values, mostly nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    pages: Vec<Option<Box<[u64; BUCKETS]>>>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// Page and place of a value: values below 256 have buckets of their own. Page 0 and 1 are exact, 0..128 and 128..256;
/// each further page is an octave's upper half.
#[inline]
pub(super) fn place(value: u64) -> (usize, usize) {
    let octave = 56 - (value | 0xff).leading_zeros();
    let place = (value >> octave) as usize;
    (octave as usize + place / BUCKETS, place % BUCKETS)
}

/// The greatest value of a bucket.
fn highest(page: usize, place: usize) -> u64 {
    match page {
        0 => place as u64,
        page => {
            let width = 1u64 << (page - 1);
            ((BUCKETS + place) as u64)
                .wrapping_mul(width)
                .wrapping_add(width - 1)
        }
    }
}

impl Histogram {
    /// Adds a value.
    pub fn record(&mut self, value: u64) {
        let (page, at) = place(value);
        self.page(page)[at] += 1;
        self.add_summary(1, u128::from(value), value, value);
    }

    /// The distribution of buckets as [`Histogram::buckets`] gives them, with what is known beside them.
    pub fn of_buckets(buckets: &[(u64, u64)], mean: u64, min: u64, max: u64) -> Histogram {
        let mut histogram = Histogram::default();
        for (value, count) in buckets {
            let (page, at) = place(*value);
            histogram.page(page)[at] += count;
        }
        let count = buckets.iter().map(|(_, count)| count).sum();
        histogram.add_summary(count, u128::from(mean) * u128::from(count), min, max);
        histogram
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Histogram) {
        for (at, page) in other.pages.iter().enumerate() {
            let Some(page) = page else { continue };
            let mine = self.page(at).iter_mut();
            mine.zip(page.iter()).for_each(|(mine, more)| *mine += more);
        }
        self.add_summary(other.count, other.sum, other.min, other.max);
    }

    fn page(&mut self, page: usize) -> &mut [u64; BUCKETS] {
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        self.pages[page].get_or_insert_with(|| Box::new([0; BUCKETS]))
    }

    /// Adds the counters of one page; [`Histogram::add_summary`] follows.
    pub(super) fn add_page(&mut self, page: usize, counts: &[u32]) {
        let mine = self.page(page).iter_mut();
        mine.zip(counts)
            .for_each(|(mine, more)| *mine += u64::from(*more));
    }

    /// Adds what is known of values beside their buckets.
    pub(super) fn add_summary(&mut self, count: u64, sum: u128, min: u64, max: u64) {
        if count == 0 {
            return;
        }
        self.min = match self.count {
            0 => min,
            _ => self.min.min(min),
        };
        self.max = self.max.max(max);
        self.count += count;
        self.sum += sum;
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// Their mean; 0 of nothing.
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum as f64 / self.count as f64
        }
    }

    /// The least; 0 of nothing.
    pub fn min(&self) -> u64 {
        self.min
    }

    /// The greatest; 0 of nothing.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The value that `percent` of 100 values do not exceed (nearest rank); 0 of nothing.
    pub fn percentile(&self, percent: f64) -> u64 {
        let rank = (percent / 100.0 * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (value, count) in self.buckets() {
            seen += count;
            if seen >= rank {
                return value.clamp(self.min, self.max);
            }
        }
        self.max
    }

    /// Buckets that hold something: greatest value and count, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.pages.iter().enumerate().flat_map(|(page, counts)| {
            let counts = counts.iter().flat_map(|counts| counts.iter().enumerate());
            counts
                .filter(|(_, count)| **count > 0)
                .map(move |(at, count)| (highest(page, at), *count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Counts;
    use crate::user::Rng;

    /// Values of all sizes.
    fn samples(seed: u64, count: usize) -> Vec<u64> {
        let random = Rng::new(seed);
        (0..count)
            .map(|_| random.next() >> random.below(64))
            .collect()
    }

    fn of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    #[test]
    fn percentiles_are_those_of_sorting_within_their_error() {
        for (seed, count) in [(1, 1), (2, 10), (3, 1000), (4, 30_000)] {
            let mut values = samples(seed, count);
            let histogram = of(&values);
            values.sort_unstable();
            for percent in [0.1, 1.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0] {
                let rank = (percent / 100.0 * count as f64).ceil().max(1.0) as usize;
                let (exact, found) = (values[rank - 1], histogram.percentile(percent));
                assert!(
                    found >= exact,
                    "p{percent} of {count}: {found} is below {exact}"
                );
                assert!(
                    (found - exact) as f64 <= exact as f64 * 0.008,
                    "p{percent} of {count}: {found} is too far from {exact}"
                );
            }
            let (min, max) = (values[0], values[count - 1]);
            assert_eq!((histogram.min(), histogram.max()), (min, max));
            let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
            assert_eq!((histogram.sum(), histogram.count()), (sum, count as u64));
        }
    }

    #[test]
    fn buckets_make_the_distribution_again() {
        let all = of(&samples(7, 2000));
        let buckets: Vec<(u64, u64)> = all.buckets().collect();
        let again = Histogram::of_buckets(&buckets, all.mean() as u64, all.min(), all.max());
        assert!(all.buckets().eq(again.buckets()));
        assert_eq!(
            (all.count(), all.mean() as u64),
            (again.count(), again.mean() as u64)
        );
        assert_eq!(all.percentile(99.0), again.percentile(99.0));
        assert_eq!(Histogram::of_buckets(&[], 0, 0, 0).count(), 0);
    }

    #[test]
    fn small_values_are_exact() {
        let histogram = of(&(0..=255).collect::<Vec<_>>());
        let values: Vec<u64> = histogram.buckets().map(|(value, _)| value).collect();
        assert_eq!(values, (0..=255).collect::<Vec<_>>());
        assert_eq!(histogram.percentile(50.0), 127);
    }

    #[test]
    fn the_greatest_value_has_a_bucket() {
        let histogram = of(&[u64::MAX, 0]);
        assert_eq!(histogram.percentile(100.0), u64::MAX);
        assert_eq!(histogram.percentile(50.0), 0);
    }

    #[test]
    fn merging_is_recording_all() {
        let (few, many) = (samples(5, 100), samples(6, 5000));
        let mut merged = of(&few);
        merged.merge(&of(&many));
        merged.merge(&Histogram::default());
        let mut counts = Counts::default();
        let all: Vec<u64> = few.into_iter().chain(many).collect();
        all.iter().for_each(|value| counts.record(0, *value));
        let mut narrow = Histogram::default();
        counts.add_to(&mut narrow);
        for other in [merged, narrow] {
            let all = of(&all);
            assert_eq!((all.min(), all.max()), (other.min(), other.max()));
            assert_eq!((all.sum(), all.count()), (other.sum(), other.count()));
            assert!(all.buckets().eq(other.buckets()));
        }
    }

    #[test]
    fn nothing_has_no_percentiles() {
        let nothing = Histogram::default();
        assert_eq!(
            (nothing.percentile(99.0), nothing.min(), nothing.max()),
            (0, 0, 0)
        );
        assert_eq!(nothing.mean(), 0.0);
    }
}
