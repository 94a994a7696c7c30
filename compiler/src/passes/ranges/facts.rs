//! What a function says about its ints: how each is defined, what holds where, and which lists are equally long.
//!
//! Facts begin at blocks with one predecessor: behind a branch, and where an operation that may fail has not.

use super::super::dominators::Dominators;
use super::super::graph::reverse_postorder;
use crate::ir::loops::predecessors;
use crate::ir::{BlockId, CheckedOp, Cmp, Function, IntBin, Op, Reg, Terminator, TryOp};
use std::collections::HashMap;

/// Which side a bound is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// From above.
    Upper,
    /// From below.
    Lower,
}

/// What a bound is measured against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Base {
    /// A number.
    Zero,
    /// The length of the lists of this class.
    Len(Reg),
    /// An int.
    Reg(Reg),
}

/// From a block on, a register is at most (or at least) a base and a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact {
    pub from: BlockId,
    pub side: Side,
    pub base: Base,
    pub add: i128,
}

/// How a register is defined.
#[derive(Clone, Copy)]
pub(super) enum Def<'f> {
    /// By an instruction of a block.
    Inst(&'f Op, BlockId),
    /// By what may fail.
    Try(&'f TryOp, BlockId),
    /// As a parameter of a block.
    Param(BlockId, usize),
    /// In another way.
    Other,
}

/// Everything that is known of a function.
pub(crate) struct Facts<'f> {
    pub(super) function: &'f Function,
    pub(super) dominators: Dominators,
    pub(super) defs: Vec<Def<'f>>,
    /// For each block, where its parameters come from: block and arguments.
    pub(super) entries: Vec<Vec<(BlockId, &'f [Reg])>>,
    facts: HashMap<Reg, Vec<Fact>>,
    /// For each list, the one that stands for all that have its length.
    lengths: Vec<Option<Reg>>,
}

impl<'f> Facts<'f> {
    pub(crate) fn of(function: &'f Function) -> Facts<'f> {
        let mut facts = Facts {
            function,
            dominators: Dominators::of(function),
            defs: definitions(function),
            entries: entries(function),
            facts: HashMap::new(),
            lengths: vec![None; function.regs.len()],
        };
        facts.find_lengths();
        for (at, preds) in predecessors(function).iter().enumerate() {
            if let [from] = preds[..] {
                facts.on_edge(from, BlockId(at as u32));
            }
        }
        facts
    }

    /// What is said about a register anywhere.
    pub(super) fn about(&self, reg: Reg) -> &[Fact] {
        self.facts.get(&reg).map_or(&[], Vec::as_slice)
    }

    /// The class of lists that have the length of this one.
    pub(super) fn length_class(&self, list: Reg) -> Reg {
        self.lengths[list.index()].unwrap_or(list)
    }

    /// The int that a register always is.
    pub(super) fn constant(&self, reg: Reg) -> Option<i64> {
        match self.defs[reg.index()] {
            Def::Inst(Op::Int(int), _) => Some(*int),
            _ => None,
        }
    }

    fn on_edge(&mut self, from: BlockId, to: BlockId) {
        match &self.function.blocks[from.index()].term {
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } if then.block != otherwise.block => self.holds(*cond, then.block == to, to),
            Terminator::Try { op, ok, .. } if ok.block == to => self.succeeded(op, to),
            _ => {}
        }
    }

    /// Notes what holds of a register, and of the one that it is a constant more than: the same sum may be made again.
    fn note(&mut self, reg: Reg, from: BlockId, side: Side, base: Base, add: i128) {
        let fact = Fact {
            from,
            side,
            base,
            add,
        };
        self.facts.entry(reg).or_default().push(fact);
        if let Some((other, more)) = self.offset(reg) {
            let add = add - more;
            self.facts
                .entry(other)
                .or_default()
                .push(Fact { add, ..fact });
        }
    }

    /// The register that this one is a constant more than.
    fn offset(&self, reg: Reg) -> Option<(Reg, i128)> {
        let (a, b, sign) = match self.defs[reg.index()] {
            Def::Inst(Op::IntBin(IntBin::Add, a, b), _)
            | Def::Try(TryOp::Int(CheckedOp::Add, a, b), _) => (*a, *b, 1),
            Def::Inst(Op::IntBin(IntBin::Sub, a, b), _)
            | Def::Try(TryOp::Int(CheckedOp::Sub, a, b), _) => (*a, *b, -1),
            _ => return None,
        };
        Some((a, sign * i128::from(self.constant(b)?)))
    }

    /// A condition holds, or does not, from a block on.
    fn holds(&mut self, cond: Reg, is_set: bool, from: BlockId) {
        let Def::Inst(op, _) = self.defs[cond.index()] else {
            return;
        };
        match op {
            Op::Not(inner) => self.holds(*inner, !is_set, from),
            Op::IntBin(IntBin::And, a, b) if is_set => {
                self.holds(*a, true, from);
                self.holds(*b, true, from);
            }
            Op::IntBin(IntBin::Or, a, b) if !is_set => {
                self.holds(*a, false, from);
                self.holds(*b, false, from);
            }
            Op::IntCmp(cmp, a, b) => {
                self.compared(if is_set { *cmp } else { negated(*cmp) }, *a, *b, from)
            }
            _ => {}
        }
    }

    fn compared(&mut self, cmp: Cmp, a: Reg, b: Reg, from: BlockId) {
        let (low, high, apart) = match cmp {
            Cmp::Lt => (a, b, 1),
            Cmp::Le => (a, b, 0),
            Cmp::Gt => (b, a, 1),
            Cmp::Ge => (b, a, 0),
            Cmp::Eq => {
                self.ordered(a, b, 0, from);
                return self.ordered(b, a, 0, from);
            }
            Cmp::Ne => return,
        };
        self.ordered(low, high, apart, from);
    }

    /// `low + apart` is at most `high`.
    fn ordered(&mut self, low: Reg, high: Reg, apart: i128, from: BlockId) {
        self.note(low, from, Side::Upper, Base::Reg(high), -apart);
        self.note(high, from, Side::Lower, Base::Reg(low), apart);
    }

    /// What an operation that has not failed says about its operands.
    fn succeeded(&mut self, op: &TryOp, from: BlockId) {
        match op {
            TryOp::ListGet(list, at) | TryOp::ListTake(list, at) | TryOp::ListSet(list, at, _) => {
                let len = Base::Len(self.length_class(*list));
                self.note(*at, from, Side::Upper, len, -1);
                self.note(*at, from, Side::Lower, Base::Zero, 0);
            }
            TryOp::BytesGet(_, at) => self.note(*at, from, Side::Lower, Base::Zero, 0),
            TryOp::Int(CheckedOp::Shl | CheckedOp::Shr, _, by) => {
                self.note(*by, from, Side::Lower, Base::Zero, 0);
                self.note(*by, from, Side::Upper, Base::Zero, 63);
            }
            TryOp::Int(op @ (CheckedOp::Add | CheckedOp::Sub), a, b) => {
                let Some(int) = self.constant(*b) else {
                    return;
                };
                let by = i128::from(int) * if *op == CheckedOp::Add { 1 } else { -1 };
                let (side, end) = match by > 0 {
                    true => (Side::Upper, i64::MAX),
                    false => (Side::Lower, i64::MIN),
                };
                self.note(*a, from, side, Base::Zero, i128::from(end) - by);
            }
            _ => {}
        }
    }

    /// Lists of one length: a list before and after an element is set, on every way through a loop.
    ///
    /// A parameter is thought to be as long as what comes in until two differ. What has not settled after some
    /// rounds stands for itself.
    fn find_lengths(&mut self) {
        const ROUNDS: usize = 12;
        let order = reverse_postorder(self.function);
        for _ in 0..ROUNDS {
            let mut changed = false;
            for block in &order {
                changed |= self.lengths_of(*block);
            }
            if !changed {
                return;
            }
        }
        self.lengths.fill(None);
    }

    fn lengths_of(&mut self, at: BlockId) -> bool {
        let block = &self.function.blocks[at.index()];
        let mut changed = false;
        for (place, param) in block.params.iter().enumerate() {
            let known = self.lengths[param.index()];
            if known == Some(*param) {
                continue;
            }
            let incoming = self.entries[at.index()].iter();
            let mut classes = incoming.filter_map(|(_, args)| self.known_length(args[place]));
            let Some(first) = classes.next() else {
                continue;
            };
            let class = match classes.all(|class| class == first)
                && known.is_none_or(|known| known == first)
            {
                true => first,
                false => *param,
            };
            changed |= self.set_length(*param, class);
        }
        for inst in &block.insts {
            if let Op::Unique(list) = inst.op
                && let Some(class) = self.known_length(list)
            {
                changed |= self.set_length(inst.results[0], class);
            }
        }
        if let Terminator::Try {
            op: TryOp::ListSet(list, ..),
            results,
            ..
        } = &block.term
            && let Some(class) = self.known_length(*list)
        {
            changed |= self.set_length(results[0], class);
        }
        changed
    }

    /// The class of a list; none while nothing is known of what it is made of.
    fn known_length(&self, list: Reg) -> Option<Reg> {
        match self.defs[list.index()] {
            Def::Param(..) | Def::Inst(Op::Unique(_), _) | Def::Try(TryOp::ListSet(..), _) => {
                self.lengths[list.index()]
            }
            _ => Some(list),
        }
    }

    fn set_length(&mut self, list: Reg, class: Reg) -> bool {
        self.lengths[list.index()].replace(class) != Some(class)
    }
}

fn negated(cmp: Cmp) -> Cmp {
    match cmp {
        Cmp::Eq => Cmp::Ne,
        Cmp::Ne => Cmp::Eq,
        Cmp::Lt => Cmp::Ge,
        Cmp::Le => Cmp::Gt,
        Cmp::Gt => Cmp::Le,
        Cmp::Ge => Cmp::Lt,
    }
}

fn definitions(function: &Function) -> Vec<Def<'_>> {
    let mut defs = vec![Def::Other; function.regs.len()];
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        for (place, param) in block.params.iter().enumerate() {
            defs[param.index()] = Def::Param(at, place);
        }
        for inst in &block.insts {
            if let [result] = inst.results[..] {
                defs[result.index()] = Def::Inst(&inst.op, at);
            }
        }
        if let Terminator::Try { op, results, .. } = &block.term
            && let [result] = results[..]
        {
            defs[result.index()] = Def::Try(op, at);
        }
    }
    defs
}

fn entries(function: &Function) -> Vec<Vec<(BlockId, &[Reg])>> {
    let mut entries = vec![Vec::new(); function.blocks.len()];
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        for target in block.term.targets() {
            entries[target.block.index()].push((at, target.args.as_slice()));
        }
    }
    entries
}
