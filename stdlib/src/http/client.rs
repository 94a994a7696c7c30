//! Calls of `http` as futures: what was called before over a connection that is kept goes the short way, here;
//! everything else goes by [`follow`].

use super::follow::{Course, Hop, follow, is_redirect, settle};
use super::job::{AnyMethod, Arguments, Bodiless, WithBody};
use super::members::Response;
use super::prepared::{Prepared, Ready, prepare};
use super::report::{Exchanged, report};
use super::request::{Wire, is_idempotent};
use super::session::{Connection, Session, Shelf};
use super::transfer::{Terms, Transfer};
use crate::net::Limit;
use scn_runtime::cx::Sleep;
use scn_runtime::{Ctx, Cx, Fault, NativeDef, New, Unread, waiting};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// The natives of this file.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        waiting("http.get", bodiless::<GET>),
        waiting("http.head", bodiless::<HEAD>),
        waiting("http.post", with_body::<POST>),
        waiting("http.put", with_body::<PUT>),
        waiting("http.patch", with_body::<PATCH>),
        waiting("http.delete", with_body::<DELETE>),
        waiting("http.options", with_body::<OPTIONS>),
        waiting("http.request", any_method),
    ]
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const GET: usize = 0;
const HEAD: usize = 1;
const POST: usize = 2;
const PUT: usize = 3;
const PATCH: usize = 4;
const DELETE: usize = 5;
const OPTIONS: usize = 6;

fn bodiless<const METHOD: usize>(arguments: Unread<'_, Bodiless>) -> Call<'_> {
    Call::new(Arguments::Bodiless(METHODS[METHOD], arguments))
}

fn with_body<const METHOD: usize>(arguments: Unread<'_, WithBody>) -> Call<'_> {
    Call::new(Arguments::WithBody(METHODS[METHOD], arguments))
}

fn any_method(arguments: Unread<'_, AnyMethod>) -> Call<'_> {
    Call::new(Arguments::AnyMethod(arguments))
}

/// A call under way.
struct Call<'a> {
    arguments: Arguments<'a>,
    /// The reporting site, which is known at the first poll only.
    site: Option<u32>,
    state: State,
}

enum State {
    /// It was not polled yet.
    Start,
    /// It waits until the scenario's limit of requests lets it go.
    Queued(Sleep),
    /// It may go; or it has ended.
    Go,
    /// Over a kept connection. In a box, so that the frames of a user at rest are small.
    Short(Box<Short>),
    /// With all that may happen.
    Long(Pin<Box<dyn Future<Output = Result<Response, Fault>>>>),
}

/// An exchange over a kept connection.
struct Short {
    prepared: Rc<Prepared>,
    /// Path and query, if they are not the prepared ones.
    target: Option<Box<str>>,
    /// The request, if it is not the prepared one.
    wire: Option<Box<Wire>>,
    connection: Connection,
    shelf: Shelf,
    transfer: Transfer,
    /// When the call began.
    started: u64,
}

impl<'a> Call<'a> {
    fn new(arguments: Arguments<'a>) -> Call<'a> {
        Call {
            arguments,
            site: None,
            state: State::Start,
        }
    }

    /// Chooses the way.
    fn start(&self) -> Result<State, Fault> {
        Ctx::current(|ctx| {
            let Ready { prepared, target } = prepare(ctx, &self.arguments, self.site)?;
            let started = ctx.now().cast_unsigned();
            let shelf = Shelf::of(ctx, prepared.job.dial.bind);
            let (cookies, connection) = ctx.user_state::<Session, _>(|mut session| {
                let closely = !is_idempotent(&prepared.job.method);
                let kept = shelf.take(&mut session, prepared.key, closely);
                (!session.jar.is_empty(), kept)
            });
            let Some(connection) = connection else {
                return Ok(long(&prepared, target.as_deref(), started, None));
            };
            let wire = match (&target, cookies) {
                (None, false) => None,
                (Some(target), false) => Some(Box::new(prepared.wire_for(target))),
                (_, true) => {
                    let job = prepared.job_for(target.as_deref());
                    Some(Box::new(super::follow::write(ctx, &job)?))
                }
            };
            let terms = terms(&prepared, wire.as_deref(), started);
            let transfer = Transfer::new(started, &terms);
            Ok(State::Short(Box::new(Short {
                transfer,
                prepared,
                target,
                wire,
                connection,
                shelf,
                started,
            })))
        })
    }
}

/// The long way, or what is left of it after a first hop.
fn long(prepared: &Rc<Prepared>, target: Option<&str>, started: u64, hop: Option<Hop>) -> State {
    let course = Course {
        prepared: prepared.clone(),
        job: prepared.job_for(target),
        started,
    };
    State::Long(Box::pin(follow(Cx::new(), course, hop)))
}

fn terms<'t>(prepared: &'t Prepared, wire: Option<&'t Wire>, started: u64) -> Terms<'t> {
    let job = &prepared.job;
    let wire = wire.unwrap_or(&prepared.wire);
    Terms {
        bytes: &wire.bytes,
        head_len: wire.head_len,
        last: wire.last,
        head_only: prepared.head_only,
        expect_continue: job.expect_continue,
        max_body: job.max_body,
        known: Some(&prepared.known),
        total: Limit::since(started, job.timeout),
        first_byte: job.first_byte,
    }
}

impl Future for Call<'_> {
    type Output = Result<New<Response>, Fault>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            this.state = match &mut this.state {
                State::Start => {
                    this.site = Ctx::current(Ctx::site_id);
                    match Cx::new().admission() {
                        Some(slot) => State::Queued(Cx::new().sleep_until(slot)),
                        None => this.start()?,
                    }
                }
                State::Queued(sleep) => {
                    ready!(Pin::new(sleep).poll(task));
                    State::Go
                }
                State::Go => this.start()?,
                State::Long(future) => return future.as_mut().poll(task).map_ok(New),
                State::Short(short) => {
                    let result = ready!(short.poll(task));
                    let State::Short(short) = std::mem::replace(&mut this.state, State::Go) else {
                        unreachable!("it is what it was a moment ago")
                    };
                    match short.finish(result)? {
                        Ok(response) => return Poll::Ready(Ok(New(response))),
                        Err(state) => state,
                    }
                }
            };
        }
    }
}

impl Short {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let terms = terms(&self.prepared, self.wire.as_deref(), self.started);
        self.transfer
            .poll(Cx::new(), task, &self.connection.stream, &terms)
    }

    /// The response, or the way that the call goes on.
    fn finish(self, result: Result<(), Fault>) -> Result<Result<Response, State>, Fault> {
        let Short {
            prepared,
            target,
            wire,
            connection,
            shelf,
            transfer,
            started,
        } = self;
        let terms = terms(&prepared, wire.as_deref(), started);
        let outcome = transfer.finish(Cx::new(), result, &terms);
        let target = target.as_deref();
        if outcome.is_stale() && (is_idempotent(&prepared.job.method) || outcome.sent == 0) {
            return Ok(Err(long(&prepared, target, started, None)));
        }
        Ctx::current(|ctx| {
            let wire = wire.as_deref().unwrap_or(&prepared.wire);
            let exchanged = Exchanged {
                prepared: &prepared,
                job: &prepared.job,
                target,
                wire,
                started,
                dialled: None,
                outcome: &outcome,
                reused: true,
            };
            report(ctx, &exchanged);
            let url = || prepared.job_for(target).url;
            let hop = settle(ctx, (&shelf, prepared.key), url, connection, None, outcome)?;
            if prepared.job.redirects > 0 && is_redirect(&hop.message) {
                return Ok(Err(long(&prepared, target, started, Some(hop))));
            }
            Ok(Ok(Response {
                message: hop.message,
                url: prepared.shown_for(target),
                ends: hop.ends,
                dialled: None,
                marks: hop.marks,
                started,
            }))
        })
    }
}
