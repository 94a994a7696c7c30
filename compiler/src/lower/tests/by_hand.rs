//! Lowering of trees built by hand, where a test wants to say exactly what comes in.

use super::{assert_reads_back, count};
use crate::hir::*;
use crate::ir::{Stage, function_text, verify};
use crate::lower::lower;
use crate::source::{Source, Sources};
use scn_grammar::Span;
use scn_grammar::ast::BinaryOp;

/// A program with one function under construction.
struct Maker {
    hir: Hir,
    locals: Vec<Local>,
}

impl Maker {
    fn new() -> Maker {
        Maker {
            hir: Hir::default(),
            locals: Vec::new(),
        }
    }

    fn ty(&mut self, ty: Type) -> TypeId {
        self.hir.types.intern(ty)
    }

    fn int(&mut self) -> TypeId {
        self.ty(Type::Int)
    }

    fn string(&mut self) -> TypeId {
        self.ty(Type::String)
    }

    fn none(&mut self) -> TypeId {
        self.ty(Type::None)
    }

    fn local(&mut self, name: &str, ty: TypeId) -> LocalId {
        self.locals.push(Local {
            name: name.to_owned(),
            ty,
            mutable: true,
            span: Span::default(),
        });
        LocalId(self.locals.len() as u32 - 1)
    }

    fn read(&self, local: LocalId) -> Expr {
        expr(ExprKind::Local(local), self.locals[local.index()].ty)
    }

    fn num(&mut self, n: i64) -> Expr {
        let ty = self.int();
        expr(ExprKind::Const(Const::Int(n)), ty)
    }

    fn add(&mut self, left: Expr, right: Expr) -> Expr {
        let ty = self.int();
        expr(
            ExprKind::Arith {
                op: Arith::Int(BinaryOp::Add),
                left,
                right,
            },
            ty,
        )
    }

    fn compare(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Expr {
        let ty = self.ty(Type::Bool);
        expr(ExprKind::Compare { op, left, right }, ty)
    }

    fn ret(&mut self, value: Option<Expr>) -> Stmt {
        let ty = self.ty(Type::Never);
        stmt(StmtKind::Expr(expr(ExprKind::Return(value), ty)))
    }

    fn native(&mut self, name: &str, params: Vec<TypeId>, result: TypeId) -> NativeId {
        let param = |ty| NativeParam {
            name: "x".to_owned(),
            ty,
            own: false,
            var: false,
            wire: false,
            default: None,
        };
        self.hir.natives.push(Native {
            name: name.to_owned(),
            params: params.into_iter().map(param).collect(),
            result,
            waits: false,
            fails: false,
            typed: false,
            property: false,
            body: None,
            doc: None,
            span: Span::default(),
        });
        NativeId(self.hir.natives.len() as u32 - 1)
    }

    fn waiting(&mut self, name: &str, params: Vec<TypeId>, result: TypeId) -> NativeId {
        let id = self.native(name, params, result);
        self.hir.natives[id.index()].waits = true;
        self.hir.natives[id.index()].fails = true;
        id
    }

    fn handle(&mut self) -> TypeId {
        self.hir.externs.push(ExternDef {
            name: "Conn".to_owned(),
            module: "tcp".to_owned(),
            is_handle: true,
        });
        self.ty(Type::Extern(ExternId(0)))
    }

    /// Closes the function.
    fn function(
        &mut self,
        name: &str,
        kind: FunctionKind,
        params: Vec<LocalId>,
        result: TypeId,
        body: Vec<Stmt>,
    ) -> FuncId {
        self.hir.functions.push(Function {
            name: name.to_owned(),
            kind,
            params,
            locals: std::mem::take(&mut self.locals),
            result,
            body: block(body),
            cells: None,
            span: Span::default(),
        });
        FuncId(self.hir.functions.len() as u32 - 1)
    }

    fn fun(&mut self, name: &str, params: Vec<LocalId>, result: TypeId, body: Vec<Stmt>) -> FuncId {
        self.function(name, FunctionKind::Fn, params, result, body)
    }

    /// Lowers, which verifies after each pass, and gives the text of the first function.
    fn lowered(self) -> String {
        let program = lower(&sources(), &self.hir);
        verify(&program, Stage::Framed).unwrap_or_else(|broken| panic!("{broken}"));
        let text = function_text(&program, crate::ir::FuncId(0), &program.functions[0]);
        assert_reads_back(&program);
        text
    }
}

fn sources() -> Sources {
    let mut sources = Sources::default();
    sources.add(Source {
        name: "test.scn".to_owned(),
        text: "x == 1".to_owned(),
    });
    sources
}

fn expr(kind: ExprKind, ty: TypeId) -> Expr {
    Expr {
        kind: Box::new(kind),
        ty,
        span: Span::default(),
    }
}

fn stmt(kind: StmtKind) -> Stmt {
    Stmt {
        span: Span::default(),
        kind,
    }
}

fn block(stmts: Vec<Stmt>) -> Block {
    Block {
        stmts,
        value: None,
        span: Span::default(),
    }
}

fn valued(stmts: Vec<Stmt>, value: Expr) -> Block {
    Block {
        stmts,
        value: Some(value),
        span: Span::default(),
    }
}

fn bind(local: LocalId, value: Expr) -> Stmt {
    stmt(StmtKind::Let {
        pattern: Binding::Local(local),
        value,
    })
}

fn call(native: NativeId, args: Vec<Expr>, ty: TypeId) -> Expr {
    expr(ExprKind::CallNative { native, args }, ty)
}

fn place(local: LocalId, path: Vec<Step>, ty: TypeId) -> Place {
    Place {
        root: Root::Local(local),
        path,
        ty,
        span: Span::default(),
    }
}

#[test]
fn loops_keep_locals_in_block_parameters() {
    let mut m = Maker::new();
    let int = m.int();
    let (n, sum, at) = (m.local("n", int), m.local("sum", int), m.local("at", int));
    let zero = m.num(0);
    let range = m.ty(Type::Range(int));
    let start = m.num(0);
    let iterable = expr(
        ExprKind::Range {
            start,
            end: m.read(n),
            inclusive: false,
        },
        range,
    );
    let value = m.add(m.read(sum), m.read(at));
    let add = stmt(StmtKind::Assign {
        place: place(sum, vec![], int),
        value,
    });
    let walk = stmt(StmtKind::For {
        pattern: Binding::Local(at),
        iterable,
        body: block(vec![add]),
    });
    let result = m.read(sum);
    let ret = m.ret(Some(result));
    m.fun("sum", vec![n], int, vec![bind(sum, zero), walk, ret]);
    let text = m.lowered();
    assert!(text.contains("poke"), "{text}");
    assert!(text.contains("try v"), "{text}");
    assert!(!text.contains("slots"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn strings_are_dropped_after_their_last_use() {
    let mut m = Maker::new();
    let (string, none) = (m.string(), m.none());
    let shout = m.native("string.upper", vec![string], string);
    let print = m.native("log.info", vec![string], none);
    let name = m.local("name", string);
    let loud = m.local("loud", string);
    let value = call(shout, vec![m.read(name)], string);
    let parts = vec![
        Part::Text("hi ".to_owned()),
        Part::Value(m.read(loud)),
        Part::Value(m.read(name)),
    ];
    let hello = expr(ExprKind::Interpolate(parts), string);
    let say = stmt(StmtKind::Expr(call(print, vec![hello], none)));
    m.fun("greet", vec![name], none, vec![bind(loud, value), say]);
    insta::assert_snapshot!(m.lowered());
}

#[test]
fn an_assignment_into_a_record_takes_out_and_puts_back() {
    let mut m = Maker::new();
    let int = m.int();
    let list = m.ty(Type::List(int));
    let record = m.ty(Type::Record(vec![("xs".to_owned(), list)]));
    let r = m.local("r", record);
    let index = m.num(0);
    let path = vec![
        Step::Field { record, index: 0 },
        Step::Index { list, index },
    ];
    let value = m.num(7);
    let set = stmt(StmtKind::Assign {
        place: place(r, path, int),
        value,
    });
    let items = expr(ExprKind::List(vec![]), list);
    let fresh = expr(
        ExprKind::Record {
            fields: vec![items],
            order: vec![0],
        },
        record,
    );
    let ret = m.ret(Some(m.read(r)));
    m.fun("set", vec![], record, vec![bind(r, fresh), set, ret]);
    let text = m.lowered();
    assert_eq!(count(&text, "store"), 2, "put back on both edges: {text}");
    assert_eq!(count(&text, "retain"), 0, "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn catch_lets_cancellations_pass() {
    let mut m = Maker::new();
    let (int, string, error) = (m.int(), m.string(), m.ty(Type::Error));
    let recv = m.waiting("tcp.recv", vec![string], int);
    let (name, e) = (m.local("name", string), m.local("e", error));
    let value = call(recv, vec![m.read(name)], int);
    let zero = m.num(0);
    let handler = valued(vec![], zero);
    let caught = expr(
        ExprKind::Catch {
            value,
            binder: Some(e),
            handler,
        },
        int,
    );
    let ret = m.ret(Some(caught));
    m.fun("try_it", vec![name], int, vec![ret]);
    let text = m.lowered();
    assert!(text.contains("err_is_cancel"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_check_boxes_its_sides_only_where_it_fails() {
    let mut m = Maker::new();
    let (int, none) = (m.int(), m.none());
    let (a, b) = (m.local("a", int), m.local("b", int));
    let left = m.compare(BinaryOp::Eq, m.read(a), m.read(b));
    let sum = m.add(m.read(a), m.read(b));
    let five = m.num(5);
    let right = m.compare(BinaryOp::Lt, sum, five);
    let bool_ty = m.ty(Type::Bool);
    let cond = expr(
        ExprKind::Logic {
            op: BinaryOp::And,
            left,
            right,
        },
        bool_ty,
    );
    let check = stmt(StmtKind::Check(Check {
        soft: true,
        label: None,
        cond,
    }));
    m.fun("look", vec![a, b], none, vec![check]);
    insta::assert_snapshot!(m.lowered());
}

#[test]
fn a_handle_lives_to_the_end_of_its_scope_and_defer_runs_on_every_exit() {
    let mut m = Maker::new();
    let (int, none, conn) = (m.int(), m.none(), m.handle());
    let connect = m.waiting("tcp.connect", vec![], conn);
    let close = m.native("TcpConn.close", vec![conn], none);
    let recv = m.waiting("TcpConn.recv", vec![conn], int);
    let c = m.local("c", conn);
    let n = m.local("n", int);
    let closes = call(close, vec![m.read(c)], none);
    let defer = stmt(StmtKind::Defer(block(vec![stmt(StmtKind::Expr(closes))])));
    let value = call(recv, vec![m.read(c)], int);
    let result = m.read(n);
    let ret = m.ret(Some(result));
    m.fun(
        "fetch",
        vec![],
        int,
        vec![
            bind(c, call(connect, vec![], conn)),
            defer,
            bind(n, value),
            ret,
        ],
    );
    let text = m.lowered();
    assert!(text.contains("keep"), "{text}");
    assert_eq!(
        count(&text, "; TcpConn.close"),
        2,
        "on the ordinary way and on the error's: {text}"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn recursion_polls_and_small_functions_are_inlined() {
    let mut m = Maker::new();
    let int = m.int();
    let x = m.local("x", int);
    let inner = expr(
        ExprKind::Call {
            func: FuncId(1),
            args: vec![m.read(x)],
        },
        int,
    );
    let outer = expr(
        ExprKind::Call {
            func: FuncId(0),
            args: vec![inner],
        },
        int,
    );
    let ret = m.ret(Some(outer));
    m.fun("again", vec![x], int, vec![ret]);
    let y = m.local("y", int);
    let same = m.read(y);
    let ret = m.ret(Some(same));
    m.fun("same", vec![y], int, vec![ret]);
    let text = m.lowered();
    assert!(text.contains("recursive"), "{text}");
    assert_eq!(count(&text, "err_trace"), 1, "{text}");
    assert!(!text.contains("call fn1"), "{text}");
}

#[test]
fn optional_scalars_are_two_registers() {
    let mut m = Maker::new();
    let int = m.int();
    let maybe = m.ty(Type::Optional(int));
    let map = m.ty(Type::Map(int, int));
    let (all, found) = (m.local("all", map), m.local("found", maybe));
    let key = m.num(3);
    let lookup = expr(
        ExprKind::Lookup {
            base: m.read(all),
            key,
        },
        maybe,
    );
    let fallback = m.num(9);
    let value = expr(
        ExprKind::Coalesce {
            left: m.read(found),
            right: fallback,
        },
        int,
    );
    let ret = m.ret(Some(value));
    m.fun("pick", vec![all], int, vec![bind(found, lookup), ret]);
    insta::assert_snapshot!(m.lowered());
}
