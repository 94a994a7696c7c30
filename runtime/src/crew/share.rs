//! A worker's share of a scenario's load: it takes the schedule's actions when they are due, and knows the users.
//!
//! What a user does between its sections is in `life`; when things are due is the schedule's. Enter at [`Share::pump`].

use super::shared::Shared;
use crate::ctx::Ctx;
use crate::life::{self, LifeId};
use crate::load::{DEFAULT_MAX_USERS, Schedule, What};
use crate::metrics::ContextId;
use crate::pool::Pools;
use crate::timer::{LAST, Nanos, Target, TimerId};
use crate::user::User;
use crate::waker::StrandId;
use crate::worker::Worker;
use scn_compiler::ir::load::{Load, Stage};
use scn_compiler::ir::{FuncId, GlobalId, Scenario};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
use std::rc::Rc;
use std::sync::Arc;

/// Actions between two looks at the sockets.
const BATCH: u32 = 32;

/// How long a running iteration may go on at the end of a load, unless the plan says so.
const GRACE: Nanos = 30_000_000_000;

/// Which part of a scenario's users is this worker's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    /// The worker.
    pub worker: u64,
    /// Workers.
    pub workers: u64,
    /// The scenario among those that run.
    pub scenario: u64,
    /// Scenarios that run.
    pub scenarios: u64,
}

/// What every user of a scenario has in common.
pub(crate) struct Cast {
    /// The scenario's name.
    pub name: Arc<str>,
    /// The same for users.
    pub user_name: Rc<str>,
    /// `init`, `each` and `exit`.
    pub sections: [Option<FuncId>; 3],
    /// The value of `setup`, immortal; passed to sections that have a parameter.
    pub seed: u64,
    /// Which of the user's cells hold pointers.
    pub cells: Rc<[bool]>,
    /// Texts that every user masks.
    pub secrets: Vec<Rc<str>>,
    /// The seed of the run's randomness.
    pub random: u64,
    /// Where samples of users belong: of the scenario, then of each phase.
    contexts: Vec<ContextId>,
    /// Where their addresses come from, likewise.
    sources: Vec<Option<GlobalId>>,
    pools: Arc<Pools>,
}

impl Cast {
    /// What the users of a scenario share on a worker.
    pub fn new(
        ctx: &Ctx,
        scenario: &Scenario,
        load: Option<&Load>,
        seed: u64,
        secrets: Vec<Rc<str>>,
    ) -> Cast {
        let pointer = |cell: &_| crate::descs::is_pointer(*cell);
        let own = std::iter::once(&[][..]);
        let stages = load.map_or(&[][..], |load| &load.stages);
        let phases = stages.iter().filter_map(|stage| match stage {
            Stage::Spawn { tags, .. } => Some(tags.as_slice()),
            _ => None,
        });
        let sources = stages.iter().filter_map(|stage| match stage {
            Stage::Spawn { pool, .. } => Some(pool.or(scenario.source)),
            _ => None,
        });
        let context = |more: &[(String, String)]| {
            // A phase's tag takes the place of the scenario's of the same name.
            let kept = scenario.tags.iter();
            let kept = kept.filter(|(name, _)| more.iter().all(|(other, _)| other != name));
            let tags: Vec<(String, String)> = kept.chain(more).cloned().collect();
            ctx.recorder().context(&scenario.name, &tags)
        };
        Cast {
            name: scenario.name.as_str().into(),
            user_name: scenario.name.as_str().into(),
            sections: [scenario.init, scenario.each, scenario.exit],
            seed,
            cells: scenario.cells.iter().map(pointer).collect(),
            secrets,
            random: ctx.settings().seed,
            contexts: own.chain(phases).map(context).collect(),
            sources: std::iter::once(scenario.source).chain(sources).collect(),
            pools: ctx.linked().pools().clone(),
        }
    }

    /// Where samples of a phase's users belong.
    fn context(&self, phase: Option<u32>) -> ContextId {
        let place = phase.map_or(0, |phase| phase as usize + 1);
        self.contexts.get(place).copied().unwrap_or_default()
    }

    /// The arguments of a section.
    pub fn args_of(&self, worker: &Worker, section: FuncId) -> &[u64] {
        match worker.shape(section).pointers.is_empty() {
            true => &[],
            false => std::slice::from_ref(&self.seed),
        }
    }

    /// The pool of a phase's users.
    fn source(&self, phase: Option<u32>) -> Option<GlobalId> {
        let place = phase.map_or(0, |phase| phase as usize + 1);
        self.sources.get(place).copied().flatten()
    }
}

/// A user that is to come up.
#[derive(Clone, Copy, Debug)]
struct Start {
    /// Of a closed plan: which start it is, and a successor of.
    index: u64,
    at: Nanos,
    phase: Option<u32>,
    /// Whether it is for an arrival's iteration.
    arrival: bool,
}

/// A user of a closed plan.
#[derive(Clone, Copy, Debug)]
struct Slot {
    user: StrandId,
    /// The phase that it came up in.
    phase: Option<u32>,
}

/// What a user is there for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    /// Of a closed plan: the start that it came up by.
    pub start: u64,
    /// Of an open plan: the arrival that it came up for, until its iteration begins.
    pub arrival: Option<Nanos>,
}

/// See above.
pub(crate) struct Share {
    /// What users have in common.
    pub cast: Cast,
    /// The plan.
    pub plan: Load,
    /// What workers have in common.
    pub shared: Arc<Shared>,
    /// Whether iterations start on schedule whatever the responses do.
    pub open: bool,
    lane: Lane,
    origin: Nanos,
    schedule: RefCell<Peekable<Schedule>>,
    ends: Cell<Nanos>,
    grace: Nanos,
    max: u64,
    alive: Cell<u64>,
    numbers: Cell<u64>,
    /// When the last action was due.
    acted: Cell<Nanos>,
    stopping: Cell<bool>,
    /// Users of a closed plan by their start.
    slots: RefCell<HashMap<u64, Slot>>,
    /// Users of an open plan that have nothing to do.
    free: RefCell<Vec<LifeId>>,
    /// Users for whom the ceiling leaves no room yet.
    waiting: RefCell<VecDeque<Start>>,
    /// When users that were asked to stop are cancelled, in order.
    leaving: RefCell<VecDeque<(Nanos, StrandId)>>,
    timer: Cell<Option<(Nanos, TimerId)>>,
}

impl Share {
    /// The share of a worker in a scenario that starts at `start`.
    pub fn new(
        cast: Cast,
        plan: Option<&Load>,
        shared: Arc<Shared>,
        lane: Lane,
        start: Nanos,
    ) -> Share {
        let has_plan = plan.is_some();
        let plan = plan.cloned().unwrap_or_else(|| Load {
            iterations_per_user: Some(1),
            ..Load::default()
        });
        let open = matches!(plan.stages.first(), Some(Stage::Arrivals { .. }));
        let max = plan
            .max_users
            .unwrap_or(if open { DEFAULT_MAX_USERS } else { u64::MAX });
        // Fewer users than workers: the others have nothing to do, or a user's worth of arrivals would be lost.
        let lane = Lane {
            workers: lane.workers.min(max),
            ..lane
        };
        let origin = start.saturating_add(plan.start_at);
        let schedule = Schedule::new(&plan, cast.random);
        let ends = schedule
            .end()
            .map_or(LAST, |end| origin.saturating_add(end));
        let grace = plan
            .graceful_stop
            .unwrap_or(if has_plan { GRACE } else { LAST });
        Share {
            open,
            lane,
            origin,
            ends: Cell::new(ends),
            grace,
            max: part(max, lane),
            schedule: RefCell::new(schedule.peekable()),
            alive: Cell::new(0),
            numbers: Cell::new(0),
            acted: Cell::new(Nanos::MAX),
            stopping: Cell::new(false),
            slots: RefCell::default(),
            free: RefCell::default(),
            waiting: RefCell::default(),
            leaving: RefCell::default(),
            timer: Cell::new(None),
            cast,
            plan,
            shared,
        }
    }

    /// Does what is due; true if more is.
    pub fn pump(self: &Rc<Self>, ctx: &Ctx) -> bool {
        let now = ctx.worker().reactor().now();
        if life::is_run_stopping(ctx) {
            self.stop(ctx, now);
        }
        // What was due before the end is done first, however late it is.
        let more = self.act(ctx, now);
        let ends = self.ends.get();
        if ends <= now && (!more || ends.saturating_add(self.grace) <= now) {
            self.give_up_arrivals(ctx);
            self.stop(ctx, ends);
        }
        let more = more && !self.stopping.get();
        self.cut_off(ctx, now);
        if !more {
            self.arm(ctx);
        }
        more
    }

    /// Takes the actions that are due.
    fn act(self: &Rc<Self>, ctx: &Ctx, now: Nanos) -> bool {
        for _ in 0..BATCH {
            let Some((at, index, what)) = self.take_due(now) else {
                return false;
            };
            // Nobody can start many at the same instant: of such a burst the first one tells how late it was.
            if !matches!(what, What::Stop) && self.acted.replace(at) != at {
                ctx.recorder().lag(now, now.saturating_sub(at));
            }
            match what {
                What::Start => self.start(
                    ctx,
                    Start {
                        index,
                        at,
                        phase: None,
                        arrival: false,
                    },
                ),
                What::Spawn(phase) => self.start(
                    ctx,
                    Start {
                        index,
                        at,
                        phase: Some(phase),
                        arrival: false,
                    },
                ),
                What::Arrive => self.arrive(ctx, at),
                What::Stop => {
                    let user = self.slots.borrow_mut().remove(&index);
                    user.into_iter()
                        .for_each(|slot| self.dismiss(ctx, slot.user, now));
                }
            }
        }
        self.next_action().is_some_and(|at| at <= now)
    }

    fn take_due(&self, now: Nanos) -> Option<(Nanos, u64, What)> {
        self.next_action().filter(|at| *at <= now)?;
        let action = self.schedule.borrow_mut().next()?;
        Some((
            self.origin.saturating_add(action.at),
            action.index,
            action.what,
        ))
    }

    /// When this worker's next action before the end is due.
    fn next_action(&self) -> Option<Nanos> {
        if self.stopping.get() {
            return None;
        }
        let mut schedule = self.schedule.borrow_mut();
        let Lane {
            worker, workers, ..
        } = self.lane;
        if worker >= workers {
            return None;
        }
        while schedule.peek()?.index % workers != worker {
            schedule.next();
        }
        schedule
            .peek()
            .map(|action| self.origin.saturating_add(action.at))
            .filter(|at| *at < self.ends.get())
    }

    /// Starts a user, as soon as there is room.
    fn start(self: &Rc<Self>, ctx: &Ctx, start: Start) {
        if self.alive.get() >= self.max {
            self.waiting.borrow_mut().push_back(start);
            return;
        }
        self.alive.set(self.alive.get() + 1);
        ctx.recorder().user_started(self.cast.context(start.phase));
        let number = match self.open || self.plan.fresh_users {
            true => self.next_number(),
            false => start.index,
        };
        let user = self.user(number, start.phase);
        let part = Part {
            start: start.index,
            arrival: start.arrival.then_some(start.at),
        };
        let root = life::open_user(ctx, user, self, part);
        if !self.open {
            let slot = Slot {
                user: root,
                phase: start.phase,
            };
            self.slots.borrow_mut().insert(start.index, slot);
        }
    }

    fn user(&self, number: u64, phase: Option<u32>) -> Rc<User> {
        let number = number * self.lane.scenarios + self.lane.scenario;
        let stream = crate::user::stream(self.cast.random, &self.cast.user_name, number);
        let mut user = User::new(
            number,
            self.cast.user_name.clone(),
            stream,
            self.cast.cells.len(),
        );
        user.shared = Some(self.shared.clone());
        user.context.set(self.cast.context(phase));
        if let Some(pool) = self.cast.source(phase) {
            user.source.set(&self.cast.pools, pool);
        }
        user.secrets
            .borrow_mut()
            .extend(self.cast.secrets.iter().cloned());
        Rc::new(user)
    }

    /// Numbers of users that no schedule gives.
    fn next_number(&self) -> u64 {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        self.lane.worker + self.lane.workers * number
    }

    /// An iteration of an open model is due.
    fn arrive(self: &Rc<Self>, ctx: &Ctx, at: Nanos) {
        let free = self.free.borrow_mut().pop();
        match free {
            _ if !self.shared.take_iteration() => self.ends.set(at),
            Some(user) => life::iterate(ctx, user, at),
            None if self.alive.get() < self.max => self.start(
                ctx,
                Start {
                    index: 0,
                    at,
                    phase: None,
                    arrival: true,
                },
            ),
            None => ctx.recorder().dropped(self.cast.context(None), false),
        }
    }

    /// The grace has passed, and the worker has not come to these arrivals, whoever is free.
    fn give_up_arrivals(&self, ctx: &Ctx) {
        while self
            .take_due(LAST)
            .is_some_and(|(.., what)| what == What::Arrive)
        {
            ctx.recorder().dropped(self.cast.context(None), true);
        }
    }

    /// The end of the plan, or the run is asked to stop.
    fn stop(&self, ctx: &Ctx, now: Nanos) {
        if self.stopping.replace(true) {
            return;
        }
        self.waiting.borrow_mut().clear();
        self.slots.borrow_mut().clear();
        self.free.borrow_mut().clear();
        for user in life::users_of(ctx, self) {
            self.dismiss(ctx, user, now);
        }
    }

    /// Asks a user to stop, and cancels it when the grace is over.
    fn dismiss(&self, ctx: &Ctx, user: StrandId, now: Nanos) {
        let deadline = now.saturating_add(self.grace);
        if life::dismiss(ctx, user) && deadline < LAST {
            self.leaving.borrow_mut().push_back((deadline, user));
        }
    }

    fn cut_off(&self, ctx: &Ctx, now: Nanos) {
        while let Some((_, user)) = self.next_leaving().filter(|(at, _)| *at <= now) {
            self.leaving.borrow_mut().pop_front();
            life::cut_off(ctx, user);
        }
    }

    fn next_leaving(&self) -> Option<(Nanos, StrandId)> {
        self.leaving.borrow().front().copied()
    }

    /// Makes the worker look here again when something is due.
    fn arm(&self, ctx: &Ctx) {
        let ends = (!self.stopping.get()).then(|| self.ends.get());
        let leaving = self.next_leaving().map(|(at, _)| at);
        let next = [self.next_action(), ends, leaving]
            .into_iter()
            .flatten()
            .min();
        let next = next.filter(|at| *at < LAST && !self.is_over());
        if self.timer.get().map(|(at, _)| at) == next {
            return;
        }
        let reactor = ctx.worker().reactor();
        if let Some((_, timer)) = self.timer.take() {
            reactor.remove_timer(timer);
        }
        let timer = next.map(|at| (at, reactor.insert_timer(at, Target::Plan)));
        self.timer.set(timer);
    }

    /// A user has nothing to do until the next arrival.
    pub fn is_free(&self, user: LifeId) {
        self.free.borrow_mut().push(user);
    }

    /// A user has ended; one that waits for room comes up. `fresh users` of a closed plan follow each other.
    pub fn user_ended(self: &Rc<Self>, ctx: &Ctx, user: &User, start: u64, successor: bool) {
        self.alive.set(self.alive.get() - 1);
        ctx.recorder().user_ended(user.context.get());
        let slot = self.slots.borrow_mut().remove(&start);
        let now = ctx.worker().reactor().now();
        let follows = successor
            && !self.stopping.get()
            && !self.has_ended_by(now)
            && self.shared.has_iterations();
        if let Some(slot) = slot.filter(|_| follows) {
            let next = Start {
                index: start,
                at: now,
                phase: slot.phase,
                arrival: false,
            };
            self.start(ctx, next);
        }
        let next = (self.alive.get() < self.max)
            .then(|| self.waiting.borrow_mut().pop_front())
            .flatten();
        next.into_iter().for_each(|start| self.start(ctx, start));
        if self.alive.get() == 0 {
            self.skip_stops();
            ctx.worker().look_at_plans();
        }
    }

    /// Whether the plan is over at that moment, at which users begin nothing more.
    pub fn has_ended_by(&self, at: Nanos) -> bool {
        self.ends.get() <= at
    }

    /// Nobody is left whom the coming stops would concern.
    fn skip_stops(&self) {
        let mut schedule = self.schedule.borrow_mut();
        while schedule
            .next_if(|action| matches!(action.what, What::Stop))
            .is_some()
        {}
    }

    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.alive.get() == 0
            && self.waiting.borrow().is_empty()
            && (self.stopping.get() || self.next_action().is_none())
    }
}

/// A worker's part of a ceiling.
fn part(max: u64, lane: Lane) -> u64 {
    if max == u64::MAX || lane.worker >= lane.workers {
        return max;
    }
    (max + lane.workers - 1 - lane.worker) / lane.workers
}
