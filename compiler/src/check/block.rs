//! Blocks: their statements, their value, and what is never reached in them.

use super::Checker;
use super::expr::Want;
use super::scope::ScopeKind;
use crate::diagnostics::{lints, values};
use crate::hir::{Block, Expr, ExprKind, Stmt, StmtKind, TypeId};
use scn_grammar::Span;
use scn_grammar::ast;

/// A checked block.
pub(super) struct Checked {
    pub block: Block,
    /// Type of its value; `Never` if nothing goes on after it, `None` if it has no value.
    pub ty: TypeId,
}

impl Checked {
    /// As an expression, for joining branches.
    pub(super) fn as_expr(&self) -> Expr {
        let (kind, span) = match &self.block.value {
            Some(value) => match &*value.kind {
                ExprKind::Const(value) => (ExprKind::Const(value.clone()), value_span(&self.block)),
                _ => (ExprKind::Break, value.span),
            },
            None => (ExprKind::Break, self.block.span),
        };
        Expr {
            kind: Box::new(kind),
            ty: self.ty,
            span,
        }
    }
}

fn value_span(block: &Block) -> Span {
    block.value.as_ref().map_or(block.span, |value| value.span)
}

impl Checker<'_> {
    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &ast::Block, want: Want) -> Checked {
        self.push(ScopeKind::Block);
        let checked = self.open_block(block, want);
        self.pop();
        checked
    }

    /// A block in the scope that is open already.
    pub(super) fn open_block(&mut self, block: &ast::Block, want: Want) -> Checked {
        let wire = std::mem::replace(&mut self.f.wire, false);
        let (last, before) = match block.stmts.split_last() {
            Some((
                ast::Stmt {
                    kind: ast::StmtKind::Expr(expr),
                    ..
                },
                before,
            )) if want != Want::Drop => (Some(expr), before),
            _ => (None, block.stmts.as_slice()),
        };
        let (stmts, ends) = self.statements(before, last.map(|expr| expr.span));
        self.f.wire = wire;
        let value = last.map(|expr| self.block_value(expr, want));
        let ty = match &value {
            _ if ends => self.basic.never,
            Some(value) => value.ty,
            None => self.basic.none,
        };
        Checked {
            block: Block {
                stmts,
                value,
                span: block.span,
            },
            ty,
        }
    }

    fn block_value(&mut self, expr: &ast::Expr, want: Want) -> Expr {
        match want {
            Want::Type(ty) => self.typed(expr, ty),
            Want::Any | Want::Hint(_) | Want::Drop => self.expr(expr, want),
        }
    }

    /// Statements one after the other; tells whether the end is never reached.
    fn statements(&mut self, stmts: &[ast::Stmt], value: Option<Span>) -> (Vec<Stmt>, bool) {
        let mut checked = Vec::with_capacity(stmts.len());
        let mut ended: Option<Span> = None;
        for (at, stmt) in stmts.iter().enumerate() {
            let Some(stmt) = self.stmt(stmt) else {
                continue;
            };
            if ended.is_none() && self.ends(&stmt) {
                ended = Some(stmt.span);
                let next = stmts.get(at + 1).map(|next| next.span).or(value);
                if let Some(next) = next {
                    self.report(lints::unreachable(next, stmt.span));
                }
            }
            checked.push(stmt);
        }
        (checked, ended.is_some())
    }

    /// Whether nothing goes on after a statement.
    fn ends(&self, stmt: &Stmt) -> bool {
        let never = self.basic.never;
        match &stmt.kind {
            StmtKind::Expr(value)
            | StmtKind::Let { value, .. }
            | StmtKind::Assign { value, .. } => value.ty == never,
            StmtKind::While { cond: None, body } => !breaks(body),
            _ => false,
        }
    }

    pub(super) fn require_value(&mut self, checked: &Checked) {
        if checked.block.value.is_none() && checked.ty != self.basic.never {
            self.report(values::block_without_value(closing(checked.block.span)));
        }
    }
}

/// The closing brace of a block.
fn closing(span: Span) -> Span {
    Span {
        start: span.end.saturating_sub(1).max(span.start),
        ..span
    }
}

/// Whether a `break` in a block leaves the loop around it.
fn breaks(block: &Block) -> bool {
    block.stmts.iter().any(stmt_breaks) || block.value.as_ref().is_some_and(expr_breaks)
}

fn stmt_breaks(stmt: &Stmt) -> bool {
    match &stmt.kind {
        StmtKind::Let { value, .. }
        | StmtKind::Assign { value, .. }
        | StmtKind::Update { value, .. } => expr_breaks(value),
        StmtKind::Expr(value) => expr_breaks(value),
        StmtKind::Check(check) => expr_breaks(&check.cond),
        StmtKind::Choose(arms) => arms.iter().any(|(_, body)| breaks(body)),
        _ => false,
    }
}

fn expr_breaks(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Break => true,
        ExprKind::If {
            then, otherwise, ..
        } => breaks(then) || otherwise.as_ref().is_some_and(breaks),
        ExprKind::Match { arms, value } => {
            expr_breaks(value) || arms.iter().any(|arm| expr_breaks(&arm.body))
        }
        ExprKind::Do(body)
        | ExprKind::Step { body, .. }
        | ExprKind::Timeout { body, .. }
        | ExprKind::Retry { body, .. } => breaks(body),
        ExprKind::Catch { value, handler, .. } => expr_breaks(value) || breaks(handler),
        ExprKind::Coalesce { left, right } | ExprKind::Logic { left, right, .. } => {
            expr_breaks(left) || expr_breaks(right)
        }
        ExprKind::Convert { value, .. } => expr_breaks(value),
        ExprKind::Call { args, .. }
        | ExprKind::CallNative { args, .. }
        | ExprKind::CallVar { args, .. } => args.iter().any(expr_breaks),
        _ => false,
    }
}
