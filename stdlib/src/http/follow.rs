//! A call with all that may happen to it: connections made, requests repeated, redirects followed.

use super::job::Job;
use super::members::Response;
use super::prepared::Prepared;
use super::redirect;
use super::report::{Exchanged, report, report_unconnected};
use super::request::{Wire, is_idempotent};
use super::response::Message;
use super::session::{Connection, Dialled, Ends, KeyId, Session, Shelf};
use super::transfer::{Marks, Outcome, Terms, transfer};
use super::url::Url;
use crate::net::Limit;
use scn_runtime::{Ctx, Cx, Fault};
use std::rc::Rc;
use std::time::SystemTime;

/// Where a call is.
pub(super) struct Course {
    /// What its site asks for.
    pub(super) prepared: Rc<Prepared>,
    /// The request that is next.
    pub(super) job: Rc<Job>,
    /// When the call began.
    pub(super) started: u64,
}

/// What there is of the first request.
pub(super) enum First {
    /// It is the prepared one.
    Prepared,
    /// It is written.
    Written(Wire),
    /// The response to it.
    Arrived(Box<Hop>),
}

impl First {
    /// The prepared request, or another one.
    pub(super) fn of(wire: Option<Wire>) -> First {
        wire.map_or(First::Prepared, First::Written)
    }
}

/// One request and its response.
pub(super) struct Hop {
    /// The response.
    pub(super) message: Message,
    /// When what happened.
    pub(super) marks: Marks,
    /// How long connecting took.
    pub(super) dialled: Option<Box<Dialled>>,
    /// The addresses of the connection.
    pub(super) ends: Rc<Ends>,
}

/// Performs a call with its redirects.
pub(super) async fn follow(cx: Cx, mut course: Course, first: First) -> Result<Response, Fault> {
    let mut total = Limit::since(course.started, course.job.timeout);
    let most = course.job.redirects;
    let mut left = most;
    let mut first = Some(first);
    loop {
        let hop = match first.take() {
            Some(First::Arrived(hop)) => *hop,
            Some(First::Prepared) => {
                let prepared = course.prepared.clone();
                let ready = (&prepared.wire, prepared.key);
                hop(cx, &course, ready, &mut total).await?
            }
            Some(First::Written(wire)) => {
                let ready = (&wire, course.prepared.key);
                hop(cx, &course, ready, &mut total).await?
            }
            None => {
                let (wire, key) = cx.with(|ctx| write(ctx, &course.job))?;
                hop(cx, &course, (&wire, key), &mut total).await?
            }
        };
        if most > 0
            && let Some(next) = next(&course.job, &hop.message)?
        {
            if left == 0 {
                return Err(Fault::text(
                    "http.too_many_redirects",
                    format!("more than {most} redirects"),
                ));
            }
            left -= 1;
            apply(Rc::make_mut(&mut course.job), next);
            continue;
        }
        return Ok(Response {
            message: hop.message,
            url: course.shown(),
            ends: hop.ends,
            dialled: hop.dialled,
            marks: hop.marks,
            started: course.started,
        });
    }
}

fn next(job: &Job, message: &Message) -> Result<Option<redirect::Next>, Fault> {
    redirect::next(&job.method, &job.url, message.first.status, &message.head)
}

/// Whether a response asks for another request.
pub(super) fn is_redirect(message: &Message) -> bool {
    (300..400).contains(&message.first.status) && message.head.has_location()
}

fn apply(job: &mut Job, next: redirect::Next) {
    if !next.keeps_credentials {
        job.authorization.clear();
        let secret = ["authorization", "cookie", "host"];
        job.headers.retain(|(name, _)| {
            !secret
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret))
        });
    }
    if !next.keeps_body {
        job.body = None;
        job.headers
            .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
    }
    job.method = next.method;
    job.url = next.url;
}

impl Course {
    /// The URL of the request that is next.
    fn shown(&self) -> Rc<str> {
        match Rc::ptr_eq(&self.job, &self.prepared.job) {
            true => self.prepared.shown.clone(),
            false => self.job.url.to_string().into(),
        }
    }
}

async fn hop(
    cx: Cx,
    course: &Course,
    (wire, key): (&Wire, KeyId),
    total: &mut Limit,
) -> Result<Hop, Fault> {
    let job = &course.job;
    let mut started = cx.now();
    let idempotent = is_idempotent(&job.method);
    let (shelf, mut kept) = cx.with(|ctx| {
        let shelf = Shelf::of(ctx, job.dial.bind);
        let kept =
            ctx.user_state::<Session, _>(|mut session| shelf.take(&mut session, key, !idempotent));
        (shelf, kept)
    });
    loop {
        let reused = kept.is_some();
        let (connection, dialled) = match kept.take() {
            Some(connection) => (connection, None),
            None => match job.dial.dial(cx, &job.url, *total).await {
                Ok((connection, dialled)) => {
                    *total = total.later(dialled.waited);
                    started += dialled.waited;
                    (connection, Some(Box::new(dialled)))
                }
                Err(fault) => {
                    cx.with(|ctx| report_unconnected(ctx, course, wire, started, &fault));
                    return Err(fault);
                }
            },
        };
        let terms = Terms {
            bytes: &wire.bytes,
            head_len: wire.head_len,
            last: wire.last,
            head_only: job.method == "HEAD",
            expect_continue: job.expect_continue,
            max_body: job.max_body,
            known: None,
            total: *total,
            first_byte: job.first_byte,
        };
        let outcome = transfer(cx, &connection.stream, &terms).await;
        if reused && outcome.is_stale() && (idempotent || outcome.sent == 0) {
            continue;
        }
        return cx.with(|ctx| {
            let exchanged = Exchanged {
                prepared: &course.prepared,
                job,
                target: None,
                wire,
                started,
                dialled: dialled.as_deref(),
                outcome: &outcome,
                reused,
            };
            report(ctx, &exchanged);
            let url = || job.url.clone();
            settle(ctx, (&shelf, key), url, connection, dialled, outcome)
        });
    }
}

/// Takes a response: its cookies, and its connection for further requests.
pub(super) fn settle(
    ctx: &Ctx,
    (shelf, key): (&Shelf, KeyId),
    url: impl FnOnce() -> Url,
    connection: Connection,
    dialled: Option<Box<Dialled>>,
    outcome: Outcome,
) -> Result<Hop, Fault> {
    let message = outcome.result?;
    let ends = connection.ends.clone();
    ctx.reserve(message.body.len())?;
    ctx.user_state::<Session, _>(|mut session| {
        if message.head.sets_cookies() {
            let url = url();
            for line in message.head.all("set-cookie") {
                session
                    .jar
                    .store(&url, &String::from_utf8_lossy(line), unix_now());
            }
        }
        if message.keep_alive {
            shelf.put(&mut session, key, connection);
        }
    });
    Ok(Hop {
        message,
        marks: outcome.marks,
        dialled,
        ends,
    })
}

/// Writes the request, with the user's cookies; and the connections that fit.
fn write(ctx: &Ctx, job: &Job) -> Result<(Wire, KeyId), Fault> {
    let wire = job.request(&cookie(ctx, &job.url)).write()?;
    Ok((wire, job.dial.key(ctx, &job.url)))
}

/// The user's cookies for a URL.
pub(super) fn cookie(ctx: &Ctx, url: &Url) -> String {
    ctx.user_state::<Session, _>(|session| match session.jar.is_empty() {
        true => String::new(),
        false => session.jar.header(url, unix_now()),
    })
}

/// Seconds since 1970, for cookies.
fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}
