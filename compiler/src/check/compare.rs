//! Comparisons: `==`, order, `contains`, `in`, `matches`.

use super::Checker;
use super::expr::Want;
use crate::diagnostics::{types, values};
use crate::hir::{Const, Conversion, Expr, ExprKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, BinaryOp};

impl Checker<'_> {
    /// `==` and `!=`: lifts to optionals, and to json.
    pub(super) fn equality(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        let (left, right) = self.two_sides(left, right);
        if self.is_unknown(left.ty) || self.is_unknown(right.ty) {
            return self.literal(Const::Bool(true), self.basic.bool, span);
        }
        let (left, right) = (self.without_secret(left), self.without_secret(right));
        let Some(ty) = self.common(&left, &right) else {
            let (a, b) = (self.name(left.ty), self.name(right.ty));
            let help = self.equality_help(&left, &right);
            return self.refused(types::bad_binary(
                op.text(),
                &a,
                left.span,
                &b,
                right.span,
                op_span,
                help,
            ));
        };
        let missing = left.ty == self.basic.none || right.ty == self.basic.none;
        if !missing && !self.comparable(ty) {
            let name = self.name(ty);
            return self.refused(types::not_comparable(op.text(), &name, op_span));
        }
        self.check_kind_comparison(&left, &right);
        let (left, right) = (self.coerce(left, ty), self.coerce(right, ty));
        self.node(ExprKind::Compare { op, left, right }, self.basic.bool, span)
    }

    /// Both sides, each with the other's type as hint where it needs one.
    fn two_sides(&mut self, left: &ast::Expr, right: &ast::Expr) -> (Expr, Expr) {
        if needs_hint(left) && !needs_hint(right) {
            let right = self.value(right);
            let left = self.expr(left, Want::Type(right.ty));
            return (left, right);
        }
        let left = self.expr(left, Want::Any);
        let right = self.expr(
            right,
            if left.ty == self.basic.none {
                Want::Any
            } else {
                Want::Type(left.ty)
            },
        );
        (self.real_none(left), self.real_none(right))
    }

    /// Refuses calls without a value, which are no `none`.
    fn real_none(&mut self, side: Expr) -> Expr {
        if side.ty == self.basic.none && !matches!(&*side.kind, ExprKind::Const(_)) {
            return self.refused(values::no_value_here(side.span));
        }
        side
    }

    /// Comparing a secret tells one bit, which may be known.
    fn without_secret(&mut self, value: Expr) -> Expr {
        match self.revealed(value.ty) {
            Some(inner) => self.convert_node(value, Conversion::Secret, inner),
            None => value,
        }
    }

    fn common(&mut self, left: &Expr, right: &Expr) -> Option<TypeId> {
        let b = self.basic;
        for (json, other) in [(left, right), (right, left)] {
            if json.ty == b.json && (self.fits_json(other.ty, false) || other.ty == b.none) {
                return Some(b.json);
            }
        }
        if left.ty == b.none && right.ty == b.none {
            return None;
        }
        if left.ty == b.none || right.ty == b.none {
            let other = if left.ty == b.none { right.ty } else { left.ty };
            return self.inside(other).is_some().then_some(other);
        }
        self.join(left, right.ty)
            .or_else(|| self.join(right, left.ty))
    }

    fn equality_help(&self, left: &Expr, right: &Expr) -> Option<String> {
        let b = &self.basic;
        if left.ty == b.none || right.ty == b.none {
            let other = if left.ty == b.none { right } else { left };
            return Some(format!("`{}` is never `none`", self.text(other.span)));
        }
        let (int, float) = (
            left.ty == b.int || right.ty == b.int,
            left.ty == b.float || right.ty == b.float,
        );
        if int && float {
            let int = if left.ty == b.int { left } else { right };
            return Some(format!("write `float({})`", self.text(int.span)));
        }
        for (text, other) in [(left, right), (right, left)] {
            if text.ty == b.string && [b.ip, b.addr].contains(&other.ty) {
                return Some(format!(
                    "write `{}({})`",
                    self.name(other.ty),
                    self.text(text.span)
                ));
            }
            if text.ty == b.string && other.ty == b.bytes {
                return Some(
                    "compare with `b\"...\"`, or take the text out with `.text()`".to_owned(),
                );
            }
        }
        None
    }

    /// Handles have no `==`.
    fn comparable(&self, ty: TypeId) -> bool {
        match self.ty(ty) {
            Type::Extern(_)
            | Type::Pool
            | Type::Data(_)
            | Type::Metric(..)
            | Type::Server(_)
            | Type::Regex => false,
            Type::List(inner) | Type::Optional(inner) => self.comparable(*inner),
            Type::Map(key, value) => self.comparable(*key) && self.comparable(*value),
            Type::Record(fields) => fields.iter().all(|(_, ty)| self.comparable(*ty)),
            Type::Tuple(parts) => parts.iter().all(|ty| self.comparable(*ty)),
            _ => true,
        }
    }

    /// `<` and its kin.
    pub(super) fn order(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Expr {
        let left = self.value(left);
        let right = self.expr(right, Want::Type(left.ty));
        if self.is_left(&left, &right) {
            return self.until_left(left, right, span);
        }
        if self.unusable(&left, &right, span).is_some() {
            return self.literal(Const::Bool(true), self.basic.bool, span);
        }
        let joined = self
            .join(&left, right.ty)
            .or_else(|| self.join(&right, left.ty));
        match joined.filter(|ty| self.ordered(*ty)) {
            Some(ty) => {
                let (left, right) = (self.coerce(left, ty), self.coerce(right, ty));
                self.node(ExprKind::Compare { op, left, right }, self.basic.bool, span)
            }
            None => {
                let (a, b) = (self.name(left.ty), self.name(right.ty));
                let help = self.order_help(&left, &right);
                self.refused(types::bad_binary(
                    op.text(),
                    &a,
                    left.span,
                    &b,
                    right.span,
                    op_span,
                    help,
                ))
            }
        }
    }

    fn ordered(&self, ty: TypeId) -> bool {
        matches!(
            self.ty(ty),
            Type::Int
                | Type::Float
                | Type::String
                | Type::Bytes
                | Type::Duration
                | Type::Rate
                | Type::Ip
                | Type::Addr
                | Type::Enum(_)
        )
    }

    fn order_help(&self, left: &Expr, right: &Expr) -> Option<String> {
        let b = &self.basic;
        let json = [left, right].into_iter().find(|side| side.ty == b.json);
        if let Some(json) = json {
            return Some(format!(
                "say which type it has: `({} as int)`",
                self.text(json.span)
            ));
        }
        if left.ty == b.duration && right.ty == b.int && self.given(right).literal {
            let number = self.text(right.span);
            return Some(format!("say which unit: `{number}ms`, `{number}s`"));
        }
        self.equality_help(left, right)
    }

    /// `a contains b`.
    pub(super) fn contains(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        op_span: Span,
        span: Span,
    ) -> Expr {
        let left = self.value(left);
        self.holds_member(left, right, "contains", op_span, span)
    }

    /// `b in a`.
    pub(super) fn contains_in(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        op_span: Span,
        span: Span,
    ) -> Expr {
        let container = match &*right.kind {
            // `x in [a, b]` takes the type of the list's elements from `x`.
            ast::ExprKind::List(_) | ast::ExprKind::Range { .. } => {
                let element = self.value(left);
                let list = match &*right.kind {
                    ast::ExprKind::List(_) => Type::List(element.ty),
                    _ => Type::Range(element.ty),
                };
                let want = if self.is_unknown(element.ty) {
                    Want::Any
                } else {
                    Want::Type(self.intern(list))
                };
                let container = self.expr(right, want);
                return self.member_call(container, element, "in", op_span, span);
            }
            _ => self.value(right),
        };
        self.holds_member(container, left, "in", op_span, span)
    }

    fn holds_member(
        &mut self,
        container: Expr,
        part: &ast::Expr,
        op: &str,
        op_span: Span,
        span: Span,
    ) -> Expr {
        let hint = match self.ty(container.ty) {
            Type::List(element) | Type::Range(element) => Want::Type(*element),
            Type::Map(key, _) => Want::Type(*key),
            _ => Want::Any,
        };
        let part = self.expr(part, hint);
        self.member_call(container, part, op, op_span, span)
    }

    fn member_call(
        &mut self,
        container: Expr,
        part: Expr,
        op: &str,
        op_span: Span,
        span: Span,
    ) -> Expr {
        if self.is_left(&container, &part) {
            return self.until_left(container, part, span);
        }
        if self.unusable(&container, &part, span).is_some() {
            return self.literal(Const::Bool(true), self.basic.bool, span);
        }
        if self.revealed(container.ty).is_some() {
            return self.refused(values::secret_method(op, container.span));
        }
        let native = self.find_method(container.ty, "contains");
        let fits = match (native, self.ty(container.ty).clone()) {
            (None, _) => None,
            (_, Type::List(element) | Type::Range(element)) => Some(element),
            (_, Type::Map(key, _)) => Some(key),
            (Some(native), _) => Some(self.hir.natives[native.index()].params[1].ty),
        };
        let fits = fits.filter(|ty| self.fits(part.ty, *ty, self.given(&part)));
        let (Some(native), Some(ty)) = (native, fits) else {
            let (a, b) = (self.name(container.ty), self.name(part.ty));
            let (a, b, left, right) = match op {
                "in" => (b, a, part.span, container.span),
                _ => (a, b, container.span, part.span),
            };
            return self.refused(types::bad_binary(op, &a, left, &b, right, op_span, None));
        };
        self.check_kinds_among(&container, &part);
        let part = self.coerce(part, ty);
        self.node(
            ExprKind::CallNative {
                native,
                args: vec![container, part],
            },
            self.basic.bool,
            span,
        )
    }

    /// `text matches re"..."`.
    pub(super) fn matches(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span) -> Expr {
        let text = self.typed(left, self.basic.string);
        let regex = self.expr(right, Want::Type(self.basic.regex));
        if regex.ty == self.basic.string {
            return self.refused(types::matches_needs_regex(regex.span));
        }
        let regex = self.coerce(regex, self.basic.regex);
        let Some(native) = self.known_method("regex", "matches") else {
            return self.unknown(span);
        };
        self.node(
            ExprKind::CallNative {
                native,
                args: vec![regex, text],
            },
            self.basic.bool,
            span,
        )
    }
}

/// Literals and bare names that may need the other side's type.
fn needs_hint(expr: &ast::Expr) -> bool {
    match &*expr.kind {
        ast::ExprKind::None | ast::ExprKind::Record(_) => true,
        ast::ExprKind::List(items) => items.is_empty(),
        ast::ExprKind::Paren(inner) => needs_hint(inner),
        _ => false,
    }
}
