//! Operators: arithmetic by dimension, comparisons, logic, optionals.

use super::function::{Fallible, Lower, Value};
use super::types::{Repr, class};
use crate::hir::{Arith, Expr, ExprKind, LocalId, Type, TypeId};
use crate::ir::{BlockId, CheckedOp, Cmp, FloatBin, IntBin, Op, Reg, TryOp, Ty};
use scn_grammar::ast::{BinaryOp, UnaryOp};

impl<'h> Lower<'_, 'h> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &'h Expr) -> Value {
        let float = matches!(self.t.repr(operand.ty), Repr::Scalar(s) if class(s) == Ty::Float);
        let reg = self.expr_reg(operand);
        Value::One(match op {
            UnaryOp::Not => self.b.emit1(Op::Not(reg), Ty::Int),
            UnaryOp::BitNot => {
                let ones = self.b.int(-1);
                self.b.emit1(Op::IntBin(IntBin::Xor, reg, ones), Ty::Int)
            }
            UnaryOp::Neg if float => self.b.emit1(Op::FloatNeg(reg), Ty::Float),
            UnaryOp::Neg if self.t.is_unchecked => {
                let zero = self.b.int(0);
                self.b.emit1(Op::IntBin(IntBin::Sub, zero, reg), Ty::Int)
            }
            UnaryOp::Neg => self.try1(TryOp::Neg(reg), Ty::Int),
        })
    }

    pub(super) fn arith(&mut self, op: Arith, left: &'h Expr, right: &'h Expr) -> Value {
        let (left_ty, right_ty) = (left.ty, right.ty);
        let (a, b) = (self.expr_reg(left), self.expr_reg(right));
        Value::One(match op {
            Arith::Int(op) | Arith::Duration(op) | Arith::DurationInt(op) => {
                self.int_arith(op, a, b)
            }
            Arith::Float(op) => self.float_arith(op, a, b),
            Arith::DurationRem => self.int_arith(BinaryOp::Rem, a, b),
            Arith::DurationFloat(op) => {
                let (a, b) = (self.as_float(a), self.as_float(b));
                let scaled = self.float_arith(op, a, b);
                self.try1(TryOp::ToInt(scaled), Ty::Int)
            }
            Arith::DurationRatio => {
                let (a, b) = (self.as_float(a), self.as_float(b));
                self.float_arith(BinaryOp::Div, a, b)
            }
            Arith::NumberPerDuration => {
                let (a, seconds) = (self.as_float(a), self.seconds(b));
                self.float_arith(BinaryOp::Div, a, seconds)
            }
            Arith::RateTimesDuration => {
                let a = if self.is_duration(left_ty) {
                    self.seconds(a)
                } else {
                    a
                };
                let b = if self.is_duration(right_ty) {
                    self.seconds(b)
                } else {
                    b
                };
                self.float_arith(BinaryOp::Mul, a, b)
            }
            Arith::NumberPerRate => {
                let a = self.as_float(a);
                let seconds = self.float_arith(BinaryOp::Div, a, b);
                let nanos = self.float(1e9);
                let nanos = self.float_arith(BinaryOp::Mul, seconds, nanos);
                self.try1(TryOp::ToInt(nanos), Ty::Int)
            }
        })
    }

    fn is_duration(&self, ty: TypeId) -> bool {
        matches!(self.t.ty(ty), Type::Duration)
    }

    fn float(&mut self, value: f64) -> Reg {
        self.b.emit1(Op::Float(value.to_bits()), Ty::Float)
    }

    fn as_float(&mut self, reg: Reg) -> Reg {
        match self.b.class(reg) {
            Ty::Float => reg,
            _ => self.b.emit1(Op::ToFloat(reg), Ty::Float),
        }
    }

    fn seconds(&mut self, nanos: Reg) -> Reg {
        let nanos = self.as_float(nanos);
        let billion = self.float(1e9);
        self.float_arith(BinaryOp::Div, nanos, billion)
    }

    fn int_arith(&mut self, op: BinaryOp, a: Reg, b: Reg) -> Reg {
        let checked = match op {
            BinaryOp::BitAnd => return self.b.emit1(Op::IntBin(IntBin::And, a, b), Ty::Int),
            BinaryOp::BitOr => return self.b.emit1(Op::IntBin(IntBin::Or, a, b), Ty::Int),
            BinaryOp::BitXor => return self.b.emit1(Op::IntBin(IntBin::Xor, a, b), Ty::Int),
            BinaryOp::Sub => CheckedOp::Sub,
            BinaryOp::Mul => CheckedOp::Mul,
            BinaryOp::Div => CheckedOp::Div,
            BinaryOp::Rem => CheckedOp::Rem,
            BinaryOp::Shl => CheckedOp::Shl,
            BinaryOp::Shr => CheckedOp::Shr,
            _ => CheckedOp::Add,
        };
        match self.t.is_unchecked {
            true => self.b.emit1(Op::IntBin(wrapping(checked), a, b), Ty::Int),
            false => self.try1(TryOp::Int(checked, a, b), Ty::Int),
        }
    }

    fn float_arith(&mut self, op: BinaryOp, a: Reg, b: Reg) -> Reg {
        let op = match op {
            BinaryOp::Sub => FloatBin::Sub,
            BinaryOp::Mul => FloatBin::Mul,
            BinaryOp::Div => FloatBin::Div,
            BinaryOp::Rem => FloatBin::Rem,
            _ => FloatBin::Add,
        };
        self.b.emit1(Op::FloatBin(op, a, b), Ty::Float)
    }

    pub(super) fn compare(&mut self, op: BinaryOp, left: &'h Expr, right: &'h Expr) -> Value {
        let ty = left.ty;
        let (a, b) = (self.expr(left), self.expr(right));
        Value::One(self.compare_values(op, a, b, ty))
    }

    /// Compares two values of one type.
    pub fn compare_values(&mut self, op: BinaryOp, a: Value, b: Value, ty: TypeId) -> Reg {
        let cmp = comparison(op);
        match (a, b, self.t.repr(ty)) {
            (Value::One(a), Value::One(b), Repr::Scalar(s)) => {
                self.compare_scalars(cmp, a, b, class(s))
            }
            (Value::Opt(f, p), Value::Opt(g, q), Repr::OptScalar(s)) => {
                // The payload of `none` is 0, so both halves equal means equal.
                let flags = self.compare_scalars(Cmp::Eq, f, g, Ty::Int);
                let payloads = self.compare_scalars(Cmp::Eq, p, q, class(s));
                let equal = self
                    .b
                    .emit1(Op::IntBin(IntBin::And, flags, payloads), Ty::Int);
                self.negate_if(cmp == Cmp::Ne, equal)
            }
            (Value::One(a), Value::One(b), Repr::Ptr) => self.compare_objects(cmp, a, b),
            _ => self.b.int(i64::from(cmp == Cmp::Eq)),
        }
    }

    /// Compares two scalars in registers.
    pub fn compare_scalars(&mut self, cmp: Cmp, a: Reg, b: Reg, class: Ty) -> Reg {
        let op = match class {
            Ty::Float => Op::FloatCmp(cmp, a, b),
            _ => Op::IntCmp(cmp, a, b),
        };
        self.b.emit1(op, Ty::Int)
    }

    fn compare_objects(&mut self, cmp: Cmp, a: Reg, b: Reg) -> Reg {
        if matches!(cmp, Cmp::Eq | Cmp::Ne) {
            let equal = self.b.emit1(Op::Equal(a, b), Ty::Int);
            return self.negate_if(cmp == Cmp::Ne, equal);
        }
        let order = self.rt1("rt.compare", &[a, b]);
        let zero = self.b.int(0);
        self.compare_scalars(cmp, order, zero, Ty::Int)
    }

    fn negate_if(&mut self, negate: bool, flag: Reg) -> Reg {
        if negate {
            self.b.emit1(Op::Not(flag), Ty::Int)
        } else {
            flag
        }
    }

    /// `&&`, `||` as a value.
    pub(super) fn logic(&mut self, expr: &'h Expr) -> Value {
        let out = self.b.var(Ty::Int);
        let (yes, no, done) = (self.b.block(), self.b.block(), self.b.block());
        self.branch_on(expr, yes, no);
        for (block, value) in [(yes, 1), (no, 0)] {
            self.b.enter(block);
            let reg = self.b.int(value);
            self.b.write(out, reg);
            self.b.jump(done);
        }
        self.b.enter(done);
        Value::One(self.b.read(out))
    }

    /// Branches on a `bool` without making a value of `&&`, `||` and `!`.
    pub fn branch_on(&mut self, expr: &'h Expr, yes: BlockId, no: BlockId) {
        match &*expr.kind {
            ExprKind::Logic { op, left, right } => {
                let middle = self.b.block();
                match op {
                    BinaryOp::And => self.branch_on(left, middle, no),
                    _ => self.branch_on(left, yes, middle),
                }
                self.b.enter(middle);
                self.branch_on(right, yes, no);
            }
            ExprKind::Unary {
                op: UnaryOp::Not,
                operand,
            } => self.branch_on(operand, no, yes),
            _ => {
                let cond = self.expr_reg(expr);
                self.b.branch(cond, yes, no);
            }
        }
    }

    /// Whether an optional has a value.
    pub fn has_value(&mut self, value: Value) -> Reg {
        match value {
            Value::Opt(flag, _) => flag,
            Value::One(reg) if self.b.class(reg) == Ty::Ptr => {
                let null = self.b.emit1(Op::IsNull(reg), Ty::Int);
                self.b.emit1(Op::Not(null), Ty::Int)
            }
            Value::One(_) => self.b.int(1),
            Value::Unit => self.b.int(0),
        }
    }

    /// The value in an optional that is known to have one.
    pub fn unwrapped(&self, value: Value) -> Value {
        match value {
            Value::Opt(_, payload) => Value::One(payload),
            other => other,
        }
    }

    pub(super) fn coalesce(&mut self, left: &'h Expr, right: &'h Expr, ty: TypeId) -> Value {
        let out = self.new_vars(ty);
        let value = self.expr(left);
        let (some, none, done) = (self.b.block(), self.b.block(), self.b.block());
        let flag = self.has_value(value);
        self.b.branch(flag, some, none);
        self.b.enter(some);
        let (inner, inner_ty) = (self.unwrapped(value), self.t.unwrap_optional(left.ty));
        let inner = self.coerce(inner, inner_ty, ty);
        self.write_vars(&out, inner);
        self.b.jump(done);
        self.b.enter(none);
        let fallback = self.expr(right);
        let fallback = self.coerce(fallback, right.ty, ty);
        self.write_vars(&out, fallback);
        self.b.jump(done);
        self.b.enter(done);
        self.read_vars(&out)
    }

    pub(super) fn optional_chain(
        &mut self,
        base: &'h Expr,
        local: LocalId,
        body: &'h Expr,
        ty: TypeId,
    ) -> Value {
        let out = self.new_vars(ty);
        let value = self.expr(base);
        let (some, none, done) = (self.b.block(), self.b.block(), self.b.block());
        let flag = self.has_value(value);
        self.b.branch(flag, some, none);
        self.b.enter(some);
        let inner = self.unwrapped(value);
        self.write_local(local, inner);
        let member = self.expr(body);
        let member = self.coerce(member, body.ty, ty);
        self.write_vars(&out, member);
        self.b.jump(done);
        self.b.enter(none);
        let absent = self.none(ty);
        self.write_vars(&out, absent);
        self.b.jump(done);
        self.b.enter(done);
        self.read_vars(&out)
    }

    /// `json as T`.
    pub(super) fn decode(&mut self, value: &'h Expr, to: TypeId) -> Value {
        let json = self.expr_reg(value);
        self.if_present(json, to, |lower, inner| lower.decode_present(json, inner))
    }

    /// For an optional type `none` if the JSON value is absent, else what `decode` makes of it.
    fn if_present(
        &mut self,
        json: Reg,
        to: TypeId,
        decode: impl FnOnce(&mut Self, TypeId) -> Value,
    ) -> Value {
        if !self.t.is_optional(to) {
            return decode(self, to);
        }
        let out = self.new_vars(to);
        let (present, absent, done) = (self.b.block(), self.b.block(), self.b.block());
        let flag = self.rt1("rt.is_absent", &[json]);
        self.b.branch(flag, absent, present);
        self.b.enter(present);
        let inner = match *self.t.ty(to) {
            Type::Optional(inner) => inner,
            _ => to,
        };
        let value = decode(self, inner);
        let value = self.coerce(value, inner, to);
        self.write_vars(&out, value);
        self.b.jump(done);
        self.b.enter(absent);
        let none = self.none(to);
        self.write_vars(&out, none);
        self.b.jump(done);
        self.b.enter(done);
        self.read_vars(&out)
    }

    fn decode_present(&mut self, json: Reg, to: TypeId) -> Value {
        let inner = self.t.strip(to);
        if matches!(self.t.ty(inner), Type::Json) {
            return Value::One(json);
        }
        let value =
            self.call_for_type("rt.decode_int", "rt.decode_float", "rt.decode", json, inner);
        self.register_secrets(value, to);
        value
    }

    /// Makes the secret texts of a decoded value known, so that reports mask them: the value's own or its fields'.
    pub(super) fn register_secrets(&mut self, value: Value, ty: TypeId) {
        let hir = self.hir;
        let inner = self.t.unwrap_optional(ty);
        match &hir.types[inner] {
            Type::String | Type::Bytes if self.t.is_secret(ty) => {
                let reg = self.reg(value);
                self.rt("rt.secret", &[reg]);
            }
            Type::Record(fields) if !self.t.is_optional(ty) => {
                for (at, (_, field)) in fields.iter().enumerate() {
                    if self.t.is_secret(*field) {
                        let record = self.reg(value);
                        let field_value = self.load_slot(record, at as u32, *field);
                        self.register_secrets(field_value, *field);
                    }
                }
            }
            _ => {}
        }
    }

    /// Calls the variant of a decoder or parser that fits a type.
    fn call_for_type(
        &mut self,
        int: &str,
        float: &str,
        object: &str,
        from: Reg,
        ty: TypeId,
    ) -> Value {
        let desc = self.t.desc(ty);
        let desc = self.b.int(i64::from(desc.0));
        match self.t.repr(ty) {
            Repr::Unit => Value::Unit,
            Repr::Scalar(s) | Repr::OptScalar(s) if class(s) == Ty::Float => {
                self.rt(float, &[desc, from])
            }
            Repr::Scalar(_) | Repr::OptScalar(_) => self.rt(int, &[desc, from]),
            Repr::Ptr => self.rt(object, &[desc, from]),
        }
    }

    /// `string as T`.
    pub(super) fn parse(&mut self, value: &'h Expr, to: TypeId) -> Value {
        let text = self.expr_reg(value);
        let inner = self.t.unwrap_optional(to);
        let value = self.call_for_type(
            "rt.parse_int",
            "rt.parse_float",
            "rt.parse_object",
            text,
            inner,
        );
        self.coerce(value, inner, to)
    }

    /// `+` of strings, bytes, lists.
    pub(super) fn concat(&mut self, expr: &'h Expr) -> Value {
        let ExprKind::Concat { left, right } = &*expr.kind else {
            return self.expr(expr);
        };
        let name = match self.t.ty(expr.ty) {
            Type::String => return self.concat_text(expr),
            Type::Bytes => "rt.concat_bytes",
            _ => "rt.concat_list",
        };
        let (a, b) = (self.expr_reg(left), self.expr_reg(right));
        self.rt(name, &[a, b])
    }

    /// A call of something that fails always.
    pub fn raise(&mut self, name: &str, args: &[Reg]) {
        let (native, _) = self.t.intrinsic(name);
        let outer = std::mem::replace(&mut self.b.cold, true);
        self.fallible(Fallible::Try(TryOp::Host(native, args.to_vec())), &[]);
        self.b.terminate(crate::ir::Terminator::Unreachable);
        self.b.cold = outer;
    }
}

/// The operation without a check.
fn wrapping(op: CheckedOp) -> IntBin {
    match op {
        CheckedOp::Add => IntBin::Add,
        CheckedOp::Sub => IntBin::Sub,
        CheckedOp::Mul => IntBin::Mul,
        CheckedOp::Div => IntBin::Div,
        CheckedOp::Rem => IntBin::Rem,
        CheckedOp::Shl => IntBin::Shl,
        CheckedOp::Shr => IntBin::Shr,
    }
}

/// The comparison of an operator.
fn comparison(op: BinaryOp) -> Cmp {
    match op {
        BinaryOp::Ne => Cmp::Ne,
        BinaryOp::Lt => Cmp::Lt,
        BinaryOp::Le => Cmp::Le,
        BinaryOp::Gt => Cmp::Gt,
        BinaryOp::Ge => Cmp::Ge,
        _ => Cmp::Eq,
    }
}
