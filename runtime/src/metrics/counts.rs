//! What a worker measures of one distribution in one interval: a histogram of small counters.
//!
//! The layout is that of [`Histogram`], which takes it in exactly; only the counters are narrower, because a second
//! has no four thousand million samples.

use super::histogram::{BUCKETS, Histogram, place};
use crate::timer::Nanos;

type Page = Box<[u32; BUCKETS]>;

/// A distribution of an interval.
#[derive(Clone, Debug)]
pub struct Counts {
    pages: Vec<Option<Page>>,
    count: u64,
    sum: u128,
    min: u64,
    max: u64,
    /// The sample that came last, and when.
    last: (Nanos, u64),
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            pages: Vec::new(),
            count: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            last: (0, 0),
        }
    }
}

impl Counts {
    /// Adds a value measured at a time.
    #[inline]
    pub fn record(&mut self, at: Nanos, value: u64) {
        let (page, place) = place(value);
        let page = match self.pages.get_mut(page) {
            Some(Some(page)) => page,
            _ => self.add_page(page),
        };
        page[place] += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
        self.sum += u128::from(value);
        if at >= self.last.0 {
            self.last = (at, value);
        }
    }

    #[cold]
    fn add_page(&mut self, page: usize) -> &mut Page {
        if self.pages.len() <= page {
            self.pages.resize(page + 1, None);
        }
        self.pages[page].get_or_insert_with(|| Box::new([0; BUCKETS]))
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The sample that came last, and when.
    pub fn last(&self) -> (Nanos, u64) {
        self.last
    }

    /// Adds all of it to a histogram.
    pub fn add_to(&self, histogram: &mut Histogram) {
        let pages = self.pages.iter().enumerate();
        for (page, counts) in pages.filter_map(|(page, counts)| Some((page, counts.as_ref()?))) {
            histogram.add_page(page, &counts[..]);
        }
        histogram.add_summary(self.count, self.sum, self.min, self.max);
    }
}
