//! The watchdog: a thread that pokes a worker which has been in one slice for some milliseconds.
//!
//! A poked loop looks at deadlines and at Ctrl-C and lets others run; see [`crate::driver::poked`]. The watchdog also
//! has programs compiled that keep a worker busy, and asks for the samples of a profile. It sleeps for good while its
//! worker waits. Enter at [`Watchdog::start`].

use crate::link::Linked;
use crate::stop::Poker;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a slice may take that was seen once.
const TICK: Duration = Duration::from_millis(2);
/// How long it looks away at most while slices come and go: each look interrupts the worker on a machine whose cores are
/// all busy.
const LONGEST: Duration = Duration::from_millis(16);
/// Looks at an idle worker after which it goes to sleep.
const PATIENCE: u32 = 8;

/// Between two samples of a profile.
const SAMPLE: Duration = Duration::from_millis(1);
/// Looks in a row that found the worker busy, after which the program is worth to be compiled.
const BUSY: u32 = 16;

/// What a watchdog does besides.
#[derive(Default)]
pub(crate) struct Duty {
    /// Whether it asks for samples.
    pub profiles: bool,
    /// What it has compiled when that pays.
    pub linked: Option<Arc<Linked>>,
}

/// A running watchdog; dropping it ends the thread.
pub(crate) struct Watchdog {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches a worker. Without a thread to spare there is no watchdog, and only waits see deadlines.
    pub fn start(poker: Arc<Poker>, duty: Duty) -> Watchdog {
        let ended = Arc::new(AtomicBool::new(false));
        let theirs = (ended.clone(), poker.clone());
        let builder = thread::Builder::new().name("scn-watchdog".into());
        let thread = builder
            .spawn(move || watch(&theirs.0, &theirs.1, &duty))
            .ok();
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

fn watch(ended: &AtomicBool, poker: &Poker, duty: &Duty) {
    let (mut last, mut tick) = (None, TICK);
    let (mut idle, mut busy) = (0, 0);
    while !ended.load(Ordering::SeqCst) {
        let slice = match duty.profiles {
            true => look_often(ended, poker, tick),
            false => look(poker, tick),
        };
        let is_long = slice.is_some() && slice == last;
        if is_long {
            poker.poke_slice();
        }
        tick = if is_long { TICK } else { LONGEST.min(tick * 2) };
        (idle, busy) = match slice {
            Some(_) => (0, busy + 1),
            None => (idle + 1, 0),
        };
        if busy == BUSY {
            duty.linked.iter().for_each(Linked::compile_behind);
        }
        if idle >= PATIENCE {
            sleep_until_busy(ended, poker);
            (idle, tick) = (0, TICK);
        }
        last = slice;
    }
}

/// The slice that runs after a while.
fn look(poker: &Poker, tick: Duration) -> Option<u32> {
    thread::park_timeout(tick);
    poker.slice()
}

/// As [`look`], asking for samples meanwhile.
fn look_often(ended: &AtomicBool, poker: &Poker, tick: Duration) -> Option<u32> {
    let until = Instant::now() + tick;
    loop {
        let slice = look(poker, SAMPLE);
        if slice.is_some() {
            poker.poke_profile();
        }
        if Instant::now() >= until || ended.load(Ordering::SeqCst) {
            return slice;
        }
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
