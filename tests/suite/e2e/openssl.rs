//! `openssl s_server`: a TLS peer that is not ours, for raw TLS, versions, resumption and client certificates.

use super::certificates::Authority;
use super::daemon::{Daemon, all_hold, all_hold_in_component, free_port, loopback_and, needs};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![
        needs("openssl", "openssl::raw_tls", raw_tls),
        needs("openssl", "openssl::client_certificates", mutual),
    ]
}

fn start(
    program: &Path,
    folder: &Folder,
    authority: &Authority,
    port: u16,
    more: &[&str],
) -> Result<Daemon, Failed> {
    let server = authority.sign("server", &["localhost", "127.0.0.1"], folder);
    let mut command = Command::new(program);
    command.args([
        "s_server",
        "-accept",
        &port.to_string(),
        "-rev",
        "-alpn",
        "echo/1",
        "-naccept",
        "100",
    ]);
    command
        .arg("-cert")
        .arg(&server.cert)
        .arg("-key")
        .arg(&server.key)
        .args(more);
    let mut daemon = Daemon::start(&mut command, folder);
    daemon.listens(port, folder)?;
    Ok(daemon)
}

fn raw_tls(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("openssl");
    let authority = Authority::new("authority", &folder);
    let port = free_port();
    let _daemon = start(program, &folder, &authority, port, &[])?;
    let params = [
        ("server", format!("127.0.0.1:{port}")),
        ("roots", authority.cert.display().to_string()),
    ];
    all_hold("openssl.scn", "reversed", &params)?;
    let (program, grants) = ("openssl_component.scn", loopback_and(&params[1].1));
    all_hold_in_component(program, "reversed", &params[..1], &grants)?;
    Ok(())
}

fn mutual(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("openssl-mutual");
    let authority = Authority::new("authority", &folder);
    let client = authority.sign("client", &["client.test"], &folder);
    let roots = authority.cert.display().to_string();
    let port = free_port();
    let _daemon = start(
        program,
        &folder,
        &authority,
        port,
        &["-Verify", "1", "-verify_return_error", "-CAfile", &roots],
    )?;
    let params = [
        ("server", format!("127.0.0.1:{port}")),
        ("roots", roots),
        ("cert", client.cert.display().to_string()),
        ("key", client.key.display().to_string()),
    ];
    all_hold("openssl.scn", "mutual", &params)?;
    let (program, grants) = ("openssl_component.scn", loopback_and(&params[1].1));
    all_hold_in_component(program, "refused", &params[..1], &grants)?;
    Ok(())
}
