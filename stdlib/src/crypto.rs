//! Digests, HMAC, keys from the system's random source. Arithmetic is RustCrypto's.

use crate::raise;
use hmac::Hmac;
use hmac::Mac;
use hmac::digest::{Digest, KeyInit};
use md5::Md5;
use scn_runtime::{Ctx, Fault, NativeDef, Text, kind, ready};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("crypto.md5", md5),
        ready("crypto.sha1", sha1),
        ready("crypto.sha256", sha256),
        ready("crypto.sha384", sha384),
        ready("crypto.sha512", sha512),
        ready("crypto.hmac_md5", hmac_md5),
        ready("crypto.hmac_sha1", hmac_sha1),
        ready("crypto.hmac_sha256", hmac_sha256),
        ready("crypto.hmac_sha384", hmac_sha384),
        ready("crypto.hmac_sha512", hmac_sha512),
        ready("crypto.random", random),
        ready("crypto.equal", equal_texts),
    ]
}

/// The digest of some bytes.
pub(crate) fn digest<D: Digest>(data: &[u8]) -> Vec<u8> {
    D::digest(data).to_vec()
}

/// The code of some bytes under a key of any length.
pub(crate) fn hmac<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

/// Whether both are equal, in a time that depends on their length only.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

macro_rules! algorithms {
    ($($digest:ident $hmac:ident $algorithm:ty;)*) => {$(
        fn $digest(data: Text<'_>) -> Vec<u8> {
            digest::<$algorithm>(data.bytes)
        }

        fn $hmac(key: Text<'_>, data: Text<'_>) -> Vec<u8> {
            hmac::<Hmac<$algorithm>>(key.bytes, data.bytes)
        }
    )*};
}
algorithms! {
    md5 hmac_md5 Md5;
    sha1 hmac_sha1 Sha1;
    sha256 hmac_sha256 Sha256;
    sha384 hmac_sha384 Sha384;
    sha512 hmac_sha512 Sha512;
}

fn random(ctx: &Ctx, n: i64) -> Result<Vec<u8>, Fault> {
    let n = raise::count(n, "the number of bytes")?;
    ctx.reserve(n)?;
    let mut bytes = vec![0; n];
    getrandom::fill(&mut bytes).map_err(|error| Fault::text(kind::OTHER, error.to_string()))?;
    Ok(bytes)
}

fn equal_texts(a: Text<'_>, b: Text<'_>) -> bool {
    equal(a.bytes, b.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        crate::hex::encode(bytes)
    }

    #[test]
    fn digests_of_abc() {
        assert_eq!(
            hex(&digest::<Md5>(b"abc")),
            "900150983cd24fb0d6963f7d28e17f72"
        );
        assert_eq!(
            hex(&digest::<Sha1>(b"abc")),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert!(hex(&digest::<Sha256>(b"abc")).starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert!(hex(&digest::<Sha384>(b"abc")).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
        assert!(hex(&digest::<Sha512>(b"abc")).starts_with("ddaf35a193617abacc417349ae204131"));
    }

    /// RFC 2202 and RFC 4231, test case 2.
    #[test]
    fn codes_of_the_rfcs() {
        let (key, data) = (
            b"Jefe".as_slice(),
            b"what do ya want for nothing?".as_slice(),
        );
        assert_eq!(
            hex(&hmac::<Hmac<Md5>>(key, data)),
            "750c783e6ab0b503eaa86e310a5db738"
        );
        assert_eq!(
            hex(&hmac::<Hmac<Sha1>>(key, data)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        assert!(
            hex(&hmac::<Hmac<Sha256>>(key, data)).starts_with("5bdcc146bf60754e6a042426089575c7")
        );
        assert!(
            hex(&hmac::<Hmac<Sha512>>(key, data)).starts_with("164b7a7bfcf819e2e395fbe73b56e0a3")
        );
        let long_key = [0xaa; 131];
        let data = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert!(
            hex(&hmac::<Hmac<Sha256>>(&long_key, data))
                .starts_with("60e431591ee0b67f0d8a26aacbf5b77f")
        );
    }

    #[test]
    fn equality() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd"));
        assert!(!equal(b"abc", b"ab"));
    }
}
