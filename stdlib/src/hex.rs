//! Hexadecimal digits.

use crate::raise;
use scn_runtime::{Ctx, Fault, NativeDef, Text, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("hex.encode", encode_text),
        ready("hex.decode", decode_text),
    ]
}

/// Two lower-case digits for each byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Bytes of pairs of digits; white space between pairs is ignored.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for c in text.chars() {
        match (c.to_digit(16), high) {
            (Some(digit), None) => high = Some(digit as u8),
            (Some(digit), Some(first)) => {
                bytes.push(first << 4 | digit as u8);
                high = None;
            }
            (None, None) if c.is_whitespace() => {}
            (None, _) => return Err(format!("`{c}` is no hexadecimal digit")),
        }
    }
    if high.is_some() {
        Err("an odd number of hexadecimal digits".to_owned())
    } else {
        Ok(bytes)
    }
}

fn encode_text(ctx: &Ctx, data: Text<'_>) -> String {
    crate::secrets::encoded(ctx, data.bytes, encode(data.bytes))
}

fn decode_text(text: &str) -> Result<Vec<u8>, Fault> {
    decode(text).map_err(raise::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(encode(&[0, 0xff, 0x1a]), "00ff1a");
        assert_eq!(decode("00 FF\n1a"), Ok(vec![0, 0xff, 0x1a]));
        assert_eq!(
            decode("0"),
            Err("an odd number of hexadecimal digits".to_owned())
        );
        assert_eq!(decode("0x"), Err("`x` is no hexadecimal digit".to_owned()));
        assert_eq!(decode("0 1"), Err("` ` is no hexadecimal digit".to_owned()));
    }
}
