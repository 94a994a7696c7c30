//! One request and its response over one connection: a state machine that is polled, since it waits for sending,
//! receiving and time at once.

use super::HttpError;
use super::response::{Known, Message, ResponseReader};
use crate::net::Limit;
use crate::net::stream::Stream;
use scn_runtime::{Cx, Fault, kind};
use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

/// How long a body waits for `100 Continue` before it is sent anyway (RFC 9110 section 10.1.1), in nanoseconds.
const CONTINUE_LIMIT: i64 = 1_000_000_000;

/// Requests up to this many bytes are sent by one call that takes no time to speak of.
pub(super) const SMALL: usize = 16 << 10;

/// What a transfer depends on.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// The request.
    pub(crate) bytes: &'a [u8],
    /// Where its body starts.
    pub(crate) head_len: usize,
    /// Whether the connection cannot be used again.
    pub(crate) last: bool,
    /// Whether the method is HEAD.
    pub(crate) head_only: bool,
    /// Whether the body waits for `100 Continue`.
    pub(crate) expect_continue: bool,
    /// The largest body of a response.
    pub(crate) max_body: u64,
    /// The head of the response before, of the same kind of request.
    pub(crate) known: Option<&'a RefCell<Option<Known>>>,
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
    /// Whether the kernel did not take the request at once.
    pub(super) delayed: bool,
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

/// A request and its response on their way.
pub(crate) struct Transfer {
    reader: Reader,
    phase: Phase,
    sent: usize,
    received: u64,
    /// More came than belongs to the response, or sending failed: the connection is of no further use.
    spoilt: bool,
    /// Why sending failed.
    broken: Option<Fault>,
    marks: Marks,
}

/// What reads the response.
enum Reader {
    /// Nothing came.
    Fresh,
    /// It came as a whole.
    Whole(Message),
    /// It comes in pieces.
    Pieces(Box<ResponseReader>),
}

impl Reader {
    /// Takes input, and gives how many bytes of it belong to the response.
    fn feed(&mut self, terms: &Terms<'_>, data: &[u8]) -> Result<usize, HttpError> {
        if let Reader::Fresh = self {
            let whole = |known: &mut Option<Known>| {
                Message::whole(terms.head_only, terms.max_body, known, data)
            };
            let whole = match terms.known {
                Some(known) => whole(&mut known.borrow_mut()),
                None => whole(&mut None),
            };
            if let Some((message, used)) = whole {
                *self = Reader::Whole(message);
                return Ok(used);
            }
            *self = Reader::Pieces(Box::new(ResponseReader::new(
                terms.head_only,
                terms.max_body,
            )));
        }
        match self {
            Reader::Pieces(pieces) => pieces.feed(data),
            _ => Ok(0),
        }
    }

    fn is_done(&self) -> bool {
        match self {
            Reader::Fresh => false,
            Reader::Whole(_) => true,
            Reader::Pieces(pieces) => pieces.is_done(),
        }
    }

    fn is_continued(&self) -> bool {
        matches!(self, Reader::Pieces(pieces) if pieces.is_continued())
    }

    fn has_started(&self) -> bool {
        !matches!(self, Reader::Fresh)
    }

    fn end(&mut self) -> Result<(), HttpError> {
        match self {
            Reader::Fresh => Err(HttpError::Closed),
            Reader::Whole(_) => Ok(()),
            Reader::Pieces(pieces) => pieces.end(),
        }
    }

    fn finish(self) -> Option<Message> {
        match self {
            Reader::Fresh => None,
            Reader::Whole(message) => Some(message),
            Reader::Pieces(pieces) => pieces.finish(),
        }
    }
}

/// Why receiving stops.
pub(super) enum Event {
    /// The response is complete.
    Done,
    /// The peer asks for the body.
    Continue,
    /// The connection ended.
    End,
    /// What came is no response.
    Failed(HttpError),
}

/// Sends a request and receives its response.
pub(crate) async fn transfer(cx: Cx, stream: &Stream, terms: &Terms<'_>) -> Outcome {
    let mut transfer = Transfer::new(cx.now(), terms);
    let result = poll_fn(|task| transfer.poll(cx, task, stream, terms)).await;
    transfer.finish(cx, result, terms)
}

impl Transfer {
    /// A transfer that begins now.
    pub(crate) fn new(started: u64, terms: &Terms<'_>) -> Transfer {
        let expects = terms.expect_continue && terms.head_len < terms.bytes.len();
        Transfer {
            reader: Reader::Fresh,
            phase: Phase::Send(if expects {
                terms.head_len
            } else {
                terms.bytes.len()
            }),
            sent: 0,
            received: 0,
            spoilt: terms.last,
            broken: None,
            marks: Marks {
                started,
                ..Marks::default()
            },
        }
    }

    /// Goes on; ready when the response is complete, or cannot be.
    pub(crate) fn poll(
        &mut self,
        cx: Cx,
        task: &mut Context<'_>,
        stream: &Stream,
        terms: &Terms<'_>,
    ) -> Poll<Result<(), Fault>> {
        loop {
            self.poll_send(cx, task, stream, terms);
            match self.poll_receive(cx, task, stream, terms) {
                Poll::Ready(Ok(Event::Continue)) => {
                    self.phase = Phase::Send(terms.bytes.len());
                    continue;
                }
                Poll::Ready(why) => return Poll::Ready(self.conclude(why)),
                Poll::Pending => {}
            }
            ready!(self.poll_time(cx, terms))?;
        }
    }

    /// What it means that receiving has stopped.
    pub(super) fn conclude(&mut self, why: Result<Event, Fault>) -> Result<(), Fault> {
        match why {
            Ok(Event::Done | Event::Continue) => Ok(()),
            Ok(Event::End) => self.reader.end().map_err(|error| self.reason(error.into())),
            Ok(Event::Failed(error)) => Err(error.into()),
            Err(fault) => Err(self.reason(fault)),
        }
    }

    /// Sends as far as the kernel takes it. A failure is told only when there is no response either: a peer may
    /// answer and close before it has read everything.
    fn poll_send(&mut self, cx: Cx, task: &mut Context<'_>, stream: &Stream, terms: &Terms<'_>) {
        let Phase::Send(to) = self.phase else {
            return;
        };
        let at_once = self.sent == 0 && to <= SMALL;
        let polled = stream.poll_send(task, &terms.bytes[..to], &mut self.sent);
        self.note_sending(cx, terms, polled, at_once);
    }

    /// Takes a transfer over whose request somebody else has begun to send, when it began.
    pub(super) fn begun(
        cx: Cx,
        started: u64,
        terms: &Terms<'_>,
        sent: usize,
        polled: Poll<Result<(), Fault>>,
    ) -> Transfer {
        let mut transfer = Transfer::new(started, terms);
        transfer.sent = sent;
        transfer.note_sending(cx, terms, polled, true);
        transfer
    }

    fn note_sending(
        &mut self,
        cx: Cx,
        terms: &Terms<'_>,
        polled: Poll<Result<(), Fault>>,
        at_once: bool,
    ) {
        let Phase::Send(to) = self.phase else {
            return;
        };
        match polled {
            Poll::Pending => self.marks.delayed = true,
            Poll::Ready(Ok(())) if to < terms.bytes.len() => {
                self.phase = Phase::Await(cx.after(CONTINUE_LIMIT));
            }
            Poll::Ready(result) => {
                self.broken = result.err();
                self.spoilt |= self.broken.is_some();
                // What the kernel takes at once is sent when it begins to be: that saves a look at the clock.
                self.marks.sent = match at_once && !self.marks.delayed {
                    true => self.marks.started,
                    false => cx.now(),
                };
                self.phase = Phase::Receive;
            }
        }
    }

    fn poll_receive(
        &mut self,
        cx: Cx,
        task: &mut Context<'_>,
        stream: &Stream,
        terms: &Terms<'_>,
    ) -> Poll<Result<Event, Fault>> {
        stream.poll_receive(task, |data: &[u8]| {
            let now = || cx.now();
            self.take(now, terms, data)
        })
    }

    /// Takes what has come.
    pub(super) fn take(
        &mut self,
        now: impl Fn() -> u64,
        terms: &Terms<'_>,
        data: &[u8],
    ) -> Poll<Event> {
        if data.is_empty() {
            return Poll::Ready(Event::End);
        }
        let is_first = self.marks.first == 0;
        if is_first {
            self.marks.first = now();
        }
        self.received += data.len() as u64;
        match self.reader.feed(terms, data) {
            Err(error) => Poll::Ready(Event::Failed(error)),
            Ok(used) if self.reader.is_done() => {
                self.spoilt |= used < data.len();
                self.marks.done = if is_first { self.marks.first } else { now() };
                Poll::Ready(Event::Done)
            }
            Ok(_) if self.reader.is_continued() && matches!(self.phase, Phase::Await(_)) => {
                Poll::Ready(Event::Continue)
            }
            Ok(_) => Poll::Pending,
        }
    }

    /// Waits for the next limit; ready with an error when it is one of the caller's, without when there is more to do.
    fn poll_time(&mut self, cx: Cx, terms: &Terms<'_>) -> Poll<Result<(), Fault>> {
        let limit = self.limit(terms);
        if !cx.has_passed(limit.at) {
            return Poll::Pending;
        }
        match self.phase {
            Phase::Await(until) if until == limit.at => {
                self.phase = Phase::Send(terms.bytes.len());
                Poll::Ready(Ok(()))
            }
            _ if limit.at == terms.total.at => Poll::Ready(Err(limit.fault())),
            _ => Poll::Ready(Err(limit.fault_of("the first byte of the response"))),
        }
    }

    fn limit(&self, terms: &Terms<'_>) -> Limit {
        let total = terms.total;
        match (self.phase, terms.first_byte) {
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

    /// What became of it.
    pub(crate) fn finish(self, cx: Cx, result: Result<(), Fault>, terms: &Terms<'_>) -> Outcome {
        let mut marks = self.marks;
        if marks.done == 0 {
            marks.done = cx.now();
        }
        let all_sent = self.sent == terms.bytes.len();
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
