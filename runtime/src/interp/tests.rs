//! Pure functions, built by hand and run by each engine: interpreted on a frame of their own, and as machine code.

use super::{cancel, resume};
use crate::ctx::{Ctx, Settings};
use crate::fault::Fault;
use crate::frame::{ChunkPool, Frame, FrameStack, Resume, frame_size};
use crate::link::Linked;
use scn_compiler::Span;
use scn_compiler::ir::desc::fixed;
use scn_compiler::ir::{
    Block, BlockId, CheckedOp, Cmp, ConstId, ConstObject, FormatPart, FuncId, Function, Inst,
    IntBin, NativeId, NativeParam, NativeRef, Op, Param, Program, Reg, Scalar, Target, Terminator,
    TryOp, Ty, desc,
};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

const fn r(at: u32) -> Reg {
    Reg(at)
}

fn to(block: u32, args: &[u32]) -> Target {
    Target {
        block: BlockId(block),
        args: args.iter().copied().map(Reg).collect(),
    }
}

fn inst(results: &[u32], op: Op) -> Inst {
    Inst {
        results: results.iter().copied().map(Reg).collect(),
        op,
        span: Span::default(),
    }
}

fn block(params: &[u32], insts: Vec<Inst>, term: Terminator) -> Block {
    Block {
        params: params.iter().copied().map(Reg).collect(),
        insts,
        term,
        ..Block::default()
    }
}

fn attempt(op: TryOp, results: &[u32], ok: Target, err: Target) -> Terminator {
    Terminator::Try {
        op,
        results: results.iter().copied().map(Reg).collect(),
        ok,
        err,
    }
}

fn function(params: &[(u32, bool)], regs: &[Ty], results: &[Ty], blocks: Vec<Block>) -> Function {
    Function {
        name: "f".to_owned(),
        params: params
            .iter()
            .map(|(reg, own)| Param {
                reg: Reg(*reg),
                own: *own,
            })
            .collect(),
        results: SmallVec::from_slice(results),
        regs: regs.to_vec(),
        blocks,
        waits: false,
        recursive: false,
        frame: None,
        inlined: Vec::new(),
        span: Span::default(),
    }
}

fn program(functions: Vec<Function>) -> Program {
    Program {
        descs: fixed(),
        functions,
        ..Program::default()
    }
}

/// Runs a function of the context's program; `Ok` holds its results as slots.
type Engine = fn(&Ctx, &Linked, &[u64]) -> Result<[u64; 2], Fault>;

/// All engines: the same programs do the same on each.
const ENGINES: [(&str, Engine); 2] = [("interpreted", interpreted), ("compiled", compiled)];

/// Function 0 on a frame of its own.
fn interpreted(ctx: &Ctx, linked: &Linked, args: &[u64]) -> Result<[u64; 2], Fault> {
    let (mut stack, mut pool) = (FrameStack::new(), ChunkPool::default());
    let frame = stack
        .push(0, frame_size(linked.frame_slots(0)), &mut pool)
        .as_ptr();
    // SAFETY: the frame has slots for the arguments, which are of the function's signature.
    let answer = unsafe {
        Frame::slots(frame).copy_from_nonoverlapping(args.as_ptr(), args.len());
        resume(ctx, frame)
    };
    let slots = stack.pop();
    let outcome = match answer {
        // SAFETY: a popped frame has two slots.
        Resume::Done => Ok(unsafe { [slots.read(), slots.add(1).read()] }),
        Resume::Error => Err(error(ctx)),
        other => panic!("a pure function runs to its end, not {other:?}"),
    };
    stack.free(&mut pool);
    outcome
}

/// Function 0 as machine code.
fn compiled(ctx: &Ctx, linked: &Linked, args: &[u64]) -> Result<[u64; 2], Fault> {
    linked.compile().expect("the program compiles");
    let native = linked.native().expect("it was published");
    let mut results = [0; 2];
    let depth = u32::from(linked.program.functions[0].recursive);
    // SAFETY: the arguments are of the function's signature, and the context is entered.
    match unsafe { native.call(ctx, 0, depth, args, &mut results) } {
        true => Ok(results),
        false => Err(error(ctx)),
    }
}

fn error(ctx: &Ctx) -> Fault {
    let error = ctx.take_err();
    let fault = error.and_then(|error| error.as_any().as_fault().cloned());
    fault.expect("an error")
}

/// Runs function 0 on each engine and looks at what it leaves, which must be the same; nothing may be left on the heap
/// afterwards.
fn run<R: std::fmt::Debug>(
    program: Program,
    args: impl Fn(&Ctx) -> Vec<u64>,
    look: impl Fn(&Ctx, Result<[u64; 2], Fault>) -> R,
) -> R {
    let run_on = |(name, engine): (&'static str, Engine)| {
        let linked = Arc::new(Linked::link(program.clone(), &[]).expect("the program links"));
        let ctx = Ctx::new(
            linked.descs.clone(),
            Arc::new(Settings::default()),
            Box::new(|_| {}),
        );
        ctx.set_linked(linked.clone());
        let entered = ctx.enter();
        let looked = look(&ctx, engine(&ctx, &linked, &args(&ctx)));
        drop(entered);
        assert_eq!(ctx.heap.live(), 0, "an object was left behind, {name}");
        (name, looked)
    };
    let [(_, first), (name, second)] = ENGINES.map(run_on);
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "{name}");
    first
}

fn run_ints(program: Program, args: &[i64]) -> Result<i64, Fault> {
    run(
        program,
        |_| args.iter().map(|arg| *arg as u64).collect(),
        |_, outcome| outcome.map(|slots| slots[0] as i64),
    )
}

/// `fn fib(n) { if n < 2 { return n } return fib(n - 1) + fib(n - 2) }`
fn fib() -> Function {
    let call = |from: u32, result: u32, ok: u32| {
        attempt(
            TryOp::Call(FuncId(0), vec![r(from)]),
            &[result],
            to(ok, &[]),
            to(9, &[]),
        )
    };
    let fail = || block(&[], vec![inst(&[], Op::ErrTrace)], Terminator::Fail);
    let sub = |a, b, result, ok| {
        attempt(
            TryOp::Int(CheckedOp::Sub, r(a), r(b)),
            &[result],
            to(ok, &[]),
            to(9, &[]),
        )
    };
    let two = vec![
        inst(&[1], Op::Int(2)),
        inst(&[2], Op::IntCmp(Cmp::Lt, r(0), r(1))),
        inst(&[3], Op::Int(1)),
    ];
    let blocks = vec![
        block(
            &[],
            vec![],
            attempt(TryOp::Poke, &[], to(1, &[]), to(9, &[])),
        ),
        block(
            &[],
            two,
            Terminator::Branch {
                cond: r(2),
                then: to(2, &[]),
                otherwise: to(3, &[]),
            },
        ),
        block(&[], vec![], Terminator::Return(smallvec![r(0)])),
        block(&[], vec![], sub(0, 3, 4, 4)),
        block(&[], vec![], call(4, 5, 5)),
        block(&[], vec![], sub(0, 1, 6, 6)),
        block(&[], vec![], call(6, 7, 7)),
        block(
            &[],
            vec![],
            attempt(
                TryOp::Int(CheckedOp::Add, r(5), r(7)),
                &[8],
                to(8, &[]),
                to(9, &[]),
            ),
        ),
        block(&[], vec![], Terminator::Return(smallvec![r(8)])),
        fail(),
    ];
    Function {
        recursive: true,
        ..function(&[(0, false)], &[Ty::Int; 9], &[Ty::Int], blocks)
    }
}

#[test]
fn operations_are_small() {
    assert_eq!(size_of::<super::code::Ins>(), 16);
}

#[test]
fn calls_come_back_with_results() {
    assert_eq!(
        run_ints(program(vec![fib()]), &[20]).expect("it ends"),
        6765
    );
}

#[test]
fn depth_is_limited_and_traced() {
    let mut deep = fib();
    deep.blocks[1].insts[1] = inst(&[2], Op::Int(0));
    let fault = run_ints(program(vec![deep]), &[1]).expect_err("it never ends");
    assert_eq!(fault.kind(), "script.depth");
    assert_eq!(fault.data().trace.len(), crate::fault::TRACE_LIMIT);
}

#[test]
fn arithmetic_errors_say_what_was_computed() {
    let div = |op| {
        let blocks = vec![
            block(
                &[],
                vec![],
                attempt(TryOp::Int(op, r(0), r(1)), &[2], to(1, &[]), to(2, &[])),
            ),
            block(&[], vec![], Terminator::Return(smallvec![r(2)])),
            block(&[], vec![], Terminator::Fail),
        ];
        program(vec![function(
            &[(0, false), (1, false)],
            &[Ty::Int; 3],
            &[Ty::Int],
            blocks,
        )])
    };
    let fault = run_ints(div(CheckedOp::Div), &[7, 0]).expect_err("no quotient");
    assert_eq!(fault.message(), "division by zero: 7 / 0");
    assert_eq!(fault.data().place.expect("a place").function, 0);
    let fault = run_ints(div(CheckedOp::Mul), &[i64::MAX, 2]).expect_err("too large");
    assert_eq!(fault.message(), "integer overflow: 9223372036854775807 * 2");
    assert_eq!(
        run_ints(div(CheckedOp::Rem), &[i64::MIN, -1]).expect("it is 0"),
        0
    );
    assert_eq!(
        run_ints(div(CheckedOp::Shl), &[1, 63]).expect("it fits"),
        i64::MIN
    );
    assert_eq!(
        run_ints(div(CheckedOp::Shr), &[1, 64])
            .expect_err("too far")
            .kind(),
        "script.arithmetic"
    );
}

#[test]
fn block_parameters_move_at_once() {
    // loop(a, b, n): swaps a and b n times, and gives their difference.
    let blocks = vec![
        block(&[], vec![], Terminator::Jump(to(1, &[0, 1, 2]))),
        block(
            &[3, 4, 5],
            vec![],
            Terminator::Branch {
                cond: r(5),
                then: to(2, &[]),
                otherwise: to(4, &[]),
            },
        ),
        block(
            &[],
            vec![inst(&[6], Op::Int(1))],
            attempt(
                TryOp::Int(CheckedOp::Sub, r(5), r(6)),
                &[7],
                to(3, &[]),
                to(5, &[]),
            ),
        ),
        block(&[], vec![], Terminator::Jump(to(1, &[4, 3, 7]))),
        block(
            &[],
            vec![inst(&[8], Op::IntBin(IntBin::Sub, r(3), r(4)))],
            Terminator::Return(smallvec![r(8)]),
        ),
        block(&[], vec![], Terminator::Fail),
    ];
    let function = function(
        &[(0, false), (1, false), (2, false)],
        &[Ty::Int; 9],
        &[Ty::Int],
        blocks,
    );
    let difference = run_ints(program(vec![function]), &[10, 27, 3]);
    assert_eq!(difference.expect("it ends"), 17);
}

#[test]
fn lists_are_changed_in_place_or_copied() {
    // list = ["a"]; shared = retain list; list[0] = "b"; format list, shared
    let set = TryOp::ListSet(r(1), r(3), r(4));
    let shared = vec![
        inst(&[0], Op::Const(ConstId(0))),
        inst(&[1], Op::NewList(desc::LIST_STRING, vec![r(0)])),
        inst(&[2], Op::Retain(r(1))),
        inst(&[3], Op::Int(0)),
        inst(&[4], Op::Const(ConstId(1))),
    ];
    let text = vec![
        inst(
            &[6],
            Op::Format(vec![
                FormatPart::Object(r(5)),
                FormatPart::Text(ConstId(1)),
                FormatPart::Object(r(2)),
            ]),
        ),
        inst(&[], Op::Drop(r(5))),
        inst(&[], Op::Drop(r(2))),
    ];
    let blocks = vec![
        block(&[], shared, attempt(set, &[5], to(1, &[]), to(2, &[]))),
        block(&[], text, Terminator::Return(smallvec![r(6)])),
        block(
            &[],
            vec![inst(&[], Op::Drop(r(5))), inst(&[], Op::Drop(r(2)))],
            Terminator::Fail,
        ),
    ];
    let regs = [
        Ty::Ptr,
        Ty::Ptr,
        Ty::Ptr,
        Ty::Int,
        Ty::Ptr,
        Ty::Ptr,
        Ty::Ptr,
    ];
    let built = |index| {
        let mut program = program(vec![function(&[], &regs, &[Ty::Ptr], blocks.clone())]);
        program.consts = vec![
            ConstObject::String("a".into()),
            ConstObject::String("b".into()),
        ];
        program.functions[0].blocks[0].insts[3] = inst(&[3], Op::Int(index));
        program
    };
    run(
        built(0),
        |_| vec![],
        |_, outcome| {
            // SAFETY: the function hands out a string.
            let text = unsafe { crate::Own::from_bits(outcome.expect("it ends")[0]) };
            assert_eq!(text.as_any().as_str(), Some(r#"["b"]b["a"]"#));
        },
    );
    let fault = run(
        built(1),
        |_| vec![],
        |_, outcome| outcome.expect_err("outside"),
    );
    assert_eq!(fault.message(), "index 1 is outside of 0..1");
}

#[test]
fn elements_of_unique_lists_are_replaced() {
    // list = ["a"]; list[index] = "b"; format list
    let built = |index| {
        let made = vec![
            inst(&[0], Op::Const(ConstId(0))),
            inst(&[1], Op::NewList(desc::LIST_STRING, vec![r(0)])),
            inst(&[2], Op::Int(index)),
            inst(&[3], Op::Format(vec![FormatPart::Object(r(1))])),
        ];
        let shown = vec![
            inst(&[4], Op::Format(vec![FormatPart::Object(r(1))])),
            inst(&[], Op::Drop(r(1))),
        ];
        let put = TryOp::ListPut(r(1), r(2), r(3));
        let blocks = vec![
            block(&[], made, attempt(put, &[], to(1, &[]), to(2, &[]))),
            block(&[], shown, Terminator::Return(smallvec![r(4)])),
            block(&[], vec![inst(&[], Op::Drop(r(1)))], Terminator::Fail),
        ];
        let regs = [Ty::Ptr, Ty::Ptr, Ty::Int, Ty::Ptr, Ty::Ptr];
        let mut program = program(vec![function(&[], &regs, &[Ty::Ptr], blocks)]);
        program.consts = vec![ConstObject::String("a".into())];
        program
    };
    run(
        built(0),
        |_| vec![],
        |_, outcome| {
            // SAFETY: the function hands out a string.
            let text = unsafe { crate::Own::from_bits(outcome.expect("it ends")[0]) };
            assert_eq!(text.as_any().as_str(), Some(r#"["[\"a\"]"]"#));
        },
    );
    for index in [-1, 1] {
        let outside = |_: &Ctx, outcome: Result<_, Fault>| outcome.expect_err("outside").message();
        let message = run(built(index), |_| vec![], outside);
        assert_eq!(message, format!("index {index} is outside of 0..1"));
    }
}

#[test]
fn maps_keep_order_and_find() {
    // map = {"a": 1, "b": 2}; map["a"] = 3; (flag, value) = map["a"]
    let insts = vec![
        inst(&[0], Op::Const(ConstId(0))),
        inst(&[1], Op::Int(1)),
        inst(&[2], Op::Const(ConstId(1))),
        inst(&[3], Op::Int(2)),
        inst(
            &[4],
            Op::NewMap(
                scn_compiler::ir::DescId(desc::COUNT),
                vec![r(0), r(1), r(2), r(3)],
            ),
        ),
        inst(&[5], Op::Int(3)),
        inst(&[6], Op::MapInsert(r(4), r(0), r(5))),
        inst(&[7, 8], Op::MapGet(r(6), r(0))),
        inst(&[9], Op::MapLen(r(6))),
        inst(&[], Op::Drop(r(6))),
    ];
    let mut regs = vec![Ty::Int; 10];
    [0, 2, 4, 6].into_iter().for_each(|at| regs[at] = Ty::Ptr);
    let blocks = vec![block(&[], insts, Terminator::Return(smallvec![r(8), r(9)]))];
    let mut program = program(vec![function(&[], &regs, &[Ty::Int; 2], blocks)]);
    program.consts = vec![
        ConstObject::String("a".into()),
        ConstObject::String("b".into()),
    ];
    let key = scn_compiler::ir::SlotType {
        kind: scn_compiler::ir::SlotKind::Object(desc::STRING),
        optional: false,
    };
    let value = scn_compiler::ir::SlotType {
        kind: scn_compiler::ir::SlotKind::Scalar(Scalar::Int),
        optional: false,
    };
    program.descs.push(scn_compiler::ir::Desc::Map(key, value));
    run(
        program,
        |_| vec![],
        |_, outcome| assert_eq!(outcome.expect("it ends"), [3, 2]),
    );
}

fn native(name: &str, params: &[Ty], results: &[Ty], fails: bool) -> NativeRef {
    NativeRef {
        name: name.to_owned(),
        params: params
            .iter()
            .map(|ty| NativeParam {
                ty: *ty,
                own: false,
            })
            .collect(),
        results: SmallVec::from_slice(results),
        waits: false,
        fails,
        inout: false,
        typed: false,
    }
}

#[test]
fn host_functions_are_linked_by_name_and_signature() {
    let unknown = Program {
        natives: vec![native("rt.nothing", &[], &[], false)],
        ..program(vec![])
    };
    assert_eq!(
        Linked::link(unknown, &[]).expect_err("unknown").to_string(),
        "there is no host function `rt.nothing`"
    );
    let wrong = Program {
        natives: vec![native("rt.fail", &[Ty::Int, Ty::Ptr], &[], true)],
        ..program(vec![])
    };
    assert!(
        Linked::link(wrong, &[])
            .expect_err("an int is no text")
            .to_string()
            .contains("parameters")
    );
}

#[test]
fn an_error_of_a_host_function_takes_the_edge_with_its_place() {
    let call = TryOp::Host(NativeId(0), vec![r(0), r(1)]);
    let blocks = vec![
        block(
            &[],
            vec![inst(&[1], Op::Null)],
            attempt(call, &[], to(1, &[]), to(2, &[])),
        ),
        block(&[], vec![], Terminator::Unreachable),
        block(&[], vec![inst(&[], Op::Drop(r(0)))], Terminator::Fail),
    ];
    let mut program = program(vec![function(&[(0, true)], &[Ty::Ptr; 2], &[], blocks)]);
    program.natives = vec![native("rt.fail", &[Ty::Ptr, Ty::Ptr], &[], true)];
    let fault = run(
        program,
        |ctx| vec![ctx.heap.string("why").into_bits()],
        |_, outcome| outcome.expect_err("fails"),
    );
    assert_eq!(
        (fault.kind(), fault.message().as_str()),
        ("script.fail", "why")
    );
    assert!(fault.data().place.is_some());
}

#[test]
fn memory_is_refused_at_the_next_poll_point() {
    // loop(list): pushes text until the limit.
    let grow = vec![
        inst(
            &[2],
            Op::Format(vec![FormatPart::Object(r(0)), FormatPart::Object(r(0))]),
        ),
        inst(&[], Op::Drop(r(0))),
    ];
    let blocks = vec![
        block(
            &[],
            vec![inst(&[1], Op::Const(ConstId(0)))],
            Terminator::Jump(to(1, &[1])),
        ),
        block(
            &[0],
            grow,
            attempt(TryOp::Poke, &[], to(2, &[]), to(3, &[])),
        ),
        block(&[], vec![], Terminator::Jump(to(1, &[2]))),
        block(&[], vec![inst(&[], Op::Drop(r(2)))], Terminator::Fail),
    ];
    let mut program = program(vec![function(&[], &[Ty::Ptr; 3], &[], blocks)]);
    program.consts = vec![ConstObject::String("x".repeat(1024))];
    let fault = run(
        program,
        |_| vec![],
        |_, outcome| outcome.expect_err("too much"),
    );
    assert_eq!(fault.kind(), "script.memory");
}

#[test]
fn a_frame_that_was_not_started_gives_its_arguments_up() {
    let blocks = vec![block(
        &[],
        vec![inst(&[], Op::Drop(r(0)))],
        Terminator::Return(smallvec![]),
    )];
    let linked = Linked::link(
        program(vec![function(&[(0, true)], &[Ty::Ptr], &[], blocks)]),
        &[],
    )
    .expect("it links");
    let linked = Arc::new(linked);
    let ctx = Ctx::new(
        linked.descs.clone(),
        Arc::new(Settings::default()),
        Box::new(|_| {}),
    );
    ctx.set_linked(linked);
    let (mut stack, mut pool) = (FrameStack::new(), ChunkPool::default());
    let frame = stack.push(0, frame_size(2), &mut pool).as_ptr();
    // SAFETY: the frame has a slot for the argument.
    unsafe {
        Frame::slots(frame).write(ctx.heap.string("x").into_bits());
        cancel(&ctx, frame);
    }
    stack.pop();
    stack.free(&mut pool);
    assert_eq!(ctx.heap.live(), 0);
}
