//! Control flow: blocks in their structure, jumps and what they pass, the ends of functions. Enter at [`Emit::whole`].

use super::emit::{DONE, Emit, FAILED, FRAME, STATE, at};
use super::unit::val_type;
use crate::ir::{BlockId, Reg, Target, Terminator, Ty};
use wasm_encoder::{BlockType, Instruction, ValType};

/// What an open label of the code stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// Leads behind what is open, where this node's code comes.
    Before(usize),
    /// Leads back to this node.
    Loop(usize),
    /// Leads back to this node, after a look at the clock.
    Again(usize),
    /// The dispatch of a function that waits.
    Dispatch,
    /// Nobody jumps here.
    Other,
}

impl<'p> Emit<'_, 'p> {
    /// Writes the code of the whole function.
    pub(super) fn whole(&mut self) {
        match self.function.waits {
            true => self.waiting(),
            false => self.pure(),
        }
        self.i(Instruction::Unreachable);
    }

    fn pure(&mut self) {
        if self.shape.counts_depth {
            self.params.push(ValType::I32);
        }
        for param in &self.function.params {
            self.params.push(val_type(self.class(param.reg)));
        }
        let first = u32::from(self.shape.counts_depth);
        for (at, param) in (first..).zip(&self.function.params) {
            self.homes[param.reg.index()] = Some(at);
        }
        self.tree(0);
    }

    /// The entry of a waiting function: the frame's state is the first case of the dispatch.
    fn waiting(&mut self) {
        self.params.push(ValType::I32);
        self.case_local = self.new_local(ValType::I32);
        let root = self.structure.root;
        let mut nodes = self.structure.children[root].clone();
        // States are the first cases: the entry, then the landings in order.
        let blocks = self.function.blocks.len();
        let entry = move |node: &usize| match *node {
            0 => 0,
            node if node >= blocks => node - blocks + 1,
            node => node + root,
        };
        // The entry and every landing have a case, also those that code jumps to as well.
        nodes.sort_by_key(entry);
        for (case, node) in (0u32..).zip(&nodes) {
            self.cases.insert(*node, case);
        }
        self.i(Instruction::LocalGet(0));
        self.i(Instruction::I32Load16U(at(STATE, 1)));
        self.i(Instruction::LocalSet(self.case_local));
        self.open(Instruction::Loop(BlockType::Empty), Label::Dispatch);
        for node in nodes.iter().rev() {
            self.open(Instruction::Block(BlockType::Empty), Label::Before(*node));
        }
        self.i(Instruction::LocalGet(self.case_local));
        let all: Vec<u32> = (0..nodes.len() as u32).collect();
        self.i(Instruction::BrTable(all.into(), 0));
        for node in nodes {
            self.close();
            if node == 0 {
                self.take_params();
            }
            self.tree(node);
        }
        self.close();
    }

    fn take_params(&mut self) {
        for (slot, param) in (0u32..).zip(&self.function.params) {
            self.load_slot(param.reg, slot);
            let home = self.home(param.reg);
            self.i(Instruction::LocalSet(home));
            if self.slot(param.reg) != Some(slot) {
                self.save(param.reg, home);
            }
        }
    }

    fn open(&mut self, instruction: Instruction<'static>, label: Label) {
        self.i(instruction);
        self.labels.push(label);
    }

    /// Opens a block that nobody jumps to.
    pub(super) fn open_if(&mut self) {
        self.open(Instruction::If(BlockType::Empty), Label::Other);
    }

    pub(super) fn close(&mut self) {
        self.i(Instruction::End);
        self.labels.pop();
    }

    /// The code of a node and of all that it dominates. It never falls through.
    fn tree(&mut self, start: usize) {
        let mut node = start;
        loop {
            if self.structure.is_loop[node] && !self.cases.contains_key(&node) {
                let looks = self.looks_at_the_clock(node);
                if looks {
                    self.open(Instruction::Loop(BlockType::Empty), Label::Again(node));
                }
                self.open(Instruction::Loop(BlockType::Empty), Label::Loop(node));
                self.inside(node);
                self.close();
                if looks {
                    self.close();
                }
                return;
            }
            // What comes behind a node's code without a label is written here, not deeper in the stack.
            match self.inside(node) {
                Some(next) => node = next,
                None => return,
            }
        }
    }

    /// The code of a node, its labelled children behind it; gives the node that comes next, if it is not written yet.
    fn inside(&mut self, node: usize) -> Option<usize> {
        let children = self.structure.children[node].clone();
        let mut merges: Vec<usize> = children
            .into_iter()
            .filter(|child| self.structure.is_merge[*child])
            .collect();
        merges.sort_by_key(|child| self.structure.rank[*child]);
        let in_loop = self.structure.is_loop[node] && !self.cases.contains_key(&node);
        for child in merges.iter().rev() {
            self.open(Instruction::Block(BlockType::Empty), Label::Before(*child));
        }
        let mut next = self.node(node);
        for (at, child) in merges.iter().enumerate() {
            if let Some(next) = next.take() {
                self.tree(next);
            }
            self.close();
            match at + 1 == merges.len() && !in_loop {
                true => return Some(*child),
                false => self.tree(*child),
            }
        }
        if in_loop && let Some(next) = next.take() {
            self.tree(next);
        }
        next
    }

    /// The instructions of a node and the way on; gives the node that comes behind if it is without a label.
    fn node(&mut self, node: usize) -> Option<usize> {
        let blocks = self.function.blocks.len();
        if node >= blocks {
            return self.landing(node - blocks);
        }
        self.current = node;
        let block = &self.function.blocks[node];
        for (at, inst) in block.insts.iter().enumerate() {
            self.span = inst.span;
            let is_condition = at + 1 == block.insts.len() && self.is_condition_of(block, inst);
            if !is_condition {
                self.inst(inst);
            }
        }
        self.span = block.term_span;
        self.terminator(node, &block.term)
    }

    fn terminator(&mut self, node: usize, term: &'p Terminator) -> Option<usize> {
        match term {
            Terminator::Jump(target) => return self.go(node, target),
            Terminator::Branch {
                cond,
                then,
                otherwise,
            } => {
                self.condition(node, *cond);
                self.open_if();
                self.branch(node, then);
                self.close();
                return self.go(node, otherwise);
            }
            Terminator::Switch {
                value,
                cases,
                default,
            } => {
                for (case, target) in cases {
                    self.get(*value);
                    self.i(Instruction::I64Const(*case));
                    self.i(Instruction::I64Eq);
                    self.open_if();
                    self.branch(node, target);
                    self.close();
                }
                return self.go(node, default);
            }
            Terminator::Return(regs) => self.give_back(regs),
            Terminator::Fail => self.fail(),
            Terminator::Try {
                op,
                results,
                ok,
                err,
            } => {
                self.attempt(node, op, results, (ok, err));
                return self.go(node, ok);
            }
            Terminator::Wait { op, .. } => self.wait(node, op),
            Terminator::None | Terminator::Unreachable => self.i(Instruction::Unreachable),
        }
        None
    }

    /// Goes to a target and never comes back: jumps, or writes its code here.
    pub(super) fn branch(&mut self, from: usize, target: &'p Target) {
        if let Some(next) = self.go(from, target) {
            let current = self.current;
            self.tree(next);
            self.current = current;
        }
    }

    /// Passes the arguments of a target and jumps to its label; gives its node when it has none.
    pub(super) fn go(&mut self, from: usize, target: &'p Target) -> Option<usize> {
        self.pass(target);
        let to = target.block.index();
        self.cross(from, to);
        if self.cases.contains_key(&to) {
            self.dispatch(to);
            return None;
        }
        if !self.structure.has_label(from, to) {
            return Some(to);
        }
        let is_back = self.structure.rank[to] <= self.structure.rank[from];
        let label = match is_back {
            true => Label::Loop(to),
            false => Label::Before(to),
        };
        let depth = self.depth_of(label);
        self.i(Instruction::Br(depth));
        None
    }

    /// Whether a target is the head of a loop around here that is entered anew after a look at the clock.
    pub(super) fn can_begin_again(&self, target: &Target) -> bool {
        let label = Label::Again(target.block.index());
        self.labels.contains(&label)
    }

    /// Goes back to the head of a loop that is entered anew, as it is after a look at the clock.
    pub(super) fn again(&mut self, target: &'p Target) {
        self.pass(target);
        let depth = self.depth_of(Label::Again(target.block.index()));
        self.i(Instruction::Br(depth));
    }

    /// Goes to a case of the dispatch.
    pub(super) fn dispatch(&mut self, node: usize) {
        self.i(Instruction::I32Const(self.cases[&node] as i32));
        self.i(Instruction::LocalSet(self.case_local));
        let depth = self.depth_of(Label::Dispatch);
        self.i(Instruction::Br(depth));
    }

    fn depth_of(&self, wanted: Label) -> u32 {
        let depth = self.labels.iter().rev().position(|label| *label == wanted);
        depth.expect("a label is open around all jumps to it") as u32
    }

    /// Moves arguments to the parameters of a block, as if all at once.
    fn pass(&mut self, target: &'p Target) {
        let params = &self.function.blocks[target.block.index()].params;
        let moves = target.args.iter().copied().zip(params.iter().copied());
        let mut pending: Vec<(Reg, Reg)> = moves
            .filter(|(arg, param)| arg != param && self.use_count(*param) > 0)
            .collect();
        // What nobody else reads any more is written first.
        while let Some(at) = pending.iter().position(|(own, param)| {
            let mut readers = pending.iter();
            own == param || !readers.any(|(arg, _)| arg == param)
        }) {
            let (arg, param) = pending.remove(at);
            self.get(arg);
            self.set(param);
        }
        for (arg, _) in &pending {
            self.get(*arg);
        }
        for (_, param) in pending.iter().rev() {
            self.set(*param);
        }
    }

    fn give_back(&mut self, regs: &[Reg]) {
        if self.function.waits {
            for reg in regs {
                self.get(*reg);
            }
            for (slot, reg) in regs.iter().enumerate().rev() {
                let ty = val_type(self.class(*reg));
                let value = self.new_local(ty);
                self.i(Instruction::LocalSet(value));
                self.i(Instruction::LocalGet(0));
                self.i(Instruction::LocalGet(value));
                let place = at(FRAME + 8 * slot as u64, 3);
                self.i(match ty {
                    ValType::F64 => Instruction::F64Store(place),
                    _ => Instruction::I64Store(place),
                });
            }
            return self.answer(DONE);
        }
        for reg in regs {
            self.get(*reg);
        }
        if self.shape.fails {
            self.i(Instruction::I32Const(0));
        }
        self.i(Instruction::Return);
    }

    fn fail(&mut self) {
        if self.function.waits {
            return self.answer(FAILED);
        }
        for ty in &self.function.results {
            self.body.push(match ty {
                Ty::Float => Instruction::F64Const(0.0.into()),
                _ => Instruction::I64Const(0),
            });
        }
        self.i(Instruction::I32Const(1));
        self.i(Instruction::Return);
    }

    /// Leaves a resumed frame.
    pub(super) fn answer(&mut self, how: i32) {
        self.i(Instruction::I32Const(how));
        self.i(Instruction::Return);
    }

    /// The block of a wait.
    pub(super) fn wait_block(&self, number: usize) -> BlockId {
        BlockId(self.waits[number] as u32)
    }
}
