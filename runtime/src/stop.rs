//! Stopping and poking from other threads: Ctrl-C, and the watchdog that makes long computations look up.
//!
//! A worker that computes does not poll. What must reach it sets `ctx.poke`, which loops test. Enter at [`StopHandle`];
//! the watchdog's thread is in `watchdog`.

use crate::heap::{POKE_DRIVER, POKE_PROFILE, POKE_SLICE};
use crate::waker::Inbox;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;

/// Stops a run: asked once it ends gracefully, asked again it is cancelled. Clones are the same handle.
#[derive(Clone, Debug, Default)]
pub struct StopHandle(Arc<StopState>);

#[derive(Debug, Default)]
struct StopState {
    level: AtomicU32,
    reason: Mutex<Option<String>>,
    workers: Mutex<Vec<Arc<Poker>>>,
}

impl StopHandle {
    /// A handle that nobody has used.
    pub fn new() -> StopHandle {
        StopHandle::default()
    }

    /// Asks to stop; from any thread.
    pub fn request(&self) {
        self.0.level.fetch_add(1, Ordering::AcqRel);
        lock(&self.0.workers)
            .iter()
            .for_each(|worker| worker.poke());
    }

    /// Asks to stop for a reason, unless somebody has asked already: a second time would cancel what runs.
    pub fn request_once(&self, reason: &str) {
        if self.level() == 0 {
            lock(&self.0.reason).get_or_insert(reason.to_owned());
            self.request();
        }
    }

    /// Why the run is to stop, if a script has said so.
    pub fn reason(&self) -> Option<String> {
        lock(&self.0.reason).clone()
    }

    /// How often it was asked.
    pub fn level(&self) -> u32 {
        self.0.level.load(Ordering::Acquire)
    }
}

/// Installs handlers of signals; where hangups are ignored, as `nohup` has it, they still are.
pub fn keep_ignoring_hangups<T>(install: impl FnOnce() -> T) -> T {
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the pointer is to room for a sigaction, and no action is set.
    let known = unsafe { libc::sigaction(libc::SIGHUP, std::ptr::null(), before.as_mut_ptr()) };
    let result = install();
    // SAFETY: all zeros are a sigaction, and the system has put the one in force there if it could.
    let before = unsafe { before.assume_init() };
    if known == 0 && before.sa_sigaction == libc::SIG_IGN {
        // SAFETY: the action is one that was in force before.
        unsafe { libc::sigaction(libc::SIGHUP, &raw const before, std::ptr::null_mut()) };
    }
    result
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How other threads reach a worker.
pub(crate) struct Poker {
    /// The context's poke word, while there is one.
    word: Mutex<Option<PokeWord>>,
    inbox: Arc<Inbox>,
    /// Counts slices of strands.
    slices: AtomicU32,
    /// Whether the worker waits in its poll.
    idle: AtomicBool,
    /// The watchdog, when it has gone to sleep because the worker was idle for long.
    pub asleep: AtomicBool,
    pub watchdog: Mutex<Option<Thread>>,
}

struct PokeWord(*const AtomicU32);

// SAFETY: an atomic may be used from any thread; the pointer is taken away before the context goes.
unsafe impl Send for PokeWord {}

impl Poker {
    /// Makes the worker look up: from its poll, or at the next poll point.
    pub fn poke(&self) {
        self.set(POKE_DRIVER);
        self.inbox.notify();
    }

    /// Says that the slice is long.
    pub fn poke_slice(&self) {
        self.set(POKE_DRIVER | POKE_SLICE);
    }

    /// Asks where the worker is.
    pub fn poke_profile(&self) {
        self.set(POKE_PROFILE);
    }

    fn set(&self, why: u32) {
        if let Some(word) = &*lock(&self.word) {
            // SAFETY: the word lives as long as it stands here.
            unsafe { &*word.0 }.fetch_or(why, Ordering::Relaxed);
        }
    }

    /// The number of the slice that runs, `None` when the worker waits.
    pub fn slice(&self) -> Option<u32> {
        (!self.idle.load(Ordering::SeqCst)).then(|| self.slices.load(Ordering::Relaxed))
    }
}

impl std::fmt::Debug for Poker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poker")
            .field("slice", &self.slice())
            .finish_non_exhaustive()
    }
}

/// A worker's side of stopping and of the watchdog.
pub(crate) struct StopWatch {
    pub handle: StopHandle,
    /// The level that the worker has acted upon.
    pub seen: Cell<u32>,
    pub poker: Arc<Poker>,
}

impl StopWatch {
    pub fn new(handle: StopHandle, inbox: Arc<Inbox>) -> StopWatch {
        let poker = Arc::new(Poker {
            word: Mutex::new(None),
            inbox,
            slices: AtomicU32::new(0),
            idle: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            watchdog: Mutex::new(None),
        });
        lock(&handle.0.workers).push(poker.clone());
        StopWatch {
            handle,
            seen: Cell::new(0),
            poker,
        }
    }

    /// Lets other threads set the poke word, until the watch is dropped.
    ///
    /// # Safety
    /// The word lives at least as long as the watch.
    pub unsafe fn attach(&self, word: &AtomicU32) {
        *lock(&self.poker.word) = Some(PokeWord(word));
    }

    /// Says that another slice begins.
    pub fn next_slice(&self) {
        let slices = &self.poker.slices;
        slices.store(
            slices.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
    }

    /// The number of the slice that runs.
    pub fn number(&self) -> u32 {
        self.poker.slices.load(Ordering::Relaxed)
    }

    /// Says that the worker waits, or does so no more.
    pub fn set_idle(&self, idle: bool) {
        self.poker.idle.store(idle, Ordering::SeqCst);
        if !idle
            && self.poker.asleep.load(Ordering::SeqCst)
            && let Some(watchdog) = &*lock(&self.poker.watchdog)
        {
            watchdog.unpark();
        }
    }
}

impl Drop for StopWatch {
    fn drop(&mut self) {
        *lock(&self.poker.word) = None;
        lock(&self.handle.0.workers).retain(|worker| !Arc::ptr_eq(worker, &self.poker));
    }
}
