//! Stops a run from outside: from another thread, or from a signal's handler. Enter at [`Stop::request`].
//!
//! A component that listens is told by its standard input, a line for each request ([`Requested`]): asked once it ends
//! gracefully, asked again it cancels what runs. Asked once more it is cut off, and one that does not listen is at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::AsyncRead;
use tokio::sync::Notify;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamResult};

/// How often one that listens is asked before it is cut off.
const ASKED: u32 = 2;

/// A handle that stops a run; clones stop the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    level: AtomicU32,
    wake: Notify,
}

impl Stop {
    /// Asks to stop the run, or one that has not begun yet; how often it was asked before.
    pub fn request(&self) -> u32 {
        let before = self.0.level.fetch_add(1, Ordering::AcqRel);
        self.0.wake.notify_waiters();
        before
    }

    /// Whether somebody has asked.
    pub fn is_requested(&self) -> bool {
        self.level() > 0
    }

    /// Asks as often as it takes until one that listens cancels what runs.
    pub(crate) fn cancel(&self) {
        self.0.level.fetch_max(ASKED, Ordering::AcqRel);
        self.0.wake.notify_waiters();
    }

    /// Waits until the run is to be cut off.
    pub(crate) async fn cut(&self, listens: bool) {
        self.reached(enough(listens)).await;
    }

    /// Whether the run is to be cut off.
    pub(crate) fn is_cut(&self, listens: bool) -> bool {
        self.level() >= enough(listens)
    }

    fn level(&self) -> u32 {
        self.0.level.load(Ordering::Acquire)
    }

    /// Waits until somebody has asked so often.
    async fn reached(&self, level: u32) {
        loop {
            let wake = self.0.wake.notified();
            // A request between these two lines wakes: the future exists already.
            if self.level() >= level {
                return;
            }
            wake.await;
        }
    }
}

/// How often a component is asked before it is cut off, and once more.
fn enough(listens: bool) -> u32 {
    if listens { ASKED + 1 } else { 1 }
}

/// The standard input of a component that listens: a line for each request, never an end.
pub(crate) struct Requested {
    stop: Stop,
    told: u32,
}

impl Requested {
    /// The input of one that has been told of no request.
    pub(crate) fn of(stop: &Stop) -> Requested {
        Requested {
            stop: stop.clone(),
            told: 0,
        }
    }
}

impl IsTerminal for Requested {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Requested {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(Requested::of(&self.stop))
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        // Only WASI 0.3 asks for this form, which is not linked.
        Box::new(tokio::io::empty())
    }
}

#[async_trait]
impl Pollable for Requested {
    async fn ready(&mut self) {
        self.stop.reached(self.told + 1).await;
    }
}

#[async_trait]
impl InputStream for Requested {
    fn read(&mut self, size: usize) -> StreamResult<bytes::Bytes> {
        let new = (self.stop.level() - self.told).min(size.try_into().unwrap_or(u32::MAX));
        self.told += new;
        Ok(vec![b'\n'; new as usize].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_a_line_for_everybody() {
        let stop = Stop::default();
        let (mut one, mut other) = (Requested::of(&stop), Requested::of(&stop));
        assert!(one.read(10).unwrap().is_empty());
        assert_eq!((stop.request(), stop.request()), (0, 1));
        assert_eq!(one.read(1).unwrap(), "\n");
        assert_eq!(one.read(10).unwrap(), "\n");
        assert!(one.read(10).unwrap().is_empty());
        assert_eq!(other.read(10).unwrap(), "\n\n");
        stop.cancel();
        assert!(other.read(10).unwrap().is_empty());
    }
}
