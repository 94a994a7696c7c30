//! A log-linear histogram of fixed resolution: 128 buckets for each octave, so values are off by at most 0.8 %.
//!
//! The layout is that of HdrHistogram (Tene): merging is exact, and pages of octaves that were never hit take no memory.

/// Buckets for each octave.
const BUCKETS: usize = 128;

/// A distribution of values, mostly nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    pages: Vec<Option<Box<[u64; BUCKETS]>>>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
}

/// Page and place of a value: values below 256 have buckets of their own.
fn place(value: u64) -> (usize, usize) {
    let octave = (64 - value.leading_zeros()).saturating_sub(8) as usize;
    let place = (value >> octave) as usize;
    // Page 0 and 1 are exact: 0..128, 128..256; each further page is an octave's upper half.
    if octave == 0 {
        (place / BUCKETS, place % BUCKETS)
    } else {
        (octave + 1, place - BUCKETS)
    }
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
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Box::new([0; BUCKETS]));
        page[at] += 1;
        self.min = if self.count == 0 {
            value
        } else {
            self.min.min(value)
        };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += u128::from(value);
    }

    /// Adds what another one holds.
    pub fn merge(&mut self, other: &Histogram) {
        if other.count == 0 {
            return;
        }
        if self.pages.len() < other.pages.len() {
            self.pages.resize(other.pages.len(), None);
        }
        for (mine, theirs) in self.pages.iter_mut().zip(&other.pages) {
            let Some(theirs) = theirs else { continue };
            let mine = mine.get_or_insert_with(|| Box::new([0; BUCKETS]));
            mine.iter_mut()
                .zip(theirs.iter())
                .for_each(|(a, b)| *a += b);
        }
        self.min = if self.count == 0 {
            other.min
        } else {
            self.min.min(other.min)
        };
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum += other.sum;
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
