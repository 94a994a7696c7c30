//! Folds the flat lists of operands and operators by binding power.
//!
//! The list is walked once with an explicit stack, so a long chain costs no native stack here; its
//! depth in the tree is bounded before anything is built.

use super::Builder;
use crate::ast::{BinaryOp, CatchHandler, Expr, ExprKind, UnaryOp};
use crate::syntax::{Kids, Node, Rule};
use crate::{Span, SyntaxErrorKind};

/// An infix operator: one of the tree's binary operators or a range.
#[derive(Clone, Copy, PartialEq)]
enum Infix {
    Binary(BinaryOp),
    Range { inclusive: bool },
}

const COMPARISON: u8 = 3;
const COALESCE: u8 = 4;
const RANGE: u8 = 5;

impl Infix {
    fn power(self) -> u8 {
        use BinaryOp::{
            Add, And, BitAnd, BitOr, BitXor, Coalesce, Contains, Div, Eq, Ge, Gt, In, Le, Lt,
            Matches, Mul, Ne, Or, Rem, Shl, Shr, Sub,
        };
        let Infix::Binary(op) = self else {
            return RANGE;
        };
        match op {
            Or => 1,
            And => 2,
            Eq | Ne | Lt | Le | Gt | Ge | Contains | Matches | In => COMPARISON,
            Coalesce => COALESCE,
            BitOr => 6,
            BitXor => 7,
            BitAnd => 8,
            Shl | Shr => 9,
            Add | Sub => 10,
            Mul | Div | Rem => 11,
        }
    }
}

/// Operands and operators not yet joined.
#[derive(Default)]
struct Pending {
    operands: Vec<Expr>,
    operators: Vec<(Infix, Span)>,
}

impl Pending {
    /// Joins the last two operands by the last operator.
    fn join(&mut self) {
        let (Some((infix, op_span)), Some(right), Some(left)) = (
            self.operators.pop(),
            self.operands.pop(),
            self.operands.pop(),
        ) else {
            return;
        };
        let span = left.span.to(right.span);
        let kind = Box::new(match infix {
            Infix::Binary(op) => ExprKind::Binary {
                op,
                op_span,
                left,
                right,
            },
            Infix::Range { inclusive } => ExprKind::Range {
                start: left,
                end: right,
                inclusive,
            },
        });
        self.operands.push(Expr { span, kind });
    }

    fn join_all(&mut self) {
        while !self.operators.is_empty() {
            self.join();
        }
    }
}

impl<'t> Builder<'t> {
    /// An `expr`, `head` or `address`.
    pub(super) fn expr(&mut self, node: Node) -> Expr {
        let levels = self.levels(node);
        let folded = self.within(levels, node, |builder| builder.fold(node));
        folded.unwrap_or_else(|| self.missing(self.span(node)))
    }

    /// The next expression among `kids`, or a missing one.
    pub(super) fn take_expr(&mut self, kids: &mut Kids<'t>, parent: Node) -> Expr {
        match kids.accept_any(&[Rule::expr, Rule::head]) {
            Some(expr) => self.expr(expr),
            None => self.missing(self.gap(kids, parent)),
        }
    }

    /// How many levels the list `node` can add: its operators and its longest operand.
    fn levels(&self, node: Node) -> usize {
        let (mut operators, mut operand, mut longest) = (0, 0, 0);
        for kid in self.kids(node) {
            match kid.rule {
                Rule::infix | Rule::lead | Rule::catch_x => {
                    operators += 1;
                    operand = 0;
                }
                _ => operand += 1,
            }
            longest = longest.max(operand);
        }
        operators + longest
    }

    fn fold(&mut self, node: Node) -> Expr {
        let mut kids = self.kids(node);
        let mut pending = Pending::default();
        pending.operands.push(self.operand(&mut kids, node));
        while let Some(kid) = kids.next() {
            match kid.rule {
                Rule::infix | Rule::lead => {
                    self.infix(kid, &mut pending);
                    pending.operands.push(self.operand(&mut kids, node));
                }
                Rule::catch_x => {
                    pending.join_all();
                    let caught = pending.operands.pop().map(|value| self.catch(value, kid));
                    pending.operands.extend(caught);
                }
                _ => {}
            }
        }
        pending.join_all();
        pending
            .operands
            .pop()
            .unwrap_or_else(|| self.missing(self.span(node)))
    }

    fn infix(&mut self, node: Node, pending: &mut Pending) {
        let infix = infix(self.str(node));
        let power = infix.power();
        while let Some(&(top, top_span)) = pending.operators.last() {
            let chains = power != COMPARISON && power != RANGE;
            if top.power() == power && !chains {
                self.chained(power, top_span, self.span(node));
            }
            // `a ?? b ?? c` groups to the right, everything else to the left.
            if top.power() < power || (top.power() == power && power == COALESCE) {
                break;
            }
            pending.join();
        }
        pending.operators.push((infix, self.span(node)));
    }

    fn chained(&mut self, power: u8, first: Span, second: Span) {
        let (what, help) = match power {
            COMPARISON => ("comparison", "write `a < b && b < c`, or use parentheses"),
            _ => ("range", "a range has one start and one end"),
        };
        let kind = SyntaxErrorKind::BadOperator;
        let (message, label) = (format!("{what}s do not chain"), format!("a second {what}"));
        self.error(kind, second, message, &label, Some(help.to_owned()));
        if let Some(error) = self.errors.last_mut() {
            error.related.push((first, format!("the first {what}")));
        }
    }

    fn catch(&mut self, value: Expr, node: Node) -> Expr {
        let mut kids = self.kids(node);
        let binder = kids.accept(Rule::catch_name);
        let binder = binder.map(|name| self.take_name(&mut self.kids(name), name));
        let handler = if binder.is_some() || kids.has(Rule::block) {
            CatchHandler::Block {
                binder,
                body: self.take_block(&mut kids, node),
            }
        } else {
            CatchHandler::Value(self.take_expr(&mut kids, node))
        };
        let span = value.span.to(self.span(node));
        Expr {
            span,
            kind: Box::new(ExprKind::Catch { value, handler }),
        }
    }

    /// Prefix operators, the operand proper, what is appended to it, and `as`.
    fn operand(&mut self, kids: &mut Kids<'t>, parent: Node) -> Expr {
        let mut prefixes = Vec::new();
        while let Some(prefix) = kids.accept(Rule::prefix) {
            prefixes.push(prefix);
        }
        let Some(primary) = kids.next() else {
            return self.missing(self.gap(kids, parent));
        };
        let minus = prefixes
            .last()
            .is_some_and(|&last| self.str(last).starts_with('-'));
        let (mut expr, signed) = self.primary(primary, minus);
        while let Some(next) = kids.peek().filter(|next| is_appended(next.rule)) {
            kids.next();
            expr = self.appended(expr, next);
        }
        if signed && let Some(minus) = prefixes.pop() {
            expr.span = self.span(minus).to(expr.span);
        }
        while let Some(prefix) = prefixes.pop() {
            expr = self.prefixed(prefix, expr);
        }
        expr
    }

    /// `operand` behind the prefix operator `node`.
    pub(super) fn prefixed(&self, node: Node, operand: Expr) -> Expr {
        let op = match self.str(node).as_bytes().first() {
            Some(b'!') => UnaryOp::Not,
            Some(b'~') => UnaryOp::BitNot,
            _ => UnaryOp::Neg,
        };
        let span = self.span(node).to(operand.span);
        Expr {
            span,
            kind: Box::new(ExprKind::Unary { op, operand }),
        }
    }

    fn appended(&mut self, base: Expr, node: Node) -> Expr {
        let span = base.span.to(self.span(node));
        let mut kids = self.kids(node);
        let kind = match node.rule {
            Rule::call => ExprKind::Call {
                callee: base,
                args: self.args(node),
            },
            Rule::index => ExprKind::Index {
                base,
                index: self.take_expr(&mut kids, node),
            },
            Rule::as_x => ExprKind::As {
                value: base,
                ty: self.take_type(&mut kids, node),
            },
            _ => {
                let name = match kids.accept(Rule::word) {
                    Some(word) => self.word(word),
                    None => self.nameless(node),
                };
                ExprKind::Field {
                    base,
                    name,
                    optional: node.rule == Rule::opt_field,
                }
            }
        };
        Expr {
            span,
            kind: Box::new(kind),
        }
    }
}

fn is_appended(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::call | Rule::index | Rule::field | Rule::opt_field | Rule::as_x
    )
}

fn infix(text: &str) -> Infix {
    Infix::Binary(match text {
        ".." => return Infix::Range { inclusive: false },
        "..=" => return Infix::Range { inclusive: true },
        "||" => BinaryOp::Or,
        "&&" => BinaryOp::And,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "contains" => BinaryOp::Contains,
        "matches" => BinaryOp::Matches,
        "in" => BinaryOp::In,
        "??" => BinaryOp::Coalesce,
        "|" => BinaryOp::BitOr,
        "^" => BinaryOp::BitXor,
        "&" => BinaryOp::BitAnd,
        "<<" => BinaryOp::Shl,
        ">>" => BinaryOp::Shr,
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        _ => BinaryOp::Rem,
    })
}
