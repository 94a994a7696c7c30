//! What each turn of a loop makes unique is made so once, before the loop.
//!
//! A list that may be shared when a loop begins, and that the loop changes in each turn, is unique from the second turn
//! on: only the first one may copy. So the copy moves in front of the loop, where it costs nothing but in a loop that
//! makes no turn at all, and the loop itself asks no more (see [`super::unique`]). Round by round it moves out of the
//! loops around. Enter at [`hoist`].

use super::super::dominators::Dominators;
use super::super::graph::RegSet;
use super::unique::Unique;
use crate::ir::loops::predecessors;
use crate::ir::{
    Block, BlockId, Function, Inst, Op, Reg, Signatures, Target, Terminator, TryOp, Ty,
};
use smallvec::smallvec;
use std::collections::BTreeSet;

/// An argument that is made unique: of the jump at the end of this block, at this position.
type Entry = (BlockId, usize);

/// Does it for the innermost of nested loops; whether there was any.
pub(super) fn hoist(function: &mut Function, sigs: &Signatures) -> bool {
    let entries = entries(function, sigs);
    for entry in &entries {
        make_unique(function, *entry);
    }
    !entries.is_empty()
}

fn make_unique(function: &mut Function, (from, place): Entry) {
    function.regs.push(Ty::Ptr);
    let unique = Reg(function.regs.len() as u32 - 1);
    let block = &mut function.blocks[from.index()];
    let Terminator::Jump(Target { args, .. }) = &mut block.term else {
        unreachable!("the terminator was seen to be a jump");
    };
    let shared = std::mem::replace(&mut args[place], unique);
    block.insts.push(Inst {
        results: smallvec![unique],
        op: Op::Unique(shared),
        span: block.term_span,
    });
}

/// A loop: its head, the blocks at its ends, and those in front of it.
struct Loop {
    head: BlockId,
    backs: Vec<BlockId>,
    fronts: Vec<BlockId>,
}

/// The loops that something may be done in front of.
fn loops(function: &Function, dominators: &Dominators) -> Vec<Loop> {
    let preds = (0u32..).map(BlockId).zip(predecessors(function));
    let loops = preds.map(|(head, preds)| {
        let is_back = |from: &BlockId| dominators.dominates(head, *from);
        let (backs, fronts) = preds.into_iter().partition(is_back);
        Loop {
            head,
            backs,
            fronts,
        }
    });
    let jumps = |from: &BlockId| matches!(function.blocks[from.index()].term, Terminator::Jump(_));
    loops
        .filter(|one| !one.backs.is_empty() && one.fronts.iter().all(jumps))
        .collect()
}

fn entries(function: &Function, sigs: &Signatures) -> BTreeSet<Entry> {
    let mut entries = BTreeSet::new();
    let dominators = Dominators::of(function);
    let (writers, loops) = (writers(function), loops(function, &dominators));
    if writers.is_empty() || loops.is_empty() {
        return entries;
    }
    let unique = Unique::of(function, sigs);
    let doubtful = doubtful(function);
    for Loop {
        head,
        backs,
        fronts,
    } in loops
    {
        let in_each_turn = |(writer, _): &&(BlockId, Reg)| {
            backs
                .iter()
                .all(|back| dominators.dominates(*writer, *back))
        };
        let written: Vec<Reg> = writers.iter().filter(in_each_turn).map(|at| at.1).collect();
        let params = &function.blocks[head.index()].params;
        for (place, param) in params.iter().enumerate() {
            let turns_unique = !unique.at_start(head, *param)
                && backs.iter().all(|back| unique.on_way(*back, head, *param));
            if written.is_empty() || !turns_unique {
                continue;
            }
            let same = same_object(function, *param);
            if same.iter().all(|reg| !doubtful.has(reg)) && written.iter().any(|reg| same.has(*reg))
            {
                entries.extend(fronts.iter().map(|from| (*from, place)));
            }
        }
    }
    entries
}

/// The registers that hold what a register held, made unique or not.
fn same_object(function: &Function, first: Reg) -> RegSet {
    let mut same = RegSet::new(function.regs.len());
    same.insert(first);
    // What may come from there, and then what comes from nowhere else.
    while spread(function, &mut same) {}
    while leave_out_joined(function, &mut same, first) {}
    same
}

fn spread(function: &Function, same: &mut RegSet) -> bool {
    let mut changed = false;
    for block in &function.blocks {
        for (of, made) in copies(block) {
            changed |= same.has(of) && same.insert(made);
        }
        for target in block.term.targets() {
            let params = &function.blocks[target.block.index()].params;
            for (arg, param) in target.args.iter().zip(params) {
                changed |= same.has(*arg) && same.insert(*param);
            }
        }
    }
    changed
}

fn leave_out_joined(function: &Function, same: &mut RegSet, first: Reg) -> bool {
    let mut changed = false;
    for block in &function.blocks {
        for (of, made) in copies(block) {
            if same.has(made) && !same.has(of) {
                same.remove(made);
                changed = true;
            }
        }
        for target in block.term.targets() {
            let params = &function.blocks[target.block.index()].params;
            for (arg, param) in target.args.iter().zip(params) {
                if *param != first && same.has(*param) && !same.has(*arg) {
                    same.remove(*param);
                    changed = true;
                }
            }
        }
    }
    changed
}

/// What a block makes unique: the register, and the one that is unique.
fn copies(block: &Block) -> impl Iterator<Item = (Reg, Reg)> + '_ {
    let made = block.insts.iter().filter_map(|inst| match inst.op {
        Op::Unique(of) => Some((of, inst.results[0])),
        _ => None,
    });
    let set = match &block.term {
        Terminator::Try {
            op: TryOp::ListSet(list, ..),
            results,
            ..
        } => Some((*list, results[0])),
        _ => None,
    };
    made.chain(set)
}

/// What is made unique, and in which block.
fn writers(function: &Function) -> Vec<(BlockId, Reg)> {
    let blocks = (0u32..).map(BlockId).zip(&function.blocks);
    blocks
        .flat_map(|(id, block)| copies(block).map(move |(of, _)| (id, of)))
        .collect()
}

/// Registers that something asks whether they are there: they may be null where a loop begins.
fn doubtful(function: &Function) -> RegSet {
    let sigs = Signatures::default();
    let mut doubtful = RegSet::new(function.regs.len());
    let asks = |op: &Op| {
        matches!(
            op,
            Op::IsNull(_)
                | Op::OptFlag(_)
                | Op::OptPayload(_)
                | Op::OptBox(..)
                | Op::Equal(..)
                | Op::Select(..)
        )
    };
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    for inst in insts.filter(|inst| asks(&inst.op)) {
        inst.op.each_reg(&sigs, &mut |reg, _| {
            doubtful.insert(*reg);
        });
    }
    doubtful
}
