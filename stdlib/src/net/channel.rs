//! What a connection handle of a scenario is, whatever its protocol: a stream, what was received too much, limits.
//!
//! Branches of a scenario may share a handle, so everything changes behind a shared reference, and nothing is borrowed
//! across a wait.

use super::measure::{self, Ended};
use super::stream::Stream;
use super::transfer::{Way, report};
use super::{Limit, within};
use rustls::ServerConfig;
use scn_runtime::metrics::NameId;
use scn_runtime::{Ctx, Cx, Fault, Nanos, Own, kind};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

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
        self.stream
            .borrow()
            .clone()
            .ok_or_else(|| Fault::invalid("the connection was closed by this scenario"))
    }

    /// Says which tls server accepted it.
    pub(crate) fn set_server_config(&self, config: Option<Arc<ServerConfig>>) {
        self.server.replace(config);
    }

    /// The configuration of the tls server that accepted it; given once.
    pub(crate) fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.server.take()
    }

    fn limit(&self, cx: Cx, own: Option<Nanos>) -> Option<Limit> {
        own.map(|nanos| nanos.0)
            .or(self.limit)
            .map(|nanos| Limit::from_now(cx, nanos))
    }

    /// Sends all of it.
    pub(crate) async fn send(
        &self,
        cx: Cx,
        bytes: &[u8],
        timeout: Option<Nanos>,
    ) -> Result<(), Fault> {
        let stream = self.stream()?;
        let limit = self.limit(cx, timeout);
        let begun = measure::begin_with(cx, stream.measured_as(), NameId::SEND, limit);
        let sent = within(cx, limit, stream.send(bytes)).await;
        let ended = Ended {
            fault: sent.as_ref().err(),
            sent: sent.as_ref().map_or(0, |()| bytes.len() as u64),
            ..Ended::default()
        };
        measure::end(cx, begun, ended);
        sent?;
        report(stream.protocol(), Way::Sent, self.remote, bytes);
        Ok(())
    }

    /// Receives what is there, at most `max` bytes; empty at the end.
    pub(crate) async fn recv(
        &self,
        cx: Cx,
        max: i64,
        timeout: Option<Nanos>,
    ) -> Result<Own, Fault> {
        let max = count(max, "max")?;
        let stream = self.stream()?;
        if let Some(bytes) = self.take_rest(max) {
            return bytes_object(&bytes);
        }
        if self.ended.get() {
            return bytes_object(&[]);
        }
        let on_data = |data: &[u8]| {
            self.ended.set(data.is_empty());
            self.note_arrival(data);
            report(stream.protocol(), Way::Received, self.remote, data);
            let (now, later) = data.split_at(data.len().min(max));
            self.rest.borrow_mut().extend_from_slice(later);
            Poll::Ready(bytes_object(now))
        };
        let limit = self.limit(cx, timeout);
        let whole = within(cx, limit, stream.receive(on_data));
        self.receiving(cx, limit, whole).await?
    }

    /// Receives exactly `n` bytes.
    pub(crate) async fn recv_exact(
        &self,
        cx: Cx,
        n: i64,
        timeout: Option<Nanos>,
    ) -> Result<Own, Fault> {
        if n == 0 {
            return bytes_object(&[]);
        }
        let n = count(n, "n")?;
        cx.with(|ctx| ctx.reserve(n))?;
        let limit = self.limit(cx, timeout);
        let enough = |rest: &[u8]| (rest.len() >= n).then_some(n);
        let whole = within(cx, limit, self.gather(enough));
        match self.receiving(cx, limit, whole).await? {
            Some(bytes) => bytes,
            None => Err(ended(format!(
                "the connection ended after {} of {n} bytes",
                self.rest.borrow().len()
            ))),
        }
    }

    /// Receives up to and with a delimiter.
    pub(crate) async fn recv_until(
        &self,
        cx: Cx,
        delimiter: &[u8],
        max: i64,
        timeout: Option<Nanos>,
    ) -> Result<Own, Fault> {
        let max = count(max, "max")?;
        if delimiter.is_empty() {
            return Err(Fault::invalid("the delimiter is empty"));
        }
        let mut looked = 0;
        let mut found = None;
        let mut search = |rest: &[u8]| {
            let end = find(rest, delimiter, looked).map(|at| at + delimiter.len());
            looked = rest.len().saturating_sub(delimiter.len() - 1);
            found = end.filter(|end| *end <= max);
            // Too much without a delimiter stays where it is.
            found.or((end.is_some() || rest.len() >= max).then_some(0))
        };
        let limit = self.limit(cx, timeout);
        let whole = within(cx, limit, self.gather(&mut search));
        match self.receiving(cx, limit, whole).await? {
            Some(bytes) if found.is_some() => bytes,
            Some(_) => {
                let delimiter = delimiter.escape_ascii();
                Err(Fault::invalid(format!(
                    "{max} bytes came without the delimiter b\"{delimiter}\""
                )))
            }
            None => {
                let (got, delimiter) = (self.rest.borrow().len(), delimiter.escape_ascii());
                Err(ended(format!(
                    "the connection ended after {got} bytes without the delimiter b\"{delimiter}\""
                )))
            }
        }
    }

    /// Measures receiving. What was there already is no operation, nor is the end of the connection.
    async fn receiving<T>(
        &self,
        cx: Cx,
        limit: Option<Limit>,
        whole: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let protocol = self.stream()?.measured_as();
        let begun = measure::begin_with(cx, protocol, NameId::RECV, limit);
        let before = self.arrived.get();
        let result = whole.await;
        let received = self.arrived.get().wrapping_sub(before);
        if received > 0 || result.is_err() {
            let ended = Ended {
                fault: result.as_ref().err(),
                received: received.into(),
                ..Ended::default()
            };
            measure::end(cx, begun, ended);
        }
        result
    }

    fn note_arrival(&self, data: &[u8]) {
        let arrived = self.arrived.get();
        self.arrived.set(arrived.wrapping_add(data.len() as u32));
    }

    /// Receives until what is there is enough, and gives as many bytes as `enough` says then; none at the end. What
    /// comes in one piece is not gathered first.
    async fn gather(
        &self,
        mut enough: impl FnMut(&[u8]) -> Option<usize> + Unpin,
    ) -> Result<Option<Result<Own, Fault>>, Fault> {
        let stream = self.stream()?;
        let there = enough(&self.rest.borrow());
        if let Some(count) = there {
            return Ok(Some(self.take_front(count)));
        }
        if self.ended.get() {
            return Ok(None);
        }
        let on_data = |data: &[u8]| {
            if data.is_empty() {
                self.ended.set(true);
                return Poll::Ready(None);
            }
            self.note_arrival(data);
            report(stream.protocol(), Way::Received, self.remote, data);
            if !self.rest.borrow().is_empty() {
                self.rest.borrow_mut().extend_from_slice(data);
                let there = enough(&self.rest.borrow());
                return match there {
                    Some(count) => Poll::Ready(Some(self.take_front(count))),
                    None => Poll::Pending,
                };
            }
            let there = enough(data);
            let (now, later) = data.split_at(there.unwrap_or(0));
            self.rest.borrow_mut().extend_from_slice(later);
            match there {
                Some(_) => Poll::Ready(Some(bytes_object(now))),
                None => Poll::Pending,
            }
        };
        stream.receive(on_data).await
    }

    fn take_front(&self, count: usize) -> Result<Own, Fault> {
        match count {
            0 => bytes_object(&[]),
            count => bytes_object(&self.take_rest(count).unwrap_or_default()),
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
