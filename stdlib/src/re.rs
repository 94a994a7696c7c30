//! Regular expressions: methods of `regex` and the module `re`.

use crate::{raise, shape, text};
use regex::{Captures, Regex};
use scn_runtime::{Any, Ctx, DescId, Fault, NativeDef, Own, OwnSlot, VarList, VarMap, View, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("regex.matches", matches),
        ready("regex.find", find),
        ready("regex.find_all", find_all),
        ready("regex.capture", capture),
        ready("regex.captures", captures),
        ready("regex.captures_all", captures_all),
        ready("regex.replace", replace),
        ready("regex.split", split),
        ready("regex.pattern", pattern),
        ready("re.compile", compile),
        ready("re.escape", escape),
    ]
}

fn matches(regex: &Regex, text: &str) -> bool {
    regex.is_match(text)
}

fn find(ctx: &Ctx, regex: &Regex, text: &str) -> Option<Own> {
    regex
        .find(text)
        .map(|found| ctx.heap.string(found.as_str()))
}

fn find_all(ctx: &Ctx, regex: &Regex, text: &str) -> VarList {
    VarList::of_strings(ctx, regex.find_iter(text).map(|found| found.as_str()))
}

fn capture(ctx: &Ctx, regex: &Regex, text: &str, group: Any<'_>) -> Option<Own> {
    let captures = regex.captures(text)?;
    let found = match group.view(ctx.descs()) {
        View::Str(name) => captures.name(name),
        View::Box(_, number) => captures.get(usize::try_from(number.int()).ok()?),
        _ => None,
    };
    found.map(|found| ctx.heap.string(found.as_str()))
}

fn captures(ctx: &Ctx, result: DescId, regex: &Regex, text: &str) -> Option<Own> {
    let found = regex.captures(text)?;
    Some(record(ctx, result, regex, text, &found))
}

fn captures_all(ctx: &Ctx, result: DescId, regex: &Regex, text: &str) -> VarList {
    let mut all = VarList::new(ctx, result, 0);
    let element = shape::element(ctx.descs(), result);
    for found in regex.captures_iter(text) {
        all.push(ctx, OwnSlot::own(record(ctx, element, regex, text, &found)));
    }
    all
}

/// The `Match` of a match; its fields stand in the order of the declaration.
fn record(ctx: &Ctx, result: DescId, regex: &Regex, text: &str, found: &Captures<'_>) -> Own {
    let whole = found.get(0).expect("group 0 is the whole match");
    let mut groups = VarList::new(
        ctx,
        shape::field(ctx.descs(), result, "groups"),
        found.len(),
    );
    for group in found.iter() {
        groups.push(
            ctx,
            OwnSlot::option(group.map(|group| ctx.heap.string(group.as_str()))),
        );
    }
    let mut names = VarMap::new(ctx, shape::field(ctx.descs(), result, "names"));
    for name in regex.capture_names().flatten() {
        if let Some(group) = found.name(name) {
            names.insert_str(ctx, name, group.as_str());
        }
    }
    let start = text::chars_at(text, whole.start());
    let slots = vec![
        OwnSlot::own(ctx.heap.string(whole.as_str())),
        OwnSlot::int(start as i64),
        OwnSlot::int((start + text::count(whole.as_str())) as i64),
        OwnSlot::own(groups.into_own()),
        OwnSlot::own(names.into_own()),
    ];
    ctx.heap.record(result, slots)
}

fn replace(ctx: &Ctx, regex: &Regex, text: &str, with: &str, max: i64) -> Result<String, Fault> {
    let max = usize::try_from(max).ok().filter(|max| *max > 0);
    let groups = with.matches('$').count();
    let (mut out, mut end) = (String::new(), 0);
    for found in regex.captures_iter(text).take(max.unwrap_or(usize::MAX)) {
        let whole = found.get(0).expect("group 0 is the whole match");
        out.push_str(&text[end..whole.start()]);
        let most = with.len() + groups.saturating_mul(whole.len());
        ctx.reserve(out.len().saturating_add(most))?;
        found.expand(with, &mut out);
        end = whole.end();
    }
    out.push_str(&text[end..]);
    Ok(out)
}

fn split(ctx: &Ctx, regex: &Regex, text: &str) -> VarList {
    VarList::of_strings(ctx, regex.split(text))
}

fn pattern(regex: &Regex) -> String {
    regex.as_str().to_owned()
}

fn compile(pattern: &str) -> Result<Regex, Fault> {
    Regex::new(pattern).map_err(|error| raise::parse(reason(&error)))
}

/// The last line of the crate's message says what is wrong, those before draw the place.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!(
        "bad regular expression: {}",
        last.trim_start_matches("error: ")
    )
}

fn escape(text: &str) -> String {
    regex::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MATCH, MATCHES, shown, with_ctx};
    use scn_runtime::object::show;

    #[test]
    fn matches_have_groups_and_places() {
        with_ctx(|ctx| {
            let regex = Regex::new(r"(?<word>\w+)=(\d+)?").expect("a valid pattern");
            let found = captures(ctx, MATCH, &regex, "é a=1 b=").expect("a match");
            let expected =
                r#"{"text":"a=1","start":2,"end":5,"groups":["a=1","a","1"],"names":{"word":"a"}}"#;
            assert_eq!(
                show::json_object(ctx.descs(), found.as_any(), None),
                expected
            );
            assert!(captures(ctx, MATCH, &regex, "-").is_none());
            let all = shown(ctx, &captures_all(ctx, MATCHES, &regex, "a=1 b="));
            assert!(all.contains(r#""groups":["b=","b",null]"#), "{all}");
            assert_eq!(
                shown(ctx, &find_all(ctx, &regex, "a=1 b=2")),
                r#"["a=1","b=2"]"#
            );
            let text = |own: Own| own.as_any().as_str().map(str::to_owned);
            let (number, name) = (ctx.heap.box_int(2), ctx.heap.string("word"));
            assert_eq!(
                capture(ctx, &regex, "k=42", number.as_any())
                    .and_then(text)
                    .as_deref(),
                Some("42")
            );
            assert_eq!(
                capture(ctx, &regex, "k=42", name.as_any())
                    .and_then(text)
                    .as_deref(),
                Some("k")
            );
            let nine = ctx.heap.box_int(9);
            assert!(capture(ctx, &regex, "k=42", nine.as_any()).is_none());
        });
    }

    #[test]
    fn replacing_and_compiling() {
        let regex = Regex::new(r"(\d)(\d)").expect("a valid pattern");
        let replaced = |text: &str, with: &str, max| {
            let mut out = None;
            with_ctx(|ctx| out = replace(ctx, &regex, text, with, max).ok());
            out
        };
        assert_eq!(replaced("12 34 56", "$2$1", 2).as_deref(), Some("21 43 56"));
        assert_eq!(replaced(&"12".repeat(1000), &"$0".repeat(1 << 20), 0), None);
        assert_eq!(replaced("12 34", "${1}x", 0).as_deref(), Some("1x 3x"));
        assert_eq!(
            compile("(").expect_err("unclosed").message(),
            "bad regular expression: unclosed group"
        );
        assert!(compile(&escape("a.b(")).is_ok_and(|regex| regex.is_match("xa.b(")));
    }
}
