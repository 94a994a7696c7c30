//! What code does at loops: it reads the lists that stay the same in one where it enters it, and tests a short condition
//! at its end. Which these are, `scn_compiler::ir::loops` finds.

use super::emit::Emit;
use crate::object::layout;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use scn_compiler::ir::loops::{self, lists_of};
use scn_compiler::ir::{Block, BlockId, Function, Op, Reg, Target, Terminator};
use std::collections::HashMap;
use std::mem::offset_of;

/// As many instructions as the head of a loop may have whose condition is tested at the loop's end as well.
const HEAD: usize = 6;

/// The loops of a function.
#[derive(Debug, Default)]
pub(super) struct Loops {
    found: loops::Loops,
    /// Length and place of the elements, by list: registers behind those of the function.
    steady: HashMap<Reg, (Reg, Reg)>,
    /// The lists of these registers.
    lists: HashMap<Reg, Reg>,
}

/// Whether an operation is what conditions are made of: short, and it needs no place.
fn is_condition(op: &Op) -> bool {
    matches!(
        op,
        Op::Int(_)
            | Op::Float(_)
            | Op::IntCmp(..)
            | Op::IntBin(..)
            | Op::FloatCmp(..)
            | Op::Not(_)
            | Op::ListLen(_)
            | Op::BytesLen(_)
    )
}

/// Whether the head of a loop is little else than its condition.
fn is_short(head: &Block) -> bool {
    matches!(head.term, Terminator::Branch { .. })
        && head.insts.len() <= HEAD
        && head.insts.iter().all(|inst| is_condition(&inst.op))
}

impl Loops {
    /// Finds them.
    pub(super) fn of(function: &Function) -> Loops {
        let mut loops = Loops {
            found: loops::Loops::of(function),
            ..Loops::default()
        };
        let lists = loops.found.all.iter().flat_map(|one| one.lists.clone());
        for list in lists.collect::<Vec<_>>() {
            loops.keep_steady(list, function.regs.len());
        }
        loops
    }

    /// Gives length and place of a list registers of their own.
    fn keep_steady(&mut self, list: Reg, regs: usize) {
        if !self.steady.contains_key(&list) {
            let first = (regs + self.lists.len()) as u32;
            let parts = (Reg(first), Reg(first + 1));
            self.steady.insert(list, parts);
            self.lists.extend([(parts.0, list), (parts.1, list)]);
        }
    }

    /// The registers of lengths and places.
    pub(super) fn steady_parts(&self) -> impl Iterator<Item = Reg> + '_ {
        self.lists.keys().copied()
    }

    /// The registers of lengths and places that a block reads.
    pub(super) fn steady_uses(
        &self,
        function: &Function,
        at: BlockId,
    ) -> impl Iterator<Item = Reg> {
        let lists = lists_of(function, at).into_iter();
        let parts = lists.filter_map(move |list| self.steady_in(list, at));
        parts.flat_map(|(len, place)| [len, place])
    }

    /// Whether such a register has a value in a block.
    pub(super) fn holds(&self, part: Reg, at: BlockId) -> bool {
        let list = self.lists.get(&part);
        list.is_some_and(|list| self.steady_in(*list, at).is_some())
    }

    /// The heads whose condition may be tested again at the ends of their loops.
    pub(super) fn tested_again(&self, function: &Function) -> impl Iterator<Item = BlockId> {
        let heads = self.found.heads.iter().copied();
        heads.filter(|head| is_short(&function.blocks[head.index()]))
    }

    /// Where length and place of a list are in a block, if it stays the same in a loop around it.
    fn steady_in(&self, list: Reg, at: BlockId) -> Option<(Reg, Reg)> {
        let parts = self.steady.get(&list)?;
        self.found.is_steady(list, at).then_some(*parts)
    }
}

impl Emit<'_, '_, '_> {
    /// Whether a jump to a block is better the block itself once more: it is the head of a loop and little else than
    /// its condition. So a turn of the loop takes one jump, and the condition in front of it is tested once.
    pub(super) fn tests_again(&self, target: BlockId) -> bool {
        self.loops.found.heads.contains(&target)
            && self.begun.contains(&target)
            && is_short(&self.function.blocks[target.index()])
    }

    /// Whether something is to be done on the way to a target.
    pub(super) fn enters_loop(&self, target: &Target) -> bool {
        !self
            .loops
            .found
            .entered(self.current, target.block)
            .is_empty()
    }

    /// Looks at the lists of a loop that is entered: registers of lengths and places, and what they hold.
    pub(super) fn enter_loop(&mut self, target: BlockId) -> HashMap<Reg, Value> {
        let mut found = HashMap::new();
        for list in self.loops.found.entered(self.current, target) {
            let (len, place) = self.loops.steady[&list];
            let list = self.get(list);
            let length = self.load_u32(list, offset_of!(layout::List, len));
            let elements = self.load(types::I64, list, offset_of!(layout::List, buffer) as i32);
            found.extend([(len, length), (place, elements)]);
        }
        found
    }

    /// The number of elements of a list.
    pub(super) fn list_len(&mut self, list: Reg) -> Value {
        if let Some((len, _)) = self.loops.steady_in(list, self.current) {
            return self.get(len);
        }
        let list = self.get(list);
        self.load_u32(list, offset_of!(layout::List, len))
    }

    /// Where an element of a list is.
    pub(super) fn element_of(&mut self, list: Reg, at: Value) -> Value {
        if let Some((_, place)) = self.loops.steady_in(list, self.current) {
            let elements = self.get(place);
            let offset = self.b.ins().ishl_imm_u(at, 3);
            return self.b.ins().iadd(elements, offset);
        }
        let list = self.get(list);
        self.element(list, at)
    }
}
