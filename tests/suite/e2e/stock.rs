//! Components under `wasmtime run`, a host that knows nothing of scn: with the network that it is told to share, and
//! nothing else. Skipped where that program is not installed.

use super::daemon::{built, eventually, find, log, needs};
use super::{nginx, redis, udp};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![
        needs("wasmtime", "stock::nginx", of_nginx),
        needs("wasmtime", "stock::redis", of_redis),
        needs("wasmtime", "stock::udp", of_udp),
        needs("wasmtime", "stock::load", load),
    ]
}

/// Runs a scenario of a program by the host; what it printed, if it ended well.
fn run(
    host: &Path,
    program: &str,
    scenario: &str,
    params: &[(&str, String)],
    further: &[&str],
) -> Result<String, Failed> {
    let folder = Folder::new("stock");
    let component = built(program, &[], &folder)?;
    let mut command = Command::new(host);
    command.args(["run", "-S", "inherit-network", "-W", "timeout=60s"]);
    command.arg(component).arg(scenario).args(further);
    for (name, value) in params {
        command.arg("--set").arg(format!("{name}={value}"));
    }
    let output = command.output().expect("an installed program starts");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(text.into()),
    }
}

fn of_nginx(host: &Path) -> Result<(), Failed> {
    let Some(program) = find("nginx") else {
        return Ok(());
    };
    let (folder, port, _daemon) = nginx::plain(&program, "stock-nginx")?;
    let params = [("base", format!("http://127.0.0.1:{port}"))];
    run(host, "nginx.scn", "plain", &params, &[])?;
    run(host, "nginx.scn", "sources", &params, &[])?;
    let access = folder.path("access.log");
    eventually(&access, "127.0.0.2 GET /hello.txt 200")?;
    eventually(&access, "127.1.2.3 GET /hello.txt 200")?;
    run(host, "nginx.scn", "pooled", &params, &[])?;
    nginx::each_was_met(&folder)
}

fn of_redis(host: &Path) -> Result<(), Failed> {
    let Some(program) = find("redis-server") else {
        return Ok(());
    };
    let folder = Folder::new("stock-redis");
    let (_daemon, server) = redis::start(&program, &folder)?;
    run(host, "redis.scn", "commands", &[("server", server)], &[])?;
    Ok(())
}

fn of_udp(host: &Path) -> Result<(), Failed> {
    let (address, seen) = udp::server();
    let params = [("server", address.to_string())];
    run(host, "udp.scn", "echo", &params, &[])?;
    udp::were_seen(&seen);
    Ok(())
}

/// A load run prints its summary, and its results as JSON.
fn load(host: &Path) -> Result<(), Failed> {
    let Some(program) = find("nginx") else {
        return Ok(());
    };
    let (folder, port, _daemon) = nginx::plain(&program, "stock-load")?;
    let params = [("base", format!("http://127.0.0.1:{port}"))];
    let text = run(host, "nginx.scn", "pooled", &params, &[])?;
    assert!(text.contains("✓ passed in "), "{text}");
    let text = run(host, "nginx.scn", "pooled", &params, &["--json"])?;
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is an object"))
        .collect();
    let [.., report, summary] = &lines[..] else {
        panic!("it ends with a report and a summary: {text}");
    };
    assert_eq!(report["results"]["verdict"]["outcome"], "passed");
    assert_eq!(summary["type"], "summary");
    let done = summary["done"].as_u64();
    let met = log(&folder.path("access.log")).lines().count();
    assert_eq!(done.map(|done| 2 * done), Some(met as u64));
    Ok(())
}
