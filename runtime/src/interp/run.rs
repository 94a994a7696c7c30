//! The loop: one operation after the other. What is more than a line is in [`super::ops`], calls in `calls`, waits in
//! `waits`. Enter at [`Run::resume`].

use super::Machine;
use super::code::{Code, Ins, List, Local, Pc};
use crate::ctx::{Ctx, pack};
use crate::fault::Fault;
use crate::frame::{Frame, Resume};
use crate::link::Linked;
use crate::object::layout;
use crate::value::{Obj, Value};
use scn_compiler::ir::WaitOp;
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
    pub(super) regs: *mut u64,
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
        debug_assert!(
            self.machine.calls.is_empty(),
            "calls have come back before a wait"
        );
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
    #[inline]
    pub(super) fn open_window(&mut self, base: usize) {
        let need = base + self.linked.code[self.function as usize].locals as usize;
        if self.machine.locals.len() < need {
            self.machine.grow(need);
        }
        self.move_window(base);
    }

    /// Makes the window at `base` the running function's; there is room for it.
    #[inline]
    pub(super) fn move_window(&mut self, base: usize) {
        debug_assert!(base <= self.machine.locals.len());
        self.base = base;
        // SAFETY: windows lie inside of the file of locals.
        self.regs = unsafe { self.machine.locals.as_mut_ptr().add(base) };
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

    /// The object in a local that is not null.
    #[inline(always)]
    pub(super) fn obj(&self, local: Local) -> Obj {
        // SAFETY: the verifier says that the register holds a live object here.
        unsafe { Obj::from_bits(self.reg(local)) }
    }

    /// The object in a local that is changed in place.
    #[inline(always)]
    pub(super) fn unique(&self, local: Local) -> Obj {
        let obj = self.obj(local);
        debug_assert!(obj.is_unique(), "what is changed has one reference");
        obj
    }

    /// The loop itself.
    ///
    /// # Safety
    /// The code was verified: registers hold what their operations expect. Reference counts are explicit in it.
    // Operations that are unsafe themselves read locals by the same macros.
    #[allow(unused_unsafe)]
    unsafe fn run(&mut self) -> Resume {
        let mut code: &Code = &self.linked.code[self.function as usize];
        // SAFETY: `pc` is a position in the code.
        let mut ip: *const Ins = unsafe { code.ops.as_ptr().add(self.pc as usize) };
        let mut regs: *mut u64 = self.regs;
        // The window is in a variable of its own, because nobody else changes it while an operation runs. The same of
        // `ip`: it is behind the operation that runs, and `pc` is that operation's position only where somebody asks.
        macro_rules! reg {
            ($local:expr) => {{
                debug_assert!($local < code.locals);
                // SAFETY: locals of the running function lie inside of its window, which is open.
                unsafe { regs.add($local as usize).read() }
            }};
        }
        macro_rules! int {
            ($local:expr) => {
                reg!($local).cast_signed()
            };
        }
        macro_rules! float {
            ($local:expr) => {
                f64::from_bits(reg!($local))
            };
        }
        macro_rules! obj {
            ($local:expr) => {
                // SAFETY: the verifier says that the register holds a live object here.
                unsafe { Obj::from_bits(reg!($local)) }
            };
        }
        // An object that is changed in place.
        macro_rules! unique {
            ($local:expr) => {{
                let obj = obj!($local);
                debug_assert!(obj.is_unique(), "what is changed has one reference");
                obj
            }};
        }
        macro_rules! set {
            ($local:expr, $bits:expr) => {{
                let bits: u64 = $bits;
                debug_assert!($local < code.locals);
                // SAFETY: as `reg`.
                unsafe { regs.add($local as usize).write(bits) }
            }};
        }
        macro_rules! jump {
            ($to:expr) => {{
                // SAFETY: the distance leads to a laid out block.
                ip = unsafe { ip.byte_offset($to.cast_signed() as isize) };
                debug_assert!(code.ops.as_ptr_range().contains(&ip));
                continue;
            }};
        }
        // Tells the rest where the run is.
        macro_rules! note {
            () => {
                // SAFETY: `ip` is behind an operation of the code.
                self.pc = unsafe { ip.offset_from(code.ops.as_ptr()) } as Pc - 1
            };
        }
        // Goes on where the rest says.
        macro_rules! resume {
            () => {{
                // SAFETY: `pc` is a position in the code.
                ip = unsafe { code.ops.as_ptr().add(self.pc as usize) };
                continue;
            }};
        }
        // The same, in what may be another function.
        macro_rules! enter {
            () => {{
                code = &self.linked.code[self.function as usize];
                regs = self.regs;
                resume!()
            }};
        }
        macro_rules! fail {
            ($fault:expr) => {{
                note!();
                self.raise_here($fault);
                match self.err_edge(code) {
                    Flow::On => resume!(),
                    Flow::Out(answer) => return answer,
                }
            }};
        }
        macro_rules! arith {
            ($method:ident, $name:literal, $dst:ident, $a:ident, $right:expr) => {{
                let (left, right): (i64, i64) = (int!($a), $right);
                match left.$method(right) {
                    Some(result) => set!($dst, result.cast_unsigned()),
                    None => {
                        note!();
                        match self.fail_arithmetic(code, $name, left, right) {
                            Flow::On => resume!(),
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
            }};
        }
        macro_rules! outside {
            ($at:expr, $len:expr) => {{
                note!();
                match self.fail_index(code, $at, $len) {
                    Flow::On => resume!(),
                    Flow::Out(answer) => return answer,
                }
            }};
        }
        macro_rules! unless {
            ($holds:expr, $to:ident) => {{
                // Of floats neither may hold, so this is not the opposite comparison.
                let holds: bool = $holds;
                if !holds {
                    jump!($to)
                }
            }};
        }
        macro_rules! poke {
            () => {
                if self.ctx.heap.poke.load(Ordering::Relaxed) != 0 {
                    note!();
                    if let Some(flow) = self.poked(code) {
                        match flow {
                            Flow::On => resume!(),
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
            };
        }
        loop {
            // SAFETY: each block ends with an operation that leaves the line, so there is one where `ip` points.
            let ins = unsafe { &*ip };
            // SAFETY: one behind an operation is inside of the code or right behind it.
            ip = unsafe { ip.add(1) };
            match *ins {
                Ins::Bits { dst, bits } => set!(dst, bits),
                Ins::Copy { dst, src } => set!(dst, reg!(src)),
                Ins::Global { dst, global } => set!(dst, self.linked.global(global)),
                Ins::And { dst, a, b } => set!(dst, reg!(a) & reg!(b)),
                Ins::Or { dst, a, b } => set!(dst, reg!(a) | reg!(b)),
                Ins::Xor { dst, a, b } => set!(dst, reg!(a) ^ reg!(b)),
                Ins::AddWrap { dst, a, b } => set!(dst, reg!(a).wrapping_add(reg!(b))),
                Ins::SubWrap { dst, a, b } => set!(dst, reg!(a).wrapping_sub(reg!(b))),
                Ins::IntCmp { cmp, dst, a, b } => {
                    let holds = super::ops::compare(cmp, &int!(a), &int!(b));
                    set!(dst, u64::from(holds));
                }
                Ins::FloatCmp { cmp, dst, a, b } => {
                    let holds = super::ops::compare(cmp, &float!(a), &float!(b));
                    set!(dst, u64::from(holds));
                }
                Ins::IntCmpImm { cmp, dst, a, imm } => {
                    let holds = super::ops::compare(cmp, &int!(a), &i64::from(imm));
                    set!(dst, u64::from(holds));
                }
                Ins::AddWrapImm { dst, a, imm } => {
                    set!(dst, int!(a).wrapping_add(i64::from(imm)).cast_unsigned());
                }
                Ins::FloatAdd { dst, a, b } => set!(dst, (float!(a) + float!(b)).to_bits()),
                Ins::FloatSub { dst, a, b } => set!(dst, (float!(a) - float!(b)).to_bits()),
                Ins::FloatMul { dst, a, b } => set!(dst, (float!(a) * float!(b)).to_bits()),
                Ins::FloatDiv { dst, a, b } => set!(dst, (float!(a) / float!(b)).to_bits()),
                Ins::Sqrt { dst, src } => set!(dst, float!(src).sqrt().to_bits()),
                Ins::FloatUn { op, dst, src } => {
                    set!(dst, super::ops::float_function(op, float!(src)).to_bits());
                }
                Ins::Select { dst, list } => {
                    let [flag, yes, no] = code.fixed(list);
                    let chosen = if reg!(flag) != 0 { yes } else { no };
                    set!(dst, reg!(chosen));
                }
                Ins::FloatNeg { dst, src } => set!(dst, (-float!(src)).to_bits()),
                Ins::Not { dst, src } => set!(dst, 1 - reg!(src)),
                Ins::ToFloat { dst, src } => set!(dst, (int!(src) as f64).to_bits()),
                Ins::IsNull { dst, src } => set!(dst, u64::from(reg!(src) == 0)),
                Ins::OptFlag { dst, src } => set!(dst, u64::from(reg!(src) != 0)),
                // SAFETY: the pointer is null or a box, which has one slot.
                Ins::OptPayload { dst, src } => unsafe {
                    let bits = match reg!(src) {
                        0 => 0,
                        bits => layout::slot(Obj::from_bits(bits), 0).read(),
                    };
                    set!(dst, bits);
                },
                // SAFETY: the object has that slot.
                Ins::Load { dst, obj, at } => unsafe {
                    set!(dst, layout::slot(obj!(obj), at).read());
                },
                // SAFETY: the object is unique and has that slot.
                Ins::Take { dst, obj, at } => unsafe {
                    set!(dst, layout::slot(unique!(obj), at).replace(0));
                },
                // SAFETY: the object is unique and has that slot, which holds no pointer.
                Ins::Store { obj, at, src } => unsafe {
                    layout::slot(unique!(obj), at).write(reg!(src));
                },
                Ins::Unique { dst, src } => {
                    let obj = obj!(src);
                    let bits = if obj.is_unique() {
                        obj.bits()
                    } else {
                        self.copied(obj)
                    };
                    set!(dst, bits);
                }
                Ins::ListLen { dst, src } => set!(dst, u64::from(list_of(obj!(src)).len)),
                // SAFETY: it is a text.
                Ins::BytesLen { dst, src } => unsafe {
                    set!(dst, obj!(src).body::<layout::Text>().len);
                },
                Ins::ListAt { dst, list, at } => {
                    let slots = list_of(obj!(list)).slots();
                    set!(dst, slots[reg!(at) as usize]);
                }
                // SAFETY: list and value are owned and consumed here; the value has the type of the elements.
                Ins::ListPush { dst, list, src } => unsafe {
                    let unique = self.ctx.heap.unique(obj!(list));
                    self.ctx.heap.list_push(unique, reg!(src));
                    set!(dst, unique.bits());
                },
                // SAFETY: the list is unique, its slots hold no pointers, and the index is inside.
                Ins::ListPut { list, at, src } => unsafe {
                    let slots = unique!(list).body_mut::<layout::List>().slots_mut();
                    slots[reg!(at) as usize] = reg!(src);
                },
                Ins::Retain { dst, src } => {
                    let bits = reg!(src);
                    // SAFETY: the register holds null or a live object.
                    if let Some(obj) = unsafe { Value(bits).obj() } {
                        obj.retain();
                    }
                    set!(dst, bits);
                }
                // SAFETY: the register is owned and consumed here.
                Ins::Drop { src } => unsafe { self.ctx.heap.release_slot(reg!(src)) },
                Ins::Call { call } => {
                    note!();
                    if let Err(fault) = self.call(code, call) {
                        fail!(fault)
                    }
                    enter!()
                }
                Ins::Host { call } => {
                    note!();
                    if !self.host(code, call) {
                        match self.err_edge(code) {
                            Flow::On => resume!(),
                            Flow::Out(answer) => return answer,
                        }
                    }
                }
                Ins::Add { dst, a, b } => arith!(checked_add, "+", dst, a, int!(b)),
                Ins::Sub { dst, a, b } => arith!(checked_sub, "-", dst, a, int!(b)),
                Ins::Mul { dst, a, b } => arith!(checked_mul, "*", dst, a, int!(b)),
                Ins::Div { dst, a, b } => arith!(checked_div, "/", dst, a, int!(b)),
                Ins::AddImm { dst, a, imm } => {
                    arith!(checked_add, "+", dst, a, i64::from(imm))
                }
                Ins::SubImm { dst, a, imm } => {
                    arith!(checked_sub, "-", dst, a, i64::from(imm))
                }
                Ins::MulImm { dst, a, imm } => {
                    arith!(checked_mul, "*", dst, a, i64::from(imm))
                }
                Ins::ListGet { dst, list, at } => {
                    let slots = list_of(obj!(list)).slots();
                    match slots.get(reg!(at) as usize) {
                        Some(bits) => set!(dst, *bits),
                        None => outside!(int!(at), slots.len()),
                    }
                }
                Ins::ListSet { dst, list } => {
                    let [list, at, value] = code.fixed(list);
                    // SAFETY: the list is owned and consumed here, and comes back; its slots hold no pointers.
                    let (obj, slots) = unsafe {
                        let obj = self.ctx.heap.unique(obj!(list));
                        (obj, obj.body_mut::<layout::List>().slots_mut())
                    };
                    let (at, bits) = (reg!(at), reg!(value));
                    set!(dst, obj.bits());
                    match slots.get_mut(at as usize) {
                        Some(slot) => *slot = bits,
                        None => outside!(at.cast_signed(), slots.len()),
                    }
                }
                Ins::ListReplace { list, at, src } => {
                    // SAFETY: the list is unique, and its slots hold no pointers.
                    let slots = unsafe { unique!(list).body_mut::<layout::List>().slots_mut() };
                    match slots.get_mut(reg!(at) as usize) {
                        Some(slot) => *slot = reg!(src),
                        None => outside!(int!(at), slots.len()),
                    }
                }
                Ins::Poke => poke!(),
                Ins::Wait { wait } => {
                    note!();
                    match self.wait(code, wait) {
                        Flow::On => resume!(),
                        Flow::Out(answer) => return answer,
                    }
                }
                // SAFETY: the frame of a waiting function has that slot.
                Ins::ToSlot { slot, src } => unsafe {
                    Frame::slots(self.frame).add(slot as usize).write(reg!(src));
                },
                // SAFETY: the frame of a waiting function has that slot.
                Ins::FromSlot { dst, slot } => unsafe {
                    let bits = Frame::slots(self.frame).add(slot as usize).read();
                    set!(dst, bits);
                },
                Ins::Returned { dst, which } => {
                    // SAFETY: each popped frame has two slots, readable until this strand calls again.
                    let bits = unsafe { self.ctx.worker().results().add(which as usize).read() };
                    set!(dst, bits);
                }
                Ins::Jump { to } => jump!(to),
                Ins::Unless { cond, to } => unless!(reg!(cond) != 0, to),
                Ins::If { cond, to } => unless!(reg!(cond) == 0, to),
                Ins::UnlessLt { a, b, to } => unless!(int!(a) < int!(b), to),
                Ins::UnlessLe { a, b, to } => unless!(int!(a) <= int!(b), to),
                Ins::UnlessEq { a, b, to } => unless!(int!(a) == int!(b), to),
                Ins::UnlessNe { a, b, to } => unless!(int!(a) != int!(b), to),
                Ins::UnlessLtImm { a, imm, to } => unless!(int!(a) < i64::from(imm), to),
                Ins::UnlessLeImm { a, imm, to } => unless!(int!(a) <= i64::from(imm), to),
                Ins::UnlessGtImm { a, imm, to } => unless!(int!(a) > i64::from(imm), to),
                Ins::UnlessGeImm { a, imm, to } => unless!(int!(a) >= i64::from(imm), to),
                Ins::UnlessEqImm { a, imm, to } => unless!(int!(a) == i64::from(imm), to),
                Ins::UnlessNeImm { a, imm, to } => unless!(int!(a) != i64::from(imm), to),
                Ins::UnlessFloatLt { a, b, to } => unless!(float!(a) < float!(b), to),
                Ins::UnlessFloatLe { a, b, to } => unless!(float!(a) <= float!(b), to),
                Ins::LoopLt { a, b, to } => {
                    poke!();
                    if int!(a) < int!(b) {
                        jump!(to)
                    }
                }
                Ins::LoopLe { a, b, to } => {
                    poke!();
                    if int!(a) <= int!(b) {
                        jump!(to)
                    }
                }
                Ins::CountLt { a, b, to } => {
                    let count = int!(a).wrapping_add(1);
                    set!(a, count.cast_unsigned());
                    poke!();
                    if count < int!(b) {
                        jump!(to)
                    }
                }
                Ins::Again { to } => {
                    poke!();
                    jump!(to)
                }
                Ins::Switch { value, table } => {
                    let (switch, value) = (&code.switches[table as usize], int!(value));
                    let case = switch.cases.iter().find(|case| case.0 == value);
                    self.pc = case.map_or(switch.default, |case| case.1);
                    resume!()
                }
                Ins::ReturnOne { src } => {
                    let bits = reg!(src);
                    if let Some(record) = self.leave(code) {
                        let caller = &self.linked.code[record.function as usize];
                        if let [dst] = caller.calls[record.call as usize].results[..] {
                            code = caller;
                            regs = self.regs;
                            set!(dst, bits);
                        }
                        enter!()
                    }
                    // SAFETY: each frame has at least two slots.
                    unsafe { Frame::slots(self.frame).write(bits) };
                    return Resume::Done;
                }
                Ins::Return { list } => {
                    if let Flow::Out(answer) = self.give_back(code, list) {
                        return answer;
                    }
                    enter!()
                }
                Ins::Fail => match self.unwind(self.linked) {
                    Flow::On => enter!(),
                    Flow::Out(answer) => return answer,
                },
                _ => {
                    note!();
                    if let Err(fault) = self.rare(code, ins) {
                        fail!(fault)
                    }
                }
            }
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

    /// A copy of an object that others refer to as well; the reference is consumed.
    #[cold]
    #[inline(never)]
    fn copied(&self, obj: Obj) -> u64 {
        // SAFETY: the register is owned and consumed.
        unsafe { self.ctx.heap.unique(obj) }.bits()
    }

    #[cold]
    #[inline(never)]
    fn fail_arithmetic(&mut self, code: &Code, name: &'static str, left: i64, right: i64) -> Flow {
        self.raise_here(super::ops::arithmetic(name, left, right));
        self.err_edge(code)
    }

    #[cold]
    #[inline(never)]
    fn fail_index(&mut self, code: &Code, at: i64, len: usize) -> Flow {
        self.raise_here(super::ops::outside(at, len));
        self.err_edge(code)
    }

    /// Looks why `ctx.poke` is set; where to go if that ends the line.
    #[cold]
    #[inline(never)]
    fn poked(&mut self, code: &Code) -> Option<Flow> {
        let fault = crate::driver::poked(self.ctx, pack(self.function, self.pc));
        if self.linked.native().is_some() {
            self.machine.prefer_native();
        }
        let fault = fault.err()?;
        self.raise_here(fault);
        Some(self.err_edge(code))
    }

    /// Puts an error of the operation at `pc` into `ctx.err`.
    pub(super) fn raise_here(&mut self, fault: Fault) {
        self.ctx
            .raise(fault.at(self.linked.place(self.function, self.pc)));
    }

    /// Gives the error in `ctx.err` the place of an operation, unless it has one.
    pub(super) fn place_error(&mut self, pc: Pc) {
        self.ctx.place_error(pack(self.function, pc));
    }

    pub(super) fn trace_error(&mut self) {
        self.ctx.trace_error(pack(self.function, self.pc));
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

#[inline(always)]
pub(super) fn list_of<'o>(obj: Obj) -> &'o layout::List {
    // SAFETY: the verifier says that the register holds a list, which lives as long as the operation runs.
    unsafe { obj.body() }
}

#[inline(always)]
pub(super) fn map_of<'o>(obj: Obj) -> &'o layout::Map {
    // SAFETY: as `list_of`, a map.
    unsafe { obj.body() }
}
