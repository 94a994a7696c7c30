//! What an exchange reports: name, times, bytes, and in verbose runs its text, without secrets.

use super::follow::Course;
use super::job::Job;
use super::members::Timings;
use super::name;
use super::prepared::Prepared;
use super::request::Wire;
use super::response::Message;
use super::session::Dialled;
use super::transfer::{Marks, Outcome};
use scn_runtime::event::{Event, Exchange};
use scn_runtime::metrics::{Link, NameId, Operation, Protocol};
use scn_runtime::{Ctx, Cx, Fault};
use std::fmt::Write;

/// How much of a body is shown.
const SHOWN: usize = 4096;

/// An exchange that had a connection.
pub(super) struct Exchanged<'a> {
    /// What the call's site asks for.
    pub(super) prepared: &'a Prepared,
    /// The request; after redirects it is not what was prepared.
    pub(super) job: &'a Job,
    /// Path and query, if they are not those of the request.
    pub(super) target: Option<&'a str>,
    /// The request as sent.
    pub(super) wire: &'a Wire,
    /// When it began.
    pub(super) started: u64,
    /// How long connecting took.
    pub(super) dialled: Option<&'a Dialled>,
    /// What became of it.
    pub(super) outcome: &'a Outcome,
    /// Whether the connection had been used before.
    pub(super) reused: bool,
}

/// Reports an exchange.
pub(super) fn report(ctx: &Ctx, exchanged: &Exchanged<'_>) {
    let Exchanged { job, outcome, .. } = exchanged;
    let status = outcome.result.as_ref().ok().map(|m| m.first.status);
    let failed = status.is_none_or(|status| !job.ok.holds(status));
    measure(ctx, exchanged, status, failed);
    if ctx.tells() {
        tell(ctx, exchanged, status, failed);
    }
}

fn measure(ctx: &Ctx, exchanged: &Exchanged<'_>, status: Option<u16>, failed: bool) {
    let Exchanged {
        prepared,
        started,
        outcome,
        reused,
        ..
    } = *exchanged;
    let (name, method) = names(ctx, prepared, exchanged.job, exchanged.target);
    let error = outcome.result.as_ref().err();
    let times = Timings::of(exchanged.dialled, &outcome.marks);
    ctx.record_operation(&Operation {
        protocol: Protocol::Http,
        name,
        method,
        status: status.unwrap_or(0),
        kind: error.map(Fault::kind),
        failed,
        intended: Cx::new().intended().min(started),
        started,
        done: outcome.marks.done,
        phases: times.measured(exchanged.dialled.is_some()),
        sent: outcome.sent as u64,
        received: outcome.received,
        link: if reused { Link::Reused } else { Link::Opened },
    });
}

/// Measures an exchange that went as the ones before it.
pub(super) fn measure_again(
    ctx: &Ctx,
    prepared: &Prepared,
    target: Option<&str>,
    message: &Message,
    marks: &Marks,
    (sent, received): (usize, usize),
) {
    let (name, method) = names(ctx, prepared, &prepared.job, target);
    let status = message.first.status;
    ctx.record_operation(&Operation {
        protocol: Protocol::Http,
        name,
        method,
        status,
        kind: None,
        failed: !prepared.job.ok.holds(status),
        intended: Cx::new().intended().min(marks.started),
        started: marks.started,
        done: marks.done,
        phases: Timings::of(None, marks).measured(false),
        sent: sent as u64,
        received: received as u64,
        link: Link::Reused,
    });
}

/// The ids of name and method: those of the site, unless it has no name or a redirect has led elsewhere.
fn names(ctx: &Ctx, prepared: &Prepared, job: &Job, target: Option<&str>) -> (NameId, NameId) {
    if let Some(ids) = prepared.ids.get() {
        return ids;
    }
    let recorder = ctx.recorder();
    let method = recorder.method(&job.method);
    match &prepared.name {
        Some(name) => {
            let ids = (recorder.name(name), method);
            if job.method == prepared.job.method {
                prepared.ids.set(Some(ids));
            }
            ids
        }
        None => {
            let path = target.unwrap_or_else(|| job.url.path());
            (recorder.name(&name::from_path(&job.method, path)), method)
        }
    }
}

fn tell(ctx: &Ctx, exchanged: &Exchanged<'_>, status: Option<u16>, failed: bool) {
    let Exchanged {
        prepared,
        job,
        target,
        started,
        outcome,
        reused,
        ..
    } = *exchanged;
    let exchange = Exchange {
        status,
        phases: Timings::of(exchanged.dialled, &outcome.marks).phases(),
        sent: outcome.sent as u64,
        received: outcome.received,
        reused,
        failed,
        error: outcome.result.as_ref().err().cloned(),
        nanos: outcome.marks.done.saturating_sub(started).cast_signed(),
        ..start(ctx, prepared, job, target)
    };
    emit(ctx, exchange, exchanged.wire, outcome.result.as_ref().ok());
}

/// Reports a request that got no connection.
pub(super) fn report_unconnected(
    ctx: &Ctx,
    course: &Course,
    wire: &Wire,
    started: u64,
    fault: &Fault,
) {
    let (prepared, job) = (&*course.prepared, &course.job);
    let (name, method) = names(ctx, prepared, job, None);
    let done = ctx.now().cast_unsigned();
    ctx.record_operation(&Operation {
        protocol: Protocol::Http,
        name,
        method,
        status: 0,
        kind: Some(fault.kind()),
        failed: true,
        intended: Cx::new().intended().min(started),
        started,
        done,
        phases: [-1; 6],
        sent: 0,
        received: 0,
        link: Link::Failed,
    });
    if ctx.tells() {
        let exchange = Exchange {
            failed: true,
            error: Some(fault.clone()),
            nanos: done.saturating_sub(started).cast_signed(),
            ..start(ctx, prepared, job, None)
        };
        emit(ctx, exchange, wire, None);
    }
}

/// What every exchange has.
fn start(ctx: &Ctx, prepared: &Prepared, job: &Job, target: Option<&str>) -> Exchange {
    let mut url = job.url.clone();
    if let Some(target) = target {
        target.clone_into(&mut url.target);
    }
    let name = match &prepared.name {
        Some(name) => name.to_string(),
        None => name::from_path(&job.method, url.path()),
    };
    Exchange {
        protocol: "http",
        user: ctx.user().id,
        site: prepared.site,
        method: job.method.clone(),
        name: ctx.mask(&name),
        target: ctx.mask(&url.to_string()),
        ..Exchange::default()
    }
}

fn emit(ctx: &Ctx, mut exchange: Exchange, wire: &Wire, message: Option<&Message>) {
    if ctx.verbose() {
        let response = message.map(response_text).unwrap_or_default();
        exchange.text = Some((ctx.mask(&request_text(wire)), ctx.mask(&response)));
    }
    ctx.emit(Event::Exchange(Box::new(exchange)));
}

fn request_text(wire: &Wire) -> String {
    let (head, body) = wire.bytes.split_at(wire.head_len);
    let mut text = String::new();
    for line in String::from_utf8_lossy(head).trim_end().lines() {
        let secret = line.split_once(':').filter(|(name, _)| is_credential(name));
        match secret {
            Some((name, _)) => text.push_str(&format!("{name}: ***\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    push_body(&mut text, body);
    text
}

fn response_text(message: &Message) -> String {
    let first = &message.first;
    let mut text = format!(
        "HTTP/1.{} {} {}\n",
        first.minor,
        first.status,
        message.head.reason()
    );
    for (name, value) in message.head.iter() {
        let value = String::from_utf8_lossy(value);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name}: {}",
            if is_credential(name) { "***" } else { &value }
        );
    }
    push_body(&mut text, &message.body);
    text
}

/// Whether a header's value is a credential by nature.
fn is_credential(name: &str) -> bool {
    ["authorization", "proxy-authorization"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn push_body(text: &mut String, body: &[u8]) {
    if body.is_empty() {
        return;
    }
    text.push('\n');
    match std::str::from_utf8(body) {
        Ok(body) if body.len() <= SHOWN => text.push_str(body),
        Ok(body) => {
            let end = (0..=SHOWN)
                .rev()
                .find(|at| body.is_char_boundary(*at))
                .unwrap_or_default();
            text.push_str(&format!(
                "{}\n... {} bytes in all",
                &body[..end],
                body.len()
            ));
        }
        Err(_) => text.push_str(&format!("{} bytes that are no text", body.len())),
    }
}
