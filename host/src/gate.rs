//! Decides at run time: each address, name and request of a component passes here, and what was denied is kept.
//!
//! A granted name grants the addresses that it stands for: those that it has when the run begins, and those that the
//! component is told when it looks the name up. Enter at [`Gate::check`].

use crate::grants::Grants;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::sockets::SocketAddrUse;

/// So many different denials are kept; a component in a loop has more.
const MOST_DENIALS: usize = 16;

/// Something that a component wanted and was not granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Denied {
    /// To connect or send to a peer.
    Peer(SocketAddr),
    /// To bind a local address, or to listen there.
    Source(SocketAddr),
    /// To look up a name.
    Name(String),
    /// To send a request to a host.
    Request(String, u16),
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Peer(address) => write!(f, "to reach {address}"),
            Denied::Source(address) => write!(f, "to bind {address}"),
            Denied::Name(name) => write!(f, "to look up {name}"),
            Denied::Request(host, port) => write!(f, "to send a request to {host}:{port}"),
        }
    }
}

/// The grants of a run, with what names have come to stand for.
#[derive(Debug)]
pub(crate) struct Gate {
    grants: Grants,
    /// Addresses of names, with the ports granted there.
    learned: Mutex<Vec<(IpAddr, std::ops::RangeInclusive<u16>)>>,
    denied: Mutex<Vec<Denied>>,
}

impl Gate {
    /// The gate of these grants; names are looked up now. One without an address grants none yet.
    pub(crate) fn new(grants: Grants) -> Gate {
        let gate = Gate {
            grants,
            learned: Mutex::default(),
            denied: Mutex::default(),
        };
        let names: Vec<String> = gate.grants.names().map(str::to_owned).collect();
        for name in names {
            for address in (name.as_str(), 0).to_socket_addrs().into_iter().flatten() {
                gate.learn(&name, address.ip());
            }
        }
        gate
    }

    /// What was denied, in the order in which it first was.
    pub(crate) fn denied(&self) -> Vec<Denied> {
        lock(&self.denied).clone()
    }

    /// Remembers an address of a name that was looked up.
    pub(crate) fn learn(&self, name: &str, ip: IpAddr) {
        let mut learned = lock(&self.learned);
        for ports in self.grants.ports_of(name) {
            let new = (ip.to_canonical(), ports.clone());
            if !learned.contains(&new) {
                learned.push(new);
            }
        }
    }

    /// Whether a socket may do this with an address.
    pub(crate) fn check(&self, address: SocketAddr, what: SocketAddrUse) -> bool {
        match what {
            SocketAddrUse::TcpConnect | SocketAddrUse::UdpSend => {
                self.decide(self.allows_peer(address), || Denied::Peer(address))
            }
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => {
                // The system's own choice of an address reaches nobody.
                let is_free = address.ip().is_unspecified() && address.port() == 0;
                let allowed = is_free || self.grants.allows_source(address.ip());
                self.decide(allowed, || Denied::Source(address))
            }
            SocketAddrUse::TcpListen => {
                let allowed = self.grants.allows_source(address.ip());
                self.decide(allowed, || Denied::Source(address))
            }
            // Who listens where it may, hears whoever comes.
            SocketAddrUse::TcpAccept | SocketAddrUse::UdpReceive => true,
        }
    }

    /// Whether a name may be looked up.
    pub(crate) fn check_name(&self, name: &str) -> bool {
        self.decide(self.grants.allows_name(name), || {
            Denied::Name(name.to_owned())
        })
    }

    /// Whether a request may go to a host, a name or an address.
    pub(crate) fn check_request(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let allowed = match host.parse() {
            Ok(ip) => self.allows_peer(SocketAddr::new(ip, port)),
            Err(_) => {
                self.grants.all
                    || self
                        .grants
                        .ports_of(host)
                        .any(|ports| ports.contains(&port))
            }
        };
        self.decide(allowed, || Denied::Request(host.to_owned(), port))
    }

    fn allows_peer(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.grants.allows_address(ip, address.port())
            || lock(&self.learned)
                .iter()
                .any(|(known, ports)| *known == ip && ports.contains(&address.port()))
    }

    fn decide(&self, allowed: bool, what: impl FnOnce() -> Denied) -> bool {
        if !allowed {
            let (mut denied, what) = (lock(&self.denied), what());
            if denied.len() < MOST_DENIALS && !denied.contains(&what) {
                denied.push(what);
            }
        }
        allowed
    }
}

/// Both lists are whole after each push, so a panic elsewhere leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(allow: &[&str]) -> Gate {
        Gate::new(Grants {
            allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
            ..Grants::default()
        })
    }

    #[test]
    fn a_name_grants_the_addresses_that_it_stands_for() {
        let gate = gate(&["*.example.test:443"]);
        let peer: SocketAddr = "192.0.2.1:443".parse().unwrap();
        assert!(!gate.check(peer, SocketAddrUse::TcpConnect));
        gate.learn("www.example.test", peer.ip());
        assert!(gate.check(peer, SocketAddrUse::TcpConnect));
        assert!(!gate.check(SocketAddr::new(peer.ip(), 80), SocketAddrUse::TcpConnect));
        gate.learn("other.test", "192.0.2.2".parse().unwrap());
        assert!(!gate.check("192.0.2.2:443".parse().unwrap(), SocketAddrUse::UdpSend));
        assert_eq!(gate.denied().len(), 3);
    }

    #[test]
    fn denials_are_kept_once_and_not_without_end() {
        let gate = gate(&[]);
        for _ in 0..3 {
            assert!(!gate.check_name("a.test"));
        }
        assert_eq!(gate.denied(), [Denied::Name("a.test".to_owned())]);
        for port in 0..100 {
            assert!(!gate.check_request("b.test", port));
        }
        assert_eq!(gate.denied().len(), MOST_DENIALS);
    }

    #[test]
    fn the_system_may_choose_the_source_and_nobody_else() {
        let gate = gate(&["*:*"]);
        assert!(gate.check("0.0.0.0:0".parse().unwrap(), SocketAddrUse::TcpBind));
        assert!(!gate.check("127.0.0.2:0".parse().unwrap(), SocketAddrUse::UdpBind));
        assert!(!gate.check("0.0.0.0:0".parse().unwrap(), SocketAddrUse::TcpListen));
        assert!(!gate.check("0.0.0.0:80".parse().unwrap(), SocketAddrUse::TcpBind));
        assert!(gate.check_request("[::1]", 80));
    }
}
