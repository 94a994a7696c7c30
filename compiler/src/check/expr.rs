//! Expressions: one arm for each kind, the work in the module of its topic.

use super::Checker;
use crate::diagnostics::{types, values};
use crate::hir::{Const, Expr, ExprKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast;

/// How deep expressions may nest; brackets are limited by the grammar, this is for long chains of operators.
const DEEPEST: usize = 400;

/// What the surroundings want of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// A value of whatever type.
    Any,
    /// A value that will be converted to this type.
    Type(TypeId),
    /// A value of whatever type, probably of this one: literals without a type of their own take it.
    Hint(TypeId),
    /// No value: the expression is a statement.
    Drop,
}

impl Want {
    /// The expected type.
    pub(super) fn ty(self) -> Option<TypeId> {
        match self {
            Want::Type(ty) | Want::Hint(ty) => Some(ty),
            Want::Any | Want::Drop => None,
        }
    }
}

impl Checker<'_> {
    /// Checks an expression whose value is used, whatever its type.
    pub(super) fn value(&mut self, expr: &ast::Expr) -> Expr {
        let value = self.expr(expr, Want::Any);
        if value.ty != self.basic.none {
            return value;
        }
        let diagnostic = match &*value.kind {
            ExprKind::Const(Const::None) => types::needs_type("none", expr.span),
            _ => values::no_value_here(expr.span),
        };
        self.report(diagnostic);
        self.unknown(expr.span)
    }

    /// Checks an expression. With [`Want::Type`] the result may still need [`Checker::coerce`].
    pub(super) fn expr(&mut self, expr: &ast::Expr, want: Want) -> Expr {
        if self.depth == DEEPEST {
            return self.refused(crate::diagnostics::syntax::too_deep(expr.span));
        }
        self.depth += 1;
        let checked = self.expr_inside(expr, want);
        self.depth -= 1;
        checked
    }

    fn expr_inside(&mut self, expr: &ast::Expr, want: Want) -> Expr {
        let span = expr.span;
        let b = self.basic;
        match &*expr.kind {
            ast::ExprKind::Bool(value) => self.literal(Const::Bool(*value), b.bool, span),
            ast::ExprKind::Int { value, .. } => self.literal(Const::Int(*value), b.int, span),
            ast::ExprKind::Float(value) => self.literal(Const::Float(*value), b.float, span),
            ast::ExprKind::Duration(value) => {
                self.literal(Const::Duration(*value), b.duration, span)
            }
            ast::ExprKind::Rate(value) => self.literal(Const::Rate(*value), b.rate, span),
            ast::ExprKind::Percent(_) => self.refused(values::percent_outside_threshold(span)),
            ast::ExprKind::Str(parts) => self.string(parts, span),
            ast::ExprKind::Bytes(value) => self.literal(Const::Bytes(value.clone()), b.bytes, span),
            ast::ExprKind::Regex(pattern) => self.regex(pattern, span),
            ast::ExprKind::None => self.literal(Const::None, b.none, span),
            ast::ExprKind::Name(name) => self.name_value(name, want),
            ast::ExprKind::Field {
                base,
                name,
                optional,
            } => self.field(base, name, *optional, span),
            ast::ExprKind::Call { callee, args } => self.call(callee, args, span, want),
            ast::ExprKind::Index { base, index } => self.index(base, index, span),
            ast::ExprKind::Unary { op, operand } => self.unary(*op, operand, span, want),
            ast::ExprKind::Binary {
                op,
                op_span,
                left,
                right,
            } => self.binary(*op, *op_span, left, right, span, want),
            ast::ExprKind::Range {
                start,
                end,
                inclusive,
            } => self.range(start, end, *inclusive, span, want),
            ast::ExprKind::As { value, ty } => self.cast(value, ty, span),
            ast::ExprKind::Catch { value, handler } => self.catch(value, handler, span, want),
            ast::ExprKind::List(items) => self.list_literal(items, span, want),
            ast::ExprKind::Record(entries) => self.braces(entries, span, want),
            ast::ExprKind::Tuple(items) => self.tuple_literal(items, span, want),
            ast::ExprKind::Paren(inner) => {
                let inner = self.expr(inner, want);
                Expr { span, ..inner }
            }
            ast::ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            } => self.comprehension(value, pattern, iterable, filter.as_ref(), span, want),
            _ => self.control(expr, want),
        }
    }

    /// Expressions that have blocks or leave them.
    fn control(&mut self, expr: &ast::Expr, want: Want) -> Expr {
        let span = expr.span;
        match &*expr.kind {
            ast::ExprKind::If {
                cond,
                then,
                otherwise,
            } => self.if_expr(cond, then, otherwise.as_ref(), span, want),
            ast::ExprKind::Match { value, arms } => self.match_expr(value, arms, span, want),
            ast::ExprKind::Do(body) => self.do_expr(body, span, want),
            ast::ExprKind::Step { name, body } => self.step(name, body, span, want),
            ast::ExprKind::Timeout { limit, body } => self.timeout(limit, body, span, want),
            ast::ExprKind::Retry {
                times,
                backoff,
                body,
            } => self.retry(times.as_ref(), backoff.as_ref(), body, span, want),
            ast::ExprKind::Race(body) => self.race(body, span, want),
            ast::ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            } => self.parallel_for(pattern, iterable, max.as_ref(), body, span, want),
            ast::ExprKind::Return(value) => self.return_expr(value.as_ref(), span),
            ast::ExprKind::Break => self.jump(ExprKind::Break, "break", span),
            ast::ExprKind::Continue => self.jump(ExprKind::Continue, "continue", span),
            ast::ExprKind::Fail { value, kind } => self.fail(value, kind.as_ref(), span),
            _ => self.unknown(span),
        }
    }

    pub(super) fn literal(&self, value: Const, ty: TypeId, span: Span) -> Expr {
        self.node(ExprKind::Const(value), ty, span)
    }

    /// Reports and gives an unknown value in that place.
    pub(super) fn refused(&mut self, diagnostic: crate::diagnostics::Diagnostic) -> Expr {
        let span = diagnostic.span();
        self.report(diagnostic);
        self.unknown(span)
    }

    fn range(
        &mut self,
        start: &ast::Expr,
        end: &ast::Expr,
        inclusive: bool,
        span: Span,
        want: Want,
    ) -> Expr {
        let wanted = want.ty().and_then(|ty| self.range_of(ty));
        let hint = wanted.map_or(Want::Any, Want::Type);
        let start = self.expr(start, hint);
        let end = self.expr(end, hint);
        let Some(ty) = self.range_bounds(&start, &end, wanted) else {
            let (a, b) = (self.name(start.ty), self.name(end.ty));
            return self.refused(types::bad_range(&a, start.span, &b, end.span));
        };
        if self.is_unknown(ty) {
            return self.unknown(span);
        }
        let (start, end) = (self.coerce(start, ty), self.coerce(end, ty));
        self.check_range_order(&start, &end, inclusive, span);
        let range = self.intern(Type::Range(ty));
        self.node(
            ExprKind::Range {
                start,
                end,
                inclusive,
            },
            range,
            span,
        )
    }

    fn range_of(&self, ty: TypeId) -> Option<TypeId> {
        match self.ty(ty) {
            Type::Range(inner) => Some(*inner),
            Type::Optional(inner) => self.range_of(*inner),
            Type::Union(parts) => {
                let mut ranges = parts.iter().filter_map(|part| self.range_of(*part));
                ranges.next().filter(|_| ranges.next().is_none())
            }
            _ => None,
        }
    }

    fn range_bounds(&mut self, start: &Expr, end: &Expr, wanted: Option<TypeId>) -> Option<TypeId> {
        let allowed = [self.basic.int, self.basic.float, self.basic.duration];
        if let Some(wanted) = wanted
            && allowed.contains(&wanted)
            && self.fits(start.ty, wanted, self.given(start))
            && self.fits(end.ty, wanted, self.given(end))
        {
            return Some(wanted);
        }
        let joined = self.join(start, end.ty)?;
        (allowed.contains(&joined) || self.is_unknown(joined)).then_some(joined)
    }

    fn check_range_order(&mut self, start: &Expr, end: &Expr, inclusive: bool, span: Span) {
        let (Some(start), Some(end)) = (super::fold::constant(start), super::fold::constant(end))
        else {
            return;
        };
        let empty = match (start, end) {
            (Const::Int(a), Const::Int(b)) | (Const::Duration(a), Const::Duration(b)) => {
                a > b || (a == b && !inclusive)
            }
            (Const::Float(a), Const::Float(b)) => a > b,
            _ => false,
        };
        if empty {
            self.report(values::empty_range(span));
        }
    }
}
