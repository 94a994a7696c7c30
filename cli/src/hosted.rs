//! Runs components of scn and reads what they tell, so that it is shown as it is shown of every other run.
//!
//! The host knows lines only, and what prints knows events only: both meet here. Enter at [`run`].

mod arguments;
mod events;
mod merge;
mod report;
mod seen;

pub(crate) use arguments::arguments;

use crate::render::program::ProgramText;
use crate::run::Cut;
use crate::terminal::Exit;
use events::{Reader, Refused, Said};
use scn_host::{Ended, HostError, Line, Ran, Settings, Stream};
use scn_runtime::event::{Event, Observer, SectionKind};
use scn_runtime::report::{Report, Stopped};
use scn_runtime::run::{Outcome, Tally};
use seen::Seen;
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
    /// The seed that it was given.
    pub(crate) seed: u64,
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

/// What kept instances from ending well by themselves, the gravest of it; nothing where none was kept from it.
pub(crate) fn cut(ran: &Ran) -> Option<Cut> {
    let whole = ran.ended.len() == 1;
    let all = ran
        .ended
        .iter()
        .enumerate()
        .filter_map(|(instance, ended)| {
            Some(match ended {
                Ended::Trap { .. } if whole => Cut {
                    exit: Exit::Internal,
                    why: "the component crashed".to_owned(),
                },
                Ended::Trap { .. } => Cut {
                    exit: Exit::Internal,
                    why: format!("instance {instance} crashed"),
                },
                Ended::Late(limit) | Ended::TimedOut(limit) => Cut {
                    exit: Exit::Failed,
                    why: format!("the time limit of {limit:?} was over"),
                },
                Ended::Status(_) | Ended::Stopped => return None,
            })
        });
    // Of equals the first one counts.
    let all: Vec<Cut> = all.collect();
    let crashed = all.iter().find(|cut| cut.exit == Exit::Internal);
    crashed.or(all.first()).cloned()
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
        seen: Seen::new(),
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
        Some(report) => outcome.report = Some(Box::new(report)),
        None => {
            let report = hearer.seen.report(load.seed, settings.instances);
            outcome.report = Some(Box::new(report));
        }
    }
    outcome.live_objects = hearer.objects;
    let late = cut(&ran).filter(|cut| cut.exit == Exit::Failed);
    if let (Some(late), Some(report)) = (late, &mut outcome.report) {
        report.stopped = Some(Stopped::TimeLimit(late.why));
    }
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
    /// What the results are where none are told.
    seen: Seen,
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
                self.seen.count(&event, self.reader.program());
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
