//! A registered socket and the futures that wait for its readiness.

use super::Reactor;
use crate::source::Sourced;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Towards us; also a connection to accept.
    Read,
    /// From us; also the end of connecting.
    Write,
}

/// A socket that the reactor watches. Dropping it closes the descriptor at once.
pub struct Io {
    socket: OwnedFd,
    index: u32,
    pub(super) reactor: Reactor,
    /// Its source address; the last field, so that the address goes back when the descriptor is closed.
    sourced: RefCell<Option<Box<Sourced>>>,
}

impl Io {
    pub(super) fn new(socket: OwnedFd, reactor: Reactor, index: u32) -> Io {
        Io {
            socket,
            index,
            reactor,
            sourced: RefCell::default(),
        }
    }

    /// Keeps the source address leased for as long as the socket is open.
    pub fn keep_source(&self, sourced: Sourced) {
        self.sourced.replace(Some(Box::new(sourced)));
    }

    /// Keeps it no more: somebody else does, for at least as long.
    pub fn let_source_go(&self) {
        self.sourced.take();
    }

    /// Waits until the socket may be read: data, a connection, the end or an error.
    pub fn readable(&self) -> Ready<'_> {
        Ready {
            io: self,
            direction: Direction::Read,
        }
    }

    /// Waits until the socket may be written, or has ended to connect.
    pub fn writable(&self) -> Ready<'_> {
        Ready {
            io: self,
            direction: Direction::Write,
        }
    }

    /// Whether there is something to read as far as is known: of an idle connection, that it was closed or is dirty.
    pub fn is_readable(&self) -> bool {
        self.is_ready(Direction::Read)
    }

    /// Whether an operation in this direction is worth trying.
    pub fn is_ready(&self, direction: Direction) -> bool {
        self.source(|source| source.is_ready(direction))
    }

    /// Whether the peer has finished sending, or the connection has failed.
    pub fn is_ended(&self) -> bool {
        self.source(|source| source.ended)
    }

    /// To be called when an operation would have blocked: the next edge makes it ready again.
    pub fn clear(&self, direction: Direction) {
        self.source(|source| source.clear(direction));
    }

    /// Tries an operation until it does not block, waiting for readiness in between.
    pub async fn operate<T>(
        &self,
        direction: Direction,
        mut operation: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            Ready {
                io: self,
                direction,
            }
            .await;
            match operation(self.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear(direction),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                result => return result,
            }
        }
    }

    #[inline]
    pub(super) fn poll_ready(&self, direction: Direction, context: &Context<'_>) -> Poll<()> {
        if self.is_ready(direction) {
            return Poll::Ready(());
        }
        self.source(|source| source.wait(direction, context.waker()));
        Poll::Pending
    }

    #[inline]
    pub(super) fn source<T>(&self, look: impl FnOnce(&mut super::Source) -> T) -> T {
        look(&mut self.reactor.0.sources.borrow_mut()[self.index as usize])
    }
}

impl AsFd for Io {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        // Whoever still waits finds the socket gone; nobody can, since futures borrow it.
        self.reactor
            .0
            .sources
            .borrow_mut()
            .remove(self.index as usize);
    }
}

impl std::fmt::Debug for Io {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Io").field(&self.socket).finish()
    }
}

/// Waits for readiness; see [`Io::readable`], [`Io::writable`].
#[must_use = "futures do nothing unless awaited"]
pub struct Ready<'a> {
    io: &'a Io,
    direction: Direction,
}

impl Future for Ready<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.io.poll_ready(self.direction, context)
    }
}
