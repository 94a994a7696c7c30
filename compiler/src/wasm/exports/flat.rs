//! What the host calls: functions that bring arguments from the stack into memory and leave the result where the host
//! looks for it. The counterpart of the shims of imports.

use crate::wasm::imports::core;
use crate::wasm::module::call;
use crate::wasm::unit::{Code, Unit};
use crate::wasm::wit::{World, payload};
use wasm_encoder::{BlockType, Instruction, MemArg, ValType};
use wit_parser::abi::{AbiVariant, FlatTypes, WasmSignature, WasmType};
use wit_parser::{Function, Int, Type, TypeDefKind};

/// The core type of an exported function.
pub(super) fn signature(world: &World, function: &Function) -> WasmSignature {
    let variant = AbiVariant::GuestExport;
    world.resolve.wasm_signature(variant, function)
}

/// The code of an exported function.
pub(super) fn code(unit: &mut Unit<'_>, world: &World, number: usize) -> Code {
    let door = &unit.doors[number];
    let (function, row, arguments) = (door.function.clone(), door.row, door.arguments);
    let signature = signature(world, &function);
    let params: Vec<ValType> = signature.params.iter().copied().map(core).collect();
    let mut writer = Writer {
        world,
        body: Vec::new(),
        next: 0,
        base: params.len() as u32,
    };
    match signature.indirect_params {
        true => writer.base = 0,
        false if arguments > 0 => {
            writer.body.push(Instruction::I64Const(arguments.into()));
            call(unit, "heap.alloc", &mut writer.body);
            writer.body.push(Instruction::I32WrapI64);
            writer.body.push(Instruction::LocalSet(writer.base));
            writer.arguments(&function);
        }
        false => {}
    }
    writer.body.push(Instruction::I64Const(row.into()));
    writer.body.push(Instruction::LocalGet(writer.base));
    writer.body.push(Instruction::I64ExtendI32U);
    call(unit, "exports.call", &mut writer.body);
    writer.body.push(Instruction::I32WrapI64);
    let mut body = writer.body;
    let results: Vec<ValType> = signature.results.iter().copied().map(core).collect();
    let mut locals = vec![ValType::I32];
    if !signature.retptr {
        match &function.result {
            Some(ty) => body.push(load(world, ty)),
            None => body.push(Instruction::Drop),
        }
        let at = (params.len() + locals.len()) as u32;
        locals.extend(&results);
        body.extend(results.first().map(|_| Instruction::LocalSet(at)));
        call(unit, "exports.end", &mut body);
        body.extend(results.first().map(|_| Instruction::LocalGet(at)));
    }
    Code {
        params,
        results,
        locals,
        body,
    }
}

/// The code of what the host calls when it has read a result.
pub(super) fn ended(unit: &mut Unit<'_>) -> Code {
    let mut body = Vec::new();
    call(unit, "exports.end", &mut body);
    Code {
        params: vec![ValType::I32],
        results: Vec::new(),
        locals: Vec::new(),
        body,
    }
}

struct Writer<'w> {
    world: &'w World,
    body: Vec<Instruction<'static>>,
    /// The next parameter.
    next: u32,
    /// The local that has the address of the arguments.
    base: u32,
}

impl Writer<'_> {
    fn arguments(&mut self, function: &Function) {
        let types = || function.params.iter().map(|param| &param.ty);
        for (ty, offset) in types().zip(self.world.offsets(types())) {
            self.store(ty, offset);
        }
    }

    /// Stores the next parameters as the value of this type at an offset.
    fn store(&mut self, ty: &Type, offset: u32) {
        let (world, kind) = (self.world, self.world.kind(ty));
        match kind {
            None => self.scalar(ty, offset),
            Some(TypeDefKind::Type(aliased)) => self.store(aliased, offset),
            Some(TypeDefKind::List(_)) => self.pair(offset),
            Some(TypeDefKind::Enum(cases)) => self.one(narrow(cases.tag(), offset)),
            Some(TypeDefKind::Tuple(tuple)) => self.fields(&tuple.types, offset),
            Some(TypeDefKind::Record(record)) => {
                let types: Vec<Type> = record.fields.iter().map(|field| field.ty).collect();
                self.fields(&types, offset);
            }
            Some(TypeDefKind::Option(inner)) => {
                let at = offset + payload(world, ty);
                self.variant(Int::U8, &[None, Some(*inner)], offset, at);
            }
            Some(TypeDefKind::Variant(variant)) => {
                let cases: Vec<Option<Type>> = variant.cases.iter().map(|case| case.ty).collect();
                let at = offset + payload(world, ty);
                self.variant(variant.tag(), &cases, offset, at);
            }
            Some(other) => unreachable!("no exported function takes a {}", other.as_str()),
        }
    }

    fn scalar(&mut self, ty: &Type, offset: u32) {
        match ty {
            Type::String => self.pair(offset),
            Type::Bool | Type::U8 | Type::S8 => self.one(narrow(Int::U8, offset)),
            Type::U16 | Type::S16 => self.one(narrow(Int::U16, offset)),
            Type::U64 | Type::S64 => self.one(Instruction::I64Store(place(offset, 3))),
            Type::F32 => self.one(Instruction::F32Store(place(offset, 2))),
            Type::F64 => self.one(Instruction::F64Store(place(offset, 3))),
            _ => self.one(narrow(Int::U32, offset)),
        }
    }

    fn one(&mut self, store: Instruction<'static>) {
        let value = self.next;
        self.next += 1;
        let (base, value) = (
            Instruction::LocalGet(self.base),
            Instruction::LocalGet(value),
        );
        self.body.extend([base, value, store]);
    }

    /// The address and length of a list or string.
    fn pair(&mut self, offset: u32) {
        self.one(narrow(Int::U32, offset));
        self.one(narrow(Int::U32, offset + 4));
    }

    fn fields(&mut self, types: &[Type], offset: u32) {
        for (ty, at) in types.iter().zip(self.world.offsets(types)) {
            self.store(ty, offset + at);
        }
    }

    /// The payloads of all cases come in the same parameters. Those that we have are of the same core types.
    fn variant(&mut self, tag: Int, cases: &[Option<Type>], offset: u32, at: u32) {
        let number = self.next;
        self.one(narrow(tag, offset));
        let first = self.next;
        let mut behind = first;
        for (case, ty) in cases.iter().enumerate() {
            let Some(ty) = ty else { continue };
            self.next = first;
            self.body.extend([
                Instruction::LocalGet(number),
                Instruction::I32Const(case as i32),
                Instruction::I32Eq,
                Instruction::If(BlockType::Empty),
            ]);
            self.store(ty, at);
            self.body.push(Instruction::End);
            behind = behind.max(first + self.count(ty));
        }
        self.next = behind;
    }

    /// How many parameters a value takes.
    fn count(&self, ty: &Type) -> u32 {
        let mut storage = [WasmType::I32; 64];
        let mut flat = FlatTypes::new(&mut storage);
        let fits = self.world.resolve.push_flat(ty, &mut flat);
        assert!(fits, "what has more parameters has them in memory");
        flat.to_vec().len() as u32
    }
}

/// Loads a result that is one core value.
fn load(world: &World, ty: &Type) -> Instruction<'static> {
    match (ty, world.kind(ty)) {
        (_, Some(TypeDefKind::Type(aliased))) => load(world, aliased),
        (_, Some(TypeDefKind::Enum(cases))) => match cases.tag() {
            Int::U8 => Instruction::I32Load8U(place(0, 0)),
            Int::U16 => Instruction::I32Load16U(place(0, 1)),
            Int::U32 | Int::U64 => Instruction::I32Load(place(0, 2)),
        },
        (_, Some(TypeDefKind::Tuple(tuple))) => load(world, &tuple.types[0]),
        (_, Some(TypeDefKind::Record(record))) => load(world, &record.fields[0].ty),
        (Type::Bool, _) => Instruction::I32Load8U(place(0, 0)),
        (Type::S64, _) => Instruction::I64Load(place(0, 3)),
        (Type::F64, _) => Instruction::F64Load(place(0, 3)),
        (Type::U32, _) => Instruction::I32Load(place(0, 2)),
        _ => unreachable!("results of several parts lie in memory"),
    }
}

fn narrow(width: Int, offset: u32) -> Instruction<'static> {
    match width {
        Int::U8 => Instruction::I32Store8(place(offset, 0)),
        Int::U16 => Instruction::I32Store16(place(offset, 1)),
        Int::U32 | Int::U64 => Instruction::I32Store(place(offset, 2)),
    }
}

fn place(offset: u32, align: u32) -> MemArg {
    MemArg {
        offset: u64::from(offset),
        align,
        memory_index: 0,
    }
}
