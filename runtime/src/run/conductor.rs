//! Conducts a load run: starts the workers, hears what they tell, adds up what they measure, and tells the observer.
//! It runs no script.
//!
//! Enter at [`conduct`]; [`Score`] is what was measured so far.

use super::tables::{self, Tables};
use super::tally::{Outcome, Tally};
use super::threads::{Crew, Message};
use super::{Part, Plan, RunError, pin};
use crate::event::{Event, Observer};
use crate::link::Linked;
use crate::load::{DEFAULT_MAX_USERS, Schedule};
use crate::metrics::{Head, Interval, Totals};
use crate::report::{Report, Stopped};
use crate::stop::StopHandle;
use crate::timer::Nanos;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::SystemTime;

/// Runs the scenarios of a plan on worker threads.
pub(super) fn conduct(
    linked: &Arc<Linked>,
    plan: &Plan,
    parts: &[Part<'_>],
    observer: &mut dyn Observer,
    stop: &StopHandle,
) -> Result<Outcome, RunError> {
    let crew = Crew::new(linked, plan, parts, stop, workers(plan, parts)?);
    let (sender, messages) = channel();
    thread::scope(|scope| {
        for worker in 0..crew.workers {
            let crew = &crew;
            let builder = thread::Builder::new().name(format!("scn-worker-{worker}"));
            let messages = sender.clone();
            let body = move || {
                let ended = crew.run_worker(worker, &messages);
                // The conductor listens until every worker has said so.
                let _ = messages.send(Message::Ended(ended));
            };
            if let Err(error) = builder.spawn_scoped(scope, body) {
                // The others are not to wait for it.
                crew.tables.do_without_one();
                crew.users_ended();
                crew.decide(None);
                let _ = sender.send(Message::Ended(Err(error.into())));
            }
        }
        drop(sender);
        listen(&crew, &messages, observer)
    })
}

/// Hears the workers to their ends.
fn listen(
    crew: &Crew<'_>,
    messages: &Receiver<Message>,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    let mut tally = Tally::default();
    let mut score = Score::new(crew.linked, crew.parts);
    let mut beats = Beats::new(crew.workers);
    let (mut result, mut live) = (Ok(()), 0);
    for message in messages {
        match message {
            Message::Event(event) => {
                tally.count(&event);
                observer.event(event);
            }
            Message::Interval(worker, interval, last) => {
                let elapsed = interval.until;
                score.add(worker, *interval);
                if beats.is_full(worker, last) {
                    tick(&mut score, elapsed, crew.stop, observer);
                    crew.tick();
                }
            }
            Message::Ended(Ok(objects)) => live += objects,
            Message::Ended(Err(error)) if score.is_empty() => result = Err(error),
            Message::Ended(Err(error)) => {
                // What was measured is not lost with one worker.
                let event = Event::WorkerFailed {
                    why: error.to_string(),
                };
                tally.count(&event);
                observer.event(event);
            }
        }
    }
    if score.is_empty() {
        result?;
    }
    let mut outcome = tally.outcome();
    outcome.live_objects = live;
    outcome.stopped = crew.stop.level() > 0;
    let mut report = score.report(crew.plan.seed, crew.workers, crew.stop);
    report.pools = crew.linked.pools().reports();
    outcome.measured(report, crew.plan.verbose);
    Ok(outcome)
}

/// Ends a second of the run.
fn tick(score: &mut Score, elapsed: Nanos, stop: &StopHandle, observer: &mut dyn Observer) {
    let progress = score.totals.tick(elapsed, stop.level() > 0);
    observer.event(Event::Progress(Box::new(progress)));
    if score.totals.abort().is_some() && stop.level() == 0 {
        stop.request();
    }
}

/// Tells when every worker has handed over its part of a second.
struct Beats {
    /// Intervals of each worker; those that have ended are ahead of all others.
    of: Vec<u64>,
    ticks: u64,
}

impl Beats {
    fn new(workers: u32) -> Beats {
        Beats {
            of: vec![0; workers as usize],
            ticks: 0,
        }
    }

    /// Notes an interval; whether it completes a second.
    fn is_full(&mut self, worker: u32, last: bool) -> bool {
        let beats = &mut self.of[worker as usize];
        *beats = if last { u64::MAX } else { *beats + 1 };
        let least = self.of.iter().copied().min().unwrap_or(u64::MAX);
        let full = least > self.ticks && least < u64::MAX;
        self.ticks += u64::from(full);
        full
    }
}

/// What was measured so far, in a load run or a plain one.
pub(super) struct Score {
    totals: Totals,
    started: SystemTime,
    elapsed: Nanos,
}

impl Score {
    /// Of a run of these scenarios.
    pub fn new(linked: &Linked, parts: &[Part<'_>]) -> Score {
        let scenarios = parts.iter().map(|part| part.scenario);
        let mut totals = Totals::new(&linked.program, scenarios);
        for part in parts {
            if let Some(load) = &part.load {
                let stages = Schedule::new(load, 0).stages();
                totals.set_stages(&part.scenario.name, stages);
            }
        }
        Score {
            totals,
            started: SystemTime::now(),
            elapsed: 0,
        }
    }

    /// Adds what a worker has measured.
    pub fn add(&mut self, worker: u32, interval: Interval) {
        if self.elapsed == 0 {
            // The first interval is told when it ends.
            let length = std::time::Duration::from_nanos(interval.until);
            self.started = SystemTime::now()
                .checked_sub(length)
                .unwrap_or(SystemTime::UNIX_EPOCH);
        }
        self.elapsed = self.elapsed.max(interval.until);
        self.totals.add(worker, interval);
    }

    /// Whether nothing was measured yet.
    pub fn is_empty(&self) -> bool {
        self.elapsed == 0
    }

    /// What it all comes to.
    pub fn report(self, seed: u64, workers: u32, stop: &StopHandle) -> Report {
        let threshold = self
            .totals
            .abort()
            .map(|text| Stopped::Threshold(text.to_owned()));
        let script = stop.reason().map(Stopped::Script);
        let asked = (stop.level() > 0).then_some(Stopped::Asked);
        let head = Head {
            started: self.started,
            nanos: self.elapsed,
            workers,
            seed,
            stopped: threshold.or(script).or(asked),
        };
        self.totals.report(head)
    }
}

/// As many workers as there are cores, unless somebody says otherwise or connections need more, and no more than users.
/// A user is taken for one connection at a time.
fn workers(plan: &Plan, parts: &[Part<'_>]) -> io::Result<(u32, Tables)> {
    let users = |unsaid| {
        parts
            .iter()
            .map(|part| peak(part, unsaid))
            .fold(0, u64::saturating_add)
    };
    let cores = plan.workers.unwrap_or_else(|| pin::cores().len() as u32);
    let plan_for = |users: u64| {
        let wanted = u32::try_from(users).unwrap_or(u32::MAX).min(cores).max(1);
        tables::plan(users, wanted)
    };
    // A ceiling that nobody asked for is seldom reached: a run goes on without room for it.
    let (most, asked_for) = (users(DEFAULT_MAX_USERS), users(cores.into()));
    plan_for(most).or_else(|error| match asked_for < most {
        true => plan_for(asked_for),
        false => Err(error),
    })
}

/// The most users that a scenario may have at once, if arrivals without a ceiling have `unsaid`.
fn peak(part: &Part<'_>, unsaid: u64) -> u64 {
    let Some(load) = &part.load else { return 1 };
    let scheduled = Schedule::new(load, 0).peak_users();
    scheduled.or(load.max_users).unwrap_or(unsaid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_full_when_every_worker_that_works_has_told() {
        let mut beats = Beats::new(2);
        assert!(!beats.is_full(0, false));
        assert!(!beats.is_full(0, false), "worker 1 is late");
        assert!(beats.is_full(1, false));
        assert!(
            beats.is_full(1, true),
            "worker 1 has ended in its second second"
        );
        assert!(beats.is_full(0, false));
        assert!(!beats.is_full(0, true), "the rest is the report's");
    }
}
