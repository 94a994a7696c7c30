//! A connected byte stream, with or without TLS, by polls: whoever waits for several things at once can.

use crate::tls::stream::TlsStream;
use scn_runtime::Fault;
use scn_runtime::io::{Direction, Io};
use scn_runtime::metrics::Protocol;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A connection.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Bytes as they are.
    Plain(Io),
    /// Bytes in TLS records.
    Tls(Box<TlsStream>),
}

impl Stream {
    /// The socket.
    pub(crate) fn io(&self) -> &Io {
        match self {
            Stream::Plain(io) => io,
            Stream::Tls(tls) => tls.io(),
        }
    }

    /// The protocol's name in reports.
    pub(crate) fn protocol(&self) -> &'static str {
        match self {
            Stream::Plain(_) => "tcp",
            Stream::Tls(_) => "tls",
        }
    }

    /// What its operations are measured as.
    pub(crate) fn measured_as(&self) -> Protocol {
        match self {
            Stream::Plain(_) => Protocol::Tcp,
            Stream::Tls(_) => Protocol::Tls,
        }
    }

    /// Goes on sending `bytes` from `sent`; ready when the kernel has them all.
    pub(crate) fn poll_send(
        &self,
        task: &mut Context<'_>,
        bytes: &[u8],
        sent: &mut usize,
    ) -> Poll<Result<(), Fault>> {
        match self {
            Stream::Plain(io) => poll_send_plain(io, task, bytes, sent),
            Stream::Tls(tls) => tls.poll_send(task, bytes, sent),
        }
    }

    /// Hands what has arrived to `on_data`, an empty slice at the end, until that is ready.
    pub(crate) fn poll_receive<T>(
        &self,
        task: &mut Context<'_>,
        on_data: impl FnMut(&[u8]) -> Poll<T> + Unpin,
    ) -> Poll<Result<T, Fault>> {
        match self {
            Stream::Plain(io) => poll_receive_plain(io, task, on_data),
            Stream::Tls(tls) => tls.poll_receive(task, on_data),
        }
    }

    /// Sends all of `bytes`.
    pub(crate) async fn send(&self, bytes: &[u8]) -> Result<(), Fault> {
        let mut sent = 0;
        poll_fn(|task| self.poll_send(task, bytes, &mut sent)).await
    }

    /// As [`Stream::poll_receive`].
    pub(crate) async fn receive<T>(
        &self,
        mut on_data: impl FnMut(&[u8]) -> Poll<T> + Unpin,
    ) -> Result<T, Fault> {
        poll_fn(|task| self.poll_receive(task, &mut on_data)).await
    }

    /// Whether an idle connection can be used: it is open, and nothing unasked has arrived, as far as the reactor knows;
    /// `closely` asks the kernel as well.
    pub(crate) fn is_usable(&self, closely: bool) -> bool {
        match self {
            Stream::Plain(io) => is_silent(io, closely),
            Stream::Tls(tls) => tls.is_usable(closely),
        }
    }
}

/// Whether nothing can be read from a socket now, not even its end.
pub(crate) fn is_silent(io: &Io, closely: bool) -> bool {
    if !closely && !io.is_readable() {
        return true;
    }
    let mut byte = [std::mem::MaybeUninit::uninit()];
    match socket2::SockRef::from(io).peek(&mut byte) {
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        Ok(_) => false,
    }
}

/// Goes on sending `bytes` from `sent` over a socket.
pub(crate) fn poll_send_plain(
    io: &Io,
    task: &mut Context<'_>,
    bytes: &[u8],
    sent: &mut usize,
) -> Poll<Result<(), Fault>> {
    while *sent < bytes.len() {
        ready!(Pin::new(&mut io.writable()).poll(task));
        match io.try_send(&bytes[*sent..]) {
            Ok(count) => *sent += count,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => io.clear(Direction::Write),
                io::ErrorKind::Interrupted => {}
                _ => return Poll::Ready(Err(Fault::os(&error))),
            },
        }
    }
    Poll::Ready(Ok(()))
}

/// Hands what has arrived at a socket to `on_data`.
pub(crate) fn poll_receive_plain<T>(
    io: &Io,
    task: &mut Context<'_>,
    on_data: impl FnMut(&[u8]) -> Poll<T> + Unpin,
) -> Poll<Result<T, Fault>> {
    Pin::new(&mut io.receive(on_data))
        .poll(task)
        .map_err(|error| Fault::os(&error))
}
