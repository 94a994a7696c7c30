//! The network modules by bytes on the wire: scenarios against scripted peers, through compiler and runtime.
//!
//! Peers are threads on port 0 of loopback that say exactly what a test wrote. Nothing waits for time to pass.

#[path = "wire/harness.rs"]
mod harness;
#[path = "wire/http.rs"]
mod http;
#[path = "wire/metrics.rs"]
mod metrics;
#[path = "wire/pools.rs"]
mod pools;
#[path = "wire/servers.rs"]
mod servers;
#[path = "wire/sockets.rs"]
mod sockets;
#[path = "wire/tls.rs"]
mod tls;
