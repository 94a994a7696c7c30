//! Tables of descriptors: one for all workers, or one for each where the connections do not fit into one.
//!
//! A worker's descriptors never cross to other threads, but its eventfd does: others wake it by its number. So all
//! pollers are made before any table is copied, and nothing else is opened before all are. Enter at [`Tables::enter`].

use crate::io::Reactor;
use crate::load::descriptors::{self, Need};
use crate::timer::Clock;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// The tables of a run's workers.
pub(super) struct Tables {
    own: bool,
    /// All pollers are made.
    made: Muster,
    /// All tables are copied.
    copied: Muster,
}

/// How many workers a run with that many connections has, at least `wanted`, and its tables. It fails before anything
/// has begun if the system does not allow them.
pub(super) fn plan(connections: u64, wanted: u32) -> io::Result<(u32, Tables)> {
    let limit = descriptors::limit()?.soft;
    let Some(Need {
        workers,
        own_tables,
    }) = descriptors::need(connections, wanted.into(), limit)
    else {
        return Err(missing(
            connections,
            limit,
            "a table for each worker does not make up for it",
        ));
    };
    if own_tables {
        let probe = thread::Builder::new().spawn(descriptors::own_table)?;
        let allowed = probe.join().expect("asking the system does not panic");
        allowed.map_err(|error| {
            let why = format!("workers may not have tables of their own ({error})");
            missing(connections, limit, &why)
        })?;
    }
    let workers = u32::try_from(workers).unwrap_or(u32::MAX);
    let tables = Tables {
        own: own_tables,
        made: Muster::new(workers),
        copied: Muster::new(workers),
    };
    Ok((workers, tables))
}

fn missing(connections: u64, limit: u64, why: &str) -> io::Error {
    io::Error::other(format!(
        "{connections} connections at once need more file descriptors than the limit of {limit}, and {why}: raise the \
         limit (`ulimit -Hn`)"
    ))
}

impl Tables {
    /// A worker's reactor, in its table. Every worker's thread calls this first.
    pub fn enter(&self, clock: Clock) -> io::Result<Reactor> {
        let reactor = Reactor::new(clock);
        if self.own {
            self.made.pass();
            let copied = descriptors::own_table();
            self.copied.pass();
            copied?;
        }
        reactor
    }

    /// A worker does not come up: the others are not to wait for it.
    pub fn do_without_one(&self) {
        self.made.arrive();
        self.copied.arrive();
    }
}

/// Opens when as many have arrived as it was made for.
struct Muster {
    missing: Mutex<u32>,
    opened: Condvar,
}

impl Muster {
    fn new(missing: u32) -> Muster {
        Muster {
            missing: Mutex::new(missing),
            opened: Condvar::new(),
        }
    }

    fn arrive(&self) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        *missing = missing.saturating_sub(1);
        self.opened.notify_all();
    }

    /// Arrives and waits for the others.
    fn pass(&self) {
        self.arrive();
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(missing, |missing| *missing > 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_with_tables_of_their_own_wake_each_other() {
        let probe = thread::spawn(descriptors::own_table);
        if probe.join().expect("it does not panic").is_err() {
            println!("skipped: threads may not have tables of their own here");
            return;
        }
        let tables = Tables {
            own: true,
            made: Muster::new(3),
            copied: Muster::new(3),
        };
        tables.do_without_one();
        let tables = &tables;
        let (tell, told) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let reactor = tables.enter(Clock::Real).expect("a reactor");
                tell.send(reactor.inbox()).expect("the other listens");
                // Nothing else would end this wait.
                reactor.poll(true, false).expect("polling works");
            });
            scope.spawn(move || {
                let reactor = tables.enter(Clock::Real).expect("a reactor");
                told.recv().expect("the other tells").notify();
                drop(reactor);
            });
        });
    }
}
