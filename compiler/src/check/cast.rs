//! `x as T`: decoding json, parsing text.

use super::Checker;
use crate::diagnostics::types;
use crate::hir::{Expr, ExprKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, TypeExpr};

impl Checker<'_> {
    pub(super) fn cast(&mut self, value: &ast::Expr, ty: &TypeExpr, span: Span) -> Expr {
        let value = self.value(value);
        let to = self.type_of(self.f.unit, ty);
        if value.ty == self.basic.never {
            return value;
        }
        if self.is_unknown(value.ty) || self.is_unknown(to) {
            return Expr {
                ty: to,
                ..self.unknown(span)
            };
        }
        if value.ty == self.basic.json {
            return self.decode(value, to, ty.span, span);
        }
        if value.ty == self.basic.string && self.parses_to(to) {
            return self.node(ExprKind::Parse { value, to }, to, span);
        }
        let (from, wanted) = (self.name(value.ty), self.name(to));
        let help = self.cast_help(&value, to);
        let diagnostic = match self.inside(value.ty) {
            Some(_) => types::optional_as_value(&from, value.span),
            None => types::bad_cast(&from, &wanted, span, ty.span, help),
        };
        self.report(diagnostic);
        Expr {
            ty: to,
            ..self.unknown(span)
        }
    }

    fn decode(&mut self, value: Expr, to: TypeId, to_span: Span, span: Span) -> Expr {
        if !self.decodes_to(to) {
            let wanted = self.name(to);
            self.report(types::bad_cast("json", &wanted, span, to_span, None));
            return Expr {
                ty: to,
                ..self.unknown(span)
            };
        }
        self.node(ExprKind::Decode { value, to }, to, span)
    }

    fn decodes_to(&self, to: TypeId) -> bool {
        match self.ty(to) {
            Type::Bool | Type::Int | Type::Float | Type::String | Type::Json => true,
            Type::Duration | Type::Ip | Type::Addr | Type::Enum(_) => true,
            Type::List(inner) | Type::Optional(inner) | Type::Secret(inner) => {
                self.decodes_to(*inner)
            }
            Type::Map(key, value) => {
                matches!(self.ty(*key), Type::String | Type::Int | Type::Enum(_))
                    && self.decodes_to(*value)
            }
            Type::Record(fields) => fields.iter().all(|(_, ty)| self.decodes_to(*ty)),
            Type::Tuple(parts) => parts.iter().all(|ty| self.decodes_to(*ty)),
            _ => false,
        }
    }

    fn parses_to(&self, to: TypeId) -> bool {
        matches!(
            self.ty(to),
            Type::Int
                | Type::Float
                | Type::Bool
                | Type::Duration
                | Type::Ip
                | Type::Addr
                | Type::Enum(_)
        )
    }

    fn cast_help(&self, value: &Expr, to: TypeId) -> Option<String> {
        let text = self.text(value.span);
        let b = &self.basic;
        match (self.ty(value.ty), self.ty(to)) {
            _ if value.ty == to => Some("it has this type already: remove `as`".to_owned()),
            (Type::Int, Type::Float) => Some(format!(
                "this cannot fail, so it is a call: `float({text})`"
            )),
            (Type::Float, Type::Int) => Some(format!("write `int({text})`")),
            (_, Type::String) if value.ty != b.bytes => Some(format!(
                "this cannot fail, so it is a call: `string({text})`"
            )),
            (Type::Bytes, Type::String) => Some(format!("write `{text}.text()`")),
            (Type::Bytes, Type::Json) => Some(format!("write `json.parse({text})`")),
            (Type::String, Type::Optional(_)) => Some(format!(
                "text is never missing; to take a failure as none write `{text} as ... catch none`"
            )),
            (Type::String, Type::Json | Type::Record(_) | Type::List(_) | Type::Map(..)) => {
                Some(format!("write `json.parse({text}) as {}`", self.name(to)))
            }
            _ => None,
        }
    }
}
