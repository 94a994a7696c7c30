//! Drawing: findings of the compiler and events of a run, as text for people and as JSON for programs.

pub(crate) mod excerpt;
pub(crate) mod failures;
pub(crate) mod findings;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod numbers;
pub(crate) mod profile;
pub(crate) mod program;
pub(crate) mod report;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod tally;
pub(crate) mod tests;
pub(crate) mod transcript;
