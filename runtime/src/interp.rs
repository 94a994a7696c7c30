//! The interpreter: it runs a frame until it waits, calls or ends, and pure functions on a stack of its own.
//!
//! Enter at [`resume`]. A machine belongs to its worker; host functions never call back into scripts, so one run is
//! never inside of another, and native depth is constant.

mod calls;
mod code;
mod compile;
mod ops;
mod rare;
mod run;
#[cfg(test)]
mod tests;
mod waits;

pub(crate) use code::Code;
pub(crate) use compile::{Env, compile};
pub(crate) use ops::{not_an_int, text_of};
pub(crate) use waits::too_deep;

use crate::ctx::Ctx;
use crate::frame::{Cancel, Frame, Resume};
use run::Run;

/// How deep functions in call-graph cycles may be in each other.
pub const DEPTH_LIMIT: u32 = 10_000;

/// The interpreter's memory for pure calls: windows of locals, and who called.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    locals: Vec<u64>,
    /// How far a call may go without looking around: the size of `locals`, or 0 once there is machine code to call.
    room: usize,
    calls: Vec<Record>,
}

impl Machine {
    /// Makes the file of locals larger; windows may move.
    #[cold]
    fn grow(&mut self, need: usize) {
        let size = need.next_power_of_two().max(1024).max(self.locals.len());
        self.locals.resize(size, 0);
        self.room = size;
    }

    /// Lets the next call see that there is machine code.
    fn prefer_native(&mut self) {
        self.room = 0;
    }
}

/// A call that has not come back.
#[derive(Clone, Copy, Debug)]
struct Record {
    function: u32,
    pc: u32,
    /// Which of the function's calls.
    call: u32,
    base: usize,
}

/// Runs a frame of a script function. A pure function may be a frame, too: it runs to its end.
///
/// # Safety
/// The frame is on top of the running strand and is of a script function of the context's program; its parameters are
/// in its slots, and the context is entered.
pub unsafe fn resume(ctx: &Ctx, frame: *mut Frame) -> Resume {
    let mut machine = ctx.machine.take().unwrap_or_default();
    // SAFETY: upheld by the caller.
    let answer = unsafe { Run::new(ctx, &mut machine, frame).resume() };
    ctx.machine.set(Some(machine));
    answer
}

/// Drops the owned arguments of a frame of a script function that was not started.
///
/// # Safety
/// As [`resume`], and the frame is in state 0 and does not run any more.
pub unsafe fn cancel(ctx: &Ctx, frame: *mut Frame) -> Cancel {
    // SAFETY: the frame's parameters are in its first slots; owned pointers are given up once.
    unsafe {
        let owned = ctx.linked().owned_params((*frame).code);
        let slots = Frame::slots(frame);
        for (at, _) in owned.enumerate().filter(|(_, own)| *own) {
            ctx.heap.release_slot(slots.add(at).read());
        }
    }
    Cancel::Gone
}
