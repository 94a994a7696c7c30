//! Text: interpolation and `+` of strings as one `Format`, labels and their templates.

use super::function::{Lower, Value};
use super::types::Repr;
use crate::hir::{Const, Expr, ExprKind, LocalId, Part};
use crate::ir::{FormatPart, Op, Reg, Ty};

/// A part before constants beside each other are joined.
enum Piece {
    Text(String),
    Part(FormatPart),
}

impl<'h> Lower<'_, 'h> {
    pub(super) fn interpolate(&mut self, parts: &'h [Part]) -> Value {
        let mut pieces = Vec::new();
        self.pieces_of_parts(parts, &mut pieces);
        Value::One(self.format(pieces))
    }

    pub(super) fn concat_text(&mut self, expr: &'h Expr) -> Value {
        let mut pieces = Vec::new();
        self.pieces(expr, &mut pieces);
        Value::One(self.format(pieces))
    }

    /// A value that is assigned to a variable. In `text = text + more` what is added goes behind the text in place where nobody
    /// else refers to it, so that building a text piece by piece does not copy it each time.
    pub(super) fn longer(&mut self, variable: LocalId, value: &'h Expr) -> Value {
        let (first, more) = self.terms(value);
        let same = matches!(&*first.kind, ExprKind::Local(read) if *read == variable);
        if !same || more.is_empty() {
            return self.expr(value);
        }
        let text = self.expr_reg(first);
        let more = match more[..] {
            [only] => self.expr_reg(only),
            _ => {
                let mut pieces = Vec::new();
                more.iter().for_each(|term| self.pieces(term, &mut pieces));
                self.format(pieces)
            }
        };
        self.rt("rt.append_text", &[text, more])
    }

    /// The leftmost term of a sum of strings, and what is added to it.
    fn terms(&self, sum: &'h Expr) -> (&'h Expr, Vec<&'h Expr>) {
        let (mut first, mut more) = (sum, Vec::new());
        while let ExprKind::Concat { left, right } = &*first.kind
            && matches!(self.t.ty(first.ty), crate::hir::Type::String)
        {
            more.push(right);
            first = left;
        }
        more.reverse();
        (first, more)
    }

    fn pieces_of_parts(&mut self, parts: &'h [Part], pieces: &mut Vec<Piece>) {
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.clone())),
                Part::Value(expr) => self.pieces(expr, pieces),
            }
        }
    }

    /// The pieces of a part; what is itself text from parts is taken apart.
    fn pieces(&mut self, expr: &'h Expr, pieces: &mut Vec<Piece>) {
        match &*expr.kind {
            ExprKind::Const(Const::String(text)) => pieces.push(Piece::Text(text.clone())),
            ExprKind::Interpolate(parts) => self.pieces_of_parts(parts, pieces),
            ExprKind::Concat { left, right }
                if matches!(self.t.ty(expr.ty), crate::hir::Type::String) =>
            {
                self.pieces(left, pieces);
                self.pieces(right, pieces);
            }
            ExprKind::Convert {
                value,
                kind: crate::hir::Conversion::Secret,
            } => self.pieces(value, pieces),
            _ => {
                let value = self.expr(expr);
                let part = self.format_part(value, expr.ty);
                pieces.push(Piece::Part(part));
            }
        }
    }

    fn format_part(&mut self, value: Value, ty: crate::hir::TypeId) -> FormatPart {
        match (value, self.t.repr(ty)) {
            (Value::One(reg), Repr::Scalar(scalar)) => FormatPart::Scalar(scalar, reg),
            (value, _) => FormatPart::Object(self.pack_any(value, ty)),
        }
    }

    /// Any value as interpolation shows it.
    pub fn show(&mut self, expr: &'h Expr) -> Value {
        let mut pieces = Vec::new();
        self.pieces(expr, &mut pieces);
        Value::One(self.format(pieces))
    }

    fn format(&mut self, pieces: Vec<Piece>) -> Reg {
        let mut parts = Vec::new();
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Part(part) => {
                    self.flush(&mut text, &mut parts);
                    parts.push(part);
                }
            }
        }
        if parts.is_empty() {
            return self.text(&text);
        }
        self.flush(&mut text, &mut parts);
        self.b.emit1(Op::Format(parts), Ty::Ptr)
    }

    fn flush(&mut self, text: &mut String, parts: &mut Vec<FormatPart>) {
        if !text.is_empty() {
            parts.push(FormatPart::Text(self.t.string(&std::mem::take(text))));
        }
    }

    /// Template and register of a label or name; the register is null if the template says it all.
    pub fn label(&mut self, expr: &'h Expr) -> (String, Reg) {
        let template = template(expr);
        match &*expr.kind {
            ExprKind::Const(_) => (template, self.null()),
            _ => {
                let reg = self.expr_reg(expr);
                (template, reg)
            }
        }
    }
}

/// The text of an expression with `{}` for what is not constant.
pub(crate) fn template(expr: &Expr) -> String {
    match &*expr.kind {
        ExprKind::Const(Const::String(text)) => text.clone(),
        ExprKind::Convert { value, .. } => template(value),
        ExprKind::Concat { left, right } => template(left) + &template(right),
        ExprKind::Interpolate(parts) => {
            let part = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Value(expr) => template(expr),
            };
            parts.iter().map(part).collect()
        }
        _ => "{}".to_owned(),
    }
}
