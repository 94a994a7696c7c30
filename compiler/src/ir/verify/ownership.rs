//! Ownership on every path: an owned register is consumed exactly once, a borrowed one never, and neither is used
//! after what keeps it alive is gone or changed.

use super::{Broken, Check, Result_};
use crate::ir::{
    Block, BlockId, Mode, Op, Origin, Reg, Terminator, Ty, immortals, result_origin,
    terminator_origin,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What is known of the registers at a place.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    /// Owned registers that hold a reference.
    owned: BTreeSet<Reg>,
    /// Borrowed registers that may be read, and where they live.
    borrowed: BTreeMap<Reg, Origin>,
}

impl State {
    /// Forgets what was borrowed from a register, directly or not.
    fn end_borrows(&mut self, root: Reg) {
        let gone: Vec<Reg> = self
            .borrowed
            .iter()
            .filter(|(_, o)| **o == Origin::Inside(root))
            .map(|(reg, _)| *reg)
            .collect();
        for reg in gone {
            self.borrowed.remove(&reg);
            self.end_borrows(reg);
        }
    }

    /// A borrow lives on behind a join if it does on all ways to it; whether one has ended.
    fn keep_common_borrows(&mut self, other: &State) -> bool {
        let before = self.borrowed.len();
        self.borrowed
            .retain(|reg, origin| other.borrowed.get(reg) == Some(origin));
        self.borrowed.len() < before
    }

    fn end_cell_borrows(&mut self, cell: Option<u32>) {
        let ends = |origin: &Origin| matches!(origin, Origin::Cell(c) if cell.is_none_or(|cell| cell == *c));
        let gone: Vec<Reg> = self
            .borrowed
            .iter()
            .filter(|(_, o)| ends(o))
            .map(|(reg, _)| *reg)
            .collect();
        for reg in gone {
            self.borrowed.remove(&reg);
            self.end_borrows(reg);
        }
    }
}

impl Check<'_> {
    pub(super) fn ownership(&self) -> Result_ {
        let walk = Walk {
            check: self,
            immortals: immortals(self.function),
        };
        walk.all()
    }
}

/// A walk over the blocks of a function. Immortal pointers are read and consumed at will, so no state holds them.
struct Walk<'c, 'p> {
    check: &'c Check<'p>,
    immortals: HashSet<Reg>,
}

impl Walk<'_, '_> {
    fn broken(&self, block: BlockId, message: String) -> Broken {
        self.check.broken(block, message)
    }

    fn all(&self) -> Result_ {
        let mut states: Vec<Option<State>> = vec![None; self.check.function.blocks.len()];
        states[0] = Some(self.entry_state());
        let mut work = vec![BlockId(0)];
        while let Some(id) = work.pop() {
            let block = &self.check.function.blocks[id.index()];
            let state = states[id.index()]
                .clone()
                .expect("only blocks with a state are queued");
            let after = self.run_block(id, block, state)?;
            for (edge, target) in block.term.targets().into_iter().enumerate() {
                let state = self.on_edge(id, block, edge, after.clone())?;
                match &mut states[target.block.index()] {
                    known @ None => {
                        *known = Some(state);
                        work.push(target.block);
                    }
                    Some(known) if known.owned == state.owned => {
                        if known.keep_common_borrows(&state) {
                            work.push(target.block);
                        }
                    }
                    Some(known) => return Err(self.disagreement(target.block, known, &state)),
                }
            }
        }
        Ok(())
    }

    fn disagreement(&self, block: BlockId, known: &State, other: &State) -> Broken {
        let odd: Vec<&Reg> = known.owned.symmetric_difference(&other.owned).collect();
        self.broken(
            block,
            format!("{odd:?} is owned on some paths to the block only"),
        )
    }

    fn entry_state(&self) -> State {
        let mut state = State::default();
        for param in self
            .check
            .function
            .params
            .iter()
            .filter(|param| self.is_pointer(param.reg))
        {
            if param.own {
                state.owned.insert(param.reg);
            } else {
                // The caller keeps it alive: nothing here ends the borrow.
                state.borrowed.insert(param.reg, Origin::Inside(param.reg));
            }
        }
        state
    }

    /// Whether a register counts: it holds a mortal pointer.
    fn is_pointer(&self, reg: Reg) -> bool {
        self.check.function.regs[reg.index()] == Ty::Ptr && !self.immortals.contains(&reg)
    }

    fn run_block(&self, id: BlockId, block: &Block, mut state: State) -> Result<State, Broken> {
        for inst in &block.insts {
            let mut operands = Vec::new();
            inst.op.each_reg(self.check.sigs, &mut |reg, mode| {
                operands.push((*reg, mode))
            });
            self.operands(id, &operands, &mut state)?;
            if let Some(changed) = inst.op.changes() {
                state.end_borrows(changed);
            }
            if let Op::CellStore(cell, _) | Op::CellTake(cell) = inst.op {
                state.end_cell_borrows(Some(cell));
            }
            for result in inst.results.iter().filter(|reg| self.is_pointer(**reg)) {
                define(&mut state, *result, result_origin(&inst.op));
            }
        }
        let mut operands = Vec::new();
        block.term.each_reg(self.check.sigs, &mut |reg, mode| {
            operands.push((*reg, mode))
        });
        self.operands(id, &operands, &mut state)?;
        if let Terminator::Try { op, .. } = &block.term
            && let Some(changed) = op.changes()
        {
            state.end_borrows(changed);
        }
        if matches!(block.term, Terminator::Wait { .. }) {
            state.end_cell_borrows(None);
        }
        let ends = matches!(block.term, Terminator::Return(_) | Terminator::Fail);
        match state.owned.iter().next() {
            Some(reg) if ends => Err(self.broken(
                id,
                format!("{reg:?} is still owned where the function ends"),
            )),
            _ => Ok(state),
        }
    }

    /// Reads first, then consumes: an instruction sees all its operands.
    fn operands(&self, id: BlockId, operands: &[(Reg, Mode)], state: &mut State) -> Result_ {
        let pointers = || operands.iter().filter(|(reg, _)| self.is_pointer(*reg));
        for (reg, _) in pointers() {
            if !state.owned.contains(reg) && !state.borrowed.contains_key(reg) {
                return Err(self.broken(
                    id,
                    format!("{reg:?} is used after it was consumed or what it lives in changed"),
                ));
            }
        }
        for (reg, _) in pointers().filter(|(_, mode)| *mode == Mode::Own) {
            self.consume(id, *reg, state)?;
        }
        Ok(())
    }

    fn consume(&self, id: BlockId, reg: Reg, state: &mut State) -> Result_ {
        if state.owned.remove(&reg) {
            state.end_borrows(reg);
            return Ok(());
        }
        Err(self.broken(id, format!("{reg:?} is consumed but not owned")))
    }

    fn on_edge(
        &self,
        id: BlockId,
        block: &Block,
        edge: usize,
        mut state: State,
    ) -> Result<State, Broken> {
        let target = block.term.targets()[edge];
        let args: Vec<(Reg, Mode)> = target.args.iter().map(|arg| (*arg, Mode::Own)).collect();
        self.operands(id, &args, &mut state)?;
        for result in block
            .term
            .results_at(edge, self.check.sigs)
            .iter()
            .filter(|reg| self.is_pointer(**reg))
        {
            define(&mut state, *result, terminator_origin(&block.term));
        }
        let params = &self.check.function.blocks[target.block.index()].params;
        for param in params.iter().filter(|reg| self.is_pointer(**reg)) {
            define(&mut state, *param, Origin::Owned);
        }
        Ok(state)
    }
}

fn define(state: &mut State, reg: Reg, origin: Origin) {
    match origin {
        Origin::Owned => {
            state.owned.insert(reg);
        }
        origin => {
            state.borrowed.insert(reg, origin);
        }
    }
}
