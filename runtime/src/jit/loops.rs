//! Loops of a function, and the lists that stay the same in one.
//!
//! As long as a register holds a list, neither its length nor the place of its elements changes: whatever would change
//! them takes the list over and gives another register. So code reads both once, where it enters the loop.

use super::emit::Emit;
use crate::object::layout;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use scn_compiler::ir::{
    Block, BlockId, Function, Mode, Op, Reg, Signatures, Target, Terminator, TryOp, Ty,
};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem::offset_of;

/// As many instructions as the head of a loop may have whose condition is tested at the loop's end as well.
const HEAD: usize = 6;

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
    pub heads: BTreeSet<BlockId>,
    loops: HashMap<BlockId, Loop>,
    /// Length and place of the elements, by list: registers behind those of the function.
    steady: HashMap<Reg, (Reg, Reg)>,
    /// The lists of these registers.
    lists: HashMap<Reg, Reg>,
}

/// Whether an operation is what conditions are made of: short, and it needs no place.
fn is_condition(op: &Op) -> bool {
    matches!(
        op,
        Op::Int(_)
            | Op::Float(_)
            | Op::IntCmp(..)
            | Op::IntBin(..)
            | Op::FloatCmp(..)
            | Op::Not(_)
            | Op::ListLen(_)
            | Op::BytesLen(_)
    )
}

/// Whether the head of a loop is little else than its condition.
fn is_short(head: &Block) -> bool {
    matches!(head.term, Terminator::Branch { .. })
        && head.insts.len() <= HEAD
        && head.insts.iter().all(|inst| is_condition(&inst.op))
}

impl Loops {
    /// Finds them.
    pub(super) fn of(function: &Function) -> Loops {
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
        for head in loops.heads.clone() {
            let ends = backs.iter().filter(|(_, to)| *to == head);
            let body = body(head, ends.map(|(from, _)| *from).collect(), &preds);
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
                loops.keep_steady(*list, function.regs.len());
            }
            loops.loops.insert(head, Loop { body, lists });
        }
        loops
    }

    /// Gives length and place of a list registers of their own.
    fn keep_steady(&mut self, list: Reg, regs: usize) {
        if !self.steady.contains_key(&list) {
            let first = (regs + self.lists.len()) as u32;
            let parts = (Reg(first), Reg(first + 1));
            self.steady.insert(list, parts);
            self.lists.extend([(parts.0, list), (parts.1, list)]);
        }
    }

    /// The registers of lengths and places.
    pub(super) fn steady_parts(&self) -> impl Iterator<Item = Reg> + '_ {
        self.lists.keys().copied()
    }

    /// The registers of lengths and places that a block reads.
    pub(super) fn steady_uses(
        &self,
        function: &Function,
        at: BlockId,
    ) -> impl Iterator<Item = Reg> {
        let lists = lists_of(function, at).into_iter();
        let parts = lists.filter_map(move |list| self.steady_in(list, at));
        parts.flat_map(|(len, place)| [len, place])
    }

    /// Whether such a register has a value in a block.
    pub(super) fn holds(&self, part: Reg, at: BlockId) -> bool {
        let list = self.lists.get(&part);
        list.is_some_and(|list| self.steady_in(*list, at).is_some())
    }

    /// The heads whose condition may be tested again at the ends of their loops.
    pub(super) fn tested_again(&self, function: &Function) -> impl Iterator<Item = BlockId> {
        let heads = self.heads.iter().copied();
        heads.filter(|head| is_short(&function.blocks[head.index()]))
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
    fn steady_in(&self, list: Reg, at: BlockId) -> Option<(Reg, Reg)> {
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

pub(super) fn predecessors(function: &Function) -> Vec<Vec<BlockId>> {
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
pub(super) fn makers(function: &Function) -> Vec<Option<BlockId>> {
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

impl Emit<'_, '_, '_> {
    /// Whether a jump to a block is better the block itself once more: it is the head of a loop and little else than
    /// its condition. So a turn of the loop takes one jump, and the condition in front of it is tested once.
    pub(super) fn tests_again(&self, target: BlockId) -> bool {
        self.loops.heads.contains(&target)
            && self.begun.contains(&target)
            && is_short(&self.function.blocks[target.index()])
    }

    /// Whether something is to be done on the way to a target.
    pub(super) fn enters_loop(&self, target: &Target) -> bool {
        !self.loops.entered(self.current, target.block).is_empty()
    }

    /// Looks at the lists of a loop that is entered: registers of lengths and places, and what they hold.
    pub(super) fn enter_loop(&mut self, target: BlockId) -> HashMap<Reg, Value> {
        let mut found = HashMap::new();
        for list in self.loops.entered(self.current, target) {
            let (len, place) = self.loops.steady[&list];
            let list = self.get(list);
            let length = self.load_u32(list, offset_of!(layout::List, len));
            let elements = self.load(types::I64, list, offset_of!(layout::List, buffer) as i32);
            found.extend([(len, length), (place, elements)]);
        }
        found
    }

    /// The number of elements of a list.
    pub(super) fn list_len(&mut self, list: Reg) -> Value {
        if let Some((len, _)) = self.loops.steady_in(list, self.current) {
            return self.get(len);
        }
        let list = self.get(list);
        self.load_u32(list, offset_of!(layout::List, len))
    }

    /// Where an element of a list is.
    pub(super) fn element_of(&mut self, list: Reg, at: Value) -> Value {
        if let Some((_, place)) = self.loops.steady_in(list, self.current) {
            let elements = self.get(place);
            let offset = self.b.ins().ishl_imm_u(at, 3);
            return self.b.ins().iadd(elements, offset);
        }
        let list = self.get(list);
        self.element(list, at)
    }
}
