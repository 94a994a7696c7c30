//! Statements.

use super::Checker;
use super::expr::Want;
use super::scope::{ScopeKind, VarKind};
use crate::diagnostics::{lints, scenario, types, values};
use crate::hir::{Binding, Check, Cond, Const, Expr, ExprKind, Stmt, StmtKind, Type, TypeId, Wait};
use scn_grammar::Span;
use scn_grammar::ast::{self, BindingKind, ChooseArm};

impl Checker<'_> {
    /// A statement; nothing for one that was wrong in its syntax.
    pub(super) fn stmt(&mut self, stmt: &ast::Stmt) -> Option<Stmt> {
        let kind = match &stmt.kind {
            ast::StmtKind::Let {
                mutable,
                pattern,
                ty,
                value,
            } => {
                let cell = *mutable && self.f.cell_depth == Some(self.f.scopes.len());
                self.let_stmt(*mutable, pattern, ty.as_ref(), value, cell)
            }
            ast::StmtKind::Assign {
                place,
                op,
                op_span,
                value,
            } => self.assign(place, *op, *op_span, value)?,
            ast::StmtKind::Check { label, cond } => self.check_stmt(true, label.as_ref(), cond),
            ast::StmtKind::Expect { label, cond } => self.check_stmt(false, label.as_ref(), cond),
            ast::StmtKind::Think(pause) => StmtKind::Think(self.pause(pause)),
            ast::StmtKind::Sleep(pause) => StmtKind::Sleep(self.pause(pause)),
            ast::StmtKind::Defer(inner) => self.defer(inner),
            ast::StmtKind::For {
                pattern,
                iterable,
                body,
            } => self.for_stmt(pattern, iterable, body),
            ast::StmtKind::While { cond, body } => self.while_stmt(cond, body),
            ast::StmtKind::Loop(body) => {
                let body = self.loop_body(body);
                StmtKind::While { cond: None, body }
            }
            ast::StmtKind::Every { period, body } => self.every(period, body),
            ast::StmtKind::Choose(arms) => self.choose(arms, stmt.span),
            ast::StmtKind::Parallel(body) => self.parallel(body, stmt.span),
            ast::StmtKind::Expr(expr) => self.expr_stmt(expr),
            ast::StmtKind::Block(body) => {
                let block = self.block(body, Want::Drop);
                let ty = block.ty;
                StmtKind::Expr(self.node(ExprKind::Do(block.block), ty, body.span))
            }
            ast::StmtKind::Bad => return None,
        };
        Some(Stmt {
            span: stmt.span,
            kind,
        })
    }

    fn expr_stmt(&mut self, expr: &ast::Expr) -> StmtKind {
        let value = self.expr(expr, Want::Drop);
        self.lint_dropped(expr, &value);
        StmtKind::Expr(value)
    }

    fn lint_dropped(&mut self, written: &ast::Expr, value: &Expr) {
        if self.is_unknown(value.ty) {
            return;
        }
        let help = match &*written.kind {
            ast::ExprKind::Binary {
                op: ast::BinaryOp::Eq,
                ..
            } => "write `check` before it, or `=` to assign",
            ast::ExprKind::Binary { .. } | ast::ExprKind::Unary { .. } => "use it, or remove it",
            ast::ExprKind::Bool(_) | ast::ExprKind::Int { .. } | ast::ExprKind::Float(_) => {
                "remove it"
            }
            ast::ExprKind::Str(_)
            | ast::ExprKind::Bytes(_)
            | ast::ExprKind::None
            | ast::ExprKind::Name(_) => "remove it",
            ast::ExprKind::Duration(_) | ast::ExprKind::List(_) | ast::ExprKind::Record(_) => {
                "remove it"
            }
            ast::ExprKind::Field { .. }
            | ast::ExprKind::Index { .. }
            | ast::ExprKind::Comprehension { .. } => "remove it",
            _ => return,
        };
        self.report(lints::unused_value(written.span, help));
    }

    /// `let` and `var`; the top-level `var`s of `init` and the state of servers become cells.
    pub(super) fn let_stmt(
        &mut self,
        mutable: bool,
        pattern: &ast::Binding,
        ty: Option<&ast::TypeExpr>,
        value: &ast::Expr,
        cell: bool,
    ) -> StmtKind {
        let value = match ty {
            Some(ty) => {
                let ty = self.type_of(self.f.unit, ty);
                let value = self.typed(value, ty);
                // The declared type holds even where the value was wrong.
                if self.is_unknown(value.ty) {
                    Expr { ty, ..value }
                } else {
                    value
                }
            }
            None => self.value(value),
        };
        let declared = match ty {
            Some(_) => value.ty,
            None => self.settled(value.ty),
        };
        let declared = match ty {
            Some(written) if value.ty == self.basic.never => self.type_of(self.f.unit, written),
            _ => declared,
        };
        let pattern = match (&pattern.kind, cell) {
            (BindingKind::Name(name), true) => {
                Binding::Cell(self.declare_cell(name, declared, mutable))
            }
            _ => self.binding(pattern, declared, mutable),
        };
        StmtKind::Let { pattern, value }
    }

    /// The type that a variable gets: of something that never comes back nothing is known.
    fn settled(&self, ty: TypeId) -> TypeId {
        if ty == self.basic.never {
            self.basic.unknown
        } else {
            ty
        }
    }

    /// What `let`, `for` and `if let` bind.
    pub(super) fn binding(&mut self, binding: &ast::Binding, ty: TypeId, mutable: bool) -> Binding {
        match &binding.kind {
            BindingKind::Name(name) => {
                Binding::Local(self.declare(name, ty, mutable, VarKind::Variable))
            }
            BindingKind::Ignore => Binding::Ignore,
            BindingKind::Missing => Binding::Ignore,
            BindingKind::Tuple(parts) => {
                let types = match self.ty(ty) {
                    Type::Tuple(types) if types.len() == parts.len() => types.clone(),
                    Type::Unknown => vec![ty; parts.len()],
                    _ => {
                        let name = self.name(ty);
                        self.report(types::bad_destructuring(&name, parts.len(), binding.span));
                        vec![self.basic.unknown; parts.len()]
                    }
                };
                let parts = parts
                    .iter()
                    .zip(types)
                    .map(|(part, ty)| self.binding(part, ty, mutable))
                    .collect();
                Binding::Tuple(parts)
            }
        }
    }

    fn check_stmt(&mut self, soft: bool, label: Option<&ast::Expr>, cond: &ast::Expr) -> StmtKind {
        let label = label.map(|label| self.label(label));
        let cond = self.typed(cond, self.basic.bool);
        StmtKind::Check(Check { soft, label, cond })
    }

    /// A label or step name: text that everybody may see.
    pub(super) fn label(&mut self, label: &ast::Expr) -> Expr {
        let value = self.expr(label, Want::Type(self.basic.string));
        if self.holds_secret(value.ty) {
            return self.refused(values::secret_shown("a label", label.span));
        }
        self.coerce(value, self.basic.string)
    }

    fn pause(&mut self, pause: &ast::Expr) -> Wait {
        self.waits.waits(self.f.id, pause.span);
        let value = self.expr(pause, Want::Any);
        let range =
            matches!(self.ty(value.ty), Type::Range(inner) if *inner == self.basic.duration);
        match *value.kind {
            ExprKind::Range { start, end, .. } if range => Wait::Between(start, end),
            kind => {
                let value = Expr {
                    kind: Box::new(kind),
                    ..value
                };
                let value = self.coerce(value, self.basic.duration);
                self.require_positive(&value, true);
                Wait::Fixed(value)
            }
        }
    }

    /// Constants that must not be negative, or must be more than zero.
    pub(super) fn require_positive(&mut self, value: &Expr, zero: bool) {
        let bad = match super::fold::constant(value) {
            Some(Const::Int(n) | Const::Duration(n)) => n < 0 || (n == 0 && !zero),
            _ => false,
        };
        if bad {
            self.report(values::not_positive(zero, value.span));
        }
    }

    fn defer(&mut self, stmt: &ast::Stmt) -> StmtKind {
        self.push(ScopeKind::Defer);
        let stmts = match &stmt.kind {
            ast::StmtKind::Block(body) => self.open_block(body, Want::Drop).block.stmts,
            _ => self.stmt(stmt).into_iter().collect(),
        };
        self.pop();
        StmtKind::Defer(crate::hir::Block {
            stmts,
            value: None,
            span: stmt.span,
        })
    }

    pub(super) fn loop_body(&mut self, body: &ast::Block) -> crate::hir::Block {
        self.push(ScopeKind::Loop { breaks: false });
        let checked = self.open_block(body, Want::Drop);
        self.pop();
        checked.block
    }

    fn for_stmt(
        &mut self,
        pattern: &ast::Binding,
        iterable: &ast::Expr,
        body: &ast::Block,
    ) -> StmtKind {
        let (iterable, element) = self.iterable(iterable);
        self.push(ScopeKind::Loop { breaks: false });
        let pattern = self.binding(pattern, element, false);
        let body = self.block(body, Want::Drop).block;
        self.pop();
        StmtKind::For {
            pattern,
            iterable,
            body,
        }
    }

    /// Something to walk over, and the type of its elements.
    pub(super) fn iterable(&mut self, expr: &ast::Expr) -> (Expr, TypeId) {
        let value = self.value(expr);
        let element = match self.ty(value.ty).clone() {
            Type::List(element) => element,
            Type::Map(key, value) => self.intern(Type::Tuple(vec![key, value])),
            Type::Range(inner) if inner == self.basic.int => inner,
            Type::Json => self.basic.json,
            Type::Data(row) => return self.rows(value, row),
            Type::Unknown | Type::Never => self.basic.unknown,
            _ => {
                let name = self.name(value.ty);
                let help = match self.ty(value.ty) {
                    Type::Optional(_) => {
                        Some("take the value out first: `if let`, `??`".to_owned())
                    }
                    Type::String => Some(
                        "walk over its parts: `.chars()`, `.lines()`, `.split(...)`".to_owned(),
                    ),
                    Type::Int => Some(format!("write a range: `0..{}`", self.text(value.span))),
                    Type::Bytes => Some("walk over its numbers: `.list()`".to_owned()),
                    _ => None,
                };
                self.report(types::not_iterable(&name, value.span, help));
                self.basic.unknown
            }
        };
        (value, element)
    }

    /// The rows of a data set as a list.
    fn rows(&mut self, value: Expr, row: TypeId) -> (Expr, TypeId) {
        let span = value.span;
        let ty = self.list(row);
        match self.known_method("data", "rows") {
            Some(native) => (
                self.node(
                    ExprKind::CallNative {
                        native,
                        args: vec![value],
                    },
                    ty,
                    span,
                ),
                row,
            ),
            None => (self.unknown(span), row),
        }
    }

    fn while_stmt(&mut self, cond: &ast::Cond, body: &ast::Block) -> StmtKind {
        self.push(ScopeKind::Loop { breaks: false });
        let cond = self.cond(cond);
        let body = self.block(body, Want::Drop).block;
        self.pop();
        StmtKind::While {
            cond: Some(cond),
            body,
        }
    }

    /// The head of `if` and `while`; what it binds lives in the scope that is open.
    pub(super) fn cond(&mut self, cond: &ast::Cond) -> Cond {
        match cond {
            ast::Cond::Expr(expr) => Cond::Expr(self.typed(expr, self.basic.bool)),
            ast::Cond::Let { pattern, value } => {
                let value = self.value(value);
                let inner = match self.inside(value.ty) {
                    Some(inner) => inner,
                    None if self.is_unknown(value.ty) => value.ty,
                    None => {
                        let name = self.name(value.ty);
                        let help = match value.ty == self.basic.json {
                            true => format!(
                                "say which type it has: `{} as string?`",
                                self.text(value.span)
                            ),
                            false => "write a plain `let` before it".to_owned(),
                        };
                        self.report(types::not_optional("if let", &name, value.span, &help));
                        self.basic.unknown
                    }
                };
                let pattern = self.binding(pattern, inner, false);
                Cond::Let { pattern, value }
            }
        }
    }

    fn every(&mut self, period: &ast::Expr, body: &ast::Block) -> StmtKind {
        self.waits.waits(self.f.id, period.span);
        let period = self.typed(period, self.basic.duration);
        self.require_positive(&period, false);
        let body = self.loop_body(body);
        StmtKind::Every { period, body }
    }

    fn choose(&mut self, arms: &[ChooseArm], span: Span) -> StmtKind {
        let mut weights = Vec::with_capacity(arms.len());
        for arm in arms {
            let weight = self.typed(&arm.weight, self.basic.int);
            let value = match super::fold::constant(&weight) {
                Some(Const::Int(n)) if n >= 0 => n,
                Some(Const::Int(_)) => {
                    self.report(values::not_positive(true, weight.span));
                    1
                }
                _ if self.is_unknown(weight.ty) => 1,
                _ => {
                    self.report(values::not_constant(weight.span));
                    1
                }
            };
            weights.push((value, self.block(&arm.body, Want::Drop).block));
        }
        if weights.iter().all(|(weight, _)| *weight == 0) {
            self.report(scenario::no_weight(span));
        }
        StmtKind::Choose(weights)
    }
}
