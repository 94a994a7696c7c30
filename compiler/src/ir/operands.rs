//! Which registers an operation reads, whether it takes them over, and where its results come from.
//!
//! The one table of ownership: passes and verifier ask here and nowhere else. Enter at [`Op::each_reg`],
//! [`Terminator::each_reg`] and [`result_origin`].

use super::{
    Block, FormatPart, Function, NativeRef, Op, Program, Reg, SmallVec, Target, Terminator, TryOp,
    WaitOp,
};

/// How an operand is used. It only matters for pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read; the register keeps its reference.
    Borrow,
    /// Taken over.
    Own,
}

impl Mode {
    fn of(own: bool) -> Mode {
        if own { Mode::Own } else { Mode::Borrow }
    }
}

/// The modes of parameters, which calls need to know.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// For each function, for each parameter: whether it is owned.
    pub functions: Vec<Vec<bool>>,
    /// For each host function, for each parameter: whether it is owned.
    pub natives: Vec<Vec<bool>>,
    /// For each host function: whether its receiver comes back.
    pub inout: Vec<bool>,
}

impl Signatures {
    /// Reads the modes off a program.
    pub fn of(program: &Program) -> Signatures {
        let function = |f: &Function| f.params.iter().map(|p| p.own).collect();
        let native = |n: &NativeRef| {
            n.params
                .iter()
                .enumerate()
                .map(|(i, p)| p.own || (n.inout && i == usize::from(n.typed)))
                .collect()
        };
        Signatures {
            functions: program.functions.iter().map(function).collect(),
            natives: program.natives.iter().map(native).collect(),
            inout: program.natives.iter().map(|n| n.inout).collect(),
        }
    }
}

/// The mode of an argument. Renaming visits operands without signatures: then nothing depends on it.
fn mode_at(modes: Option<&Vec<bool>>, at: usize) -> Mode {
    Mode::of(
        modes
            .and_then(|modes| modes.get(at))
            .copied()
            .unwrap_or(false),
    )
}

/// Writes the visitors for shared and for mutable registers from one table.
macro_rules! visitors {
    ($name:ident, $iter:ident, $($r:tt)+) => {
        impl Op {
            /// Calls `f` with each register that is read and how.
            pub fn $name(self: $($r)+ Self, sigs: &Signatures, f: &mut dyn FnMut($($r)+ Reg, Mode)) {
                use Mode::{Borrow, Own};
                match self {
                    Op::Int(_) | Op::Float(_) | Op::Const(_) | Op::Null | Op::Global(_) | Op::CellLoad(_)
                    | Op::CellTake(_) | Op::ErrTake | Op::ErrIsCancel | Op::ErrTrace | Op::Site(_) => {}
                    Op::IntBin(_, a, b) | Op::IntCmp(_, a, b) | Op::FloatBin(_, a, b) | Op::FloatCmp(_, a, b)
                    | Op::OptBox(_, a, b) | Op::ListAt(a, b) | Op::ListTake(a, b) | Op::MapKeyAt(a, b) | Op::MapValueAt(a, b)
                    | Op::MapGet(a, b) | Op::MapTake(a, b) | Op::Equal(a, b) => { f(a, Borrow); f(b, Borrow) }
                    Op::FloatNeg(a) | Op::FloatUn(_, a) | Op::Not(a) | Op::ToFloat(a) | Op::IsNull(a) | Op::OptFlag(a)
                    | Op::OptPayload(a) | Op::Box(_, a) | Op::Load(a, _) | Op::Take(a, _) | Op::ListLen(a)
                    | Op::BytesLen(a) | Op::MapLen(a) | Op::Retain(a) | Op::Keep(a) => f(a, Borrow),
                    Op::Select(c, a, b) => { f(c, Borrow); f(a, Borrow); f(b, Borrow) }
                    Op::Unique(a) | Op::CellStore(_, a) | Op::Drop(a) | Op::ErrSet(a) => f(a, Own),
                    Op::New(_, regs) | Op::NewList(_, regs) | Op::NewMap(_, regs) | Op::Spawn(_, regs) => {
                        for r in regs.$iter() { f(r, Own) }
                    }
                    Op::Store(a, _, v) => { f(a, Borrow); f(v, Own) }
                    Op::MapInsert(m, k, v) => { f(m, Own); f(k, Own); f(v, Own) }
                    Op::ListPush(l, v) => { f(l, Own); f(v, Own) }
                    Op::ListPut(l, i, v) => { f(l, Borrow); f(i, Borrow); f(v, Own) }
                    Op::Format(parts) => for part in parts.$iter() {
                        match part {
                            FormatPart::Text(_) => {}
                            FormatPart::Scalar(_, r) | FormatPart::Object(r) => f(r, Borrow),
                        }
                    },
                    Op::Call(func, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.functions.get(func.index()), i)) }
                    }
                    Op::Host(native, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.natives.get(native.index()), i)) }
                    }
                }
            }
        }
        impl TryOp {
            /// Calls `f` with each register that is read and how.
            pub fn $name(self: $($r)+ Self, sigs: &Signatures, f: &mut dyn FnMut($($r)+ Reg, Mode)) {
                use Mode::{Borrow, Own};
                match self {
                    TryOp::Poke => {}
                    TryOp::Int(_, a, b) | TryOp::ListGet(a, b) | TryOp::ListTake(a, b) | TryOp::BytesGet(a, b) => {
                        f(a, Borrow);
                        f(b, Borrow)
                    }
                    TryOp::Neg(a) | TryOp::ToInt(a) => f(a, Borrow),
                    TryOp::ListSet(l, i, v) => { f(l, Own); f(i, Borrow); f(v, Own) }
                    TryOp::ListPut(l, i, v) => { f(l, Borrow); f(i, Borrow); f(v, Own) }
                    TryOp::Call(func, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.functions.get(func.index()), i)) }
                    }
                    TryOp::Host(native, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.natives.get(native.index()), i)) }
                    }
                }
            }
        }
        impl WaitOp {
            /// Calls `f` with each register that is read and how.
            pub fn $name(self: $($r)+ Self, sigs: &Signatures, f: &mut dyn FnMut($($r)+ Reg, Mode)) {
                match self {
                    WaitOp::Call(func, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.functions.get(func.index()), i)) }
                    }
                    WaitOp::Host(native, regs) => {
                        for (i, r) in regs.$iter().enumerate() { f(r, mode_at(sigs.natives.get(native.index()), i)) }
                    }
                    WaitOp::Parallel(_, branches) | WaitOp::Race(branches) => {
                        for (_, regs) in branches.$iter() {
                            for r in regs.$iter() { f(r, Mode::Own) }
                        }
                    }
                    WaitOp::ForEach { list, captures, max, .. } => {
                        f(list, Mode::Borrow);
                        for r in captures.$iter() { f(r, Mode::Borrow) }
                        f(max, Mode::Borrow)
                    }
                }
            }
        }
        impl Terminator {
            /// Calls `f` with each register that is read and how; not with the arguments of targets.
            pub fn $name(self: $($r)+ Self, sigs: &Signatures, f: &mut dyn FnMut($($r)+ Reg, Mode)) {
                match self {
                    Terminator::None | Terminator::Jump(_) | Terminator::Fail | Terminator::Unreachable => {}
                    Terminator::Branch { cond: r, .. } | Terminator::Switch { value: r, .. } => f(r, Mode::Borrow),
                    Terminator::Return(regs) => for r in regs.$iter() { f(r, Mode::Own) },
                    Terminator::Try { op, .. } => op.$name(sigs, f),
                    Terminator::Wait { op, .. } => op.$name(sigs, f),
                }
            }
        }
    };
}

visitors!(each_reg, iter, &);
visitors!(each_reg_mut, iter_mut, &mut);

impl Block {
    /// Calls `f` with each register that is read in the block and how; what is handed to other blocks is taken over.
    pub fn each_reg(&self, sigs: &Signatures, f: &mut dyn FnMut(&Reg, Mode)) {
        for inst in &self.insts {
            inst.op.each_reg(sigs, f);
        }
        self.term.each_reg(sigs, f);
        for target in self.term.targets() {
            target.args.iter().for_each(|arg| f(arg, Mode::Own));
        }
    }

    /// The same, to replace registers.
    pub fn each_reg_mut(&mut self, f: &mut dyn FnMut(&mut Reg)) {
        let sigs = Signatures::default();
        for inst in &mut self.insts {
            inst.op.each_reg_mut(&sigs, &mut |reg, _| f(reg));
        }
        self.term.each_reg_mut(&sigs, &mut |reg, _| f(reg));
        for target in self.term.targets_mut() {
            target.args.iter_mut().for_each(&mut *f);
        }
    }
}

impl Function {
    /// How often each register is read.
    pub fn use_counts(&self) -> Vec<u32> {
        let sigs = Signatures::default();
        let mut counts = vec![0; self.regs.len()];
        for block in &self.blocks {
            block.each_reg(&sigs, &mut |reg, _| counts[reg.index()] += 1);
        }
        counts
    }
}

impl Terminator {
    /// The targets in order.
    pub fn targets(&self) -> SmallVec<[&Target; 2]> {
        match self {
            Terminator::Jump(t) => SmallVec::from_slice(&[t]),
            Terminator::Branch {
                then: a,
                otherwise: b,
                ..
            }
            | Terminator::Try { ok: a, err: b, .. }
            | Terminator::Wait { ok: a, err: b, .. } => SmallVec::from_slice(&[a, b]),
            Terminator::Switch { cases, default, .. } => cases
                .iter()
                .map(|(_, t)| t)
                .chain(std::iter::once(default))
                .collect(),
            Terminator::None
            | Terminator::Return(_)
            | Terminator::Fail
            | Terminator::Unreachable => SmallVec::new(),
        }
    }

    /// The targets in order.
    pub fn targets_mut(&mut self) -> SmallVec<[&mut Target; 2]> {
        match self {
            Terminator::Jump(t) => std::iter::once(t).collect(),
            Terminator::Branch {
                then: a,
                otherwise: b,
                ..
            }
            | Terminator::Try { ok: a, err: b, .. }
            | Terminator::Wait { ok: a, err: b, .. } => [a, b].into_iter().collect(),
            Terminator::Switch { cases, default, .. } => cases
                .iter_mut()
                .map(|(_, t)| t)
                .chain(std::iter::once(default))
                .collect(),
            Terminator::None
            | Terminator::Return(_)
            | Terminator::Fail
            | Terminator::Unreachable => SmallVec::new(),
        }
    }

    /// Results of a `Try` or `Wait`.
    pub fn results(&self) -> &[Reg] {
        match self {
            Terminator::Try { results, .. } | Terminator::Wait { results, .. } => results,
            _ => &[],
        }
    }

    /// How many of the results the target at this position sees: all on `ok`, the receiver of an inout on `err`.
    pub fn results_at(&self, target: usize, sigs: &Signatures) -> &[Reg] {
        let results = self.results();
        if target == 0 {
            results
        } else {
            &results[..usize::from(self.is_inout(sigs)).min(results.len())]
        }
    }

    /// Whether the first result is defined on the error edge too.
    pub fn is_inout(&self, sigs: &Signatures) -> bool {
        match self {
            Terminator::Try {
                op: TryOp::ListSet(..),
                ..
            } => true,
            Terminator::Try {
                op: TryOp::Host(n, _),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Host(n, _),
                ..
            } => sigs.inout[n.index()],
            _ => false,
        }
    }
}

/// Where a pointer result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A reference of its own.
    Owned,
    /// Lives in that object.
    Inside(Reg),
    /// Lives in that cell.
    Cell(u32),
    /// Immortal.
    Static,
}

/// Where the result of an instruction comes from.
pub fn result_origin(op: &Op) -> Origin {
    match op {
        Op::Const(_) | Op::Null | Op::Global(_) => Origin::Static,
        Op::Load(a, _)
        | Op::ListAt(a, _)
        | Op::MapKeyAt(a, _)
        | Op::MapValueAt(a, _)
        | Op::MapGet(a, _) => Origin::Inside(*a),
        Op::CellLoad(cell) => Origin::Cell(*cell),
        _ => Origin::Owned,
    }
}

/// The registers of a function that hold immortal pointers: nothing needs to keep them alive.
pub fn immortals(function: &Function) -> std::collections::HashSet<Reg> {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    insts
        .filter(|inst| result_origin(&inst.op) == Origin::Static)
        .flat_map(|inst| inst.results.iter().copied())
        .collect()
}

/// Where the results of a terminator come from.
pub fn terminator_origin(term: &Terminator) -> Origin {
    match term {
        Terminator::Try {
            op: TryOp::ListGet(list, _),
            ..
        } => Origin::Inside(*list),
        _ => Origin::Owned,
    }
}

impl Op {
    /// Whether the instruction can go when nobody reads its results.
    pub fn is_pure(&self) -> bool {
        !matches!(
            self,
            Op::Take(..)
                | Op::Store(..)
                | Op::MapTake(..)
                | Op::ListTake(..)
                | Op::ListPut(..)
                | Op::CellTake(_)
                | Op::CellStore(..)
                | Op::Retain(_)
                | Op::Drop(_)
                | Op::Keep(_)
                | Op::ErrTake
                | Op::ErrSet(_)
                | Op::ErrTrace
                | Op::Site(_)
                | Op::Call(..)
                | Op::Host(..)
                | Op::Spawn(..)
                | Op::Unique(_)
        )
    }

    /// The object that the instruction changes in place.
    pub fn changes(&self) -> Option<Reg> {
        match self {
            Op::Take(a, _)
            | Op::Store(a, _, _)
            | Op::MapTake(a, _)
            | Op::ListTake(a, _)
            | Op::ListPut(a, _, _) => Some(*a),
            _ => None,
        }
    }
}

impl TryOp {
    /// The object that the operation changes in place.
    pub fn changes(&self) -> Option<Reg> {
        match self {
            TryOp::ListTake(list, _) | TryOp::ListPut(list, _, _) => Some(*list),
            _ => None,
        }
    }
}
