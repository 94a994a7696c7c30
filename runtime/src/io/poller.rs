//! The kernel side of the reactor: mio's poll, a timerfd for precise deadlines, an eventfd for other threads.
//!
//! mio's own timeout has milliseconds only, so waiting until a deadline is an event of the timerfd like any other.

use crate::timer::Nanos;
use crate::waker::Inbox;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token};
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

const WAKE: usize = usize::MAX;
const TIMER: usize = usize::MAX - 1;
const EVENTS: usize = 1024;

/// Waits for events of registered descriptors, for a deadline, for other threads.
pub(crate) struct Poller {
    poll: RefCell<Poll>,
    registry: Registry,
    events: RefCell<Events>,
    timer: OwnedFd,
    /// The deadline that the timerfd is set to.
    armed: Cell<Option<Nanos>>,
    inbox: Arc<Inbox>,
}

impl Poller {
    pub fn new() -> io::Result<Poller> {
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let waker = mio::Waker::new(&registry, Token(WAKE))?;
        let inbox = Arc::new(Inbox::new(move || {
            // An eventfd's write fails only when the poller is gone, and with it whom to wake.
            let _ = waker.wake();
        }));
        let timer = timerfd()?;
        registry.register(
            &mut SourceFd(&timer.as_raw_fd()),
            Token(TIMER),
            Interest::READABLE,
        )?;
        slack_of_one_nanosecond();
        let events = RefCell::new(Events::with_capacity(EVENTS));
        Ok(Poller {
            poll: RefCell::new(poll),
            registry,
            events,
            timer,
            armed: Cell::new(None),
            inbox,
        })
    }

    pub fn inbox(&self) -> Arc<Inbox> {
        self.inbox.clone()
    }

    /// Registers a descriptor for both directions; closing it is what ends that.
    pub fn add(&self, fd: RawFd, token: usize) -> io::Result<()> {
        self.registry.register(
            &mut SourceFd(&fd),
            Token(token),
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// `None` is no waiting, `Some(None)` without limit, `Some(Some(t))` until `t`; `now` is what is known of the time.
    pub fn wait(
        &self,
        until: Option<Option<Nanos>>,
        now: Nanos,
        mut note: impl FnMut(usize, &mio::event::Event),
    ) -> io::Result<()> {
        let block = match until {
            None => false,
            Some(None) => true,
            Some(Some(at)) => self.arm(at, now)?,
        };
        let mut events = self.events.borrow_mut();
        match self
            .poll
            .borrow_mut()
            .poll(&mut events, (!block).then_some(Duration::ZERO))
        {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &*events {
            match event.token() {
                Token(WAKE) => (),
                Token(TIMER) => self.armed.set(None),
                Token(token) => note(token, event),
            }
        }
        Ok(())
    }

    /// Sets the timerfd unless it fires early enough anyway (then this wait ends early once, which is cheaper than
    /// a system call for each timer); false if the deadline has passed.
    fn arm(&self, at: Nanos, now: Nanos) -> io::Result<bool> {
        if at <= now {
            return Ok(false);
        }
        if self.armed.get().is_some_and(|armed| armed <= at) {
            return Ok(true);
        }
        let value = libc::timespec {
            tv_sec: (at / 1_000_000_000) as libc::time_t,
            tv_nsec: (at % 1_000_000_000) as libc::c_long,
        };
        let never = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let spec = libc::itimerspec {
            it_interval: never,
            it_value: value,
        };
        // SAFETY: the descriptor is ours, and the pointer is to a live itimerspec; no old value is asked for.
        let status = unsafe {
            libc::timerfd_settime(
                self.timer.as_raw_fd(),
                libc::TFD_TIMER_ABSTIME,
                &spec,
                std::ptr::null_mut(),
            )
        };
        if status < 0 {
            return Err(io::Error::last_os_error());
        }
        self.armed.set(Some(at));
        Ok(true)
    }
}

fn timerfd() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers; the new descriptor belongs to nobody else.
    unsafe {
        let fd = libc::timerfd_create(
            libc::CLOCK_MONOTONIC,
            libc::TFD_NONBLOCK | libc::TFD_CLOEXEC,
        );
        if fd < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(OwnedFd::from_raw_fd(fd))
        }
    }
}

/// The kernel may be late by 50 us otherwise; where this is refused, timers are just less precise.
fn slack_of_one_nanosecond() {
    // SAFETY: takes no pointers.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1 as libc::c_ulong) };
}
