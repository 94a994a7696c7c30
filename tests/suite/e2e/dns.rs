//! dnsmasq: questions built from bytes over UDP, and `dns.resolve` with a server of its own.

use super::daemon::{Daemon, all_hold, eventually, free_port, needs};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![needs("dnsmasq", "dns::dnsmasq", dnsmasq)]
}

/// A question for `ready.test`, type A, for finding out whether the server is there.
const QUESTION: &[u8] =
    b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05ready\x04test\x00\x00\x01\x00\x01";

fn dnsmasq(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("dns");
    let port = free_port();
    let log = folder.path("queries.log");
    let mut command = Command::new(program);
    command.args([
        "--no-daemon",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--user=root",
    ]);
    command.args([
        "--listen-address=127.0.0.1",
        "--local=/test/",
        "--pid-file=",
        "--log-queries",
    ]);
    command
        .arg(format!("--port={port}"))
        .arg(format!("--log-facility={}", log.display()));
    command.args([
        "--host-record=shop.test,10.1.2.3,fd00::7",
        "--host-record=ready.test,10.0.0.1",
    ]);
    command.args(["--cname=www.test,shop.test"]);
    let mut daemon = Daemon::start(&mut command, &folder);
    daemon.answers(port, QUESTION, &folder)?;
    all_hold(
        "dns.scn",
        "names",
        &[("server", format!("127.0.0.1:{port}"))],
    )?;
    eventually(&log, "query[A] shop.test from 127.0.0.1")?;
    eventually(&log, "query[A] www.test from 127.0.0.2")
}
