//! Which loaded pointers may stay borrowed.
//!
//! A pointer out of an object or cell stays borrowed if all its uses are in the block that loads it, none takes it
//! over, and until the last of them nothing takes over or changes what it lives in. Every other one gets a
//! `Retain` right where it is loaded.

use crate::ir::{
    BlockId, Function, Inst, Mode, Op, Origin, Reg, Signatures, Terminator, Ty, result_origin,
    terminator_origin,
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

/// Where and how a register is used.
struct Use {
    block: BlockId,
    at: isize,
    mode: Mode,
}

/// Retains what cannot stay borrowed.
pub(super) fn settle(function: &mut Function, sigs: &Signatures) -> Borrowed {
    let loads = loads(function);
    let uses = uses(function, sigs);
    let mut ends: HashMap<Reg, isize> = HashMap::new();
    let mut retained: Vec<&Loaded> = Vec::new();
    // Later loads first: what is loaded out of a borrowed pointer prolongs its use.
    for load in loads.iter().rev() {
        match borrow_end(
            function,
            sigs,
            load,
            uses.get(&load.reg).map_or(&[], Vec::as_slice),
            &ends,
            &loads,
        ) {
            Some(end) => {
                ends.insert(load.reg, end);
            }
            None => retained.push(load),
        }
    }
    // Positions stay right as long as later ones of a block are served first, which is the order here.
    let copies: HashMap<Reg, Reg> = retained
        .iter()
        .map(|load| (load.reg, new_pointer(function)))
        .collect();
    rename(function, sigs, &copies);
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

fn uses(function: &Function, sigs: &Signatures) -> HashMap<Reg, Vec<Use>> {
    let mut found: HashMap<Reg, Vec<Use>> = HashMap::new();
    for (at, body) in function.blocks.iter().enumerate() {
        let block = BlockId(at as u32);
        let mut note =
            |reg: Reg, mode, at| found.entry(reg).or_default().push(Use { block, at, mode });
        for (at, inst) in body.insts.iter().enumerate() {
            inst.op
                .each_reg(sigs, &mut |reg, mode| note(*reg, mode, at as isize));
        }
        let end = body.insts.len() as isize;
        body.term
            .each_reg(sigs, &mut |reg, mode| note(*reg, mode, end));
        for target in body.term.targets() {
            target
                .args
                .iter()
                .for_each(|arg| note(*arg, Mode::Own, end));
        }
    }
    found
}

/// The position of the last use if the load may stay borrowed.
fn borrow_end(
    function: &Function,
    sigs: &Signatures,
    load: &Loaded,
    uses: &[Use],
    ends: &HashMap<Reg, isize>,
    loads: &[Loaded],
) -> Option<isize> {
    if uses
        .iter()
        .any(|u| u.block != load.block || u.mode == Mode::Own)
    {
        return None;
    }
    let body = &function.blocks[load.block.index()];
    let mut end = uses.iter().map(|u| u.at).max().unwrap_or(load.at);
    // What is loaded out of it by a terminator lives in another block.
    if matches!(terminator_origin(&body.term), Origin::Inside(root) if root == load.reg) {
        return None;
    }
    for inner in loads
        .iter()
        .filter(|inner| inner.origin == Origin::Inside(load.reg))
    {
        end = end.max(ends.get(&inner.reg).copied().unwrap_or(inner.at));
    }
    let disturbed = (load.at + 1..=end).any(|at| disturbs(body, at, load.origin, sigs));
    (!disturbed).then_some(end)
}

/// Whether the instruction or terminator at a position takes away or changes what is borrowed from.
fn disturbs(body: &crate::ir::Block, at: isize, origin: Origin, sigs: &Signatures) -> bool {
    let mut taken = false;
    let mut note = |reg: &Reg, mode| taken |= mode == Mode::Own && origin == Origin::Inside(*reg);
    let Some(inst) = body.insts.get(at as usize) else {
        body.term.each_reg(sigs, &mut note);
        return taken
            || (matches!(origin, Origin::Cell(_)) && matches!(body.term, Terminator::Wait { .. }));
    };
    inst.op.each_reg(sigs, &mut note);
    let changed = match (&inst.op, origin) {
        (Op::CellStore(written, _) | Op::CellTake(written), Origin::Cell(cell)) => *written == cell,
        (op, Origin::Inside(root)) => op.changes() == Some(root),
        _ => false,
    };
    taken || changed
}

fn rename(function: &mut Function, sigs: &Signatures, copies: &HashMap<Reg, Reg>) {
    let mut swap = |reg: &mut Reg, _| {
        if let Some(copy) = copies.get(reg) {
            *reg = *copy;
        }
    };
    for block in &mut function.blocks {
        for inst in &mut block.insts {
            inst.op.each_reg_mut(sigs, &mut swap);
        }
        block.term.each_reg_mut(sigs, &mut swap);
        for target in block.term.targets_mut() {
            target.args.iter_mut().for_each(|arg| swap(arg, Mode::Own));
        }
    }
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
