//! Texts by characters: positions that count Unicode scalars (language.md, rule 14). ASCII texts cost no walk.
//!
//! No objects here: `string` and `re` call it with `&str`.

/// The byte offset of a character position, the length at the end; `None` behind it.
pub(crate) fn byte_at(text: &str, chars: usize) -> Option<usize> {
    if text.is_ascii() {
        return (chars <= text.len()).then_some(chars);
    }
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    starts.nth(chars)
}

/// The character position of a byte offset.
pub(crate) fn chars_at(text: &str, byte: usize) -> usize {
    count(&text[..byte])
}

/// Number of characters.
pub(crate) fn count(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    }
}

/// The characters `from..to`; the length if they are out of range.
pub(crate) fn slice(text: &str, from: i64, to: Option<i64>) -> Result<&str, usize> {
    let offset = |at: i64| usize::try_from(at).ok().and_then(|at| byte_at(text, at));
    let end = to.map_or(Some(text.len()), offset);
    match (offset(from), end) {
        (Some(from), Some(to)) if from <= to => Ok(&text[from..to]),
        _ => Err(count(text)),
    }
}

/// Character position of `part` at or behind `from`.
pub(crate) fn find(text: &str, part: &str, from: i64) -> Option<usize> {
    let start = byte_at(text, usize::try_from(from.max(0)).ok()?)?;
    text[start..]
        .find(part)
        .map(|at| chars_at(text, start + at))
}

/// Character position of the last `part`.
pub(crate) fn find_last(text: &str, part: &str) -> Option<usize> {
    text.rfind(part).map(|at| chars_at(text, at))
}

/// The parts between separators; an empty separator splits into characters.
pub(crate) fn split<'a>(text: &'a str, separator: &str, max: usize) -> Vec<&'a str> {
    let max = if max == 0 { usize::MAX } else { max };
    if separator.is_empty() {
        return split_chars(text, max);
    }
    text.splitn(max, separator).collect()
}

fn split_chars(text: &str, max: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if parts.len() + 1 == max {
            rest.len()
        } else {
            first.len_utf8()
        };
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts
}

/// What fills a text up to `width` characters.
pub(crate) fn padding(text: &str, width: i64, with: &str) -> String {
    let missing = usize::try_from(width)
        .unwrap_or(0)
        .saturating_sub(count(text));
    with.chars().cycle().take(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters() {
        let text = "aé€😀z";
        assert_eq!(count(text), 5);
        assert_eq!(slice(text, 1, Some(4)), Ok("é€😀"));
        assert_eq!(slice(text, 5, None), Ok(""));
        assert_eq!(slice(text, 6, None), Err(5));
        assert_eq!(slice(text, 3, Some(2)), Err(5));
        assert_eq!(slice(text, -1, None), Err(5));
        assert_eq!(slice("abc", 1, Some(2)), Ok("b"));
        assert_eq!(find(text, "😀", 0), Some(3));
        assert_eq!(find("a-b-c", "-", 2), Some(3));
        assert_eq!(find("abc", "c", 9), None);
        assert_eq!(find_last("é-é-é", "é"), Some(4));
    }

    #[test]
    fn splitting_and_padding() {
        assert_eq!(split("a,b,,c", ",", 0), ["a", "b", "", "c"]);
        assert_eq!(split("a,b,c", ",", 2), ["a", "b,c"]);
        assert_eq!(split("aé€", "", 0), ["a", "é", "€"]);
        assert_eq!(split("aé€", "", 2), ["a", "é€"]);
        assert_eq!(split("", ",", 0), [""]);
        assert_eq!(padding("é", 4, "xy"), "xyx");
        assert_eq!(padding("abc", 2, " "), "");
        assert_eq!(padding("a", 5, ""), "");
    }
}
