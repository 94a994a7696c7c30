//! Tidies a function: unreachable blocks, parameters that stand for one value, dead code, chains of blocks.
//!
//! It also keeps arguments off the edges of branches: only a `Jump` carries them, so that what happens on an edge
//! has a place.

use super::graph::{RegSet, reverse_postorder};
use crate::ir::loops::predecessors;
use crate::ir::{Block, BlockId, Function, Reg, Signatures, Target, Terminator};
use std::collections::HashMap;

/// Tidies a function.
pub(crate) fn simplify(function: &mut Function) {
    give_edges_blocks(function);
    prune(function);
    loop {
        let mut changed = unify_params(function);
        changed |= merge_chains(function);
        prune(function);
        if !changed {
            break;
        }
    }
    remove_dead(function);
    skip_empty(function);
    merge_chains(function);
    prune(function);
}

/// Moves arguments from edges of branches to jumps in blocks of their own.
fn give_edges_blocks(function: &mut Function) {
    for at in 0..function.blocks.len() {
        if matches!(function.blocks[at].term, Terminator::Jump(_)) {
            continue;
        }
        let count = function.blocks[at].term.targets().len();
        for edge in 0..count {
            if !function.blocks[at].term.targets()[edge].args.is_empty() {
                split_edge(function, BlockId(at as u32), edge);
            }
        }
    }
}

/// Puts a block on an edge; gives its id. Arguments move to its jump.
pub(crate) fn split_edge(function: &mut Function, from: BlockId, edge: usize) -> BlockId {
    let id = BlockId(function.blocks.len() as u32);
    let span = function.blocks[from.index()].term_span;
    let mut targets = function.blocks[from.index()].term.targets_mut();
    let old = std::mem::replace(
        &mut *targets[edge],
        Target {
            block: id,
            args: Vec::new(),
        },
    );
    drop(targets);
    let cold = function.blocks[old.block.index()].cold;
    function.blocks.push(Block {
        params: Vec::new(),
        insts: Vec::new(),
        term: Terminator::Jump(old),
        term_span: span,
        cold,
    });
    id
}

/// Leaves out blocks that nothing leads to; error paths go to the end.
fn prune(function: &mut Function) {
    let order = reverse_postorder(function);
    let (warm, cold): (Vec<BlockId>, Vec<BlockId>) = order
        .into_iter()
        .partition(|block| block.0 == 0 || !function.blocks[block.index()].cold);
    let order: Vec<BlockId> = warm.into_iter().chain(cold).collect();
    let mut ids = vec![BlockId(0); function.blocks.len()];
    for (at, block) in order.iter().enumerate() {
        ids[block.index()] = BlockId(at as u32);
    }
    let mut blocks = Vec::with_capacity(order.len());
    for block in &order {
        let mut block = std::mem::take(&mut function.blocks[block.index()]);
        for target in block.term.targets_mut() {
            target.block = ids[target.block.index()];
        }
        blocks.push(block);
    }
    function.blocks = blocks;
}

/// Replaces parameters that get the same value on every edge; whether there were any.
fn unify_params(function: &mut Function) -> bool {
    let mut incoming: HashMap<Reg, Option<Reg>> = HashMap::new();
    for block in &function.blocks {
        for target in block.term.targets() {
            for (param, arg) in function.blocks[target.block.index()]
                .params
                .iter()
                .zip(&target.args)
            {
                if param == arg {
                    continue;
                }
                let known = incoming.entry(*param).or_insert(Some(*arg));
                if *known != Some(*arg) {
                    *known = None;
                }
            }
        }
    }
    let replaced: HashMap<Reg, Reg> = incoming
        .into_iter()
        .filter_map(|(param, arg)| Some((param, arg?)))
        .collect();
    if replaced.is_empty() {
        return false;
    }
    keep_params(function, &|reg| !replaced.contains_key(&reg));
    rename(function, &replaced);
    true
}

/// Leaves out the other parameters, with their arguments.
pub(crate) fn keep_params(function: &mut Function, keep: &dyn Fn(Reg) -> bool) {
    let params: Vec<Vec<Reg>> = function
        .blocks
        .iter()
        .map(|block| block.params.clone())
        .collect();
    for block in &mut function.blocks {
        block.params.retain(|param| keep(*param));
        for target in block.term.targets_mut() {
            let mut names = params[target.block.index()].iter();
            target
                .args
                .retain(|_| names.next().is_none_or(|param| keep(*param)));
        }
    }
}

/// Replaces registers everywhere; follows chains.
pub(crate) fn rename(function: &mut Function, replaced: &HashMap<Reg, Reg>) {
    let mut swap = |reg: &mut Reg| {
        // A cycle of parameters that only feed each other has no value; the count ends it.
        for _ in 0..replaced.len() {
            match replaced.get(reg) {
                Some(next) => *reg = *next,
                None => break,
            }
        }
    };
    for block in &mut function.blocks {
        block.each_reg_mut(&mut swap);
    }
}

/// Joins a block with the only one that jumps to it; whether there was any.
fn merge_chains(function: &mut Function) -> bool {
    let preds = predecessors(function);
    let mut replaced = HashMap::new();
    let mut merged = false;
    let mut at = 0;
    while at < function.blocks.len() {
        let Terminator::Jump(target) = &function.blocks[at].term else {
            at += 1;
            continue;
        };
        let next = target.block;
        if next.0 == 0 || next.index() == at || preds[next.index()].len() != 1 {
            at += 1;
            continue;
        }
        let target = target.clone();
        let tail = std::mem::take(&mut function.blocks[next.index()]);
        replaced.extend(tail.params.into_iter().zip(target.args));
        let head = &mut function.blocks[at];
        head.insts.extend(tail.insts);
        head.term = tail.term;
        head.term_span = tail.term_span;
        merged = true;
    }
    if merged {
        rename(function, &replaced);
        drop_taken(function);
    }
    merged
}

/// Blocks that were merged away have no terminator and no predecessor.
fn drop_taken(function: &mut Function) {
    prune(function);
}

/// Sends branches past blocks that only jump on without arguments.
fn skip_empty(function: &mut Function) {
    let forward: Vec<Option<BlockId>> = function
        .blocks
        .iter()
        .map(|block| match &block.term {
            Terminator::Jump(target)
                if block.insts.is_empty() && block.params.is_empty() && target.args.is_empty() =>
            {
                Some(target.block)
            }
            _ => None,
        })
        .collect();
    for (at, block) in function.blocks.iter_mut().enumerate() {
        if matches!(block.term, Terminator::Try { .. } | Terminator::Wait { .. }) {
            continue;
        }
        for target in block.term.targets_mut() {
            // One step is enough for almost all; a block must not be sent to itself.
            if let Some(next) = forward[target.block.index()]
                && next.index() != at
            {
                target.block = next;
            }
        }
    }
}

/// Leaves out instructions without effect and parameters that nobody reads.
fn remove_dead(function: &mut Function) {
    let used = used_regs(function);
    for block in &mut function.blocks {
        block
            .insts
            .retain(|inst| !inst.op.is_pure() || inst.results.iter().any(|reg| used.has(*reg)));
    }
    keep_params(function, &|reg| used.has(reg));
}

/// What effects and results depend on.
fn used_regs(function: &Function) -> RegSet {
    let sigs = Signatures::default();
    let mut used = RegSet::new(function.regs.len());
    let mut work = Vec::new();
    let mut makers: HashMap<Reg, (usize, usize)> = HashMap::new();
    let mut args: HashMap<Reg, Vec<Reg>> = HashMap::new();
    for (at, block) in function.blocks.iter().enumerate() {
        for (i, inst) in block.insts.iter().enumerate() {
            makers.extend(inst.results.iter().map(|reg| (*reg, (at, i))));
            if !inst.op.is_pure() {
                inst.op.each_reg(&sigs, &mut |reg, _| work.push(*reg));
            }
        }
        block.term.each_reg(&sigs, &mut |reg, _| work.push(*reg));
        for target in block.term.targets() {
            for (param, arg) in function.blocks[target.block.index()]
                .params
                .iter()
                .zip(&target.args)
            {
                args.entry(*param).or_default().push(*arg);
            }
        }
    }
    while let Some(reg) = work.pop() {
        if !used.insert(reg) {
            continue;
        }
        if let Some((block, inst)) = makers.get(&reg) {
            function.blocks[*block].insts[*inst]
                .op
                .each_reg(&sigs, &mut |reg, _| work.push(*reg));
        }
        work.extend(args.get(&reg).into_iter().flatten());
    }
    used
}
