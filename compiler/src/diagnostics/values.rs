//! 02xx: values and what is done with them: constants, secrets, changes, jumps.

use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn immutable(
    name: &str,
    why: &str,
    span: Span,
    declared: Span,
    parameter: bool,
) -> Diagnostic {
    let label = if parameter {
        "it cannot change: copy it into a `var`"
    } else {
        "declared with `let`"
    };
    let help = if parameter {
        format!("write `var changed = {name}`")
    } else {
        format!("declare it as `var {name}`")
    };
    Diagnostic::new(Code::E0210, format!("`{name}` cannot change"), span, why)
        .label(declared, label)
        .help(help)
}

pub(crate) fn immutable_item(name: &str, what: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0210,
        format!("`{name}` is a {what} and cannot change"),
        span,
        "assigned here",
    )
    .label(declared, "declared here")
}

pub(crate) fn changes_a_temporary(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0210,
        format!("`{name}` changes its receiver, which nobody could see"),
        span,
        "this is no variable",
    )
    .help("put it into a `var` first")
}

pub(crate) fn not_a_place(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0232,
        "this cannot be assigned",
        span,
        "not a variable or a part of one",
    )
}

pub(crate) fn no_field_to_set(ty: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0232,
        format!("`{name}` of `{ty}` cannot be assigned"),
        span,
        "only records have fields to assign",
    )
}

pub(crate) fn no_element_to_set(ty: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0232,
        format!("elements of `{ty}` cannot be assigned"),
        span,
        format!("this is `{ty}`"),
    )
    .help("lists and maps have elements to assign")
}

pub(crate) fn assigned_in_branch(
    name: &str,
    branch: &str,
    span: Span,
    declared: Span,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0224,
        format!("{branch} cannot assign `{name}`"),
        span,
        "assigned here",
    )
    .label(declared, "declared outside of the branch")
    .help("branches run side by side: let the branch have a `let` of its own, and join the values afterwards")
}

pub(crate) fn jump_out(word: &str, from: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0213,
        format!("`{word}` cannot leave {from}"),
        span,
        format!("would leave {from}"),
    )
}

pub(crate) fn no_loop(word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0213,
        format!("`{word}` outside of a loop"),
        span,
        "there is no loop around this",
    )
}

pub(crate) fn nothing_to_return_from(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0213,
        "there is nothing to return from here",
        span,
        "not in a function",
    )
}

pub(crate) fn given_twice(what: &str, name: &str, span: Span, first: Span) -> Diagnostic {
    let name = name.trim_matches('"');
    Diagnostic::new(
        Code::E0214,
        format!("{what} `{name}` is given twice"),
        span,
        "given again here",
    )
    .label(first, "given here first")
}

pub(crate) fn missing_field(name: &str, ty: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0215,
        format!("field `{name}` of `{ty}` is missing"),
        span,
        format!("has no `{name}`"),
    )
    .help(format!(
        "add `{name}: ...`; only fields of a type `T?` may be left out"
    ))
}

pub(crate) fn spread_not_first(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0214,
        "`...` comes first, the changes after it",
        span,
        "would overwrite what stands before",
    )
    .help("move it to the front")
}

pub(crate) fn spread_of(ty: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        format!("`...` copies a record, this is `{ty}`"),
        span,
        format!("this is `{ty}`"),
    )
}

pub(crate) fn spread_in_map(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        "`...` copies records, not maps",
        span,
        "in a map literal",
    )
    .help("write `a.merge({ \"key\": value })`")
}

pub(crate) fn secret_leak(wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0216,
        "a secret cannot go here",
        span,
        format!("this is secret, a plain `{wanted}` is expected"),
    )
    .note("secrets go over the wire (headers, body, form, json, auth, send) and into `crypto`, nowhere else")
}

pub(crate) fn secret_shown(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0216, format!("{what} would show a secret"), span, "this is secret")
        .note("secrets go over the wire (headers, body, form, json, auth, send) and into `crypto`, nowhere else")
}

pub(crate) fn secret_argument(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0216, format!("the secret `{text}` cannot go here"), span, "this is secret")
        .note("secrets go over the wire (headers, body, form, json, auth, send) and into `crypto`, nowhere else")
}

pub(crate) fn secret_method(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0216,
        format!("`{name}` would show a part of a secret"),
        span,
        "this is secret",
    )
}

pub(crate) fn no_value(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0217,
        format!("this constant has no value: {why}"),
        span,
        why,
    )
}

pub(crate) fn negative_index(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0219,
        "an index is not negative",
        span,
        "counts from 0",
    )
    .help("write `.last()` for the last element")
}

pub(crate) fn not_positive(zero: bool, span: Span) -> Diagnostic {
    let (message, label) = match zero {
        true => ("this must not be negative", "less than zero"),
        false => ("this must be more than zero", "zero or less"),
    };
    Diagnostic::new(Code::E0219, message, span, label)
}

pub(crate) fn empty_range(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0219,
        "this range is empty",
        span,
        "it ends before it starts",
    )
    .help("write the smaller end first; `..=` includes the end")
}

pub(crate) fn not_constant(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0218,
        "a constant is needed here",
        span,
        "known only when the program runs",
    )
}

pub(crate) fn bad_constant(what: &str, why: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0219,
        format!("this is no valid {what}: {why}"),
        span,
        why.to_owned(),
    )
    .maybe_help(help)
}

pub(crate) fn bad_regex(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0219,
        format!("this is no valid regular expression: {why}"),
        span,
        why.to_owned(),
    )
}

pub(crate) fn percent_outside_threshold(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0219,
        "percentages are for thresholds",
        span,
        "not in an expression",
    )
    .help("write a float: `1%` is `0.01`")
}

pub(crate) fn unknown_kind(kind: &str, span: Span, near: Option<&str>) -> Diagnostic {
    Diagnostic::new(
        Code::E0220,
        format!("no error has the kind \"{kind}\""),
        span,
        "unknown kind",
    )
    .help(match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "kinds of your own start with \"protocol.\"".to_owned(),
    })
}

pub(crate) fn rethrow_with_kind(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        "an error that is raised again keeps its kind",
        span,
        "this would change it",
    )
    .help("write `fail e.message kind \"...\"` for a new error")
}

pub(crate) fn no_value_here(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0221,
        "a value is needed, but this has none",
        span,
        "gives no value",
    )
}

pub(crate) fn block_without_value(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0221,
        "this block has no value, but one is needed",
        span,
        "the last statement is no expression",
    )
    .help("end the block with the value")
}

pub(crate) fn if_without_else(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0221,
        "an `if` whose value is used needs an `else`",
        span,
        "no value if the condition is false",
    )
}

pub(crate) fn initialiser_waits(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0225,
        format!("{what} cannot wait"),
        span,
        "this may wait for the network or the clock",
    )
    .help("do it in `setup`, whose value every section gets")
}

pub(crate) fn no_text(found: &str, span: Span, help: Option<&str>) -> Diagnostic {
    Diagnostic::new(
        Code::E0229,
        format!("`{found}` cannot be part of a text"),
        span,
        format!("this is `{found}`"),
    )
    .maybe_help(help.map(str::to_owned))
}

pub(crate) fn no_branches(what: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0221,
        format!("`{what}` has no branches"),
        span,
        "nothing to run",
    )
}

pub(crate) fn handle_in_setup(found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0231,
        "the value of `setup` cannot hold a handle",
        span,
        format!("returns `{found}`"),
    )
    .note("its value is copied to every user; a handle belongs to one")
    .help("open it in `init`")
}
