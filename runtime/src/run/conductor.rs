//! Conducts a load run: starts the workers, hears what they tell, and tells the observer. It runs no script.
//!
//! Enter at [`conduct`].

use super::crew::{Crew, Message};
use super::tally::{Outcome, Tally};
use super::{Plan, RunError, chosen, pin};
use crate::event::Observer;
use crate::link::Linked;
use crate::load::Schedule;
use crate::stop::StopHandle;
use scn_compiler::ir::Scenario;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Whether users come by a plan.
pub(super) fn is_load(linked: &Linked, plan: &Plan) -> bool {
    chosen(linked, plan)
        .iter()
        .any(|scenario| scenario.load.is_some())
}

/// Runs the scenarios of a plan on worker threads.
pub(super) fn conduct(
    linked: &Arc<Linked>,
    plan: &Plan,
    observer: &mut dyn Observer,
    stop: &StopHandle,
) -> Result<Outcome, RunError> {
    let crew = Crew::new(linked, plan, stop, workers(linked, plan));
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
                crew.users_ended();
                crew.decide(None);
                let _ = sender.send(Message::Ended(Err(error.into())));
            }
        }
        drop(sender);
        listen(&messages, observer)
    })
    .map(|mut outcome| {
        outcome.stopped = stop.level() > 0;
        outcome
    })
}

/// Hears the workers to their ends.
fn listen(messages: &Receiver<Message>, observer: &mut dyn Observer) -> Result<Outcome, RunError> {
    let mut tally = Tally::default();
    let mut result = Ok(());
    let mut live = 0;
    for message in messages {
        match message {
            Message::Event(event) => {
                tally.count(&event);
                observer.event(event);
            }
            Message::Ended(Ok(objects)) => live += objects,
            Message::Ended(Err(error)) => result = Err(error),
        }
    }
    let mut outcome = tally.outcome();
    outcome.live_objects = live;
    result.map(|()| outcome)
}

/// As many workers as there are cores, unless somebody says otherwise, and no more than users.
fn workers(linked: &Linked, plan: &Plan) -> u32 {
    let users = chosen(linked, plan)
        .into_iter()
        .map(peak)
        .fold(0, u64::saturating_add);
    let wanted = plan.workers.unwrap_or_else(|| pin::cores().len() as u32);
    u32::try_from(users).unwrap_or(u32::MAX).min(wanted).max(1)
}

/// The most users that a scenario may have at once.
fn peak(scenario: &Scenario) -> u64 {
    let Some(load) = &scenario.load else { return 1 };
    let scheduled = Schedule::new(load, 0).peak_users();
    scheduled.or(load.max_users).unwrap_or(u64::MAX)
}
