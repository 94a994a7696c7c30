//! 03xx: scenarios, load, pools, metrics, thresholds, servers.

use super::suggest::did_you_mean;
use super::{Code, Diagnostic};
use scn_grammar::Span;

pub(crate) fn statements_beside_sections(span: Span, section: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0301,
        "a scenario has either statements or sections",
        span,
        "a statement outside of the sections",
    )
    .label(section, "a section")
    .help("move the statements into `each { }`")
}

pub(crate) fn no_each(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0301,
        "this scenario has sections, but no `each`",
        span,
        "nothing to iterate",
    )
    .help("add `each { ... }`")
}

pub(crate) fn section_twice(word: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0302,
        format!("`{word}` is there twice"),
        span,
        "again here",
    )
    .label(first, "here first")
}

pub(crate) fn setup_parameter(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0303,
        "`setup` takes no parameter",
        span,
        "nothing runs before it",
    )
}

pub(crate) fn too_many_section_parameters(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0303,
        "there is only one parameter here",
        span,
        "one too many",
    )
}

pub(crate) fn no_setup_value(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0303,
        format!("`{name}` would be the value of `setup`, but there is none"),
        span,
        "no `setup` returns a value",
    )
    .help("add `setup { return ... }`, or remove the parameter")
}

pub(crate) fn section_parameter_type(wanted: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0303,
        format!("`setup` returns `{wanted}`, not `{found}`"),
        span,
        "another type",
    )
    .help("leave the type out")
}

pub(crate) fn line_twice(word: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0304,
        format!("a scenario has one `{word}`"),
        span,
        "again here",
    )
    .label(first, "here first")
}

pub(crate) fn load_line_twice(word: &str, span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0304,
        format!("`{word}` is there twice"),
        span,
        "again here",
    )
    .label(first, "here first")
}

pub(crate) fn two_models(a: &str, first: Span, b: &str, second: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0305,
        format!("a load block has one model, this has `{a}` and `{b}`"),
        second,
        "another model",
    )
    .label(first, "the first model")
    .help("write two scenarios: they run side by side")
}

pub(crate) fn contradiction(a: &str, first: Span, b: &str, second: Span, why: &str) -> Diagnostic {
    Diagnostic::new(
        Code::E0306,
        format!("`{a}` and `{b}` contradict each other"),
        second,
        format!("does not go with `{a}`"),
    )
    .label(first, format!("`{a}` is here"))
    .note(why)
}

pub(crate) fn iterations_of_whom(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0306,
        "whose iterations are these?",
        span,
        "neither `per user` nor `shared`",
    )
    .help("write `per user` if each user does that many, `shared` if all of them together do")
}

pub(crate) fn more_than_max(most: i64, span: Span, max: i64, max_span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0306,
        format!("{most} users are more than `max users {max}` allows"),
        span,
        format!("goes up to {most}"),
    )
    .label(max_span, "the ceiling")
}

pub(crate) fn too_small(what: &str, least: i64, span: Span) -> Diagnostic {
    let label = if least == 0 {
        "less than zero"
    } else {
        "less than one"
    };
    Diagnostic::new(
        Code::E0307,
        format!("`{what}` must be at least {least}"),
        span,
        label,
    )
}

pub(crate) fn too_short(zero: bool, span: Span) -> Diagnostic {
    match zero {
        true => Diagnostic::new(
            Code::E0307,
            "this duration must not be negative",
            span,
            "less than zero",
        ),
        false => Diagnostic::new(
            Code::E0307,
            "this duration must be more than zero",
            span,
            "no time at all",
        ),
    }
}

pub(crate) fn bad_rate(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0307,
        "this rate must be more than zero",
        span,
        "nothing would ever happen",
    )
}

pub(crate) fn bad_pause(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0307,
        "this is no pause",
        span,
        "a duration or a range of durations is needed",
    )
    .help("such as `1s` or `1s..3s`")
}

pub(crate) fn no_load(model: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0307,
        format!("all `{model}` lines are zero"),
        span,
        "nothing would ever run",
    )
}

pub(crate) fn arrivals_without_time(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0308,
        "`arrivals` needs a time",
        span,
        "for how long?",
    )
    .help("such as `arrivals 200/s for 1m`")
}

pub(crate) fn ramp_without_time(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0308, "a ramp needs a time", span, "over which time?")
        .help("such as `users 0 -> 100 over 30s`")
}

pub(crate) fn stage_without_time(span: Span, next: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0308,
        "only the last stage may go without a time",
        span,
        "for how long?",
    )
    .label(next, "would never begin")
    .help("such as `users 50 for 1m`")
}

pub(crate) fn stage_behind_the_end(span: Span, end: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0306,
        "this stage would never begin",
        span,
        "behind the end",
    )
    .label(end, "the scenario ends before it")
}

pub(crate) fn no_bound(model: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0308,
        format!("nothing says when `{model}` ends"),
        span,
        "runs forever",
    )
    .help("add `run for 5m`, or `iterations N per user`")
}

pub(crate) fn no_model(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0308,
        "this load block has no load",
        span,
        "no users, arrivals, spawn or iterations",
    )
    .help("such as `users 50 for 1m` or `arrivals 200/s for 1m`")
}

pub(crate) fn unknown_metric(name: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0309,
        format!("no metric named `{name}`"),
        span,
        "unknown metric",
    )
    .maybe_help(help)
}

pub(crate) fn bad_aggregate(aggregate: &str, metric: &str, span: Span, known: &str) -> Diagnostic {
    Diagnostic::new(
        Code::E0310,
        format!("`{metric}` has no `{aggregate}`"),
        span,
        "not an aggregate of this metric",
    )
    .help(format!("it has {known}"))
}

pub(crate) fn bad_percentile(word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0310,
        format!("`{word}` is no percentile"),
        span,
        "a percentile is between p0 and p100, both excluded",
    )
}

pub(crate) fn bad_unit(wanted: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0311,
        format!("this threshold needs {wanted}"),
        span,
        format!(
            "this is {}",
            found.split(" such as").next().unwrap_or(found)
        ),
    )
}

pub(crate) fn bad_share(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0311,
        "a share is between 0% and 100%",
        span,
        "can never be reached",
    )
}

pub(crate) fn bound_is_no_number(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0311,
        "the bound of a threshold is a number",
        span,
        "not a number, duration, rate or percentage",
    )
}

pub(crate) fn unknown_tag(tag: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0312,
        format!("no sample has a tag `{tag}`"),
        span,
        "unknown tag",
    )
    .maybe_help(help)
}

pub(crate) fn tag_of_other_metrics(
    tag: &str,
    metric: &str,
    known: &[&str],
    span: Span,
) -> Diagnostic {
    let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    Diagnostic::new(
        Code::E0312,
        format!("no sample of `{metric}` has a tag `{tag}`"),
        span,
        "only other metrics have it",
    )
    .help(format!(
        "it has {}, and what your scenarios set",
        known.join(", ")
    ))
}

pub(crate) fn unknown_tag_value(
    tag: &str,
    value: &str,
    span: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0312,
        format!("no sample has `{tag}: \"{value}\"`"),
        span,
        format!("no such {tag}"),
    )
    .maybe_help(help)
}

pub(crate) fn tag_is_text(number: i64, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0201,
        "the value of a tag is a text",
        span,
        "this is a number",
    )
    .help(format!("write `\"{number}\"`"))
}

pub(crate) fn negative_bound(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0311,
        "no sample is less than zero",
        span,
        "can never be reached",
    )
}

pub(crate) fn own_tag(tag: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0312,
        format!("the tag `{tag}` is set by the tool itself"),
        span,
        "taken",
    )
    .help("choose another name")
}

pub(crate) fn overlap(span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0313,
        "this range overlaps another",
        span,
        "some of these addresses are there already",
    )
    .label(first, "the other range")
}

pub(crate) fn reserved_outside(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0314,
        "this reserves addresses that are not in the pool",
        span,
        "outside of its ranges",
    )
}

pub(crate) fn pool_circle(names: &[String], span: Span) -> Diagnostic {
    let mut chain = names.join(" -> ");
    chain.push_str(&format!(" -> {}", names[0]));
    Diagnostic::new(
        Code::E0315,
        "exhausted pools would wait for each other forever",
        span,
        "the circle starts here",
    )
    .note(format!("the circle is {chain}"))
    .help("let one of them `fail` or `share`")
}

pub(crate) fn unknown_pool(name: &str, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(
        Code::E0101,
        format!("no pool named `{name}`"),
        span,
        "not found",
    )
    .maybe_help(help)
}

pub(crate) fn empty_pool(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0316,
        format!("pool `{name}` has no addresses"),
        span,
        "no `range` in it",
    )
    .help("add a line such as `range \"127.0.1.0/26\"`")
}

pub(crate) fn all_reserved(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0316,
        format!("pool `{name}` has no addresses"),
        span,
        "all of them are reserved",
    )
}

pub(crate) fn unknown_word(what: &str, word: &str, span: Span, known: &[&str]) -> Diagnostic {
    let all: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    let help = did_you_mean(word, known.iter().copied())
        .unwrap_or_else(|| format!("it is one of {}", all.join(", ")));
    Diagnostic::new(
        Code::E0317,
        format!("no {what} named `{word}`"),
        span,
        "unknown word",
    )
    .help(help)
}

pub(crate) fn bad_route(why: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0318,
        format!("this is no valid path of a route: {why}"),
        span,
        "in this path",
    )
    .help("such as `\"/users/{id: int}\"`")
}

pub(crate) fn route_twice(span: Span, first: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0318,
        "this route is never reached",
        span,
        "the same as the one before",
    )
    .label(first, "this one is taken")
}

pub(crate) fn bad_metric(found: &str, span: Span) -> Diagnostic {
    let help = did_you_mean(found, ["counter", "gauge", "rate", "trend"]).unwrap_or_else(|| {
        "a metric is a `counter`, `gauge`, `rate` or `trend<duration>`".to_owned()
    });
    Diagnostic::new(
        Code::E0319,
        "this is no metric type",
        span,
        "not a kind of metric",
    )
    .help(help)
}

pub(crate) fn bad_metric_samples(kind: &str, allowed: &[String], span: Span) -> Diagnostic {
    let allowed: Vec<_> = allowed.iter().map(|ty| format!("`{kind}<{ty}>`")).collect();
    Diagnostic::new(
        Code::E0319,
        format!("these are no samples of a {kind}"),
        span,
        "wrong type argument",
    )
    .help(format!("it is one of {}", allowed.join(", ")))
}

pub(crate) fn data_is_no_list(found: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0320,
        "a data set is a list of rows",
        span,
        format!("this is `{found}`"),
    )
    .help(format!("write `list<{found}>`"))
}

pub(crate) fn no_weight(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0321,
        "no arm of this `choose` can be taken",
        span,
        "no weight is above zero",
    )
}

pub(crate) fn unknown_server_option(
    protocol: &str,
    span: Span,
    help: Option<String>,
) -> Diagnostic {
    Diagnostic::new(
        Code::E0322,
        format!("a `{protocol}` server has no such option"),
        span,
        "unknown option",
    )
    .maybe_help(help)
}

pub(crate) fn http_server_body(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0322,
        "an `http` server has routes, not a body",
        span,
        "statements outside of a route",
    )
    .help("write `GET \"/path\" { ... }`, or `_ { ... }` for everything")
}

pub(crate) fn routes_without_http(protocol: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0322,
        format!("a `{protocol}` server has no routes"),
        span,
        "only `http` servers have routes",
    )
}

pub(crate) fn server_without_body(protocol: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0322,
        format!("this `{protocol}` server has no body"),
        span,
        "does nothing with a connection",
    )
    .help("such as `server echo tcp \"127.0.0.1:0\" (conn) { ... }`")
}
