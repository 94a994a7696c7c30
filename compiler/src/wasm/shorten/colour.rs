//! Gives locals places: those that are never needed at the same time share one, and what is copied stays where it is.

use super::Shortening;
use super::live::Lives;
use super::set::Set;
use wasm_encoder::Instruction as I;
use wasm_encoder::ValType;

/// With more locals than this, each keeps a place of its own.
const MOST: usize = 6_000;

/// Locals that share a place, by the number of one of them.
struct Classes {
    parent: Vec<u32>,
    /// Which classes must not share a place.
    apart: Vec<Set>,
}

impl Classes {
    fn find(&self, mut local: u32) -> u32 {
        while self.parent[local as usize] != local {
            local = self.parent[local as usize];
        }
        local
    }

    fn part(&mut self, a: u32, b: u32) {
        if a != b {
            self.apart[a as usize].insert(b);
            self.apart[b as usize].insert(a);
        }
    }

    /// Makes one class of two that may share a place; the lower number stands for both.
    fn join(&mut self, a: u32, b: u32) {
        let (root, gone) = (a.min(b), a.max(b));
        let others: Vec<u32> = self.apart[gone as usize].iter().collect();
        for other in others {
            self.apart[other as usize].remove(gone);
            self.part(root, other);
        }
        self.parent[gone as usize] = root;
    }
}

/// Shares places among locals.
pub(super) fn colour(work: &mut Shortening<'_>) {
    let count = work.count_locals();
    if count > MOST {
        return;
    }
    let mut classes = interference(work, count);
    join_copies(work, &mut classes);
    let places = places(work, &classes);
    rename(work, &places);
}

fn interference(work: &Shortening<'_>, count: usize) -> Classes {
    let mut classes = Classes {
        parent: (0..count as u32).collect(),
        apart: vec![Set::new(count); count],
    };
    let params = work.code.params.len() as u32;
    let body = &work.code.body;
    let lives = Lives::of(body, count);
    let at_start = lives.at_start();
    for param in 0..params {
        (0..params).for_each(|other| classes.part(param, other));
        at_start.iter().for_each(|other| classes.part(param, other));
    }
    lives.writes(&mut |at, live| {
        let (I::LocalSet(local) | I::LocalTee(local)) = body[at] else {
            return;
        };
        let copied = copied(body, at);
        for other in live.iter().filter(|other| Some(*other) != copied) {
            classes.part(local, other);
        }
    });
    classes
}

/// The local that a write copies.
fn copied(body: &[I<'_>], at: usize) -> Option<u32> {
    match body.get(at.checked_sub(1)?)? {
        I::LocalGet(from) | I::LocalTee(from) => Some(*from),
        _ => None,
    }
}

fn join_copies(work: &Shortening<'_>, classes: &mut Classes) {
    let body = &work.code.body;
    let params = work.code.params.len() as u32;
    for at in 0..body.len() {
        let (I::LocalSet(to) | I::LocalTee(to)) = body[at] else {
            continue;
        };
        let Some(from) = copied(body, at) else {
            continue;
        };
        let (a, b) = (classes.find(from), classes.find(to));
        let are_params = a < params && b < params;
        let are_apart = classes.apart[a as usize].has(b);
        if a != b && !are_params && !are_apart && work.type_of(a) == work.type_of(b) {
            classes.join(a, b);
        }
    }
}

/// Classes that have one place.
struct Place {
    ty: ValType,
    classes: Vec<u32>,
}

/// The new number of each local.
fn places(work: &mut Shortening<'_>, classes: &Classes) -> Vec<u32> {
    let count = work.count_locals();
    let mut weights = vec![0_u32; count];
    for instruction in &work.code.body {
        if let I::LocalGet(local) | I::LocalSet(local) | I::LocalTee(local) = instruction {
            weights[classes.find(*local) as usize] += 1;
        }
    }
    let params = work.code.params.len();
    let mut places: Vec<Place> = (0..params as u32)
        .map(|param| Place {
            ty: work.type_of(param),
            classes: vec![param],
        })
        .collect();
    let mut wanted: Vec<u32> = (params as u32..count as u32)
        .filter(|local| weights[*local as usize] > 0 && classes.find(*local) == *local)
        .collect();
    wanted.sort_by_key(|local| (std::cmp::Reverse(weights[*local as usize]), *local));
    for class in wanted {
        let ty = work.type_of(class);
        let apart = &classes.apart[class as usize];
        let suits = |place: &&mut Place| {
            place.ty == ty && !place.classes.iter().any(|have| apart.has(*have))
        };
        match places.iter_mut().find(suits) {
            Some(place) => place.classes.push(class),
            None => places.push(Place {
                ty,
                classes: vec![class],
            }),
        }
    }
    // Locals of one type are declared together.
    let order = |place: &Place| match place.ty {
        ValType::I64 => 0,
        ValType::I32 => 1,
        _ => 2,
    };
    places[params..].sort_by_key(order);
    work.code.locals = places[params..].iter().map(|place| place.ty).collect();
    let mut numbers = vec![0; count];
    for (number, place) in (0..).zip(&places) {
        for class in &place.classes {
            numbers[*class as usize] = number;
        }
    }
    (0..count as u32)
        .map(|local| numbers[classes.find(local) as usize])
        .collect()
}

fn rename(work: &mut Shortening<'_>, places: &[u32]) {
    for instruction in &mut work.code.body {
        if let I::LocalGet(local) | I::LocalSet(local) | I::LocalTee(local) = instruction {
            *local = places[*local as usize];
        }
    }
}
