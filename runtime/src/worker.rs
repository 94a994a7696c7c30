//! A worker: one thread with its reactor, strands and users. This file is its state and what may be done to a strand
//! from outside; `driver` runs them.
//!
//! Everything is reached through `&Ctx` and changes by cells, as the context itself does.

use crate::compute::Computers;
use crate::crew::Share;
use crate::ctx::Ctx;
use crate::event::Section;
use crate::frame::{ChunkPool, Frame, FrameCode};
use crate::heap::POKE_DRIVER;
use crate::io::Reactor;
use crate::life::{Life, LifeId};
use crate::scope::Left;
use crate::stop::{StopHandle, StopWatch};
use crate::strand::{NO_ALARM, Owner, Strand, Strands};
use crate::timer::{LAST, NEVER, Nanos, Target, TimerId};
use crate::user::User;
use crate::waker::{Inbox, StrandId, WorkerNumber};
use scn_compiler::ir::FuncId;
use slab::Slab;
use smallvec::SmallVec;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A worker's state beside heap and error; see [`Ctx::worker`].
pub struct Worker {
    reactor: Reactor,
    pub(crate) inbox: Arc<Inbox>,
    /// What frames run, by [`Frame::code`].
    pub(crate) codes: Vec<FrameCode>,
    shapes: Vec<Shape>,
    pub(crate) strands: RefCell<Strands>,
    /// Strands to run, in order.
    pub(crate) ready: RefCell<VecDeque<StrandId>>,
    pub(crate) pool: RefCell<ChunkPool>,
    /// What scripts run on.
    pub(crate) computers: Computers,
    /// The strand that runs.
    pub(crate) running: Cell<StrandId>,
    /// Where that lies: strands do not move, and the one that runs is not removed.
    current: Cell<Option<NonNull<Strand>>>,
    /// The slice that was poked last, on the virtual clock.
    pub(crate) poked_slice: Cell<Option<u32>>,
    /// Whether a cancellation waits for the running strand's next wait or poll point.
    pub(crate) interrupted: Cell<bool>,
    /// When the host function that runs wants to be resumed at the latest, as far as it has said.
    pub(crate) limit: Cell<Nanos>,
    /// The slots of the frame that was popped last: the results of a call.
    popped: Cell<*mut u64>,
    pub(crate) lives: RefCell<Slab<Life>>,
    /// The shares of scenarios' load.
    pub(crate) shares: RefCell<Vec<Rc<Share>>>,
    /// Whether something of them may be due.
    plans_due: Cell<bool>,
    /// Where servers listen, by global.
    endpoints: RefCell<Vec<(i64, Endpoint)>>,
    pub(crate) stop: StopWatch,
    _number: WorkerNumber,
}

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
}

/// What starting and joining strands must know of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Which parameters are owned pointers.
    pub pointers: SmallVec<[bool; 8]>,
    /// Which results are pointers.
    pub results: SmallVec<[bool; 2]>,
}

impl Worker {
    /// A worker of this thread. `codes` is the side table of the program: functions, host functions, the join;
    /// `shapes` are those of the functions.
    pub(crate) fn new(
        reactor: Reactor,
        codes: Vec<FrameCode>,
        shapes: Vec<Shape>,
        stop: StopHandle,
    ) -> Worker {
        let number = WorkerNumber::claim(reactor.inbox());
        Worker {
            stop: StopWatch::new(stop, reactor.inbox()),
            inbox: reactor.inbox(),
            reactor,
            codes,
            shapes,
            strands: RefCell::new(Strands::new(number.number())),
            ready: RefCell::default(),
            pool: RefCell::default(),
            computers: Computers::default(),
            running: Cell::new(StrandId::NONE),
            current: Cell::new(None),
            poked_slice: Cell::new(None),
            interrupted: Cell::new(false),
            limit: Cell::new(NEVER),
            popped: Cell::new(ptr::null_mut()),
            lives: RefCell::default(),
            shares: RefCell::default(),
            plans_due: Cell::new(false),
            endpoints: RefCell::default(),
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
        self.with_running(|strand| match strand.stack.push_here(code, size) {
            Some(frame) => frame,
            None => strand.stack.push(code, size, &mut self.pool.borrow_mut()),
        })
    }

    /// Pops the innermost frame of the running strand, and gives the one below, null if there is none.
    pub(crate) fn pop_frame(&self) -> *mut Frame {
        self.with_running(|strand| {
            self.popped.set(strand.stack.pop());
            strand.stack.top()
        })
    }

    /// The code of leasing an address.
    fn lease_code(&self) -> u32 {
        self.codes.len() as u32 - 2
    }

    /// The code of joins.
    pub(crate) fn join_code(&self) -> u32 {
        self.codes.len() as u32 - 1
    }

    pub(crate) fn shape(&self, func: FuncId) -> &Shape {
        &self.shapes[func.index()]
    }

    /// Gives up owned arguments of a function that will not run.
    pub(crate) fn drop_args(&self, ctx: &Ctx, func: FuncId, args: &[u64]) {
        for (bits, pointer) in args.iter().zip(&self.shape(func).pointers) {
            if *pointer {
                // SAFETY: an owned pointer argument, which nobody uses any more.
                unsafe { ctx.heap.release_slot(*bits) };
            }
        }
    }

    /// Asks all users to stop after their iteration, unless somebody has asked already.
    pub fn ask_to_stop(&self, reason: &str) {
        self.stop.handle.request_once(reason);
    }

    /// Where a server listens.
    pub fn endpoint(&self, global: i64) -> Option<Endpoint> {
        self.endpoints
            .borrow()
            .iter()
            .find(|(known, _)| *known == global)
            .map(|(_, endpoint)| *endpoint)
    }

    /// Where all servers listen.
    pub(crate) fn endpoints(&self) -> Vec<(i64, Endpoint)> {
        self.endpoints.borrow().clone()
    }

    /// Notes where a server listens, or that it does no more.
    pub fn set_endpoint(&self, global: i64, endpoint: Option<Endpoint>) {
        let mut endpoints = self.endpoints.borrow_mut();
        endpoints.retain(|(known, _)| *known != global);
        endpoints.extend(endpoint.map(|endpoint| (global, endpoint)));
    }

    /// Starts a strand at a function, whose arguments are owned.
    pub(crate) fn spawn(&self, mut strand: Strand, func: FuncId, args: &[u64]) -> StrandId {
        let life = strand.life;
        self.begin(&mut strand, func, args);
        let id = self.strands.borrow_mut().insert(strand);
        self.lives.borrow_mut()[life as usize].strands += 1;
        self.queue(id);
        id
    }

    /// Starts a strand that reports to nobody, in the life of the running one.
    pub(crate) fn spawn_here(&self, func: FuncId, args: &[u64]) {
        let life = self.with_running(|strand| strand.life);
        self.spawn(Strand::new(Owner::Nobody, life), func, args);
    }

    /// The life that a strand is part of, if it has not ended.
    pub(crate) fn life_of(&self, id: StrandId) -> Option<LifeId> {
        self.strands.borrow_mut().find(id).map(|strand| strand.life)
    }

    /// Takes a share of a scenario's load.
    pub(crate) fn take_share(&self, share: Rc<Share>) {
        self.shares.borrow_mut().push(share);
        self.look_at_plans();
    }

    /// Looks at the load plans in this turn or the next.
    pub(crate) fn look_at_plans(&self) {
        self.plans_due.set(true);
    }

    /// Whether something of the load plans may be due.
    pub(crate) fn plans_are_due(&self) -> bool {
        self.plans_due.get()
    }

    /// Does what the load plans say is due.
    pub(crate) fn pump_plans(&self, ctx: &Ctx) {
        if !self.plans_due.take() {
            return;
        }
        let shares = self.shares.borrow().clone();
        for share in &shares {
            if share.pump(ctx) {
                self.look_at_plans();
            }
        }
    }

    /// Whether all users have ended and none will come.
    pub(crate) fn plans_are_over(&self) -> bool {
        self.shares.borrow().iter().all(|share| share.is_over())
    }

    /// Queues every strand, so that its future looks around.
    pub(crate) fn wake_all(&self) {
        let all = self.strands.borrow().ids();
        all.into_iter().for_each(|id| self.queue(id));
    }

    /// Pushes the first frame of a strand.
    pub(crate) fn begin(&self, strand: &mut Strand, func: FuncId, args: &[u64]) {
        let code = &self.codes[func.index()];
        debug_assert!(strand.stack.is_empty() && args.len() == self.shape(func).pointers.len());
        let pool = &mut self.pool.borrow_mut();
        strand.stack.reserve(code.reserve as usize, pool);
        let frame = strand.stack.push(func.0, code.size as usize, pool);
        // SAFETY: a function's frame has a slot for each parameter.
        unsafe { Frame::slots(frame.as_ptr()).copy_from_nonoverlapping(args.as_ptr(), args.len()) };
    }

    /// Asks for the host function that runs to be resumed at that moment, if nothing wakes it before.
    pub(crate) fn limit_to(&self, at: Nanos) {
        self.limit.set(self.limit.get().min(at.min(LAST)));
    }

    /// The running strand waits: makes sure that a timer looks at its limit in time. A timer that is early enough stays
    /// as it is, so that a limit for each request costs no timer for each request. On a virtual clock, which jumps to
    /// the next timer, there is none that is not wanted.
    pub(crate) fn set_alarm(&self) {
        let (id, limit) = (self.running.get(), self.limit.get());
        let exact = self.reactor.is_virtual();
        let set = |strand: &mut Strand| {
            strand.limit = limit;
            let (timer, at) = strand.alarm;
            if at == limit || !exact && at < limit {
                return;
            }
            if at != NEVER {
                self.reactor.remove_timer(timer);
            }
            strand.alarm = self.alarm(id, limit);
        };
        self.with_running(set);
    }

    fn alarm(&self, id: StrandId, limit: Nanos) -> (TimerId, Nanos) {
        match limit {
            NEVER => NO_ALARM,
            limit => (self.reactor.insert_timer(limit, Target::Limit(id)), limit),
        }
    }

    /// The alarm of a strand has fired: wakes it if its limit has passed, else sets the next alarm.
    pub(crate) fn look_at_limit(&self, id: StrandId, now: Nanos) {
        let mut strands = self.strands.borrow_mut();
        let Some(strand) = strands.find(id) else {
            return;
        };
        let limit = strand.limit;
        strand.alarm = match limit > now {
            true => self.alarm(id, limit),
            false => NO_ALARM,
        };
        drop(strands);
        if limit <= now {
            self.queue(id);
        }
    }

    /// Gives up what a strand that is gone has left.
    fn clear(&self, strand: &mut Strand) {
        strand.stack.free(&mut self.pool.borrow_mut());
        let (timer, at) = std::mem::replace(&mut strand.alarm, NO_ALARM);
        if at != NEVER {
            self.reactor.remove_timer(timer);
        }
    }

    /// Makes a strand lease an address.
    pub(crate) fn begin_lease(&self, strand: &mut Strand) {
        let code = self.lease_code();
        let size = self.codes[code as usize].size as usize;
        strand.stack.push(code, size, &mut self.pool.borrow_mut());
    }

    /// Removes a strand that has ended, and with it its results.
    pub(crate) fn remove_strand(&self, id: StrandId) {
        let Some(mut strand) = self.strands.borrow_mut().remove(id) else {
            return;
        };
        self.clear(&mut strand);
        self.lives.borrow_mut()[strand.life as usize].strands -= 1;
    }

    /// Whether a strand has nothing to run.
    pub(crate) fn is_at_rest(&self, id: StrandId) -> bool {
        let mut strands = self.strands.borrow_mut();
        self.running.get() != id
            && strands
                .find(id)
                .is_none_or(|strand| strand.stack.is_empty())
    }

    /// Makes a root strand whose section has ended as new; gives its life and the nanoseconds spent in `think`.
    pub(crate) fn reset_root(&self, id: StrandId) -> Option<(LifeId, i64)> {
        let mut strands = self.strands.borrow_mut();
        let strand = strands.find(id)?;
        strand
            .scopes
            .drain(..)
            .for_each(|scope| self.reactor.remove_timer(scope.timer));
        Some((strand.life, strand.start_anew()))
    }

    /// Removes the root strand of a life that is gone.
    pub(crate) fn forget_root(&self, id: StrandId) {
        if let Some(mut strand) = self.strands.borrow_mut().remove(id) {
            self.clear(&mut strand);
        }
    }

    /// Makes a strand the running one; false if it is gone or has nothing to run.
    pub(crate) fn enter_strand(&self, ctx: &Ctx, id: StrandId) -> bool {
        let mut strands = self.strands.borrow_mut();
        let Some(strand) = strands.find(id) else {
            return false;
        };
        strand.queued = false;
        if strand.stack.is_empty() {
            return false;
        }
        self.running.set(id);
        self.current.set(Some(NonNull::from(&mut *strand)));
        ctx.depth.set(strand.depth);
        let (life, interrupted) = (strand.life, strand.is_interrupted());
        drop(strands);
        let lives = self.lives.borrow();
        let user = &lives[life as usize].user;
        if !ctx.is_in_charge(user) {
            ctx.enter_user(user.clone());
        }
        drop(lives);
        self.note_interrupt(ctx, interrupted);
        true
    }

    /// The section that the running strand is part of.
    pub(crate) fn section_running(&self) -> Option<Section> {
        let mut strands = self.strands.borrow_mut();
        let life = strands.find(self.running.get())?.life;
        drop(strands);
        self.lives.borrow().get(life as usize)?.section()
    }

    /// The user of a life.
    pub(crate) fn user_of(&self, life: LifeId) -> Rc<User> {
        self.lives.borrow()[life as usize].user.clone()
    }

    /// The text with the secrets of all users as `***`.
    pub(crate) fn mask_for_nobody(&self, text: String) -> String {
        let lives = self.lives.borrow();
        lives
            .iter()
            .fold(text, |text, (_, life)| life.user.mask(&text))
    }

    /// Puts the running strand aside.
    pub(crate) fn leave_strand(&self, ctx: &Ctx) {
        self.with_running(|strand| strand.depth = ctx.depth.get());
        self.running.set(StrandId::NONE);
        self.current.set(None);
        self.interrupted.set(false);
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
    #[inline]
    pub(crate) fn with_running<R>(&self, f: impl FnOnce(&mut Strand) -> R) -> R {
        // Nobody else looks at a strand meanwhile; tests would see it.
        let _others = cfg!(debug_assertions).then(|| self.strands.borrow_mut());
        let mut strand = self.current.get().expect("scripts run on a strand");
        // SAFETY: the strand lies in its box as long as it runs, and while `f` looks at it nobody else does: whoever
        // does borrows `strands`.
        f(unsafe { strand.as_mut() })
    }

    /// The innermost frame of the running strand.
    pub(crate) fn top_frame(&self) -> *mut Frame {
        self.with_running(|strand| strand.stack.top())
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

    /// Whether a cancellation waits for a strand that the running one is a branch of, with no shield between.
    pub(crate) fn is_outer_interrupted(&self) -> bool {
        let mut strands = self.strands.borrow_mut();
        let mut at = self.running.get();
        while let Some(Owner::Join { parent, .. }) = strands.find(at).map(|strand| strand.owner) {
            match strands.find(parent) {
                Some(outer) if outer.is_interrupted() => return true,
                Some(outer) if !outer.is_shielded() => at = parent,
                _ => return false,
            }
        }
        false
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

    /// Looks for events; waits for one if `block`.
    pub(crate) fn poll(&self, ctx: &Ctx, block: bool) -> io::Result<()> {
        if !block {
            return self.reactor.poll(false, false);
        }
        self.stop.set_idle(true);
        let before = self.reactor.now();
        let polled = self
            .reactor
            .poll(true, self.inbox.jobs.load(Ordering::Acquire) == 0);
        self.stop.set_idle(false);
        let after = self.reactor.now();
        ctx.recorder().waited(after.saturating_sub(before));
        polled
    }
}
