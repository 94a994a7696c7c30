//! A small thread pool for what blocks by nature: getaddrinfo, files.
//!
//! Threads start when there is work and no idle thread, up to a limit, and end after a while without work. A result
//! wakes the strand that waits for it through its worker's inbox.

use crate::waker::Inbox;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

/// Threads at most.
const THREADS: usize = 16;
/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

/// Starts a job; see [`crate::cx::Cx::blocking`].
pub(crate) fn run<T: Send + 'static>(
    inbox: Arc<Inbox>,
    job: impl FnOnce() -> T + Send + 'static,
) -> Blocking<T> {
    let shared = Arc::new(Mutex::new(Shared {
        result: None,
        waker: None,
    }));
    let theirs = shared.clone();
    let running = Running::new(inbox);
    POOL.submit(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(job));
        let waker = {
            let mut shared = lock(&theirs);
            shared.result = Some(result);
            shared.waker.take()
        };
        // Woken first, so that a virtual clock does not see a moment in which nothing is pending.
        if let Some(waker) = waker {
            waker.wake();
        }
        drop(running);
    }));
    Blocking { shared }
}

/// Counts a job for its worker until it is dropped: a virtual clock stands still while one runs.
struct Running(Arc<Inbox>);

impl Running {
    fn new(inbox: Arc<Inbox>) -> Running {
        inbox.jobs.fetch_add(1, Ordering::AcqRel);
        Running(inbox)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.jobs.fetch_sub(1, Ordering::AcqRel);
        self.0.notify();
    }
}

struct Shared<T> {
    result: Option<thread::Result<T>>,
    waker: Option<Waker>,
}

/// Waits for a job's result. A panic of the job goes on here.
#[must_use = "the job runs anyway, but nobody sees its result"]
pub struct Blocking<T> {
    shared: Arc<Mutex<Shared<T>>>,
}

impl<T> Future for Blocking<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut shared = lock(&self.shared);
        match shared.result.take() {
            Some(Ok(value)) => Poll::Ready(value),
            Some(Err(panic)) => resume_unwind(panic),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process's threads.
struct Pool {
    state: Mutex<PoolState>,
    work: Condvar,
}

struct PoolState {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static POOL: Pool = Pool {
    state: Mutex::new(PoolState {
        jobs: VecDeque::new(),
        threads: 0,
        idle: 0,
    }),
    work: Condvar::new(),
};

impl Pool {
    fn submit(&'static self, job: Job) {
        let mut state = lock(&self.state);
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            self.work.notify_one();
        } else if state.threads < THREADS {
            let spawned = thread::Builder::new()
                .name("scn-blocking".into())
                .spawn(|| self.serve());
            // Without a thread of its own the job waits for one of the others.
            state.threads += usize::from(spawned.is_ok());
            assert!(state.threads > 0, "the system gives at least one thread");
        }
    }

    fn serve(&self) {
        let mut state = lock(&self.state);
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = lock(&self.state);
                continue;
            }
            state.idle += 1;
            let (woken, timeout) = self
                .work
                .wait_timeout(state, LINGER)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }
}
