//! The machine that bodies of the library are written for: each function of `mem` as the instructions that it is.
//! Enter at [`Emit::machine`].

use super::data::Side;
use super::emit::{Emit, at, global};
use crate::ir::{ConstObject, NativeRef, Op, Reg};
use wasm_encoder::Instruction as I;

/// The first of the words in which bodies hand results back.
const HANDED: i64 = 254;
/// The types of functions that are called by number; the module defines them first.
pub(super) mod types {
    /// `resume`.
    pub(crate) const RESUME: u32 = 0;
    /// An int to an int.
    pub(crate) const INVOKED: u32 = 1;
}

/// Operands and result of a plain instruction.
struct Row {
    /// For each operand: whether it is an address, else 64 bits as they are.
    operands: &'static [bool],
    instructions: Vec<I<'static>>,
    /// Whether the result is an `i32`.
    is_narrow: bool,
}

fn row<const N: usize>(
    operands: &'static [bool],
    instructions: [I<'static>; N],
    is_narrow: bool,
) -> Row {
    Row {
        operands,
        instructions: instructions.into(),
        is_narrow,
    }
}

const ADDRESS: &[bool] = &[true];
const STORE: &[bool] = &[true, false];
const ONE: &[bool] = &[false];
const TWO: &[bool] = &[false, false];

const fn memarg(align: u32) -> wasm_encoder::MemArg {
    wasm_encoder::MemArg {
        offset: 0,
        align,
        memory_index: 0,
    }
}

/// The instructions of a function of `mem` that is nothing else.
fn plain(name: &str) -> Option<Row> {
    Some(match name {
        "u8" => row(ADDRESS, [I::I64Load8U(memarg(0))], false),
        "u16" => row(ADDRESS, [I::I64Load16U(memarg(1))], false),
        "u32" => row(ADDRESS, [I::I64Load32U(memarg(2))], false),
        "i64" => row(ADDRESS, [I::I64Load(memarg(3))], false),
        "f64" => row(ADDRESS, [I::F64Load(memarg(3))], false),
        "set_u8" => row(STORE, [I::I64Store8(memarg(0))], false),
        "set_u16" => row(STORE, [I::I64Store16(memarg(1))], false),
        "set_u32" => row(STORE, [I::I64Store32(memarg(2))], false),
        "set_i64" => row(STORE, [I::I64Store(memarg(3))], false),
        "set_f64" => row(STORE, [I::F64Store(memarg(3))], false),
        "copy" => row(
            &[true, true, true],
            [I::MemoryCopy {
                src_mem: 0,
                dst_mem: 0,
            }],
            false,
        ),
        "fill" => row(&[true, true, true], [I::MemoryFill(0)], false),
        "pages" => row(&[], [I::MemorySize(0)], true),
        "grow" => row(ADDRESS, [I::MemoryGrow(0), I::I64ExtendI32S], false),
        "shr_u" => row(TWO, [I::I64ShrU], false),
        "div_u" => row(TWO, [I::I64DivU], false),
        "rem_u" => row(TWO, [I::I64RemU], false),
        "lt_u" => row(TWO, [I::I64LtU], true),
        "rotl" => row(TWO, [I::I64Rotl], false),
        "rotl32" => row(&[true, true], [I::I32Rotl], true),
        "clz" => row(ONE, [I::I64Clz], false),
        "ctz" => row(ONE, [I::I64Ctz], false),
        "popcnt" => row(ONE, [I::I64Popcnt], false),
        "sign32" => row(ONE, [I::I64Extend32S], false),
        "bits" => row(ONE, [I::I64ReinterpretF64], false),
        "float" => row(ONE, [I::F64ReinterpretI64], false),
        "trunc" => row(ONE, [I::I64TruncSatF64S], false),
        "nearest" => row(ONE, [I::F64Nearest], false),
        "copysign" => row(TWO, [I::F64Copysign], false),
        "sqrt" => row(ONE, [I::F64Sqrt], false),
        "floor" => row(ONE, [I::F64Floor], false),
        "ceil" => row(ONE, [I::F64Ceil], false),
        "at" | "own" | "string" | "bytes" | "json" | "error" | "flag" => row(ONE, [], false),
        "failure" => row(&[], [I::GlobalGet(global::FAILURE)], false),
        "set_failure" => row(ONE, [I::GlobalSet(global::FAILURE)], false),
        "trap" => row(&[], [I::Unreachable], false),
        _ => return None,
    })
}

impl Emit<'_, '_> {
    /// Writes a call of a function of `mem`, if it is one.
    pub(super) fn machine(&mut self, native: &NativeRef, args: &[Reg], results: &[Reg]) -> bool {
        let Some(name) = native.name.strip_prefix("mem.") else {
            return false;
        };
        if self.side != Side::Body {
            return false;
        }
        if let Some(row) = plain(name) {
            self.plain(&row, name, args, results);
            return true;
        }
        self.special(name, args);
        results.iter().for_each(|reg| self.set(*reg));
        true
    }

    fn plain(&mut self, row: &Row, name: &str, args: &[Reg], results: &[Reg]) {
        for (arg, is_address) in args.iter().zip(row.operands) {
            match is_address {
                true => self.get_address(*arg),
                // What is taken as an address may be a float in memory form.
                false if matches!(name, "at" | "own") => self.get_bits(*arg),
                false => self.get(*arg),
            }
        }
        for instruction in &row.instructions {
            self.i(instruction.clone());
        }
        if row.is_narrow {
            self.i(I::I64ExtendI32U);
        }
        results.iter().for_each(|reg| self.set(*reg));
    }

    fn special(&mut self, name: &str, args: &[Reg]) {
        match name {
            "word" => {
                let number = self.constant(args[0], name);
                self.get_word(number as u32);
            }
            "set_word" => {
                let number = self.constant(args[0], name);
                self.set_word(number as u32, |emit| emit.get(args[1]));
            }
            "words" => {
                let number = self.constant(args[0], name);
                let address = self.unit.data.address_of_word(number as u32);
                let address = address.expect("all words that are named so have addresses");
                self.i(I::I64Const(address.into()));
            }
            "poll" => {
                self.i(I::I32Const(1));
                self.i(I::GlobalSet(global::POLLS));
            }
            "hand" => {
                let number = HANDED + self.constant(args[0], name);
                self.set_word(number as u32, |emit| emit.get(args[1]));
            }
            "handed" => {
                let number = HANDED + self.constant(args[0], name);
                self.get_word(number as u32);
            }
            "new" => {
                let desc = crate::ir::DescId(self.constant(args[0], name) as u32);
                let number = self.unit.data.desc(self.side, desc);
                let slots = self.constant(args[1], name);
                self.unit.data.note_slots(number, slots as u32);
                self.i(I::I64Const(number.into()));
                self.i(I::I64Const(slots));
                self.call("heap.object");
            }
            "function" => self.number_of(args[0]),
            "invoke" => {
                self.get(args[1]);
                self.get_address(args[0]);
                self.i(I::CallIndirect {
                    type_index: types::INVOKED,
                    table_index: 0,
                });
            }
            "resume" => {
                self.get_address(args[0]);
                self.get_address(args[0]);
                self.i(I::I32Load(at(0, 2)));
                self.i(I::CallIndirect {
                    type_index: types::RESUME,
                    table_index: 0,
                });
                self.i(I::I64ExtendI32U);
            }
            other => {
                let other = format!("mem.{other}");
                self.unit.missing.push(other);
                self.i(I::Unreachable);
            }
        }
    }

    /// An argument that must be written as a constant.
    fn constant(&mut self, reg: Reg, name: &str) -> i64 {
        self.known_int(reg)
            .unwrap_or_else(|| unreachable!("mem.{name} takes a constant"))
    }

    /// The table's index of a library function that is named by a constant.
    fn number_of(&mut self, name: Reg) {
        let found = self.function.blocks.iter().flat_map(|block| &block.insts);
        let named = found
            .filter(|inst| inst.results.first() == Some(&name))
            .find_map(|inst| match &inst.op {
                Op::Const(id) => Some(&self.unit.program(self.side).consts[id.index()]),
                _ => None,
            });
        let Some(ConstObject::String(name)) = named else {
            unreachable!("mem.function takes a constant name")
        };
        match self.unit.body(name) {
            Some(id) if self.is_invocable(id) => {
                let index = self.unit.table_index(Side::Body, id);
                self.i(I::I64Const(index.into()));
            }
            _ => {
                self.unit.missing.push(name.clone());
                self.i(I::Unreachable);
            }
        }
    }
}
