//! Shims: functions of two addresses that load the flat parameters of an import out of a record and call it.

use wasm_encoder::{BlockType, Instruction, MemArg, ValType};
use wit_parser::abi::FlatTypes;
use wit_parser::{Int, Type, TypeDefKind};

use super::super::wit::{World, payload};
use super::{Import, core};

/// A function of two parameters: the address of the arguments and the address of the result.
pub struct Shim {
    /// Its locals behind the two parameters.
    pub locals: Vec<ValType>,
    /// Its instructions, the last `end` included.
    pub body: Vec<Instruction<'static>>,
}

/// The core parameters of every shim; it has no results.
pub const SHIM_PARAMS: [ValType; 2] = [ValType::I32, ValType::I32];

const ARGUMENTS: u32 = 0;
const RESULT: u32 = 1;

/// The shim of an import that the module calls by the number `callee`.
pub fn shim(import: &Import, callee: u32) -> Shim {
    let mut writer = Writer {
        world: World::scenario(),
        locals: Vec::new(),
        body: Vec::new(),
    };
    match &import.function {
        Some(function) => writer.call(function, import, callee),
        None => writer.body.extend([
            Instruction::LocalGet(ARGUMENTS),
            Instruction::I32Load(place(0, 2)),
            Instruction::Call(callee),
        ]),
    }
    writer.body.push(Instruction::End);
    Shim {
        locals: writer.locals,
        body: writer.body,
    }
}

struct Writer<'a> {
    world: &'a World,
    locals: Vec<ValType>,
    body: Vec<Instruction<'static>>,
}

impl Writer<'_> {
    fn call(&mut self, function: &wit_parser::Function, import: &Import, callee: u32) {
        let stored = import.results.first();
        if stored.is_some() {
            self.body.push(Instruction::LocalGet(RESULT));
        }
        let types = || function.params.iter().map(|param| &param.ty);
        for (ty, offset) in types().zip(self.world.offsets(types())) {
            self.load(ty, offset);
        }
        if stored.is_none() && function.result.is_some() {
            self.body.push(Instruction::LocalGet(RESULT));
        }
        self.body.push(Instruction::Call(callee));
        if let (Some(kind), Some(ty)) = (stored, &function.result) {
            self.body.push(store(*kind, self.world.size(ty)));
        }
    }

    /// Leaves the flat form of what lies at this offset of the arguments on the stack.
    fn load(&mut self, ty: &Type, offset: u32) {
        let word = |at| Instruction::I32Load(place(at, 2));
        match ty {
            Type::Bool | Type::U8 => self.one(Instruction::I32Load8U(place(offset, 0))),
            Type::S8 => self.one(Instruction::I32Load8S(place(offset, 0))),
            Type::U16 => self.one(Instruction::I32Load16U(place(offset, 1))),
            Type::S16 => self.one(Instruction::I32Load16S(place(offset, 1))),
            Type::U32 | Type::S32 | Type::Char | Type::ErrorContext => self.one(word(offset)),
            Type::U64 | Type::S64 => self.one(Instruction::I64Load(place(offset, 3))),
            Type::F32 => self.one(Instruction::F32Load(place(offset, 2))),
            Type::F64 => self.one(Instruction::F64Load(place(offset, 3))),
            Type::String => self.pair(offset),
            Type::Id(id) => self.defined(ty, &self.world.resolve.types[*id].kind, offset),
        }
    }

    fn defined(&mut self, ty: &Type, kind: &TypeDefKind, offset: u32) {
        match kind {
            TypeDefKind::Type(aliased) => self.load(aliased, offset),
            TypeDefKind::Handle(_) => self.one(Instruction::I32Load(place(offset, 2))),
            TypeDefKind::List(_) => self.pair(offset),
            TypeDefKind::Enum(cases) => self.one(tag(cases.tag(), offset)),
            TypeDefKind::Record(record) => {
                self.fields(
                    record.fields.iter().map(|field| &field.ty).collect(),
                    offset,
                );
            }
            TypeDefKind::Tuple(tuple) => self.fields(tuple.types.iter().collect(), offset),
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| case.ty.as_ref());
                self.variant(ty, tag(variant.tag(), offset), cases.collect(), offset);
            }
            TypeDefKind::Option(inner) => {
                self.variant(ty, tag(Int::U8, offset), vec![None, Some(inner)], offset);
            }
            TypeDefKind::Result(result) => {
                let cases = vec![result.ok.as_ref(), result.err.as_ref()];
                self.variant(ty, tag(Int::U8, offset), cases, offset);
            }
            other => panic!("the embedded WIT passes no {}", other.as_str()),
        }
    }

    fn one(&mut self, load: Instruction<'static>) {
        self.body.extend([Instruction::LocalGet(ARGUMENTS), load]);
    }

    /// The address and length of a list or string.
    fn pair(&mut self, offset: u32) {
        self.one(Instruction::I32Load(place(offset, 2)));
        self.one(Instruction::I32Load(place(offset + 4, 2)));
    }

    fn fields(&mut self, types: Vec<&Type>, base: u32) {
        let offsets = self.world.offsets(types.iter().copied());
        for (ty, offset) in types.into_iter().zip(offsets) {
            self.load(ty, base + offset);
        }
    }

    /// The payload goes by way of fresh locals, which are zero where the case has less than others.
    fn variant(
        &mut self,
        ty: &Type,
        tag: Instruction<'static>,
        cases: Vec<Option<&Type>>,
        offset: u32,
    ) {
        let joined = self.flat(ty);
        let locals: Vec<u32> = joined.iter().map(|kind| self.local(*kind)).collect();
        self.one(tag);
        self.body.push(Instruction::LocalSet(locals[0]));
        let at = offset + payload(self.world, ty);
        for (case, number) in cases.into_iter().zip(0..) {
            let Some(case) = case else { continue };
            self.body.extend([
                Instruction::LocalGet(locals[0]),
                Instruction::I32Const(number),
                Instruction::I32Eq,
                Instruction::If(BlockType::Empty),
            ]);
            self.load(case, at);
            let flat = self.flat(case);
            for (slot, kind) in flat.iter().enumerate().rev() {
                self.widen(*kind, joined[slot + 1]);
                self.body.push(Instruction::LocalSet(locals[slot + 1]));
            }
            self.body.push(Instruction::End);
        }
        self.body
            .extend(locals.into_iter().map(Instruction::LocalGet));
    }

    /// Makes the value of a case what its slot holds for all cases.
    fn widen(&mut self, from: ValType, to: ValType) {
        if from == ValType::F32 && to != ValType::F32 {
            self.body.push(Instruction::I32ReinterpretF32);
        }
        if from == ValType::F64 && to != ValType::F64 {
            self.body.push(Instruction::I64ReinterpretF64);
        }
        if to == ValType::I64 && matches!(from, ValType::I32 | ValType::F32) {
            self.body.push(Instruction::I64ExtendI32U);
        }
    }

    fn flat(&self, ty: &Type) -> Vec<ValType> {
        let mut storage = [wit_parser::abi::WasmType::I32; 16];
        let mut flat = FlatTypes::new(&mut storage);
        let fits = self.world.resolve.push_flat(ty, &mut flat);
        assert!(fits, "no import has its parameters in memory");
        flat.to_vec().into_iter().map(core).collect()
    }

    fn local(&mut self, kind: ValType) -> u32 {
        self.locals.push(kind);
        let count = u32::try_from(self.locals.len()).expect("a shim has few locals");
        RESULT + count
    }
}

fn tag(width: Int, offset: u32) -> Instruction<'static> {
    match width {
        Int::U8 => Instruction::I32Load8U(place(offset, 0)),
        Int::U16 => Instruction::I32Load16U(place(offset, 1)),
        Int::U32 | Int::U64 => Instruction::I32Load(place(offset, 2)),
    }
}

/// Stores a single flat result as its type lies in memory.
fn store(kind: ValType, size: u32) -> Instruction<'static> {
    match (kind, size) {
        (ValType::I32, 1) => Instruction::I32Store8(place(0, 0)),
        (ValType::I32, 2) => Instruction::I32Store16(place(0, 1)),
        (ValType::F32, _) => Instruction::F32Store(place(0, 2)),
        (ValType::F64, _) => Instruction::F64Store(place(0, 3)),
        (ValType::I64, _) => Instruction::I64Store(place(0, 3)),
        _ => Instruction::I32Store(place(0, 2)),
    }
}

fn place(offset: u32, align: u32) -> MemArg {
    MemArg {
        offset: u64::from(offset),
        align,
        memory_index: 0,
    }
}
