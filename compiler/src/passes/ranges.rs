//! Leaves out checks that cannot fail: of int arithmetic that stays in range, and of indices that are inside.
//!
//! [`facts`] reads off what a function says about its ints, [`bounds`] answers questions about them. Here each check is
//! put to such a question; what is proven becomes an instruction, and its error path goes. Runs on SSA form, before
//! ownership. Enter at [`run`].

mod bounds;
mod facts;

use super::simplify::simplify;
use crate::ir::{
    BlockId, CheckedOp, Function, Inst, IntBin, Op, Program, Reg, Terminator, TryOp, Ty,
};
pub(crate) use facts::Facts;
use scn_grammar::Span;
use smallvec::{SmallVec, smallvec};

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    for function in &mut program.functions {
        let has_checks = |block: &crate::ir::Block| matches!(&block.term, Terminator::Try { op, .. } if is_check(op));
        if function.blocks.iter().any(has_checks) {
            leave_out_checks(function);
        }
    }
}

fn is_check(op: &TryOp) -> bool {
    matches!(
        op,
        TryOp::Int(..)
            | TryOp::Neg(_)
            | TryOp::ListGet(..)
            | TryOp::ListTake(..)
            | TryOp::ListSet(..)
    )
}

fn leave_out_checks(function: &mut Function) {
    let proven = proven(function);
    if proven.is_empty() {
        return;
    }
    for (block, sure) in proven {
        Rewrite { function, block }.replace(sure);
    }
    simplify(function);
}

/// What an operation becomes that cannot fail.
enum Sure {
    /// Arithmetic on two registers.
    Ints(IntBin, Reg, Reg),
    /// Arithmetic with a constant.
    Constant(IntBin, Reg, i64),
    /// `-x`
    Neg(Reg),
    Element(Reg, Reg),
    TakeElement(Reg, Reg),
    SetElement(Reg, Reg, Reg),
}

fn proven(function: &Function) -> Vec<(BlockId, Sure)> {
    let facts = Facts::of(function);
    let blocks = (0u32..).map(BlockId).zip(&function.blocks);
    let sure = blocks.filter_map(|(at, block)| match &block.term {
        Terminator::Try { op, .. } if facts.dominators.is_reachable(at) => {
            Some((at, sure(&facts, op, at)?))
        }
        _ => None,
    });
    sure.collect()
}

fn sure(facts: &Facts<'_>, op: &TryOp, block: BlockId) -> Option<Sure> {
    match *op {
        TryOp::Int(op, a, b) => arithmetic(facts, op, a, b, block),
        TryOp::Neg(a) => (facts.lowest(a, block) > i128::from(i64::MIN)).then_some(Sure::Neg(a)),
        TryOp::ListGet(list, at) => facts
            .is_inside(at, list, block)
            .then_some(Sure::Element(list, at)),
        TryOp::ListTake(list, at) => facts
            .is_inside(at, list, block)
            .then_some(Sure::TakeElement(list, at)),
        TryOp::ListSet(list, at, value) => facts
            .is_inside(at, list, block)
            .then_some(Sure::SetElement(list, at, value)),
        _ => None,
    }
}

/// The least and the most that a register can be.
type Span_ = (i128, i128);

fn arithmetic(facts: &Facts<'_>, op: CheckedOp, a: Reg, b: Reg, block: BlockId) -> Option<Sure> {
    let span = |reg| (facts.lowest(reg, block), facts.highest(reg, block));
    match op {
        CheckedOp::Add => {
            let ((low, high), (from, to)) = (span(a), span(b));
            let sure = match facts.constant(b) {
                Some(int) => Sure::Constant(IntBin::Add, a, int),
                None => Sure::Ints(IntBin::Add, a, b),
            };
            fits((low + from, high + to)).then_some(sure)
        }
        CheckedOp::Sub => {
            let ((low, high), (from, to)) = (span(a), span(b));
            let sure = match facts.constant(b).and_then(i64::checked_neg) {
                Some(int) => Sure::Constant(IntBin::Add, a, int),
                None => Sure::Ints(IntBin::Sub, a, b),
            };
            fits((low - to, high - from)).then_some(sure)
        }
        CheckedOp::Mul => {
            let ((low, high), (from, to)) = (span(a), span(b));
            let products = [low * from, low * to, high * from, high * to];
            let fits = products.into_iter().all(|product| fits((product, product)));
            fits.then_some(Sure::Ints(IntBin::Mul, a, b))
        }
        CheckedOp::Div | CheckedOp::Rem => division(facts, op, (a, span(a)), (b, span(b))),
        CheckedOp::Shl | CheckedOp::Shr => {
            let op = match op {
                CheckedOp::Shl => IntBin::Shl,
                _ => IntBin::Shr,
            };
            let (from, to) = span(b);
            (from >= 0 && to <= 63).then_some(Sure::Ints(op, a, b))
        }
    }
}

fn fits((low, high): Span_) -> bool {
    low >= i128::from(i64::MIN) && high <= i128::from(i64::MAX)
}

/// Division by what is neither 0 nor -1; by a power of two it is a shift where nothing is negative.
fn division(
    facts: &Facts<'_>,
    op: CheckedOp,
    (a, (low, _)): (Reg, Span_),
    (b, (from, to)): (Reg, Span_),
) -> Option<Sure> {
    let is_division = op == CheckedOp::Div;
    if let Some(int) = facts
        .constant(b)
        .filter(|int| *int > 0 && low >= 0 && int.count_ones() == 1)
    {
        return Some(match is_division {
            true => Sure::Constant(IntBin::Shr, a, i64::from(int.trailing_zeros())),
            false => Sure::Constant(IntBin::And, a, int - 1),
        });
    }
    let op = if is_division {
        IntBin::Div
    } else {
        IntBin::Rem
    };
    (from > 0 || to < -1).then_some(Sure::Ints(op, a, b))
}

/// A block whose check goes.
struct Rewrite<'f> {
    function: &'f mut Function,
    block: BlockId,
}

impl Rewrite<'_> {
    fn replace(mut self, sure: Sure) {
        let term = std::mem::take(&mut self.function.blocks[self.block.index()].term);
        let Terminator::Try { results, ok, .. } = term else {
            unreachable!("the terminator was seen to be a check");
        };
        match sure {
            Sure::Ints(op, a, b) => self.push(results, Op::IntBin(op, a, b)),
            Sure::Constant(op, a, int) => {
                let int = self.int(int);
                self.push(results, Op::IntBin(op, a, int));
            }
            Sure::Neg(a) => {
                let zero = self.int(0);
                self.push(results, Op::IntBin(IntBin::Sub, zero, a));
            }
            Sure::Element(list, at) => self.push(results, Op::ListAt(list, at)),
            Sure::TakeElement(list, at) => self.push(results, Op::ListTake(list, at)),
            Sure::SetElement(list, at, value) => {
                let unique = results[0];
                self.push(results, Op::Unique(list));
                self.push(SmallVec::new(), Op::ListPut(unique, at, value));
            }
        }
        self.function.blocks[self.block.index()].term = Terminator::Jump(ok);
    }

    fn push(&mut self, results: SmallVec<[Reg; 2]>, op: Op) {
        let block = &mut self.function.blocks[self.block.index()];
        let span: Span = block.term_span;
        block.insts.push(Inst { results, op, span });
    }

    fn int(&mut self, int: i64) -> Reg {
        self.function.regs.push(Ty::Int);
        let reg = Reg(self.function.regs.len() as u32 - 1);
        self.push(smallvec![reg], Op::Int(int));
        reg
    }
}

#[cfg(test)]
mod tests;
