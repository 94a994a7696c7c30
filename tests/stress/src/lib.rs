//! Random programs, and one meaning for all engines: what a program does must not depend on who runs it.
//!
//! [`generate`] makes the program of a seed, or of the bytes of a fuzzer: well typed by construction. [`compare`] runs it
//! interpreted, compiled, compiled in the middle of the run, and without the passes that make it faster, and compares
//! everything that each run tells ([`story`]): log lines, checks with their sides, errors with kinds, messages, places
//! and traces, times on the virtual clock, and the objects that are left, which are none. [`build`] makes a component of it.
//! [`mutate`] changes programs that people wrote: more of the language, of which nothing is known but that it checks.
//!
//! A crate of its own, so that the fuzz target needs neither the command line nor the host of components.

#![forbid(unsafe_code)]

mod components;
mod engines;
mod expression;
mod flow;
mod mutation;
mod program;
mod random;
mod scalar;
mod statement;
pub mod story;

pub use components::{Built, build, build_with};
pub use engines::{Compared, compare};
pub use mutation::{mutate, mutate_seed, seeds};
pub use program::{generate, generate_from};
pub use scn_compiler::wasm::Https;
