//! The standard library of scn: declarations in `*.scn`, and the Rust behind them.
//!
//! Enter at [`LIBRARY`], which the compiler reads.
//! How IR is executed is no business of this crate: it sees values and the host-call interface only.

pub mod fault;
pub mod http;
pub mod server;

use scn_compiler::source::Library;

/// Pairs each module's name with its text.
macro_rules! modules {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../", $name, ".scn")))),*]
    };
}

/// The declarations of the standard library.
pub const LIBRARY: Library = Library {
    modules: modules! {
        "prelude" "string" "list" "map" "bytes" "json" "error" "range" "ip" "duration" "re" "data" "pool" "metric"
        "server" "base64" "crypto" "dns" "hex" "http" "log" "math" "rand" "run" "socket" "tcp" "time" "tls" "udp"
        "url" "user" "uuid"
    },
    prelude: &[
        "prelude", "string", "list", "map", "bytes", "json", "error", "range", "ip", "duration",
        "re", "data", "pool", "metric", "server",
    ],
};

mod base64;
mod crypto;
mod hex;
mod ip;
mod json;
mod text;
mod time;
mod url;
mod uuid;
