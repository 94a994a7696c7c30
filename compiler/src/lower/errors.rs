//! Errors: `fail`, `catch`, `retry`.

use super::function::{Lower, Value};
use super::scopes::ScopeKind;
use crate::hir::{Block, Expr, LocalId, TypeId};
use crate::ir::{Cmp, IntBin, Op, Reg, Ty};

impl<'h> Lower<'_, 'h> {
    pub(super) fn fail(&mut self, message: &'h Expr, kind: Option<&'h Expr>) -> Value {
        let message = self.expr_reg(message);
        let kind = match kind {
            Some(kind) => self.expr_reg(kind),
            None => self.null(),
        };
        self.raise("rt.fail", &[message, kind]);
        Value::Unit
    }

    pub(super) fn rethrow(&mut self, error: &'h Expr) -> Value {
        let error = self.expr_reg(error);
        self.b.emit0(Op::ErrSet(error));
        self.error_exit();
        Value::Unit
    }

    /// `x catch e { }`. Cancellations pass.
    pub(super) fn catch(
        &mut self,
        value: &'h Expr,
        binder: Option<LocalId>,
        handler: &'h Block,
        ty: TypeId,
    ) -> Value {
        let out = self.new_vars(ty);
        let done = self.b.block();
        self.push_scope(ScopeKind::Handler);
        let result = self.expr(value);
        let failed = self.pop_handler();
        let result = self.coerce(result, value.ty, ty);
        self.write_vars(&out, result);
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.pass_cancellation();
            let error = self.b.emit1(Op::ErrTake, Ty::Ptr);
            if let Some(binder) = binder {
                self.write_local(binder, Value::One(error));
            }
            let result = self.block_as(handler, ty);
            self.write_vars(&out, result);
            self.b.jump(done);
        }
        self.b.enter(done);
        self.read_vars(&out)
    }

    /// Sends a cancellation on to the outer error path.
    pub fn pass_cancellation(&mut self) {
        let (cancelled, error) = (self.b.cold_block(), self.b.cold_block());
        let flag = self.b.emit1(Op::ErrIsCancel, Ty::Int);
        self.b.branch(flag, cancelled, error);
        self.b.enter(cancelled);
        self.error_exit();
        self.b.enter(error);
    }

    /// `retry N times backoff A..B { }`.
    pub(super) fn retry(
        &mut self,
        times: Option<&'h Expr>,
        backoff: Option<&'h (Expr, Expr)>,
        body: &'h Block,
        ty: TypeId,
    ) -> Value {
        let times = times.map(|times| self.expr_reg(times));
        let backoff = backoff.map(|(from, to)| (self.expr_reg(from), self.expr_reg(to)));
        let (out, attempt) = (self.new_vars(ty), self.b.var(Ty::Int));
        let zero = self.b.int(0);
        self.b.write(attempt, zero);
        let (header, done) = (self.b.block(), self.b.block());
        self.b.jump(header);
        self.b.switch_to(header);
        self.push_scope(ScopeKind::Handler);
        let value = self.block_as(body, ty);
        let failed = self.pop_handler();
        self.write_vars(&out, value);
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.pass_cancellation();
            self.next_attempt(times, backoff, attempt);
            self.b.jump(header);
        }
        self.b.seal(header);
        self.b.enter(done);
        self.read_vars(&out)
    }

    /// On the error path of an attempt: gives up after the last one, else waits and counts.
    fn next_attempt(
        &mut self,
        times: Option<Reg>,
        backoff: Option<(Reg, Reg)>,
        attempt: super::builder::Var,
    ) {
        let at = self.b.read(attempt);
        if let Some(times) = times {
            let (last, more) = (self.b.cold_block(), self.b.cold_block());
            let used_up = self.b.emit1(Op::IntCmp(Cmp::Ge, at, times), Ty::Int);
            self.b.branch(used_up, last, more);
            self.b.enter(last);
            self.error_exit();
            self.b.enter(more);
        }
        self.b.emit1(Op::ErrTake, Ty::Ptr);
        if let Some((from, to)) = backoff {
            let nanos = self.rt1("rt.backoff", &[at, from, to]);
            self.rt("rt.sleep", &[nanos]);
        }
        let one = self.b.int(1);
        let next = self.b.emit1(Op::IntBin(IntBin::Add, at, one), Ty::Int);
        self.b.write(attempt, next);
        self.poke();
    }
}
