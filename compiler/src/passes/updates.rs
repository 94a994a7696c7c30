//! Updates in place: what is taken out, changed and put back again and again is taken out once.
//!
//! `a[i].x -= 1` followed by `a[i].y -= 1` puts the element back only to take it out again: where nothing looks at the
//! list in between, it stays out. An object that is unique already needs no second `Unique`. And an element that is
//! replaced by what a function makes of it, `a[i] = f(a[i])`, is taken out of the list, so that the function may change
//! it in place. Works along lines of blocks, each the `ok` edge of the one before; where something fails in between,
//! the list must not be looked at any more. Runs before ownership, when it is known which parameters are owned.
//!
//! [`line`] walks lines. Enter at [`run`].

mod line;

use super::graph::Liveness;
use super::simplify::{rename, simplify};
use crate::ir::{
    Block, BlockId, Function, Inst, Mode, Op, Program, Reg, Signatures, Target, Terminator, TryOp,
    Ty,
};
use line::{At, Line, lines};
use smallvec::smallvec;
use std::collections::{HashMap, HashSet};

/// One update may make way for another.
const ROUNDS: usize = 4;

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in &mut program.functions {
        let changes = |inst: &Inst| inst.op.changes().is_some();
        let has_set = |block: &Block| {
            let is_set = |term: &Terminator| {
                matches!(
                    term,
                    Terminator::Try {
                        op: TryOp::ListSet(..),
                        ..
                    }
                )
            };
            block.insts.iter().any(changes) || is_set(&block.term)
        };
        if !function.blocks.iter().any(has_set) {
            continue;
        }
        take_replaced(function, &sigs);
        for _ in 0..ROUNDS {
            let mut changed = merge_uniques(function, &sigs);
            changed |= keep_out(function, &sigs);
            if !changed {
                break;
            }
            simplify(function);
        }
    }
}

fn liveness(function: &Function, sigs: &Signatures) -> Liveness {
    Liveness::compute(function, sigs, &|_| None)
}

/// What is unique already is not made so again; whether there was any.
fn merge_uniques(function: &mut Function, sigs: &Signatures) -> bool {
    let live = liveness(function, sigs);
    let mut same = HashMap::new();
    for line in lines(function) {
        let line = Line::new(function, sigs, &live, &line);
        // Unique registers that nobody has taken over since.
        let mut unique: HashSet<Reg> = HashSet::new();
        for at in line.positions() {
            if let (Some(Op::Unique(a)), Some(made)) = (line.op(at), line.result(at)) {
                if unique.contains(a) && !line.is_live_behind(at, *a) {
                    same.insert(made, *a);
                }
                unique.remove(a);
                unique.insert(made);
                continue;
            }
            // Functions may keep what they are lent.
            let is_call = line.is_call(at);
            line.each_reg(at, &mut |reg, mode| {
                if is_call || mode == Mode::Own {
                    unique.remove(reg);
                }
            });
        }
    }
    for block in &mut function.blocks {
        let is_new = |inst: &Inst| {
            inst.results
                .first()
                .is_none_or(|reg| !same.contains_key(reg))
        };
        block.insts.retain(is_new);
    }
    rename(function, &same);
    !same.is_empty()
}

/// What is put back only to be taken out again stays out; whether there was any.
fn keep_out(function: &mut Function, sigs: &Signatures) -> bool {
    let live = liveness(function, sigs);
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

/// An element that is replaced by what becomes of it is taken out.
fn take_replaced(function: &mut Function, sigs: &Signatures) {
    let live = liveness(function, sigs);
    let counts = use_counts(function, sigs);
    let mut wanted = Vec::new();
    for line in lines(function) {
        let line = Line::new(function, sigs, &live, &line);
        for at in line.positions() {
            if let Some((list, index)) = read_element(&line, at)
                && line.result(at).is_some_and(|read| {
                    function.regs[read.index()] == Ty::Ptr
                        && counts.get(&read) == Some(&1)
                        && is_replaced(&line, at, list, index, read)
                })
            {
                wanted.push((at, list, index));
            }
        }
    }
    // Later ones first: the positions of the others stay right.
    for (at, list, index) in wanted.into_iter().rev() {
        take_element(function, at, list, index);
    }
}

fn read_element(line: &Line<'_>, at: At) -> Option<(Reg, Reg)> {
    match (line.op(at), line.attempt(at)) {
        (Some(Op::ListAt(list, index)), _) | (_, Some(TryOp::ListGet(list, index))) => {
            Some((*list, *index))
        }
        _ => None,
    }
}

/// Whether the only thing that is done with an element is to hand it over, before another takes its place.
fn is_replaced(line: &Line<'_>, from: At, list: Reg, index: Reg, read: Reg) -> bool {
    let mut owner = list;
    let mut handed_over = false;
    if line.may_see_behind_error(from, list) {
        return false;
    }
    for at in line.positions_behind(from) {
        let here = at;
        line.each_reg(at, &mut |reg, mode| {
            handed_over |= *reg == read && mode == Mode::Own
        });
        match (line.op(at), line.attempt(at)) {
            (_, Some(TryOp::ListSet(set, at, _))) if *set == list => {
                return handed_over && *at == index && !line.is_live_behind(here, list);
            }
            (Some(Op::Unique(unique)), _) if *unique == list && owner == list => {
                let Some(made) = line.result(at) else {
                    return false;
                };
                owner = made;
            }
            (Some(Op::ListPut(put, at, _)), _) if *put == owner && owner != list => {
                return handed_over && *at == index && !line.is_live_behind(here, list);
            }
            _ if line.reads(at, list) || line.reads(at, owner) => return false,
            _ => {}
        }
        if line.may_see_behind_error(at, owner) || line.may_see_behind_error(at, list) {
            return false;
        }
    }
    false
}

/// How often each register is read.
fn use_counts(function: &Function, sigs: &Signatures) -> HashMap<Reg, usize> {
    let mut counts: HashMap<Reg, usize> = HashMap::new();
    let mut note = |reg: &Reg, _| *counts.entry(*reg).or_default() += 1;
    for block in &function.blocks {
        for inst in &block.insts {
            inst.op.each_reg(sigs, &mut note);
        }
        block.term.each_reg(sigs, &mut note);
        for target in block.term.targets() {
            target.args.iter().for_each(|arg| note(arg, Mode::Own));
        }
    }
    counts
}

/// Takes the element out instead of reading it, of the list made unique.
fn take_element(function: &mut Function, At(id, at): At, list: Reg, index: Reg) {
    function.regs.push(Ty::Ptr);
    let unique = Reg(function.regs.len() as u32 - 1);
    let next = BlockId(function.blocks.len() as u32);
    let block = &mut function.blocks[id.index()];
    let taken = |results, ok, err| Terminator::Try {
        op: TryOp::ListTake(unique, index),
        results,
        ok,
        err,
    };
    let to = |block| Target {
        block,
        args: Vec::new(),
    };
    if at < block.insts.len() {
        let rest = block.insts.split_off(at + 1);
        let read = block.insts.pop().expect("the element was read there");
        let behind = Block {
            params: Vec::new(),
            insts: rest,
            term: std::mem::take(&mut block.term),
            term_span: block.term_span,
            cold: block.cold,
        };
        block.term = taken(read.results, to(next), to(BlockId(next.0 + 1)));
        block.term_span = read.span;
        function.blocks.push(behind);
        // The index is known to be inside.
        function.blocks.push(Block {
            term: Terminator::Unreachable,
            term_span: read.span,
            cold: true,
            ..Block::default()
        });
    } else if let Terminator::Try {
        results, ok, err, ..
    } = std::mem::take(&mut block.term)
    {
        block.term = taken(results, ok, err);
    }
    replace_behind(function, id, list, unique);
    let block = &mut function.blocks[id.index()];
    block.insts.push(Inst {
        results: smallvec![unique],
        op: Op::Unique(list),
        span: block.term_span,
    });
}

/// On the line behind a block, the list is the unique one.
fn replace_behind(function: &mut Function, from: BlockId, list: Reg, unique: Reg) {
    let mut at = from;
    while let Some(next) = line::next(function, at) {
        let block = &mut function.blocks[next.index()];
        let mut swap = |reg: &mut Reg, _| {
            if *reg == list {
                *reg = unique;
            }
        };
        let sigs = Signatures::default();
        for inst in &mut block.insts {
            inst.op.each_reg_mut(&sigs, &mut swap);
        }
        block.term.each_reg_mut(&sigs, &mut swap);
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::{Stage, ir_text, parse_ir, verify};
    use insta::assert_snapshot;

    const TABLES: &str = "desc20 = record \"Body\" [\"x\" float, \"y\" float]\ndesc21 = list desc20\n\
                          host0 = \"list.sorted\" (ptr) -> ptr\n\
                          fn0 \"moved\" (v0 ptr) -> ptr {\nbb0:\n  v1 ptr = unique v0\n  v2 float = float 1.0, 0\n  \
                          try poke -> bb1, bb2\nbb1:\n  store v1, 0, v2\n  return v1\nbb2: cold\n  fail\n}\n";

    /// The function before and behind the pass; counts are inserted then, for the verifier.
    fn updated(function: &str) -> (String, String) {
        let text = format!("{TABLES}{function}");
        let mut program = parse_ir(&text).unwrap_or_else(|wrong| panic!("{wrong} in:\n{text}"));
        let before = ir_text(&program);
        super::super::params::run(&mut program, &[]);
        super::run(&mut program);
        let behind = ir_text(&program);
        super::super::ownership::run(&mut program);
        verify(&program, Stage::Owned)
            .unwrap_or_else(|broken| panic!("{broken} in:\n{}", ir_text(&program)));
        (before, behind)
    }

    fn both((before, behind): (String, String)) -> String {
        format!("before:\n{before}\nbehind:\n{behind}")
    }

    #[test]
    fn an_element_that_is_changed_twice_is_taken_out_once() {
        assert_snapshot!(both(updated(
            "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {\nbb0:\n  v3 ptr = unique v0\n  \
             try v4 ptr = list_take v3, v1 -> bb1, bb3\nbb1:\n  v5 ptr = unique v4\n  store v5, 0, v2\n  \
             list_put v3, v1, v5\n  v6 ptr = list_at v3, v1\n  v7 float = load v6, 0\n  v8 ptr = unique v3\n  \
             try v9 ptr = list_take v8, v1 -> bb2, bb4\nbb2:\n  v10 ptr = unique v9\n  store v10, 1, v7\n  \
             list_put v8, v1, v10\n  return v8\nbb3: cold\n  fail\nbb4: cold\n  fail\n}\n"
        )));
    }

    #[test]
    fn what_a_function_replaces_is_taken_out_for_it() {
        assert_snapshot!(both(updated(
            "fn1 \"f\" (v0 ptr, v1) -> ptr {\nbb0:\n  v2 ptr = list_at v0, v1\n  \
             try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  list_put v4, v1, v3\n  \
             return v4\nbb2: cold\n  fail\n}\n"
        )));
    }

    #[test]
    fn what_something_looks_at_in_between_is_left() {
        // Another index may be the same; a handler sees the list; a host function may keep what it is lent; the list
        // lives on as it was.
        for body in [
            "bb0:\n  v3 ptr = unique v0\n  try v4 ptr = list_take v3, v1 -> bb1, bb3\nbb1:\n  list_put v3, v1, v4\n  \
             v6 ptr = list_at v3, v90\n  v7 float = load v6, 0\n  try v9 ptr = list_take v3, v1 -> bb2, bb4\nbb2:\n  \
             store v9, 1, v7\n  list_put v3, v1, v9\n  return v3\nbb3: cold\n  fail\nbb4: cold\n  fail\n",
            "bb0:\n  v2 ptr = list_at v0, v1\n  try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  \
             list_put v4, v1, v3\n  return v4\nbb2: cold\n  return v0\n",
            "bb0:\n  v3 ptr = unique v0\n  v4 ptr = host host0, [v3]\n  v5 ptr = unique v3\n  list_put v5, v1, v4\n  \
             return v5\n",
            "bb0:\n  v2 ptr = list_at v0, v1\n  try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  \
             list_put v4, v1, v3\n  v5 ptr = new_list desc21, [v4, v0]\n  return v5\nbb2: cold\n  fail\n",
        ] {
            let text = format!("fn1 \"f\" (v0 ptr, v1, v90) -> ptr {{\n{body}}}\n");
            let (before, behind) = updated(&text);
            let count = |text: &str| {
                let words = ["list_take", "list_put", "unique"];
                words.map(|word| text.matches(word).count())
            };
            assert_eq!(count(&before), count(&behind), "{behind}");
        }
    }
}
