//! Load plans in time: what begins when. Pure functions of the plan and a seed; no clock, no threads, no I/O.
//!
//! Workers walk a [`Schedule`] and act. Who may start, which address it gets and how late it is are not decided here.

mod closed;
pub mod descriptors;
mod open;
mod overrides;
mod pacer;
mod phases;
mod schedule;
mod stages;

#[cfg(test)]
mod tests;

pub use overrides::{NoTime, Overrides};
pub use schedule::{Action, Schedule, What};

/// Users that arrivals may have at once if no `max users` is given.
pub const DEFAULT_MAX_USERS: u64 = 10_000;
