//! What a run reports while it runs: checks, steps, logs, requests, errors.

use crate::fault::{Fault, Place};

/// One report.
#[derive(Clone, Debug)]
pub enum Event {
    /// A `check` was evaluated, or an `expect` held or failed.
    Check {
        /// Index of the site.
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
    },
    /// A `step` ended.
    StepEnd {
        /// Index of the site.
        site: u32,
        /// Its name, if it is not the site's own.
        name: Option<String>,
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
    /// An error that ended something: an iteration, a server's connection, a `defer` body.
    Failed {
        /// What ended: `iteration`, `defer`, a server's name.
        what: String,
        /// Why.
        fault: Fault,
    },
}
