//! The host-call ABI from the outside: as the standard library uses it.

use scn_runtime::desc::fixed;
use scn_runtime::descs::Descs;
use scn_runtime::host::{Call, Class, ERROR, NONE, OK, Ret};
use scn_runtime::{
    Ctx, Cx, DescId, Extern, Fault, Nanos, NativeDef, New, OwnSlot, RawOwn, RawSlot, Settings,
    Text, VarList, kind, ready, waiting,
};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

struct Conn {
    sent: Cell<usize>,
    closed: Rc<Cell<bool>>,
}

impl Extern for Conn {
    const NAME: &'static str = "TcpConn";
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.closed.set(true);
    }
}

fn len(text: &str) -> i64 {
    text.chars().count() as i64
}

fn slice(cx: &Ctx, text: &str, from: i64, to: Option<i64>) -> Result<String, Fault> {
    cx.reserve(text.len())?;
    let to = to.unwrap_or(text.len() as i64);
    let part = text.get(from as usize..to as usize);
    part.map(str::to_owned)
        .ok_or_else(|| Fault::fixed(kind::SCRIPT_INDEX, "outside"))
}

fn push(cx: &Ctx, list: &mut VarList, value: RawOwn) {
    list.push_raw(cx, value);
}

fn find(cx: &Ctx, list: scn_runtime::List<'_>, value: RawSlot) -> Option<i64> {
    let wanted = list.typed(cx.descs(), value).str()?;
    list.strings(cx.descs())
        .position(|text| text == wanted)
        .map(|at| at as i64)
}

fn pop(cx: &Ctx, list: &mut VarList) -> Option<OwnSlot> {
    list.pop(cx)
}

fn typed(desc: DescId, name: Option<&str>) -> i64 {
    i64::from(desc.0) + name.map_or(0, len)
}

fn connect(_timeout: Option<Nanos>) -> New<Conn> {
    New(Conn {
        sent: Cell::new(0),
        closed: Rc::default(),
    })
}

async fn send(cx: Cx, conn: &Conn, data: Text<'_>) -> Result<i64, Fault> {
    std::future::ready(()).await;
    conn.sent.set(conn.sent.get() + data.bytes.len());
    cx.with(|cx| cx.user_state::<u64, _>(|mut total| *total += data.bytes.len() as u64));
    match data.as_str() {
        Some("refuse") => Err(Fault::fixed(kind::CONNECTION_RESET, "gone")),
        _ => Ok(conn.sent.get() as i64),
    }
}

fn table() -> Vec<NativeDef> {
    vec![
        ready("string.len", len),
        ready("string.slice", slice),
        ready("list.push", push),
        ready("list.pop", pop),
        ready("list.find", find),
        ready("test.typed", typed),
        ready("tcp.open", connect),
        waiting("tcp.send", send),
    ]
}

fn def(name: &str) -> NativeDef {
    table()
        .into_iter()
        .find(|def| def.name == name)
        .expect("it is in the table")
}

fn with_ctx(test: impl FnOnce(&Ctx)) {
    let descs = Arc::new(Descs::new(fixed(), Vec::new(), &["TcpConn"]));
    let ctx = Ctx::new(descs, Arc::new(Settings::default()), Box::new(|_| {}));
    let entered = ctx.enter();
    test(&ctx);
    drop(entered);
    assert_eq!(ctx.heap.live(), 0, "an object was left behind");
    assert_eq!(ctx.heap.account().bytes(), 0, "bytes were left behind");
}

fn call(ctx: &Ctx, name: &str, args: &mut [u64]) -> Ret {
    let Call::Ready(entry) = def(name).call else {
        panic!("{name} waits")
    };
    // SAFETY: each test hands in the registers of the function's signature.
    unsafe { entry(ctx, args.as_mut_ptr()) }
}

#[test]
fn signatures_are_read_off_the_types() {
    let classes = |name| {
        def(name)
            .signature
            .params
            .iter()
            .map(|param| param.class)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        classes("string.slice"),
        [Class::Ptr, Class::Int, Class::Int, Class::Int]
    );
    assert_eq!(def("string.slice").signature.results, [Class::Ptr]);
    assert!(def("string.slice").signature.fails);
    assert!(def("list.push").signature.inout);
    assert!(def("list.push").signature.params[1].own);
    assert!(def("test.typed").signature.typed);
    assert_eq!(def("list.pop").signature.results, [Class::Int, Class::Slot]);
    assert!(def("tcp.send").signature.waits);
    assert_eq!(def("tcp.open").signature.externs, ["TcpConn"]);
}

#[test]
fn scalars_options_and_errors() {
    with_ctx(|ctx| {
        let text = ctx.heap.string("héllo");
        assert_eq!(
            call(ctx, "string.len", &mut [text.obj().bits()]),
            Ret::ok(5)
        );
        let part = call(ctx, "string.slice", &mut [text.obj().bits(), 0, 1, 1]);
        assert_eq!(part.status, OK);
        // SAFETY: the function hands out a new string.
        let part = unsafe { scn_runtime::Own::from_bits(part.value) };
        assert_eq!(part.as_any().as_str(), Some("h"));
        assert_eq!(
            call(ctx, "string.slice", &mut [text.obj().bits(), 90, 0, 0]).status,
            ERROR
        );
        let error = ctx.take_err().expect("an error was raised");
        assert_eq!(
            error.as_any().as_fault().expect("an error").kind(),
            "script.index"
        );
        assert_eq!(call(ctx, "test.typed", &mut [3, 0]), Ret::ok(3));
    });
}

#[test]
fn a_receiver_comes_back_changed_and_a_shared_one_is_copied() {
    with_ctx(|ctx| {
        let shared = VarList::of_strings(ctx, ["a", "b"]).into_own();
        let mut args = [shared.clone().into_bits(), ctx.heap.string("c").into_bits()];
        assert_eq!(call(ctx, "list.push", &mut args).status, OK);
        assert_ne!(args[0], shared.obj().bits());
        let wanted = ctx.heap.string("c");
        assert_eq!(
            call(ctx, "list.find", &mut [args[0], wanted.obj().bits()]),
            Ret::ok(2)
        );
        assert_eq!(
            call(
                ctx,
                "list.find",
                &mut [shared.obj().bits(), wanted.obj().bits()]
            )
            .status,
            NONE
        );
        for _ in 0..3 {
            let last = call(ctx, "list.pop", &mut args[..1]);
            // SAFETY: the list has three strings, and each is handed out once.
            drop(unsafe { scn_runtime::Own::from_bits(last.value) });
        }
        assert_eq!(call(ctx, "list.pop", &mut args[..1]).status, NONE);
        // SAFETY: the receiver that came back is owned here.
        drop(unsafe { scn_runtime::Own::from_bits(args[0]) });
    });
}

#[test]
fn a_future_borrows_its_arguments() {
    with_ctx(|ctx| {
        let conn = call(ctx, "tcp.open", &mut [0, 0]);
        let Call::Waiting(code) = def("tcp.send").call else {
            panic!("it waits")
        };
        for (text, status) in [("four", OK), ("refuse", ERROR)] {
            let data = ctx.heap.string(text);
            let mut args = [conn.value, data.obj().bits()];
            let mut place = vec![0u64; code.size as usize / 8];
            let place = place.as_mut_ptr().cast();
            let mut task = Context::from_waker(Waker::noop());
            // SAFETY: arguments are of the signature, the place has the size; poll and drop follow start, once.
            let ret = unsafe {
                (code.start)(ctx, args.as_mut_ptr(), place);
                let ret = (code.poll)(ctx, place, &mut task);
                (code.drop)(place);
                ret.expect("nothing is waited for")
            };
            assert_eq!(ret.status, status);
        }
        assert_eq!(ctx.user_state::<u64, _>(|total| *total), 10);
        ctx.set_err(None);
        // SAFETY: the handle is owned here.
        let conn = unsafe { scn_runtime::Own::from_bits(conn.value) };
        let closed = conn
            .as_any()
            .as_extern::<Conn>(ctx.descs())
            .expect("a connection")
            .closed
            .clone();
        drop(conn);
        assert!(closed.get());
    });
}
