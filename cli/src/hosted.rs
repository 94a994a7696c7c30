//! Runs components of scn and reads what they tell, so that it is shown as it is shown of every other run.
//!
//! The host knows lines only, and what prints knows events only: both meet here. Enter at [`run`].

mod arguments;
mod events;
mod merge;
mod report;

pub(crate) use arguments::arguments;

use crate::render::program::ProgramText;
use events::{Reader, Refused, Said};
use scn_host::{HostError, Line, Ran, Settings, Stream};
use scn_runtime::event::{Event, Observer, SectionKind};
use scn_runtime::report::Report;
use scn_runtime::run::{Outcome, Tally};
use std::time::{Duration, SystemTime};

/// Who sees a run: its events, and lines that are none.
pub(crate) trait Viewer: Observer {
    /// A line that tells of no event, as it was printed.
    fn line(&mut self, is_error: bool, bytes: &[u8]);
}

/// What is known of a run's load before it begins.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Whether users come by a plan.
    pub(crate) is_load: bool,
    /// Whether they tell their events one by one.
    pub(crate) is_verbose: bool,
}

/// What came of a run.
pub(crate) struct Told {
    /// As of every run.
    pub(crate) outcome: Outcome,
    /// Why it ran nothing, if it says so.
    pub(crate) refused: Option<Refused>,
    /// The exit status that the component itself says, if it came so far.
    pub(crate) status: Option<u8>,
    /// How its instances ended, what was denied.
    pub(crate) ran: Ran,
}

/// Runs a component that tells events of a program.
pub(crate) fn run(
    bytes: &[u8],
    settings: &Settings,
    program: &ProgramText,
    load: Load,
    viewer: &mut dyn Viewer,
) -> Result<Told, HostError> {
    let mut hearer = Hearer {
        reader: Reader::new(program),
        viewer,
        tally: Tally::default(),
        seconds: merge::Seconds::new(settings.instances),
        reports: Vec::new(),
        status: None,
        refused: None,
        objects: 0,
    };
    let settings = &Settings {
        listens: true,
        yields: true,
        ..settings.clone()
    };
    // A component may have as many sockets as a native run.
    let _ = scn_runtime::load::descriptors::raise_limit();
    let ran = scn_host::run(bytes, settings, &mut hearer)?;
    let mut outcome = hearer.tally.outcome();
    match merge::reports(hearer.reports) {
        Some(report) if load.is_load => outcome.measured(report, load.is_verbose),
        report => outcome.report = report.map(Box::new),
    }
    outcome.live_objects = hearer.objects;
    let by_itself = (outcome.report.as_ref()).is_some_and(|report| report.stopped.is_some());
    outcome.stopped = by_itself || settings.stop.is_requested();
    Ok(Told {
        outcome,
        refused: hearer.refused,
        status: hearer.status,
        ran,
    })
}

/// Makes events of lines, and counts them.
struct Hearer<'p, 'v> {
    reader: Reader<'p>,
    viewer: &'v mut dyn Viewer,
    tally: Tally,
    seconds: merge::Seconds,
    reports: Vec<Report>,
    /// The gravest that was told.
    status: Option<u8>,
    refused: Option<Refused>,
    /// How many objects were left.
    objects: u64,
}

impl scn_host::Hear for Hearer<'_, '_> {
    fn line(&mut self, line: Line) {
        let text = match line.stream {
            Stream::Out => std::str::from_utf8(&line.bytes).ok(),
            Stream::Err => None,
        };
        match text.and_then(|text| self.reader.read(text)) {
            Some(Said::Event(event)) => self.event(event),
            Some(Said::Report(mut report)) => {
                if report.started == SystemTime::UNIX_EPOCH {
                    // Components tell no dates.
                    let length = Duration::from_nanos(report.nanos);
                    let began = SystemTime::now().checked_sub(length);
                    report.started = began.unwrap_or(SystemTime::UNIX_EPOCH);
                }
                self.reports.push(*report);
            }
            Some(Said::Refused(refused)) => self.refused = Some(refused),
            Some(Said::Summary { status, objects }) => {
                self.status = self.status.max(Some(status));
                self.objects += objects;
            }
            None => self.viewer.line(line.stream == Stream::Err, &line.bytes),
        }
    }

    fn idle(&mut self) {
        self.viewer.event(Event::Idle);
    }
}

impl Hearer<'_, '_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Progress(second) => {
                if let Some(all) = self.seconds.add(*second) {
                    self.viewer.event(Event::Progress(Box::new(all)));
                }
            }
            event => {
                self.count(&event);
                self.viewer.event(event);
            }
        }
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::SectionStart { section } if section.kind == SectionKind::Test => {
                self.tally.begin_test();
            }
            Event::SectionEnd { section, .. } if section.kind == SectionKind::Test => {
                self.tally.count(event);
                return self.tally.end_test();
            }
            _ => {}
        }
        self.tally.count(event);
    }
}
