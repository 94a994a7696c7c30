//! Which locals a piece of a function reads from outside: the captures of a branch.

use crate::hir::{
    Binding, Block, Check, Cond, Expr, ExprKind, LocalId, Part, Pattern, Place, Root, Step, Stmt,
    StmtKind, Wait,
};
use std::collections::HashSet;

/// Collects the locals that are used and those that are declared.
#[derive(Default)]
pub(crate) struct Free {
    used: Vec<LocalId>,
    declared: HashSet<LocalId>,
}

impl Free {
    /// The captures of a block, in order of their first use. `bound` is declared by what stands around it.
    pub fn of_block(block: &Block, bound: Option<&Binding>) -> Vec<LocalId> {
        let mut free = Free::default();
        if let Some(bound) = bound {
            free.binding(bound);
        }
        free.block(block);
        let mut seen = HashSet::new();
        let Free { used, declared } = free;
        used.into_iter()
            .filter(|local| !declared.contains(local) && seen.insert(*local))
            .collect()
    }

    fn block(&mut self, block: &Block) {
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        self.maybe(block.value.as_ref());
    }

    fn maybe(&mut self, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.expr(expr);
        }
    }

    fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, value } => {
                self.expr(value);
                self.binding(pattern);
            }
            StmtKind::Assign { place, value } => {
                self.place(place);
                self.expr(value);
            }
            StmtKind::Update { place, old, value } => {
                self.place(place);
                self.declared.insert(*old);
                self.expr(value);
            }
            StmtKind::Check(Check { label, cond, .. }) => {
                self.maybe(label.as_ref());
                self.expr(cond);
            }
            StmtKind::Think(wait) | StmtKind::Sleep(wait) => match wait {
                Wait::Fixed(d) => self.expr(d),
                Wait::Between(a, b) => self.all([a, b]),
            },
            StmtKind::Defer(block) => self.block(block),
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => {
                self.expr(iterable);
                self.binding(pattern);
                self.block(body);
            }
            StmtKind::While { cond, body } => {
                if let Some(cond) = cond {
                    self.cond(cond);
                }
                self.block(body);
            }
            StmtKind::Every { period, body } => {
                self.expr(period);
                self.block(body);
            }
            StmtKind::Choose(arms) => arms.iter().for_each(|(_, block)| self.block(block)),
            StmtKind::Parallel(branches) => {
                branches.iter().for_each(|branch| self.block(&branch.body))
            }
            StmtKind::Expr(expr) => self.expr(expr),
        }
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(expr) => self.expr(expr),
            Cond::Let { pattern, value } => {
                self.expr(value);
                self.binding(pattern);
            }
        }
    }

    fn binding(&mut self, binding: &Binding) {
        match binding {
            Binding::Local(local) => {
                self.declared.insert(*local);
            }
            Binding::Tuple(items) => items.iter().for_each(|item| self.binding(item)),
            Binding::Cell(_) | Binding::Ignore => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Bind(local) => {
                self.declared.insert(*local);
            }
            Pattern::Some(inner) => self.pattern(inner),
            Pattern::Or(items) | Pattern::Tuple(items) => {
                items.iter().for_each(|item| self.pattern(item))
            }
            Pattern::Any | Pattern::Const(_) | Pattern::Range { .. } | Pattern::None => {}
        }
    }

    fn place(&mut self, place: &Place) {
        if let Root::Local(local) = place.root {
            self.used.push(local);
        }
        for step in &place.path {
            match step {
                Step::Field { .. } => {}
                Step::Index { index: key, .. } | Step::Key { key, .. } => self.expr(key),
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Const(_)
            | ExprKind::Cell(_)
            | ExprKind::Global(_)
            | ExprKind::Break
            | ExprKind::Continue => {}
            ExprKind::Local(local) => self.used.push(*local),
            ExprKind::Call { args, .. } | ExprKind::CallNative { args, .. } => self.all(args),
            ExprKind::CallVar { place, args, .. } => {
                self.place(place);
                self.all(args);
            }
            ExprKind::Field { base: a, .. }
            | ExprKind::Element { base: a, .. }
            | ExprKind::Unary { operand: a, .. }
            | ExprKind::Decode { value: a, .. }
            | ExprKind::Parse { value: a, .. }
            | ExprKind::Convert { value: a, .. }
            | ExprKind::Rethrow(a) => self.expr(a),
            ExprKind::Index { base: a, index: b }
            | ExprKind::ByteAt { base: a, index: b }
            | ExprKind::Lookup { base: a, key: b }
            | ExprKind::Arith {
                left: a, right: b, ..
            }
            | ExprKind::Concat { left: a, right: b }
            | ExprKind::Compare {
                left: a, right: b, ..
            }
            | ExprKind::Logic {
                left: a, right: b, ..
            }
            | ExprKind::Coalesce { left: a, right: b }
            | ExprKind::Range {
                start: a, end: b, ..
            } => self.all([a, b]),
            ExprKind::OptionalChain { base, local, body } => {
                self.declared.insert(*local);
                self.all([base, body]);
            }
            ExprKind::Interpolate(parts) => {
                for part in parts {
                    if let Part::Value(value) = part {
                        self.expr(value);
                    }
                }
            }
            ExprKind::List(items) | ExprKind::Tuple(items) => self.all(items),
            ExprKind::Record { fields, .. } => self.all(fields),
            ExprKind::Map(entries) => entries
                .iter()
                .for_each(|(key, value)| self.all([key, value])),
            _ => self.control(expr),
        }
    }

    fn control(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            } => {
                self.binding(pattern);
                self.all([value, iterable]);
                self.maybe(filter.as_ref());
            }
            ExprKind::Catch {
                value,
                binder,
                handler,
            } => {
                self.declared.extend(binder);
                self.expr(value);
                self.block(handler);
            }
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                self.cond(cond);
                self.block(then);
                otherwise.iter().for_each(|block| self.block(block));
            }
            ExprKind::Match { value, arms } => {
                self.expr(value);
                for arm in arms {
                    self.pattern(&arm.pattern);
                    self.maybe(arm.guard.as_ref());
                    self.expr(&arm.body);
                }
            }
            ExprKind::Do(block) => self.block(block),
            ExprKind::Step { name: head, body } | ExprKind::Timeout { limit: head, body } => {
                self.expr(head);
                self.block(body);
            }
            ExprKind::Retry {
                times,
                backoff,
                body,
            } => {
                self.maybe(times.as_ref());
                backoff.iter().for_each(|(from, to)| self.all([from, to]));
                self.block(body);
            }
            ExprKind::Race(branches) => branches.iter().for_each(|branch| self.block(&branch.body)),
            ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            } => {
                self.expr(iterable);
                self.maybe(max.as_ref());
                self.binding(pattern);
                self.block(body);
            }
            ExprKind::Return(value) => self.maybe(value.as_ref()),
            ExprKind::Fail { message, kind } => {
                self.expr(message);
                self.maybe(kind.as_ref());
            }
            _ => {}
        }
    }
}
