//! Findings as JSON, in the form that `docs/json.md` describes.

use scn_compiler::Span;
use scn_compiler::diagnostics::{Diagnostic, Severity};
use scn_compiler::source::Sources;
use serde_json::{Value, json};

/// A finding.
pub(crate) fn diagnostic(found: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = found
        .labels
        .iter()
        .map(|(span, text)| {
            let mut place = place(*span, sources);
            place["text"] = json!(text);
            place
        })
        .collect();
    json!({
        "code": found.code.as_str(),
        "severity": match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": found.message,
        "labels": labels,
        "help": found.help,
        "notes": found.notes,
    })
}

/// A place: file, line and column of its start and end (all from 1, columns in characters), and byte offsets.
pub(crate) fn place(span: Span, sources: &Sources) -> Value {
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(span.after());
    json!({
        "file": sources.source(span.source).name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    })
}
