//! Checks the rules of the IR: structure and dominance here, operand types, ownership and frames beside.
//!
//! It reports the first broken rule. Enter at [`verify`]; what is checked grows with the stage.

mod frames;
mod ownership;
#[cfg(test)]
mod tests;
mod types;

use super::{Block, BlockId, Function, Program, Reg, Signatures, Terminator};
use crate::passes::dominators::Dominators;

/// How far a program has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Lowered, without reference counts.
    Ssa,
    /// With reference counts.
    Owned,
    /// With frames: ready to run.
    Framed,
}

/// A broken rule and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The function.
    pub function: String,
    /// The block, if it is about one.
    pub block: Option<BlockId>,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.block {
            Some(block) => write!(f, "{} {block:?}: {}", self.function, self.message),
            None => write!(f, "{}: {}", self.function, self.message),
        }
    }
}

/// Checks a program at a stage.
pub fn verify(program: &Program, stage: Stage) -> Result<(), Broken> {
    let sigs = Signatures::of(program);
    for function in &program.functions {
        let check = Check {
            program,
            function,
            sigs: &sigs,
        };
        check.structure()?;
        check.definitions()?;
        check.types()?;
        if stage >= Stage::Owned {
            check.ownership()?;
        }
        if stage >= Stage::Framed {
            check.frames()?;
        }
    }
    Ok(())
}

/// One function under test.
struct Check<'p> {
    program: &'p Program,
    function: &'p Function,
    sigs: &'p Signatures,
}

type Result_ = Result<(), Broken>;

impl Check<'_> {
    fn broken(&self, block: BlockId, message: String) -> Broken {
        Broken {
            function: self.function.name.clone(),
            block: Some(block),
            message,
        }
    }

    fn blocks(&self) -> impl Iterator<Item = (BlockId, &Block)> {
        self.function
            .blocks
            .iter()
            .enumerate()
            .map(|(at, block)| (BlockId(at as u32), block))
    }

    /// Terminators, targets, landings.
    fn structure(&self) -> Result_ {
        let mut preds = vec![0; self.function.blocks.len()];
        if preds.is_empty() {
            return Err(self.broken(BlockId(0), "a function without an entry".to_owned()));
        }
        for (id, block) in self.blocks() {
            if block.term == Terminator::None {
                return Err(self.broken(id, "a block without a terminator".to_owned()));
            }
            for target in block.term.targets() {
                let Some(count) = preds.get_mut(target.block.index()) else {
                    return Err(self.broken(id, format!("{:?} does not exist", target.block)));
                };
                *count += 1;
                let params = self.function.blocks[target.block.index()].params.len();
                if params != target.args.len() {
                    return Err(
                        self.broken(id, format!("{:?} takes {params} arguments", target.block))
                    );
                }
            }
        }
        if preds[0] > 0 || !self.function.blocks[0].params.is_empty() {
            return Err(self.broken(
                BlockId(0),
                "the entry has a predecessor or parameters".to_owned(),
            ));
        }
        self.landings(&preds)
    }

    fn landings(&self, preds: &[usize]) -> Result_ {
        for (id, block) in self.blocks() {
            if !matches!(block.term, Terminator::Try { .. } | Terminator::Wait { .. }) {
                continue;
            }
            if let Some(target) = block
                .term
                .targets()
                .iter()
                .find(|target| preds[target.block.index()] != 1)
            {
                return Err(self.broken(
                    id,
                    format!("the landing {:?} has another predecessor", target.block),
                ));
            }
            if matches!(block.term, Terminator::Wait { .. }) && !self.function.waits {
                return Err(self.broken(id, "a wait in a pure function".to_owned()));
            }
        }
        Ok(())
    }

    /// Every register is defined once, and on every path before it is read.
    fn definitions(&self) -> Result_ {
        let sites = self.definition_sites()?;
        let dominators = Dominators::of(self.function);
        for (id, block) in self.blocks().filter(|(id, _)| dominators.is_reachable(*id)) {
            let mut wrong = None;
            let mut read = |reg: Reg, at: usize| {
                let known = sites.get(reg.index()).copied().flatten();
                if !known.is_some_and(|site| dominators.precedes(site, (id, at))) {
                    wrong.get_or_insert(reg);
                }
            };
            for (at, inst) in block.insts.iter().enumerate() {
                inst.op
                    .each_reg(self.sigs, &mut |reg, _| read(*reg, at + 1));
            }
            let end = block.insts.len() + 1;
            block
                .term
                .each_reg(self.sigs, &mut |reg, _| read(*reg, end));
            for target in block.term.targets() {
                target.args.iter().for_each(|arg| read(*arg, end));
            }
            if let Some(reg) = wrong {
                return Err(self.broken(
                    id,
                    format!("{reg:?} is not defined on every path to its use"),
                ));
            }
        }
        Ok(())
    }

    /// For each register its block and position: 0 for the start of a block, instruction n is n + 1.
    fn definition_sites(&self) -> Result<Vec<Option<(BlockId, usize)>>, Broken> {
        let mut sites = vec![None; self.function.regs.len()];
        let mut define = |reg: Reg, block: BlockId, at: usize| match sites.get_mut(reg.index()) {
            Some(site @ None) => {
                *site = Some((block, at));
                Ok(())
            }
            Some(_) => Err(self.broken(block, format!("{reg:?} is defined twice"))),
            None => Err(self.broken(block, format!("{reg:?} has no class"))),
        };
        for param in &self.function.params {
            define(param.reg, BlockId(0), 0)?;
        }
        for (id, block) in self.blocks() {
            block
                .params
                .iter()
                .try_for_each(|reg| define(*reg, id, 0))?;
            for (at, inst) in block.insts.iter().enumerate() {
                inst.results
                    .iter()
                    .try_for_each(|reg| define(*reg, id, at + 1))?;
            }
            // What both landings see counts as defined at the end of the block, the rest in the ok landing.
            let shared = block.term.results_at(1, self.sigs).len();
            for (n, reg) in block.term.results().iter().enumerate() {
                match block.term.targets().first() {
                    Some(ok) if n >= shared => define(*reg, ok.block, 0)?,
                    _ => define(*reg, id, block.insts.len() + 2)?,
                }
            }
        }
        Ok(sites)
    }
}
