//! Puts the bodies of small functions in the place of their calls.
//!
//! Only pure functions outside of cycles are inlined: small ones everywhere, and in pure functions also larger ones
//! that nothing else calls. Callees come before callers, so that a body is complete when it is copied. Polls of
//! `ctx.poke` and everything else that a body does stays in it.
//!
//! Errors keep their traces. The error exits of a body lead to the error path of the call, which adds the call's place
//! as before; and the places of the body stay those of its own function, because the caller remembers in
//! [`Function::inlined`] which of its places lie elsewhere. A call is left alone where the same place occurs in the
//! code of both, because then nobody could tell.
//!
//! Enter at [`run`].

use super::calls::components;
use super::simplify::simplify;
use crate::ir::{
    Block, BlockId, FuncId, Function, Inst, Op, Program, Reg, Signatures, Target, Terminator, TryOp,
};
use scn_grammar::Span;
use std::collections::HashMap;

/// What a function may cost to be inlined wherever it is called.
const SMALL: usize = 24;
/// The same in bodies of the library, where size counts more than calls.
const SMALL_BODY: usize = 5;
/// The same, where the only call of it is.
const SINGLE: usize = 80;
/// What a function may cost after others were inlined into it.
const CALLER: usize = 500;

/// Inlines what pays, and leaves out what nobody calls any more.
pub(crate) fn run(program: &mut Program) {
    let callees: Vec<Vec<FuncId>> = program.functions.iter().map(callees).collect();
    let calls = keeping_all(program, SMALL);
    leave_out(program, &callees, &calls);
}

/// Inlines what pays in bodies of the library: anything may still be called from outside.
pub(crate) fn run_on_bodies(program: &mut Program) {
    keeping_all(program, SMALL_BODY);
}

/// Inlines what pays, small functions everywhere; gives how often each function was called before.
fn keeping_all(program: &mut Program, small: usize) -> Vec<usize> {
    let callees: Vec<Vec<FuncId>> = program.functions.iter().map(callees).collect();
    let mut calls = vec![0; program.functions.len()];
    for callee in callees.iter().flatten() {
        calls[callee.index()] += 1;
    }
    for component in components(&callees) {
        for id in component {
            let caller = std::mem::replace(&mut program.functions[id.index()], nothing());
            program.functions[id.index()] =
                Inliner::new(program, &calls, id, caller, small).finish();
        }
    }
    calls
}

/// Stands for a function that is being worked on.
fn nothing() -> Function {
    Function {
        name: String::new(),
        params: Vec::new(),
        results: Default::default(),
        regs: Vec::new(),
        blocks: Vec::new(),
        waits: false,
        recursive: true,
        frame: None,
        inlined: Vec::new(),
        span: Span::default(),
    }
}

/// The pure functions that a function calls.
fn callees(function: &Function) -> Vec<FuncId> {
    let mut found = Vec::new();
    for block in &function.blocks {
        found.extend(block.insts.iter().filter_map(called));
        if let Terminator::Try {
            op: TryOp::Call(callee, _),
            ..
        } = &block.term
        {
            found.push(*callee);
        }
    }
    found
}

fn called(inst: &Inst) -> Option<FuncId> {
    match &inst.op {
        Op::Call(callee, _) => Some(*callee),
        _ => None,
    }
}

/// Of functions that are no longer called, the bodies go.
fn leave_out(program: &mut Program, before: &[Vec<FuncId>], calls: &[usize]) {
    let mut called = vec![false; program.functions.len()];
    // Callers come behind their callees: what only left out functions call goes as well.
    for component in components(before).into_iter().rev() {
        for id in component {
            let function = &mut program.functions[id.index()];
            let was_called = calls[id.index()] > 0;
            if was_called && !called[id.index()] && !function.waits && !function.recursive {
                function.blocks = vec![Block {
                    term: Terminator::Unreachable,
                    term_span: function.span,
                    ..Block::default()
                }];
                continue;
            }
            for callee in callees(function) {
                called[callee.index()] = true;
            }
        }
    }
}

/// What running a function costs, roughly: its instructions but for constants, error paths left out.
fn cost(function: &Function) -> usize {
    let warm = function.blocks.iter().filter(|block| !block.cold);
    let counts = |inst: &&Inst| {
        !matches!(
            inst.op,
            Op::Int(_) | Op::Float(_) | Op::Const(_) | Op::Null | Op::Keep(_)
        )
    };
    warm.map(|block| block.insts.iter().filter(counts).count() + 1)
        .sum()
}

/// The places that errors of a function's code may have, and host calls that it makes.
fn places(function: &Function) -> impl Iterator<Item = Span> + '_ {
    let names_place = |inst: &&Inst| {
        matches!(
            inst.op,
            Op::ErrTrace | Op::Host(..) | Op::Call(..) | Op::Spawn(..)
        )
    };
    function.blocks.iter().flat_map(move |block| {
        let insts = block.insts.iter().filter(names_place);
        let end = matches!(block.term, Terminator::Try { .. } | Terminator::Wait { .. });
        insts
            .map(|inst| inst.span)
            .chain(end.then_some(block.term_span))
            .filter(|span| *span != Span::default())
    })
}

/// One caller.
struct Inliner<'p> {
    program: &'p Program,
    /// How often each function is called.
    calls: &'p [usize],
    id: FuncId,
    caller: Function,
    /// The function that each place of the caller's code lies in.
    origins: HashMap<Span, FuncId>,
    cost: usize,
    /// What a function may cost to be inlined wherever it is called.
    small: usize,
}

/// A call that is to be replaced.
struct Site {
    callee: FuncId,
    args: Vec<Reg>,
    /// Where control goes on, with the results as arguments.
    ok: BlockId,
    /// Where errors go; nowhere if the callee has none.
    err: Option<Target>,
    cold: bool,
}

impl<'p> Inliner<'p> {
    fn new(
        program: &'p Program,
        calls: &'p [usize],
        id: FuncId,
        caller: Function,
        small: usize,
    ) -> Self {
        Inliner {
            origins: places(&caller).map(|span| (span, id)).collect(),
            cost: cost(&caller),
            program,
            calls,
            id,
            caller,
            small,
        }
    }

    fn finish(mut self) -> Function {
        let mut open: Vec<BlockId> = (0..self.caller.blocks.len() as u32).map(BlockId).collect();
        let mut changed = false;
        while let Some(block) = open.pop() {
            if let Some(behind) = self.first_call(block) {
                changed = true;
                open.push(behind);
            }
        }
        if changed {
            let (id, origins) = (self.id, self.origins);
            let elsewhere = origins.into_iter().filter(|(_, origin)| *origin != id);
            self.caller.inlined = elsewhere.collect();
            self.caller.inlined.sort_unstable();
            simplify(&mut self.caller);
        }
        self.caller
    }

    /// Inlines the first call of a block that is worth it; gives the block with what was behind it.
    fn first_call(&mut self, id: BlockId) -> Option<BlockId> {
        let block = &self.caller.blocks[id.index()];
        let insts = block.insts.iter().enumerate();
        let mut wanted = insts.filter_map(|(at, inst)| Some((at, called(inst)?)));
        if let Some((at, _)) = wanted.find(|(_, callee)| self.pays(*callee, block.cold)) {
            return Some(self.inst(id, at));
        }
        match &block.term {
            Terminator::Try {
                op: TryOp::Call(callee, _),
                ..
            } if self.pays(*callee, block.cold) => Some(self.terminator(id)),
            _ => None,
        }
    }

    fn pays(&self, callee: FuncId, cold: bool) -> bool {
        let function = &self.program.functions[callee.index()];
        if function.waits || function.recursive || function.blocks.is_empty() || cold {
            return false;
        }
        let cost = cost(function);
        let is_single = self.calls[callee.index()] == 1 && !self.caller.waits;
        let limit = if is_single { SINGLE } else { self.small };
        cost <= limit && self.cost + cost <= CALLER && self.is_clear(callee)
    }

    /// Whether each place of the callee's code is still known to be in its function when it is here.
    fn is_clear(&self, callee: FuncId) -> bool {
        let function = &self.program.functions[callee.index()];
        places(function).all(|span| {
            let origin = function.origin(span).unwrap_or(callee);
            self.origins.get(&span).is_none_or(|known| *known == origin)
        })
    }

    /// Splits a block behind a call that cannot fail, and puts the body between.
    fn inst(&mut self, id: BlockId, at: usize) -> BlockId {
        let block = &mut self.caller.blocks[id.index()];
        let rest = block.insts.split_off(at + 1);
        let call = block.insts.pop().expect("the call is at that position");
        let behind = Block {
            params: call.results.to_vec(),
            insts: rest,
            term: std::mem::take(&mut block.term),
            term_span: block.term_span,
            cold: block.cold,
        };
        block.term_span = call.span;
        let cold = block.cold;
        let Op::Call(callee, args) = call.op else {
            unreachable!("the instruction was seen to be a call");
        };
        let ok = self.push(behind);
        self.body(
            id,
            Site {
                callee,
                args,
                ok,
                err: None,
                cold,
            },
        );
        ok
    }

    /// Puts the body in the place of a call that ends a block.
    fn terminator(&mut self, id: BlockId) -> BlockId {
        let block = &mut self.caller.blocks[id.index()];
        let (cold, term_span) = (block.cold, block.term_span);
        let Terminator::Try {
            op: TryOp::Call(callee, args),
            results,
            ok,
            err,
        } = std::mem::take(&mut block.term)
        else {
            unreachable!("the terminator was seen to be a call");
        };
        let ok = self.push(Block {
            params: results.to_vec(),
            term: Terminator::Jump(ok),
            term_span,
            cold,
            ..Block::default()
        });
        self.body(
            id,
            Site {
                callee,
                args,
                ok,
                err: Some(err),
                cold,
            },
        );
        ok
    }

    fn push(&mut self, block: Block) -> BlockId {
        self.caller.blocks.push(block);
        BlockId(self.caller.blocks.len() as u32 - 1)
    }

    /// Copies the callee's blocks; the block of the call goes on with the first one.
    fn body(&mut self, from: BlockId, site: Site) {
        let program = self.program;
        let callee = &program.functions[site.callee.index()];
        for span in places(callee) {
            let origin = callee.origin(span).unwrap_or(site.callee);
            self.origins.insert(span, origin);
        }
        self.cost += cost(callee);
        let regs = self.registers(callee, &site.args);
        let first = self.caller.blocks.len() as u32;
        self.caller.blocks[from.index()].term = Terminator::Jump(Target {
            block: BlockId(first),
            args: Vec::new(),
        });
        for block in &callee.blocks {
            let copy = copied(block, &regs, first, &site);
            self.caller.blocks.push(copy);
        }
    }

    /// The registers of the caller that stand for those of the callee: its arguments, and new ones.
    fn registers(&mut self, callee: &Function, args: &[Reg]) -> Vec<Reg> {
        let next = self.caller.regs.len() as u32;
        let mut regs: Vec<Reg> = (next..).map(Reg).take(callee.regs.len()).collect();
        self.caller.regs.extend(&callee.regs);
        for (param, arg) in callee.params.iter().zip(args) {
            regs[param.reg.index()] = *arg;
        }
        regs
    }
}

/// A block of a callee as one of the caller.
fn copied(block: &Block, regs: &[Reg], first: u32, site: &Site) -> Block {
    let sigs = Signatures::default();
    let mut block = block.clone();
    let mut swap = |reg: &mut Reg, _| *reg = regs[reg.index()];
    let define = |reg: &mut Reg| *reg = regs[reg.index()];
    block.cold |= site.cold;
    block.params.iter_mut().for_each(define);
    for inst in &mut block.insts {
        inst.results.iter_mut().for_each(define);
        inst.op.each_reg_mut(&sigs, &mut swap);
    }
    block.term.each_reg_mut(&sigs, &mut swap);
    if let Terminator::Try { results, .. } = &mut block.term {
        results.iter_mut().for_each(define);
    }
    for target in block.term.targets_mut() {
        target.block.0 += first;
        target.args.iter_mut().for_each(define);
    }
    match &block.term {
        Terminator::Return(results) => {
            block.term = Terminator::Jump(Target {
                block: site.ok,
                args: results.to_vec(),
            });
        }
        Terminator::Fail => {
            let err = site.err.clone();
            block.term = err.map_or(Terminator::Unreachable, Terminator::Jump);
        }
        _ => {}
    }
    block
}

#[cfg(test)]
mod tests {
    use super::super::trial::trial;
    use super::run;
    use insta::assert_snapshot;

    fn inlined(text: &str) -> String {
        trial(text, run).both()
    }

    #[test]
    fn bodies_take_the_place_of_calls() {
        assert_snapshot!(inlined(
            "fn0 \"double\" (v0) -> int {\nbb0:\n  v1 = wrapping_add v0, v0\n  return v1\n}\n\
             fn1 \"caller\" (v0) -> int {\nbb0:\n  v1 = call fn0, [v0]\n  v2 = call fn0, [v1]\n  return v2\n}\n"
        ));
    }

    #[test]
    fn errors_lead_to_the_error_path_of_the_call() {
        // The body branches and fails in two ways; the call's place is added to the trace once for each.
        assert_snapshot!(inlined(
            "fn0 \"share\" (v0, v1) -> int {\nbb0:\n  branch v1, bb1, bb2\nbb1:\n  try v2 = div v0, v1 -> bb3, bb4\n\
             bb2:\n  try v3 = neg v0 -> bb5, bb6\nbb3:\n  return v2\nbb4: cold\n  fail\nbb5:\n  return v3\n\
             bb6: cold\n  fail\n}\n\
             fn1 \"caller\" (v0) -> int {\nbb0:\n  try v1 = call fn0, [v0, v0] -> bb1, bb2\nbb1:\n  return v1\n\
             bb2: cold\n  err_trace\n  fail\n}\n"
        ));
    }

    #[test]
    fn loops_keep_their_polls() {
        assert_snapshot!(inlined(
            "fn0 \"count\" (v0) -> int {\nbb0:\n  v1 = int 0\n  jump bb1(v1)\nbb1(v2):\n  v3 = lt v2, v0\n  \
             branch v3, bb2, bb4\nbb2:\n  v4 = int 1\n  v5 = wrapping_add v2, v4\n  try poke -> bb3, bb5\n\
             bb3:\n  jump bb1(v5)\nbb4:\n  return v2\nbb5: cold\n  fail\n}\n\
             fn1 \"caller\" (v0) -> int {\nbb0:\n  try v1 = call fn0, [v0] -> bb1, bb2\nbb1:\n  return v1\n\
             bb2: cold\n  err_trace\n  fail\n}\n"
        ));
    }

    #[test]
    fn what_waits_or_recurses_stays_a_call() {
        assert_snapshot!(inlined(
            "fn0 \"waiting\" () waits {\nbb0:\n  return\n}\n\
             fn1 \"again\" (v0) -> int recursive {\nbb0:\n  try poke -> bb1, bb4\nbb1:\n  branch v0, bb2, bb5\n\
             bb2:\n  try v1 = call fn1, [v0] -> bb3, bb6\nbb3:\n  return v1\nbb4: cold\n  fail\nbb5:\n  return v0\n\
             bb6: cold\n  fail\n}\nfn2 \"caller\" (v0) -> int waits {\nbb0:\n  wait call fn0, [] -> bb1, bb2\nbb1:\n  \
             try v1 = call fn1, [v0] -> bb3, bb4\nbb2: cold\n  err_trace\n  fail\nbb3:\n  return v1\n\
             bb4: cold\n  err_trace\n  fail\n}\n"
        ));
    }
}
