//! `socket`: the calls of the operating system, one by one.
//!
//! A socket is registered with the reactor when it begins to connect or to listen, a datagram socket when it is first
//! used: before that the kernel reports a stream socket as hung up.

use crate::dns::list_of;
use crate::net::channel::{bytes_object, count};
use crate::net::origin::Origin;
use crate::net::{Limit, connect, resolve, within};
use crate::udp::datagram;
use scn_runtime::io::{Direction, Io};
use scn_runtime::{
    Ctx, Cx, DescId, Extern, Fault, Nanos, NativeDef, New, Own, Text, VarList, kind, ready, waiting,
};
use socket2::{Domain, Protocol, SockRef, Socket as Raw, Type};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("socket.create", create),
        waiting("socket.resolve", resolve_name),
        waiting("Socket.connect", connect_to),
        ready("Socket.bind", bind),
        ready("Socket.listen", listen),
        waiting("Socket.accept", accept),
        waiting("Socket.send", send),
        waiting("Socket.receive", receive),
        waiting("Socket.send_to", send_to),
        waiting("Socket.receive_from", receive_from),
        ready("Socket.shutdown", shutdown),
        ready("Socket.close", close),
        ready("Socket.set_read_timeout", set_read_timeout),
        ready("Socket.set_write_timeout", set_write_timeout),
        ready("Socket.set_reuse_address", set_reuse_address),
        ready("Socket.local_address", local_address),
        ready("Socket.peer_address", peer_address),
    ]
}

/// A socket of a scenario.
#[derive(Debug)]
pub(crate) struct Socket {
    state: RefCell<State>,
    stream: bool,
    /// Whether the scenario chose its address.
    bound: Cell<bool>,
    read_limit: Cell<Option<i64>>,
    write_limit: Cell<Option<i64>>,
}

impl Extern for Socket {
    const NAME: &'static str = "Socket";
}

#[derive(Debug)]
enum State {
    /// Not known to the reactor yet.
    Fresh(Raw),
    /// Registered.
    Live(Rc<Io>),
    Closed,
}

impl Socket {
    fn new(state: State, stream: bool) -> Socket {
        Socket {
            state: RefCell::new(state),
            stream,
            bound: Cell::new(false),
            read_limit: Cell::new(None),
            write_limit: Cell::new(None),
        }
    }

    /// Looks at the socket whatever its state.
    fn with<T>(&self, look: impl FnOnce(&Raw) -> Result<T, Fault>) -> Result<T, Fault> {
        match &*self.state.borrow() {
            State::Fresh(raw) => look(raw),
            State::Live(io) => look(&SockRef::from(&**io)),
            State::Closed => Err(closed()),
        }
    }

    /// Hands it to the reactor, unless that has it.
    fn register(&self, ctx: &Ctx, connecting: bool) -> Result<Rc<Io>, Fault> {
        let mut state = self.state.borrow_mut();
        match std::mem::replace(&mut *state, State::Closed) {
            State::Fresh(raw) => {
                let io = Rc::new(ctx.worker().reactor().register(raw.into(), connecting)?);
                *state = State::Live(io.clone());
                Ok(io)
            }
            State::Live(io) => {
                *state = State::Live(io.clone());
                Ok(io)
            }
            State::Closed => Err(closed()),
        }
    }

    fn expect_open(&self) -> Result<(), Fault> {
        self.with(|_| Ok(()))
    }

    /// Receives a datagram, unless the socket was closed while the caller waited.
    fn datagram(&self, io: &Io, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.expect_open() {
            Ok(()) => io.try_receive_from(buffer),
            Err(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The socket for sending and receiving.
    fn live(&self, cx: Cx) -> Result<Rc<Io>, Fault> {
        if let State::Live(io) = &*self.state.borrow() {
            return Ok(io.clone());
        }
        if self.stream {
            self.with(|_| {
                Err(Fault::invalid(
                    "the socket is neither connected nor listening",
                ))
            })?;
        }
        cx.with(|ctx| self.register(ctx, false))
    }
}

fn closed() -> Fault {
    Fault::invalid("the socket was closed by this scenario")
}

/// Runs an operation within a limit; with a limit of zero it fails at once when it would wait.
async fn limited<T>(
    cx: Cx,
    nanos: Option<i64>,
    operation: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let limit = nanos.map(|nanos| Limit::from_now(cx, nanos));
    let result = within(cx, limit, operation).await;
    result.map_err(|fault| match (fault.kind(), nanos) {
        (kind::TIMEOUT, Some(..=0)) => Fault::fixed(kind::WOULD_BLOCK, "it would have to wait"),
        _ => fault,
    })
}

fn create(family: i64, protocol: i64) -> Result<New<Socket>, Fault> {
    let domain = if family == 0 {
        Domain::IPV4
    } else {
        Domain::IPV6
    };
    let stream = protocol == 0;
    let (ty, protocol) = if stream {
        (Type::STREAM, Protocol::TCP)
    } else {
        (Type::DGRAM, Protocol::UDP)
    };
    let raw = Raw::new(domain, ty.nonblocking().cloexec(), Some(protocol))?;
    Ok(New(Socket::new(State::Fresh(raw), stream)))
}

async fn resolve_name(cx: Cx, desc: DescId, name: &str, timeout: Nanos) -> Result<VarList, Fault> {
    let limit = Limit::from_now(cx, timeout.0);
    let found = within(cx, Some(limit), resolve::resolve(cx, name)).await?;
    Ok(list_of(cx, desc, &found))
}

async fn connect_to(cx: Cx, socket: &Socket, to: SocketAddr) -> Result<(), Fault> {
    let origin = match socket.bound.get() {
        true => Origin::default(),
        false => Origin::of(cx, &to.into(), None).await?,
    };
    let bind = origin.bind;
    socket.with(|raw| {
        if let Some(source) = bind {
            connect::bind_source(raw, source, to)?;
        }
        connect::start_connect(raw, to, bind)
    })?;
    let io = cx.with(|ctx| socket.register(ctx, socket.stream))?;
    origin.stay_with(&io);
    if !socket.stream {
        return Ok(());
    }
    limited(
        cx,
        socket.write_limit.get(),
        connect::finish_connect(&io, to, bind),
    )
    .await
}

fn bind(socket: &Socket, address: SocketAddr) -> Result<(), Fault> {
    socket.with(|raw| {
        raw.bind(&address.into())
            .map_err(|error| connect::bind_fault(&error, address))
    })?;
    socket.bound.set(true);
    Ok(())
}

fn listen(cx: &Ctx, socket: &Socket, backlog: i64) -> Result<(), Fault> {
    let backlog = i32::try_from(backlog.clamp(0, 65_535)).unwrap_or(i32::MAX);
    socket.with(|raw| Ok(raw.listen(backlog)?))?;
    socket.register(cx, false).map(drop)
}

async fn accept(cx: Cx, socket: &Socket) -> Result<New<Socket>, Fault> {
    let io = socket.live(cx)?;
    let (io, _) = limited(cx, socket.read_limit.get(), connect::accept(cx, &io)).await?;
    Ok(New(Socket::new(State::Live(Rc::new(io)), true)))
}

async fn send(cx: Cx, socket: &Socket, data: Text<'_>) -> Result<i64, Fault> {
    let io = socket.live(cx)?;
    let whole = async {
        match socket.stream {
            true => io.send(data.bytes).await?,
            false => io
                .operate(Direction::Write, |_| io.try_send(data.bytes))
                .await
                .map(drop)?,
        }
        Ok(data.bytes.len() as i64)
    };
    limited(cx, socket.write_limit.get(), whole).await
}

async fn receive(cx: Cx, socket: &Socket, max: i64) -> Result<Own, Fault> {
    let max = count(max, "max")?;
    let io = socket.live(cx)?;
    // Only so many bytes are taken from the kernel: the rest stays there for the next call.
    let mut buffer = vec![0; max.min(scn_runtime::io::RECEIVE_BUFFER)];
    let whole = async {
        Ok(io
            .operate(Direction::Read, |_| match socket.stream {
                true => io.try_receive(&mut buffer),
                false => socket.datagram(&io, &mut buffer).map(|(count, _)| count),
            })
            .await?)
    };
    let received = limited(cx, socket.read_limit.get(), whole).await;
    if !socket.stream {
        socket.expect_open()?;
    }
    let received = received?;
    bytes_object(&buffer[..received])
}

async fn send_to(cx: Cx, socket: &Socket, data: Text<'_>, to: SocketAddr) -> Result<i64, Fault> {
    let io = socket.live(cx)?;
    let operation =
        |fd: std::os::fd::BorrowedFd<'_>| SockRef::from(&fd).send_to(data.bytes, &to.into());
    let whole = async {
        let sent = io.operate(Direction::Write, operation).await;
        sent.map(|sent| sent as i64)
            .map_err(|error| Fault::os_at(&error, to))
    };
    limited(cx, socket.write_limit.get(), whole).await
}

async fn receive_from(cx: Cx, desc: DescId, socket: &Socket, max: i64) -> Result<Own, Fault> {
    let max = count(max, "max")?;
    let io = socket.live(cx)?;
    let mut buffer = vec![0; max.min(scn_runtime::io::RECEIVE_BUFFER)];
    let whole = async {
        Ok(io
            .operate(Direction::Read, |_| socket.datagram(&io, &mut buffer))
            .await?)
    };
    let received = limited(cx, socket.read_limit.get(), whole).await;
    socket.expect_open()?;
    let (received, from) = received?;
    datagram(cx, desc, &buffer[..received], from)
}

fn shutdown(socket: &Socket, direction: i64) -> Result<(), Fault> {
    let direction = match direction {
        0 => Shutdown::Read,
        1 => Shutdown::Write,
        _ => Shutdown::Both,
    };
    socket.with(|raw| Ok(raw.shutdown(direction)?))
}

fn close(socket: &Socket) {
    let state = socket.state.replace(State::Closed);
    if let State::Live(io) = &state
        && Rc::strong_count(io) > 1
    {
        // A wait in another branch holds the socket: it is to see the end, as if the socket were gone.
        let _ = SockRef::from(&**io).shutdown(Shutdown::Both);
    }
}

fn set_read_timeout(socket: &Socket, timeout: Option<Nanos>) {
    socket.read_limit.set(timeout.map(|nanos| nanos.0));
}

fn set_write_timeout(socket: &Socket, timeout: Option<Nanos>) {
    socket.write_limit.set(timeout.map(|nanos| nanos.0));
}

fn set_reuse_address(socket: &Socket, on: bool) -> Result<(), Fault> {
    socket.with(|raw| Ok(raw.set_reuse_address(on)?))
}

fn local_address(socket: &Socket) -> Result<SocketAddr, Fault> {
    socket.with(connect::local_address)
}

fn peer_address(socket: &Socket) -> Result<SocketAddr, Fault> {
    let peer = socket.with(|raw| Ok(raw.peer_addr()?))?;
    peer.as_socket()
        .ok_or_else(|| Fault::invalid("the peer has no internet address"))
}
