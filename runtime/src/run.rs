//! Runs a linked program: its scenarios, its tests, or its servers alone.
//!
//! A run is led from here, section by section: params and data, servers, `setup`, then users, which lead themselves;
//! `teardown`, and the end of the servers. Everything waits by turning the driver. Enter at [`run`].

mod conductor;
mod engine;
mod gate;
mod globals;
mod pin;
mod servers;
mod tables;
mod tally;
mod threads;

pub use engine::Engine;
pub use tally::{Outcome, Tally};

use crate::ctx::{Ctx, Settings};
use crate::driver::turn;
use crate::event::{End, Event, Observer, SectionKind};
use crate::fault::Fault;
use crate::io::Reactor;
use crate::jit::PerfMap;
use crate::life::{self, Course, Led, LifeId};
use crate::link::Linked;
use crate::load::Overrides;
use crate::profile::Profile;
use crate::stop::StopHandle;
use crate::timer::{Clock, Nanos, Target};
use crate::user::{self, NOBODY, User};
use crate::watchdog::{Duty, Watchdog};
use crate::worker::Worker;
use crate::{codes, descs};
use conductor::Score;
use scn_compiler::ir::load::Load;
use scn_compiler::ir::{FuncId, Scenario, SlotType, Test};
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::Waker;
use std::time::Duration;
use std::{fmt, io};
use threads::{Crew, Message, Start};

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The scenarios of these names, all of them if there are none, side by side.
    Scenarios(Vec<String>),
    /// The tests whose name contains this text, one after another, each with servers of its own.
    Tests(Option<String>),
    /// The servers, until the run is stopped.
    Servers,
}

/// How to run it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What.
    pub what: What,
    /// Values of params as text, read by their declared types.
    pub params: Vec<(String, String)>,
    /// Seed of all randomness.
    pub seed: u64,
    /// Folder that relative file names are looked up in.
    pub base: PathBuf,
    /// Whether exchanges are reported with their text.
    pub verbose: bool,
    /// Worker threads of a load run; one for each core if not given, and no more than there are users.
    pub workers: Option<u32>,
    /// What runs scripts.
    pub engine: Engine,
    /// Whether profilers are told the names of machine code.
    pub perf_map: bool,
    /// Where samples of what scripts are at are kept, if they are wanted.
    pub profile: Option<Arc<Profile>>,
    /// Whether time jumps to the next timer when nothing else is pending.
    pub virtual_clock: bool,
    /// What the command line says about load.
    pub overrides: Overrides,
    /// How long the run may take until it is asked to stop.
    pub limit: Option<Duration>,
    /// How long it may go on after it was asked to stop, until it is cancelled.
    pub grace: Option<Duration>,
}

impl Plan {
    /// A plan without params and limits.
    pub fn new(what: What) -> Plan {
        Plan {
            what,
            params: Vec::new(),
            seed: 0,
            base: PathBuf::new(),
            verbose: false,
            workers: None,
            overrides: Overrides::default(),
            engine: Engine::default(),
            perf_map: false,
            profile: None,
            virtual_clock: false,
            limit: None,
            grace: None,
        }
    }
}

/// Why there was no run.
#[derive(Debug)]
pub enum RunError {
    /// No scenario of that name.
    UnknownScenario(String),
    /// No param of that name.
    UnknownParam(String),
    /// A param without initialiser was not given.
    MissingParam(String),
    /// The text of a param is not of its type.
    BadParam {
        /// The param.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A scenario would have a rate, but nothing says for how long.
    NoTime(String),
    /// The engine that was asked for cannot run this program.
    Engine(String),
    /// The system refuses what every run needs.
    Io(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RunError::UnknownScenario(name) => write!(f, "there is no scenario `{name}`"),
            RunError::UnknownParam(name) => write!(f, "there is no param `{name}`"),
            RunError::MissingParam(name) => write!(f, "the param `{name}` needs a value"),
            RunError::BadParam { name, why } => write!(f, "the param `{name}`: {why}"),
            RunError::NoTime(name) => {
                write!(f, "`--rate` needs to know how long scenario `{name}` lasts")
            }
            RunError::Engine(why) => write!(f, "the program cannot be compiled: {why}"),
            RunError::Io(error) => write!(f, "the system refuses to run this: {error}"),
        }
    }
}

impl std::error::Error for RunError {}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> RunError {
        RunError::Io(error)
    }
}

/// Runs a program, with load on threads of its own, else on this one. Stopping is asked for by the handle, from any
/// thread; the observer is called on this one.
pub fn run(
    linked: &Arc<Linked>,
    plan: &Plan,
    observer: &mut dyn Observer,
    stop: &StopHandle,
) -> Result<Outcome, RunError> {
    globals::check_names(linked, plan)?;
    let parts = parts(linked, plan)?;
    let is_load = parts.iter().any(|part| part.load.is_some());
    if plan.perf_map {
        linked.name_code(PerfMap::create()?);
    }
    let _running = engine::start(linked, plan.engine, is_load)?;
    if is_load {
        return conductor::conduct(linked, plan, &parts, observer, stop);
    }
    let tally = Rc::new(RefCell::new(Tally::default()));
    let sink = tally::sink(observer, tally.clone());
    let reactor = Reactor::new(clock(plan))?;
    let settings = settings(plan, false);
    let mut score = Score::new(linked, &parts);
    let live = on_this_thread(linked, settings, stop, sink, reactor, |ctx| {
        let result = Run::new(ctx, linked, plan, &parts, &tally, None).all();
        score.add(0, ctx.recorder().take(ctx.worker().reactor().now()));
        result
    })?;
    let mut outcome = tally.borrow().outcome();
    outcome.live_objects = live;
    outcome.stopped = stop.level() > 0;
    if !parts.is_empty() {
        let mut report = score.report(plan.seed, 1, stop);
        report.pools = linked.pools().reports();
        outcome.report = Some(Box::new(report));
    }
    Ok(outcome)
}

/// Makes this thread a worker for as long as `f` runs; gives the number of objects that are left.
fn on_this_thread(
    linked: &Arc<Linked>,
    settings: Settings,
    stop: &StopHandle,
    sink: Box<dyn FnMut(Event)>,
    reactor: Reactor,
    f: impl FnOnce(&Ctx) -> Result<(), RunError>,
) -> Result<u64, RunError> {
    let ctx = context(linked, settings, stop, sink, reactor);
    let entered = ctx.enter();
    let duty = Duty {
        profiles: ctx.settings().profile.is_some(),
        linked: Some(linked.clone()),
    };
    let watchdog = Watchdog::start(ctx.worker().stop.poker.clone(), duty);
    let result = f(&ctx);
    drop(watchdog);
    debug_assert_eq!(
        ctx.worker().strands.borrow().len(),
        0,
        "all strands have ended"
    );
    ctx.worker().shares.borrow_mut().clear();
    ctx.run_extensions().clear();
    let live = ctx.heap.live();
    drop(entered);
    result.map(|()| live)
}

fn clock(plan: &Plan) -> Clock {
    if plan.virtual_clock {
        Clock::Virtual(0)
    } else {
        Clock::Real
    }
}

/// What the plan says to every worker.
fn settings(plan: &Plan, is_load: bool) -> Settings {
    Settings {
        base: plan.base.clone(),
        verbose: plan.verbose,
        seed: plan.seed,
        silent: is_load && !plan.verbose,
        profile: plan.profile.clone(),
    }
}

/// A context with its worker.
fn context(
    linked: &Arc<Linked>,
    settings: Settings,
    stop: &StopHandle,
    sink: Box<dyn FnMut(Event)>,
    reactor: Reactor,
) -> Box<Ctx> {
    let ctx = Ctx::new(linked.descs.clone(), Arc::new(settings), sink);
    ctx.set_linked(linked.clone());
    let (codes, shapes) = codes::table(linked);
    let worker = Worker::new(reactor, codes, shapes, stop.clone());
    // SAFETY: the word is in the context, which drops the worker and its watch before it goes.
    unsafe { worker.stop.attach(&ctx.heap.poke) };
    ctx.set_worker(worker);
    ctx
}

/// A run under way.
struct Run<'a> {
    ctx: &'a Ctx,
    linked: &'a Arc<Linked>,
    plan: &'a Plan,
    parts: &'a [Part<'a>],
    tally: &'a RefCell<Tally>,
    /// Texts of secret params, which every user masks.
    secrets: RefCell<Vec<Rc<str>>>,
    /// When the run is asked to stop, or cancelled after that.
    limit: Cell<Option<Nanos>>,
    /// Whether the grace has begun.
    is_grace: Cell<bool>,
    /// Tests so far.
    tests: Cell<u64>,
    /// The other workers, if this one leads them.
    crew: Option<(&'a Crew<'a>, &'a Sender<Message>)>,
}

/// A scenario that takes part, with its load as the command line wants it.
struct Part<'a> {
    scenario: &'a Scenario,
    load: Option<Load>,
}

/// The scenarios that the plan names, all of them if it names none.
fn parts<'a>(linked: &'a Linked, plan: &Plan) -> Result<Vec<Part<'a>>, RunError> {
    let What::Scenarios(names) = &plan.what else {
        return Ok(Vec::new());
    };
    let all = linked.program.scenarios.iter();
    let chosen: Vec<&Scenario> = all
        .filter(|scenario| names.is_empty() || names.contains(&scenario.name))
        .collect();
    let plans: Vec<Option<Load>> = chosen
        .iter()
        .map(|scenario| scenario.load.clone())
        .collect();
    let loads = plan
        .overrides
        .apply(&plans)
        .map_err(|missing| RunError::NoTime(chosen[missing.scenario].name.clone()))?;
    let parts = chosen.into_iter().zip(loads);
    Ok(parts
        .map(|(scenario, load)| Part { scenario, load })
        .collect())
}

/// A scenario with its setup behind it.
struct Prepared<'a> {
    scenario: &'a Scenario,
    name: Arc<str>,
    /// The life of setup and teardown.
    life: LifeId,
    seed: u64,
}

impl<'a> Run<'a> {
    fn new(
        ctx: &'a Ctx,
        linked: &'a Arc<Linked>,
        plan: &'a Plan,
        parts: &'a [Part<'a>],
        tally: &'a RefCell<Tally>,
        crew: Option<(&'a Crew<'a>, &'a Sender<Message>)>,
    ) -> Run<'a> {
        Run {
            ctx,
            linked,
            plan,
            parts,
            tally,
            secrets: RefCell::default(),
            limit: Cell::new(None),
            is_grace: Cell::new(false),
            tests: Cell::new(0),
            crew,
        }
    }

    fn all(&self) -> Result<(), RunError> {
        self.arm(self.plan.limit);
        if !self.set_globals()? {
            return Ok(());
        }
        match &self.plan.what {
            What::Scenarios(_) => self.scenarios()?,
            What::Tests(filter) => self.tests(filter.as_deref())?,
            What::Servers => self.with_servers(|| {
                self.turn_until(|| self.is_stopping())?;
                Ok(())
            })?,
        }
        Ok(())
    }

    fn scenarios(&self) -> io::Result<()> {
        self.with_servers(|| {
            let mut prepared = Vec::new();
            for part in self.parts {
                prepared.extend(self.set_up(part.scenario)?);
            }
            if prepared.len() == self.parts.len() && !self.is_stopping() {
                self.users(&prepared)?;
            }
            prepared
                .iter()
                .rev()
                .try_for_each(|ready| self.tear_down(ready))
        })
    }

    /// From the first user's start to the last one's end, here and in the rest of the crew.
    fn users(&self, prepared: &[Prepared<'_>]) -> io::Result<()> {
        let start = self.start_of(prepared);
        match self.crew {
            Some((crew, messages)) => {
                crew.begin(start.clone());
                threads::work(self.ctx, (crew, messages), 0, &start)?;
                self.turn_until(|| crew.is_over())
            }
            None => {
                let shared = threads::shared(self.parts);
                threads::take_shares(self.ctx, self.parts, &start, &shared, (0, 1));
                self.turn_until(|| self.ctx.worker().plans_are_over())
            }
        }
    }

    /// What every worker must know to start its users.
    fn start_of(&self, prepared: &[Prepared<'_>]) -> Start {
        let worker = self.ctx.worker();
        let secrets = |ready: &Prepared<'_>| {
            let user = worker.user_of(ready.life);
            let secrets = user.secrets.borrow();
            secrets.iter().map(|secret| secret.to_string()).collect()
        };
        Start {
            at: worker.reactor().now() + self.crew.map_or(0, |(crew, _)| crew.lead_time()),
            seeds: prepared.iter().map(|ready| ready.seed).collect(),
            // What `setup` gives to the users may hold secrets that it has met.
            secrets: prepared.iter().map(secrets).collect(),
            endpoints: worker.endpoints(),
        }
    }

    /// Runs `setup`; nothing if it fails.
    fn set_up<'s>(&self, scenario: &'s Scenario) -> io::Result<Option<Prepared<'s>>> {
        let name: Arc<str> = scenario.name.as_str().into();
        let life = self.open(NOBODY, &name, &[]);
        let seed = match scenario.setup {
            Some(setup) => self.frozen_section(life, SectionKind::Setup, &name, setup, true)?,
            None => Some(0),
        };
        match seed {
            Some(seed) => Ok(Some(Prepared {
                scenario,
                name,
                life,
                seed,
            })),
            None => self.close(life).map(|()| None),
        }
    }

    fn tear_down(&self, ready: &Prepared<'_>) -> io::Result<()> {
        if let Some(teardown) = ready.scenario.teardown {
            let takes_seed = self.takes_argument(teardown);
            let args: &[u64] = if takes_seed { &[ready.seed] } else { &[] };
            self.section(
                ready.life,
                SectionKind::Teardown,
                &ready.name,
                teardown,
                args,
            )?;
        }
        self.close(ready.life)
    }

    fn tests(&self, filter: Option<&str>) -> io::Result<()> {
        let wanted = |test: &&Test| filter.is_none_or(|text| test.name.contains(text));
        for test in self.linked.program.tests.iter().filter(wanted) {
            if self.is_stopping() {
                break;
            }
            let name: Arc<str> = test.name.as_str().into();
            self.tally.borrow_mut().begin_test();
            self.with_servers(|| {
                let id = self.tests.replace(self.tests.get() + 1);
                let life = self.open(id, &name, &[]);
                self.section(life, SectionKind::Test, &name, test.func, &[])?;
                self.close(life)
            })?;
            self.tally.borrow_mut().end_test();
        }
        Ok(())
    }

    /// Whether users are asked to stop.
    fn is_stopping(&self) -> bool {
        life::is_run_stopping(self.ctx)
    }

    fn takes_argument(&self, func: FuncId) -> bool {
        !self.ctx.worker().shape(func).pointers.is_empty()
    }

    /// A new user with its random stream and the secrets of params.
    fn user(&self, id: u64, name: &str, cells: usize) -> Rc<User> {
        let user = User::new(id, name, user::stream(self.plan.seed, name, id), cells);
        self.secrets
            .borrow()
            .iter()
            .for_each(|secret| user.add_secret(secret));
        Rc::new(user)
    }

    /// Begins a life that is led from here.
    fn open(&self, id: u64, name: &str, cells: &[SlotType]) -> LifeId {
        let user = self.user(id, name, cells.len());
        let led = Led {
            cells: pointers(cells),
            result: None,
        };
        life::open(self.ctx, user, Course::Led(Box::new(led)))
    }

    /// Ends a life and waits until its strands have unwound.
    fn close(&self, id: LifeId) -> io::Result<()> {
        life::close(self.ctx, id);
        self.turn_until(|| !life::is_open(self.ctx, id))
    }

    /// Runs one section to its end. The results are owned.
    fn section(
        &self,
        life: LifeId,
        kind: SectionKind,
        name: &Arc<str>,
        func: FuncId,
        args: &[u64],
    ) -> io::Result<Option<[u64; 2]>> {
        life::start(self.ctx, life, kind, name, func, args);
        let result = RefCell::new(None);
        self.turn_until(|| {
            result.replace(life::take_result(self.ctx, life));
            result.borrow().is_some()
        })?;
        match result.into_inner() {
            Some((End::Done, results)) => Ok(Some(results)),
            _ => Ok(None),
        }
    }

    /// Turns the driver until `done`.
    fn turn_until(&self, done: impl Fn() -> bool) -> io::Result<()> {
        while !done() {
            turn(self.ctx, true)?;
            self.look_at_limit();
        }
        Ok(())
    }

    fn arm(&self, after: Option<Duration>) {
        let reactor = self.ctx.worker().reactor();
        let limit = after.map(|after| reactor.now().saturating_add(after.as_nanos() as u64));
        self.limit.set(limit);
        if let Some(at) = limit {
            reactor.insert_timer(at, Target::Wake(Waker::noop().clone()));
        }
    }

    /// Asks to stop when the limit is reached, and cancels when the grace is over that began when anyone asked.
    fn look_at_limit(&self) {
        let stop = &self.ctx.worker().stop.handle;
        if self
            .limit
            .get()
            .is_some_and(|limit| limit <= self.ctx.worker().reactor().now())
        {
            self.limit.set(None);
            stop.request();
        }
        if stop.level() == 1 && !self.is_grace.replace(true) {
            self.arm(self.plan.grace);
        }
    }
}

/// Which cells hold pointers.
fn pointers(cells: &[SlotType]) -> Rc<[bool]> {
    cells.iter().map(|cell| descs::is_pointer(*cell)).collect()
}

/// An error of the run itself, reported as a section's.
fn failed(ctx: &Ctx, kind: SectionKind, name: &Arc<str>, fault: Fault) {
    let section = crate::event::Section {
        kind,
        name: name.clone(),
        user: NOBODY,
        iteration: 0,
    };
    ctx.emit(Event::SectionEnd {
        section,
        nanos: 0,
        end: End::Failed(fault),
    });
}
