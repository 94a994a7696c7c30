//! 01xx: names that are unknown, twice there, or of the wrong kind.

use super::suggest::did_you_mean;
use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn unknown_name(name: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0101,
        format!("no value named `{name}`"),
        span,
        "not found in this scope",
    )
    .maybe_help(help)
}

pub(crate) fn unknown_type(name: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0102,
        format!("no type named `{name}`"),
        span,
        "not found",
    )
    .maybe_help(help)
}

pub(crate) fn unknown_module(name: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0101,
        format!("no module named `{name}`"),
        span,
        "not found",
    )
    .maybe_help(help)
}

pub(crate) fn unknown_module_member<'a>(
    module: &str,
    name: &str,
    span: Span,
    members: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0103,
        format!("module `{module}` has no `{name}`"),
        span,
        "not found in this module",
    )
    .maybe_help(did_you_mean(name, members))
}

pub(crate) fn unknown_member(
    ty: &str,
    name: &str,
    what: &str,
    span: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0104,
        format!("no {what} `{name}` on `{ty}`"),
        span,
        format!("unknown {what}"),
    )
    .maybe_help(help)
}

pub(crate) fn needs_parentheses(ty: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0104,
        format!("no field `{name}` on `{ty}`"),
        span,
        format!("`{name}` is a method"),
    )
    .help(format!("call it: `.{name}()`"))
}

pub(crate) fn is_property(ty: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0112,
        format!("`{name}` of `{ty}` is not a method"),
        span,
        "it is read without parentheses",
    )
    .help(format!("write `.{name}`"))
}

pub(crate) fn declared_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0105,
        format!("`{name}` is declared twice"),
        span,
        "declared again here",
    )
    .label(first, "declared here first")
}

pub(crate) fn cannot_load(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0106,
        format!("cannot load \"{path}\": {why}"),
        span,
        "imported here",
    )
}

pub(crate) fn import_cycle(chain: &[String], span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0107,
        "files import each other in a circle",
        span,
        "this closes the circle",
    )
    .note(format!("the circle is {}", chain.join(" -> ")))
    .help("move what both need into a third file")
}

pub(crate) fn not_a_value(name: &str, what: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0108,
        format!("`{name}` is {what}, not a value"),
        span,
        "a value is needed here",
    )
    .maybe_help(help)
}

pub(crate) fn used_too_early(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0109,
        format!("`{name}` is used before it is initialised"),
        span,
        "used here",
    )
    .label(declared, "initialised later, here")
    .help("initialisers run in source order: move the declaration up")
}

pub(crate) fn refers_to_itself(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0110,
        format!("{what} `{name}` refers to itself"),
        span,
        "its definition leads back to it",
    )
}

pub(crate) fn init_variable(name: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0111,
        format!("`{name}` cannot be used here"),
        span,
        "functions do not see variables of `init`",
    )
    .label(declared, "it lives with the user")
    .help(format!("give it to the function as an argument: `{name}`"))
}

pub(crate) fn not_callable(what: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0112,
        format!("{what} cannot be called"),
        span,
        "not a function",
    )
    .maybe_help(help)
}

pub(crate) fn not_importable(
    alias: &str,
    name: &str,
    what: &str,
    span: Span,
    declared: Span,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0113,
        format!("`{alias}.{name}` is {what} and cannot be imported"),
        span,
        "stays in its file",
    )
    .label(declared, "declared here")
    .help("a file hands out its fn, type, enum, const, data, pool and metric items")
}

pub(crate) fn library_only(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0114,
        format!("{what} is for library declarations only"),
        span,
        "not possible here",
    )
}

pub(crate) fn unknown_case<'a>(
    name: &str,
    case: &str,
    span: Span,
    declared: Span,
    cases: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let cases: Vec<&str> = cases.into_iter().collect();
    let all = cases.iter().map(|case| format!("`{case}`"));
    let all = format!("its cases are {}", all.collect::<Vec<_>>().join(", "));
    let help = did_you_mean(case, cases.iter().copied()).unwrap_or(all);
    Diagnostic::new(
        Code::E0115,
        format!("enum `{name}` has no case `{case}`"),
        span,
        "unknown case",
    )
    .label(declared, "the enum is declared here")
    .help(help)
}
