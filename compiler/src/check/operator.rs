//! Operators: arithmetic by dimension, concatenation, logic, `??`.

use super::Checker;
use super::expr::Want;
use crate::diagnostics::{types, values};
use crate::hir::{Arith, Block, Expr, ExprKind, Stmt, StmtKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, BinaryOp, UnaryOp};

impl Checker<'_> {
    pub(super) fn unary(
        &mut self,
        op: UnaryOp,
        operand: &ast::Expr,
        span: Span,
        want: Want,
    ) -> Expr {
        let hint = if op == UnaryOp::Not {
            Want::Type(self.basic.bool)
        } else {
            want
        };
        let operand = self.expr(operand, if hint == Want::Drop { Want::Any } else { hint });
        let b = self.basic;
        if operand.ty == b.never {
            return operand;
        }
        if self.is_unknown(operand.ty) {
            return self.unknown(span);
        }
        let fine = match op {
            UnaryOp::Neg => [b.int, b.float, b.duration].contains(&operand.ty),
            UnaryOp::Not => operand.ty == b.bool,
            UnaryOp::BitNot => operand.ty == b.int,
        };
        if !fine {
            let name = self.name(operand.ty);
            let diagnostic = match self.inside(operand.ty) {
                Some(_) => types::optional_as_value(&name, operand.span),
                None => types::bad_unary(op.text(), &name, operand.span),
            };
            return self.refused(diagnostic);
        }
        let ty = operand.ty;
        let node = self.node(ExprKind::Unary { op, operand }, ty, span);
        self.folded(node)
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        want: Want,
    ) -> Expr {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                let left = self.typed(left, self.basic.bool);
                let right = self.typed(right, self.basic.bool);
                self.node(ExprKind::Logic { op, left, right }, self.basic.bool, span)
            }
            BinaryOp::Coalesce => self.coalesce(left, right, span, want),
            BinaryOp::Eq | BinaryOp::Ne => self.equality(op, op_span, left, right, span),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                self.order(op, op_span, left, right, span)
            }
            BinaryOp::Contains => self.contains(left, right, op_span, span),
            BinaryOp::In => self.contains_in(left, right, op_span, span),
            BinaryOp::Matches => self.matches(left, right, span),
            _ => self.arithmetic(op, op_span, left, right, span, want),
        }
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        want: Want,
    ) -> Expr {
        let hint = match want.ty().map(|ty| self.ty(ty)) {
            Some(Type::List(_)) if op == BinaryOp::Add => want,
            _ => Want::Any,
        };
        let left = self.expr(left, hint);
        let hint = if matches!(self.ty(left.ty), Type::List(_)) {
            Want::Type(left.ty)
        } else {
            Want::Any
        };
        let right = self.expr(right, hint);
        if self.is_left(&left, &right) {
            return self.until_left(left, right, span);
        }
        if let Some(answer) = self.unusable(&left, &right, span) {
            return answer;
        }
        if op == BinaryOp::Add
            && let Some(ty) = self.concat_type(&left, &right)
        {
            return self.concat(left, right, ty, span);
        }
        let (left, right) = self.floats(left, right);
        match self.arith_of(op, &left, &right) {
            Some((arith, ty)) => {
                let (left, right) = self.numbers_as_floats(arith, left, right);
                let node = self.node(
                    ExprKind::Arith {
                        op: arith,
                        left,
                        right,
                    },
                    ty,
                    span,
                );
                self.folded(node)
            }
            None => {
                let help = self.arithmetic_help(op, &left, &right);
                let (a, b) = (self.name(left.ty), self.name(right.ty));
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

    /// Whether a side does not come back.
    pub(super) fn is_left(&self, left: &Expr, right: &Expr) -> bool {
        [left, right].iter().any(|side| side.ty == self.basic.never)
    }

    /// Two sides one of which does not come back: nothing is made of them.
    pub(super) fn until_left(&self, left: Expr, right: Expr, span: Span) -> Expr {
        let first = Stmt {
            span: left.span,
            kind: StmtKind::Expr(left),
        };
        let block = Block {
            stmts: vec![first],
            value: Some(right),
            span,
        };
        self.node(ExprKind::Do(block), self.basic.never, span)
    }

    /// What to give back when a side is unknown, or is an optional.
    pub(super) fn unusable(&mut self, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
        for side in [left, right] {
            if self.inside(side.ty).is_some() || side.ty == self.basic.none {
                let name = self.name(side.ty);
                self.report(types::optional_as_value(&name, side.span));
                return Some(self.unknown(span));
            }
        }
        (self.is_unknown(left.ty) || self.is_unknown(right.ty)).then(|| self.unknown(span))
    }

    fn concat_type(&mut self, left: &Expr, right: &Expr) -> Option<TypeId> {
        let open = |checker: &Self, ty| checker.revealed(ty).unwrap_or(ty);
        let (a, b) = (open(self, left.ty), open(self, right.ty));
        if a != b || !matches!(self.ty(a), Type::String | Type::Bytes | Type::List(_)) {
            return None;
        }
        if a == left.ty && b == right.ty {
            Some(a)
        } else {
            Some(self.secret(a))
        }
    }

    fn concat(&mut self, left: Expr, right: Expr, ty: TypeId, span: Span) -> Expr {
        let plain = self.revealed(ty).unwrap_or(ty);
        let (left, right) = (
            self.open_secret(left, plain),
            self.open_secret(right, plain),
        );
        let node = self.node(ExprKind::Concat { left, right }, plain, span);
        let node = self.folded(node);
        if ty == plain {
            node
        } else {
            self.convert_node(node, crate::hir::Conversion::Secret, ty)
        }
    }

    fn open_secret(&mut self, value: Expr, plain: TypeId) -> Expr {
        if value.ty == plain {
            value
        } else {
            self.convert_node(value, crate::hir::Conversion::Secret, plain)
        }
    }

    /// An int literal beside a float becomes one.
    fn floats(&mut self, left: Expr, right: Expr) -> (Expr, Expr) {
        let float = self.basic.float;
        if left.ty == float && self.given(&right).literal {
            let right = self.coerce(right, float);
            return (left, right);
        }
        if right.ty == float && self.given(&left).literal {
            let left = self.coerce(left, float);
            return (left, right);
        }
        (left, right)
    }

    /// Which arithmetic two types have, and the result's type.
    fn arith_of(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<(Arith, TypeId)> {
        use BinaryOp::{Add, BitAnd, BitOr, BitXor, Div, Mul, Rem, Shl, Shr, Sub};
        let b = &self.basic;
        let (int, float, duration, rate) = (b.int, b.float, b.duration, b.rate);
        let number = |ty| ty == int || ty == float;
        Some(match (left.ty, op, right.ty) {
            (l, Add | Sub | Mul | Div | Rem | BitAnd | BitOr | BitXor | Shl | Shr, r)
                if l == int && r == int =>
            {
                (Arith::Int(op), int)
            }
            (l, Add | Sub | Mul | Div | Rem, r) if l == float && r == float => {
                (Arith::Float(op), float)
            }
            (l, Add | Sub, r) if l == duration && r == duration => (Arith::Duration(op), duration),
            (l, Div, r) if l == duration && r == duration => (Arith::DurationRatio, float),
            (l, Rem, r) if l == duration && r == duration => (Arith::DurationRem, duration),
            (l, Mul | Div, r) if l == duration && r == int => (Arith::DurationInt(op), duration),
            (l, Mul, r) if l == int && r == duration => (Arith::DurationInt(op), duration),
            (l, Mul | Div, r) if l == duration && r == float => {
                (Arith::DurationFloat(op), duration)
            }
            (l, Mul, r) if l == float && r == duration => (Arith::DurationFloat(op), duration),
            (l, Div, r) if number(l) && r == duration => (Arith::NumberPerDuration, rate),
            (l, Add | Sub, r) if l == rate && r == rate => (Arith::Float(op), rate),
            (l, Div, r) if l == rate && r == rate => (Arith::Float(op), float),
            (l, Mul | Div, r) if l == rate && number(r) => (Arith::Float(op), rate),
            (l, Mul, r) if number(l) && r == rate => (Arith::Float(op), rate),
            (l, Mul, r) if (l == rate && r == duration) || (l == duration && r == rate) => {
                (Arith::RateTimesDuration, float)
            }
            (l, Div, r) if number(l) && r == rate => (Arith::NumberPerRate, duration),
            _ => return None,
        })
    }

    /// Arithmetic that works on floats takes ints as floats.
    fn numbers_as_floats(&mut self, arith: Arith, left: Expr, right: Expr) -> (Expr, Expr) {
        if !matches!(
            arith,
            Arith::Float(_) | Arith::NumberPerDuration | Arith::NumberPerRate
        ) {
            return (left, right);
        }
        (self.as_float(left), self.as_float(right))
    }

    fn as_float(&mut self, value: Expr) -> Expr {
        if value.ty != self.basic.int {
            return value;
        }
        self.convert_node(value, crate::hir::Conversion::IntToFloat, self.basic.float)
    }

    fn arithmetic_help(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<String> {
        let b = &self.basic;
        let (l, r) = (left.ty, right.ty);
        if op == BinaryOp::Add && (l == b.string || r == b.string) {
            return Some("put values into text with `\"${...}\"`".to_owned());
        }
        if (l == b.int && r == b.float) || (l == b.float && r == b.int) {
            let int = if l == b.int { left } else { right };
            return Some(format!("write `float({})`", self.text(int.span)));
        }
        if l == b.json || r == b.json {
            let json = if l == b.json { left } else { right };
            return Some(format!(
                "say which type it has: `({} as int)`",
                self.text(json.span)
            ));
        }
        None
    }

    /// `a ?? b`.
    fn coalesce(&mut self, left: &ast::Expr, right: &ast::Expr, span: Span, want: Want) -> Expr {
        let hint = match want.ty() {
            Some(ty) => Want::Type(self.optional(ty)),
            None => Want::Any,
        };
        let left = self.value_or_hint(left, hint);
        if self.is_unknown(left.ty) {
            self.expr(right, Want::Any);
            return left;
        }
        let Some(inner) = self.inside(left.ty) else {
            self.expr(right, Want::Any);
            let name = self.name(left.ty);
            let help = if left.ty == self.basic.json {
                format!(
                    "say which type it has: `{} as string? ?? ...`",
                    self.text(left.span)
                )
            } else {
                "remove `??` and what follows".to_owned()
            };
            return self.refused(types::not_optional("??", &name, left.span, &help));
        };
        let right = self.expr(right, Want::Type(inner));
        let joined = match self.inside(right.ty) {
            Some(_) => left.ty,
            None => inner,
        };
        let right = self.coerce(right, joined);
        if self.is_unknown(right.ty) {
            return right;
        }
        self.node(ExprKind::Coalesce { left, right }, joined, span)
    }

    fn value_or_hint(&mut self, expr: &ast::Expr, hint: Want) -> Expr {
        let value = self.expr(expr, hint);
        if value.ty == self.basic.none {
            return self.refused(values::no_value_here(expr.span));
        }
        value
    }
}
