//! Where to connect to and from: arguments of scenarios to addresses.

use crate::http::url::split_host;
use scn_runtime::descs::Descs;
use scn_runtime::{Any, Fault, View};
use std::net::SocketAddr;

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// A name, or an address in text form.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
}

impl Target {
    /// Takes `"host:port"` or `"[::1]:port"` apart; with a default the port may be missing.
    pub(crate) fn parse(text: &str, default_port: Option<u16>) -> Result<Target, Fault> {
        let what = |why: &str| Fault::invalid(format!("`{text}` is no `host:port`: {why}"));
        let (host, port) = split_host(text).map_err(what)?;
        let port = port
            .or(default_port)
            .ok_or_else(|| what("it has no port"))?;
        Ok(Target { host, port })
    }

    /// Reads a `string | ip | addr`.
    pub(crate) fn of(
        any: Any<'_>,
        descs: &Descs,
        default_port: Option<u16>,
    ) -> Result<Target, Fault> {
        match any.view(descs) {
            View::Str(text) => Target::parse(text, default_port),
            View::Addr(addr) => Ok(addr.into()),
            View::Ip(ip) => match default_port {
                Some(port) => Ok(SocketAddr::new(ip, port).into()),
                None => Err(Fault::invalid(format!("`{ip}` has no port"))),
            },
            _ => Err(Fault::invalid("a peer is text or an address")),
        }
    }
}

impl From<SocketAddr> for Target {
    fn from(addr: SocketAddr) -> Target {
        Target {
            host: addr.ip().to_string(),
            port: addr.port(),
        }
    }
}

/// Reads the `ip | addr` of `bind:`.
pub(crate) fn source(any: Option<Any<'_>>, descs: &Descs) -> Option<SocketAddr> {
    match any?.view(descs) {
        View::Ip(ip) => Some(SocketAddr::new(ip, 0)),
        View::Addr(addr) => Some(addr),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read() {
        let target = |text| Target::parse(text, None).map(|t| (t.host, t.port));
        assert_eq!(
            target("Mail.test:25").unwrap(),
            ("mail.test".to_owned(), 25)
        );
        assert_eq!(target("[::1]:80").unwrap(), ("::1".to_owned(), 80));
        for text in ["mail.test", "mail.test:", ":25", "::1:80", "a:70000", ""] {
            assert_eq!(target(text).unwrap_err().kind(), "invalid_input", "{text}");
        }
        assert_eq!(Target::parse("127.0.0.1", Some(53)).unwrap().port, 53);
    }
}
