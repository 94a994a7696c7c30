//! Checks and expects: what they report, and the error of an `expect` that did not hold.

use crate::ctx::Ctx;
use crate::event::Event;
use crate::fault::{Fault, kind};
use crate::host::{NativeDef, ready};
use crate::object::{Any, View, show};

pub(super) fn table() -> Vec<NativeDef> {
    vec![
        ready("rt.check", check),
        ready("rt.check_error", check_error),
        ready("rt.expect_ok", expect_ok),
        ready("rt.expect_failed", expect_failed),
    ]
}

type Sides = Option<(String, String)>;

/// Both sides as a report shows them, secrets masked; none if there is nothing to show.
fn sides(cx: &Ctx, left: Option<Any<'_>>, right: Option<Any<'_>>) -> Sides {
    if left.is_none() && right.is_none() {
        return None;
    }
    let shown = |any: Option<Any<'_>>| {
        let text = any.map_or_else(|| "none".to_owned(), |any| side(cx, any));
        cx.mask(&text)
    };
    Some((shown(left), shown(right)))
}

/// A value as it would be written in the source, where it has such a form: bytes may hold anything, even what moves the
/// cursor of a terminal.
fn side(cx: &Ctx, any: Any<'_>) -> String {
    match any.view(cx.descs()) {
        View::Str(_) => show::json_object(cx.descs(), any, None),
        View::Bytes(bytes) => show::bytes_literal(bytes),
        View::Regex(regex) => format!("re\"{}\"", regex.as_str()),
        View::Missing(_) => "missing".to_owned(),
        _ => show::interpolated_object(cx.descs(), any),
    }
}

fn report(cx: &Ctx, site: i64, label: Option<&str>, ok: bool, sides: Sides, error: Option<Fault>) {
    let label = label.map(|label| cx.mask(label));
    cx.emit(Event::Check {
        site: site as u32,
        label,
        ok,
        sides,
        error,
    });
}

fn check(
    cx: &Ctx,
    site: i64,
    label: Option<&str>,
    ok: bool,
    left: Option<Any<'_>>,
    right: Option<Any<'_>>,
) {
    let sides = if ok { None } else { sides(cx, left, right) };
    report(cx, site, label, ok, sides, None);
}

fn check_error(cx: &Ctx, site: i64, label: Option<&str>) {
    let error = cx
        .take_err()
        .and_then(|error| error.as_any().as_fault().cloned());
    report(cx, site, label, false, None, error);
}

fn expect_ok(cx: &Ctx, site: i64, label: Option<&str>) {
    report(cx, site, label, true, None, None);
}

fn expect_failed(
    cx: &Ctx,
    site: i64,
    label: Option<&str>,
    left: Option<Any<'_>>,
    right: Option<Any<'_>>,
) -> Result<(), Fault> {
    let sides = sides(cx, left, right);
    let template = cx
        .linked()
        .program
        .sites
        .get(site as usize)
        .map(|site| site.label.as_str());
    let mut message = label
        .or(template)
        .unwrap_or("the condition does not hold")
        .to_owned();
    if let Some((left, right)) = &sides {
        message.push_str(&format!(" (left is {left}, right is {right})"));
    }
    report(cx, site, label, false, sides, None);
    Err(Fault::text(kind::SCRIPT_EXPECT, message).during("expect"))
}
