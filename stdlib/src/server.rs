//! What `server` blocks run on: listening, accepting, requests, routes, replies (RFC 9110, RFC 9112).
//!
//! `reply`, `request` and `route` know no sockets, as the modules of `http`. Most natives here are called by lowering
//! only; `ARCHITECTURE.md` ("Intrinsics") lists them.

mod conn;
mod listen;
mod members;
pub mod reply;
pub mod request;
pub mod route;

use scn_runtime::NativeDef;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    [listen::natives(), conn::natives(), members::natives()].concat()
}
