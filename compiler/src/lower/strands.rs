//! `parallel`, `race`, `parallel for`: each branch becomes a function that runs as a strand.
//! It gets copies of the locals it reads and hands its result back in registers or memory form.

use super::free::Free;
use super::function::{Fallible, Lower, Returns, Value};
use super::types::Repr;
use crate::hir::{Binding, Block, Branch, Expr, LocalId, Type, TypeId};
use crate::ir::{Desc, FuncId, Op, Reg, SlotKind, SlotType, Terminator, Ty, WaitOp};
use scn_grammar::Span;

const UNIT: SlotType = SlotType {
    kind: SlotKind::Unit,
    optional: false,
};

impl<'h> Lower<'_, 'h> {
    /// The registers of captured locals, as arguments.
    fn capture(&mut self, captures: &[LocalId]) -> Vec<Reg> {
        captures
            .iter()
            .flat_map(|local| self.read_local(*local).regs())
            .collect()
    }

    /// Makes the function of a branch; `body` fills it and ends it.
    fn branch(
        &mut self,
        kind: &str,
        span: Span,
        returns: Returns,
        captures: &[LocalId],
        body: impl FnOnce(&mut Lower<'_, 'h>),
    ) -> FuncId {
        let name = format!("{} {kind}", self.f.name);
        let id = self.t.reserve(name, span);
        self.t.strands.push(id);
        let mut inner = Lower::new(&mut *self.t, self.f, returns, span);
        // `parallel for` hands the element over first: its parameter is made by the body.
        if kind != "parallel for" {
            inner.param_locals(captures);
        }
        body(&mut inner);
        inner.finish(id);
        id
    }

    fn param_locals(&mut self, captures: &[LocalId]) {
        for local in captures {
            self.param_local(*local);
        }
    }

    pub(super) fn parallel(&mut self, branches: &'h [Branch]) {
        let mut calls = Vec::new();
        let mut slots = Vec::new();
        for branch in branches {
            let captures = Free::of_block(&branch.body, None);
            let args = self.capture(&captures);
            slots.push(self.lets_slot(&branch.lets));
            let func = self.parallel_branch(branch, &captures);
            calls.push((func, args));
        }
        let desc = self.t.intern_desc(Desc::Tuple(slots));
        let results = self.fallible(Fallible::Wait(WaitOp::Parallel(desc, calls)), &[Ty::Ptr]);
        for (at, branch) in branches.iter().enumerate() {
            self.unpack_lets(results[0], at as u32, &branch.lets);
        }
    }

    fn parallel_branch(&mut self, branch: &'h Branch, captures: &[LocalId]) -> FuncId {
        let returns = match branch.lets[..] {
            [] => Returns::Nothing,
            [local] => Returns::Memory(self.local_type(local)),
            _ => Returns::Pointer,
        };
        let desc = self.lets_tuple(&branch.lets);
        self.branch("parallel", branch.body.span, returns, captures, |inner| {
            inner.block(&branch.body);
            match branch.lets[..] {
                [] => inner.return_value(Value::Unit, None),
                [local] => {
                    let value = inner.read_local(local);
                    inner.return_value(value, Some(inner.local_type(local)));
                }
                _ => {
                    let slots = branch
                        .lets
                        .iter()
                        .map(|local| inner.local_memory(*local))
                        .collect();
                    let tuple = inner.b.emit1(Op::New(desc, slots), Ty::Ptr);
                    inner
                        .b
                        .terminate(Terminator::Return(smallvec::smallvec![tuple]));
                }
            }
        })
    }

    fn local_memory(&mut self, local: LocalId) -> Reg {
        let value = self.read_local(local);
        self.pack(value, self.local_type(local))
    }

    fn lets_tuple(&mut self, lets: &[LocalId]) -> crate::ir::DescId {
        let slots = lets
            .iter()
            .map(|local| self.t.slot(self.f.locals[local.index()].ty))
            .collect();
        self.t.intern_desc(Desc::Tuple(slots))
    }

    fn lets_slot(&mut self, lets: &[LocalId]) -> SlotType {
        match lets {
            [] => UNIT,
            [local] => self.t.slot(self.f.locals[local.index()].ty),
            _ => SlotType {
                kind: SlotKind::Object(self.lets_tuple(lets)),
                optional: false,
            },
        }
    }

    /// What a branch declared becomes visible behind the `parallel`.
    fn unpack_lets(&mut self, results: Reg, at: u32, lets: &[LocalId]) {
        let (tuple, first) = match lets {
            [] => return,
            [_] => (results, at),
            _ => (self.b.emit1(Op::Load(results, at), Ty::Ptr), 0),
        };
        for (i, local) in lets.iter().enumerate() {
            let value = self.load_slot(tuple, first + i as u32, self.local_type(*local));
            self.write_local(*local, value);
            self.declare(*local);
        }
    }

    pub(super) fn race(&mut self, branches: &'h [Branch], ty: TypeId) -> Value {
        let mut calls = Vec::new();
        for branch in branches {
            let captures = Free::of_block(&branch.body, None);
            let args = self.capture(&captures);
            let func = self.branch(
                "race",
                branch.body.span,
                Returns::Registers(ty),
                &captures,
                |inner| {
                    let value = inner.block_as(&branch.body, ty);
                    inner.return_value(value, Some(ty));
                },
            );
            calls.push((func, args));
        }
        let classes = self.t.repr(ty).classes();
        Value::of(&self.fallible(Fallible::Wait(WaitOp::Race(calls)), classes))
    }

    pub(super) fn parallel_for(
        &mut self,
        pattern: &'h Binding,
        iterable: &'h Expr,
        max: Option<&'h Expr>,
        body: &'h Block,
        ty: TypeId,
    ) -> Value {
        let (list, element) = self.as_list(iterable);
        let max = match max {
            Some(max) => self.expr_reg(max),
            None => self.b.int(0),
        };
        let result = match *self.t.ty(ty) {
            Type::List(result) => Some(result),
            _ => None,
        };
        let captures = Free::of_block(body, Some(pattern));
        let args = self.capture(&captures);
        let func = self.for_branch(pattern, element, body, result, &captures);
        let slot = result.map_or(UNIT, |result| self.t.slot(result));
        let desc = self.t.intern_desc(Desc::List(slot));
        let op = WaitOp::ForEach {
            result: desc,
            list,
            func,
            captures: args,
            max,
        };
        let results = self.fallible(Fallible::Wait(op), &[Ty::Ptr]);
        if self.t.repr(ty) == Repr::Unit {
            Value::Unit
        } else {
            Value::One(results[0])
        }
    }

    fn for_branch(
        &mut self,
        pattern: &'h Binding,
        element: TypeId,
        body: &'h Block,
        result: Option<TypeId>,
        captures: &[LocalId],
    ) -> FuncId {
        let returns = result.map_or(Returns::Nothing, Returns::Memory);
        self.branch("parallel for", body.span, returns, captures, |inner| {
            let reg = inner.param(inner.t.repr(element).slot_class());
            inner.param_locals(captures);
            let depth = inner.scopes.len();
            inner.push_scope(super::scopes::ScopeKind::Block(Vec::new()));
            let value = inner.unpack(reg, element);
            inner.bind(pattern, value, element);
            let value = inner.block(body);
            inner.pop_to(depth);
            inner.return_value(value, body.value.as_ref().map(|value| value.ty));
        })
    }
}
