//! redis-server: its protocol over raw TCP, and the source address as it sees it.

use super::daemon::{Daemon, all_hold, free_port, needs};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![needs("redis-server", "redis::commands", commands)]
}

fn commands(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("redis");
    let port = free_port();
    let mut command = Command::new(program);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--protected-mode",
        "no",
    ]);
    command.arg("--dir").arg(folder.path(""));
    let mut daemon = Daemon::start(&mut command, &folder);
    daemon.listens(port, &folder)?;
    all_hold(
        "redis.scn",
        "commands",
        &[("server", format!("127.0.0.1:{port}"))],
    )?;
    Ok(())
}
