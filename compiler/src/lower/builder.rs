//! Builds one function in SSA form while it is walked (Braun et al., "Simple and Efficient Construction of Static
//! Single Assignment Form", CC 2013): variables are written and read by block, block parameters appear on demand.
//!
//! It knows blocks, registers and variables, nothing of the language. Code behind a terminator without
//! predecessors goes into a dead block, whose edges do not count and which [`Builder::finish`] leaves out.

use crate::ir::{Block, BlockId, Function, Inst, Op, Reg, Signatures, Target, Terminator, Ty};
use scn_grammar::Span;
use smallvec::SmallVec;
use std::collections::HashMap;

/// A variable: one register's worth of a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Var(pub u32);

/// A block parameter that stands for a variable.
struct Phi {
    block: BlockId,
    /// One for each predecessor, in their order.
    operands: Vec<Reg>,
}

/// What the builder knows of a block beside its contents.
#[derive(Default)]
struct BlockState {
    preds: Vec<BlockId>,
    sealed: bool,
    dead: bool,
    defs: HashMap<Var, Reg>,
    /// Parameters made before the predecessors were known.
    incomplete: Vec<(Var, Reg)>,
}

/// The function under construction.
pub(crate) struct Builder {
    regs: Vec<Ty>,
    blocks: Vec<Block>,
    state: Vec<BlockState>,
    vars: Vec<Ty>,
    phis: HashMap<Reg, Phi>,
    current: BlockId,
    /// The place that new instructions get.
    pub span: Span,
    /// Whether new blocks are error paths.
    pub cold: bool,
}

impl Builder {
    /// An empty function, positioned in its entry.
    pub fn new(span: Span) -> Builder {
        let mut builder = Builder {
            regs: Vec::new(),
            blocks: Vec::new(),
            state: Vec::new(),
            vars: Vec::new(),
            phis: HashMap::new(),
            current: BlockId(0),
            span,
            cold: false,
        };
        let entry = builder.block();
        builder.state[entry.index()].sealed = true;
        builder
    }

    /// A new register.
    pub fn reg(&mut self, ty: Ty) -> Reg {
        self.regs.push(ty);
        Reg(self.regs.len() as u32 - 1)
    }

    /// The class of a register.
    pub fn class(&self, reg: Reg) -> Ty {
        self.regs[reg.index()]
    }

    /// A new variable.
    pub fn var(&mut self, ty: Ty) -> Var {
        self.vars.push(ty);
        Var(self.vars.len() as u32 - 1)
    }

    /// A new block, open for predecessors.
    pub fn block(&mut self) -> BlockId {
        self.blocks.push(Block {
            cold: self.cold,
            ..Block::default()
        });
        self.state.push(BlockState::default());
        BlockId(self.blocks.len() as u32 - 1)
    }

    /// A new block off the main path.
    pub fn cold_block(&mut self) -> BlockId {
        let block = self.block();
        self.blocks[block.index()].cold = true;
        block
    }

    /// The block that instructions go to.
    pub fn current(&self) -> BlockId {
        self.current
    }

    /// Whether the current block can be reached.
    pub fn is_live(&self) -> bool {
        !self.state[self.current.index()].dead
    }

    /// Goes on in a block; one that nothing leads to is dead.
    pub fn switch_to(&mut self, block: BlockId) {
        self.current = block;
        let state = &mut self.state[block.index()];
        if block.0 != 0 && state.preds.is_empty() {
            state.dead = true;
            state.sealed = true;
        }
    }

    /// Says that all predecessors of a block are known.
    pub fn seal(&mut self, block: BlockId) {
        if self.state[block.index()].sealed {
            return;
        }
        self.state[block.index()].sealed = true;
        for (var, phi) in std::mem::take(&mut self.state[block.index()].incomplete) {
            self.fill_phi(var, phi, block);
        }
    }

    /// Seals a block and goes on in it.
    pub fn enter(&mut self, block: BlockId) {
        self.seal(block);
        self.switch_to(block);
    }

    /// Adds an instruction with results of these classes.
    pub fn emit(&mut self, op: Op, results: &[Ty]) -> SmallVec<[Reg; 2]> {
        let results: SmallVec<[Reg; 2]> = results.iter().map(|ty| self.reg(*ty)).collect();
        let inst = Inst {
            results: results.clone(),
            op,
            span: self.span,
        };
        self.blocks[self.current.index()].insts.push(inst);
        results
    }

    /// Adds an instruction with one result.
    pub fn emit1(&mut self, op: Op, ty: Ty) -> Reg {
        self.emit(op, &[ty])[0]
    }

    /// Adds an instruction without results.
    pub fn emit0(&mut self, op: Op) {
        self.emit(op, &[]);
    }

    /// An int constant.
    pub fn int(&mut self, value: i64) -> Reg {
        self.emit1(Op::Int(value), Ty::Int)
    }

    /// Ends the current block. What follows is dead until another block is entered.
    pub fn terminate(&mut self, term: Terminator) {
        let at = self.current;
        if self.is_live() {
            for target in term.targets() {
                debug_assert!(target.args.is_empty() && !self.state[target.block.index()].sealed);
                self.state[target.block.index()].preds.push(at);
            }
            let block = &mut self.blocks[at.index()];
            block.term = term;
            block.term_span = self.span;
        }
        let behind = self.block();
        self.seal(behind);
        self.switch_to(behind);
    }

    /// Jumps to a block.
    pub fn jump(&mut self, block: BlockId) {
        self.terminate(Terminator::Jump(target(block)));
    }

    /// Branches on a flag.
    pub fn branch(&mut self, cond: Reg, then: BlockId, otherwise: BlockId) {
        self.terminate(Terminator::Branch {
            cond,
            then: target(then),
            otherwise: target(otherwise),
        });
    }

    /// Gives a variable a new value.
    pub fn write(&mut self, var: Var, reg: Reg) {
        self.state[self.current.index()].defs.insert(var, reg);
    }

    /// The value of a variable.
    pub fn read(&mut self, var: Var) -> Reg {
        self.read_in(var, self.current)
    }

    /// Long chains of single predecessors are walked, not recursed: every landing is a link of one.
    fn read_in(&mut self, var: Var, block: BlockId) -> Reg {
        let mut at = block;
        while let state = &self.state[at.index()]
            && !state.defs.contains_key(&var)
            && state.sealed
            && state.preds.len() == 1
        {
            at = state.preds[0];
        }
        let reg = self.read_at(var, at);
        self.state[block.index()].defs.insert(var, reg);
        reg
    }

    fn read_at(&mut self, var: Var, block: BlockId) -> Reg {
        let state = &self.state[block.index()];
        if let Some(reg) = state.defs.get(&var) {
            return *reg;
        }
        if state.sealed && state.preds.is_empty() {
            let reg = self.undefined(var, block);
            self.state[block.index()].defs.insert(var, reg);
            return reg;
        }
        let sealed = state.sealed;
        let phi = self.phi(var, block);
        self.state[block.index()].defs.insert(var, phi);
        if sealed {
            self.fill_phi(var, phi, block);
        } else {
            self.state[block.index()].incomplete.push((var, phi));
        }
        phi
    }

    fn phi(&mut self, var: Var, block: BlockId) -> Reg {
        let reg = self.reg(self.vars[var.0 as usize]);
        self.phis.insert(
            reg,
            Phi {
                block,
                operands: Vec::new(),
            },
        );
        reg
    }

    fn fill_phi(&mut self, var: Var, phi: Reg, block: BlockId) {
        let preds = self.state[block.index()].preds.clone();
        let operands = preds
            .into_iter()
            .map(|pred| self.read_in(var, pred))
            .collect();
        self.phis
            .get_mut(&phi)
            .expect("the parameter was made for this block")
            .operands = operands;
    }

    /// A variable read before it was written: in dead code, or around a loop that never uses it.
    fn undefined(&mut self, var: Var, block: BlockId) -> Reg {
        let ty = self.vars[var.0 as usize];
        let op = match ty {
            Ty::Int => Op::Int(0),
            Ty::Float => Op::Float(0),
            Ty::Ptr => Op::Null,
        };
        let reg = self.reg(ty);
        let inst = Inst {
            results: SmallVec::from_slice(&[reg]),
            op,
            span: self.span,
        };
        self.blocks[block.index()].insts.insert(0, inst);
        reg
    }

    /// Completes the function: trivial parameters removed, arguments on the edges, dead blocks left out.
    pub fn finish(mut self, function: &mut Function) {
        let replaced = self.trivial_phis();
        self.attach_phis(&replaced);
        let sigs = Signatures::default();
        let mut rename = |reg: &mut Reg, _| *reg = resolve(*reg, &replaced);
        for block in &mut self.blocks {
            for inst in &mut block.insts {
                inst.op.each_reg_mut(&sigs, &mut rename);
            }
            block.term.each_reg_mut(&sigs, &mut rename);
        }
        function.regs = self.regs;
        let dead: Vec<bool> = self.state.iter().map(|s| s.dead).collect();
        function.blocks = without_dead(self.blocks, &dead);
    }

    /// Finds parameters that stand for one value only, until there are no more.
    fn trivial_phis(&mut self) -> HashMap<Reg, Reg> {
        let mut replaced = HashMap::new();
        let mut order: Vec<Reg> = self.phis.keys().copied().collect();
        order.sort();
        loop {
            let before = replaced.len();
            order.retain(|&reg| match self.only_operand(reg, &replaced) {
                Some(value) => {
                    replaced.insert(reg, value);
                    false
                }
                None => true,
            });
            if replaced.len() == before {
                return replaced;
            }
        }
    }

    fn only_operand(&self, phi: Reg, replaced: &HashMap<Reg, Reg>) -> Option<Reg> {
        let mut only = None;
        for operand in &self.phis[&phi].operands {
            let operand = resolve(*operand, replaced);
            if operand == phi || only == Some(operand) {
                continue;
            }
            if only.is_some() {
                return None;
            }
            only = Some(operand);
        }
        only
    }

    fn attach_phis(&mut self, replaced: &HashMap<Reg, Reg>) {
        let mut order: Vec<Reg> = self
            .phis
            .keys()
            .copied()
            .filter(|reg| !replaced.contains_key(reg))
            .collect();
        order.sort();
        for reg in order {
            let phi = &self.phis[&reg];
            if self.state[phi.block.index()].dead {
                continue;
            }
            self.blocks[phi.block.index()].params.push(reg);
            let preds = &self.state[phi.block.index()].preds;
            for (n, (pred, operand)) in preds.iter().zip(&phi.operands).enumerate() {
                // The same predecessor may come twice: its edges to this block are taken in their order.
                let edge = preds[..n].iter().filter(|p| *p == pred).count();
                let mut targets = self.blocks[pred.index()].term.targets_mut();
                let target = targets
                    .iter_mut()
                    .filter(|t| t.block == phi.block)
                    .nth(edge);
                target
                    .expect("a predecessor has an edge to the block")
                    .args
                    .push(resolve(*operand, replaced));
            }
        }
    }
}

/// A target without arguments; they are attached at the end.
pub(crate) fn target(block: BlockId) -> Target {
    Target {
        block,
        args: Vec::new(),
    }
}

fn resolve(mut reg: Reg, replaced: &HashMap<Reg, Reg>) -> Reg {
    while let Some(next) = replaced.get(&reg) {
        reg = *next;
    }
    reg
}

fn without_dead(blocks: Vec<Block>, dead: &[bool]) -> Vec<Block> {
    let mut ids = vec![BlockId(u32::MAX); blocks.len()];
    let mut next = 0;
    for (id, dead) in ids.iter_mut().zip(dead) {
        if !dead {
            *id = BlockId(next);
            next += 1;
        }
    }
    let live = blocks
        .into_iter()
        .zip(dead)
        .filter(|(_, dead)| !**dead)
        .map(|(mut block, _)| {
            for target in block.term.targets_mut() {
                target.block = ids[target.block.index()];
            }
            block
        });
    live.collect()
}
