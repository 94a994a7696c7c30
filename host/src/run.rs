//! Runs a component: compiled once, as many instances as are wanted, what they print handed on by the calling thread.
//!
//! Enter at [`run`].

use crate::engine::{Host, MOST_INSTANCES, engine_of};
use crate::error::HostError;
use crate::gate::{Denied, Gate};
use crate::output::{Line, Lines, Stream};
use crate::settings::Settings;
use crate::state::State;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use wasmtime::component::Component;
use wasmtime::{Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;

/// So many lines may wait to be read before who prints has to wait.
const WAITING_LINES: usize = 1024;

/// How long a component that listens may take to end by itself when its time is over.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody who is cut off may take to give way, before it is left behind.
const GRACE: Duration = Duration::from_secs(1);

/// Frames of a trap that are told.
const MOST_FRAMES: usize = 8;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Ran {
    /// How each instance ended.
    pub ended: Vec<Ended>,
    /// What they wanted and were not granted.
    pub denied: Vec<Denied>,
    /// How long compiling took.
    pub compiled: Duration,
    /// The most bytes of memory of one instance.
    pub memory: usize,
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with the status of a process.
    Status(u8),
    /// By an error of its own machine: what it was, and the functions that led there, innermost first.
    Trap {
        /// What happened.
        why: String,
        /// Names of functions.
        frames: Vec<String>,
        /// Whether it had been refused memory.
        refused_memory: bool,
    },
    /// By itself, when it was told that its time was over.
    Late(Duration),
    /// Cut off, because its time was over.
    TimedOut(Duration),
    /// Because somebody asked for it.
    Stopped,
}

impl Ended {
    /// Whether it ended by itself.
    pub fn is_status(&self) -> bool {
        matches!(self, Ended::Status(_))
    }

    /// Whether it ended well.
    pub fn is_good(&self) -> bool {
        *self == Ended::Status(0)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ended::Status(status) => write!(f, "it ended with status {status}"),
            Ended::Trap {
                why,
                frames,
                refused_memory,
            } => {
                f.write_str(why)?;
                if *refused_memory {
                    f.write_str(", after it had been refused memory")?;
                }
                if let Some(first) = frames.first() {
                    write!(f, " (in {first}")?;
                    for frame in &frames[1..] {
                        write!(f, ", called from {frame}")?;
                    }
                    f.write_str(")")?;
                }
                Ok(())
            }
            Ended::Late(limit) => write!(f, "its time of {limit:?} was over"),
            Ended::TimedOut(limit) => write!(f, "it took longer than {limit:?}"),
            Ended::Stopped => f.write_str("it was stopped"),
        }
    }
}

/// Who reads what components print.
pub trait Hear {
    /// A line that one of them printed.
    fn line(&mut self, line: Line);

    /// They have printed nothing else so far.
    fn idle(&mut self) {}
}

impl<F: FnMut(Line)> Hear for F {
    fn line(&mut self, line: Line) {
        self(line);
    }
}

/// Runs a component to the end of all its instances. Each line that they print is handed over where this is called.
pub fn run(bytes: &[u8], settings: &Settings, hearer: &mut dyn Hear) -> Result<Ran, HostError> {
    if settings.instances > MOST_INSTANCES {
        return Err(HostError::TooMany(MOST_INSTANCES));
    }
    let host = engine_of(settings).map_err(HostError::System)?;
    let start = Instant::now();
    let component = compile(host, bytes)?;
    let compiled = start.elapsed();
    let command = link(host, &component)?;
    let runtime = runtime(settings.instances).map_err(|e| HostError::System(e.to_string()))?;
    let tls = settings.roots.connector().map_err(HostError::System)?;
    let gate = Arc::new(Gate::new(settings.grants.clone()));
    let (sender, receiver) = sync_channel(WAITING_LINES);
    let now = Instant::now();
    let given = Given {
        settings: settings.clone(),
        command,
        gate: gate.clone(),
        tls,
        deadline: settings.time.and_then(|limit| now.checked_add(limit)),
    };
    let instances = given.start(&runtime, &sender);
    drop(sender);
    let left = Listener {
        given: &given,
        cut: None,
    }
    .hear(&receiver, hearer);
    let mut ran = Ran {
        ended: Vec::new(),
        denied: gate.denied(),
        compiled,
        memory: 0,
    };
    for instance in instances {
        if left && !instance.is_finished() {
            ran.ended.push(given.cut_off());
            continue;
        }
        let (ended, memory) = runtime
            .block_on(instance)
            .map_err(|error| HostError::System(error.to_string()))?;
        ran.ended.push(ended);
        ran.memory = ran.memory.max(memory);
    }
    // What still blocks is a name being looked up: nobody waits for the answer.
    runtime.shutdown_background();
    Ok(ran)
}

/// Hands on lines, where the run was called.
struct Listener<'g> {
    given: &'g Given,
    /// Since when everything is to be cut off.
    cut: Option<Instant>,
}

impl Listener<'_> {
    /// Ends when the last instance is gone, with its streams; or, with true, when one does not give way that said it
    /// would.
    fn hear(mut self, lines: &Receiver<Line>, hearer: &mut dyn Hear) -> bool {
        loop {
            // One that prints without end leaves room for the rest of this loop, too.
            for line in lines.try_iter().take(WAITING_LINES) {
                hearer.line(line);
            }
            hearer.idle();
            match lines.recv_timeout(GRACE) {
                Ok(line) => hearer.line(line),
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.has_lost_patience() {
                return true;
            }
        }
    }

    fn has_lost_patience(&mut self) -> bool {
        if !self.given.settings.yields || !self.given.is_cut() {
            return false;
        }
        self.cut.get_or_insert_with(Instant::now).elapsed() >= GRACE
    }
}

fn compile(host: &Host, bytes: &[u8]) -> Result<Component, HostError> {
    Component::from_binary(&host.engine, bytes)
        .map_err(|error| HostError::NotAComponent(innermost(&error)))
}

/// Finds what the component imports and its `run`.
fn link(host: &Host, component: &Component) -> Result<CommandPre<State>, HostError> {
    let types = component.component_type();
    let missing: Vec<String> = types
        .imports(&host.engine)
        .map(|(name, _)| name.to_owned())
        .filter(|name| !is_known(name))
        .collect();
    if !missing.is_empty() {
        return Err(HostError::Missing(missing));
    }
    let exports: Vec<String> = types
        .exports(&host.engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    if !exports.iter().any(|name| name.starts_with("wasi:cli/run@")) {
        return Err(HostError::NoRun(exports));
    }
    let linked = host.linker.instantiate_pre(component);
    linked
        .and_then(CommandPre::new)
        .map_err(|error| HostError::Unlinkable(format!("{error:#}")))
}

/// Whether an import is of a package that this host has.
fn is_known(import: &str) -> bool {
    const PACKAGES: [&str; 8] = [
        "wasi:io/",
        "wasi:clocks/",
        "wasi:random/",
        "wasi:filesystem/",
        "wasi:sockets/",
        "wasi:cli/",
        "wasi:http/",
        "wasi:tls/",
    ];
    PACKAGES.iter().any(|package| import.starts_with(package))
}

fn runtime(instances: u32) -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Builder::new_multi_thread()
        .worker_threads(cores.min(instances.max(1) as usize))
        .enable_all()
        .build()
}

/// What all instances share.
#[derive(Clone)]
struct Given {
    settings: Settings,
    command: CommandPre<State>,
    gate: Arc<Gate>,
    tls: TlsConnector,
    deadline: Option<Instant>,
}

impl Given {
    fn start(
        &self,
        runtime: &Runtime,
        sender: &SyncSender<Line>,
    ) -> Vec<JoinHandle<(Ended, usize)>> {
        (0..self.settings.instances.max(1))
            .map(|instance| {
                let streams = [Stream::Out, Stream::Err]
                    .map(|stream| Lines::new(instance, stream, sender.clone()));
                runtime.spawn(self.clone().instance(instance, streams))
            })
            .collect()
    }

    /// The life of one instance.
    async fn instance(self, instance: u32, streams: [Lines; 2]) -> (Ended, usize) {
        let state = State::new(
            &self.settings,
            instance,
            &self.gate,
            &self.tls,
            streams.clone(),
        );
        let mut store = Store::new(self.command.engine(), state);
        store.limiter(|state| &mut state.limits);
        if !self.settings.yields {
            store.set_epoch_deadline(1);
            store.epoch_deadline_async_yield_and_update(1);
        }
        // A component with many sockets must not be told by the scheduler's budget that none is ready.
        let ended = tokio::task::unconstrained(self.until_end(&mut store)).await;
        for stream in &streams {
            stream.finish();
        }
        (ended, store.data().limits.used())
    }

    /// When whoever still runs is cut off.
    fn last_instant(&self) -> Option<Instant> {
        let patience = match self.settings.listens {
            true => PATIENCE,
            false => Duration::ZERO,
        };
        self.deadline?.checked_add(patience)
    }

    /// Whether whoever still runs is to be cut off.
    fn is_cut(&self) -> bool {
        let stop = &self.settings.stop;
        let is_late = self.last_instant().is_some_and(|at| at <= Instant::now());
        is_late || stop.is_cut(self.settings.listens)
    }

    /// How an instance ended that was cut off.
    fn cut_off(&self) -> Ended {
        match self.settings.stop.is_cut(self.settings.listens) {
            true => Ended::Stopped,
            false => Ended::TimedOut(self.settings.time.unwrap_or(Duration::MAX)),
        }
    }

    /// Runs until it ends or is cut off. One that ends by itself when it is told that its time is over was late as well.
    async fn until_end(&self, store: &mut Store<State>) -> Ended {
        let limit = self.settings.time.unwrap_or(Duration::MAX);
        let mut is_late = false;
        let called = {
            let listens = self.settings.listens;
            let mut called = pin!(call(&self.command, store));
            let mut stopped = pin!(self.settings.stop.cut(listens));
            let mut over = pin!(passed(self.deadline));
            let mut too_late = pin!(passed(self.last_instant()));
            poll_fn(|cx| {
                if stopped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(Ended::Stopped));
                }
                if too_late.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Err(Ended::TimedOut(limit)));
                }
                if listens && !is_late && over.as_mut().poll(cx).is_ready() {
                    is_late = true;
                    self.settings.stop.cancel();
                }
                called.as_mut().poll(cx).map(Ok)
            })
            .await
        };
        match called {
            Ok(Ok(_)) if is_late => Ended::Late(limit),
            Ok(Ok(status)) => Ended::Status(status),
            Ok(Err(error)) => trap(&error, store.data().limits.refused),
            Err(cut) => cut,
        }
    }
}

/// Waits until an instant; for ever if there is none.
async fn passed(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// Instantiates and runs; the status of the process that it would be.
async fn call(command: &CommandPre<State>, store: &mut Store<State>) -> wasmtime::Result<u8> {
    let instance = command.instantiate_async(&mut *store).await?;
    match instance.wasi_cli_run().call_run(&mut *store).await {
        Ok(result) => Ok(u8::from(result.is_err())),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(u8::try_from(exit.0).unwrap_or(u8::MAX)),
            None => Err(error),
        },
    }
}

fn trap(error: &wasmtime::Error, refused_memory: bool) -> Ended {
    let why = match error.downcast_ref::<Trap>() {
        Some(trap) => trap
            .to_string()
            .trim_start_matches("wasm trap: ")
            .to_owned(),
        None => innermost(error),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let frames = backtrace.map_or(&[][..], WasmBacktrace::frames);
    let frames = frames
        .iter()
        .take(MOST_FRAMES)
        .map(|frame| match frame.func_name() {
            Some(name) => name.to_owned(),
            None => format!("function {}", frame.func_index()),
        });
    Ended::Trap {
        why,
        frames: frames.collect(),
        refused_memory,
    }
}

/// The last of the causes: those before it say where, not what.
fn innermost(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
