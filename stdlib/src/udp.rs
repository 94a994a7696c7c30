//! `udp`: datagram sockets.

use crate::net::address::{Target, source};
use crate::net::channel::{bytes_object, count};
use crate::net::measure::{self, Ended};
use crate::net::origin::Origin;
use crate::net::transfer::{Way, report};
use crate::net::{Limit, connect, resolve, within};
use scn_runtime::io::{Direction, Io, Reactor};
use scn_runtime::metrics::{NameId, Protocol as Measured};
use scn_runtime::{
    Any, Cx, DescId, Extern, Fault, Nanos, NativeDef, New, Own, OwnSlot, Text, ready, waiting,
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        waiting("udp.bind", bind),
        waiting("udp.connect", connect_to),
        waiting("UdpSocket.send", send),
        waiting("UdpSocket.send_to", send_to),
        waiting("UdpSocket.recv", recv),
        waiting("UdpSocket.recv_from", recv_from),
        ready("UdpSocket.close", UdpSocket::close),
        ready("UdpSocket.local", local),
        ready("UdpSocket.remote", remote),
    ]
}

/// The largest datagram.
const LARGEST: usize = 65_536;

/// A UDP socket of a scenario.
#[derive(Debug)]
pub(crate) struct UdpSocket {
    io: RefCell<Option<Rc<Io>>>,
    /// The address of this end.
    pub(crate) local: SocketAddr,
    remote: Option<SocketAddr>,
    limit: Cell<Option<i64>>,
}

impl Extern for UdpSocket {
    const NAME: &'static str = "UdpSocket";
}

/// A non-blocking UDP socket of an address's family.
pub(crate) fn datagram_socket(like: SocketAddr) -> Result<Socket, Fault> {
    Ok(Socket::new(
        Domain::for_address(like),
        Type::DGRAM.nonblocking().cloexec(),
        Some(Protocol::UDP),
    )?)
}

impl UdpSocket {
    /// A socket bound to an address.
    pub(crate) fn bind(
        reactor: &Reactor,
        address: SocketAddr,
        limit: Option<i64>,
    ) -> Result<UdpSocket, Fault> {
        let socket = datagram_socket(address)?;
        socket
            .bind(&address.into())
            .map_err(|error| connect::bind_fault(&error, address))?;
        UdpSocket::of(reactor, socket, None, limit)
    }

    /// A socket that talks to one peer.
    pub(crate) fn connected(
        reactor: &Reactor,
        to: SocketAddr,
        bind: Option<SocketAddr>,
        limit: Option<i64>,
    ) -> Result<UdpSocket, Fault> {
        let socket = datagram_socket(to)?;
        if let Some(source) = bind {
            connect::bind_source(&socket, source, to)?;
        }
        socket
            .connect(&to.into())
            .map_err(|error| connect::connect_fault(&error, to, bind))?;
        UdpSocket::of(reactor, socket, Some(to), limit)
    }

    fn of(
        reactor: &Reactor,
        socket: Socket,
        remote: Option<SocketAddr>,
        limit: Option<i64>,
    ) -> Result<UdpSocket, Fault> {
        let local = connect::local_address(&socket)?;
        let io = Rc::new(reactor.register(socket.into(), false)?);
        Ok(UdpSocket {
            io: RefCell::new(Some(io)),
            local,
            remote,
            limit: Cell::new(limit),
        })
    }

    fn io(&self) -> Result<Rc<Io>, Fault> {
        self.io
            .borrow()
            .clone()
            .ok_or_else(|| Fault::invalid("the socket was closed by this scenario"))
    }

    fn limit(&self, cx: Cx, own: Option<Nanos>) -> Option<Limit> {
        own.map(|nanos| nanos.0)
            .or(self.limit.get())
            .map(|nanos| Limit::from_now(cx, nanos))
    }

    /// Sends a datagram to the peer.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let io = self.io()?;
        if self.remote.is_none() {
            return Err(Fault::invalid(
                "the socket has no peer: use `send_to`, or `udp.connect`",
            ));
        }
        io.operate(Direction::Write, |_| io.try_send(bytes))
            .await
            .map_err(|error| send_fault(&error, bytes.len()))?;
        if let Some(remote) = self.remote {
            report("udp", Way::Sent, remote, bytes);
        }
        Ok(())
    }

    /// Receives a datagram and its sender.
    pub(crate) async fn receive<T>(
        &self,
        max: usize,
        take: impl Fn(&[u8], SocketAddr) -> T,
    ) -> Result<T, Fault> {
        let io = self.io()?;
        let mut buffer = vec![0; max.min(LARGEST)];
        let received = io
            .operate(Direction::Read, |_| match self.io() {
                Ok(_) => io.try_receive_from(&mut buffer),
                Err(_) => Err(io::ErrorKind::NotConnected.into()),
            })
            .await;
        self.io()?;
        let (count, from) = received?;
        report("udp", Way::Received, from, &buffer[..count]);
        Ok(take(&buffer[..count], from))
    }

    fn close(&self) {
        if let Some(io) = self.io.borrow_mut().take()
            && Rc::strong_count(&io) > 1
        {
            // A wait in another branch holds the socket. This wakes it up, although a datagram socket says it fails.
            let _ = SockRef::from(&*io).shutdown(Shutdown::Both);
        }
    }
}

fn send_fault(error: &io::Error, len: usize) -> Fault {
    match error.raw_os_error() {
        Some(libc::EMSGSIZE) => Fault::invalid(format!("{len} bytes are too long for a datagram")),
        _ => Fault::os(error),
    }
}

async fn first_address(
    cx: Cx,
    target: &Target,
    like: Option<SocketAddr>,
) -> Result<SocketAddr, Fault> {
    let all = resolve::resolve(cx, &target.host).await?;
    let fits = all
        .iter()
        .find(|ip| like.is_none_or(|like| like.is_ipv4() == ip.is_ipv4()));
    Ok(SocketAddr::new(*fits.unwrap_or(&all[0]), target.port))
}

async fn bind(cx: Cx, address: Any<'_>, timeout: Option<Nanos>) -> Result<New<UdpSocket>, Fault> {
    let target = cx.with(|ctx| Target::of(address, ctx.descs(), Some(0)))?;
    let address = first_address(cx, &target, None).await?;
    UdpSocket::bind(&cx.reactor(), address, timeout.map(|nanos| nanos.0)).map(New)
}

async fn connect_to(
    cx: Cx,
    to: Any<'_>,
    bind: Option<Any<'_>>,
    timeout: Nanos,
) -> Result<New<UdpSocket>, Fault> {
    let (target, bind) =
        cx.with(|ctx| (Target::of(to, ctx.descs(), None), source(bind, ctx.descs())));
    let target = target?;
    let origin = Origin::of(cx, &target, bind).await?;
    let limit = Limit::from_now(cx, timeout.0);
    let to = within(cx, Some(limit), first_address(cx, &target, origin.bind)).await?;
    let socket = UdpSocket::connected(&cx.reactor(), to, origin.bind, Some(timeout.0))
        .inspect_err(|fault| cx.with(|ctx| ctx.record_lack_of(fault)))?;
    origin.stay_with(&*socket.io()?);
    Ok(New(socket))
}

async fn send(
    cx: Cx,
    socket: &UdpSocket,
    data: Text<'_>,
    timeout: Option<Nanos>,
) -> Result<(), Fault> {
    let whole = within(cx, socket.limit(cx, timeout), socket.send(data.bytes));
    sending(cx, data.bytes.len(), whole).await
}

async fn sending(
    cx: Cx,
    len: usize,
    whole: impl Future<Output = Result<(), Fault>>,
) -> Result<(), Fault> {
    let begun = measure::begin(cx, Measured::Udp, NameId::SEND);
    let sent = whole.await;
    let ended = Ended {
        fault: sent.as_ref().err(),
        sent: sent.as_ref().map_or(0, |()| len as u64),
        ..Ended::default()
    };
    measure::end(cx, begun, ended);
    sent
}

/// Measures receiving; `whole` gives how many bytes came as well.
async fn receiving(
    cx: Cx,
    whole: impl Future<Output = Result<(Result<Own, Fault>, usize), Fault>>,
) -> Result<Own, Fault> {
    let begun = measure::begin(cx, Measured::Udp, NameId::RECV);
    let received = whole.await;
    let ended = Ended {
        fault: received.as_ref().err(),
        received: received.as_ref().map_or(0, |(_, len)| *len as u64),
        ..Ended::default()
    };
    measure::end(cx, begun, ended);
    received?.0
}

async fn send_to(
    cx: Cx,
    socket: &UdpSocket,
    data: Text<'_>,
    to: Any<'_>,
    timeout: Option<Nanos>,
) -> Result<(), Fault> {
    let target = cx.with(|ctx| Target::of(to, ctx.descs(), None))?;
    let io = socket.io()?;
    let whole = async {
        let to = first_address(cx, &target, Some(socket.local)).await?;
        let sent = io
            .operate(Direction::Write, |fd| {
                SockRef::from(&fd).send_to(data.bytes, &to.into())
            })
            .await;
        sent.map_err(|error| send_fault(&error, data.bytes.len()))?;
        report("udp", Way::Sent, to, data.bytes);
        Ok(())
    };
    let whole = within(cx, socket.limit(cx, timeout), whole);
    sending(cx, data.bytes.len(), whole).await
}

async fn recv(cx: Cx, socket: &UdpSocket, max: i64, timeout: Option<Nanos>) -> Result<Own, Fault> {
    let max = count(max, "max")?;
    let take = |data: &[u8], _| (bytes_object(data), data.len());
    let whole = within(cx, socket.limit(cx, timeout), socket.receive(max, take));
    receiving(cx, whole).await
}

async fn recv_from(
    cx: Cx,
    desc: DescId,
    socket: &UdpSocket,
    max: i64,
    timeout: Option<Nanos>,
) -> Result<Own, Fault> {
    let max = count(max, "max")?;
    let take = |data: &[u8], from| (datagram(cx, desc, data, from), data.len());
    let whole = within(cx, socket.limit(cx, timeout), socket.receive(max, take));
    receiving(cx, whole).await
}

/// The pair of a datagram and its sender.
pub(crate) fn datagram(cx: Cx, desc: DescId, data: &[u8], from: SocketAddr) -> Result<Own, Fault> {
    let bytes = bytes_object(data)?;
    Ok(cx.with(|ctx| {
        ctx.heap.record(
            desc,
            vec![OwnSlot::own(bytes), OwnSlot::own(ctx.heap.addr(from))],
        )
    }))
}

fn local(socket: &UdpSocket) -> Result<SocketAddr, Fault> {
    Ok(socket.local)
}

fn remote(socket: &UdpSocket) -> Result<SocketAddr, Fault> {
    socket
        .remote
        .ok_or_else(|| Fault::invalid("the socket has no peer"))
}
