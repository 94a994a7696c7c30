//! Loops of a function: what is read once where one is entered, instead of at each turn.
//!
//! As long as a register holds a list, neither its length nor the place of its elements changes: whatever would change
//! them takes the list over and gives another register. And where a loop only computes, nobody else counts polls, so that
//! it may count them in a local. Enter at [`Loops::of`]; what is done on the way into a loop and out of it, is
//! [`Emit::cross`].

use super::data::Side;
use super::emit::{Emit, at, global};
use super::ops::{BUFFER, COUNT};
use crate::ir::{Function, Mode, Op, Reg, Signatures, Terminator, TryOp, Ty};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::{Instruction as I, ValType};

/// A loop in which nothing waits.
struct Loop {
    head: usize,
    body: BTreeSet<usize>,
    /// Lists that are read in it and come from outside.
    lists: Vec<Reg>,
    /// Whether nothing in it can count polls or ask for one.
    is_quiet: bool,
}

/// The loops of a function.
#[derive(Default)]
pub(super) struct Loops {
    loops: Vec<Loop>,
    /// Locals with length and place of elements.
    steady: BTreeMap<Reg, (u32, u32)>,
    /// The local that counts polls in quiet loops.
    polls: Option<u32>,
}

impl Loops {
    /// Finds the loops of a function of a program; bodies of the library do without.
    pub(super) fn of(function: &Function, side: Side) -> Loops {
        let mut found = Loops::default();
        if side == Side::Body {
            return found;
        }
        let backs = back_edges(function);
        if backs.is_empty() {
            return found;
        }
        let preds = predecessors(function);
        let (made, doubtful) = (makers(function), doubtful(function));
        let heads: BTreeSet<usize> = backs.iter().map(|(_, head)| *head).collect();
        for head in heads {
            let ends = backs.iter().filter(|(_, to)| *to == head);
            let body = body(head, ends.map(|(from, _)| *from).collect(), &preds);
            let waits =
                |block: &usize| matches!(function.blocks[*block].term, Terminator::Wait { .. });
            if body.iter().any(waits) {
                continue;
            }
            let comes_from_outside = |list: &Reg| {
                let maker = made[list.index()];
                maker.is_some_and(|block| !body.contains(&block)) && !doubtful.contains(list)
            };
            let lists = body.iter().flat_map(|block| lists_of(function, *block));
            let lists: BTreeSet<Reg> = lists.filter(comes_from_outside).collect();
            found.loops.push(Loop {
                head,
                lists: lists.into_iter().collect(),
                is_quiet: body.iter().all(|block| is_quiet(function, *block)),
                body,
            });
        }
        found
    }

    /// Length and place of a list in a block, if they were read where a loop around it began.
    fn steady_in(&self, list: Reg, block: usize) -> Option<(u32, u32)> {
        let mut around = self.loops.iter().filter(|one| one.body.contains(&block));
        let is_steady = around.any(|one| one.lists.contains(&list));
        self.steady.get(&list).copied().filter(|_| is_steady)
    }

    /// Whether polls are counted in a local.
    fn is_quiet(&self, block: usize) -> bool {
        let mut quiet = self.loops.iter().filter(|one| one.is_quiet);
        quiet.any(|one| one.body.contains(&block))
    }

    /// The lists to look at on the way from a block to another.
    fn entered(&self, from: usize, to: usize) -> Vec<Reg> {
        let entered = self.loops.iter().find(|one| one.head == to);
        let Some(entered) = entered.filter(|one| !one.body.contains(&from)) else {
            return Vec::new();
        };
        let lists = entered.lists.iter().copied();
        lists
            .filter(|list| self.steady_in(*list, from).is_none())
            .collect()
    }
}

impl Emit<'_, '_> {
    /// Writes what is to be done where control goes from a block to another: loops begin or end there.
    pub(super) fn cross(&mut self, from: usize, to: usize) {
        for list in self.loops.entered(from, to) {
            let (length, place) = match self.loops.steady.get(&list) {
                Some(parts) => *parts,
                None => {
                    let parts = (self.new_local(ValType::I64), self.new_local(ValType::I32));
                    self.loops.steady.insert(list, parts);
                    parts
                }
            };
            self.get_address(list);
            self.i(I::I64Load32U(at(COUNT, 2)));
            self.i(I::LocalSet(length));
            self.get_address(list);
            self.i(I::I32Load(at(BUFFER, 2)));
            self.i(I::LocalSet(place));
        }
        match (self.loops.is_quiet(from), self.loops.is_quiet(to)) {
            (false, true) => {
                let polls = self.quiet_polls();
                self.i(I::GlobalGet(global::POLLS));
                self.i(I::LocalSet(polls));
            }
            // Errors are rare: what is not counted then does no harm.
            (true, false) if !self.function.blocks[to].cold => {
                let polls = self.quiet_polls();
                self.i(I::LocalGet(polls));
                self.i(I::GlobalSet(global::POLLS));
            }
            _ => {}
        }
    }

    fn quiet_polls(&mut self) -> u32 {
        match self.loops.polls {
            Some(local) => local,
            None => {
                let local = self.new_local(ValType::I32);
                self.loops.polls = Some(local);
                local
            }
        }
    }

    /// The local that counts polls in a block, if it is not the module's global.
    pub(super) fn polls_of(&mut self, block: usize) -> Option<u32> {
        self.loops.is_quiet(block).then(|| self.quiet_polls())
    }

    /// Pushes the length of a list.
    pub(super) fn length(&mut self, list: Reg) {
        match self.loops.steady_in(list, self.current) {
            Some((length, _)) => self.i(I::LocalGet(length)),
            None => {
                self.get_address(list);
                self.i(I::I64Load32U(at(COUNT, 2)));
            }
        }
    }

    /// Pushes the place of the elements of a list or of the entries of a map.
    pub(super) fn buffer(&mut self, list: Reg) {
        match self.loops.steady_in(list, self.current) {
            Some((_, place)) => self.i(I::LocalGet(place)),
            None => {
                self.get_address(list);
                self.i(I::I32Load(at(BUFFER, 2)));
            }
        }
    }
}

/// Whether what a block does can neither count polls nor ask for one, which whoever allocates does.
fn is_quiet(function: &Function, block: usize) -> bool {
    let block = &function.blocks[block];
    let allocates = |op: &Op| {
        matches!(
            op,
            Op::Call(..)
                | Op::Host(..)
                | Op::Spawn(..)
                | Op::New(..)
                | Op::NewList(..)
                | Op::NewMap(..)
                | Op::Box(..)
                | Op::OptBox(..)
                | Op::Format(_)
                | Op::ListPush(..)
                | Op::MapInsert(..)
                | Op::Drop(_)
        )
    };
    let calls = match &block.term {
        Terminator::Try { op, .. } => matches!(op, TryOp::Call(..) | TryOp::Host(..)),
        Terminator::Wait { .. } => true,
        _ => false,
    };
    !calls && !block.insts.iter().any(|inst| allocates(&inst.op))
}

/// The edges from a block to one that leads to it.
fn back_edges(function: &Function) -> Vec<(usize, usize)> {
    let mut done = vec![false; function.blocks.len()];
    let mut open = vec![false; function.blocks.len()];
    open[0] = true;
    let mut edges = Vec::new();
    let mut path = vec![(0, 0)];
    while let Some((block, edge)) = path.last_mut() {
        let from = *block;
        let targets = function.blocks[from].term.targets();
        let Some(target) = targets.get(*edge).map(|target| target.block.index()) else {
            open[from] = false;
            done[from] = true;
            path.pop();
            continue;
        };
        *edge += 1;
        if open[target] {
            edges.push((from, target));
        } else if !done[target] {
            open[target] = true;
            path.push((target, 0));
        }
    }
    edges
}

fn predecessors(function: &Function) -> Vec<Vec<usize>> {
    let mut preds = vec![Vec::new(); function.blocks.len()];
    for (at, block) in function.blocks.iter().enumerate() {
        for target in block.term.targets() {
            preds[target.block.index()].push(at);
        }
    }
    preds
}

/// The blocks of a loop: its head, and what leads to its ends without it.
fn body(head: usize, mut ends: Vec<usize>, preds: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut body = BTreeSet::from([head]);
    while let Some(block) = ends.pop() {
        if body.insert(block) {
            ends.extend(&preds[block]);
        }
    }
    body
}

/// The block that defines each register; parameters are there from the start.
fn makers(function: &Function) -> Vec<Option<usize>> {
    let mut made = vec![None; function.regs.len()];
    for param in &function.params {
        made[param.reg.index()] = Some(0);
    }
    for (at, block) in function.blocks.iter().enumerate() {
        let insts = block.insts.iter().flat_map(|inst| &inst.results);
        for reg in block.params.iter().chain(insts).chain(block.term.results()) {
            made[reg.index()] = Some(at);
        }
    }
    made
}

/// The lists that a block reads.
fn lists_of(function: &Function, block: usize) -> Vec<Reg> {
    let block = &function.blocks[block];
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
fn doubtful(function: &Function) -> BTreeSet<Reg> {
    let mut doubtful = BTreeSet::new();
    let mut copies = Vec::new();
    let signatures = Signatures::default();
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
                op => op.each_reg(&signatures, &mut note),
            }
        }
        match &block.term {
            Terminator::Try { op, .. } if is_certain_try(op) => {}
            Terminator::Return(_) => {}
            term => term.each_reg(&signatures, &mut note),
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

fn is_certain_try(op: &TryOp) -> bool {
    matches!(
        op,
        TryOp::ListGet(..)
            | TryOp::ListTake(..)
            | TryOp::ListSet(..)
            | TryOp::ListPut(..)
            | TryOp::Call(..)
    )
}
