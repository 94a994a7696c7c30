//! Connecting and binding.

use super::address::Target;
use super::measure::Parts;
use super::origin::Origin;
use super::resolve::resolve;
use scn_runtime::io::{Io, Reactor, set_bind_address_no_port};
use scn_runtime::{Cx, Fault, kind};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

/// Connects to one address. What this machine has run out of is counted.
pub(crate) async fn open(cx: Cx, to: SocketAddr, bind: Option<SocketAddr>) -> Result<Io, Fault> {
    let opened = open_uncounted(cx, to, bind).await;
    opened.inspect_err(|fault| cx.with(|ctx| ctx.record_lack_of(fault)))
}

async fn open_uncounted(cx: Cx, to: SocketAddr, bind: Option<SocketAddr>) -> Result<Io, Fault> {
    let socket = stream_socket(to)?;
    socket.set_tcp_nodelay(true)?;
    if let Some(source) = bind {
        bind_source(&socket, source, to)?;
    }
    start_connect(&socket, to, bind)?;
    let io = cx.register(socket, true)?;
    finish_connect(&io, to, bind).await?;
    Ok(io)
}

/// A non-blocking TCP socket of an address's family.
pub(crate) fn stream_socket(like: SocketAddr) -> Result<Socket, Fault> {
    Ok(Socket::new(
        Domain::for_address(like),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?)
}

/// Begins to connect.
pub(crate) fn start_connect(
    socket: &Socket,
    to: SocketAddr,
    bind: Option<SocketAddr>,
) -> Result<(), Fault> {
    match socket.connect(&to.into()) {
        Ok(()) => Ok(()),
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        Err(error) => Err(connect_fault(&error, to, bind)),
    }
}

/// Waits until the connection is there.
pub(crate) async fn finish_connect(
    io: &Io,
    to: SocketAddr,
    bind: Option<SocketAddr>,
) -> Result<(), Fault> {
    io.writable().await;
    match SockRef::from(io).take_error()? {
        None => Ok(()),
        Some(error) => Err(connect_fault(&error, to, bind)),
    }
}

/// The error of connecting: with the address, and with the source where no port is left.
pub(crate) fn connect_fault(error: &io::Error, to: SocketAddr, bind: Option<SocketAddr>) -> Fault {
    match (error.raw_os_error(), bind) {
        (Some(libc::EADDRNOTAVAIL), Some(bind)) => {
            Fault::text(kind::RESOURCE_PORTS, no_port(Some(bind.ip()), to))
        }
        (Some(libc::EADDRNOTAVAIL), None) => Fault::text(kind::RESOURCE_PORTS, no_port(None, to)),
        _ => Fault::os_at(error, to),
    }
}

/// Why a connection has no port, and what to do.
fn no_port(source: Option<IpAddr>, to: SocketAddr) -> String {
    // Read once: it is asked for when thousands of connections fail.
    static PORTS: OnceLock<String> = OnceLock::new();
    let of = source.map_or(String::new(), |ip| format!(" of {ip}"));
    let ports = PORTS.get_or_init(port_range);
    format!(
        "no local port{of} is left{ports} for connections to {to}: use more source addresses (a `pool` with a larger \
         range), keep connections open, or widen `sysctl net.ipv4.ip_local_port_range`"
    )
}

/// ` among 32768-60999`, as the system says.
fn port_range() -> String {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    text.map_or(String::new(), |text| {
        let ports: Vec<&str> = text.split_whitespace().collect();
        format!(" among {}", ports.join("-"))
    })
}

/// Gives a socket its source address; the port is chosen when it connects.
pub(crate) fn bind_source(
    socket: &Socket,
    source: SocketAddr,
    to: SocketAddr,
) -> Result<(), Fault> {
    if source.is_ipv4() != to.is_ipv4() {
        let (from, to) = (source.ip(), to.ip());
        return Err(Fault::invalid(format!(
            "{from} cannot be the source for {to}: one is IPv4, the other IPv6"
        )));
    }
    if source.port() == 0 {
        // Kernels that do not know the option choose the port here and now, which works as well.
        let _ = set_bind_address_no_port(socket);
    }
    socket
        .bind(&source.into())
        .map_err(|error| bind_fault(&error, source))
}

/// The error of a bind: for a foreign address it says what would allow it.
pub(crate) fn bind_fault(error: &io::Error, address: SocketAddr) -> Fault {
    if error.raw_os_error() != Some(libc::EADDRNOTAVAIL) {
        return Fault::os_at(error, address);
    }
    let ip = address.ip();
    let (option, device) = match ip {
        IpAddr::V4(_) => ("net.ipv4.ip_nonlocal_bind", "/32"),
        IpAddr::V6(_) => ("net.ipv6.ip_nonlocal_bind", "/128"),
    };
    let message = format!(
        "{ip} is no address of this machine; add it to an interface (`ip addr add {ip}{device} dev ...`), \
         or allow foreign addresses by IP_FREEBIND or `sysctl {option}=1`"
    );
    Fault::text(kind::ADDRESS_NOT_AVAILABLE, message)
}

/// Connects to the first address of a target that answers, of the source's family if there is a source.
pub(crate) async fn connect_any(
    cx: Cx,
    addresses: &[IpAddr],
    target: &Target,
    bind: Option<SocketAddr>,
) -> Result<(Io, SocketAddr), Fault> {
    let fits = |ip: &&IpAddr| bind.is_none_or(|bind| bind.is_ipv4() == ip.is_ipv4());
    let mut last = None;
    for ip in addresses
        .iter()
        .filter(fits)
        .chain(addresses.iter().filter(|ip| !fits(ip)).take(1))
    {
        if last.is_some() && !fits(&ip) {
            break;
        }
        let to = SocketAddr::new(*ip, target.port);
        match open(cx, to, bind).await {
            Ok(io) => return Ok((io, to)),
            Err(fault) => last = Some(fault),
        }
    }
    Err(last.unwrap_or_else(|| super::resolve::not_found(&target.host)))
}

/// Resolves and connects.
pub(crate) async fn connect(
    cx: Cx,
    target: &Target,
    origin: Origin,
    parts: &mut Parts,
) -> Result<(Io, SocketAddr), Fault> {
    let addresses = resolve(cx, &target.host).await?;
    if target.host.parse::<IpAddr>().is_err() {
        parts.end(0);
    }
    let (io, remote) = connect_any(cx, &addresses, target, origin.bind).await?;
    parts.end(1);
    origin.stay_with(&io);
    Ok((io, remote))
}

/// A socket that listens.
pub(crate) fn listen(
    reactor: &Reactor,
    on: SocketAddr,
    backlog: i64,
) -> Result<(Io, SocketAddr), Fault> {
    let socket = stream_socket(on)?;
    socket.set_reuse_address(true)?;
    socket
        .bind(&on.into())
        .map_err(|error| bind_fault(&error, on))?;
    let backlog = i32::try_from(backlog.clamp(1, 65_535)).unwrap_or(i32::MAX);
    socket
        .listen(backlog)
        .map_err(|error| Fault::os_at(&error, on))?;
    let local = local_address(&SockRef::from(&socket))?;
    Ok((reactor.register(socket.into(), false)?, local))
}

/// Waits for a connection.
pub(crate) async fn accept(cx: Cx, listener: &Io) -> Result<(Io, SocketAddr), Fault> {
    Ok(accept_one(cx, listener).await?)
}

/// The same for a server, which outlives a lack of descriptors or memory: it waits until connections have ended.
pub(crate) async fn accept_patiently(cx: Cx, listener: &Io) -> Result<(Io, SocketAddr), Fault> {
    loop {
        match accept_one(cx, listener).await {
            Err(error) if is_lack(&error) => cx.sleep(PAUSE_NANOS).await,
            accepted => return Ok(accepted?),
        }
    }
}

/// How long a server waits for resources.
const PAUSE_NANOS: i64 = 10_000_000;

fn is_lack(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    )
}

async fn accept_one(cx: Cx, listener: &Io) -> io::Result<(Io, SocketAddr)> {
    let operation = |fd: std::os::fd::BorrowedFd<'_>| SockRef::from(&fd).accept();
    loop {
        let (socket, peer) = match listener
            .operate(scn_runtime::io::Direction::Read, operation)
            .await
        {
            // The client has gone again before it was accepted.
            Err(error) if error.raw_os_error() == Some(libc::ECONNABORTED) => continue,
            other => other?,
        };
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        let peer = peer
            .as_socket()
            .ok_or_else(|| io::Error::other("the peer has no internet address"))?;
        return Ok((cx.register(socket, false)?, peer));
    }
}

/// The address that a socket is bound to.
pub(crate) fn local_address(socket: &Socket) -> Result<SocketAddr, Fault> {
    socket
        .local_addr()?
        .as_socket()
        .ok_or_else(|| Fault::invalid("the socket has no internet address"))
}
