//! JSON text to objects (RFC 8259): the short way of `quick` first, then by serde_json, which finds the words for what is
//! wrong. Enter at [`parse`].
//!
//! Nesting is limited to 128 levels, so hostile text cannot exhaust the stack.

use crate::raise;
use scn_runtime::{Ctx, Fault, Own, OwnSlot, VarList, VarMap, desc};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// How serde_json hands over a number whose digits it keeps: as a map with this one key.
const NUMBER: &str = "$serde_json::private::Number";

/// Reads a whole text; the error names line and column.
pub(crate) fn parse(ctx: &Ctx, text: &[u8]) -> Result<Own, Fault> {
    match super::quick::parse(ctx, text) {
        Some(value) => Ok(value),
        None => parse_closely(ctx, text),
    }
}

/// The same by the long way, which knows what to say about text that is no JSON.
pub(super) fn parse_closely(ctx: &Ctx, text: &[u8]) -> Result<Own, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Json(ctx)
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| raise::parse(reason(&error)))
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    format!(
        "no JSON: {what} at line {}, column {}",
        error.line(),
        error.column()
    )
}

/// Makes the object of a value.
#[derive(Clone, Copy)]
struct Json<'c>(&'c Ctx);

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = Own;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Own, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = Own;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Own, E> {
        Ok(self.0.heap.null())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Own, E> {
        Ok(self.0.heap.box_bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Own, E> {
        Ok(self.0.heap.box_int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Own, E> {
        let fits = i64::try_from(value).map(|int| self.0.heap.box_int(int));
        Ok(fits.unwrap_or_else(|_| number(self.0, &value.to_string())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Own, E> {
        Ok(self.0.heap.box_float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Own, E> {
        Ok(self.0.heap.string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Own, A::Error> {
        let mut list = VarList::new(self.0, desc::JSON_LIST, items.size_hint().unwrap_or(0));
        while let Some(item) = items.next_element_seed(self)? {
            list.push(self.0, OwnSlot::own(item));
        }
        Ok(list.into_own())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Own, A::Error> {
        let mut map = VarMap::new(self.0, desc::JSON_MAP);
        while let Some(key) = members.next_key_seed(self)? {
            if map.as_map().is_empty() && key.as_any().as_str() == Some(NUMBER) {
                return Ok(number(self.0, &members.next_value::<String>()?));
            }
            let value = members.next_value_seed(self)?;
            map.insert(self.0, OwnSlot::own(key), OwnSlot::own(value));
        }
        Ok(map.into_own())
    }
}

/// An int if it is written as one and fits, a float if that loses nothing, else its text.
pub(super) fn number(ctx: &Ctx, text: &str) -> Own {
    if let Ok(int) = text.parse() {
        return ctx.heap.box_int(int);
    }
    match text.parse::<f64>() {
        Ok(float) if float.is_finite() && decimal(text) == decimal(&format!("{float:e}")) => {
            ctx.heap.box_float(float)
        }
        _ => ctx.heap.big_number(text),
    }
}

/// The digits of a number without zeros at either end, and the power of ten that they stand at.
fn decimal(text: &str) -> (String, i64) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((mantissa.trim_start_matches('-'), ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MAX / 2);
    let place = if significant.is_empty() {
        0
    } else {
        exponent - fraction.len() as i64 + zeros as i64
    };
    (significant.to_owned(), place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_ctx;
    use scn_runtime::object::show;

    fn round_trip(ctx: &Ctx, text: &str) -> String {
        match parse(ctx, text.as_bytes()) {
            Ok(value) => show::json_object(ctx.descs(), value.as_any(), None),
            Err(fault) => fault.message(),
        }
    }

    #[test]
    fn values_of_all_kinds() {
        with_ctx(|ctx| {
            let text = r#"{"a":[1,-2.5,true,null,"é\n"],"b":{},"c":[]}"#;
            assert_eq!(round_trip(ctx, text), text);
            assert_eq!(round_trip(ctx, r#" "\u00e9\ud83d\ude00" "#), "\"é😀\"");
            assert_eq!(round_trip(ctx, r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
        });
    }

    #[test]
    fn numbers_lose_nothing() {
        with_ctx(|ctx| {
            let kind = |text: &str| {
                parse(ctx, text.as_bytes())
                    .map(|value| value.as_any().desc())
                    .ok()
            };
            for (text, wanted) in [
                ("9223372036854775807", desc::BOX_INT),
                ("9223372036854775808", desc::BIG_NUMBER),
                ("0.1", desc::BOX_FLOAT),
                ("1e2", desc::BOX_FLOAT),
                ("100.00", desc::BOX_FLOAT),
                ("1.5E+3", desc::BOX_FLOAT),
                ("0.10000000000000000001", desc::BIG_NUMBER),
                ("1e999", desc::BIG_NUMBER),
                ("0.0", desc::BOX_FLOAT),
            ] {
                assert_eq!(kind(text), Some(wanted), "{text}");
            }
            assert_eq!(
                round_trip(ctx, "12345678901234567890"),
                "12345678901234567890"
            );
        });
    }

    #[test]
    fn broken_text_is_located() {
        with_ctx(|ctx| {
            assert_eq!(
                round_trip(ctx, "{\n  \"a\": ]"),
                "no JSON: expected value at line 2, column 8"
            );
            assert_eq!(
                round_trip(ctx, "[1] 2"),
                "no JSON: trailing characters at line 1, column 5"
            );
            assert!(
                round_trip(ctx, &"[".repeat(100_000))
                    .starts_with("no JSON: recursion limit exceeded")
            );
            assert!(round_trip(ctx, r#""\ud800""#).starts_with("no JSON: "));
            assert!(parse(ctx, b"\"\xff\"").is_err());
            assert!(parse(ctx, b"").is_err());
        });
    }
}
