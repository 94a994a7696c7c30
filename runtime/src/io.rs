//! Sockets and waiting for them: the reactor.
//!
//! One for each worker: mio, edge-triggered, every socket registered once and its interest never changed. A socket is
//! an [`Io`], which owns its descriptor. The seam is completion-shaped: [`Io::send`] tries at once, [`Io::receive`]
//! hands over what one receive put into the worker's buffer. Connecting, accepting and datagrams wait for plain
//! readiness. Protocols are not here. Enter at [`Reactor::register`].

mod poller;
mod ready;
mod socket;
mod stream;

pub(crate) use poller::Poller;
pub use ready::{Direction, Io, Ready};
pub use socket::set_bind_address_no_port;
pub use stream::{Receive, Send};

use crate::timer::{Clock, LAST, Nanos, Target, TimerId, Timers};
use crate::waker::{Inbox, StrandId};
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

/// Bytes of a worker's receive buffer.
pub const RECEIVE_BUFFER: usize = 64 << 10;

/// The sockets and timers of a worker; a shared reference to them.
#[derive(Clone)]
pub struct Reactor(Rc<Inner>);

struct Inner {
    poller: Poller,
    sources: RefCell<Slab<Source>>,
    /// Makes tokens of reused places different.
    serial: Cell<u32>,
    buffer: RefCell<Box<[u8]>>,
    timers: RefCell<Timers>,
    clock: Cell<Clock>,
    /// What the clock said when it was last looked at for timers.
    seen: Cell<Nanos>,
    /// What the clock said when anybody last looked at it.
    recent: Cell<Nanos>,
}

/// What the reactor knows about a socket. There are as many as users, so it is small.
struct Source {
    serial: u32,
    readable: bool,
    writable: bool,
    /// The peer has finished sending: no further edge will come.
    ended: bool,
    /// The strand that waits for either direction, mostly the only one.
    reader: StrandId,
    writer: StrandId,
    /// Who else waits.
    others: Option<Box<Others>>,
}

type Others = Vec<(Direction, Waker)>;

impl Reactor {
    /// A reactor with this clock.
    pub fn new(clock: Clock) -> io::Result<Reactor> {
        Ok(Reactor(Rc::new(Inner {
            poller: Poller::new()?,
            sources: RefCell::default(),
            serial: Cell::new(0),
            buffer: RefCell::new(vec![0; RECEIVE_BUFFER].into()),
            timers: RefCell::default(),
            clock: Cell::new(clock),
            seen: Cell::new(clock.now()),
            recent: Cell::new(clock.now()),
        })))
    }

    /// Takes a non-blocking socket over. One that is connecting becomes writable when that has ended; of any other
    /// it is assumed that it can send at once.
    ///
    /// A TCP socket must have begun to connect, or to listen: before that the kernel reports it as hung up.
    pub fn register(&self, socket: OwnedFd, connecting: bool) -> io::Result<Io> {
        let serial = self.0.serial.get().wrapping_add(1);
        self.0.serial.set(serial);
        let mut sources = self.0.sources.borrow_mut();
        let entry = sources.vacant_entry();
        let index = entry.key();
        self.0
            .poller
            .add(socket.as_raw_fd(), token(index, serial))?;
        entry.insert(Source {
            serial,
            readable: false,
            writable: !connecting,
            ended: false,
            reader: StrandId::NONE,
            writer: StrandId::NONE,
            others: None,
        });
        drop(sources);
        Ok(Io::new(socket, self.clone(), index as u32))
    }

    /// How many sockets are registered.
    pub fn sockets(&self) -> usize {
        self.0.sources.borrow().len()
    }

    /// Now, by the worker's clock.
    pub fn now(&self) -> Nanos {
        let now = self.0.clock.get().now();
        self.0.recent.set(now);
        now
    }

    /// What the clock said when anybody on this worker last looked at it, which costs nothing: after each poll, and at the
    /// begin and end of each operation. For what has just begun or ended together with that.
    pub fn recent(&self) -> Nanos {
        self.0.recent.get()
    }

    /// What the clock said at the end of the last poll: it costs nothing, and limits are looked at by it.
    pub fn seen(&self) -> Nanos {
        self.0.seen.get()
    }

    pub(crate) fn look_at_clock(&self) {
        self.0.seen.set(self.now());
    }

    /// Sets a virtual clock.
    pub(crate) fn go_on_from(&self, now: Nanos) {
        if self.is_virtual() {
            self.0.clock.set(Clock::Virtual(now));
            self.look_at_clock();
        }
    }

    /// Whether the clock is a virtual one.
    pub(crate) fn is_virtual(&self) -> bool {
        matches!(self.0.clock.get(), Clock::Virtual(_))
    }

    /// Adds a timer.
    pub fn insert_timer(&self, at: Nanos, target: Target) -> TimerId {
        self.0.timers.borrow_mut().insert(at.min(LAST), target)
    }

    /// Removes a timer, if it has not fired.
    pub fn remove_timer(&self, timer: TimerId) {
        self.0.timers.borrow_mut().remove(timer);
    }

    /// The earliest deadline.
    pub(crate) fn next_timer(&self) -> Option<Nanos> {
        self.0.timers.borrow_mut().earliest()
    }

    pub(crate) fn pop_timer(&self, now: Nanos) -> Option<Target> {
        self.0.timers.borrow_mut().pop_due(now)
    }

    pub(crate) fn set_waker(&self, timer: TimerId, waker: &Waker) -> bool {
        let mut timers = self.0.timers.borrow_mut();
        timers.set_waker(timer, waker);
        timers.is_pending(timer)
    }

    pub(crate) fn inbox(&self) -> Arc<Inbox> {
        self.0.poller.inbox()
    }

    /// Waits for events, at most until the next timer is due, or not at all; wakes whom they concern.
    ///
    /// On a virtual clock nothing is waited for while a timer is pending: when the sockets are silent and
    /// `may_jump`, the clock jumps to the next timer.
    pub(crate) fn poll(&self, block: bool, may_jump: bool) -> io::Result<()> {
        let polled = self.poll_events(block, may_jump);
        self.look_at_clock();
        polled
    }

    fn poll_events(&self, block: bool, may_jump: bool) -> io::Result<()> {
        let Clock::Virtual(now) = self.0.clock.get() else {
            return self.wait(block.then(|| self.0.timers.borrow_mut().wake_by()));
        };
        let next = self.next_timer().filter(|_| block && may_jump);
        let Some(next) = next else {
            return self.wait(block.then_some(None));
        };
        self.wait(None)?;
        if !crate::waker::any_woken() && !self.inbox().is_notified() {
            self.0.clock.set(Clock::Virtual(next.max(now)));
        }
        Ok(())
    }

    /// `None` is no waiting, `Some(None)` without limit, `Some(Some(t))` until `t`.
    fn wait(&self, until: Option<Option<Nanos>>) -> io::Result<()> {
        let sources = &self.0.sources;
        self.0.poller.wait(until, self.seen(), |token, event| {
            let mut sources = sources.borrow_mut();
            if let Some(source) = sources.get_mut(token & 0xffff_ffff)
                && source.serial as usize == token >> 32
            {
                source.note(event);
            }
        })
    }
}

fn token(index: usize, serial: u32) -> usize {
    index | (serial as usize) << 32
}

impl Source {
    fn note(&mut self, event: &mio::event::Event) {
        let failed = event.is_error();
        self.ended |= event.is_read_closed() || failed;
        if event.is_readable() || event.is_read_closed() || failed {
            self.readable = true;
            self.wake(Direction::Read);
        }
        if event.is_writable() || event.is_write_closed() || failed {
            self.writable = true;
            self.wake(Direction::Write);
        }
    }

    fn is_ready(&self, direction: Direction) -> bool {
        match direction {
            Direction::Read => self.readable,
            Direction::Write => self.writable,
        }
    }

    fn clear(&mut self, direction: Direction) {
        match direction {
            Direction::Read => self.readable = false,
            Direction::Write => self.writable = false,
        }
    }

    fn strand(&mut self, direction: Direction) -> &mut StrandId {
        match direction {
            Direction::Read => &mut self.reader,
            Direction::Write => &mut self.writer,
        }
    }

    /// Notes who waits.
    fn wait(&mut self, direction: Direction, waker: &Waker) {
        let place = self.strand(direction);
        match StrandId::of(waker) {
            Some(strand) if *place == strand || *place == StrandId::NONE => *place = strand,
            _ => {
                let others = self.others.get_or_insert_default();
                if !others
                    .iter()
                    .any(|(way, other)| *way == direction && other.will_wake(waker))
                {
                    others.push((direction, waker.clone()));
                }
            }
        }
    }

    /// Wakes who waits.
    fn wake(&mut self, direction: Direction) {
        let strand = self.strand(direction);
        if *strand != StrandId::NONE {
            std::mem::replace(strand, StrandId::NONE).wake();
        }
        if self.others.is_some() {
            self.wake_others(direction);
        }
    }

    #[cold]
    fn wake_others(&mut self, direction: Direction) {
        let others = self.others.take().unwrap_or_default();
        let (woken, left): (Others, Others) =
            others.into_iter().partition(|(way, _)| *way == direction);
        woken.into_iter().for_each(|(_, waker)| waker.wake());
        self.others = (!left.is_empty()).then(|| Box::new(left));
    }
}

#[cfg(test)]
mod tests;
