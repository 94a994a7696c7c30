//! What the test programs share: running scn inside the test's own process, snapshots, and filters for what varies.
//!
//! The tests themselves are in `suite/`, their programs in `lang/`, `e2e/` and the `examples` of the project.

#![forbid(unsafe_code)]

pub mod case;
pub mod filter;
pub mod folder;
pub mod markdown;
pub mod program;
pub mod tree;
