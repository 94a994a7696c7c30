//! The call graph: what waits, what can fail, what recurses.
//!
//! Lowering writes every script call as `Try`. Here, callees before callers, each becomes a `Wait` if the callee
//! waits, and a plain instruction if the callee can neither wait nor fail. Functions in cycles get a `Poke` at their
//! entry, which makes them fallible.

use super::simplify::simplify;
use crate::ir::{
    Block, BlockId, FuncId, Function, Inst, Op, Program, Target, Terminator, TryOp, WaitOp,
};

/// What functions in cycles of the call graph do at their entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recursion {
    /// They poll, and calls count depth.
    Polls,
    /// Nothing: bodies of the library bound it themselves.
    Unbounded,
}

/// Rewrites the calls of all functions.
pub(crate) fn run(program: &mut Program, strands: &[FuncId], recursion: Recursion) {
    let callees: Vec<Vec<FuncId>> = program.functions.iter().map(callees).collect();
    let waits = waiting(program, &callees, strands);
    for (function, waits) in program.functions.iter_mut().zip(&waits) {
        function.waits = *waits;
    }
    let mut fails = vec![true; program.functions.len()];
    for component in components(&callees) {
        let first = component[0];
        let is_cycle = component.len() > 1 || callees[first.index()].contains(&first);
        let recursive = is_cycle && recursion == Recursion::Polls;
        for id in component {
            let function = &mut program.functions[id.index()];
            function.recursive = recursive;
            rewrite(function, &waits, &fails);
            if recursive {
                poke_at_entry(function);
            }
            simplify(function);
            fails[id.index()] = function
                .blocks
                .iter()
                .any(|block| matches!(block.term, Terminator::Fail));
        }
    }
}

/// The functions that a function calls or runs as branches.
fn callees(function: &Function) -> Vec<FuncId> {
    let mut found = Vec::new();
    for block in &function.blocks {
        match &block.term {
            Terminator::Try {
                op: TryOp::Call(func, _),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Call(func, _),
                ..
            } => {
                found.push(*func);
            }
            Terminator::Wait {
                op: WaitOp::Parallel(_, branches) | WaitOp::Race(branches),
                ..
            } => {
                found.extend(branches.iter().map(|(func, _)| *func));
            }
            Terminator::Wait {
                op: WaitOp::ForEach { func, .. },
                ..
            } => found.push(*func),
            _ => {}
        }
    }
    found
}

/// Everything that reaches a wait, and all strands.
fn waiting(program: &Program, callees: &[Vec<FuncId>], strands: &[FuncId]) -> Vec<bool> {
    let has_wait = |f: &Function| {
        f.blocks
            .iter()
            .any(|block| matches!(block.term, Terminator::Wait { .. }))
    };
    let mut waits: Vec<bool> = program.functions.iter().map(has_wait).collect();
    for strand in strands {
        waits[strand.index()] = true;
    }
    loop {
        let more: Vec<usize> = (0..waits.len())
            .filter(|at| !waits[*at] && callees[*at].iter().any(|callee| waits[callee.index()]))
            .collect();
        if more.is_empty() {
            return waits;
        }
        more.into_iter().for_each(|at| waits[at] = true);
    }
}

/// Strongly connected components, callees first (Tarjan, with a stack of its own).
pub(super) fn components(callees: &[Vec<FuncId>]) -> Vec<Vec<FuncId>> {
    let mut search = Tarjan {
        callees,
        index: vec![None; callees.len()],
        low: vec![0; callees.len()],
        on_stack: vec![false; callees.len()],
        stack: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    for at in 0..callees.len() {
        if search.index[at].is_none() {
            search.visit(at);
        }
    }
    search.found
}

struct Tarjan<'c> {
    callees: &'c [Vec<FuncId>],
    index: Vec<Option<usize>>,
    low: Vec<usize>,
    on_stack: Vec<bool>,
    stack: Vec<usize>,
    next: usize,
    found: Vec<Vec<FuncId>>,
}

impl Tarjan<'_> {
    fn open(&mut self, at: usize) {
        self.index[at] = Some(self.next);
        self.low[at] = self.next;
        self.next += 1;
        self.stack.push(at);
        self.on_stack[at] = true;
    }

    fn visit(&mut self, root: usize) {
        let mut path = vec![(root, 0)];
        self.open(root);
        while let Some((at, edge)) = path.last_mut() {
            let at = *at;
            if let Some(callee) = self.callees[at].get(*edge) {
                *edge += 1;
                let callee = callee.index();
                match self.index[callee] {
                    None => {
                        self.open(callee);
                        path.push((callee, 0));
                    }
                    Some(index) if self.on_stack[callee] => self.low[at] = self.low[at].min(index),
                    Some(_) => {}
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                self.low[*parent] = self.low[*parent].min(self.low[at]);
            }
            if Some(self.low[at]) == self.index[at] {
                self.close(at);
            }
        }
    }

    fn close(&mut self, root: usize) {
        let mut component = Vec::new();
        while let Some(at) = self.stack.pop() {
            self.on_stack[at] = false;
            component.push(FuncId(at as u32));
            if at == root {
                break;
            }
        }
        self.found.push(component);
    }
}

fn rewrite(function: &mut Function, waits: &[bool], fails: &[bool]) {
    for block in &mut function.blocks {
        let Terminator::Try {
            op: TryOp::Call(func, _),
            ..
        } = &block.term
        else {
            continue;
        };
        let func = *func;
        if !waits[func.index()] && fails[func.index()] {
            continue;
        }
        let Terminator::Try {
            op: TryOp::Call(_, args),
            results,
            ok,
            err,
        } = std::mem::take(&mut block.term)
        else {
            unreachable!("the terminator was just seen to be a call");
        };
        block.term = if waits[func.index()] {
            Terminator::Wait {
                op: WaitOp::Call(func, args),
                results,
                ok,
                err,
            }
        } else {
            block.insts.push(Inst {
                results,
                op: Op::Call(func, args),
                span: block.term_span,
            });
            Terminator::Jump(ok)
        };
    }
}

/// Moves the entry behind a `Poke`. Its error leaves the function: nothing is open yet.
fn poke_at_entry(function: &mut Function) {
    let span = function.span;
    let entry = std::mem::take(&mut function.blocks[0]);
    let moved = BlockId(function.blocks.len() as u32);
    let failed = BlockId(moved.0 + 1);
    for block in function.blocks.iter_mut() {
        for target in block.term.targets_mut() {
            if target.block.0 == 0 {
                target.block = moved;
            }
        }
    }
    function.blocks.push(entry);
    function.blocks.push(Block {
        term: Terminator::Fail,
        term_span: span,
        cold: true,
        ..Block::default()
    });
    let to = |block| Target {
        block,
        args: Vec::new(),
    };
    function.blocks[0] = Block {
        term: Terminator::Try {
            op: TryOp::Poke,
            results: Default::default(),
            ok: to(moved),
            err: to(failed),
        },
        term_span: span,
        ..Block::default()
    };
}
