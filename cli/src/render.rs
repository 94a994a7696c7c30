//! Drawing: findings of the compiler and failures of a run, as text for people and as JSON for programs.

pub(crate) mod excerpt;
pub(crate) mod findings;
pub(crate) mod json;
pub(crate) mod report;
