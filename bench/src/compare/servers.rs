//! The servers of a comparison: `canned` or nginx, started on a core, counting what they answer.

use super::certificate::Certificate;
use super::child::Child;
use super::nginx;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a server may take to come up or to answer a question.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which server, and what it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `canned` with a body of 47 bytes.
    Canned,
    /// `canned` with 250 bytes of JSON.
    CannedJson,
    /// `canned --echo 64`.
    CannedEcho,
    /// nginx, plain.
    Nginx,
    /// nginx, TLS 1.3 with a P-256 certificate and without resumption.
    NginxTls,
}

/// What starting a server needs to know.
pub(crate) struct Place<'a> {
    /// This program.
    pub(crate) own: &'a Path,
    /// nginx.
    pub(crate) nginx: &'a Path,
    /// The folder for files.
    pub(crate) folder: &'a Path,
    /// The core.
    pub(crate) core: usize,
    /// The certificate, for TLS.
    pub(crate) certificate: &'a Certificate,
}

/// A running server.
pub(crate) struct Server {
    kind: Kind,
    /// The processes: several of `canned` may share a port.
    children: Vec<Child>,
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// nginx's page with counts, and how often it was asked.
    status: Option<(SocketAddr, u64)>,
}

impl Server {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(kind: Kind, place: &Place<'_>) -> io::Result<Server> {
        match kind {
            // Its ports are looked for before it takes them: another program may be faster.
            Kind::Nginx | Kind::NginxTls => {
                Server::start_nginx(kind, place).or_else(|_| Server::start_nginx(kind, place))
            }
            _ => Server::start_canned(kind, place, 1),
        }
    }

    /// Starts `canned` in several processes that share a port: each has its own limit of descriptors.
    pub(crate) fn start_canned(
        kind: Kind,
        place: &Place<'_>,
        processes: usize,
    ) -> io::Result<Server> {
        let mut children = Vec::new();
        let mut address: Option<SocketAddr> = None;
        for number in 0..processes.max(1) {
            let mut command = Command::new(place.own);
            command.args(["canned", "--control"]);
            match kind {
                Kind::CannedJson => drop(command.arg("--json")),
                Kind::CannedEcho => drop(command.args(["--echo", "64"])),
                _ => {}
            }
            if processes > 1 {
                command.arg("--reuse-port");
            }
            if let Some(address) = address {
                command.args(["--port", &address.port().to_string()]);
            }
            let name = format!("canned-{number}");
            let mut child =
                Child::start_with_input(command, Some(place.core), &name, place.folder)?;
            let line = await_line(&mut child, 0)?;
            let said = line
                .strip_prefix("listening on ")
                .and_then(|text| text.parse().ok());
            address =
                Some(said.ok_or_else(|| io::Error::other("canned does not say its address"))?);
            children.push(child);
        }
        let address = address.ok_or_else(|| io::Error::other("no server was started"))?;
        Ok(Server {
            kind,
            children,
            address,
            status: None,
        })
    }

    fn start_nginx(kind: Kind, place: &Place<'_>) -> io::Result<Server> {
        let (address, status) = (free_address()?, free_address()?);
        let tls = (kind == Kind::NginxTls).then_some(place.certificate);
        let config = place.folder.join("nginx.conf");
        std::fs::write(
            &config,
            nginx::configuration(place.folder, address, status, tls),
        )?;
        let mut command = Command::new(place.nginx);
        command.arg("-p").arg(place.folder).arg("-c").arg(&config);
        command.arg("-e").arg(place.folder.join("nginx.log"));
        let mut child = Child::start(command, Some(place.core), "nginx", place.folder)?;
        let start = Instant::now();
        while std::net::TcpStream::connect(status).is_err() {
            if !child.runs()? || start.elapsed() > PATIENCE {
                let log =
                    std::fs::read_to_string(place.folder.join("nginx.log")).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "nginx does not start: {} {log}",
                    child.said()
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Server {
            kind,
            children: vec![child],
            address,
            status: Some((status, 0)),
        })
    }

    /// The URL of its page, or its address when it echoes.
    pub(crate) fn target(&self) -> String {
        match self.kind {
            Kind::CannedEcho => self.address.to_string(),
            Kind::NginxTls => format!("https://{}", self.address),
            _ => format!("http://{}", self.address),
        }
    }

    /// How many requests or round trips it has answered.
    pub(crate) fn count(&mut self) -> io::Result<u64> {
        Ok(self.counts()?.answered)
    }

    /// What it has answered, and the connections that are open.
    pub(crate) fn counts(&mut self) -> io::Result<Counts> {
        if let Some((status, asked)) = &mut self.status {
            *asked += 1;
            let counts = nginx::counts(*status)?;
            // The question itself is a request over a connection.
            return Ok(Counts {
                answered: counts.answered.saturating_sub(*asked),
                open: counts.open.saturating_sub(1),
            });
        }
        let mut sum = Counts::default();
        for child in &mut self.children {
            let counts = counts_of(child)?;
            sum.answered += counts.answered;
            sum.open += counts.open;
        }
        Ok(sum)
    }
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests or round trips.
    pub(crate) answered: u64,
    /// Connections that are open.
    pub(crate) open: u64,
}

/// Asks one `canned` for its counts.
fn counts_of(child: &mut Child) -> io::Result<Counts> {
    let lines = child.printed().lines().count();
    let input = child
        .input()
        .ok_or_else(|| io::Error::other("no pipe to canned"))?;
    input.write_all(b"?")?;
    let line = await_line(child, lines)?;
    parse_counts(&line).ok_or_else(|| io::Error::other(format!("canned says `{line}`")))
}

fn parse_counts(line: &str) -> Option<Counts> {
    let (answered, open) = line.strip_prefix("answered ")?.split_once(" open ")?;
    Some(Counts {
        answered: answered.parse().ok()?,
        open: open.parse().ok()?,
    })
}

/// Waits for a whole line that a child prints.
fn await_line(child: &mut Child, number: usize) -> io::Result<String> {
    let start = Instant::now();
    loop {
        let text = child.printed();
        if let Some(line) = text.split_inclusive('\n').nth(number)
            && line.ends_with('\n')
        {
            return Ok(line.trim_end().to_owned());
        }
        if !child.runs()? || start.elapsed() > PATIENCE {
            let text = format!("a server does not answer: {}", child.said());
            return Err(io::Error::other(text));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// An address that is free now, for a program that cannot choose one itself.
fn free_address() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canned_says_two_numbers() {
        let counts = Counts {
            answered: 12,
            open: 3,
        };
        assert_eq!(parse_counts("answered 12 open 3"), Some(counts));
        assert_eq!(parse_counts("listening on 127.0.0.1:80"), None);
    }
}
