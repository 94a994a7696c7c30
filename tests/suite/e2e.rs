//! End to end: scn against real servers from the distribution, against hostile peers, and on hostile input.
//!
//! A test whose program is not installed says so and is skipped; `.ci/run` installs them all but `wasmtime`, whose command
//! line takes long to build.

#![forbid(unsafe_code)]

#[path = "e2e/certificates.rs"]
mod certificates;
#[path = "e2e/daemon.rs"]
mod daemon;
#[path = "e2e/dns.rs"]
mod dns;
#[path = "e2e/hostile_input.rs"]
mod hostile_input;
#[path = "e2e/hostile_peer.rs"]
mod hostile_peer;
#[path = "e2e/load_faults.rs"]
mod load_faults;
#[path = "e2e/nginx.rs"]
mod nginx;
#[path = "e2e/openssl.rs"]
mod openssl;
#[path = "e2e/redis.rs"]
mod redis;
#[path = "e2e/stock.rs"]
mod stock;
#[path = "e2e/udp.rs"]
mod udp;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(nginx::trials());
    trials.extend(redis::trials());
    trials.extend(openssl::trials());
    trials.extend(dns::trials());
    trials.extend(udp::trials());
    trials.extend(stock::trials());
    trials.extend(hostile_input::trials());
    trials.extend(hostile_peer::trials());
    trials.extend(load_faults::trials());
    libtest_mimic::run(&arguments, trials).exit();
}
