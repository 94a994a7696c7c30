//! The compiler of scn: syntax tree to HIR to IR, with diagnostics. No I/O of any kind happens here.
//!
//! Enter at [`check()`] (sources to HIR and diagnostics) and [`lower()`] (HIR to IR).

#![forbid(unsafe_code)]

mod check;
pub mod diagnostics;
pub mod hir;
pub mod ir;
mod lower;
mod passes;
pub mod source;
pub mod wasm;

pub use check::metrics::built_in_names as built_in_metrics;
pub use check::{Checked, check, check_library, lint_descriptors};
pub use diagnostics::{Code, Diagnostic, Severity, explain};
pub use lower::{Passes, lower, lower_library, lower_with};
pub use scn_grammar::{SourceId, Span};
