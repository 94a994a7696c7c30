//! Cuts a run off from outside: from another thread, or from a signal's handler. Enter at [`Stop::request`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A handle that stops a run; clones stop the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    wake: Notify,
}

impl Stop {
    /// Stops the run, or one that has not begun yet.
    pub fn request(&self) {
        self.0.asked.store(true, Ordering::Release);
        self.0.wake.notify_waiters();
    }

    /// Whether somebody has asked.
    pub fn is_requested(&self) -> bool {
        self.0.asked.load(Ordering::Acquire)
    }

    /// Waits until somebody asks.
    pub(crate) async fn requested(&self) {
        loop {
            let wake = self.0.wake.notified();
            // A request between these two lines wakes: the future exists already.
            if self.is_requested() {
                return;
            }
            wake.await;
        }
    }
}
