//! Places: cells, and nested update by taking out and putting back.
//!
//! `a.b[i] = v` makes `a` unique, takes `b` out of it, sets the element, stores `b` back. Keys, indices and the
//! new value are evaluated before anything is taken, so no wait and no other script code lies in between;
//! what can fail puts back on its error edge too.

use super::function::{Fallible, Lower, Value};
use crate::hir::{CellId, CellOwner, Expr, GlobalKind, LocalId, Place, Root, Step, Type, TypeId};
use crate::ir::{Op, Reg, TryOp, Ty};

/// A level that was taken out: the object that stays behind, and where in it.
#[derive(Clone, Copy)]
pub(crate) enum Taken {
    Field(Reg, u32),
    Element(Reg, Reg),
    Entry(Reg, Reg),
}

impl<'h> Lower<'_, 'h> {
    fn cell_type(&self, cell: CellId) -> TypeId {
        let cells = match self.f.cells {
            Some(CellOwner::Scenario(at)) => &self.hir.scenarios[at as usize].cells,
            Some(CellOwner::Server(id)) => match &self.hir.globals[id.index()].kind {
                GlobalKind::Server(server) => &server.cells,
                _ => unreachable!("the owner of server cells is a server"),
            },
            None => unreachable!("only functions of scenarios and servers see cells"),
        };
        cells[cell.index()].ty
    }

    pub(super) fn read_cell(&mut self, cell: CellId) -> Value {
        let ty = self.cell_type(cell);
        let class = self.t.repr(ty).slot_class();
        let reg = self.b.emit1(Op::CellLoad(cell.0), class);
        self.unpack(reg, ty)
    }

    /// Gives a cell a value.
    pub fn write_cell(&mut self, cell: CellId, value: Value, from: TypeId) {
        let ty = self.cell_type(cell);
        let value = self.coerce(value, from, ty);
        let reg = self.pack(value, ty);
        self.b.emit0(Op::CellStore(cell.0, reg));
    }

    fn root_type(&self, root: Root) -> TypeId {
        match root {
            Root::Local(local) => self.local_type(local),
            Root::Cell(cell) => self.cell_type(cell),
        }
    }

    fn read_root(&mut self, root: Root) -> Value {
        match root {
            Root::Local(local) => self.read_local(local),
            Root::Cell(cell) => self.read_cell(cell),
        }
    }

    fn write_root(&mut self, root: Root, value: Value, from: TypeId) {
        match root {
            Root::Local(local) => {
                let value = self.coerce(value, from, self.local_type(local));
                self.write_local(local, value);
            }
            Root::Cell(cell) => self.write_cell(cell, value, from),
        }
    }

    pub(super) fn assign(&mut self, place: &'h Place, value: &'h Expr) {
        let keys = self.place_keys(place);
        let from = value.ty;
        let value = match place.root {
            Root::Local(local) if place.path.is_empty() => self.longer(local, value),
            _ => self.expr(value),
        };
        self.store(place, &keys, value, from);
    }

    /// `place op= value`: the place's keys are evaluated once.
    pub(super) fn update(&mut self, place: &'h Place, old: LocalId, value: &'h Expr) {
        let keys = self.place_keys(place);
        let current = self.read_place(place, &keys);
        self.write_local(old, current);
        let from = value.ty;
        let value = match place.root {
            Root::Local(_) if place.path.is_empty() => self.longer(old, value),
            _ => self.expr(value),
        };
        self.store(place, &keys, value, from);
    }

    /// Evaluates the indices and keys of a path, in order.
    pub fn place_keys(&mut self, place: &'h Place) -> Vec<Option<Reg>> {
        let key = |lower: &mut Self, step: &'h Step| match step {
            Step::Field { .. } => None,
            Step::Index { index, .. } => Some(lower.expr_reg(index)),
            Step::Key { key, .. } => Some(lower.expr_memory(key)),
        };
        place.path.iter().map(|step| key(self, step)).collect()
    }

    /// The current value of a place; a missing key fails.
    fn read_place(&mut self, place: &'h Place, keys: &[Option<Reg>]) -> Value {
        let mut value = self.read_root(place.root);
        for (step, key) in place.path.iter().zip(keys) {
            let base = self.reg(value);
            value = self.read_step(base, step, *key);
        }
        value
    }

    fn read_step(&mut self, base: Reg, step: &'h Step, key: Option<Reg>) -> Value {
        let ty = self.step_type(step);
        match (step, key) {
            (Step::Field { index, .. }, _) => self.load_slot(base, *index, ty),
            (Step::Index { .. }, Some(index)) => {
                let reg = self.try1(TryOp::ListGet(base, index), self.t.repr(ty).slot_class());
                self.unpack(reg, ty)
            }
            (_, key) => {
                let key = key.unwrap_or(base);
                let class = self.t.repr(ty).slot_class();
                let found = self.b.emit(Op::MapGet(base, key), &[Ty::Int, class]);
                self.require_key(found[0], key, |_| {});
                self.unpack(found[1], ty)
            }
        }
    }

    /// Fails with the key unless it was found; `restore` runs first.
    fn require_key(&mut self, found: Reg, key: Reg, restore: impl FnOnce(&mut Self)) {
        let (present, missing) = (self.b.block(), self.b.cold_block());
        self.b.branch(found, present, missing);
        self.b.enter(missing);
        restore(self);
        let key = self.key_object(key);
        self.raise("rt.key_missing", &[key]);
        self.b.enter(present);
    }

    /// A key as an object for the message; scalars other than ints show their bits.
    fn key_object(&mut self, key: Reg) -> Reg {
        match self.b.class(key) {
            Ty::Ptr => key,
            _ => self
                .b
                .emit1(Op::Box(crate::ir::desc::BOX_INT, key), Ty::Ptr),
        }
    }

    /// The type of what a step leads to.
    fn step_type(&self, step: &Step) -> TypeId {
        match step {
            Step::Field { record, index } => match self.t.ty(*record) {
                Type::Record(fields) => fields[*index as usize].1,
                _ => *record,
            },
            Step::Index { list, .. } => match self.t.ty(*list) {
                Type::List(element) => *element,
                _ => *list,
            },
            Step::Key { map, .. } => match self.t.ty(*map) {
                Type::Map(_, value) => *value,
                _ => *map,
            },
        }
    }

    /// Stores a value at the end of a path.
    fn store(&mut self, place: &'h Place, keys: &[Option<Reg>], value: Value, from: TypeId) {
        let Some((last, _)) = place.path.split_last() else {
            return self.write_root(place.root, value, from);
        };
        let ty = self.step_type(last);
        let value = self.coerce(value, from, ty);
        let value = self.pack(value, ty);
        let depth = place.path.len() - 1;
        let (owner, taken) = self.take_steps(place, keys, depth);
        let owner = match (last, keys[depth]) {
            (Step::Field { index, .. }, _) => {
                let owner = self.b.emit1(Op::Unique(owner), Ty::Ptr);
                self.b.emit0(Op::Store(owner, *index, value));
                owner
            }
            (Step::Index { .. }, Some(index)) => {
                let op = Fallible::Try(TryOp::ListSet(owner, index, value));
                self.fallible_or(op, &[Ty::Ptr], |lower, results| {
                    lower.put_back(place, &taken, results[0])
                })[0]
            }
            (_, key) => {
                let key = key.unwrap_or(owner);
                self.b.emit1(Op::MapInsert(owner, key, value), Ty::Ptr)
            }
        };
        self.put_back(place, &taken, owner);
    }

    /// Takes the whole place out, for a call that changes it.
    pub fn take_out(&mut self, place: &'h Place, keys: &[Option<Reg>]) -> (Reg, Vec<Taken>) {
        self.take_steps(place, keys, place.path.len())
    }

    fn take_steps(
        &mut self,
        place: &'h Place,
        keys: &[Option<Reg>],
        depth: usize,
    ) -> (Reg, Vec<Taken>) {
        let mut current = self.take_root(place.root);
        let mut taken = Vec::new();
        for (step, key) in place.path.iter().zip(keys).take(depth) {
            current = self.take_step(place, &mut taken, current, step, *key);
        }
        (current, taken)
    }

    fn take_root(&mut self, root: Root) -> Reg {
        match root {
            Root::Local(local) => {
                let value = self.read_local(local);
                self.reg(value)
            }
            Root::Cell(cell) => self.b.emit1(Op::CellTake(cell.0), Ty::Ptr),
        }
    }

    fn take_step(
        &mut self,
        place: &'h Place,
        taken: &mut Vec<Taken>,
        current: Reg,
        step: &'h Step,
        key: Option<Reg>,
    ) -> Reg {
        let owner = self.b.emit1(Op::Unique(current), Ty::Ptr);
        let before = taken.clone();
        match (step, key) {
            (Step::Field { index, .. }, _) => {
                taken.push(Taken::Field(owner, *index));
                self.b.emit1(Op::Take(owner, *index), Ty::Ptr)
            }
            (Step::Index { .. }, Some(index)) => {
                taken.push(Taken::Element(owner, index));
                let op = Fallible::Try(TryOp::ListTake(owner, index));
                self.fallible_or(op, &[Ty::Ptr], |lower, _| {
                    lower.put_back(place, &before, owner)
                })[0]
            }
            (_, key) => {
                let key = key.unwrap_or(owner);
                taken.push(Taken::Entry(owner, key));
                let found = self.b.emit(Op::MapTake(owner, key), &[Ty::Int, Ty::Ptr]);
                self.require_key(found[0], key, |lower| lower.put_back(place, &before, owner));
                found[1]
            }
        }
    }

    /// Puts what was taken out back, level by level, and the root into its variable.
    pub fn put_back(&mut self, place: &'h Place, taken: &[Taken], mut value: Reg) {
        for level in taken.iter().rev() {
            value = match *level {
                Taken::Field(owner, index) => {
                    self.b.emit0(Op::Store(owner, index, value));
                    owner
                }
                Taken::Element(owner, index) => {
                    self.b.emit0(Op::ListPut(owner, index, value));
                    owner
                }
                Taken::Entry(owner, key) => self.b.emit1(Op::MapInsert(owner, key, value), Ty::Ptr),
            };
        }
        let ty = self.root_type(place.root);
        self.write_root(place.root, Value::One(value), ty);
    }
}
