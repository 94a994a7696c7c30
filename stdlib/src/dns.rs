//! `dns`: names to addresses, by the system's resolver or by asking a server.

mod message;

use crate::net::address::{Target, source};
use crate::net::measure::{self, Ended};
use crate::net::{Limit, connect, resolve, within};
use crate::udp::UdpSocket;
use message::{Answer, Question, protocol};
use scn_runtime::metrics::{NameId, Protocol};
use scn_runtime::{Any, Cx, DescId, Fault, Nanos, NativeDef, OwnSlot, VarList, kind, waiting};
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![waiting("dns.resolve", resolve_name)]
}

/// How long an answer is waited for before the question is asked again, in nanoseconds.
const TRY_LIMIT: i64 = 1_000_000_000;

async fn resolve_name(
    cx: Cx,
    desc: DescId,
    name: &str,
    server: Option<Any<'_>>,
    bind: Option<Any<'_>>,
    timeout: Nanos,
) -> Result<VarList, Fault> {
    let bind = cx.with(|ctx| source(bind, ctx.descs()));
    let server = cx
        .with(|ctx| server.map(|server| Target::of(server, ctx.descs(), Some(53))))
        .transpose()?;
    let limit = Limit::from_now(cx, timeout.0);
    let begun = measure::begin(cx, Protocol::Dns, NameId::RESOLVE);
    let found = match server {
        None => within(cx, Some(limit), resolve::resolve(cx, name)).await,
        Some(server) => within(cx, Some(limit), ask(cx, name, &server, bind)).await,
    };
    let found = found.map_err(|fault| match fault.kind() {
        kind::TIMEOUT => Fault::text(
            "dns.timeout",
            format!("no answer for `{name}`: it {}", fault.message()),
        ),
        _ => fault,
    });
    let ended = Ended {
        fault: found.as_ref().err(),
        ..Ended::default()
    };
    measure::end(cx, begun, ended);
    let found = found?;
    Ok(list_of(cx, desc, &found))
}

/// A `list<ip>`.
pub(crate) fn list_of(cx: Cx, desc: DescId, all: &[IpAddr]) -> VarList {
    cx.with(|ctx| {
        let mut list = VarList::new(ctx, desc, all.len());
        for ip in all {
            list.push(ctx, OwnSlot::own(ctx.heap.ip(*ip)));
        }
        list
    })
}

/// Asks a server for IPv4 and IPv6 addresses.
async fn ask(
    cx: Cx,
    name: &str,
    server: &Target,
    bind: Option<SocketAddr>,
) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(vec![ip]);
    }
    let servers = resolve::resolve(cx, &server.host).await?;
    let to = SocketAddr::new(servers[0], server.port);
    let mut found = Vec::new();
    let mut failed = None;
    for v6 in [false, true] {
        let id = cx.with(|ctx| ctx.random_below(1 << 16)) as u16;
        let question = Question::new(name, v6, id)?;
        // Servers that know one family only may refuse the other, or be silent: what is known is enough then.
        let limit = (!found.is_empty()).then(|| Limit::from_now(cx, TRY_LIMIT));
        match within(cx, limit, ask_one(cx, &question, to, bind)).await {
            Ok(addresses) => found.extend(addresses),
            Err(fault) if fault.kind() == "dns.not_found" && found.is_empty() => return Err(fault),
            Err(fault) => failed = failed.or(Some(fault)),
        }
    }
    match (found.is_empty(), failed) {
        (false, _) => Ok(found),
        (true, Some(fault)) => Err(fault),
        (true, None) => Err(resolve::not_found(name)),
    }
}

async fn ask_one(
    cx: Cx,
    question: &Question,
    to: SocketAddr,
    bind: Option<SocketAddr>,
) -> Result<Vec<IpAddr>, Fault> {
    let bytes = question.bytes()?;
    let socket = UdpSocket::connected(&cx.reactor(), to, bind, None)?;
    loop {
        socket.send(&bytes).await?;
        let attempt = Limit::from_now(cx, TRY_LIMIT);
        match within(cx, Some(attempt), listen(&socket, question)).await {
            Ok(Answer::Addresses(found)) => return Ok(found),
            Ok(Answer::Truncated) => return ask_over_tcp(cx, question, &bytes, to, bind).await,
            // A datagram may have been lost: ask again, until the limit of the whole call.
            Err(fault) if fault.kind() == kind::TIMEOUT => {}
            Err(fault) => return Err(fault),
        }
    }
}

async fn listen(socket: &UdpSocket, question: &Question) -> Result<Answer, Fault> {
    loop {
        if let Some(answer) = socket
            .receive(usize::MAX, |data, _| question.answer(data))
            .await?
        {
            return answer;
        }
    }
}

/// Over TCP a length of two bytes stands before each message (RFC 7766 section 8).
async fn ask_over_tcp(
    cx: Cx,
    question: &Question,
    bytes: &[u8],
    to: SocketAddr,
    bind: Option<SocketAddr>,
) -> Result<Vec<IpAddr>, Fault> {
    // The datagram's source port may be taken by another connection.
    let bind = bind.map(|bind| SocketAddr::new(bind.ip(), 0));
    let io = connect::open(cx, to, bind).await?;
    let len =
        u16::try_from(bytes.len()).map_err(|_| protocol("the question is too long".to_owned()))?;
    io.send(&[&len.to_be_bytes(), bytes].concat()).await?;
    let mut received = Vec::new();
    let whole = io.receive(|data: &[u8]| {
        received.extend_from_slice(data);
        let wanted = received
            .first_chunk::<2>()
            .map(|len| usize::from(u16::from_be_bytes(*len)));
        match wanted {
            Some(wanted) if received.len() >= wanted + 2 => Poll::Ready(Some(wanted)),
            _ if data.is_empty() => Poll::Ready(None),
            _ => Poll::Pending,
        }
    });
    let wanted = whole
        .await?
        .ok_or_else(|| protocol("the server ended the connection within its answer".to_owned()))?;
    match question.answer(&received[2..wanted + 2]) {
        Some(Ok(Answer::Addresses(found))) => Ok(found),
        Some(Ok(Answer::Truncated)) => Err(protocol("the answer over TCP is cut".to_owned())),
        Some(Err(fault)) => Err(fault),
        None => Err(protocol("the server answered another question".to_owned())),
    }
}
