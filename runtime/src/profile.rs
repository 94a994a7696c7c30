//! Where a scenario's own time goes: samples, taken about once a millisecond of each busy worker.
//!
//! The watchdog asks by a bit of the poke word; whoever comes by first answers: a poll point with its place, or the
//! driver at the begin or end of a slice. So what lies between two poll points is charged to the second one, and code
//! that meets none until its slice ends to the wait that ended it. Enter at [`Profile`].

use crate::ctx::{Ctx, pack};
use crate::fault::Place;
use crate::frame::Frame;
use crate::heap::POKE_PROFILE;
use crate::jit::NATIVE_PLACE;
use crate::link::Linked;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

/// Who answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A poll point: the end of a loop, or the entry of a recursive function.
    Loop,
    /// The wait that ended a slice without poll points.
    Wait,
    /// The end of a strand: script code without poll points or waits.
    Other,
    /// Nobody's script: the runtime between slices.
    Runtime,
}

/// The samples of a run, of all its workers.
#[derive(Default, Debug)]
pub struct Profile(Mutex<HashMap<(Kind, u64), u64>>);

/// What was seen somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Who answered.
    pub kind: Kind,
    /// Where; nowhere for what is no place in a script.
    pub place: Place,
    /// How often.
    pub samples: u64,
}

/// The place of what has none.
const NOWHERE: u64 = Place::NO_FUNCTION as u64;

impl Profile {
    fn add(&self, kind: Kind, place: u64) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *samples.entry((kind, place)).or_default() += 1;
    }

    /// What was seen, in no order. The same place may come twice if both engines ran it.
    pub fn seen(&self, linked: &Linked) -> Vec<Seen> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = |((kind, packed), samples): (&(Kind, u64), &u64)| Seen {
            kind: *kind,
            place: linked.place(*packed as u32, (*packed >> 32) as u32),
            samples: *samples,
        };
        samples.iter().map(seen).collect()
    }
}

/// A poll point has found the bit.
pub(crate) fn at_poll_point(ctx: &Ctx, place: u64) {
    if let Some(profile) = &ctx.settings().profile {
        profile.add(Kind::Loop, place);
    }
}

/// A slice begins: who was asked until now was the driver.
pub(crate) fn at_begin(ctx: &Ctx) {
    if is_asked(ctx)
        && let Some(profile) = &ctx.settings().profile
    {
        profile.add(Kind::Runtime, NOWHERE);
    }
}

/// A slice ends. `top` is the frame that the strand waits in, null if it has ended or goes on later.
pub(crate) fn at_end(ctx: &Ctx, top: impl FnOnce() -> *mut Frame) {
    if is_asked(ctx)
        && let Some(profile) = &ctx.settings().profile
    {
        // SAFETY: frames of a strand are live.
        match unsafe { wait_of(ctx.linked(), top()) } {
            Some(place) => profile.add(Kind::Wait, place),
            None => profile.add(Kind::Other, NOWHERE),
        }
    }
}

/// Whether the watchdog has asked; it is told now.
fn is_asked(ctx: &Ctx) -> bool {
    let poke = &ctx.heap.poke;
    poke.load(Ordering::Relaxed) & POKE_PROFILE != 0
        && poke.fetch_and(!POKE_PROFILE, Ordering::Relaxed) & POKE_PROFILE != 0
}

/// The place of the innermost wait of a script.
///
/// # Safety
/// The frame is live or null.
unsafe fn wait_of(linked: &Linked, mut frame: *mut Frame) -> Option<u64> {
    // SAFETY: upheld by the caller, and a frame's caller lives as long as the frame.
    while let Some(at) = unsafe { frame.as_ref() } {
        if let Some(function) = linked.program.functions.get(at.code as usize) {
            let wait = (at.state as usize).checked_sub(1)?;
            let block = function.frame.as_ref()?.waits.get(wait)?.block.index();
            let first = crate::jit::positions(function).nth(block)?;
            let position = first + function.blocks[block].insts.len() as u32;
            return Some(pack(at.code, NATIVE_PLACE | position));
        }
        frame = at.prev;
    }
    None
}
