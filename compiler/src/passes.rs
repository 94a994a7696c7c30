//! What makes a lowered program ready to run. Enter at [`run`].
//!
//! `intrinsics` makes operations of host functions that are some; `calls` finds out what waits, what fails and what recurses, and tidies each function on the way; `inline` and `scalars` do without calls and objects that are not needed; `demand` narrows what
//! is parsed to what is read of it; `ranges` leaves out checks that cannot fail; `params` decides which parameters are owned; `updates` takes out once what is changed several times, and makes it unique once; `constants` keeps constants out of slots; `ownership` inserts the reference counts;
//! `frames` gives registers their homes.
//! In debug builds the verifier looks at the result of each.

mod calls;
mod constants;
mod demand;
pub(crate) mod dominators;
mod frames;
pub(crate) mod graph;
mod inline;
mod intrinsics;
mod ownership;
mod params;
pub(crate) mod ranges;
mod scalars;
mod simplify;
#[cfg(test)]
mod trial;
mod updates;

pub(crate) use intrinsics::is_operation;

use crate::ir::{FuncId, Program};

/// Which passes are run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passes {
    /// All.
    All,
    /// Those without which no engine can run a program: nothing is made faster.
    Needed,
}

/// Runs passes. `strands` are the functions that run as strands.
pub(crate) fn run(program: &mut Program, strands: &[FuncId], passes: Passes) {
    let is_fast = passes == Passes::All;
    if is_fast {
        intrinsics::run(program);
    }
    for function in &mut program.functions {
        simplify::simplify(function);
    }
    calls::run(program, strands, calls::Recursion::Polls);
    if is_fast {
        inline::run(program);
        scalars::run(program);
        demand::run(program);
        ranges::run(program);
    }
    verify(program, crate::ir::Stage::Ssa);
    params::run(program, strands);
    if is_fast {
        updates::run(program);
    }
    constants::run(program);
    ownership::run(program);
    verify(program, crate::ir::Stage::Owned);
    frames::run(program);
    verify(program, crate::ir::Stage::Framed);
}

/// Runs passes on the bodies of the library. Their callers know declarations, not what a fixpoint finds out: so
/// parameters stay borrowed, and what is not of the declarations' form stays as it is.
pub(crate) fn run_on_bodies(program: &mut Program) {
    intrinsics::run(program);
    for function in &mut program.functions {
        simplify::simplify(function);
    }
    calls::run(program, &[], calls::Recursion::Unbounded);
    inline::run_on_bodies(program);
    scalars::run(program);
    verify(program, crate::ir::Stage::Ssa);
    constants::run(program);
    ownership::run(program);
    verify(program, crate::ir::Stage::Owned);
    frames::run(program);
    verify(program, crate::ir::Stage::Framed);
}

/// A program that breaks a rule is a mistake of lowering or of a pass.
fn verify(program: &Program, stage: crate::ir::Stage) {
    if cfg!(debug_assertions)
        && let Err(broken) = crate::ir::verify(program, stage)
    {
        panic!(
            "the IR is broken at stage {stage:?}: {broken}\n{}",
            crate::ir::ir_text(program)
        );
    }
}
