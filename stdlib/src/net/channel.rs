//! What a connection handle of a scenario is, whatever its protocol: a stream, what was received too much, limits.
//!
//! Branches of a scenario may share a handle, so everything changes behind a shared reference, and nothing is borrowed
//! across a wait.

use super::Limit;
use super::measure::{self, Begun, Ended};
use super::stream::Stream;
use super::transfer::{Way, report};
use rustls::ServerConfig;
use scn_runtime::metrics::NameId;
use scn_runtime::{Ctx, Cx, Fault, Nanos, Own, kind};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A connection handle.
#[derive(Debug)]
pub(crate) struct Channel {
    stream: RefCell<Option<Rc<Stream>>>,
    /// Received, not yet asked for. Empty at rest, and then without memory.
    rest: RefCell<Vec<u8>>,
    /// Whether the end came.
    ended: Cell<bool>,
    /// How many bytes have come; only differences count.
    arrived: Cell<u32>,
    /// The limit of calls that have none of their own, in nanoseconds.
    limit: Option<i64>,
    /// The configuration of the tls server that accepted it, until its handshake.
    server: RefCell<Option<Arc<ServerConfig>>>,
    /// The address of this end.
    pub(crate) local: SocketAddr,
    /// The address of the other end.
    pub(crate) remote: SocketAddr,
}

impl Channel {
    /// A handle for a connected stream.
    pub(crate) fn new(
        stream: Stream,
        remote: SocketAddr,
        limit: Option<i64>,
    ) -> Result<Channel, Fault> {
        let local = super::connect::local_address(&SockRef::from(stream.io()))?;
        Ok(Channel {
            stream: RefCell::new(Some(Rc::new(stream))),
            rest: RefCell::default(),
            ended: Cell::new(false),
            arrived: Cell::new(0),
            limit,
            server: RefCell::default(),
            local,
            remote,
        })
    }

    /// The stream, unless it was closed.
    pub(crate) fn stream(&self) -> Result<Rc<Stream>, Fault> {
        self.stream.borrow().clone().ok_or_else(closed)
    }

    /// Says which tls server accepted it.
    pub(crate) fn set_server_config(&self, config: Option<Arc<ServerConfig>>) {
        self.server.replace(config);
    }

    /// The configuration of the tls server that accepted it; given once.
    pub(crate) fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.server.take()
    }

    /// Sends all of it.
    pub(crate) fn send<'a>(
        &'a self,
        cx: Cx,
        bytes: &'a [u8],
        timeout: Option<Nanos>,
    ) -> Sending<'a> {
        Sending {
            channel: self,
            cx,
            bytes,
            sent: 0,
            timeout,
            call: None,
        }
    }

    /// Receives what is there, at most `max` bytes; empty at the end.
    pub(crate) fn recv(&self, cx: Cx, max: i64, timeout: Option<Nanos>) -> Receiving<'_> {
        self.receiving(cx, Wanted::Any { max }, timeout)
    }

    /// Receives exactly `n` bytes.
    pub(crate) fn recv_exact(&self, cx: Cx, n: i64, timeout: Option<Nanos>) -> Receiving<'_> {
        self.receiving(cx, Wanted::Exactly { n }, timeout)
    }

    /// Receives up to and with a delimiter.
    pub(crate) fn recv_until<'a>(
        &'a self,
        cx: Cx,
        delimiter: &'a [u8],
        max: i64,
        timeout: Option<Nanos>,
    ) -> Receiving<'a> {
        let wanted = Wanted::Until {
            delimiter,
            max,
            looked: 0,
        };
        self.receiving(cx, wanted, timeout)
    }

    fn receiving<'a>(
        &'a self,
        cx: Cx,
        wanted: Wanted<'a>,
        timeout: Option<Nanos>,
    ) -> Receiving<'a> {
        Receiving {
            channel: self,
            cx,
            wanted,
            timeout,
            before: 0,
            call: None,
        }
    }

    /// Begins a call that goes over the network.
    fn begin(&self, cx: Cx, name: NameId, own: Option<Nanos>) -> Result<Call, Fault> {
        let stream = self.stream()?;
        let nanos = own.map(|nanos| nanos.0).or(self.limit);
        let limit = nanos.map(|nanos| Limit::from_now(cx, nanos));
        let begun = measure::begin_with(cx, stream.measured_as(), name, limit);
        Ok(Call {
            stream,
            limit,
            begun,
        })
    }

    /// What is there already, if it is enough or all that will come.
    fn look(&self, cx: Cx, wanted: &mut Wanted<'_>) -> Result<Option<Taken>, Fault> {
        match *wanted {
            Wanted::Exactly { n: 0 } => return Ok(Some(Taken::some(&[]))),
            Wanted::Exactly { n } => {
                let n = count(n, "n")?;
                cx.with(|ctx| ctx.reserve(n))?;
            }
            Wanted::Any { max } | Wanted::Until { max, .. } => {
                count(max, "max")?;
            }
        }
        if matches!(wanted, Wanted::Until { delimiter, .. } if delimiter.is_empty()) {
            return Err(Fault::invalid("the delimiter is empty"));
        }
        if self.stream.borrow().is_none() {
            return Err(closed());
        }
        let there = match self.rest.borrow().as_slice() {
            [] => None,
            rest => wanted.enough(rest),
        };
        Ok(match there {
            Some(count) => Some(self.take_front(count)),
            None if !self.ended.get() => None,
            None => Some(wanted.at_end()),
        })
    }

    /// Takes in what has arrived; ready when that is enough. What comes in one piece is not gathered first.
    fn accept(&self, call: &Call, wanted: &mut Wanted<'_>, data: &[u8]) -> Poll<Taken> {
        if data.is_empty() {
            self.ended.set(true);
            return Poll::Ready(wanted.at_end());
        }
        let arrived = self.arrived.get();
        self.arrived.set(arrived.wrapping_add(data.len() as u32));
        report(call.stream.protocol(), Way::Received, self.remote, data);
        let gathered = !self.rest.borrow().is_empty();
        if gathered {
            self.rest.borrow_mut().extend_from_slice(data);
            let there = wanted.enough(&self.rest.borrow());
            return there.map_or(Poll::Pending, |count| Poll::Ready(self.take_front(count)));
        }
        let there = wanted.enough(data);
        let (now, later) = data.split_at(there.unwrap_or(0));
        if !later.is_empty() {
            self.rest.borrow_mut().extend_from_slice(later);
        }
        match there {
            None => Poll::Pending,
            Some(0) => Poll::Ready(Taken::TooMuch),
            Some(_) => Poll::Ready(Taken::some(now)),
        }
    }

    /// What a receive gives.
    fn finish(&self, wanted: &Wanted<'_>, taken: Taken) -> Result<Own, Fault> {
        let got = || self.rest.borrow().len();
        match (taken, wanted) {
            (Taken::Bytes(bytes), _) => bytes,
            (Taken::TooMuch, Wanted::Until { delimiter, max, .. }) => {
                let delimiter = delimiter.escape_ascii();
                Err(Fault::invalid(format!(
                    "{max} bytes came without the delimiter b\"{delimiter}\""
                )))
            }
            (Taken::End, Wanted::Until { delimiter, .. }) => {
                let (got, delimiter) = (got(), delimiter.escape_ascii());
                Err(ended(format!(
                    "the connection ended after {got} bytes without the delimiter b\"{delimiter}\""
                )))
            }
            (_, Wanted::Exactly { n } | Wanted::Any { max: n }) => Err(ended(format!(
                "the connection ended after {} of {n} bytes",
                got()
            ))),
        }
    }

    fn take_front(&self, count: usize) -> Taken {
        match count {
            0 => Taken::TooMuch,
            count => Taken::some(&self.take_rest(count).unwrap_or_default()),
        }
    }

    /// The first bytes of what was received too much.
    fn take_rest(&self, max: usize) -> Option<Vec<u8>> {
        let mut rest = self.rest.borrow_mut();
        if rest.is_empty() {
            return None;
        }
        let end = max.min(rest.len());
        let behind = rest.split_off(end);
        Some(std::mem::replace(&mut rest, behind))
    }

    /// Takes the stream out, with what was received too much, for another use of the connection.
    pub(crate) fn take_stream(&self) -> Result<(Rc<Stream>, Vec<u8>), Fault> {
        let stream = self.stream()?;
        self.stream.borrow_mut().take();
        Ok((stream, self.rest.take()))
    }

    /// Ends the sending direction.
    pub(crate) fn shutdown(&self) -> Result<(), Fault> {
        Ok(SockRef::from(self.stream()?.io()).shutdown(Shutdown::Write)?)
    }

    /// Closes it; others who wait for it see the end.
    pub(crate) fn close(&self) {
        let Some(stream) = self.stream.borrow_mut().take() else {
            return;
        };
        self.rest.take();
        if let Stream::Tls(tls) = &*stream {
            tls.announce_end();
        }
        if Rc::strong_count(&stream) > 1 {
            // A wait in another branch holds the socket: it is to see the end, as if the socket were gone.
            let _ = SockRef::from(stream.io()).shutdown(Shutdown::Both);
        }
    }
}

/// A call that goes over the network, while it does: its stream, which may be closed meanwhile, its limit, and its
/// measurement.
#[derive(Debug)]
struct Call {
    stream: Rc<Stream>,
    limit: Option<Limit>,
    begun: Option<Begun>,
}

impl Call {
    /// What a poll has come to; a call that is not done within its limit fails.
    fn within<T>(&self, cx: Cx, polled: Poll<Result<T, Fault>>) -> Poll<Result<T, Fault>> {
        match (polled, self.limit) {
            (Poll::Pending, Some(limit)) if cx.has_passed(limit.at) => {
                Poll::Ready(Err(limit.fault()))
            }
            (polled, _) => polled,
        }
    }
}

/// See [`Channel::send`]. Written by hand, as is [`Receiving`]: a future that is made of others is many times as large.
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Sending<'a> {
    channel: &'a Channel,
    cx: Cx,
    bytes: &'a [u8],
    sent: usize,
    timeout: Option<Nanos>,
    call: Option<Call>,
}

impl Future for Sending<'_> {
    type Output = Result<(), Fault>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (channel, cx) = (this.channel, this.cx);
        let call = match &mut this.call {
            Some(call) => call,
            none => none.insert(channel.begin(cx, NameId::SEND, this.timeout)?),
        };
        let polled = call.stream.poll_send(task, this.bytes, &mut this.sent);
        let sent = ready!(call.within(cx, polled));
        let ended = Ended {
            fault: sent.as_ref().err(),
            sent: sent.as_ref().map_or(0, |()| this.bytes.len() as u64),
            ..Ended::default()
        };
        measure::end(cx, call.begun, ended);
        sent?;
        let protocol = call.stream.protocol();
        report(protocol, Way::Sent, channel.remote, this.bytes);
        Poll::Ready(Ok(()))
    }
}

/// See [`Channel::recv`], [`Channel::recv_exact`], [`Channel::recv_until`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Receiving<'a> {
    channel: &'a Channel,
    cx: Cx,
    wanted: Wanted<'a>,
    timeout: Option<Nanos>,
    /// What had arrived when the call began.
    before: u32,
    call: Option<Call>,
}

impl Future for Receiving<'_> {
    type Output = Result<Own, Fault>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (channel, cx, wanted) = (this.channel, this.cx, &mut this.wanted);
        let call = match &mut this.call {
            Some(call) => call,
            none => {
                // What was there already is no operation.
                if let Some(taken) = channel.look(cx, wanted)? {
                    return Poll::Ready(channel.finish(wanted, taken));
                }
                this.before = channel.arrived.get();
                none.insert(channel.begin(cx, NameId::RECV, this.timeout)?)
            }
        };
        let on_data = |data: &[u8]| channel.accept(call, wanted, data);
        let polled = call.stream.poll_receive(task, on_data);
        let result = ready!(call.within(cx, polled));
        let received = channel.arrived.get().wrapping_sub(this.before);
        // Nor is the end of the connection.
        if received > 0 || result.is_err() {
            let ended = Ended {
                fault: result.as_ref().err(),
                received: received.into(),
                ..Ended::default()
            };
            measure::end(cx, call.begun, ended);
        }
        Poll::Ready(channel.finish(wanted, result?))
    }
}

/// How much a call wants to receive.
#[derive(Debug)]
enum Wanted<'a> {
    Any {
        max: i64,
    },
    Exactly {
        n: i64,
    },
    Until {
        delimiter: &'a [u8],
        max: i64,
        /// Where there can be no delimiter any more.
        looked: usize,
    },
}

impl Wanted<'_> {
    /// How many bytes to give once so many are there, which are some; none if too many are there.
    fn enough(&mut self, there: &[u8]) -> Option<usize> {
        match self {
            Wanted::Any { max } => Some(there.len().min(*max as usize)),
            Wanted::Exactly { n } => (there.len() >= *n as usize).then_some(*n as usize),
            Wanted::Until {
                delimiter,
                max,
                looked,
            } => {
                let max = *max as usize;
                let end = find(there, delimiter, *looked).map(|at| at + delimiter.len());
                *looked = there.len().saturating_sub(delimiter.len() - 1);
                // Too much without a delimiter stays where it is.
                let found = end.filter(|end| *end <= max);
                found.or((end.is_some() || there.len() >= max).then_some(0))
            }
        }
    }

    /// What there is at the end of the connection.
    fn at_end(&self) -> Taken {
        match self {
            Wanted::Any { .. } => Taken::some(&[]),
            Wanted::Exactly { .. } | Wanted::Until { .. } => Taken::End,
        }
    }
}

/// What a call has received.
enum Taken {
    Bytes(Result<Own, Fault>),
    TooMuch,
    /// The connection has ended before it was enough.
    End,
}

impl Taken {
    fn some(bytes: &[u8]) -> Taken {
        Taken::Bytes(bytes_object(bytes))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.close();
    }
}

/// A number of bytes that is asked for.
pub(crate) fn count(n: i64, what: &str) -> Result<usize, Fault> {
    match usize::try_from(n) {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(Fault::invalid(format!(
            "`{what}` must be above 0, it is {n}"
        ))),
    }
}

/// A `bytes` object, if the user has room for it.
pub(crate) fn bytes_object(bytes: &[u8]) -> Result<Own, Fault> {
    Ctx::current(|ctx| {
        ctx.reserve(bytes.len())?;
        Ok(ctx.heap.bytes(bytes))
    })
}

fn closed() -> Fault {
    Fault::invalid("the connection was closed by this scenario")
}

fn ended(message: String) -> Fault {
    Fault::text(kind::CONNECTION_ABORTED, message)
}

/// Where a delimiter starts, looking from a position on.
fn find(bytes: &[u8], delimiter: &[u8], from: usize) -> Option<usize> {
    let found = bytes
        .get(from..)?
        .windows(delimiter.len())
        .position(|window| window == delimiter);
    found.map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_found_from_a_position_on() {
        assert_eq!(find(b"ab\r\ncd\r\n", b"\r\n", 0), Some(2));
        assert_eq!(find(b"ab\r\ncd\r\n", b"\r\n", 3), Some(6));
        assert_eq!(find(b"ab\r", b"\r\n", 0), None);
        assert_eq!(find(b"ab", b"\r\n", 9), None);
    }

    #[test]
    fn counts_are_positive() {
        assert_eq!(count(1, "n").unwrap(), 1);
        assert_eq!(count(0, "n").unwrap_err().kind(), "invalid_input");
        assert_eq!(count(-1, "n").unwrap_err().kind(), "invalid_input");
    }
}
