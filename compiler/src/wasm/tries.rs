//! What can fail: checked arithmetic, elements by index, calls. Each writes its error path where it fails, so that the
//! results stay on the stack below it. Enter at [`Emit::attempt`].

use super::emit::{Emit, at};
use super::ops::{BUFFER, COUNT};
use crate::ir::{CheckedOp, Reg, Target, TryOp, Ty};
use wasm_encoder::{Instruction as I, ValType};

/// Where the error of an operation leads.
type Error<'p> = (usize, &'p Target);

impl<'p> Emit<'_, 'p> {
    /// Writes what may fail; behind it, it has not.
    pub(super) fn attempt(
        &mut self,
        node: usize,
        op: &'p TryOp,
        results: &[Reg],
        (ok, err): (&'p Target, &'p Target),
    ) {
        let error = (node, err);
        match op {
            TryOp::Int(op, a, b) => self.checked(*op, *a, *b, results[0], error),
            TryOp::Neg(a) => {
                self.get(*a);
                self.i(I::I64Const(i64::MIN));
                self.i(I::I64Eq);
                self.fail_if_arithmetic(7, *a, None, error);
                self.i(I::I64Const(0));
                self.get(*a);
                self.i(I::I64Sub);
                self.set(results[0]);
            }
            TryOp::ToInt(a) => self.truncated(*a, results[0], error),
            TryOp::ListGet(list, index) => {
                self.bounds(*list, *index, error, None);
                self.element(*list, *index, 8);
                self.load(0, results[0]);
            }
            TryOp::ListTake(list, index) => {
                self.bounds(*list, *index, error, None);
                self.element(*list, *index, 8);
                self.take_at(0, results[0]);
            }
            TryOp::ListSet(list, index, value) => {
                self.list_set(*list, *index, *value, results[0], error)
            }
            TryOp::ListPut(list, index, value) => self.list_put(*list, *index, *value, error),
            TryOp::BytesGet(bytes, index) => {
                self.get(*index);
                self.get_address(*bytes);
                self.i(I::I64Load(at(8, 3)));
                self.i(I::I64GeU);
                self.outside(*bytes, *index, error, None);
                self.get_address(*bytes);
                self.get_address(*index);
                self.i(I::I32Add);
                self.i(I::I64Load8U(at(16, 0)));
                self.set(results[0]);
            }
            TryOp::Call(callee, args) => {
                self.call_fallible(node, *callee, args, err);
                self.open_if();
                self.branch(node, err);
                self.close();
                results.iter().rev().for_each(|reg| self.set(*reg));
            }
            TryOp::Host(native, args) => self.host_fallible(node, *native, args, results, err),
            TryOp::Poke => self.poll(node, ok, err),
        }
    }

    fn checked(&mut self, op: CheckedOp, a: Reg, b: Reg, result: Reg, error: Error<'p>) {
        match op {
            CheckedOp::Add | CheckedOp::Sub => self.sum(op, a, b, result, error),
            CheckedOp::Mul => self.product(a, b, result, error),
            CheckedOp::Div => {
                self.fail_if_zero(3, a, b, error);
                if self.known_int(b).is_none_or(|b| b == -1) {
                    self.get(b);
                    self.i(I::I64Const(-1));
                    self.i(I::I64Eq);
                    self.get(a);
                    self.i(I::I64Const(i64::MIN));
                    self.i(I::I64Eq);
                    self.i(I::I32And);
                    self.fail_if_arithmetic(3, a, Some(b), error);
                }
                self.binary(I::I64DivS, a, b, result);
            }
            CheckedOp::Rem => {
                self.fail_if_zero(4, a, b, error);
                self.binary(I::I64RemS, a, b, result);
            }
            CheckedOp::Shl | CheckedOp::Shr => {
                let number = if op == CheckedOp::Shl { 5 } else { 6 };
                if self.known_int(b).is_none_or(|b| !(0..64).contains(&b)) {
                    self.get(b);
                    self.i(I::I64Const(63));
                    self.i(I::I64GtU);
                    self.fail_if_arithmetic(number, a, Some(b), error);
                }
                let shift = if op == CheckedOp::Shl {
                    I::I64Shl
                } else {
                    I::I64ShrS
                };
                self.binary(shift, a, b, result);
            }
        }
    }

    fn binary(&mut self, op: I<'static>, a: Reg, b: Reg, result: Reg) {
        self.get(a);
        self.get(b);
        self.i(op);
        self.set(result);
    }

    fn sum(&mut self, op: CheckedOp, a: Reg, b: Reg, result: Reg, error: Error<'p>) {
        let number = if op == CheckedOp::Add { 0 } else { 1 };
        let sum = self.new_local(ValType::I64);
        self.get(a);
        self.get(b);
        self.i(if number == 0 { I::I64Add } else { I::I64Sub });
        self.i(I::LocalTee(sum));
        match number {
            0 => self.sum_overflows(sum, a, b),
            _ => self.difference_overflows(a, b),
        }
        self.fail_if_arithmetic(number, a, Some(b), error);
        self.i(I::LocalGet(sum));
        self.set(result);
    }

    /// Pushes whether a sum overflows, which is on the stack: it is on the wrong side of an operand whose other one's
    /// sign is known. Else its sign differs from those of both.
    fn sum_overflows(&mut self, sum: u32, a: Reg, b: Reg) {
        let sides = [(b, a), (a, b)];
        let known = sides.into_iter().find_map(|(added, to)| {
            let grows = match self.known_int(added) {
                Some(int) => int >= 0,
                None if self.is_natural(added) => true,
                None => return None,
            };
            Some((to, grows))
        });
        if let Some((to, grows)) = known {
            self.get(to);
            return self.i(if grows { I::I64LtS } else { I::I64GtS });
        }
        self.get(a);
        self.i(I::I64Xor);
        self.i(I::LocalGet(sum));
        self.get(b);
        self.i(I::I64Xor);
        self.i(I::I64And);
        self.if_negative();
    }

    /// The same of a difference. One of a number that is not negative overflows only if the other one is, and it as
    /// well.
    fn difference_overflows(&mut self, a: Reg, b: Reg) {
        let shrinks = match self.known_int(b) {
            Some(int) => Some(int >= 0),
            None => self.is_natural(b).then_some(true),
        };
        match shrinks {
            Some(shrinks) => {
                self.get(a);
                self.i(if shrinks { I::I64GtS } else { I::I64LtS });
            }
            None if self.is_natural(a) => {
                self.get(b);
                self.i(I::I64And);
                self.if_negative();
            }
            None => {
                self.get(a);
                self.i(I::I64Xor);
                self.get(a);
                self.get(b);
                self.i(I::I64Xor);
                self.i(I::I64And);
                self.if_negative();
            }
        }
    }

    fn if_negative(&mut self) {
        self.i(I::I64Const(0));
        self.i(I::I64LtS);
    }

    /// A product of two numbers of 31 bits does not overflow; others are divided again. One of a number that is not
    /// negative and a constant is looked at by comparing alone.
    fn product(&mut self, a: Reg, b: Reg, result: Reg, error: Error<'p>) {
        let (constant, other) = match (self.known_int(a), self.known_int(b)) {
            (Some(int), _) => (Some(int), b),
            (_, known) => (known, a),
        };
        match constant {
            Some(0 | 1) => {}
            Some(int @ 2..) if self.is_natural(other) => {
                self.get(other);
                self.i(I::I64Const(i64::MAX / int));
                self.i(I::I64GtU);
                self.fail_if_arithmetic(2, a, Some(b), error);
            }
            _ => self.product_of_any(a, b, error),
        }
        self.binary(I::I64Mul, a, b, result);
    }

    fn product_of_any(&mut self, a: Reg, b: Reg, error: Error<'p>) {
        /// Numbers from `-HALF` on are not negative when it is added.
        const HALF: i64 = 1 << 30;
        let is_small = |known: i64| i32::try_from(known).is_ok();
        let wide = [a, b].into_iter();
        let wide: Vec<Reg> = wide
            .filter(|reg| !self.known_int(*reg).is_some_and(is_small))
            .collect();
        if wide.is_empty() {
            return;
        }
        for (at, reg) in wide.iter().enumerate() {
            self.get(*reg);
            if !self.is_natural(*reg) {
                self.i(I::I64Const(HALF));
                self.i(I::I64Add);
            }
            if at > 0 {
                self.i(I::I64Or);
            }
        }
        self.i(I::I64Const(2 * HALF - 1));
        self.i(I::I64GtU);
        self.open_if();
        self.overflows(a, b);
        self.fail_if_arithmetic(2, a, Some(b), error);
        self.close();
    }

    /// Pushes whether a product overflows. No call: what lives across one has few registers in the loop around it.
    fn overflows(&mut self, a: Reg, b: Reg) {
        // Whether `b` is neither -1 nor 0, by which nothing can be divided to find out.
        self.get(b);
        self.i(I::I64Const(1));
        self.i(I::I64Add);
        self.i(I::I64Const(2));
        self.i(I::I64GeU);
        self.i(I::If(wasm_encoder::BlockType::Result(ValType::I32)));
        self.get(a);
        self.get(b);
        self.i(I::I64Mul);
        self.get(b);
        self.i(I::I64DivS);
        self.get(a);
        self.i(I::I64Ne);
        self.i(I::Else);
        self.get(b);
        self.get(a);
        self.i(I::I64Const(i64::MIN));
        self.i(I::I64Eq);
        self.i(I::I64ExtendI32U);
        self.i(I::I64And);
        self.i(I::I32WrapI64);
        self.i(I::End);
    }

    fn fail_if_zero(&mut self, number: i64, a: Reg, b: Reg, error: Error<'p>) {
        if self.known_int(b).is_some_and(|b| b != 0) {
            return;
        }
        self.get(b);
        self.i(I::I64Eqz);
        self.fail_if_arithmetic(number, a, Some(b), error);
    }

    /// Takes the error path if the `i32` on the stack is not 0.
    fn fail_if_arithmetic(&mut self, number: i64, a: Reg, b: Option<Reg>, error: Error<'p>) {
        self.open_if();
        self.i(I::I64Const(number));
        self.get(a);
        match b {
            Some(b) => self.get(b),
            None => self.i(I::I64Const(0)),
        }
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.arithmetic");
        self.branch(error.0, error.1);
        self.close();
    }

    fn truncated(&mut self, a: Reg, result: Reg, error: Error<'p>) {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        self.get(a);
        self.i(I::F64Const((-LIMIT).into()));
        self.i(I::F64Ge);
        self.get(a);
        self.i(I::F64Const(LIMIT.into()));
        self.i(I::F64Lt);
        self.i(I::I32And);
        self.i(I::I32Eqz);
        self.open_if();
        self.get(a);
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.not_an_int");
        self.branch(error.0, error.1);
        self.close();
        self.get(a);
        self.i(I::I64TruncSatF64S);
        self.set(result);
    }

    /// Takes the error path if an index is outside of a list; `keeps` is then the list as it was.
    fn bounds(&mut self, list: Reg, index: Reg, error: Error<'p>, keeps: Option<Reg>) {
        self.get(index);
        self.length(list);
        self.i(I::I64GeU);
        self.outside(list, index, error, keeps);
    }

    fn outside(&mut self, object: Reg, index: Reg, error: Error<'p>, keeps: Option<Reg>) {
        self.open_if();
        self.get(index);
        self.get_address(object);
        // The length of a list is followed by its capacity.
        self.i(I::I64Load32U(at(COUNT, 2)));
        let place = self.place();
        self.i(I::I64Const(place.into()));
        self.call("faults.index");
        if let Some(result) = keeps {
            self.get(object);
            self.set(result);
        }
        self.branch(error.0, error.1);
        self.close();
    }

    /// As [`Emit::bounds`], where a value is taken over: on the error path as well.
    fn bounds_of_new(
        &mut self,
        (list, index): (Reg, Reg),
        value: Reg,
        error: Error<'p>,
        keeps: Option<Reg>,
    ) {
        self.get(index);
        self.length(list);
        self.i(I::I64GeU);
        if self.class(value) == Ty::Ptr {
            let flag = self.new_local(ValType::I32);
            self.i(I::LocalTee(flag));
            self.open_if();
            self.get(value);
            self.call("heap.drop");
            self.close();
            self.i(I::LocalGet(flag));
        }
        self.outside(list, index, error, keeps);
    }

    fn list_put(&mut self, list: Reg, index: Reg, value: Reg, error: Error<'p>) {
        self.bounds_of_new((list, index), value, error, None);
        self.element(list, index, 8);
        self.replace_at(0, value);
    }

    fn list_set(&mut self, list: Reg, index: Reg, value: Reg, result: Reg, error: Error<'p>) {
        self.bounds_of_new((list, index), value, error, Some(result));
        let unique = self.new_local(ValType::I64);
        self.get_address(list);
        self.i(I::I32Load(at(0, 2)));
        self.i(I::I32Const(1));
        self.i(I::I32Eq);
        self.i(I::If(wasm_encoder::BlockType::Result(ValType::I64)));
        self.get(list);
        self.i(I::Else);
        self.get(list);
        self.call("heap.copy");
        self.i(I::End);
        self.i(I::LocalTee(unique));
        self.i(I::I32WrapI64);
        self.i(I::I32Load(at(BUFFER, 2)));
        self.get_address(index);
        self.i(I::I32Const(3));
        self.i(I::I32Shl);
        self.i(I::I32Add);
        self.replace_at(0, value);
        self.i(I::LocalGet(unique));
        self.set(result);
    }
}
