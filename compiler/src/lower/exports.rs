//! What `export fn` items become: functions that take and give values in memory form, as callers from outside hand them over.
//!
//! Whether a call can fail is part of what is exported, so it must not depend on what passes find out: it is read off the
//! program as it was written. Mistakes of the program (arithmetic, an index) are no failures of this kind.

use super::function::{Fallible, Lower, Returns, Value};
use super::tables::Tables;
use super::types::Repr;
use crate::hir::{self, Type, TypeId};
use crate::ir::{
    Block, Export, ExportParam, FuncId, Function, NativeId, NativeRef, Op, Program, SlotKind,
    Terminator, TryOp, WaitOp,
};
use scn_grammar::Span;
use std::collections::HashSet;

/// Adds a function for each `export fn` of the entry file.
pub(super) fn exports(t: &mut Tables<'_>) {
    let hir = t.hir;
    let failing = failing(&t.program);
    for exported in &hir.exports {
        let function = &hir.functions[exported.func.index()];
        if is_of_entry(function.span) {
            let export = export(t, exported, failing[exported.func.index()]);
            t.program.exports.push(export);
        }
    }
    for (ty, span) in &hir.exported_types {
        if is_of_entry(*span) {
            let slot = t.slot(*ty);
            t.program.exported_types.push((slot, *span));
        }
    }
}

fn is_of_entry(span: Span) -> bool {
    span.source == crate::SourceId(0)
}

fn export(t: &mut Tables<'_>, exported: &hir::Export, fails: bool) -> Export {
    let function = &t.hir.functions[exported.func.index()];
    let params = function.params.iter().map(|param| {
        let local = &function.locals[param.index()];
        ExportParam {
            name: local.name.clone(),
            slot: t.slot(local.ty),
            secret: t.is_secret(local.ty),
            span: local.span,
        }
    });
    let params: Vec<ExportParam> = params.collect();
    let result = t.slot(function.result);
    for param in &function.params {
        boxes(t, function.locals[param.index()].ty);
    }
    boxes(t, function.result);
    Export {
        name: function.name.clone(),
        doc: exported.doc.clone(),
        func: door(t, function, exported.func),
        params,
        result: (result.kind != SlotKind::Unit).then_some(result),
        secret: t.is_secret(function.result),
        fails,
        span: function.span,
    }
}

/// Makes the descriptors of all boxes in a type: values that come from outside need them.
fn boxes(t: &mut Tables<'_>, ty: TypeId) {
    if let Repr::OptScalar(_) = t.repr(ty) {
        t.desc(ty);
    }
    let parts: Vec<TypeId> = match t.ty(ty) {
        Type::Optional(inner) | Type::List(inner) => vec![*inner],
        Type::Tuple(parts) => parts.clone(),
        Type::Record(fields) => fields.iter().map(|field| field.1).collect(),
        _ => Vec::new(),
    };
    parts.into_iter().for_each(|part| boxes(t, part));
}

/// The function that is called from outside: it runs as a strand and calls the one that is exported.
fn door<'h>(t: &mut Tables<'h>, function: &'h hir::Function, callee: hir::FuncId) -> FuncId {
    let id = t.reserve(function.name.clone(), function.span);
    t.strands.push(id);
    let callee = t.func(callee);
    let mut lower = Lower::new(t, function, Returns::Memory(function.result), function.span);
    for param in &function.params {
        lower.param_packed(*param);
    }
    let values: Vec<Value> = function
        .params
        .iter()
        .map(|param| lower.read_local(*param))
        .collect();
    let args = values.iter().flat_map(|value| value.regs()).collect();
    let classes = lower.t.repr(function.result).classes();
    let results = lower.fallible(Fallible::Try(TryOp::Call(callee, args)), classes);
    lower.return_value(Value::of(&results), Some(function.result));
    lower.finish(id);
    id
}

/// Which functions can fail by something else than a mistake: a library function that fails, `expect`, `fail`, `as`.
fn failing(program: &Program) -> Vec<bool> {
    let mut fails = vec![false; program.functions.len()];
    loop {
        let mut changed = false;
        for (at, function) in program.functions.iter().enumerate() {
            if !fails[at] && leaves_by_error(program, function, &fails) {
                fails[at] = true;
                changed = true;
            }
        }
        if !changed {
            return fails;
        }
    }
}

/// Walks the blocks twice over: as those of a run in which nothing but a cancellation came about, and of one in which an
/// error did. Handlers see errors only, and a time limit makes an error of a cancellation.
fn leaves_by_error(program: &Program, function: &Function, fails: &[bool]) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![(0, true)];
    while let Some((at, is_error)) = open.pop() {
        let Some(block) = function.blocks.get(at as usize) else {
            continue;
        };
        if !seen.insert((at, is_error)) {
            continue;
        }
        let is_error = is_error || makes_an_error(program, block);
        match &block.term {
            Terminator::Fail if is_error => return true,
            Terminator::Branch {
                then, otherwise, ..
            } if asks_for_cancellation(block) => {
                let target = if is_error { otherwise } else { then };
                open.push((target.block.0, is_error));
            }
            Terminator::Try { op, ok, err, .. } => {
                open.push((ok.block.0, is_error));
                open.push((err.block.0, tried(program, op, fails)));
            }
            Terminator::Wait { op, ok, err, .. } => {
                open.push((ok.block.0, is_error));
                open.push((err.block.0, waited(program, op, fails)));
            }
            other => {
                let targets = other.targets().into_iter();
                open.extend(targets.map(|target| (target.block.0, is_error)));
            }
        }
    }
    false
}

/// Whether a limit may have passed here.
fn makes_an_error(program: &Program, block: &Block) -> bool {
    calls(block).any(|native| named(program, native).name == "rt.timeout_caught")
}

fn calls(block: &Block) -> impl Iterator<Item = NativeId> {
    block.insts.iter().filter_map(|inst| match &inst.op {
        Op::Host(native, _) => Some(*native),
        _ => None,
    })
}

fn named(program: &Program, native: NativeId) -> &NativeRef {
    &program.natives[native.index()]
}

fn asks_for_cancellation(block: &Block) -> bool {
    let last = block.insts.last();
    last.is_some_and(|inst| inst.op == Op::ErrIsCancel)
}

/// What fails by cancellation only.
fn is_pause(name: &str) -> bool {
    name.starts_with("rt.sleep") || name.starts_with("rt.think")
}

fn tried(program: &Program, op: &TryOp, fails: &[bool]) -> bool {
    match op {
        TryOp::Host(native, _) => named(program, *native).fails,
        TryOp::Call(callee, _) => fails[callee.index()],
        _ => false,
    }
}

fn waited(program: &Program, op: &WaitOp, fails: &[bool]) -> bool {
    match op {
        WaitOp::Host(native, _) => {
            let native = named(program, *native);
            native.fails && !is_pause(&native.name)
        }
        WaitOp::Call(callee, _) => fails[callee.index()],
        WaitOp::Parallel(_, branches) | WaitOp::Race(branches) => {
            branches.iter().any(|(branch, _)| fails[branch.index()])
        }
        WaitOp::ForEach { func, .. } => fails[func.index()],
    }
}
