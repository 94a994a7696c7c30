//! Instructions that cannot fail: arithmetic, objects, counts. Enter at [`Emit::inst`].

use super::data::Side;
use super::emit::{Emit, at, global};
use crate::ir::{
    Block, Cmp, DescId, FloatBin, FloatUn, FormatPart, Inst, IntBin, Op, Reg, Scalar, Terminator,
    Ty,
};
use wasm_encoder::{BlockType, Instruction as I, ValType};

/// Where the length of lists and maps is, and where their buffers are.
pub(super) const COUNT: u64 = 8;
/// The buffer of a list or map.
pub(super) const BUFFER: u64 = 16;
/// The scope that a cancellation is aimed at, in an error.
const SCOPE: u64 = 48;

/// The word with the site of the next host call.
const SITE: u32 = 32;
/// The word with the address of the running user's cells.
const CELLS: u32 = 67;

impl Emit<'_, '_> {
    /// Whether an instruction is the condition of the branch right behind it and of nothing else.
    pub(super) fn is_condition_of(&self, block: &Block, inst: &Inst) -> bool {
        let Terminator::Branch { cond, .. } = &block.term else {
            return false;
        };
        let is_test = matches!(
            inst.op,
            Op::IntCmp(..) | Op::FloatCmp(..) | Op::Not(_) | Op::IsNull(_)
        );
        is_test && inst.results.first() == Some(cond) && self.use_count(*cond) == 1
    }

    /// Pushes the condition of a branch as an `i32`.
    pub(super) fn condition(&mut self, node: usize, cond: Reg) {
        let function = self.function;
        let block = &function.blocks[node];
        match block.insts.last() {
            Some(last) if self.is_condition_of(block, last) => self.test(&last.op),
            _ => self.get_address(cond),
        }
    }

    /// Pushes a test as an `i32`.
    fn test(&mut self, op: &Op) {
        match op {
            Op::IntCmp(cmp, a, b) => {
                self.get(*a);
                if self.known_int(*b) == Some(0) && *cmp == Cmp::Eq {
                    return self.i(I::I64Eqz);
                }
                self.get(*b);
                self.i(match cmp {
                    Cmp::Eq => I::I64Eq,
                    Cmp::Ne => I::I64Ne,
                    Cmp::Lt => I::I64LtS,
                    Cmp::Le => I::I64LeS,
                    Cmp::Gt => I::I64GtS,
                    Cmp::Ge => I::I64GeS,
                });
            }
            Op::FloatCmp(cmp, a, b) => {
                self.get(*a);
                self.get(*b);
                self.i(match cmp {
                    Cmp::Eq => I::F64Eq,
                    Cmp::Ne => I::F64Ne,
                    Cmp::Lt => I::F64Lt,
                    Cmp::Le => I::F64Le,
                    Cmp::Gt => I::F64Gt,
                    Cmp::Ge => I::F64Ge,
                });
            }
            Op::Not(a) | Op::IsNull(a) => {
                self.get(*a);
                self.i(I::I64Eqz);
            }
            other => unreachable!("{other:?} is no test"),
        }
    }

    /// Writes an instruction.
    pub(super) fn inst(&mut self, inst: &Inst) {
        let results = &inst.results;
        match &inst.op {
            Op::Int(_) | Op::Float(_) | Op::Null | Op::Const(_) | Op::Keep(_) => {}
            Op::IntCmp(..) | Op::FloatCmp(..) | Op::Not(_) | Op::IsNull(_) => {
                self.test(&inst.op);
                self.i(I::I64ExtendI32U);
                self.set(results[0]);
            }
            Op::IntBin(op, a, b) => {
                self.get(*a);
                self.get(*b);
                self.i(int_bin(*op));
                self.set(results[0]);
            }
            Op::FloatBin(FloatBin::Rem, a, b) => {
                self.get(*a);
                self.get(*b);
                self.call("maths.remainder");
                self.set(results[0]);
            }
            Op::FloatBin(op, a, b) => {
                self.get(*a);
                self.get(*b);
                self.i(match op {
                    FloatBin::Add => I::F64Add,
                    FloatBin::Sub => I::F64Sub,
                    FloatBin::Mul => I::F64Mul,
                    FloatBin::Div | FloatBin::Rem => I::F64Div,
                });
                self.set(results[0]);
            }
            Op::FloatNeg(a) => self.float_un(I::F64Neg, *a, results[0]),
            Op::FloatUn(op, a) => {
                let op = match op {
                    FloatUn::Abs => I::F64Abs,
                    FloatUn::Ceil => I::F64Ceil,
                    FloatUn::Floor => I::F64Floor,
                    FloatUn::Sqrt => I::F64Sqrt,
                    FloatUn::Trunc => I::F64Trunc,
                };
                self.float_un(op, *a, results[0]);
            }
            Op::ToFloat(a) => self.float_un(I::F64ConvertI64S, *a, results[0]),
            Op::Select(cond, a, b) => {
                self.get(*a);
                self.get(*b);
                self.get_address(*cond);
                self.i(I::Select);
                self.set(results[0]);
            }
            Op::Global(id) => {
                let place = self.unit.globals + 8 * id.0;
                self.i(I::I32Const(place as i32));
                self.i(I::I64Load(at(0, 3)));
                self.set_bits(results[0]);
            }
            Op::ErrTake | Op::ErrSet(_) | Op::ErrIsCancel | Op::ErrTrace | Op::Site(_) => {
                self.error(&inst.op, results);
            }
            Op::Call(callee, args) => self.call_plain(*callee, args, results),
            Op::Host(native, args) => self.host_plain(*native, args, results),
            Op::Spawn(callee, args) => {
                let frame = self.new_frame(*callee, args);
                self.i(I::LocalGet(frame));
                self.i(I::I64ExtendI32U);
                self.call("driver.spawn");
            }
            _ => self.object(inst),
        }
    }

    fn float_un(&mut self, op: I<'static>, a: Reg, result: Reg) {
        self.get(a);
        self.i(op);
        self.set(result);
    }

    fn error(&mut self, op: &Op, results: &[Reg]) {
        match op {
            Op::ErrTake => {
                self.i(I::GlobalGet(global::FAILURE));
                self.i(I::I64Const(0));
                self.i(I::GlobalSet(global::FAILURE));
                self.set(results[0]);
            }
            Op::ErrSet(a) => {
                self.get(*a);
                self.i(I::GlobalSet(global::FAILURE));
            }
            Op::ErrIsCancel => {
                self.i(I::GlobalGet(global::FAILURE));
                self.i(I::I32WrapI64);
                self.i(I::I64Load(at(SCOPE, 3)));
                self.i(I::I64Const(0));
                self.i(I::I64Ne);
                self.i(I::I64ExtendI32U);
                self.set(results[0]);
            }
            Op::ErrTrace => {
                let place = self.place();
                if place != 0 {
                    self.i(I::I64Const(place.into()));
                    self.call("faults.trace");
                }
            }
            Op::Site(site) => {
                let number = site.0.into();
                self.set_word(SITE, |emit| emit.i(I::I64Const(number)));
            }
            other => unreachable!("{other:?} is not about errors"),
        }
    }

    fn object(&mut self, inst: &Inst) {
        let results = &inst.results;
        match &inst.op {
            Op::OptFlag(a) => {
                self.get(*a);
                self.i(I::I64Const(0));
                self.i(I::I64Ne);
                self.i(I::I64ExtendI32U);
                self.set(results[0]);
            }
            Op::OptPayload(a) => self.payload(*a, results[0]),
            Op::OptBox(desc, flag, payload) => {
                self.get_address(*flag);
                self.i(I::If(BlockType::Result(ValType::I64)));
                self.boxed(*desc, *payload);
                self.i(I::Else);
                self.i(I::I64Const(0));
                self.i(I::End);
                self.set(results[0]);
            }
            Op::Box(desc, payload) => {
                self.boxed(*desc, *payload);
                self.set(results[0]);
            }
            Op::New(desc, slots) => self.new_object(*desc, slots, results[0]),
            Op::NewList(desc, elements) => self.new_list(*desc, elements, results[0]),
            Op::NewMap(desc, parts) => self.new_map(*desc, parts, results[0]),
            Op::Load(a, slot) => {
                self.get_address(*a);
                self.load(8 + 8 * u64::from(*slot), results[0]);
            }
            Op::Take(a, slot) => {
                self.get_address(*a);
                self.take_at(8 + 8 * u64::from(*slot), results[0]);
            }
            Op::Store(a, slot, value) => {
                self.get_address(*a);
                self.replace_at(8 + 8 * u64::from(*slot), *value);
            }
            Op::Unique(a) => self.unique(*a, results[0]),
            Op::ListLen(a) => {
                self.length(*a);
                self.set(results[0]);
            }
            Op::MapLen(a) => {
                self.get_address(*a);
                self.i(I::I64Load32U(at(COUNT, 2)));
                self.set(results[0]);
            }
            Op::BytesLen(a) => {
                self.get_address(*a);
                self.i(I::I64Load(at(8, 3)));
                self.set(results[0]);
            }
            Op::Equal(a, b) => {
                self.get(*a);
                self.get(*b);
                self.call("values.equal");
                self.set(results[0]);
            }
            Op::Format(parts) => self.format(parts, results[0]),
            Op::CellLoad(_) | Op::CellTake(_) | Op::CellStore(..) => self.cell(&inst.op, results),
            Op::Retain(a) => {
                self.get(*a);
                self.call("heap.retain");
                self.get(*a);
                self.set(results[0]);
            }
            Op::Drop(a) => {
                self.get(*a);
                self.call("heap.drop");
            }
            _ => self.container(inst),
        }
    }

    fn container(&mut self, inst: &Inst) {
        let results = &inst.results;
        match &inst.op {
            Op::ListAt(list, index) => {
                self.element(*list, *index, 8);
                self.load(0, results[0]);
            }
            Op::ListTake(list, index) => {
                self.element(*list, *index, 8);
                self.take_at(0, results[0]);
            }
            Op::ListPut(list, index, value) => {
                self.element(*list, *index, 8);
                self.replace_at(0, *value);
            }
            Op::ListPush(list, value) => {
                self.get(*list);
                self.get_bits(*value);
                self.call("lists.push");
                self.set(results[0]);
            }
            Op::MapKeyAt(map, index) => {
                self.element(*map, *index, 16);
                self.load(0, results[0]);
            }
            Op::MapValueAt(map, index) => {
                self.element(*map, *index, 16);
                self.load(8, results[0]);
            }
            Op::MapGet(map, key) => self.map_get(*map, *key, results, false),
            Op::MapTake(map, key) => self.map_get(*map, *key, results, true),
            Op::MapInsert(map, key, value) => {
                self.get(*map);
                self.get_bits(*key);
                self.get_bits(*value);
                self.call("maps.insert");
                self.set(results[0]);
            }
            other => unreachable!("{other:?} is written elsewhere"),
        }
    }

    /// Pushes the address of an element of a list or of an entry of a map.
    pub(super) fn element(&mut self, list: Reg, index: Reg, size: i32) {
        self.buffer(list);
        self.get_address(index);
        self.i(I::I32Const(size.trailing_zeros() as i32));
        self.i(I::I32Shl);
        self.i(I::I32Add);
    }

    /// Loads a register from behind the address on the stack.
    pub(super) fn load(&mut self, offset: u64, result: Reg) {
        self.i(match self.is_float(result) {
            true => I::F64Load(at(offset, 3)),
            false => I::I64Load(at(offset, 3)),
        });
        self.set(result);
    }

    /// Moves a pointer out from behind the address on the stack.
    pub(super) fn take_at(&mut self, offset: u64, result: Reg) {
        let address = self.new_local(ValType::I32);
        self.i(I::LocalTee(address));
        self.i(I::I64Load(at(offset, 3)));
        self.i(I::LocalGet(address));
        self.i(I::I64Const(0));
        self.i(I::I64Store(at(offset, 3)));
        self.set(result);
    }

    /// Puts a value behind the address on the stack; a pointer that was there is given up.
    pub(super) fn replace_at(&mut self, offset: u64, value: Reg) {
        if self.class(value) != Ty::Ptr {
            self.get(value);
            return self.i(match self.is_float(value) {
                true => I::F64Store(at(offset, 3)),
                false => I::I64Store(at(offset, 3)),
            });
        }
        let address = self.new_local(ValType::I32);
        self.i(I::LocalTee(address));
        self.i(I::I64Load(at(offset, 3)));
        self.i(I::LocalGet(address));
        self.get(value);
        self.i(I::I64Store(at(offset, 3)));
        self.give_up();
    }

    /// Gives up the object on the stack. An element that was taken out leaves nothing behind: loops that change elements
    /// need no call for that.
    fn give_up(&mut self) {
        if self.side == Side::Body {
            return self.call("heap.drop");
        }
        let object = self.new_local(ValType::I64);
        self.i(I::LocalTee(object));
        self.i(I::I32WrapI64);
        self.open_if();
        self.i(I::LocalGet(object));
        self.call("heap.drop");
        self.close();
    }

    /// The scalar in a box, or 0 if there is none.
    fn payload(&mut self, a: Reg, result: Reg) {
        let is_float = self.is_float(result);
        let ty = match is_float {
            true => ValType::F64,
            false => ValType::I64,
        };
        self.get_address(a);
        self.i(I::If(BlockType::Result(ty)));
        self.get_address(a);
        self.i(match is_float {
            true => I::F64Load(at(8, 3)),
            false => I::I64Load(at(8, 3)),
        });
        self.i(I::Else);
        self.i(match is_float {
            true => I::F64Const(0.0.into()),
            false => I::I64Const(0),
        });
        self.i(I::End);
        self.set(result);
    }

    fn desc(&mut self, desc: DescId) -> i64 {
        self.unit.data.desc(self.side, desc).into()
    }

    /// Pushes a new box.
    fn boxed(&mut self, desc: DescId, payload: Reg) {
        let object = self.new_local(ValType::I64);
        self.fresh(desc, 1, object);
        self.store_behind(object, 8, payload);
        self.i(I::LocalGet(object));
    }

    /// Makes an object of slots, its address in a local.
    fn fresh(&mut self, desc: DescId, slots: usize, object: u32) {
        let desc = self.desc(desc);
        self.i(I::I64Const(desc));
        self.i(I::I64Const(slots as i64));
        self.call("heap.object");
        self.i(I::LocalSet(object));
    }

    fn store_behind(&mut self, object: u32, offset: u64, value: Reg) {
        self.i(I::LocalGet(object));
        self.i(I::I32WrapI64);
        self.get(value);
        self.i(match self.is_float(value) {
            true => I::F64Store(at(offset, 3)),
            false => I::I64Store(at(offset, 3)),
        });
    }

    fn new_object(&mut self, desc: DescId, slots: &[Reg], result: Reg) {
        let object = self.new_local(ValType::I64);
        self.fresh(desc, slots.len(), object);
        for (slot, value) in slots.iter().enumerate() {
            self.store_behind(object, 8 + 8 * slot as u64, *value);
        }
        self.i(I::LocalGet(object));
        self.set(result);
    }

    fn new_list(&mut self, desc: DescId, elements: &[Reg], result: Reg) {
        let list = self.new_local(ValType::I64);
        let desc = self.desc(desc);
        self.i(I::I64Const(desc));
        self.i(I::I64Const(elements.len() as i64));
        self.call("lists.make");
        self.i(I::LocalSet(list));
        for (at_index, value) in elements.iter().enumerate() {
            self.i(I::LocalGet(list));
            self.i(I::I32WrapI64);
            self.i(I::I32Load(at(BUFFER, 2)));
            self.get(*value);
            let place = at(8 * at_index as u64, 3);
            self.i(match self.is_float(*value) {
                true => I::F64Store(place),
                false => I::I64Store(place),
            });
        }
        self.i(I::LocalGet(list));
        self.set(result);
    }

    fn new_map(&mut self, desc: DescId, parts: &[Reg], result: Reg) {
        let desc = self.desc(desc);
        self.i(I::I64Const(desc));
        self.i(I::I64Const(parts.len() as i64 / 2));
        self.call("maps.make");
        for pair in parts.chunks_exact(2) {
            self.get_bits(pair[0]);
            self.get_bits(pair[1]);
            self.call("maps.insert");
        }
        self.set(result);
    }

    fn unique(&mut self, a: Reg, result: Reg) {
        self.get_address(a);
        self.i(I::I32Load(at(0, 2)));
        self.i(I::I32Const(1));
        self.i(I::I32Eq);
        self.i(I::If(BlockType::Result(ValType::I64)));
        self.get(a);
        self.i(I::Else);
        self.get(a);
        self.call("heap.copy");
        self.i(I::End);
        self.set(result);
    }

    /// Looks a key up: a flag, and what is there; `takes` moves a pointer out.
    fn map_get(&mut self, map: Reg, key: Reg, results: &[Reg], takes: bool) {
        let found = self.new_local(ValType::I64);
        self.get(map);
        self.get_bits(key);
        self.call("maps.lookup");
        self.i(I::LocalTee(found));
        self.i(I::I64Const(0));
        self.i(I::I64Ne);
        self.i(I::I64ExtendI32U);
        self.i(I::LocalGet(found));
        self.i(I::I32WrapI64);
        self.i(I::If(BlockType::Result(ValType::I64)));
        self.i(I::LocalGet(found));
        self.i(I::I32WrapI64);
        self.i(I::I64Load(at(0, 3)));
        if takes {
            self.i(I::LocalGet(found));
            self.i(I::I32WrapI64);
            self.i(I::I64Const(0));
            self.i(I::I64Store(at(0, 3)));
        }
        self.i(I::Else);
        self.i(I::I64Const(0));
        self.i(I::End);
        self.set_bits(results[1]);
        self.set(results[0]);
    }

    fn format(&mut self, parts: &[FormatPart], result: Reg) {
        self.call("texts.begin");
        for part in parts {
            match part {
                FormatPart::Text(id) => {
                    let object = &self.unit.program(self.side).consts[id.index()];
                    let text = self.unit.data.object(self.side, object);
                    self.i(I::I64Const(text.into()));
                    self.call("texts.add");
                }
                FormatPart::Scalar(scalar, reg) => self.format_scalar(*scalar, *reg),
                FormatPart::Object(reg) => {
                    self.get(*reg);
                    self.call("texts.add_object");
                }
            }
        }
        self.call("texts.end");
        self.set(result);
    }

    fn format_scalar(&mut self, scalar: Scalar, reg: Reg) {
        if let Some(number) = self.unit.data.enum_number(self.side, scalar) {
            self.i(I::I64Const(number.into()));
        }
        self.get(reg);
        self.call(match scalar {
            Scalar::Bool => "texts.add_bool",
            Scalar::Int => "texts.add_int",
            Scalar::Float => "texts.add_float",
            Scalar::Duration => "texts.add_duration",
            Scalar::Rate => "texts.add_rate",
            Scalar::Enum(_) => "texts.add_enum",
        });
    }

    fn cell(&mut self, op: &Op, results: &[Reg]) {
        self.get_word(CELLS);
        self.i(I::I32WrapI64);
        match op {
            Op::CellLoad(cell) => self.load(8 * u64::from(*cell), results[0]),
            Op::CellTake(cell) => self.take_at(8 * u64::from(*cell), results[0]),
            Op::CellStore(cell, value) => self.replace_at(8 * u64::from(*cell), *value),
            other => unreachable!("{other:?} is about no cell"),
        }
    }
}

/// Arithmetic that is known not to fail, or wraps.
fn int_bin(op: IntBin) -> I<'static> {
    match op {
        IntBin::And => I::I64And,
        IntBin::Or => I::I64Or,
        IntBin::Xor => I::I64Xor,
        IntBin::Add => I::I64Add,
        IntBin::Sub => I::I64Sub,
        IntBin::Mul => I::I64Mul,
        IntBin::Div => I::I64DivS,
        IntBin::Rem => I::I64RemS,
        IntBin::Shl => I::I64Shl,
        IntBin::Shr => I::I64ShrS,
    }
}
