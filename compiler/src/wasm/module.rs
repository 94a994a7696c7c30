//! Puts the module together: everything that was written, in the order of sections. Enter at [`assemble`].

use super::data::{Data, Side};
use super::emit;
use super::exports;
use super::imports::{Imports, SHIM_PARAMS, shim};
use super::machine::types;
use super::shorten::{Signatures, shorten};
use super::unit::{Code, IMPORTED, Key, Unit};
use std::collections::HashMap;
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType,
    ExportKind, ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    Instruction, MemorySection, MemoryType, Module, NameMap, NameSection, RefType, TableSection,
    TableType, TypeSection, ValType,
};

/// The size of a page of memory.
const PAGE: u32 = 65_536;
/// The host's name of what is run.
const RUN: &str = "wasi:cli/run@0.2.0#run";

/// A type of functions: parameters and results.
type Signature = (Vec<ValType>, Vec<ValType>);

/// Types in the order of their first use.
struct Types {
    section: TypeSection,
    known: HashMap<Signature, u32>,
}

impl Types {
    fn new() -> Types {
        let mut types = Types {
            section: TypeSection::new(),
            known: HashMap::new(),
        };
        let resume = types.index(&[ValType::I32], &[ValType::I32]);
        let invoked = types.index(&[ValType::I64], &[ValType::I64]);
        debug_assert_eq!((resume, invoked), (types::RESUME, types::INVOKED));
        types
    }

    fn index(&mut self, params: &[ValType], results: &[ValType]) -> u32 {
        let key = (params.to_vec(), results.to_vec());
        if let Some(index) = self.known.get(&key) {
            return *index;
        }
        let index = self.section.len();
        self.section
            .ty()
            .function(params.iter().copied(), results.iter().copied());
        self.known.insert(key, index);
        index
    }
}

/// Writes all functions that are reached and not yet written, one after another; what one names first comes to the end
/// of the list.
pub(super) fn write_all(unit: &mut Unit<'_>, codes: &mut Vec<Code>) {
    while codes.len() < unit.keys.len() {
        let key = unit.keys[codes.len()].clone();
        let code = write(unit, &key);
        let waits = matches!(&key, Key::Function(side, id) if unit.function(*side, *id).waits);
        let arity = |number| unit.arity(number);
        let code = shorten(code, &Signatures(&arity), waits);
        codes.push(code);
    }
}

fn write(unit: &mut Unit<'_>, key: &Key) -> Code {
    match key {
        Key::Function(side, id) => emit::function(unit, *side, *id),
        Key::Shim(name) => {
            let import = Imports::find(name).expect("only imports have shims");
            let number = unit.import(import);
            let mut shim = shim(import, number);
            shim.body.pop();
            Code {
                params: SHIM_PARAMS.to_vec(),
                results: Vec::new(),
                locals: shim.locals,
                body: shim.body,
            }
        }
        Key::Door(number) => exports::code(unit, *number),
        Key::Ended => exports::ended(unit),
        Key::Run => {
            let mut body = Vec::new();
            call(unit, "driver.main", &mut body);
            body.push(Instruction::I32WrapI64);
            Code {
                params: Vec::new(),
                results: vec![ValType::I32],
                locals: Vec::new(),
                body,
            }
        }
        Key::Realloc => {
            let mut body = Vec::new();
            for param in 0..4 {
                body.push(Instruction::LocalGet(param));
                body.push(Instruction::I64ExtendI32U);
            }
            call(unit, "heap.host_realloc", &mut body);
            body.push(Instruction::I32WrapI64);
            Code {
                params: vec![ValType::I32; 4],
                results: vec![ValType::I32],
                locals: Vec::new(),
                body,
            }
        }
    }
}

/// Writes a call of a function of the library that the back end itself names.
pub(super) fn call(unit: &mut Unit<'_>, name: &str, body: &mut Vec<Instruction<'static>>) {
    match unit.body(name) {
        Some(id) => {
            let number = unit.number(Key::Function(Side::Body, id));
            body.push(Instruction::Call(number));
            if unit.shape(Side::Body, id).fails {
                // An error that nobody sees is a defect; what it is, the trap's trace tells.
                body.extend([
                    Instruction::If(BlockType::Empty),
                    Instruction::Unreachable,
                    Instruction::End,
                ]);
            }
        }
        None => body.push(Instruction::Unreachable),
    }
}

/// The bytes of the core module.
pub(super) fn assemble(mut unit: Unit<'_>, codes: &[Code]) -> Vec<u8> {
    unit.write_tables();
    let mut types = Types::new();
    let mut imports = ImportSection::new();
    for name in &unit.imported {
        let import = Imports::find(name).expect("only imports are noted as used");
        let ty = types.index(&import.params, &import.results);
        imports.import(&import.module, &import.field, EntityType::Function(ty));
    }
    let mut functions = FunctionSection::new();
    for code in codes {
        functions.function(types.index(&code.params, &code.results));
    }
    let shift = unit.imported.len() as u32;
    let mut section = CodeSection::new();
    for code in codes {
        section.function(&encode(code, shift));
    }
    let names = names(&unit, shift);
    let table_size = unit.table.len() as u64 + 1;
    let table: Vec<u32> = unit.table.iter().map(|number| number + shift).collect();
    let exports = exports(&mut unit, shift);
    let end = unit.data.end();
    let mut module = Module::new();
    module.section(&types.section);
    module.section(&imports);
    module.section(&functions);
    module.section(&tables(table_size));
    module.section(&memories(end));
    module.section(&globals(&unit));
    module.section(&exports);
    if !table.is_empty() {
        let mut elements = ElementSection::new();
        let offset = ConstExpr::i32_const(1);
        elements.active(Some(0), &offset, Elements::Functions(table.into()));
        module.section(&elements);
    }
    module.section(&section);
    module.section(&data(&unit.data));
    module.section(&names);
    module.finish()
}

fn encode(code: &Code, shift: u32) -> Function {
    let mut locals: Vec<(u32, ValType)> = Vec::new();
    for ty in &code.locals {
        match locals.last_mut() {
            Some((count, last)) if last == ty => *count += 1,
            _ => locals.push((1, *ty)),
        }
    }
    let mut function = Function::new(locals);
    for instruction in &code.body {
        match instruction {
            Instruction::Call(number) if number & IMPORTED != 0 => {
                function.instruction(&Instruction::Call(number & !IMPORTED));
            }
            Instruction::Call(number) => {
                function.instruction(&Instruction::Call(number + shift));
            }
            other => {
                function.instruction(other);
            }
        }
    }
    function.instruction(&Instruction::End);
    function
}

fn tables(size: u64) -> TableSection {
    let mut tables = TableSection::new();
    tables.table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: size,
        maximum: Some(size),
        shared: false,
    });
    tables
}

fn memories(end: u32) -> MemorySection {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum: u64::from(end.div_ceil(PAGE)) + 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    memories
}

fn data(memory: &Data) -> DataSection {
    let mut data = DataSection::new();
    for (at, part) in memory.parts() {
        data.active(0, &ConstExpr::i32_const(at as i32), part.iter().copied());
    }
    data
}

fn globals(unit: &Unit<'_>) -> GlobalSection {
    let mut globals = GlobalSection::new();
    let of = |val_type| GlobalType {
        val_type,
        mutable: true,
        shared: false,
    };
    globals.global(of(ValType::I64), &ConstExpr::i64_const(0));
    globals.global(of(ValType::I32), &ConstExpr::i32_const(super::POLLS));
    for word in &unit.words {
        let value = unit.data.word(*word) as i64;
        globals.global(of(ValType::I64), &ConstExpr::i64_const(value));
    }
    globals
}

fn exports(unit: &mut Unit<'_>, shift: u32) -> ExportSection {
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let run = unit.is_run().then(|| (RUN.to_owned(), Key::Run));
    let realloc = ("cabi_realloc".to_owned(), Key::Realloc);
    let named = run.into_iter().chain([realloc]);
    let named: Vec<(String, Key)> = named.chain(exports::named(unit)).collect();
    for (name, key) in named {
        let number = unit.number(key);
        exports.export(&name, ExportKind::Func, number + shift);
    }
    exports
}

/// The names of functions, for profiles and traps.
fn names(unit: &Unit<'_>, shift: u32) -> NameSection {
    let mut functions = NameMap::new();
    for (at, name) in unit.imported.iter().enumerate() {
        functions.append(at as u32, name);
    }
    for (at, key) in unit.keys.iter().enumerate() {
        let name = match key {
            Key::Function(side, id) => unit.function(*side, *id).name.clone(),
            Key::Shim(name) => format!("{name} from memory"),
            Key::Run => "run".to_owned(),
            Key::Realloc => "cabi_realloc".to_owned(),
            Key::Door(number) => unit.doors[*number].export.clone(),
            Key::Ended => "cabi_post".to_owned(),
        };
        functions.append(at as u32 + shift, &name);
    }
    let mut names = NameSection::new();
    names.module("scenario");
    names.functions(&functions);
    names
}
