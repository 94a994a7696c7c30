//! Moves the code of a value to where the value is first used: it stays on the stack, and is kept in a local only if it
//! is used again.

use super::facts::{Touch, touch};
use super::{Shortening, value_start};
use wasm_encoder::Instruction as I;

/// As far is a use looked for.
const REACH: usize = 400;

/// How often each local is written and read.
struct Counts {
    sets: Vec<u32>,
    gets: Vec<u32>,
}

impl Counts {
    fn of(work: &Shortening<'_>) -> Counts {
        let count = work.count_locals();
        let mut counts = Counts {
            sets: vec![0; count],
            gets: vec![0; count],
        };
        for instruction in &work.code.body {
            match instruction {
                I::LocalGet(local) => counts.gets[*local as usize] += 1,
                I::LocalSet(local) | I::LocalTee(local) => counts.sets[*local as usize] += 1,
                _ => {}
            }
        }
        counts
    }

    /// Whether a local is written at one place and read at one.
    fn is_single(&self, local: u32, params: usize) -> bool {
        let at = local as usize;
        at >= params && self.sets[at] == 1 && self.gets[at] == 1
    }
}

/// What the code of a value touches.
#[derive(Default)]
struct Effects {
    gets: Vec<u32>,
    sets: Vec<u32>,
    globals: Vec<u32>,
    globals_set: Vec<u32>,
    reads: bool,
    writes: bool,
    calls: bool,
}

impl Effects {
    fn of(code: &[I<'_>]) -> Effects {
        let mut effects = Effects::default();
        for instruction in code {
            match touch(instruction) {
                Touch::Nothing | Touch::Control => {}
                Touch::Get(local) => effects.gets.push(local),
                Touch::Set(local) => effects.sets.push(local),
                Touch::GetGlobal(global) => effects.globals.push(global),
                Touch::SetGlobal(global) => effects.globals_set.push(global),
                Touch::Reads => effects.reads = true,
                Touch::Writes => effects.writes = true,
                Touch::Calls => effects.calls = true,
            }
        }
        effects
    }

    /// Whether it only computes: then it may run later or not at all.
    fn is_quiet(&self) -> bool {
        self.sets.is_empty() && self.globals_set.is_empty() && !self.writes && !self.calls
    }

    /// Whether it must not be moved behind something that touches this.
    fn meets(&self, other: Touch) -> bool {
        let acts = self.writes || self.calls;
        match other {
            Touch::Nothing => false,
            Touch::Get(local) => self.sets.contains(&local),
            Touch::Set(local) => self.sets.contains(&local) || self.gets.contains(&local),
            Touch::GetGlobal(global) => self.calls || self.globals_set.contains(&global),
            Touch::SetGlobal(global) => {
                self.calls || self.globals_set.contains(&global) || self.globals.contains(&global)
            }
            Touch::Reads => acts,
            Touch::Writes => acts || self.reads,
            Touch::Calls => {
                let touches = !self.globals.is_empty() || !self.globals_set.is_empty();
                acts || self.reads || touches
            }
            Touch::Control => !self.is_quiet(),
        }
    }
}

/// Moves what can be moved.
pub(super) fn sink(work: &mut Shortening<'_>) {
    copies(work);
    let counts = Counts::of(work);
    let mut at = 0;
    while at < work.code.body.len() {
        match work.code.body[at] {
            I::LocalSet(local) => at = move_one(work, &counts, at, local),
            _ => at += 1,
        }
    }
}

/// Moves the value of one `local.set` to its first use; gives where to go on.
fn move_one(work: &mut Shortening<'_>, counts: &Counts, at: usize, local: u32) -> usize {
    let Some(start) = value_start(&work.code.body, at, work.signatures) else {
        return at + 1;
    };
    let effects = Effects::of(&work.code.body[start..at]);
    let is_single = counts.is_single(local, work.code.params.len());
    let Some(taken) = use_of(work, &effects, at, local, is_single) else {
        return at + 1;
    };
    let body = &mut work.code.body;
    let mut value: Vec<I<'static>> = body.drain(start..=at).collect();
    if is_single {
        value.pop();
    } else if let Some(last) = value.last_mut() {
        *last = I::LocalTee(local);
    }
    let taken = taken - (at + 1 - start);
    body.splice(taken..=taken, value);
    start
}

/// The first `local.get` behind a `local.set` that the value can be moved to.
fn use_of(
    work: &Shortening<'_>,
    effects: &Effects,
    at: usize,
    local: u32,
    is_single: bool,
) -> Option<usize> {
    // What was opened since, and whether it may be left again: a loop would run the code again.
    let mut opened = 0_usize;
    for (place, instruction) in work.code.body.iter().enumerate().skip(at + 1).take(REACH) {
        match instruction {
            I::LocalGet(read) if *read == local => return Some(place),
            I::LocalSet(set) | I::LocalTee(set) if *set == local => return None,
            I::Loop(_) => return None,
            I::Block(_) | I::If(_) if is_single && !work.waits => opened += 1,
            I::End if opened > 0 => opened -= 1,
            I::Else if opened > 0 => {}
            I::BrIf(_) if is_single && !work.waits => {}
            I::Br(_) | I::BrTable(..) | I::Return | I::Unreachable if opened > 0 => {}
            other if touch(other) == Touch::Control => return None,
            _ => {}
        }
        if effects.meets(touch(instruction)) {
            return None;
        }
    }
    None
}

/// Where a local is but a copy of another one and both are written once, the other one is read.
fn copies(work: &mut Shortening<'_>) {
    let counts = Counts::of(work);
    let params = work.code.params.len();
    let is_constant = |local: u32| {
        let sets = counts.sets[local as usize];
        sets == usize::from((local as usize) >= params) as u32
    };
    let mut same: Vec<u32> = (0..work.count_locals() as u32).collect();
    for pair in work.code.body.windows(2) {
        if let [I::LocalGet(from), I::LocalSet(to)] = pair
            && is_constant(*from)
            && is_constant(*to)
            && (*to as usize) >= params
        {
            same[*to as usize] = *from;
        }
    }
    for local in 0..same.len() {
        // Chains are short; a copy of itself is none.
        for _ in 0..same.len() {
            let next = same[same[local] as usize];
            if next == same[local] {
                break;
            }
            same[local] = next;
        }
    }
    for instruction in &mut work.code.body {
        if let I::LocalGet(local) = instruction {
            *local = same[*local as usize];
        }
    }
}
