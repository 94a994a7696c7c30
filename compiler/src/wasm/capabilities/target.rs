//! Which calls reach out, by which argument, and how that is read: URLs, `host:port`, names, local addresses.
//! Enter at [`add`].

use super::trace::{Call, Known};
use super::{Capabilities, Listen, Name, Open, Peer, place};
use crate::ir::Program;

/// What an argument says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `https://host/...`
    Url,
    /// `host:port`
    Peer,
    /// A name that is looked up.
    Name,
    /// `host`, `host:port` of a name server; none asks the system.
    NameServer,
    /// A local address.
    Local,
}

/// Calls that reach out, with the argument that says where.
const CALLS: &[(&str, usize, Form)] = &[
    ("http.get", 0, Form::Url),
    ("http.head", 0, Form::Url),
    ("http.post", 0, Form::Url),
    ("http.put", 0, Form::Url),
    ("http.patch", 0, Form::Url),
    ("http.delete", 0, Form::Url),
    ("http.options", 0, Form::Url),
    ("http.request", 1, Form::Url),
    ("tcp.connect", 0, Form::Peer),
    ("tls.connect", 0, Form::Peer),
    ("udp.connect", 0, Form::Peer),
    ("UdpSocket.send_to", 2, Form::Peer),
    ("Socket.connect", 1, Form::Peer),
    ("Socket.send_to", 2, Form::Peer),
    ("socket.resolve", 0, Form::Name),
    ("dns.resolve", 1, Form::NameServer),
    ("tcp.listen", 0, Form::Local),
    ("udp.bind", 0, Form::Local),
    ("Socket.bind", 1, Form::Local),
    ("server.listen", 2, Form::Local),
    ("server.listen_udp", 2, Form::Local),
];

/// Adds what a call reaches.
pub(super) fn add(found: &mut Capabilities, program: &Program, call: &Call) {
    let Some((_, at, form)) = CALLS.iter().find(|(name, ..)| *name == call.name) else {
        return;
    };
    let argument = call.arguments.get(*at).unwrap_or(&Known::Unknown);
    let known = match (form, argument) {
        // Who asks a name server names it in this argument, else the name is asked of the system.
        (Form::NameServer, Known::Null) => {
            let name = call.arguments.first().unwrap_or(&Known::Unknown);
            add_known(found, call, Form::Name, name)
        }
        _ => add_known(found, call, *form, argument),
    };
    if known.is_none() {
        let (file, line, column) = place(program, call.span);
        found.open.push(Open {
            by: call.name.clone(),
            file,
            line,
            column,
        });
    }
}

/// Adds a target that is known; nothing if it is not.
fn add_known(found: &mut Capabilities, call: &Call, form: Form, argument: &Known) -> Option<()> {
    let (text, whole, param) = match argument {
        Known::Text {
            start,
            whole,
            param,
        } => (start.as_str(), *whole, param.clone()),
        // A program's own servers are reached by who may bind them.
        Known::Own => return Some(()),
        Known::Null | Known::Int(_) | Known::Unknown => return None,
    };
    let by = call.name.clone();
    match form {
        Form::Url => {
            let (host, port) = of_url(text, whole)?;
            found.peers.push(Peer {
                by,
                host,
                port,
                param,
            });
        }
        _ if !whole => return None,
        Form::Peer | Form::NameServer => {
            let usual = (form == Form::NameServer).then_some(53);
            let (host, port) = of_peer(text, usual)?;
            found.peers.push(Peer {
                by,
                host,
                port,
                param,
            });
        }
        Form::Name => found.names.push(Name {
            by,
            name: text.to_owned(),
            param,
        }),
        Form::Local => found.listens.push(Listen {
            by,
            address: text.to_owned(),
            param,
        }),
    }
    Some(())
}

/// Host and port of a URL of which the start is known, at least to the end of its authority.
fn of_url(text: &str, whole: bool) -> Option<(String, u16)> {
    let (scheme, rest) = text.split_once("://")?;
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']);
    let authority = match end {
        Some(end) => &rest[..end],
        None if whole => rest,
        None => return None,
    };
    let authority = authority.rsplit_once('@').map_or(authority, |(_, at)| at);
    of_peer(authority, Some(usual))
}

/// Host and port; `usual` where a port may be left out.
fn of_peer(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    if let Ok(ip) = text.parse::<std::net::IpAddr>() {
        return Some((ip.to_string(), usual?));
    }
    let bare = |host: &str| {
        let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = inner.unwrap_or(host).to_ascii_lowercase();
        (!host.is_empty()).then_some(host)
    };
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
            Some((bare(host)?, port.parse().ok()?))
        }
        _ => Some((bare(text)?, usual?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_host_and_a_port() {
        let of = |text| of_url(text, true);
        let found = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("http://A.test/x"), found("a.test", 80));
        assert_eq!(of("HTTPS://a.test?x=http://b"), found("a.test", 443));
        assert_eq!(of("https://u:p@a.test:8443"), found("a.test", 8443));
        assert_eq!(of("http://[::1]:81/"), found("::1", 81));
        assert_eq!(of("http://[::1]/"), found("::1", 80));
        for wrong in ["ftp://a/", "a.test", "http://", "http://a:b/"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        // The rest of the name or of the port may follow.
        assert_eq!(of_url("http://a.test:8", false), None);
        assert_eq!(of_url("http://a.test:8/", false), found("a.test", 8));
    }

    #[test]
    fn peers_have_a_port() {
        assert_eq!(of_peer("a.test:1", None), Some(("a.test".to_owned(), 1)));
        assert_eq!(of_peer("[::1]:1", None), Some(("::1".to_owned(), 1)));
        assert_eq!(of_peer("a.test", None), None);
        assert_eq!(of_peer("::1", Some(53)), Some(("::1".to_owned(), 53)));
    }
}
