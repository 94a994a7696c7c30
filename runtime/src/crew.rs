//! The workers of a run: each has a share of every scenario's users, and little in common with the others.
//!
//! Enter at [`Share`]; threads are started by `run`.

mod share;
mod shared;

pub(crate) use share::{Cast, Lane, Part, Share};
pub(crate) use shared::Shared;
