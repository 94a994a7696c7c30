//! What a worker hands to the conductor: everything that was measured since the last time, by ownership.
//!
//! Keys are ids of the worker; the texts of new ids travel with the first interval that uses them.

use super::names::Context;
use super::{ContextId, Counts, NameId, Protocol};
use crate::fault::{Fault, Place};
use crate::report::CheckExample;
use crate::timer::Nanos;
use std::hash::{Hash, Hasher};

/// What was measured since the last time. Times are nanoseconds from the start of the users' part.
#[derive(Debug, Default)]
pub struct Interval {
    /// When it began.
    pub from: Nanos,
    /// When it ended.
    pub until: Nanos,
    /// Texts of names that are new; ids count on from those before.
    pub names: Vec<Box<str>>,
    /// Contexts that are new; ids count on from those before.
    pub contexts: Vec<Context>,
    /// Operations.
    pub operations: Vec<(OperationKey, Operations)>,
    /// `dns`, `connect`, `tls`, `send`, `wait`, `receive`, by protocol and base context.
    pub phases: Vec<(Protocol, ContextId, Box<[Counts; 6]>)>,
    /// Iterations, by base context.
    pub iterations: Vec<(ContextId, Iterations)>,
    /// Durations of steps, by the context inside of them.
    pub steps: Vec<(ContextId, Counts)>,
    /// Checks, by site and context.
    pub checks: Vec<(u32, ContextId, Checks)>,
    /// Samples of `metric` items, by global and context.
    pub samples: Vec<(u32, ContextId, Samples)>,
    /// Errors that ended iterations or other sections.
    pub errors: Vec<(ErrorKey, Errors)>,
    /// Errors of servers, by name.
    pub server_errors: Vec<(NameId, u64)>,
    /// Users, by base context.
    pub users: Vec<(ContextId, Users)>,
    /// How late iterations began.
    pub lag: Counts,
    /// Nanoseconds in which the worker waited.
    pub waited: Nanos,
    /// Failures for lack of ports, descriptors, memory.
    pub lacks: [u64; 3],
}

/// What tells operations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationKey {
    /// The protocol.
    pub protocol: Protocol,
    /// Whether they failed.
    pub failed: bool,
    /// The status, 0 for none.
    pub status: u16,
    /// The name.
    pub name: NameId,
    /// The method.
    pub method: NameId,
    /// The kind of the error, `NameId::NONE` for none.
    pub kind: NameId,
    /// Where they belong.
    pub context: ContextId,
}

impl Hash for OperationKey {
    /// Two words: each operation is looked up.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let how = u64::from(self.status) << 16 | u64::from(self.failed) << 8;
        state.write_u64(u64::from(self.name.0) << 32 | how | self.protocol as u64);
        let ids = u64::from(self.method.0) << 48 ^ u64::from(self.kind.0) << 32;
        state.write_u64(ids ^ u64::from(self.context.0));
    }
}

/// Operations of one key.
#[derive(Clone, Debug, Default)]
pub struct Operations {
    /// From the intended start to the end.
    pub response: Counts,
    /// From the actual start to the end.
    pub service: Counts,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Connections that were there before, that were made, that could not be made.
    pub links: [u64; 3],
}

/// Iterations of one base context.
#[derive(Clone, Debug, Default)]
pub struct Iterations {
    /// How long those took that came to an end.
    pub duration: Counts,
    /// Of these, those that an error ended.
    pub failed: u64,
    /// Those that the end of the run cut off.
    pub interrupted: u64,
    /// Arrivals that did not become iterations.
    pub dropped: u64,
    /// Of these, those dropped while users were free.
    pub dropped_while_free: u64,
    /// `init`s and `exit`s that an error ended.
    pub failed_sections: u64,
}

/// A check's evaluations in one context.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
    /// The worker's first failure of all, and when.
    pub example: Option<(Nanos, Box<CheckExample>)>,
}

/// Samples of a `metric` item in one context.
#[derive(Clone, Debug)]
pub enum Samples {
    /// Their sum, and how many.
    Counter(f64, u64),
    /// A level.
    Gauge(Gauge),
    /// True ones, and all.
    Rate(u64, u64),
    /// Their distribution; of fractions in millionths, see [`steps_of`](super::steps_of).
    Trend(Counts),
}

/// A level that goes up and down.
#[derive(Clone, Debug)]
pub struct Gauge {
    /// The last one, and when.
    pub last: (Nanos, f64),
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// All of them, as a distribution.
    pub samples: Counts,
}

/// What tells errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorKey {
    /// The kind.
    pub kind: NameId,
    /// Function and start of the place, if there is one.
    pub place: Option<(u32, u32)>,
    /// Whose.
    pub context: ContextId,
}

/// Errors of one kind and place.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// How many.
    pub count: u64,
    /// When the first came in this interval.
    pub first: Nanos,
    /// And the last.
    pub last: Nanos,
    /// The worker's first of all.
    pub example: Option<Box<Fault>>,
    /// Whether an operation has reported them already.
    pub reported: bool,
}

/// Users of one base context.
#[derive(Clone, Copy, Debug, Default)]
pub struct Users {
    /// Alive at the end of the interval.
    pub alive: u64,
    /// Started in it.
    pub started: u64,
    /// The most that were alive at once in it.
    pub peak: u64,
}

impl ErrorKey {
    pub(super) fn place_of(fault: &Fault) -> Option<(u32, u32)> {
        let place = fault.data().place?;
        (place.function != Place::NO_FUNCTION).then_some((place.function, place.span.start))
    }
}
