//! Expressions: one arm for each kind, most of which live in files of their own.

use super::function::{Lower, Returns, Value};
use super::types::Repr;
use crate::hir::{Conversion, Expr, ExprKind, GlobalId, GlobalKind, Type, TypeId};
use crate::ir::{self, ConstObject, Op, Reg, Terminator, TryOp, Ty};

impl<'h> Lower<'_, 'h> {
    /// Evaluates an expression.
    pub fn expr(&mut self, expr: &'h Expr) -> Value {
        let outer = std::mem::replace(&mut self.b.span, expr.span);
        let value = self.expr_kind(expr);
        self.b.span = outer;
        value
    }

    /// Evaluates an expression that lives in one register.
    pub fn expr_reg(&mut self, expr: &'h Expr) -> Reg {
        let value = self.expr(expr);
        self.reg(value)
    }

    /// Evaluates an expression to memory form.
    pub fn expr_memory(&mut self, expr: &'h Expr) -> Reg {
        let value = self.expr(expr);
        self.pack(value, expr.ty)
    }

    fn expr_kind(&mut self, expr: &'h Expr) -> Value {
        let ty = expr.ty;
        match &*expr.kind {
            ExprKind::Const(value) => self.constant(value, ty),
            ExprKind::Local(local) => self.read_local(*local),
            ExprKind::Cell(cell) => self.read_cell(*cell),
            ExprKind::Global(global) => self.global(*global, ty),
            ExprKind::Call { func, args } => self.call(*func, args, ty),
            ExprKind::CallNative { native, args } => self.call_native(*native, args, ty),
            ExprKind::CallVar {
                native,
                place,
                args,
            } => self.call_var(*native, place, args, ty),
            ExprKind::Field { base, index } | ExprKind::Element { base, index } => {
                self.load(base, *index, ty)
            }
            ExprKind::Index { base, index } => self.index(base, index, ty),
            ExprKind::ByteAt { base, index } => {
                let (base, index) = (self.expr_reg(base), self.expr_reg(index));
                Value::One(self.try1(TryOp::BytesGet(base, index), Ty::Int))
            }
            ExprKind::Lookup { base, key } => self.lookup(base, key, ty),
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Arith { op, left, right } => self.arith(*op, left, right),
            ExprKind::Concat { .. } => self.concat(expr),
            ExprKind::Compare { op, left, right } => self.compare(*op, left, right),
            ExprKind::Logic { .. } => self.logic(expr),
            ExprKind::Coalesce { left, right } => self.coalesce(left, right, ty),
            ExprKind::OptionalChain { base, local, body } => {
                self.optional_chain(base, *local, body, ty)
            }
            ExprKind::Range {
                start,
                end,
                inclusive,
            } => self.range(start, end, *inclusive, ty),
            ExprKind::Decode { value, to } => self.decode(value, *to),
            ExprKind::Parse { value, to } => self.parse(value, *to),
            ExprKind::Convert { value, kind } => self.convert(value, *kind, ty),
            ExprKind::Interpolate(parts) => self.interpolate(parts),
            ExprKind::List(items) => self.list(items, ty),
            ExprKind::Map(entries) => self.map(entries, ty),
            ExprKind::Record { fields, order } => self.record(fields, order, ty),
            ExprKind::Tuple(items) => self.tuple(items, ty),
            ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            } => self.comprehension(value, pattern, iterable, filter.as_ref(), ty),
            ExprKind::Catch {
                value,
                binder,
                handler,
            } => self.catch(value, *binder, handler, ty),
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => self.if_(cond, then, otherwise.as_ref(), ty),
            ExprKind::Match { value, arms } => self.match_(value, arms, ty),
            ExprKind::Do(block) => self.block_as(block, ty),
            ExprKind::Step { name, body } => {
                let value = self.step(name, body);
                self.coerce_block(value, body, ty)
            }
            ExprKind::Timeout { limit, body } => {
                let value = self.timeout(limit, body);
                self.coerce_block(value, body, ty)
            }
            ExprKind::Retry {
                times,
                backoff,
                body,
            } => self.retry(times.as_ref(), backoff.as_ref(), body, ty),
            ExprKind::Race(branches) => self.race(branches, ty),
            ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            } => self.parallel_for(pattern, iterable, max.as_ref(), body, ty),
            ExprKind::Return(value) => self.return_(value.as_ref()),
            ExprKind::Break => self.leave_loop(true),
            ExprKind::Continue => self.leave_loop(false),
            ExprKind::Fail { message, kind } => self.fail(message, kind.as_ref()),
            ExprKind::Rethrow(error) => self.rethrow(error),
        }
    }

    fn coerce_block(&mut self, value: Value, block: &'h crate::hir::Block, ty: TypeId) -> Value {
        match &block.value {
            Some(expr) => self.coerce(value, expr.ty, ty),
            None => self.none(ty),
        }
    }

    fn global(&mut self, id: GlobalId, ty: TypeId) -> Value {
        if !matches!(self.hir.globals[id.index()].kind, GlobalKind::Param { .. }) {
            return Value::One(self.b.int(i64::from(id.0)));
        }
        let class = self.t.repr(ty).slot_class();
        let reg = self.b.emit1(Op::Global(ir::GlobalId(id.0)), class);
        self.unpack(reg, ty)
    }

    fn load(&mut self, base: &'h Expr, index: u32, ty: TypeId) -> Value {
        let base = self.expr_reg(base);
        let value = self.load_slot(base, index, ty);
        // The record may come from another user's hands: `setup`, a data set.
        if self.t.is_secret(ty) {
            self.register_secrets(value, ty);
        }
        value
    }

    /// Slot of a record or tuple as a value.
    pub fn load_slot(&mut self, base: Reg, index: u32, ty: TypeId) -> Value {
        let class = self.t.repr(ty).slot_class();
        let reg = self.b.emit1(Op::Load(base, index), class);
        self.unpack(reg, ty)
    }

    fn index(&mut self, base: &'h Expr, index: &'h Expr, ty: TypeId) -> Value {
        let (base, index) = (self.expr_reg(base), self.expr_reg(index));
        let class = self.t.repr(ty).slot_class();
        let reg = self.try1(TryOp::ListGet(base, index), class);
        self.unpack(reg, ty)
    }

    fn lookup(&mut self, base: &'h Expr, key: &'h Expr, ty: TypeId) -> Value {
        let value_ty = match self.t.ty(base.ty) {
            Type::Map(_, value) => *value,
            _ => ty,
        };
        let (base, key) = (self.expr_reg(base), self.expr_memory(key));
        let class = self.t.repr(value_ty).slot_class();
        let found = self.b.emit(Op::MapGet(base, key), &[Ty::Int, class]);
        match self.t.repr(value_ty) {
            Repr::Unit => Value::Unit,
            Repr::Scalar(_) => Value::Opt(found[0], found[1]),
            Repr::OptScalar(_) | Repr::Ptr => self.unpack(found[1], value_ty),
        }
    }

    fn range(&mut self, start: &'h Expr, end: &'h Expr, inclusive: bool, ty: TypeId) -> Value {
        let (start, end) = (self.expr_reg(start), self.expr_reg(end));
        let inclusive = self.b.int(i64::from(inclusive));
        let desc = self.t.desc(ty);
        Value::One(
            self.b
                .emit1(Op::New(desc, vec![start, end, inclusive]), Ty::Ptr),
        )
    }

    fn list(&mut self, items: &'h [Expr], ty: TypeId) -> Value {
        let regs = items.iter().map(|item| self.expr_memory(item)).collect();
        let desc = self.t.desc(ty);
        Value::One(self.b.emit1(Op::NewList(desc, regs), Ty::Ptr))
    }

    fn map(&mut self, entries: &'h [(Expr, Expr)], ty: TypeId) -> Value {
        let mut regs = Vec::with_capacity(2 * entries.len());
        for (key, value) in entries {
            regs.push(self.expr_memory(key));
            regs.push(self.expr_memory(value));
        }
        let desc = self.t.desc(ty);
        Value::One(self.b.emit1(Op::NewMap(desc, regs), Ty::Ptr))
    }

    /// Fields are evaluated in the order of the source and stored in that of the type.
    fn record(&mut self, fields: &'h [Expr], order: &[u32], ty: TypeId) -> Value {
        let mut regs: Vec<Option<Reg>> = vec![None; fields.len()];
        let all = 0..fields.len() as u32;
        for index in order.iter().copied().chain(all) {
            if regs[index as usize].is_none() {
                regs[index as usize] = Some(self.expr_memory(&fields[index as usize]));
            }
        }
        let desc = self.t.desc(ty);
        Value::One(
            self.b
                .emit1(Op::New(desc, regs.into_iter().flatten().collect()), Ty::Ptr),
        )
    }

    fn tuple(&mut self, items: &'h [Expr], ty: TypeId) -> Value {
        let regs = items.iter().map(|item| self.expr_memory(item)).collect();
        let desc = self.t.desc(ty);
        Value::One(self.b.emit1(Op::New(desc, regs), Ty::Ptr))
    }

    fn convert(&mut self, value: &'h Expr, kind: Conversion, ty: TypeId) -> Value {
        let from = value.ty;
        let value = self.expr(value);
        match kind {
            Conversion::ToOptional | Conversion::Secret | Conversion::Static => {
                self.coerce(value, from, ty)
            }
            Conversion::ToJson => self.pack_json(value, from),
            Conversion::ToUnion => Value::One(self.pack_any(value, from)),
            Conversion::IntToFloat => {
                let reg = self.reg(value);
                Value::One(self.b.emit1(Op::ToFloat(reg), Ty::Float))
            }
            Conversion::Record => {
                let (desc, reg) = (self.t.desc(ty), self.reg(value));
                let desc = self.b.int(i64::from(desc.0));
                Value::One(self.rt1("rt.record_convert", &[desc, reg]))
            }
        }
    }

    /// Any value as a pointer: scalars in boxes, objects as they are, `none` as null.
    pub fn pack_any(&mut self, value: Value, ty: TypeId) -> Reg {
        match (value, self.t.repr(ty)) {
            (_, Repr::Unit) => self.null(),
            (Value::One(reg), Repr::Scalar(_)) => {
                let desc = self.t.desc(ty);
                self.b.emit1(Op::Box(desc, reg), Ty::Ptr)
            }
            (value, _) => self.pack(value, ty),
        }
    }

    /// The JSON `null` object.
    fn json_null(&mut self) -> Reg {
        let id = self.t.constant(ConstObject::Null);
        self.b.emit1(Op::Const(id), Ty::Ptr)
    }

    /// A value as `json`, where `none` is the `null` object.
    fn pack_json(&mut self, value: Value, ty: TypeId) -> Value {
        if self.t.repr(ty) == Repr::Unit {
            return Value::One(self.json_null());
        }
        let any = self.pack_any(value, ty);
        if !self.t.is_optional(ty) {
            return Value::One(any);
        }
        let out = self.b.var(Ty::Ptr);
        let (absent, done) = (self.b.block(), self.b.block());
        self.b.write(out, any);
        let is_null = self.b.emit1(Op::IsNull(any), Ty::Int);
        self.b.branch(is_null, absent, done);
        self.b.enter(absent);
        let null = self.json_null();
        self.b.write(out, null);
        self.b.jump(done);
        self.b.enter(done);
        Value::One(self.b.read(out))
    }

    fn return_(&mut self, value: Option<&'h Expr>) -> Value {
        let (value, from) = match value {
            Some(expr) => (self.expr(expr), Some(expr.ty)),
            None => (Value::Unit, None),
        };
        self.return_value(value, from);
        Value::Unit
    }

    /// Leaves the function with a value of a type (`None`: without one).
    pub fn return_value(&mut self, value: Value, from: Option<TypeId>) {
        let wanted = match self.returns {
            Returns::Registers(ty) | Returns::Memory(ty) => Some(ty),
            Returns::Pointer | Returns::Nothing => None,
        };
        let value = match (wanted, from) {
            (Some(to), Some(from)) => self.coerce(value, from, to),
            (Some(to), None) => self.none(to),
            (None, _) => Value::Unit,
        };
        let regs = match self.returns {
            Returns::Memory(ty) if self.t.repr(ty) != Repr::Unit => {
                smallvec::SmallVec::from_slice(&[self.pack(value, ty)])
            }
            _ => value.regs(),
        };
        self.unwind(0);
        self.b.terminate(Terminator::Return(regs));
    }
}
