//! Bytes over a connected stream socket: optimistic sends, one receive for each wake-up.

use super::{Direction, Io, RECEIVE_BUFFER};
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Receives in one go before others get their turn.
const TURNS: usize = 16;

impl Io {
    /// Sends all of `bytes`, at once as far as the kernel takes them.
    pub fn send<'a>(&'a self, bytes: &'a [u8]) -> Send<'a> {
        Send { io: self, bytes }
    }

    /// Receives into the worker's buffer and hands what came to `on_data` (an empty slice at the end of the stream)
    /// until that is ready. What `on_data` does not keep is gone.
    ///
    /// The buffer is the worker's only one: `on_data` must not poll another receive.
    pub fn receive<T, F: FnMut(&[u8]) -> Poll<T> + Unpin>(&self, on_data: F) -> Receive<'_, F> {
        Receive { io: self, on_data }
    }

    /// Sends what the kernel takes now.
    pub fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the slice is live, and the descriptor is open as long as `self`.
        let sent = unsafe {
            libc::send(
                self.as_fd().as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_NOSIGNAL,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// Receives what is there now into `buffer`: of a stream, as a short read tells that no more is there.
    /// Datagrams come by [`Io::try_receive_from`].
    pub fn try_receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the slice is live and exclusive, and the descriptor is open as long as `self`.
        let received = unsafe {
            libc::recv(
                self.as_fd().as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
            )
        };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        // A short read has emptied the socket, and the next bytes make an edge. The end makes none if it was
        // reported together with these bytes.
        if received < buffer.len() {
            self.source(|source| source.readable = source.ended);
        }
        Ok(received)
    }
}

/// See [`Io::send`].
#[must_use = "futures do nothing unless awaited"]
pub struct Send<'a> {
    io: &'a Io,
    bytes: &'a [u8],
}

impl Future for Send<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.bytes.is_empty() {
            ready!(self.io.poll_ready(Direction::Write, context));
            match self.io.try_send(self.bytes) {
                Ok(sent) => self.bytes = &self.bytes[sent..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.io.clear(Direction::Write)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// See [`Io::receive`].
#[must_use = "futures do nothing unless awaited"]
pub struct Receive<'a, F> {
    io: &'a Io,
    on_data: F,
}

impl<T, F: FnMut(&[u8]) -> Poll<T> + Unpin> Future for Receive<'_, F> {
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let this = self.get_mut();
        for _ in 0..TURNS {
            ready!(this.io.poll_ready(Direction::Read, context));
            let mut buffer = this.io.reactor.0.buffer.borrow_mut();
            debug_assert_eq!(buffer.len(), RECEIVE_BUFFER);
            match this.io.try_receive(&mut buffer) {
                Ok(count) => {
                    if let Poll::Ready(value) = (this.on_data)(&buffer[..count]) {
                        return Poll::Ready(Ok(value));
                    }
                    if count == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    this.io.clear(Direction::Read)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
