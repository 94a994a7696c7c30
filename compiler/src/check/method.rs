//! Methods and properties: found by the receiver's type among the library's declarations.

use super::Checker;
use super::call::{Found, Receiver};
use super::expr::Want;
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{calls, names, types, values};
use crate::hir::{Expr, ExprKind, NativeId, Protocol, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Arg, Ident};

impl Checker<'_> {
    pub(super) fn call_method(
        &mut self,
        base: &ast::Expr,
        name: &Ident,
        optional: bool,
        args: &[Arg],
        span: Span,
        want: Want,
    ) -> Expr {
        if let Some(receiver) = self.changed_receiver(base, name, optional) {
            return match receiver {
                Ok((native, place)) => self.call_native(
                    native,
                    Some(Receiver::Place(place)),
                    args,
                    span,
                    name.span,
                    want,
                ),
                Err(()) => self.give_up(args, span),
            };
        }
        let value = self.value(base);
        if !optional {
            return self.method_of(value, name, args, span, want);
        }
        self.chained(value, span, |checker, value| {
            checker.method_of(value, name, args, span, want)
        })
    }

    /// `base?.member`: `member` is checked on the value inside.
    pub(super) fn chained(
        &mut self,
        base: Expr,
        span: Span,
        member: impl FnOnce(&mut Self, Expr) -> Expr,
    ) -> Expr {
        if self.is_unknown(base.ty) {
            return base;
        }
        let Some(inner) = self.inside(base.ty) else {
            let name = self.name(base.ty);
            return self.refused(types::not_optional("?.", &name, base.span, "write `.`"));
        };
        let local = self.hidden_local(inner, base.span);
        let value = self.node(ExprKind::Local(local), inner, base.span);
        let body = member(self, value);
        if self.is_unknown(body.ty) {
            return body;
        }
        let ty = self.optional(body.ty);
        self.node(ExprKind::OptionalChain { base, local, body }, ty, span)
    }

    /// A receiver that the method changes: it must be a variable or a part of one.
    fn changed_receiver(
        &mut self,
        base: &ast::Expr,
        name: &Ident,
        optional: bool,
    ) -> Option<Result<(NativeId, crate::hir::Place), ()>> {
        if optional {
            return None;
        }
        let ty = self.place_type(base)?;
        let native = self.find_method(ty, &name.text)?;
        if !self.hir.natives[native.index()].params[0].var {
            return None;
        }
        Some(
            self.place(base, &format!("`{}` changes it", name.text))
                .map(|place| (native, place))
                .ok_or(()),
        )
    }

    /// A method call on a value.
    pub(super) fn method_of(
        &mut self,
        base: Expr,
        name: &Ident,
        args: &[Arg],
        span: Span,
        want: Want,
    ) -> Expr {
        if base.ty == self.basic.never {
            self.give_up(args, span);
            return base;
        }
        if self.is_unknown(base.ty) || name.text.is_empty() {
            return self.give_up(args, span);
        }
        if self.inside(base.ty).is_some() {
            let ty = self.name(base.ty);
            self.report(types::optional_member(&ty, &name.text, base.span));
            return self.give_up(args, span);
        }
        let (base_ty, secret) = match self.revealed(base.ty) {
            Some(inner) => (inner, true),
            None => (base.ty, false),
        };
        let Some(native) = self.find_method(base_ty, &name.text) else {
            self.report_no_method(base_ty, name);
            return self.give_up(args, span);
        };
        let declared = &self.hir.natives[native.index()];
        if declared.property {
            let ty = self.name(base_ty);
            self.report(names::is_property(&ty, &name.text, name.span));
            return self.give_up(args, span);
        }
        if secret && !declared.params[0].wire {
            self.report(values::secret_method(&name.text, base.span));
            return self.give_up(args, span);
        }
        if declared.params[0].var {
            self.report(values::changes_a_temporary(&name.text, base.span));
            return self.give_up(args, span);
        }
        self.call_native(
            native,
            Some(Receiver::Value(base)),
            args,
            span,
            name.span,
            want,
        )
    }

    fn report_no_method(&mut self, ty: TypeId, name: &Ident) {
        let shown = self.name(ty);
        if let Type::Record(fields) = self.ty(ty)
            && fields.iter().any(|(field, _)| *field == name.text)
        {
            return self.report(names::is_property(&shown, &name.text, name.span));
        }
        if let Some(other) = self.method_of_other_receiver(ty, &name.text) {
            return self.report(calls::method_of_other(
                &name.text, &shown, &other, name.span,
            ));
        }
        let help = self.member_suggestion(ty, &name.text);
        self.report(names::unknown_member(
            &shown, &name.text, "method", name.span, help,
        ));
    }

    fn method_of_other_receiver(&mut self, ty: TypeId, name: &str) -> Option<String> {
        let receiver = self.receiver_name(ty)?;
        let (unit, item) = *self.methods.get(&(receiver, name.to_owned()))?.first()?;
        let native = self.native(unit, item);
        Some(self.name(self.hir.natives[native.index()].params[0].ty))
    }

    /// The nearest member of a type, or the word that users of other languages write for it.
    pub(super) fn member_suggestion(&mut self, ty: TypeId, name: &str) -> Option<String> {
        let mut known = self.member_names(ty);
        if let Type::Record(fields) = self.ty(ty) {
            known.extend(fields.iter().map(|(field, _)| field.clone()));
        }
        let alias = match name {
            "length" | "size" | "count" | "is_empty" => "len",
            "append" | "add" => "push",
            "toString" | "to_string" | "decode" => "text",
            "toUpperCase" | "to_upper" | "to_uppercase" => "upper",
            "toLowerCase" | "to_lower" | "to_lowercase" => "lower",
            "includes" | "has" => "contains",
            "startsWith" => "starts_with",
            "endsWith" => "ends_with",
            "substring" | "substr" => "slice",
            "indexOf" => "find",
            "status_code" | "statusCode" => "status",
            "receive" | "read" => "recv",
            "write" => "send",
            _ => "",
        };
        if known.iter().any(|member| member == alias) {
            return Some(format!("did you mean `{alias}`?"));
        }
        did_you_mean(name, known.iter().map(String::as_str))
    }

    fn member_names(&mut self, ty: TypeId) -> Vec<String> {
        let Some(receiver) = self.receiver_name(ty) else {
            return Vec::new();
        };
        self.load_methods(&receiver);
        self.methods
            .keys()
            .filter(|(known, _)| *known == receiver)
            .map(|(_, name)| name.clone())
            .collect()
    }

    /// The declaration of a method or property of this type.
    pub(super) fn find_method(&mut self, ty: TypeId, name: &str) -> Option<NativeId> {
        let receiver = self.receiver_name(ty)?;
        self.load_methods(&receiver);
        if let Type::Server(protocol) = self.ty(ty)
            && name == "url"
            && *protocol != Protocol::Http
        {
            return None;
        }
        let candidates = self.methods.get(&(receiver, name.to_owned()))?.clone();
        candidates.into_iter().find_map(|(unit, item)| {
            let native = self.native(unit, item);
            let declared = self.hir.natives[native.index()].params[0].ty;
            self.accepts(declared, ty).then_some(native)
        })
    }

    /// Whether a declared receiver can be a value of this type.
    fn accepts(&mut self, declared: TypeId, ty: TypeId) -> bool {
        let mut found = Found::new();
        self.unify(declared, ty, &mut found);
        let declared = self.substituted(declared, &found);
        declared == ty
            || matches!(
                (self.ty(declared), self.ty(ty)),
                (Type::Server(_), Type::Server(_)) | (Type::Pool, Type::Pool)
            )
            || matches!((self.ty(declared), self.ty(ty)), (Type::Metric(_, a), Type::Metric(_, b)) if a == b)
    }

    /// The native `receiver.name` of the library, for nodes that the checker writes itself.
    pub(super) fn known_method(&mut self, receiver: &str, name: &str) -> Option<NativeId> {
        self.load_methods(receiver);
        let (unit, item) = *self
            .methods
            .get(&(receiver.to_owned(), name.to_owned()))?
            .first()?;
        Some(self.native(unit, item))
    }
}
