//! One function under construction: its registers, words and places. Enter at [`function`]; its control flow is
//! [`control`](super::control).
//!
//! A register has a local of its own, which [`shorten`](super::shorten) does without where it can. Constants have none:
//! they are written where they are used. In functions that wait, a register with a slot is stored where it is defined.

use super::control::Label;
use super::data::Side;
use super::loops::Loops;
use super::structure::{Structure, waiting_blocks};
use super::unit::{Code, Shape, Unit, val_type};
use crate::ir::{BlockId, FuncId, Function, Op, Reg, Ty};
use crate::passes::graph::Liveness;
use crate::passes::ranges::Facts;
use scn_grammar::Span;
use std::collections::HashMap;
use wasm_encoder::{Instruction, MemArg, ValType};

/// What `resume` answers: the frame on top is another one now.
pub(super) const CALL: i32 = 0;
/// It is done.
pub(super) const DONE: i32 = 1;
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

/// The code of a function under construction.
pub(super) struct Emit<'u, 'p> {
    pub unit: &'u mut Unit<'p>,
    pub side: Side,
    pub id: FuncId,
    pub function: &'p Function,
    pub shape: Shape,
    pub body: Vec<Instruction<'static>>,
    pub params: Vec<ValType>,
    locals: Vec<ValType>,
    pub homes: Vec<Option<u32>>,
    known: HashMap<Reg, Known>,
    uses: Vec<u32>,
    pub structure: Structure,
    pub loops: Loops,
    /// The block whose code is being written.
    pub current: usize,
    pub labels: Vec<Label>,
    /// The place that errors of what is being written have.
    pub span: Span,
    /// Blocks that end with a wait.
    pub waits: Vec<usize>,
    /// Which case of the dispatch a node is.
    pub cases: HashMap<usize, u32>,
    /// The local with the next case.
    pub case_local: u32,
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

    pub(super) fn save(&mut self, reg: Reg, home: u32) {
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

    pub(super) fn load_slot(&mut self, reg: Reg, slot: u32) {
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
}

/// The results of a pure function.
pub(super) fn results(function: &Function, shape: Shape) -> Vec<ValType> {
    let mut results: Vec<ValType> = function.results.iter().map(|ty| val_type(*ty)).collect();
    if shape.fails {
        results.push(ValType::I32);
    }
    results
}
