//! What all network modules share: limits, addresses, names, connecting, byte streams with and without TLS.
//!
//! Nothing here is called by scenarios; `tcp`, `tls`, `udp`, `socket`, `dns`, `http` and `server` are.

pub(crate) mod address;
pub(crate) mod channel;
pub(crate) mod connect;
pub(crate) mod limit;
pub(crate) mod measure;
pub(crate) mod origin;
pub(crate) mod resolve;
pub(crate) mod stream;
pub(crate) mod transfer;

pub(crate) use limit::{Limit, within};
