//! Scopes that have something to do when they are left: on the ordinary way, by `return`, `break`, `continue`,
//! and by an error. Blocks keep handles, `defer` runs its body, steps and timeouts close.
//!
//! The way of an error is one block for each such scope, made when the first error edge needs it.

use super::function::{Lower, Value};
use crate::hir::{Block, Expr, LocalId, TypeId};
use crate::ir::{BlockId, Op, Reg, SiteKind, Terminator, Ty};

/// How long a `defer` body may take.
const SHIELD_NANOS: i64 = 5_000_000_000;

/// A scope.
pub(crate) struct Scope<'h> {
    pub kind: ScopeKind<'h>,
    /// Where errors inside go, if one was needed.
    err: Option<BlockId>,
}

/// What a scope does when it is left.
#[derive(Clone)]
pub(crate) enum ScopeKind<'h> {
    /// A block with these locals that hold handles.
    Block(Vec<LocalId>),
    /// The rest of a block behind `defer`.
    Defer(&'h Block),
    /// A step; its token.
    Step(Reg),
    /// A `timeout`; its token.
    Timeout(Reg),
    /// The body of a `defer`; its token.
    Shield(Reg),
    /// Something that takes errors itself: `catch`, `retry`, `check`.
    Handler,
    /// A loop: where `break` and `continue` go.
    Loop { exit: BlockId, next: BlockId },
}

impl ScopeKind<'_> {
    fn sees_errors(&self) -> bool {
        !matches!(self, ScopeKind::Block(_) | ScopeKind::Loop { .. })
    }
}

impl<'h> Lower<'_, 'h> {
    /// Opens a scope.
    pub fn push_scope(&mut self, kind: ScopeKind<'h>) {
        self.scopes.push(Scope { kind, err: None });
    }

    /// Closes the innermost scope: on the ordinary way, then on the error's.
    pub fn pop_scope(&mut self) {
        let scope = self
            .scopes
            .pop()
            .expect("scopes are opened and closed in pairs");
        self.leave(&scope.kind);
        if let Some(err) = scope.err {
            let after = self.b.current();
            self.b.enter(err);
            self.leave_by_error(&scope.kind);
            self.error_exit();
            self.b.switch_to(after);
        }
    }

    /// Closes a [`ScopeKind::Handler`]; gives the block that its errors went to.
    pub fn pop_handler(&mut self) -> Option<BlockId> {
        self.scopes
            .pop()
            .expect("scopes are opened and closed in pairs")
            .err
    }

    /// Closes scopes down to a depth.
    pub fn pop_to(&mut self, depth: usize) {
        while self.scopes.len() > depth {
            self.pop_scope();
        }
    }

    /// Leaves the current block with the error in `ctx.err`.
    pub fn error_exit(&mut self) {
        let Some(at) = self
            .scopes
            .iter()
            .rposition(|scope| scope.kind.sees_errors())
        else {
            return self.b.terminate(Terminator::Fail);
        };
        let block = match self.scopes[at].err {
            Some(block) => block,
            None => self.b.cold_block(),
        };
        self.scopes[at].err = Some(block);
        self.b.jump(block);
    }

    /// Does what all scopes above a depth do when they are left, without closing them.
    pub fn unwind(&mut self, depth: usize) {
        let mut left = Vec::new();
        while self.scopes.len() > depth {
            let scope = self.scopes.pop().expect("there are more than the depth");
            self.leave(&scope.kind);
            left.push(scope);
        }
        self.scopes.extend(left.into_iter().rev());
    }

    /// The depth at which the innermost loop stands, and where its exits lead.
    pub fn innermost_loop(&self) -> Option<(usize, BlockId, BlockId)> {
        self.scopes
            .iter()
            .enumerate()
            .rev()
            .find_map(|(depth, scope)| match scope.kind {
                ScopeKind::Loop { exit, next } => Some((depth, exit, next)),
                _ => None,
            })
    }

    /// Notes a local that now has a value, so that the handles in it live to the end of the scope.
    pub fn declare(&mut self, local: LocalId) {
        if !self.t.holds_handle(self.local_type(local)) {
            return;
        }
        let block = self
            .scopes
            .iter_mut()
            .rev()
            .find_map(|scope| match &mut scope.kind {
                ScopeKind::Block(handles) => Some(handles),
                _ => None,
            });
        if let Some(handles) = block
            && !handles.contains(&local)
        {
            handles.push(local);
        }
    }

    fn leave(&mut self, kind: &ScopeKind<'h>) {
        match kind {
            ScopeKind::Block(handles) => {
                for local in handles.iter().rev() {
                    self.keep(*local);
                }
            }
            ScopeKind::Defer(body) => self.run_deferred(body),
            ScopeKind::Step(token) => {
                let ok = self.b.int(1);
                self.rt("rt.step_exit", &[*token, ok]);
            }
            ScopeKind::Timeout(token) => {
                self.rt("rt.timeout_exit", &[*token]);
            }
            ScopeKind::Shield(token) => {
                self.rt("rt.shield_exit", &[*token]);
            }
            ScopeKind::Handler | ScopeKind::Loop { .. } => {}
        }
    }

    fn keep(&mut self, local: LocalId) {
        for reg in self.read_local(local).regs() {
            if self.b.class(reg) == Ty::Ptr {
                self.b.emit0(Op::Keep(reg));
            }
        }
    }

    fn leave_by_error(&mut self, kind: &ScopeKind<'h>) {
        match kind {
            ScopeKind::Defer(body) => self.run_deferred_on_error(body),
            ScopeKind::Step(token) => {
                let failed = self.b.int(0);
                self.rt("rt.step_exit", &[*token, failed]);
            }
            ScopeKind::Timeout(token) => {
                self.rt("rt.timeout_caught", &[*token]);
            }
            ScopeKind::Shield(token) => {
                self.rt("rt.shield_exit", &[*token]);
            }
            ScopeKind::Block(_) | ScopeKind::Handler | ScopeKind::Loop { .. } => {}
        }
    }

    fn shield(&mut self) -> Reg {
        let nanos = self.b.int(SHIELD_NANOS);
        self.rt1("rt.shield_enter", &[nanos])
    }

    fn run_deferred(&mut self, body: &'h Block) {
        if !self.b.is_live() {
            return;
        }
        let token = self.shield();
        self.push_scope(ScopeKind::Shield(token));
        self.block(body);
        self.pop_scope();
    }

    /// The error waits aside; one of the body itself is reported and forgotten.
    fn run_deferred_on_error(&mut self, body: &'h Block) {
        let error = self.b.emit1(Op::ErrTake, Ty::Ptr);
        let token = self.shield();
        self.push_scope(ScopeKind::Handler);
        self.block(body);
        let failed = self.pop_handler();
        let done = self.b.cold_block();
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.rt("rt.defer_failed", &[]);
            self.b.jump(done);
        }
        self.b.enter(done);
        self.rt("rt.shield_exit", &[token]);
        self.b.emit0(Op::ErrSet(error));
    }

    /// `step "name" { }`.
    pub fn step(&mut self, name: &'h Expr, body: &'h Block) -> Value {
        let (label, label_reg) = self.label(name);
        let site = self.t.site(SiteKind::Step, label, name.span);
        let site = self.b.int(i64::from(site.0));
        let token = self.rt1("rt.step_enter", &[site, label_reg]);
        self.scoped(ScopeKind::Step(token), body)
    }

    /// `timeout D { }`.
    pub fn timeout(&mut self, limit: &'h Expr, body: &'h Block) -> Value {
        let nanos = self.expr_reg(limit);
        let token = self.rt1("rt.timeout_enter", &[nanos]);
        self.scoped(ScopeKind::Timeout(token), body)
    }

    fn scoped(&mut self, kind: ScopeKind<'h>, body: &'h Block) -> Value {
        self.push_scope(kind);
        let value = self.block(body);
        self.pop_scope();
        value
    }

    /// A block of statements with its value.
    pub fn block(&mut self, block: &'h Block) -> Value {
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Block(Vec::new()));
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        let value = match &block.value {
            Some(value) => self.expr(value),
            None => Value::Unit,
        };
        self.pop_to(depth);
        value
    }

    /// A block whose value is wanted as one of a type.
    pub fn block_as(&mut self, block: &'h Block, ty: TypeId) -> Value {
        let value = self.block(block);
        match &block.value {
            Some(expr) => self.coerce(value, expr.ty, ty),
            None => self.none(ty),
        }
    }
}
