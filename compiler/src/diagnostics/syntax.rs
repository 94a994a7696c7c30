//! 00xx: gives the grammar's errors their codes.

use super::{Code, Diagnostic};
use scn_grammar::{Span, SyntaxError, SyntaxErrorKind};

/// A chain of operators or members that is too long to be walked.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0003,
        "this expression is nested too deeply",
        span,
        "its innermost part",
    )
    .help("give its parts names with `let`")
}

/// A parameter of a function without `: type`.
pub(crate) fn not_exportable(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0001,
        "expected a function, a type or an enum behind `export`",
        span,
        "nothing else can be exported",
    )
    .help("leave `export` out")
}

pub(crate) fn untyped_parameter(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0001,
        format!("parameter `{name}` needs a type"),
        span,
        "expected `:` and a type",
    )
    .help(format!("such as `{name}: int`"))
}

/// A syntax error as a diagnostic.
pub(crate) fn syntax(error: &SyntaxError) -> Diagnostic {
    let code = match error.kind {
        SyntaxErrorKind::Unexpected => Code::E0001,
        SyntaxErrorKind::Unclosed => Code::E0002,
        SyntaxErrorKind::TooDeep => Code::E0003,
        SyntaxErrorKind::BadLiteral => Code::E0004,
        SyntaxErrorKind::Unterminated => Code::E0005,
        SyntaxErrorKind::BadOperator => Code::E0006,
        SyntaxErrorKind::ReservedWord => Code::E0007,
        SyntaxErrorKind::NotText => Code::E0008,
    };
    let mut diagnostic = Diagnostic::new(code, &error.message, error.span, &error.label)
        .maybe_help(error.help.clone());
    diagnostic.labels.extend(error.related.iter().cloned());
    diagnostic
}
