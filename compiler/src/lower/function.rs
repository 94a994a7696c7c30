//! The state of lowering one function, and the few moves that everything else is made of:
//! values in registers and in memory, locals, instructions that can fail, calls of intrinsics.

use super::builder::{Builder, Var, target};
use super::scopes::Scope;
use super::tables::Tables;
use super::types::Repr;
use crate::hir::{self, Hir, LocalId, TypeId};
use crate::ir::{BlockId, FuncId, Op, Reg, Scalar, Terminator, TryOp, Ty, WaitOp};
use scn_grammar::Span;
use smallvec::SmallVec;
use std::collections::HashMap;

/// A value in registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Unit,
    /// A scalar or pointer.
    One(Reg),
    /// An optional scalar: flag and payload.
    Opt(Reg, Reg),
}

impl Value {
    /// Its registers.
    pub fn regs(self) -> SmallVec<[Reg; 2]> {
        match self {
            Value::Unit => SmallVec::new(),
            Value::One(r) => SmallVec::from_slice(&[r]),
            Value::Opt(f, p) => SmallVec::from_slice(&[f, p]),
        }
    }

    /// A value of these registers.
    pub fn of(regs: &[Reg]) -> Value {
        match regs {
            [] => Value::Unit,
            [r] => Value::One(*r),
            [f, p, ..] => Value::Opt(*f, *p),
        }
    }
}

/// What `return` hands back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Returns {
    /// Registers of this type.
    Registers(TypeId),
    /// Memory form of this type in one register.
    Memory(TypeId),
    /// One pointer, made by lowering itself.
    Pointer,
    /// Nothing: strands whose value nobody asks for.
    Nothing,
}

/// Something that ends a block because it can fail.
pub(crate) enum Fallible {
    /// Without waiting.
    Try(TryOp),
    /// With waiting.
    Wait(WaitOp),
}

impl Fallible {
    fn terminator(self, results: SmallVec<[Reg; 2]>, ok: BlockId, err: BlockId) -> Terminator {
        let (ok, err) = (target(ok), target(err));
        match self {
            Fallible::Try(op) => Terminator::Try {
                op,
                results,
                ok,
                err,
            },
            Fallible::Wait(op) => Terminator::Wait {
                op,
                results,
                ok,
                err,
            },
        }
    }

    /// Whether it calls a script function, whose place belongs into traces.
    fn is_script_call(&self) -> bool {
        matches!(
            self,
            Fallible::Try(TryOp::Call(..)) | Fallible::Wait(WaitOp::Call(..))
        )
    }
}

/// Lowering of one function.
pub(crate) struct Lower<'t, 'h> {
    pub t: &'t mut Tables<'h>,
    pub hir: &'h Hir,
    /// The function whose locals the body names.
    pub f: &'h hir::Function,
    pub b: Builder,
    pub scopes: Vec<Scope<'h>>,
    pub returns: Returns,
    /// Parameter registers so far.
    pub params: Vec<Reg>,
    locals: HashMap<LocalId, SmallVec<[Var; 2]>>,
}

impl<'t, 'h> Lower<'t, 'h> {
    /// Starts a function.
    pub fn new(t: &'t mut Tables<'h>, f: &'h hir::Function, returns: Returns, span: Span) -> Self {
        let hir = t.hir;
        Lower {
            t,
            hir,
            f,
            b: Builder::new(span),
            scopes: Vec::new(),
            returns,
            params: Vec::new(),
            locals: HashMap::new(),
        }
    }

    /// Completes the function under its id.
    pub fn finish(self, id: FuncId) {
        let results: SmallVec<[Ty; 2]> = match self.returns {
            Returns::Registers(ty) => self.t.repr(ty).classes().iter().copied().collect(),
            Returns::Memory(ty) if self.t.repr(ty) == Repr::Unit => SmallVec::new(),
            Returns::Memory(ty) => SmallVec::from_slice(&[self.t.repr(ty).slot_class()]),
            Returns::Pointer => SmallVec::from_slice(&[Ty::Ptr]),
            Returns::Nothing => SmallVec::new(),
        };
        let function = &mut self.t.program.functions[id.index()];
        function.params = self
            .params
            .iter()
            .map(|reg| crate::ir::Param {
                reg: *reg,
                own: false,
            })
            .collect();
        function.results = results;
        self.b.finish(function);
    }

    /// A parameter register.
    pub fn param(&mut self, ty: Ty) -> Reg {
        let reg = self.b.reg(ty);
        self.params.push(reg);
        reg
    }

    /// A parameter that arrives as registers and becomes a local.
    pub fn param_local(&mut self, local: LocalId) {
        let ty = self.local_type(local);
        let regs: SmallVec<[Reg; 2]> = self
            .t
            .repr(ty)
            .classes()
            .iter()
            .map(|c| self.param(*c))
            .collect();
        self.write_local(local, Value::of(&regs));
    }

    /// A parameter that arrives in memory form and becomes a local.
    pub fn param_packed(&mut self, local: LocalId) {
        let ty = self.local_type(local);
        let reg = self.param(self.t.repr(ty).slot_class());
        let value = self.unpack(reg, ty);
        self.write_local(local, value);
    }

    /// The type of a local.
    pub fn local_type(&self, local: LocalId) -> TypeId {
        self.f.locals[local.index()].ty
    }

    /// Variables for a value of a type.
    pub fn new_vars(&mut self, ty: TypeId) -> SmallVec<[Var; 2]> {
        self.t
            .repr(ty)
            .classes()
            .iter()
            .map(|class| self.b.var(*class))
            .collect()
    }

    /// Writes a value of the variables' type.
    pub fn write_vars(&mut self, vars: &[Var], value: Value) {
        for (var, reg) in vars.iter().zip(value.regs()) {
            self.b.write(*var, reg);
        }
    }

    /// Reads a value.
    pub fn read_vars(&mut self, vars: &[Var]) -> Value {
        let regs: SmallVec<[Reg; 2]> = vars.iter().map(|var| self.b.read(*var)).collect();
        Value::of(&regs)
    }

    fn local_vars(&mut self, local: LocalId) -> SmallVec<[Var; 2]> {
        if let Some(vars) = self.locals.get(&local) {
            return vars.clone();
        }
        let vars = self.new_vars(self.local_type(local));
        self.locals.insert(local, vars.clone());
        vars
    }

    /// Gives a local a value.
    pub fn write_local(&mut self, local: LocalId, value: Value) {
        let vars = self.local_vars(local);
        self.write_vars(&vars, value);
    }

    /// The value of a local.
    pub fn read_local(&mut self, local: LocalId) -> Value {
        let vars = self.local_vars(local);
        self.read_vars(&vars)
    }

    /// The single register of a value; in dead code, where there may be none, any.
    pub fn reg(&mut self, value: Value) -> Reg {
        match value {
            Value::One(r) | Value::Opt(r, _) => r,
            Value::Unit => self.b.int(0),
        }
    }

    /// The null pointer.
    pub fn null(&mut self) -> Reg {
        self.b.emit1(Op::Null, Ty::Ptr)
    }

    /// A constant string.
    pub fn text(&mut self, text: &str) -> Reg {
        let id = self.t.string(text);
        self.b.emit1(Op::Const(id), Ty::Ptr)
    }

    /// The memory form of a value, in one register.
    pub fn pack(&mut self, value: Value, ty: TypeId) -> Reg {
        match value {
            Value::Opt(flag, payload) => {
                let desc = self.t.desc(ty);
                self.b.emit1(Op::OptBox(desc, flag, payload), Ty::Ptr)
            }
            other => self.reg(other),
        }
    }

    /// The value whose memory form is in a register.
    pub fn unpack(&mut self, reg: Reg, ty: TypeId) -> Value {
        match self.t.repr(ty) {
            Repr::Unit => Value::Unit,
            Repr::Scalar(_) | Repr::Ptr => Value::One(reg),
            Repr::OptScalar(s) => {
                let flag = self.b.emit1(Op::OptFlag(reg), Ty::Int);
                let payload = self.b.emit1(Op::OptPayload(reg), super::types::class(s));
                Value::Opt(flag, payload)
            }
        }
    }

    /// `none` of a type.
    pub fn none(&mut self, ty: TypeId) -> Value {
        match self.t.repr(ty) {
            Repr::Unit => Value::Unit,
            Repr::Scalar(s) => Value::One(self.zero(s)),
            Repr::OptScalar(s) => {
                let flag = self.b.int(0);
                Value::Opt(flag, self.zero(s))
            }
            Repr::Ptr => Value::One(self.null()),
        }
    }

    fn zero(&mut self, scalar: Scalar) -> Reg {
        match super::types::class(scalar) {
            Ty::Float => self.b.emit1(Op::Float(0), Ty::Float),
            _ => self.b.int(0),
        }
    }

    /// A value of one type as one of another that it converts to without work beyond making it optional.
    pub fn coerce(&mut self, value: Value, from: TypeId, to: TypeId) -> Value {
        match (self.t.repr(from), self.t.repr(to)) {
            (_, Repr::Unit) => Value::Unit,
            (Repr::Unit, _) => self.none(to),
            (Repr::Scalar(_), Repr::OptScalar(_)) => {
                let reg = self.reg(value);
                Value::Opt(self.b.int(1), reg)
            }
            _ => value,
        }
    }

    /// Ends the block with something that can fail and goes on where it did not.
    pub fn fallible(&mut self, op: Fallible, results: &[Ty]) -> SmallVec<[Reg; 2]> {
        self.fallible_or(op, results, |_, _| {})
    }

    /// The same; `on_error` runs first on the error edge, with the results.
    pub fn fallible_or(
        &mut self,
        op: Fallible,
        results: &[Ty],
        on_error: impl FnOnce(&mut Self, &[Reg]),
    ) -> SmallVec<[Reg; 2]> {
        let results: SmallVec<[Reg; 2]> = results.iter().map(|ty| self.b.reg(*ty)).collect();
        let (ok, err) = (self.b.block(), self.b.cold_block());
        let trace = op.is_script_call();
        self.b.terminate(op.terminator(results.clone(), ok, err));
        self.b.enter(err);
        if trace {
            self.b.emit0(Op::ErrTrace);
        }
        on_error(self, &results);
        self.error_exit();
        self.b.enter(ok);
        results
    }

    /// The same for an operation that does not wait and has one result.
    pub fn try1(&mut self, op: TryOp, ty: Ty) -> Reg {
        self.fallible(Fallible::Try(op), &[ty])[0]
    }

    /// Tests whether something wants attention; on back edges and in recursive functions.
    pub fn poke(&mut self) {
        if self.t.is_unchecked {
            return;
        }
        self.fallible(Fallible::Try(TryOp::Poke), &[]);
    }

    /// Calls a host function of the runtime.
    pub fn rt(&mut self, name: &str, args: &[Reg]) -> Value {
        let (native, row) = self.t.intrinsic(name);
        let regs = match (row.3, row.4) {
            (true, _) => self.fallible(Fallible::Wait(WaitOp::Host(native, args.to_vec())), row.2),
            (false, true) => {
                self.fallible(Fallible::Try(TryOp::Host(native, args.to_vec())), row.2)
            }
            (false, false) => self.b.emit(Op::Host(native, args.to_vec()), row.2),
        };
        Value::of(&regs)
    }

    /// Calls a host function of the runtime that has a result.
    pub fn rt1(&mut self, name: &str, args: &[Reg]) -> Reg {
        let value = self.rt(name, args);
        self.reg(value)
    }
}
