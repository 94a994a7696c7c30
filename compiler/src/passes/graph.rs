//! Facts about a function's control-flow graph: orders, liveness. Predecessors are in `ir::loops`.

use crate::ir::{BlockId, Function, Mode, Reg, Signatures};

/// A set of registers as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegSet {
    words: Vec<u64>,
}

impl RegSet {
    /// An empty set for registers below `len`.
    pub fn new(len: usize) -> RegSet {
        RegSet {
            words: vec![0; len.div_ceil(64)],
        }
    }

    /// All registers below `len`.
    pub fn full(len: usize) -> RegSet {
        let mut set = RegSet::new(len);
        (0..len as u32).for_each(|reg| {
            set.insert(Reg(reg));
        });
        set
    }

    /// Whether a register is in it.
    pub fn has(&self, reg: Reg) -> bool {
        self.words
            .get(reg.index() / 64)
            .is_some_and(|word| word >> (reg.index() % 64) & 1 == 1)
    }

    /// Adds a register; whether it is new.
    pub fn insert(&mut self, reg: Reg) -> bool {
        let fresh = !self.has(reg);
        self.words[reg.index() / 64] |= 1 << (reg.index() % 64);
        fresh
    }

    /// Removes a register.
    pub fn remove(&mut self, reg: Reg) {
        if let Some(word) = self.words.get_mut(reg.index() / 64) {
            *word &= !(1 << (reg.index() % 64));
        }
    }

    /// Adds all of another set.
    pub fn union(&mut self, other: &RegSet) {
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    /// The registers in order.
    pub fn iter(&self) -> impl Iterator<Item = Reg> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros();
                rest &= rest - 1;
                Some(Reg(at as u32 * 64 + bit))
            })
        })
    }
}

/// The reachable blocks in reverse postorder. The first target of a block comes right behind it where possible.
pub(crate) fn reverse_postorder(function: &Function) -> Vec<BlockId> {
    let mut seen = vec![false; function.blocks.len()];
    let mut order = Vec::with_capacity(function.blocks.len());
    let mut stack = vec![(BlockId(0), 0)];
    seen[0] = true;
    while let Some((block, next)) = stack.last_mut() {
        // Later targets first, so that the first one ends up next to the block.
        let targets = function.blocks[block.index()].term.targets();
        let Some(at) = targets.len().checked_sub(*next + 1) else {
            order.push(*block);
            stack.pop();
            continue;
        };
        *next += 1;
        let target = targets[at].block;
        if !std::mem::replace(&mut seen[target.index()], true) {
            stack.push((target, 0));
        }
    }
    order.reverse();
    order
}

/// The registers that something takes over.
pub(crate) fn consumed(function: &Function, sigs: &Signatures) -> RegSet {
    let mut consumed = RegSet::new(function.regs.len());
    let mut note = |reg: &Reg, mode| {
        if mode == Mode::Own {
            consumed.insert(*reg);
        }
    };
    for block in &function.blocks {
        block.each_reg(sigs, &mut note);
    }
    consumed
}

/// Which registers are live where blocks begin. `also` adds what a use keeps alive beside itself.
pub(crate) struct Liveness {
    /// For each block, the registers that it or what follows reads; its own parameters are not among them.
    pub live_in: Vec<RegSet>,
}

impl Liveness {
    /// Computes liveness; `uses_of` calls its second argument with a register and all that its use keeps alive.
    pub fn compute(
        function: &Function,
        sigs: &Signatures,
        roots: &dyn Fn(Reg) -> Option<Reg>,
    ) -> Liveness {
        let regs = function.regs.len();
        let mut liveness = Liveness {
            live_in: vec![RegSet::new(regs); function.blocks.len()],
        };
        let order = reverse_postorder(function);
        loop {
            let mut changed = false;
            for block in order.iter().rev() {
                let live = liveness.at_start(function, *block, sigs, roots);
                if live != liveness.live_in[block.index()] {
                    liveness.live_in[block.index()] = live;
                    changed = true;
                }
            }
            if !changed {
                return liveness;
            }
        }
    }

    /// What is live behind the terminator of a block, on any edge; without its results.
    pub fn behind(&self, function: &Function, block: BlockId) -> RegSet {
        let mut live = RegSet::new(function.regs.len());
        let term = &function.blocks[block.index()].term;
        for target in term.targets() {
            live.union(&self.live_in[target.block.index()]);
        }
        for result in term.results() {
            live.remove(*result);
        }
        live
    }

    fn at_start(
        &self,
        function: &Function,
        block: BlockId,
        sigs: &Signatures,
        roots: &dyn Fn(Reg) -> Option<Reg>,
    ) -> RegSet {
        let mut live = self.behind(function, block);
        let body = &function.blocks[block.index()];
        add_terminator_uses(&mut live, body, sigs, roots);
        for inst in body.insts.iter().rev() {
            for result in &inst.results {
                live.remove(*result);
            }
            inst.op.each_reg(sigs, &mut |reg, _| {
                insert_with_roots(&mut live, *reg, roots)
            });
        }
        for param in &body.params {
            live.remove(*param);
        }
        live
    }
}

/// Adds what a terminator reads.
pub(crate) fn add_terminator_uses(
    live: &mut RegSet,
    block: &crate::ir::Block,
    sigs: &Signatures,
    roots: &dyn Fn(Reg) -> Option<Reg>,
) {
    block
        .term
        .each_reg(sigs, &mut |reg, _| insert_with_roots(live, *reg, roots));
    for target in block.term.targets() {
        for arg in &target.args {
            insert_with_roots(live, *arg, roots);
        }
    }
}

/// Adds a register and what it is borrowed from.
pub(crate) fn insert_with_roots(live: &mut RegSet, reg: Reg, roots: &dyn Fn(Reg) -> Option<Reg>) {
    let mut at = Some(reg);
    while let Some(reg) = at {
        live.insert(reg);
        at = roots(reg);
    }
}
