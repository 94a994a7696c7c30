//! Which functions reporting sites are in, for their places. Enter at [`functions`].

use crate::ir::{FuncId, Function, Op, Program, Reg, Terminator, TryOp, WaitOp};
use scn_grammar::Span;

/// The function of each site. One whose code the passes left out is nowhere: it tells nothing.
pub(super) fn functions(program: &Program) -> Vec<FuncId> {
    let mut found = vec![FuncId(0); program.sites.len()];
    for (number, function) in program.functions.iter().enumerate() {
        for (site, span) in sites(program, function) {
            if let Some(place) = usize::try_from(site).ok().and_then(|at| found.get_mut(at)) {
                *place = function.origin(span).unwrap_or(FuncId(number as u32));
            }
        }
    }
    found
}

/// The numbers of sites that a function reports to, and where.
fn sites(program: &Program, function: &Function) -> Vec<(i64, Span)> {
    let mut found = Vec::new();
    let mut report = |native: crate::ir::NativeId, args: &[Reg], span| {
        let name = program.natives[native.index()].name.as_str();
        let reports = name.starts_with("rt.check") || name.starts_with("rt.expect");
        if reports || name == "rt.step_enter" {
            let site = args.first().and_then(|arg| constant(function, *arg));
            found.extend(site.map(|site| (site, span)));
        }
    };
    let mut calls = Vec::new();
    for block in &function.blocks {
        for inst in &block.insts {
            match &inst.op {
                Op::Host(native, args) => report(*native, args, inst.span),
                Op::Site(site) => calls.push((i64::from(site.0), inst.span)),
                _ => {}
            }
        }
        match &block.term {
            Terminator::Try {
                op: TryOp::Host(native, args),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Host(native, args),
                ..
            } => report(*native, args, block.term_span),
            _ => {}
        }
    }
    found.extend(calls);
    found
}

/// The number that a register holds from the beginning on.
fn constant(function: &Function, wanted: Reg) -> Option<i64> {
    let mut insts = function.blocks.iter().flat_map(|block| &block.insts);
    let made = insts.find(|inst| inst.results.contains(&wanted))?;
    match made.op {
        Op::Int(value) => Some(value),
        _ => None,
    }
}
