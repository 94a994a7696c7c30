//! The JIT: all functions of a linked program as machine code, compiled and published at once.
//!
//! Pure functions become native functions `(context, arguments) -> (value, status)`; waiting functions become the
//! `resume` of their frames, by the protocol of [`crate::frame`], with the same states and slots as in the
//! interpreter: a frame that one engine has left may be resumed by the other. Native code never calls interpreted
//! code. Enter at [`compile`].

mod calls;
mod emit;
mod entries;
mod function;
mod loops;
mod objects;
mod perf;
mod refills;
mod scalars;
mod shape;
mod stack;
mod thunks;
mod unit;
mod values;
mod waits;

use crate::ctx::Ctx;
use crate::frame::{Frame, Resume};
use crate::link::Linked;
use cranelift_jit::JITModule;
pub(crate) use function::positions;
pub use perf::PerfMap;
use scn_compiler::Span;
use scn_compiler::ir::Function;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use unit::Unit;

/// Set in the position of a place that native code names: the rest counts instructions and terminators of the
/// function's IR in the order of its blocks.
pub(crate) const NATIVE_PLACE: u32 = 1 << 31;

/// `resume` of a waiting function in machine code. The byte is a [`Resume`].
type NativeResume = unsafe extern "C" fn(ctx: &Ctx, frame: *mut Frame) -> u8;

/// How Rust calls a pure function: its code, arguments and room for two results in memory, the depth of calls. Whether
/// it has failed.
type Thunk = unsafe extern "C" fn(
    ctx: &Ctx,
    code: usize,
    args: *const u64,
    results: *mut u64,
    depth: u64,
) -> u64;

/// A function of machine code as profilers see it.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// Where it begins.
    pub address: usize,
    /// Its bytes.
    pub size: usize,
    /// Its name, with file and line.
    pub name: String,
}

/// A program's machine code.
pub struct Native {
    /// For each function that waits, its code.
    resume: Vec<Option<NativeResume>>,
    /// For each one that does not, how to call it, and its code.
    pure: Vec<Option<(Thunk, usize)>>,
    symbols: Vec<Symbol>,
    /// Texts that the code makes once and reads by their address.
    texts: Box<[AtomicU64]>,
    /// Words that the code reads by their address.
    _templates: Vec<Box<[u64]>>,
    /// Owns the memory of the code. No lock is taken while code runs.
    module: Mutex<Option<JITModule>>,
}

/// Why a program has no machine code.
#[derive(Debug)]
pub struct CompileError(String);

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CompileError {}

/// What listings show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// Cranelift's IR, before its passes.
    Clif,
    /// Machine code.
    Asm,
}

/// Compiles all functions, unless that is no longer wanted when one of them begins.
pub fn compile(linked: &Linked, is_wanted: &dyn Fn() -> bool) -> Result<Native, CompileError> {
    Unit::new(linked, None, is_wanted)?.finish()
}

/// Compiles all functions and shows them.
pub fn listing(linked: &Linked, listing: Listing) -> Result<String, CompileError> {
    Unit::new(linked, Some(listing), &|| true)?.text()
}

/// The place of an instruction or terminator of a function, by its position.
pub(crate) fn span(function: &Function, position: u32) -> Span {
    let mut rest = position as usize;
    for block in &function.blocks {
        match rest.checked_sub(block.insts.len() + 1) {
            Some(behind) => rest = behind,
            None => {
                return block
                    .insts
                    .get(rest)
                    .map_or(block.term_span, |inst| inst.span);
            }
        }
    }
    Span::default()
}

impl Native {
    /// Texts are made anew: a param that they hold has another value.
    pub(crate) fn forget_texts(&self) {
        let texts = self.texts.iter();
        texts.for_each(|text| text.store(0, Ordering::Release));
    }

    /// All functions, by their addresses.
    pub(crate) fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Runs a frame of a waiting function; none if it is of another.
    ///
    /// # Safety
    /// As [`crate::interp::resume`].
    pub(crate) unsafe fn resume(&self, ctx: &Ctx, frame: *mut Frame) -> Option<Resume> {
        // SAFETY: the frame is live; its code is the function that the machine code was made from.
        unsafe {
            let resume = (*self.resume.get((*frame).code as usize)?)?;
            Some(match resume(ctx, frame) {
                0 => Resume::Call,
                1 => Resume::Done,
                _ => Resume::Error,
            })
        }
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native").finish_non_exhaustive()
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let module = self.module.get_mut();
        if let Some(module) = module.ok().and_then(Option::take) {
            // SAFETY: the linked program owns this and is dropped last: no worker runs its code any more.
            unsafe { module.free_memory() };
        }
    }
}
