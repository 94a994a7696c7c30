//! Which loaded pointers may stay borrowed.
//!
//! A pointer out of an object stays borrowed if none of its uses takes it over, and as long as it lives nothing
//! takes over or changes what it lives in; waits end it. One out of a cell must not leave its block, either.
//! Every other one gets a `Retain` right where it is loaded.

use super::super::graph::{Liveness, RegSet, consumed, insert_with_roots};
use super::super::simplify::rename;
use crate::ir::{
    Block, BlockId, Function, Inst, Mode, Op, Origin, Reg, Signatures, Terminator, Ty,
    result_origin, terminator_origin,
};
use smallvec::SmallVec;
use std::collections::HashMap;

/// The registers that are borrowed once [`settle`] is done.
pub(super) struct Borrowed {
    /// All of them.
    pub regs: Vec<Reg>,
    /// What those live in that live in an object.
    pub roots: HashMap<Reg, Reg>,
}

/// A load: where its result is defined. Position -1 is the start of the block, its length the terminator.
struct Loaded {
    reg: Reg,
    origin: Origin,
    block: BlockId,
    at: isize,
}

/// Retains what cannot stay borrowed.
pub(super) fn settle(function: &mut Function, sigs: &Signatures) -> Borrowed {
    let loads = loads(function);
    let kept = Candidates::new(function, sigs, &loads).settle();
    let retained: Vec<&Loaded> = loads
        .iter()
        .rev()
        .filter(|load| !kept.contains_key(&load.reg))
        .collect();
    // Positions stay right as long as later ones of a block are served first, which is the order here.
    let copies: HashMap<Reg, Reg> = retained
        .iter()
        .map(|load| (load.reg, new_pointer(function)))
        .collect();
    rename(function, &copies);
    for load in retained {
        insert_retain(function, load, copies[&load.reg]);
    }
    borrowed(function)
}

fn new_pointer(function: &mut Function) -> Reg {
    function.regs.push(Ty::Ptr);
    Reg(function.regs.len() as u32 - 1)
}

fn loads(function: &Function) -> Vec<Loaded> {
    let mut found = Vec::new();
    let is_pointer = |reg: &&Reg| function.regs[reg.index()] == Ty::Ptr;
    let mut landings: HashMap<BlockId, (Origin, Reg)> = HashMap::new();
    for block in &function.blocks {
        let origin = terminator_origin(&block.term);
        if let (Origin::Inside(_), Some(reg)) =
            (origin, block.term.results().iter().find(is_pointer))
        {
            landings.insert(block.term.targets()[0].block, (origin, *reg));
        }
    }
    for (at, body) in function.blocks.iter().enumerate() {
        let block = BlockId(at as u32);
        if let Some((origin, reg)) = landings.get(&block) {
            found.push(Loaded {
                reg: *reg,
                origin: *origin,
                block,
                at: -1,
            });
        }
        for (at, inst) in body.insts.iter().enumerate() {
            let origin = result_origin(&inst.op);
            if matches!(origin, Origin::Inside(_) | Origin::Cell(_)) {
                let pointers = inst.results.iter().filter(is_pointer);
                found.extend(pointers.map(|reg| Loaded {
                    reg: *reg,
                    origin,
                    block,
                    at: at as isize,
                }));
            }
        }
    }
    found
}

/// The loads that may still stay borrowed, and where they live.
struct Candidates<'f> {
    function: &'f Function,
    sigs: &'f Signatures,
    kept: HashMap<Reg, Origin>,
    /// The candidates that live in a register.
    inside: HashMap<Reg, Vec<Reg>>,
}

impl<'f> Candidates<'f> {
    fn new(function: &'f Function, sigs: &'f Signatures, loads: &[Loaded]) -> Self {
        let taken = consumed(function, sigs);
        let free = loads.iter().filter(|load| !taken.has(load.reg));
        let mut candidates = Candidates {
            function,
            sigs,
            kept: free.map(|load| (load.reg, load.origin)).collect(),
            inside: HashMap::new(),
        };
        for (reg, origin) in &candidates.kept {
            if let Origin::Inside(root) = origin {
                candidates.inside.entry(*root).or_default().push(*reg);
            }
        }
        candidates
    }

    /// Gives candidates up until nothing disturbs those that are left.
    ///
    /// What lives in a candidate prolongs its life. So of several that are disturbed the innermost ones go first:
    /// the outer ones may be fine without them.
    fn settle(mut self) -> HashMap<Reg, Origin> {
        loop {
            let disturbed = self.disturbed();
            let innermost: Vec<Reg> = disturbed
                .iter()
                .filter(|reg| !self.holds_one_of(*reg, &disturbed))
                .collect();
            if innermost.is_empty() {
                return self.kept;
            }
            for reg in innermost {
                self.kept.remove(&reg);
            }
        }
    }

    /// The candidates that live in a register.
    fn children(&self, root: Reg) -> impl Iterator<Item = Reg> + '_ {
        let inside = self.inside.get(&root).into_iter().flatten().copied();
        inside.filter(|reg| self.kept.contains_key(reg))
    }

    fn holds_one_of(&self, root: Reg, regs: &RegSet) -> bool {
        self.children(root)
            .any(|reg| regs.has(reg) || self.holds_one_of(reg, regs))
    }

    /// The candidates during whose life something happens to what they live in.
    fn disturbed(&self) -> RegSet {
        let root = |reg: Reg| match self.kept.get(&reg) {
            Some(Origin::Inside(root)) => Some(*root),
            _ => None,
        };
        let liveness = Liveness::compute(self.function, self.sigs, &root);
        let mut found = RegSet::new(self.function.regs.len());
        for at in 0..self.function.blocks.len() {
            let block = BlockId(at as u32);
            let mut live = self.at_end(block, &liveness, &root, &mut found);
            for inst in self.function.blocks[at].insts.iter().rev() {
                for result in &inst.results {
                    live.remove(*result);
                }
                let mut own = SmallVec::<[Reg; 4]>::new();
                inst.op.each_reg(self.sigs, &mut |reg, mode| {
                    insert_with_roots(&mut live, *reg, &root);
                    if mode == Mode::Own {
                        own.push(*reg);
                    }
                });
                own.extend(inst.op.changes());
                for reg in own {
                    self.end_lives(reg, &live, &mut found);
                }
                if let Op::CellStore(cell, _) | Op::CellTake(cell) = inst.op {
                    self.end_cells(Some(cell), &live, &mut found);
                }
            }
        }
        found
    }

    /// What the terminator of a block disturbs. Gives what is live before it.
    fn at_end(
        &self,
        at: BlockId,
        liveness: &Liveness,
        root: &dyn Fn(Reg) -> Option<Reg>,
        found: &mut RegSet,
    ) -> RegSet {
        let block = &self.function.blocks[at.index()];
        let behind = liveness.behind(self.function, at);
        // Cells may change behind the block.
        self.end_cells(None, &behind, found);
        if matches!(block.term, Terminator::Wait { .. }) {
            self.end_all(&behind, found);
        }
        for target in block.term.targets() {
            let live = &liveness.live_in[target.block.index()];
            for arg in &target.args {
                self.end_lives(*arg, live, found);
            }
        }
        let mut live = behind;
        let mut own = own_operands(block, self.sigs);
        block.term.each_reg(self.sigs, &mut |reg, _| {
            insert_with_roots(&mut live, *reg, root)
        });
        if let Terminator::Try { op, .. } = &block.term {
            own.extend(op.changes());
        }
        for reg in own {
            self.end_lives(reg, &live, found);
        }
        for target in block.term.targets() {
            for arg in &target.args {
                insert_with_roots(&mut live, *arg, root);
            }
        }
        live
    }

    /// What lives in a register is disturbed as far as it is alive.
    fn end_lives(&self, root: Reg, live: &RegSet, found: &mut RegSet) {
        for reg in self.children(root).filter(|reg| live.has(*reg)) {
            found.insert(reg);
        }
    }

    fn end_cells(&self, written: Option<u32>, live: &RegSet, found: &mut RegSet) {
        for (reg, origin) in &self.kept {
            if let Origin::Cell(cell) = origin
                && written.is_none_or(|written| written == *cell)
                && live.has(*reg)
            {
                found.insert(*reg);
            }
        }
    }

    fn end_all(&self, live: &RegSet, found: &mut RegSet) {
        for reg in self.kept.keys().filter(|reg| live.has(**reg)) {
            found.insert(*reg);
        }
    }
}

/// What the terminator of a block takes over, leaving its targets' arguments aside.
fn own_operands(block: &Block, sigs: &Signatures) -> SmallVec<[Reg; 4]> {
    let mut own = SmallVec::new();
    block.term.each_reg(sigs, &mut |reg, mode| {
        if mode == Mode::Own {
            own.push(*reg);
        }
    });
    own
}

fn insert_retain(function: &mut Function, load: &Loaded, copy: Reg) {
    let block = &mut function.blocks[load.block.index()];
    let at = (load.at + 1) as usize;
    let span = block
        .insts
        .get(at.saturating_sub(1))
        .map_or(block.term_span, |inst| inst.span);
    let inst = Inst {
        results: SmallVec::from_slice(&[copy]),
        op: Op::Retain(load.reg),
        span,
    };
    block.insts.insert(at, inst);
}

/// Reads off what is borrowed now.
fn borrowed(function: &Function) -> Borrowed {
    let mut borrowed = Borrowed {
        regs: Vec::new(),
        roots: HashMap::new(),
    };
    for load in loads(function) {
        borrowed.regs.push(load.reg);
        if let Origin::Inside(root) = load.origin {
            borrowed.roots.insert(load.reg, root);
        }
    }
    borrowed
}
