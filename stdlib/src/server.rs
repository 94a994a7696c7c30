//! What `server` blocks run on: requests read, routes matched, replies written (RFC 9110, RFC 9112).
//!
//! The modules below know no sockets, as those of `http`.

pub mod reply;
pub mod request;
pub mod route;
