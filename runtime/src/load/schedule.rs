//! The schedule of a scenario: starts, stops and arrivals in the order of time, worked out one by one.
//!
//! A pure function of the plan and a seed: whatever the responses do and however many workers there are, each walks the
//! same sequence and takes its share by [`Action::index`]. It needs constant memory, however long the plan is.

use super::closed::{Change, Closed};
use super::open::Open;
use super::phases::Phases;
use super::stages;
use crate::report::StageReport;
use crate::timer::Nanos;
use scn_compiler::ir::load::{Load, Stage};

/// Something that is to begin or to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    /// When, from the scenario's start.
    pub at: Nanos,
    /// Which: the running number of the start (that is the user's number) or of the arrival; of a stop, the number of
    /// the start that it ends.
    pub index: u64,
    /// What.
    pub what: What,
}

/// What an action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A user starts, and loops.
    Start,
    /// A user begins no further iteration.
    Stop,
    /// An iteration starts, by whichever user is free.
    Arrive,
    /// A user of a phase starts, and loops: the phase's place among the stages of the plan.
    Spawn(u32),
}

/// The actions of a scenario before its end, times never falling.
#[derive(Clone, Debug)]
pub struct Schedule {
    model: Model,
    /// Actions so far, where these are numbered in order.
    count: u64,
    end: Option<Nanos>,
    peak: Option<u64>,
    stages: Vec<StageReport>,
}

#[derive(Clone, Debug)]
enum Model {
    /// Iterations alone: one user.
    One,
    Closed(Closed),
    Open(Box<Open>),
    Phases(Phases),
}

impl Schedule {
    /// The schedule of a plan. The seed is that of random arrivals: each scenario should have its own.
    pub fn new(plan: &Load, seed: u64) -> Schedule {
        let model = match plan.stages.first() {
            None => Model::One,
            Some(Stage::Users { .. }) => Model::Closed(Closed::new(&plan.stages, plan.limit_spawn)),
            Some(Stage::Arrivals { .. }) => Model::Open(Box::new(Open::new(&plan.stages, seed))),
            Some(Stage::Spawn { .. }) => Model::Phases(Phases::new(&plan.stages, plan.limit_spawn)),
        };
        Schedule {
            model,
            count: 0,
            end: plan.end(),
            peak: plan.peak_users(),
            stages: stages::reports(plan),
        }
    }

    /// When the scenario is over, from its start: its stages or `run for`, whichever is first. Nothing if only
    /// iterations bound it. No action is at or after this instant.
    pub fn end(&self) -> Option<Nanos> {
        self.end
    }

    /// The stages in time, from the start of the users' part; those that `run for` cuts off entirely are left out.
    pub fn stages(&self) -> Vec<StageReport> {
        self.stages.clone()
    }

    /// The most users that there can be at once. Nothing for arrivals without `max users`: how many they need depends
    /// on the responses.
    pub fn peak_users(&self) -> Option<u64> {
        self.peak
    }

    /// The running number of the next action.
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count - 1
    }
}

impl Iterator for Schedule {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        let (at, index, what) = match &mut self.model {
            Model::One if self.count > 0 => return None,
            Model::One => (0, self.number(), What::Start),
            Model::Closed(closed) => match closed.next()? {
                (at, Change::Start(user)) => (at, user, What::Start),
                (at, Change::Stop(user)) => (at, user, What::Stop),
            },
            Model::Open(open) => {
                let at = open.next()?;
                (at, self.number(), What::Arrive)
            }
            Model::Phases(phases) => {
                let (at, phase) = phases.next()?;
                (at, self.number(), What::Spawn(phase))
            }
        };
        self.end
            .is_none_or(|end| at < end)
            .then_some(Action { at, index, what })
    }
}
