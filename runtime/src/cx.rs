//! What waiting host functions are given: time, sockets, threads for what blocks, and the worker's context.
//!
//! A [`Cx`] has no data; it stands for the context of this thread. Nothing of a worker or user is borrowed across an
//! await: [`Cx::with`] reaches it for the length of a closure. Here are its methods that wait, and their futures.

use crate::blocking::{self, Blocking};
use crate::host::Cx;
use crate::io::{Io, Reactor};
use crate::timer::{LAST, Nanos, Target, TimerId};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

impl Cx {
    /// The worker's reactor.
    pub fn reactor(self) -> Reactor {
        self.with(|ctx| ctx.worker().reactor().clone())
    }

    /// Monotonic nanoseconds of the worker's clock, which may be a virtual one.
    pub fn now(self) -> Nanos {
        self.with(|ctx| ctx.worker().reactor().now())
    }

    /// Waits that many nanoseconds; not at all if there are none.
    pub fn sleep(self, nanos: i64) -> Sleep {
        self.sleep_until(self.after(nanos))
    }

    /// Waits until `at`.
    pub fn sleep_until(self, at: Nanos) -> Sleep {
        Sleep {
            reactor: self.reactor(),
            at: at.min(LAST),
            timer: None,
        }
    }

    /// The moment that many nanoseconds from now.
    pub fn after(self, nanos: i64) -> Nanos {
        self.now().saturating_add(nanos.max(0) as u64)
    }

    /// Runs a future until `at`; then drops what it was doing when the result is dropped.
    pub fn deadline<F: Future>(self, at: Nanos, future: F) -> Deadline<F> {
        Deadline {
            future,
            at: at.min(LAST),
        }
    }

    /// Waits until the scenario's `limit requests` lets one more request go.
    pub async fn admit(self) {
        if let Some(slot) = self.admission() {
            self.sleep_until(slot).await;
        }
    }

    /// Takes a place for one more request; the moment to wait for, if the scenario has a `limit requests`.
    pub fn admission(self) -> Option<Nanos> {
        self.with(|ctx| {
            ctx.with_user(|user| {
                let limit = user.shared.as_ref()?.requests.as_ref()?;
                Some(limit.take(self.now()))
            })
        })
    }

    /// When the running strand became runnable for its next operation: response times count from here.
    pub fn intended(self) -> Nanos {
        self.with(|ctx| ctx.worker().with_running(|strand| strand.intended))
    }

    /// Says so: an operation has ended, or a pause is over.
    pub fn set_intended(self, at: Nanos) {
        self.with(|ctx| ctx.worker().with_running(|strand| strand.intended = at));
    }

    /// For hand-written futures that wait with a limit: whether that moment has passed. If not, the future is polled
    /// again at that moment at the latest; it says so in each poll that ends pending.
    pub fn has_passed(self, at: Nanos) -> bool {
        self.with(|ctx| {
            let worker = ctx.worker();
            let passed = at <= worker.reactor().seen();
            if !passed {
                worker.limit_to(at);
            }
            passed
        })
    }

    /// Takes a non-blocking socket over; see [`Reactor::register`].
    pub fn register(self, socket: impl Into<OwnedFd>, connecting: bool) -> io::Result<Io> {
        self.reactor().register(socket.into(), connecting)
    }

    /// Runs `job` on a thread where it may block, and waits for its result. If the wait is cancelled, the job still
    /// runs to its end and its result is dropped there.
    pub fn blocking<T: Send + 'static>(
        self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Blocking<T> {
        blocking::run(self.reactor().inbox(), job)
    }
}

/// See [`Cx::sleep`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    reactor: Reactor,
    at: Nanos,
    timer: Option<TimerId>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.timer {
            None if self.at <= self.reactor.now() => Poll::Ready(()),
            None => {
                let timer = self
                    .reactor
                    .insert_timer(self.at, Target::Wake(context.waker().clone()));
                self.timer = Some(timer);
                Poll::Pending
            }
            Some(timer) if self.reactor.set_waker(timer, context.waker()) => Poll::Pending,
            Some(_) => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.reactor.remove_timer(timer);
        }
    }
}

/// The time of a [`Cx::deadline`] is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Elapsed;

/// See [`Cx::deadline`].
#[must_use = "futures do nothing unless awaited"]
pub struct Deadline<F> {
    future: F,
    at: Nanos,
}

impl<F: Future> Future for Deadline<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let at = self.at;
        // SAFETY: `future` is pinned with `self`: it is moved nowhere and dropped in place.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        if let Poll::Ready(value) = future.poll(context) {
            return Poll::Ready(Ok(value));
        }
        match Cx::new().has_passed(at) {
            true => Poll::Ready(Err(Elapsed)),
            false => Poll::Pending,
        }
    }
}
