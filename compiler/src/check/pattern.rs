//! Patterns of `match`.

use super::Checker;
use super::scope::VarKind;
use crate::diagnostics::{types, values};
use crate::hir::{Const, Expr, Pattern, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident, PatternKind};

impl Checker<'_> {
    /// A pattern for values of this type; `kind` says that they are error kinds.
    pub(super) fn pattern(&mut self, pattern: &ast::Pattern, ty: TypeId, kind: bool) -> Pattern {
        if let Some(inner) = self.inside(ty) {
            return self.optional_pattern(pattern, inner, kind);
        }
        match &pattern.kind {
            PatternKind::Literal(value) => self.literal_pattern(value, ty, kind),
            PatternKind::Range {
                start,
                end,
                inclusive,
            } => self.range_pattern(start, end, *inclusive, ty, pattern.span),
            PatternKind::None => {
                if !self.is_unknown(ty) {
                    let name = self.name(ty);
                    self.report(types::none_pattern(&name, pattern.span));
                }
                Pattern::Any
            }
            PatternKind::Name(name) => self.name_pattern(name, ty),
            PatternKind::Case { path } => self.case_pattern(path, ty, pattern.span),
            PatternKind::Or(parts) => {
                for part in parts {
                    self.refuse_binding(part, ty);
                }
                Pattern::Or(
                    parts
                        .iter()
                        .map(|part| self.pattern(part, ty, kind))
                        .collect(),
                )
            }
            PatternKind::Tuple(parts) => self.tuple_pattern(parts, ty, pattern.span),
            PatternKind::Ignore | PatternKind::Missing => Pattern::Any,
        }
    }

    /// A name takes the value that is there; `none` and `_` match where there is none.
    fn optional_pattern(&mut self, pattern: &ast::Pattern, inner: TypeId, kind: bool) -> Pattern {
        match &pattern.kind {
            PatternKind::None => Pattern::None,
            PatternKind::Ignore | PatternKind::Missing => Pattern::Any,
            PatternKind::Or(parts) => {
                for part in parts {
                    self.refuse_binding(part, inner);
                }
                Pattern::Or(
                    parts
                        .iter()
                        .map(|part| self.optional_pattern(part, inner, kind))
                        .collect(),
                )
            }
            _ => Pattern::Some(Box::new(self.pattern(pattern, inner, kind))),
        }
    }

    fn is_case(&self, ty: TypeId, name: &str) -> bool {
        match self.ty(ty) {
            Type::Enum(id) => self.hir.enums[id.index()]
                .cases
                .iter()
                .any(|case| case == name),
            _ => false,
        }
    }

    fn refuse_binding(&mut self, pattern: &ast::Pattern, ty: TypeId) {
        let inner = self.inside(ty).unwrap_or(ty);
        if let PatternKind::Name(name) = &pattern.kind
            && !self.is_case(inner, &name.text)
        {
            self.report(types::binding_in_or(&name.text, name.span));
        }
    }

    fn literal_pattern(&mut self, value: &ast::Expr, ty: TypeId, kind: bool) -> Pattern {
        let value = self.typed(value, ty);
        let Some(constant) = super::fold::constant(&value) else {
            if !self.is_unknown(value.ty) {
                self.report(values::not_constant(value.span));
            }
            return Pattern::Any;
        };
        if self.is_unknown(value.ty) {
            return Pattern::Any;
        }
        if let (true, Const::String(text)) = (kind, &constant) {
            self.check_kind(text, value.span);
        }
        Pattern::Const(constant)
    }

    fn range_pattern(
        &mut self,
        start: &ast::Expr,
        end: &ast::Expr,
        inclusive: bool,
        ty: TypeId,
        span: Span,
    ) -> Pattern {
        if !matches!(
            self.ty(ty),
            Type::Int | Type::Float | Type::Duration | Type::Unknown
        ) {
            let name = self.name(ty);
            self.report(types::bad_pattern("a range", &name, span));
            return Pattern::Any;
        }
        let (start, end) = (self.typed(start, ty), self.typed(end, ty));
        match (self.bound(&start), self.bound(&end)) {
            (Some(start), Some(end)) => {
                let empty = match (&start, &end) {
                    (Const::Int(a), Const::Int(b)) | (Const::Duration(a), Const::Duration(b)) => {
                        a > b || (a == b && !inclusive)
                    }
                    (Const::Float(a), Const::Float(b)) => a > b,
                    _ => false,
                };
                if empty {
                    self.report(values::empty_range(span));
                }
                Pattern::Range {
                    start,
                    end,
                    inclusive,
                }
            }
            _ => Pattern::Any,
        }
    }

    fn bound(&mut self, value: &Expr) -> Option<Const> {
        if self.is_unknown(value.ty) {
            return None;
        }
        let found = super::fold::constant(value);
        if found.is_none() {
            self.report(values::not_constant(value.span));
        }
        found
    }

    fn name_pattern(&mut self, name: &Ident, ty: TypeId) -> Pattern {
        if let Type::Enum(id) = *self.ty(ty)
            && let Some(at) = self.hir.enums[id.index()]
                .cases
                .iter()
                .position(|case| *case == name.text)
        {
            return Pattern::Const(Const::Enum(id, at as u32));
        }
        Pattern::Bind(self.declare(name, ty, false, VarKind::Variable))
    }

    fn case_pattern(&mut self, path: &[Ident], ty: TypeId, span: Span) -> Pattern {
        let expr = path.iter().skip(1).fold(
            path.first().map(|first| ast::Expr {
                span: first.span,
                kind: Box::new(ast::ExprKind::Name(first.clone())),
            }),
            |base, name| {
                base.map(|base| ast::Expr {
                    span: base.span.to(name.span),
                    kind: Box::new(ast::ExprKind::Field {
                        base,
                        name: name.clone(),
                        optional: false,
                    }),
                })
            },
        );
        let Some(expr) = expr else {
            return Pattern::Any;
        };
        let value = self.typed(&ast::Expr { span, ..expr }, ty);
        match super::fold::constant(&value) {
            Some(constant) if !self.is_unknown(value.ty) => Pattern::Const(constant),
            Some(_) => Pattern::Any,
            None => {
                if !self.is_unknown(value.ty) {
                    self.report(values::not_constant(span));
                }
                Pattern::Any
            }
        }
    }

    fn tuple_pattern(&mut self, parts: &[ast::Pattern], ty: TypeId, span: Span) -> Pattern {
        let types = match self.ty(ty) {
            Type::Tuple(types) if types.len() == parts.len() => types.clone(),
            Type::Unknown => vec![ty; parts.len()],
            _ => {
                let name = self.name(ty);
                self.report(types::bad_destructuring(&name, parts.len(), span));
                vec![self.basic.unknown; parts.len()]
            }
        };
        Pattern::Tuple(
            parts
                .iter()
                .zip(types)
                .map(|(part, ty)| self.pattern(part, ty, false))
                .collect(),
        )
    }
}
