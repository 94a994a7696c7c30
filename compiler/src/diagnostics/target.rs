//! 04xx: what is not possible on a target.

use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn no_native(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0401,
        format!("`{name}` is not available in a component"),
        span,
        "not available on wasip2",
    )
    .help("run the file itself with `scn run`, or leave this call out")
}

pub(crate) fn no_own_tls(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0401,
        format!("`{name}` is not available in a component that is built with `--https wasi-http`"),
        span,
        "needs TLS of its own",
    )
    .help("build with `--https wasi-tls`, or leave this call out")
}

pub(crate) fn too_many_users(scenario: &str, users: u64, most: u64, span: Span) -> Diagnostic {
    let parts = users.div_ceil(most);
    Diagnostic::new(
        Code::E0402,
        format!("`{scenario}` has up to {users} users, a component leads at most {most}"),
        span,
        "too many for one component",
    )
    .help(format!(
        "plan for {most} users at most, and run {parts} instances side by side: `scn run x.wasm --instances {parts} --users {users}`"
    ))
}

pub(crate) fn no_outside_form(shown: &str, help: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0403,
        format!("`{shown}` cannot be handed over to another component"),
        span,
        format!("`{shown}` in an exported function"),
    )
    .help(help)
}

pub(crate) fn secret_outside(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0403,
        "a secret cannot be handed over to another component",
        span,
        "a secret in an exported function",
    )
    .help("nobody keeps it secret there: take a plain value and make a secret of it with `secret(...)`")
}

pub(crate) fn no_outside_name(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0404,
        format!("`{name}` is no name in an interface"),
        span,
        "exported from here",
    )
    .help("names there begin with a letter")
}

pub(crate) fn same_outside_name(name: &str, other: &str, label: &str, span: Span) -> Diagnostic {
    let message = match name == other {
        true => format!("two things of the interface are called `{name}`"),
        false => format!("`{other}` and `{name}` are the same name in an interface"),
    };
    Diagnostic::new(
        Code::E0404,
        message,
        span,
        format!("the second one that is called `{label}`"),
    )
    .help("give one of them another name: outside, words are small and joined by hyphens, and functions and types share their names")
}

/// What an argument would decide.
#[derive(Clone, Copy)]
pub(crate) enum Argument {
    /// Whose certificates are trusted.
    Trust,
    /// A certificate of one's own.
    Identity,
    /// What the two sides agree on.
    Agreement,
    /// How a request goes out that the host makes.
    Handover,
}

pub(crate) fn argument(name: &str, argument: Argument, call: &str, span: Span) -> Diagnostic {
    let (reason, help) = match argument {
        Argument::Trust => (
            "whom a component trusts is decided by its host",
            "leave it out, and run the component with `--roots FILE` where the system's authorities are not the right ones",
        ),
        Argument::Identity => (
            "hosts have no client certificates for components",
            "leave it out, or run the file itself with `scn run`",
        ),
        Argument::Agreement => (
            "what TLS agrees on is decided by the component's host",
            "leave it out, or run the file itself with `scn run`",
        ),
        Argument::Handover => (
            "requests to https are made by the host, because of `--https wasi-http`",
            "leave it out, or build with `--https wasi-tls`",
        ),
    };
    Diagnostic::new(
        Code::E0405,
        format!("`{name}` of `{call}` cannot be given in a component"),
        span,
        reason,
    )
    .help(help)
}

pub(crate) fn pattern(property: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0405,
        format!("`{property}` is not available in a component"),
        span,
        "components carry no tables of Unicode's properties",
    )
    .help("write the characters as ranges such as `[a-zA-Z]`, or use `\\w`, `\\d` and `\\s`, which know all of Unicode")
}

pub(crate) fn secure_server(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0401,
        format!("`{what}` is not available in a component"),
        span,
        "hosts offer TLS to clients only",
    )
    .help("serve without TLS, or run the file itself with `scn run`")
}

pub(crate) fn file_not_constant(call: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0401,
        format!("`{call}` of a path that is not constant is not available in a component"),
        span,
        "files are read when the component is built, and this path is not known then",
    )
    .help("write the path as a text, or run the file itself with `scn run`")
}

pub(crate) fn no_file(path: &str, why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0406,
        format!("cannot embed `{path}`: {why}"),
        span,
        "read when the component is built",
    )
    .help("paths are relative to the folder of the scenario's file")
}
