//! A worker: one thread with its reactor, strands and users. This file is its state and what may be done to a strand
//! from outside; `driver` runs them.
//!
//! Everything is reached through `&Ctx` and changes by cells, as the context itself does.

use crate::ctx::Ctx;
use crate::frame::{ChunkPool, Frame, FrameCode, FrameStack};
use crate::heap::POKE_DRIVER;
use crate::io::Reactor;
use crate::scope::Left;
use crate::strand::{Strand, Strands};
use crate::timer::{Target, TimerId};
use crate::waker::{StrandId, WorkerNumber};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

/// A worker's state beside heap and error; see [`Ctx::worker`].
pub struct Worker {
    reactor: Reactor,
    /// What frames run, by [`Frame::code`].
    pub(crate) codes: Vec<FrameCode>,
    pub(crate) strands: RefCell<Strands>,
    /// Strands to run, in order.
    pub(crate) ready: RefCell<VecDeque<StrandId>>,
    pub(crate) pool: RefCell<ChunkPool>,
    /// The frames of the strand that runs.
    pub(crate) stack: RefCell<FrameStack>,
    /// The strand that runs.
    pub(crate) running: Cell<StrandId>,
    /// Whether a cancellation waits for the running strand's next wait or poll point.
    pub(crate) interrupted: Cell<bool>,
    /// The slots of the frame that was popped last: the results of a call.
    popped: Cell<*mut u64>,
    _number: WorkerNumber,
}

impl Worker {
    /// A worker of this thread. `codes` is the side table of the program.
    pub(crate) fn new(reactor: Reactor, codes: Vec<FrameCode>) -> Worker {
        let number = WorkerNumber::claim(reactor.inbox());
        Worker {
            reactor,
            codes,
            strands: RefCell::new(Strands::new(number.number())),
            ready: RefCell::default(),
            pool: RefCell::default(),
            stack: RefCell::default(),
            running: Cell::new(StrandId::NONE),
            interrupted: Cell::new(false),
            popped: Cell::new(ptr::null_mut()),
            _number: number,
        }
    }

    /// Sockets and timers.
    pub fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// The strand that runs.
    pub fn running(&self) -> StrandId {
        self.running.get()
    }

    /// The results of the call that has just ended: slots 0 and 1 of the callee's frame. For the landing of a wait,
    /// before it calls again.
    pub fn results(&self) -> *const u64 {
        self.popped.get()
    }

    /// Pushes a callee's frame onto the running strand; the caller fills the slots and answers `Call`.
    pub fn push_frame(&self, code: u32) -> NonNull<Frame> {
        let size = self.codes[code as usize].size as usize;
        self.stack
            .borrow_mut()
            .push(code, size, &mut self.pool.borrow_mut())
    }

    pub(crate) fn pop_frame(&self) -> *mut u64 {
        let slots = self.stack.borrow_mut().pop();
        self.popped.set(slots);
        slots
    }

    /// Puts a strand into the ready list, unless it is there.
    pub(crate) fn queue(&self, id: StrandId) {
        if let Some(strand) = self.strands.borrow_mut().find(id)
            && !strand.queued
            && self.running.get() != id
        {
            strand.queued = true;
            self.ready.borrow_mut().push_back(id);
        }
    }

    /// Looks at the running strand.
    ///
    /// # Panics
    /// If none runs.
    pub(crate) fn with_running<R>(&self, f: impl FnOnce(&mut Strand) -> R) -> R {
        let mut strands = self.strands.borrow_mut();
        f(strands
            .find(self.running.get())
            .expect("scripts run on a strand"))
    }

    /// Cancels a strand as a whole, or to a depth of its scopes. It unwinds when it has its next turn.
    pub(crate) fn cancel(&self, ctx: &Ctx, id: StrandId, depth: u32) {
        let interrupted = match self.strands.borrow_mut().find(id) {
            Some(strand) => {
                strand.cancel_to(depth);
                strand.is_interrupted()
            }
            None => return,
        };
        if id == self.running.get() {
            self.note_interrupt(ctx, interrupted);
        } else if interrupted {
            self.queue(id);
        }
    }

    /// The time of a scope is over.
    pub(crate) fn expire(&self, ctx: &Ctx, id: StrandId, serial: u32) {
        let depth = self
            .strands
            .borrow_mut()
            .find(id)
            .and_then(|strand| strand.depth_of(serial));
        if let Some(depth) = depth {
            self.cancel(ctx, id, depth);
        }
    }

    /// Opens a scope on the running strand and gives its token.
    pub(crate) fn enter_scope(&self, ctx: &Ctx, limit: i64, shield: bool) -> i64 {
        let id = self.running.get();
        let at = self.reactor.now().saturating_add(limit.max(0) as u64);
        let timer = |serial| self.reactor.insert_timer(at, Target::Scope(id, serial));
        let (token, interrupted) = self.with_running(|strand| {
            (
                strand.enter_scope(limit, shield, timer),
                strand.is_interrupted(),
            )
        });
        self.note_interrupt(ctx, interrupted);
        i64::from(token)
    }

    /// Closes a scope of the running strand.
    pub(crate) fn leave_scope(&self, ctx: &Ctx, token: i64) -> Left {
        let remove = |timer: TimerId| self.reactor.remove_timer(timer);
        let (left, interrupted) = self.with_running(|strand| {
            (
                strand.leave_scope(token as u32, remove),
                strand.is_interrupted(),
            )
        });
        self.note_interrupt(ctx, interrupted);
        left
    }

    /// Makes the running strand's next wait or poll point fail, or not.
    pub(crate) fn note_interrupt(&self, ctx: &Ctx, interrupted: bool) {
        self.interrupted.set(interrupted);
        if interrupted {
            ctx.heap.poke.fetch_or(POKE_DRIVER, Ordering::Relaxed);
        }
    }
}
