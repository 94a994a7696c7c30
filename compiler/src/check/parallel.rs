//! Branches that run side by side: `parallel { }`, `parallel for`, `race { }`.

use super::Checker;
use super::block::Checked;
use super::expr::Want;
use super::scope::{ScopeKind, Var};
use crate::diagnostics::values;
use crate::hir::{Block, Branch, Expr, ExprKind, LocalId, StmtKind};
use scn_grammar::Span;
use scn_grammar::ast;

impl Checker<'_> {
    /// `parallel { a; b }`: every statement is a branch, its `let`s are visible afterwards.
    pub(super) fn parallel(&mut self, body: &ast::Block, span: Span) -> StmtKind {
        self.waits.waits(self.f.id, span);
        let mut branches = Vec::with_capacity(body.stmts.len());
        let mut visible = Vec::new();
        for stmt in &body.stmts {
            self.push(ScopeKind::Branch("a branch of `parallel`"));
            let checked = self.stmt(stmt);
            let scope = self.pop();
            let lets = scope
                .names
                .iter()
                .filter_map(|(_, var, _)| local_of(*var))
                .collect();
            visible.extend(scope.names);
            if let Some(checked) = checked {
                let body = Block {
                    stmts: vec![checked],
                    value: None,
                    span: stmt.span,
                };
                branches.push(Branch { body, lets });
            }
        }
        for (name, var, span) in visible {
            self.bind(&name, var, span);
        }
        if body.stmts.is_empty() {
            self.report(values::no_branches("parallel", span));
        }
        StmtKind::Parallel(branches)
    }

    /// `race { a; b }`: the value of the first branch to finish.
    pub(super) fn race(&mut self, body: &ast::Block, span: Span, want: Want) -> Expr {
        self.waits.waits(self.f.id, span);
        if body.stmts.is_empty() {
            self.report(values::no_branches("race", span));
        }
        let mut branches = Vec::with_capacity(body.stmts.len());
        for stmt in &body.stmts {
            self.push(ScopeKind::Branch("a branch of `race`"));
            branches.push(self.race_branch(stmt, want));
            self.pop();
        }
        let (ty, blocks) = self.joined_branches(branches, want);
        let branches = blocks
            .into_iter()
            .map(|body| Branch {
                body,
                lets: Vec::new(),
            })
            .collect();
        self.node(ExprKind::Race(branches), ty, span)
    }

    fn race_branch(&mut self, stmt: &ast::Stmt, want: Want) -> Checked {
        let block = ast::Block {
            span: stmt.span,
            stmts: vec![stmt.clone()],
        };
        self.open_block(&block, want)
    }

    /// `parallel for x in xs max 6 { }`.
    pub(super) fn parallel_for(
        &mut self,
        pattern: &ast::Binding,
        iterable: &ast::Expr,
        max: Option<&ast::Expr>,
        body: &ast::Block,
        span: Span,
        want: Want,
    ) -> Expr {
        self.waits.waits(self.f.id, span);
        let (iterable, element) = self.iterable(iterable);
        let max = max.map(|max| {
            let max = self.typed(max, self.basic.int);
            self.require_positive(&max, false);
            max
        });
        let inner = match want {
            Want::Type(ty) => match self.ty(ty) {
                crate::hir::Type::List(element) => Want::Type(*element),
                _ => Want::Any,
            },
            other => other,
        };
        self.push(ScopeKind::Branch("a branch of `parallel for`"));
        let pattern = self.binding(pattern, element, false);
        let checked = self.block(body, inner);
        self.pop();
        let (element, mut blocks) = self.joined_branches(vec![checked], inner);
        let body = blocks.pop().expect("one block went in");
        let no_value = element == self.basic.none || element == self.basic.never;
        let ty = if no_value {
            self.basic.none
        } else {
            self.list(element)
        };
        self.node(
            ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            },
            ty,
            span,
        )
    }
}

fn local_of(var: Var) -> Option<LocalId> {
    match var {
        Var::Local(id) => Some(id),
        Var::Cell(_) => None,
    }
}
