//! Calls of `http`: connections taken or made, requests sent, redirects followed, each exchange reported.

use super::job::{Body, Common, Head, Job, Tls};
use super::members::{Response, Timings};
use super::report::Report;
use super::request::{Request, Sending, Wire, is_idempotent};
use super::response::Message;
use super::session::{Connection, Dialled, Session};
use super::transfer::{Outcome, Terms, transfer};
use super::{name, redirect};
use crate::net::Limit;
use scn_runtime::{Cx, Fault, NativeDef, New, waiting};
use std::net::SocketAddr;
use std::time::SystemTime;

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

const NO_BODY: Body<'static> = (None, None, None, None, false, false);

async fn bodiless<const METHOD: usize>(
    cx: Cx,
    head: Head<'_>,
    common: Common<'_>,
    tls: Tls<'_>,
) -> Result<New<Response>, Fault> {
    call(cx, METHODS[METHOD], head, NO_BODY, common, tls).await
}

async fn with_body<const METHOD: usize>(
    cx: Cx,
    head: Head<'_>,
    body: Body<'_>,
    common: Common<'_>,
    tls: Tls<'_>,
) -> Result<New<Response>, Fault> {
    call(cx, METHODS[METHOD], head, body, common, tls).await
}

async fn any_method(
    cx: Cx,
    method: &str,
    head: Head<'_>,
    body: Body<'_>,
    common: Common<'_>,
    tls: Tls<'_>,
) -> Result<New<Response>, Fault> {
    call(cx, method, head, body, common, tls).await
}

async fn call(
    cx: Cx,
    method: &str,
    head: Head<'_>,
    body: Body<'_>,
    common: Common<'_>,
    tls: Tls<'_>,
) -> Result<New<Response>, Fault> {
    let (job, site, template) = cx.with(|ctx| {
        let site = ctx.site_id();
        let label = |site: u32| {
            ctx.linked()
                .program
                .sites
                .get(site as usize)
                .map(|site| site.label.clone())
        };
        (
            Job::new(ctx, method, head, body, common, tls),
            site,
            site.and_then(label),
        )
    });
    let job = job?;
    let given = job.name.clone();
    let named = given.or_else(|| name::from_template(method, template.as_deref()?));
    let report = Report { site, name: named };
    follow(cx, job, &report).await.map(New)
}

/// Performs a call with its redirects.
async fn follow(cx: Cx, mut job: Job, report: &Report) -> Result<Response, Fault> {
    let started = cx.now();
    let total = Limit::from_now(cx, job.timeout);
    let mut left = job.redirects;
    loop {
        let hop = hop(cx, &job, total, report).await?;
        let message = &hop.message;
        match redirect::next(&job.method, &job.url, message.first.status, &message.head) {
            _ if job.redirects <= 0 => {}
            Ok(None) => {}
            Err(fault) => return Err(fault),
            Ok(Some(_)) if left == 0 => {
                let most = job.redirects;
                return Err(Fault::text(
                    "http.too_many_redirects",
                    format!("more than {most} redirects"),
                ));
            }
            Ok(Some(next)) => {
                left -= 1;
                apply(&mut job, next);
                continue;
            }
        }
        let total = cx.now().saturating_sub(started).cast_signed();
        return Ok(Response {
            timings: Timings {
                total,
                ..hop.timings
            },
            message: hop.message,
            url: job.url.to_string(),
            local: hop.local,
            remote: hop.remote,
        });
    }
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

/// One request and its response.
struct Hop {
    message: Message,
    timings: Timings,
    local: SocketAddr,
    remote: SocketAddr,
}

async fn hop(cx: Cx, job: &Job, total: Limit, report: &Report) -> Result<Hop, Fault> {
    let started = cx.now();
    let wire = write(cx, job)?;
    let key = job.dial.key(cx, &job.url);
    let mut kept = cx.with(|ctx| ctx.user_state::<Session, _>(|mut session| session.take(&key)));
    loop {
        let reused = kept.is_some();
        let (connection, dialled) = match kept.take() {
            Some(connection) => (connection, Dialled::default()),
            // Making connections is rare: it is not to make every call's frame large.
            None => match Box::pin(job.dial.dial(cx, &job.url, total)).await {
                Ok(made) => made,
                Err(fault) => {
                    report.failed_to_connect(cx, job, &wire, started, &fault);
                    return Err(fault);
                }
            },
        };
        let terms = Terms {
            wire: &wire,
            method: &job.method,
            expect_continue: job.expect_continue,
            max_body: job.max_body,
            total,
            first_byte: job.first_byte,
        };
        let outcome = transfer(cx, &connection.stream, &terms).await;
        if reused && outcome.is_stale() && (is_idempotent(&job.method) || outcome.sent == 0) {
            continue;
        }
        report.exchange(cx, job, &wire, started, dialled, &outcome, reused);
        return settle(cx, job, key, connection, dialled, outcome);
    }
}

fn settle(
    cx: Cx,
    job: &Job,
    key: super::session::Key,
    connection: Connection,
    dialled: Dialled,
    outcome: Outcome,
) -> Result<Hop, Fault> {
    let timings = Timings::of(dialled, outcome.marks);
    let message = outcome.result?;
    let (local, remote) = (connection.local, connection.remote);
    cx.with(|ctx| {
        ctx.reserve(message.body().len())?;
        ctx.user_state::<Session, _>(|mut session| {
            for line in message.head.all("set-cookie") {
                session
                    .jar
                    .store(&job.url, &String::from_utf8_lossy(line), unix_now());
            }
            if message.keep_alive {
                session.put(key, connection);
            }
        });
        Ok(Hop {
            message,
            timings,
            local,
            remote,
        })
    })
}

fn write(cx: Cx, job: &Job) -> Result<Wire, Fault> {
    let cookie = cx.with(|ctx| {
        ctx.user_state::<Session, _>(|session| match session.jar.is_empty() {
            true => String::new(),
            false => session.jar.header(&job.url, unix_now()),
        })
    });
    let request = Request {
        method: &job.method,
        url: &job.url,
        headers: &job.headers,
        cookie: &cookie,
        authorization: &job.authorization,
        body: job
            .body
            .as_ref()
            .map(|(body, media_type)| (body.as_slice(), media_type.as_str())),
        sending: if job.chunked {
            Sending::Chunked
        } else {
            Sending::Length
        },
        expect_continue: job.expect_continue,
    };
    request.write()
}

/// Seconds since 1970, for cookies.
fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}
