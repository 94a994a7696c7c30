//! The watchdog: a thread that pokes a worker which has been in one slice for some milliseconds.
//!
//! A poked loop looks at deadlines and at Ctrl-C; see [`crate::driver::poked`]. The watchdog sleeps for good while its
//! worker waits. Enter at [`Watchdog::start`].

use crate::stop::Poker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a slice may take that was seen once.
const TICK: Duration = Duration::from_millis(2);
/// How long it looks away at most while slices come and go: each look interrupts the worker on a machine whose cores are
/// all busy.
const LONGEST: Duration = Duration::from_millis(16);
/// Looks at an idle worker after which it goes to sleep.
const PATIENCE: u32 = 8;

/// A running watchdog; dropping it ends the thread.
pub(crate) struct Watchdog {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches a worker. Without a thread to spare there is no watchdog, and only waits see deadlines.
    pub fn start(poker: Arc<Poker>) -> Watchdog {
        let ended = Arc::new(AtomicBool::new(false));
        let theirs = (ended.clone(), poker.clone());
        let builder = thread::Builder::new().name("scn-watchdog".into());
        let thread = builder.spawn(move || watch(&theirs.0, &theirs.1)).ok();
        let mut place = poker
            .watchdog
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *place = thread.as_ref().map(|thread| thread.thread().clone());
        Watchdog { ended, thread }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread cannot panic, and if it did, the run has its results all the same.
            let _ = thread.join();
        }
    }
}

fn watch(ended: &AtomicBool, poker: &Poker) {
    let mut last = None;
    let mut idle = 0;
    let mut tick = TICK;
    while !ended.load(Ordering::SeqCst) {
        thread::park_timeout(tick);
        let slice = poker.slice();
        let is_long = slice.is_some() && slice == last;
        if is_long {
            poker.poke_slice();
        }
        tick = if is_long { TICK } else { LONGEST.min(tick * 2) };
        idle = if slice.is_none() { idle + 1 } else { 0 };
        if idle >= PATIENCE {
            sleep_until_busy(ended, poker);
            (idle, tick) = (0, TICK);
        }
        last = slice;
    }
}

fn sleep_until_busy(ended: &AtomicBool, poker: &Poker) {
    poker.asleep.store(true, Ordering::SeqCst);
    // Looked at again after `asleep` is set: a worker that gets busy either sees that, or is seen here.
    while poker.slice().is_none() && !ended.load(Ordering::SeqCst) {
        thread::park();
    }
    poker.asleep.store(false, Ordering::SeqCst);
}
