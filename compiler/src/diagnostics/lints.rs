//! `W`: what runs, but is probably not meant.

use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn unused_variable(name: &str, span: Span, assigned: bool) -> Diagnostic {
    let label = if assigned {
        "assigned, but never read"
    } else {
        "never read"
    };
    Diagnostic::new(Code::W0101, format!("`{name}` is never used"), span, label)
        .help(format!("remove it, or name it `_{name}` if that is meant"))
}

pub(crate) fn unused_item(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0102,
        format!("{what} `{name}` is never used"),
        span,
        "never used",
    )
    .help(format!("remove it, or name it `_{name}` if that is meant"))
}

pub(crate) fn unused_import(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0103,
        format!("import `{name}` is never used"),
        span,
        "never used",
    )
    .help("remove the line")
}

pub(crate) fn unused_parameter(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0104,
        format!("parameter `{name}` is never used"),
        span,
        "never read",
    )
    .help(format!("remove it, or name it `_{name}` if that is meant"))
}

pub(crate) fn never_changes(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0105,
        format!("`{name}` never changes"),
        span,
        "declared with `var`",
    )
    .help(format!("write `let {name}`"))
}

pub(crate) fn unreachable(span: Span, because: Span) -> Diagnostic {
    Diagnostic::new(Code::W0201, "this is never reached", span, "unreachable")
        .label(because, "nothing goes on after this")
}

pub(crate) fn unreachable_arm(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::W0202,
        "this arm is never taken",
        span,
        "the arms before it match everything that it matches",
    )
}

pub(crate) fn unused_value(span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(
        Code::W0203,
        "the value of this expression is never used",
        span,
        "has no effect",
    )
    .help(help)
}
