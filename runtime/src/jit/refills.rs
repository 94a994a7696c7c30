//! Stores into slots that hold null: what was there has been taken out before, so that nothing is to be given up.
//!
//! Nested updates take out and put back on a straight way: so it is enough to follow blocks with one predecessor.

use super::function::{positions, reachable};
use scn_compiler::ir::{Function, Op, Reg, Terminator, TryOp};
use std::collections::HashSet;

/// A slot that is empty.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Slot {
    Field(Reg, u32),
    Element(Reg, Reg),
}

/// The positions of such stores.
pub(super) fn refills(function: &Function) -> HashSet<u32> {
    let before = single_predecessors(function);
    let first: Vec<u32> = positions(function).collect();
    let mut ends: Vec<HashSet<Slot>> = vec![HashSet::new(); function.blocks.len()];
    let mut found = HashSet::new();
    for id in reachable(function) {
        let mut empty = match before[id.index()] {
            Some((from, edge)) => behind(function, from, edge, &ends[from]),
            None => HashSet::new(),
        };
        for (at, inst) in (first[id.index()]..).zip(&function.blocks[id.index()].insts) {
            let filled = match inst.op {
                Op::Take(object, slot) => {
                    empty.insert(Slot::Field(object, slot));
                    continue;
                }
                Op::ListTake(list, at) => {
                    empty.insert(Slot::Element(list, at));
                    continue;
                }
                Op::Store(object, slot, _) => Slot::Field(object, slot),
                Op::ListPut(list, at, _) => Slot::Element(list, at),
                _ => continue,
            };
            if empty.remove(&filled) {
                found.insert(at);
            }
        }
        ends[id.index()] = empty;
    }
    found
}

/// For each block that has one, its only predecessor and the edge that leads from there.
fn single_predecessors(function: &Function) -> Vec<Option<(usize, usize)>> {
    let mut before = vec![None; function.blocks.len()];
    let mut counts = vec![0; function.blocks.len()];
    for (from, block) in function.blocks.iter().enumerate() {
        for (edge, target) in block.term.targets().iter().enumerate() {
            before[target.block.index()] = Some((from, edge));
            counts[target.block.index()] += 1;
        }
    }
    let single = before.into_iter().zip(counts);
    single
        .map(|(before, count)| before.filter(|_| count == 1))
        .collect()
}

/// What is empty behind an edge.
fn behind(function: &Function, from: usize, edge: usize, end: &HashSet<Slot>) -> HashSet<Slot> {
    let mut empty = end.clone();
    if let (
        Terminator::Try {
            op: TryOp::ListTake(list, at),
            ..
        },
        0,
    ) = (&function.blocks[from].term, edge)
    {
        empty.insert(Slot::Element(*list, *at));
    }
    empty
}
