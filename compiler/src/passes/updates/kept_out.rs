//! What is put back only to be taken out again stays out, where nothing looks at its owner in between. Enter at
//! [`keep_out`].

use super::super::graph::Liveness;
use super::super::simplify::rename;
use super::line::{At, Line, lines};
use crate::ir::{BlockId, Function, Op, Reg, Signatures, Terminator, TryOp};
use std::collections::{HashMap, HashSet};

/// What is put back only to be taken out again stays out; whether there was any.
pub(super) fn keep_out(function: &mut Function, sigs: &Signatures) -> bool {
    let live = Liveness::compute(function, sigs, &|_| None);
    let mut same = HashMap::new();
    let mut gone: HashSet<At> = HashSet::new();
    for line in lines(function) {
        let line = Line::new(function, sigs, &live, &line);
        for at in line.positions() {
            let Some((place, value)) = line.op(at).and_then(put) else {
                continue;
            };
            if let Some(taken) = taken_again(&line, at, place) {
                gone.insert(at);
                gone.extend(taken.iter().copied());
                let results = taken.iter().filter_map(|at| line.result(*at));
                same.extend(results.map(|result| (result, value)));
            }
        }
    }
    for (id, block) in (0u32..).map(BlockId).zip(&mut function.blocks) {
        if gone.contains(&At(id, block.insts.len())) {
            let Terminator::Try { ok, .. } = std::mem::take(&mut block.term) else {
                unreachable!("only what may fail takes out at the end of a block");
            };
            block.term = Terminator::Jump(ok);
        }
        let mut at = 0;
        block.insts.retain(|_| {
            at += 1;
            !gone.contains(&At(id, at - 1))
        });
    }
    rename(function, &same);
    !same.is_empty()
}

/// A place that something is taken out of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Field(Reg, u32),
    Element(Reg, Reg),
}

impl Place {
    fn owner(self) -> Reg {
        match self {
            Place::Field(owner, _) | Place::Element(owner, _) => owner,
        }
    }
}

/// Where an instruction puts which object.
fn put(op: &Op) -> Option<(Place, Reg)> {
    match op {
        Op::Store(object, slot, value) => Some((Place::Field(*object, *slot), *value)),
        Op::ListPut(list, at, value) => Some((Place::Element(*list, *at), *value)),
        _ => None,
    }
}

/// Where what was put into a place is taken out of it again, and where it is read before; the last one takes it.
fn taken_again(line: &Line<'_>, from: At, place: Place) -> Option<Vec<At>> {
    let mut found = Vec::new();
    for at in line.positions_behind(from) {
        let seen = match line.op(at) {
            Some(Op::Take(object, slot)) => Some((Place::Field(*object, *slot), true)),
            Some(Op::ListTake(list, index)) => Some((Place::Element(*list, *index), true)),
            Some(Op::Load(object, slot)) => Some((Place::Field(*object, *slot), false)),
            Some(Op::Store(object, slot, _)) => Some((Place::Field(*object, *slot), false)),
            Some(Op::ListAt(list, index)) => Some((Place::Element(*list, *index), false)),
            _ => match line.attempt(at) {
                Some(TryOp::ListTake(list, index)) => Some((Place::Element(*list, *index), true)),
                _ => None,
            },
        };
        let is_store = matches!(line.op(at), Some(Op::Store(..)));
        match seen {
            Some((seen, true)) if seen == place => {
                found.push(at);
                return Some(found);
            }
            Some((seen, false)) if seen == place && !is_store => found.push(at),
            // Other fields lie elsewhere; other indices may be the same element.
            Some((Place::Field(owner, slot), _))
                if owner == place.owner() && seen_apart(place, slot) => {}
            _ if matches!(line.op(at), Some(Op::ListLen(_))) => {}
            _ if line.reads(at, place.owner()) => return None,
            _ => {}
        }
        if line.may_see_behind_error(at, place.owner()) {
            return None;
        }
    }
    None
}

/// Whether a field is another one than this place.
fn seen_apart(place: Place, slot: u32) -> bool {
    matches!(place, Place::Field(_, own) if own != slot)
}
