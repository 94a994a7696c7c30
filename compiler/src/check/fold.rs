//! Constant folding: what an expression of constants is worth.
//!
//! [`constant`] reads a checked expression; [`Checker::folded`] is called where arithmetic is built, so that an
//! overflow in a constant is reported where it stands.

use super::Checker;
use crate::diagnostics::values;
use crate::hir::{Arith, Const, Conversion, Expr, ExprKind, Part, Type, TypeId};
use scn_grammar::ast::{BinaryOp, UnaryOp};

/// Why a constant has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It does not fit.
    Overflow,
    /// Something is divided by zero.
    DivisionByZero,
    /// A shift outside 0..63.
    Shift,
}

/// The value of an expression made of constants only.
pub(super) fn constant(expr: &Expr) -> Option<Const> {
    let all = |exprs: &[Expr]| exprs.iter().map(constant).collect::<Option<Vec<_>>>();
    match &*expr.kind {
        ExprKind::Const(value) => Some(value.clone()),
        ExprKind::List(items) => Some(Const::List(all(items)?)),
        ExprKind::Tuple(items) => Some(Const::Tuple(all(items)?)),
        ExprKind::Record { fields, .. } => Some(Const::Record(all(fields)?)),
        ExprKind::Map(entries) => {
            let entries: Option<Vec<_>> = entries
                .iter()
                .map(|(key, value)| Some((constant(key)?, constant(value)?)))
                .collect();
            Some(Const::Map(last_of_each(entries?)))
        }
        ExprKind::Range {
            start,
            end,
            inclusive,
        } => Some(Const::Range {
            start: Box::new(constant(start)?),
            end: Box::new(constant(end)?),
            inclusive: *inclusive,
        }),
        ExprKind::Convert { value, kind } => converted(constant(value)?, *kind, value.ty),
        _ => None,
    }
}

fn last_of_each(entries: Vec<(Const, Const)>) -> Vec<(Const, Const)> {
    let mut kept: Vec<(Const, Const)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match kept.iter_mut().find(|(known, _)| *known == key) {
            Some(known) => known.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept
}

fn converted(value: Const, kind: Conversion, from: TypeId) -> Option<Const> {
    match kind {
        Conversion::ToOptional | Conversion::Secret | Conversion::Static => Some(value),
        Conversion::IntToFloat => match value {
            Const::Int(n) => Some(Const::Float(n as f64)),
            _ => None,
        },
        Conversion::ToJson | Conversion::ToUnion => Some(Const::Any(from, Box::new(value))),
        Conversion::Record => None,
    }
}

impl Checker<'_> {
    /// Replaces an operation on constants by its value; reports one that has none.
    pub(super) fn folded(&mut self, expr: Expr) -> Expr {
        let result = match &*expr.kind {
            ExprKind::Arith { op, left, right } => arith(*op, left, right),
            ExprKind::Unary { op, operand } => unary(*op, operand),
            ExprKind::Concat { left, right } => Ok(concat(left, right)),
            ExprKind::Interpolate(parts) => Ok(self.text_of(parts)),
            ExprKind::Convert { .. } => Ok(constant(&expr)),
            _ => Ok(None),
        };
        match result {
            Ok(Some(value)) => Expr {
                kind: Box::new(ExprKind::Const(value)),
                ..expr
            },
            Ok(None) => expr,
            Err(trouble) => {
                self.report(values::no_value(trouble_text(trouble), expr.span));
                Expr {
                    ty: self.basic.unknown,
                    ..expr
                }
            }
        }
    }

    fn text_of(&self, parts: &[Part]) -> Option<Const> {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Value(expr) => match (&*expr.kind, self.ty(expr.ty)) {
                    (ExprKind::Const(Const::String(part)), Type::String) => text.push_str(part),
                    (ExprKind::Const(Const::Int(n)), Type::Int) => text.push_str(&n.to_string()),
                    (ExprKind::Const(Const::Bool(b)), Type::Bool) => text.push_str(&b.to_string()),
                    (ExprKind::Const(Const::Ip(ip)), Type::Ip) => text.push_str(&ip.to_string()),
                    (ExprKind::Const(Const::Addr(addr)), Type::Addr) => {
                        text.push_str(&addr.to_string())
                    }
                    _ => return None,
                },
            }
        }
        Some(Const::String(text))
    }
}

fn trouble_text(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Overflow => "the result does not fit",
        Trouble::DivisionByZero => "division by zero",
        Trouble::Shift => "a shift must be by 0 to 63 bits",
    }
}

fn concat(left: &Expr, right: &Expr) -> Option<Const> {
    match (constant(left)?, constant(right)?) {
        (Const::String(a), Const::String(b)) => Some(Const::String(a + &b)),
        (Const::Bytes(a), Const::Bytes(b)) => Some(Const::Bytes([a, b].concat())),
        (Const::List(a), Const::List(b)) => Some(Const::List([a, b].concat())),
        _ => None,
    }
}

fn unary(op: UnaryOp, operand: &Expr) -> Result<Option<Const>, Trouble> {
    let Some(value) = constant(operand) else {
        return Ok(None);
    };
    Ok(match (op, value) {
        (UnaryOp::Neg, Const::Int(n)) => {
            Some(Const::Int(n.checked_neg().ok_or(Trouble::Overflow)?))
        }
        (UnaryOp::Neg, Const::Float(x)) => Some(Const::Float(-x)),
        (UnaryOp::Neg, Const::Duration(d)) => {
            Some(Const::Duration(d.checked_neg().ok_or(Trouble::Overflow)?))
        }
        (UnaryOp::Not, Const::Bool(b)) => Some(Const::Bool(!b)),
        (UnaryOp::BitNot, Const::Int(n)) => Some(Const::Int(!n)),
        _ => None,
    })
}

fn arith(op: Arith, left: &Expr, right: &Expr) -> Result<Option<Const>, Trouble> {
    let (left, right) = match (constant(left), constant(right)) {
        (Some(left), Some(right)) => (left, right),
        // A constant divisor tells without the other side.
        (None, Some(Const::Int(0))) if divides(op) => return Err(Trouble::DivisionByZero),
        _ => return Ok(None),
    };
    let value = match (op, left, right) {
        (Arith::Int(op), Const::Int(a), Const::Int(b)) => Const::Int(int(op, a, b)?),
        (Arith::Float(op), a, b) => return Ok(float(op, &a, &b)),
        (Arith::Duration(op), Const::Duration(a), Const::Duration(b)) => {
            Const::Duration(int(op, a, b)?)
        }
        (
            Arith::DurationInt(op),
            Const::Duration(a) | Const::Int(a),
            Const::Int(b) | Const::Duration(b),
        ) => Const::Duration(int(op, a, b)?),
        (Arith::DurationRatio, Const::Duration(a), Const::Duration(b)) => {
            Const::Float(a as f64 / b as f64)
        }
        (Arith::DurationRem, Const::Duration(a), Const::Duration(b)) => {
            Const::Duration(int(BinaryOp::Rem, a, b)?)
        }
        (Arith::NumberPerDuration, Const::Float(n), Const::Duration(d)) if d != 0 => {
            Const::Rate(n * 1e9 / d as f64)
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

fn divides(op: Arith) -> bool {
    matches!(
        op,
        Arith::Int(BinaryOp::Div | BinaryOp::Rem) | Arith::DurationInt(BinaryOp::Div)
    )
}

fn int(op: BinaryOp, a: i64, b: i64) -> Result<i64, Trouble> {
    if matches!(op, BinaryOp::Div | BinaryOp::Rem) && b == 0 {
        return Err(Trouble::DivisionByZero);
    }
    if matches!(op, BinaryOp::Shl | BinaryOp::Shr) && !(0..64).contains(&b) {
        return Err(Trouble::Shift);
    }
    let value = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div => a.checked_div(b),
        BinaryOp::Rem => a.checked_rem(b),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        BinaryOp::BitXor => Some(a ^ b),
        BinaryOp::Shl => Some(a << b),
        BinaryOp::Shr => Some(a >> b),
        _ => None,
    };
    value.ok_or(Trouble::Overflow)
}

fn float(op: BinaryOp, a: &Const, b: &Const) -> Option<Const> {
    let (Const::Float(a), Const::Float(b)) = (a, b) else {
        return None;
    };
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Rem => a % b,
        _ => return None,
    };
    Some(Const::Float(value))
}
