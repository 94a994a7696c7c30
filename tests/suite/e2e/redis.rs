//! redis-server: its protocol over raw TCP, and the source address as it sees it.

use super::daemon::{Daemon, all_hold, all_hold_in_component, free_port, needs};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![
        needs("redis-server", "redis::commands", commands),
        needs("redis-server", "redis::component", component),
    ]
}

pub fn start(program: &Path, folder: &Folder) -> Result<(Daemon, String), Failed> {
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
    let mut daemon = Daemon::start(&mut command, folder);
    daemon.listens(port, folder)?;
    Ok((daemon, format!("127.0.0.1:{port}")))
}

fn commands(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("redis");
    let (_daemon, server) = start(program, &folder)?;
    all_hold("redis.scn", "commands", &[("server", server)])?;
    Ok(())
}

/// The server itself tells which address the client came from.
fn component(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("redis-component");
    let (_daemon, server) = start(program, &folder)?;
    let grants = ["--allow", &server, "--source", "127.0.0.3"];
    let params = [("server", server.clone())];
    all_hold_in_component("redis.scn", "commands", &params, &grants)?;
    Ok(())
}
