//! The loop: one operation after the other. What is more than a line is in [`super::ops`], calls in `calls`, waits in
//! `waits`. Enter at [`Run::resume`].

use super::Machine;
use super::code::{Code, Ins, List, Local, Pc};
use crate::ctx::Ctx;
use crate::fault::{Detail, Fault, kind};
use crate::frame::{Frame, Resume};
use crate::link::Linked;
use crate::object::{layout, text};
use crate::value::{Obj, Value};
use scn_compiler::ir::{DescId, WaitOp};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// One run of a frame.
pub(super) struct Run<'a> {
    pub(super) ctx: &'a Ctx,
    pub(super) linked: &'a Linked,
    pub(super) machine: &'a mut Machine,
    pub(super) frame: *mut Frame,
    pub(super) function: u32,
    pub(super) pc: Pc,
    pub(super) base: usize,
    /// The window of the running function: `machine.locals` from `base` on.
    regs: *mut u64,
}

/// What an operation that leaves the line comes to.
pub(super) enum Flow {
    /// Goes on at `pc`.
    On,
    /// The run is over.
    Out(Resume),
}

impl<'a> Run<'a> {
    pub(super) fn new(ctx: &'a Ctx, machine: &'a mut Machine, frame: *mut Frame) -> Run<'a> {
        // SAFETY: `resume` is called with a live frame.
        let function = unsafe { (*frame).code };
        let linked = ctx.linked();
        Run {
            ctx,
            linked,
            machine,
            frame,
            function,
            pc: 0,
            base: 0,
            regs: std::ptr::null_mut(),
        }
    }

    /// # Safety
    /// As [`super::resume`].
    pub(super) unsafe fn resume(mut self) -> Resume {
        self.machine.calls.clear();
        self.open_window(0);
        let linked = self.linked;
        let code = &linked.code[self.function as usize];
        // SAFETY: the frame is live, and its slots hold the parameters in state 0.
        unsafe {
            match (*self.frame).state {
                0 if code.is_waiting => {}
                0 => {
                    for (at, param) in code.params.iter().enumerate() {
                        self.set(param.local, Frame::slots(self.frame).add(at).read());
                    }
                }
                state => self.land(&code.waits[state as usize - 1]),
            }
            self.run()
        }
    }

    /// Goes on at the landing of a wait.
    fn land(&mut self, wait: &super::code::Wait) {
        if !self.ctx.has_err() {
            self.pc = wait.ok;
            return;
        }
        self.pc = wait.err;
        if let Some(WaitOp::Host(id, _)) = &wait.op {
            let name = self.linked.natives[id.index()].def.name;
            self.ctx.change_err(|fault| fault.name_operation(name));
        }
        self.place_error(wait.at);
    }

    /// Makes room for the window of the running function at `base`.
    pub(super) fn open_window(&mut self, base: usize) {
        let need = base + self.linked.code[self.function as usize].locals as usize;
        if self.machine.locals.len() < need {
            self.machine
                .locals
                .resize(need.next_power_of_two().max(1024), 0);
        }
        self.base = base;
        self.regs = self.machine.locals[base..].as_mut_ptr();
    }

    #[inline(always)]
    pub(super) fn reg(&self, local: Local) -> u64 {
        debug_assert!(local < self.linked.code[self.function as usize].locals);
        // SAFETY: locals of the running function lie inside of its window, which is open.
        unsafe { self.regs.add(local as usize).read() }
    }

    #[inline(always)]
    pub(super) fn set(&mut self, local: Local, bits: u64) {
        debug_assert!(local < self.linked.code[self.function as usize].locals);
        // SAFETY: as `reg`.
        unsafe { self.regs.add(local as usize).write(bits) };
    }

    #[inline(always)]
    fn int(&self, local: Local) -> i64 {
        self.reg(local) as i64
    }

    #[inline(always)]
    fn float(&self, local: Local) -> f64 {
        f64::from_bits(self.reg(local))
    }

    /// The object in a local that is not null.
    #[inline(always)]
    pub(super) fn obj(&self, local: Local) -> Obj {
        // SAFETY: the verifier says that the register holds a live object here.
        unsafe { Obj::from_bits(self.reg(local)) }
    }

    /// The loop itself.
    ///
    /// # Safety
    /// The code was verified: registers hold what their operations expect. Reference counts are explicit in it.
    unsafe fn run(&mut self) -> Resume {
        let linked = self.linked;
        let mut code: &Code = &linked.code[self.function as usize];
        macro_rules! arith {
            ($method:ident, $name:literal, $dst:ident, $a:ident, $b:ident) => {{
                let (left, right) = (self.int($a), self.int($b));
                match left.$method(right) {
                    Some(result) => self.set($dst, result as u64),
                    None => {
                        self.raise_here(Fault::new(
                            kind::SCRIPT_ARITHMETIC,
                            Detail::Arithmetic($name, left, right),
                        ));
                        match self.err_edge(code) {
                            Flow::On => continue,
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
            }};
        }
        macro_rules! fallible {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(fault) => {
                        self.raise_here(fault);
                        match self.err_edge(code) {
                            Flow::On => continue,
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
            };
        }
        loop {
            debug_assert!((self.pc as usize) < code.ops.len());
            // SAFETY: jumps lead to laid out blocks, and each block ends with an operation that leaves the line.
            let ins = unsafe { *code.ops.get_unchecked(self.pc as usize) };
            match ins {
                Ins::Bits { dst, bits } => self.set(dst, bits),
                Ins::Copy { dst, src } => self.set(dst, self.reg(src)),
                Ins::Global { dst, global } => self.set(dst, linked.global(global)),
                Ins::And { dst, a, b } => self.set(dst, self.reg(a) & self.reg(b)),
                Ins::Or { dst, a, b } => self.set(dst, self.reg(a) | self.reg(b)),
                Ins::Xor { dst, a, b } => self.set(dst, self.reg(a) ^ self.reg(b)),
                Ins::AddWrap { dst, a, b } => self.set(dst, self.reg(a).wrapping_add(self.reg(b))),
                Ins::SubWrap { dst, a, b } => self.set(dst, self.reg(a).wrapping_sub(self.reg(b))),
                Ins::IntCmp { cmp, dst, a, b } => {
                    let holds = super::ops::compare(cmp, &self.int(a), &self.int(b));
                    self.set(dst, u64::from(holds));
                }
                Ins::FloatCmp { cmp, dst, a, b } => {
                    let holds = super::ops::compare(cmp, &self.float(a), &self.float(b));
                    self.set(dst, u64::from(holds));
                }
                Ins::FloatBin { op, dst, a, b } => {
                    let result = super::ops::float(op, self.float(a), self.float(b));
                    self.set(dst, result.to_bits());
                }
                Ins::FloatNeg { dst, src } => self.set(dst, (-self.float(src)).to_bits()),
                Ins::Not { dst, src } => self.set(dst, 1 - self.reg(src)),
                Ins::ToFloat { dst, src } => self.set(dst, (self.int(src) as f64).to_bits()),
                Ins::IsNull { dst, src } => self.set(dst, u64::from(self.reg(src) == 0)),
                Ins::OptFlag { dst, src } => self.set(dst, u64::from(self.reg(src) != 0)),
                // SAFETY: the pointer is null or a box, which has one slot.
                Ins::OptPayload { dst, src } => unsafe {
                    let bits = match self.reg(src) {
                        0 => 0,
                        bits => layout::slot(Obj::from_bits(bits), 0).read(),
                    };
                    self.set(dst, bits);
                },
                Ins::OptBox { dst, desc, list } => {
                    let [flag, payload] = code.fixed(list);
                    let boxed =
                        (self.reg(flag) != 0).then(|| self.new_box(desc, self.reg(payload)));
                    self.set(dst, boxed.unwrap_or(0));
                }
                Ins::Box { dst, desc, src } => self.set(dst, self.new_box(desc, self.reg(src))),
                Ins::New { dst, desc, list } => {
                    let slots: SmallVec<[u64; 16]> = self.values(code, list);
                    // SAFETY: the verifier compared the slots with the descriptor.
                    let obj = unsafe { self.ctx.heap.slots(DescId(desc), &slots) };
                    self.set(dst, obj.bits());
                }
                Ins::NewList { dst, desc, list } => {
                    let bits = self.new_list(code, desc, list);
                    self.set(dst, bits);
                }
                Ins::NewMap { dst, desc, list } => {
                    let bits = self.new_map(code, desc, list);
                    self.set(dst, bits);
                }
                // SAFETY: the object has that slot.
                Ins::Load { dst, obj, at } => unsafe {
                    self.set(dst, layout::slot(self.obj(obj), at).read());
                },
                // SAFETY: the object is unique and has that slot.
                Ins::Take { dst, obj, at } => unsafe {
                    self.set(dst, layout::slot(self.obj(obj), at).replace(0));
                },
                Ins::Store { obj, at, src } => self.store(self.obj(obj), at, self.reg(src)),
                // SAFETY: the register is owned and consumed here.
                Ins::Unique { dst, src } => unsafe {
                    let unique = self.ctx.heap.unique(self.obj(src));
                    self.set(dst, unique.bits());
                },
                Ins::ListLen { dst, src } => self.set(dst, u64::from(self.list(src).len)),
                // SAFETY: it is a text.
                Ins::BytesLen { dst, src } => unsafe {
                    self.set(dst, self.obj(src).body::<layout::Text>().len);
                },
                Ins::ListAt { dst, list, at } => {
                    let bits = self.list(list).slots()[self.reg(at) as usize];
                    self.set(dst, bits);
                }
                Ins::MapLen { dst, src } => self.set(dst, u64::from(self.map(src).len)),
                Ins::MapKeyAt { dst, map, at } => {
                    self.set(dst, self.map(map).entries()[self.reg(at) as usize].key);
                }
                Ins::MapValueAt { dst, map, at } => {
                    self.set(dst, self.map(map).entries()[self.reg(at) as usize].value);
                }
                Ins::MapGet { list } => self.map_get(code, list),
                Ins::MapTake { list } => self.map_take(code, list),
                Ins::MapInsert { dst, list } => {
                    let [map, key, value] = code.fixed(list);
                    let bits = self.map_insert(map, key, value);
                    self.set(dst, bits);
                }
                // SAFETY: list and value are owned and consumed here; the value has the type of the elements.
                Ins::ListPush { dst, list, src } => unsafe {
                    let unique = self.ctx.heap.unique(self.obj(list));
                    self.ctx.heap.list_push(unique, self.reg(src));
                    self.set(dst, unique.bits());
                },
                Ins::ListPut { list, at, src } => {
                    self.list_put(self.obj(list), self.reg(at) as usize, self.reg(src));
                }
                Ins::Equal { dst, a, b } => {
                    let equal = self.equal(a, b);
                    self.set(dst, u64::from(equal));
                }
                Ins::Format { dst, parts } => {
                    let bits = self.format(code, parts);
                    self.set(dst, bits);
                }
                Ins::CellLoad { dst, cell } => {
                    let bits = self.ctx.with_user(|user| user.cells[cell as usize].get());
                    self.set(dst, bits);
                }
                Ins::CellTake { dst, cell } => {
                    let bits = self
                        .ctx
                        .with_user(|user| user.cells[cell as usize].replace(0));
                    self.set(dst, bits);
                }
                Ins::CellStore { pointer, cell, src } => {
                    self.store_cell(pointer, cell, self.reg(src))
                }
                Ins::Retain { dst, src } => {
                    let bits = self.reg(src);
                    // SAFETY: the register holds null or a live object.
                    if let Some(obj) = unsafe { Value(bits).obj() } {
                        obj.retain();
                    }
                    self.set(dst, bits);
                }
                // SAFETY: the register is owned and consumed here.
                Ins::Drop { src } => unsafe { self.ctx.heap.release_slot(self.reg(src)) },
                Ins::ErrTake { dst } => {
                    let error = self.ctx.take_err().map_or(0, crate::object::Own::into_bits);
                    self.set(dst, error);
                }
                // SAFETY: the register holds an owned error, which is consumed here.
                Ins::ErrSet { src } => unsafe {
                    self.ctx
                        .set_err(Some(crate::object::Own::from_bits(self.reg(src))));
                },
                Ins::ErrIsCancel { dst } => {
                    self.set(dst, u64::from(self.ctx.err_is_cancellation()));
                }
                Ins::ErrTrace => self.trace_error(),
                Ins::Site { site } => self.ctx.set_next_site(site),
                Ins::Call { function, list } => {
                    if let Err(fault) = self.call(code, function, list) {
                        self.raise_here(fault);
                        match self.err_edge(code) {
                            Flow::On => continue,
                            Flow::Out(answer) => return answer,
                        }
                    }
                    code = &linked.code[self.function as usize];
                    continue;
                }
                Ins::Host { native, list } => {
                    if !self.host(code, native, list) {
                        match self.err_edge(code) {
                            Flow::On => continue,
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
                Ins::Spawn { function, list } => self.spawn(code, function, list),
                Ins::Add { dst, a, b } => arith!(checked_add, "+", dst, a, b),
                Ins::Sub { dst, a, b } => arith!(checked_sub, "-", dst, a, b),
                Ins::Mul { dst, a, b } => arith!(checked_mul, "*", dst, a, b),
                Ins::Div { dst, a, b } => arith!(checked_div, "/", dst, a, b),
                Ins::Rem { dst, a, b } => {
                    let result = super::ops::remainder(self.int(a), self.int(b));
                    let result = fallible!(result);
                    self.set(dst, result as u64);
                }
                Ins::Shl { dst, a, b } => {
                    let by = fallible!(super::ops::shift("<<", self.int(a), self.int(b)));
                    self.set(dst, self.reg(a) << by);
                }
                Ins::Shr { dst, a, b } => {
                    let by = fallible!(super::ops::shift(">>", self.int(a), self.int(b)));
                    self.set(dst, (self.int(a) >> by) as u64);
                }
                Ins::Neg { dst, src } => {
                    let result = fallible!(super::ops::negate(self.int(src)));
                    self.set(dst, result as u64);
                }
                Ins::ToInt { dst, src } => {
                    let result = fallible!(super::ops::to_int(self.float(src)));
                    self.set(dst, result as u64);
                }
                Ins::ListGet { dst, list, at } => {
                    let bits =
                        fallible!(super::ops::element(self.list(list).slots(), self.int(at)));
                    self.set(dst, bits);
                }
                Ins::ListSet { dst, list } => {
                    let [list, at, value] = code.fixed(list);
                    let (unique, result) = self.list_set(list, at, value);
                    self.set(dst, unique);
                    fallible!(result);
                }
                Ins::ListTake { dst, list, at } => {
                    let bits = fallible!(self.list_take(list, at));
                    self.set(dst, bits);
                }
                Ins::BytesGet { dst, bytes, at } => {
                    // SAFETY: it is a text.
                    let bytes = unsafe { text::bytes_of(self.obj(bytes)) };
                    let byte = fallible!(super::ops::element(bytes, self.int(at)));
                    self.set(dst, u64::from(byte));
                }
                Ins::Poke => {
                    if self.ctx.heap.poke.load(Ordering::Relaxed) != 0 {
                        fallible!(crate::driver::poked(self.ctx));
                    }
                }
                Ins::Wait { wait } => match self.wait(code, wait) {
                    Flow::On => continue,
                    Flow::Out(answer) => return answer,
                },
                // SAFETY: the frame of a waiting function has that slot.
                Ins::ToSlot { slot, src } => unsafe {
                    Frame::slots(self.frame)
                        .add(slot as usize)
                        .write(self.reg(src));
                },
                // SAFETY: the frame of a waiting function has that slot.
                Ins::FromSlot { dst, slot } => unsafe {
                    let bits = Frame::slots(self.frame).add(slot as usize).read();
                    self.set(dst, bits);
                },
                Ins::Returned { dst, which } => {
                    // SAFETY: each popped frame has two slots, readable until this strand calls again.
                    let bits = unsafe { self.ctx.worker().results().add(which as usize).read() };
                    self.set(dst, bits);
                }
                Ins::Jump { to } => {
                    self.pc = to;
                    continue;
                }
                Ins::Unless { cond, to } => {
                    if self.reg(cond) == 0 {
                        self.pc = to;
                        continue;
                    }
                }
                Ins::Switch { value, table } => {
                    let (switch, value) = (&code.switches[table as usize], self.int(value));
                    let case = switch.cases.iter().find(|case| case.0 == value);
                    self.pc = case.map_or(switch.default, |case| case.1);
                    continue;
                }
                Ins::Return { list } => {
                    if let Flow::Out(answer) = self.give_back(code, list) {
                        return answer;
                    }
                    code = &linked.code[self.function as usize];
                    continue;
                }
                Ins::Fail => match self.unwind(linked) {
                    Flow::On => {
                        code = &linked.code[self.function as usize];
                        continue;
                    }
                    Flow::Out(answer) => return answer,
                },
                Ins::Unreachable => unreachable!("lowering says that control never comes here"),
            }
            self.pc += 1;
        }
    }

    /// The values of a counted list of operands.
    pub(super) fn values<A: smallvec::Array<Item = u64>>(
        &self,
        code: &Code,
        at: List,
    ) -> SmallVec<A> {
        let locals = code.counted(at).0;
        let mut values: SmallVec<A> = SmallVec::with_capacity(locals.len());
        for (at, local) in locals.iter().enumerate() {
            // SAFETY: there is room for as many values as there are locals.
            unsafe { values.as_mut_ptr().add(at).write(self.reg(*local)) };
        }
        // SAFETY: all of them were written.
        unsafe { values.set_len(locals.len()) };
        values
    }

    fn list(&self, local: Local) -> &layout::List {
        // SAFETY: the register holds a list.
        unsafe { self.obj(local).body() }
    }

    fn map(&self, local: Local) -> &layout::Map {
        // SAFETY: the register holds a map.
        unsafe { self.obj(local).body() }
    }

    /// Puts an error of the operation at `pc` into `ctx.err`.
    pub(super) fn raise_here(&mut self, fault: Fault) {
        self.ctx
            .raise(fault.at(self.linked.place(self.function, self.pc)));
    }

    /// Gives the error in `ctx.err` the place of an operation, unless it has one.
    pub(super) fn place_error(&mut self, pc: Pc) {
        let place = self.linked.place(self.function, pc);
        self.ctx.change_err(|fault| {
            if !fault.is_cancellation() {
                fault.data_mut().place.get_or_insert(place);
            }
        });
    }

    fn trace_error(&mut self) {
        let place = self.linked.place(self.function, self.pc);
        self.ctx.change_err(|fault| {
            if !fault.is_cancellation() {
                fault.add_trace(place);
            }
        });
    }

    /// Goes to the error edge of the operation at `pc`.
    pub(super) fn err_edge(&mut self, code: &Code) -> Flow {
        match code.error_edge(self.pc) {
            Some(to) => {
                self.pc = to;
                Flow::On
            }
            None => unreachable!("what can fail ends its block and has an error edge"),
        }
    }
}
