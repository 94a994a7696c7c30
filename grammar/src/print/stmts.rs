//! Blocks, statements and bindings.

use super::Printer;
use crate::ast::{Binding, BindingKind, Block, Cond, Expr, Stmt, StmtKind};

impl Printer {
    pub(super) fn block(&mut self, block: &Block) {
        self.braces(&block.stmts, Self::stmt);
    }

    pub(super) fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let {
                mutable,
                pattern,
                ty,
                value,
            } => {
                self.word(if *mutable { "var " } else { "let " });
                self.binding(pattern);
                self.annotation(ty.as_ref());
                self.word(" = ");
                self.expr(value);
            }
            StmtKind::Assign {
                place, op, value, ..
            } => {
                self.expr(place);
                self.word(&format!(" {}= ", op.map_or("", crate::ast::BinaryOp::text)));
                self.expr(value);
            }
            StmtKind::Check { label, cond } => self.labelled("check ", label.as_ref(), cond),
            StmtKind::Expect { label, cond } => self.labelled("expect ", label.as_ref(), cond),
            StmtKind::Think(pause) => self.headed("think ", pause),
            StmtKind::Sleep(pause) => self.headed("sleep ", pause),
            StmtKind::Defer(stmt) => {
                self.word("defer ");
                self.stmt(stmt);
            }
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Block(block) => self.block(block),
            StmtKind::Bad => self.word("<bad>"),
            _ => self.compound(&stmt.kind),
        }
    }

    /// The statements that hold a block.
    fn compound(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => {
                self.for_head("for ", pattern, iterable);
                self.word(" ");
                self.block(body);
            }
            StmtKind::While { cond, body } => {
                self.word("while ");
                self.cond(cond);
                self.word(" ");
                self.block(body);
            }
            StmtKind::Every { period, body } => {
                self.headed("every ", period);
                self.word(" ");
                self.block(body);
            }
            StmtKind::Loop(body) => {
                self.word("loop ");
                self.block(body);
            }
            StmtKind::Parallel(body) => {
                self.word("parallel ");
                self.block(body);
            }
            StmtKind::Choose(arms) => {
                self.word("choose ");
                self.braces(arms, |printer, arm| {
                    printer.expr(&arm.weight);
                    printer.word(" => ");
                    printer.block(&arm.body);
                });
            }
            _ => {}
        }
    }

    fn headed(&mut self, word: &str, expr: &Expr) {
        self.word(word);
        self.expr(expr);
    }

    fn labelled(&mut self, word: &str, label: Option<&Expr>, cond: &Expr) {
        self.word(word);
        if let Some(label) = label {
            self.expr(label);
            self.word(": ");
        }
        self.expr(cond);
    }

    pub(super) fn for_head(&mut self, word: &str, pattern: &Binding, iterable: &Expr) {
        self.word(word);
        self.binding(pattern);
        self.word(" in ");
        self.expr(iterable);
    }

    pub(super) fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(expr) => self.expr(expr),
            Cond::Let { pattern, value } => {
                self.word("let ");
                self.binding(pattern);
                self.word(" = ");
                self.expr(value);
            }
        }
    }

    pub(super) fn binding(&mut self, binding: &Binding) {
        match &binding.kind {
            BindingKind::Name(name) => self.word(&name.text),
            BindingKind::Ignore => self.word("_"),
            BindingKind::Tuple(parts) => {
                self.word("(");
                self.joined(parts, ", ", Self::binding);
                self.word(")");
            }
            BindingKind::Missing => self.word("<missing>"),
        }
    }
}
