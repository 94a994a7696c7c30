//! Uniqueness that lasts: what one reference leads to needs not be made unique again, around a loop as little as in line.
//!
//! New objects and what `Unique` gives have one reference: the register's. It stays the only one as long as nothing
//! takes the register over, keeps it or copies it; a jump hands it on to a parameter. So a list that is made before a
//! loop and written in it is not asked at each turn, and behind that its register stays the same in the loop. A forward
//! analysis: a register is unique where it is so on all ways. Where the interpreter is built for tests, it asserts that
//! what is changed has one reference.
//!
//! Enter at [`remove`]; [`Unique`] is the analysis.

use super::super::graph::{Liveness, reverse_postorder};
use super::super::simplify::rename;
use crate::ir::loops::predecessors;
use crate::ir::{Block, BlockId, Function, Mode, Op, Reg, Signatures, Target, Terminator, TryOp};
use std::collections::{HashMap, HashSet};

/// Registers that hold the only reference to their objects.
type Regs = HashSet<Reg>;

/// Leaves out what makes unique what is so already; whether there was any.
pub(super) fn remove(function: &mut Function, sigs: &Signatures) -> bool {
    let Needless { same, sets } = Unique::of(function, sigs).needless();
    for block in sets {
        set_in_place(&mut function.blocks[block.index()]);
    }
    for block in &mut function.blocks {
        block.insts.retain(|inst| {
            let is_gone = |reg: &Reg| same.contains_key(reg);
            !(matches!(inst.op, Op::Unique(_)) && inst.results.first().is_some_and(is_gone))
        });
    }
    rename(function, &same);
    !same.is_empty()
}

/// The list of a checked `ListSet` is unique: it stays in its register.
fn set_in_place(block: &mut Block) {
    if let Terminator::Try { op, results, .. } = &mut block.term
        && let TryOp::ListSet(list, at, value) = *op
    {
        *op = TryOp::ListPut(list, at, value);
        results.clear();
    }
}

/// What makes unique what is so already.
#[derive(Default)]
struct Needless {
    /// Results, and the registers that they are the same as.
    same: HashMap<Reg, Reg>,
    /// Blocks that end with a `ListSet` of such a list.
    sets: Vec<BlockId>,
}

/// What is unique where.
pub(super) struct Unique<'f> {
    function: &'f Function,
    sigs: &'f Signatures,
    live: Liveness,
    /// Where blocks begin.
    starts: HashMap<BlockId, Regs>,
    /// Behind the edges of blocks, in order.
    edges: HashMap<BlockId, Vec<Regs>>,
}

impl<'f> Unique<'f> {
    /// Of ways that were not walked yet the best is hoped for, until nothing changes.
    pub fn of(function: &'f Function, sigs: &'f Signatures) -> Unique<'f> {
        let mut found = Unique {
            function,
            sigs,
            live: Liveness::compute(function, sigs, &|_| None),
            starts: HashMap::new(),
            edges: HashMap::new(),
        };
        let order = reverse_postorder(function);
        let preds = predecessors(function);
        while order
            .iter()
            .fold(false, |changed, id| found.visit(*id, &preds) | changed)
        {}
        found
    }

    /// Whether a register is unique where a block begins.
    pub fn at_start(&self, block: BlockId, reg: Reg) -> bool {
        let start = self.starts.get(&block);
        start.is_some_and(|regs| regs.contains(&reg))
    }

    /// Whether a register is unique on all ways from a block to another one.
    pub fn on_way(&self, from: BlockId, to: BlockId, reg: Reg) -> bool {
        let targets = self.block(from).term.targets();
        let edges = self.edges.get(&from).into_iter().flatten();
        let mut ways = targets.iter().zip(edges).filter(|way| way.0.block == to);
        ways.all(|(_, regs)| regs.contains(&reg))
    }

    fn block(&self, id: BlockId) -> &'f Block {
        &self.function.blocks[id.index()]
    }

    /// Looks at a block; whether more or less is known of its start than before.
    fn visit(&mut self, id: BlockId, preds: &[Vec<BlockId>]) -> bool {
        let start = self.meet(id, &preds[id.index()]);
        if self.starts.get(&id) == Some(&start) {
            return false;
        }
        let mut end = self.walk(id, start.clone(), &mut |_, _| {});
        self.pass_end(id, &mut end);
        let targets = self.block(id).term.targets();
        let edges = targets.iter().enumerate();
        let edges = edges.map(|(edge, target)| self.across(id, edge, target, &end));
        let edges = edges.collect();
        self.edges.insert(id, edges);
        self.starts.insert(id, start);
        true
    }

    /// What is unique on all ways into a block that were walked.
    fn meet(&self, id: BlockId, preds: &[BlockId]) -> Regs {
        let mut met: Option<Regs> = None;
        for pred in preds {
            let targets = self.block(*pred).term.targets();
            let edges = self.edges.get(pred).into_iter().flatten();
            for (_, regs) in targets.iter().zip(edges).filter(|way| way.0.block == id) {
                met = Some(match met {
                    Some(met) => met.intersection(regs).copied().collect(),
                    None => regs.clone(),
                });
            }
        }
        met.unwrap_or_default()
    }

    /// Follows the instructions of a block; `found` is told of what is made unique and is so already.
    fn walk(&self, id: BlockId, mut unique: Regs, found: &mut dyn FnMut(Reg, Reg)) -> Regs {
        let block = self.block(id);
        for (at, inst) in block.insts.iter().enumerate() {
            let result = inst.results.first().copied();
            if let (Op::Unique(of), Some(result)) = (&inst.op, result)
                && unique.contains(of)
                && !self.is_read_behind(block, at, *of)
            {
                found(result, *of);
            }
            let keeps = may_keep(&inst.op);
            inst.op.each_reg(self.sigs, &mut |reg, mode| {
                forget(&mut unique, *reg, mode, keeps)
            });
            unique.extend(result.filter(|_| is_maker(&inst.op)));
        }
        unique
    }

    /// Follows the end of a block, up to its edges.
    fn pass_end(&self, id: BlockId, unique: &mut Regs) {
        let term = &self.block(id).term;
        let keeps = match term {
            Terminator::Try { op, .. } => matches!(op, TryOp::Call(..) | TryOp::Host(..)),
            term => matches!(term, Terminator::Wait { .. }),
        };
        term.each_reg(self.sigs, &mut |reg, mode| {
            forget(unique, *reg, mode, keeps)
        });
    }

    /// What is unique behind an edge: what lives on and is not handed over as well, and parameters.
    fn across(&self, from: BlockId, edge: usize, target: &Target, end: &Regs) -> Regs {
        let live = &self.live.live_in[target.block.index()];
        let handed = |reg: &Reg| target.args.iter().filter(|arg| *arg == reg).count();
        let params = self.block(target.block).params.iter().zip(&target.args);
        let taken =
            params.filter(|(_, arg)| end.contains(arg) && !live.has(**arg) && handed(arg) == 1);
        let stay = end.iter().filter(|reg| live.has(**reg) && handed(reg) == 0);
        let made = match &self.block(from).term {
            // Where it fails, the list comes back as it was.
            Terminator::Try {
                op: TryOp::ListSet(..),
                results,
                ..
            } if edge == 0 => results.first(),
            _ => None,
        };
        let params = taken.map(|(param, _)| param);
        params.chain(stay).chain(made).copied().collect()
    }

    fn needless(&self) -> Needless {
        let mut needless = Needless::default();
        for (id, start) in &self.starts {
            let unique = self.walk(*id, start.clone(), &mut |result, of| {
                needless.same.insert(result, of);
            });
            if let Terminator::Try {
                op: TryOp::ListSet(list, ..),
                results,
                ..
            } = &self.block(*id).term
                && unique.contains(list)
                && !self.is_live_out(self.block(*id), *list)
            {
                needless.same.insert(results[0], *list);
                needless.sets.push(*id);
            }
        }
        needless
    }

    /// Whether a register is read behind an instruction, on any way.
    fn is_read_behind(&self, block: &Block, at: usize, wanted: Reg) -> bool {
        let mut found = false;
        let mut note = |reg: &Reg, _: Mode| found |= *reg == wanted;
        for inst in &block.insts[at + 1..] {
            inst.op.each_reg(self.sigs, &mut note);
        }
        block.term.each_reg(self.sigs, &mut note);
        found || self.is_live_out(block, wanted)
    }

    /// Whether a register is handed over at the end of a block, or read behind it.
    fn is_live_out(&self, block: &Block, wanted: Reg) -> bool {
        let mut targets = block.term.targets().into_iter();
        targets.any(|target| {
            target.args.contains(&wanted) || self.live.live_in[target.block.index()].has(wanted)
        })
    }
}

/// A register that is taken over, or read by what may keep it, holds the only reference no longer.
fn forget(unique: &mut Regs, reg: Reg, mode: Mode, may_keep: bool) {
    if mode == Mode::Own || may_keep {
        unique.remove(&reg);
    }
}

/// Whether the first result is a new object, or one that was made unique.
fn is_maker(op: &Op) -> bool {
    matches!(
        op,
        Op::Unique(_)
            | Op::New(..)
            | Op::NewList(..)
            | Op::NewMap(..)
            | Op::ListPush(..)
            | Op::MapInsert(..)
    )
}

/// Whether an operation may make a further reference to what it borrows. What reads an object's content makes
/// references to that content at most.
fn may_keep(op: &Op) -> bool {
    matches!(
        op,
        Op::Call(..) | Op::Host(..) | Op::Spawn(..) | Op::Select(..) | Op::Retain(_)
    )
}
