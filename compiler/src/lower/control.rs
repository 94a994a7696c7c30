//! Statements, bindings, `if`, `match`, `choose`.

use super::function::{Lower, Value};
use super::scopes::ScopeKind;
use super::types::{Repr, class};
use crate::hir::{
    Arm, Binding, Block, Cond, Const, Expr, Pattern, Stmt, StmtKind, Type, TypeId, Wait,
};
use crate::ir::{BlockId, Cmp, Op, Reg, Terminator, Ty};
use scn_grammar::ast::BinaryOp;

impl<'h> Lower<'_, 'h> {
    /// A statement.
    pub fn stmt(&mut self, stmt: &'h Stmt) {
        let outer = std::mem::replace(&mut self.b.span, stmt.span);
        match &stmt.kind {
            StmtKind::Let { pattern, value } => {
                let ty = value.ty;
                let value = self.expr(value);
                self.bind(pattern, value, ty);
            }
            StmtKind::Assign { place, value } => self.assign(place, value),
            StmtKind::Update { place, old, value } => self.update(place, *old, value),
            StmtKind::Check(check) => self.check(check),
            StmtKind::Think(wait) => self.wait("rt.think", "rt.think_between", wait),
            StmtKind::Sleep(wait) => self.wait("rt.sleep", "rt.sleep_between", wait),
            StmtKind::Defer(body) => self.push_scope(ScopeKind::Defer(body)),
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => self.for_(pattern, iterable, body),
            StmtKind::While { cond, body } => self.while_(cond.as_ref(), body),
            StmtKind::Every { period, body } => self.every(period, body),
            StmtKind::Choose(arms) => self.choose(arms),
            StmtKind::Parallel(branches) => self.parallel(branches),
            StmtKind::Expr(expr) => {
                self.expr(expr);
            }
        }
        self.b.span = outer;
    }

    fn wait(&mut self, fixed: &str, between: &str, wait: &'h Wait) {
        match wait {
            Wait::Fixed(nanos) => {
                let nanos = self.expr_reg(nanos);
                self.rt(fixed, &[nanos]);
            }
            Wait::Between(from, to) => {
                let (from, to) = (self.expr_reg(from), self.expr_reg(to));
                self.rt(between, &[from, to]);
            }
        }
    }

    /// Binds a value.
    pub fn bind(&mut self, pattern: &'h Binding, value: Value, ty: TypeId) {
        match pattern {
            Binding::Local(local) => {
                let value = self.coerce(value, ty, self.local_type(*local));
                self.write_local(*local, value);
                self.declare(*local);
            }
            Binding::Cell(cell) => self.write_cell(*cell, value, ty),
            Binding::Ignore => {}
            Binding::Tuple(items) => {
                let hir = self.hir;
                let tuple = self.reg(value);
                let Type::Tuple(types) = &hir.types[self.t.strip(ty)] else {
                    return;
                };
                for (at, (item, ty)) in items.iter().zip(types).enumerate() {
                    let element = self.load_slot(tuple, at as u32, *ty);
                    self.bind(item, element, *ty);
                }
            }
        }
    }

    /// Branches on a condition; gives the optional that `let` unwraps where it holds.
    pub fn branch_cond(&mut self, cond: &'h Cond, yes: BlockId, no: BlockId) -> Value {
        match cond {
            Cond::Expr(expr) => {
                self.branch_on(expr, yes, no);
                Value::Unit
            }
            Cond::Let { value, .. } => {
                let value = self.expr(value);
                let flag = self.has_value(value);
                self.b.branch(flag, yes, no);
                value
            }
        }
    }

    /// Binds what a condition found, in the block where it holds.
    pub fn bind_cond(&mut self, cond: &'h Cond, found: Value) {
        if let Cond::Let { pattern, value } = cond {
            let (inner, ty) = (self.unwrapped(found), self.t.unwrap_optional(value.ty));
            self.bind(pattern, inner, ty);
        }
    }

    pub(super) fn if_(
        &mut self,
        cond: &'h Cond,
        then: &'h Block,
        otherwise: Option<&'h Block>,
        ty: TypeId,
    ) -> Value {
        let out = self.new_vars(ty);
        let (yes, no, done) = (self.b.block(), self.b.block(), self.b.block());
        let found = self.branch_cond(cond, yes, no);
        self.b.enter(yes);
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Block(Vec::new()));
        self.bind_cond(cond, found);
        let value = self.block_as(then, ty);
        self.pop_to(depth);
        self.write_vars(&out, value);
        self.b.jump(done);
        self.b.enter(no);
        let value = match otherwise {
            Some(block) => self.block_as(block, ty),
            None => self.none(ty),
        };
        self.write_vars(&out, value);
        self.b.jump(done);
        self.b.enter(done);
        self.read_vars(&out)
    }

    pub(super) fn match_(&mut self, value: &'h Expr, arms: &'h [Arm], ty: TypeId) -> Value {
        let subject_ty = value.ty;
        let subject = self.expr(value);
        let out = self.new_vars(ty);
        let done = self.b.block();
        if let Some(cases) = self.switch_cases(arms, subject_ty) {
            let subject = self.reg(subject);
            self.switch(subject, &cases, arms, |lower, arm| {
                lower.arm_body(arm, &out, ty, done)
            });
        } else {
            for arm in arms {
                let (matched, next) = (self.b.block(), self.b.block());
                self.test(&arm.pattern, subject, subject_ty, matched, next);
                self.b.enter(matched);
                if let Some(guard) = &arm.guard {
                    let holds = self.b.block();
                    self.branch_on(guard, holds, next);
                    self.b.enter(holds);
                }
                self.arm_body(arm, &out, ty, done);
                self.b.enter(next);
            }
            self.b.terminate(Terminator::Unreachable);
        }
        self.b.enter(done);
        self.read_vars(&out)
    }

    fn arm_body(&mut self, arm: &'h Arm, out: &[super::builder::Var], ty: TypeId, done: BlockId) {
        let value = self.expr(&arm.body);
        let value = self.coerce(value, arm.body.ty, ty);
        self.write_vars(out, value);
        self.b.jump(done);
    }

    /// If all arms but a last catch-all are constants of an int-like type: their values, by arm.
    fn switch_cases(&self, arms: &'h [Arm], ty: TypeId) -> Option<Vec<Vec<i64>>> {
        let Repr::Scalar(scalar) = self.t.repr(ty) else {
            return None;
        };
        if class(scalar) != Ty::Int || arms.len() < 3 || arms.iter().any(|arm| arm.guard.is_some())
        {
            return None;
        }
        let (last, rest) = arms.split_last()?;
        let mut cases: Vec<Vec<i64>> = rest
            .iter()
            .map(|arm| case_values(&arm.pattern))
            .collect::<Option<_>>()?;
        match &last.pattern {
            Pattern::Any => {}
            // An exhaustive match on an enum or bool: the last arm is what is left.
            pattern => {
                case_values(pattern)?;
            }
        }
        cases.push(Vec::new());
        Some(cases)
    }

    fn switch(
        &mut self,
        value: Reg,
        cases: &[Vec<i64>],
        arms: &'h [Arm],
        mut body: impl FnMut(&mut Self, &'h Arm),
    ) {
        let blocks: Vec<BlockId> = arms.iter().map(|_| self.b.block()).collect();
        let mut seen = std::collections::HashSet::new();
        let mut targets = Vec::new();
        for (values, block) in cases.iter().zip(&blocks) {
            let fresh = values.iter().filter(|value| seen.insert(**value));
            targets.extend(fresh.map(|value| (*value, super::builder::target(*block))));
        }
        let default = *blocks.last().expect("a match has at least three arms here");
        let default = super::builder::target(default);
        self.b.terminate(Terminator::Switch {
            value,
            cases: targets,
            default,
        });
        for (arm, block) in arms.iter().zip(blocks) {
            self.b.enter(block);
            body(self, arm);
        }
    }

    /// Tests a pattern, binding as it goes: to `yes` if it matches, else to `no`.
    fn test(&mut self, pattern: &'h Pattern, value: Value, ty: TypeId, yes: BlockId, no: BlockId) {
        match pattern {
            Pattern::Any => self.b.jump(yes),
            Pattern::Bind(local) => {
                let value = self.coerce(value, ty, self.local_type(*local));
                self.write_local(*local, value);
                self.declare(*local);
                self.b.jump(yes);
            }
            Pattern::Const(constant) => self.test_const(constant, value, ty, yes, no),
            Pattern::Range {
                start,
                end,
                inclusive,
            } => {
                self.test_range(start, end, *inclusive, value, ty, yes, no);
            }
            Pattern::None => {
                let flag = self.has_value(value);
                self.b.branch(flag, no, yes);
            }
            Pattern::Some(inner) => {
                let some = self.b.block();
                let flag = self.has_value(value);
                self.b.branch(flag, some, no);
                self.b.enter(some);
                let (unwrapped, inner_ty) = (self.unwrapped(value), self.t.unwrap_optional(ty));
                self.test(inner, unwrapped, inner_ty, yes, no);
            }
            Pattern::Or(patterns) => {
                for pattern in patterns {
                    let next = self.b.block();
                    self.test(pattern, value, ty, yes, next);
                    self.b.enter(next);
                }
                self.b.jump(no);
            }
            Pattern::Tuple(items) => self.test_tuple(items, value, ty, yes, no),
        }
    }

    fn test_const(
        &mut self,
        constant: &'h Const,
        value: Value,
        ty: TypeId,
        yes: BlockId,
        no: BlockId,
    ) {
        if *constant == Const::None {
            let flag = self.has_value(value);
            return self.b.branch(flag, no, yes);
        }
        let (value, ty) = match self.t.is_optional(ty) {
            true => {
                let some = self.b.block();
                let flag = self.has_value(value);
                self.b.branch(flag, some, no);
                self.b.enter(some);
                (self.unwrapped(value), self.t.unwrap_optional(ty))
            }
            false => (value, ty),
        };
        let constant = self.constant(constant, ty);
        let equal = self.compare_values(BinaryOp::Eq, value, constant, ty);
        self.b.branch(equal, yes, no);
    }

    #[allow(clippy::too_many_arguments)]
    fn test_range(
        &mut self,
        start: &'h Const,
        end: &'h Const,
        inclusive: bool,
        value: Value,
        ty: TypeId,
        yes: BlockId,
        no: BlockId,
    ) {
        let middle = self.b.block();
        let start = self.constant(start, ty);
        let above = self.compare_values(BinaryOp::Ge, value, start, ty);
        self.b.branch(above, middle, no);
        self.b.enter(middle);
        let end = self.constant(end, ty);
        let op = if inclusive {
            BinaryOp::Le
        } else {
            BinaryOp::Lt
        };
        let below = self.compare_values(op, value, end, ty);
        self.b.branch(below, yes, no);
    }

    fn test_tuple(
        &mut self,
        items: &'h [Pattern],
        value: Value,
        ty: TypeId,
        yes: BlockId,
        no: BlockId,
    ) {
        let hir = self.hir;
        let tuple = self.reg(value);
        let Type::Tuple(types) = &hir.types[self.t.strip(ty)] else {
            return self.b.jump(no);
        };
        for (at, (item, ty)) in items.iter().zip(types).enumerate() {
            let next = self.b.block();
            let element = self.load_slot(tuple, at as u32, *ty);
            self.test(item, element, *ty, next, no);
            self.b.enter(next);
        }
        self.b.jump(yes);
    }

    /// `choose { }`: one number against the running sums of the weights.
    fn choose(&mut self, arms: &'h [(i64, Block)]) {
        let total = arms.iter().map(|(weight, _)| weight).sum();
        let total = self.b.int(total);
        let drawn = self.rt1("rt.choose", &[total]);
        let done = self.b.block();
        let mut below = 0;
        for (weight, body) in arms {
            below += weight;
            let (taken, next) = (self.b.block(), self.b.block());
            let bound = self.b.int(below);
            let hit = self.b.emit1(Op::IntCmp(Cmp::Lt, drawn, bound), Ty::Int);
            self.b.branch(hit, taken, next);
            self.b.enter(taken);
            self.block(body);
            self.b.jump(done);
            self.b.enter(next);
        }
        self.b.jump(done);
        self.b.enter(done);
    }
}

/// The ints of a pattern made of constants.
fn case_values(pattern: &Pattern) -> Option<Vec<i64>> {
    match pattern {
        Pattern::Const(
            value @ (Const::Int(_) | Const::Enum(..) | Const::Bool(_) | Const::Duration(_)),
        ) => Some(vec![super::consts::bits(value, false) as i64]),
        Pattern::Or(patterns) => {
            let all: Option<Vec<Vec<i64>>> = patterns.iter().map(case_values).collect();
            all.map(|values| values.concat())
        }
        _ => None,
    }
}
