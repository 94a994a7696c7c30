//! Loops: `for` over everything that can be walked, `while`, `loop`, `every`, comprehensions.
//! Every back edge tests `ctx.poke`.

use super::builder::Var;
use super::function::{Lower, Value};
use super::scopes::ScopeKind;
use crate::hir::{Binding, Block, Cond, Expr, ExprKind, Type, TypeId};
use crate::ir::{BlockId, Cmp, Desc, IntBin, Op, Reg, Ty};

/// What a loop walks.
enum Walk {
    /// Elements of a list.
    List { list: Reg, element: TypeId },
    /// Entries of a map.
    Map {
        map: Reg,
        key: TypeId,
        value: TypeId,
    },
    /// Elements of a JSON array.
    Json { json: Reg, element: TypeId },
    /// Ints.
    Range { bound: Bound, element: TypeId },
}

/// How a range ends.
#[derive(Clone, Copy)]
enum Bound {
    /// `a..b`
    Below,
    /// `a..=b`
    UpTo,
    /// A range value: the flag says which.
    Either(Reg),
}

/// A loop over positions or ints under construction.
struct Counted {
    walk: Walk,
    counter: Var,
    /// The first value that is not walked (the last that is, if the range is inclusive).
    end: Reg,
    latch: BlockId,
    header: BlockId,
    exit: BlockId,
}

impl<'h> Lower<'_, 'h> {
    pub(super) fn for_(&mut self, pattern: &'h Binding, iterable: &'h Expr, body: &'h Block) {
        let walk = self.start_walk(iterable);
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Loop {
            exit: walk.exit,
            next: walk.latch,
        });
        self.push_scope(ScopeKind::Block(Vec::new()));
        self.bind_element(pattern, &walk);
        self.block(body);
        self.pop_to(depth);
        self.finish_walk(walk);
    }

    /// Evaluates the iterable and opens a loop, positioned at the start of its body.
    fn start_walk(&mut self, iterable: &'h Expr) -> Counted {
        let (walk, start, end) = self.walk(iterable);
        let counter = self.b.var(Ty::Int);
        self.b.write(counter, start);
        let (header, body, latch, exit) = (
            self.b.block(),
            self.b.block(),
            self.b.block(),
            self.b.block(),
        );
        self.b.jump(header);
        self.b.switch_to(header);
        let at = self.b.read(counter);
        let go_on = self.in_bounds(&walk, at, end);
        self.b.branch(go_on, body, exit);
        self.b.enter(body);
        Counted {
            walk,
            counter,
            end,
            latch,
            header,
            exit,
        }
    }

    fn in_bounds(&mut self, walk: &Walk, at: Reg, end: Reg) -> Reg {
        let bound = match walk {
            Walk::Range { bound, .. } => *bound,
            _ => Bound::Below,
        };
        match bound {
            Bound::Below => self.b.emit1(Op::IntCmp(Cmp::Lt, at, end), Ty::Int),
            Bound::UpTo => self.b.emit1(Op::IntCmp(Cmp::Le, at, end), Ty::Int),
            Bound::Either(inclusive) => {
                let below = self.b.emit1(Op::IntCmp(Cmp::Lt, at, end), Ty::Int);
                let last = self.b.emit1(Op::IntCmp(Cmp::Eq, at, end), Ty::Int);
                let last = self
                    .b
                    .emit1(Op::IntBin(IntBin::And, last, inclusive), Ty::Int);
                self.b.emit1(Op::IntBin(IntBin::Or, below, last), Ty::Int)
            }
        }
    }

    /// Closes the loop: counts up, polls, goes back.
    fn finish_walk(&mut self, walk: Counted) {
        self.b.jump(walk.latch);
        self.b.enter(walk.latch);
        let at = self.b.read(walk.counter);
        if matches!(
            walk.walk,
            Walk::Range {
                bound: Bound::UpTo | Bound::Either(_),
                ..
            }
        ) {
            // The last int of an inclusive range may have no successor.
            let more = self.b.block();
            let last = self.b.emit1(Op::IntCmp(Cmp::Ge, at, walk.end), Ty::Int);
            self.b.branch(last, walk.exit, more);
            self.b.enter(more);
        }
        let one = self.b.int(1);
        let next = self.b.emit1(Op::IntBin(IntBin::Add, at, one), Ty::Int);
        self.b.write(walk.counter, next);
        self.poke();
        self.b.jump(walk.header);
        self.b.seal(walk.header);
        self.b.enter(walk.exit);
    }

    fn walk(&mut self, iterable: &'h Expr) -> (Walk, Reg, Reg) {
        let hir = self.hir;
        let ty = self.t.strip(iterable.ty);
        if let (
            ExprKind::Range {
                start,
                end,
                inclusive,
            },
            Type::Range(element),
        ) = (&*iterable.kind, &hir.types[ty])
        {
            let (start, end) = (self.expr_reg(start), self.expr_reg(end));
            let bound = if *inclusive {
                Bound::UpTo
            } else {
                Bound::Below
            };
            return (
                Walk::Range {
                    bound,
                    element: *element,
                },
                start,
                end,
            );
        }
        let reg = self.expr_reg(iterable);
        if let Type::Range(element) = hir.types[ty] {
            let [start, end, inclusive] =
                [0, 1, 2].map(|at| self.b.emit1(Op::Load(reg, at), Ty::Int));
            return (
                Walk::Range {
                    bound: Bound::Either(inclusive),
                    element,
                },
                start,
                end,
            );
        }
        let zero = self.b.int(0);
        match hir.types[ty] {
            Type::Map(key, value) => {
                let len = self.b.emit1(Op::MapLen(reg), Ty::Int);
                (
                    Walk::Map {
                        map: reg,
                        key,
                        value,
                    },
                    zero,
                    len,
                )
            }
            Type::List(element) => {
                let len = self.b.emit1(Op::ListLen(reg), Ty::Int);
                (Walk::List { list: reg, element }, zero, len)
            }
            _ => {
                let len = self.rt1("rt.json_len", &[reg]);
                (
                    Walk::Json {
                        json: reg,
                        element: ty,
                    },
                    zero,
                    len,
                )
            }
        }
    }

    fn bind_element(&mut self, pattern: &'h Binding, walk: &Counted) {
        if let (Walk::Map { map, key, value }, Binding::Tuple(items)) = (&walk.walk, pattern) {
            let at = self.b.read(walk.counter);
            let halves = [
                (Op::MapKeyAt(*map, at), *key),
                (Op::MapValueAt(*map, at), *value),
            ];
            for (item, (op, ty)) in items.iter().zip(halves) {
                let found = self.slot_at(op, ty);
                self.bind(item, found, ty);
            }
            return;
        }
        let value = self.element(walk);
        let (Walk::Range { element: ty, .. }
        | Walk::List { element: ty, .. }
        | Walk::Json { element: ty, .. }
        | Walk::Map { key: ty, .. }) = walk.walk;
        if self.t.is_secret(ty) {
            self.register_secrets(value, ty);
        }
        self.bind(pattern, value, ty);
    }

    fn slot_at(&mut self, op: Op, ty: TypeId) -> Value {
        let class = self.t.repr(ty).slot_class();
        let reg = self.b.emit1(op, class);
        self.unpack(reg, ty)
    }

    pub(super) fn while_(&mut self, cond: Option<&'h Cond>, body: &'h Block) {
        let (header, entry, latch, exit) = (
            self.b.block(),
            self.b.block(),
            self.b.block(),
            self.b.block(),
        );
        self.b.jump(header);
        self.b.switch_to(header);
        let found = match cond {
            Some(cond) => self.branch_cond(cond, entry, exit),
            None => {
                self.b.jump(entry);
                Value::Unit
            }
        };
        self.b.enter(entry);
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Loop { exit, next: latch });
        self.push_scope(ScopeKind::Block(Vec::new()));
        if let Some(cond) = cond {
            self.bind_cond(cond, found);
        }
        self.block(body);
        self.pop_to(depth);
        self.back_edge(latch, header, exit);
    }

    fn back_edge(&mut self, latch: BlockId, header: BlockId, exit: BlockId) {
        self.b.jump(latch);
        self.b.enter(latch);
        self.poke();
        self.b.jump(header);
        self.b.seal(header);
        self.b.enter(exit);
    }

    /// `every D { }`: at once, then at each multiple of the period that is not past.
    pub(super) fn every(&mut self, period: &'h Expr, body: &'h Block) {
        let period = self.expr_reg(period);
        let due = self.b.var(Ty::Int);
        let now = self.rt1("rt.now", &[]);
        self.b.write(due, now);
        let (header, entry, latch, exit) = (
            self.b.block(),
            self.b.block(),
            self.b.block(),
            self.b.block(),
        );
        self.b.jump(header);
        self.b.switch_to(header);
        let stopping = self.rt1("rt.stopping", &[]);
        self.b.branch(stopping, exit, entry);
        self.b.enter(entry);
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Loop { exit, next: latch });
        self.block(body);
        self.pop_to(depth);
        self.b.jump(latch);
        self.b.enter(latch);
        let last = self.b.read(due);
        let next = self.rt1("rt.next_tick", &[last, period]);
        self.b.write(due, next);
        self.rt("rt.sleep_until", &[next]);
        self.poke();
        self.b.jump(header);
        self.b.seal(header);
        self.b.enter(exit);
    }

    /// `break` and `continue`.
    pub(super) fn leave_loop(&mut self, exits: bool) -> Value {
        let Some((depth, exit, next)) = self.innermost_loop() else {
            self.b.terminate(crate::ir::Terminator::Unreachable);
            return Value::Unit;
        };
        self.unwind(depth + 1);
        self.b.jump(if exits { exit } else { next });
        Value::Unit
    }

    /// `[value for pattern in iterable if filter]`.
    pub(super) fn comprehension(
        &mut self,
        value: &'h Expr,
        pattern: &'h Binding,
        iterable: &'h Expr,
        filter: Option<&'h Expr>,
        ty: TypeId,
    ) -> Value {
        let list = self.b.var(Ty::Ptr);
        let desc = self.t.desc(ty);
        let empty = self.b.emit1(Op::NewList(desc, Vec::new()), Ty::Ptr);
        self.b.write(list, empty);
        let walk = self.start_walk(iterable);
        let depth = self.scopes.len();
        self.push_scope(ScopeKind::Block(Vec::new()));
        self.bind_element(pattern, &walk);
        if let Some(filter) = filter {
            let keep = self.b.block();
            self.branch_on(filter, keep, walk.latch);
            self.b.enter(keep);
        }
        let element = self.expr(value);
        self.push_element(list, element, value.ty, ty);
        self.pop_to(depth);
        self.finish_walk(walk);
        Value::One(self.b.read(list))
    }

    fn push_element(&mut self, list: Var, value: Value, from: TypeId, list_ty: TypeId) {
        let element = match self.t.ty(list_ty) {
            Type::List(element) => *element,
            _ => from,
        };
        let value = self.coerce(value, from, element);
        let value = self.pack(value, element);
        let before = self.b.read(list);
        let after = self.b.emit1(Op::ListPush(before, value), Ty::Ptr);
        self.b.write(list, after);
    }

    /// What `parallel for` walks, as a list with the type of its elements.
    pub fn as_list(&mut self, iterable: &'h Expr) -> (Reg, TypeId) {
        let hir = self.hir;
        let ty = self.t.strip(iterable.ty);
        if let Type::List(element) = hir.types[ty] {
            return (self.expr_reg(iterable), element);
        }
        let element = match hir.types[ty] {
            Type::Range(element) => element,
            Type::Map(key, _) => key,
            _ => ty,
        };
        let desc = Desc::List(self.t.slot(element));
        let desc = self.t.intern_desc(desc);
        let list = self.b.var(Ty::Ptr);
        let empty = self.b.emit1(Op::NewList(desc, Vec::new()), Ty::Ptr);
        self.b.write(list, empty);
        let walk = self.start_walk(iterable);
        let value = self.element(&walk);
        let value = self.pack(value, element);
        let before = self.b.read(list);
        let after = self.b.emit1(Op::ListPush(before, value), Ty::Ptr);
        self.b.write(list, after);
        self.finish_walk(walk);
        (self.b.read(list), element)
    }

    /// The current element; of a map the key.
    fn element(&mut self, walk: &Counted) -> Value {
        let at = self.b.read(walk.counter);
        match walk.walk {
            Walk::Range { .. } => Value::One(at),
            Walk::List { list, element } => self.slot_at(Op::ListAt(list, at), element),
            Walk::Map { map, key, .. } => self.slot_at(Op::MapKeyAt(map, at), key),
            Walk::Json { json, .. } => self.rt("rt.json_at", &[json, at]),
        }
    }
}
