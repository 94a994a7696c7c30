//! The driver: the only one who resumes frames.
//!
//! A turn runs the strands that are ready, fires what is due, and polls. Running a strand is a loop over its top frame:
//! calls push, ends pop, waits leave the loop. Native depth is constant whatever scripts do. Enter at [`turn`].

use crate::ctx::Ctx;
use crate::fault::{Fault, Scope};
use crate::frame::{Cancel, Frame, Resume};
use crate::heap::{POKE_DRIVER, POKE_MEMORY};
use crate::strand::Owner;
use crate::timer::Target;
use crate::waker::{StrandId, drain_woken};
use crate::worker::Worker;
use crate::{join, life};
use std::io;
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
enum Stop {
    /// It waits.
    Waits,
    /// It has had enough for now.
    Yields,
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
    let stop = run_frames(ctx, worker, worker.top_frame());
    worker.leave_strand(ctx);
    match stop {
        Stop::Waits => (),
        Stop::Yields => worker.queue(id),
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

fn run_frames(ctx: &Ctx, worker: &Worker, mut frame: *mut Frame) -> Stop {
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

/// What a poll point does when `ctx.poke` is set: the error that it fails with.
pub(crate) fn poked(ctx: &Ctx) -> Result<(), Fault> {
    let why = ctx.heap.poke.swap(0, Ordering::Relaxed);
    if why & POKE_MEMORY != 0 && !ctx.heap.has_room(0) {
        // What else there is to see is left to the next poll point.
        ctx.heap.poke.fetch_or(why & POKE_DRIVER, Ordering::Relaxed);
        return Err(ctx.memory_fault());
    }
    if why & POKE_DRIVER == 0 {
        return Ok(());
    }
    let worker = ctx.worker();
    worker.reactor().look_at_clock();
    worker.fire_due(ctx);
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
