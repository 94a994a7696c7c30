//! Objects: reference counts, fields, elements. Short ways are inline; making, freeing and copying are entries.

use super::emit::Emit;
use super::entries::Entry;
use super::shape::machine_type;
use crate::object::layout;
use crate::value::Header;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};
use scn_compiler::ir::{FormatPart, Inst, Op, Reg};
use std::mem::offset_of;

/// Where the count is in an object.
const COUNT: i32 = offset_of!(Header, rc) as i32;
/// Where the bytes of a text begin.
const BYTES: i32 = size_of::<layout::Text>() as i32;

/// Where an inline slot is in an object.
fn field(at: u32) -> i32 {
    (size_of::<Header>() + 8 * at as usize) as i32
}

impl<'a> Emit<'_, 'a, '_> {
    /// Emits an instruction about objects; false if it is none.
    pub(super) fn object(&mut self, inst: &'a Inst) -> bool {
        match self.object_value(inst) {
            Found::Bits(bits) => self.define_bits(inst.results[0], bits),
            Found::Nothing => {}
            Found::Other => return false,
        }
        true
    }

    fn object_value(&mut self, inst: &'a Inst) -> Found {
        let bits = match &inst.op {
            Op::Const(id) => self.int(self.unit.linked.constant(id.index()) as i64),
            Op::Null => self.int(0),
            Op::Global(id) => {
                let place = self.unit.linked.global_place(id.0);
                let place = self.int(place as i64);
                self.load(types::I64, place, 0)
            }
            Op::IsNull(a) => {
                let value = self.get(*a);
                let null = self.b.ins().icmp_imm_s(IntCC::Equal, value, 0);
                self.flag(null)
            }
            Op::OptFlag(a) => {
                let value = self.get(*a);
                let some = self.b.ins().icmp_imm_s(IntCC::NotEqual, value, 0);
                self.flag(some)
            }
            Op::OptPayload(a) => self.payload(*a),
            Op::OptBox(desc, flag, payload) => self.optional_box(desc.0, *flag, *payload),
            Op::Box(desc, payload) => {
                let (desc, payload) = (self.int(desc.0.into()), self.bits(*payload));
                self.ask(Entry::Boxed, &[self.ctx, desc, payload])
            }
            Op::New(desc, regs) => self.record(desc.0, regs),
            Op::NewList(desc, regs) => self.new_list(desc.0, regs),
            Op::NewMap(desc, regs) => self.new_map(desc.0, regs),
            Op::Load(object, at) => {
                let object = self.get(*object);
                return self.read(inst.results[0], object, field(*at));
            }
            Op::Take(object, at) => {
                let object = self.get(*object);
                let taken = self.load(types::I64, object, field(*at));
                let null = self.int(0);
                self.store(null, object, field(*at));
                taken
            }
            Op::Unique(a) => {
                let value = self.get(*a);
                self.unique(value)
            }
            Op::ListLen(a) => self.list_len(*a),
            Op::BytesLen(a) => {
                let text = self.get(*a);
                self.load(types::I64, text, offset_of!(layout::Text, len) as i32)
            }
            Op::ListAt(list, at) => {
                let at = self.get(*at);
                let place = self.element_of(*list, at);
                return self.read(inst.results[0], place, 0);
            }
            Op::ListTake(list, at) => {
                let at = self.get(*at);
                let place = self.element_of(*list, at);
                let taken = self.load(types::I64, place, 0);
                let null = self.int(0);
                self.store(null, place, 0);
                taken
            }
            Op::MapLen(a) => {
                let map = self.get(*a);
                self.load_u32(map, offset_of!(layout::Map, len))
            }
            Op::MapKeyAt(map, at) => self.entry_part(*map, *at, offset_of!(layout::Entry, key)),
            Op::MapValueAt(map, at) => self.entry_part(*map, *at, offset_of!(layout::Entry, value)),
            Op::MapInsert(map, key, value) => {
                let args = [self.ctx, self.get(*map), self.bits(*key), self.bits(*value)];
                self.ask(Entry::MapInsert, &args)
            }
            Op::ListPush(list, value) => self.push_element(*list, *value),
            Op::Equal(a, b) => {
                let args = [self.ctx, self.get(*a), self.get(*b)];
                self.ask(Entry::Equal, &args)
            }
            Op::Format(parts) => self.format(parts),
            Op::CellLoad(cell) => {
                let cell = self.int((*cell).into());
                self.ask(Entry::CellLoad, &[self.ctx, cell])
            }
            Op::CellTake(cell) => {
                let (cell, null) = (self.int((*cell).into()), self.int(0));
                self.ask(Entry::CellSwap, &[self.ctx, cell, null])
            }
            Op::Retain(a) => {
                let value = self.get(*a);
                self.retain(value);
                value
            }
            Op::ErrTake => self.ask(Entry::ErrTake, &[self.ctx]),
            Op::ErrIsCancel => self.ask(Entry::ErrIsCancel, &[self.ctx]),
            other => return self.change(other, &inst.results),
        };
        Found::Bits(bits)
    }

    /// Instructions that give nothing, or two results.
    fn change(&mut self, op: &Op, results: &[Reg]) -> Found {
        match op {
            Op::Store(object, at, value) => {
                let (object, new) = (self.get(*object), self.get(*value));
                let may_hold = self.is_pointer(*value) && !self.is_refill();
                self.replace(object, field(*at), new, may_hold);
            }
            Op::ListPut(list, at, value) => {
                let (at, new) = (self.get(*at), self.get(*value));
                let place = self.element_of(*list, at);
                let may_hold = self.is_pointer(*value) && !self.is_refill();
                self.replace(place, 0, new, may_hold);
            }
            Op::MapGet(map, key) => self.look_up(Entry::MapGet, *map, *key, results),
            Op::MapTake(map, key) => self.look_up(Entry::MapTake, *map, *key, results),
            Op::CellStore(cell, value) => {
                let (cell, bits) = (self.int((*cell).into()), self.bits(*value));
                let before = self.ask(Entry::CellSwap, &[self.ctx, cell, bits]);
                if self.is_pointer(*value) {
                    self.release(before);
                }
            }
            Op::Drop(a) => {
                let value = self.get(*a);
                self.release(value);
            }
            Op::Keep(_) => {}
            Op::ErrSet(a) => {
                let value = self.get(*a);
                self.call_entry(Entry::ErrSet, &[self.ctx, value]);
            }
            Op::ErrTrace => {
                let place = self.place();
                self.call_entry(Entry::ErrTrace, &[self.ctx, place]);
            }
            _ => return Found::Other,
        }
        Found::Nothing
    }

    /// The bits in a box, 0 for null.
    fn payload(&mut self, a: Reg) -> Value {
        let value = self.get(a);
        let (there, join) = (self.b.create_block(), self.b.create_block());
        let payload = self.b.append_block_param(join, types::I64);
        let zero = self.int(0);
        self.b.ins().brif(value, there, &[], join, &[zero.into()]);
        self.b.switch_to_block(there);
        let bits = self.load(types::I64, value, field(0));
        self.b.ins().jump(join, &[bits.into()]);
        self.b.switch_to_block(join);
        payload
    }

    fn optional_box(&mut self, desc: u32, flag: Reg, payload: Reg) -> Value {
        let (flag, payload) = (self.get(flag), self.bits(payload));
        let (some, join) = (self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(join, types::I64);
        let null = self.int(0);
        self.b.ins().brif(flag, some, &[], join, &[null.into()]);
        self.b.switch_to_block(some);
        let desc = self.int(desc.into());
        let boxed = self.ask(Entry::Boxed, &[self.ctx, desc, payload]);
        self.b.ins().jump(join, &[boxed.into()]);
        self.b.switch_to_block(join);
        result
    }

    fn record(&mut self, desc: u32, regs: &[Reg]) -> Value {
        let (desc, count) = (self.int(desc.into()), self.int(regs.len() as i64));
        let object = self.ask(Entry::Slots, &[self.ctx, desc, count]);
        for (at, reg) in (0u32..).zip(regs) {
            let value = self.get(*reg);
            self.store(value, object, field(at));
        }
        object
    }

    fn new_list(&mut self, desc: u32, regs: &[Reg]) -> Value {
        let (desc, count) = (self.int(desc.into()), self.int(regs.len() as i64));
        let list = self.ask(Entry::List, &[self.ctx, desc, count]);
        if regs.is_empty() {
            return list;
        }
        let buffer = self.load(types::I64, list, offset_of!(layout::List, buffer) as i32);
        for (at, reg) in regs.iter().enumerate() {
            let value = self.get(*reg);
            self.store(value, buffer, 8 * at as i32);
        }
        let len = self.b.ins().iconst(types::I32, regs.len() as i64);
        self.store(len, list, offset_of!(layout::List, len) as i32);
        list
    }

    fn new_map(&mut self, desc: u32, regs: &[Reg]) -> Value {
        let desc = self.int(desc.into());
        let mut map = self.ask(Entry::Map, &[self.ctx, desc]);
        for pair in regs.chunks_exact(2) {
            let args = [self.ctx, map, self.bits(pair[0]), self.bits(pair[1])];
            map = self.ask(Entry::MapInsert, &args);
        }
        map
    }

    /// Adds a reference, unless the pointer is null or the object immortal.
    pub(super) fn retain(&mut self, object: Value) {
        let (there, mortal, on) = self.count_blocks();
        self.b.ins().brif(object, there, &[], on, &[]);
        self.b.switch_to_block(there);
        let count = self.load(types::I32, object, COUNT);
        let immortal = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.b.ins().brif(immortal, on, &[], mortal, &[]);
        self.b.switch_to_block(mortal);
        let more = self.b.ins().iadd_imm_s(count, 1);
        self.store(more, object, COUNT);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    /// Gives a reference up, and frees the object with the last one.
    pub(super) fn release(&mut self, object: Value) {
        if self.is_lean {
            self.call_entry(Entry::Release, &[self.ctx, object]);
            return;
        }
        let (there, mortal, on) = self.count_blocks();
        let last = self.cold_block();
        self.b.ins().brif(object, there, &[], on, &[]);
        self.b.switch_to_block(there);
        let count = self.load(types::I32, object, COUNT);
        let immortal = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, count, 0);
        self.b.ins().brif(immortal, on, &[], mortal, &[]);
        self.b.switch_to_block(mortal);
        let less = self.b.ins().iadd_imm_s(count, -1);
        self.store(less, object, COUNT);
        self.b.ins().brif(less, on, &[], last, &[]);
        self.b.switch_to_block(last);
        self.call_rarely(Entry::Free, &[self.ctx, object]);
        self.b.ins().jump(on, &[]);
        self.b.switch_to_block(on);
    }

    fn count_blocks(&mut self) -> (Block, Block, Block) {
        (
            self.b.create_block(),
            self.b.create_block(),
            self.b.create_block(),
        )
    }

    /// The object itself if it has one reference, else a copy.
    pub(super) fn unique(&mut self, object: Value) -> Value {
        let (shared, on) = (self.cold_block(), self.b.create_block());
        let unique = self.b.append_block_param(on, types::I64);
        let count = self.load(types::I32, object, COUNT);
        let one = self.b.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.b.ins().brif(one, on, &[object.into()], shared, &[]);
        self.b.switch_to_block(shared);
        let copy = self.ask_rarely(Entry::Unique, &[self.ctx, object]);
        self.b.ins().jump(on, &[copy.into()]);
        self.b.switch_to_block(on);
        unique
    }

    /// Where an element of a list is.
    pub(super) fn element(&mut self, list: Value, at: Value) -> Value {
        let buffer = self.load(types::I64, list, offset_of!(layout::List, buffer) as i32);
        let offset = self.b.ins().ishl_imm_u(at, 3);
        self.b.ins().iadd(buffer, offset)
    }

    /// The number of bytes, and whether an index is outside.
    pub(super) fn is_outside_text(&mut self, text: Value, at: Value) -> (Value, Value) {
        let len = self.load(types::I64, text, offset_of!(layout::Text, len) as i32);
        let condition = IntCC::UnsignedGreaterThanOrEqual;
        (len, self.b.ins().icmp(condition, at, len))
    }

    /// A byte of a text at an index that is inside.
    pub(super) fn byte(&mut self, text: Value, at: Value) -> Value {
        let place = self.b.ins().iadd(text, at);
        self.b
            .ins()
            .uload8(types::I64, super::emit::trusted(), place, BYTES)
    }

    /// Writes a slot and gives up what was there, if that may be an object.
    pub(super) fn replace(&mut self, place: Value, offset: i32, new: Value, may_hold: bool) {
        if !may_hold {
            self.store(new, place, offset);
            return;
        }
        let before = self.load(types::I64, place, offset);
        self.store(new, place, offset);
        self.release(before);
    }

    /// Reads a slot into a register of its class.
    pub(super) fn read(&mut self, reg: Reg, place: Value, offset: i32) -> Found {
        let value = self.load(machine_type(self.class(reg)), place, offset);
        self.define(reg, value);
        Found::Nothing
    }

    fn entry_part(&mut self, map: Reg, at: Reg, part: usize) -> Value {
        let (map, at) = (self.get(map), self.get(at));
        let entries = self.load(types::I64, map, offset_of!(layout::Map, buffer) as i32);
        let offset = self.b.ins().ishl_imm_u(at, 4);
        let entry = self.b.ins().iadd(entries, offset);
        self.load(types::I64, entry, part as i32)
    }

    fn look_up(&mut self, entry: Entry, map: Reg, key: Reg, results: &[Reg]) {
        let out = self.scratch(1);
        let args = [self.ctx, self.get(map), self.bits(key), out];
        let found = self.ask(entry, &args);
        let value = self.load(types::I64, out, 0);
        self.define(results[0], found);
        self.define_bits(results[1], value);
    }

    /// Appends: inline where the list is unique and has room.
    fn push_element(&mut self, list: Reg, value: Reg) -> Value {
        let (list, bits) = (self.get(list), self.bits(value));
        let (roomy, short, slow) = (
            self.b.create_block(),
            self.b.create_block(),
            self.cold_block(),
        );
        let on = self.b.create_block();
        let result = self.b.append_block_param(on, types::I64);
        let count = self.load(types::I32, list, COUNT);
        let one = self.b.ins().icmp_imm_s(IntCC::Equal, count, 1);
        self.b.ins().brif(one, roomy, &[], slow, &[]);
        self.b.switch_to_block(roomy);
        let len = self.load_u32(list, offset_of!(layout::List, len));
        let cap = self.load_u32(list, offset_of!(layout::List, cap));
        let room = self.b.ins().icmp(IntCC::UnsignedLessThan, len, cap);
        self.b.ins().brif(room, short, &[], slow, &[]);
        self.b.switch_to_block(short);
        let place = self.element(list, len);
        self.store(bits, place, 0);
        let more = self.b.ins().iadd_imm_s(len, 1);
        self.b.ins().istore32(
            super::emit::trusted(),
            more,
            list,
            offset_of!(layout::List, len) as i32,
        );
        self.b.ins().jump(on, &[list.into()]);
        self.b.switch_to_block(slow);
        let pushed = self.ask_rarely(Entry::ListPush, &[self.ctx, list, bits]);
        self.b.ins().jump(on, &[pushed.into()]);
        self.b.switch_to_block(on);
        result
    }

    fn format(&mut self, parts: &'a [FormatPart]) -> Value {
        let read = |part: &FormatPart| match part {
            FormatPart::Text(_) => None,
            FormatPart::Scalar(_, reg) | FormatPart::Object(reg) => Some(*reg),
        };
        let regs: Vec<Reg> = parts.iter().filter_map(read).collect();
        match regs.iter().all(|reg| self.is_fixed(*reg)) {
            true => self.text_once(parts, &regs),
            false => self.text(parts, &regs, Entry::Format, &[]),
        }
    }

    fn text(&mut self, parts: &[FormatPart], regs: &[Reg], entry: Entry, more: &[Value]) -> Value {
        let values = self.spill(regs);
        // The program, and with it the parts, lives as long as its code.
        let (at, count) = (
            self.int(parts.as_ptr() as i64),
            self.int(parts.len() as i64),
        );
        let args = [&[self.ctx, at, count, values], more].concat();
        self.ask(entry, &args)
    }

    /// A text that is the same each time is made by whoever needs it first.
    fn text_once(&mut self, parts: &[FormatPart], regs: &[Reg]) -> Value {
        let place = self.unit.new_text();
        let place = self.int(place as i64);
        let (first, on) = (self.cold_block(), self.b.create_block());
        let text = self.b.append_block_param(on, types::I64);
        let known = self.load(types::I64, place, 0);
        self.b.ins().brif(known, on, &[known.into()], first, &[]);
        self.b.switch_to_block(first);
        let made = self.text(parts, regs, Entry::FormatOnce, &[place]);
        self.b.ins().jump(on, &[made.into()]);
        self.b.switch_to_block(on);
        text
    }
}

/// What an instruction about objects gives.
pub(super) enum Found {
    /// One result, as the bits of a slot.
    Bits(Value),
    /// Nothing, or what is defined already.
    Nothing,
    /// It is not about objects.
    Other,
}
