//! What encodings of secrets have to do with reports: the encoded text is masked as well.

use scn_runtime::Ctx;

/// Hands an encoding through; if there is a secret in what was encoded, reports mask the result too.
pub(crate) fn encoded(ctx: &Ctx, data: &[u8], text: String) -> String {
    if let Ok(plain) = std::str::from_utf8(data) {
        ctx.with_user(|user| user.add_encoded_secret(plain, &text));
    }
    text
}
