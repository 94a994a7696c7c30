//! Timers that are not due for a while: wheels of 64 slots each, every wheel's slots as wide as the whole wheel below.
//!
//! A timer lies in the lowest wheel that reaches from the horizon to it, so what lies in a lower wheel is due earlier,
//! and so is what lies in a lower slot. Within a slot there is no order. Enter at [`Far::add`].

use super::{Due, NEVER, Nanos};

/// Slots of the lowest wheel are 2^20 ns wide, about a millisecond.
const FINEST: u32 = 20;
const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
/// Enough for all 64 bits of a moment.
const WHEELS: usize = (u64::BITS - FINEST).div_ceil(BITS) as usize;
/// Emptied slots keep this much room.
const KEPT: usize = 64;

struct Wheel {
    slots: [Vec<Due>; SLOTS],
    /// Which slots hold something.
    used: u64,
}

/// The wheels. They are made when the first timer comes.
#[derive(Default)]
pub(super) struct Far {
    wheels: Vec<Wheel>,
    /// No timer here is due before this moment, which is a multiple of the finest slot's width.
    horizon: Nanos,
}

impl Far {
    /// No timer here is due before this moment.
    pub fn horizon(&self) -> Nanos {
        self.horizon
    }

    /// Whether nothing is here.
    pub fn is_empty(&self) -> bool {
        self.wheels.iter().all(|wheel| wheel.used == 0)
    }

    /// Adds what is due at the horizon or later.
    pub fn add(&mut self, due: Due) {
        if self.wheels.is_empty() {
            self.wheels.resize_with(WHEELS, || Wheel {
                slots: [const { Vec::new() }; SLOTS],
                used: 0,
            });
        }
        let level = level_of(due.at ^ self.horizon);
        let slot = slot_of(due.at, level);
        let wheel = &mut self.wheels[level];
        wheel.slots[slot].push(due);
        wheel.used |= 1 << slot;
    }

    /// Moves the horizon behind `now`, and hands over what lay before it.
    pub fn advance(&mut self, now: Nanos, mut out: impl FnMut(Due)) {
        while self.horizon <= now {
            let Some((level, slot)) = self.first() else {
                // Nothing is here that could end up in a slot that is too low.
                self.horizon = (now >> FINEST << FINEST).saturating_add(1 << FINEST);
                return;
            };
            let start = self.start_of(level, slot);
            if start > now {
                self.move_horizon(
                    (now >> FINEST << FINEST)
                        .saturating_add(1 << FINEST)
                        .min(start),
                );
                return;
            }
            self.move_horizon(start);
            if level == 0 {
                self.empty(0, slot, |_, due| out(due));
                self.move_horizon(start.saturating_add(1 << FINEST));
            }
        }
    }

    /// The earliest of those that `is_live`.
    pub fn first_live(&self, is_live: impl Fn(&Due) -> bool) -> Option<Due> {
        self.wheels.iter().find_map(|wheel| {
            let used = (0..SLOTS).filter(|slot| wheel.used >> slot & 1 == 1);
            let mut firsts = used.filter_map(|slot| {
                let live = wheel.slots[slot].iter().filter(|due| is_live(due));
                live.min().copied()
            });
            firsts.next()
        })
    }

    /// Keeps those that `is_live` only.
    pub fn retain(&mut self, is_live: impl Fn(&Due) -> bool) {
        for wheel in &mut self.wheels {
            for (at, slot) in wheel.slots.iter_mut().enumerate() {
                slot.retain(&is_live);
                if slot.is_empty() {
                    *slot = Vec::new();
                    wheel.used &= !(1 << at);
                }
            }
        }
    }

    /// Wheel and slot of the earliest timers.
    fn first(&self) -> Option<(usize, usize)> {
        let wheels = self.wheels.iter().enumerate();
        let mut used = wheels.filter(|(_, wheel)| wheel.used != 0);
        let (level, wheel) = used.next()?;
        Some((level, wheel.used.trailing_zeros() as usize))
    }

    /// When a slot begins; all slots that are in use lie in the same slot of the wheel above as the horizon.
    fn start_of(&self, level: usize, slot: usize) -> Nanos {
        let (width, above) = (shift(level), shift(level + 1));
        let base = self.horizon.checked_shr(above).unwrap_or(0);
        base.checked_shl(above).unwrap_or(0) | (slot as u64) << width
    }

    /// Moves the horizon on. Slots that begin there are spread over the wheels below, so that what comes later for the
    /// same time finds its like.
    fn move_horizon(&mut self, to: Nanos) {
        let crossed = level_of(to ^ self.horizon);
        self.horizon = to;
        for level in (1..=crossed.min(WHEELS - 1)).rev() {
            let slot = slot_of(to, level);
            if self
                .wheels
                .get(level)
                .is_some_and(|wheel| wheel.used >> slot & 1 == 1)
            {
                self.empty(level, slot, Far::add);
            }
        }
    }

    fn empty(&mut self, level: usize, slot: usize, mut out: impl FnMut(&mut Far, Due)) {
        let wheel = &mut self.wheels[level];
        wheel.used &= !(1 << slot);
        let mut timers = std::mem::take(&mut wheel.slots[slot]);
        timers.drain(..).for_each(|due| out(self, due));
        if timers.capacity() <= KEPT {
            self.wheels[level].slots[slot] = timers;
        }
    }
}

/// The wheel on which two moments differ that have these bits not in common.
fn level_of(difference: u64) -> usize {
    match difference >> FINEST {
        0 => 0,
        bits => (bits.ilog2() / BITS) as usize,
    }
}

fn slot_of(at: Nanos, level: usize) -> usize {
    (at >> shift(level)) as usize & (SLOTS - 1)
}

fn shift(level: usize) -> u32 {
    FINEST + BITS * level as u32
}

const _: () = assert!(NEVER == u64::MAX, "moments are 64 bits");
