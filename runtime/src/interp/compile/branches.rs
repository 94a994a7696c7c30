//! Branches: comparisons that jump, and the ends of loops.

use super::{Compiler, From, Stub};
use crate::interp::code::{Ins, Pc, Switch};
use scn_compiler::ir::{Cmp, Op, Reg, Target};

/// Where an operation leads to, if it leads anywhere else than on.
fn target_of(ins: &mut Ins) -> Option<&mut Pc> {
    match ins {
        Ins::Jump { to }
        | Ins::Unless { to, .. }
        | Ins::If { to, .. }
        | Ins::UnlessLt { to, .. }
        | Ins::UnlessLe { to, .. }
        | Ins::UnlessEq { to, .. }
        | Ins::UnlessNe { to, .. }
        | Ins::UnlessLtImm { to, .. }
        | Ins::UnlessLeImm { to, .. }
        | Ins::UnlessGtImm { to, .. }
        | Ins::UnlessGeImm { to, .. }
        | Ins::UnlessEqImm { to, .. }
        | Ins::UnlessNeImm { to, .. }
        | Ins::UnlessFloatLt { to, .. }
        | Ins::UnlessFloatLe { to, .. }
        | Ins::LoopLt { to, .. }
        | Ins::LoopLe { to, .. }
        | Ins::CountLt { to, .. }
        | Ins::Again { to } => Some(to),
        _ => None,
    }
}

/// Sets where a branch leads to.
pub(super) fn lead(ins: &mut Ins, pc: Pc) {
    match target_of(ins) {
        Some(to) => *to = pc,
        None => unreachable!("a branch was emitted there, not {ins:?}"),
    }
}

/// Makes positions that operations lead to distances from the operation behind them, so that the loop need not know
/// where the code begins.
pub(super) fn measure(ops: &mut [Ins]) {
    for (at, ins) in ops.iter_mut().enumerate() {
        if let Some(to) = target_of(ins) {
            let distance = i64::from(*to) - (at as i64 + 1);
            let bytes = i32::try_from(distance * size_of::<Ins>() as i64);
            *to = bytes
                .expect("a function has less than 2 GiB of code")
                .cast_unsigned();
        }
    }
}

impl<'a> Compiler<'a> {
    /// The branch that evaluates its condition itself; see [`super::uses::Uses::condition`].
    pub(super) fn comparing(&self, op: &Op) -> Ins {
        let to = 0;
        match op {
            Op::IntCmp(cmp, a, b) => self.comparing_ints(*cmp, *a, *b),
            Op::FloatCmp(cmp, a, b) => {
                let (a, b) = (self.local(*a), self.local(*b));
                match cmp {
                    Cmp::Lt => Ins::UnlessFloatLt { a, b, to },
                    Cmp::Le => Ins::UnlessFloatLe { a, b, to },
                    Cmp::Gt => Ins::UnlessFloatLt { a: b, b: a, to },
                    Cmp::Ge => Ins::UnlessFloatLe { a: b, b: a, to },
                    Cmp::Eq | Cmp::Ne => unreachable!("these are no conditions"),
                }
            }
            Op::Not(src) | Op::IsNull(src) => Ins::If {
                cond: self.local(*src),
                to,
            },
            Op::OptFlag(src) => Ins::Unless {
                cond: self.local(*src),
                to,
            },
            other => unreachable!("{other:?} is no condition"),
        }
    }

    fn comparing_ints(&self, cmp: Cmp, a: Reg, b: Reg) -> Ins {
        let to = 0;
        if let Some(imm) = self.uses.imm(b) {
            let a = self.local(a);
            return match cmp {
                Cmp::Lt => Ins::UnlessLtImm { a, imm, to },
                Cmp::Le => Ins::UnlessLeImm { a, imm, to },
                Cmp::Gt => Ins::UnlessGtImm { a, imm, to },
                Cmp::Ge => Ins::UnlessGeImm { a, imm, to },
                Cmp::Eq => Ins::UnlessEqImm { a, imm, to },
                Cmp::Ne => Ins::UnlessNeImm { a, imm, to },
            };
        }
        let (a, b) = (self.local(a), self.local(b));
        match cmp {
            Cmp::Lt => Ins::UnlessLt { a, b, to },
            Cmp::Le => Ins::UnlessLe { a, b, to },
            Cmp::Gt => Ins::UnlessLt { a: b, b: a, to },
            Cmp::Ge => Ins::UnlessLe { a: b, b: a, to },
            Cmp::Eq => Ins::UnlessEq { a, b, to },
            Cmp::Ne => Ins::UnlessNe { a, b, to },
        }
    }

    pub(super) fn branch(&mut self, ins: Ins, then: &'a Target, otherwise: &'a Target) {
        let at = self.emit(ins);
        self.warm.push(Stub {
            from: From::Branch(at),
            target: otherwise,
        });
        self.go(then);
    }

    /// Jumps to what was laid out before: mostly to the head of a loop, whose condition is then tested here as well.
    pub(super) fn go_back(&mut self, to: Pc) {
        if !matches!(self.code.ops.last(), Some(Ins::Poke)) {
            self.emit(Ins::Jump { to });
            return;
        }
        let last = self.code.ops.len() - 1;
        let body = to + 1;
        let again = match self.code.ops[to as usize] {
            Ins::UnlessLt { a, b, .. } => Ins::LoopLt { a, b, to: body },
            Ins::UnlessLe { a, b, .. } => Ins::LoopLe { a, b, to: body },
            _ => Ins::Again { to },
        };
        self.code.ops[last] = again;
        self.count(last, again);
        // Where the loop is left, its head says where to. Blocks without operations may begin here.
        self.emit(Ins::Jump { to });
    }

    /// Makes one operation of counting up and the loop's condition, which stands at `at`, last of all.
    fn count(&mut self, at: usize, again: Ins) {
        let (Some(before), Ins::LoopLt { a, b, to }) = (at.checked_sub(1), again) else {
            return;
        };
        let counts = matches!(self.code.ops[before], Ins::AddWrapImm { dst, a: from, imm: 1 } if dst == a && from == a);
        let is_entered = self.start.contains(&Some(at as Pc));
        let Some(stub) = self.cold.last_mut() else {
            return;
        };
        if !counts || is_entered || !matches!(stub.from, From::Error(pc, None) if pc as usize == at)
        {
            return;
        }
        stub.from = From::Error(before as Pc, None);
        self.code.ops.pop();
        self.code.ops[before] = Ins::CountLt { a, b, to };
        // What began behind it begins one earlier.
        let (old, new) = (at as Pc + 1, at as Pc);
        let moved = self
            .start
            .iter_mut()
            .flatten()
            .filter(|start| **start == old);
        moved.for_each(|start| *start = new);
        self.begun = self.begun.min(new);
        if let Some(last) = self.code.places.last_mut() {
            last.0 = last.0.min(new);
        }
    }

    pub(super) fn switch(&mut self, value: Reg, cases: &'a [(i64, Target)], default: &'a Target) {
        let (value, table) = (self.local(value), self.code.switches.len());
        let rows = cases.iter().map(|(case, _)| (*case, 0)).collect();
        self.code.switches.push(Switch {
            cases: rows,
            default: 0,
        });
        self.emit(Ins::Switch {
            value,
            table: table as u32,
        });
        self.warm.push(Stub {
            from: From::Default(table),
            target: default,
        });
        for (case, (_, target)) in cases.iter().enumerate() {
            self.warm.push(Stub {
                from: From::Case(table, case),
                target,
            });
        }
    }
}
