//! Borrow inference: a parameter is owned if the function consumes it, else the caller keeps it alive.
//!
//! All start as borrowed; a fixpoint over the program turns those to owned that reach an own operand.
//! Functions that run as strands own what they get.

use super::graph::consumed;
use crate::ir::{FuncId, Function, Program, Reg, Signatures, Ty};

/// Decides for all functions.
pub(crate) fn run(program: &mut Program, strands: &[FuncId]) {
    for function in &mut program.functions {
        for param in &mut function.params {
            param.own = false;
        }
    }
    for strand in strands {
        own_pointers(&mut program.functions[strand.index()], |_| true);
    }
    loop {
        let sigs = Signatures::of(program);
        let mut changed = false;
        for function in &mut program.functions {
            let consumed = consumed(function, &sigs);
            changed |= own_pointers(function, |reg| consumed.has(reg));
        }
        if !changed {
            return;
        }
    }
}

fn own_pointers(function: &mut Function, which: impl Fn(Reg) -> bool) -> bool {
    let mut changed = false;
    for param in &mut function.params {
        if !param.own && function.regs[param.reg.index()] == Ty::Ptr && which(param.reg) {
            param.own = true;
            changed = true;
        }
    }
    changed
}
