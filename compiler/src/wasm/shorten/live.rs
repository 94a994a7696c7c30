//! Which locals are read later. Enter at [`Lives::of`], [`leave_out_dead`].

use super::facts::is_idle;
use super::set::Set;
use super::{Shortening, value_start};
use wasm_encoder::Instruction as I;

/// As often is looked for what is dead because of what has gone.
const ROUNDS: usize = 3;

/// What is live where, found by going backwards over code until nothing changes.
pub(super) struct Lives<'c> {
    code: &'c [I<'static>],
    /// For each end where it begins, and whether that is a loop.
    starts: Vec<(usize, bool)>,
    /// What is live at the start of loops.
    loops: Vec<Option<Set>>,
    count: usize,
    at_start: Set,
}

/// A block that the walk is inside of.
struct Open {
    start: usize,
    is_loop: bool,
    /// What is live behind it.
    behind: Set,
    /// What is live at the start of its `else`.
    otherwise: Option<Set>,
}

impl<'c> Lives<'c> {
    /// Looks at code with so many locals.
    pub(super) fn of(code: &'c [I<'static>], count: usize) -> Lives<'c> {
        let mut lives = Lives {
            code,
            starts: starts(code),
            loops: vec![None; code.len()],
            count,
            at_start: Set::new(count),
        };
        while lives.pass(&mut |_, _| {}) {}
        lives
    }

    /// Calls `visit` with each place that writes a local, and what is live behind it.
    pub(super) fn writes(mut self, visit: &mut dyn FnMut(usize, &Set)) {
        self.pass(visit);
    }

    /// One walk from the end to the start; whether more is live at a loop's start than was known.
    fn pass(&mut self, visit: &mut dyn FnMut(usize, &Set)) -> bool {
        let mut live = Set::new(self.count);
        let mut open: Vec<Open> = Vec::new();
        let mut changed = false;
        for at in (0..self.code.len()).rev() {
            match &self.code[at] {
                I::End => {
                    let (start, is_loop) = self.starts[at];
                    open.push(Open {
                        start,
                        is_loop,
                        behind: live.clone(),
                        otherwise: None,
                    });
                }
                I::Else => {
                    let inner = open.last_mut().expect("an `else` is inside of an `if`");
                    let behind = inner.behind.clone();
                    inner.otherwise = Some(std::mem::replace(&mut live, behind));
                }
                I::If(_) => {
                    let inner = open.pop().expect("an `if` has an end");
                    live.add_all(&inner.otherwise.unwrap_or(inner.behind));
                }
                I::Block(_) => {
                    open.pop();
                }
                I::Loop(_) => {
                    open.pop();
                    if self.loops[at].as_ref() != Some(&live) {
                        changed = true;
                        self.loops[at] = Some(live.clone());
                    }
                }
                I::Br(depth) => {
                    live.clear();
                    self.add_target(&mut live, &open, *depth);
                }
                I::BrIf(depth) => self.add_target(&mut live, &open, *depth),
                I::BrTable(depths, last) => {
                    live.clear();
                    for depth in depths.iter().chain([last]) {
                        self.add_target(&mut live, &open, *depth);
                    }
                }
                I::Return | I::Unreachable => live.clear(),
                I::LocalGet(local) => live.insert(*local),
                I::LocalSet(local) | I::LocalTee(local) => {
                    visit(at, &live);
                    live.remove(*local);
                }
                _ => {}
            }
        }
        self.at_start = live;
        changed
    }

    /// What is live at the start.
    pub(super) fn at_start(&self) -> &Set {
        &self.at_start
    }

    fn add_target(&self, live: &mut Set, open: &[Open], depth: u32) {
        let Some(to) = open.len().checked_sub(1 + depth as usize) else {
            return;
        };
        let to = &open[to];
        match to.is_loop {
            true => {
                if let Some(at_start) = &self.loops[to.start] {
                    live.add_all(at_start);
                }
            }
            false => live.add_all(&to.behind),
        }
    }
}

fn starts(code: &[I<'static>]) -> Vec<(usize, bool)> {
    let mut starts = vec![(0, false); code.len()];
    let mut open = Vec::new();
    for (at, instruction) in code.iter().enumerate() {
        match instruction {
            I::Block(_) | I::If(_) => open.push((at, false)),
            I::Loop(_) => open.push((at, true)),
            I::End => starts[at] = open.pop().expect("an end closes something"),
            _ => {}
        }
    }
    starts
}

/// Leaves out what is written and never read, and what only made it.
pub(super) fn leave_out_dead(work: &mut Shortening<'_>) {
    for _ in 0..ROUNDS {
        let mut dead = Vec::new();
        let lives = Lives::of(&work.code.body, work.count_locals());
        let body = &work.code.body;
        lives.writes(&mut |at, live| {
            if let I::LocalSet(local) | I::LocalTee(local) = body[at]
                && !live.has(local)
            {
                dead.push(at);
            }
        });
        // From the end to the start, so that places stay what they are.
        for at in &dead {
            match work.code.body[*at] {
                I::LocalTee(_) => {
                    work.code.body.remove(*at);
                }
                _ => work.code.body[*at] = I::Drop,
            }
        }
        if !drop_values(work) && dead.is_empty() {
            return;
        }
    }
}

/// Leaves out values that are made and dropped; whether there were any.
fn drop_values(work: &mut Shortening<'_>) -> bool {
    let mut found = false;
    let mut at = work.code.body.len();
    while at > 0 {
        at -= 1;
        if !matches!(work.code.body[at], I::Drop) {
            continue;
        }
        if let Some(I::LocalTee(local)) = at.checked_sub(1).map(|before| &work.code.body[before]) {
            let local = *local;
            work.code.body.remove(at);
            work.code.body[at - 1] = I::LocalSet(local);
            found = true;
            continue;
        }
        let start = value_start(&work.code.body, at, work.signatures);
        if let Some(start) = start
            && work.code.body[start..at].iter().all(is_idle)
        {
            work.code.body.drain(start..=at);
            at = start;
            found = true;
        }
    }
    found
}
