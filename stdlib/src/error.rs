//! What `catch e { }` binds.

use scn_runtime::{Fault, NativeDef, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("error.kind", kind),
        ready("error.message", message),
        ready("error.operation", operation),
        ready("error.is", is),
    ]
}

fn kind(error: &Fault) -> String {
    error.kind().to_owned()
}

fn message(error: &Fault) -> String {
    error.message()
}

fn operation(error: &Fault) -> String {
    error.data().operation.to_string()
}

fn is(error: &Fault, family: &str) -> bool {
    let rest = error.kind().strip_prefix(family);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
