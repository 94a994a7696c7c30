//! Loops of a function, and the lists that stay the same in one.
//!
//! As long as a register holds a list, neither its length nor the place of its elements changes: whatever would change
//! them takes the list over and gives another register. So code reads both once, where it enters the loop.

use super::emit::Emit;
use crate::object::layout;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use cranelift_frontend::Variable;
use scn_compiler::ir::{
    BlockId, Function, Mode, Op, Reg, Signatures, Target, Terminator, TryOp, Ty,
};
use std::collections::{HashMap, HashSet};
use std::mem::offset_of;

/// A loop without waits.
#[derive(Debug)]
struct Loop {
    body: HashSet<BlockId>,
    /// Lists that are read in it and come from outside.
    lists: Vec<Reg>,
}

/// The loops of a function.
#[derive(Debug, Default)]
pub(super) struct Loops {
    /// The blocks that something behind them jumps back to.
    pub heads: HashSet<BlockId>,
    loops: HashMap<BlockId, Loop>,
    /// Length and place of the elements.
    steady: HashMap<Reg, (Variable, Variable)>,
}

impl Loops {
    /// Finds them; `variable` makes one for a word.
    pub(super) fn of(function: &Function, mut variable: impl FnMut() -> Variable) -> Loops {
        let backs = back_edges(function);
        let mut loops = Loops {
            heads: backs.iter().map(|(_, head)| *head).collect(),
            ..Loops::default()
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
            let mut lists: Vec<Reg> = body
                .iter()
                .flat_map(|at| lists_of(function, *at))
                .filter(outside)
                .collect();
            lists.sort();
            lists.dedup();
            for list in &lists {
                loops
                    .steady
                    .entry(*list)
                    .or_insert_with(|| (variable(), variable()));
            }
            loops.loops.insert(*head, Loop { body, lists });
        }
        loops
    }

    /// The lists to look at where control goes from one block to another: those that stay the same in the loop that it
    /// enters, and not already in one around it.
    fn entered(&self, from: BlockId, to: BlockId) -> Vec<Reg> {
        match self.loops.get(&to) {
            Some(entered) if !entered.body.contains(&from) => {
                let lists = entered.lists.iter().copied();
                lists
                    .filter(|list| self.steady_in(*list, from).is_none())
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where length and place of a list are in a block, if it stays the same in a loop around it.
    fn steady_in(&self, list: Reg, at: BlockId) -> Option<(Variable, Variable)> {
        let variables = self.steady.get(&list)?;
        let mut around = self.loops.values().filter(|one| one.body.contains(&at));
        around
            .any(|one| one.lists.contains(&list))
            .then_some(*variables)
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

fn predecessors(function: &Function) -> Vec<Vec<BlockId>> {
    let mut preds = vec![Vec::new(); function.blocks.len()];
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        for target in block.term.targets() {
            preds[target.block.index()].push(at);
        }
    }
    preds
}

/// The blocks of a loop: its head, and what leads to its ends without it.
fn body(head: BlockId, mut ends: Vec<BlockId>, preds: &[Vec<BlockId>]) -> HashSet<BlockId> {
    let mut body = HashSet::from([head]);
    while let Some(block) = ends.pop() {
        if body.insert(block) {
            ends.extend(&preds[block.index()]);
        }
    }
    body
}

/// The block that defines each register; parameters are there from the start.
fn makers(function: &Function) -> Vec<Option<BlockId>> {
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
fn lists_of(function: &Function, at: BlockId) -> Vec<Reg> {
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
        op: TryOp::ListGet(list, _) | TryOp::ListTake(list, _),
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
                op: TryOp::ListGet(..) | TryOp::ListTake(..) | TryOp::ListSet(..) | TryOp::Call(..),
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

impl Emit<'_, '_, '_> {
    /// Whether something is to be done on the way to a target.
    pub(super) fn enters_loop(&self, target: &Target) -> bool {
        !self.loops.entered(self.current, target.block).is_empty()
    }

    /// Looks at the lists of a loop that is entered.
    pub(super) fn enter_loop(&mut self, target: BlockId) {
        for list in self.loops.entered(self.current, target) {
            let (len, place) = self.loops.steady[&list];
            let list = self.get(list);
            let length = self.load_u32(list, offset_of!(layout::List, len));
            let elements = self.load(types::I64, list, offset_of!(layout::List, buffer) as i32);
            self.b.def_var(len, length);
            self.b.def_var(place, elements);
        }
    }

    /// The number of elements of a list.
    pub(super) fn list_len(&mut self, list: Reg) -> Value {
        if let Some((len, _)) = self.loops.steady_in(list, self.current) {
            return self.b.use_var(len);
        }
        let list = self.get(list);
        self.load_u32(list, offset_of!(layout::List, len))
    }

    /// Where an element of a list is.
    pub(super) fn element_of(&mut self, list: Reg, at: Value) -> Value {
        if let Some((_, place)) = self.loops.steady_in(list, self.current) {
            let elements = self.b.use_var(place);
            let offset = self.b.ins().ishl_imm_u(at, 3);
            return self.b.ins().iadd(elements, offset);
        }
        let list = self.get(list);
        self.element(list, at)
    }
}
