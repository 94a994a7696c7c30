//! Reads the lines that a component prints with `--events`: events again, of the program that its source map tells of.
//!
//! The form is that of `docs/json.md`; a test writes events and reads them. Enter at [`Reader::read`].

use super::report;
use crate::render::program::ProgramText;
use scn_compiler::ir::SiteKind;
use scn_compiler::{SourceId, Span};
use scn_runtime::event::{End, Event, Exchange, Section, SectionKind, Transfer};
use scn_runtime::fault::{Fault, Place};
use scn_runtime::report::Report;
use serde_json::Value;

/// What a line says.
#[derive(Debug)]
pub(crate) enum Said {
    /// Something happened.
    Event(Event),
    /// What was measured.
    Report(Box<Report>),
    /// Nothing runs.
    Refused(Refused),
    /// It is over.
    Summary {
        /// The exit status.
        status: u8,
        /// How many objects are left in its memory.
        objects: u64,
    },
}

/// Why a component runs nothing.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Refused {
    fn of(value: &Value) -> Refused {
        let names = value["names"].as_array().into_iter().flatten();
        let names: Vec<String> = names.map(text).collect();
        let help = value["help"].as_str().filter(|help| !help.is_empty());
        let meant = value["name"].as_str().and_then(|name| {
            crate::execute::near(name, names.iter().map(String::as_str).collect())
        });
        Refused {
            message: text(&value["message"]),
            help: help.map(str::to_owned).or(meant),
        }
    }
}

/// Reads lines.
pub(crate) struct Reader<'p> {
    program: &'p ProgramText,
}

impl<'p> Reader<'p> {
    /// A reader of what this program tells.
    pub(crate) fn new(program: &'p ProgramText) -> Reader<'p> {
        Reader { program }
    }

    /// The program.
    pub(crate) fn program(&self) -> &'p ProgramText {
        self.program
    }

    /// What a line says; nothing if it is none of these.
    pub(crate) fn read(&self, line: &str) -> Option<Said> {
        let value: Value = serde_json::from_str(line).ok()?;
        match value["type"].as_str()? {
            "report" => {
                let report = report::report(&value["results"], self)?;
                Some(Said::Report(Box::new(report)))
            }
            "refused" => Some(Said::Refused(Refused::of(&value))),
            "summary" => Some(Said::Summary {
                status: number(&value["status"])?,
                objects: number(&value["objects"]).unwrap_or(0),
            }),
            kind => self.event(kind, &value).map(Said::Event),
        }
    }

    fn event(&self, kind: &str, value: &Value) -> Option<Event> {
        let name = || text(&value["name"]);
        Some(match kind {
            "server" => Event::ServerStart {
                name: name(),
                protocol: text(&value["protocol"]),
                address: value["address"].as_str()?.parse().ok()?,
            },
            "server_error" => Event::ServerError {
                name: name(),
                fault: self.fault(&value["error"])?,
            },
            "defer_error" => Event::DeferFailed {
                fault: self.fault(&value["error"])?,
            },
            "worker_error" => Event::WorkerFailed {
                why: text(&value["message"]),
            },
            "begin" => Event::SectionStart {
                section: section(value)?,
            },
            "turn" => Event::Turn {
                section: section(value)?,
            },
            "end" => Event::SectionEnd {
                section: section(value)?,
                nanos: value["nanos"].as_i64()?,
                end: self.end(value)?,
            },
            "check" | "expect" => self.check(kind, value)?,
            "step_begin" => Event::StepBegin {
                site: self.told_site(kind, value)?,
                name: Some(name()),
                depth: number(&value["depth"])?,
            },
            "step_end" => Event::StepEnd {
                site: self.told_site(kind, value)?,
                name: Some(name()),
                depth: number(&value["depth"])?,
                nanos: value["nanos"].as_i64()?,
                ok: value["ok"].as_bool()?,
            },
            "log" => Event::Log {
                level: known(&LEVELS, value["level"].as_str()?),
                text: text(&value["text"]),
                place: self.place(&value["place"]).unwrap_or(NOWHERE),
            },
            "request" => Event::Exchange(Box::new(self.exchange(value)?)),
            "transfer" => Event::Transfer(Box::new(transfer(value)?)),
            "sample" => Event::Sample {
                metric: text(&value["metric"]),
                value: value["value"].as_f64()?,
            },
            "progress" => Event::Progress(Box::new(report::progress(value, self)?)),
            _ => return None,
        })
    }

    fn end(&self, value: &Value) -> Option<End> {
        Some(match value["outcome"].as_str()? {
            "failed" => End::Failed(self.fault(&value["error"])?),
            "cancelled" => End::Cancelled,
            _ => End::Done,
        })
    }

    fn check(&self, kind: &str, value: &Value) -> Option<Event> {
        let site = self.told_site(kind, value)?;
        let label = text(&value["label"]);
        let sides = value["left"].as_str().zip(value["right"].as_str());
        Some(Event::Check {
            site,
            label: (label != self.program.site(site).label).then_some(label),
            ok: value["ok"].as_bool()?,
            sides: sides.map(|(left, right)| (left.to_owned(), right.to_owned())),
            error: self.fault(&value["error"]),
        })
    }

    /// The site that an event names by its number, as components do, or by its place.
    fn told_site(&self, kind: &str, value: &Value) -> Option<u32> {
        let numbered: Option<u32> = number(&value["site"]);
        let numbered = numbered.filter(|site| self.program.has_site(*site, site_kind(kind)));
        numbered.or_else(|| self.site(kind, &value["place"]))
    }

    /// The site at a place; of steps some site, because the event says all of it.
    pub(super) fn site(&self, kind: &str, place: &Value) -> Option<u32> {
        let kind = site_kind(kind);
        if kind == SiteKind::Step {
            return self.program.find_site(|site| site.kind == kind);
        }
        let span = self.span(place)?;
        self.program
            .find_site(|site| site.kind == kind && site.span == span)
    }

    /// The part of a text that a place names.
    pub(super) fn span(&self, place: &Value) -> Option<Span> {
        let file = place["file"].as_str()?;
        let sources = &self.program.sources.all;
        let source = sources.iter().position(|source| source.name == file)?;
        let (start, end): (u32, u32) = (number(&place["start"])?, number(&place["end"])?);
        let (start, end) = (start as usize, end as usize);
        sources[source].text.get(start..end)?;
        Some(Span::new(SourceId(source as u32), start, end))
    }

    fn place(&self, place: &Value) -> Option<Place> {
        let span = self.span(place)?;
        let name = place["function"].as_str().unwrap_or_default();
        // A place of no known function still has a line to show.
        let function = self.program.find_function(name).unwrap_or(UNNAMED);
        Some(Place { function, span })
    }

    /// An error; nothing where there is none.
    pub(super) fn fault(&self, value: &Value) -> Option<Fault> {
        let kind = value["kind"].as_str()?.to_owned();
        let operation = text(&value["operation"]);
        let mut fault = Fault::text(kind, text(&value["message"])).during(operation);
        let places = value["trace"].as_array().into_iter().flatten();
        for place in places.filter_map(|place| self.place(place)) {
            fault.add_trace(place);
        }
        Some(match self.place(&value["place"]) {
            Some(place) => fault.at(place),
            None => fault,
        })
    }

    fn exchange(&self, value: &Value) -> Option<Exchange> {
        let phases = value["phases"].as_object()?.iter();
        let phases =
            phases.filter_map(|(name, nanos)| Some((known(&PHASES, name), nanos.as_i64()?)));
        let sides = value["request"].as_str().zip(value["response"].as_str());
        let error = self.fault(&value["error"]);
        Some(Exchange {
            protocol: known(&PROTOCOLS, value["protocol"].as_str()?),
            user: value["user"].as_u64().unwrap_or(u64::MAX),
            method: text(&value["method"]),
            target: text(&value["target"]),
            status: number(&value["status"]),
            failed: error.is_some(),
            nanos: value["nanos"].as_i64()?,
            phases: phases.collect(),
            sent: value["sent"].as_u64()?,
            received: value["received"].as_u64()?,
            reused: value["reused"] == true,
            error,
            text: sides.map(|(request, response)| (request.to_owned(), response.to_owned())),
            ..Exchange::default()
        })
    }
}

fn site_kind(word: &str) -> SiteKind {
    match word {
        "expect" => SiteKind::Expect,
        "check" => SiteKind::Check,
        _ => SiteKind::Step,
    }
}

/// A place of no function.
const NOWHERE: Place = Place {
    function: Place::NO_FUNCTION,
    span: Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    },
};

/// A function without a name that is known.
const UNNAMED: u32 = Place::NO_FUNCTION - 1;

const LEVELS: [&str; 4] = ["info", "debug", "warn", "error"];
const PROTOCOLS: [&str; 7] = ["other", "http", "tcp", "udp", "tls", "dns", "socket"];
const PHASES: [&str; 7] = ["other", "dns", "connect", "tls", "send", "wait", "receive"];

/// The word among those that are known; the first of them for any other.
fn known(words: &[&'static str], word: &str) -> &'static str {
    let found = words.iter().find(|known| **known == word);
    found.copied().unwrap_or(words[0])
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64()?.try_into().ok()
}

fn section(value: &Value) -> Option<Section> {
    Some(Section {
        kind: match value["section"].as_str()? {
            "global" => SectionKind::Global,
            "server" => SectionKind::Server,
            "setup" => SectionKind::Setup,
            "init" => SectionKind::Init,
            "each" => SectionKind::Each,
            "exit" => SectionKind::Exit,
            "teardown" => SectionKind::Teardown,
            "test" => SectionKind::Test,
            _ => return None,
        },
        name: text(&value["name"]).into(),
        user: value["user"].as_u64().unwrap_or(u64::MAX),
        iteration: value["iteration"].as_u64().unwrap_or(0),
    })
}

fn transfer(value: &Value) -> Option<Transfer> {
    Some(Transfer {
        protocol: known(&PROTOCOLS, value["protocol"].as_str()?),
        user: value["user"].as_u64().unwrap_or(u64::MAX),
        sent: value["way"] == "sent",
        peer: value["peer"].as_str()?.parse().ok()?,
        bytes: value["bytes"].as_u64()?,
        text: text(&value["text"]),
    })
}

#[cfg(test)]
mod tests;
