//! Calls and waits: where arguments come from is settled here, so that a call copies what does not change and writes
//! the rest over it.

use super::{Compiler, From, Stub};
use crate::host::Call;
use crate::interp::code::{Args, FEW, HostCall, Ins, Local, PureCall, Wait};
use scn_compiler::ir::{BlockId, FuncId, NativeId, Reg, Target, WaitOp};
use smallvec::SmallVec;

impl<'a> Compiler<'a> {
    /// Arguments, with room in the template for `room` at least.
    fn args(&self, regs: &[Reg], room: usize) -> Args {
        let constant = |reg: &Reg| self.uses.constant(*reg);
        let mut template: Vec<u64> = regs.iter().map(|reg| constant(reg).unwrap_or(0)).collect();
        template.resize(regs.len().max(room), 0);
        let moves = (0u32..)
            .zip(regs)
            .filter(|(_, reg)| constant(reg).is_none())
            .map(|(at, reg)| (at, self.local(*reg)));
        Args {
            moves: moves.collect(),
            template: template.into(),
        }
    }

    pub(super) fn call(&mut self, id: FuncId, results: &[Reg], regs: &[Reg]) -> Ins {
        let callee = &self.env.functions[id.index()];
        let home = |reg: Reg| match &callee.frame {
            Some(frame) => frame.local[reg.index()],
            None => reg.0,
        };
        let (mut moves, mut bits) = (Vec::new(), Vec::new());
        for (param, reg) in callee.params.iter().zip(regs) {
            match self.uses.constant(*reg) {
                Some(constant) => bits.push((home(param.reg), constant)),
                None => moves.push((home(param.reg), self.local(*reg))),
            }
        }
        let results = self.locals(results);
        self.code.calls.push(PureCall {
            function: id.0,
            results,
            moves: moves.into(),
            bits: bits.into(),
        });
        Ins::Call {
            call: self.code.calls.len() as u32 - 1,
        }
    }

    pub(super) fn host(&mut self, id: NativeId, results: &[Reg], regs: &[Reg]) -> Ins {
        let native = &self.env.natives[id.index()];
        let inout = usize::from(native.def.signature.inout).min(results.len());
        let site = self.take_site();
        self.code.hosts.push(HostCall {
            native: id.0,
            entry: match native.def.call {
                Call::Ready(entry) => Some(entry),
                Call::Waiting(_) => None,
            },
            site,
            receiver: results[..inout].first().map(|reg| self.local(*reg)),
            results: self.locals(&results[inout..]),
            args: self.args(regs, FEW),
        });
        Ins::Host {
            call: self.code.hosts.len() as u32 - 1,
        }
    }

    fn locals(&self, regs: &[Reg]) -> SmallVec<[Local; 2]> {
        regs.iter().map(|reg| self.local(*reg)).collect()
    }

    /// The reporting site that the operation right before names: the call names it itself.
    fn take_site(&mut self) -> Option<u32> {
        let Some(Ins::Site { site }) = self.code.ops.last().copied() else {
            return None;
        };
        if self.begun == self.pc() {
            return None;
        }
        self.code.ops.pop();
        let pc = self.pc();
        if let Some(last) = self.code.places.last_mut() {
            last.0 = last.0.min(pc);
        }
        Some(site)
    }

    pub(super) fn wait(
        &mut self,
        id: BlockId,
        op: &WaitOp,
        results: &[Reg],
        ok: &'a Target,
        err: &'a Target,
    ) {
        let points = self.function.frame.iter().flat_map(|frame| &frame.waits);
        let number = points
            .map(|point| point.block)
            .position(|block| block == id);
        let number = number.expect("the frames pass lists each block that ends with a wait");
        let site = self.take_site();
        let (row, args) = match op {
            WaitOp::Call(id, args) => (id.0, self.args(args, 0)),
            WaitOp::Host(id, args) => (self.env.functions.len() as u32 + id.0, self.args(args, 0)),
            _ => (0, Args::default()),
        };
        let at = self.emit(Ins::Wait {
            wait: number as u32,
        });
        self.code.waits[number] = Wait {
            op: Some(op.clone()),
            site,
            row,
            args,
            at,
            ok: self.pc(),
            err: 0,
        };
        self.cold.push(Stub {
            from: From::Wait(number),
            target: err,
        });
        self.reload(number, true, ok, results);
        for (which, reg) in (0u32..).zip(results) {
            let dst = self.local(*reg);
            self.emit(Ins::Returned { dst, which });
            self.save(*reg);
        }
        self.go(ok);
    }

    /// Reads what a landing needs from the slots.
    pub(super) fn reload(&mut self, number: usize, is_ok: bool, target: &Target, results: &[Reg]) {
        let point = self
            .function
            .frame
            .as_ref()
            .map(|frame| &frame.waits[number]);
        let live = point.map_or(&[][..], |point| {
            if is_ok {
                &point.ok_live
            } else {
                &point.err_live
            }
        });
        let extra = target
            .args
            .iter()
            .filter(|reg| !results.contains(reg) && !live.contains(reg));
        let mut seen: SmallVec<[Reg; 8]> = SmallVec::new();
        for reg in live.iter().chain(extra) {
            if seen.contains(reg) {
                continue;
            }
            seen.push(*reg);
            if let Some(slot) = self.slot(*reg) {
                let dst = self.local(*reg);
                self.emit(Ins::FromSlot { dst, slot });
            }
        }
    }
}
