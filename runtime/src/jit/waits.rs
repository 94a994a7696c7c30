//! Waits: what a waiting function hands to the driver, and where it goes on afterwards.

use super::emit::{Emit, slot_offset};
use super::entries::Entry;
use super::shape::machine_type;
use super::values::{Part, wait_number};
use crate::ctx::Ctx;
use crate::frame::Frame;
use crate::interp::DEPTH_LIMIT;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, InstBuilder, types};
use scn_compiler::ir::{BlockId, FuncId, Reg, Signatures, Target, Terminator, WaitOp};
use std::mem::offset_of;

/// What a frame answers that has pushed a callee's.
const CALL: i64 = 0;

impl<'a> Emit<'_, 'a, '_> {
    /// Begins a wait: the driver runs what was pushed, then resumes this frame at the landing.
    pub(super) fn wait(&mut self, block: BlockId, op: &'a WaitOp) {
        self.set_site();
        match op {
            WaitOp::Call(callee, args) => {
                self.descend(block, *callee, args);
                self.push(callee.0, args);
            }
            WaitOp::Host(native, args) => {
                let row = self.unit.linked.functions() as u32 + native.0;
                self.push(row, args);
            }
            WaitOp::Parallel(..) | WaitOp::Race(..) | WaitOp::ForEach { .. } => self.join(op),
        }
        let waits = self.function.frame.as_ref();
        let wait = waits.map_or(0, |frame| wait_number(frame, block));
        let state = self.b.ins().iconst(types::I16, wait as i64 + 1);
        let frame = self.frame.expect("only waiting functions wait");
        self.store(state, frame, offset_of!(Frame, state) as i32);
        self.answer(CALL);
    }

    /// Counts a call of a recursive function; one that is too deep does not happen.
    fn descend(&mut self, block: BlockId, callee: FuncId, args: &[Reg]) {
        if !self.unit.linked.program.functions[callee.index()].recursive {
            return;
        }
        let depth = self.load(types::I32, self.ctx, Ctx::DEPTH as i32);
        let limit = i64::from(DEPTH_LIMIT);
        let condition = IntCC::UnsignedGreaterThanOrEqual;
        let over = self.b.ins().icmp_imm_s(condition, depth, limit);
        let (refused, on) = (self.cold_block(), self.b.create_block());
        self.b.ins().brif(over, refused, &[], on, &[]);
        self.b.switch_to_block(refused);
        self.refuse_call(callee, args);
        let Terminator::Wait { err, .. } = &self.function.blocks[block.index()].term else {
            unreachable!("a wait is being emitted")
        };
        self.go(err);
        self.b.switch_to_block(on);
        let deeper = self.b.ins().iadd_imm_s(depth, 1);
        self.store(deeper, self.ctx, Ctx::DEPTH as i32);
    }

    /// Pushes a frame with its arguments.
    fn push(&mut self, row: u32, args: &[Reg]) {
        let row = self.int(row.into());
        let template: Vec<Option<u64>> = args.iter().map(|arg| self.known_bits(*arg)).collect();
        let known = template.iter().flatten().count();
        // A few constants are written one by one; most arguments of a call with options are constants.
        let frame = match known > 3 {
            true => {
                let words = template.iter().map(|bits| bits.unwrap_or(0)).collect();
                let template = self.unit.new_template(words);
                let (template, count) = (self.int(template as i64), self.int(args.len() as i64));
                self.ask(Entry::PushFilled, &[self.ctx, row, template, count])
            }
            false => self.ask(Entry::Push, &[self.ctx, row]),
        };
        for ((slot, arg), bits) in (0u32..).zip(args).zip(template) {
            if known <= 3 || bits.is_none() {
                let value = self.get(*arg);
                self.store(value, frame, slot_offset(slot));
            }
        }
    }

    fn join(&mut self, op: &'a WaitOp) {
        let mut regs = Vec::new();
        op.each_reg(&Signatures::default(), &mut |reg, _| regs.push(*reg));
        let values = self.spill(&regs);
        // The program, and with it the operation, lives as long as its code.
        let op = self.int(std::ptr::from_ref(op) as i64);
        self.call_entry(Entry::Join, &[self.ctx, op, values]);
    }

    /// Where a frame goes on behind a wait: reads back what its edges need, and takes the results.
    pub(super) fn landing(&mut self, wait: usize, landing: clif::Block) {
        let function = self.function;
        let Some(point) = function.frame.as_ref().map(|frame| &frame.waits[wait]) else {
            return;
        };
        let block = &function.blocks[point.block.index()];
        let Terminator::Wait {
            op,
            results,
            ok,
            err,
        } = &block.term
        else {
            unreachable!("the frames pass lists blocks that end with a wait")
        };
        self.stand_at(self.positions[point.block.index()] + block.insts.len() as u32);
        self.b.switch_to_block(landing);
        let failed = self.cold_block();
        let is_error = self.has_err();
        self.leave_if(is_error, failed);
        self.values.part = Part::Landed(wait);
        self.reload_for(&point.ok_live, ok, results);
        self.take_results(results);
        self.go(ok);
        self.b.switch_to_block(failed);
        self.values.part = Part::Failed(wait);
        self.name_failure(op);
        self.reload_for(&point.err_live, err, &[]);
        self.go(err);
    }

    fn name_failure(&mut self, op: &WaitOp) {
        let place = self.place();
        if let WaitOp::Host(native, _) = op {
            let native = self.int(native.0.into());
            self.call_entry(Entry::Failed, &[self.ctx, native, place]);
        } else {
            self.call_entry(Entry::Landed, &[self.ctx, place]);
        }
    }

    /// Reads what an edge needs from the slots.
    fn reload_for(&mut self, live: &[Reg], target: &Target, results: &[Reg]) {
        let mut seen: Vec<Reg> = Vec::new();
        for reg in live.iter().chain(&target.args) {
            if !results.contains(reg) && !seen.contains(reg) {
                seen.push(*reg);
                self.reload(*reg);
            }
        }
    }

    fn take_results(&mut self, results: &[Reg]) {
        if results.is_empty() {
            return;
        }
        let popped = self.ask(Entry::Results, &[self.ctx]);
        for (at, reg) in results.iter().enumerate() {
            let ty = machine_type(self.class(*reg));
            let value = self.load(ty, popped, 8 * at as i32);
            self.define(*reg, value);
        }
    }
}
