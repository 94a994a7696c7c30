//! `check` and `expect`: the condition taken apart, so that a failure shows both sides.

use super::function::{Lower, Value};
use super::scopes::ScopeKind;
use crate::hir::{Check, Conversion, Expr, ExprKind, NativeId, Type, TypeId};
use crate::ir::{BlockId, Reg, SiteKind, Ty};
use scn_grammar::ast::BinaryOp;

/// A side of a comparison: its value and what it came from.
type Side<'h> = (Value, &'h Expr);

/// What every report of a check names.
#[derive(Clone, Copy)]
struct Report {
    soft: bool,
    site: Reg,
    label: Reg,
}

impl<'h> Lower<'_, 'h> {
    pub(super) fn check(&mut self, check: &'h Check) {
        let report = self.report(check);
        let done = self.b.block();
        if check.soft {
            self.push_scope(ScopeKind::Handler);
        }
        self.conjunct(&check.cond, report, done);
        let failed = if check.soft { self.pop_handler() } else { None };
        self.held(report);
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.pass_cancellation();
            self.rt("rt.check_error", &[report.site, report.label]);
            self.b.jump(done);
        }
        self.b.enter(done);
    }

    fn report(&mut self, check: &'h Check) -> Report {
        let (label, label_reg) = match &check.label {
            Some(label) => self.label(label),
            None => (self.source_text(&check.cond), self.null()),
        };
        let kind = if check.soft {
            SiteKind::Check
        } else {
            SiteKind::Expect
        };
        let site = self.t.site(kind, label, check.cond.span);
        Report {
            soft: check.soft,
            site: self.b.int(i64::from(site.0)),
            label: label_reg,
        }
    }

    /// The condition as written, on one line.
    fn source_text(&self, cond: &Expr) -> String {
        let text = self
            .t
            .sources
            .all
            .get(cond.span.source.0 as usize)
            .and_then(|s| s.text.get(cond.span.range()));
        // Blanks inside of a line may be part of a text.
        text.unwrap_or_default()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Goes on where the condition holds; where it does not, reports and goes to `done`.
    fn conjunct(&mut self, cond: &'h Expr, report: Report, done: BlockId) {
        match &*cond.kind {
            ExprKind::Logic {
                op: BinaryOp::And,
                left,
                right,
            } => {
                self.conjunct(left, report, done);
                self.conjunct(right, report, done);
            }
            ExprKind::Compare { op, left, right } => {
                let ty = left.ty;
                let (a, b) = (self.expr(left), self.expr(right));
                let ok = self.compare_values(*op, a, b, ty);
                self.report_unless(ok, report, done, Some(((a, left), (b, right))));
            }
            ExprKind::CallNative { args, native } if self.shows_sides(*native, args) => {
                // The arguments are bound first so that a failure can show them: `text contains "x"`.
                let (a, b) = (self.expr(&args[0]), self.expr(&args[1]));
                let ok = self.native_flag(*native, [a, b], args, cond.ty);
                let mut sides = [(a, &args[0]), (b, &args[1])];
                // `text matches re"..."` and `x in xs` call a method of what stands on the right.
                sides.sort_by_key(|(_, arg)| arg.span.start);
                let [left, right] = sides;
                self.report_unless(ok, report, done, Some((left, right)));
            }
            _ => {
                let ok = self.expr_reg(cond);
                self.report_unless(ok, report, done, None);
            }
        }
    }

    /// Whether a call is an operator such as `contains` on two values that can be shown.
    fn shows_sides(&self, native: NativeId, args: &[Expr]) -> bool {
        self.hir.natives[native.index()].body.is_none()
            && args.len() == 2
            && args
                .iter()
                .all(|arg| !matches!(self.t.ty(arg.ty), Type::Extern(_)))
    }

    fn report_unless(
        &mut self,
        ok: Reg,
        report: Report,
        done: BlockId,
        sides: Option<(Side<'h>, Side<'h>)>,
    ) {
        let (held, failed) = (self.b.block(), self.b.cold_block());
        self.b.branch(ok, held, failed);
        self.b.enter(failed);
        let (left, right) = match sides {
            Some(((a, left), (b, right))) => (self.shown(a, left), self.shown(b, right)),
            None => (self.null(), self.null()),
        };
        if report.soft {
            self.rt("rt.check", &[report.site, report.label, ok, left, right]);
            self.b.jump(done);
        } else {
            self.raise(
                "rt.expect_failed",
                &[report.site, report.label, left, right],
            );
        }
        self.b.enter(held);
    }

    fn held(&mut self, report: Report) {
        if !report.soft {
            self.rt("rt.expect_ok", &[report.site, report.label]);
            return;
        }
        let (ok, left, right) = (self.b.int(1), self.null(), self.null());
        self.rt("rt.check", &[report.site, report.label, ok, left, right]);
    }

    /// A side of a comparison as an object; secrets as asterisks.
    fn shown(&mut self, value: Value, expr: &'h Expr) -> Reg {
        if self.hides(expr) {
            return self.text("***");
        }
        self.pack_any(value, expr.ty)
    }

    /// Whether a side is secret, also behind a conversion that took the type off.
    fn hides(&self, expr: &Expr) -> bool {
        if self.t.is_secret(expr.ty) {
            return true;
        }
        match &*expr.kind {
            ExprKind::Convert {
                value,
                kind: Conversion::Secret | Conversion::ToOptional | Conversion::ToJson,
            } => self.hides(value),
            _ => false,
        }
    }

    fn native_flag(
        &mut self,
        native: NativeId,
        args: [Value; 2],
        exprs: &'h [Expr],
        ty: TypeId,
    ) -> Reg {
        let value = self.call_native_values(native, &args, exprs, ty);
        debug_assert_eq!(self.t.repr(ty).classes(), &[Ty::Int]);
        self.reg(value)
    }
}
