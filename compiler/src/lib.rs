//! The compiler of scn: syntax tree to HIR to IR, with diagnostics. No I/O of any kind happens here.
//!
//! Enter at [`check`] (sources to HIR and diagnostics) and `lower` (HIR to IR).

pub mod hir;
pub mod ir;
mod lower;
mod passes;
pub mod source;

pub use lower::lower;
pub use scn_grammar::{SourceId, Span};
