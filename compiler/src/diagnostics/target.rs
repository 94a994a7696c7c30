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
