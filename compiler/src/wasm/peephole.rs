//! Small savings on finished code: what is stored and read back at once. Enter at [`tidy`].

use wasm_encoder::Instruction;

/// Shortens code without changing what it does.
pub(super) fn tidy(code: Vec<Instruction<'static>>) -> Vec<Instruction<'static>> {
    let mut out: Vec<Instruction<'static>> = Vec::with_capacity(code.len());
    for instruction in code {
        match (out.last(), &instruction) {
            (Some(Instruction::LocalSet(a)), Instruction::LocalGet(b)) if a == b => {
                let local = *a;
                out.pop();
                out.push(Instruction::LocalTee(local));
            }
            (Some(Instruction::I64ExtendI32U), Instruction::I32WrapI64) => {
                out.pop();
            }
            _ => out.push(instruction),
        }
    }
    out
}
