//! Makes constants again instead of keeping them in slots.
//!
//! A constant that lives across a wait would take a slot of every user's frame. Here each block that reads it behind
//! the wait gets an instruction of its own. Constants that no wait separates from their uses stay where they are,
//! so that loops do not make them over and over.

use super::graph::{Liveness, RegSet};
use crate::ir::{Function, Inst, Op, Program, Reg, Signatures, Terminator};
use smallvec::SmallVec;
use std::collections::HashMap;

/// Treats all functions that wait.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in program
        .functions
        .iter_mut()
        .filter(|function| function.waits)
    {
        remake(function, &sigs);
    }
}

fn remake(function: &mut Function, sigs: &Signatures) {
    let across = live_across_waits(function, sigs);
    let mut constants: HashMap<Reg, (usize, Inst)> = HashMap::new();
    for (at, block) in function.blocks.iter().enumerate() {
        for inst in &block.insts {
            let is_constant = matches!(
                inst.op,
                Op::Int(_) | Op::Float(_) | Op::Const(_) | Op::Null | Op::Global(_)
            );
            if let (true, [reg]) = (is_constant, &inst.results[..])
                && across.has(*reg)
            {
                constants.insert(*reg, (at, inst.clone()));
            }
        }
    }
    for at in 0..function.blocks.len() {
        let mut copies: Vec<(Reg, Reg)> = Vec::new();
        let mut block = std::mem::take(&mut function.blocks[at]);
        let mut swap = |reg: &mut Reg| {
            if constants.get(reg).is_none_or(|(made, _)| *made == at) {
                return;
            }
            *reg = match copies.iter().find(|(old, _)| old == reg) {
                Some((_, copy)) => *copy,
                None => {
                    function.regs.push(function.regs[reg.index()]);
                    let copy = Reg(function.regs.len() as u32 - 1);
                    copies.push((*reg, copy));
                    copy
                }
            };
        };
        block.each_reg_mut(&mut swap);
        let made = copies.into_iter().map(|(old, copy)| {
            let (_, inst) = &constants[&old];
            Inst {
                results: SmallVec::from_slice(&[copy]),
                ..inst.clone()
            }
        });
        block.insts.splice(0..0, made.collect::<Vec<_>>());
        function.blocks[at] = block;
    }
}

fn live_across_waits(function: &Function, sigs: &Signatures) -> RegSet {
    let liveness = Liveness::compute(function, sigs, &|_| None);
    let mut across = RegSet::new(function.regs.len());
    for block in &function.blocks {
        if matches!(block.term, Terminator::Wait { .. }) {
            for target in block.term.targets() {
                across.union(&liveness.live_in[target.block.index()]);
            }
        }
    }
    across
}
