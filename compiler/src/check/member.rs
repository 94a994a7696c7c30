//! `base.name` and `base[index]`.

use super::Checker;
use super::call::Receiver;
use super::expr::Want;
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{names, types, values};
use crate::hir::{Const, Expr, ExprKind, Type};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident};

impl Checker<'_> {
    pub(super) fn field(
        &mut self,
        base: &ast::Expr,
        name: &Ident,
        optional: bool,
        span: Span,
    ) -> Expr {
        match &*base.kind {
            ast::ExprKind::Name(module) => {
                if let Some(path) = self.path_base(module) {
                    return self.path_member(path, module, name, span);
                }
            }
            ast::ExprKind::Field {
                base: outer,
                name: inner,
                optional: false,
            } => {
                if let Some(case) = self.imported_case(outer, inner, name, span) {
                    return case;
                }
            }
            _ => {}
        }
        let value = self.value(base);
        if optional {
            return self.chained(value, span, |checker, value| {
                checker.member_of(value, name, span)
            });
        }
        self.member_of(value, name, span)
    }

    /// `auth.Color.red`.
    fn imported_case(
        &mut self,
        module: &ast::Expr,
        name: &Ident,
        case: &Ident,
        span: Span,
    ) -> Option<Expr> {
        let ast::ExprKind::Name(module) = &*module.kind else {
            return None;
        };
        let unit = match self.path_base(module)? {
            super::names::PathBase::Import(unit) | super::names::PathBase::Module(unit) => unit,
            super::names::PathBase::Enum(_) => return None,
            super::names::PathBase::Broken => return Some(self.unknown(span)),
        };
        let id = self.enum_named(unit, &name.text)?;
        Some(self.enum_case(id, case, span))
    }

    /// A member of a value.
    pub(super) fn member_of(&mut self, base: Expr, name: &Ident, span: Span) -> Expr {
        if base.ty == self.basic.never {
            return base;
        }
        if name.text.is_empty() {
            return self.unknown(span);
        }
        match self.ty(base.ty).clone() {
            Type::Unknown => base,
            Type::Optional(_) => {
                let ty = self.name(base.ty);
                self.refused(types::optional_member(&ty, &name.text, base.span))
            }
            Type::Secret(inner) => self.secret_member(base, inner, name, span),
            Type::Record(fields) => {
                match fields.iter().position(|(field, _)| *field == name.text) {
                    Some(at) => self.node(
                        ExprKind::Field {
                            base,
                            index: at as u32,
                        },
                        fields[at].1,
                        span,
                    ),
                    None => self.property(base, name, span),
                }
            }
            Type::Json => self.json_step(
                "field",
                base,
                Const::String(name.text.clone()),
                name.span,
                span,
            ),
            _ => self.property(base, name, span),
        }
    }

    fn secret_member(
        &mut self,
        base: Expr,
        inner: crate::hir::TypeId,
        name: &Ident,
        span: Span,
    ) -> Expr {
        let Type::Record(fields) = self.ty(inner).clone() else {
            return self.refused(values::secret_method(&name.text, base.span));
        };
        match fields.iter().position(|(field, _)| *field == name.text) {
            Some(at) => {
                let open = self.convert_node(base, crate::hir::Conversion::Secret, inner);
                let field = self.node(
                    ExprKind::Field {
                        base: open,
                        index: at as u32,
                    },
                    fields[at].1,
                    span,
                );
                let ty = self.secret(field.ty);
                self.convert_node(field, crate::hir::Conversion::Secret, ty)
            }
            None => {
                let ty = self.name(inner);
                let help = did_you_mean(&name.text, fields.iter().map(|(field, _)| field.as_str()));
                self.refused(names::unknown_member(
                    &ty, &name.text, "field", name.span, help,
                ))
            }
        }
    }

    /// One step into a json value.
    fn json_step(
        &mut self,
        how: &str,
        base: Expr,
        step: Const,
        step_span: Span,
        span: Span,
    ) -> Expr {
        let ty = if how == "at" {
            self.basic.int
        } else {
            self.basic.string
        };
        let step = self.literal(step, ty, step_span);
        self.json_call(how, base, step, span)
    }

    fn json_call(&mut self, how: &str, base: Expr, step: Expr, span: Span) -> Expr {
        match self.known_method("json", how) {
            Some(native) => self.node(
                ExprKind::CallNative {
                    native,
                    args: vec![base, step],
                },
                self.basic.json,
                span,
            ),
            None => self.refused(names::unknown_member("json", how, "method", span, None)),
        }
    }

    fn property(&mut self, base: Expr, name: &Ident, span: Span) -> Expr {
        let shown = self.name(base.ty);
        match self.find_method(base.ty, &name.text) {
            Some(native) if self.hir.natives[native.index()].property => self.call_native(
                native,
                Some(Receiver::Value(base)),
                &[],
                span,
                name.span,
                Want::Any,
            ),
            Some(_) => self.refused(names::needs_parentheses(&shown, &name.text, name.span)),
            None => {
                let help = self.member_suggestion(base.ty, &name.text);
                self.refused(names::unknown_member(
                    &shown, &name.text, "field", name.span, help,
                ))
            }
        }
    }

    pub(super) fn index(&mut self, base: &ast::Expr, index: &ast::Expr, span: Span) -> Expr {
        let base = self.value(base);
        match self.ty(base.ty).clone() {
            Type::List(element) => {
                let index = self.typed(index, self.basic.int);
                self.check_index(&index);
                self.node(ExprKind::Index { base, index }, element, span)
            }
            Type::Bytes => {
                let index = self.typed(index, self.basic.int);
                self.check_index(&index);
                self.node(ExprKind::ByteAt { base, index }, self.basic.int, span)
            }
            Type::Map(key, value) => {
                let key = self.typed(index, key);
                let ty = self.optional(value);
                self.node(ExprKind::Lookup { base, key }, ty, span)
            }
            Type::Json => self.json_index(base, index, span),
            Type::Optional(_) => {
                self.value(index);
                let ty = self.name(base.ty);
                self.refused(types::optional_as_value(&ty, base.span))
            }
            Type::Unknown | Type::Never => {
                self.value(index);
                self.unknown(span)
            }
            _ => {
                self.value(index);
                let ty = self.name(base.ty);
                let help =
                    (base.ty == self.basic.string).then(|| "write `.slice(from, to)`".to_owned());
                self.refused(types::not_indexable(&ty, base.span, help))
            }
        }
    }

    fn json_index(&mut self, base: Expr, index: &ast::Expr, span: Span) -> Expr {
        let index = self.value(index);
        if index.ty == self.basic.int {
            return self.json_call("at", base, index, span);
        }
        if index.ty == self.basic.string {
            return self.json_call("key", base, index, span);
        }
        if self.is_unknown(index.ty) {
            return self.unknown(span);
        }
        let found = self.name(index.ty);
        self.refused(types::mismatch("int` or `string", &found, index.span, None))
    }

    pub(super) fn check_index(&mut self, index: &Expr) {
        if let Some(Const::Int(n)) = super::fold::constant(index)
            && n < 0
        {
            self.report(values::negative_index(index.span));
        }
    }
}
