//! The driver: the only one who resumes frames.
//!
//! A turn runs the strands that are ready, fires what is due, and polls. Running a strand is a loop over its top frame:
//! calls push, ends pop, waits leave the loop. Native depth is constant whatever scripts do. Enter at [`turn`].

use crate::ctx::Ctx;
use crate::fault::{Fault, Scope};
use crate::frame::{Cancel, Frame, Resume};
use crate::heap::{POKE_DRIVER, POKE_MEMORY, POKE_PROFILE, POKE_SLICE};
use crate::link::Linked;
use crate::strand::Owner;
use crate::timer::Target;
use crate::waker::{StrandId, drain_woken};
use crate::worker::Worker;
use crate::{join, life, profile};
use std::io;
use std::ptr;
use std::sync::atomic::Ordering;

/// Calls that a strand may make before the others get their turn.
const CALLS: u32 = 1000;

/// Looks for events, waiting for one if `block` and there is nothing to run, then runs everything that is ready.
pub(crate) fn turn(ctx: &Ctx, block: bool) -> io::Result<()> {
    let worker = ctx.worker();
    life::look_at_stop(ctx);
    worker.collect(ctx);
    let idle = worker.ready.borrow().is_empty() && !worker.plans_are_due();
    if block && idle {
        ctx.fall_idle();
    }
    worker.poll(ctx, block && idle)?;
    life::look_at_stop(ctx);
    worker.collect(ctx);
    worker.pump_plans(ctx);
    // Strands that become ready meanwhile wait for the next turn, behind a look at the sockets.
    let count = worker.ready.borrow().len();
    for _ in 0..count {
        let next = worker.ready.borrow_mut().pop_front();
        next.into_iter().for_each(|id| run_strand(ctx, worker, id));
    }
    Ok(())
}

impl Worker {
    /// Queues whom timers, futures and other threads have woken.
    fn collect(&self, ctx: &Ctx) {
        self.fire_due(ctx);
        self.inbox.take().into_iter().for_each(|id| self.queue(id));
        drain_woken(|id| self.queue(id));
    }

    /// Fires the timers that are due, as far as the last look at the clock tells.
    fn fire_due(&self, ctx: &Ctx) {
        let now = self.reactor().seen();
        while let Some(target) = self.reactor().pop_timer(now) {
            match target {
                Target::Wake(waker) => waker.wake(),
                Target::Limit(id) => self.look_at_limit(id, now),
                Target::Scope(id, serial) => self.expire(ctx, id, serial),
                Target::Life(id) => life::rested(ctx, id),
                Target::Plan => self.look_at_plans(),
            }
        }
    }
}

/// Why a strand stopped running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stop {
    /// It waits.
    Waits,
    /// It has had enough for now.
    Yields,
    /// It computes, and was put aside in the middle of that.
    Parked,
    /// It has ended, well or with an error; its results are in the popped frame.
    Ends(bool),
}

/// Runs a strand until it waits or ends. A user whose iteration has ended begins the next one in the next turn, behind
/// all that has arrived: to answer each response at once would wake a server for each one, which costs more than caches.
fn run_strand(ctx: &Ctx, worker: &Worker, id: StrandId) {
    if !worker.enter_strand(ctx, id) {
        return;
    }
    worker.stop.next_slice();
    profile::at_begin(ctx);
    let stop = worker.computers.run(ctx, id, worker.top_frame());
    profile::at_end(ctx, || match stop {
        Stop::Waits => worker.top_frame(),
        Stop::Yields | Stop::Parked | Stop::Ends(_) => ptr::null_mut(),
    });
    worker.leave_strand(ctx);
    match stop {
        Stop::Waits => (),
        Stop::Yields | Stop::Parked => worker.queue(id),
        Stop::Ends(ok) => end_strand(ctx, worker, id, ok),
    }
}

/// Whether nothing of a strand with this frame on top has run.
///
/// # Safety
/// The frame is live.
unsafe fn is_unstarted(frame: *mut Frame) -> bool {
    // SAFETY: upheld by the caller.
    unsafe { (*frame).state == 0 && (*frame).prev.is_null() }
}

/// Runs the frames of the strand that was entered, from its innermost one on. Only [`crate::compute`] calls this: a poll
/// point may park the stack that it runs on.
pub(crate) fn run_frames(ctx: &Ctx, worker: &Worker, mut frame: *mut Frame) -> Stop {
    let mut calls = CALLS;
    loop {
        // SAFETY: a strand that runs has a frame, whose code is a row of the table; the row's functions are made for it.
        let (resume, popped) = unsafe {
            let code = &worker.codes[(*frame).code as usize];
            if worker.interrupted.get() && (code.leaf || is_unstarted(frame)) {
                let cancel = (code.cancel)(ctx, frame);
                worker.interrupted.set(false);
                let fault = delivered(worker);
                if cancel == Cancel::Unwinding {
                    return Stop::Waits;
                }
                ctx.raise(fault);
                (Resume::Error, code)
            } else {
                ((code.resume)(ctx, frame), code)
            }
        };
        match resume {
            Resume::Call if calls == 0 => return Stop::Yields,
            Resume::Call => {
                calls -= 1;
                frame = worker.top_frame();
            }
            Resume::Pending => return Stop::Waits,
            Resume::Done | Resume::Error => {
                debug_assert_eq!(
                    resume == Resume::Error,
                    ctx.has_err(),
                    "errors are told twice, and agree"
                );
                // A strand's first function was not counted.
                if popped.recursive {
                    ctx.depth.set(ctx.depth.get().saturating_sub(1));
                }
                frame = worker.pop_frame();
                if frame.is_null() {
                    return Stop::Ends(resume == Resume::Done);
                }
            }
        }
    }
}

/// Puts the cancellation that the running strand unwinds by into `ctx.err`.
pub(crate) fn raise_delivered(ctx: &Ctx) {
    ctx.raise(delivered(ctx.worker()));
}

/// The running strand's cancellation, which from now on unwinds it.
fn delivered(worker: &Worker) -> Fault {
    let scope = worker.with_running(|strand| strand.deliver_cancel());
    Fault::cancellation(scope.map_or(Scope::Strand, |serial| Scope::Deadline(u64::from(serial))))
}

/// What a poll point does when `ctx.poke` is set: the error that it fails with. The place is packed as by
/// [`crate::ctx::pack`].
pub(crate) fn poked(ctx: &Ctx, place: u64) -> Result<(), Fault> {
    let why = ctx.heap.poke.swap(0, Ordering::Relaxed);
    if why & POKE_PROFILE != 0 {
        profile::at_poll_point(ctx, place);
    }
    if why & POKE_MEMORY != 0 && !ctx.heap.has_room(0) {
        // What else there is to see is left to the next poll point.
        let rest = why & (POKE_DRIVER | POKE_SLICE);
        ctx.heap.poke.fetch_or(rest, Ordering::Relaxed);
        return Err(ctx.memory_fault());
    }
    if why & POKE_DRIVER != 0 && !is_premature(ctx.worker(), why) {
        look_around(ctx)?;
    }
    if why & POKE_SLICE == 0 {
        return Ok(());
    }
    // What computes for long is worth to be compiled.
    ctx.linked_if_any()
        .into_iter()
        .for_each(Linked::compile_behind);
    if let_others_run(ctx) {
        look_around(ctx)?;
    }
    Ok(())
}

/// Does what is due, and fails if the running strand is to unwind.
/// On the virtual clock a run is to do the same again, however long it is interrupted by others: the first poke of a
/// slice says nothing about the slice. One that does not end is poked again.
fn is_premature(worker: &Worker, why: u32) -> bool {
    let slice = Some(worker.stop.number());
    worker.reactor().is_virtual()
        && why & POKE_SLICE != 0
        && !worker.interrupted.get()
        && worker.poked_slice.replace(slice) != slice
}

fn look_around(ctx: &Ctx) -> Result<(), Fault> {
    let worker = ctx.worker();
    // A virtual clock stands while scripts run: what is due now is so in the next turn, whenever somebody pokes.
    if !worker.reactor().is_virtual() {
        worker.reactor().look_at_clock();
        worker.fire_due(ctx);
    }
    life::look_at_stop(ctx);
    if worker.is_outer_interrupted() {
        // The strand that waits for this one could not pass it on before this one lets go.
        worker.cancel(ctx, worker.running(), 0);
    }
    if !worker.interrupted.replace(false) {
        return Ok(());
    }
    Err(delivered(worker))
}

/// Puts the running strand aside until its next turn; false if it has to go on. All that belongs to it is kept: what
/// [`Worker::enter_strand`] does not bring back is moved to this stack. Nobody borrows the worker's state here, because
/// poll points are in scripts, and host functions never call scripts.
///
/// On a virtual clock turns must not depend on how fast the machine is.
fn let_others_run(ctx: &Ctx) -> bool {
    let worker = ctx.worker();
    if worker.reactor().is_virtual() {
        return false;
    }
    let aside = ctx.put_aside();
    let had_turn = worker.computers.park();
    ctx.take_up(aside);
    had_turn
}

fn end_strand(ctx: &Ctx, worker: &Worker, id: StrandId, ok: bool) {
    let found = worker
        .strands
        .borrow_mut()
        .find(id)
        .map(|strand| (strand.owner, strand.think));
    let Some((owner, think)) = found else {
        return;
    };
    match owner {
        Owner::Join { parent, child } => {
            // The child's chunks hold its results until the join has taken them.
            join::child_ended(ctx, parent, child, ok, think);
            worker.remove_strand(id);
        }
        Owner::Life => life::section_ended(ctx, id, ok),
        Owner::Nobody => life::spawned_ended(ctx, id, ok),
    }
}

/// The top frame of a strand that does not run.
pub(crate) fn top_frame(worker: &Worker, id: StrandId) -> Option<*mut Frame> {
    let mut strands = worker.strands.borrow_mut();
    let strand = strands.find(id)?;
    (!strand.stack.is_empty()).then(|| strand.stack.top())
}

#[cfg(test)]
mod tests;
