//! One function: its locals, its blocks in their structure, its ends. Enter at [`function`].
//!
//! A register has a local of its own, which [`shorten`](super::shorten) does without where it can. Constants have none:
//! they are written where they are used. In functions that wait, a register with a slot is stored where it is defined.

use super::data::Side;
use super::loops::Loops;
use super::structure::{Structure, waiting_blocks};
use super::unit::{Code, Shape, Unit, val_type};
use crate::ir::{BlockId, FuncId, Function, Op, Reg, Target, Terminator, Ty};
use crate::passes::graph::Liveness;
use crate::passes::ranges::Facts;
use scn_grammar::Span;
use std::collections::HashMap;
use wasm_encoder::{BlockType, Instruction, MemArg, ValType};

/// What `resume` answers: the frame on top is another one now.
pub(super) const CALL: i32 = 0;
/// It is done.
const DONE: i32 = 1;
/// It has failed.
pub(super) const FAILED: i32 = 2;
/// It waits for the driver.
pub(super) const PENDING: i32 = 3;
/// The header of a frame.
pub(super) const FRAME: u64 = 16;
/// Where the state is in it.
pub(super) const STATE: u64 = 4;

/// The globals of the module.
pub(super) mod global {
    /// The error on its way.
    pub(crate) const FAILURE: u32 = 0;
    /// How many polls there are until somebody looks at the clock.
    pub(crate) const POLLS: u32 = 1;
    /// The first one that is a word.
    pub(crate) const WORDS: u32 = 2;
}

/// What a register holds that needs no local.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// An int, or the address of something that is never freed.
    Bits(i64),
    /// A float.
    Float(f64),
}

/// What an open label of the code stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
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

/// The code of a function under construction.
pub(super) struct Emit<'u, 'p> {
    pub unit: &'u mut Unit<'p>,
    pub side: Side,
    pub id: FuncId,
    pub function: &'p Function,
    pub shape: Shape,
    pub body: Vec<Instruction<'static>>,
    params: Vec<ValType>,
    locals: Vec<ValType>,
    homes: Vec<Option<u32>>,
    known: HashMap<Reg, Known>,
    uses: Vec<u32>,
    structure: Structure,
    pub loops: Loops,
    /// The block whose code is being written.
    pub current: usize,
    labels: Vec<Label>,
    /// The place that errors of what is being written have.
    pub span: Span,
    /// Blocks that end with a wait.
    pub waits: Vec<usize>,
    /// Which case of the dispatch a node is.
    cases: HashMap<usize, u32>,
    /// The local with the next case.
    case_local: u32,
    /// What is live where; known in the user's functions that neither wait nor recur.
    pub live: Option<Liveness>,
    /// What is known of the ints of the user's functions.
    facts: Option<Facts<'p>>,
}

/// Writes a function.
pub(super) fn function(unit: &mut Unit<'_>, side: Side, id: FuncId) -> Code {
    let function = unit.function(side, id);
    let shape = unit.shape(side, id);
    let waits = waiting_blocks(function);
    let structure = Structure::of(function, &waits);
    let mut emit = Emit {
        unit,
        side,
        id,
        function,
        shape,
        body: Vec::new(),
        params: Vec::new(),
        locals: Vec::new(),
        homes: vec![None; function.regs.len()],
        known: HashMap::new(),
        uses: function.use_counts(),
        structure,
        loops: Loops::of(function, side),
        current: 0,
        labels: Vec::new(),
        span: function.span,
        waits,
        cases: HashMap::new(),
        case_local: 0,
        live: None,
        facts: (side == Side::User).then(|| Facts::of(function)),
    };
    // Recursive functions poll where they begin, not in a loop, and their frames are to be small.
    if side == Side::User && !function.waits && !function.recursive {
        let sigs = crate::ir::Signatures::default();
        emit.live = Some(Liveness::compute(function, &sigs, &|_| None));
    }
    emit.find_known();
    emit.whole();
    let results = emit.results();
    Code {
        params: emit.params,
        results,
        locals: emit.locals,
        body: emit.body,
    }
}

/// A place in memory behind an address.
pub(super) fn at(offset: u64, align: u32) -> MemArg {
    MemArg {
        offset,
        align,
        memory_index: 0,
    }
}

impl<'p> Emit<'_, 'p> {
    /// Appends an instruction.
    pub(super) fn i(&mut self, instruction: Instruction<'static>) {
        self.body.push(instruction);
    }

    pub(super) fn class(&self, reg: Reg) -> Ty {
        self.function.regs[reg.index()]
    }

    pub(super) fn is_float(&self, reg: Reg) -> bool {
        self.class(reg) == Ty::Float
    }

    pub(super) fn use_count(&self, reg: Reg) -> u32 {
        self.uses[reg.index()]
    }

    fn find_known(&mut self) {
        let function = self.function;
        for inst in function.blocks.iter().flat_map(|block| &block.insts) {
            let known = match &inst.op {
                Op::Int(value) => Known::Bits(*value),
                Op::Float(bits) => Known::Float(f64::from_bits(*bits)),
                Op::Null => Known::Bits(0),
                Op::Const(id) => {
                    let object = &self.unit.program(self.side).consts[id.index()];
                    Known::Bits(self.unit.data.object(self.side, object).into())
                }
                _ => continue,
            };
            self.known.insert(inst.results[0], known);
        }
    }

    /// The int that a register is known to hold.
    pub(super) fn known_int(&self, reg: Reg) -> Option<i64> {
        match self.known.get(&reg) {
            Some(Known::Bits(bits)) => Some(*bits),
            _ => None,
        }
    }

    /// Whether an int is known not to be negative.
    pub(super) fn is_natural(&self, reg: Reg) -> bool {
        let at = BlockId(self.current as u32);
        let facts = self.facts.as_ref();
        facts.is_some_and(|facts| facts.is_natural(reg, at))
    }

    pub(super) fn is_known(&self, reg: Reg) -> bool {
        self.known.contains_key(&reg)
    }

    /// Results of the function in wasm.
    fn results(&self) -> Vec<ValType> {
        if self.function.waits {
            return vec![ValType::I32];
        }
        results(self.function, self.shape)
    }

    /// A new local.
    pub(super) fn new_local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        (self.params.len() + self.locals.len() - 1) as u32
    }

    pub(super) fn home(&mut self, reg: Reg) -> u32 {
        if let Some(home) = self.homes[reg.index()] {
            return home;
        }
        let home = self.new_local(val_type(self.class(reg)));
        self.homes[reg.index()] = Some(home);
        home
    }

    pub(super) fn slot(&self, reg: Reg) -> Option<u32> {
        let frame = self.function.frame.as_ref()?;
        frame.slot[reg.index()].filter(|_| self.function.waits)
    }

    /// Pushes the value of a register.
    pub(super) fn get(&mut self, reg: Reg) {
        match self.known.get(&reg) {
            Some(Known::Bits(bits)) => self.body.push(Instruction::I64Const(*bits)),
            Some(Known::Float(value)) => self.body.push(Instruction::F64Const((*value).into())),
            None => {
                let home = self.home(reg);
                self.i(Instruction::LocalGet(home));
            }
        }
    }

    /// Pushes the bits of a register as an `i64`.
    pub(super) fn get_bits(&mut self, reg: Reg) {
        self.get(reg);
        if self.is_float(reg) {
            self.i(Instruction::I64ReinterpretF64);
        }
    }

    /// Pushes the address of an object as an `i32`.
    pub(super) fn get_address(&mut self, reg: Reg) {
        match self.known.get(&reg) {
            Some(Known::Bits(bits)) => self.body.push(Instruction::I32Const(*bits as i32)),
            _ => {
                self.get(reg);
                self.i(Instruction::I32WrapI64);
            }
        }
    }

    /// Defines a register with what is on the stack.
    pub(super) fn set(&mut self, reg: Reg) {
        let home = self.home(reg);
        self.i(Instruction::LocalSet(home));
        self.save(reg, home);
    }

    /// Defines a register with bits on the stack.
    pub(super) fn set_bits(&mut self, reg: Reg) {
        if self.is_float(reg) {
            self.i(Instruction::F64ReinterpretI64);
        }
        self.set(reg);
    }

    fn save(&mut self, reg: Reg, home: u32) {
        if let Some(slot) = self.slot(reg) {
            self.i(Instruction::LocalGet(0));
            self.i(Instruction::LocalGet(home));
            let place = at(FRAME + 8 * u64::from(slot), 3);
            self.i(match self.is_float(reg) {
                true => Instruction::F64Store(place),
                false => Instruction::I64Store(place),
            });
        }
    }

    /// Reads a register back from its slot; a constant needs none.
    pub(super) fn reload(&mut self, reg: Reg) {
        if self.is_known(reg) {
            return;
        }
        if let Some(slot) = self.slot(reg) {
            self.load_slot(reg, slot);
            let home = self.home(reg);
            self.i(Instruction::LocalSet(home));
        }
    }

    fn load_slot(&mut self, reg: Reg, slot: u32) {
        self.i(Instruction::LocalGet(0));
        let place = at(FRAME + 8 * u64::from(slot), 3);
        self.i(match self.is_float(reg) {
            true => Instruction::F64Load(place),
            false => Instruction::I64Load(place),
        });
    }

    /// Pushes a word of the module's.
    pub(super) fn get_word(&mut self, number: u32) {
        match self.unit.data.address_of_word(number) {
            Some(address) => {
                self.i(Instruction::I32Const(address as i32));
                self.i(Instruction::I64Load(at(0, 3)));
            }
            None => {
                let global = self.unit.global_of_word(number);
                self.i(Instruction::GlobalGet(global));
            }
        }
    }

    /// Sets a word of the module's to what `value` pushes.
    pub(super) fn set_word(&mut self, number: u32, value: impl FnOnce(&mut Self)) {
        match self.unit.data.address_of_word(number) {
            Some(address) => {
                self.i(Instruction::I32Const(address as i32));
                value(self);
                self.i(Instruction::I64Store(at(0, 3)));
            }
            None => {
                value(self);
                let global = self.unit.global_of_word(number);
                self.i(Instruction::GlobalSet(global));
            }
        }
    }

    /// The number of the place where errors of what is being written are.
    pub(super) fn place(&mut self) -> u32 {
        self.unit.place(self.side, self.id, self.span)
    }

    fn whole(&mut self) {
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

/// The results of a pure function.
pub(super) fn results(function: &Function, shape: Shape) -> Vec<ValType> {
    let mut results: Vec<ValType> = function.results.iter().map(|ty| val_type(*ty)).collect();
    if shape.fails {
        results.push(ValType::I32);
    }
    results
}
