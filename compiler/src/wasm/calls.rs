//! Calls: of functions of either program, of natives by their bodies, of the host. Enter at [`Emit::call`] and what is beside it.

use super::data::Side;
use super::emit::{Emit, at, global, results};
use super::imports::Imports;
use super::loops::destination;
use super::unit::val_type;
use crate::ir::{FuncId, NativeId, NativeRef, Reg, Target, Ty};
use wasm_encoder::{Instruction as I, ValType};

/// As many calls of recursive functions as may be open.
const DEPTH_LIMIT: i32 = 10_000;
/// The word that counts them in functions that wait.
pub(super) const DEPTH: u32 = 66;
/// The word with the place of the call of a log line.
const PLACE: u32 = 91;
/// The first word in which bodies hand further results back.
const HANDED: u32 = 254;

impl<'p> Emit<'_, 'p> {
    /// Calls a body that the back end needs, with what is on the stack. It must not fail.
    pub(super) fn call(&mut self, name: &str) {
        let Some(id) = self.unit.body(name) else {
            return self.i(I::Unreachable);
        };
        self.call_number(Side::Body, id);
        if self.unit.shape(Side::Body, id).fails {
            self.open_if();
            self.i(I::Unreachable);
            self.close();
        }
    }

    pub(super) fn call_number(&mut self, side: Side, id: FuncId) {
        let number = self.unit.number(super::unit::Key::Function(side, id));
        self.i(I::Call(number));
    }

    /// Calls a function that cannot fail.
    pub(super) fn call_plain(&mut self, callee: FuncId, args: &[Reg], results: &[Reg]) {
        self.depth_argument(callee, None);
        args.iter().for_each(|arg| self.get(*arg));
        self.call_number(self.side, callee);
        results.iter().rev().for_each(|reg| self.set(*reg));
    }

    /// Calls a function that may fail, which leaves results and a status on the stack.
    pub(super) fn call_fallible(
        &mut self,
        node: usize,
        callee: FuncId,
        args: &[Reg],
        err: &'p Target,
    ) {
        self.depth_argument(callee, Some((node, err)));
        args.iter().for_each(|arg| self.get(*arg));
        self.call_number(self.side, callee);
        let shape = self.unit.shape(self.side, callee);
        if !shape.fails {
            self.i(I::I32Const(0));
        }
    }

    /// Pushes the depth for a callee that counts it; a call that is too deep takes the error path.
    fn depth_argument(&mut self, callee: FuncId, err: Option<(usize, &'p Target)>) {
        if !self.unit.shape(self.side, callee).counts_depth {
            return;
        }
        self.current_depth();
        if !self.unit.function(self.side, callee).recursive {
            return;
        }
        let Some((node, err)) = err else {
            unreachable!("a recursive function polls, so its calls can fail");
        };
        self.i(I::I32Const(DEPTH_LIMIT));
        self.i(I::I32GeU);
        self.open_if();
        self.refuse_depth(node, err);
        self.close();
        self.current_depth();
        self.i(I::I32Const(1));
        self.i(I::I32Add);
    }

    /// Fails because too many calls are open.
    pub(super) fn refuse_depth(&mut self, node: usize, err: &'p Target) {
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.too_deep");
        self.branch(node, err);
    }

    fn current_depth(&mut self) {
        if self.shape.counts_depth {
            return self.i(I::LocalGet(0));
        }
        self.get_word(DEPTH);
        self.i(I::I32WrapI64);
    }

    /// Calls a native that neither fails nor waits.
    pub(super) fn host_plain(&mut self, native: NativeId, args: &[Reg], results: &[Reg]) {
        let native = &self.unit.program(self.side).natives[native.index()];
        if self.machine(native, args, results) || self.imported(native, args, results) {
            return;
        }
        let Some(body) = self.unit.native_body(native) else {
            return self.lacking(native);
        };
        let shape = self.unit.shape(Side::Body, body);
        self.tell_place(native);
        self.body_arguments(native, body, args);
        self.call_number(Side::Body, body);
        if shape.fails {
            // By its declaration it cannot: whatever it says is a defect.
            self.open_if();
            self.i(I::Unreachable);
            self.close();
        }
        self.take_results(native, body, results);
    }

    /// Lines of a log say where they come from.
    fn tell_place(&mut self, native: &NativeRef) {
        if self.side == Side::User && native.name.starts_with("log.") {
            let place = self.place();
            self.set_word(PLACE, |emit| emit.i(I::I64Const(place.into())));
        }
    }

    /// Calls a native that may fail, to the end: its results are set.
    pub(super) fn host_fallible(
        &mut self,
        node: usize,
        native: NativeId,
        args: &[Reg],
        results: &[Reg],
        err: &'p Target,
    ) {
        let native = &self.unit.program(self.side).natives[native.index()];
        if native.name == "mem.fails" {
            self.get_address(args[0]);
            self.open_if();
            self.branch(node, err);
            return self.close();
        }
        let Some(body) = self.unit.native_body(native) else {
            return self.lacking(native);
        };
        let shape = self.unit.shape(Side::Body, body);
        self.body_arguments(native, body, args);
        self.call_number(Side::Body, body);
        if shape.fails {
            self.open_if();
            self.name_failure(&native.name);
            if native.inout {
                self.get(args[usize::from(native.typed)]);
                self.set(results[0]);
            }
            self.branch(node, err);
            self.close();
        }
        self.take_results(native, body, results);
    }

    /// Says which native failed and where.
    pub(super) fn name_failure(&mut self, name: &str) {
        if self.side == Side::Body {
            return;
        }
        let place = self.place();
        // What the compiler makes of a call to read less of its value goes by the name that the program wrote.
        let parts = name.strip_suffix("_parts");
        let name = parts.or(name.strip_suffix("_part")).unwrap_or(name);
        // The runtime's own functions have no name in programs.
        let operation = match name.starts_with("rt.") {
            true => 0,
            false => self.unit.data.string(name),
        };
        self.i(I::I64Const(operation.into()));
        self.i(I::I64Const(place.into()));
        self.call("faults.host_failed");
    }

    fn lacking(&mut self, native: &NativeRef) {
        if !self.unit.missing.contains(&native.name) {
            self.unit.missing.push(native.name.clone());
        }
        self.i(I::Unreachable);
    }

    /// Pushes the arguments of a body, in the classes that it takes.
    fn body_arguments(&mut self, native: &NativeRef, body: FuncId, args: &[Reg]) {
        for (index, arg) in args.iter().enumerate() {
            self.body_argument(native, body, index, *arg);
        }
    }

    /// Pushes one argument of a body.
    pub(super) fn body_argument(
        &mut self,
        native: &NativeRef,
        body: FuncId,
        index: usize,
        arg: Reg,
    ) {
        let function = self.unit.function(Side::Body, body);
        let wanted = function
            .params
            .get(index)
            .map(|param| function.regs[param.reg.index()]);
        match (self.class(arg), wanted) {
            (_, None) => unreachable!("{} takes fewer arguments than it gets", native.name),
            (Ty::Float, Some(Ty::Int | Ty::Ptr)) => self.get_bits(arg),
            (Ty::Int | Ty::Ptr, Some(Ty::Float)) => {
                self.get(arg);
                self.i(I::F64ReinterpretI64);
            }
            _ if index == 0 && takes_desc(native) => self.desc_argument(arg),
            _ => self.get(arg),
        }
    }

    /// A descriptor as an argument: its number in the component.
    pub(super) fn desc_argument(&mut self, arg: Reg) {
        match self.known_int(arg) {
            Some(desc) => {
                let id = crate::ir::DescId(desc as u32);
                let number = self.unit.data.desc(self.side, id);
                self.i(I::I64Const(number.into()));
            }
            None => unreachable!("a descriptor is always written as a constant"),
        }
    }

    /// Sets the results of a native from what its body left on the stack.
    fn take_results(&mut self, native: &NativeRef, body: FuncId, into: &[Reg]) {
        let given = self.unit.function(Side::Body, body).results.clone();
        let (receiver, rest) = into.split_at(usize::from(native.inout));
        if native.inout {
            self.set(receiver[0]);
            for (number, reg) in (0..).zip(rest) {
                self.get_word(HANDED + number);
                self.set_bits(*reg);
            }
            return;
        }
        match (given.len(), rest.len()) {
            (2, 1) => {
                // A nullable pointer for (flag, payload): the payload is 0 when there is none.
                let payload = self.new_local(val_type(given[1]));
                self.i(I::LocalSet(payload));
                self.i(I::Drop);
                self.i(I::LocalGet(payload));
                self.set_as(rest[0], given[1]);
            }
            (have, want) if have == want => {
                for (reg, class) in rest.iter().zip(&given).rev() {
                    self.set_as(*reg, *class);
                }
            }
            (have, 0) => (0..have).for_each(|_| self.i(I::Drop)),
            (have, want) => unreachable!("{} gives {have} results, not {want}", native.name),
        }
    }

    /// Sets a register from a value of a class on the stack.
    pub(super) fn set_as(&mut self, reg: Reg, class: Ty) {
        match (self.is_float(reg), class == Ty::Float) {
            (true, false) => self.i(I::F64ReinterpretI64),
            (false, true) => self.i(I::I64ReinterpretF64),
            _ => {}
        }
        self.set(reg);
    }

    /// Calls a function of the host, if the name is one.
    fn imported(&mut self, native: &NativeRef, args: &[Reg], into: &[Reg]) -> bool {
        if self.side != Side::Body {
            return false;
        }
        if let Some(name) = native.name.strip_prefix("wit.") {
            let offset = super::wit::Layouts::find(name);
            self.i(I::I64Const(offset.unwrap_or_default().into()));
            into.iter().for_each(|reg| self.set(*reg));
            return true;
        }
        let Some(import) = native.name.strip_prefix("wasi.").and_then(Imports::find) else {
            return false;
        };
        let by_address = import.form == super::imports::Form::Memory;
        for (index, arg) in args.iter().enumerate() {
            self.get(*arg);
            let is_narrow = by_address || import.params.get(index) == Some(&ValType::I32);
            if is_narrow {
                self.i(I::I32WrapI64);
            }
        }
        let number = self.unit.import_or_shim(import);
        self.i(I::Call(number));
        match (import.results.first(), into.first()) {
            (Some(ty), Some(reg)) if !by_address => {
                if *ty == ValType::I32 {
                    self.i(I::I64ExtendI32U);
                }
                self.set(*reg);
            }
            (Some(_), None) if !by_address => self.i(I::Drop),
            _ => {}
        }
        true
    }

    /// A frame for a function with its arguments, in a new local; not on any stack yet.
    pub(super) fn new_frame(&mut self, callee: FuncId, args: &[Reg]) -> u32 {
        let frame = self.new_local(ValType::I32);
        let index = self.unit.table_index(self.side, callee);
        self.i(I::I64Const(index.into()));
        self.call("driver.frame");
        self.i(I::I32WrapI64);
        self.i(I::LocalSet(frame));
        for (slot, arg) in args.iter().enumerate() {
            self.store_slot(frame, slot, *arg);
        }
        frame
    }

    /// Stores an argument into a frame.
    pub(super) fn store_slot(&mut self, frame: u32, slot: usize, arg: Reg) {
        self.i(I::LocalGet(frame));
        self.get_bits(arg);
        self.i(I::I64Store(at(super::emit::FRAME + 8 * slot as u64, 3)));
    }

    /// Writes the poll of a loop: now and then somebody looks whether the run goes on.
    pub(super) fn poll(&mut self, node: usize, ok: &'p Target, err: &'p Target) {
        let (load, store) = match self.polls_of(node) {
            Some(local) => (I::LocalGet(local), I::LocalSet(local)),
            None => (I::GlobalGet(global::POLLS), I::GlobalSet(global::POLLS)),
        };
        self.i(load.clone());
        self.i(I::I32Const(1));
        self.i(I::I32Sub);
        self.i(store.clone());
        self.i(load);
        self.i(I::I32Eqz);
        self.open_if();
        self.i(I::I32Const(super::POLLS));
        self.i(store);
        if let Some(poked) = self.unit.body("driver.poked") {
            self.seldom(node, |emit| emit.call_number(Side::Body, poked));
        }
        self.open_if();
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.placed");
        self.branch(node, err);
        self.close();
        let back = destination(self.function, ok);
        if self.can_begin_again(back) {
            self.read_lists_again();
            self.again(back);
        }
        self.close();
    }

    /// Whether a body can be called by number: one int in, one int out, no failure.
    pub(super) fn is_invocable(&self, id: FuncId) -> bool {
        let function = self.unit.function(Side::Body, id);
        let shape = self.unit.shape(Side::Body, id);
        let one = function.params.len() == 1 && results(function, shape) == [ValType::I64];
        one && !function.waits
    }
}

/// Whether the first argument of a native is a descriptor.
fn takes_desc(native: &NativeRef) -> bool {
    native.typed
        || native.name.starts_with("rt.decode")
        || native.name.starts_with("rt.parse_")
        || native.name == "rt.record_convert"
}
