//! Implicit conversions: whether a value fits an expected type, and the nodes that make it fit.

use super::Checker;
use super::expr::Want;
use crate::diagnostics::{types, values};
use crate::hir::{Const, Conversion, Expr, ExprKind, Type, TypeId};
use scn_grammar::{Span, ast};

/// What is known about a value beside its type.
#[derive(Clone, Copy, Default)]
pub(super) struct Given {
    /// It is a constant int, which may become a float.
    pub literal: bool,
    /// It goes over the wire, where secrets may go.
    pub wire: bool,
}

impl Checker<'_> {
    /// A node.
    pub(super) fn node(&self, kind: ExprKind, ty: TypeId, span: Span) -> Expr {
        Expr {
            kind: Box::new(kind),
            ty,
            span,
        }
    }

    /// A node that stands for something wrong that was reported.
    pub(super) fn unknown(&self, span: Span) -> Expr {
        self.node(ExprKind::Const(Const::None), self.basic.unknown, span)
    }

    /// Checks an expression of which a value of this type is expected.
    pub(super) fn typed(&mut self, expr: &ast::Expr, ty: TypeId) -> Expr {
        let value = self.expr(expr, Want::Type(ty));
        self.coerce(value, ty)
    }

    /// Converts a value to an expected type, or reports that it does not fit.
    pub(super) fn coerce(&mut self, value: Expr, ty: TypeId) -> Expr {
        match self.try_coerce(value, ty) {
            Ok(value) => value,
            Err(value) => {
                self.report_mismatch(&value, ty);
                self.unknown(value.span)
            }
        }
    }

    fn report_mismatch(&mut self, value: &Expr, ty: TypeId) {
        let (found, wanted) = (self.name(value.ty), self.name(ty));
        let span = value.span;
        let diagnostic = if value.ty == self.basic.none
            && !matches!(&*value.kind, ExprKind::Const(_))
        {
            values::no_value_here(span)
        } else if value.ty == self.basic.none {
            types::none_where_value(&wanted, span)
        } else if self.leaks(value, ty) {
            values::secret_leak(&wanted, span)
        } else if self
            .inside(value.ty)
            .is_some_and(|inner| self.fits(inner, ty, self.given(value)))
        {
            types::optional_as_value(&found, span)
        } else if let (Type::Record(have), Type::Record(want)) = (self.ty(value.ty), self.ty(ty)) {
            match self.missing_field(&have.clone(), &want.clone()) {
                Some(field) => values::missing_field(&field, &wanted, span),
                None => types::mismatch(&wanted, &found, span, None),
            }
        } else {
            types::mismatch(&wanted, &found, span, self.mismatch_help(value, ty))
        };
        self.report(diagnostic);
    }

    /// Whether a value fits but for a secret in it.
    fn leaks(&self, value: &Expr, ty: TypeId) -> bool {
        let given = Given {
            wire: true,
            ..self.given(value)
        };
        self.holds_secret(value.ty) && self.fits(value.ty, ty, given)
    }

    fn missing_field(
        &self,
        have: &[(String, TypeId)],
        want: &[(String, TypeId)],
    ) -> Option<String> {
        let missing = |field: &&(String, TypeId)| {
            self.inside(field.1).is_none() && !have.iter().any(|(name, _)| *name == field.0)
        };
        want.iter().find(missing).map(|field| field.0.clone())
    }

    fn mismatch_help(&self, value: &Expr, ty: TypeId) -> Option<String> {
        let text = self.text(value.span);
        match (self.ty(value.ty), self.ty(ty)) {
            (Type::Json, _) => Some(format!("write `{text} as {}`", self.name(ty))),
            (Type::Duration | Type::Rate | Type::Ip | Type::Addr, Type::Json) => {
                Some(format!("write it as text: `\"${{{text}}}\"`"))
            }
            (Type::Optional(_), _) if self.inside(ty).is_none() => {
                Some("give a value for the case that it is missing: `?? ...`".to_owned())
            }
            (Type::Int, Type::Float) => Some(format!("write `float({text})`")),
            (Type::String, Type::Ip | Type::Addr) if matches!(&*value.kind, ExprKind::Const(_)) => {
                Some(format!("write `{}({text})`", self.name(ty)))
            }
            (
                Type::String,
                Type::Int | Type::Float | Type::Bool | Type::Duration | Type::Ip | Type::Addr,
            ) => Some(format!("write `{text} as {}`", self.name(ty))),
            (
                Type::Int | Type::Float | Type::Bool | Type::Ip | Type::Addr | Type::Duration,
                Type::String,
            ) => Some(format!("write `string({text})`")),
            (Type::Int, Type::Duration) if matches!(&*value.kind, ExprKind::Const(_)) => {
                Some(format!("say which unit: `{text}s`, `{text}ms`"))
            }
            (Type::Int, Type::Rate) if matches!(&*value.kind, ExprKind::Const(_)) => {
                Some(format!("say in which time: `{text}/s`, `{text}/m`"))
            }
            (Type::String, Type::Bytes) => Some(format!("write `bytes({text})`, or `b\"...\"`")),
            (Type::Bytes, Type::String) => Some("write `.text()`".to_owned()),
            _ => None,
        }
    }

    pub(super) fn given(&self, value: &Expr) -> Given {
        Given {
            literal: matches!(&*value.kind, ExprKind::Const(Const::Int(_))),
            wire: self.f.wire,
        }
    }

    /// Converts a value if it fits; gives it back if not.
    pub(super) fn try_coerce(&mut self, value: Expr, ty: TypeId) -> Result<Expr, Expr> {
        if value.ty == ty
            || value.ty == self.basic.never
            || self.is_unknown(value.ty)
            || self.is_unknown(ty)
        {
            return Ok(value);
        }
        if !self.fits(value.ty, ty, self.given(&value)) {
            return Err(value);
        }
        Ok(self.converted(value, ty))
    }

    /// Writes out the conversions of a value that fits.
    fn converted(&mut self, value: Expr, ty: TypeId) -> Expr {
        if value.ty == ty {
            return value;
        }
        if let Some(inner) = self
            .revealed(value.ty)
            .filter(|_| self.revealed(ty).is_none() && self.inside(ty).is_none())
        {
            self.f.revealed = true;
            let open = self.convert_node(value, Conversion::Secret, inner);
            return self.converted(open, ty);
        }
        match self.ty(ty).clone() {
            Type::Optional(inner) if value.ty == self.basic.none => {
                let _ = inner;
                Expr { ty, ..value }
            }
            Type::Optional(inner) => {
                let value = self.converted(value, inner);
                self.convert_node(value, Conversion::ToOptional, ty)
            }
            Type::Secret(inner) => {
                let value = self.converted(value, inner);
                self.convert_node(value, Conversion::Secret, ty)
            }
            Type::Union(parts) => {
                let given = self.given(&value);
                let exact = parts.contains(&value.ty).then_some(value.ty);
                let fitting = exact.or_else(|| {
                    parts
                        .iter()
                        .copied()
                        .find(|part| self.fits(value.ty, *part, given))
                });
                let part = fitting.expect("a value that fits a union fits one of its types");
                let value = self.converted(value, part);
                self.convert_node(value, Conversion::ToUnion, ty)
            }
            Type::Json => self.convert_node(value, Conversion::ToJson, ty),
            Type::Float => self.convert_node(value, Conversion::IntToFloat, ty),
            Type::Record(_) => self.convert_node(value, Conversion::Record, ty),
            _ => self.convert_node(value, Conversion::Static, ty),
        }
    }

    pub(super) fn convert_node(&mut self, value: Expr, kind: Conversion, ty: TypeId) -> Expr {
        let span = value.span;
        let node = self.node(ExprKind::Convert { value, kind }, ty, span);
        self.folded(node)
    }

    /// Whether a value of one type can stand where another is expected.
    pub(super) fn fits(&self, from: TypeId, to: TypeId, given: Given) -> bool {
        if from == to || from == self.basic.never || self.is_unknown(from) || self.is_unknown(to) {
            return true;
        }
        match (self.ty(from), self.ty(to)) {
            (Type::None, Type::Optional(_)) => true,
            (Type::Optional(a), Type::Optional(b)) => given.wire && self.revealed(*a) == Some(*b),
            (_, Type::Optional(inner)) => self.fits(from, *inner, given),
            (Type::Secret(_), Type::Secret(_)) => false,
            (_, Type::Secret(inner)) => self.fits(from, *inner, given),
            (_, Type::Union(parts)) => parts.iter().any(|part| self.fits(from, *part, given)),
            (Type::Secret(inner), _) if given.wire => self.fits(*inner, to, given),
            (_, Type::Json) => self.fits_json(from, given.wire),
            (Type::Int, Type::Float) => given.literal,
            (Type::Record(have), Type::Record(want)) => self.record_fits(have, want),
            _ => false,
        }
    }

    /// Whether a value can become json.
    pub(super) fn fits_json(&self, from: TypeId, wire: bool) -> bool {
        match self.ty(from) {
            Type::Bool
            | Type::Int
            | Type::Float
            | Type::String
            | Type::Json
            | Type::None
            | Type::Unknown => true,
            Type::Enum(_) | Type::Never | Type::Param(_) => true,
            Type::List(inner) | Type::Optional(inner) => self.fits_json(*inner, wire),
            Type::Secret(inner) => wire && self.fits_json(*inner, wire),
            Type::Map(_, value) => self.fits_json(*value, wire),
            Type::Record(fields) => fields.iter().all(|(_, ty)| self.fits_json(*ty, wire)),
            Type::Tuple(parts) => parts.iter().all(|ty| self.fits_json(*ty, wire)),
            _ => false,
        }
    }

    fn record_fits(&self, have: &[(String, TypeId)], want: &[(String, TypeId)]) -> bool {
        let known = |name: &str| want.iter().any(|(wanted, _)| wanted == name);
        have.iter().all(|(name, _)| known(name))
            && want.iter().all(
                |(name, ty)| match have.iter().find(|(field, _)| field == name) {
                    Some((_, found)) => found == ty,
                    None => self.inside(*ty).is_some(),
                },
            )
    }

    /// The type that both branches of something can have.
    pub(super) fn join(&mut self, a: &Expr, b: TypeId) -> Option<TypeId> {
        let (given, a) = (self.given(a), a.ty);
        if a == b || b == self.basic.never || self.is_unknown(a) {
            return Some(a);
        }
        if a == self.basic.never || self.is_unknown(b) {
            return Some(b);
        }
        if a == self.basic.none {
            return Some(self.optional(b));
        }
        if b == self.basic.none {
            return Some(self.optional(a));
        }
        if self.fits(a, b, given) {
            return Some(b);
        }
        self.fits(b, a, Given::default()).then_some(a)
    }

    /// The type that all these values can have; reports the first that does not agree.
    pub(super) fn join_all(&mut self, values: &[Expr]) -> TypeId {
        let mut joined = self.basic.never;
        let mut first: Option<Span> = None;
        // Int literals come last: they become floats where there is a float.
        let literal = |value: &&Expr| matches!(&*value.kind, ExprKind::Const(Const::Int(_)));
        let ordered = values
            .iter()
            .filter(|v| !literal(v))
            .chain(values.iter().filter(literal));
        for value in ordered {
            match self.join(value, joined) {
                Some(ty) => joined = ty,
                None => {
                    let (a, b) = (self.name(joined), self.name(value.ty));
                    self.report(types::branches_differ(
                        &a,
                        first.unwrap_or(value.span),
                        &b,
                        value.span,
                    ));
                    return self.basic.unknown;
                }
            }
            if value.ty != self.basic.never {
                first = first.or(Some(value.span));
            }
        }
        joined
    }
}
