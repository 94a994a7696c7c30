//! `tls`: connections with TLS 1.2 and 1.3.

pub(crate) mod certificate;
pub(crate) mod config;
pub(crate) mod error;
mod resume;
pub(crate) mod stream;
mod verify;

use crate::net::address::{Target, source};
use crate::net::channel::Channel;
use crate::net::measure::{self, Ended, Parts};
use crate::net::origin::Origin;
use crate::net::stream::Stream;
use crate::net::{Limit, connect, within};
use crate::tcp::TcpConn;
use certificate::Certificate;
use config::Options;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, HandshakeKind, ProtocolVersion};
use scn_runtime::io::Io;
use scn_runtime::metrics::{NameId, Protocol};
use scn_runtime::{
    Any, Ctx, Cx, DescId, Extern, Fault, List, Nanos, NativeDef, New, Own, OwnSlot, Text, VarList,
    ready, waiting,
};
use sha2::Digest;
use std::net::SocketAddr;
use std::rc::Rc;
use stream::TlsStream;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        waiting("tls.connect", connect_to),
        waiting("TcpConn.start_tls", start_tls),
        waiting("TlsConn.send", send),
        waiting("TlsConn.recv", recv),
        waiting("TlsConn.recv_exact", recv_exact),
        waiting("TlsConn.recv_until", recv_until),
        waiting("TlsConn.shutdown", shutdown),
        ready("TlsConn.close", close),
        ready("TlsConn.local", local),
        ready("TlsConn.remote", remote),
        ready("TlsConn.version", version),
        ready("TlsConn.cipher", cipher),
        ready("TlsConn.alpn", alpn),
        ready("TlsConn.resumed", resumed),
        ready("TlsConn.peer_certificate", peer_certificate),
    ]
}

/// A TLS connection of a scenario.
#[derive(Debug)]
pub(crate) struct TlsConn {
    channel: Channel,
    /// What the handshake settled; it stays when the connection is closed.
    settled: Settled,
}

impl Extern for TlsConn {
    const NAME: &'static str = "TlsConn";
}

#[derive(Debug)]
struct Settled {
    version: &'static str,
    cipher: String,
    alpn: Option<String>,
    resumed: bool,
    certificate: Option<Vec<u8>>,
}

impl TlsConn {
    /// A handle for a connection whose handshake is done.
    pub(crate) fn new(
        tls: TlsStream,
        remote: SocketAddr,
        limit: Option<i64>,
    ) -> Result<TlsConn, Fault> {
        let settled = tls.with(|tls| Settled {
            version: match tls.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "1.2",
                _ => "1.3",
            },
            cipher: tls
                .negotiated_cipher_suite()
                .map_or(String::new(), |suite| format!("{:?}", suite.suite())),
            alpn: tls
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
            resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
            certificate: tls
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|first| first.to_vec()),
        });
        let channel = Channel::new(Stream::Tls(Box::new(tls)), remote, limit)?;
        Ok(TlsConn { channel, settled })
    }
}

/// The name that a peer's certificate must be for.
pub(crate) fn server_name(text: &str) -> Result<ServerName<'static>, Fault> {
    let owned = text.strip_suffix('.').unwrap_or(text).to_owned();
    ServerName::try_from(owned)
        .map_err(|_| Fault::invalid(format!("`{text}` is no name of a TLS server")))
}

/// Shakes hands as a client.
pub(crate) async fn handshake(
    cx: Cx,
    io: Io,
    received: &[u8],
    name: ServerName<'static>,
    options: &Options,
) -> Result<TlsStream, Fault> {
    let tls = client(cx, io, received, name, options).await?;
    tls.handshake().await?;
    Ok(tls)
}

/// Shakes hands as a client who sends something at once.
pub(crate) async fn handshake_to_send(
    cx: Cx,
    io: Io,
    name: ServerName<'static>,
    options: &Options,
) -> Result<TlsStream, Fault> {
    let tls = client(cx, io, &[], name, options).await?;
    tls.shake_hands().await?;
    Ok(tls)
}

async fn client(
    cx: Cx,
    io: Io,
    received: &[u8],
    name: ServerName<'static>,
    options: &Options,
) -> Result<TlsStream, Fault> {
    let config = config::client_config(cx, options).await?;
    let client =
        ClientConnection::new(config, name).map_err(|error| error::fault(&error, false))?;
    TlsStream::new(io, Connection::Client(client), received)
}

/// `server_name`, `alpn`, `verify`, `roots`, `cert`, `key`, `min_version`, `max_version`.
type Given<'a> = (
    Option<List<'a>>,
    bool,
    Option<Text<'a>>,
    Option<Text<'a>>,
    Option<Text<'a>>,
    &'a str,
    &'a str,
);

fn options(cx: Cx, given: Given<'_>) -> Options {
    let (alpn, verify, roots, cert, key, min_version, max_version) = given;
    let owned = |text: Option<Text<'_>>| text.map(|text| text.bytes.to_vec());
    let names =
        |list: List<'_>| cx.with(|ctx| list.strings(ctx.descs()).map(str::to_owned).collect());
    Options {
        verify,
        roots: owned(roots),
        cert: owned(cert),
        key: owned(key),
        alpn: alpn.map(names).unwrap_or_default(),
        min_version: min_version.to_owned(),
        max_version: max_version.to_owned(),
    }
}

async fn connect_to(
    cx: Cx,
    to: Any<'_>,
    name: Option<&str>,
    given: Given<'_>,
    bind: Option<Any<'_>>,
    timeout: Nanos,
) -> Result<New<TlsConn>, Fault> {
    let (target, bind) =
        cx.with(|ctx| (Target::of(to, ctx.descs(), None), source(bind, ctx.descs())));
    let target = target?;
    let name = server_name(name.unwrap_or(&target.host))?;
    let options = options(cx, given);
    let origin = Origin::of(cx, &target, bind).await?;
    let limit = Limit::from_now(cx, timeout.0);
    let begun = measure::begin(cx, Protocol::Tls, NameId::CONNECT);
    let mut parts = Parts::new(cx);
    let whole = async {
        let (io, remote) = connect::connect(cx, &target, origin, &mut parts).await?;
        let tls = handshake(cx, io, &[], name, &options).await?;
        parts.end(2);
        Ok((tls, remote))
    };
    let result = within(cx, Some(limit), whole).await;
    let ended = Ended {
        fault: result.as_ref().err(),
        ..parts.connected(&result)
    };
    measure::end(cx, begun, ended);
    let (tls, remote) = result?;
    TlsConn::new(tls, remote, Some(timeout.0)).map(New)
}

async fn start_tls(
    cx: Cx,
    conn: &TcpConn,
    name: &str,
    given: Given<'_>,
    timeout: Nanos,
) -> Result<New<TlsConn>, Fault> {
    let name = server_name(name)?;
    let options = options(cx, given);
    let (stream, received) = conn.0.take_stream()?;
    let Ok(Stream::Plain(io)) = Rc::try_unwrap(stream) else {
        return Err(Fault::invalid(
            "another branch of the scenario waits for this connection",
        ));
    };
    let limit = Limit::from_now(cx, timeout.0);
    let tls = within(
        cx,
        Some(limit),
        handshake(cx, io, &received, name, &options),
    )
    .await?;
    TlsConn::new(tls, conn.0.remote, Some(timeout.0)).map(New)
}

async fn send(cx: Cx, conn: &TlsConn, data: Text<'_>, timeout: Option<Nanos>) -> Result<(), Fault> {
    conn.channel.send(cx, data.bytes, timeout).await
}

async fn recv(cx: Cx, conn: &TlsConn, max: i64, timeout: Option<Nanos>) -> Result<Own, Fault> {
    conn.channel.recv(cx, max, timeout).await
}

async fn recv_exact(cx: Cx, conn: &TlsConn, n: i64, timeout: Option<Nanos>) -> Result<Own, Fault> {
    conn.channel.recv_exact(cx, n, timeout).await
}

async fn recv_until(
    cx: Cx,
    conn: &TlsConn,
    delimiter: Text<'_>,
    max: i64,
    timeout: Option<Nanos>,
) -> Result<Own, Fault> {
    conn.channel
        .recv_until(cx, delimiter.bytes, max, timeout)
        .await
}

async fn shutdown(conn: &TlsConn) -> Result<(), Fault> {
    if let Stream::Tls(tls) = &*conn.channel.stream()? {
        tls.shutdown().await?;
    }
    conn.channel.shutdown()
}

fn close(conn: &TlsConn) {
    conn.channel.close();
}

fn local(conn: &TlsConn) -> Result<SocketAddr, Fault> {
    Ok(conn.channel.local)
}

fn remote(conn: &TlsConn) -> Result<SocketAddr, Fault> {
    Ok(conn.channel.remote)
}

fn version(conn: &TlsConn) -> &'static str {
    conn.settled.version
}

fn cipher(conn: &TlsConn) -> String {
    conn.settled.cipher.clone()
}

fn alpn(conn: &TlsConn) -> Option<String> {
    conn.settled.alpn.clone()
}

fn resumed(conn: &TlsConn) -> bool {
    conn.settled.resumed
}

fn peer_certificate(cx: &Ctx, desc: DescId, conn: &TlsConn) -> Result<Option<Own>, Fault> {
    let Some(der) = &conn.settled.certificate else {
        return Ok(None);
    };
    let says = Certificate::parse(der).ok_or_else(|| {
        Fault::fixed(
            "tls.bad_certificate",
            "the peer's certificate cannot be read",
        )
    })?;
    let fingerprint: String = sha2::Sha256::digest(der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text = |text: &str| OwnSlot::own(cx.heap.string(text));
    let fields = vec![
        text(&says.subject),
        text(&says.issuer),
        OwnSlot::own(VarList::of_strings(cx, &says.names).into_own()),
        text(&says.not_before()),
        text(&says.not_after()),
        text(&says.serial),
        text(&fingerprint),
        OwnSlot::own(cx.heap.bytes(der)),
    ];
    Ok(Some(cx.heap.record(desc, fields)))
}
