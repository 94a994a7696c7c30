//! Bounds of ints, found on demand: back along definitions, and by what holds at a place.
//!
//! (After Bodik, Gupta, Sarkar: ABCD, PLDI 2000.) A value is at most what its definition makes of its operands' bounds,
//! and at most what any comparison on the way says. A loop's counter leads back to itself: where a turn adds nothing,
//! the bound of what came in before holds by induction; where it adds something, there is none from that side.
//! All numbers here are wide enough that bounds of ints never overflow.

use super::facts::{Base, Def, Facts, Side};
use crate::ir::{BlockId, CheckedOp, IntBin, LONGEST_LIST, Op, Reg, TryOp};

/// No bound.
const NONE: i128 = 1 << 100;
/// A turn of a loop that adds nothing says nothing either.
const NOTHING: i128 = -NONE;
/// How many steps a question may take.
const FUEL: usize = 400;
/// How deep it may go.
const DEPTH: usize = 40;

impl Facts<'_> {
    /// The most that an int can be in a block.
    pub(super) fn highest(&self, reg: Reg, block: BlockId) -> i128 {
        Question::new(self, Base::Zero).number(Side::Upper, reg, block)
    }

    /// The least that an int can be in a block.
    pub(super) fn lowest(&self, reg: Reg, block: BlockId) -> i128 {
        -Question::new(self, Base::Zero).number(Side::Lower, reg, block)
    }

    /// Whether an int is known not to be negative in a block.
    pub(crate) fn is_natural(&self, reg: Reg, block: BlockId) -> bool {
        self.lowest(reg, block) >= 0
    }

    /// Whether an index is inside of a list.
    pub(super) fn is_inside(&self, index: Reg, list: Reg, block: BlockId) -> bool {
        let len = Base::Len(self.length_class(list));
        let over = Question::new(self, len).ask(Side::Upper, index, block, 0);
        NOTHING / 2 < over && over < 0 && self.lowest(index, block) >= 0
    }
}

/// A question on its way. The answer `c` means: the value is at most the base and `c`; or, from below, at least `-c`.
struct Question<'q> {
    facts: &'q Facts<'q>,
    /// A number or a length.
    base: Base,
    /// The parameters whose arguments are being looked at, and what has been added up to there. None if what is
    /// between is no sum: then a way back to it says nothing.
    open: Vec<(Side, Reg, Option<i128>)>,
    /// The registers on the way here since the last parameter.
    way: Vec<(Side, Reg)>,
    fuel: usize,
    depth: usize,
}

impl<'q> Question<'q> {
    fn new(facts: &'q Facts<'q>, base: Base) -> Question<'q> {
        Question {
            facts,
            base,
            open: Vec::new(),
            way: Vec::new(),
            fuel: FUEL,
            depth: 0,
        }
    }

    /// The bound as a number, for a question that is a new one in the middle of this one.
    fn number(&mut self, side: Side, reg: Reg, block: BlockId) -> i128 {
        let base = std::mem::replace(&mut self.base, Base::Zero);
        let shut = self.open.iter().map(|(side, reg, _)| (*side, *reg, None));
        let shut = shut.collect();
        let open = std::mem::replace(&mut self.open, shut);
        let bound = self.ask(side, reg, block, 0);
        self.base = base;
        self.open = open;
        // Nothing is known of what never gets a value.
        if bound <= NOTHING / 2 {
            return self.limit(side);
        }
        bound.min(self.limit(side))
    }

    /// What holds for every int.
    fn limit(&self, side: Side) -> i128 {
        match side {
            Side::Upper => i128::from(i64::MAX),
            Side::Lower => -i128::from(i64::MIN),
        }
    }

    /// The best bound of a register in a block; `added` is what the way here adds to it.
    fn ask(&mut self, side: Side, reg: Reg, block: BlockId, added: i128) -> i128 {
        if self.fuel == 0 || self.depth > DEPTH || self.way.contains(&(side, reg)) {
            return NONE;
        }
        self.fuel -= 1;
        self.depth += 1;
        self.way.push((side, reg));
        let mut bound = self.by_definition(side, reg, added);
        let facts = self.facts;
        for fact in facts.about(reg) {
            if fact.side == side && facts.dominators.dominates(fact.from, block) {
                let add = match side {
                    Side::Upper => fact.add,
                    Side::Lower => -fact.add,
                };
                bound = bound.min(self.against(fact.base, side, add, block, added));
            }
        }
        self.way.pop();
        self.depth -= 1;
        if self.base == Base::Zero {
            bound = bound.min(self.limit(side));
        }
        bound
    }

    /// The bound of what is bounded by a base and a number.
    fn against(&mut self, base: Base, side: Side, add: i128, block: BlockId, added: i128) -> i128 {
        match base {
            // Lengths are no less than 0: a number that bounds, bounds with a length as well.
            Base::Zero => add,
            Base::Len(_) if base == self.base => add,
            Base::Len(_) => LONGEST_LIST as i128 + add,
            Base::Reg(other) => self.ask(side, other, block, added + add) + add,
        }
    }

    fn by_definition(&mut self, side: Side, reg: Reg, added: i128) -> i128 {
        match self.facts.defs[reg.index()] {
            Def::Inst(op, block) => self.of_inst(side, op, block, added),
            Def::Try(op, block) => self.of_try(side, op, block, added),
            Def::Param(block, place) => self.of_param(side, reg, block, place, added),
            Def::Other => NONE,
        }
    }

    fn of_inst(&mut self, side: Side, op: &Op, block: BlockId, added: i128) -> i128 {
        match op {
            Op::Int(int) => match side {
                Side::Upper => i128::from(*int),
                Side::Lower => -i128::from(*int),
            },
            Op::IntCmp(..)
            | Op::FloatCmp(..)
            | Op::Not(_)
            | Op::IsNull(_)
            | Op::OptFlag(_)
            | Op::Equal(..)
            | Op::ErrIsCancel => within(side, 0, 1),
            Op::ListLen(list) => {
                let class = Base::Len(self.facts.length_class(*list));
                match side {
                    Side::Upper => self.against(class, side, 0, block, added),
                    Side::Lower => 0,
                }
            }
            Op::MapLen(_) => within(side, 0, i128::from(u32::MAX)),
            Op::BytesLen(_) => within(side, 0, 1 << 47),
            Op::Select(_, a, b) => {
                let first = self.ask(side, *a, block, added);
                first.max(self.ask(side, *b, block, added))
            }
            Op::IntBin(op, a, b) => self.of_bits(side, *op, *a, *b, block, added),
            _ => NONE,
        }
    }

    fn of_bits(
        &mut self,
        side: Side,
        op: IntBin,
        a: Reg,
        b: Reg,
        block: BlockId,
        added: i128,
    ) -> i128 {
        let checked = match op {
            IntBin::Add => CheckedOp::Add,
            IntBin::Sub => CheckedOp::Sub,
            IntBin::Mul => CheckedOp::Mul,
            IntBin::Div => CheckedOp::Div,
            IntBin::Rem => CheckedOp::Rem,
            IntBin::Shl => CheckedOp::Shl,
            IntBin::Shr => CheckedOp::Shr,
            IntBin::And | IntBin::Or | IntBin::Xor => return self.of_mask(side, op, a, b, block),
        };
        self.of_arithmetic(side, checked, a, b, block, added)
    }

    /// What bit operations make of numbers that are not negative.
    fn of_mask(&mut self, side: Side, op: IntBin, a: Reg, b: Reg, block: BlockId) -> i128 {
        let low = [a, b].map(|reg| -self.number(Side::Lower, reg, block));
        let high = [a, b].map(|reg| self.number(Side::Upper, reg, block));
        if op == IntBin::And {
            // One operand that is not negative is enough.
            let most = (0..2).filter(|at| low[*at] >= 0).map(|at| high[at]).min();
            return most.map_or(NONE, |most| within(side, 0, most));
        }
        match low.iter().all(|low| *low >= 0) {
            true => within(side, 0, all_bits(high[0] | high[1])),
            false => NONE,
        }
    }

    fn of_try(&mut self, side: Side, op: &TryOp, block: BlockId, added: i128) -> i128 {
        match op {
            TryOp::Int(op, a, b) => self.of_arithmetic(side, *op, *a, *b, block, added),
            TryOp::BytesGet(..) => within(side, 0, 255),
            TryOp::Neg(a) => match side {
                Side::Upper => self.number(Side::Lower, *a, block),
                Side::Lower => self.number(Side::Upper, *a, block),
            },
            _ => NONE,
        }
    }

    fn of_arithmetic(
        &mut self,
        side: Side,
        op: CheckedOp,
        a: Reg,
        b: Reg,
        block: BlockId,
        added: i128,
    ) -> i128 {
        match op {
            CheckedOp::Add => self.sum(side, (side, a), (side, b), block, added),
            CheckedOp::Sub => self.sum(side, (side, a), (other(side), b), block, added),
            CheckedOp::Mul => {
                let (low, high) = (self.span(a, block), self.span(b, block));
                let products = [
                    low.0 * high.0,
                    low.0 * high.1,
                    low.1 * high.0,
                    low.1 * high.1,
                ];
                match side {
                    Side::Upper => products.into_iter().fold(NOTHING, i128::max),
                    Side::Lower => products.into_iter().fold(NOTHING, |most, at| most.max(-at)),
                }
            }
            CheckedOp::Div => self.quotient(side, a, b, block, added),
            CheckedOp::Rem => self.rest(side, a, b, block),
            CheckedOp::Shr => match self.facts.constant(b) {
                Some(by @ 0..=63) => {
                    let (low, high) = self.span(a, block);
                    within(side, low >> by, high >> by)
                }
                _ => NONE,
            },
            CheckedOp::Shl => match self.facts.constant(b) {
                Some(by @ 0..=63) => {
                    let (low, high) = self.span(a, block);
                    match low >= 0 && high << by <= i128::from(i64::MAX) {
                        true => within(side, low << by, high << by),
                        false => NONE,
                    }
                }
                _ => NONE,
            },
        }
    }

    /// The sum of a bound and of a bound as a number; either may be the number.
    fn sum(
        &mut self,
        side: Side,
        a: (Side, Reg),
        b: (Side, Reg),
        block: BlockId,
        added: i128,
    ) -> i128 {
        let number = self.number(b.0, b.1, block);
        let mut bound = self.ask(a.0, a.1, block, added + number) + number;
        if b.0 == side && self.base != Base::Zero && bound > NONE / 2 {
            let number = self.number(a.0, a.1, block);
            bound = self.ask(b.0, b.1, block, added + number) + number;
        }
        bound
    }

    fn span(&mut self, reg: Reg, block: BlockId) -> (i128, i128) {
        let low = -self.number(Side::Lower, reg, block);
        (low, self.number(Side::Upper, reg, block))
    }

    fn quotient(&mut self, side: Side, a: Reg, b: Reg, block: BlockId, added: i128) -> i128 {
        let (low, high) = self.span(a, block);
        match self.facts.constant(b) {
            Some(by @ 1..) => {
                let by = i128::from(by);
                let number = within(side, low / by, high / by);
                match low >= 0 && side == Side::Upper && self.base != Base::Zero {
                    // It is not more than the dividend, either.
                    true => number.min(self.ask(side, a, block, added)),
                    false => number,
                }
            }
            _ => {
                let most = low.abs().max(high.abs());
                within(side, -most, most)
            }
        }
    }

    fn rest(&mut self, side: Side, a: Reg, b: Reg, block: BlockId) -> i128 {
        let (low, high) = self.span(b, block);
        let most = (low.abs().max(high.abs()) - 1).max(0);
        let least = match -self.number(Side::Lower, a, block) >= 0 {
            true => 0,
            false => -most,
        };
        within(side, least, most)
    }

    /// The worst of what comes in.
    fn of_param(
        &mut self,
        side: Side,
        reg: Reg,
        block: BlockId,
        place: usize,
        added: i128,
    ) -> i128 {
        let known = self
            .open
            .iter()
            .rev()
            .find(|(s, r, _)| (*s, *r) == (side, reg));
        if let Some((_, _, before)) = known {
            return match before {
                Some(before) if added <= *before => NOTHING,
                _ => NONE,
            };
        }
        self.open.push((side, reg, Some(added)));
        let way = std::mem::take(&mut self.way);
        let facts = self.facts;
        let mut bound = NOTHING;
        for (from, args) in &facts.entries[block.index()] {
            if args[place] != reg && bound < NONE / 2 {
                bound = bound.max(self.ask(side, args[place], *from, added));
            }
        }
        self.way = way;
        self.open.pop();
        bound
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Upper => Side::Lower,
        Side::Lower => Side::Upper,
    }
}

/// The bound of a number in a span.
fn within(side: Side, low: i128, high: i128) -> i128 {
    match side {
        Side::Upper => high,
        Side::Lower => -low,
    }
}

/// The greatest number that has no more bits than this one.
fn all_bits(number: i128) -> i128 {
    (1 << (128 - number.leading_zeros())) - 1
}
