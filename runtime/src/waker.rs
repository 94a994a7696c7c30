//! Wakers: a packed strand in place of a pointer, so that making, cloning and dropping one costs nothing.
//!
//! On the worker's own thread a wake goes to a thread-local list that the driver drains; from another thread it goes
//! to the worker's [`Inbox`], which wakes the poller once for a batch. Enter at [`waker`].

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A strand by worker, place in the worker's slab, and generation: 16, 24 and 24 bits.
///
/// A stale one is harmless: the driver compares generations.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StrandId(u64);

impl StrandId {
    /// No strand.
    pub const NONE: StrandId = StrandId(u64::MAX);

    pub(crate) fn new(worker: u16, index: u32, generation: u32) -> StrandId {
        debug_assert!(index < MASK as u32);
        StrandId(u64::from(worker) << 48 | u64::from(index) << 24 | u64::from(generation) & MASK)
    }

    pub(crate) fn worker(self) -> u16 {
        (self.0 >> 48) as u16
    }

    pub(crate) fn index(self) -> usize {
        (self.0 >> 24 & MASK) as usize
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 & MASK) as u32
    }

    /// The strand that a waker is of, if it is one of [`waker`].
    pub(crate) fn of(waker: &Waker) -> Option<StrandId> {
        std::ptr::eq(waker.vtable(), &VTABLE).then(|| StrandId(waker.data().addr() as u64))
    }

    /// Wakes the strand, from any thread.
    pub fn wake(self) {
        if self == StrandId::NONE {
            return;
        }
        if WORKER.get() == Some(self.worker()) {
            WOKEN.with_borrow_mut(|woken| woken.push(self));
        } else if let Some(inbox) = inbox_of(self.worker()) {
            inbox.push(self);
        }
    }
}

const MASK: u64 = (1 << 24) - 1;

/// The waker of a strand, for futures.
pub fn waker(strand: StrandId) -> Waker {
    // SAFETY: the vtable's functions treat the data as the packed integer that it is, and never as a pointer.
    unsafe { Waker::from_raw(raw(strand)) }
}

fn raw(strand: StrandId) -> RawWaker {
    RawWaker::new(std::ptr::without_provenance(strand.0 as usize), &VTABLE)
}

const _: () = assert!(size_of::<usize>() == 8, "a packed strand needs 64 bits");

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| raw(StrandId(data.addr() as u64)),
    |data| StrandId(data.addr() as u64).wake(),
    |data| StrandId(data.addr() as u64).wake(),
    |_| (),
);

thread_local! {
    static WORKER: Cell<Option<u16>> = const { Cell::new(None) };
    static WOKEN: RefCell<Vec<StrandId>> = const { RefCell::new(Vec::new()) };
}

/// Moves the strands woken on this thread since the last call to `into`.
pub(crate) fn drain_woken(mut into: impl FnMut(StrandId)) {
    // Taken out and put back, so that `into` may wake again.
    let mut woken = WOKEN.take();
    woken.drain(..).for_each(&mut into);
    WOKEN.with_borrow_mut(|newer| {
        woken.append(newer);
        *newer = woken;
    });
}

/// Whether strands were woken on this thread and not yet drained.
pub(crate) fn any_woken() -> bool {
    WOKEN.with_borrow(|woken| !woken.is_empty())
}

/// What other threads leave for a worker.
pub struct Inbox {
    strands: Mutex<Vec<StrandId>>,
    /// Whether the poller was woken for what lies there.
    notified: AtomicBool,
    /// Jobs of the worker that run on other threads.
    pub(crate) jobs: AtomicUsize,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl Inbox {
    /// An inbox whose first item calls `wake`.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Inbox {
        Inbox {
            strands: Mutex::default(),
            notified: AtomicBool::new(false),
            jobs: AtomicUsize::new(0),
            wake: Box::new(wake),
        }
    }

    /// Leaves a strand to wake.
    pub fn push(&self, strand: StrandId) {
        self.strands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(strand);
        self.notify();
    }

    /// Makes the worker look up from its poll.
    pub fn notify(&self) {
        if !self.notified.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }

    /// Whether the worker was told to look up, and has not done so.
    pub(crate) fn is_notified(&self) -> bool {
        self.notified.load(Ordering::Acquire)
    }

    /// Takes everything; the next item notifies again.
    pub(crate) fn take(&self) -> Vec<StrandId> {
        let notified = self.notified.load(Ordering::Acquire);
        if !notified || !self.notified.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *self.strands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Inboxes of the living workers, by number. Written when a worker starts or ends, read by wakes from other threads.
static WORKERS: RwLock<Vec<Option<Arc<Inbox>>>> = RwLock::new(Vec::new());

fn inbox_of(worker: u16) -> Option<Arc<Inbox>> {
    let workers = WORKERS.read().unwrap_or_else(PoisonError::into_inner);
    workers.get(usize::from(worker)).cloned().flatten()
}

/// A worker's number; while it lives, wakes on this thread for that worker take the short way.
pub(crate) struct WorkerNumber {
    number: u16,
    outer: Option<u16>,
}

impl WorkerNumber {
    /// Takes the lowest free number.
    pub fn claim(inbox: Arc<Inbox>) -> WorkerNumber {
        let mut workers = WORKERS.write().unwrap_or_else(PoisonError::into_inner);
        let free = workers
            .iter()
            .position(Option::is_none)
            .unwrap_or(workers.len());
        if free == workers.len() {
            workers.push(None);
        }
        workers[free] = Some(inbox);
        let number = u16::try_from(free).expect("fewer than 65536 workers live at once");
        WorkerNumber {
            number,
            outer: WORKER.replace(Some(number)),
        }
    }

    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }
}

impl Drop for WorkerNumber {
    fn drop(&mut self) {
        WORKER.set(self.outer);
        WOKEN.with_borrow_mut(|woken| woken.retain(|strand| strand.worker() != self.number));
        WORKERS.write().unwrap_or_else(PoisonError::into_inner)[usize::from(self.number)] = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_strand_comes_apart_again() {
        let strand = StrandId::new(7, 123_456, 0x00ab_cdef);
        assert_eq!(
            (strand.worker(), strand.index(), strand.generation()),
            (7, 123_456, 0x00ab_cdef)
        );
    }

    #[test]
    fn wakes_of_other_threads_notify_once_for_a_batch() {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        let inbox = Arc::new(Inbox::new(move || {
            seen.fetch_add(1, Ordering::Relaxed);
        }));
        let number = WorkerNumber::claim(inbox.clone());
        let strand = StrandId::new(number.number(), 1, 1);
        let waker = waker(strand);
        waker.wake_by_ref();
        let mut here = Vec::new();
        drain_woken(|strand| here.push(strand));
        assert_eq!(here, [strand]);
        std::thread::spawn(move || {
            waker.wake_by_ref();
            waker.wake();
        })
        .join()
        .expect("the waking thread does not panic");
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(inbox.take(), [strand, strand]);
        assert!(inbox.take().is_empty());
    }
}
