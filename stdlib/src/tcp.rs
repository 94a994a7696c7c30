//! `tcp`: connections and listeners.

use crate::net::address::{Target, source};
use crate::net::channel::{Channel, Receiving, Sending};
use crate::net::measure::{self, Ended, Parts};
use crate::net::origin::Origin;
use crate::net::stream::Stream;
use crate::net::{Limit, connect, resolve, within};
use scn_runtime::io::Io;
use scn_runtime::metrics::{NameId, Protocol};
use scn_runtime::{Any, Cx, Extern, Fault, Nanos, NativeDef, New, Text, ready, waiting};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        waiting("tcp.connect", connect_to),
        waiting("tcp.listen", listen),
        waiting("Listener.accept", accept),
        ready("Listener.close", Listener::close),
        ready("Listener.local", Listener::local),
        waiting("TcpConn.send", send),
        waiting("TcpConn.recv", recv),
        waiting("TcpConn.recv_exact", recv_exact),
        waiting("TcpConn.recv_until", recv_until),
        ready("TcpConn.shutdown", shutdown),
        ready("TcpConn.close", close),
        ready("TcpConn.local", local),
        ready("TcpConn.remote", remote),
    ]
}

/// A TCP connection of a scenario.
#[derive(Debug)]
pub(crate) struct TcpConn(pub(crate) Channel);

impl Extern for TcpConn {
    const NAME: &'static str = "TcpConn";
}

impl TcpConn {
    /// A handle for a connected socket.
    pub(crate) fn new(io: Io, remote: SocketAddr, limit: Option<i64>) -> Result<TcpConn, Fault> {
        Channel::new(Stream::Plain(io), remote, limit).map(TcpConn)
    }
}

/// A listening socket of a scenario.
#[derive(Debug)]
pub(crate) struct Listener {
    io: RefCell<Option<Rc<Io>>>,
    local: SocketAddr,
}

impl Extern for Listener {
    const NAME: &'static str = "Listener";
}

impl Listener {
    fn close(&self) {
        self.io.borrow_mut().take();
    }

    fn local(&self) -> Result<SocketAddr, Fault> {
        Ok(self.local)
    }
}

async fn connect_to(
    cx: Cx,
    to: Any<'_>,
    bind: Option<Any<'_>>,
    timeout: Nanos,
) -> Result<New<TcpConn>, Fault> {
    let (target, bind) =
        cx.with(|ctx| (Target::of(to, ctx.descs(), None), source(bind, ctx.descs())));
    let target = target?;
    let origin = Origin::of(cx, &target, bind).await?;
    let limit = Limit::from_now(cx, timeout.0);
    let begun = measure::begin(cx, Protocol::Tcp, NameId::CONNECT);
    let mut parts = Parts::new(cx);
    let whole = connect::connect(cx, &target, origin, &mut parts);
    let result = within(cx, Some(limit), whole).await;
    let ended = Ended {
        fault: result.as_ref().err(),
        ..parts.connected(&result)
    };
    measure::end(cx, begun, ended);
    let (io, remote) = result?;
    TcpConn::new(io, remote, Some(timeout.0)).map(New)
}

async fn listen(cx: Cx, on: Any<'_>, backlog: i64) -> Result<New<Listener>, Fault> {
    let target = cx.with(|ctx| Target::of(on, ctx.descs(), None))?;
    let addresses = resolve::resolve(cx, &target.host).await?;
    let (io, local) = connect::listen(
        &cx.reactor(),
        SocketAddr::new(addresses[0], target.port),
        backlog,
    )?;
    Ok(New(Listener {
        io: RefCell::new(Some(Rc::new(io))),
        local,
    }))
}

async fn accept(
    cx: Cx,
    listener: &Listener,
    timeout: Option<Nanos>,
) -> Result<New<TcpConn>, Fault> {
    let io = listener
        .io
        .borrow()
        .clone()
        .ok_or_else(|| Fault::invalid("the listener is closed"))?;
    let limit = timeout.map(|nanos| Limit::from_now(cx, nanos.0));
    let (io, remote) = within(cx, limit, connect::accept(cx, &io)).await?;
    TcpConn::new(io, remote, None).map(New)
}

fn send<'a>(cx: Cx, conn: &'a TcpConn, data: Text<'a>, timeout: Option<Nanos>) -> Sending<'a> {
    conn.0.send(cx, data.bytes, timeout)
}

fn recv(cx: Cx, conn: &TcpConn, max: i64, timeout: Option<Nanos>) -> Receiving<'_> {
    conn.0.recv(cx, max, timeout)
}

fn recv_exact(cx: Cx, conn: &TcpConn, n: i64, timeout: Option<Nanos>) -> Receiving<'_> {
    conn.0.recv_exact(cx, n, timeout)
}

fn recv_until<'a>(
    cx: Cx,
    conn: &'a TcpConn,
    delimiter: Text<'a>,
    max: i64,
    timeout: Option<Nanos>,
) -> Receiving<'a> {
    conn.0.recv_until(cx, delimiter.bytes, max, timeout)
}

fn shutdown(conn: &TcpConn) -> Result<(), Fault> {
    conn.0.shutdown()
}

fn close(conn: &TcpConn) {
    conn.0.close();
}

fn local(conn: &TcpConn) -> Result<SocketAddr, Fault> {
    Ok(conn.0.local)
}

fn remote(conn: &TcpConn) -> Result<SocketAddr, Fault> {
    Ok(conn.0.remote)
}
