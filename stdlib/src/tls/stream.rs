//! TLS over a socket: rustls by its buffered API, between the worker's receive buffer and the kernel.

use super::error::fault;
use crate::net::stream::{is_silent, poll_receive_plain, poll_send_plain};
use rustls::Connection;
use scn_runtime::io::Io;
use scn_runtime::{Fault, kind};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{BufRead, Write};
use std::task::{Context, Poll, Waker, ready};

/// How much plaintext becomes records before they are sent.
const PIECE: usize = 64 << 10;

thread_local! {
    /// Whether the peer of the connection that is processed asked for a client certificate and there was none.
    static UNANSWERED: Cell<bool> = const { Cell::new(false) };
}

/// To be called when a peer asks for a client certificate and there is none.
pub(super) fn note_unanswered() {
    UNANSWERED.set(true);
}

/// A TLS connection.
#[derive(Debug)]
pub(crate) struct TlsStream {
    io: Io,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    tls: Connection,
    /// Records on their way out, and how much of them is sent.
    out: Vec<u8>,
    sent: usize,
    /// Decrypted, not yet handed over.
    plain: Vec<u8>,
    /// Whether the peer ended, and whether it announced that.
    end: Option<bool>,
    unanswered: bool,
}

impl TlsStream {
    /// TLS over a socket; `received` has come from it already.
    pub(crate) fn new(io: Io, tls: Connection, received: &[u8]) -> Result<TlsStream, Fault> {
        let mut state = State {
            tls,
            out: Vec::new(),
            sent: 0,
            plain: Vec::new(),
            end: None,
            unanswered: false,
        };
        if !received.is_empty() {
            state.take(received)?;
        }
        Ok(TlsStream {
            io,
            state: RefCell::new(state),
        })
    }

    /// The socket.
    pub(crate) fn io(&self) -> &Io {
        &self.io
    }

    /// Looks at the connection.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        look(&self.state.borrow().tls)
    }

    /// Shakes hands.
    pub(crate) async fn handshake(&self) -> Result<(), Fault> {
        self.shake_hands().await?;
        poll_fn(|task| self.poll_flush(task))
            .await
            .map_err(|fault| self.reason_of_end(fault))
    }

    /// Shakes hands for a caller who sends something at once: what this side says last goes out together with that.
    pub(crate) async fn shake_hands(&self) -> Result<(), Fault> {
        poll_fn(|task| {
            while self.state.borrow().tls.is_handshaking() {
                if let Poll::Ready(Err(fault)) = self.poll_flush(task) {
                    return Poll::Ready(Err(self.reason_of_end(fault)));
                }
                ready!(self.poll_input(task))?;
                if self.state.borrow().end.is_some() {
                    return Poll::Ready(Err(Fault::fixed(
                        "tls.handshake",
                        "the peer ended the connection during the handshake",
                    )));
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Goes on sending plaintext from `sent`; ready when the kernel has all records.
    pub(crate) fn poll_send(
        &self,
        task: &mut Context<'_>,
        bytes: &[u8],
        sent: &mut usize,
    ) -> Poll<Result<(), Fault>> {
        // What is left of the handshake has not gone out yet: the first bytes go with it.
        let mut together = *sent == 0 && !bytes.is_empty() && self.state.borrow().has_unwritten();
        loop {
            if !std::mem::take(&mut together)
                && let Err(fault) = ready!(self.poll_flush(task))
            {
                return Poll::Ready(Err(self.reason_of_end(fault)));
            }
            if *sent == bytes.len() {
                return Poll::Ready(Ok(()));
            }
            let piece = &bytes[*sent..bytes.len().min(*sent + PIECE)];
            let taken = self.state.borrow_mut().tls.writer().write(piece);
            *sent += taken.map_err(|error| Fault::os(&error))?;
        }
    }

    /// Hands plaintext to `on_data`, an empty slice at the announced end, until that is ready.
    pub(crate) fn poll_receive<T>(
        &self,
        task: &mut Context<'_>,
        mut on_data: impl FnMut(&[u8]) -> Poll<T>,
    ) -> Poll<Result<T, Fault>> {
        loop {
            let plain = std::mem::take(&mut self.state.borrow_mut().plain);
            if !plain.is_empty() {
                if let Poll::Ready(value) = on_data(&plain) {
                    return Poll::Ready(Ok(value));
                }
                continue;
            }
            let end = self.state.borrow().end;
            match end {
                Some(true) => {
                    return match on_data(&[]) {
                        Poll::Ready(value) => Poll::Ready(Ok(value)),
                        Poll::Pending => Poll::Ready(Err(ended())),
                    };
                }
                Some(false) => return Poll::Ready(Err(ended())),
                None => ready!(self.poll_take(task))?,
            }
        }
    }

    /// Receives once and decrypts; sends what that asks for as far as the kernel takes it.
    fn poll_take(&self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let taken = ready!(self.poll_input(task));
        // Answers to the peer go out when they can; errors show with the next send.
        let _ = self.poll_flush(task);
        Poll::Ready(taken)
    }

    /// Receives once and decrypts. An alert goes out when what came is refused.
    fn poll_input(&self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let taken = ready!(poll_receive_plain(&self.io, task, |data: &[u8]| {
            Poll::Ready(self.state.borrow_mut().take(data))
        }))?;
        if taken.is_err() {
            let _ = self.poll_flush(task);
        }
        Poll::Ready(taken)
    }

    fn poll_flush(&self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let mut state = self.state.borrow_mut();
        let State { tls, out, sent, .. } = &mut *state;
        loop {
            while tls.wants_write() {
                tls.write_tls(out).map_err(|error| Fault::os(&error))?;
            }
            if *sent == out.len() {
                *out = Vec::new();
                *sent = 0;
                return Poll::Ready(Ok(()));
            }
            ready!(poll_send_plain(&self.io, task, out, sent))?;
        }
    }

    /// A peer that refuses sends an alert and closes: the alert is the reason, not the broken connection.
    fn reason_of_end(&self, fault: Fault) -> Fault {
        if !matches!(
            fault.kind(),
            kind::CONNECTION_RESET | kind::CONNECTION_ABORTED
        ) {
            return fault;
        }
        let mut task = Context::from_waker(Waker::noop());
        loop {
            match self.poll_take(&mut task) {
                Poll::Ready(Err(reason)) if reason.kind().starts_with("tls.") => return reason,
                Poll::Ready(Ok(())) if self.state.borrow().end.is_none() => {}
                _ => return fault,
            }
        }
    }

    /// Sends the announcement of the end, if that is possible at once.
    pub(crate) fn announce_end(&self) {
        self.state.borrow_mut().tls.send_close_notify();
        let _ = self.poll_flush(&mut Context::from_waker(Waker::noop()));
    }

    /// Sends the announcement of the end.
    pub(crate) async fn shutdown(&self) -> Result<(), Fault> {
        self.state.borrow_mut().tls.send_close_notify();
        poll_fn(|task| self.poll_flush(task)).await
    }

    /// Whether an idle connection can be used: session tickets may have come, nothing else.
    pub(crate) fn is_usable(&self, closely: bool) -> bool {
        let mut task = Context::from_waker(Waker::noop());
        while !is_silent(&self.io, closely) {
            if !matches!(self.poll_take(&mut task), Poll::Ready(Ok(()))) {
                return false;
            }
            let state = self.state.borrow();
            if state.end.is_some() || !state.plain.is_empty() {
                return false;
            }
        }
        true
    }
}

impl State {
    /// Whether there are records that nobody has tried to send.
    fn has_unwritten(&self) -> bool {
        self.out.is_empty() && self.tls.wants_write()
    }

    /// Decrypts what came; nothing is the end of the socket.
    fn take(&mut self, mut data: &[u8]) -> Result<(), Fault> {
        if data.is_empty() {
            self.end = Some(self.end.unwrap_or(false));
            return Ok(());
        }
        while !data.is_empty() {
            self.tls
                .read_tls(&mut data)
                .map_err(|error| Fault::os(&error))?;
            UNANSWERED.set(self.unanswered);
            let processed = self.tls.process_new_packets();
            self.unanswered = UNANSWERED.get();
            let state = processed.map_err(|error| fault(&error, self.unanswered))?;
            self.drain()?;
            if state.peer_has_closed() {
                self.end = Some(true);
                break;
            }
        }
        Ok(())
    }

    fn drain(&mut self) -> Result<(), Fault> {
        let mut reader = self.tls.reader();
        loop {
            let count = match reader.fill_buf() {
                Ok([]) => return Ok(()),
                Ok(chunk) => {
                    self.plain.extend_from_slice(chunk);
                    chunk.len()
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(Fault::os(&error)),
            };
            reader.consume(count);
        }
    }
}

fn ended() -> Fault {
    Fault::fixed(
        kind::CONNECTION_ABORTED,
        "the connection ended without the announcement that TLS asks for",
    )
}
