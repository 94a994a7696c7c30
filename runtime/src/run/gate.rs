//! Lets so many lines of `log` pass each second: a script that logs in every iteration must not become the load.

use crate::event::Event;
use crate::fault::Place;
use std::time::{Duration, Instant};

/// Lines that a worker passes on in a second.
const LINES: u32 = 100;

/// Between a worker and the conductor. What it still holds back at its end, it tells then.
pub(super) struct Gate<F: FnMut(Event)> {
    out: F,
    since: Instant,
    passed: u32,
    held: u64,
}

impl<F: FnMut(Event)> Gate<F> {
    /// A gate through which nothing has passed.
    pub fn new(out: F) -> Gate<F> {
        Gate {
            out,
            since: Instant::now(),
            passed: 0,
            held: 0,
        }
    }

    /// Passes an event on, unless there are too many of its sort.
    pub fn pass(&mut self, event: Event) {
        if matches!(event, Event::Log { .. }) {
            return self.pass_line(Instant::now(), event);
        }
        (self.out)(event);
    }

    fn pass_line(&mut self, now: Instant, line: Event) {
        if now.duration_since(self.since) >= Duration::from_secs(1) {
            self.since = now;
            self.passed = 0;
            self.tell_held();
        }
        self.passed += 1;
        match self.passed <= LINES {
            true => (self.out)(line),
            false => self.held += 1,
        }
    }

    fn tell_held(&mut self) {
        let held = std::mem::take(&mut self.held);
        if held > 0 {
            (self.out)(Event::Log {
                level: "warn",
                text: format!(
                    "{held} further lines of `log` were left out: a worker shows {LINES} each second"
                ),
                place: Place {
                    function: Place::NO_FUNCTION,
                    ..Place::default()
                },
            });
        }
    }
}

impl<F: FnMut(Event)> Drop for Gate<F> {
    fn drop(&mut self) {
        self.tell_held();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_held_back_and_told() {
        let line = || Event::Log {
            level: "info",
            text: "line".to_owned(),
            place: Place::default(),
        };
        let mut texts = Vec::new();
        let mut gate = Gate::new(|event| {
            if let Event::Log { text, .. } = event {
                texts.push(text);
            }
        });
        let start = gate.since;
        (0..250).for_each(|_| gate.pass_line(start, line()));
        (0..101).for_each(|_| gate.pass_line(start + Duration::from_secs(1), line()));
        drop(gate);
        assert_eq!(texts.len(), 202);
        assert!(
            texts[100].starts_with("150 further lines"),
            "{}",
            texts[100]
        );
        assert!(texts[201].starts_with("1 further lines"), "{}", texts[201]);
    }
}
