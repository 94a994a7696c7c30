//! Compute stacks: scripts run on stacks of their own, so that one that computes for long is put aside as it is.
//!
//! Frames are on the heap and say nothing of what pure calls and loops are at, natively or in the interpreter. So where
//! a poll point finds that a slice is long, the whole stack is parked, and the worker goes on with others on the next
//! one. A worker that nobody keeps busy has one stack, which it uses again for each slice. Enter at [`Computers::run`].

use crate::ctx::Ctx;
use crate::driver::{Stop, run_frames};
use crate::frame::Frame;
use crate::waker::StrandId;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use std::cell::{Cell, RefCell};
use std::ptr;

/// What a stack has room for: calls as deep as scripts may nest them, in machine code. Only what is touched is memory.
pub(crate) const SIZE: usize = 64 << 20;

/// Stacks that a worker parks at once. Who computes for long beside these keeps the worker.
const PARKED: usize = 64;

/// What a stack is to run; without a context it is to end.
#[derive(Clone, Copy)]
struct Job {
    ctx: *const Ctx,
    frame: *mut Frame,
}

const END: Job = Job {
    ctx: ptr::null(),
    frame: ptr::null_mut(),
};

/// A stack with what runs on it.
struct Computer {
    stack: Coroutine<Job, Stop, (), DefaultStack>,
    /// Whether it stands in the middle of a script.
    is_parked: bool,
}

impl Computer {
    /// None if the system has no room for a stack.
    fn new() -> Option<Box<Computer>> {
        let stack = DefaultStack::new(SIZE).ok()?;
        let stack = Coroutine::with_stack(stack, compute);
        Some(Box::new(Computer {
            stack,
            is_parked: false,
        }))
    }
}

impl Drop for Computer {
    fn drop(&mut self) {
        if self.is_parked {
            // SAFETY: machine code cannot be unwound. Strands end before their worker, so this is the end of a run that
            // went wrong: what the script held is given up with the heap, and Rust's frames on the stack own nothing
            // that anybody reaches.
            unsafe { self.stack.force_reset() };
        } else if self.stack.started() && !self.stack.done() {
            self.stack.resume(END);
        }
    }
}

/// What runs at the bottom of a stack: one slice after the other.
fn compute(way_out: &Yielder<Job, Stop>, first: Job) {
    let mut job = first;
    // SAFETY: whoever hands a job over waits for the answer, and keeps the context until then.
    while let Some(ctx) = unsafe { job.ctx.as_ref() } {
        let worker = ctx.worker();
        worker.computers.way_out.set(way_out);
        job = way_out.suspend(run_frames(ctx, worker, job.frame));
    }
}

/// The stacks of a worker.
pub(crate) struct Computers {
    /// The one that slices begin on.
    spare: Cell<Option<Box<Computer>>>,
    /// Those in the middle of a script, and whose.
    parked: RefCell<Vec<(StrandId, Box<Computer>)>>,
    /// How the stack that runs is left; null if scripts run on the thread's own.
    way_out: Cell<*const Yielder<Job, Stop>>,
}

impl Default for Computers {
    fn default() -> Computers {
        Computers {
            spare: Cell::new(None),
            parked: RefCell::default(),
            way_out: Cell::new(ptr::null()),
        }
    }
}

impl Computers {
    /// Runs the strand that was entered, from its innermost frame or where it was parked, until it stops.
    pub fn run(&self, ctx: &Ctx, id: StrandId, frame: *mut Frame) -> Stop {
        let known = self.take_parked(id).or_else(|| self.spare.take());
        let Some(mut computer) = known.or_else(Computer::new) else {
            self.way_out.set(ptr::null());
            return run_frames(ctx, ctx.worker(), frame);
        };
        let CoroutineResult::Yield(stop) = computer.stack.resume(Job { ctx, frame }) else {
            unreachable!("a stack ends when it is told to")
        };
        computer.is_parked = stop == Stop::Parked;
        if computer.is_parked {
            self.parked.borrow_mut().push((id, computer));
        } else if let Some(spare) = self.spare.replace(Some(computer)) {
            // The memory of one stack is enough for a worker that nobody keeps busy.
            self.spare.set(Some(spare));
        }
        stop
    }

    fn take_parked(&self, id: StrandId) -> Option<Box<Computer>> {
        let mut parked = self.parked.borrow_mut();
        let at = parked.iter().position(|(whose, _)| *whose == id)?;
        Some(parked.swap_remove(at).1)
    }

    /// Parks the stack that runs, until its strand has its next turn; false if that cannot be.
    pub fn park(&self) -> bool {
        let way_out = self.way_out.get();
        if way_out.is_null() || self.parked.borrow().len() >= PARKED {
            return false;
        }
        // SAFETY: it lies at the bottom of the stack that runs, which stays as it is while it is parked.
        unsafe { (*way_out).suspend(Stop::Parked) };
        self.way_out.set(way_out);
        true
    }

    /// Stacks that stand in the middle of a script.
    #[cfg(test)]
    pub fn parked(&self) -> usize {
        self.parked.borrow().len()
    }
}
