//! Timers of a worker, and the clock they are measured by.
//!
//! [`Timers`] tells what is due and when to wake up next; what a timer means is the caller's [`Target`].
//! Enter at [`Timers::insert`]. The timerfd that wakes the poller is in `io::poller`.

mod far;

use crate::waker::StrandId;
use far::Far;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
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

/// A timer, as long as it is pending.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
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
    target: Option<Target>,
}

/// A timer in the order in which timers fire: by time, then as they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Due {
    at: Nanos,
    made: u64,
    timer: TimerId,
}

/// The timers. Those that are due within about a millisecond are in a heap, all others in [`Far`], where adding one costs
/// no comparison with the rest: with tens of thousands of pauses at once each step through a heap of them would miss the
/// caches. A timer that is removed leaves a stale [`Due`] behind, of which there are never more than of live ones.
#[derive(Default)]
pub struct Timers {
    near: BinaryHeap<Reverse<Due>>,
    far: Far,
    /// The earliest one in `far`, when it was last looked for; it may have been removed.
    first_far: Option<Due>,
    /// Whether that is known.
    searched: bool,
    entries: Vec<Entry>,
    free: Vec<u32>,
    made: u64,
    /// Nothing is due before this moment.
    quiet: Nanos,
    live: usize,
    stale: usize,
}

/// Stale timers that are not worth a look.
const STALE: usize = 64;

impl Timers {
    /// How many timers are pending.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The earliest deadline.
    pub fn earliest(&mut self) -> Option<Nanos> {
        if self
            .first_far
            .is_some_and(|due| !self.is_pending(due.timer))
        {
            self.searched = false;
        }
        self.wake_by()
    }

    /// The earliest deadline, perhaps that of a timer which was removed: for those to whom waking up once in vain is
    /// cheaper than looking for the earliest timer.
    pub fn wake_by(&mut self) -> Option<Nanos> {
        while let Some(Reverse(due)) = self.near.peek() {
            if self.is_pending(due.timer) {
                return Some(due.at);
            }
            self.near.pop();
            self.stale -= 1;
        }
        if !self.searched {
            self.searched = true;
            self.first_far = self.far.first_live(|due| is_live(&self.entries, due));
        }
        self.first_far.map(|due| due.at)
    }

    /// Adds a timer.
    pub fn insert(&mut self, at: Nanos, target: Target) -> TimerId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry {
                generation: 0,
                target: None,
            });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[index as usize];
        entry.target = Some(target);
        let timer = TimerId {
            index,
            generation: entry.generation,
        };
        self.made += 1;
        self.live += 1;
        self.quiet = self.quiet.min(at);
        let made = self.made;
        self.place(Due { at, made, timer });
        timer
    }

    fn place(&mut self, due: Due) {
        if due.at < self.far.horizon() {
            self.near.push(Reverse(due));
            return;
        }
        if self.searched && self.first_far.is_none_or(|first| due < first) {
            self.first_far = Some(due);
        }
        self.far.add(due);
    }

    /// Whether a timer is still pending.
    pub fn is_pending(&self, timer: TimerId) -> bool {
        let entry = &self.entries[timer.index as usize];
        entry.generation == timer.generation && entry.target.is_some()
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
            self.take(timer);
            self.stale += 1;
            if self.stale > self.live + STALE {
                self.sweep();
            }
        }
    }

    /// Takes the earliest timer that is due at `now`.
    #[inline]
    pub fn pop_due(&mut self, now: Nanos) -> Option<Target> {
        match now < self.quiet {
            true => None,
            false => self.pop_heap(now),
        }
    }

    fn pop_heap(&mut self, now: Nanos) -> Option<Target> {
        if self.far.horizon() <= now {
            let near = &mut self.near;
            self.far.advance(now, |due| near.push(Reverse(due)));
            (self.first_far, self.searched) = (None, false);
        }
        while let Some(Reverse(due)) = self.near.peek().copied() {
            if due.at > now {
                self.quiet = due.at;
                return None;
            }
            self.near.pop();
            if self.is_pending(due.timer) {
                return self.take(due.timer);
            }
            self.stale -= 1;
        }
        self.quiet = match self.far.is_empty() {
            true => NEVER,
            false => self.far.horizon(),
        };
        None
    }

    fn take(&mut self, timer: TimerId) -> Option<Target> {
        let entry = &mut self.entries[timer.index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(timer.index);
        self.live -= 1;
        entry.target.take()
    }

    /// Forgets what removed timers have left.
    fn sweep(&mut self) {
        let entries = &self.entries;
        self.far.retain(|due| is_live(entries, due));
        self.near.retain(|Reverse(due)| is_live(entries, due));
        self.stale = 0;
    }
}

fn is_live(entries: &[Entry], due: &Due) -> bool {
    let entry = &entries[due.timer.index as usize];
    entry.generation == due.timer.generation && entry.target.is_some()
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
        assert_eq!(timers.earliest(), Some(10));
        assert_eq!(due(&mut timers, 50), [4, 1, 2, 5, 0]);
        assert_eq!(due(&mut timers, 69), [0_u32; 0]);
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

    #[test]
    fn far_timers_fire_in_order_however_the_clock_goes() {
        let mut timers = Timers::default();
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 33
        };
        let (mut now, mut pending) = (5_000_000_000, Vec::new());
        for n in 0..20_000u32 {
            // From nanoseconds to hours.
            let at = now + (random() << 12 >> (random() % 31));
            let timer = timers.insert(at, scope(n));
            pending.push((at, n, timer));
            if random() % 3 == 0 {
                let (_, _, timer) = pending.swap_remove(random() as usize % pending.len());
                timers.remove(timer);
            }
            assert_eq!(timers.len(), pending.len());
            if random() % 8 == 0 {
                assert_eq!(timers.earliest(), pending.iter().map(|(at, ..)| *at).min());
                let by = timers.wake_by();
                assert!(by <= timers.earliest());
                now += random() << 10 >> (random() % 31);
                pending.sort_by_key(|(at, n, _)| (*at, *n));
                let first = pending.partition_point(|(at, ..)| *at <= now);
                let expected: Vec<u32> = pending.drain(..first).map(|(_, n, _)| n).collect();
                assert_eq!(due(&mut timers, now), expected);
            }
        }
        assert!(!timers.is_empty());
    }

    #[test]
    fn the_last_moment_is_no_special_one() {
        let mut timers = Timers::default();
        timers.insert(LAST, scope(0));
        timers.insert(3, scope(1));
        assert_eq!(due(&mut timers, 1 << 40), [1]);
        assert_eq!(timers.earliest(), Some(LAST));
        assert_eq!(due(&mut timers, LAST), [0]);
        assert_eq!(timers.earliest(), None);
    }

    #[test]
    fn removed_timers_are_swept_away() {
        let mut timers = Timers::default();
        for n in 0..100_000u32 {
            let timer = timers.insert(30_000_000_000 + u64::from(n), scope(n));
            timers.remove(timer);
            assert!(timers.stale <= STALE);
        }
        assert_eq!(timers.earliest(), None);
    }
}
