//! Calls: what is called, arguments converted, type parameters found.

use super::Checker;
use super::args::{Callee, Slot};
use super::expr::Want;
use super::names::PathBase;
use super::units::{UnitId, Value};
use crate::diagnostics::{calls, names, values};
use crate::hir::{Conversion, Expr, ExprKind, NativeId, NativeParam, Place, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Arg, Ident};
use std::collections::HashMap;

/// Type parameters found so far.
pub(super) type Found = HashMap<String, TypeId>;

/// The receiver of a method call.
pub(super) enum Receiver {
    /// A value.
    Value(Expr),
    /// A variable, or a part of one, that the call changes.
    Place(Place),
}

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        callee: &ast::Expr,
        args: &[Arg],
        span: Span,
        want: Want,
    ) -> Expr {
        match &*callee.kind {
            ast::ExprKind::Name(name) => self.call_name(name, args, span, want),
            ast::ExprKind::Field {
                base,
                name,
                optional,
            } => {
                if let ast::ExprKind::Name(module) = &*base.kind
                    && let Some(path) = self.path_base(module)
                {
                    return self.call_member(path, module, name, args, span, want);
                }
                self.call_method(base, name, *optional, args, span, want)
            }
            ast::ExprKind::Missing => self.give_up(args, span),
            _ => {
                self.value(callee);
                self.report(names::not_callable("this", callee.span, None));
                self.give_up(args, span)
            }
        }
    }

    /// Checks arguments for what is wrong inside of them.
    pub(super) fn give_up(&mut self, args: &[Arg], span: Span) -> Expr {
        for arg in args {
            self.expr(&arg.value, Want::Any);
        }
        self.unknown(span)
    }

    fn call_name(&mut self, name: &Ident, args: &[Arg], span: Span, want: Want) -> Expr {
        if name.text.is_empty() {
            return self.give_up(args, span);
        }
        if self.variable(name).is_some() {
            let what = format!("the variable `{}`", name.text);
            self.report(names::not_callable(&what, name.span, None));
            return self.give_up(args, span);
        }
        match self.units[self.f.unit].values.get(&name.text).copied() {
            Some(Value::Fn(at)) => return self.call_fn(at, &name.text, args, span),
            Some(Value::Native(item)) => {
                let native = self.native(self.f.unit, item);
                return self.call_native(native, None, args, span, name.span, want);
            }
            Some(Value::Const(_) | Value::Global(_)) => {
                let what = format!("`{}`", name.text);
                self.report(names::not_callable(&what, name.span, None));
                return self.give_up(args, span);
            }
            None => {}
        }
        if let Some((unit, item)) = self.prelude_function(&name.text) {
            let native = self.native(unit, item);
            return self.call_native(native, None, args, span, name.span, want);
        }
        self.report_uncallable(name);
        self.give_up(args, span)
    }

    fn report_uncallable(&mut self, name: &Ident) {
        let text = &name.text;
        if self.units[self.f.unit].types.contains_key(text) {
            let help = format!("values are written as literals: `let x: {text} = {{ ... }}`");
            return self.report(names::not_callable(
                &format!("the type `{text}`"),
                name.span,
                Some(help),
            ));
        }
        if self.path_base(name).is_some() {
            let help = format!("call one of its functions: `{text}.name(...)`");
            return self.report(names::not_callable(
                &format!("the module `{text}`"),
                name.span,
                Some(help),
            ));
        }
        let help = self.function_suggestion(text);
        self.report(names::unknown_name(text, name.span, help));
    }

    fn function_suggestion(&mut self, name: &str) -> Option<String> {
        if let Some(help) = self.name_suggestion(name) {
            return Some(help);
        }
        let prelude = self.module("prelude")?;
        let known = self.units[prelude].values.keys().map(String::as_str);
        crate::diagnostics::suggest::did_you_mean(name, known)
    }

    fn call_member(
        &mut self,
        path: PathBase,
        module: &Ident,
        name: &Ident,
        args: &[Arg],
        span: Span,
        want: Want,
    ) -> Expr {
        let unit = match path {
            PathBase::Import(unit) | PathBase::Module(unit) => unit,
            PathBase::Broken => return self.give_up(args, span),
            PathBase::Enum(id) => {
                let case = self.enum_case(id, name, span);
                if !self.is_unknown(case.ty) {
                    self.report(names::not_callable("an enum case", name.span, None));
                }
                return self.give_up(args, span);
            }
        };
        match self.units[unit].values.get(&name.text).copied() {
            Some(Value::Fn(at)) => {
                self.call_fn(at, &format!("{}.{}", module.text, name.text), args, span)
            }
            Some(Value::Native(item)) => {
                self.call_module_native(unit, item, module, name, args, span, want)
            }
            Some(_) => {
                let what = format!("`{}.{}`", module.text, name.text);
                self.report(names::not_callable(&what, name.span, None));
                self.give_up(args, span)
            }
            None => {
                self.no_member(unit, module, name);
                self.give_up(args, span)
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a call has this many parts")]
    fn call_module_native(
        &mut self,
        unit: UnitId,
        item: usize,
        module: &Ident,
        name: &Ident,
        args: &[Arg],
        span: Span,
        want: Want,
    ) -> Expr {
        let native = self.native(unit, item);
        if self.hir.natives[native.index()].property {
            self.report(names::is_property(&module.text, &name.text, name.span));
            return self.give_up(args, span);
        }
        self.call_native(native, None, args, span, name.span, want)
    }

    /// A call of a function with an scn body.
    pub(super) fn call_fn(&mut self, at: usize, name: &str, args: &[Arg], span: Span) -> Expr {
        self.fns[at].used = true;
        let signature = self.signature(at);
        let slots: Vec<_> = signature
            .params
            .iter()
            .map(|param| Slot {
                name: &param.name,
                ty: param.ty,
                optional: param.default.is_some(),
            })
            .collect();
        let callee = Callee {
            name,
            declared: self.fns[at].span,
            call: span,
        };
        let func = self.fns[at].func;
        self.waits.calls(self.f.id, func, span);
        let Some(found) = self.arrange(args, &slots, &callee) else {
            return Expr {
                ty: self.known_result(signature.result),
                ..self.unknown(span)
            };
        };
        let mut converted = Vec::with_capacity(found.len());
        for (param, arg) in signature.params.iter().zip(found) {
            converted.push(match (arg, &param.default) {
                (Some(arg), _) => self.argument(&arg.value, param.ty, param.wire),
                (None, Some(default)) => self.literal(default.clone(), param.ty, span.after()),
                (None, None) => unreachable!("missing arguments were reported"),
            });
        }
        self.node(
            ExprKind::Call {
                func,
                args: converted,
            },
            signature.result,
            span,
        )
    }

    /// The result type of a call that was reported: later uses may rely on it.
    fn known_result(&self, result: TypeId) -> TypeId {
        if self.is_generic(result) || result == self.basic.none {
            self.basic.unknown
        } else {
            result
        }
    }

    /// One argument of known type.
    fn argument(&mut self, value: &ast::Expr, ty: TypeId, wire: bool) -> Expr {
        let outer = std::mem::replace(&mut self.f.wire, wire);
        let value = self.typed(value, ty);
        self.f.wire = outer;
        value
    }

    /// A call of a library declaration.
    pub(super) fn call_native(
        &mut self,
        native: NativeId,
        receiver: Option<Receiver>,
        args: &[Arg],
        span: Span,
        name_span: Span,
        want: Want,
    ) -> Expr {
        let declared = self.hir.natives[native.index()].clone();
        if declared.waits {
            self.waits.waits(self.f.id, span);
        }
        let mut types = Found::new();
        let revealed = std::mem::replace(&mut self.f.revealed, false);
        let receiver =
            receiver.map(|receiver| self.receiver(receiver, &declared.params[0], &mut types));
        let skip = usize::from(receiver.is_some());
        let params = &declared.params[skip..];
        let slots: Vec<_> = params
            .iter()
            .map(|param| Slot {
                name: &param.name,
                ty: param.ty,
                optional: param.default.is_some(),
            })
            .collect();
        let callee = Callee {
            name: &declared.name,
            declared: declared.span,
            call: span,
        };
        let Some(found) = self.arrange(args, &slots, &callee) else {
            self.f.revealed = revealed;
            return Expr {
                ty: self.known_result(declared.result),
                ..self.unknown(span)
            };
        };
        let mut converted = Vec::with_capacity(found.len());
        for (param, arg) in params.iter().zip(found) {
            converted.push(match (arg, &param.default) {
                (Some(arg), _) => self.native_argument(arg, param, &mut types),
                (None, Some(default)) => {
                    let ty = self.substituted(param.ty, &types);
                    self.literal(default.clone(), ty, span.after())
                }
                (None, None) => unreachable!("missing arguments were reported"),
            });
        }
        let leaks = std::mem::replace(&mut self.f.revealed, revealed)
            && self.native_rules[native.index()].secret;
        self.check_bounds(native, &types, span);
        self.check_call_constants(&declared, params, &converted);
        let Some(result) = self.result_type(&declared, &mut types, want) else {
            return self.refused(calls::result_unknown(&declared.name, name_span));
        };
        let kind = match receiver {
            Some(Receiver::Place(place)) => ExprKind::CallVar {
                native,
                place,
                args: converted,
            },
            Some(Receiver::Value(value)) => {
                converted.insert(0, value);
                ExprKind::CallNative {
                    native,
                    args: converted,
                }
            }
            None => ExprKind::CallNative {
                native,
                args: converted,
            },
        };
        let call = self.node(kind, result, span);
        let call = self.folded_call(&declared.name, call);
        if leaks { self.kept_secret(call) } else { call }
    }

    /// A result that depends on a secret is one.
    fn kept_secret(&mut self, call: Expr) -> Expr {
        let ty = match self.inside(call.ty) {
            Some(inner) => {
                let inner = self.secret(inner);
                self.optional(inner)
            }
            None => self.secret(call.ty),
        };
        self.convert_node(call, Conversion::Secret, ty)
    }

    fn receiver(&mut self, receiver: Receiver, param: &NativeParam, types: &mut Found) -> Receiver {
        match receiver {
            Receiver::Place(place) => {
                self.unify(param.ty, place.ty, types);
                Receiver::Place(place)
            }
            Receiver::Value(value) => {
                let value = self.opened(value, param.wire);
                self.unify(param.ty, value.ty, types);
                Receiver::Value(value)
            }
        }
    }

    /// Takes a value out of `secret` where the declaration accepts secrets.
    fn opened(&mut self, value: Expr, wire: bool) -> Expr {
        match self.revealed(value.ty) {
            Some(inner) if wire => {
                self.f.revealed = true;
                self.convert_node(value, Conversion::Secret, inner)
            }
            _ => value,
        }
    }

    fn native_argument(&mut self, arg: &Arg, param: &NativeParam, types: &mut Found) -> Expr {
        let wanted = self.substituted(param.ty, types);
        if !self.is_generic(wanted) {
            return self.argument(&arg.value, wanted, param.wire);
        }
        let outer = std::mem::replace(&mut self.f.wire, param.wire);
        let value = self.value(&arg.value);
        self.f.wire = outer;
        let value = self.opened(value, param.wire);
        if !param.wire && self.holds_secret(value.ty) && matches!(self.ty(wanted), Type::Param(_)) {
            let declared = self.text(arg.value.span).to_owned();
            return self.refused(values::secret_argument(&declared, arg.value.span));
        }
        self.unify(wanted, value.ty, types);
        let wanted = self.substituted(wanted, types);
        self.coerce(value, wanted)
    }

    fn result_type(
        &mut self,
        declared: &crate::hir::Native,
        types: &mut Found,
        want: Want,
    ) -> Option<TypeId> {
        let result = self.substituted(declared.result, types);
        if !self.is_generic(result) {
            return Some(result);
        }
        let wanted = want.ty()?;
        if self.is_unknown(wanted) {
            return Some(wanted);
        }
        let wanted = match self.inside(result) {
            Some(_) => wanted,
            None => self.inside(wanted).unwrap_or(wanted),
        };
        self.unify(result, wanted, types);
        let result = self.substituted(result, types);
        (!self.is_generic(result)).then_some(result)
    }

    fn check_bounds(&mut self, native: NativeId, types: &Found, span: Span) {
        let bounds = self.native_rules[native.index()].bounds.clone();
        for (parameter, allowed) in bounds {
            let Some(found) = types.get(&parameter) else {
                continue;
            };
            let name = self.name(*found);
            if !self.is_unknown(*found) && !allowed.contains(&name) {
                self.report(calls::type_parameter(&parameter, &name, &allowed, span));
            }
        }
    }

    /// Finds type parameters by comparing a declared type with a given one.
    pub(super) fn unify(&mut self, declared: TypeId, given: TypeId, found: &mut Found) {
        match (self.ty(declared).clone(), self.ty(given).clone()) {
            (Type::Param(_), _) if given == self.basic.never => {}
            (Type::Param(name), _) => {
                found.entry(name).or_insert(given);
            }
            (Type::List(a), Type::List(b))
            | (Type::Range(a), Type::Range(b))
            | (Type::Optional(a), Type::Optional(b))
            | (Type::Secret(a), Type::Secret(b))
            | (Type::Data(a), Type::Data(b))
            | (Type::Metric(_, a), Type::Metric(_, b)) => self.unify(a, b, found),
            (Type::Optional(a), _) => self.unify(a, given, found),
            (Type::Map(a, b), Type::Map(c, d)) => {
                self.unify(a, c, found);
                self.unify(b, d, found);
            }
            (Type::Tuple(a), Type::Tuple(b)) => {
                for (a, b) in a.into_iter().zip(b) {
                    self.unify(a, b, found);
                }
            }
            _ => {}
        }
    }

    /// A declared type with the type parameters found so far.
    pub(super) fn substituted(&mut self, ty: TypeId, found: &Found) -> TypeId {
        if !self.is_generic(ty) {
            return ty;
        }
        let changed = match self.ty(ty).clone() {
            Type::Param(name) => return found.get(&name).copied().unwrap_or(ty),
            Type::List(a) => Type::List(self.substituted(a, found)),
            Type::Range(a) => Type::Range(self.substituted(a, found)),
            Type::Data(a) => Type::Data(self.substituted(a, found)),
            Type::Metric(kind, a) => Type::Metric(kind, self.substituted(a, found)),
            Type::Optional(a) => {
                let a = self.substituted(a, found);
                return self.optional(a);
            }
            Type::Secret(a) => {
                let a = self.substituted(a, found);
                return self.secret(a);
            }
            Type::Map(a, b) => Type::Map(self.substituted(a, found), self.substituted(b, found)),
            Type::Tuple(parts) => Type::Tuple(
                parts
                    .into_iter()
                    .map(|p| self.substituted(p, found))
                    .collect(),
            ),
            Type::Union(parts) => Type::Union(
                parts
                    .into_iter()
                    .map(|p| self.substituted(p, found))
                    .collect(),
            ),
            Type::Record(fields) => Type::Record(
                fields
                    .into_iter()
                    .map(|(name, p)| (name, self.substituted(p, found)))
                    .collect(),
            ),
            other => other,
        };
        self.intern(changed)
    }
}
