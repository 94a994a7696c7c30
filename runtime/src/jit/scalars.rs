//! Arithmetic and comparisons, and what of them can fail.

use super::emit::Emit;
use super::entries::{Entry, OPERATORS};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, Value, types};
use scn_compiler::ir::{CheckedOp, Cmp, FloatBin, FloatUn, Inst, IntBin, Op, Reg};

fn int_condition(cmp: Cmp) -> IntCC {
    match cmp {
        Cmp::Eq => IntCC::Equal,
        Cmp::Ne => IntCC::NotEqual,
        Cmp::Lt => IntCC::SignedLessThan,
        Cmp::Le => IntCC::SignedLessThanOrEqual,
        Cmp::Gt => IntCC::SignedGreaterThan,
        Cmp::Ge => IntCC::SignedGreaterThanOrEqual,
    }
}

fn float_condition(cmp: Cmp) -> FloatCC {
    match cmp {
        Cmp::Eq => FloatCC::Equal,
        Cmp::Ne => FloatCC::NotEqual,
        Cmp::Lt => FloatCC::LessThan,
        Cmp::Le => FloatCC::LessThanOrEqual,
        Cmp::Gt => FloatCC::GreaterThan,
        Cmp::Ge => FloatCC::GreaterThanOrEqual,
    }
}

impl Emit<'_, '_, '_> {
    /// Emits an instruction of ints and floats; false if it is none.
    pub(super) fn scalar(&mut self, inst: &Inst) -> bool {
        let result = match &inst.op {
            Op::Int(int) => self.int(*int),
            Op::Float(bits) => self.b.ins().f64const(f64::from_bits(*bits)),
            Op::IntBin(op, a, b) => self.int_bin(*op, *a, *b),
            Op::IntCmp(cmp, a, b) => self.int_cmp(*cmp, *a, *b),
            Op::FloatBin(op, a, b) => self.float_bin(*op, *a, *b),
            Op::FloatCmp(cmp, a, b) => {
                let (a, b) = (self.get(*a), self.get(*b));
                let holds = self.b.ins().fcmp(float_condition(*cmp), a, b);
                self.flag(holds)
            }
            Op::FloatNeg(a) => {
                let value = self.get(*a);
                self.b.ins().fneg(value)
            }
            Op::FloatUn(op, a) => {
                let value = self.get(*a);
                match op {
                    FloatUn::Abs => self.b.ins().fabs(value),
                    FloatUn::Ceil => self.b.ins().ceil(value),
                    FloatUn::Floor => self.b.ins().floor(value),
                    FloatUn::Sqrt => self.b.ins().sqrt(value),
                    FloatUn::Trunc => self.b.ins().trunc(value),
                }
            }
            Op::Select(flag, a, b) => {
                let (flag, a, b) = (self.get(*flag), self.get(*a), self.get(*b));
                self.b.ins().select(flag, a, b)
            }
            Op::Not(a) => {
                let value = self.get(*a);
                self.b.ins().bxor_imm_u(value, 1)
            }
            Op::ToFloat(a) => {
                let value = self.get(*a);
                self.b.ins().fcvt_from_sint(types::F64, value)
            }
            _ => return false,
        };
        self.define(inst.results[0], result);
        true
    }

    fn int_bin(&mut self, op: IntBin, a: Reg, b: Reg) -> Value {
        let (a, b) = (self.get(a), self.get(b));
        match op {
            IntBin::And => self.b.ins().band(a, b),
            IntBin::Or => self.b.ins().bor(a, b),
            IntBin::Xor => self.b.ins().bxor(a, b),
            IntBin::Add => self.b.ins().iadd(a, b),
            IntBin::Sub => self.b.ins().isub(a, b),
            IntBin::Mul => self.b.ins().imul(a, b),
            IntBin::Div => self.b.ins().sdiv(a, b),
            IntBin::Rem => self.b.ins().srem(a, b),
            IntBin::Shl => self.b.ins().ishl(a, b),
            IntBin::Shr => self.b.ins().sshr(a, b),
        }
    }

    fn int_cmp(&mut self, cmp: Cmp, a: Reg, b: Reg) -> Value {
        let condition = int_condition(cmp);
        let left = self.get(a);
        let holds = match self.known_int(b) {
            Some(int) => self.b.ins().icmp_imm_s(condition, left, int),
            None => {
                let right = self.get(b);
                self.b.ins().icmp(condition, left, right)
            }
        };
        self.flag(holds)
    }

    fn float_bin(&mut self, op: FloatBin, a: Reg, b: Reg) -> Value {
        let (a, b) = (self.get(a), self.get(b));
        match op {
            FloatBin::Add => self.b.ins().fadd(a, b),
            FloatBin::Sub => self.b.ins().fsub(a, b),
            FloatBin::Mul => self.b.ins().fmul(a, b),
            FloatBin::Div => self.b.ins().fdiv(a, b),
            FloatBin::Rem => self.ask(Entry::Remainder, &[a, b]),
        }
    }

    /// Checked arithmetic: the result; control goes on where it fits, and to `failed` where it does not.
    pub(super) fn checked(
        &mut self,
        op: CheckedOp,
        a: Reg,
        b: Reg,
        failed: cranelift_codegen::ir::Block,
    ) -> Value {
        let (left, right) = (self.get(a), self.get(b));
        match (op, self.known_int(b)) {
            (CheckedOp::Add, Some(int)) => return self.count(left, int, int < 0, failed),
            (CheckedOp::Sub, Some(int)) => {
                return self.count(left, int.wrapping_neg(), int > 0, failed);
            }
            _ => {}
        }
        match op {
            CheckedOp::Add => {
                let (sum, over) = self.b.ins().sadd_overflow(left, right);
                self.leave_if(over, failed);
                sum
            }
            CheckedOp::Sub => {
                let (difference, over) = self.b.ins().ssub_overflow(left, right);
                self.leave_if(over, failed);
                difference
            }
            CheckedOp::Mul => {
                let (product, over) = self.b.ins().smul_overflow(left, right);
                self.leave_if(over, failed);
                product
            }
            CheckedOp::Div | CheckedOp::Rem => {
                let known = self.known_int(b);
                if known.is_none_or(|right| right == 0) {
                    let zero = self.b.ins().icmp_imm_s(IntCC::Equal, right, 0);
                    self.leave_if(zero, failed);
                }
                match op {
                    CheckedOp::Div => self.divide(left, right, known, failed),
                    _ => self.remainder(left, right, known),
                }
            }
            CheckedOp::Shl | CheckedOp::Shr => {
                let limit = IntCC::UnsignedGreaterThan;
                let over = self.b.ins().icmp_imm_s(limit, right, 63);
                self.leave_if(over, failed);
                match op {
                    CheckedOp::Shl => self.b.ins().ishl(left, right),
                    _ => self.b.ins().sshr(left, right),
                }
            }
        }
    }

    /// Adds a constant, which goes down or not: where the sum lies on the wrong side, it has overflowed.
    fn count(
        &mut self,
        left: Value,
        by: i64,
        down: bool,
        failed: cranelift_codegen::ir::Block,
    ) -> Value {
        let sum = self.b.ins().iadd_imm_s(left, by);
        let wrong = match down {
            true => IntCC::SignedGreaterThan,
            false => IntCC::SignedLessThan,
        };
        let over = self.b.ins().icmp(wrong, sum, left);
        self.leave_if(over, failed);
        sum
    }

    /// Division by what is not 0 fails for the smallest int by -1.
    fn divide(
        &mut self,
        left: Value,
        right: Value,
        known: Option<i64>,
        failed: cranelift_codegen::ir::Block,
    ) -> Value {
        if known.is_none_or(|right| right == -1) {
            let minus = self.b.ins().icmp_imm_s(IntCC::Equal, right, -1);
            let smallest = self.b.ins().icmp_imm_s(IntCC::Equal, left, i64::MIN);
            let over = self.b.ins().band(minus, smallest);
            self.leave_if(over, failed);
        }
        self.b.ins().sdiv(left, right)
    }

    /// The remainder by what is not 0: by -1 it is 0, where the machine's division would trap.
    fn remainder(&mut self, left: Value, right: Value, known: Option<i64>) -> Value {
        if known.is_some_and(|right| right != -1) {
            return self.b.ins().srem(left, right);
        }
        // By 1 it is 0 as well.
        let minus = self.b.ins().icmp_imm_s(IntCC::Equal, right, -1);
        let one = self.int(1);
        let by = self.b.ins().select(minus, one, right);
        self.b.ins().srem(left, by)
    }

    /// Raises the error of checked arithmetic; the second operand is missing for a negation.
    pub(super) fn raise_arithmetic(&mut self, operator: &str, a: Reg, b: Option<Reg>) {
        let number = OPERATORS.iter().position(|known| *known == operator);
        let number = number.expect("the table has all operators") as i64;
        let (number, left) = (self.int(number), self.get(a));
        let right = match b {
            Some(b) => self.get(b),
            None => self.int(0),
        };
        let place = self.place();
        self.call_entry(Entry::Arithmetic, &[self.ctx, number, left, right, place]);
    }

    /// The int towards zero, or `failed`.
    pub(super) fn truncate(&mut self, a: Reg, failed: cranelift_codegen::ir::Block) -> Value {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let float = self.get(a);
        let whole = self.b.ins().trunc(float);
        let (low, high) = (self.b.ins().f64const(-LIMIT), self.b.ins().f64const(LIMIT));
        let above = self.b.ins().fcmp(FloatCC::GreaterThanOrEqual, whole, low);
        let below = self.b.ins().fcmp(FloatCC::LessThan, whole, high);
        let inside = self.b.ins().band(above, below);
        let on = self.b.create_block();
        self.b.ins().brif(inside, on, &[], failed, &[]);
        self.b.switch_to_block(on);
        self.b.ins().fcvt_to_sint_sat(types::I64, whole)
    }

    /// `-x`, or `failed`.
    pub(super) fn negate(&mut self, a: Reg, failed: cranelift_codegen::ir::Block) -> Value {
        let (zero, value) = (self.int(0), self.get(a));
        let (negated, over) = self.b.ins().ssub_overflow(zero, value);
        self.leave_if(over, failed);
        negated
    }
}
