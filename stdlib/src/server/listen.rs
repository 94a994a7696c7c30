//! Binding and accepting, and where each server listens.

use super::conn::HttpConn;
use crate::net::address::Target;
use crate::net::stream::Stream;
use crate::net::{connect, within};
use crate::tcp::TcpConn;
use crate::tls::TlsConn;
use crate::tls::config::server_config;
use crate::tls::stream::TlsStream;
use crate::udp::UdpSocket;
use rustls::{Connection, ServerConfig, ServerConnection};
use scn_runtime::host::{Params, Ret, results::Reply};
use scn_runtime::io::Io;
use scn_runtime::worker::Endpoint;
use scn_runtime::{Ctx, Cx, Extern, Fault, List, NativeDef, New, ready, waiting};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;

/// The natives of this file.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        ready("server.listen", listen),
        ready("server.listen_udp", listen),
        waiting("server.accept", accept),
        waiting("server.handshake", handshake),
        ready("server.url", url),
        ready("server.addr", addr),
    ]
}

/// Connections that may wait to be accepted.
const BACKLOG: i64 = 1024;

/// How long a client may take for the handshake, in nanoseconds.
const HANDSHAKE_LIMIT: i64 = 30_000_000_000;

/// The listening socket of a `server` block.
#[derive(Debug)]
pub(crate) struct ServerSocket {
    io: Io,
    http: bool,
    tls: Option<Arc<ServerConfig>>,
}

impl Extern for ServerSocket {
    const NAME: &'static str = "ServerSocket";
}

/// What `server.listen` gives: a listener, or the socket of a udp server.
#[derive(Debug)]
enum Listening {
    Socket(ServerSocket),
    Udp(UdpSocket),
}

impl Reply for Listening {
    fn results(params: &mut Params) {
        New::<ServerSocket>::results(params);
        params.external(UdpSocket::NAME);
    }
    fn reply(self, ctx: &Ctx) -> Ret {
        match self {
            Listening::Socket(socket) => New(socket).reply(ctx),
            Listening::Udp(socket) => New(socket).reply(ctx),
        }
    }
}

fn listen(
    cx: &Ctx,
    global: i64,
    protocol: &str,
    address: &str,
    options: List<'_>,
) -> Result<Listening, Fault> {
    let on = socket_address(address)?;
    let options: Vec<String> = options.strings(cx.descs()).map(str::to_owned).collect();
    let tls = match protocol == "tls" || !options.is_empty() && protocol == "http" {
        true => Some(Arc::new(tls_config(cx, protocol, &options)?)),
        false => None,
    };
    let reactor = cx.worker().reactor();
    let (listening, local) = match protocol {
        "udp" => {
            let socket = UdpSocket::bind(reactor, on, None)?;
            let local = socket.local;
            (Listening::Udp(socket), local)
        }
        _ => {
            let (io, local) = connect::listen(reactor, on, BACKLOG)?;
            (
                Listening::Socket(ServerSocket {
                    io,
                    http: protocol == "http",
                    tls: tls.clone(),
                }),
                local,
            )
        }
    };
    let endpoint = Endpoint {
        address: local,
        secure: tls.is_some(),
    };
    cx.worker().set_endpoint(global, Some(endpoint));
    Ok(listening)
}

/// Servers start before anything else runs, so a name may be resolved here and now.
fn socket_address(address: &str) -> Result<SocketAddr, Fault> {
    let target = Target::parse(address, None)?;
    let found = (target.host.as_str(), target.port).to_socket_addrs();
    let found = found.ok().and_then(|mut all| all.next());
    found.ok_or_else(|| crate::net::resolve::not_found(&target.host))
}

fn tls_config(cx: &Ctx, protocol: &str, options: &[String]) -> Result<ServerConfig, Fault> {
    let option = |wanted: &str| {
        let mut pairs = options.chunks_exact(2);
        pairs
            .find(|pair| pair[0] == wanted)
            .map(|pair| pair[1].as_bytes())
    };
    let alpn: &[&str] = if protocol == "http" {
        &["http/1.1"]
    } else {
        &[]
    };
    let made = server_config(option("cert"), option("key"), &cx.settings().base, alpn);
    made.map_err(|why| Fault::text("tls.config", why))
}

/// What `server.accept` gives: a connection of a tcp, tls or http server.
#[derive(Debug)]
enum Accepted {
    Tcp(TcpConn),
    Http(Box<HttpConn>),
}

impl Reply for Accepted {
    fn results(params: &mut Params) {
        New::<TcpConn>::results(params);
        params.external(HttpConn::NAME);
    }
    fn reply(self, ctx: &Ctx) -> Ret {
        match self {
            Accepted::Tcp(conn) => New(conn).reply(ctx),
            Accepted::Http(conn) => New(*conn).reply(ctx),
        }
    }
}

async fn accept(cx: Cx, listener: &ServerSocket) -> Result<Accepted, Fault> {
    let (io, remote) = connect::accept_patiently(cx, &listener.io).await?;
    if !listener.http {
        let conn = TcpConn::new(io, remote, None)?;
        conn.0.set_server_config(listener.tls.clone());
        return Ok(Accepted::Tcp(conn));
    }
    let stream = match &listener.tls {
        None => Stream::Plain(io),
        Some(config) => Stream::Tls(Box::new(server_side(io, config.clone(), &[])?)),
    };
    Ok(Accepted::Http(Box::new(HttpConn::new(stream, remote))))
}

fn server_side(io: Io, config: Arc<ServerConfig>, received: &[u8]) -> Result<TlsStream, Fault> {
    let tls =
        ServerConnection::new(config).map_err(|error| crate::tls::error::fault(&error, false))?;
    TlsStream::new(io, Connection::Server(tls), received)
}

async fn handshake(cx: Cx, conn: &TcpConn) -> Result<New<TlsConn>, Fault> {
    let config = conn
        .0
        .server_config()
        .ok_or_else(|| Fault::invalid("the connection is not of a tls server"))?;
    let (stream, received) = conn.0.take_stream()?;
    let Ok(Stream::Plain(io)) = Rc::try_unwrap(stream) else {
        return Err(Fault::invalid("the connection is in use"));
    };
    let tls = server_side(io, config, &received)?;
    let limit = crate::net::Limit::from_now(cx, HANDSHAKE_LIMIT);
    within(cx, Some(limit), tls.handshake()).await?;
    TlsConn::new(tls, conn.0.remote, None).map(New)
}

fn endpoint(cx: &Ctx, global: i64) -> Endpoint {
    // Servers start before every other section; a server that failed to start ended the run.
    cx.worker().endpoint(global).unwrap_or(Endpoint {
        address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        secure: false,
    })
}

fn addr(cx: &Ctx, global: i64) -> SocketAddr {
    reachable(endpoint(cx, global).address)
}

fn url(cx: &Ctx, global: i64) -> String {
    let endpoint = endpoint(cx, global);
    let scheme = if endpoint.secure { "https" } else { "http" };
    format!("{scheme}://{}", reachable(endpoint.address))
}

/// A server on all interfaces is reached over loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}
