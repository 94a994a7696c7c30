//! Which registers need a local at all: constants whose every use takes them along, and conditions that a branch tests
//! itself, do not.
//!
//! Enter at [`Uses::of`].

use scn_compiler::ir::{
    Block, Cmp, FormatPart, Function, Inst, IntBin, Op, Reg, Signatures, Terminator, TryOp, WaitOp,
};

/// What is known of a function's registers.
pub(super) struct Uses {
    constant: Vec<Option<u64>>,
    wanted: Vec<bool>,
    count: Vec<u32>,
    /// Registers that are globals: the same in each call.
    global: Vec<bool>,
}

impl Uses {
    /// Looks a function through. `has_slot` says which registers are kept in the frame.
    pub(super) fn of(function: &Function, consts: &[u64], has_slot: impl Fn(Reg) -> bool) -> Uses {
        let regs = function.regs.len();
        let mut uses = Uses {
            constant: vec![None; regs],
            wanted: vec![false; regs],
            count: function.use_counts(),
            global: vec![false; regs],
        };
        let insts = || function.blocks.iter().flat_map(|block| &block.insts);
        for inst in insts() {
            if let [reg] = inst.results[..] {
                uses.constant[reg.index()] = bits_of(&inst.op, consts);
                uses.global[reg.index()] = matches!(inst.op, Op::Global(_));
            }
        }
        for block in &function.blocks {
            block.insts.iter().for_each(|inst| uses.inst(inst));
            uses.terminator(&block.term);
        }
        for reg in (0..regs as u32).map(Reg) {
            uses.wanted[reg.index()] |= has_slot(reg);
        }
        uses
    }

    /// The bits of a constant.
    pub(super) fn constant(&self, reg: Reg) -> Option<u64> {
        self.constant[reg.index()]
    }

    /// A constant that an operation may hold.
    pub(super) fn imm(&self, reg: Reg) -> Option<i32> {
        let int = self.constant(reg)?.cast_signed();
        i32::try_from(int).ok()
    }

    /// Whether a constant is read from its local anywhere.
    pub(super) fn is_wanted(&self, reg: Reg) -> bool {
        self.wanted[reg.index()]
    }

    /// The last instruction of a block, if only the block's branch reads it, which may then compare on its own.
    pub(super) fn condition<'a>(&self, block: &'a Block) -> Option<&'a Inst> {
        let Terminator::Branch { cond, .. } = &block.term else {
            return None;
        };
        let last = block.insts.last()?;
        let compares = match &last.op {
            Op::IntCmp(..) | Op::Not(_) | Op::IsNull(_) | Op::OptFlag(_) => true,
            Op::FloatCmp(cmp, ..) => !matches!(cmp, Cmp::Eq | Cmp::Ne),
            _ => false,
        };
        (compares && last.results[..] == [*cond] && self.count[cond.index()] == 1).then_some(last)
    }

    /// Whether a text is the same each time.
    pub(super) fn is_fixed(&self, parts: &[FormatPart]) -> bool {
        parts.iter().all(|part| match part {
            FormatPart::Text(_) => true,
            FormatPart::Scalar(_, reg) | FormatPart::Object(reg) => {
                self.global[reg.index()] || self.constant(*reg).is_some()
            }
        })
    }

    fn want(&mut self, reg: Reg) {
        self.wanted[reg.index()] = true;
    }

    fn want_unless_imm(&mut self, reg: Reg) {
        if self.imm(reg).is_none() {
            self.want(reg);
        }
    }

    fn inst(&mut self, inst: &Inst) {
        match &inst.op {
            Op::Call(..) | Op::Host(..) => {}
            Op::IntCmp(_, a, b) | Op::IntBin(IntBin::Add | IntBin::Mul, a, b) => {
                self.want(*a);
                self.want_unless_imm(*b);
            }
            op => op.each_reg(&Signatures::default(), &mut |reg, _| self.want(*reg)),
        }
    }

    fn terminator(&mut self, term: &Terminator) {
        match term {
            Terminator::Try {
                op: TryOp::Call(..) | TryOp::Host(..),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Call(..) | WaitOp::Host(..),
                ..
            } => {}
            Terminator::Try {
                op: TryOp::Int(op, a, b),
                ..
            } if super::select::has_imm(*op) => {
                self.want(*a);
                self.want_unless_imm(*b);
            }
            term => term.each_reg(&Signatures::default(), &mut |reg, _| self.want(*reg)),
        }
    }
}

fn bits_of(op: &Op, consts: &[u64]) -> Option<u64> {
    match op {
        Op::Int(int) => Some(int.cast_unsigned()),
        Op::Float(bits) => Some(*bits),
        Op::Const(id) => Some(consts[id.index()]),
        Op::Null => Some(0),
        _ => None,
    }
}
