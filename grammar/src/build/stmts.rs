//! Blocks and statements.

use super::Builder;
use crate::SyntaxErrorKind;
use crate::ast::{BinaryOp, Block, ChooseArm, Cond, Expr, ExprKind, Stmt, StmtKind};
use crate::syntax::{Kids, Node, Rule};

impl<'t> Builder<'t> {
    /// The next block among `kids`, or an empty one where it is missing.
    pub(super) fn take_block(&mut self, kids: &mut Kids<'t>, parent: Node) -> Block {
        if let Some(block) = kids.accept(Rule::block) {
            return self.block(block);
        }
        Block {
            span: self.gap(kids, parent),
            stmts: Vec::new(),
        }
    }

    pub(super) fn block(&mut self, node: Node) -> Block {
        let kids = self
            .kids(node)
            .filter(|kid| matches!(kid.rule, Rule::stmt | Rule::bad_stmt));
        let stmts = kids.map(|kid| self.stmt(kid)).collect();
        Block {
            span: self.span(node),
            stmts,
        }
    }

    pub(super) fn stmt(&mut self, node: Node) -> Stmt {
        let kind = match self.kids(node).next() {
            Some(inner) if node.rule == Rule::stmt => self.stmt_kind(inner),
            _ => StmtKind::Bad,
        };
        Stmt {
            span: self.span(node),
            kind,
        }
    }

    fn stmt_kind(&mut self, node: Node) -> StmtKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::let_s => self.let_stmt(node),
            Rule::check_s => {
                let (label, cond) = self.labelled(node);
                StmtKind::Check { label, cond }
            }
            Rule::expect_s => {
                let (label, cond) = self.labelled(node);
                StmtKind::Expect { label, cond }
            }
            Rule::think_s => StmtKind::Think(self.take_expr(&mut kids, node)),
            Rule::sleep_s => StmtKind::Sleep(self.take_expr(&mut kids, node)),
            Rule::defer_s => self.defer_stmt(node),
            Rule::for_s => {
                let (pattern, iterable) = self.for_head(&mut kids, node);
                StmtKind::For {
                    pattern,
                    iterable,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::while_s => {
                let cond = self.cond(&mut kids, node);
                StmtKind::While {
                    cond,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::loop_s => StmtKind::Loop(self.take_block(&mut kids, node)),
            Rule::every_s => {
                let period = self.take_expr(&mut kids, node);
                StmtKind::Every {
                    period,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::choose_s => StmtKind::Choose(self.choose_arms(kids)),
            Rule::parallel_s => StmtKind::Parallel(self.take_block(&mut kids, node)),
            Rule::expr_s => self.expr_stmt(node),
            _ => StmtKind::Bad,
        }
    }

    fn let_stmt(&mut self, node: Node) -> StmtKind {
        let mut kids = self.kids(node);
        let mutable = kids.next().is_some_and(|word| word.rule == Rule::var_kw);
        let pattern = self.take_binding(&mut kids, node);
        let ty = self.take_annotation(&mut kids);
        StmtKind::Let {
            mutable,
            pattern,
            ty,
            value: self.take_expr(&mut kids, node),
        }
    }

    /// A `let` or `var` among the state of a server.
    pub(super) fn state(&mut self, node: Node) -> Stmt {
        let kind = self
            .kids(node)
            .next()
            .map_or(StmtKind::Bad, |inner| self.let_stmt(inner));
        Stmt {
            span: self.span(node),
            kind,
        }
    }

    /// The label and the condition of `check` and `expect`.
    fn labelled(&mut self, node: Node) -> (Option<Expr>, Expr) {
        let mut kids = self.kids(node);
        let first = self.take_expr(&mut kids, node);
        if kids.accept(Rule::label_colon).is_none() {
            return (None, first);
        }
        if !matches!(*first.kind, ExprKind::Str(_) | ExprKind::Missing) {
            let message = "the label before `:` must be a string".to_owned();
            let help = Some("write the label in quotes, or leave it and the `:` out".to_owned());
            self.error(
                SyntaxErrorKind::Unexpected,
                first.span,
                message,
                "not a string",
                help,
            );
        }
        (Some(first), self.take_expr(&mut kids, node))
    }

    fn defer_stmt(&mut self, node: Node) -> StmtKind {
        let mut kids = self.kids(node);
        let stmt = if let Some(block) = kids.accept(Rule::block) {
            Stmt {
                span: self.span(block),
                kind: StmtKind::Block(self.block(block)),
            }
        } else if let Some(expr) = kids.accept(Rule::expr_s) {
            Stmt {
                span: self.span(expr),
                kind: self.expr_stmt(expr),
            }
        } else {
            Stmt {
                span: self.gap(&kids, node),
                kind: StmtKind::Bad,
            }
        };
        StmtKind::Defer(Box::new(stmt))
    }

    /// The head of `if` and `while`.
    pub(super) fn cond(&mut self, kids: &mut Kids<'t>, parent: Node) -> Cond {
        let Some(node) = kids.accept(Rule::cond_let) else {
            return Cond::Expr(self.take_expr(kids, parent));
        };
        let mut inner = self.kids(node);
        let pattern = self.take_binding(&mut inner, node);
        Cond::Let {
            pattern,
            value: self.take_expr(&mut inner, node),
        }
    }

    fn choose_arms(&mut self, kids: Kids<'t>) -> Vec<ChooseArm> {
        let mut arms = Vec::new();
        for node in kids.filter(|kid| kid.rule == Rule::choose_arm) {
            let mut inner = self.kids(node);
            if inner.has(Rule::head) {
                let weight = self.take_expr(&mut inner, node);
                arms.push(ChooseArm {
                    weight,
                    body: self.take_block(&mut inner, node),
                });
            }
        }
        arms
    }

    fn expr_stmt(&mut self, node: Node) -> StmtKind {
        let mut kids = self.kids(node);
        let place = self.take_expr(&mut kids, node);
        let Some(op) = kids.accept(Rule::assign_op) else {
            return StmtKind::Expr(place);
        };
        self.check_place(&place);
        let value = self.take_expr(&mut kids, node);
        StmtKind::Assign {
            place,
            op: assigned(self.str(op)),
            op_span: self.span(op),
            value,
        }
    }

    fn check_place(&mut self, place: &Expr) {
        let mut root = place;
        while let ExprKind::Field {
            base,
            optional: false,
            ..
        }
        | ExprKind::Index { base, .. } = &*root.kind
        {
            root = base;
        }
        if matches!(*root.kind, ExprKind::Name(_) | ExprKind::Missing) {
            return;
        }
        let message = "this cannot be assigned to".to_owned();
        let help = "assign to a variable, a field `a.b` or an element `a[i]`; `==` compares";
        let label = "not a variable, field or element";
        let kind = SyntaxErrorKind::BadOperator;
        self.error(kind, place.span, message, label, Some(help.to_owned()));
    }
}

/// The operator in front of `=`, if any.
fn assigned(text: &str) -> Option<BinaryOp> {
    Some(match text {
        "+=" => BinaryOp::Add,
        "-=" => BinaryOp::Sub,
        "*=" => BinaryOp::Mul,
        "/=" => BinaryOp::Div,
        "%=" => BinaryOp::Rem,
        "&=" => BinaryOp::BitAnd,
        "|=" => BinaryOp::BitOr,
        "^=" => BinaryOp::BitXor,
        "<<=" => BinaryOp::Shl,
        ">>=" => BinaryOp::Shr,
        _ => return None,
    })
}
