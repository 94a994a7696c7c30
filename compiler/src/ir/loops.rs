//! Loops of a function, and the lists that stay the same in one: for the back ends that write machine code or wasm.
//!
//! As long as a register holds a list, neither its length nor the place of its elements changes: whatever would change
//! them takes the list over and gives another register. So code reads both once, where it enters the loop. Enter at
//! [`Loops::of`].

use super::{BlockId, Function, Mode, Op, Reg, Signatures, Terminator, TryOp, Ty};
use std::collections::{BTreeSet, HashSet};

/// A loop without waits.
#[derive(Clone, Debug)]
pub struct Loop {
    /// Where it is entered.
    pub head: BlockId,
    /// Its blocks.
    pub body: BTreeSet<BlockId>,
    /// Lists that are read in it and come from outside.
    pub lists: Vec<Reg>,
}

/// The loops of a function.
#[derive(Clone, Debug, Default)]
pub struct Loops {
    /// The blocks that something behind them jumps back to.
    pub heads: BTreeSet<BlockId>,
    /// Those in which nothing waits.
    pub all: Vec<Loop>,
}

impl Loops {
    /// Finds them.
    pub fn of(function: &Function) -> Loops {
        let backs = back_edges(function);
        let mut loops = Loops {
            heads: backs.iter().map(|(_, head)| *head).collect(),
            all: Vec::new(),
        };
        if backs.is_empty() {
            return loops;
        }
        let (made, doubtful) = (makers(function), doubtful(function));
        let preds = predecessors(function);
        for head in &loops.heads {
            let ends = backs.iter().filter(|(_, to)| to == head);
            let body = body(*head, ends.map(|(from, _)| *from).collect(), &preds);
            let waits =
                |at: &BlockId| matches!(function.blocks[at.index()].term, Terminator::Wait { .. });
            if body.iter().any(waits) {
                continue;
            }
            let outside = |list: &Reg| {
                made[list.index()].is_some_and(|at| !body.contains(&at)) && !doubtful.contains(list)
            };
            let lists = body.iter().flat_map(|at| lists_of(function, *at));
            let lists: BTreeSet<Reg> = lists.filter(outside).collect();
            loops.all.push(Loop {
                head: *head,
                lists: lists.into_iter().collect(),
                body,
            });
        }
        loops
    }

    /// Whether a list stays the same in a loop around a block.
    pub fn is_steady(&self, list: Reg, at: BlockId) -> bool {
        let mut around = self.all.iter().filter(|one| one.body.contains(&at));
        around.any(|one| one.lists.contains(&list))
    }

    /// The lists to look at where control goes from one block to another: those that stay the same in the loop that it
    /// enters, and not already in one around it.
    pub fn entered(&self, from: BlockId, to: BlockId) -> Vec<Reg> {
        let entered = self.all.iter().find(|one| one.head == to);
        let Some(entered) = entered.filter(|one| !one.body.contains(&from)) else {
            return Vec::new();
        };
        let lists = entered.lists.iter().copied();
        lists.filter(|list| !self.is_steady(*list, from)).collect()
    }
}

/// The edges from a block to one that leads to it.
fn back_edges(function: &Function) -> Vec<(BlockId, BlockId)> {
    let (mut done, mut open) = (HashSet::new(), HashSet::from([BlockId(0)]));
    let mut edges = Vec::new();
    let mut path = vec![(BlockId(0), 0)];
    while let Some((block, edge)) = path.last_mut() {
        let from = *block;
        let targets = function.blocks[from.index()].term.targets();
        let Some(target) = targets.get(*edge).map(|target| target.block) else {
            open.remove(&from);
            done.insert(from);
            path.pop();
            continue;
        };
        *edge += 1;
        if open.contains(&target) {
            edges.push((from, target));
        } else if !done.contains(&target) {
            open.insert(target);
            path.push((target, 0));
        }
    }
    edges
}

/// Predecessors of every block, one entry for each edge.
pub fn predecessors(function: &Function) -> Vec<Vec<BlockId>> {
    let mut preds = vec![Vec::new(); function.blocks.len()];
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        for target in block.term.targets() {
            preds[target.block.index()].push(at);
        }
    }
    preds
}

/// The blocks of a loop: its head, and what leads to its ends without it.
fn body(head: BlockId, mut ends: Vec<BlockId>, preds: &[Vec<BlockId>]) -> BTreeSet<BlockId> {
    let mut body = BTreeSet::from([head]);
    while let Some(block) = ends.pop() {
        if body.insert(block) {
            ends.extend(&preds[block.index()]);
        }
    }
    body
}

/// The block that defines each register; parameters are there from the start.
pub fn makers(function: &Function) -> Vec<Option<BlockId>> {
    let mut made = vec![None; function.regs.len()];
    for param in &function.params {
        made[param.reg.index()] = Some(BlockId(0));
    }
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        let insts = block.insts.iter().flat_map(|inst| &inst.results);
        for reg in block.params.iter().chain(insts).chain(block.term.results()) {
            made[reg.index()] = Some(at);
        }
    }
    made
}

/// The lists that a block reads.
pub fn lists_of(function: &Function, at: BlockId) -> Vec<Reg> {
    let block = &function.blocks[at.index()];
    let insts = block.insts.iter().filter_map(|inst| match &inst.op {
        Op::ListLen(list)
        | Op::ListAt(list, _)
        | Op::ListTake(list, _)
        | Op::ListPut(list, _, _) => Some(*list),
        _ => None,
    });
    let mut lists: Vec<Reg> = insts.collect();
    if let Terminator::Try {
        op: TryOp::ListGet(list, _) | TryOp::ListTake(list, _) | TryOp::ListPut(list, _, _),
        ..
    } = &block.term
    {
        lists.push(*list);
    }
    lists
}

/// Pointers that something might ask whether they are there, or what they are: only behind the answer they are lists.
fn doubtful(function: &Function) -> HashSet<Reg> {
    let mut doubtful = HashSet::new();
    let mut copies = Vec::new();
    let sigs = Signatures::default();
    let mut note = |reg: &Reg, _: Mode| {
        if function.regs[reg.index()] == Ty::Ptr {
            doubtful.insert(*reg);
        }
    };
    for block in &function.blocks {
        for inst in &block.insts {
            match &inst.op {
                Op::Retain(of) => copies.push((*of, inst.results[0])),
                op if is_certain(op) => {}
                op => op.each_reg(&sigs, &mut note),
            }
        }
        match &block.term {
            Terminator::Try {
                op:
                    TryOp::ListGet(..)
                    | TryOp::ListTake(..)
                    | TryOp::ListSet(..)
                    | TryOp::ListPut(..)
                    | TryOp::Call(..),
                ..
            }
            | Terminator::Return(_) => {}
            term => term.each_reg(&sigs, &mut note),
        }
    }
    loop {
        let before = doubtful.len();
        for (of, copy) in &copies {
            if doubtful.contains(of) || doubtful.contains(copy) {
                doubtful.extend([*of, *copy]);
            }
        }
        if doubtful.len() == before {
            return doubtful;
        }
    }
}

/// Whether an operation asks nothing about its pointers.
fn is_certain(op: &Op) -> bool {
    matches!(
        op,
        Op::ListLen(_)
            | Op::ListAt(..)
            | Op::ListTake(..)
            | Op::ListPut(..)
            | Op::ListPush(..)
            | Op::Unique(_)
            | Op::New(..)
            | Op::NewList(..)
            | Op::Store(..)
            | Op::Drop(_)
            | Op::Keep(_)
            | Op::Call(..)
    )
}
