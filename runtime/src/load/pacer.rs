//! `limit spawn`: a rate that starts keep to by waiting. None is dropped.

use crate::timer::Nanos;

/// Hands out instants that are at least a gap apart (a generic cell rate algorithm without a burst).
///
/// Instants in a row are multiples of the gap from their first one, so that the gap's rounding does not add up.
#[derive(Clone, Debug)]
pub(super) struct Pacer {
    /// Nanoseconds between two instants, 0 without a limit.
    gap: f64,
    /// The first instant of the row.
    first: Nanos,
    /// Instants of the row so far.
    taken: u64,
}

impl Pacer {
    /// For so many instants each second.
    pub(super) fn new(limit: Option<f64>) -> Pacer {
        Pacer {
            gap: limit.map_or(0.0, |rate| 1e9 / rate),
            first: 0,
            taken: 0,
        }
    }

    /// The earliest instant that is still free.
    pub(super) fn free_at(&self) -> Nanos {
        let after = (self.taken as f64 * self.gap).round() as u64;
        self.first.saturating_add(after)
    }

    /// Takes the first free instant that is not before the wanted one.
    pub(super) fn take(&mut self, wanted: Nanos) -> Nanos {
        let free = self.free_at();
        if wanted > free {
            self.first = wanted;
            self.taken = 1;
            return wanted;
        }
        self.taken += 1;
        if self.gap == 0.0 { wanted } else { free }
    }
}
