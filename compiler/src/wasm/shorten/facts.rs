//! What instructions take, leave and touch.

use super::super::machine::types;
use wasm_encoder::Instruction as I;
use wasm_encoder::{Encode, MemArg};

/// Counts of parameters and results of functions, by the numbers in calls.
pub(in crate::wasm) struct Signatures<'s>(pub &'s dyn Fn(u32) -> (usize, usize));

/// What an instruction touches besides the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Touch {
    /// Nothing.
    Nothing,
    /// Reads this local.
    Get(u32),
    /// Writes this local.
    Set(u32),
    /// Reads this global.
    GetGlobal(u32),
    /// Writes this global.
    SetGlobal(u32),
    /// Reads memory.
    Reads,
    /// Writes memory.
    Writes,
    /// Calls, or something unknown: may touch all but locals.
    Calls,
    /// Control flow.
    Control,
}

impl Signatures<'_> {
    /// How many values an instruction takes and leaves; none for control flow.
    pub(super) fn arity(&self, instruction: &I<'_>) -> Option<(usize, usize)> {
        Some(match instruction {
            I::I32Const(_) | I::I64Const(_) | I::F64Const(_) => (0, 1),
            I::LocalGet(_) | I::GlobalGet(_) | I::MemorySize(_) => (0, 1),
            I::LocalSet(_) | I::GlobalSet(_) | I::Drop => (1, 0),
            I::Call(number) => (self.0)(*number),
            I::CallIndirect {
                type_index: types::RESUME | types::INVOKED,
                ..
            } => (2, 1),
            I::MemoryCopy { .. } | I::MemoryFill(_) => (3, 0),
            I::Select => (3, 1),
            other if is_load(other) || is_unary(other) => (1, 1),
            other if is_store(other) => (2, 0),
            other if is_binary(other) => (2, 1),
            _ => return None,
        })
    }
}

/// What an instruction touches.
pub(super) fn touch(instruction: &I<'_>) -> Touch {
    match instruction {
        I::LocalGet(local) => Touch::Get(*local),
        I::LocalSet(local) | I::LocalTee(local) => Touch::Set(*local),
        I::GlobalGet(global) => Touch::GetGlobal(*global),
        I::GlobalSet(global) => Touch::SetGlobal(*global),
        I::MemoryCopy { .. } | I::MemoryFill(_) => Touch::Writes,
        I::MemorySize(_) => Touch::Reads,
        I::I32Const(_) | I::I64Const(_) | I::F64Const(_) | I::Select | I::Drop => Touch::Nothing,
        I::Call(_) | I::CallIndirect { .. } | I::MemoryGrow(_) => Touch::Calls,
        other if is_load(other) => Touch::Reads,
        other if is_store(other) => Touch::Writes,
        other if is_unary(other) || is_binary(other) => Touch::Nothing,
        _ => Touch::Control,
    }
}

/// Whether nobody can tell if an instruction is left out together with its result.
pub(super) fn is_idle(instruction: &I<'_>) -> bool {
    matches!(
        touch(instruction),
        Touch::Nothing | Touch::Get(_) | Touch::GetGlobal(_) | Touch::Reads
    )
}

/// Whether control never goes on behind an instruction.
pub(super) fn diverges(instruction: &I<'_>) -> bool {
    matches!(
        instruction,
        I::Br(_) | I::BrTable(..) | I::Return | I::Unreachable
    )
}

/// The bytes of an instruction.
pub(super) fn encode(instruction: &I<'_>, out: &mut Vec<u8>) {
    instruction.encode(out);
}

/// The place of a load or store.
pub(super) fn place_of<'i>(instruction: &'i mut I<'static>) -> Option<&'i mut MemArg> {
    Some(match instruction {
        I::I32Load(place)
        | I::I64Load(place)
        | I::F64Load(place)
        | I::F32Load(place)
        | I::I32Load8U(place)
        | I::I32Load8S(place)
        | I::I32Load16U(place)
        | I::I32Load16S(place)
        | I::I64Load8U(place)
        | I::I64Load8S(place)
        | I::I64Load16U(place)
        | I::I64Load16S(place)
        | I::I64Load32U(place)
        | I::I64Load32S(place)
        | I::I32Store(place)
        | I::I64Store(place)
        | I::F64Store(place)
        | I::F32Store(place)
        | I::I32Store8(place)
        | I::I32Store16(place)
        | I::I64Store8(place)
        | I::I64Store16(place)
        | I::I64Store32(place) => place,
        _ => return None,
    })
}

pub(super) fn is_load(instruction: &I<'_>) -> bool {
    matches!(
        instruction,
        I::I32Load(_)
            | I::I64Load(_)
            | I::F64Load(_)
            | I::F32Load(_)
            | I::I32Load8U(_)
            | I::I32Load8S(_)
            | I::I32Load16U(_)
            | I::I32Load16S(_)
            | I::I64Load8U(_)
            | I::I64Load8S(_)
            | I::I64Load16U(_)
            | I::I64Load16S(_)
            | I::I64Load32U(_)
            | I::I64Load32S(_)
    )
}

pub(super) fn is_store(instruction: &I<'_>) -> bool {
    matches!(
        instruction,
        I::I32Store(_)
            | I::I64Store(_)
            | I::F64Store(_)
            | I::F32Store(_)
            | I::I32Store8(_)
            | I::I32Store16(_)
            | I::I64Store8(_)
            | I::I64Store16(_)
            | I::I64Store32(_)
    )
}

fn is_unary(instruction: &I<'_>) -> bool {
    matches!(
        instruction,
        I::LocalTee(_)
            | I::MemoryGrow(_)
            | I::I32Eqz
            | I::I64Eqz
            | I::I32WrapI64
            | I::I64ExtendI32U
            | I::I64ExtendI32S
            | I::I64Extend8S
            | I::I64Extend16S
            | I::I64Extend32S
            | I::I32Extend8S
            | I::I32Extend16S
            | I::I32Clz
            | I::I32Ctz
            | I::I32Popcnt
            | I::I64Clz
            | I::I64Ctz
            | I::I64Popcnt
            | I::I64ReinterpretF64
            | I::F64ReinterpretI64
            | I::I32ReinterpretF32
            | I::F32ReinterpretI32
            | I::I64TruncSatF64S
            | I::F64ConvertI64S
            | I::F64PromoteF32
            | I::F32DemoteF64
            | I::F64Nearest
            | I::F64Sqrt
            | I::F64Floor
            | I::F64Ceil
            | I::F64Trunc
            | I::F64Abs
            | I::F64Neg
    )
}

fn is_binary(instruction: &I<'_>) -> bool {
    is_comparison(instruction)
        || matches!(
            instruction,
            I::I32Add
                | I::I32Sub
                | I::I32Mul
                | I::I32And
                | I::I32Or
                | I::I32Xor
                | I::I32Shl
                | I::I32ShrS
                | I::I32ShrU
                | I::I32Rotl
                | I::I64Add
                | I::I64Sub
                | I::I64Mul
                | I::I64DivS
                | I::I64DivU
                | I::I64RemS
                | I::I64RemU
                | I::I64And
                | I::I64Or
                | I::I64Xor
                | I::I64Shl
                | I::I64ShrS
                | I::I64ShrU
                | I::I64Rotl
                | I::I64Rotr
                | I::F64Add
                | I::F64Sub
                | I::F64Mul
                | I::F64Div
                | I::F64Copysign
                | I::F64Min
                | I::F64Max
        )
}

/// Whether the result is a flag.
pub(super) fn is_comparison(instruction: &I<'_>) -> bool {
    opposite(instruction).is_some()
        || matches!(
            instruction,
            I::F64Eq | I::F64Ne | I::F64Lt | I::F64Le | I::F64Gt | I::F64Ge
        )
}

/// The comparison of ints that is true where this one is not.
pub(super) fn opposite(instruction: &I<'_>) -> Option<I<'static>> {
    Some(match instruction {
        I::I32Eq => I::I32Ne,
        I::I32Ne => I::I32Eq,
        I::I32LtS => I::I32GeS,
        I::I32GeS => I::I32LtS,
        I::I32GtS => I::I32LeS,
        I::I32LeS => I::I32GtS,
        I::I32LtU => I::I32GeU,
        I::I32GeU => I::I32LtU,
        I::I32GtU => I::I32LeU,
        I::I32LeU => I::I32GtU,
        I::I64Eq => I::I64Ne,
        I::I64Ne => I::I64Eq,
        I::I64LtS => I::I64GeS,
        I::I64GeS => I::I64LtS,
        I::I64GtS => I::I64LeS,
        I::I64LeS => I::I64GtS,
        I::I64LtU => I::I64GeU,
        I::I64GeU => I::I64LtU,
        I::I64GtU => I::I64LeU,
        I::I64LeU => I::I64GtU,
        _ => return None,
    })
}
