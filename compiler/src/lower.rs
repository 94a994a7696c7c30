//! Lowering: from the typed tree to SSA form, where waiting, errors and memory are explicit.
//!
//! Enter at [`lower`]. It cannot fail: the checker gives a tree only without errors. Lowering itself writes no
//! reference counts and takes every script call for fallible; [`passes`](crate::passes) do the rest.

mod builder;
mod call;
mod checks;
mod consts;
mod control;
mod errors;
mod exports;
mod expr;
mod free;
mod function;
mod load;
mod loops;
mod ops;
mod place;
mod program;
mod rt;
mod scopes;
mod server;
mod strands;
mod tables;
mod text;
mod types;

#[cfg(test)]
mod tests;

use crate::hir::Hir;
use crate::ir::Program;
pub use crate::passes::Passes;
use crate::source::Sources;

/// Lowers a checked program and runs the passes.
pub fn lower(sources: &Sources, hir: &Hir) -> Program {
    lower_with(sources, hir, Passes::All)
}

/// Lowers a checked program and runs some of the passes: what a program does must not depend on which.
pub fn lower_with(sources: &Sources, hir: &Hir, passes: Passes) -> Program {
    let mut tables = tables::Tables::new(sources, hir);
    program::items(&mut tables);
    let tables::Tables {
        mut program,
        strands,
        ..
    } = tables;
    crate::passes::run(&mut program, &strands, passes);
    program
}

/// Lowers a checked program with what calls its `export fn` items from outside: for a component.
pub fn lower_library(sources: &Sources, hir: &Hir) -> Program {
    let mut tables = tables::Tables::new(sources, hir);
    program::items(&mut tables);
    exports::exports(&mut tables);
    let mut program = tables.program;
    crate::passes::run(&mut program, &tables.strands, Passes::All);
    program
}

/// Lowers the bodies of the library for components: arithmetic wraps, nothing polls or counts depth, and parameters
/// are borrowed, because whoever calls a body knows its declaration only.
pub(crate) fn lower_bodies(sources: &Sources, hir: &Hir) -> Program {
    let mut tables = tables::Tables::new(sources, hir);
    tables.is_unchecked = true;
    program::items(&mut tables);
    let mut program = tables.program;
    crate::passes::run_on_bodies(&mut program);
    program
}
