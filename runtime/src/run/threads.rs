//! The threads of a load run: what they share, how they start together, what each does.
//!
//! Worker 0 leads: it runs params, servers, `setup` and `teardown` as well; see `Run::users`. Enter at [`Crew`].

use super::gate::Gate;
use super::tables::Tables;
use super::{Part, Plan, Run, RunError, on_this_thread, settings};
use crate::crew::{Cast, Lane, Share, Shared};
use crate::ctx::Ctx;
use crate::driver::turn;
use crate::event::Event;
use crate::link::Linked;
use crate::metrics::Interval;
use crate::run::tally::Tally;
use crate::stop::StopHandle;
use crate::timer::{Nanos, Target};
use crate::waker::Inbox;
use crate::worker::Endpoint;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// How often a worker hands over what it has measured, in nanoseconds.
const INTERVAL: Nanos = 1_000_000_000;

/// From the decision to start until the start, so that every worker is there, in nanoseconds.
const LEAD_TIME: Nanos = 5_000_000;

/// How long a worker on the virtual clock waits for the conductor, at the most.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a worker tells the conductor.
pub(super) enum Message {
    /// Something that is told in any case.
    Event(Event),
    /// What a worker has measured in an interval, and whether it is its last one.
    Interval(u32, Box<Interval>, bool),
    /// A worker has ended; so many objects were left, and there is nothing after this.
    Ended(Result<u64, RunError>),
}

/// What every worker must know to start its users.
#[derive(Clone, Debug)]
pub(super) struct Start {
    /// The instant that the plans count from.
    pub at: Nanos,
    /// The values of `setup`, immortal.
    pub seeds: Vec<u64>,
    /// Texts that the users of each scenario mask.
    pub secrets: Vec<Vec<String>>,
    /// Where servers listen.
    pub endpoints: Vec<(i64, Endpoint)>,
}

/// What the threads of a run share.
pub(super) struct Crew<'a> {
    pub linked: &'a Arc<Linked>,
    pub plan: &'a Plan,
    pub parts: &'a [Part<'a>],
    pub stop: &'a StopHandle,
    pub workers: u32,
    pub tables: Tables,
    shared: Vec<Arc<Shared>>,
    /// Nothing until the lead has decided; then the start, or that there is none.
    start: Mutex<Option<Option<Start>>>,
    decided: Condvar,
    /// Workers whose users have not all ended.
    working: AtomicUsize,
    lead: OnceLock<Arc<Inbox>>,
    /// Seconds that the conductor has ended.
    ticks: Mutex<u64>,
    ticked: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What workers share of each scenario.
pub(super) fn shared(parts: &[Part<'_>]) -> Vec<Arc<Shared>> {
    let parts = parts.iter();
    parts
        .map(|part| Arc::new(Shared::new(part.load.as_ref())))
        .collect()
}

impl<'a> Crew<'a> {
    /// A crew that has not begun.
    pub fn new(
        linked: &'a Arc<Linked>,
        plan: &'a Plan,
        parts: &'a [Part<'a>],
        stop: &'a StopHandle,
        (workers, tables): (u32, Tables),
    ) -> Crew<'a> {
        Crew {
            tables,
            shared: shared(parts),
            linked,
            plan,
            parts,
            stop,
            workers,
            start: Mutex::new(None),
            decided: Condvar::new(),
            working: AtomicUsize::new(workers as usize),
            lead: OnceLock::new(),
            ticks: Mutex::new(0),
            ticked: Condvar::new(),
        }
    }

    /// From the decision to start until the start.
    pub fn lead_time(&self) -> Nanos {
        if self.plan.virtual_clock {
            0
        } else {
            LEAD_TIME
        }
    }

    /// The conductor has ended a second.
    pub fn tick(&self) {
        *lock(&self.ticks) += 1;
        self.ticked.notify_all();
    }

    /// On the virtual clock seconds pass faster than the conductor hears of them: each is waited for, so that what it
    /// decides has its time.
    fn keep_step(&self, seconds: u64) {
        if self.plan.virtual_clock {
            let ticks = lock(&self.ticks);
            let late = |ticks: &mut u64| *ticks < seconds;
            drop(self.ticked.wait_timeout_while(ticks, PATIENCE, late));
        }
    }

    /// Lets all workers start their users.
    pub fn begin(&self, start: Start) {
        self.decide(Some(start));
    }

    /// Says that there are no users to start, unless they were started.
    pub fn decide(&self, start: Option<Start>) {
        lock(&self.start).get_or_insert(start);
        self.decided.notify_all();
    }

    /// Waits until the lead has decided.
    fn decision(&self) -> Option<Start> {
        let mut start = lock(&self.start);
        loop {
            match &*start {
                Some(decision) => return decision.clone(),
                None => {
                    start = self
                        .decided
                        .wait(start)
                        .unwrap_or_else(PoisonError::into_inner)
                }
            }
        }
    }

    /// Whether the users of all workers have ended.
    pub fn is_over(&self) -> bool {
        self.working.load(Ordering::Acquire) == 0
    }

    /// The users of a worker have ended, or never were.
    pub fn users_ended(&self) {
        self.working.fetch_sub(1, Ordering::AcqRel);
        if let Some(lead) = self.lead.get() {
            lead.notify();
        }
    }

    /// Holds back a flood of lines; a verbose run wants them all.
    fn gated(&self, out: impl Fn(Event) + 'static) -> Box<dyn FnMut(Event)> {
        if self.plan.verbose || self.plan.virtual_clock {
            return Box::new(out);
        }
        let mut gate = Gate::new(out);
        Box::new(move |event| gate.pass(event))
    }

    /// A worker's thread from beginning to end.
    pub fn run_worker(&self, worker: u32, messages: &Sender<Message>) -> Result<u64, RunError> {
        super::pin::to_core(worker, self.workers);
        let sink = {
            let messages = messages.clone();
            // The conductor listens until all workers have ended.
            let out = move |event| drop(messages.send(Message::Event(event)));
            self.gated(out)
        };
        match worker {
            0 => {
                let result = self.lead(sink, messages);
                self.decide(None);
                result
            }
            _ => self.follow(worker, sink, messages),
        }
    }

    fn lead(
        &self,
        sink: Box<dyn FnMut(Event)>,
        messages: &Sender<Message>,
    ) -> Result<u64, RunError> {
        let tally = RefCell::new(Tally::default());
        let reactor = self.tables.enter(super::clock(self.plan))?;
        let settings = settings(self.plan, true);
        on_this_thread(self.linked, settings, self.stop, sink, reactor, |ctx| {
            // Set once, by the only lead.
            let _ = self.lead.set(ctx.worker().inbox.clone());
            Run::new(
                ctx,
                self.linked,
                self.plan,
                self.parts,
                &tally,
                Some((self, messages)),
            )
            .all()
        })
    }

    fn follow(
        &self,
        worker: u32,
        sink: Box<dyn FnMut(Event)>,
        messages: &Sender<Message>,
    ) -> Result<u64, RunError> {
        let entered = self.tables.enter(super::clock(self.plan));
        let Some(start) = self.decision() else {
            return Ok(0);
        };
        let settings = settings(self.plan, true);
        let result = entered.map_err(RunError::from).and_then(|reactor| {
            reactor.go_on_from(start.at);
            on_this_thread(self.linked, settings, self.stop, sink, reactor, |ctx| {
                for (global, endpoint) in &start.endpoints {
                    ctx.worker().set_endpoint(*global, Some(*endpoint));
                }
                Ok(work(ctx, (self, messages), worker, &start)?)
            })
        });
        if result.is_err() {
            // Its users never were: nobody is to wait for them.
            self.users_ended();
        }
        result
    }
}

/// A worker's users, from the first start to the last end.
pub(super) fn work(
    ctx: &Ctx,
    (crew, messages): (&Crew<'_>, &Sender<Message>),
    worker: u32,
    start: &Start,
) -> io::Result<()> {
    let lane = (worker, crew.workers);
    take_shares(ctx, crew.parts, start, &crew.shared, lane);
    let reactor = ctx.worker().reactor();
    let (mut due, mut seconds) = (start.at, 0);
    loop {
        due += INTERVAL;
        let timer = reactor.insert_timer(due, Target::Wake(Waker::noop().clone()));
        while reactor.now() < due && !ctx.worker().plans_are_over() {
            turn(ctx, true)?;
        }
        reactor.remove_timer(timer);
        let interval = Box::new(ctx.recorder().take(reactor.now()));
        let last = ctx.worker().plans_are_over();
        // The conductor listens until all workers have ended.
        let _ = messages.send(Message::Interval(worker, interval, last));
        if last {
            crew.users_ended();
            return Ok(());
        }
        seconds += 1;
        crew.keep_step(seconds);
    }
}

/// Takes a worker's shares of all scenarios.
pub(super) fn take_shares(
    ctx: &Ctx,
    parts: &[Part<'_>],
    start: &Start,
    shared: &[Arc<Shared>],
    (worker, workers): (u32, u32),
) {
    ctx.recorder().begin(start.at);
    for (at, part) in parts.iter().enumerate() {
        let secrets = start.secrets[at].iter();
        let secrets: Vec<Rc<str>> = secrets.map(|text| text.as_str().into()).collect();
        let cast = Cast::new(
            ctx,
            part.scenario,
            part.load.as_ref(),
            start.seeds[at],
            secrets,
        );
        let lane = Lane {
            worker: worker.into(),
            workers: workers.into(),
            scenario: at as u64,
            scenarios: parts.len() as u64,
        };
        let load = part.load.as_ref();
        let share = Share::new(cast, load, shared[at].clone(), lane, start.at);
        ctx.worker().take_share(Rc::new(share));
    }
}
