//! What code does at loops: the lists that stay the same in one (`ir::loops` finds them) are read once where it is entered,
//! instead of at each turn. And where a loop only computes, nobody else counts polls, so that it may count them in a
//! local. Enter at [`Loops::of`]; what is done on the way into a loop and out of it, is
//! [`Emit::cross`].

use super::data::Side;
use super::emit::{Emit, at, global};
use super::ops::{BUFFER, COUNT};
use crate::ir::{Block, BlockId, Function, Op, Reg, Target, Terminator, TryOp, loops};
use std::collections::{BTreeMap, BTreeSet};
use wasm_encoder::{Instruction as I, ValType};

/// The loops of a function.
#[derive(Default)]
pub(super) struct Loops {
    found: loops::Loops,
    /// Blocks of loops in which nothing can count polls or ask for one.
    quiet: BTreeSet<BlockId>,
    /// Locals with length and place of elements.
    steady: BTreeMap<Reg, (u32, u32)>,
    /// The local that counts polls in quiet loops.
    polls: Option<u32>,
}

impl Loops {
    /// Finds the loops of a function of a program; bodies of the library do without.
    pub(super) fn of(function: &Function, side: Side) -> Loops {
        let mut loops = Loops::default();
        if side == Side::User {
            loops.found = loops::Loops::of(function);
            let all = loops.found.all.iter();
            let quiet = all.filter(|one| one.body.iter().all(|block| is_quiet(function, *block)));
            loops.quiet = quiet.flat_map(|one| one.body.clone()).collect();
        }
        loops
    }

    /// Length and place of a list in a block, if they were read where a loop around it began.
    fn steady_in(&self, list: Reg, block: usize) -> Option<(u32, u32)> {
        let parts = self.steady.get(&list)?;
        self.found.is_steady(list, id(block)).then_some(*parts)
    }

    /// Whether polls are counted in a local.
    fn is_quiet(&self, block: usize) -> bool {
        self.quiet.contains(&id(block))
    }
}

fn id(block: usize) -> BlockId {
    BlockId(block as u32)
}

impl Emit<'_, '_> {
    /// Writes what is to be done where control goes from a block to another: loops begin or end there.
    pub(super) fn cross(&mut self, from: usize, to: usize) {
        for list in self.loops.found.entered(id(from), id(to)) {
            self.read_list(list);
        }
        match (self.loops.is_quiet(from), self.loops.is_quiet(to)) {
            (false, true) => {
                let polls = self.quiet_polls();
                self.i(I::GlobalGet(global::POLLS));
                self.i(I::LocalSet(polls));
            }
            // Errors are rare: what is not counted then does no harm.
            (true, false) if !self.function.blocks[to].cold => {
                let polls = self.quiet_polls();
                self.i(I::LocalGet(polls));
                self.i(I::GlobalSet(global::POLLS));
            }
            _ => {}
        }
    }

    /// Reads length and place of a list into locals.
    fn read_list(&mut self, list: Reg) {
        let (length, place) = match self.loops.steady.get(&list) {
            Some(parts) => *parts,
            None => {
                let parts = (self.new_local(ValType::I64), self.new_local(ValType::I32));
                self.loops.steady.insert(list, parts);
                parts
            }
        };
        self.load_length(list);
        self.i(I::LocalSet(length));
        self.load_place(list);
        self.i(I::LocalSet(place));
    }

    fn load_length(&mut self, list: Reg) {
        self.get_address(list);
        self.i(I::I64Load32U(at(COUNT, 2)));
    }

    fn load_place(&mut self, list: Reg) {
        self.get_address(list);
        self.i(I::I32Load(at(BUFFER, 2)));
    }

    /// Reads what was read where the loops around here began, so that it need not be kept across a call.
    pub(super) fn read_lists_again(&mut self) {
        let here = id(self.current);
        let lists = self.loops.steady.keys().copied();
        let lists: Vec<Reg> = lists
            .filter(|list| self.loops.found.is_steady(*list, here))
            .collect();
        for list in lists {
            self.read_list(list);
        }
    }

    /// Whether a loop looks at the clock where it goes back. It does so outside of the code that it repeats, in a loop
    /// around it: what is needed in the one is then not alive across a call in it.
    pub(super) fn looks_at_the_clock(&self, head: usize) -> bool {
        let polls = |block: &Block| match &block.term {
            Terminator::Try { op, ok, .. } => {
                *op == TryOp::Poke && destination(self.function, ok).block == id(head)
            }
            _ => false,
        };
        self.live.is_some() && self.function.blocks.iter().any(polls)
    }

    fn quiet_polls(&mut self) -> u32 {
        match self.loops.polls {
            Some(local) => local,
            None => {
                let local = self.new_local(ValType::I32);
                self.loops.polls = Some(local);
                local
            }
        }
    }

    /// The local that counts polls in a block, if it is not the module's global.
    pub(super) fn polls_of(&mut self, block: usize) -> Option<u32> {
        self.loops.is_quiet(block).then(|| self.quiet_polls())
    }

    /// Pushes the length of a list.
    pub(super) fn length(&mut self, list: Reg) {
        match self.loops.steady_in(list, self.current) {
            Some((length, _)) => self.i(I::LocalGet(length)),
            None => self.load_length(list),
        }
    }

    /// Pushes the place of the elements of a list or of the entries of a map.
    pub(super) fn buffer(&mut self, list: Reg) {
        match self.loops.steady_in(list, self.current) {
            Some((_, place)) => self.i(I::LocalGet(place)),
            None => self.load_place(list),
        }
    }
}

/// Where a target leads to in the end: behind blocks that do nothing but jump.
pub(super) fn destination<'f>(function: &'f Function, target: &'f Target) -> &'f Target {
    let mut target = target;
    loop {
        let block = &function.blocks[target.block.index()];
        match &block.term {
            Terminator::Jump(next) if block.insts.is_empty() && block.params.is_empty() => {
                target = next;
            }
            _ => return target,
        }
    }
}

/// Whether what a block does can neither count polls nor ask for one, which whoever allocates does.
fn is_quiet(function: &Function, block: BlockId) -> bool {
    let block = &function.blocks[block.index()];
    let allocates = |op: &Op| {
        matches!(
            op,
            Op::Call(..)
                | Op::Host(..)
                | Op::Spawn(..)
                | Op::New(..)
                | Op::NewList(..)
                | Op::NewMap(..)
                | Op::Box(..)
                | Op::OptBox(..)
                | Op::Format(_)
                | Op::ListPush(..)
                | Op::MapInsert(..)
                | Op::Drop(_)
        )
    };
    let calls = match &block.term {
        Terminator::Try { op, .. } => matches!(op, TryOp::Call(..) | TryOp::Host(..)),
        Terminator::Wait { .. } => true,
        _ => false,
    };
    !calls && !block.insts.iter().any(|inst| allocates(&inst.op))
}
