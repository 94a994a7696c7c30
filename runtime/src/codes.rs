//! The side table of a linked program: what each kind of frame runs, and how large it is.
//!
//! Functions come first, then host functions, then leasing an address, then the join. Enter at [`table`].

use crate::ctx::Ctx;
use crate::frame::{Cancel, Frame, FrameCode, HostCode, Resume, frame_size};
use crate::host::Call;
use crate::link::{Linked, LinkedNative};
use crate::worker::Shape;
use crate::{interp, join, source, task};
use scn_compiler::ir::{Function, Terminator, Ty, WaitOp};

/// Where reserving stops: a path of waits that is deeper than this many bytes takes further chunks.
const RESERVE: u32 = 8 << 10;

/// The table, and the shapes of the functions.
pub(crate) fn table(linked: &Linked) -> (Vec<FrameCode>, Vec<Shape>) {
    let functions = &linked.program.functions;
    let mut codes: Vec<FrameCode> = functions
        .iter()
        .enumerate()
        .map(|(at, function)| script(linked, at, function))
        .collect();
    codes.extend(linked.natives.iter().map(host));
    codes.push(lease());
    codes.push(join::code());
    reserve(functions, &mut codes);
    (codes, functions.iter().map(shape).collect())
}

fn script(linked: &Linked, at: usize, function: &Function) -> FrameCode {
    FrameCode {
        resume: resume_script,
        cancel: interp::cancel,
        size: frame_size(linked.frame_slots(at as u32)) as u32,
        reserve: 0,
        leaf: false,
        recursive: function.recursive,
        host: None,
    }
}

/// Runs a frame of a script function: in machine code, once there is some.
///
/// # Safety
/// As [`interp::resume`].
unsafe fn resume_script(ctx: &Ctx, frame: *mut Frame) -> Resume {
    // SAFETY: upheld by the caller; both engines keep the same states and slots.
    unsafe {
        let native = ctx.linked().native();
        let answer = native.and_then(|native| native.resume(ctx, frame));
        answer.unwrap_or_else(|| interp::resume(ctx, frame))
    }
}

/// What a user's root strand runs before a section that needs an address.
fn lease() -> FrameCode {
    let def = crate::host::waiting("rt.lease", source::take);
    match def.call {
        Call::Waiting(waiting) => task::code(HostCode {
            waiting,
            params: 0,
            pair: false,
        }),
        Call::Ready(_) => unreachable!("leasing waits"),
    }
}

fn host(native: &LinkedNative) -> FrameCode {
    match native.def.call {
        Call::Waiting(waiting) => task::code(HostCode {
            waiting,
            params: native.args,
            pair: native.results == 2,
        }),
        Call::Ready(_) => FrameCode {
            resume: never,
            cancel: never_cancelled,
            ..join::code()
        },
    }
}

/// Host functions that do not wait have no frames.
///
/// # Safety
/// None.
unsafe fn never(_: &Ctx, _: *mut Frame) -> Resume {
    unreachable!("a host function that does not wait was called as one that does")
}

/// As [`never`].
///
/// # Safety
/// None.
unsafe fn never_cancelled(_: &Ctx, _: *mut Frame) -> Cancel {
    unreachable!("a host function that does not wait was called as one that does")
}

fn shape(function: &Function) -> Shape {
    let owned =
        |param: &scn_compiler::ir::Param| param.own && function.regs[param.reg.index()] == Ty::Ptr;
    Shape {
        pointers: function.params.iter().map(owned).collect(),
        results: function.results.iter().map(|ty| *ty == Ty::Ptr).collect(),
    }
}

/// Fills in how deep the frames of waits go, by walking the call graph from the callees up; cycles count once.
fn reserve(functions: &[Function], codes: &mut [FrameCode]) {
    let callees: Vec<Vec<usize>> = functions
        .iter()
        .map(|function| callees(function, functions.len(), codes.len()))
        .collect();
    let mut state = vec![Visit::New; functions.len()];
    for root in 0..functions.len() {
        visit(root, &callees, codes, &mut state);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

/// Depth first, with a stack of its own: a chain of calls may be long.
fn visit(root: usize, callees: &[Vec<usize>], codes: &mut [FrameCode], state: &mut [Visit]) {
    let mut work = vec![root];
    while let Some(&at) = work.last() {
        if state[at] == Visit::New {
            state[at] = Visit::Open;
            work.extend(
                callees[at]
                    .iter()
                    .filter(|callee| **callee < state.len() && state[**callee] == Visit::New),
            );
            continue;
        }
        work.pop();
        if state[at] == Visit::Open {
            let deepest = callees[at]
                .iter()
                .map(|callee| codes[*callee].reserve)
                .max()
                .unwrap_or(0);
            codes[at].reserve = codes[at]
                .size
                .saturating_add(deepest)
                .min(RESERVE.max(codes[at].size));
            state[at] = Visit::Done;
        }
    }
}

/// Codes that a function waits for.
fn callees(function: &Function, functions: usize, codes: usize) -> Vec<usize> {
    let waits = function
        .blocks
        .iter()
        .filter_map(|block| match &block.term {
            Terminator::Wait { op, .. } => Some(op),
            _ => None,
        });
    let code = |op: &WaitOp| match op {
        WaitOp::Call(func, _) => func.index(),
        WaitOp::Host(native, _) => functions + native.index(),
        WaitOp::Parallel(..) | WaitOp::Race(..) | WaitOp::ForEach { .. } => codes - 1,
    };
    waits.map(code).collect()
}
