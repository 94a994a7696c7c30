//! nginx: http, https, mutual TLS, everything that can be wrong with a certificate, and the source address in its log.

use super::certificates::{Authority, Identity, self_signed};
use super::daemon::{
    Daemon, all_hold, all_hold_in_component, eventually, free_port, log, loopback_and, needs,
};
use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![
        needs("nginx", "nginx::http", http),
        needs("nginx", "nginx::https_and_mutual_tls", https),
        needs("nginx", "nginx::source_address", source_address),
        needs("nginx", "nginx::component", component),
        needs("nginx", "nginx::pooled", pooled),
        needs("nginx", "nginx::pooled_component", pooled_component),
    ]
}

/// What the configuration says about one port.
struct Port {
    number: u16,
    tls: Option<String>,
}

fn start(program: &Path, folder: &Folder, ports: &[Port]) -> Result<Daemon, Failed> {
    let mut servers = String::new();
    for port in ports {
        let tls = if port.tls.is_some() { " ssl" } else { "" };
        let _ = write!(
            servers,
            "server {{ listen 127.0.0.1:{}{tls}; {}\n location / {{ root {root}; }}\n\
             location /echo {{ return 200 \"$request_method $content_length $http_x_token\"; }}\n\
             location /teapot {{ return 418; }}\n location /old {{ return 301 /hello.txt; }}\n\
             location /who {{ return 200 \"$ssl_client_s_dn\"; }}\n }}\n",
            port.number,
            port.tls.as_deref().unwrap_or(""),
            root = folder.path("www").display(),
        );
    }
    let here = folder.path("").display().to_string();
    let config = format!(
        "daemon off; master_process off; pid {here}/nginx.pid; error_log {here}/error.log info;\n\
         events {{ worker_connections 64; }}\n\
         http {{ log_format who '$remote_addr $request_method $uri $status'; access_log {here}/access.log who;\n\
         client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;\n\
         uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;\n{servers} }}\n"
    );
    let file = folder.write("nginx.conf", config);
    std::fs::create_dir_all(folder.path("www")).expect("the test's own folder takes folders");
    folder.write("www/hello.txt", "hello from nginx\n");
    folder.write("www/large.bin", vec![b'x'; 3_000_000]);
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(folder.path(""))
        .arg("-c")
        .arg(file)
        .arg("-e")
        .arg(folder.path("start.log"));
    let mut daemon = Daemon::start(&mut command, folder);
    for port in ports {
        daemon.listens(port.number, folder)?;
    }
    Ok(daemon)
}

/// A server without TLS, and its port.
pub fn plain(program: &Path, name: &str) -> Result<(Folder, u16, Daemon), Failed> {
    let folder = Folder::new(name);
    let number = free_port();
    let daemon = start(program, &folder, &[Port { number, tls: None }])?;
    Ok((folder, number, daemon))
}

fn http(program: &Path) -> Result<(), Failed> {
    let (_folder, port, _daemon) = plain(program, "nginx-http")?;
    all_hold(
        "nginx.scn",
        "plain",
        &[("base", format!("http://127.0.0.1:{port}"))],
    )?;
    Ok(())
}

fn source_address(program: &Path) -> Result<(), Failed> {
    let (folder, port, _daemon) = plain(program, "nginx-source")?;
    all_hold(
        "nginx.scn",
        "sources",
        &[("base", format!("http://127.0.0.1:{port}"))],
    )?;
    let log = folder.path("access.log");
    eventually(&log, "127.0.0.2 GET /hello.txt 200")?;
    eventually(&log, "127.0.0.3 GET /hello.txt 200")?;
    eventually(&log, "127.1.2.3 GET /hello.txt 200")
}

/// The same requests by a component, which is granted this server and these addresses.
fn component(program: &Path) -> Result<(), Failed> {
    let (folder, port, _daemon) = plain(program, "nginx-component")?;
    let params = [("base", format!("http://127.0.0.1:{port}"))];
    let peer = format!("127.0.0.1:{port}");
    let allow = ["--allow", &peer];
    all_hold_in_component("nginx.scn", "plain", &params, &allow)?;
    let sources = ["--source", "127.0.0.2-127.0.0.3", "--source", "127.1.2.3"];
    let grants = [&allow[..], &sources].concat();
    all_hold_in_component("nginx.scn", "sources", &params, &grants)?;
    let access = folder.path("access.log");
    eventually(&access, "127.0.0.2 GET /hello.txt 200")?;
    eventually(&access, "127.0.0.3 GET /hello.txt 200")?;
    eventually(&access, "127.1.2.3 GET /hello.txt 200")?;
    // An address that was not granted is not used.
    let lines = log(&access).lines().count();
    let fewer = [&allow[..], &sources[..2]].concat();
    let refused = all_hold_in_component("nginx.scn", "sources", &params, &fewer);
    let refused = format!("{:?}", refused.err());
    assert!(refused.contains("access_denied"), "{refused}");
    assert!(refused.contains("--source 127.1.2.3"), "{refused}");
    let more = log(&access)
        .lines()
        .skip(lines)
        .filter(|line| line.starts_with("127.1.2.3"))
        .count();
    assert_eq!(more, 0);
    Ok(())
}

/// Each lease has the next address of the pool, which the server sees.
fn pooled(program: &Path) -> Result<(), Failed> {
    let (folder, port, _daemon) = plain(program, "nginx-pooled")?;
    let base = format!("http://127.0.0.1:{port}");
    all_hold("nginx.scn", "pooled", &[("base", base)])?;
    each_was_met(&folder)
}

/// The same by instances of a component: together they lease what one does.
fn pooled_component(program: &Path) -> Result<(), Failed> {
    let (folder, port, _daemon) = plain(program, "nginx-pooled-component")?;
    let params = [("base", format!("http://127.0.0.1:{port}"))];
    let peer = format!("127.0.0.1:{port}");
    let grants = ["--allow", &peer, "--source", "127.1.7.1-127.1.7.7"];
    let instances = [&grants[..], &["--instances", "3"]].concat();
    all_hold_in_component("nginx.scn", "pooled", &params, &instances)?;
    each_was_met(&folder)?;
    let refused = all_hold_in_component("nginx.scn", "pooled", &params, &grants[..2]);
    let refused = format!("{:?}", refused.err());
    assert!(refused.contains("access_denied"), "{refused}");
    let help = refused.matches("grant it by --source 127.1.7.0-127.1.7.7");
    assert_eq!(help.count(), 1, "{refused}");
    Ok(())
}

/// Three users with two iterations have six of the addresses.
pub fn each_was_met(folder: &Folder) -> Result<(), Failed> {
    let access = folder.path("access.log");
    (1..=6).try_for_each(|last| eventually(&access, &format!("127.1.7.{last} GET /hello.txt 200")))
}

fn https(program: &Path) -> Result<(), Failed> {
    let folder = Folder::new("nginx-https");
    let authority = Authority::new("authority", &folder);
    let clients = Authority::new("clients", &folder);
    let names = ["localhost", "127.0.0.1"];
    let good = authority.sign("good", &names, &folder);
    let expired = authority.sign_expired("expired", &names, &folder);
    let other = authority.sign("other", &["other.test"], &folder);
    let own = self_signed("own", &names, &folder);
    let client = clients.sign("client", &["client.test"], &folder);
    let mutual = format!(
        "{} ssl_client_certificate {}; ssl_verify_client on;",
        tls(&good),
        clients.cert.display()
    );
    let old = tls(&good).replace(" TLSv1.3", "");
    let kinds = [
        ("good", tls(&good)),
        ("expired", tls(&expired)),
        ("other", tls(&other)),
        ("own", tls(&own)),
        ("mutual", mutual),
        ("old", old),
    ];
    let ports: Vec<Port> = kinds
        .iter()
        .map(|(_, tls)| Port {
            number: free_port(),
            tls: Some(tls.clone()),
        })
        .collect();
    let _daemon = start(program, &folder, &ports)?;
    let mut params: Vec<(&str, String)> = kinds
        .iter()
        .zip(&ports)
        .map(|((name, _), port)| (*name, format!("127.0.0.1:{}", port.number)))
        .collect();
    params.push(("roots", authority.cert.display().to_string()));
    params.push(("cert", client.cert.display().to_string()));
    params.push(("key", client.key.display().to_string()));
    all_hold("https.scn", "https", &params)?;
    params.retain(|(name, _)| !["roots", "cert", "key"].contains(name));
    let roots = authority.cert.display().to_string();
    for program in ["https_component.scn", "https_handover.scn"] {
        all_hold_in_component(program, "https", &params, &loopback_and(&roots))?;
    }
    Ok(())
}

fn tls(identity: &Identity) -> String {
    format!(
        "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;",
        identity.cert.display(),
        identity.key.display()
    )
}
