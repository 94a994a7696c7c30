//! Lines of blocks: each block but the first is only reached by the `ok` edge of the one before.

use super::super::graph::Liveness;
use crate::ir::{BlockId, Function, Mode, Op, Reg, Signatures, Terminator, TryOp};
use std::collections::HashSet;

/// A position: an instruction of a block, or its terminator behind the last one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct At(pub BlockId, pub usize);

/// Where control goes on if nothing fails.
pub(super) fn next(function: &Function, block: BlockId) -> Option<BlockId> {
    match &function.blocks[block.index()].term {
        Terminator::Try { ok, .. } => Some(ok.block),
        _ => None,
    }
}

/// All lines of a function.
pub(super) fn lines(function: &Function) -> Vec<Vec<BlockId>> {
    let ids = (0..function.blocks.len() as u32).map(BlockId);
    let inner: HashSet<BlockId> = ids.clone().filter_map(|id| next(function, id)).collect();
    let heads = ids.filter(|id| !inner.contains(id));
    let line = |head| std::iter::successors(Some(head), |id| next(function, *id)).collect();
    heads.map(line).collect()
}

/// One line.
pub(super) struct Line<'f> {
    function: &'f Function,
    sigs: &'f Signatures,
    live: &'f Liveness,
    blocks: &'f [BlockId],
}

impl<'f> Line<'f> {
    pub fn new(
        function: &'f Function,
        sigs: &'f Signatures,
        live: &'f Liveness,
        blocks: &'f [BlockId],
    ) -> Self {
        Line {
            function,
            sigs,
            live,
            blocks,
        }
    }

    /// All positions in order.
    pub fn positions(&self) -> impl Iterator<Item = At> + '_ {
        let ends = |id: &BlockId| (*id, self.function.blocks[id.index()].insts.len());
        let blocks = self.blocks.iter().map(ends);
        blocks.flat_map(|(id, end)| (0..=end).map(move |at| At(id, at)))
    }

    /// The positions behind one.
    pub fn positions_behind(&self, from: At) -> impl Iterator<Item = At> + '_ {
        self.positions().skip_while(move |at| *at != from).skip(1)
    }

    /// The instruction there.
    pub fn op(&self, At(id, at): At) -> Option<&'f Op> {
        let inst = self.function.blocks[id.index()].insts.get(at)?;
        Some(&inst.op)
    }

    fn terminator(&self, At(id, at): At) -> Option<&'f Terminator> {
        let block = &self.function.blocks[id.index()];
        (at == block.insts.len()).then_some(&block.term)
    }

    /// What may fail there.
    pub fn attempt(&self, at: At) -> Option<&'f TryOp> {
        match self.terminator(at)? {
            Terminator::Try { op, .. } => Some(op),
            _ => None,
        }
    }

    /// The first result of what is there.
    pub fn result(&self, at: At) -> Option<Reg> {
        let results = match self.terminator(at) {
            Some(term) => term.results(),
            None => &self.function.blocks[at.0.index()].insts[at.1].results,
        };
        results.first().copied()
    }

    /// Visits what is read there, arguments of jumps too.
    pub fn each_reg(&self, at: At, f: &mut dyn FnMut(&Reg, Mode)) {
        let Some(term) = self.terminator(at) else {
            return self.function.blocks[at.0.index()].insts[at.1]
                .op
                .each_reg(self.sigs, f);
        };
        term.each_reg(self.sigs, f);
        for target in term.targets() {
            target.args.iter().for_each(|arg| f(arg, Mode::Own));
        }
    }

    /// Whether a register is read there.
    pub fn reads(&self, at: At, reg: Reg) -> bool {
        let mut found = false;
        self.each_reg(at, &mut |read, _| found |= *read == reg);
        found
    }

    /// Whether a register is read behind a position, on any way.
    pub fn is_live_behind(&self, at: At, reg: Reg) -> bool {
        let At(id, position) = at;
        let end = self.function.blocks[id.index()].insts.len();
        (position + 1..=end).any(|later| self.reads(At(id, later), reg))
            || self.is_live_out(id, reg)
    }

    fn is_live_out(&self, id: BlockId, reg: Reg) -> bool {
        let targets = self.function.blocks[id.index()].term.targets();
        let mut live = targets
            .iter()
            .map(|target| &self.live.live_in[target.block.index()]);
        live.any(|live| live.has(reg))
    }

    /// Whether what fails at a position leads to where a register is read.
    pub fn may_see_behind_error(&self, at: At, reg: Reg) -> bool {
        match self.terminator(at) {
            Some(Terminator::Try { err, .. }) => self.live.live_in[err.block.index()].has(reg),
            _ => false,
        }
    }
}
