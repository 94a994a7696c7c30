//! What no component can do, found before it is built: calls without a body, arguments that hosts have no say in,
//! items of other machines. Enter at [`of`].

use super::capabilities::trace::{self, Call, Known};
use super::files::FILES;
use super::{Bodies, Https};
use crate::diagnostics::Diagnostic;
use crate::diagnostics::target::{self, Argument};
use crate::ir::load::Stage;
use crate::ir::{
    ConstObject, Function, GlobalKind, NativeId, Op, Program, Scenario, Terminator, TryOp, WaitOp,
};
use scn_grammar::Span;

/// As many users as one component leads.
const MOST_USERS: u64 = 1_000;

/// Everything that a program does and no component can, in the order of its places.
pub(super) fn of(user: &Program, bodies: &Bodies, https: Https) -> Vec<Diagnostic> {
    let calls = missing_bodies(user, bodies);
    let has_sources = user.scenarios.iter().any(has_source);
    let arguments = trace::calls(user).into_iter().flat_map(|call| match https {
        Https::WasiHttp => [
            refused_arguments(&call),
            not_handed_over(&call, has_sources),
        ]
        .concat(),
        Https::WhereNamed | Https::WasiTls => refused_arguments(&call),
    });
    let mut found: Vec<Diagnostic> = calls
        .chain(arguments)
        .chain(refused_patterns(user))
        .chain(refused_items(user))
        .collect();
    found.sort_by_key(|one| (one.span().source, one.span().start, one.span().end));
    found.dedup();
    found
}

/// What a program calls that no component has, where it calls it.
fn missing_bodies<'p>(
    user: &'p Program,
    bodies: &'p Bodies,
) -> impl Iterator<Item = Diagnostic> + 'p {
    let found = user.functions.iter().flat_map(host_calls);
    found
        .map(|(span, native)| (span, &user.natives[native.index()].name))
        .filter(|(_, name)| !bodies.has(name) && *name != "server.handshake")
        .map(|(span, name)| target::no_native(name, span))
}

/// The natives that a function calls, with the places of the calls.
fn host_calls(function: &Function) -> Vec<(Span, NativeId)> {
    let mut found = Vec::new();
    for block in &function.blocks {
        for inst in &block.insts {
            if let Op::Host(native, _) = &inst.op {
                found.push((inst.span, *native));
            }
        }
        match &block.term {
            Terminator::Try {
                op: TryOp::Host(native, _),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Host(native, _),
                ..
            } => found.push((block.term_span, *native)),
            _ => {}
        }
    }
    found
}

/// Where the arguments of TLS begin, `verify`, `roots`, `cert`, `key`: those of `http` are the last but one.
fn tls_arguments(call: &Call) -> Option<usize> {
    match call.name.as_str() {
        "tls.connect" | "TcpConn.start_tls" => Some(3),
        "http.get" | "http.head" | "http.post" | "http.put" | "http.patch" | "http.delete"
        | "http.options" | "http.request" => call.arguments.len().checked_sub(5),
        _ => None,
    }
}

/// Arguments that are given and that a component can do nothing about, and files that are not known.
fn refused_arguments(call: &Call) -> Vec<Diagnostic> {
    let given = |at: usize| call.arguments.get(at).unwrap_or(&Known::Unknown);
    if FILES.contains(&call.name.as_str()) {
        let is_constant = matches!(
            given(0),
            Known::Text {
                whole: true,
                param: None,
                ..
            }
        );
        return match is_constant {
            true => Vec::new(),
            false => vec![target::file_not_constant(&call.name, call.span)],
        };
    }
    if call.name == "re.compile" {
        return refused_text(given(0), call.span).into_iter().collect();
    }
    let Some(start) = tls_arguments(call) else {
        return Vec::new();
    };
    let is_text = |at: usize, wanted: &str| matches!(given(at), Known::Text { start, whole: true, .. } if start == wanted);
    let is_left_out = |at: usize| *given(at) == Known::Null;
    let mut found = Vec::new();
    let mut expect = |name: &'static str, argument: Argument, holds: bool| {
        if !holds {
            found.push(target::argument(name, argument, &call.name, call.span));
        }
    };
    expect("verify", Argument::Trust, *given(start) == Known::Int(1));
    expect("roots", Argument::Trust, is_left_out(start + 1));
    expect("cert", Argument::Identity, is_left_out(start + 2));
    expect("key", Argument::Identity, is_left_out(start + 3));
    if start == 3 {
        expect("alpn", Argument::Agreement, is_left_out(2));
        expect("min_version", Argument::Agreement, is_text(7, "1.2"));
        expect("max_version", Argument::Agreement, is_text(8, "1.3"));
    }
    found
}

/// What is not possible where the host makes requests to `https`.
fn not_handed_over(call: &Call, has_sources: bool) -> Vec<Diagnostic> {
    if matches!(call.name.as_str(), "tls.connect" | "TcpConn.start_tls") {
        return vec![target::no_own_tls(&call.name, call.span)];
    }
    let url = usize::from(call.name == "http.request");
    let is_https = matches!(call.arguments.get(url), Some(Known::Text { start, .. })
        if start.starts_with("https:"));
    let (true, Some(trust)) = (is_https, tls_arguments(call)) else {
        return Vec::new();
    };
    let (bind, server_name) = (trust - 4, trust + 4);
    let mut given = vec![
        ("bind", bind, Known::Null),
        ("server_name", server_name, Known::Null),
    ];
    if call.arguments.len() > WITHOUT_BODY {
        given.push(("expect_continue", bind - 8, Known::Int(0)));
    }
    given.retain(|(_, at, usual)| call.arguments[*at] != *usual);
    let names = given.iter().map(|(name, ..)| *name);
    names
        .chain(has_sources.then_some("source"))
        .map(|name| target::argument(name, Argument::Handover, &call.name, call.span))
        .collect()
}

/// Whether users of a scenario have addresses from a pool.
fn has_source(scenario: &Scenario) -> bool {
    let mut stages = scenario.load.iter().flat_map(|load| &load.stages);
    scenario.source.is_some()
        || stages.any(|stage| matches!(stage, Stage::Spawn { pool: Some(_), .. }))
}

/// As many arguments have requests without a body.
const WITHOUT_BODY: usize = 19;

/// Constant regular expressions with what components have no tables for.
fn refused_patterns(user: &Program) -> impl Iterator<Item = Diagnostic> + '_ {
    let functions = user.functions.iter();
    let insts = functions.flat_map(|function| function.blocks.iter().flat_map(|one| &one.insts));
    insts.filter_map(|inst| match &inst.op {
        Op::Const(constant) => property_in(&user.consts[constant.index()])
            .map(|property| target::pattern(property, inst.span)),
        _ => None,
    })
}

/// The same in a text that is compiled when the program runs. The value of a param may be another one then.
fn refused_text(text: &Known, span: Span) -> Option<Diagnostic> {
    match text {
        Known::Text {
            start, param: None, ..
        } => property(start).map(|property| target::pattern(property, span)),
        _ => None,
    }
}

/// A property of Unicode in a regular expression of a constant.
fn property_in(constant: &ConstObject) -> Option<&str> {
    match constant {
        ConstObject::Regex(pattern) => property(pattern),
        ConstObject::List(_, all) | ConstObject::Slots(_, all) => all.iter().find_map(property_in),
        ConstObject::Map(_, all) => all
            .iter()
            .find_map(|(key, value)| property_in(key).or_else(|| property_in(value))),
        _ => None,
    }
}

/// `\p{L}` of a regular expression.
fn property(pattern: &str) -> Option<&str> {
    let mut rest = pattern;
    while let Some(at) = rest.find('\\') {
        let escape = &rest[at..];
        let letter = escape[1..].chars().next()?;
        if matches!(letter, 'p' | 'P') {
            let end = match escape[2..].starts_with('{') {
                true => escape.find('}').map_or(escape.len(), |end| end + 1),
                false => 2 + escape[2..].chars().next().map_or(0, char::len_utf8),
            };
            return Some(&escape[..end]);
        }
        rest = &escape[1 + letter.len_utf8()..];
    }
    None
}

/// Items that no component has: servers of TLS, more users than one leads.
fn refused_items(user: &Program) -> impl Iterator<Item = Diagnostic> {
    let servers = user.globals.iter().filter_map(|global| {
        let what = match &global.kind {
            GlobalKind::Server(server) if server.protocol == "tls" => "server ... tls",
            GlobalKind::Server(server) if has_options(&user.functions[server.start.index()]) => {
                "server ... http (cert: ..., key: ...)"
            }
            _ => return None,
        };
        Some(target::secure_server(what, global.span))
    });
    let crowded = user.scenarios.iter().filter_map(too_many_users);
    servers.chain(crowded)
}

/// Whether a server's start function hands over options.
fn has_options(start: &Function) -> bool {
    let mut insts = start.blocks.iter().flat_map(|block| &block.insts);
    insts.any(|inst| matches!(&inst.op, Op::NewList(_, parts) if !parts.is_empty()))
}

/// A plan that needs more users than one component leads.
fn too_many_users(scenario: &Scenario) -> Option<Diagnostic> {
    let users = scenario.load.as_ref()?.peak_users()?;
    (users > MOST_USERS).then(|| {
        let (name, span) = (&scenario.name, scenario.span);
        target::too_many_users(name, users, MOST_USERS, span)
    })
}

#[cfg(test)]
mod tests {
    use super::property;

    #[test]
    fn properties_are_found_and_nothing_else() {
        for (pattern, found) in [
            (r"a\p{L}+", Some(r"\p{L}")),
            (r"[\P{Greek}x]", Some(r"\P{Greek}")),
            (r"\\\pL", Some(r"\pL")),
            (r"\\p{L}", None),
            (r"\w\d[a-p]", None),
            (r"p{2}", None),
        ] {
            assert_eq!(property(pattern), found, "{pattern}");
        }
    }
}
