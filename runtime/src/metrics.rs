//! Measuring: histograms, series with tags, what workers hand over, thresholds, the verdict on the generator.
//!
//! Enter at [`Histogram`] and [`Operation`].

mod histogram;
mod operation;

pub use histogram::Histogram;
pub use operation::{Link, Operation, Protocol};

/// A name that a worker's recorder knows: of an operation, a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(pub u32);

impl NameId {
    /// No name.
    pub const NONE: NameId = NameId(0);
}

/// Where samples belong: scenario, phase, path of steps, interned by a worker's recorder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContextId(pub u32);
