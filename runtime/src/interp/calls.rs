//! Pure calls on the machine's own stack, and host functions that do not wait.

use super::code::{Code, FEW, HostCall, List, PureCall};
use super::run::{Flow, Run};
use super::{DEPTH_LIMIT, Record};
use crate::fault::Fault;
use crate::frame::{Frame, Resume};
use crate::host::{ERROR, NONE};
use crate::jit::Native;
use crate::link::Linked;
use smallvec::{SmallVec, smallvec};

impl<'a> Run<'a> {
    /// Enters a pure function.
    #[inline]
    pub(super) fn call(&mut self, code: &Code, at: u32) -> Result<(), Fault> {
        let call = &code.calls[at as usize];
        let linked = self.linked;
        let callee = &linked.code[call.function as usize];
        let base = self.base + code.locals as usize;
        let need = base + callee.locals as usize;
        if self.machine.room < need {
            if let Some(native) = linked.native() {
                return self.call_native(code, call, native);
            }
            self.machine.grow(need);
            self.move_window(self.base);
        }
        // SAFETY: there is room for both windows, and the operands lie inside of them.
        let window = unsafe {
            let window = self.regs.add(code.locals as usize);
            for (to, from) in &call.moves {
                window.add(*to as usize).write(self.reg(*from));
            }
            for (to, bits) in &call.bits {
                window.add(*to as usize).write(*bits);
            }
            window
        };
        if callee.recursive {
            let depth = self.ctx.depth.get() + 1;
            if depth > DEPTH_LIMIT {
                // SAFETY: the arguments were written there a moment ago.
                return Err(unsafe { self.refuse(callee, window) });
            }
            self.ctx.depth.set(depth);
        }
        self.machine.calls.push(Record {
            function: self.function,
            pc: self.pc,
            call: at,
            base: self.base,
        });
        self.function = call.function;
        self.pc = 0;
        self.base = base;
        self.regs = window;
        Ok(())
    }

    /// Calls the machine code of a pure function, which was published while this one is interpreted.
    #[cold]
    #[inline(never)]
    fn call_native(&mut self, code: &Code, call: &PureCall, native: &Native) -> Result<(), Fault> {
        let callee = &self.linked.code[call.function as usize];
        let mut window: SmallVec<[u64; 32]> = smallvec![0; callee.locals as usize];
        for (to, from) in &call.moves {
            window[*to as usize] = self.reg(*from);
        }
        for (to, bits) in &call.bits {
            window[*to as usize] = *bits;
        }
        let depth = self.ctx.depth.get() + u32::from(callee.recursive);
        if depth > DEPTH_LIMIT {
            // SAFETY: the arguments were written there a moment ago.
            return Err(unsafe { self.refuse(callee, window.as_ptr()) });
        }
        let params = callee.params.iter();
        let args: SmallVec<[u64; 8]> = params.map(|param| window[param.local as usize]).collect();
        let mut results = [0; 2];
        // SAFETY: the arguments are those of this function, as its code in either form takes them.
        let ok = unsafe { native.call(self.ctx, call.function, depth, &args, &mut results) };
        if !ok {
            self.err_edge(code);
            return Ok(());
        }
        for (dst, bits) in call.results.iter().zip(results) {
            self.set(*dst, bits);
        }
        self.pc += 1;
        Ok(())
    }

    /// The error of a call that would be too deep, whose arguments are given up.
    ///
    /// # Safety
    /// The window holds them.
    #[cold]
    #[inline(never)]
    unsafe fn refuse(&self, callee: &Code, window: *const u64) -> Fault {
        let params = callee.params.iter();
        // SAFETY: upheld by the caller.
        let args: SmallVec<[u64; 8]> = params
            .map(|param| unsafe { window.add(param.local as usize).read() })
            .collect();
        self.drop_args(callee, &args);
        super::waits::too_deep()
    }

    /// Gives up the owned arguments of a call that does not happen.
    pub(super) fn drop_args(&self, callee: &Code, args: &[u64]) {
        for (_, bits) in callee
            .params
            .iter()
            .zip(args)
            .filter(|(param, _)| param.own)
        {
            // SAFETY: the argument is owned by the call, which does not happen.
            unsafe { self.ctx.heap.release_slot(*bits) };
        }
    }

    /// Back to the caller's window, behind the call; none at the bottom.
    #[inline]
    pub(super) fn leave(&mut self, code: &Code) -> Option<Record> {
        let record = self.machine.calls.pop()?;
        if code.recursive {
            self.ctx.depth.set(self.ctx.depth.get() - 1);
        }
        self.function = record.function;
        self.pc = record.pc + 1;
        self.move_window(record.base);
        Some(record)
    }

    /// Hands results to the caller, or leaves them in the frame.
    #[inline(never)]
    pub(super) fn give_back(&mut self, code: &Code, list: List) -> Flow {
        let results: SmallVec<[u64; 2]> = self.values(code, list);
        let Some(record) = self.leave(code) else {
            for (at, bits) in results.iter().enumerate() {
                // SAFETY: each frame has at least two slots.
                unsafe { Frame::slots(self.frame).add(at).write(*bits) };
            }
            return Flow::Out(Resume::Done);
        };
        let linked = self.linked;
        let caller = &linked.code[record.function as usize];
        let call = &caller.calls[record.call as usize];
        for (dst, bits) in call.results.iter().zip(results) {
            self.set(*dst, bits);
        }
        Flow::On
    }

    /// Leaves the function with the error in `ctx.err`.
    #[inline(never)]
    pub(super) fn unwind(&mut self, linked: &'a Linked) -> Flow {
        let code = &linked.code[self.function as usize];
        if self.leave(code).is_none() {
            return Flow::Out(Resume::Error);
        }
        // The error edge is that of the call itself.
        self.pc -= 1;
        self.err_edge(&linked.code[self.function as usize])
    }

    /// Calls a host function; false if it failed.
    #[inline(never)]
    pub(super) fn host(&mut self, code: &Code, at: u32) -> bool {
        let call = &code.hosts[at as usize];
        match <&[u64; FEW]>::try_from(&*call.args.template) {
            Ok(template) => {
                let mut args = *template;
                self.enter(call, &mut args)
            }
            Err(_) => self.host_of_many(call),
        }
    }

    /// A call with more than a few registers.
    #[inline(never)]
    fn host_of_many(&mut self, call: &HostCall) -> bool {
        let mut args: SmallVec<[u64; 32]> = SmallVec::from_slice(&call.args.template);
        self.enter(call, &mut args)
    }

    /// Calls a host function with what is constant of its arguments.
    #[inline(always)]
    fn enter(&mut self, call: &HostCall, args: &mut [u64]) -> bool {
        for (to, from) in &call.args.moves {
            args[*to as usize] = self.reg(*from);
        }
        let Some(entry) = call.entry else {
            unreachable!("what waits is called by a wait")
        };
        self.ctx.set_site(self.function, self.pc, call.site);
        // SAFETY: linking compared the registers with the host function's signature.
        let ret = unsafe { entry(self.ctx, args.as_mut_ptr()) };
        if let Some(dst) = call.receiver {
            self.set(dst, args[0]);
        }
        if ret.status == ERROR {
            self.blame(call.native);
            return false;
        }
        match call.results[..] {
            [dst] => self.set(dst, ret.value),
            [flag, payload] => {
                self.set(flag, u64::from(ret.status != NONE));
                self.set(payload, ret.value);
            }
            _ => {}
        }
        true
    }

    /// Says in the error which host function it comes from.
    #[cold]
    fn blame(&mut self, native: u32) {
        let name = self.linked.natives[native as usize].def.name;
        self.ctx.change_err(|fault| fault.name_operation(name));
        self.place_error(self.pc);
    }
}
