//! What a user keeps between requests: cookies, and connections that are open.
//!
//! Connections from a leased address are kept with the lease, and end before it does: see [`Shelf`].

use super::cookies::Jar;
use super::url::Url;
use crate::net::address::Target;
use crate::net::origin::Origin;
use crate::net::stream::Stream;
use crate::net::{Limit, connect, resolve, within};
use crate::tls;
use crate::tls::config::Options;
use scn_runtime::source::Tenure;
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
    kept: Kept,
}

/// Idle connections. A user has few, so that looking through them is faster than hashing.
#[derive(Debug, Default)]
struct Kept(Vec<(KeyId, Connection)>);

/// Where connections are kept.
#[derive(Debug)]
pub(crate) enum Shelf {
    /// With the user.
    User,
    /// With the lease of the address that they come from.
    Tenure(Rc<Tenure>),
    /// Nowhere: each request has an address of its own.
    None,
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
    /// Waiting for a source address, which is no part of the exchange.
    pub(crate) waited: u64,
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
        let asked = cx.now();
        let target = Target {
            host: url.host.clone(),
            port: url.port,
        };
        let origin = Origin::of(cx, &target, self.bind).await?;
        let waited = cx.now().saturating_sub(asked);
        let own = self.limit.map(|nanos| Limit::from_now(cx, nanos));
        let limit = total.later(waited).earlier(own);
        let whole = self.dial_unlimited(cx, url, target, origin);
        let dialled = within(cx, Some(limit), whole).await;
        let dialled =
            dialled.map(|(connection, dialled)| (connection, Dialled { waited, ..dialled }));
        match own {
            Some(own) if own == limit => dialled.map_err(|fault| match fault.kind() {
                scn_runtime::kind::TIMEOUT => limit.fault_of("connecting"),
                _ => fault,
            }),
            _ => dialled,
        }
    }

    async fn dial_unlimited(
        &self,
        cx: Cx,
        url: &Url,
        target: Target,
        origin: Origin,
    ) -> Result<(Connection, Dialled), Fault> {
        let started = cx.now();
        let addresses = resolve::resolve(cx, &target.host).await?;
        let resolved = cx.now();
        let (io, remote) = connect::connect_any(cx, &addresses, &target, origin.bind).await?;
        origin.stay_with(&io);
        let connected = cx.now();
        let local = connect::local_address(&SockRef::from(&io))?;
        let stream = match url.tls {
            false => Stream::Plain(io),
            true => {
                let name = tls::server_name(self.server_name.as_deref().unwrap_or(&url.host))?;
                Stream::Tls(Box::new(
                    tls::handshake_to_send(cx, io, name, &self.tls).await?,
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
            waited: 0,
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

impl Shelf {
    /// The shelf for connections of the user in charge, from an address that is named or from the user's source.
    pub(crate) fn of(ctx: &Ctx, bind: Option<SocketAddr>) -> Shelf {
        ctx.with_user(|user| match user.source.kind() {
            Some(_) if bind.is_none() => user.source.tenure().map_or(Shelf::None, Shelf::Tenure),
            _ => Shelf::User,
        })
    }

    /// A kept connection that is still usable as far as can be seen; closed ones are dropped. The reactor knows what has
    /// come since the last poll, without a system call; `closely` asks the kernel, for requests that cannot be repeated.
    pub(crate) fn take(
        &self,
        session: &mut Session,
        key: KeyId,
        closely: bool,
    ) -> Option<Connection> {
        match self {
            Shelf::User => session.kept.take(key, closely),
            Shelf::Tenure(tenure) => tenure
                .extensions
                .with::<Kept, _>(|mut kept| kept.take(key, closely)),
            Shelf::None => None,
        }
    }

    /// Keeps a connection for further requests.
    pub(crate) fn put(&self, session: &mut Session, key: KeyId, connection: Connection) {
        match self {
            Shelf::User => session.kept.put(key, connection),
            Shelf::Tenure(tenure) => {
                // The connection is the lease's from now on, so that it cannot hold the lease itself.
                connection.stream.io().let_source_go();
                tenure
                    .extensions
                    .with::<Kept, _>(|mut kept| kept.put(key, connection));
            }
            Shelf::None => {}
        }
    }
}

impl Kept {
    fn take(&mut self, key: KeyId, closely: bool) -> Option<Connection> {
        while let Some(at) = self.0.iter().rposition(|(known, _)| *known == key) {
            let (_, connection) = self.0.swap_remove(at);
            if connection.stream.is_usable(closely) {
                return Some(connection);
            }
        }
        None
    }

    fn put(&mut self, key: KeyId, connection: Connection) {
        let same = self.0.iter().filter(|(known, _)| *known == key).count();
        if same < KEPT {
            if self.0.capacity() == 0 {
                // Most users talk to one server.
                self.0.reserve_exact(1);
            }
            self.0.push((key, connection));
        }
    }
}
