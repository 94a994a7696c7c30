//! UUIDs (RFC 9562) as text.

use crate::{raise, time};
use scn_runtime::{Ctx, Fault, NativeDef, ready};
use sha1::{Digest, Sha1};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("uuid.v4", v4),
        ready("uuid.v7", v7_now),
        ready("uuid.v5", v5_text),
        ready("uuid.is_valid", is_valid),
    ]
}

/// The text of a UUID with its version and variant put in.
pub(crate) fn text(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::hex::encode(&bytes);
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// Version 7: milliseconds since 1970, then random bits.
pub(crate) fn v7(millis: u64, random: u128) -> String {
    let value = u128::from(millis) << 80 | random >> 48;
    text(value.to_be_bytes(), 7)
}

/// Version 5: by name.
pub(crate) fn v5(namespace: &str, name: &str) -> Result<String, String> {
    let namespace = parse(namespace).ok_or_else(|| format!("`{namespace}` is no UUID"))?;
    let digest = Sha1::new()
        .chain_update(namespace)
        .chain_update(name)
        .finalize();
    let bytes: &[u8; 16] = digest[..16]
        .try_into()
        .expect("a SHA-1 digest has 20 bytes");
    Ok(text(*bytes, 5))
}

/// The bytes of a UUID's text.
pub(crate) fn parse(text: &str) -> Option<[u8; 16]> {
    let dashes = text.len() == 36
        && [8, 13, 18, 23]
            .iter()
            .all(|at| text.as_bytes()[*at] == b'-');
    let digits = text.replace('-', "");
    if !dashes || digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    crate::hex::decode(&digits).ok()?.try_into().ok()
}

fn random(ctx: &Ctx) -> u128 {
    u128::from(ctx.random()) << 64 | u128::from(ctx.random())
}

/// A random UUID from the user's sequence.
pub(crate) fn v4(ctx: &Ctx) -> String {
    text(random(ctx).to_be_bytes(), 4)
}

fn v7_now(ctx: &Ctx) -> String {
    let millis = time::now(ctx).0.div_euclid(1_000_000);
    v7(u64::try_from(millis).unwrap_or(0), random(ctx))
}

fn v5_text(namespace: &str, name: &str) -> Result<String, Fault> {
    v5(namespace, name).map_err(raise::parse)
}

fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DNS: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

    #[test]
    fn versions_and_variants() {
        assert_eq!(text([0xff; 16], 4), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(
            v7(0x0123_4567_89ab, 0),
            "01234567-89ab-7000-8000-000000000000"
        );
        assert_eq!(
            v5(DNS, "www.example.com").as_deref(),
            Ok("2ed6657d-e927-568b-95e1-2665a8aea6a2")
        );
        assert_eq!(v5("x", "y"), Err("`x` is no UUID".to_owned()));
    }

    #[test]
    fn what_is_a_uuid() {
        assert!(parse(DNS).is_some());
        assert!(parse("6ba7b8109dad11d180b400c04fd430c8").is_none());
        assert!(parse("6ba7b810-9dad-11d1-80b4-00c04fd430cg").is_none());
        assert!(parse("6ba7b810-9dad-11d1-80b4-00c04fd430é").is_none());
        assert!(parse("------------------------------------").is_none());
    }
}
