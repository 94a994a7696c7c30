//! 02xx: types that do not fit.

use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn mismatch(wanted: &str, found: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        format!("expected `{wanted}`, found `{found}`"),
        span,
        format!("this is `{found}`"),
    )
    .maybe_help(help)
}

pub(crate) fn none_where_value(wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        format!("expected `{wanted}`, found `none`"),
        span,
        "this is never `none`",
    )
    .help(format!(
        "a value that may be missing has the type `{wanted}?`"
    ))
}

pub(crate) fn needs_type(literal: &str, span: Span) -> Diagnostic {
    let example = match literal {
        "none" => "let x: int? = none",
        "{}" => "let x: map<string, int> = {}",
        _ => "let x: list<int> = []",
    };
    Diagnostic::new(
        Code::E0202,
        format!("cannot tell the type of `{literal}`"),
        span,
        "needs an expected type",
    )
    .help(format!("declare the type: `{example}`"))
}

pub(crate) fn bad_binary(
    op: &str,
    left: &str,
    left_span: Span,
    right: &str,
    right_span: Span,
    op_span: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        format!("`{op}` does not work on `{left}` and `{right}`"),
        op_span,
        "not possible",
    )
    .label(left_span, format!("this is `{left}`"))
    .label(right_span, format!("this is `{right}`"))
    .maybe_help(help)
}

pub(crate) fn bad_unary(op: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        format!("`{op}` does not work on `{found}`"),
        span,
        format!("this is `{found}`"),
    )
}

pub(crate) fn not_comparable(op: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        format!("values of `{found}` cannot be compared with `{op}`"),
        span,
        "not possible",
    )
}

pub(crate) fn matches_needs_regex(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        "`matches` needs a regular expression",
        span,
        "this is `string`",
    )
    .help("write `re\"...\"`, or use `contains` for plain text")
}

pub(crate) fn bad_range(start: &str, start_span: Span, end: &str, end_span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        format!("there is no range from `{start}` to `{end}`"),
        start_span,
        format!("this is `{start}`"),
    )
    .label(end_span, format!("this is `{end}`"))
    .help("both ends are ints, floats or durations")
}

pub(crate) fn optional_as_value(found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0204,
        format!("this may be missing: it is `{found}`"),
        span,
        "a value is needed here",
    )
    .help("give a value for the case that it is missing with `??`, or take it out with `if let`")
}

pub(crate) fn optional_member(found: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0204,
        format!("this may be missing: it is `{found}`"),
        span,
        format!("`{name}` is there only if this is"),
    )
    .help(format!(
        "write `?.{name}`, or take the value out with `??` or `if let`"
    ))
}

pub(crate) fn not_optional(op: &str, found: &str, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(
        Code::E0203,
        format!("`{op}` is for values that may be missing, this is `{found}`"),
        span,
        "this is always there",
    )
    .help(help)
}

pub(crate) fn bad_cast(
    from: &str,
    to: &str,
    span: Span,
    to_span: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0207,
        format!("`{from}` cannot be cast to `{to}`"),
        span,
        "not possible",
    )
    .label(to_span, "this type")
    .maybe_help(help)
    .note("`as` decodes json, and parses text to int, float, bool, duration, ip, addr and enums")
}

pub(crate) fn not_iterable(found: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0208,
        format!("`{found}` has no elements to walk over"),
        span,
        format!("this is `{found}`"),
    )
    .maybe_help(help)
}

pub(crate) fn not_exhaustive(ty: &str, missing: &str, open: bool, span: Span) -> Diagnostic {
    let (message, help) = if open {
        (
            format!("this match does not cover all values of `{ty}`"),
            "add an arm `_ => ...`".to_owned(),
        )
    } else {
        (
            format!("this match does not cover `{missing}`"),
            format!("add an arm `{missing} => ...`, or `_ => ...`"),
        )
    };
    Diagnostic::new(Code::E0209, message, span, "not all cases are covered").help(help)
}

pub(crate) fn missing_return(
    name: &str,
    wanted: &str,
    end: Span,
    declared: Option<Span>,
    has_value: bool,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(
        Code::E0211,
        format!("`{name}` can end without returning a value"),
        end,
        "this end is reached without `return`",
    );
    if let Some(declared) = declared {
        diagnostic = diagnostic.label(declared, format!("`{wanted}` is promised here"));
    }
    diagnostic.help(if has_value {
        "write `return` before the last expression"
    } else {
        "add a `return`, or `fail` where there is no value"
    })
}

pub(crate) fn unexpected_return(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0212,
        "no value is expected here",
        span,
        "this value goes nowhere",
    )
    .help("write `return` alone, or declare what the function gives: `fn name() -> int`")
}

pub(crate) fn return_without_value(wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0212,
        format!("`return` needs a value of type `{wanted}`"),
        span,
        "no value",
    )
}

pub(crate) fn branches_differ(a: &str, a_span: Span, b: &str, b_span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0222,
        format!("these values have different types: `{a}` and `{b}`"),
        b_span,
        format!("this is `{b}`"),
    )
    .label(a_span, format!("this is `{a}`"))
}

pub(crate) fn bad_key(found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0223,
        format!("`{found}` cannot be the key of a map"),
        span,
        "not possible as a key",
    )
    .help("keys are string, int, bool, ip, addr or an enum")
}

pub(crate) fn bad_destructuring(found: &str, names: usize, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0226,
        format!("`{found}` does not come apart into {names} values"),
        span,
        format!("{names} names"),
    )
}

pub(crate) fn none_pattern(found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0227,
        format!("`{found}` is never `none`"),
        span,
        "this arm would never be taken",
    )
    .help("remove the arm")
}

pub(crate) fn bad_pattern(what: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0227,
        format!("{what} does not match values of `{found}`"),
        span,
        "another type",
    )
}

pub(crate) fn binding_in_or(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0227,
        format!("`{name}` would have no value in the other alternatives"),
        span,
        "a name among alternatives",
    )
    .help("write `_`, or give the name an arm of its own")
}

pub(crate) fn not_indexable(found: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0228,
        format!("`{found}` cannot be indexed"),
        span,
        format!("this is `{found}`"),
    )
    .maybe_help(help)
}

pub(crate) fn type_arguments(name: &str, wanted: usize, found: usize, span: Span) -> Diagnostic {
    let example = match name {
        "map" => "map<string, int>",
        "secret" => "secret<string>",
        _ => "list<int>",
    };
    let word = if wanted == 1 {
        "type argument"
    } else {
        "type arguments"
    };
    Diagnostic::new(
        Code::E0230,
        format!(
            "`{name}` takes {wanted} {word}, {found} {} given",
            if found == 1 { "is" } else { "are" }
        ),
        span,
        "incomplete",
    )
    .help(format!("such as `{example}`"))
}

pub(crate) fn no_type_arguments(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0230,
        format!("`{name}` takes no type arguments"),
        span,
        "one too many",
    )
}
