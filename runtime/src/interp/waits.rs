//! Waits and spawns: what the interpreter hands to the driver.

use super::DEPTH_LIMIT;
use super::code::{Args, Code, List, Wait};
use super::run::{Flow, Run};
use crate::fault::{Fault, kind};
use crate::frame::{Frame, Resume};
use crate::join::{Branch, push_for_each, push_parallel, push_race};
use crate::value::Obj;
use scn_compiler::ir::{FuncId, Reg, WaitOp};
use smallvec::SmallVec;

impl Run<'_> {
    /// Begins a wait: the driver runs what was pushed, then resumes this frame at the landing.
    #[inline(never)]
    pub(super) fn wait(&mut self, code: &Code, wait: u32) -> Flow {
        let point = &code.waits[wait as usize];
        let op = point
            .op
            .as_ref()
            .expect("each wait that is reached was laid out");
        self.ctx.set_site(self.function, self.pc, point.site);
        if let WaitOp::Call(id, _) = op
            && !self.descend(id.0, &point.args)
        {
            self.pc = point.err;
            return Flow::On;
        }
        // SAFETY: the frame is live; state `k + 1` is "after wait k".
        unsafe { (*self.frame).state = wait as u16 + 1 };
        match op {
            WaitOp::Call(..) | WaitOp::Host(..) => self.push(point),
            WaitOp::Parallel(..) | WaitOp::Race(..) | WaitOp::ForEach { .. } => self.join(code, op),
        }
        Flow::Out(Resume::Call)
    }

    /// Counts a call of a recursive function; false if it would be too deep, with the error in `ctx.err`.
    fn descend(&mut self, function: u32, args: &Args) -> bool {
        let linked = self.linked;
        let callee = &linked.code[function as usize];
        if !callee.recursive {
            return true;
        }
        if self.ctx.depth.get() < DEPTH_LIMIT {
            self.ctx.depth.set(self.ctx.depth.get() + 1);
            return true;
        }
        let mut bits: SmallVec<[u64; 8]> = SmallVec::from_slice(&args.template);
        for (to, from) in &args.moves {
            bits[*to as usize] = self.reg(*from);
        }
        self.drop_args(callee, &bits);
        self.raise_here(too_deep());
        false
    }

    /// Pushes a frame with its arguments.
    fn push(&mut self, point: &Wait) {
        let frame = self.ctx.worker().push_frame(point.row);
        let args = &point.args;
        // SAFETY: a frame has a slot for each argument.
        unsafe {
            let slots = Frame::slots(frame.as_ptr());
            if args.moves.len() < args.template.len() {
                slots.copy_from_nonoverlapping(args.template.as_ptr(), args.template.len());
            }
            for (to, from) in &args.moves {
                slots.add(*to as usize).write(self.reg(*from));
            }
        }
    }

    fn join(&self, code: &Code, op: &WaitOp) {
        let reg = |reg: &Reg| self.reg(code.local[reg.index()]);
        let owned = |branches: &[(FuncId, Vec<Reg>)]| -> Vec<Branch> {
            let branch =
                |(func, args): &(FuncId, Vec<Reg>)| (*func, args.iter().map(reg).collect());
            branches.iter().map(branch).collect()
        };
        match op {
            WaitOp::Parallel(result, branches) => push_parallel(self.ctx, *result, owned(branches)),
            WaitOp::Race(branches) => push_race(self.ctx, owned(branches)),
            WaitOp::ForEach {
                result,
                list,
                func,
                captures,
                max,
            } => {
                // SAFETY: the register holds a list, which the frame's slots keep alive across the wait.
                let list = unsafe { Obj::from_bits(reg(list)) };
                let captures: SmallVec<[u64; 8]> = captures.iter().map(reg).collect();
                push_for_each(self.ctx, *result, list, *func, &captures, reg(max) as i64);
            }
            WaitOp::Call(..) | WaitOp::Host(..) => unreachable!("these push a frame of their own"),
        }
    }

    /// Starts a strand of its own.
    pub(super) fn spawn(&mut self, code: &Code, function: u32, list: List) {
        let args = self.values::<[u64; 8]>(code, list);
        self.ctx.worker().spawn_here(FuncId(function), &args);
    }
}

/// The error of calls that are nested too deep.
pub(crate) fn too_deep() -> Fault {
    Fault::text(
        kind::SCRIPT_DEPTH,
        format!("calls are nested deeper than {DEPTH_LIMIT}"),
    )
}
