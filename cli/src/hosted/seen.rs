//! Results of a run that tells none itself: those of one without a load plan, and of one that crashed. They are what its
//! events say of checks, iterations and errors; nothing is measured. Enter at [`Seen::count`] and [`Seen::report`].

use crate::render::program::ProgramText;
use scn_runtime::event::{End, Event, Section, SectionKind};
use scn_runtime::fault::Fault;
use scn_runtime::report::{
    CheckExample, CheckReport, ErrorReport, GeneratorReport, Report, ScenarioReport,
};
use std::time::{Duration, Instant, SystemTime};

/// What was seen so far.
pub(super) struct Seen {
    began: Instant,
    /// Whose events come.
    section: Option<Section>,
    scenarios: Vec<ScenarioReport>,
    checks: Vec<CheckReport>,
    errors: Vec<ErrorReport>,
}

impl Seen {
    /// Nothing yet, from now on.
    pub(super) fn new() -> Seen {
        Seen {
            began: Instant::now(),
            section: None,
            scenarios: Vec::new(),
            checks: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Counts an event.
    pub(super) fn count(&mut self, event: &Event, program: &ProgramText) {
        match event {
            Event::SectionStart { section } | Event::Turn { section } => {
                self.section = Some(section.clone());
            }
            Event::SectionEnd { section, end, .. } => self.end(section, end),
            Event::Check {
                site,
                label,
                ok,
                sides,
                error,
            } => {
                let example = CheckExample {
                    label: label.clone(),
                    sides: sides.clone(),
                    error: error.clone(),
                    user: self.section.as_ref().map_or(0, |section| section.user),
                    iteration: self.section.as_ref().map_or(0, |section| section.iteration),
                };
                self.check(*site, (!ok).then_some(example), program);
            }
            _ => {}
        }
    }

    fn check(&mut self, site: u32, failed: Option<CheckExample>, program: &ProgramText) {
        let scenario = self
            .section
            .as_ref()
            .map(|section| section.name.to_string());
        let scenario = scenario.unwrap_or_default();
        let known = self
            .checks
            .iter()
            .position(|check| check.site == site && check.scenario == scenario);
        let at = known.unwrap_or_else(|| {
            self.checks.push(CheckReport {
                label: program.site(site).label.clone(),
                site,
                scenario,
                passed: 0,
                failed: 0,
                example: None,
            });
            self.checks.len() - 1
        });
        let check = &mut self.checks[at];
        match failed {
            None => check.passed += 1,
            Some(example) => {
                check.failed += 1;
                check.example.get_or_insert(example);
            }
        }
    }

    fn end(&mut self, section: &Section, end: &End) {
        if let End::Failed(fault) = end {
            self.error(section, fault);
        }
        if section.kind != SectionKind::Each {
            return;
        }
        let known = self
            .scenarios
            .iter()
            .position(|one| *one.name == *section.name);
        let at = known.unwrap_or_else(|| {
            self.scenarios.push(ScenarioReport {
                name: section.name.to_string(),
                users: 1,
                peak: 1,
                ..ScenarioReport::default()
            });
            self.scenarios.len() - 1
        });
        let scenario = &mut self.scenarios[at];
        match end {
            End::Cancelled => scenario.interrupted += 1,
            End::Done => scenario.iterations += 1,
            End::Failed(_) => {
                scenario.iterations += 1;
                scenario.failed += 1;
            }
        }
    }

    fn error(&mut self, section: &Section, fault: &Fault) {
        let at = self.nanos();
        self.errors.push(ErrorReport {
            example: fault.clone(),
            scenario: section.name.to_string(),
            count: 1,
            first: at,
            last: at,
        });
    }

    fn nanos(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// All of it as results.
    pub(super) fn report(mut self, seed: u64, instances: u32) -> Report {
        let nanos = self.nanos();
        let began = SystemTime::now().checked_sub(Duration::from_nanos(nanos));
        self.checks.sort_by_key(|check| check.site);
        Report {
            started: began.unwrap_or(SystemTime::UNIX_EPOCH),
            nanos,
            workers: instances,
            seed,
            stopped: None,
            scenarios: self.scenarios,
            series: Vec::new(),
            timeline: Vec::new(),
            thresholds: Vec::new(),
            checks: self.checks,
            errors: self.errors,
            pools: Vec::new(),
            generator: GeneratorReport::default(),
        }
    }
}
