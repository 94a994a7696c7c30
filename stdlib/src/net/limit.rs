//! Time limits of operations.

use scn_runtime::{Cx, Fault};
use std::future::Future;

/// A moment by which something must be done, and what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The moment, on the worker's clock.
    pub(crate) at: u64,
    nanos: i64,
}

impl Limit {
    /// So many nanoseconds from now.
    pub(crate) fn from_now(cx: Cx, nanos: i64) -> Limit {
        Limit {
            at: cx.after(nanos),
            nanos,
        }
    }

    /// So many nanoseconds from a moment.
    pub(crate) fn since(moment: u64, nanos: i64) -> Limit {
        Limit {
            at: moment.saturating_add(nanos.max(0).cast_unsigned()),
            nanos,
        }
    }

    /// When its time began.
    pub(crate) fn began(self) -> u64 {
        self.at.saturating_sub(self.nanos.max(0).cast_unsigned())
    }

    /// The earlier of two.
    pub(crate) fn earlier(self, other: Option<Limit>) -> Limit {
        match other {
            Some(other) if other.at < self.at => other,
            _ => self,
        }
    }

    /// The same, so many nanoseconds later: what was waited for did not count.
    pub(crate) fn later(self, nanos: u64) -> Limit {
        Limit {
            at: self.at.saturating_add(nanos),
            ..self
        }
    }

    /// The error when it has passed.
    pub(crate) fn fault(self) -> Fault {
        Fault::timeout(self.nanos)
    }

    /// The error when it has passed, saying during what.
    pub(crate) fn fault_of(self, what: &str) -> Fault {
        let limit = scn_runtime::object::text::duration(self.nanos);
        Fault::text(
            scn_runtime::kind::TIMEOUT,
            format!("{what} took longer than {limit}"),
        )
    }
}

/// Runs a future until it is done or the limit has passed.
pub(crate) async fn within<T>(
    cx: Cx,
    limit: Option<Limit>,
    future: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match limit {
        None => future.await,
        Some(limit) => cx
            .deadline(limit.at, future)
            .await
            .unwrap_or_else(|_| Err(limit.fault())),
    }
}
