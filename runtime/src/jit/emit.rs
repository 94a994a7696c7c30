//! Building one function: registers as values, slots behind definitions, memory, calls of entries.

use super::NATIVE_PLACE;
use super::entries::Entry;
use super::function::positions;
use super::loops::Loops;
use super::refills::refills;
use super::shape::machine_type;
use super::unit::Unit;
use super::values::Values;
use crate::ctx::Ctx;
use crate::frame::HEADER;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self as clif, BlockArg, FuncRef, InstBuilder, MemFlagsData, SigRef, StackSlot, StackSlotData,
    StackSlotKind, Type, Value, types,
};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::Module;
use scn_compiler::ir::{Block, BlockId, Function, Op, Reg, Signatures, Target, Ty};
use std::collections::{HashMap, HashSet};

/// A function in the making.
pub(super) struct Emit<'u, 'a, 'b> {
    pub unit: &'u mut Unit<'a>,
    pub b: FunctionBuilder<'b>,
    pub function: &'a Function,
    /// Index of the function.
    pub at: usize,
    /// The context.
    pub ctx: Value,
    /// The frame of a waiting function.
    pub frame: Option<Value>,
    /// How deep recursive functions are in each other, this one included.
    pub depth: Option<Value>,
    /// What registers hold.
    pub values: Values,
    /// The machine block of each block.
    pub blocks: Vec<clif::Block>,
    /// The loops, and what stays the same in them.
    pub loops: Loops,
    /// The position of the first instruction of each block.
    pub positions: Vec<u32>,
    /// The block that is being emitted.
    pub current: BlockId,
    /// The blocks that are emitted, or being so.
    pub begun: HashSet<BlockId>,
    entries: HashMap<Entry, FuncRef>,
    stubs: HashMap<Entry, FuncRef>,
    callees: HashMap<usize, FuncRef>,
    /// Registers that are constants.
    constants: HashMap<Reg, u64>,
    /// Registers that hold the same each time: constants and globals.
    fixed: HashSet<Reg>,
    /// Whether little code matters more than quick code: on error paths, and where requests take longer than counts.
    pub is_lean: bool,
    /// The signature of host functions.
    pub host_signature: Option<SigRef>,
    /// Positions of stores into slots whose content was taken out before.
    refills: HashSet<u32>,
    /// The reporting site that the next host call names itself.
    pub named_site: Option<u32>,
    /// Where arguments lie that are passed in memory, and for how many there is room.
    scratch: Option<(StackSlot, usize)>,
    /// The place of what is being emitted.
    place: u64,
}

/// Flags of accesses that never trap and are aligned.
pub(super) fn trusted() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl<'u, 'a, 'b> Emit<'u, 'a, 'b> {
    pub(super) fn new(
        unit: &'u mut Unit<'a>,
        at: usize,
        mut b: FunctionBuilder<'b>,
    ) -> Emit<'u, 'a, 'b> {
        let function = &unit.linked.program.functions[at];
        let linked = unit.linked;
        let is_recursive = |at: usize| linked.program.functions[at].recursive;
        let loops = Loops::of(function);
        let values = Values::of(function, &is_recursive, &loops);
        let blocks = machine_blocks(function, &values, &mut b);
        let constant = |inst: &scn_compiler::ir::Inst| match inst.op {
            Op::Int(int) => Some((inst.results[0], int.cast_unsigned())),
            Op::Float(bits) => Some((inst.results[0], bits)),
            Op::Null => Some((inst.results[0], 0)),
            Op::Const(id) => Some((inst.results[0], linked.constant(id.index()))),
            _ => None,
        };
        let insts = function.blocks.iter().flat_map(|block| &block.insts);
        let constants = insts.clone().filter_map(constant).collect();
        let fixed = insts.filter(|inst| is_fixed(&inst.op));
        let fixed = fixed
            .flat_map(|inst| inst.results.iter().copied())
            .collect();
        Emit {
            unit,
            b,
            function,
            at,
            ctx: Value::from_u32(0),
            frame: None,
            depth: None,
            values,
            blocks,
            loops,
            positions: positions(function).collect(),
            current: BlockId(0),
            begun: HashSet::new(),
            entries: HashMap::new(),
            stubs: HashMap::new(),
            callees: HashMap::new(),
            constants,
            fixed,
            is_lean: function.waits,
            host_signature: None,
            refills: refills(function),
            named_site: None,
            scratch: None,
            place: 0,
        }
    }

    /// What is emitted from now on stands at this position of the function.
    pub(super) fn stand_at(&mut self, position: u32) {
        self.place = u64::from(NATIVE_PLACE | position) << 32 | self.at as u64;
    }

    /// Whether what stands here stores into a slot that holds null.
    pub(super) fn is_refill(&self) -> bool {
        let position = (self.place >> 32) as u32 & !NATIVE_PLACE;
        self.refills.contains(&position)
    }

    /// The place, as entries take it.
    pub(super) fn place(&mut self) -> Value {
        self.int(self.place as i64)
    }

    pub(super) fn int(&mut self, int: i64) -> Value {
        self.b.ins().iconst(types::I64, int)
    }

    /// The int that a register always holds.
    pub(super) fn known_int(&self, reg: Reg) -> Option<i64> {
        let is_int = self.class(reg) == Ty::Int;
        is_int.then(|| self.known_bits(reg).map(u64::cast_signed))?
    }

    /// The bits that a register always holds.
    pub(super) fn known_bits(&self, reg: Reg) -> Option<u64> {
        self.constants.get(&reg).copied()
    }

    /// Whether a register holds the same each time.
    pub(super) fn is_fixed(&self, reg: Reg) -> bool {
        self.fixed.contains(&reg)
    }

    pub(super) fn class(&self, reg: Reg) -> Ty {
        self.function.regs[reg.index()]
    }

    pub(super) fn is_pointer(&self, reg: Reg) -> bool {
        self.class(reg) == Ty::Ptr
    }

    /// The value of a register.
    pub(super) fn get(&mut self, reg: Reg) -> Value {
        self.values.get(reg)
    }

    /// The value of a register as the bits of a slot.
    pub(super) fn bits(&mut self, reg: Reg) -> Value {
        let value = self.get(reg);
        match self.class(reg) {
            Ty::Float => self.b.ins().bitcast(types::I64, MemFlagsData::new(), value),
            Ty::Int | Ty::Ptr => value,
        }
    }

    /// Defines a register: its value, and its slot if it lives across a wait.
    pub(super) fn define(&mut self, reg: Reg, value: Value) {
        self.assume(reg, value);
        self.save(reg, value);
    }

    /// Defines a register by the bits of a slot.
    pub(super) fn define_bits(&mut self, reg: Reg, bits: Value) {
        let value = match self.class(reg) {
            Ty::Float => self.b.ins().bitcast(types::F64, MemFlagsData::new(), bits),
            Ty::Int | Ty::Ptr => bits,
        };
        self.define(reg, value);
    }

    /// Gives a register a value that its slot has already.
    pub(super) fn assume(&mut self, reg: Reg, value: Value) {
        self.values.set(reg, value);
    }

    /// The slot of a register of a waiting function.
    pub(super) fn slot(&self, reg: Reg) -> Option<u32> {
        let frame = self.function.frame.as_ref()?;
        frame.slot.get(reg.index()).copied().flatten()
    }

    fn save(&mut self, reg: Reg, value: Value) {
        if let (Some(frame), Some(slot)) = (self.frame, self.slot(reg)) {
            self.store(value, frame, slot_offset(slot));
        }
    }

    /// Reads a register back from its slot.
    pub(super) fn reload(&mut self, reg: Reg) {
        let (Some(frame), Some(slot)) = (self.frame, self.slot(reg)) else {
            return;
        };
        let ty = machine_type(self.class(reg));
        let value = self.load(ty, frame, slot_offset(slot));
        self.assume(reg, value);
    }

    pub(super) fn load(&mut self, ty: Type, from: Value, offset: i32) -> Value {
        self.b.ins().load(ty, trusted(), from, offset)
    }

    pub(super) fn store(&mut self, value: Value, to: Value, offset: i32) {
        self.b.ins().store(trusted(), value, to, offset);
    }

    /// An unsigned 32-bit field.
    pub(super) fn load_u32(&mut self, from: Value, offset: usize) -> Value {
        self.b.ins().uload32(trusted(), from, offset as i32)
    }

    /// Goes to a block with its arguments, and with what else it is handed.
    pub(super) fn go(&mut self, target: &Target) {
        let looked_at = self.enter_loop(target.block);
        let carried = self.values.carried(target.block).iter();
        let value = |reg: &Reg| looked_at.get(reg).copied();
        let value = |reg: &Reg| value(reg).unwrap_or_else(|| self.values.get(*reg));
        let args = target.args.iter().chain(carried);
        let args: Vec<BlockArg> = args.map(|reg| value(reg).into()).collect();
        let block = self.blocks[target.block.index()];
        self.b.ins().jump(block, &args);
    }

    /// Goes on in a block: its parameters, and what else it is handed.
    pub(super) fn enter_block(&mut self, id: BlockId) {
        let block = self.blocks[id.index()];
        self.b.switch_to_block(block);
        self.current = id;
        self.values.enter(id);
        let handed = self.b.block_params(block).to_vec();
        let params = &self.function.blocks[id.index()].params;
        for (param, value) in params.iter().zip(&handed) {
            self.define(*param, *value);
        }
        let carried = self.values.carried(id).to_vec();
        for (reg, value) in carried.into_iter().zip(&handed[params.len()..]) {
            self.assume(reg, *value);
        }
    }

    /// The machine block to go to for a target: the block itself, or one that moves arguments first.
    pub(super) fn edge(&mut self, target: &Target) -> clif::Block {
        if target.args.is_empty() && !self.enters_loop(target) {
            return self.blocks[target.block.index()];
        }
        self.new_edge(target)
    }

    /// As [`Emit::edge`], for a branch that hands nothing over.
    pub(super) fn plain_edge(&mut self, target: &Target) -> clif::Block {
        match self.values.carried(target.block).is_empty() {
            true => self.edge(target),
            false => self.new_edge(target),
        }
    }

    fn new_edge(&mut self, target: &Target) -> clif::Block {
        let block = self.b.create_block();
        if self.function.blocks[target.block.index()].cold {
            self.b.set_cold_block(block);
        }
        block
    }

    /// What a branch hands to a block that [`Emit::edge`] gave.
    pub(super) fn handed(&self, edge: clif::Block, target: &Target) -> Vec<BlockArg> {
        let carried = self.values.carried(target.block).iter();
        let is_target = edge == self.blocks[target.block.index()];
        let carried = carried.filter(|_| is_target);
        carried.map(|reg| self.values.get(*reg).into()).collect()
    }

    /// Fills a block that [`Emit::edge`] made.
    pub(super) fn fill_edge(&mut self, block: clif::Block, target: &Target) {
        if block != self.blocks[target.block.index()] {
            self.b.switch_to_block(block);
            self.go(target);
        }
    }

    /// A block that is rarely reached.
    pub(super) fn cold_block(&mut self) -> clif::Block {
        let block = self.b.create_block();
        self.b.set_cold_block(block);
        block
    }

    /// Goes to `there` if the flag is set, else on in a new block.
    pub(super) fn leave_if(&mut self, flag: Value, there: clif::Block) {
        let on = self.b.create_block();
        self.b.ins().brif(flag, there, &[], on, &[]);
        self.b.switch_to_block(on);
    }

    /// Calls an entry of the runtime.
    pub(super) fn call_entry(&mut self, entry: Entry, args: &[Value]) -> Option<Value> {
        let id = self.unit.entries[&entry];
        let (module, func) = (&mut self.unit.module, &mut *self.b.func);
        let function = *self
            .entries
            .entry(entry)
            .or_insert_with(|| module.declare_func_in_func(id, func));
        let call = self.b.ins().call(function, args);
        self.b.inst_results(call).first().copied()
    }

    /// Calls an entry that gives something.
    pub(super) fn ask(&mut self, entry: Entry, args: &[Value]) -> Value {
        self.call_entry(entry, args)
            .expect("the table says that this entry has a result")
    }

    /// Calls an entry on a way that is rarely taken, so that values may stay in registers where it is not.
    pub(super) fn call_rarely(&mut self, entry: Entry, args: &[Value]) {
        let (unit, func) = (&mut *self.unit, &mut *self.b.func);
        let function = *self.stubs.entry(entry).or_insert_with(|| {
            let id = unit.stub(entry);
            unit.module.declare_func_in_func(id, func)
        });
        self.b.ins().call(function, args);
    }

    /// As [`Emit::call_rarely`], of an entry that gives something.
    pub(super) fn ask_rarely(&mut self, entry: Entry, args: &[Value]) -> Value {
        self.call_rarely(entry, args);
        self.load(types::I64, self.ctx, Ctx::ANSWER as i32)
    }

    /// The machine function of a function.
    pub(super) fn callee(&mut self, at: usize) -> FuncRef {
        let id = self.unit.functions[at];
        let (module, func) = (&mut self.unit.module, &mut *self.b.func);
        *self
            .callees
            .entry(at)
            .or_insert_with(|| module.declare_func_in_func(id, func))
    }

    /// Words on the machine stack, until the next call.
    pub(super) fn scratch(&mut self, words: usize) -> Value {
        let (slot, room) = *self.scratch.get_or_insert_with(|| {
            let room = scratch_words(self.function);
            let data = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * room as u32, 3);
            (self.b.create_sized_stack_slot(data), room)
        });
        debug_assert!(words <= room);
        self.b.ins().stack_addr(types::I64, slot, 0)
    }

    /// Writes registers to the machine stack, in a row.
    pub(super) fn spill(&mut self, regs: &[Reg]) -> Value {
        let place = self.scratch(regs.len());
        for (at, reg) in regs.iter().enumerate() {
            let value = self.get(*reg);
            self.store(value, place, 8 * at as i32);
        }
        place
    }

    /// Whether an error is in the context.
    pub(super) fn has_err(&mut self) -> Value {
        let err = self.load(types::I64, self.ctx, Ctx::ERR as i32);
        self.b.ins().icmp_imm_s(IntCC::NotEqual, err, 0)
    }

    /// A bool as a register holds it.
    pub(super) fn flag(&mut self, condition: Value) -> Value {
        self.b.ins().uextend(types::I64, condition)
    }
}

/// Where a slot is in a frame.
pub(super) fn slot_offset(slot: u32) -> i32 {
    (HEADER + 8 * slot as usize) as i32
}

/// The machine blocks of a function, with their parameters.
fn machine_blocks(
    function: &Function,
    values: &Values,
    b: &mut FunctionBuilder<'_>,
) -> Vec<clif::Block> {
    let mut blocks = Vec::with_capacity(function.blocks.len());
    for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
        let made = b.create_block();
        for reg in block.params.iter().chain(values.carried(at)) {
            // Registers behind those of the function are lengths and places.
            let class = function.regs.get(reg.index()).copied();
            b.append_block_param(made, machine_type(class.unwrap_or(Ty::Int)));
        }
        blocks.push(made);
    }
    blocks
}

/// Whether an operation gives the same each time, to all users.
fn is_fixed(op: &Op) -> bool {
    matches!(
        op,
        Op::Int(_) | Op::Float(_) | Op::Const(_) | Op::Null | Op::Global(_)
    )
}

/// The most words that one operation of a function passes in memory.
fn scratch_words(function: &Function) -> usize {
    let sigs = Signatures::default();
    let of_inst = |op: &Op| {
        let mut words = 0;
        op.each_reg(&sigs, &mut |_, _| words += 1);
        words
    };
    let of_end = |block: &Block| {
        let mut words = 0;
        block.term.each_reg(&sigs, &mut |_, _| words += 1);
        words
    };
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let ends = function.blocks.iter().map(of_end);
    let all = insts.map(|inst| of_inst(&inst.op)).chain(ends);
    all.max().unwrap_or(0).max(1)
}
