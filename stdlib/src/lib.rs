//! The standard library of scn: declarations in `*.scn`, and the Rust behind them.
//!
//! Enter at [`LIBRARY`], which the compiler reads.
//! How IR is executed is no business of this crate: it sees values and the host-call interface only.

mod base64;
mod bytes;
mod component;
mod crypto;
mod csv;
mod data;
mod dns;
mod duration;
mod error;
mod hex;
pub mod http;
mod ip;
mod json;
mod list;
mod log;
mod map;
mod math;
mod metric;
mod net;
mod pool;
mod prelude;
mod raise;
mod rand;
mod range;
mod re;
mod run;
mod secrets;
pub mod server;
mod shape;
mod socket;
mod string;
mod tcp;
#[cfg(test)]
mod testing;
mod text;
mod time;
mod tls;
mod udp;
mod url;
mod user;
mod uuid;

pub use component::BODIES;
use scn_compiler::source::Library;
use scn_runtime::NativeDef;

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
        "server" "base64" "crypto" "csv" "dns" "hex" "http" "log" "math" "rand" "run" "socket" "tcp" "time" "tls" "udp"
        "url" "user" "uuid"
    },
    prelude: &[
        "prelude", "string", "list", "map", "bytes", "json", "error", "range", "ip", "duration",
        "re", "data", "pool", "metric", "server",
    ],
};

/// The natives of all modules.
pub fn natives() -> Vec<NativeDef> {
    let modules: &[fn() -> Vec<NativeDef>] = &[
        base64::natives,
        bytes::natives,
        crypto::natives,
        csv::natives,
        data::natives,
        dns::natives,
        duration::natives,
        error::natives,
        hex::natives,
        http::natives,
        ip::natives,
        json::natives,
        list::natives,
        log::natives,
        map::natives,
        math::natives,
        metric::natives,
        pool::natives,
        prelude::natives,
        rand::natives,
        range::natives,
        re::natives,
        run::natives,
        server::natives,
        socket::natives,
        string::natives,
        tcp::natives,
        time::natives,
        tls::natives,
        url::natives,
        user::natives,
        udp::natives,
        uuid::natives,
    ];
    modules.iter().flat_map(|natives| natives()).collect()
}
