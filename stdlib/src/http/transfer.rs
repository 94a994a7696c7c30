//! One request and its response over one connection: a state machine that is polled, since it waits for sending,
//! receiving and time at once.

use super::HttpError;
use super::request::Wire;
use super::response::{Message, ResponseReader};
use crate::net::Limit;
use crate::net::stream::Stream;
use scn_runtime::{Cx, Fault, kind};
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

/// How long a body waits for `100 Continue` before it is sent anyway (RFC 9110 section 10.1.1), in nanoseconds.
const CONTINUE_LIMIT: i64 = 1_000_000_000;

/// What a transfer depends on.
pub(crate) struct Terms<'a> {
    /// The request.
    pub(crate) wire: &'a Wire,
    /// Its method.
    pub(crate) method: &'a str,
    /// Whether the body waits for `100 Continue`.
    pub(crate) expect_continue: bool,
    /// The largest body of a response.
    pub(crate) max_body: u64,
    /// The limit for all of it.
    pub(crate) total: Limit,
    /// The limit from the last byte sent to the first received, in nanoseconds.
    pub(crate) first_byte: Option<i64>,
}

/// When what happened, on the worker's clock; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// The transfer began.
    pub(crate) started: u64,
    /// The last byte was sent.
    pub(crate) sent: u64,
    /// The first byte came.
    pub(crate) first: u64,
    /// The last byte came.
    pub(crate) done: u64,
}

/// What became of a transfer.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The response, or why there is none.
    pub(crate) result: Result<Message, Fault>,
    /// When what happened.
    pub(crate) marks: Marks,
    /// Bytes sent, of the request as written.
    pub(crate) sent: usize,
    /// Bytes received.
    pub(crate) received: u64,
}

impl Outcome {
    /// Whether a kept connection was closed by the peer before it saw the request.
    pub(crate) fn is_stale(&self) -> bool {
        let closed = [
            "http.closed",
            kind::CONNECTION_RESET,
            kind::CONNECTION_ABORTED,
        ];
        self.received == 0
            && self
                .result
                .as_ref()
                .is_err_and(|fault| closed.contains(&fault.kind()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Sending up to the position.
    Send(usize),
    /// The head is sent; the peer may ask for the body until then.
    Await(u64),
    /// Everything is sent.
    Receive,
}

struct Transfer<'a> {
    cx: Cx,
    stream: &'a Stream,
    terms: &'a Terms<'a>,
    reader: ResponseReader,
    phase: Phase,
    sent: usize,
    received: u64,
    /// More came than belongs to the response, or sending failed: the connection is of no further use.
    spoilt: bool,
    /// Why sending failed.
    broken: Option<Fault>,
    marks: Marks,
}

/// Why receiving stops.
enum Event {
    Done,
    Continue,
    End,
    Failed(HttpError),
}

/// Sends a request and receives its response.
pub(crate) async fn transfer(cx: Cx, stream: &Stream, terms: &Terms<'_>) -> Outcome {
    let expects = terms.expect_continue && terms.wire.head_len < terms.wire.bytes.len();
    let mut transfer = Transfer {
        cx,
        stream,
        terms,
        reader: ResponseReader::new(terms.method, terms.max_body),
        phase: Phase::Send(if expects {
            terms.wire.head_len
        } else {
            terms.wire.bytes.len()
        }),
        sent: 0,
        received: 0,
        spoilt: terms.wire.last,
        broken: None,
        marks: Marks {
            started: cx.now(),
            ..Marks::default()
        },
    };
    let result = poll_fn(|task| transfer.poll(task)).await;
    transfer.finish(result)
}

impl Transfer<'_> {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            self.poll_send(task);
            match self.poll_receive(task) {
                Poll::Ready(Ok(Event::Done)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(Event::Continue)) => {
                    self.phase = Phase::Send(self.terms.wire.bytes.len());
                    continue;
                }
                Poll::Ready(Ok(Event::End)) => {
                    return Poll::Ready(self.reader.end().map_err(|e| self.reason(e.into())));
                }
                Poll::Ready(Ok(Event::Failed(error))) => return Poll::Ready(Err(error.into())),
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(self.reason(fault))),
                Poll::Pending => {}
            }
            ready!(self.poll_time())?;
        }
    }

    /// Sends as far as the kernel takes it. A failure is told only when there is no response either: a peer may
    /// answer and close before it has read everything.
    fn poll_send(&mut self, task: &mut Context<'_>) {
        let Phase::Send(to) = self.phase else {
            return;
        };
        match self
            .stream
            .poll_send(task, &self.terms.wire.bytes[..to], &mut self.sent)
        {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if to < self.terms.wire.bytes.len() => {
                self.phase = Phase::Await(self.cx.after(CONTINUE_LIMIT));
            }
            Poll::Ready(result) => {
                self.broken = result.err();
                self.spoilt |= self.broken.is_some();
                self.marks.sent = self.cx.now();
                self.phase = Phase::Receive;
            }
        }
    }

    fn poll_receive(&mut self, task: &mut Context<'_>) -> Poll<Result<Event, Fault>> {
        let Transfer {
            cx,
            stream,
            reader,
            phase,
            received,
            spoilt,
            marks,
            ..
        } = self;
        stream.poll_receive(task, |data: &[u8]| {
            if data.is_empty() {
                return Poll::Ready(Event::End);
            }
            if marks.first == 0 {
                marks.first = cx.now();
            }
            *received += data.len() as u64;
            match reader.feed(data) {
                Err(error) => Poll::Ready(Event::Failed(error)),
                Ok(used) if reader.is_done() => {
                    *spoilt |= used < data.len();
                    Poll::Ready(Event::Done)
                }
                Ok(_) if reader.is_continued() && matches!(phase, Phase::Await(_)) => {
                    Poll::Ready(Event::Continue)
                }
                Ok(_) => Poll::Pending,
            }
        })
    }

    /// Waits for the next limit; ready with an error when it is one of the caller's, without when there is more to do.
    fn poll_time(&mut self) -> Poll<Result<(), Fault>> {
        let limit = self.limit();
        if !self.cx.has_passed(limit.at) {
            return Poll::Pending;
        }
        match self.phase {
            Phase::Await(until) if until == limit.at => {
                self.phase = Phase::Send(self.terms.wire.bytes.len());
                Poll::Ready(Ok(()))
            }
            _ if limit.at == self.terms.total.at => Poll::Ready(Err(limit.fault())),
            _ => Poll::Ready(Err(limit.fault_of("the first byte of the response"))),
        }
    }

    fn limit(&self) -> Limit {
        let total = self.terms.total;
        match (self.phase, self.terms.first_byte) {
            (Phase::Await(at), _) => total.earlier(Some(Limit::since(at, 0))),
            (Phase::Receive, Some(nanos)) if self.marks.first == 0 => {
                total.earlier(Some(Limit::since(self.marks.sent, nanos)))
            }
            _ => total,
        }
    }

    /// What to tell when the connection ended early.
    fn reason(&mut self, fault: Fault) -> Fault {
        let aborted = matches!(fault.kind(), kind::CONNECTION_ABORTED | "http.incomplete");
        match (self.reader.has_started(), self.broken.take()) {
            (true, _) if aborted => HttpError::Incomplete.into(),
            (false, Some(broken)) => broken,
            _ => fault,
        }
    }

    fn finish(self, result: Result<(), Fault>) -> Outcome {
        let mut marks = self.marks;
        marks.done = self.cx.now();
        let all_sent = self.sent == self.terms.wire.bytes.len();
        let usable = !self.spoilt && all_sent;
        let message = result.and_then(|()| {
            let mut message = self.reader.finish().ok_or(HttpError::Incomplete)?;
            message.keep_alive &= usable;
            Ok(message)
        });
        Outcome {
            result: message,
            marks,
            sent: self.sent,
            received: self.received,
        }
    }
}
