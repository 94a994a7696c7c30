//! Waiting for an address: a place in the pool's queue, left on whatever path.

use super::{Family, Lease, Pool};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A place in the queue of a pool. An address that comes back goes to the first in the queue, whether that has been
/// polled since or not; who leaves the queue hands it on.
#[must_use = "futures do nothing unless awaited"]
pub(super) struct Turn {
    pool: Arc<Pool>,
    family: Family,
    ticket: u64,
    over: bool,
}

impl Turn {
    pub fn new(pool: Arc<Pool>, family: Family, ticket: u64) -> Turn {
        Turn {
            pool,
            family,
            ticket,
            over: false,
        }
    }
}

impl Future for Turn {
    type Output = Lease;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Lease> {
        let claimed = {
            let mut book = self.pool.lock();
            book.claim(self.family, self.ticket, context.waker())
        };
        match claimed {
            Some((place, ip)) => {
                self.over = true;
                Poll::Ready(self.pool.lease_of(place, ip))
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let waker = self.pool.lock().leave(self.family, self.ticket);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
