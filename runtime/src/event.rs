//! What a run reports while it runs: iterations, checks, steps, logs, exchanges, errors.
//!
//! The runtime reports facts and formats nothing for a terminal. Texts have the user's secrets masked already.
//! Enter at [`Observer`].

use crate::fault::{Fault, Place};
use crate::report::Progress;
use std::net::SocketAddr;
use std::sync::Arc;

/// Sees a run. Called on the worker's thread, between two instructions of a user: it must not block for long.
pub trait Observer {
    /// One report.
    fn event(&mut self, event: Event);
}

/// One report.
#[derive(Clone, Debug)]
pub enum Event {
    /// A server listens.
    ServerStart {
        /// Its name.
        name: String,
        /// `tcp`, `udp`, `tls`, `http`.
        protocol: String,
        /// Where.
        address: SocketAddr,
    },
    /// An error that nothing caught ended a connection or route of a server, or the server itself.
    ServerError {
        /// The server's name.
        name: String,
        /// Why.
        fault: Fault,
    },
    /// A section began, or an iteration, or a test's body.
    SectionStart {
        /// Whose and which.
        section: Section,
    },
    /// What follows is of this section, what came before was of another one that goes on.
    Turn {
        /// Whose and which.
        section: Section,
    },
    /// Nothing is reported until something happens outside: the time to show what was.
    Idle,
    /// It ended.
    SectionEnd {
        /// Whose and which.
        section: Section,
        /// Nanoseconds without `think`.
        nanos: i64,
        /// How.
        end: End,
    },
    /// A `check` was evaluated, or an `expect` held or failed. A failed `expect` is also the error that follows.
    Check {
        /// Index of the site, which tells `check` from `expect`.
        site: u32,
        /// Its label, with interpolated parts filled in, if it is not the site's own.
        label: Option<String>,
        /// Whether it held.
        ok: bool,
        /// Both sides of a failed comparison.
        sides: Option<(String, String)>,
        /// Why the condition could not be evaluated.
        error: Option<Fault>,
    },
    /// A `step` began.
    StepBegin {
        /// Index of the site.
        site: u32,
        /// Its name, if it is not the site's own.
        name: Option<String>,
        /// How many steps are around it.
        depth: u32,
    },
    /// A `step` ended.
    StepEnd {
        /// Index of the site.
        site: u32,
        /// Its name, if it is not the site's own.
        name: Option<String>,
        /// How many steps are around it.
        depth: u32,
        /// Nanoseconds without `think`.
        nanos: i64,
        /// Whether it ended without an error.
        ok: bool,
    },
    /// A line of `log`.
    Log {
        /// `debug`, `info`, `warn`, `error`.
        level: &'static str,
        /// The text.
        text: String,
        /// Where the call stands.
        place: Place,
    },
    /// A sample of a `metric` item.
    Sample {
        /// The metric's name.
        metric: String,
        /// The sample; durations in nanoseconds, bools as 0 and 1.
        value: f64,
    },
    /// A second of a load run.
    Progress(Box<Progress>),
    /// A request and what came of it.
    Exchange(Box<Exchange>),
    /// Bytes that went over a connection or socket of a scenario that speaks its own protocol; verbose runs only.
    Transfer(Box<Transfer>),
    /// A worker of a load run could not go on; the others do.
    WorkerFailed {
        /// Why.
        why: String,
    },
    /// An error of a `defer` body on an error path, which yields to the error that was there first.
    DeferFailed {
        /// Why.
        fault: Fault,
    },
}

impl Event {
    /// Whether it is told of a section without naming it.
    pub(crate) fn is_inside_section(&self) -> bool {
        matches!(
            self,
            Event::Check { .. }
                | Event::StepBegin { .. }
                | Event::StepEnd { .. }
                | Event::Log { .. }
                | Event::Exchange(_)
                | Event::DeferFailed { .. }
        )
    }

    /// The error in it, if there is one.
    pub(crate) fn fault_mut(&mut self) -> Option<&mut Fault> {
        match self {
            Event::ServerError { fault, .. } | Event::DeferFailed { fault } => Some(fault),
            Event::SectionEnd {
                end: End::Failed(fault),
                ..
            } => Some(fault),
            Event::Check { error, .. } => error.as_mut(),
            Event::Exchange(exchange) => exchange.error.as_mut(),
            _ => None,
        }
    }
}

/// A part of a run that begins and ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Section {
    /// Which.
    pub kind: SectionKind,
    /// The scenario's, test's, server's or global's name.
    pub name: Arc<str>,
    /// The user.
    pub user: u64,
    /// The iteration, from 0; 0 elsewhere.
    pub iteration: u64,
}

/// Kinds of sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// The initialiser of a param or data set.
    Global,
    /// A server's state and start.
    Server,
    /// `setup`.
    Setup,
    /// `init`.
    Init,
    /// An iteration.
    Each,
    /// `exit`.
    Exit,
    /// `teardown`.
    Teardown,
    /// A test.
    Test,
}

/// How a section ended.
#[derive(Clone, Debug)]
pub enum End {
    /// To its last statement.
    Done,
    /// By an error that nothing caught.
    Failed(Fault),
    /// By the end of the run.
    Cancelled,
}

impl End {
    /// Whether by an error.
    pub fn is_failed(&self) -> bool {
        matches!(self, End::Failed(_))
    }
}

/// Bytes that were sent or received.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// `tcp`, `tls`, `udp`.
    pub protocol: &'static str,
    /// The user.
    pub user: u64,
    /// Whether they were sent, else received.
    pub sent: bool,
    /// The other end.
    pub peer: SocketAddr,
    /// How many.
    pub bytes: u64,
    /// The first of them on one line, escaped as in a literal, secrets masked.
    pub text: String,
}

/// A request over the network and what came of it.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// `http`, `tcp`, `udp`, `dns`...
    pub protocol: &'static str,
    /// The user.
    pub user: u64,
    /// Index of the site of the call, if it has one.
    pub site: Option<u32>,
    /// `GET`, `connect`...
    pub method: String,
    /// The name in reports and metrics: method and template of the path.
    pub name: String,
    /// The URL or peer, secrets masked.
    pub target: String,
    /// The response's status, or what stands for it.
    pub status: Option<u16>,
    /// Whether it counts as failed: an error, or a status that the call does not take for success.
    pub failed: bool,
    /// From the call to the end of the response, in nanoseconds.
    pub nanos: i64,
    /// Parts of that, in order: `dns`, `connect`, `tls`, `send`, `wait`, `receive`.
    pub phases: Vec<(&'static str, i64)>,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Whether the connection had been used before.
    pub reused: bool,
    /// Why there is no response.
    pub error: Option<Fault>,
    /// Request and response as text, secrets masked; only when the run is verbose.
    pub text: Option<(String, String)>,
}
