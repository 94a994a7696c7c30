//! Reports bytes of connections that scenarios speak their own protocols on; verbose runs only.
//!
//! HTTP reports whole exchanges instead, see `http/report.rs`. Servers of the file do not report: their clients do.

use scn_runtime::event::{Event, Transfer};
use scn_runtime::{Ctx, user};
use std::net::SocketAddr;

/// How many bytes are shown.
const SHOWN: usize = 256;

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the peer.
    Sent,
    /// From the peer.
    Received,
}

/// Reports bytes, if anybody wants to see them.
pub(crate) fn report(protocol: &'static str, way: Way, peer: SocketAddr, bytes: &[u8]) {
    Ctx::current(|ctx| {
        if !ctx.verbose() {
            return;
        }
        let id = ctx.user().id;
        if id == user::NOBODY || bytes.is_empty() {
            return;
        }
        ctx.emit(Event::Transfer(Box::new(Transfer {
            protocol,
            user: id,
            sent: way == Way::Sent,
            peer,
            bytes: bytes.len() as u64,
            text: shown(bytes, |text| ctx.mask(text)),
        })));
    });
}

/// Text as in a string literal; what is no text as in a bytes literal.
fn shown(bytes: &[u8], mask: impl Fn(&str) -> String) -> String {
    // Masking comes first: the cut must not leave a part of a secret, nor escaping hide one.
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => format!("\"{}\"", mask(text).escape_debug()),
        Err(_) => format!("b\"{}\"", mask(&bytes.escape_ascii().to_string())),
    };
    match whole.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}...", &whole[..at]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn star(text: &str) -> String {
        text.replace("pa\"ss", "***")
    }

    #[test]
    fn text_is_escaped_after_secrets_are_masked() {
        assert_eq!(shown(b"AUTH pa\"ss\r\n", star), r#""AUTH ***\r\n""#);
    }

    #[test]
    fn other_bytes_are_shown_as_such() {
        assert_eq!(shown(&[0, 255, b'a'], star), r#"b"\x00\xffa""#);
    }

    #[test]
    fn long_data_is_cut() {
        let text = shown(&[b'a'; 1000], star);
        assert_eq!(text.len(), SHOWN + 3);
        assert!(text.ends_with("..."));
    }
}
