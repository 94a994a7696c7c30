//! Runs scenarios, and plays peers.

use scn_compiler::source::{Loader, Source};
use scn_runtime::event::{End, Event, Exchange, Observer};
use scn_runtime::report::PoolReport;
use scn_runtime::run::{Outcome, Plan, What, run};
use scn_runtime::stop::StopHandle;
use scn_runtime::{Fault, Linked};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("tests import nothing, not even {path}"))
    }
}

/// What a run reported.
#[derive(Default)]
pub struct Ran {
    /// Lines of `log`.
    pub logs: Vec<String>,
    /// Checks that did not hold.
    pub failed: Vec<String>,
    /// Errors that ended sections.
    pub errors: Vec<Fault>,
    /// Exchanges.
    pub exchanges: Vec<Exchange>,
    /// Pools that were used.
    pub pools: Vec<PoolReport>,
    /// Addresses that are still leased.
    pub leased: u64,
    /// How it went.
    pub outcome: Outcome,
}

impl Observer for Ran {
    fn event(&mut self, event: Event) {
        match event {
            Event::Log { text, .. } => self.logs.push(text),
            Event::Check {
                ok: false,
                label,
                sides,
                error,
                site,
            } => {
                self.failed
                    .push(format!("site {site} {label:?} {sides:?} {error:?}"));
            }
            Event::SectionEnd {
                end: End::Failed(fault),
                ..
            }
            | Event::ServerError { fault, .. } => {
                self.errors.push(fault);
            }
            Event::Exchange(exchange) => self.exchanges.push(*exchange),
            _ => {}
        }
    }
}

impl Ran {
    /// Everything held, and nothing is left over.
    pub fn expect_ok(self) -> Ran {
        assert!(self.failed.is_empty(), "{:#?}", self.failed);
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|fault| format!("{}: {fault}", fault.kind()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert_eq!((self.outcome.live_objects, self.leased), (0, 0));
        assert!(self.outcome.is_ok());
        self
    }
}

/// Runs the scenarios of a source with params.
pub fn scenario(source: &str, params: &[(&str, String)]) -> Ran {
    run_plan(source, params, Plan::new(What::Scenarios(Vec::new())))
}

/// The same without params, on a clock that jumps.
pub fn scenario_in_no_time(source: &str) -> Ran {
    let mut plan = Plan::new(What::Scenarios(Vec::new()));
    plan.virtual_clock = true;
    plan.workers = Some(1);
    run_plan(source, &[], plan)
}

/// The same on so many workers.
pub fn scenario_on_workers(source: &str, workers: u32) -> Ran {
    let mut plan = Plan::new(What::Scenarios(Vec::new()));
    plan.workers = Some(workers);
    run_plan(source, &[], plan)
}

fn run_plan(source: &str, params: &[(&str, String)], mut plan: Plan) -> Ran {
    plan.params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    plan.verbose = true;
    // A run that hangs is a failure, not a hang of the tests.
    plan.limit = Some(Duration::from_secs(if plan.virtual_clock {
        3_600
    } else {
        30
    }));
    plan.grace = Some(Duration::from_millis(10));
    let entry = Source {
        name: "test.scn".to_owned(),
        text: source.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &scn_stdlib::LIBRARY);
    let Some(hir) = &checked.hir else {
        let found: Vec<_> = checked
            .diagnostics
            .iter()
            .map(|found| format!("{found:?}"))
            .collect();
        panic!("the source is wrong: {found:#?}");
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    let linked = Linked::link(program, &scn_stdlib::natives()).expect("the program links");
    let mut ran = Ran::default();
    let linked = Arc::new(linked);
    let outcome = run(&linked, &plan, &mut ran, &StopHandle::new());
    ran.pools = linked.pools().reports();
    ran.leased = linked.pools().leased();
    ran.outcome = outcome.expect("the program runs");
    ran
}

/// The body of one scenario, with `port` as a param.
pub fn against(addr: SocketAddr, body: &str) -> Ran {
    let source = format!("param port: int = 0\nscenario s {{\n{body}\n}}\n");
    scenario(&source, &[("port", addr.port().to_string())])
}

/// What a peer does with each connection, in order.
#[derive(Clone)]
pub enum Act {
    /// Reads until the bytes end with this.
    Await(&'static [u8]),
    /// Reads so many bytes.
    Take(usize),
    /// Sends this.
    Say(Vec<u8>),
    /// Sends this byte by byte.
    Drip(Vec<u8>),
    /// Closes with a reset.
    Reset,
    /// Reads until the client is gone: stalls, as the client sees it.
    Stall,
}

/// Sends text.
pub fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}

/// A peer that plays one script for each connection, in order, and gives what it read.
pub struct Peer {
    /// Where it listens.
    pub addr: SocketAddr,
    thread: JoinHandle<Vec<Seen>>,
}

/// What a peer saw of a connection.
pub struct Seen {
    /// Who connected.
    pub from: SocketAddr,
    /// What it read.
    pub read: String,
}

impl Peer {
    /// Starts it.
    pub fn start(scripts: Vec<Vec<Act>>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let play = move || {
            scripts
                .into_iter()
                .map(|script| play(&listener, &script))
                .collect()
        };
        Peer {
            addr,
            thread: std::thread::spawn(play),
        }
    }

    /// What it saw, once all scripts are played.
    pub fn seen(self) -> Vec<Seen> {
        self.thread
            .join()
            .expect("the peer's script fits what the client does")
    }
}

fn play(listener: &TcpListener, script: &[Act]) -> Seen {
    let (mut stream, from) = listener.accept().expect("a client connects");
    stream.set_nodelay(true).expect("a tcp socket");
    let mut read = Vec::new();
    for act in script {
        match act {
            Act::Await(end) => {
                let before = read.len();
                until(&mut stream, &mut read, |read| read[before..].ends_with(end));
            }
            Act::Take(count) => {
                let wanted = read.len() + count;
                until(&mut stream, &mut read, |read| read.len() >= wanted);
            }
            // The client may have had enough, and gone.
            Act::Say(bytes) => drop(stream.write_all(bytes)),
            Act::Drip(bytes) => bytes
                .chunks(1)
                .for_each(|byte| drop(stream.write_all(byte))),
            Act::Reset => {
                let socket = socket2::SockRef::from(&stream);
                socket
                    .set_linger(Some(Duration::ZERO))
                    .expect("a tcp socket");
            }
            Act::Stall => until(&mut stream, &mut read, |_| false),
        }
    }
    Seen {
        from,
        read: String::from_utf8_lossy(&read).into_owned(),
    }
}

fn until(stream: &mut TcpStream, read: &mut Vec<u8>, enough: impl Fn(&[u8]) -> bool) {
    let mut byte = [0];
    while !enough(read) && matches!(stream.read(&mut byte), Ok(1)) {
        read.push(byte[0]);
    }
}
