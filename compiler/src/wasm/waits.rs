//! Waits: what a function that waits leaves to the driver, and where it goes on. Enter at [`Emit::wait`] and [`Emit::landing`].

use super::calls::DEPTH;
use super::data::Side;
use super::emit::{CALL, Emit, FRAME, PENDING, STATE, at, global};
use crate::ir::{FuncId, NativeId, Reg, Target, Terminator, WaitOp};
use wasm_encoder::{Instruction as I, ValType};

/// The word with the frame that was popped last.
const POPPED: u32 = 65;
/// Where the flags of a frame are.
const FLAGS: u64 = 6;
/// As many calls of recursive functions as may be open.
const DEPTH_LIMIT: i64 = 10_000;

impl<'p> Emit<'_, 'p> {
    /// Begins a wait: the driver runs what was pushed, then resumes this frame at its landing.
    pub(super) fn wait(&mut self, node: usize, op: &'p WaitOp) {
        let answer = match op {
            WaitOp::Call(callee, args) => {
                self.descend(node, *callee);
                self.push_call(self.side, *callee, args);
                CALL
            }
            WaitOp::Host(native, args) => self.wait_host(*native, args),
            WaitOp::Parallel(desc, branches) => {
                let desc = self.unit.data.desc(self.side, *desc);
                self.join(branches, "joins.wait_parallel", Some(desc));
                CALL
            }
            WaitOp::Race(branches) => {
                let results = self.function.blocks[node].term.results().len();
                let wait = match results {
                    2 => "joins.wait_race_pair",
                    _ => "joins.wait_race",
                };
                self.join(branches, wait, None);
                CALL
            }
            WaitOp::ForEach {
                result,
                list,
                func,
                captures,
                max,
            } => {
                let desc = self.unit.data.desc(self.side, *result);
                self.for_each(desc, *list, *func, captures, *max);
                CALL
            }
        };
        let number = self.wait_number(node);
        self.i(I::LocalGet(0));
        self.i(I::I32Const(number as i32 + 1));
        self.i(I::I32Store16(at(STATE, 1)));
        self.answer(answer);
    }

    fn wait_number(&self, node: usize) -> usize {
        let number = self.waits.iter().position(|wait| *wait == node);
        number.expect("the node ends with a wait")
    }

    /// Counts a call of a recursive function; one that is too deep does not happen.
    fn descend(&mut self, node: usize, callee: FuncId) {
        if !self.unit.function(self.side, callee).recursive {
            return;
        }
        self.get_word(DEPTH);
        self.i(I::I64Const(DEPTH_LIMIT));
        self.i(I::I64GeU);
        self.open_if();
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.too_deep");
        // The landing takes the error path, as after any failed wait.
        let landing = self.function.blocks.len() + self.wait_number(node);
        self.dispatch(landing);
        self.close();
        self.set_word(DEPTH, |emit| {
            emit.get_word(DEPTH);
            emit.i(I::I64Const(1));
            emit.i(I::I64Add);
        });
    }

    /// Pushes a frame of a function on the running strand, with its arguments.
    fn push_call(&mut self, side: Side, callee: FuncId, args: &[Reg]) {
        let frame = self.push(side, callee);
        if self.unit.function(side, callee).recursive {
            // Whoever pops the frame counts the call back.
            self.i(I::LocalGet(frame));
            self.i(I::I32Const(1));
            self.i(I::I32Store16(at(FLAGS, 1)));
        }
        for (slot, arg) in args.iter().enumerate() {
            self.store_slot(frame, slot, *arg);
        }
    }

    fn push(&mut self, side: Side, callee: FuncId) -> u32 {
        let frame = self.new_local(ValType::I32);
        let index = self.unit.table_index(side, callee);
        self.i(I::I64Const(index.into()));
        self.call("driver.push");
        self.i(I::I32WrapI64);
        self.i(I::LocalSet(frame));
        frame
    }

    fn wait_host(&mut self, native: NativeId, args: &[Reg]) -> i32 {
        let native = &self.unit.program(self.side).natives[native.index()];
        if native.name == "mem.suspend" {
            return PENDING;
        }
        let Some(body) = self.unit.native_body(native) else {
            if !self.unit.missing.contains(&native.name) {
                self.unit.missing.push(native.name.clone());
            }
            self.i(I::Unreachable);
            return PENDING;
        };
        let function = self.unit.function(Side::Body, body);
        if !function.waits {
            return self.call_now(native, body, args);
        }
        let frame = self.push(Side::Body, body);
        for (slot, arg) in args.iter().enumerate() {
            if slot == 0 && native.typed {
                self.i(I::LocalGet(frame));
                self.desc_argument(*arg);
                self.i(I::I64Store(at(FRAME, 3)));
            } else {
                self.store_slot(frame, slot, *arg);
            }
        }
        CALL
    }

    /// A body that never waits, of a native that may: it is run at once, its results handed over as if it had a frame.
    fn call_now(&mut self, native: &crate::ir::NativeRef, body: FuncId, args: &[Reg]) -> i32 {
        let results = self.unit.function(Side::Body, body).results.clone();
        let shape = self.unit.shape(Side::Body, body);
        for (index, arg) in args.iter().enumerate() {
            self.body_argument(native, body, index, *arg);
        }
        self.call_number(Side::Body, body);
        if shape.fails {
            // The landing looks at the error itself.
            self.i(I::Drop);
        }
        let values: Vec<u32> = results
            .iter()
            .rev()
            .map(|ty| {
                let local = self.new_local(super::unit::val_type(*ty));
                self.i(I::LocalSet(local));
                local
            })
            .collect();
        let frame = self.new_local(ValType::I32);
        self.call("driver.answered");
        self.i(I::I32WrapI64);
        self.i(I::LocalSet(frame));
        for ((slot, ty), value) in results.iter().enumerate().zip(values.iter().rev()) {
            self.i(I::LocalGet(frame));
            self.i(I::LocalGet(*value));
            let place = at(FRAME + 8 * slot as u64, 3);
            self.i(match ty {
                crate::ir::Ty::Float => I::F64Store(place),
                _ => I::I64Store(place),
            });
        }
        CALL
    }

    /// Spawns branches and waits for them.
    fn join(&mut self, branches: &[(FuncId, Vec<Reg>)], wait: &str, desc: Option<u32>) {
        let join = self.new_local(ValType::I64);
        self.i(I::I64Const(branches.len() as i64));
        self.call("joins.make");
        self.i(I::LocalSet(join));
        for (branch, args) in branches {
            let frame = self.new_frame(*branch, args);
            self.i(I::LocalGet(join));
            self.i(I::LocalGet(frame));
            self.i(I::I64ExtendI32U);
            self.call("joins.add");
        }
        let Some(waiting) = self.unit.body(wait) else {
            return self.i(I::Unreachable);
        };
        let frame = self.push(Side::Body, waiting);
        self.i(I::LocalGet(frame));
        self.i(I::LocalGet(join));
        self.i(I::I64Store(at(FRAME, 3)));
        if let Some(desc) = desc {
            self.i(I::LocalGet(frame));
            self.i(I::I64Const(desc.into()));
            self.i(I::I64Store(at(FRAME + 8, 3)));
        }
    }

    /// `parallel for`: the captures lie in a frame that is copied for each element.
    fn for_each(&mut self, desc: u32, list: Reg, func: FuncId, captures: &[Reg], max: Reg) {
        let template = self.new_local(ValType::I32);
        let index = self.unit.table_index(self.side, func);
        self.i(I::I64Const(index.into()));
        self.call("driver.frame");
        self.i(I::I32WrapI64);
        self.i(I::LocalSet(template));
        for (slot, capture) in captures.iter().enumerate() {
            self.store_slot(template, slot + 1, *capture);
        }
        let Some(waiting) = self.unit.body("joins.wait_for_each") else {
            return self.i(I::Unreachable);
        };
        let frame = self.push(Side::Body, waiting);
        self.i(I::LocalGet(frame));
        self.i(I::LocalGet(template));
        self.i(I::I64ExtendI32U);
        self.i(I::I64Store(at(FRAME, 3)));
        self.i(I::LocalGet(frame));
        self.i(I::I64Const(desc.into()));
        self.i(I::I64Store(at(FRAME + 8, 3)));
        self.store_slot(frame, 2, list);
        self.store_slot(frame, 3, max);
    }

    /// Where a frame goes on behind a wait: reads back what its edges need, and takes the results.
    pub(super) fn landing(&mut self, number: usize) -> Option<usize> {
        let function = self.function;
        let node = function.blocks.len() + number;
        let block = self.wait_block(number);
        let points = function.frame.iter().flat_map(|frame| &frame.waits);
        let point = points.clone().find(|point| point.block == block)?;
        let block = &function.blocks[block.index()];
        let Terminator::Wait {
            op,
            results,
            ok,
            err,
        } = &block.term
        else {
            unreachable!("the frames pass lists blocks that end with a wait")
        };
        self.span = block.term_span;
        self.i(I::GlobalGet(global::FAILURE));
        self.i(I::I64Eqz);
        self.i(I::I32Eqz);
        self.open_if();
        self.name_wait(op);
        self.reload_for(&point.err_live, err, &[]);
        self.branch(node, err);
        self.close();
        self.reload_for(&point.ok_live, ok, results);
        self.results_of_frame(results);
        self.go(node, ok)
    }

    fn name_wait(&mut self, op: &WaitOp) {
        if self.side == Side::Body {
            return;
        }
        if let WaitOp::Host(native, _) = op {
            let native = &self.unit.program(self.side).natives[native.index()];
            return self.name_failure(&native.name);
        }
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.placed");
    }

    fn reload_for(&mut self, live: &[Reg], target: &Target, results: &[Reg]) {
        let mut seen: Vec<Reg> = Vec::new();
        for reg in live.iter().chain(&target.args) {
            if !results.contains(reg) && !seen.contains(reg) {
                seen.push(*reg);
                self.reload(*reg);
            }
        }
    }

    fn results_of_frame(&mut self, results: &[Reg]) {
        for (slot, reg) in results.iter().enumerate() {
            self.get_word(POPPED);
            self.i(I::I32WrapI64);
            self.i(I::I64Load(at(FRAME + 8 * slot as u64, 3)));
            self.set_bits(*reg);
        }
    }
}
