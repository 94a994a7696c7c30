//! Building bytes and taking them apart.

mod numbers;

use crate::{base64, hex, list, raise};
use scn_runtime::{Ctx, Fault, List, NativeDef, Own, OwnSlot, Text, VarList, desc, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    let mut all = vec![
        ready("bytes.len", len),
        ready("bytes.is_empty", is_empty),
        ready("bytes.slice", slice),
        ready("bytes.find", find),
        ready("bytes.contains", contains),
        ready("bytes.starts_with", starts_with),
        ready("bytes.ends_with", ends_with),
        ready("bytes.split", split),
        ready("bytes.text", text),
        ready("bytes.hex", to_hex),
        ready("bytes.base64", to_base64),
        ready("bytes.list", to_list),
        ready("bytes.reversed", reversed),
        ready("bytes.repeat", repeat),
        ready("bytes.xor", xor),
        ready("bytes.zeros", zeros),
        ready("bytes.of", of),
        ready("bytes.from_hex", from_hex),
    ];
    all.extend(numbers::natives());
    all
}

fn len(bytes: &[u8]) -> i64 {
    bytes.len() as i64
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.is_empty()
}

fn slice(ctx: &Ctx, bytes: &[u8], from: i64, to: Option<i64>) -> Result<Own, Fault> {
    let end = to.unwrap_or(bytes.len() as i64);
    let range = usize::try_from(from).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(from, to)| bytes.get(from..to));
    Ok(ctx
        .heap
        .bytes(part.ok_or_else(|| raise::range(from, to, bytes.len()))?))
}

/// Position of `part` at or behind `from`.
fn position(bytes: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    memchr::memmem::find(rest, part).map(|at| from + at)
}

fn find(bytes: &[u8], part: Text<'_>, from: i64) -> Option<i64> {
    position(bytes, part.bytes, usize::try_from(from).unwrap_or(0)).map(|at| at as i64)
}

fn contains(bytes: &[u8], part: Text<'_>) -> bool {
    position(bytes, part.bytes, 0).is_some()
}

fn starts_with(bytes: &[u8], part: Text<'_>) -> bool {
    bytes.starts_with(part.bytes)
}

fn ends_with(bytes: &[u8], part: Text<'_>) -> bool {
    bytes.ends_with(part.bytes)
}

fn split(ctx: &Ctx, bytes: &[u8], separator: Text<'_>) -> Result<VarList, Fault> {
    if separator.bytes.is_empty() {
        return Err(raise::argument("the separator must not be empty"));
    }
    let mut parts = VarList::new(ctx, desc::LIST_BYTES, 0);
    let mut from = 0;
    while let Some(at) = position(bytes, separator.bytes, from) {
        parts.push(ctx, OwnSlot::own(ctx.heap.bytes(&bytes[from..at])));
        from = at + separator.bytes.len();
    }
    parts.push(ctx, OwnSlot::own(ctx.heap.bytes(&bytes[from..])));
    Ok(parts)
}

fn text(ctx: &Ctx, bytes: &[u8], lossy: bool) -> Result<Own, Fault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(ctx.heap.string(text)),
        Err(_) if lossy => Ok(ctx.heap.string(&String::from_utf8_lossy(bytes))),
        Err(error) => Err(raise::parse(format!(
            "the bytes are no UTF-8 from byte {} on",
            error.valid_up_to()
        ))),
    }
}

fn to_hex(ctx: &Ctx, bytes: &[u8]) -> String {
    crate::secrets::encoded(ctx, bytes, hex::encode(bytes))
}

fn to_base64(ctx: &Ctx, bytes: &[u8]) -> String {
    crate::secrets::encoded(ctx, bytes, base64::encode(bytes, false))
}

fn to_list(ctx: &Ctx, bytes: &[u8]) -> VarList {
    list::of_ints(ctx, bytes.iter().map(|byte| i64::from(*byte)))
}

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn repeat(ctx: &Ctx, bytes: &[u8], times: i64) -> Result<Vec<u8>, Fault> {
    let times = raise::count(times, "the number of copies")?;
    ctx.reserve(bytes.len().saturating_mul(times))?;
    Ok(bytes.repeat(times))
}

fn xor(bytes: &[u8], other: &[u8]) -> Result<Vec<u8>, Fault> {
    if other.is_empty() {
        return Err(raise::argument("the other bytes must not be empty"));
    }
    Ok(bytes
        .iter()
        .zip(other.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect())
}

fn zeros(ctx: &Ctx, n: i64) -> Result<Vec<u8>, Fault> {
    let n = raise::count(n, "the number of bytes")?;
    ctx.reserve(n)?;
    Ok(vec![0; n])
}

fn of(values: List<'_>) -> Result<Vec<u8>, Fault> {
    let byte =
        |bits: &u64| u8::try_from(*bits).map_err(|_| numbers::outside(*bits as i64, "0..=255"));
    values.bits().iter().map(byte).collect()
}

fn from_hex(text: &str) -> Result<Vec<u8>, Fault> {
    hex::decode(text).map_err(raise::parse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, with_ctx};

    #[test]
    fn parts_of_bytes() {
        with_ctx(|ctx| {
            assert!(
                slice(ctx, b"abc", 1, None)
                    .is_ok_and(|part| part.as_any().as_bytes() == Some(b"bc"))
            );
            assert!(
                slice(ctx, b"abc", 2, Some(1)).is_err() && slice(ctx, b"abc", -1, None).is_err()
            );
            assert_eq!(position(b"abcabc", b"c", 3), Some(5));
            assert_eq!(position(b"abc", b"c", 4), None);
            let separator = ctx.heap.string("--");
            let text = Text {
                bytes: b"--",
                any: separator.as_any(),
            };
            assert_eq!(
                split(ctx, b"a--b--", text)
                    .map(|parts| shown(ctx, &parts))
                    .ok()
                    .as_deref(),
                Some(r#"["a","b",""]"#)
            );
            assert_eq!(xor(b"abc", b"\x01\x02").ok().as_deref(), Some(&b"``b"[..]));
            assert!(xor(b"abc", b"").is_err());
            assert_eq!(
                repeat(ctx, b"abc", i64::MAX).expect_err("too large").kind(),
                "script.memory"
            );
        });
    }

    #[test]
    fn bytes_as_text() {
        with_ctx(|ctx| {
            let error = text(ctx, b"ab\xff", false).expect_err("no UTF-8");
            assert_eq!(
                (error.kind(), error.message().as_str()),
                ("script.parse", "the bytes are no UTF-8 from byte 2 on")
            );
            assert!(
                text(ctx, b"\xff", true)
                    .is_ok_and(|text| text.as_any().as_str() == Some("\u{fffd}"))
            );
            let ints = crate::list::of_ints(ctx, [0, 255]);
            assert_eq!(of(ints.as_list()).ok(), Some(vec![0, 255]));
            let ints = crate::list::of_ints(ctx, [-1]);
            assert_eq!(
                of(ints.as_list()).expect_err("no byte").message(),
                "-1 is outside of 0..=255"
            );
        });
    }
}
