//! Updates in place: what is taken out, changed and put back again and again is taken out once, and made unique once.
//!
//! `a[i].x -= 1` followed by `a[i].y -= 1` puts the element back only to take it out again: where nothing looks at the
//! list in between, it stays out. An object that is unique already needs no second `Unique`, and one that each turn of a
//! loop would make unique is made so before it. Works along lines of blocks, each the `ok` edge of the one before;
//! where something fails in between, the list must not be looked at any more. Runs behind `ranges`, which leaves taking
//! out without a check, and before ownership, when it is known which parameters are owned.
//!
//! [`line`] walks lines, [`kept_out`] and [`replaced`] see what is put back, [`unique`] knows what is unique, [`hoist`]
//! makes it so before loops. Enter at [`run`].

mod hoist;
mod kept_out;
mod line;
mod replaced;
#[cfg(test)]
mod tests;
mod unique;

use super::simplify::simplify;
use crate::ir::{Function, Program, Signatures, Terminator, TryOp};

/// One update may make way for another, and a copy moves out of one loop after the other.
const ROUNDS: usize = 8;

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in &mut program.functions {
        if has_updates(function) {
            update(function, &sigs);
        }
    }
}

fn has_updates(function: &Function) -> bool {
    let mut insts = function.blocks.iter().flat_map(|block| &block.insts);
    let mut terms = function.blocks.iter().map(|block| &block.term);
    insts.any(|inst| inst.op.changes().is_some())
        || terms.any(|term| {
            matches!(
                term,
                Terminator::Try {
                    op: TryOp::ListSet(..),
                    ..
                }
            )
        })
}

fn update(function: &mut Function, sigs: &Signatures) {
    replaced::take_replaced(function, sigs);
    for _ in 0..ROUNDS {
        let mut changed = hoist::hoist(function, sigs);
        changed |= unique::remove(function, sigs);
        changed |= kept_out::keep_out(function, sigs);
        if !changed {
            return;
        }
        simplify(function);
    }
}
