//! HTTP/1.1: requests written, responses read, cookies, redirects (RFC 9110, RFC 9112, RFC 6265).
//!
//! The public modules below know no sockets: they turn values into bytes and bytes into values, split anywhere.
//! Enter at `client` for the calls, at `transfer` for what happens on a connection.

pub mod body;
pub mod chunk;
mod client;
pub(crate) mod content;
pub mod cookies;
pub mod date;
mod follow;
pub mod head;
mod job;
mod members;
pub mod name;
mod prepared;
mod quick;
pub mod redirect;
mod report;
pub mod request;
pub mod response;
mod session;
mod transfer;
pub mod url;

use scn_runtime::{Fault, NativeDef};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    [client::natives(), members::natives()].concat()
}

/// The largest head of a message.
pub const HEAD_LIMIT: usize = 256 * 1024;

/// The most header lines of a message.
pub const LINES_LIMIT: usize = 256;

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpError {
    /// The head is no head of a message.
    BadResponse(&'static str),
    /// The chunked coding is broken.
    BadChunk,
    /// Lengths are no numbers or contradict each other.
    BadLength(&'static str),
    /// The connection ended within the message.
    Incomplete,
    /// The connection ended before the first byte.
    Closed,
    /// Too many bytes or lines before the body.
    HeadTooLarge,
    /// More body than was allowed.
    BodyTooLarge(u64),
    /// A transfer coding that is not known.
    Unsupported,
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Fault {
        match error {
            HttpError::BadResponse(why) => Fault::fixed("http.bad_response", why),
            HttpError::BadChunk => {
                Fault::fixed("http.bad_chunk", "the chunked coding of the body is broken")
            }
            HttpError::BadLength(why) => Fault::fixed("http.bad_length", why),
            HttpError::Incomplete => Fault::fixed(
                "http.incomplete",
                "the connection ended before the message was complete",
            ),
            HttpError::Closed => Fault::fixed(
                "http.closed",
                "the connection ended before a byte of the response",
            ),
            HttpError::HeadTooLarge => Fault::fixed(
                "http.head_too_large",
                "the head is above 256 KiB or 256 lines",
            ),
            HttpError::BodyTooLarge(limit) => Fault::text(
                "http.body_too_large",
                format!("the body is above the limit of {limit} bytes"),
            ),
            HttpError::Unsupported => Fault::fixed(
                "http.unsupported",
                "the transfer coding of the body is not known",
            ),
        }
    }
}
