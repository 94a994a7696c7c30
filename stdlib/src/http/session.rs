//! What a user keeps between requests: cookies, and connections that are open.

use super::cookies::Jar;
use super::url::Url;
use crate::net::address::Target;
use crate::net::stream::Stream;
use crate::net::{Limit, connect, resolve, within};
use crate::tls;
use crate::tls::config::Options;
use scn_runtime::{Ctx, Cx, Fault};
use socket2::SockRef;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;

/// Connections that are kept for one key.
const KEPT: usize = 32;

/// Cookies and connections of a user.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The cookies.
    pub(crate) jar: Jar,
    /// Idle connections. A user has few, so that looking through them is faster than hashing.
    kept: Vec<(KeyId, Connection)>,
}

/// A key as a number of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(u32);

/// The keys of a worker.
#[derive(Debug, Default)]
struct Keys {
    ids: HashMap<Key, KeyId>,
}

/// What makes connections interchangeable.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
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
    /// Its addresses.
    pub(crate) ends: Rc<Ends>,
}

/// The addresses of a connection.
#[derive(Debug)]
pub(crate) struct Ends {
    /// That of this end.
    pub(crate) local: SocketAddr,
    /// That of the other end.
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
    pub(crate) fn key(&self, ctx: &Ctx, url: &Url) -> KeyId {
        let tls = url.tls.then(|| {
            (
                tls::config::intern(ctx, &self.tls),
                self.server_name.clone(),
            )
        });
        let key = Key {
            host: url.host.clone(),
            port: url.port,
            bind: self.bind,
            tls,
        };
        ctx.run_state::<Keys, _>(|mut keys| {
            let next = KeyId(u32::try_from(keys.ids.len()).expect("keys fit memory"));
            *keys.ids.entry(key).or_insert(next)
        })
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
                ends: Rc::new(Ends { local, remote }),
            },
            dialled,
        ))
    }
}

impl Session {
    /// A kept connection that is still usable as far as can be seen; closed ones are dropped. The reactor knows what has
    /// come since the last poll, without a system call; `closely` asks the kernel, for requests that cannot be repeated.
    pub(crate) fn take(&mut self, key: KeyId, closely: bool) -> Option<Connection> {
        while let Some(at) = self.kept.iter().rposition(|(known, _)| *known == key) {
            let (_, connection) = self.kept.swap_remove(at);
            if connection.stream.is_usable(closely) {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for further requests.
    pub(crate) fn put(&mut self, key: KeyId, connection: Connection) {
        let same = self.kept.iter().filter(|(known, _)| *known == key).count();
        if same < KEPT {
            if self.kept.capacity() == 0 {
                // Most users talk to one server.
                self.kept.reserve_exact(1);
            }
            self.kept.push((key, connection));
        }
    }
}
