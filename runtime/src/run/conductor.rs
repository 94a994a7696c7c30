//! Conducts a load run: starts the workers, hears what they tell, and tells the observer. It runs no script.
//!
//! Enter at [`conduct`].

use super::crew::{Crew, Message};
use super::tally::{Outcome, Tally};
use super::{Part, Plan, RunError, pin};
use crate::event::Observer;
use crate::link::Linked;
use crate::load::Schedule;
use crate::stop::StopHandle;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// Runs the scenarios of a plan on worker threads.
pub(super) fn conduct(
    linked: &Arc<Linked>,
    plan: &Plan,
    parts: &[Part<'_>],
    observer: &mut dyn Observer,
    stop: &StopHandle,
) -> Result<Outcome, RunError> {
    let crew = Crew::new(linked, plan, parts, stop, workers(plan, parts));
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
            Message::Interval(..) => {}
            Message::Ended(Ok(objects)) => live += objects,
            Message::Ended(Err(error)) => result = Err(error),
        }
    }
    let mut outcome = tally.outcome();
    outcome.live_objects = live;
    result.map(|()| outcome)
}

/// As many workers as there are cores, unless somebody says otherwise, and no more than users.
fn workers(plan: &Plan, parts: &[Part<'_>]) -> u32 {
    let users = parts.iter().map(peak).fold(0, u64::saturating_add);
    let wanted = plan.workers.unwrap_or_else(|| pin::cores().len() as u32);
    u32::try_from(users).unwrap_or(u32::MAX).min(wanted).max(1)
}

/// The most users that a scenario may have at once.
fn peak(part: &Part<'_>) -> u64 {
    let Some(load) = &part.load else { return 1 };
    let scheduled = Schedule::new(load, 0).peak_users();
    scheduled.or(load.max_users).unwrap_or(u64::MAX)
}
