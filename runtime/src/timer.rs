//! Timers of a worker: an indexed heap, and the clock they are measured by.
//!
//! The heap tells what is due and when to wake up next; what a timer means is the caller's [`Target`].
//! Enter at [`Timers::insert`]. The timerfd that wakes the poller is in `io::poller`.

use crate::waker::StrandId;
use std::task::Waker;

/// Monotonic nanoseconds of the worker's clock.
pub type Nanos = u64;

/// Later than any moment: no limit.
pub const NEVER: Nanos = Nanos::MAX;

/// The last moment that a timer may be due: scripts have times as ints.
pub const LAST: Nanos = i64::MAX as Nanos;

/// The clock: real, or a virtual one that jumps to the next timer when nothing else can happen.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// `CLOCK_MONOTONIC`.
    Real,
    /// Stands still until it is told to jump.
    Virtual(Nanos),
}

impl Clock {
    /// Now.
    pub fn now(&self) -> Nanos {
        match self {
            Clock::Real => monotonic(),
            Clock::Virtual(now) => *now,
        }
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds.
pub fn monotonic() -> Nanos {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What a due timer does.
#[derive(Clone, Debug)]
pub enum Target {
    /// Wakes a future.
    Wake(Waker),
    /// Has a look at the limit of what a strand waits for.
    Limit(StrandId),
    /// Ends a deadline scope (or shield) of a strand; the serial number tells it from later ones.
    Scope(StrandId, u32),
    /// Ends the pause of the user whose life is at this place.
    Life(u32),
    /// Makes the worker look at its load plans.
    Plan,
}

/// A timer, as long as it is in the heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

impl TimerId {
    /// No timer.
    pub const NONE: TimerId = TimerId {
        index: u32::MAX,
        generation: 0,
    };
}

struct Entry {
    generation: u32,
    /// Place in the heap, or `FREE`.
    place: u32,
    target: Option<Target>,
}

const FREE: u32 = u32::MAX;

/// A binary heap that knows the place of every timer, so that removing one is cheap and leaves nothing behind.
/// Timers due at the same time fire in the order they were made.
#[derive(Default)]
pub struct Timers {
    heap: Vec<(Nanos, u64, u32)>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    made: u64,
}

impl Timers {
    /// How many timers are pending.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Nanos> {
        self.heap.first().map(|timer| timer.0)
    }

    /// Adds a timer.
    pub fn insert(&mut self, at: Nanos, target: Target) -> TimerId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                generation: 0,
                place: FREE,
                target: None,
            });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[index as usize];
        entry.target = Some(target);
        let generation = entry.generation;
        self.made += 1;
        self.heap.push((at, self.made, index));
        self.rise(self.heap.len() - 1);
        TimerId { index, generation }
    }

    /// Whether a timer is still pending.
    pub fn is_pending(&self, timer: TimerId) -> bool {
        let entry = &self.entries[timer.index as usize];
        entry.generation == timer.generation && entry.place != FREE
    }

    /// Gives a pending timer another waker.
    pub fn set_waker(&mut self, timer: TimerId, waker: &Waker) {
        if self.is_pending(timer)
            && let Some(Target::Wake(old)) = &mut self.entries[timer.index as usize].target
            && !old.will_wake(waker)
        {
            old.clone_from(waker);
        }
    }

    /// Removes a timer, if it has not fired.
    pub fn remove(&mut self, timer: TimerId) {
        if self.is_pending(timer) {
            self.take(self.entries[timer.index as usize].place as usize);
        }
    }

    /// Takes the earliest timer that is due at `now`.
    pub fn pop_due(&mut self, now: Nanos) -> Option<Target> {
        match self.next() {
            Some(at) if at <= now => self.take(0),
            _ => None,
        }
    }

    fn take(&mut self, place: usize) -> Option<Target> {
        let (_, _, index) = self.heap.swap_remove(place);
        if place < self.heap.len() {
            self.note(place);
            self.sink(place);
            self.rise(place);
        }
        let entry = &mut self.entries[index as usize];
        entry.place = FREE;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(index);
        entry.target.take()
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.heap[place] < self.heap[(place - 1) / 2] {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
        self.note(place);
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let Some(child) = (2 * place + 1..2 * place + 3)
                .filter(|child| *child < self.heap.len())
                .min_by_key(|child| self.heap[*child])
            else {
                return;
            };
            if self.heap[place] <= self.heap[child] {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.note(a);
        self.note(b);
    }

    fn note(&mut self, place: usize) {
        self.entries[self.heap[place].2 as usize].place = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(n: u32) -> Target {
        Target::Scope(StrandId::NONE, n)
    }

    fn due(timers: &mut Timers, now: Nanos) -> Vec<u32> {
        std::iter::from_fn(|| timers.pop_due(now))
            .map(|target| match target {
                Target::Scope(_, n) => n,
                other => unreachable!("the tests make scopes only, not {other:?}"),
            })
            .collect()
    }

    #[test]
    fn timers_fire_by_time_then_in_order() {
        let mut timers = Timers::default();
        for (n, at) in [50, 20, 20, 70, 10, 20].into_iter().enumerate() {
            timers.insert(at, scope(n as u32));
        }
        assert_eq!(timers.next(), Some(10));
        assert_eq!(due(&mut timers, 50), [4, 1, 2, 5, 0]);
        assert_eq!(due(&mut timers, 69), []);
        assert_eq!(due(&mut timers, 70), [3]);
        assert!(timers.is_empty());
    }

    #[test]
    fn removal_keeps_the_order_and_leaves_nothing() {
        let mut timers = Timers::default();
        // A fixed scramble of 0..1009, so that removals hit every part of the heap.
        let ids: Vec<_> = (0..1009u64)
            .map(|n| (n * 577 % 1009, n))
            .map(|(at, n)| (at, timers.insert(at, scope(n as u32))))
            .collect();
        for (at, id) in &ids {
            if at % 3 == 0 {
                timers.remove(*id);
                assert!(!timers.is_pending(*id));
                timers.remove(*id);
            }
        }
        let fired: Vec<u64> = due(&mut timers, 2000)
            .iter()
            .map(|n| ids[*n as usize].0)
            .collect();
        let expected: Vec<u64> = (0..1009).filter(|at| at % 3 != 0).collect();
        assert_eq!(fired, expected);
        assert_eq!(timers.len(), 0);
    }
}
