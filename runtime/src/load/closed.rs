//! The closed model: stages draw a line of users over time; slot `s` is taken while the line is above `s`.

use super::pacer::Pacer;
use crate::timer::Nanos;
use scn_compiler::ir::load::Stage;

/// A start or a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The user with this number starts.
    Start(u64),
    /// That user stops.
    Stop(u64),
}

/// Walks the changes that the line asks for, and delays starts by `limit spawn`.
///
/// Slots are taken and left from the top, so that they are a stack of users. Starts that wait for the limit are its
/// top: when the line falls, these are given up first, and the line is never exceeded.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    line: Line,
    /// The line's next crossing.
    next: Option<Crossing>,
    pacer: Pacer,
    /// Starts that are due and wait for the limit.
    waiting: u64,
    /// Users that have started so far.
    started: u64,
    /// Running users as runs of numbers: first and count. One run for each rise of the line, whatever its height.
    running: Vec<(u64, u64)>,
}

impl Closed {
    pub(super) fn new(stages: &[Stage], limit: Option<f64>) -> Closed {
        let mut line = Line::new(stages);
        let next = line.next();
        Closed {
            line,
            next,
            pacer: Pacer::new(limit),
            waiting: 0,
            started: 0,
            running: Vec::new(),
        }
    }

    /// The next change and when it is.
    pub(super) fn next(&mut self) -> Option<(Nanos, Change)> {
        loop {
            if let Some(due) = self.waiting_until()
                && self.next.is_none_or(|crossing| due <= crossing.at)
            {
                self.waiting -= 1;
                return Some((self.pacer.take(due), self.start()));
            }
            let Crossing { at, up } = self.next?;
            self.next = self.line.next();
            match (up, self.waiting) {
                (true, 0) if self.pacer.free_at() <= at => {
                    return Some((self.pacer.take(at), self.start()));
                }
                (true, _) => self.waiting += 1,
                (false, 0) => return self.stop().map(|change| (at, change)),
                (false, _) => self.waiting -= 1,
            }
        }
    }

    /// When the first waiting start may take place.
    fn waiting_until(&self) -> Option<Nanos> {
        (self.waiting > 0).then(|| self.pacer.free_at())
    }

    fn start(&mut self) -> Change {
        let number = self.started;
        self.started += 1;
        match self.running.last_mut() {
            Some((first, count)) if *first + *count == number => *count += 1,
            _ => self.running.push((number, 1)),
        }
        Change::Start(number)
    }

    fn stop(&mut self) -> Option<Change> {
        let (first, count) = self.running.last_mut()?;
        *count -= 1;
        let number = *first + *count;
        if *count == 0 {
            self.running.pop();
        }
        Some(Change::Stop(number))
    }
}

/// Where the line passes a whole number of users.
#[derive(Clone, Copy, Debug)]
struct Crossing {
    at: Nanos,
    up: bool,
}

/// The line of users: stages one after another, each a jump to its first count and then a straight line.
#[derive(Clone, Debug)]
struct Line {
    stages: Vec<(u64, u64, Option<Nanos>)>,
    current: usize,
    /// When the current stage begins.
    begins: Nanos,
    /// Whether the jump at its beginning is done.
    jumped: bool,
    /// Users that the crossings so far amount to.
    level: u64,
}

impl Line {
    fn new(stages: &[Stage]) -> Line {
        let stages = stages
            .iter()
            .filter_map(|stage| match *stage {
                Stage::Users { from, to, over } => Some((from, to, over)),
                _ => None,
            })
            .collect();
        Line {
            stages,
            current: 0,
            begins: 0,
            jumped: false,
            level: 0,
        }
    }

    fn next(&mut self) -> Option<Crossing> {
        loop {
            let (from, to, over) = *self.stages.get(self.current)?;
            if !self.jumped && self.level != from {
                return Some(self.step(self.begins, from > self.level));
            }
            self.jumped = true;
            // A stage without a time lasts as long as the plan: no line leads on from it.
            let over = over?;
            if self.level == to {
                self.begins = self.begins.saturating_add(over);
                self.current += 1;
                self.jumped = false;
                continue;
            }
            // A rise takes the slot `level`, a fall leaves the one below: both where the line is as high as the slot.
            let up = to > from;
            let passed = if up {
                self.level - from
            } else {
                from - (self.level - 1)
            };
            let share = u128::from(passed) * u128::from(over) / u128::from(to.abs_diff(from));
            return Some(self.step(self.begins.saturating_add(share as u64), up));
        }
    }

    fn step(&mut self, at: Nanos, up: bool) -> Crossing {
        if up {
            self.level += 1;
        } else {
            self.level -= 1;
        }
        Crossing { at, up }
    }
}
