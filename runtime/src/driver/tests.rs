//! The driver with a tiny engine of its own: functions are lists of operations, each with a place to go on errors.
//! So these tests tell about strands, joins and scopes alone.

use super::*;
use crate::ctx::Settings;
use crate::descs::Descs;
use crate::event::{End, SectionKind};
use crate::frame::{FrameCode, HostCode, frame_size};
use crate::host::{Call, Nanos, waiting};
use crate::join::{push_for_each, push_parallel, push_race};
use crate::life::{Course, LifeId};
use crate::scope::Left;
use crate::stop::StopHandle;
use crate::strand::Strand;
use crate::timer::Clock;
use crate::user::User;
use crate::waker::any_woken;
use crate::watchdog::{Duty, Watchdog};
use crate::worker::Shape;
use crate::{Cx, DescId, Event, View, desc, io::Reactor};
use scn_compiler::ir::{Desc, FuncId, Scalar, SlotKind, SlotType};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One operation. Waits and `Poke` go on at the error place when they fail.
#[derive(Clone, Copy)]
enum Op {
    Log(&'static str),
    Sleep(i64),
    Host(u32),
    Call(u32),
    Fail(&'static str),
    Timeout(i64),
    /// `timeout_exit` of the innermost scope.
    Exit,
    /// `timeout_caught`, then on with the error if there still is one.
    Caught,
    /// `shield_enter`, taking the error out.
    Shield(i64),
    /// `shield_exit`, putting the error back.
    Unshield,
    Parallel(&'static [u32]),
    Race(&'static [u32]),
    /// Runs the function for each of that many elements, so many at once.
    ForEach(u32, i64, i64),
    /// Logs the time that the element of a `for each` says.
    SleepElement,
    Spawn(u32),
    /// Clears an error that is no cancellation and logs its kind.
    Catch,
    Spin,
    Jump(usize),
    Return(u64),
}
use Op::*;

/// Where an operation's error goes: to the caller.
const OUT: usize = usize::MAX;
type Function = Vec<(Op, usize)>;

thread_local! {
    static FUNCTIONS: RefCell<Vec<Function>> = const { RefCell::new(Vec::new()) };
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Slots of a function's frame: 0 is the argument, 1 is free, 2 the innermost scope's token, 3 a saved error, 4 a list.
const SLOTS: usize = 5;

fn log(ctx: &Ctx, text: &str) {
    let now = ctx.worker().reactor().now();
    LOG.with_borrow_mut(|log| log.push(format!("{now} {text}")));
}

/// # Safety
/// The frame is on top of the running strand and has [`SLOTS`] slots.
unsafe fn engine(ctx: &Ctx, frame: *mut Frame) -> Resume {
    // SAFETY: upheld by the caller; slot 4 holds a list that the frame owns, or null.
    unsafe {
        let slots = Frame::slots(frame);
        let code = (*frame).code as usize;
        let mut pc = (*frame).state as usize;
        if pc == 0 {
            slots.add(2).write_bytes(0, 3);
        } else if ctx.has_err() {
            let err = FUNCTIONS.with_borrow(|functions| functions[code][pc - 1].1);
            if err == OUT {
                return leave(ctx, slots, Resume::Error);
            }
            pc = err;
        } else {
            ctx.heap.release_slot(slots.add(4).replace(0));
            let results = ctx.worker().results().read();
            match FUNCTIONS.with_borrow(|functions| functions[code][pc - 1].0) {
                Op::Parallel(_) => show(ctx, crate::Own::from_bits(results), true),
                ForEach(..) => show(ctx, crate::Own::from_bits(results), false),
                _ => (),
            }
        }
        loop {
            let Some((op, err)) =
                FUNCTIONS.with_borrow(|functions| functions[code].get(pc).copied())
            else {
                return leave(ctx, slots, Resume::Done);
            };
            pc += 1;
            (*frame).state = pc as u16;
            match step(ctx, slots, op) {
                Step::Next => (),
                Step::To(to) => pc = to,
                Step::Failed if err == OUT => return leave(ctx, slots, Resume::Error),
                Step::Failed => pc = err,
                Step::End(resume) => return leave(ctx, slots, resume),
                Step::Calls => return Resume::Call,
            }
        }
    }
}

/// Logs the ints of a join's result, and drops it.
fn show(ctx: &Ctx, result: crate::Own, tuple: bool) {
    let values: Vec<i64> = match result.as_any().view(ctx.descs()) {
        View::Tuple(slots) if tuple => (0..2)
            .map(|at| slots.slot(ctx.descs(), at).bits as i64)
            .collect(),
        View::List(list) if !tuple => list.bits().iter().map(|bits| *bits as i64).collect(),
        other => unreachable!("a join gives a tuple or list, not {other:?}"),
    };
    log(ctx, &format!("{values:?}"));
}

/// # Safety
/// The slots are those of the engine's frame.
unsafe fn leave(ctx: &Ctx, slots: *mut u64, resume: Resume) -> Resume {
    // SAFETY: slot 4 holds a list that the frame owns, or null.
    unsafe { ctx.heap.release_slot(slots.add(4).replace(0)) };
    resume
}

enum Step {
    Next,
    To(usize),
    Failed,
    End(Resume),
    Calls,
}

/// # Safety
/// The slots are those of the engine's frame, which is on top of the running strand.
unsafe fn step(ctx: &Ctx, slots: *mut u64, op: Op) -> Step {
    let worker = ctx.worker();
    let host = FUNCTIONS.with_borrow(Vec::len) as u32;
    let branches = |of: &[u32]| {
        of.iter()
            .map(|func| (FuncId(*func), SmallVec::from_slice(&[0])))
            .collect()
    };
    // SAFETY: pushed frames have a slot for their argument; slots 3 and 4 hold what the frame owns, or null.
    unsafe {
        match op {
            Log(text) => log(ctx, text),
            Sleep(nanos) => {
                Frame::slots(worker.push_frame(host).as_ptr()).write(nanos as u64);
                return Step::Calls;
            }
            SleepElement => return step(ctx, slots, Sleep(slots.read() as i64)),
            Host(which) => {
                Frame::slots(worker.push_frame(host + which).as_ptr()).write(0);
                return Step::Calls;
            }
            Call(func) => {
                Frame::slots(worker.push_frame(func).as_ptr()).write(0);
                return Step::Calls;
            }
            Op::Parallel(of) => {
                push_parallel(ctx, TUPLE, branches(of));
                return Step::Calls;
            }
            Op::Race(of) => {
                push_race(ctx, branches(of));
                return Step::Calls;
            }
            ForEach(func, count, max) => {
                let list = ctx.heap.list(desc::LIST_INT, 0);
                (0..count).for_each(|n| ctx.heap.list_push(list, ((count - n) * 10) as u64));
                slots.add(4).write(list.bits());
                push_for_each(ctx, desc::LIST_INT, list, FuncId(func), &[], max);
                return Step::Calls;
            }
            Spawn(func) => {
                let life = worker.with_running(|strand| strand.life);
                worker.spawn(Strand::new(Owner::Nobody, life), FuncId(func), &[0]);
            }
            Fail(kind) => {
                ctx.raise(Fault::fixed(kind, "on purpose"));
                return Step::Failed;
            }
            Timeout(nanos) => slots
                .add(2)
                .write(worker.enter_scope(ctx, nanos, false) as u64),
            Exit => {
                worker.leave_scope(ctx, slots.add(2).read() as i64);
            }
            Caught => {
                if let Left::ByDeadline(limit) = worker.leave_scope(ctx, slots.add(2).read() as i64)
                {
                    ctx.raise(Fault::timeout(limit));
                }
                return if ctx.has_err() {
                    Step::Failed
                } else {
                    Step::Next
                };
            }
            Shield(nanos) => {
                slots
                    .add(3)
                    .write(ctx.take_err().map_or(0, crate::Own::into_bits));
                slots
                    .add(2)
                    .write(worker.enter_scope(ctx, nanos, true) as u64);
            }
            Unshield => {
                let left = worker.leave_scope(ctx, slots.add(2).read() as i64);
                if left != Left::Quietly {
                    log(ctx, "shield over");
                    ctx.set_err(None);
                }
                let bits = slots.add(3).replace(0);
                if bits != 0 {
                    ctx.set_err(Some(crate::Own::from_bits(bits)));
                    return Step::Failed;
                }
            }
            Catch if ctx.err_is_cancellation() => return Step::Failed,
            Catch => {
                let fault = ctx.take_fault().expect("there is something to catch");
                log(ctx, fault.kind());
            }
            Spin => loop {
                if ctx.heap.poke.load(Ordering::Relaxed) != 0
                    && let Err(fault) = poked(ctx, 0)
                {
                    ctx.raise(fault);
                    return Step::Failed;
                }
                std::hint::spin_loop();
            },
            Jump(to) => return Step::To(to),
            Return(value) => {
                slots.write(value);
                return Step::End(Resume::Done);
            }
        }
    }
    Step::Next
}

/// A tuple of two ints.
const TUPLE: DescId = DescId(desc::COUNT);

fn descs() -> Arc<Descs> {
    let int = SlotType {
        kind: SlotKind::Scalar(Scalar::Int),
        optional: false,
    };
    let mut all = vec![Desc::Null; desc::COUNT as usize];
    all[desc::STRING.index()] = Desc::String;
    all[desc::ERROR.index()] = Desc::Error;
    all[desc::LIST_INT.index()] = Desc::List(int);
    all.push(Desc::Tuple(vec![int, int]));
    Arc::new(Descs::new(all, Vec::new(), &[]))
}

async fn sleep(cx: Cx, nanos: Nanos) {
    cx.sleep(nanos.0).await;
}

/// Waits for another thread, and says when it is dropped.
async fn blocking(cx: Cx, _: i64) -> i64 {
    cx.blocking(|| 42).await
}

struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        Ctx::current(|ctx| log(ctx, "future dropped"));
    }
}

async fn forever(_: i64) {
    let _guard = Dropped;
    std::future::pending::<()>().await;
}

fn cancel_unstarted(ctx: &Ctx, _: *mut Frame) -> Cancel {
    log(ctx, "never started");
    Cancel::Gone
}

fn codes(functions: usize) -> (Vec<FrameCode>, Vec<Shape>) {
    let size = frame_size(SLOTS) as u32;
    let cancel = |ctx: &Ctx, frame: *mut Frame| cancel_unstarted(ctx, frame);
    let script = FrameCode {
        resume: engine,
        cancel,
        size,
        reserve: 2 * size,
        leaf: false,
        recursive: false,
        host: None,
    };
    let mut codes = vec![script; functions];
    for def in [
        waiting("sleep", sleep),
        waiting("blocking", blocking),
        waiting("forever", forever),
    ] {
        let Call::Waiting(waiting) = def.call else {
            unreachable!("declared by `waiting`")
        };
        codes.push(crate::task::code(HostCode {
            waiting,
            params: 1,
            pair: false,
        }));
    }
    codes.push(crate::join::code());
    let shape = Shape {
        pointers: SmallVec::from_slice(&[false]),
        results: SmallVec::from_slice(&[false]),
    };
    (codes, vec![shape; functions])
}

/// A worker with these functions; function 0 is what runs.
struct Rig {
    ctx: Box<Ctx>,
    life: LifeId,
    stop: StopHandle,
}

fn rig(clock: Clock, functions: Vec<Function>) -> Rig {
    LOG.take();
    let (codes, shapes) = codes(functions.len());
    FUNCTIONS.set(functions);
    let ctx = Ctx::new(
        descs(),
        Arc::new(Settings::default()),
        Box::new(|_: Event| ()),
    );
    let reactor = Reactor::new(clock).expect("a reactor");
    let stop = StopHandle::new();
    let worker = Worker::new(reactor, codes, shapes, stop.clone());
    // SAFETY: the word is in the context, which drops the worker before it goes.
    unsafe { worker.stop.attach(&ctx.heap.poke) };
    ctx.set_worker(worker);
    let life = crate::life::open(
        &ctx,
        Rc::new(User::new(1, "", 0, 0)),
        Course::Led(Box::default()),
    );
    Rig { ctx, life, stop }
}

impl Rig {
    fn run(self) -> (Vec<String>, End, u64) {
        let entered = self.ctx.enter();
        let ctx = &*self.ctx;
        life::start(
            ctx,
            self.life,
            SectionKind::Test,
            &"test".into(),
            FuncId(0),
            &[0],
        );
        let (end, results) = loop {
            turn(ctx, true).expect("polling works");
            if let Some(result) = life::take_result(ctx, self.life) {
                break result;
            }
        };
        life::close(ctx, self.life);
        while life::is_open(ctx, self.life) {
            turn(ctx, true).expect("polling works");
        }
        assert_eq!(
            ctx.worker().strands.borrow().len(),
            0,
            "all strands have ended"
        );
        assert_eq!(
            ctx.worker().pool.borrow().live(),
            0,
            "all chunks are given back"
        );
        assert_eq!(
            ctx.worker().computers.parked(),
            0,
            "no stack stands in the middle of a script"
        );
        assert!(
            ctx.worker().reactor().next_timer().is_none(),
            "all timers are gone"
        );
        assert!(!any_woken());
        assert_eq!(ctx.heap.live(), 0, "all objects are freed");
        drop(entered);
        (LOG.take(), end, results[0])
    }
}

fn run(functions: Vec<Function>) -> (Vec<String>, End, u64) {
    rig(Clock::Virtual(0), functions).run()
}

fn plain(ops: &[Op]) -> Function {
    ops.iter().map(|op| (*op, OUT)).collect()
}

#[test]
fn sleeps_and_calls_follow_each_other() {
    let (log, end, value) = run(vec![
        plain(&[
            Sleep(5),
            Call(1),
            Log("back"),
            Sleep(1),
            Log("end"),
            Return(7),
        ]),
        plain(&[Log("in"), Sleep(10), Log("out")]),
    ]);
    assert_eq!(log, ["5 in", "15 out", "15 back", "16 end"]);
    assert!(matches!(end, End::Done));
    assert_eq!(value, 7);
}

#[test]
fn a_result_from_another_thread_arrives() {
    let (log, end, _) = run(vec![plain(&[Host(1), Log("there"), Sleep(1)])]);
    assert_eq!(log, ["0 there"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn an_error_reaches_the_handler_and_no_further() {
    let (log, end, _) = run(vec![
        vec![
            (Call(1), 2),
            (Log("not here"), OUT),
            (Catch, OUT),
            (Sleep(1), OUT),
            (Log("on"), OUT),
        ],
        plain(&[Sleep(3), Fail("other")]),
    ]);
    assert_eq!(log, ["3 other", "4 on"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn a_timeout_ends_a_wait_and_becomes_an_error_at_its_own_block() {
    let (log, end, _) = run(vec![
        vec![
            (Timeout(10), OUT),
            (Call(1), 4),
            (Exit, OUT),
            (Jump(6), OUT),
            (Caught, 5),
            (Catch, OUT),
        ],
        // The inner handler does not see the cancellation.
        vec![(Sleep(50), 1), (Catch, OUT), (Log("not here"), OUT)],
    ]);
    assert_eq!(log, ["10 timeout"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn the_outer_of_two_timeouts_wins() {
    let inner = vec![
        (Timeout(20), OUT),
        (Sleep(50), 3),
        (Exit, OUT),
        (Caught, 4),
        (Catch, OUT),
        (Log("inner"), OUT),
    ];
    let outer = |nanos| {
        vec![
            (Timeout(nanos), OUT),
            (Call(1), 4),
            (Exit, OUT),
            (Jump(6), OUT),
            (Caught, 5),
            (Catch, OUT),
        ]
    };
    let (log, ..) = run(vec![outer(10), inner.clone()]);
    assert_eq!(log, ["10 timeout"]);
    let (log, ..) = run(vec![outer(30), inner.clone()]);
    assert_eq!(log, ["20 timeout", "20 inner"]);
    let (log, ..) = run(vec![outer(20), inner]);
    assert_eq!(log, ["20 timeout"]);
}

#[test]
fn a_timeout_that_does_not_pass_leaves_nothing() {
    let (log, end, _) = run(vec![plain(&[
        Timeout(10),
        Sleep(9),
        Exit,
        Sleep(5),
        Log("end"),
    ])]);
    assert_eq!(log, ["14 end"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn a_cancelled_future_is_dropped_at_once() {
    let (log, ..) = run(vec![vec![
        (Timeout(10), OUT),
        (Host(2), 2),
        (Caught, 3),
        (Catch, OUT),
    ]]);
    assert_eq!(log, ["10 future dropped", "10 timeout"]);
}

#[test]
fn a_defer_runs_under_its_shield_while_a_cancellation_unwinds() {
    let (log, ..) = run(vec![
        vec![(Timeout(10), OUT), (Call(1), 2), (Caught, 3), (Catch, OUT)],
        vec![
            (Sleep(50), 1),
            (Shield(5), OUT),
            (Sleep(3), OUT),
            (Log("closed"), OUT),
            (Unshield, OUT),
        ],
    ]);
    assert_eq!(log, ["13 closed", "13 timeout"]);
}

#[test]
fn a_defer_that_takes_too_long_is_cut_off() {
    let (log, ..) = run(vec![
        vec![(Timeout(10), OUT), (Call(1), 2), (Caught, 3), (Catch, OUT)],
        vec![
            (Sleep(50), 1),
            (Shield(5), OUT),
            (Sleep(30), 3),
            (Unshield, OUT),
        ],
    ]);
    assert_eq!(log, ["15 shield over", "15 timeout"]);
}

#[test]
fn parallel_waits_for_all_and_gives_a_tuple() {
    let (log, end, _) = run(vec![
        plain(&[Op::Parallel(&[1, 2])]),
        plain(&[Sleep(5), Log("first"), Return(1)]),
        plain(&[Sleep(3), Log("second"), Return(2)]),
    ]);
    assert_eq!(log, ["3 second", "5 first", "5 [1, 2]"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn the_first_error_of_parallel_cancels_the_rest_and_waits_for_their_defers() {
    let (log, end, _) = run(vec![
        vec![(Op::Parallel(&[1, 2]), 1), (Catch, OUT), (Log("on"), OUT)],
        plain(&[Sleep(5), Fail("first")]),
        vec![
            (Sleep(30), 1),
            (Shield(100), OUT),
            (Sleep(7), OUT),
            (Log("unwound"), OUT),
            (Unshield, OUT),
        ],
    ]);
    assert_eq!(log, ["12 unwound", "12 first", "12 on"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn a_child_that_has_not_started_never_does() {
    let (log, ..) = run(vec![
        vec![(Op::Parallel(&[1, 2]), 1), (Catch, OUT)],
        plain(&[Fail("at once")]),
        plain(&[Log("not here")]),
    ]);
    assert_eq!(log, ["0 never started", "0 at once"]);
}

#[test]
fn the_winner_of_a_race_cancels_the_rest() {
    let (log, end, _) = run(vec![
        plain(&[Op::Race(&[1, 2]), Log("won")]),
        plain(&[Sleep(5), Log("not here")]),
        plain(&[Sleep(3), Return(9)]),
    ]);
    assert_eq!(log, ["3 won"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn a_cancelled_join_unwinds_its_children_first() {
    let (log, ..) = run(vec![
        vec![
            (Timeout(10), OUT),
            (Op::Parallel(&[1, 2]), 2),
            (Caught, 3),
            (Catch, OUT),
        ],
        vec![
            (Sleep(50), 1),
            (Shield(100), OUT),
            (Sleep(7), OUT),
            (Log("unwound"), OUT),
            (Unshield, OUT),
        ],
        plain(&[Host(2)]),
    ]);
    assert_eq!(log, ["10 future dropped", "17 unwound", "17 timeout"]);
}

#[test]
fn parallel_for_runs_so_many_at_once() {
    let (log, ..) = run(vec![
        plain(&[ForEach(1, 3, 2), Log("all")]),
        plain(&[SleepElement, Log("one")]),
    ]);
    // The third starts when the second ends; a function's result is its argument.
    assert_eq!(
        log,
        ["20 one", "30 one", "30 one", "30 [30, 20, 10]", "30 all"]
    );
    let (log, ..) = run(vec![
        plain(&[ForEach(1, 3, 0), Log("all")]),
        plain(&[SleepElement, Log("one")]),
    ]);
    assert_eq!(
        log,
        ["10 one", "20 one", "30 one", "30 [30, 20, 10]", "30 all"]
    );
    let (log, ..) = run(vec![
        plain(&[ForEach(1, 0, 0), Log("all")]),
        plain(&[Log("one")]),
    ]);
    assert_eq!(log, ["0 []", "0 all"]);
}

#[test]
fn spawned_strands_end_with_the_life() {
    let (log, ..) = run(vec![
        plain(&[Spawn(1), Sleep(5), Log("main ends")]),
        plain(&[Host(2)]),
    ]);
    assert_eq!(log, ["5 main ends", "5 future dropped"]);
}

#[test]
fn deep_waiting_calls_do_not_grow_the_native_stack() {
    let depth = 20_000;
    let mut functions: Vec<Function> = (1..=depth).map(|next| plain(&[Call(next)])).collect();
    functions.push(plain(&[Sleep(1), Log("bottom")]));
    let (log, ..) = run(functions);
    assert_eq!(log, ["1 bottom"]);
}

#[test]
fn a_computation_without_end_is_ended_by_a_timeout() {
    let rig = rig(
        Clock::Real,
        vec![vec![
            (Timeout(1_000_000), OUT),
            (Spin, 2),
            (Caught, 3),
            (Catch, OUT),
        ]],
    );
    let watchdog = Watchdog::start(rig.ctx.worker().stop.poker.clone(), Duty::default());
    let (log, end, _) = rig.run();
    drop(watchdog);
    assert_eq!(log.len(), 1);
    assert!(log[0].ends_with(" timeout"));
    assert!(matches!(end, End::Done));
}

/// On the real clock, with somebody who finds each slice long at once.
fn run_hurried(functions: Vec<Function>) -> (Vec<String>, End) {
    let rig = rig(Clock::Real, functions);
    let poker = rig.ctx.worker().stop.poker.clone();
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let other = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            poker.poke_slice();
            std::thread::yield_now();
        }
    });
    let (log, end, _) = rig.run();
    ended.store(true, Ordering::Relaxed);
    other.join().expect("poking does not panic");
    let texts = log.iter().filter_map(|line| line.split_once(' '));
    let texts = texts.map(|(_, text)| text.to_owned()).collect();
    (texts, end)
}

#[test]
fn a_computation_without_end_lets_others_run() {
    let (log, end) = run_hurried(vec![
        plain(&[Race(&[1, 2, 1]), Log("decided")]),
        plain(&[Spin]),
        plain(&[Sleep(1000), Log("a"), Call(3), Sleep(1000), Log("c")]),
        plain(&[Sleep(1000), Log("b")]),
    ]);
    assert_eq!(log, ["a", "b", "c", "decided"]);
    assert!(matches!(end, End::Done));
}

#[test]
fn what_computes_without_end_is_cancelled_with_what_it_is_part_of_wherever_it_is_parked() {
    let (log, end) = run_hurried(vec![
        vec![
            (Timeout(10_000_000), OUT),
            (Race(&[1; 20]), 2),
            (Caught, 3),
            (Catch, OUT),
        ],
        vec![(Call(2), 1), (Log("left"), OUT), (Catch, OUT)],
        plain(&[Spin]),
    ]);
    assert_eq!(log.len(), 21, "{log:?}");
    assert_eq!(log[20], "timeout");
    assert!(matches!(end, End::Done));
}

#[test]
fn beside_many_parked_stacks_what_computes_keeps_the_worker_and_can_be_cancelled() {
    let (log, end) = run_hurried(vec![
        vec![
            (Timeout(100_000_000), OUT),
            (Race(&[1; 70]), 2),
            (Caught, 3),
            (Catch, OUT),
        ],
        plain(&[Spin]),
    ]);
    // On a slow machine not all of them begin in that time.
    assert_eq!(log.last().map(String::as_str), Some("timeout"));
    assert!(matches!(end, End::Done));
}

#[test]
fn a_computation_without_end_is_ended_by_the_second_stop() {
    let rig = rig(Clock::Real, vec![vec![(Log("spins"), OUT), (Spin, OUT)]]);
    let stop = rig.stop.clone();
    stop.request();
    let other = std::thread::spawn(move || stop.request());
    let (log, end, _) = rig.run();
    other.join().expect("asking to stop does not panic");
    assert!(log.len() <= 1);
    assert!(matches!(end, End::Cancelled));
}
