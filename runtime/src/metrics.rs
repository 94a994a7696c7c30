//! Measuring: histograms, series with tags, what workers hand over, thresholds, the verdict on the generator.
//!
//! Libraries enter at [`Operation`] and `Ctx::record_operation`, the run at [`Recorder`].

mod catalogue;
mod counts;
mod findings;
mod hash;
mod histogram;
mod interval;
mod merge;
mod names;
mod operation;
mod record;
mod recorder;
mod series;
mod tags;
#[cfg(test)]
mod tests;
mod threshold;
mod timeline;
mod verdict;

pub use counts::Counts;
pub use histogram::Histogram;
pub use interval::{
    Checks, ErrorKey, Errors, Gauge, Interval, Iterations, OperationKey, Operations, Samples, Users,
};
pub use merge::{Head, Totals};
pub use names::Context;
pub use operation::{Lack, Link, Operation, Protocol};
pub use recorder::{IterationEnd, Recorder, steps_of};

/// A name that a worker's recorder knows: of an operation, a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub u32);

impl NameId {
    /// No name.
    pub const NONE: NameId = NameId(0);
    /// What too many names are called together.
    pub const OTHER: NameId = NameId(1);
    /// `connect`.
    pub const CONNECT: NameId = NameId(2);
    /// `send`.
    pub const SEND: NameId = NameId(3);
    /// `recv`.
    pub const RECV: NameId = NameId(4);
    /// `resolve`.
    pub const RESOLVE: NameId = NameId(5);
}

/// Where samples belong: scenario, phase, path of steps, interned by a worker's recorder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContextId(pub u32);

impl ContextId {
    /// Nobody's in particular: servers, `setup`, initialisers.
    pub const NONE: ContextId = ContextId(0);
}
