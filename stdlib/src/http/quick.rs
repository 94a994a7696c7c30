//! The short way of a call: a request that is sent at once over a kept connection, and a response that comes as a whole
//! with the head of the last one. Whatever else happens, a [`Transfer`] goes on from there.
//!
//! Enter at [`Quick::begin`].

use super::members::Response;
use super::prepared::Prepared;
use super::report::{Exchanged, measure_again, report};
use super::request::Wire;
use super::response::Message;
use super::session::{Connection, Session, Shelf};
use super::transfer::{Event, Marks, Outcome, SMALL, Terms, Transfer};
use crate::net::Limit;
use scn_runtime::{Ctx, Cx, Fault};
use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A call that has a kept connection.
pub(super) struct Way {
    /// What the call's site asks for.
    pub(super) prepared: Rc<Prepared>,
    /// The request, if it is not the prepared one. In a box, so that the frames of a user at rest are small.
    pub(super) wire: Option<Box<Wire>>,
    /// Whether headers or body are not the prepared ones.
    pub(super) differs: bool,
    /// The connection.
    pub(super) connection: Connection,
    /// Where it goes back to.
    pub(super) shelf: Shelf,
    /// When the call began.
    pub(super) started: u64,
}

impl Way {
    /// The request.
    pub(super) fn wire(&self) -> &Wire {
        self.wire.as_deref().unwrap_or(&self.prepared.wire)
    }

    /// Path and query, if they are not the prepared ones: then the request is not, either.
    pub(super) fn target<'u>(&self, url: &'u str) -> Option<&'u str> {
        self.wire.as_ref()?;
        self.prepared.target_of(url)
    }

    /// What the transfer depends on.
    pub(super) fn terms(&self) -> Terms<'_> {
        let prepared = &self.prepared;
        let (job, wire) = (&prepared.job, self.wire());
        Terms {
            bytes: &wire.bytes,
            head_len: wire.head_len,
            last: wire.last,
            head_only: prepared.head_only,
            expect_continue: job.expect_continue,
            max_body: job.max_body,
            known: Some(&prepared.known),
            total: Limit::since(self.started, job.timeout),
            first_byte: job.first_byte,
        }
    }
}

/// An exchange on the short way.
pub(super) struct Quick {
    /// The call.
    pub(super) way: Way,
    session: Rc<RefCell<Session>>,
}

/// A transfer that takes over, and why receiving has stopped if it has.
pub(super) type Odd = (Transfer, Poll<Result<Event, Fault>>);

/// How an exchange went on.
pub(super) enum Turn {
    /// The response came, then.
    Arrived(Message, u64),
    /// Something else has happened.
    Odd(Box<Odd>),
}

impl Quick {
    /// Whether a request may go this way.
    pub(super) fn takes(way: &Way) -> bool {
        let wire = way.wire();
        wire.bytes.len() <= SMALL && !wire.last && !way.prepared.job.expect_continue
    }

    /// Sends the request; a transfer goes on if that takes time.
    pub(super) fn begin(
        task: &mut Context<'_>,
        way: Way,
        session: Rc<RefCell<Session>>,
    ) -> Result<Quick, Box<(Way, Transfer)>> {
        let mut sent = 0;
        let polled = (way.connection.stream).poll_send(task, &way.wire().bytes, &mut sent);
        match polled {
            Poll::Ready(Ok(())) => Ok(Quick { way, session }),
            polled => {
                let terms = way.terms();
                let transfer = Transfer::begun(Cx::new(), way.started, &terms, sent, polled);
                Err(Box::new((way, transfer)))
            }
        }
    }

    /// Goes on receiving.
    pub(super) fn poll(&self, task: &mut Context<'_>) -> Poll<Turn> {
        let prepared = &self.way.prepared;
        let polled = self.way.connection.stream.poll_receive(task, |data| {
            let mut known = prepared.known.borrow_mut();
            let again = known.as_mut().and_then(|known| known.again(data));
            drop(known);
            Poll::Ready(match again {
                Some(message) => Turn::Arrived(message, Cx::new().now()),
                None => self.odd_data(data),
            })
        });
        match polled {
            Poll::Ready(Ok(turn)) => Poll::Ready(turn),
            Poll::Ready(Err(fault)) => Poll::Ready(self.odd(Poll::Ready(Err(fault)))),
            Poll::Pending if Cx::new().has_passed(self.limit()) => {
                Poll::Ready(self.odd(Poll::Pending))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// By when a byte must have come.
    fn limit(&self) -> u64 {
        let job = &self.way.prepared.job;
        let nanos = job.first_byte.unwrap_or(i64::MAX).min(job.timeout);
        Limit::since(self.way.started, nanos).at
    }

    #[cold]
    fn odd(&self, polled: Poll<Result<Event, Fault>>) -> Turn {
        Turn::Odd(Box::new((self.transfer(), polled)))
    }

    /// What has come is not what came before.
    #[cold]
    fn odd_data(&self, data: &[u8]) -> Turn {
        let mut transfer = self.transfer();
        let now = || Cx::new().now();
        let polled = transfer.take(now, &self.way.terms(), data).map(Ok);
        Turn::Odd(Box::new((transfer, polled)))
    }

    fn transfer(&self) -> Transfer {
        let (way, all) = (&self.way, self.way.wire().bytes.len());
        Transfer::begun(
            Cx::new(),
            way.started,
            &way.terms(),
            all,
            Poll::Ready(Ok(())),
        )
    }

    /// Takes the response: measures the exchange, and gives the connection back.
    pub(super) fn finish(
        self,
        target: Option<&str>,
        message: Message,
        done: u64,
    ) -> Result<Response, Fault> {
        let Quick { way, session } = self;
        let prepared = &*way.prepared;
        let ends = way.connection.ends.clone();
        let marks = Marks {
            started: way.started,
            sent: way.started,
            first: done,
            done,
            ..Marks::default()
        };
        let received = message.head.len() + message.body.len();
        let sent = way.wire().bytes.len();
        let message = Ctx::current(|ctx| {
            if ctx.tells() {
                return tell(ctx, &way, target, message, marks);
            }
            measure_again(ctx, prepared, target, &message, &marks, (sent, received));
            ctx.reserve(message.body.len())?;
            Ok(message)
        })?;
        way.shelf
            .put(&mut session.borrow_mut(), prepared.key, way.connection);
        Ok(Response {
            url: prepared.shown_for(target),
            message,
            ends,
            dialled: None,
            marks,
            started: way.started,
        })
    }
}

/// Reports an exchange to somebody who listens.
#[cold]
fn tell(
    ctx: &Ctx,
    way: &Way,
    target: Option<&str>,
    message: Message,
    marks: Marks,
) -> Result<Message, Fault> {
    let outcome = Outcome {
        sent: way.wire().bytes.len(),
        received: (message.head.len() + message.body.len()) as u64,
        result: Ok(message),
        marks,
    };
    let exchanged = Exchanged {
        prepared: &way.prepared,
        job: &way.prepared.job,
        target,
        wire: way.wire(),
        started: way.started,
        dialled: None,
        outcome: &outcome,
        reused: true,
    };
    report(ctx, &exchanged);
    let message = outcome.result?;
    ctx.reserve(message.body.len())?;
    Ok(message)
}
