//! How much of a stack machine code may need: calls nest as deep as the limit says, so their frames must be small enough.
//!
//! The limit of depth is counted, the same on every engine, and does not look at the stack. So a program whose recursion
//! could leave the stack before it meets the limit has no machine code. Enter at [`Stack::check`].

use super::CompileError;
use crate::compute;
use crate::interp::DEPTH_LIMIT;
use cranelift_codegen::Context;
use scn_compiler::ir::Function;

/// What scripts have of a stack, without what the driver and host functions take.
const ROOM: u64 = (compute::SIZE - (2 << 20)) as u64;

/// The return address and the frame pointer.
const LINKAGE: u64 = 16;

/// What calls of a program's functions take.
#[derive(Default)]
pub(super) struct Stack {
    /// The largest frame of a function that may be on the stack again and again.
    recursive: u64,
    /// All others together: each is there once at most.
    others: u64,
}

impl Stack {
    /// Counts the frame of a function that was compiled just now.
    pub(super) fn add(&mut self, function: &Function, context: &Context) {
        let code = context.compiled_code();
        let layout = code.and_then(|code| code.buffer.frame_layout());
        let frame = LINKAGE + layout.map_or(0, |layout| u64::from(layout.frame_to_fp_offset));
        // What waits leaves the stack before anything else is resumed.
        match function.recursive && !function.waits {
            true => self.recursive = self.recursive.max(frame),
            false => self.others += frame,
        }
    }

    /// Refuses a program that could leave the stack.
    pub(super) fn check(&self) -> Result<(), CompileError> {
        let need = self.others + self.recursive * (u64::from(DEPTH_LIMIT) + 1);
        match need > ROOM {
            true => Err(CompileError(format!(
                "recursion may take {} MiB of the stack, which has {} MiB",
                need >> 20,
                ROOM >> 20
            ))),
            false => Ok(()),
        }
    }
}
