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
