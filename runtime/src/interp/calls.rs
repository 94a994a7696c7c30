//! Pure calls on the machine's own stack, and host functions that do not wait.

use super::code::{Code, Ins, List};
use super::run::{Flow, Run};
use super::{DEPTH_LIMIT, Record};
use crate::fault::Fault;
use crate::frame::{Frame, Resume};
use crate::host::{Call, ERROR, NONE};
use crate::link::Linked;
use smallvec::SmallVec;
use std::mem::MaybeUninit;

/// Host functions with more registers are rare.
const FEW: usize = 8;

impl<'a> Run<'a> {
    /// Enters a pure function.
    pub(super) fn call(&mut self, code: &Code, function: u32, list: List) -> Result<(), Fault> {
        let (_, next) = code.counted(list);
        let args: SmallVec<[u64; 16]> = self.values(code, next);
        let linked = self.linked;
        let callee = &linked.code[function as usize];
        if callee.recursive {
            let depth = self.ctx.depth.get() + 1;
            if depth > DEPTH_LIMIT {
                self.drop_args(callee, &args);
                return Err(super::waits::too_deep());
            }
            self.ctx.depth.set(depth);
        }
        self.machine.calls.push(Record {
            function: self.function,
            pc: self.pc,
            base: self.base,
        });
        let base = self.base + code.locals as usize;
        self.function = function;
        self.pc = 0;
        self.open_window(base);
        for (param, bits) in callee.params.iter().zip(args) {
            self.set(param.local, bits);
        }
        Ok(())
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

    /// Back to the caller's window; none at the bottom.
    fn leave(&mut self) -> Option<Record> {
        let record = self.machine.calls.pop()?;
        if self.linked.code[self.function as usize].recursive {
            self.ctx.depth.set(self.ctx.depth.get() - 1);
        }
        self.function = record.function;
        self.pc = record.pc;
        self.open_window(record.base);
        Some(record)
    }

    /// Hands results to the caller, or leaves them in the frame.
    pub(super) fn give_back(&mut self, code: &Code, list: List) -> Flow {
        let results: SmallVec<[u64; 2]> = self.values(code, list);
        if self.leave().is_none() {
            for (at, bits) in results.iter().enumerate() {
                // SAFETY: each frame has at least two slots.
                unsafe { Frame::slots(self.frame).add(at).write(*bits) };
            }
            return Flow::Out(Resume::Done);
        }
        let linked = self.linked;
        let caller = &linked.code[self.function as usize];
        let Ins::Call { list, .. } = caller.ops[self.pc as usize] else {
            unreachable!("a record is made by a call")
        };
        for (dst, bits) in caller.counted(list).0.iter().zip(results) {
            self.set(*dst, bits);
        }
        self.pc += 1;
        Flow::On
    }

    /// Leaves the function with the error in `ctx.err`.
    pub(super) fn unwind(&mut self, linked: &'a Linked) -> Flow {
        if self.leave().is_none() {
            return Flow::Out(Resume::Error);
        }
        self.err_edge(&linked.code[self.function as usize])
    }

    /// The values of a counted list of operands, if they are few.
    #[inline]
    fn few_values<'v>(
        &self,
        code: &Code,
        at: List,
        place: &'v mut [MaybeUninit<u64>; FEW],
    ) -> Option<&'v mut [u64]> {
        let locals = code.counted(at).0;
        for (value, local) in place.get_mut(..locals.len())?.iter_mut().zip(locals) {
            value.write(self.reg(*local));
        }
        // SAFETY: as many values as there are locals were written.
        Some(unsafe { std::slice::from_raw_parts_mut(place.as_mut_ptr().cast(), locals.len()) })
    }

    /// Calls a host function; false if it failed.
    pub(super) fn host(&mut self, code: &Code, native: u32, list: List) -> bool {
        let (results, next) = code.counted(list);
        let mut few = [MaybeUninit::<u64>::uninit(); FEW];
        let mut many: SmallVec<[u64; 32]>;
        let args = match self.few_values(code, next, &mut few) {
            Some(args) => args,
            None => {
                many = self.values(code, next);
                many.as_mut_slice()
            }
        };
        let row = &self.linked.natives[native as usize];
        let Call::Ready(entry) = row.def.call else {
            unreachable!("what waits is called by a wait")
        };
        self.ctx.set_site(self.function, self.pc);
        // SAFETY: linking compared the registers with the host function's signature.
        let ret = unsafe { entry(self.ctx, args.as_mut_ptr()) };
        let is_error = ret.status == ERROR;
        if is_error {
            let name = row.def.name;
            self.ctx.change_err(|fault| fault.name_operation(name));
            self.place_error(self.pc);
        }
        let inout = usize::from(self.linked.natives[native as usize].def.signature.inout);
        for dst in results.iter().take(inout) {
            self.set(*dst, args[0]);
        }
        match results.get(inout..) {
            Some([dst]) if !is_error => self.set(*dst, ret.value),
            Some([flag, payload]) if !is_error => {
                self.set(*flag, u64::from(ret.status != NONE));
                self.set(*payload, ret.value);
            }
            _ => {}
        }
        !is_error
    }
}
