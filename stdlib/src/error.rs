//! What `catch e { }` binds.

use scn_runtime::{Ctx, Fault, NativeDef, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("error.kind", kind),
        ready("error.message", message),
        ready("error.operation", operation),
        ready("error.place", place),
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

fn place(ctx: &Ctx, error: &Fault) -> String {
    let span = error.data().place.map(|place| place.span);
    let source = span.and_then(|span| ctx.linked().program.sources.get(span.source.0 as usize));
    let Some((span, (name, text))) = span.zip(source) else {
        return String::new();
    };
    let before = text.get(..span.start as usize).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    format!("{name}:{line}:{column}")
}

fn is(error: &Fault, family: &str) -> bool {
    let rest = error.kind().strip_prefix(family);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_start_of_a_kind() {
        let error = Fault::fixed("tls.expired", "the certificate has expired");
        assert!(is(&error, "tls") && is(&error, "tls.expired"));
        assert!(!is(&error, "tl") && !is(&error, "tls.exp") && !is(&error, "http"));
    }
}
