//! Checks and expects: what they report, and the error of an `expect` that did not hold.

use crate::ctx::Ctx;
use crate::event::Event;
use crate::fault::{Fault, kind};
use crate::host::{NativeDef, ready};
use crate::object::{Any, View, show};
use crate::report::CheckExample;

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

/// What a report says beside its site.
#[derive(Clone, Default)]
struct Findings {
    label: Option<String>,
    sides: Sides,
    error: Option<Fault>,
}

impl Findings {
    fn new(cx: &Ctx, label: Option<&str>, sides: Sides) -> Findings {
        Findings {
            label: label.map(|label| cx.mask(label)),
            sides,
            error: None,
        }
    }

    fn example(mut self, cx: &Ctx) -> CheckExample {
        if let Some(error) = &mut self.error {
            cx.mask_fault(error);
        }
        let user = cx.user();
        CheckExample {
            label: self.label,
            sides: self.sides,
            error: self.error,
            user: user.id,
            iteration: user.iteration.get(),
        }
    }
}

fn tell(cx: &Ctx, site: i64, ok: bool, found: Findings) {
    cx.emit(Event::Check {
        site: site as u32,
        label: found.label,
        ok,
        sides: found.sides,
        error: found.error,
    });
}

/// Measures a `check`. What it found costs texts: they are made where somebody wants to see them, and for the first
/// failure.
fn conclude(cx: &Ctx, site: i64, ok: bool, find: impl FnOnce() -> Findings) {
    if cx.tells() {
        let found = find();
        cx.record_check(site as u32, ok, || found.clone().example(cx));
        tell(cx, site, ok, found);
    } else {
        cx.record_check(site as u32, ok, || find().example(cx));
    }
}

fn check(
    cx: &Ctx,
    site: i64,
    label: Option<&str>,
    ok: bool,
    left: Option<Any<'_>>,
    right: Option<Any<'_>>,
) {
    conclude(cx, site, ok, || {
        let sides = if ok { None } else { sides(cx, left, right) };
        Findings::new(cx, label, sides)
    });
}

fn check_error(cx: &Ctx, site: i64, label: Option<&str>) {
    let error = cx.take_fault();
    conclude(cx, site, false, || Findings {
        error,
        ..Findings::new(cx, label, None)
    });
}

fn expect_ok(cx: &Ctx, site: i64, label: Option<&str>) {
    if cx.tells() {
        tell(cx, site, true, Findings::new(cx, label, None));
    }
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
    if cx.tells() {
        tell(cx, site, false, Findings::new(cx, label, sides));
    }
    Err(Fault::text(kind::SCRIPT_EXPECT, message).during("expect"))
}
