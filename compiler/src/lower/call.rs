//! Calls of functions and of host functions, with the argument forms of the host-call ABI.

use super::function::{Fallible, Lower, Value};
use super::text::template;
use super::types::Repr;
use crate::hir::{Expr, FuncId, Native, NativeId, Place, Type, TypeId};
use crate::ir::{NativeParam, NativeRef, Op, Reg, SiteKind, TryOp, Ty, WaitOp};
use smallvec::SmallVec;

/// A host function instantiated for a call: how its result comes back.
struct Instance {
    id: crate::ir::NativeId,
    waits: bool,
    fails: bool,
    /// Result classes, without an inout receiver.
    results: SmallVec<[Ty; 2]>,
    /// Whether a single result register is memory form.
    memory: bool,
}

impl<'h> Lower<'_, 'h> {
    /// A call of a script function. All start as fallible; a pass finds those that cannot fail and those that wait.
    pub(super) fn call(&mut self, func: FuncId, args: &'h [Expr], ty: TypeId) -> Value {
        let callee = &self.hir.functions[func.index()];
        let mut regs = Vec::new();
        let values = self.arguments(args);
        for ((value, arg), param) in values.into_iter().zip(args).zip(&callee.params) {
            let value = self.coerce(value, arg.ty, callee.locals[param.index()].ty);
            regs.extend(value.regs());
        }
        let results = self.t.repr(callee.result).classes();
        let results = self.fallible(Fallible::Try(TryOp::Call(self.t.func(func), regs)), results);
        self.coerce(Value::of(&results), callee.result, ty)
    }

    pub(super) fn call_native(&mut self, id: NativeId, args: &'h [Expr], ty: TypeId) -> Value {
        let native = &self.hir.natives[id.index()];
        if let Some(body) = native.body {
            return self.call(body, args, ty);
        }
        if native.name == "string"
            && native.params.len() == 1
            && self.is_generic(native.params[0].ty)
        {
            // The host function could not tell an int from a float: memory form carries no type.
            return self.show(&args[0]);
        }
        let values = self.arguments(args);
        self.call_native_values(id, &values, args, ty)
    }

    /// Values of arguments, which are in the order of parameters, evaluated in the order in which they are written.
    /// Defaults are constants: it does not matter when they are evaluated.
    fn arguments(&mut self, args: &'h [Expr]) -> Vec<Value> {
        let mut order: Vec<usize> = (0..args.len()).collect();
        order.sort_by_key(|at| args[*at].span.start);
        let mut values: Vec<Option<Value>> = vec![None; args.len()];
        for at in order {
            values[at] = Some(self.expr(&args[at]));
        }
        values.into_iter().flatten().collect()
    }

    /// The same with the arguments already evaluated.
    pub fn call_native_values(
        &mut self,
        id: NativeId,
        values: &[Value],
        args: &'h [Expr],
        ty: TypeId,
    ) -> Value {
        let native = &self.hir.natives[id.index()];
        let mut regs = Vec::new();
        let types: Vec<TypeId> = args.iter().map(|arg| arg.ty).collect();
        for ((value, ty), param) in values.iter().zip(&types).zip(&native.params) {
            self.native_arg(*value, *ty, param.ty, &mut regs);
        }
        let instance = self.instance(native, &types, ty);
        self.name_site(native, args);
        if native.typed {
            regs.insert(0, self.type_argument(ty));
        }
        let results = if instance.waits {
            self.fallible(
                Fallible::Wait(WaitOp::Host(instance.id, regs)),
                &instance.results,
            )
        } else if instance.fails {
            self.fallible(
                Fallible::Try(TryOp::Host(instance.id, regs)),
                &instance.results,
            )
        } else {
            self.b.emit(Op::Host(instance.id, regs), &instance.results)
        };
        let value = self.native_result(&instance, &results, ty);
        if matches!(self.t.ty(ty), Type::Record(_)) && self.t.is_secret(ty) {
            // Such as a row of a data set, which was read before there were users.
            self.register_secrets(value, ty);
        }
        if matches!(self.t.ty(ty), Type::Never) {
            self.b.terminate(crate::ir::Terminator::Unreachable);
        }
        value
    }

    /// A call that changes its receiver: the place is taken out, handed over, and put back on both edges.
    pub(super) fn call_var(
        &mut self,
        id: NativeId,
        place: &'h Place,
        args: &'h [Expr],
        ty: TypeId,
    ) -> Value {
        let native = &self.hir.natives[id.index()];
        let keys = self.place_keys(place);
        let mut types = vec![place.ty];
        types.extend(args.iter().map(|arg| arg.ty));
        let mut rest = Vec::new();
        for (arg, param) in args.iter().zip(native.params.iter().skip(1)) {
            let value = self.expr(arg);
            self.native_arg(value, arg.ty, param.ty, &mut rest);
        }
        let instance = self.instance(native, &types, ty);
        let (receiver, taken) = self.take_out(place, &keys);
        let mut regs = Vec::new();
        if native.typed {
            regs.push(self.type_argument(ty));
        }
        regs.push(receiver);
        regs.extend(rest);
        let mut classes = vec![Ty::Ptr];
        classes.extend(instance.results.iter());
        let results = if instance.waits || instance.fails {
            let op = match instance.waits {
                true => Fallible::Wait(WaitOp::Host(instance.id, regs)),
                false => Fallible::Try(TryOp::Host(instance.id, regs)),
            };
            self.fallible_or(op, &classes, |lower, results| {
                lower.put_back(place, &taken, results[0])
            })
        } else {
            self.b.emit(Op::Host(instance.id, regs), &classes)
        };
        self.put_back(place, &taken, results[0]);
        self.native_result(&instance, &results[1..], ty)
    }

    /// The hidden first argument of a `typed` declaration: the descriptor of its result.
    fn type_argument(&mut self, ty: TypeId) -> Reg {
        let desc = self.t.desc(ty);
        self.b.int(i64::from(desc.0))
    }

    fn native_arg(&mut self, value: Value, ty: TypeId, declared: TypeId, regs: &mut Vec<Reg>) {
        if self.is_generic(declared) {
            regs.push(self.pack(value, ty));
        } else {
            let value = self.coerce(value, ty, declared);
            regs.extend(value.regs());
        }
    }

    /// Whether a declared type is a type parameter, optional or not: then it travels in memory form.
    fn is_generic(&self, declared: TypeId) -> bool {
        matches!(self.t.ty(self.t.unwrap_optional(declared)), Type::Param(_))
    }

    fn instance(&mut self, native: &'h Native, args: &[TypeId], ty: TypeId) -> Instance {
        let (results, memory) = self.result_classes(native, args, ty);
        let mut params = Vec::new();
        if native.typed {
            params.push(NativeParam {
                ty: Ty::Int,
                own: false,
            });
        }
        for (param, arg) in native.params.iter().zip(args) {
            let own = param.own || param.var;
            match self.is_generic(param.ty) {
                true => params.push(NativeParam {
                    ty: self.t.repr(*arg).slot_class(),
                    own,
                }),
                false => params.extend(
                    self.t
                        .repr(param.ty)
                        .classes()
                        .iter()
                        .map(|ty| NativeParam { ty: *ty, own }),
                ),
            }
        }
        let id = self.t.native(NativeRef {
            name: native.name.clone(),
            params,
            results: results.clone(),
            waits: native.waits,
            fails: native.fails,
            inout: native.params.first().is_some_and(|param| param.var),
            typed: native.typed,
        });
        Instance {
            id,
            waits: native.waits,
            fails: native.fails,
            results,
            memory,
        }
    }

    /// Result classes, and whether the one register is memory form.
    fn result_classes(
        &mut self,
        native: &Native,
        args: &[TypeId],
        ty: TypeId,
    ) -> (SmallVec<[Ty; 2]>, bool) {
        if !self.is_generic(native.result) {
            return (
                self.t
                    .repr(native.result)
                    .classes()
                    .iter()
                    .copied()
                    .collect(),
                false,
            );
        }
        let element = self.bound_param(native, args).unwrap_or_else(|| {
            match self.t.is_optional(native.result) {
                true => self.t.unwrap_optional(ty),
                false => ty,
            }
        });
        let repr = self.t.repr(element);
        match repr {
            Repr::Scalar(_) if self.t.is_optional(native.result) => {
                (SmallVec::from_slice(&[Ty::Int, repr.slot_class()]), false)
            }
            Repr::Unit => (SmallVec::new(), false),
            _ => (SmallVec::from_slice(&[repr.slot_class()]), true),
        }
    }

    /// What the type parameter of the result stands for, read off the arguments.
    fn bound_param(&self, native: &Native, args: &[TypeId]) -> Option<TypeId> {
        let Type::Param(name) = self.t.ty(self.t.unwrap_optional(native.result)) else {
            return None;
        };
        native
            .params
            .iter()
            .zip(args)
            .find_map(|(param, arg)| self.bind_param(param.ty, *arg, name))
    }

    fn bind_param(&self, declared: TypeId, actual: TypeId, name: &str) -> Option<TypeId> {
        match (self.t.ty(declared), self.t.ty(actual)) {
            (Type::Param(param), _) if param == name => Some(self.t.strip(actual)),
            (Type::Optional(d), Type::Optional(a)) => self.bind_param(*d, *a, name),
            (Type::Optional(d), _) => self.bind_param(*d, actual, name),
            (Type::List(d), Type::List(a))
            | (Type::Range(d), Type::Range(a))
            | (Type::Data(d), Type::Data(a)) => self.bind_param(*d, *a, name),
            (Type::Metric(_, d), Type::Metric(_, a)) => self.bind_param(*d, *a, name),
            (Type::Map(dk, dv), Type::Map(ak, av)) => self
                .bind_param(*dk, *ak, name)
                .or_else(|| self.bind_param(*dv, *av, name)),
            _ => None,
        }
    }

    fn native_result(&mut self, instance: &Instance, results: &[Reg], ty: TypeId) -> Value {
        match results {
            [reg] if instance.memory => self.unpack(*reg, ty),
            _ => Value::of(results),
        }
    }

    /// Requests are named by the template of their URL.
    fn name_site(&mut self, native: &Native, args: &'h [Expr]) {
        if !native.waits {
            return;
        }
        let url = native.params.iter().position(|param| param.name == "url");
        let Some(arg) = url.and_then(|at| args.get(at)) else {
            return;
        };
        let site = self.t.site(SiteKind::Call, template(arg), self.b.span);
        self.b.emit0(Op::Site(site));
    }
}
