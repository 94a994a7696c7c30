//! All findings about one program or many, drawn one below the other, and the line that counts them.

use super::report::Report;
use crate::terminal::Style;
use scn_compiler::diagnostics::{Diagnostic, Severity};
use scn_compiler::source::Sources;

/// More findings than this about one program are counted, not drawn.
const MOST: usize = 50;

/// How many errors and warnings there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Errors.
    pub(crate) errors: usize,
    /// Warnings.
    pub(crate) warnings: usize,
}

impl Count {
    /// Counts findings.
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Self {
        let errors = diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .count();
        Self {
            errors,
            warnings: diagnostics.len() - errors,
        }
    }

    /// Adds another count.
    pub(crate) fn add(&mut self, other: Count) {
        self.errors += other.errors;
        self.warnings += other.warnings;
    }

    /// `2 errors, 1 warning`.
    pub(crate) fn text(self, style: Style) -> String {
        let mut parts = Vec::new();
        if self.errors > 0 {
            parts.push(style.red(&plural(self.errors, "error")));
        }
        if self.warnings > 0 {
            parts.push(style.yellow(&plural(self.warnings, "warning")));
        }
        parts.join(", ")
    }
}

/// `1 file`, `2 files`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Draws findings: errors before warnings, each kind in source order.
pub(crate) fn draw(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|found| found.severity);
    let mut out = String::new();
    for found in sorted.iter().take(MOST) {
        out.push_str(&Report::of(found, sources).draw(style));
        out.push('\n');
    }
    if let Some(left) = sorted.len().checked_sub(MOST).filter(|left| *left > 0) {
        out.push_str(&format!("and {left} more findings in this file\n\n"));
    }
    out
}

/// The line below all findings: the count, and where to read more.
pub(crate) fn closing(count: Count, first: Option<&Diagnostic>, style: Style) -> String {
    match first {
        Some(first) => format!(
            "{}; more about it: scn explain {}",
            count.text(style),
            first.code.as_str()
        ),
        None => count.text(style),
    }
}
