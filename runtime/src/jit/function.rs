//! One function: its entry, its blocks, its ends.

use super::emit::{Emit, slot_offset};
use super::shape::machine_type;
use super::unit::Unit;
use cranelift_codegen::ir::{
    self as clif, InstBuilder, JumpTableData, MemFlagsData, TrapCode, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Switch};
use scn_compiler::ir::{Block, BlockId, Function, Inst, Op, Reg, Target, Terminator, TryOp, Ty};

/// Where a native frame is told that it is done.
const DONE: i64 = 1;
/// Where it is told that it has failed.
const FAILED: i64 = 2;
/// The way from the entry.
const START: Target = Target {
    block: BlockId(0),
    args: Vec::new(),
};

/// Builds the machine form of a function.
pub(super) fn translate(
    unit: &mut Unit<'_>,
    at: usize,
    func: &mut clif::Function,
    context: &mut FunctionBuilderContext,
) {
    let builder = FunctionBuilder::new(func, context);
    let mut emit = Emit::new(unit, at, builder);
    emit.translate();
    let config = emit.unit.config();
    emit.b.seal_all_blocks();
    emit.b.finalize(config);
}

/// For each block, the position of its first instruction.
pub(crate) fn positions(function: &Function) -> impl Iterator<Item = u32> + '_ {
    function.blocks.iter().scan(0, |next, block| {
        let first = *next;
        *next += block.insts.len() as u32 + 1;
        Some(first)
    })
}

/// The blocks that can be reached, each after one that leads to it.
pub(super) fn reachable(function: &Function) -> Vec<BlockId> {
    let mut seen = vec![false; function.blocks.len()];
    let mut order = Vec::new();
    let mut work = vec![BlockId(0)];
    while let Some(block) = work.pop() {
        if std::mem::replace(&mut seen[block.index()], true) {
            continue;
        }
        order.push(block);
        let targets = function.blocks[block.index()].term.targets();
        work.extend(targets.iter().rev().map(|target| target.block));
    }
    order
}

/// Whether what follows an instruction at once is the host call whose site it names.
fn names_next(block: &Block, at: usize) -> bool {
    match block.insts.get(at + 1) {
        Some(next) => matches!(next.op, Op::Host(..)),
        None => matches!(
            block.term,
            Terminator::Wait { .. }
                | Terminator::Try {
                    op: TryOp::Host(..),
                    ..
                }
        ),
    }
}

/// Whether a function names a site elsewhere than right before the call.
pub(super) fn names_sites_early(function: &Function) -> bool {
    function.blocks.iter().any(|block| {
        let mut insts = block.insts.iter().enumerate();
        insts.any(|(at, inst)| matches!(inst.op, Op::Site(_)) && !names_next(block, at))
    })
}

impl<'a> Emit<'_, 'a, '_> {
    fn translate(&mut self) {
        self.enter();
        for id in reachable(self.function) {
            let block: &'a Block = &self.function.blocks[id.index()];
            let first = self.positions[id.index()];
            self.begun.insert(id);
            self.enter_block(id);
            self.is_lean = block.cold || self.function.waits;
            if block.cold {
                self.b.set_cold_block(self.blocks[id.index()]);
            }
            for (at, inst) in (0u32..).zip(&block.insts) {
                self.stand_at(first + at);
                match inst.op {
                    Op::Site(site) if names_next(block, at as usize) => {
                        self.named_site = Some(site.0);
                    }
                    _ => self.inst(inst),
                }
            }
            self.stand_at(first + block.insts.len() as u32);
            self.terminator(id, &block.term);
        }
    }

    /// The entry: parameters, and for a waiting function the way to its landings.
    fn enter(&mut self) {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        let params: Vec<clif::Value> = self.b.block_params(entry).to_vec();
        self.ctx = params[0];
        if self.function.waits {
            self.frame = Some(params[1]);
            self.enter_frame(params[1]);
            return;
        }
        let mut rest = &params[1..];
        if self.unit.shapes[self.at].counts_depth {
            self.depth = Some(rest[0]);
            rest = &rest[1..];
        }
        for (param, value) in self.function.params.iter().zip(rest) {
            self.define(param.reg, *value);
        }
        self.go(&START);
    }

    /// State 0 starts, state k goes on behind wait k.
    fn enter_frame(&mut self, frame: clif::Value) {
        let start = self.b.create_block();
        let waits = self
            .function
            .frame
            .as_ref()
            .map_or(0, |frame| frame.waits.len());
        let landings: Vec<clif::Block> = (0..waits).map(|_| self.b.create_block()).collect();
        if waits == 0 {
            self.b.ins().jump(start, &[]);
        } else {
            let offset = std::mem::offset_of!(crate::frame::Frame, state) as i32;
            let state = self
                .b
                .ins()
                .uload16(types::I64, MemFlagsData::trusted(), frame, offset);
            let state = self.b.ins().ireduce(types::I32, state);
            let pool = &mut self.b.func.dfg.value_lists;
            let call = |block: &clif::Block, pool: &mut _| clif::BlockCall::new(*block, [], pool);
            let default = call(&start, pool);
            let mut table = vec![default];
            table.extend(landings.iter().map(|block| call(block, pool)));
            let table = self
                .b
                .create_jump_table(JumpTableData::new(default, &table));
            self.b.ins().br_table(state, table);
        }
        self.b.switch_to_block(start);
        self.take_params(frame);
        self.go(&START);
        for (wait, landing) in landings.into_iter().enumerate() {
            self.landing(wait, landing);
        }
    }

    /// A waiting function finds its parameters in slots; the home of one may be another slot.
    fn take_params(&mut self, frame: clif::Value) {
        let params = &self.function.params;
        let mut values = Vec::with_capacity(params.len());
        for (slot, param) in (0u32..).zip(params) {
            let ty = machine_type(self.class(param.reg));
            values.push(self.load(ty, frame, slot_offset(slot)));
        }
        for ((slot, param), value) in (0u32..).zip(params).zip(values) {
            match self.slot(param.reg) {
                Some(home) if home != slot => self.define(param.reg, value),
                _ => self.assume(param.reg, value),
            }
        }
    }

    fn inst(&mut self, inst: &'a Inst) {
        if !self.scalar(inst) && !self.object(inst) {
            self.call(inst);
        }
    }

    fn terminator(&mut self, id: BlockId, term: &'a Terminator) {
        match term {
            Terminator::Jump(target) if self.tests_again(target.block) => self.test_again(target),
            Terminator::Jump(target) => self.go(target),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => self.branch(*cond, then, otherwise),
            Terminator::Switch {
                value,
                cases,
                default,
            } => self.switch(*value, cases, default),
            Terminator::Return(regs) => self.give_back(regs),
            Terminator::Fail => self.fail(),
            Terminator::Try {
                op,
                results,
                ok,
                err,
            } => self.attempt(op, results, ok, err),
            Terminator::Wait { op, .. } => self.wait(id, op),
            Terminator::None | Terminator::Unreachable => {
                self.b.ins().trap(TrapCode::unwrap_user(1));
            }
        }
    }

    fn branch(&mut self, cond: Reg, then: &Target, otherwise: &Target) {
        let cond = self.get(cond);
        let (yes, no) = (self.edge(then), self.edge(otherwise));
        let (with, without) = (self.handed(yes, then), self.handed(no, otherwise));
        self.b.ins().brif(cond, yes, &with, no, &without);
        self.fill_edge(yes, then);
        self.fill_edge(no, otherwise);
    }

    /// Goes back to the head of a loop by doing what it does.
    fn test_again(&mut self, target: &'a Target) {
        let head = &self.function.blocks[target.block.index()];
        let args: Vec<clif::Value> = target.args.iter().map(|arg| self.get(*arg)).collect();
        self.values.begin_again();
        for (param, value) in head.params.iter().zip(args) {
            self.define(*param, value);
        }
        for inst in &head.insts {
            self.inst(inst);
        }
        self.terminator(target.block, &head.term);
        self.values.end_again();
    }

    fn switch(&mut self, value: Reg, cases: &[(i64, Target)], default: &Target) {
        let value = self.get(value);
        let mut switch = Switch::new();
        let mut seen = std::collections::HashSet::new();
        let mut edges = Vec::with_capacity(cases.len());
        // Of equal cases the first one counts.
        for (case, target) in cases.iter().filter(|(case, _)| seen.insert(*case)) {
            let edge = self.plain_edge(target);
            switch.set_entry(u128::from(*case as u64), edge);
            edges.push((edge, target));
        }
        let otherwise = self.plain_edge(default);
        switch.emit(&mut self.b, value, otherwise);
        self.fill_edge(otherwise, default);
        for (edge, target) in edges {
            self.fill_edge(edge, target);
        }
    }

    fn give_back(&mut self, regs: &[Reg]) {
        let values: Vec<clif::Value> = regs.iter().map(|reg| self.get(*reg)).collect();
        if let Some(frame) = self.frame {
            for (slot, value) in (0u32..).zip(&values) {
                self.store(*value, frame, slot_offset(slot));
            }
            self.answer(DONE);
            return;
        }
        let mut returned = values.clone();
        if self.unit.shapes[self.at].fails {
            let status = match values.as_slice() {
                [flag, _] => {
                    returned.remove(0);
                    // 0 is a value, 2 is none.
                    let none = self.b.ins().bxor_imm_u(*flag, 1);
                    self.b.ins().ishl_imm_u(none, 1)
                }
                _ => self.int(0),
            };
            returned.push(status);
        }
        self.b.ins().return_(&returned);
    }

    fn fail(&mut self) {
        if self.frame.is_some() {
            self.answer(FAILED);
            return;
        }
        let nothing = match self.function.results.last() {
            Some(Ty::Float) => Some(self.b.ins().f64const(0.0)),
            Some(Ty::Int | Ty::Ptr) => Some(self.int(0)),
            None => None,
        };
        let status = self.int(1);
        let returned: Vec<clif::Value> = nothing.into_iter().chain([status]).collect();
        self.b.ins().return_(&returned);
    }

    /// What a resumed frame answers.
    pub(super) fn answer(&mut self, resume: i64) {
        let answer = self.b.ins().iconst(types::I8, resume);
        self.b.ins().return_(&[answer]);
    }
}
