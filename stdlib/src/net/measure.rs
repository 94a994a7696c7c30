//! Measures operations of connections that scenarios speak their own protocols on: each call that goes over the network
//! is one, named `connect`, `send`, `recv`, `resolve`.
//!
//! HTTP measures its exchanges itself, see `http/report.rs`. What servers of the file do is no load.

use super::Limit;
use scn_runtime::metrics::{ContextId, Link, NameId, Operation, Protocol};
use scn_runtime::{Cx, Fault, kind};

/// No phase took place.
pub(crate) const NO_PHASES: [i64; 6] = [-1; 6];

/// An operation that goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    protocol: Protocol,
    name: NameId,
    started: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended<'a> {
    /// The error that ended it.
    pub(crate) fault: Option<&'a Fault>,
    /// Bytes sent.
    pub(crate) sent: u64,
    /// Bytes received.
    pub(crate) received: u64,
    /// What became of the connection.
    pub(crate) link: Link,
    /// Its phases.
    pub(crate) phases: [i64; 6],
}

impl Default for Ended<'_> {
    fn default() -> Self {
        Ended {
            fault: None,
            sent: 0,
            received: 0,
            link: Link::Held,
            phases: NO_PHASES,
        }
    }
}

/// Begins an operation, if it is one of the load.
pub(crate) fn begin(cx: Cx, protocol: Protocol, name: NameId) -> Option<Begun> {
    begin_with(cx, protocol, name, None)
}

/// The same, with the limit that it was just given: that has looked at the clock.
pub(crate) fn begin_with(
    cx: Cx,
    protocol: Protocol,
    name: NameId,
    limit: Option<Limit>,
) -> Option<Begun> {
    let measured = cx.with(|ctx| ctx.metric_context() != ContextId::NONE);
    measured.then(|| Begun {
        protocol,
        name,
        started: limit.map_or_else(|| cx.now(), Limit::began),
    })
}

/// Ends an operation. An argument that makes no sense never got as far as to be one.
pub(crate) fn end(cx: Cx, begun: Option<Begun>, ended: Ended<'_>) {
    let Some(begun) = begun else { return };
    let kind = ended.fault.map(Fault::kind);
    if kind == Some(kind::INVALID_INPUT) {
        return;
    }
    let done = cx.now();
    let intended = cx.intended().min(begun.started);
    cx.with(|ctx| {
        ctx.record_operation(&Operation {
            protocol: begun.protocol,
            name: begun.name,
            method: NameId::NONE,
            status: 0,
            kind,
            failed: kind.is_some(),
            intended,
            started: begun.started,
            done,
            phases: ended.phases,
            sent: ended.sent,
            received: ended.received,
            link: ended.link,
        });
    });
}

/// Times of the parts of connecting, as they end.
#[derive(Debug)]
pub(crate) struct Parts {
    cx: Cx,
    last: u64,
    phases: [i64; 6],
}

impl Parts {
    /// Nothing has been done yet.
    pub(crate) fn new(cx: Cx) -> Parts {
        Parts {
            cx,
            last: cx.now(),
            phases: NO_PHASES,
        }
    }

    /// Another part has ended: 0 is the name's resolution, 1 the connection, 2 the handshake of TLS.
    pub(crate) fn end(&mut self, phase: usize) {
        let now = self.cx.now();
        self.phases[phase] = now.saturating_sub(self.last).cast_signed();
        self.last = now;
    }

    /// A connection has been made, or has not.
    pub(crate) fn connected<T>(&self, result: &Result<T, Fault>) -> Ended<'_> {
        Ended {
            link: match result {
                Ok(_) => Link::Opened,
                Err(_) => Link::Failed,
            },
            phases: self.phases,
            ..Ended::default()
        }
    }
}
