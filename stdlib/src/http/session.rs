//! What a user keeps between requests: cookies, and connections that are open.

use super::cookies::Jar;
use super::url::Url;
use crate::net::address::Target;
use crate::net::stream::Stream;
use crate::net::{Limit, connect, resolve, within};
use crate::tls;
use crate::tls::config::Options;
use scn_runtime::{Cx, Fault};
use socket2::SockRef;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Connections that are kept for one key.
const KEPT: usize = 32;

/// Cookies and connections of a user.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The cookies.
    pub(crate) jar: Jar,
    kept: HashMap<Key, Vec<Connection>>,
}

/// What makes connections interchangeable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    host: String,
    port: u16,
    bind: Option<SocketAddr>,
    /// The options of TLS by number, and the name that is asked for.
    tls: Option<(u32, Option<String>)>,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The stream.
    pub(crate) stream: Stream,
    /// The address of this end.
    pub(crate) local: SocketAddr,
    /// The address of the other end.
    pub(crate) remote: SocketAddr,
}

/// How long the parts of making a connection took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dialled {
    /// Resolving.
    pub(crate) dns: i64,
    /// Connecting.
    pub(crate) connect: i64,
    /// The TLS handshake.
    pub(crate) tls: i64,
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// The source address.
    pub(crate) bind: Option<SocketAddr>,
    /// How long it may take.
    pub(crate) limit: Option<i64>,
    /// Options of TLS.
    pub(crate) tls: Options,
    /// The name to ask for instead of the host.
    pub(crate) server_name: Option<String>,
}

impl Dial {
    /// The key of connections to a URL.
    pub(crate) fn key(&self, cx: Cx, url: &Url) -> Key {
        let tls = url.tls.then(|| {
            (
                cx.with(|ctx| tls::config::intern(ctx, &self.tls)),
                self.server_name.clone(),
            )
        });
        Key {
            host: url.host.clone(),
            port: url.port,
            bind: self.bind,
            tls,
        }
    }

    /// Makes a connection.
    pub(crate) async fn dial(
        &self,
        cx: Cx,
        url: &Url,
        total: Limit,
    ) -> Result<(Connection, Dialled), Fault> {
        let own = self.limit.map(|nanos| Limit::from_now(cx, nanos));
        let limit = total.earlier(own);
        let dialled = within(cx, Some(limit), self.dial_unlimited(cx, url)).await;
        match own {
            Some(own) if own == limit => dialled.map_err(|fault| match fault.kind() {
                scn_runtime::kind::TIMEOUT => limit.fault_of("connecting"),
                _ => fault,
            }),
            _ => dialled,
        }
    }

    async fn dial_unlimited(&self, cx: Cx, url: &Url) -> Result<(Connection, Dialled), Fault> {
        let started = cx.now();
        let target = Target {
            host: url.host.clone(),
            port: url.port,
        };
        let addresses = resolve::resolve(cx, &target.host).await?;
        let resolved = cx.now();
        let (io, remote) = connect::connect_any(cx, &addresses, &target, self.bind).await?;
        let connected = cx.now();
        let local = connect::local_address(&SockRef::from(&io))?;
        let stream = match url.tls {
            false => Stream::Plain(io),
            true => {
                let name = tls::server_name(self.server_name.as_deref().unwrap_or(&url.host))?;
                Stream::Tls(Box::new(
                    tls::handshake(cx, io, &[], name, &self.tls).await?,
                ))
            }
        };
        let span = |from: u64, to: u64| to.saturating_sub(from).cast_signed();
        let literal = target.host.parse::<std::net::IpAddr>().is_ok();
        let dialled = Dialled {
            dns: if literal { 0 } else { span(started, resolved) },
            connect: span(resolved, connected),
            tls: if url.tls {
                span(connected, cx.now())
            } else {
                0
            },
        };
        Ok((
            Connection {
                stream,
                local,
                remote,
            },
            dialled,
        ))
    }
}

impl Session {
    /// A kept connection that is still usable as far as can be seen; closed ones are dropped.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Connection> {
        let kept = self.kept.get_mut(key)?;
        while let Some(connection) = kept.pop() {
            if connection.stream.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for further requests.
    pub(crate) fn put(&mut self, key: Key, connection: Connection) {
        let kept = self.kept.entry(key).or_default();
        if kept.len() < KEPT {
            kept.push(connection);
        }
    }
}
