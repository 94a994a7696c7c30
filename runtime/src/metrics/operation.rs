//! What libraries report of each request, exchange or connection: borrowed and plain, so that it costs no allocation.

use super::NameId;
use crate::fault::kind;
use crate::timer::Nanos;

/// Protocols that are measured; each gives the same metrics under its own name (`http.duration`, `tcp.duration`...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Protocol {
    /// HTTP.
    Http,
    /// TCP: connections and transfers that scripts make themselves.
    Tcp,
    /// UDP.
    Udp,
    /// TLS that scripts speak themselves.
    Tls,
    /// Queries of names.
    Dns,
}

impl Protocol {
    /// Its name, which its metrics begin with.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Tls => "tls",
            Protocol::Dns => "dns",
        }
    }
}

/// What became of a connection in an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// It was there before.
    #[default]
    Reused,
    /// It was made.
    Opened,
    /// It could not be made.
    Failed,
    /// The script holds it and uses it as it likes: that says nothing about connections.
    Held,
}

/// One operation of a protocol that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The protocol.
    pub protocol: Protocol,
    /// Its name: method and path template of a request, `send`, `connect`...
    pub name: NameId,
    /// Its method, `NameId::NONE` if the protocol has none.
    pub method: NameId,
    /// The response's status, 0 for none.
    pub status: u16,
    /// The kind of the error that ended it.
    pub kind: Option<&'a str>,
    /// Whether it counts as failed.
    pub failed: bool,
    /// When its strand became runnable for it: response time counts from here.
    pub intended: Nanos,
    /// When it was begun: service time counts from here.
    pub started: Nanos,
    /// When it had ended.
    pub done: Nanos,
    /// `dns`, `connect`, `tls`, `send`, `wait`, `receive` in nanoseconds; negative ones did not take place.
    pub phases: [i64; 6],
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// What became of its connection.
    pub link: Link,
}

/// What the machine of the load generator may run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lack {
    /// Local ports for connections.
    Ports,
    /// File descriptors.
    Descriptors,
    /// Memory of the system.
    Memory,
}

impl Lack {
    /// What an error of this kind says is lacking.
    pub fn of_kind(kind: &str) -> Option<Lack> {
        match kind {
            kind::RESOURCE_PORTS => Some(Lack::Ports),
            kind::RESOURCE_DESCRIPTORS => Some(Lack::Descriptors),
            kind::RESOURCE_MEMORY => Some(Lack::Memory),
            _ => None,
        }
    }
}
