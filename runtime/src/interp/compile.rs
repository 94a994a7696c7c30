//! From IR to the interpreter's code: blocks in one line, block parameters as moves, landings that reload slots.

mod select;

use super::code::{Code, Ins, Local, Param, Pc, Switch, Wait};
use scn_compiler::Span;
use scn_compiler::ir::{
    Block, BlockId, Function, NativeRef, Reg, Target, Terminator, TryOp, Ty, WaitOp,
};
use smallvec::SmallVec;

/// What a function refers to.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The bits of the constant objects.
    pub(crate) consts: &'a [u64],
    /// Host functions.
    pub(crate) natives: &'a [NativeRef],
}

/// Compiles a function.
pub(crate) fn compile(function: &Function, env: Env<'_>) -> Code {
    let mut compiler = Compiler::new(function, env);
    compiler.entry();
    compiler.blocks();
    compiler.code.errors.sort_unstable();
    compiler.code
}

struct Compiler<'a> {
    function: &'a Function,
    env: Env<'a>,
    code: Code,
    /// Where each block begins, once it is laid out.
    start: Vec<Option<Pc>>,
    /// The block that goes on right behind what was emitted last.
    next: Option<BlockId>,
    /// Edges out of line, warm ones first.
    warm: Vec<Stub<'a>>,
    cold: Vec<Stub<'a>>,
    spare: Local,
}

/// An edge out of line: moves, then a jump.
struct Stub<'a> {
    from: From,
    target: &'a Target,
}

#[derive(Clone, Copy)]
enum From {
    /// The error of an operation; this register is defined on that edge too.
    Error(Pc, Option<Reg>),
    /// The error of a wait, by its number.
    Wait(usize),
    /// The other side of a branch.
    Branch(Pc),
    /// A case of a switch.
    Case(usize, usize),
    /// The default of a switch.
    Default(usize),
}

impl<'a> Compiler<'a> {
    fn new(function: &'a Function, env: Env<'a>) -> Compiler<'a> {
        let frame = function.frame.as_ref();
        let identity = || (0..function.regs.len() as u32).collect();
        let local: Vec<Local> = frame.map_or_else(identity, |frame| frame.local.clone());
        let locals = frame.map_or(function.regs.len() as u32, |frame| frame.locals);
        let params = function.params.iter().map(|param| Param {
            local: local[param.reg.index()],
            own: param.own && function.regs[param.reg.index()] == Ty::Ptr,
        });
        let mut code = Code {
            params: params.collect(),
            local,
            locals: locals + 1,
            slots: frame
                .map_or(0, |frame| frame.slots)
                .max(function.params.len() as u32)
                .max(2),
            recursive: function.recursive,
            is_waiting: function.waits,
            ..Code::default()
        };
        let points = frame.map_or(0, |frame| frame.waits.len());
        code.waits.resize_with(points, Wait::default);
        Compiler {
            function,
            env,
            code,
            start: vec![None; function.blocks.len()],
            next: Some(BlockId(0)),
            warm: Vec::new(),
            cold: Vec::new(),
            spare: locals,
        }
    }

    fn local(&self, reg: Reg) -> Local {
        self.code.local[reg.index()]
    }

    fn slot(&self, reg: Reg) -> Option<u32> {
        self.function
            .frame
            .as_ref()?
            .slot
            .get(reg.index())
            .copied()
            .flatten()
    }

    fn pc(&self) -> Pc {
        self.code.ops.len() as Pc
    }

    fn emit(&mut self, ins: Ins) -> Pc {
        self.code.ops.push(ins);
        self.pc() - 1
    }

    /// What follows stands at this place.
    fn at(&mut self, span: Span) {
        if self.code.places.last().is_none_or(|last| last.1 != span) {
            self.code.places.push((self.pc(), span));
        }
    }

    /// A waiting function finds its parameters in slots.
    fn entry(&mut self) {
        if !self.function.waits {
            return;
        }
        let params = &self.function.params;
        for (slot, param) in (0u32..).zip(params) {
            let dst = self.local(param.reg);
            self.emit(Ins::FromSlot { dst, slot });
        }
        // A parameter's home may be another slot than the one it comes in.
        for (slot, param) in (0u32..).zip(params) {
            if self.slot(param.reg).is_some_and(|home| home != slot) {
                self.save(param.reg);
            }
        }
    }

    /// Writes a register that was just defined into its slot.
    fn save(&mut self, reg: Reg) {
        if let Some(slot) = self.slot(reg) {
            let src = self.local(reg);
            self.emit(Ins::ToSlot { slot, src });
        }
    }

    fn save_all(&mut self, regs: &[Reg]) {
        regs.iter().for_each(|reg| self.save(*reg));
    }

    fn blocks(&mut self) {
        loop {
            if let Some(next) = self.next.take() {
                self.block(next);
            } else if let Some(stub) = self.warm.pop().or_else(|| self.cold.pop()) {
                self.stub(stub);
            } else {
                break;
            }
        }
    }

    fn block(&mut self, id: BlockId) {
        let block: &'a Block = &self.function.blocks[id.index()];
        self.start[id.index()] = Some(self.pc());
        self.save_all(&block.params);
        for inst in &block.insts {
            self.at(inst.span);
            self.inst(inst);
            self.save_all(&inst.results);
        }
        self.at(block.term_span);
        self.terminator(id, block);
    }

    /// An edge out of line.
    fn stub(&mut self, stub: Stub<'a>) {
        let pc = self.pc();
        match stub.from {
            From::Error(at, both) => {
                self.code.errors.push((at, pc));
                both.into_iter().for_each(|reg| self.save(reg));
            }
            From::Case(table, case) => self.code.switches[table].cases[case].1 = pc,
            From::Default(table) => self.code.switches[table].default = pc,
            From::Branch(at) => match &mut self.code.ops[at as usize] {
                Ins::Unless { to, .. } => *to = pc,
                other => unreachable!("a branch was emitted there, not {other:?}"),
            },
            From::Wait(wait) => {
                self.code.waits[wait].err = pc;
                self.reload(wait, false, stub.target, &[]);
            }
        }
        self.go(stub.target);
    }

    /// Moves, then the target: it follows here, or is jumped to if it was laid out before.
    fn go(&mut self, target: &Target) {
        self.moves(target);
        match self.start[target.block.index()] {
            Some(to) => {
                self.emit(Ins::Jump { to });
            }
            None => self.next = Some(target.block),
        }
    }

    /// Moves arguments into the parameters of a block, as if all at once.
    fn moves(&mut self, target: &Target) {
        let params = &self.function.blocks[target.block.index()].params;
        let pairs = params
            .iter()
            .zip(&target.args)
            .map(|(to, from)| (self.local(*to), self.local(*from)));
        let pending: Vec<(Local, Local)> = pairs.filter(|(to, from)| to != from).collect();
        for (dst, src) in sequence(pending, self.spare) {
            self.emit(Ins::Copy { dst, src });
        }
    }

    fn terminator(&mut self, id: BlockId, block: &'a Block) {
        match &block.term {
            Terminator::Jump(target) => self.go(target),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => self.branch(*cond, then, otherwise),
            Terminator::Switch {
                value,
                cases,
                default,
            } => self.switch(*value, cases, default),
            Terminator::Return(regs) => {
                let list = self.list(&[regs]);
                self.emit(Ins::Return { list });
            }
            Terminator::Fail => {
                self.emit(Ins::Fail);
            }
            Terminator::Try {
                op,
                results,
                ok,
                err,
            } => {
                let ins = self.try_operation(op, results);
                let at = self.emit(ins);
                let both = self.is_inout(op).then(|| results[0]);
                self.cold.push(Stub {
                    from: From::Error(at, both),
                    target: err,
                });
                self.save_all(results);
                self.go(ok);
            }
            Terminator::Wait {
                op,
                results,
                ok,
                err,
            } => self.wait(id, op, results, ok, err),
            Terminator::None | Terminator::Unreachable => {
                self.emit(Ins::Unreachable);
            }
        }
    }

    fn branch(&mut self, cond: Reg, then: &'a Target, otherwise: &'a Target) {
        let cond = self.local(cond);
        let at = self.emit(Ins::Unless { cond, to: 0 });
        self.warm.push(Stub {
            from: From::Branch(at),
            target: otherwise,
        });
        self.go(then);
    }

    fn switch(&mut self, value: Reg, cases: &'a [(i64, Target)], default: &'a Target) {
        let (value, table) = (self.local(value), self.code.switches.len());
        let rows = cases.iter().map(|(case, _)| (*case, 0)).collect();
        self.code.switches.push(Switch {
            cases: rows,
            default: 0,
        });
        self.emit(Ins::Switch {
            value,
            table: table as u32,
        });
        self.warm.push(Stub {
            from: From::Default(table),
            target: default,
        });
        for (case, (_, target)) in cases.iter().enumerate() {
            self.warm.push(Stub {
                from: From::Case(table, case),
                target,
            });
        }
    }

    /// Whether the first result is defined on the error edge too.
    fn is_inout(&self, op: &TryOp) -> bool {
        match op {
            TryOp::ListSet(..) => true,
            TryOp::Host(id, _) => self.env.natives[id.index()].inout,
            _ => false,
        }
    }

    fn wait(&mut self, id: BlockId, op: &WaitOp, results: &[Reg], ok: &'a Target, err: &'a Target) {
        let points = self.function.frame.iter().flat_map(|frame| &frame.waits);
        let number = points
            .map(|point| point.block)
            .position(|block| block == id);
        let number = number.expect("the frames pass lists each block that ends with a wait");
        let at = self.emit(Ins::Wait {
            wait: number as u32,
        });
        self.code.waits[number] = Wait {
            op: Some(op.clone()),
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
    fn reload(&mut self, number: usize, is_ok: bool, target: &Target, results: &[Reg]) {
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

/// Orders moves that happen at once, so that none overwrites what another still reads; a cycle goes through `spare`.
fn sequence(mut pending: Vec<(Local, Local)>, spare: Local) -> Vec<(Local, Local)> {
    let mut out = Vec::with_capacity(pending.len());
    while !pending.is_empty() {
        let free = pending
            .iter()
            .position(|(to, _)| !pending.iter().any(|(_, from)| from == to));
        if let Some(at) = free {
            out.push(pending.swap_remove(at));
            continue;
        }
        let (_, from) = pending[0];
        out.push((spare, from));
        pending
            .iter_mut()
            .filter(|pair| pair.1 == from)
            .for_each(|pair| pair.1 = spare);
    }
    out
}
