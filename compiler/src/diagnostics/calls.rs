//! 02xx: calls and their arguments.

use super::{Code, Diagnostic};
use scn_grammar::Span;

fn count(n: usize) -> String {
    match n {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        n => format!("{n} arguments"),
    }
}

pub(crate) fn too_many_arguments(
    name: &str,
    wanted: usize,
    found: usize,
    span: Span,
    declared: Span,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0205,
        format!(
            "`{name}` takes {}, but {found} {} given",
            count(wanted),
            if found == 1 { "is" } else { "are" }
        ),
        span,
        "one too many",
    )
    .label(declared, "declared here")
}

pub(crate) fn missing_arguments(
    name: &str,
    missing: &[(&str, String)],
    call: Span,
    declared: Span,
) -> Diagnostic {
    let names: Vec<_> = missing
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let types: Vec<_> = missing
        .iter()
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    let word = if missing.len() == 1 {
        "argument"
    } else {
        "arguments"
    };
    Diagnostic::new(
        Code::E0205,
        format!("`{name}` is called without {}", names.join(", ")),
        call,
        format!("missing {word} {}", types.join(", ")),
    )
    .label(declared, "declared here")
}

pub(crate) fn unknown_argument(
    callee: &str,
    name: &str,
    span: Span,
    declared: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0206,
        format!("`{callee}` has no parameter `{name}`"),
        span,
        "unknown parameter",
    )
    .label(declared, "declared here")
    .maybe_help(help)
}

pub(crate) fn argument_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0206,
        format!("`{name}` is given twice"),
        span,
        "given again here",
    )
    .label(first, "given here first")
}

pub(crate) fn positional_after_named(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0206,
        "an argument without a name stands behind a named one",
        span,
        "which parameter is it for?",
    )
    .help("write its name, or move it to the front")
}

pub(crate) fn type_parameter(
    parameter: &str,
    found: &str,
    allowed: &[String],
    span: Span,
) -> Diagnostic {
    let allowed: Vec<_> = allowed.iter().map(|ty| format!("`{ty}`")).collect();
    Diagnostic::new(
        Code::E0201,
        format!("this cannot be done with `{found}`"),
        span,
        format!("`{parameter}` is `{found}` here"),
    )
    .help(format!("it works with {}", allowed.join(", ")))
}

pub(crate) fn method_of_other(name: &str, found: &str, receiver: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0104,
        format!("no method `{name}` on `{found}`"),
        span,
        format!("this method is there on `{receiver}` only"),
    )
}

pub(crate) fn result_unknown(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0202,
        format!("cannot tell which type `{name}` gives here"),
        span,
        "needs an expected type",
    )
    .help("declare the type: `let x: list<string> = ...`")
}
