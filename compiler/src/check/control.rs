//! Expressions with blocks: `if`, `match`, `do`, `catch`, `step`, `timeout`, `retry`; and what leaves them.

use super::Checker;
use super::block::Checked;
use super::expr::Want;
use super::scope::{Returns, ScopeKind, VarKind};
use crate::diagnostics::{lints, types, values};
use crate::hir::{Arm, Block, Const, Expr, ExprKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, CatchHandler, Else};

impl Checker<'_> {
    pub(super) fn if_expr(
        &mut self,
        cond: &ast::Cond,
        then: &ast::Block,
        otherwise: Option<&Else>,
        span: Span,
        want: Want,
    ) -> Expr {
        self.push(ScopeKind::Block);
        let cond = self.cond(cond);
        let then = self.block(then, want);
        self.pop();
        let Some(otherwise) = otherwise else {
            if want != Want::Drop {
                return self.refused(values::if_without_else(span));
            }
            return self.node(
                ExprKind::If {
                    cond,
                    then: then.block,
                    otherwise: None,
                },
                self.basic.none,
                span,
            );
        };
        let want = self.hinted(want, then.ty);
        let otherwise = match otherwise {
            Else::Block(block) => self.block(block, want),
            Else::If(expr) => {
                let value = self.expr(expr, want);
                let ty = value.ty;
                Checked {
                    block: self.block_of(value, expr.span, want),
                    ty,
                }
            }
        };
        let (ty, mut blocks) = self.joined_branches(vec![then, otherwise], want);
        let otherwise = blocks.pop();
        let then = blocks.pop().expect("two blocks went in");
        self.node(
            ExprKind::If {
                cond,
                then,
                otherwise,
            },
            ty,
            span,
        )
    }

    /// What the next branch is probably like, when the one before had this type.
    fn hinted(&self, want: Want, ty: TypeId) -> Want {
        let tells = ty != self.basic.none && ty != self.basic.never && !self.is_unknown(ty);
        if want == Want::Any && tells {
            Want::Hint(ty)
        } else {
            want
        }
    }

    /// An expression as a block with nothing else in it.
    fn block_of(&self, value: Expr, span: Span, want: Want) -> Block {
        match want {
            Want::Drop => {
                let kind = crate::hir::StmtKind::Expr(value);
                Block {
                    stmts: vec![crate::hir::Stmt { span, kind }],
                    value: None,
                    span,
                }
            }
            _ => Block {
                stmts: Vec::new(),
                value: Some(value),
                span,
            },
        }
    }

    /// Gives branches one type.
    pub(super) fn joined_branches(
        &mut self,
        branches: Vec<Checked>,
        want: Want,
    ) -> (TypeId, Vec<Block>) {
        let never = branches.iter().all(|branch| branch.ty == self.basic.never);
        let blocks = |branches: Vec<Checked>| {
            branches
                .into_iter()
                .map(|branch| branch.block)
                .collect::<Vec<_>>()
        };
        match want {
            _ if never => (self.basic.never, blocks(branches)),
            Want::Drop => (self.basic.none, blocks(branches)),
            Want::Type(ty) => {
                for branch in &branches {
                    self.require_value(branch);
                }
                let converted = branches
                    .into_iter()
                    .map(|branch| self.converted_block(branch, ty))
                    .collect();
                (ty, converted)
            }
            Want::Any | Want::Hint(_) => self.joined_any(branches),
        }
    }

    fn joined_any(&mut self, branches: Vec<Checked>) -> (TypeId, Vec<Block>) {
        let valued = branches
            .iter()
            .filter(|branch| branch.block.value.is_some())
            .count();
        if valued == 0 {
            let blocks = branches.into_iter().map(|branch| branch.block).collect();
            return (self.basic.none, blocks);
        }
        for branch in &branches {
            self.require_value(branch);
            self.require_real_none(branch);
        }
        let values: Vec<_> = branches
            .iter()
            .filter(|branch| branch.block.value.is_some() || branch.ty == self.basic.never)
            .map(Checked::as_expr)
            .collect();
        let ty = self.join_all(&values);
        let blocks = branches
            .into_iter()
            .map(|branch| self.converted_block(branch, ty))
            .collect();
        (ty, blocks)
    }

    /// A call without a value is no `none`.
    fn require_real_none(&mut self, branch: &Checked) {
        if let Some(value) = &branch.block.value
            && value.ty == self.basic.none
            && matches!(
                &*value.kind,
                ExprKind::Call { .. } | ExprKind::CallNative { .. } | ExprKind::CallVar { .. }
            )
        {
            self.report(values::no_value_here(value.span));
        }
    }

    fn converted_block(&mut self, branch: Checked, ty: TypeId) -> Block {
        let Block { stmts, value, span } = branch.block;
        let value = value.map(|value| self.coerce(value, ty));
        Block { stmts, value, span }
    }

    pub(super) fn match_expr(
        &mut self,
        value: &ast::Expr,
        arms: &[ast::MatchArm],
        span: Span,
        want: Want,
    ) -> Expr {
        let value = self.value(value);
        let kind = self.is_error_kind(&value);
        let mut patterns = Vec::with_capacity(arms.len());
        let mut branches = Vec::with_capacity(arms.len());
        let mut guards = Vec::with_capacity(arms.len());
        let mut wrong = false;
        let mut hint = want;
        for arm in arms {
            self.push(ScopeKind::Block);
            let before = self.diagnostics.len();
            patterns.push(self.pattern(&arm.pattern, value.ty, kind));
            wrong |= self.diagnostics.len() > before;
            guards.push(
                arm.guard
                    .as_ref()
                    .map(|guard| self.typed(guard, self.basic.bool)),
            );
            let branch = self.arm_body(&arm.body, hint);
            hint = self.hinted(hint, branch.ty);
            branches.push(branch);
            self.pop();
        }
        if !wrong {
            self.check_exhaustive(&value, arms, &patterns, &guards, span);
        }
        let spans: Vec<_> = branches.iter().map(|branch| branch.block.span).collect();
        let (ty, blocks) = self.joined_branches(branches, want);
        let arms = patterns
            .into_iter()
            .zip(guards)
            .zip(blocks.into_iter().zip(spans))
            .map(|((pattern, guard), (block, span))| Arm {
                pattern,
                guard,
                body: self.body_of(block, ty, span),
            })
            .collect();
        self.node(ExprKind::Match { value, arms }, ty, span)
    }

    fn arm_body(&mut self, body: &ast::Expr, want: Want) -> Checked {
        match &*body.kind {
            ast::ExprKind::Do(block) => self.block(block, want),
            _ => {
                let value = match want {
                    Want::Type(ty) => self.typed(body, ty),
                    Want::Any | Want::Hint(_) | Want::Drop => self.expr(body, want),
                };
                let ty = value.ty;
                let block = self.block_of(value, body.span, want);
                let ty = if want == Want::Drop && ty != self.basic.never {
                    self.basic.none
                } else {
                    ty
                };
                Checked { block, ty }
            }
        }
    }

    /// A block as the body of an arm.
    fn body_of(&self, block: Block, ty: TypeId, span: Span) -> Expr {
        match block {
            Block {
                stmts,
                value: Some(value),
                ..
            } if stmts.is_empty() => value,
            block => self.node(ExprKind::Do(block), ty, span),
        }
    }

    pub(super) fn do_expr(&mut self, body: &ast::Block, span: Span, want: Want) -> Expr {
        let (block, ty) = self.value_block(body, want);
        self.node(ExprKind::Do(block), ty, span)
    }

    /// The block of `do`, `step`, `timeout`, `retry`.
    fn value_block(&mut self, body: &ast::Block, want: Want) -> (Block, TypeId) {
        let checked = self.block(body, want);
        let (ty, mut blocks) = self.joined_branches(vec![checked], want);
        (blocks.pop().expect("one block went in"), ty)
    }

    pub(super) fn step(
        &mut self,
        name: &ast::Expr,
        body: &ast::Block,
        span: Span,
        want: Want,
    ) -> Expr {
        let name = self.label(name);
        let (body, ty) = self.value_block(body, want);
        self.node(ExprKind::Step { name, body }, ty, span)
    }

    pub(super) fn timeout(
        &mut self,
        limit: &ast::Expr,
        body: &ast::Block,
        span: Span,
        want: Want,
    ) -> Expr {
        let limit = self.typed(limit, self.basic.duration);
        self.require_positive(&limit, false);
        let (body, ty) = self.value_block(body, want);
        self.node(ExprKind::Timeout { limit, body }, ty, span)
    }

    pub(super) fn retry(
        &mut self,
        times: Option<&ast::Expr>,
        backoff: Option<&ast::Expr>,
        body: &ast::Block,
        span: Span,
        want: Want,
    ) -> Expr {
        let times = times.map(|times| {
            let times = self.typed(times, self.basic.int);
            self.require_positive(&times, true);
            times
        });
        let backoff = backoff.and_then(|backoff| self.backoff(backoff));
        if backoff.is_some() {
            self.waits.waits(self.f.id, span);
        }
        let (body, ty) = self.value_block(body, want);
        self.node(
            ExprKind::Retry {
                times,
                backoff,
                body,
            },
            ty,
            span,
        )
    }

    fn backoff(&mut self, backoff: &ast::Expr) -> Option<(Expr, Expr)> {
        let wanted = self.intern(Type::Range(self.basic.duration));
        let value = self.expr(backoff, Want::Type(wanted));
        match *value.kind {
            ExprKind::Range { start, end, .. } if start.ty == self.basic.duration => {
                Some((start, end))
            }
            kind if value.ty == self.basic.duration => {
                let value = Expr {
                    kind: Box::new(kind),
                    ..value
                };
                let again = self.typed(backoff, self.basic.duration);
                Some((value, again))
            }
            _ if self.is_unknown(value.ty) => None,
            _ => {
                let found = self.name(value.ty);
                self.report(types::mismatch(
                    "range of duration",
                    &found,
                    value.span,
                    None,
                ));
                None
            }
        }
    }

    pub(super) fn catch(
        &mut self,
        value: &ast::Expr,
        handler: &CatchHandler,
        span: Span,
        want: Want,
    ) -> Expr {
        let value = match want {
            Want::Type(ty) => self.expr(value, Want::Type(ty)),
            Want::Any | Want::Hint(_) | Want::Drop => self.expr(value, want),
        };
        let hint = match want {
            Want::Any | Want::Hint(_) if value.ty == self.basic.none => Want::Drop,
            other => self.hinted(other, value.ty),
        };
        let value = match hint {
            Want::Type(ty) => self.coerce(value, ty),
            _ => value,
        };
        self.push(ScopeKind::Block);
        let (binder, handler) = match handler {
            CatchHandler::Block { binder, body } => {
                let binder = binder
                    .as_ref()
                    .map(|name| self.declare(name, self.basic.error, false, VarKind::Silent));
                (binder, self.open_block(body, hint))
            }
            CatchHandler::Value(fallback) => (None, self.fallback(fallback, &value, hint)),
        };
        self.pop();
        let ty = match hint {
            Want::Drop => {
                let dead = value.ty == self.basic.never && handler.ty == self.basic.never;
                let ty = if dead {
                    self.basic.never
                } else {
                    self.basic.none
                };
                return self.node(
                    ExprKind::Catch {
                        value,
                        binder,
                        handler: handler.block,
                    },
                    ty,
                    span,
                );
            }
            Want::Type(ty) => {
                self.require_value(&handler);
                ty
            }
            Want::Any | Want::Hint(_) => {
                self.require_value(&handler);
                self.join_all(&[copy_head(&value), handler.as_expr()])
            }
        };
        let value = self.coerce(value, ty);
        let handler = self.converted_block(handler, ty);
        self.node(
            ExprKind::Catch {
                value,
                binder,
                handler,
            },
            ty,
            span,
        )
    }

    /// `x catch VALUE`.
    fn fallback(&mut self, fallback: &ast::Expr, value: &Expr, hint: Want) -> Checked {
        let value = match hint {
            Want::Type(ty) => self.typed(fallback, ty),
            Want::Any | Want::Hint(_) => self.expr(fallback, Want::Hint(value.ty)),
            Want::Drop => self.expr(fallback, Want::Any),
        };
        let ty = value.ty;
        if hint == Want::Drop && ty != self.basic.never && ty != self.basic.none {
            self.report(lints::unused_value(
                fallback.span,
                "write `catch { }` if the error does not matter",
            ));
        }
        let span = fallback.span;
        Checked {
            block: self.block_of(value, span, hint),
            ty,
        }
    }

    pub(super) fn return_expr(&mut self, value: Option<&ast::Expr>, span: Span) -> Expr {
        if let Some(barrier) = self.barrier() {
            self.report(values::jump_out("return", barrier, span));
            if let Some(value) = value {
                self.expr(value, Want::Any);
            }
            return self.node(ExprKind::Return(None), self.basic.never, span);
        }
        let value = match (self.f.returns, value) {
            (Returns::Nothing, value) => {
                if let Some(value) = value {
                    self.expr(value, Want::Any);
                }
                self.report(values::nothing_to_return_from(span));
                None
            }
            (Returns::Plain, Some(value)) => {
                self.expr(value, Want::Any);
                self.report(types::unexpected_return(value.span));
                None
            }
            (Returns::Plain, None) => None,
            (Returns::Value(ty), Some(value)) => Some(self.typed(value, ty)),
            (Returns::Value(ty), None) => {
                let ty = self.name(ty);
                self.report(types::return_without_value(&ty, span));
                None
            }
            (Returns::Infer(known), value) => self.inferred_return(known, value, span),
        };
        self.node(ExprKind::Return(value), self.basic.never, span)
    }

    /// `return` in `setup`: the first one decides.
    fn inferred_return(
        &mut self,
        known: Option<TypeId>,
        value: Option<&ast::Expr>,
        span: Span,
    ) -> Option<Expr> {
        let none = self.basic.none;
        let Some(value) = value else {
            match known {
                Some(ty) if ty != none => {
                    let ty = self.name(ty);
                    self.report(types::return_without_value(&ty, span));
                }
                _ => self.f.returns = Returns::Infer(Some(none)),
            }
            return None;
        };
        match known {
            Some(ty) if ty == none => {
                self.expr(value, Want::Any);
                self.report(types::unexpected_return(value.span));
                None
            }
            Some(ty) => Some(self.typed(value, ty)),
            None => {
                let value = self.value(value);
                self.f.returns = Returns::Infer(Some(value.ty));
                Some(value)
            }
        }
    }

    /// What stands between here and the function, that no jump leaves.
    fn barrier(&self) -> Option<&'static str> {
        self.f
            .scopes
            .iter()
            .rev()
            .find_map(|scope| match scope.kind {
                ScopeKind::Branch(what) => Some(what),
                ScopeKind::Defer => Some("`defer`"),
                _ => None,
            })
    }

    pub(super) fn jump(&mut self, kind: ExprKind, word: &str, span: Span) -> Expr {
        for scope in self.f.scopes.iter().rev() {
            match scope.kind {
                ScopeKind::Loop { .. } => return self.node(kind, self.basic.never, span),
                ScopeKind::Branch(what) => {
                    self.report(values::jump_out(word, what, span));
                    return self.node(ExprKind::Return(None), self.basic.never, span);
                }
                ScopeKind::Defer => {
                    self.report(values::jump_out(word, "`defer`", span));
                    return self.node(ExprKind::Return(None), self.basic.never, span);
                }
                ScopeKind::Block => {}
            }
        }
        self.report(values::no_loop(word, span));
        self.node(ExprKind::Return(None), self.basic.never, span)
    }

    pub(super) fn fail(&mut self, value: &ast::Expr, kind: Option<&ast::Expr>, span: Span) -> Expr {
        let value = self.value(value);
        let never = self.basic.never;
        if value.ty == self.basic.error {
            if let Some(kind) = kind {
                self.expr(kind, Want::Any);
                self.report(values::rethrow_with_kind(kind.span));
            }
            return self.node(ExprKind::Rethrow(value), never, span);
        }
        let message = if self.holds_secret(value.ty) {
            self.refused(values::secret_shown("an error", value.span))
        } else {
            self.coerce(value, self.basic.string)
        };
        let kind = kind.map(|kind| self.fail_kind(kind));
        self.node(ExprKind::Fail { message, kind }, never, span)
    }

    fn fail_kind(&mut self, kind: &ast::Expr) -> Expr {
        let kind = self.typed(kind, self.basic.string);
        if let ExprKind::Const(Const::String(text)) = &*kind.kind {
            self.check_kind(text, kind.span);
        }
        kind
    }
}

/// Type and place of a node, for joining.
fn copy_head(value: &Expr) -> Expr {
    let kind = match &*value.kind {
        ExprKind::Const(value) => ExprKind::Const(value.clone()),
        _ => ExprKind::Break,
    };
    Expr {
        kind: Box::new(kind),
        ty: value.ty,
        span: value.span,
    }
}
