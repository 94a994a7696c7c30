//! Base64 (RFC 4648).

use crate::raise;
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose};
use scn_runtime::{Ctx, Fault, NativeDef, Text, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("base64.encode", encode_text),
        ready("base64.decode", decode_text),
    ]
}

/// Reads texts with and without padding, and with stray bits in the last digit, as many senders write them.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Encodes; the URL-safe alphabet goes without padding.
pub(crate) fn encode(bytes: &[u8], url: bool) -> String {
    if url {
        general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    } else {
        general_purpose::STANDARD.encode(bytes)
    }
}

/// Decodes either alphabet; line breaks are ignored.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let is_url = digits.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = GeneralPurpose::new(if is_url { &URL_SAFE } else { &STANDARD }, LENIENT);
    engine.decode(digits).map_err(|error| {
        format!(
            "no base64: {}",
            error.to_string().to_lowercase().trim_end_matches('.')
        )
    })
}

fn encode_text(ctx: &Ctx, data: Text<'_>, url: bool) -> String {
    crate::secrets::encoded(ctx, data.bytes, encode(data.bytes, url))
}

fn decode_text(text: &str) -> Result<Vec<u8>, Fault> {
    decode(text).map_err(raise::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foobar", "Zm9vYmFy"),
            (b"\xfb\xff", "+/8="),
        ] {
            assert_eq!(encode(bytes, false), text);
            assert_eq!(decode(text).as_deref(), Ok(bytes));
            assert_eq!(decode(&encode(bytes, true)).as_deref(), Ok(bytes));
        }
        assert_eq!(encode(b"\xfb\xff", true), "-_8");
        assert_eq!(decode("Zm9v\r\nYmFy").as_deref(), Ok(&b"foobar"[..]));
    }

    #[test]
    fn garbage_is_refused() {
        assert!(
            decode("Zg=!")
                .expect_err("no digit")
                .starts_with("no base64: invalid symbol")
        );
        assert!(decode("Z").is_err());
    }
}
