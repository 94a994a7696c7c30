//! Methods of `string`. The work on positions is in [`crate::text`].

use crate::{raise, text};
use scn_runtime::{Ctx, Fault, List, NativeDef, Own, VarList, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("string.len", len),
        ready("string.is_empty", is_empty),
        ready("string.slice", slice),
        ready("string.find", find),
        ready("string.find_last", find_last),
        ready("string.contains", contains),
        ready("string.starts_with", starts_with),
        ready("string.ends_with", ends_with),
        ready("string.equals_ignore_case", equals_ignore_case),
        ready("string.count", count),
        ready("string.trim", trim),
        ready("string.trim_start", trim_start),
        ready("string.trim_end", trim_end),
        ready("string.remove_prefix", remove_prefix),
        ready("string.remove_suffix", remove_suffix),
        ready("string.upper", upper),
        ready("string.lower", lower),
        ready("string.replace", replace),
        ready("string.split", split),
        ready("string.lines", lines),
        ready("string.words", words),
        ready("string.repeat", repeat),
        ready("string.pad_start", pad_start),
        ready("string.pad_end", pad_end),
        ready("string.chars", chars),
        ready("string.codes", codes),
        ready("string.bytes", bytes),
        ready("string.reversed", reversed),
        ready("string.before", before),
        ready("string.after", after),
        ready("string.between", between),
        ready("string.from_codes", from_codes),
    ]
}

fn len(text: &str) -> i64 {
    text::count(text) as i64
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

fn slice(ctx: &Ctx, text: &str, from: i64, to: Option<i64>) -> Result<Own, Fault> {
    let part = text::slice(text, from, to).map_err(|len| raise::range(from, to, len))?;
    Ok(ctx.heap.string(part))
}

fn find(text: &str, part: &str, from: i64) -> Option<i64> {
    text::find(text, part, from).map(|at| at as i64)
}

fn find_last(text: &str, part: &str) -> Option<i64> {
    text::find_last(text, part).map(|at| at as i64)
}

fn contains(text: &str, part: &str) -> bool {
    text.contains(part)
}

fn starts_with(text: &str, part: &str) -> bool {
    text.starts_with(part)
}

fn ends_with(text: &str, part: &str) -> bool {
    text.ends_with(part)
}

fn equals_ignore_case(text: &str, other: &str) -> bool {
    text.eq_ignore_ascii_case(other) || text.to_lowercase() == other.to_lowercase()
}

fn count(text: &str, part: &str) -> i64 {
    text.matches(part).count() as i64
}

fn trim(ctx: &Ctx, text: &str) -> Own {
    ctx.heap.string(text.trim())
}

fn trim_start(ctx: &Ctx, text: &str) -> Own {
    ctx.heap.string(text.trim_start())
}

fn trim_end(ctx: &Ctx, text: &str) -> Own {
    ctx.heap.string(text.trim_end())
}

fn remove_prefix(ctx: &Ctx, text: &str, prefix: &str) -> Own {
    ctx.heap.string(text.strip_prefix(prefix).unwrap_or(text))
}

fn remove_suffix(ctx: &Ctx, text: &str, suffix: &str) -> Own {
    ctx.heap.string(text.strip_suffix(suffix).unwrap_or(text))
}

fn upper(text: &str) -> String {
    text.to_uppercase()
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn replace(ctx: &Ctx, text: &str, old: &str, new: &str, max: i64) -> Result<String, Fault> {
    let max = usize::try_from(max).ok().filter(|max| *max > 0);
    let max = max.unwrap_or(usize::MAX);
    if new.len() > old.len() {
        let times = text.matches(old).take(max).count();
        let more = times.saturating_mul(new.len() - old.len());
        ctx.reserve(text.len().saturating_add(more))?;
    }
    Ok(text.replacen(old, new, max))
}

fn split(ctx: &Ctx, text: &str, separator: &str, max: i64) -> VarList {
    VarList::of_strings(
        ctx,
        text::split(text, separator, usize::try_from(max).unwrap_or(0)),
    )
}

fn lines(ctx: &Ctx, text: &str) -> VarList {
    VarList::of_strings(ctx, text.lines())
}

fn words(ctx: &Ctx, text: &str) -> VarList {
    VarList::of_strings(ctx, text.split_whitespace())
}

fn repeat(ctx: &Ctx, text: &str, times: i64) -> Result<String, Fault> {
    let times = raise::count(times, "the number of copies")?;
    ctx.reserve(text.len().saturating_mul(times))?;
    Ok(text.repeat(times))
}

/// The padding, when there is room for it.
fn padding(ctx: &Ctx, text: &str, width: i64, with: &str) -> Result<String, Fault> {
    ctx.reserve(usize::try_from(width).unwrap_or(0).saturating_mul(4))?;
    Ok(text::padding(text, width, with))
}

fn pad_start(ctx: &Ctx, text: &str, width: i64, with: &str) -> Result<Own, Fault> {
    Ok(ctx
        .heap
        .string_concat(&padding(ctx, text, width, with)?, text))
}

fn pad_end(ctx: &Ctx, text: &str, width: i64, with: &str) -> Result<Own, Fault> {
    Ok(ctx
        .heap
        .string_concat(text, &padding(ctx, text, width, with)?))
}

fn chars(ctx: &Ctx, text: &str) -> VarList {
    VarList::of_strings(ctx, text::split(text, "", 0))
}

fn codes(ctx: &Ctx, text: &str) -> VarList {
    crate::list::of_ints(ctx, text.chars().map(|c| i64::from(u32::from(c))))
}

fn bytes(ctx: &Ctx, text: &str) -> Own {
    ctx.heap.bytes(text.as_bytes())
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn before(ctx: &Ctx, text: &str, mark: &str) -> Option<Own> {
    text.split_once(mark)
        .map(|(before, _)| ctx.heap.string(before))
}

fn after(ctx: &Ctx, text: &str, mark: &str) -> Option<Own> {
    text.split_once(mark)
        .map(|(_, after)| ctx.heap.string(after))
}

fn between(ctx: &Ctx, text: &str, start: &str, end: &str) -> Option<Own> {
    let (_, behind) = text.split_once(start)?;
    behind
        .split_once(end)
        .map(|(between, _)| ctx.heap.string(between))
}

fn from_codes(codes: List<'_>) -> Result<String, Fault> {
    let character = |code: &u64| u32::try_from(*code).ok().and_then(char::from_u32);
    codes
        .bits()
        .iter()
        .map(|code| character(code).ok_or_else(|| no_character(*code)))
        .collect()
}

fn no_character(code: u64) -> Fault {
    raise::argument(format!("{} is no code point of a character", code as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, with_ctx};

    #[test]
    fn parts_of_texts() {
        with_ctx(|ctx| {
            let text = |own: Own| own.as_any().as_str().map(str::to_owned);
            assert_eq!(
                slice(ctx, "häuser", 1, Some(3))
                    .ok()
                    .and_then(text)
                    .as_deref(),
                Some("äu")
            );
            let fault = slice(ctx, "häuser", 4, Some(7)).expect_err("behind the end");
            assert_eq!(
                (fault.kind(), fault.message().as_str()),
                ("script.index", "range 4..7 is outside of 0..6")
            );
            assert_eq!(
                between(ctx, "<a><b>", "<", ">").and_then(text).as_deref(),
                Some("a")
            );
            assert!(between(ctx, "<a", "<", ">").is_none() && before(ctx, "a", "=").is_none());
            assert_eq!(
                after(ctx, "k=v=w", "=").and_then(text).as_deref(),
                Some("v=w")
            );
            assert_eq!(
                text(remove_prefix(ctx, "Bearer x", "Bearer ")).as_deref(),
                Some("x")
            );
            assert_eq!(
                text(remove_suffix(ctx, "a.scn", ".rs")).as_deref(),
                Some("a.scn")
            );
        });
    }

    #[test]
    fn lists_of_parts() {
        with_ctx(|ctx| {
            assert_eq!(
                shown(ctx, &lines(ctx, "a\r\nb\n\nc")),
                r#"["a","b","","c"]"#
            );
            assert_eq!(shown(ctx, &words(ctx, "  a  b ")), r#"["a","b"]"#);
            assert_eq!(shown(ctx, &chars(ctx, "a€")), r#"["a","€"]"#);
            assert_eq!(shown(ctx, &codes(ctx, "a€")), "[97,8364]");
            let back = from_codes(codes(ctx, "a€😀").as_list()).map_err(|fault| fault.message());
            assert_eq!(back.as_deref(), Ok("a€😀"));
            let surrogate = crate::list::of_ints(ctx, [0xd800]);
            assert!(from_codes(surrogate.as_list()).is_err());
        });
    }

    #[test]
    fn large_results_are_refused_before_they_are_made() {
        with_ctx(|ctx| {
            for times in [1 << 40, i64::MAX] {
                assert_eq!(
                    repeat(ctx, "abc", times).expect_err("too large").kind(),
                    "script.memory"
                );
                assert_eq!(
                    pad_start(ctx, "abc", times, " ")
                        .expect_err("too large")
                        .kind(),
                    "script.memory"
                );
            }
            let long = "a".repeat(1 << 20);
            let fault = replace(ctx, &long, "a", &long, 0).expect_err("too large");
            assert_eq!(fault.kind(), "script.memory");
            assert_eq!(
                repeat(ctx, "abc", -1).expect_err("negative").kind(),
                "script.argument"
            );
        });
    }

    #[test]
    fn case_is_ignored_beyond_ascii() {
        assert!(equals_ignore_case("ÄRGER", "ärger") && equals_ignore_case("Ab", "aB"));
        assert!(!equals_ignore_case("a", "b"));
        with_ctx(|ctx| {
            let replaced = |new, max| replace(ctx, "banana", "a", new, max).ok();
            assert_eq!(replaced("-", 2).as_deref(), Some("b-n-na"));
            assert_eq!(replaced("oo", 0).as_deref(), Some("boonoonoo"));
        });
    }
}
