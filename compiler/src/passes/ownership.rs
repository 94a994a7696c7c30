//! Inserts reference counts: `Retain` where an owned operand lives on, `Drop` at last uses (after Perceus).
//!
//! First, [`borrows`] decides which loaded pointers may stay borrowed; the others are retained where they are
//! loaded. Then liveness, in which a use of a borrowed register is a use of what it lives in, tells for every
//! owned register where it is consumed or dropped. What dies on an edge is dropped in the target if nothing else
//! leads there, else in a block put on the edge.

mod borrows;

use super::graph::{Liveness, RegSet, add_terminator_uses, insert_with_roots};
use super::simplify::split_edge;
use crate::ir::{
    BlockId, Function, Inst, Mode, Op, Origin, Program, Reg, Signatures, Terminator, Ty,
    result_origin,
};
use scn_grammar::Span;
use smallvec::SmallVec;
use std::collections::HashMap;

/// Inserts counts in all functions.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in &mut program.functions {
        if !function.blocks.is_empty() {
            let roots = borrows::settle(function, &sigs);
            Counts::new(function, &sigs, roots).insert();
        }
    }
}

/// What a register is to the counts.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A scalar, or immortal: consumed and left at will.
    Free,
    /// Has a reference of its own.
    Owned,
    /// Lives in something else; a borrowed parameter lives in the caller's.
    Borrowed,
}

struct Counts<'f> {
    function: &'f mut Function,
    sigs: &'f Signatures,
    /// What a borrowed register lives in.
    roots: HashMap<Reg, Reg>,
    kinds: Vec<Kind>,
}

impl<'f> Counts<'f> {
    fn new(function: &'f mut Function, sigs: &'f Signatures, borrowed: borrows::Borrowed) -> Self {
        let mut kinds: Vec<Kind> = function
            .regs
            .iter()
            .map(|ty| owned_if_pointer(*ty))
            .collect();
        for param in &function.params {
            if !param.own && function.regs[param.reg.index()] == Ty::Ptr {
                kinds[param.reg.index()] = Kind::Borrowed;
            }
        }
        for inst in function.blocks.iter().flat_map(|block| &block.insts) {
            if result_origin(&inst.op) == Origin::Static {
                inst.results
                    .iter()
                    .for_each(|reg| kinds[reg.index()] = Kind::Free);
            }
        }
        for reg in &borrowed.regs {
            kinds[reg.index()] = Kind::Borrowed;
        }
        Counts {
            function,
            sigs,
            roots: borrowed.roots,
            kinds,
        }
    }

    fn insert(mut self) {
        let roots = self.roots.clone();
        let root = move |reg: Reg| roots.get(&reg).copied();
        let liveness = Liveness::compute(self.function, self.sigs, &root);
        let blocks = self.function.blocks.len();
        let mut edges: Vec<(BlockId, usize, Vec<Reg>)> = Vec::new();
        for at in 0..blocks {
            let block = BlockId(at as u32);
            let live = self.terminator(block, &liveness, &root, &mut edges);
            self.instructions(block, live, &root);
        }
        self.entry_drops(&liveness);
        self.edge_drops(edges);
    }

    fn is_owned(&self, reg: Reg) -> bool {
        self.kinds[reg.index()] == Kind::Owned
    }

    /// Counts of a terminator. Gives what is live before it.
    fn terminator(
        &mut self,
        block: BlockId,
        liveness: &Liveness,
        root: &dyn Fn(Reg) -> Option<Reg>,
        edges: &mut Vec<(BlockId, usize, Vec<Reg>)>,
    ) -> RegSet {
        let behind = liveness.behind(self.function, block);
        let mut term = std::mem::take(&mut self.function.blocks[block.index()].term);
        let mut before = behind.clone();
        self.function.blocks[block.index()].term = term.clone();
        add_terminator_uses(
            &mut before,
            &self.function.blocks[block.index()],
            self.sigs,
            root,
        );
        let mut uses = Uses::default();
        term.each_reg(self.sigs, &mut |reg, mode| uses.note(*reg, mode, root));
        for target in term.targets() {
            target
                .args
                .iter()
                .for_each(|arg| uses.note(*arg, Mode::Own, root));
        }
        let (consumed, retained) = self.consume(&uses, &behind);
        let mut retains = Retains::new(retained);
        term.each_reg_mut(self.sigs, &mut |reg, mode| {
            retains.substitute(self.function, reg, mode)
        });
        for target in term.targets_mut() {
            target
                .args
                .iter_mut()
                .for_each(|arg| retains.substitute(self.function, arg, Mode::Own));
        }
        let span = self.function.blocks[block.index()].term_span;
        self.function.blocks[block.index()]
            .insts
            .extend(retains.insts(span));
        for (edge, target) in term.targets().iter().enumerate() {
            let live_in = &liveness.live_in[target.block.index()];
            let results = term.results_at(edge, self.sigs).iter().copied();
            let dead = before
                .iter()
                .filter(|reg| !consumed.contains(reg))
                .chain(results);
            let dead: Vec<Reg> = dead
                .filter(|reg| self.is_owned(*reg) && !live_in.has(*reg))
                .collect();
            let ends_there = self.is_unreachable(target.block);
            if !dead.is_empty() && !ends_there {
                edges.push((block, edge, dead));
            }
        }
        self.function.blocks[block.index()].term = term;
        before
    }

    /// Whether nothing can come of a block: there counts do not matter.
    fn is_unreachable(&self, block: BlockId) -> bool {
        let block = &self.function.blocks[block.index()];
        block.insts.is_empty() && block.term == Terminator::Unreachable
    }

    /// Counts of the instructions of a block, from the last to the first.
    fn instructions(
        &mut self,
        block: BlockId,
        mut live: RegSet,
        root: &dyn Fn(Reg) -> Option<Reg>,
    ) {
        let insts = std::mem::take(&mut self.function.blocks[block.index()].insts);
        let params = self.function.blocks[block.index()].params.clone();
        let mut reversed: Vec<Inst> = Vec::with_capacity(insts.len() * 2);
        for mut inst in insts.into_iter().rev() {
            // The retains that the terminator wanted are already as they should be.
            if matches!(inst.op, Op::Retain(_)) {
                inst.results.iter().for_each(|reg| live.remove(*reg));
                let mut dead = Vec::new();
                inst.op.each_reg(self.sigs, &mut |reg, _| {
                    self.note_dead(*reg, &live, root, &mut dead)
                });
                push_drops(&mut reversed, dead, inst.span);
                inst.op.each_reg(self.sigs, &mut |reg, _| {
                    insert_with_roots(&mut live, *reg, root)
                });
                reversed.push(inst);
                continue;
            }
            let mut uses = Uses::default();
            inst.op
                .each_reg(self.sigs, &mut |reg, mode| uses.note(*reg, mode, root));
            let (consumed, retained) = self.consume(&uses, &live);
            let mut dead: Vec<Reg> = inst
                .results
                .iter()
                .copied()
                .filter(|r| self.is_owned(*r) && !live.has(*r))
                .collect();
            for reg in uses.all.iter().copied() {
                if self.is_owned(reg)
                    && !live.has(reg)
                    && !consumed.contains(&reg)
                    && !dead.contains(&reg)
                {
                    dead.push(reg);
                }
            }
            push_drops(&mut reversed, dead, inst.span);
            inst.results.iter().for_each(|reg| live.remove(*reg));
            uses.all.iter().for_each(|reg| {
                live.insert(*reg);
            });
            let mut retains = Retains::new(retained);
            inst.op.each_reg_mut(self.sigs, &mut |reg, mode| {
                retains.substitute(self.function, reg, mode)
            });
            let span = inst.span;
            reversed.push(inst);
            reversed.extend(retains.insts(span).into_iter().rev());
        }
        let dead: Vec<Reg> = params
            .into_iter()
            .filter(|reg| self.is_owned(*reg) && !live.has(*reg))
            .collect();
        let span = self.function.blocks[block.index()].term_span;
        push_drops(&mut reversed, dead, span);
        reversed.reverse();
        self.function.blocks[block.index()].insts = reversed;
    }

    fn note_dead(
        &self,
        reg: Reg,
        live: &RegSet,
        root: &dyn Fn(Reg) -> Option<Reg>,
        dead: &mut Vec<Reg>,
    ) {
        let mut at = Some(reg);
        while let Some(reg) = at {
            if self.is_owned(reg) && !live.has(reg) && !dead.contains(&reg) {
                dead.push(reg);
            }
            at = root(reg);
        }
    }

    /// Which owned registers these uses consume, and how many references each needs beside.
    fn consume(&self, uses: &Uses, live: &RegSet) -> (Vec<Reg>, HashMap<Reg, usize>) {
        let mut consumed = Vec::new();
        let mut retained = HashMap::new();
        for (reg, count) in &uses.owned {
            match self.kinds[reg.index()] {
                Kind::Free => {}
                Kind::Owned if !live.has(*reg) && !uses.borrowed.contains(reg) => {
                    consumed.push(*reg);
                    retained.insert(*reg, count - 1);
                }
                _ => {
                    retained.insert(*reg, *count);
                }
            }
        }
        (consumed, retained)
    }

    /// Owned parameters that nobody reads.
    fn entry_drops(&mut self, liveness: &Liveness) {
        let live = &liveness.live_in[0];
        let dead: Vec<Reg> = self
            .function
            .params
            .iter()
            .map(|p| p.reg)
            .filter(|r| self.is_owned(*r) && !live.has(*r))
            .collect();
        let span = self.function.span;
        self.function.blocks[0]
            .insts
            .splice(0..0, dead.into_iter().map(|reg| drop_inst(reg, span)));
    }

    fn edge_drops(&mut self, edges: Vec<(BlockId, usize, Vec<Reg>)>) {
        let preds = crate::ir::loops::predecessors(self.function);
        for (from, edge, dead) in edges {
            let block = &mut self.function.blocks[from.index()];
            let span = block.term_span;
            let drops = dead.into_iter().map(|reg| drop_inst(reg, span));
            if matches!(block.term, Terminator::Jump(_)) {
                block.insts.extend(drops);
                continue;
            }
            let target = block.term.targets()[edge].block;
            let at = match preds[target.index()].len() {
                1 => target,
                _ => split_edge(self.function, from, edge),
            };
            self.function.blocks[at.index()].insts.splice(0..0, drops);
        }
    }
}

fn owned_if_pointer(ty: Ty) -> Kind {
    if ty == Ty::Ptr {
        Kind::Owned
    } else {
        Kind::Free
    }
}

fn drop_inst(reg: Reg, span: Span) -> Inst {
    Inst {
        results: SmallVec::new(),
        op: Op::Drop(reg),
        span,
    }
}

fn push_drops(reversed: &mut Vec<Inst>, dead: Vec<Reg>, span: Span) {
    reversed.extend(dead.into_iter().rev().map(|reg| drop_inst(reg, span)));
}

/// The operands of one instruction or terminator.
#[derive(Default)]
struct Uses {
    /// Own operands and how often each.
    owned: Vec<(Reg, usize)>,
    /// Borrowed operands, with what they live in.
    borrowed: Vec<Reg>,
    /// Everything that must be alive.
    all: Vec<Reg>,
}

impl Uses {
    fn note(&mut self, reg: Reg, mode: Mode, root: &dyn Fn(Reg) -> Option<Reg>) {
        match (mode, self.owned.iter_mut().find(|(owned, _)| *owned == reg)) {
            (Mode::Own, Some((_, count))) => *count += 1,
            (Mode::Own, None) => self.owned.push((reg, 1)),
            (Mode::Borrow, _) => self.borrowed.push(reg),
        }
        self.all.push(reg);
        let mut at = root(reg);
        while let Some(reg) = at {
            self.borrowed.push(reg);
            self.all.push(reg);
            at = root(reg);
        }
    }
}

/// References made right before an instruction, for own operands that live on.
struct Retains {
    left: HashMap<Reg, usize>,
    made: Vec<(Reg, Reg)>,
}

impl Retains {
    fn new(left: HashMap<Reg, usize>) -> Retains {
        Retains {
            left,
            made: Vec::new(),
        }
    }

    fn substitute(&mut self, function: &mut Function, reg: &mut Reg, mode: Mode) {
        if mode != Mode::Own {
            return;
        }
        let Some(left) = self.left.get_mut(reg).filter(|left| **left > 0) else {
            return;
        };
        *left -= 1;
        function.regs.push(Ty::Ptr);
        let copy = Reg(function.regs.len() as u32 - 1);
        self.made.push((copy, *reg));
        *reg = copy;
    }

    fn insts(self, span: Span) -> Vec<Inst> {
        let inst = |(copy, reg)| Inst {
            results: SmallVec::from_slice(&[copy]),
            op: Op::Retain(reg),
            span,
        };
        self.made.into_iter().map(inst).collect()
    }
}
