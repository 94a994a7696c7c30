//! An element that is replaced by what a function makes of it, `a[i] = f(a[i])`, is taken out of its list, so that the
//! function may change it in place. Enter at [`take_replaced`].

use super::super::graph::Liveness;
use super::line::{At, Line, lines, next};
use crate::ir::{
    Block, BlockId, Function, Inst, Mode, Op, Reg, Signatures, Target, Terminator, TryOp, Ty,
};
use smallvec::smallvec;

/// An element that is replaced by what becomes of it is taken out.
pub(super) fn take_replaced(function: &mut Function, sigs: &Signatures) {
    let live = Liveness::compute(function, sigs, &|_| None);
    let counts = function.use_counts();
    let mut wanted = Vec::new();
    for line in lines(function) {
        let line = Line::new(function, sigs, &live, &line);
        for at in line.positions() {
            if let Some((list, index)) = read_element(&line, at)
                && line.result(at).is_some_and(|read| {
                    function.regs[read.index()] == Ty::Ptr
                        && counts[read.index()] == 1
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
    while let Some(next) = next(function, at) {
        let block = &mut function.blocks[next.index()];
        let sigs = Signatures::default();
        let mut swap = |reg: &mut Reg, _| {
            if *reg == list {
                *reg = unique;
            }
        };
        for inst in &mut block.insts {
            inst.op.each_reg_mut(&sigs, &mut swap);
        }
        block.term.each_reg_mut(&sigs, &mut swap);
        at = next;
    }
}
