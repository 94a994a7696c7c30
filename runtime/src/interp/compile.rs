//! From IR to the interpreter's code: blocks in one line, block parameters as moves, landings that reload slots.

mod branches;
mod calls;
mod select;
mod uses;

use super::code::{Code, Ins, Local, Param, Pc, Wait};
use crate::link::LinkedNative;
use scn_compiler::Span;
use scn_compiler::ir::{Block, BlockId, Function, NativeRef, Reg, Target, Terminator, TryOp, Ty};
use uses::Uses;

/// What a function refers to.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The bits of the constant objects.
    pub(crate) consts: &'a [u64],
    /// Host functions as the program knows them.
    pub(crate) refs: &'a [NativeRef],
    /// The same, linked.
    pub(crate) natives: &'a [LinkedNative],
    /// All functions.
    pub(crate) functions: &'a [Function],
}

/// Compiles a function.
pub(crate) fn compile(function: &Function, env: Env<'_>) -> Code {
    let mut compiler = Compiler::new(function, env);
    compiler.entry();
    compiler.blocks();
    compiler.code.errors.sort_unstable();
    branches::measure(&mut compiler.code.ops);
    compiler.code
}

struct Compiler<'a> {
    function: &'a Function,
    env: Env<'a>,
    uses: Uses,
    code: Code,
    /// Where the block begins that is being laid out.
    begun: Pc,
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
        let slots = frame.map(|frame| &frame.slot[..]).unwrap_or_default();
        let has_slot = |reg: Reg| slots.get(reg.index()).is_some_and(Option::is_some);
        let uses = Uses::of(function, env.consts, has_slot);
        let points = frame.map_or(0, |frame| frame.waits.len());
        code.waits.resize_with(points, Wait::default);
        Compiler {
            function,
            env,
            uses,
            code,
            begun: 0,
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
        self.begun = self.pc();
        self.start[id.index()] = Some(self.begun);
        self.save_all(&block.params);
        let condition = self.uses.condition(block);
        for inst in &block.insts {
            if condition.is_some_and(|condition| std::ptr::eq(condition, inst)) {
                continue;
            }
            self.at(inst.span);
            self.inst(inst);
            self.save_all(&inst.results);
        }
        self.at(block.term_span);
        if let (
            Some(inst),
            Terminator::Branch {
                then, otherwise, ..
            },
        ) = (condition, &block.term)
        {
            let ins = self.comparing(&inst.op);
            self.branch(ins, then, otherwise);
        } else {
            self.terminator(id, block);
        }
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
            From::Branch(at) => branches::lead(&mut self.code.ops[at as usize], pc),
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
            Some(to) => self.go_back(to),
            None => self.next = Some(target.block),
        }
    }

    /// Moves arguments into the parameters of a block, as if all at once.
    fn moves(&mut self, target: &Target) {
        let params = &self.function.blocks[target.block.index()].params;
        let pairs = || params.iter().zip(&target.args);
        let moved = pairs()
            .filter(|(_, from)| self.uses.constant(**from).is_none())
            .map(|(to, from)| (self.local(*to), self.local(*from)));
        let pending: Vec<(Local, Local)> = moved.filter(|(to, from)| to != from).collect();
        for (dst, src) in sequence(pending, self.spare) {
            self.emit(Ins::Copy { dst, src });
        }
        // What is constant is read from no local, so nothing that was moved is in its way.
        for (to, from) in pairs() {
            if let Some(bits) = self.uses.constant(*from) {
                let dst = self.local(*to);
                self.emit(Ins::Bits { dst, bits });
            }
        }
    }

    fn terminator(&mut self, id: BlockId, block: &'a Block) {
        match &block.term {
            Terminator::Jump(target) => self.go(target),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                let cond = self.local(*cond);
                self.branch(Ins::Unless { cond, to: 0 }, then, otherwise);
            }
            Terminator::Switch {
                value,
                cases,
                default,
            } => self.switch(*value, cases, default),
            Terminator::Return(regs) if regs.len() == 1 => {
                let src = self.local(regs[0]);
                self.emit(Ins::ReturnOne { src });
            }
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

    /// Whether the first result is defined on the error edge too.
    fn is_inout(&self, op: &TryOp) -> bool {
        match op {
            TryOp::ListSet(..) => true,
            TryOp::Host(id, _) => self.env.refs[id.index()].inout,
            _ => false,
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
