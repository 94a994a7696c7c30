//! What registers hold, in which part of a function.
//!
//! Registers are in SSA form already: most of them are one value of the machine form. Some are defined at several places
//! there: what landings read back from its slot, what the head of a loop makes that is tested again at the loop's end,
//! length and place of a list that stays the same in a loop. Of these each *part* of a function has its own value: a
//! part is a block where ways meet (or a landing) with all that is reached from it alone. Where ways meet, the values
//! are handed over as parameters; Cranelift leaves out those that are the same on all ways. Enter at [`Values::of`].

use super::function::reachable;
use super::loops::Loops;
use cranelift_codegen::ir::Value;
use scn_compiler::ir::loops::{makers, predecessors};
use scn_compiler::ir::{BlockId, Frame, Function, Reg, Signatures, Terminator, WaitOp};
use std::collections::{HashMap, HashSet};

/// A part of a function, by what it begins with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Part {
    /// The function's entry.
    Entry,
    /// A block that several ways lead to.
    Block(BlockId),
    /// The landing of a wait that went well.
    Landed(usize),
    /// The landing of a wait that failed.
    Failed(usize),
}

/// The values of a function's registers.
#[derive(Debug)]
pub(super) struct Values {
    /// Registers that are defined once.
    once: Vec<Option<Value>>,
    /// Registers that are defined at several places, and their values in the parts.
    several: HashSet<Reg>,
    found: HashMap<(Reg, Part), Value>,
    /// What the head of a loop makes where it is tested again: nobody else of the part sees these.
    again: Option<HashMap<Reg, Value>>,
    /// The part that is being emitted.
    pub part: Part,
    /// The part of each block.
    parts: Vec<Part>,
    /// For each block, the registers whose values it is handed beside its parameters.
    carried: Vec<Vec<Reg>>,
}

impl Values {
    /// Finds parts, and what is handed over between them.
    pub(super) fn of(
        function: &Function,
        is_recursive: &dyn Fn(usize) -> bool,
        loops: &Loops,
    ) -> Values {
        let several = several(function, loops);
        let meeting = meeting(function, is_recursive, loops);
        let mut carried = live(function, &several, loops);
        for (at, carried) in (0u32..).zip(&mut carried) {
            match meeting.contains(&BlockId(at)) {
                true => carried.sort(),
                false => carried.clear(),
            }
        }
        Values {
            once: vec![None; function.regs.len()],
            several,
            found: HashMap::new(),
            again: None,
            part: Part::Entry,
            parts: parts(function, &meeting),
            carried,
        }
    }

    /// The registers whose values a block is handed beside its parameters.
    pub(super) fn carried(&self, block: BlockId) -> &[Reg] {
        &self.carried[block.index()]
    }

    /// What follows is emitted into a block.
    pub(super) fn enter(&mut self, block: BlockId) {
        self.part = self.parts[block.index()];
    }

    /// What a register holds here.
    pub(super) fn get(&self, reg: Reg) -> Value {
        let value = match self.several.contains(&reg) {
            false => self.once[reg.index()],
            true => {
                let again = self.again.as_ref().and_then(|again| again.get(&reg));
                again.or_else(|| self.found.get(&(reg, self.part))).copied()
            }
        };
        value.expect("a definition comes before its uses in the order of emission")
    }

    /// Defines a register.
    pub(super) fn set(&mut self, reg: Reg, value: Value) {
        if !self.several.contains(&reg) {
            self.once[reg.index()] = Some(value);
        } else if let Some(again) = &mut self.again {
            again.insert(reg, value);
        } else {
            self.found.insert((reg, self.part), value);
        }
    }

    /// The head of a loop is tested again: what is defined from now on holds until that ends.
    pub(super) fn begin_again(&mut self) {
        self.again = Some(HashMap::new());
    }

    /// See [`Values::begin_again`].
    pub(super) fn end_again(&mut self) {
        self.again = None;
    }
}

/// The registers that are defined at several places.
fn several(function: &Function, loops: &Loops) -> HashSet<Reg> {
    let mut several: HashSet<Reg> = loops.steady_parts().collect();
    for point in function.frame.iter().flat_map(|frame| &frame.waits) {
        let term = &function.blocks[point.block.index()].term;
        let args = term.targets().into_iter().flat_map(|target| &target.args);
        let read = point.ok_live.iter().chain(&point.err_live).chain(args);
        several.extend(read.filter(|reg| !term.results().contains(reg)));
    }
    for head in loops.tested_again(function) {
        let head = &function.blocks[head.index()];
        several.extend(&head.params);
        several.extend(head.insts.iter().flat_map(|inst| &inst.results));
    }
    several
}

/// The blocks that several ways of the machine form lead to, at least.
fn meeting(
    function: &Function,
    is_recursive: &dyn Fn(usize) -> bool,
    loops: &Loops,
) -> HashSet<BlockId> {
    let mut meeting = HashSet::new();
    // The entry leads to the first block.
    let mut seen = HashSet::from([BlockId(0)]);
    for block in reachable(function) {
        let term = &function.blocks[block.index()].term;
        for target in term.targets() {
            if !seen.insert(target.block) {
                meeting.insert(target.block);
            }
        }
        // A call that is too deep fails at once, others fail at the landing.
        if let Terminator::Wait {
            op: WaitOp::Call(callee, _),
            err,
            ..
        } = term
            && is_recursive(callee.index())
        {
            meeting.insert(err.block);
        }
    }
    for head in loops.tested_again(function) {
        let targets = function.blocks[head.index()].term.targets();
        meeting.extend(targets.iter().map(|target| target.block));
    }
    meeting
}

/// The part of each block that can be reached.
fn parts(function: &Function, meeting: &HashSet<BlockId>) -> Vec<Part> {
    let mut parts = vec![Part::Entry; function.blocks.len()];
    if meeting.contains(&BlockId(0)) {
        parts[0] = Part::Block(BlockId(0));
    }
    for block in reachable(function) {
        let part = parts[block.index()];
        let term = &function.blocks[block.index()].term;
        let landings = match (term, &function.frame) {
            (Terminator::Wait { .. }, Some(frame)) => Some(wait_number(frame, block)),
            _ => None,
        };
        for (edge, target) in term.targets().iter().enumerate() {
            parts[target.block.index()] = match (landings, edge) {
                _ if meeting.contains(&target.block) => Part::Block(target.block),
                (Some(wait), 0) => Part::Landed(wait),
                (Some(wait), _) => Part::Failed(wait),
                (None, _) => part,
            };
        }
    }
    parts
}

/// Which wait of a function a block ends with.
pub(super) fn wait_number(frame: &Frame, block: BlockId) -> usize {
    let number = frame
        .waits
        .binary_search_by_key(&block, |point| point.block);
    number.expect("the frames pass lists each block that ends with a wait, in order")
}

/// For each block, which of some registers it or what follows reads that were defined before it.
fn live(function: &Function, wanted: &HashSet<Reg>, loops: &Loops) -> Vec<Vec<Reg>> {
    let sigs = Signatures::default();
    let mut uses: HashMap<Reg, Vec<BlockId>> = HashMap::new();
    for block in reachable(function) {
        let mut note = |reg: Reg| {
            if wanted.contains(&reg) {
                uses.entry(reg).or_default().push(block);
            }
        };
        function.blocks[block.index()].each_reg(&sigs, &mut |reg, _| note(*reg));
        loops.steady_uses(function, block).for_each(note);
    }
    let preds = predecessors(function);
    let made = makers(function);
    let mut live = vec![Vec::new(); function.blocks.len()];
    for (reg, uses) in uses {
        let is_before = |block: BlockId| match made.get(reg.index()) {
            Some(made) => *made != Some(block),
            None => true,
        };
        let goes_on = |block: BlockId| made.len() > reg.index() || loops.holds(reg, block);
        let mut seen = HashSet::new();
        let mut work = uses;
        while let Some(block) = work.pop() {
            if is_before(block) && seen.insert(block) {
                live[block.index()].push(reg);
                let before = preds[block.index()].iter().copied();
                work.extend(before.filter(|block| goes_on(*block)));
            }
        }
    }
    live
}
