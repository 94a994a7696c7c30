//! Errors of a run, drawn like those of the compiler: source line, what happened, both sides, the calls that led there.

use super::program::ProgramText;
use super::report::Report;
use super::transcript::printable;
use miette::Severity;
use scn_compiler::Span;
use scn_runtime::fault::Fault;

/// Declares the codes of runtime errors with their pages.
macro_rules! runtime_codes {
    ($($code:ident $title:literal)*) => {
        /// The code of a runtime error; each stands for a family of kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum RuntimeCode {
            $(#[doc = $title] $code,)*
        }

        impl RuntimeCode {
            /// All of them, in order.
            pub(crate) const ALL: &'static [RuntimeCode] = &[$(RuntimeCode::$code),*];

            /// As printed.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(RuntimeCode::$code => stringify!($code),)* }
            }

            /// What it is about.
            pub(crate) fn title(self) -> &'static str {
                match self { $(RuntimeCode::$code => $title,)* }
            }

            /// The page of `scn explain`.
            pub(crate) fn page(self) -> &'static str {
                match self {
                    $(RuntimeCode::$code => include_str!(concat!("../../explain/", stringify!($code), ".md")),)*
                }
            }
        }
    };
}

runtime_codes! {
    R0501 "a calculation without a result"
    R0502 "a position outside of a list or text"
    R0503 "the heap limit"
    R0504 "the depth limit"
    R0505 "an `expect` that did not hold"
    R0506 "a `fail` that nothing caught"
    R0507 "a value of another type than asked for"
    R0508 "a time limit that passed"
    R0509 "a network failure"
    R0510 "a TLS failure"
    R0511 "a name that does not resolve"
    R0512 "an HTTP exchange that broke"
    R0513 "data that cannot be read"
    R0514 "an argument that makes no sense"
    R0515 "an error of another kind"
    R0516 "addresses, ports or descriptors that ran out"
}

impl RuntimeCode {
    /// The code that is written like this, in capitals.
    pub(crate) fn parse(text: &str) -> Option<RuntimeCode> {
        RuntimeCode::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
    }

    /// The code of an error's kind.
    pub(crate) fn of_kind(kind: &str) -> RuntimeCode {
        match kind {
            "script.arithmetic" => RuntimeCode::R0501,
            "script.index" => RuntimeCode::R0502,
            "script.memory" => RuntimeCode::R0503,
            "script.depth" => RuntimeCode::R0504,
            "script.expect" => RuntimeCode::R0505,
            "script.fail" => RuntimeCode::R0506,
            "script.decode" | "script.parse" => RuntimeCode::R0507,
            "timeout" => RuntimeCode::R0508,
            "connection_refused"
            | "connection_reset"
            | "connection_aborted"
            | "network_unreachable"
            | "address_in_use"
            | "address_not_available"
            | "would_block"
            | "invalid_input"
            | "other" => RuntimeCode::R0509,
            "script.data" | "script.data_exhausted" => RuntimeCode::R0513,
            "script.argument" => RuntimeCode::R0514,
            _ => match kind.split('.').next() {
                Some("tls") => RuntimeCode::R0510,
                Some("dns") => RuntimeCode::R0511,
                Some("http") => RuntimeCode::R0512,
                Some("pool" | "resource") => RuntimeCode::R0516,
                _ => RuntimeCode::R0515,
            },
        }
    }
}

/// An error that ended something.
pub(crate) fn fault(fault: &Fault, program: &ProgramText) -> Report {
    let code = RuntimeCode::of_kind(fault.kind());
    let mut report = Report::new(Some(code.as_str()), Severity::Error, &message(fault));
    let data = fault.data();
    // An error that arose in host code is shown at the call that led there.
    let mut places = data
        .place
        .iter()
        .chain(&data.trace)
        .copied()
        .filter(|place| program.is_known(*place))
        .peekable();
    if let Some(place) = places.peek() {
        report.point(&program.sources, &[(place.span, fault.kind().to_owned())]);
    } else {
        report.note(format!("its kind is {}", fault.kind()));
    }
    if let Some(trace) = trace(&places.collect::<Vec<_>>(), program) {
        report.note(trace);
    }
    report
}

/// `in divide, called from average (x.scn:8:10)...`: nothing when the error arose in the outermost function.
fn trace(places: &[scn_runtime::fault::Place], program: &ProgramText) -> Option<String> {
    let (first, callers) = places.split_first()?;
    let mut callers = callers.iter().filter(|place| *place != first).peekable();
    callers.peek()?;
    let mut text = format!("in {}", program.function(*first)?);
    for place in callers {
        let position = program.position(*place).unwrap_or_default();
        text.push_str(&format!(
            "\ncalled from {} at {position}",
            program.function(*place).unwrap_or("?")
        ));
    }
    Some(text)
}

/// What happened. Statements of the language need no name before their message: the source line shows them.
fn message(fault: &Fault) -> String {
    match &*fault.data().operation {
        "expect" => printable(&format!("this must hold: {}", fault.message())),
        "fail" | "as" | "for" | "index" | "in" => printable(&fault.message()),
        _ => printable(&fault.to_string()),
    }
}

/// A check that did not hold, or could not be evaluated.
pub(crate) fn check(
    span: Span,
    sides: Option<&(String, String)>,
    error: Option<&Fault>,
    program: &ProgramText,
) -> Report {
    let short = |text: &str| text.chars().count() <= SHORT_SIDE && !text.contains('\n');
    let shown = sides.filter(|(left, right)| short(left) && short(right));
    let message = match (error, shown) {
        (Some(error), _) => self::message(error),
        (None, Some((left, right))) => printable(&format!("left is {left}, right is {right}")),
        (None, None) => "does not hold".to_owned(),
    };
    let mut report = Report::new(None, Severity::Error, &message);
    let label = error.map_or("does not hold", |error| error.kind());
    let place = error.and_then(|error| error.data().place);
    let span = place
        .filter(|place| program.is_known(*place))
        .map_or(span, |place| place.span);
    report.point(&program.sources, &[(span, label.to_owned())]);
    if let (Some((left, right)), None) = (sides, shown) {
        report.side("left", left);
        report.side("right", right);
    }
    report
}

/// Values up to this length stand in the headline.
const SHORT_SIDE: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_code_and_every_code_a_page() {
        assert_eq!(RuntimeCode::of_kind("script.index"), RuntimeCode::R0502);
        assert_eq!(RuntimeCode::of_kind("tls.expired"), RuntimeCode::R0510);
        assert_eq!(RuntimeCode::of_kind("protocol.smtp"), RuntimeCode::R0515);
        for code in RuntimeCode::ALL {
            assert!(
                code.page()
                    .starts_with(&format!("# {}: {}", code.as_str(), code.title()))
            );
        }
    }
}
