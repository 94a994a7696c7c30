//! What the workers of a scenario share: one atomic for each iteration, one for each limited request.

use crate::timer::Nanos;
use scn_compiler::ir::load::Load;
use std::sync::atomic::{AtomicU64, Ordering};

/// Of one scenario, for all workers.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// `iterations N shared`: how many are left.
    iterations: Option<AtomicU64>,
    /// `limit requests`.
    pub requests: Option<Limit>,
}

impl Shared {
    /// As the plan says.
    pub fn new(plan: Option<&Load>) -> Shared {
        let plan = plan.cloned().unwrap_or_default();
        Shared {
            iterations: plan.iterations_shared.map(AtomicU64::new),
            requests: plan.limit_requests.map(Limit::new),
        }
    }

    /// Takes one of the shared iterations; false if there are none left.
    pub fn take_iteration(&self) -> bool {
        let Some(left) = &self.iterations else {
            return true;
        };
        let take = |left: u64| left.checked_sub(1);
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .is_ok()
    }

    /// Whether there may be another one to take.
    pub fn has_iterations(&self) -> bool {
        let left = self.iterations.as_ref();
        left.is_none_or(|left| left.load(Ordering::Relaxed) > 0)
    }
}

/// A ceiling on a rate: the generic cell rate algorithm (ITU-T I.371) without tolerance, on one atomic.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Nanoseconds from one to the next.
    gap: f64,
    /// When the next one may go.
    next: AtomicU64,
}

impl Limit {
    /// So many each second.
    pub fn new(per_second: f64) -> Limit {
        Limit {
            gap: 1e9 / per_second,
            next: AtomicU64::new(0),
        }
    }

    /// The moment at which the caller may go, which is its alone.
    pub fn take(&self, now: Nanos) -> Nanos {
        let mut slot = now;
        let advance = |next: u64| {
            slot = next.max(now);
            Some(slot + self.gap as u64)
        };
        // The closure never refuses.
        let _ = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_iterations_are_handed_out_once() {
        let shared = Shared::new(Some(&Load {
            iterations_shared: Some(3),
            ..Load::default()
        }));
        let taken = (0..9).filter(|_| shared.take_iteration()).count();
        assert_eq!(taken, 3);
        assert!(
            Shared::default().take_iteration(),
            "without a bound there is always one"
        );
    }

    #[test]
    fn a_limit_spreads_what_comes_at_once_and_saves_nothing_up() {
        let limit = Limit::new(1000.0);
        let slots: Vec<Nanos> = (0..3).map(|_| limit.take(10)).collect();
        assert_eq!(slots, [10, 1_000_010, 2_000_010]);
        assert_eq!(limit.take(50_000_000), 50_000_000);
        assert_eq!(limit.take(50_000_000), 51_000_000);
    }
}
