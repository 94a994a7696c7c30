//! Host functions that are operations: conversions, lengths, `push`, and what machines do with floats.
//!
//! Every engine gains: no call, no arguments in memory, and later passes see what happens. Runs first, on SSA form.
//! Enter at [`run`].

use crate::ir::{
    Cmp, FloatUn, Function, Inst, NativeId, NativeRef, Op, Program, Reg, Target, Terminator, TryOp,
    Ty,
};
use smallvec::{SmallVec, smallvec};

/// Whether calls of a native are always made operations.
pub(crate) fn is_operation(native: &str) -> bool {
    matches!(
        native,
        "float" | "list.len" | "bytes.len" | "map.len" | "list.push"
    )
}

/// Rewrites calls of all functions.
pub(crate) fn run(program: &mut Program) {
    let natives = &program.natives;
    for function in &mut program.functions {
        Rewrite { natives, function }.all();
    }
}

struct Rewrite<'p> {
    natives: &'p [NativeRef],
    function: &'p mut Function,
}

impl Rewrite<'_> {
    fn all(&mut self) {
        for block in 0..self.function.blocks.len() {
            let insts = std::mem::take(&mut self.function.blocks[block].insts);
            let mut rewritten = Vec::with_capacity(insts.len());
            for inst in insts {
                self.inst(inst, &mut rewritten);
            }
            self.function.blocks[block].insts = rewritten;
            self.terminator(block);
        }
    }

    fn inst(&mut self, inst: Inst, out: &mut Vec<Inst>) {
        let Op::Host(native, args) = &inst.op else {
            return out.push(inst);
        };
        match self.operation(*native, args) {
            Some(Operation::One(op)) => out.push(Inst { op, ..inst }),
            Some(Operation::Choice(test, yes, no)) => {
                let flag = self.new_reg(Ty::Int);
                out.push(Inst {
                    results: smallvec![flag],
                    op: test,
                    span: inst.span,
                });
                let op = Op::Select(flag, yes, no);
                out.push(Inst { op, ..inst });
            }
            None => out.push(inst),
        }
    }

    fn new_reg(&mut self, ty: Ty) -> Reg {
        self.function.regs.push(ty);
        Reg(self.function.regs.len() as u32 - 1)
    }

    fn is_float(&self, reg: Reg) -> bool {
        self.function.regs[reg.index()] == Ty::Float
    }

    fn operation(&self, native: NativeId, args: &[Reg]) -> Option<Operation> {
        let one = |op| Some(Operation::One(op));
        match (self.natives[native.index()].name.as_str(), args) {
            ("float", [a]) => one(Op::ToFloat(*a)),
            ("list.len", [a]) => one(Op::ListLen(*a)),
            ("bytes.len", [a]) => one(Op::BytesLen(*a)),
            ("map.len", [a]) => one(Op::MapLen(*a)),
            ("list.push", [list, value]) => one(Op::ListPush(*list, *value)),
            ("math.sqrt", [a]) => one(Op::FloatUn(FloatUn::Sqrt, *a)),
            ("math.floor", [a]) => one(Op::FloatUn(FloatUn::Floor, *a)),
            ("math.ceil", [a]) => one(Op::FloatUn(FloatUn::Ceil, *a)),
            ("math.trunc", [a]) => one(Op::FloatUn(FloatUn::Trunc, *a)),
            ("math.min", [_, a, b]) => Some(self.choice(*b, *a)),
            ("math.max", [_, a, b]) => Some(self.choice(*a, *b).turned()),
            _ => None,
        }
    }

    /// `left` if it is less than `right`, else `right`: NaN is less than nothing.
    fn choice(&self, left: Reg, right: Reg) -> Operation {
        let test = match self.is_float(left) {
            true => Op::FloatCmp(Cmp::Lt, left, right),
            false => Op::IntCmp(Cmp::Lt, left, right),
        };
        Operation::Choice(test, left, right)
    }

    /// The absolute value of a float cannot fail, though that of an int can.
    fn terminator(&mut self, block: usize) {
        let Terminator::Try {
            op: TryOp::Host(native, args),
            results,
            ok,
            ..
        } = &self.function.blocks[block].term
        else {
            return;
        };
        let ([_, a], "math.abs") = (&args[..], self.natives[native.index()].name.as_str()) else {
            return;
        };
        if !self.is_float(*a) {
            return;
        }
        let (results, op): (SmallVec<[Reg; 2]>, Op) =
            (results.clone(), Op::FloatUn(FloatUn::Abs, *a));
        let target: Target = ok.clone();
        let block = &mut self.function.blocks[block];
        block.insts.push(Inst {
            results,
            op,
            span: block.term_span,
        });
        block.term = Terminator::Jump(target);
    }
}

/// What a call becomes.
enum Operation {
    One(Op),
    /// A test, and the registers to choose from.
    Choice(Op, Reg, Reg),
}

impl Operation {
    /// The other one of the two.
    fn turned(self) -> Operation {
        match self {
            Operation::Choice(test, yes, no) => Operation::Choice(test, no, yes),
            other => other,
        }
    }
}
