//! Calls of pure functions and of host functions, and everything that may fail.

use super::emit::{Emit, trusted};
use super::entries::Entry;
use crate::ctx::Ctx;
use crate::host::{Call, ERROR, NONE};
use crate::interp::DEPTH_LIMIT;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self as clif, AbiParam, InstBuilder, SigRef, Signature, Value, types};
use scn_compiler::ir::{CheckedOp, FuncId, Inst, NativeId, Op, Reg, Target, TryOp};

/// The operator of checked arithmetic, as errors name it.
fn operator(op: CheckedOp) -> &'static str {
    match op {
        CheckedOp::Add => "+",
        CheckedOp::Sub => "-",
        CheckedOp::Mul => "*",
        CheckedOp::Div => "/",
        CheckedOp::Rem => "%",
        CheckedOp::Shl => "<<",
        CheckedOp::Shr => ">>",
    }
}

impl<'a> Emit<'_, 'a, '_> {
    /// Emits a call that cannot fail, or what names the next one.
    pub(super) fn call(&mut self, inst: &'a Inst) {
        match &inst.op {
            Op::Call(callee, args) => {
                self.call_function(*callee, args, &inst.results, None);
            }
            Op::Host(native, args) => {
                self.call_host(*native, args, &inst.results, None);
            }
            Op::Spawn(callee, args) => {
                let (callee, count) = (self.int(callee.0.into()), self.int(args.len() as i64));
                let args = self.spill(args);
                self.call_entry(Entry::Spawn, &[self.ctx, callee, args, count]);
            }
            Op::Site(site) => {
                let site = self.b.ins().iconst(types::I32, i64::from(site.0) + 1);
                self.store(site, self.ctx, Ctx::NEXT_SITE as i32);
            }
            other => unreachable!("{other:?} was emitted before"),
        }
    }

    /// Emits what may fail.
    pub(super) fn attempt(
        &mut self,
        op: &'a TryOp,
        results: &'a [Reg],
        ok: &'a Target,
        err: &'a Target,
    ) {
        let failed = self.cold_block();
        match op {
            TryOp::Int(op, a, b) => {
                let value = self.checked(*op, *a, *b, failed);
                self.define_all(results, &[value]);
                self.go(ok);
                self.b.switch_to_block(failed);
                self.raise_arithmetic(operator(*op), *a, Some(*b));
            }
            TryOp::Neg(a) => {
                let value = self.negate(*a, failed);
                self.define_all(results, &[value]);
                self.go(ok);
                self.b.switch_to_block(failed);
                self.raise_arithmetic("neg", *a, None);
            }
            TryOp::ToInt(a) => {
                let value = self.truncate(*a, failed);
                self.define_all(results, &[value]);
                self.go(ok);
                self.b.switch_to_block(failed);
                let (float, place) = (self.get(*a), self.place());
                self.call_entry(Entry::NotAnInt, &[self.ctx, float, place]);
            }
            TryOp::ListGet(list, at) | TryOp::ListTake(list, at) => {
                let at = self.get(*at);
                let len = self.list_len(*list);
                self.leave_if_outside(at, len, failed);
                let place = self.element_of(*list, at);
                for reg in results {
                    self.read(*reg, place, 0);
                }
                if matches!(op, TryOp::ListTake(..)) {
                    let null = self.int(0);
                    self.store(null, place, 0);
                }
                self.go(ok);
                self.b.switch_to_block(failed);
                self.raise_outside(at, len);
            }
            TryOp::BytesGet(text, at) => {
                let (text, at) = (self.get(*text), self.get(*at));
                let (len, outside) = self.is_outside_text(text, at);
                self.leave_if(outside, failed);
                let byte = self.byte(text, at);
                self.define_all(results, &[byte]);
                self.go(ok);
                self.b.switch_to_block(failed);
                self.raise_outside(at, len);
            }
            TryOp::ListSet(list, at, value) => {
                let shared = self.get(*list);
                let unique = self.unique(shared);
                self.define_all(results, &[unique]);
                self.set_element(results[0], *at, *value, ok, failed);
            }
            TryOp::ListPut(list, at, value) => self.set_element(*list, *at, *value, ok, failed),
            TryOp::Call(callee, args) => {
                self.call_function(*callee, args, results, Some(failed));
                self.go(ok);
                self.b.switch_to_block(failed);
            }
            TryOp::Host(native, args) => {
                self.call_host(*native, args, results, Some(failed));
                self.go(ok);
                self.b.switch_to_block(failed);
                let (native, place) = (self.int(native.0.into()), self.place());
                self.call_entry(Entry::Failed, &[self.ctx, native, place]);
            }
            TryOp::Poke => {
                self.poke(ok, failed);
                self.b.switch_to_block(failed);
            }
        }
        self.go(err);
    }

    /// Puts a value, which is taken over in any case, into a unique list. Goes on to `ok`, and raises in `failed`.
    fn set_element(&mut self, list: Reg, at: Reg, value: Reg, ok: &Target, failed: clif::Block) {
        let (at, new) = (self.get(at), self.get(value));
        let len = self.list_len(list);
        self.leave_if_outside(at, len, failed);
        let place = self.element_of(list, at);
        self.replace(place, 0, new, self.is_pointer(value));
        self.go(ok);
        self.b.switch_to_block(failed);
        if self.is_pointer(value) {
            self.release(new);
        }
        self.raise_outside(at, len);
    }

    fn leave_if_outside(&mut self, at: Value, len: Value, failed: clif::Block) {
        let beyond = IntCC::UnsignedGreaterThanOrEqual;
        let outside = self.b.ins().icmp(beyond, at, len);
        self.leave_if(outside, failed);
    }

    fn define_all(&mut self, results: &[Reg], values: &[Value]) {
        for (reg, value) in results.iter().zip(values) {
            self.define(*reg, *value);
        }
    }

    fn raise_outside(&mut self, at: Value, len: Value) {
        let place = self.place();
        self.call_entry(Entry::Outside, &[self.ctx, at, len, place]);
    }

    /// Looks whether somebody wants the driver to look around.
    fn poke(&mut self, ok: &Target, failed: clif::Block) {
        let (asked, on) = (self.cold_block(), self.b.create_block());
        // Any thread may set the word: a plain load might be taken from an earlier one.
        let word = self.b.ins().atomic_load(types::I32, trusted(), self.ctx);
        self.b.ins().brif(word, asked, &[], on, &[]);
        self.b.switch_to_block(asked);
        let place = self.place();
        let stop = self.ask_rarely(Entry::Poked, &[self.ctx, place]);
        self.b.ins().brif(stop, failed, &[], on, &[]);
        self.b.switch_to_block(on);
        self.go(ok);
    }

    /// How deep recursive functions are in each other here.
    pub(super) fn current_depth(&mut self) -> Value {
        match self.depth {
            Some(depth) => depth,
            None => self.load_u32(self.ctx, Ctx::DEPTH),
        }
    }

    /// Gives up the owned arguments of a call that does not happen, and says why.
    pub(super) fn refuse_call(&mut self, callee: FuncId, args: &[Reg]) {
        let callee = &self.unit.linked.program.functions[callee.index()];
        for (param, arg) in callee.params.iter().zip(args) {
            if param.own && self.is_pointer(*arg) {
                let value = self.get(*arg);
                self.release(value);
            }
        }
        let place = self.place();
        self.call_entry(Entry::TooDeep, &[self.ctx, place]);
    }

    /// Calls a pure function; its results are defined where control goes on, errors go to `failed`.
    fn call_function(
        &mut self,
        callee: FuncId,
        args: &[Reg],
        results: &[Reg],
        failed: Option<clif::Block>,
    ) {
        let at = callee.index();
        let (shape, target) = (
            self.unit.shapes[at],
            &self.unit.linked.program.functions[at],
        );
        let mut values = vec![self.ctx];
        if shape.counts_depth {
            let depth = self.depth_for(callee, args, failed);
            values.push(depth);
        }
        for arg in args {
            values.push(self.get(*arg));
        }
        let function = self.callee(at);
        let call = self.b.ins().call(function, &values);
        let returned = self.b.inst_results(call).to_vec();
        if !shape.fails {
            self.define_all(results, &returned);
            return;
        }
        let status = returned[returned.len() - 1];
        if let Some(failed) = failed {
            let is_error = self.b.ins().icmp_imm_s(IntCC::Equal, status, ERROR as i64);
            self.leave_if(is_error, failed);
        }
        match results {
            [flag, payload] if target.results.len() == 2 => {
                let some = self.b.ins().icmp_imm_s(IntCC::Equal, status, 0);
                let some = self.flag(some);
                self.define(*flag, some);
                self.define(*payload, returned[0]);
            }
            _ => self.define_all(results, &returned[..returned.len() - 1]),
        }
    }

    /// The depth that a callee is told; a call that is too deep does not happen.
    fn depth_for(&mut self, callee: FuncId, args: &[Reg], failed: Option<clif::Block>) -> Value {
        let depth = self.current_depth();
        if !self.unit.linked.program.functions[callee.index()].recursive {
            return depth;
        }
        let deeper = self.b.ins().iadd_imm_s(depth, 1);
        if let Some(failed) = failed {
            let too_deep = self.cold_block();
            let limit = i64::from(DEPTH_LIMIT);
            let over = self
                .b
                .ins()
                .icmp_imm_s(IntCC::UnsignedGreaterThan, deeper, limit);
            self.leave_if(over, too_deep);
            let on = self.b.create_block();
            self.b.ins().jump(on, &[]);
            self.b.switch_to_block(too_deep);
            self.refuse_call(callee, args);
            self.b.ins().jump(failed, &[]);
            self.b.switch_to_block(on);
        }
        deeper
    }

    /// Says which operation calls a host function, and at which site.
    pub(super) fn set_site(&mut self) {
        let place = self.place();
        self.store(place, self.ctx, Ctx::SITE_PLACE as i32);
        let site = match self.named_site.take() {
            Some(site) => i64::from(site) + 1,
            None if self.unit.loose_sites => return self.take_next_site(),
            None => 0,
        };
        let site = self.b.ins().iconst(types::I32, site);
        self.store(site, self.ctx, Ctx::SITE as i32);
    }

    /// The site was named some operations ago.
    fn take_next_site(&mut self) {
        let site = self.load(types::I32, self.ctx, Ctx::NEXT_SITE as i32);
        self.store(site, self.ctx, Ctx::SITE as i32);
        let none = self.b.ins().iconst(types::I32, 0);
        self.store(none, self.ctx, Ctx::NEXT_SITE as i32);
    }

    fn host_signature(&mut self) -> SigRef {
        let (conv, b) = (self.unit.conv(), &mut self.b);
        *self.host_signature.get_or_insert_with(|| {
            let mut signature = Signature::new(conv);
            let word = AbiParam::new(types::I64);
            signature.params.extend([word, word]);
            signature.returns.extend([word, word]);
            b.import_signature(signature)
        })
    }

    /// Calls a host function that does not wait.
    fn call_host(
        &mut self,
        native: NativeId,
        args: &[Reg],
        results: &[Reg],
        failed: Option<clif::Block>,
    ) {
        let row = &self.unit.linked.natives[native.index()];
        let Call::Ready(entry) = row.def.call else {
            unreachable!("what waits is called by a wait")
        };
        let inout = usize::from(row.def.signature.inout);
        self.set_site();
        let place = self.spill(args);
        let signature = self.host_signature();
        let address = self.int(entry as usize as i64);
        let call = self
            .b
            .ins()
            .call_indirect(signature, address, &[self.ctx, place]);
        let returned = self.b.inst_results(call).to_vec();
        let (value, status) = (returned[0], returned[1]);
        for reg in results.iter().take(inout) {
            let receiver = self.load(types::I64, place, 0);
            self.define(*reg, receiver);
        }
        if let Some(failed) = failed {
            let is_error = self.b.ins().icmp_imm_s(IntCC::Equal, status, ERROR as i64);
            self.leave_if(is_error, failed);
        }
        match results.get(inout..) {
            Some([reg]) => self.define_bits(*reg, value),
            Some([flag, payload]) => {
                let some = self
                    .b
                    .ins()
                    .icmp_imm_s(IntCC::NotEqual, status, NONE as i64);
                let some = self.flag(some);
                self.define(*flag, some);
                self.define_bits(*payload, value);
            }
            _ => {}
        }
    }
}
