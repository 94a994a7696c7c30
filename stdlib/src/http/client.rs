//! Calls of `http` as futures: what was called before over a connection that is kept goes the short way, here;
//! everything else goes by [`follow`].

use super::follow::{Course, First, cookie, follow, is_redirect, settle};
use super::job::{Arguments, Bodiless, Rest, WithBody};
use super::members::Response;
use super::prepared::{Prepared, Ready, Written, prepare};
use super::quick::{Odd, Quick, Turn, Way};
use super::report::{Exchanged, report};
use super::session::{Session, Shelf};
use super::transfer::Transfer;
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

fn bodiless<'a, const METHOD: usize>(url: &'a str, rest: Unread<'a, Bodiless>) -> Call<'a> {
    Call::new(METHODS[METHOD], url, Rest::Bodiless(rest))
}

fn with_body<'a, const METHOD: usize>(url: &'a str, rest: Unread<'a, WithBody>) -> Call<'a> {
    Call::new(METHODS[METHOD], url, Rest::WithBody(rest))
}

fn any_method<'a>(method: &'a str, url: &'a str, rest: Unread<'a, WithBody>) -> Call<'a> {
    Call::new(method, url, Rest::WithBody(rest))
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
    /// Sent over a kept connection, and nothing odd has happened.
    Quick(Quick),
    /// Over a kept connection. In a box, so that the frames of a user at rest are small.
    Short(Box<Short>),
    /// With all that may happen.
    Long(Pin<Box<dyn Future<Output = Result<Response, Fault>>>>),
}

/// An exchange over a kept connection.
struct Short {
    way: Way,
    transfer: Transfer,
    /// How the transfer has ended, if it has.
    ended: Option<Result<(), Fault>>,
}

impl<'a> Call<'a> {
    fn new(method: &'a str, url: &'a str, rest: Rest<'a>) -> Call<'a> {
        Call {
            arguments: Arguments { method, url, rest },
            site: None,
            state: State::Start,
        }
    }

    /// Chooses the way.
    fn start(&self, task: &mut Context<'_>) -> Result<State, Fault> {
        Ctx::current(|ctx| {
            let Ready { prepared, target } = prepare(ctx, &self.arguments, self.site)?;
            let session = ctx.user_shared::<Session>();
            let has_cookies = !session.borrow().jar.is_empty();
            let cookie = match has_cookies {
                false => String::new(),
                true => cookie(ctx, &prepared.url_for(target)),
            };
            let written = prepared.write(ctx, &self.arguments, target, &cookie)?;
            let started = ctx.now().cast_unsigned();
            let shelf = Shelf::of(ctx, prepared.job.dial.bind);
            let closely = !prepared.is_idempotent;
            let kept = shelf.take(&mut session.borrow_mut(), prepared.key, closely);
            let Written { wire, differs } = written;
            let Some(connection) = kept else {
                let first = First::of(wire);
                return self.go_on(prepared, started, differs, first);
            };
            let way = Way {
                prepared,
                wire: wire.map(Box::new),
                differs,
                connection,
                shelf,
                started,
            };
            if !Quick::takes(&way) {
                let transfer = Transfer::new(started, &way.terms());
                return Ok(State::short(way, transfer, None));
            }
            Ok(match Quick::begin(task, way, session) {
                Ok(quick) => State::Quick(quick),
                Err(begun) => State::short(begun.0, begun.1, None),
            })
        })
    }

    /// Goes the long way, or what is left of it after a first hop.
    fn go_on(
        &self,
        prepared: Rc<Prepared>,
        started: u64,
        differs: bool,
        first: First,
    ) -> Result<State, Fault> {
        let job = Ctx::current(|ctx| prepared.job_for(ctx, &self.arguments, differs))?;
        let course = Course {
            prepared,
            job,
            started,
        };
        Ok(State::Long(Box::pin(follow(Cx::new(), course, first))))
    }

    /// The short way is not enough.
    #[cold]
    fn turn_odd(quick: Quick, odd: Odd) -> State {
        let (mut transfer, polled) = odd;
        let ended = match polled {
            Poll::Ready(why) => Some(transfer.conclude(why)),
            Poll::Pending => None,
        };
        State::short(quick.way, transfer, ended)
    }

    /// The response over a kept connection, or the way that the call goes on.
    fn finish(
        &self,
        short: Short,
        result: Result<(), Fault>,
    ) -> Result<Result<Response, State>, Fault> {
        let Short { way, transfer, .. } = short;
        let outcome = transfer.finish(Cx::new(), result, &way.terms());
        if outcome.is_stale() && (way.prepared.is_idempotent || outcome.sent == 0) {
            let first = First::of(way.wire.map(|wire| *wire));
            return self
                .go_on(way.prepared, way.started, way.differs, first)
                .map(Err);
        }
        let (prepared, started, differs) = (way.prepared.clone(), way.started, way.differs);
        let target = prepared.target_of(self.arguments.url);
        let hop = Ctx::current(|ctx| {
            let exchanged = Exchanged {
                prepared: &prepared,
                job: &prepared.job,
                target,
                wire: way.wire(),
                started,
                dialled: None,
                outcome: &outcome,
                reused: true,
            };
            report(ctx, &exchanged);
            let url = || prepared.url_for(target);
            let shelf = (&way.shelf, prepared.key);
            settle(ctx, shelf, url, way.connection, None, outcome)
        })?;
        if prepared.job.redirects > 0 && is_redirect(&hop.message) {
            let first = First::Arrived(Box::new(hop));
            return self.go_on(prepared, started, differs, first).map(Err);
        }
        Ok(Ok(Response {
            message: hop.message,
            url: prepared.shown_for(target),
            ends: hop.ends,
            dialled: None,
            marks: hop.marks,
            started,
        }))
    }
}

impl State {
    fn short(way: Way, transfer: Transfer, ended: Option<Result<(), Fault>>) -> State {
        State::Short(Box::new(Short {
            way,
            transfer,
            ended,
        }))
    }

    /// Takes it out; the call has ended, or another state takes its place.
    fn take(&mut self) -> State {
        std::mem::replace(self, State::Go)
    }
}

impl Future for Call<'_> {
    type Output = Result<New<Response>, Fault>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let next = match &mut this.state {
                State::Start => {
                    this.site = Ctx::current(Ctx::site_id);
                    match Cx::new().admission() {
                        Some(slot) => State::Queued(Cx::new().sleep_until(slot)),
                        None => this.start(task)?,
                    }
                }
                State::Queued(sleep) => {
                    ready!(Pin::new(sleep).poll(task));
                    State::Go
                }
                State::Go => this.start(task)?,
                State::Long(future) => return future.as_mut().poll(task).map_ok(New),
                State::Quick(quick) => {
                    let turn = ready!(quick.poll(task));
                    let State::Quick(quick) = this.state.take() else {
                        unreachable!("it is what it was a moment ago")
                    };
                    match turn {
                        Turn::Arrived(message, done) => {
                            let target = quick.way.target(this.arguments.url);
                            return Poll::Ready(quick.finish(target, message, done).map(New));
                        }
                        Turn::Odd(odd) => Call::turn_odd(quick, *odd),
                    }
                }
                State::Short(short) => {
                    let result = match short.ended.take() {
                        Some(result) => result,
                        None => ready!(short.poll(task)),
                    };
                    let State::Short(short) = this.state.take() else {
                        unreachable!("it is what it was a moment ago")
                    };
                    match this.finish(*short, result)? {
                        Ok(response) => return Poll::Ready(Ok(New(response))),
                        Err(state) => state,
                    }
                }
            };
            this.state = next;
        }
    }
}

impl Short {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let stream = &self.way.connection.stream;
        self.transfer
            .poll(Cx::new(), task, stream, &self.way.terms())
    }
}
