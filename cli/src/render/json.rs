//! Findings and events as JSON, in the form that `docs/json.md` describes.

use super::numbers::Clock;
use super::program::ProgramText;
use super::tally::Tally;
use super::transcript::section_word;
use crate::outputs::results;
use crate::terminal::Exit;
use scn_compiler::Span;
use scn_compiler::diagnostics::{Diagnostic, Severity};
use scn_compiler::ir::SiteKind;
use scn_compiler::source::Sources;
use scn_runtime::event::{End, Event, Exchange, Section, Transfer};
use scn_runtime::fault::{Fault, Place};
use serde_json::{Map, Value, json};

/// A finding.
pub(crate) fn diagnostic(found: &Diagnostic, sources: &Sources) -> Value {
    let labels: Vec<Value> = found
        .labels
        .iter()
        .map(|(span, text)| {
            let mut place = span_place(*span, sources);
            place["text"] = json!(text);
            place
        })
        .collect();
    json!({
        "code": found.code.as_str(),
        "severity": match found.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": found.message,
        "labels": labels,
        "help": found.help,
        "notes": found.notes,
    })
}

/// A place: file, line and column of its start and end (all from 1, columns in characters), and byte offsets.
pub(crate) fn span_place(span: Span, sources: &Sources) -> Value {
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(span.after());
    json!({
        "file": sources.source(span.source).name,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "start": span.start,
        "end": span.end,
    })
}

/// One report of a run; nothing for those that only open something.
pub(crate) fn event(event: &Event, program: &ProgramText, clock: Clock) -> Value {
    match event {
        Event::ServerStart {
            name,
            protocol,
            address,
        } => {
            json!({ "type": "server", "name": name, "protocol": protocol, "address": address.to_string() })
        }
        Event::ServerError { name, fault } => {
            json!({ "type": "server_error", "name": name, "error": error(fault, program) })
        }
        Event::SectionStart { section } => section_value("begin", section),
        Event::Turn { section } => section_value("turn", section),
        Event::SectionEnd {
            section,
            nanos,
            end,
        } => {
            let mut value = section_value("end", section);
            value["nanos"] = clock.json(*nanos);
            value["outcome"] = json!(outcome(end));
            if let End::Failed(fault) = end {
                value["error"] = error(fault, program);
            }
            value
        }
        Event::Check {
            site,
            label,
            ok,
            sides,
            error: broken,
        } => {
            let known = program.site(*site);
            let mut value = json!({
                "type": if known.kind == SiteKind::Expect { "expect" } else { "check" },
                "label": label.as_ref().unwrap_or(&known.label),
                "ok": ok,
                "place": span_place(known.span, &program.sources),
            });
            if let Some((left, right)) = sides {
                value["left"] = json!(left);
                value["right"] = json!(right);
            }
            if let Some(fault) = broken {
                value["error"] = error(fault, program);
            }
            value
        }
        Event::StepBegin { site, name, depth } => {
            let name = name.as_ref().unwrap_or(&program.site(*site).label);
            json!({ "type": "step_begin", "name": name, "depth": depth })
        }
        Event::StepEnd {
            site,
            name,
            depth,
            nanos,
            ok,
        } => {
            let name = name.as_ref().unwrap_or(&program.site(*site).label);
            json!({ "type": "step_end", "name": name, "depth": depth, "nanos": clock.json(*nanos), "ok": ok })
        }
        Event::Log { level, text, place } => {
            json!({ "type": "log", "level": level, "text": text, "place": place_value(*place, program) })
        }
        Event::Exchange(exchange) => exchange_value(exchange, program, clock),
        Event::Transfer(transfer) => transfer_value(transfer),
        Event::Progress(second) => results::progress(second),
        Event::Sample { metric, value } => {
            json!({ "type": "sample", "metric": metric, "value": value })
        }
        Event::Idle => Value::Null,
        Event::DeferFailed { fault } => {
            json!({ "type": "defer_error", "error": error(fault, program) })
        }
        Event::WorkerFailed { why } => json!({ "type": "worker_error", "message": why }),
    }
}

/// The last line: what was counted, and the exit status.
pub(crate) fn summary(tally: &Tally, exit: Exit, nanos: i64, clock: Clock) -> Value {
    json!({
        "type": "summary",
        "held": tally.held,
        "broken": tally.broken,
        "requests": tally.exchanges,
        "done": tally.done,
        "failed": tally.failed,
        "cancelled": tally.cancelled,
        "errors": tally.errors,
        "status": exit.code(),
        "nanos": clock.json(nanos),
    })
}

fn section_value(what: &str, section: &Section) -> Value {
    json!({
        "type": what,
        "section": section_word(section.kind),
        "name": &*section.name,
        // Servers and setups belong to no user.
        "user": (section.user != u64::MAX).then_some(section.user),
        "iteration": section.iteration,
    })
}

fn outcome(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::Failed(_) => "failed",
        End::Cancelled => "cancelled",
    }
}

/// An error with its place.
pub(crate) fn error(fault: &Fault, program: &ProgramText) -> Value {
    let data = fault.data();
    json!({
        "kind": fault.kind(),
        "message": fault.message(),
        "operation": data.operation,
        "place": data.place.map(|place| place_value(place, program)),
        "trace": data.trace.iter().map(|place| place_value(*place, program)).collect::<Vec<_>>(),
    })
}

/// A place with its function; null for places of host code.
pub(crate) fn place_value(place: Place, program: &ProgramText) -> Value {
    if !program.is_known(place) {
        return Value::Null;
    }
    let mut value = span_place(place.span, &program.sources);
    value["function"] = json!(program.function(place));
    value
}

fn transfer_value(transfer: &Transfer) -> Value {
    json!({
        "type": "transfer",
        "protocol": transfer.protocol,
        "user": transfer.user,
        "way": if transfer.sent { "sent" } else { "received" },
        "peer": transfer.peer.to_string(),
        "bytes": transfer.bytes,
        "text": transfer.text,
    })
}

fn exchange_value(exchange: &Exchange, program: &ProgramText, clock: Clock) -> Value {
    let phases: Map<String, Value> = exchange
        .phases
        .iter()
        .map(|(phase, nanos)| ((*phase).to_owned(), clock.json(*nanos)))
        .collect();
    let mut value = json!({
        "type": "request",
        "protocol": exchange.protocol,
        "user": exchange.user,
        "method": exchange.method,
        "target": exchange.target,
        "status": exchange.status,
        "nanos": clock.json(exchange.nanos),
        "phases": phases,
        "sent": exchange.sent,
        "received": exchange.received,
        "reused": exchange.reused,
    });
    if let Some(fault) = &exchange.error {
        value["error"] = error(fault, program);
    }
    if let Some((request, response)) = &exchange.text {
        value["request"] = json!(request);
        value["response"] = json!(response);
    }
    value
}
