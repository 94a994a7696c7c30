//! What an exchange reports: name, times, bytes, and in verbose runs its text, without secrets.

use super::job::Job;
use super::members::Timings;
use super::name;
use super::request::Wire;
use super::response::Message;
use super::session::Dialled;
use super::transfer::Outcome;
use scn_runtime::event::{Event, Exchange};
use scn_runtime::{Ctx, Cx, Fault};
use std::fmt::Write;

/// How much of a body is shown.
const SHOWN: usize = 4096;

/// Where a call's exchanges belong.
pub(super) struct Report {
    /// The reporting site.
    pub(super) site: Option<u32>,
    /// The name, if it was given or the site has a template.
    pub(super) name: Option<String>,
}

impl Report {
    /// Reports an exchange that had a connection.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn exchange(
        &self,
        cx: Cx,
        job: &Job,
        wire: &Wire,
        started: u64,
        dialled: Dialled,
        outcome: &Outcome,
        reused: bool,
    ) {
        let timings = Timings::of(dialled, outcome.marks);
        let status = outcome
            .result
            .as_ref()
            .ok()
            .map(|message| message.first.status);
        let error = outcome.result.as_ref().err().cloned();
        let message = outcome.result.as_ref().ok();
        cx.with(|ctx| {
            let exchange = Exchange {
                status,
                phases: timings.phases(),
                sent: outcome.sent as u64,
                received: outcome.received,
                reused,
                failed: error.is_some() || status.is_some_and(|status| !job.ok.holds(status)),
                error,
                ..self.start(cx, ctx, job, started)
            };
            self.emit(ctx, exchange, wire, message);
        });
    }

    /// Reports an exchange that got no connection.
    pub(super) fn failed_to_connect(
        &self,
        cx: Cx,
        job: &Job,
        wire: &Wire,
        started: u64,
        fault: &Fault,
    ) {
        cx.with(|ctx| {
            let start = self.start(cx, ctx, job, started);
            let exchange = Exchange {
                failed: true,
                error: Some(fault.clone()),
                ..start
            };
            self.emit(ctx, exchange, wire, None);
        });
    }

    fn start(&self, cx: Cx, ctx: &Ctx, job: &Job, started: u64) -> Exchange {
        let name = self
            .name
            .clone()
            .unwrap_or_else(|| name::from_path(&job.method, job.url.path()));
        Exchange {
            protocol: "http",
            user: ctx.user().id,
            site: self.site,
            method: job.method.clone(),
            name: ctx.mask(&name),
            target: ctx.mask(&job.url.to_string()),
            nanos: cx.now().saturating_sub(started).cast_signed(),
            ..Exchange::default()
        }
    }

    fn emit(&self, ctx: &Ctx, mut exchange: Exchange, wire: &Wire, message: Option<&Message>) {
        if ctx.verbose() {
            let response = message.map(response_text).unwrap_or_default();
            exchange.text = Some((ctx.mask(&request_text(wire)), ctx.mask(&response)));
        }
        ctx.emit(Event::Exchange(Box::new(exchange)));
    }
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
    let mut text = format!("HTTP/1.{} {} {}\n", first.minor, first.status, message.head.reason());
    for (name, value) in message.head.iter() {
        let value = String::from_utf8_lossy(value);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name}: {}",
            if is_credential(name) { "***" } else { &value }
        );
    }
    push_body(&mut text, message.body());
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
