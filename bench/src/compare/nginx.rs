//! nginx as a server of comparisons: its configuration, and its count of requests.

use super::certificate::Certificate;
use super::servers::Counts;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Connections for which nginx has room. It begins to close resting ones when a sixteenth of the room is left, so there has to
/// be more than the suites use.
const ROOM: usize = 24_000;

/// One process without a log: what answers is a constant, connections stay open, sessions are not resumed.
pub(crate) fn configuration(
    folder: &Path,
    address: SocketAddr,
    status: SocketAddr,
    tls: Option<&Certificate>,
) -> String {
    let folder = folder.display();
    let (ssl, certificate) = match tls {
        None => ("", String::new()),
        Some(tls) => (" ssl", tls_lines(tls)),
    };
    let body = "x".repeat(47);
    format!(
        "daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
worker_rlimit_nofile 20000;
events {{ worker_connections {ROOM}; use epoll; }}
http {{
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_header_timeout 1h;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address}{ssl} backlog=4096;
{certificate}    location / {{ return 200 {body}; }}
  }}
  server {{
    listen {status};
    location / {{ stub_status; }}
  }}
}}
"
    )
}

fn tls_lines(tls: &Certificate) -> String {
    format!(
        "    ssl_certificate {};
    ssl_certificate_key {};
    ssl_protocols TLSv1.3;
    ssl_session_cache off;
    ssl_session_tickets off;
",
        tls.chain.display(),
        tls.key.display()
    )
}

/// What nginx has counted, this question included.
pub(crate) fn counts(status: SocketAddr) -> io::Result<Counts> {
    let mut stream = TcpStream::connect(status)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    parse_status(&page).ok_or_else(|| io::Error::other("nginx's status is no status"))
}

fn parse_status(page: &str) -> Option<Counts> {
    let (before, numbers) = page.split_once("server accepts handled requests\n")?;
    let (_, open) = before.split_once("Active connections:")?;
    Some(Counts {
        answered: numbers.split_whitespace().nth(2)?.parse().ok()?,
        open: open.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_connections_are_read() {
        let page = "HTTP/1.1 200 OK\r\n\r\nActive connections: 2 \nserver accepts handled requests\n 16 16 204123 \nReading: 0 Writing: 1 Waiting: 1 \n";
        let counts = Counts {
            answered: 204_123,
            open: 2,
        };
        assert_eq!(parse_status(page), Some(counts));
        assert_eq!(parse_status("HTTP/1.1 404 Not Found\r\n\r\n"), None);
    }
}
