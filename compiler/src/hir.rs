//! The HIR: every name resolved, every expression typed, every conversion and default written out.
//!
//! The checker builds it, lowering reads it; nothing else does. It is a tree for each function.
//! A program without errors has no `Unknown` type and no hole in it, so lowering cannot fail.

// Fields of variants are explained by the sentence of their variant.
#![allow(missing_docs)]

mod text;

use scn_grammar::Span;
use scn_grammar::ast::{BinaryOp, SectionKind, UnaryOp};
use std::net::{IpAddr, SocketAddr};

pub use text::hir_text;

/// Declares an index newtype.
macro_rules! id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

id! {
    /// A type of [`Types`].
    TypeId
    /// An enum of [`Hir::enums`].
    EnumId
    /// An extern type of [`Hir::externs`].
    ExternId
    /// A function of [`Hir::functions`].
    FuncId
    /// A library declaration of [`Hir::natives`].
    NativeId
    /// A local of a [`Function`].
    LocalId
    /// A variable that lives with a user (`init`) or a server; index into [`Function::cells`]' owner.
    CellId
    /// A param, data set, pool, metric or server of [`Hir::globals`].
    GlobalId
}

/// A whole checked program.
#[derive(Debug, Default)]
pub struct Hir {
    /// All types.
    pub types: Types,
    /// Enums of the program and of the library modules it uses.
    pub enums: Vec<EnumDef>,
    /// Extern types of the library modules it uses.
    pub externs: Vec<ExternDef>,
    /// Script functions, sections, tests, routes, connection bodies, and library functions with scn bodies.
    pub functions: Vec<Function>,
    /// Library declarations of the modules it uses.
    pub natives: Vec<Native>,
    /// Params, data sets, pools, metrics, servers, in initialisation order.
    pub globals: Vec<Global>,
    /// Scenarios in source order.
    pub scenarios: Vec<Scenario>,
    /// Tests in source order.
    pub tests: Vec<Test>,
    /// `export fn` items.
    pub exports: Vec<Export>,
    /// `export type` and `export enum` items.
    pub exported_types: Vec<(TypeId, Span)>,
    /// File-level thresholds.
    pub thresholds: Vec<Threshold>,
}

/// An `export fn` item.
#[derive(Debug)]
pub struct Export {
    /// The function.
    pub func: FuncId,
    /// Its documentation.
    pub doc: Option<String>,
}

/// The interned types; equal types have equal ids.
#[derive(Debug, Default)]
pub struct Types {
    /// The types.
    pub all: Vec<Type>,
    /// Declared names of record types, for messages: `User` for its structure.
    pub names: Vec<(TypeId, String)>,
    /// From type to id.
    pub ids: std::collections::HashMap<Type, TypeId>,
}

impl Types {
    /// The id of a type.
    pub fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(id) = self.ids.get(&ty) {
            return *id;
        }
        let id = TypeId(self.all.len() as u32);
        self.all.push(ty.clone());
        self.ids.insert(ty, id);
        id
    }
}

impl std::ops::Index<TypeId> for Types {
    type Output = Type;
    fn index(&self, id: TypeId) -> &Type {
        &self.all[id.index()]
    }
}

/// A type. There is no nested optional: `T??` is `T?`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `duration`
    Duration,
    /// `rate`
    Rate,
    /// `ip`
    Ip,
    /// `addr`
    Addr,
    /// `regex`
    Regex,
    /// `json`
    Json,
    /// `error`
    Error,
    /// The type of `none` and of functions without a result.
    None,
    /// The type of expressions that do not come back.
    Never,
    /// Stands where an error was reported; fits everything. Never reaches lowering.
    Unknown,
    /// `a..b`: of `int`, `float` or `duration`.
    Range(TypeId),
    /// `list<T>`
    List(TypeId),
    /// `map<K, V>`
    Map(TypeId, TypeId),
    /// Fields in the order of declaration; records that differ only in order are different types that convert.
    Record(Vec<(String, TypeId)>),
    /// `(A, B)`
    Tuple(Vec<TypeId>),
    /// `T?`
    Optional(TypeId),
    /// `secret<T>`; the same value as `T` at run time.
    Secret(TypeId),
    /// An enum.
    Enum(EnumId),
    /// A handle or an opaque library value.
    Extern(ExternId),
    /// `string | bytes`: parameters of library declarations only. At run time any object, told apart by its header.
    Union(Vec<TypeId>),
    /// A type parameter of a library declaration; never in the HIR of a call.
    Param(String),
    /// `data` set with rows of this type.
    Data(TypeId),
    /// An IP pool.
    Pool,
    /// A metric: `counter`, `gauge`, `rate`, `trend<T>`.
    Metric(MetricKind, TypeId),
    /// A server; the protocol tells which members it has.
    Server(Protocol),
}

/// Kinds of `metric` items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Adds up.
    Counter,
    /// Keeps the last value.
    Gauge,
    /// Share of true.
    Rate,
    /// A distribution.
    Trend,
}

/// Protocols of `server` items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `tcp`
    Tcp,
    /// `udp`
    Udp,
    /// `tls`
    Tls,
    /// `http`
    Http,
}

/// An enum.
#[derive(Debug)]
pub struct EnumDef {
    /// Its name.
    pub name: String,
    /// Its cases; the value at run time is the index.
    pub cases: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// `extern type TcpConn`.
#[derive(Debug)]
pub struct ExternDef {
    /// Its name.
    pub name: String,
    /// The module that declares it.
    pub module: String,
    /// A handle lives to the end of its scope; `@value` types (`Response`) drop at the last use.
    pub is_handle: bool,
}

/// A declaration `extern fn` of the library.
#[derive(Clone, Debug)]
pub struct Native {
    /// `http.get`, `list.push`, `TcpConn.send`: what the Rust side registers.
    pub name: String,
    /// Parameters; a method's receiver is the first.
    pub params: Vec<NativeParam>,
    /// Result type; may mention type parameters.
    pub result: TypeId,
    /// `@waits`.
    pub waits: bool,
    /// `@fails`.
    pub fails: bool,
    /// `@typed`: takes the descriptor of its result (without `?`) as a hidden first argument.
    pub typed: bool,
    /// `@property`: read without parentheses.
    pub property: bool,
    /// The scn body, if the declaration carries one: the meaning, which the Rust accelerates.
    pub body: Option<FuncId>,
    /// Documentation.
    pub doc: Option<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A parameter of a library declaration.
#[derive(Clone, Debug)]
pub struct NativeParam {
    /// Its name.
    pub name: String,
    /// Its type; may mention type parameters.
    pub ty: TypeId,
    /// `@own`: the native takes the reference over.
    pub own: bool,
    /// `@var` (first parameter only): in and out; the native takes it over and leaves a new value, also on error.
    pub var: bool,
    /// `@wire`: accepts secrets.
    pub wire: bool,
    /// Default, constant.
    pub default: Option<Const>,
}

/// A constant value; its type stands beside it.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// `none`, of any optional type and of `None`.
    None,
    /// Bool.
    Bool(bool),
    /// Int.
    Int(i64),
    /// Float, also the value of an int literal where a float is expected.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Per second.
    Rate(f64),
    /// String (also a secret one).
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A regex, already known to compile.
    Regex(String),
    /// Address without port.
    Ip(IpAddr),
    /// Address with port.
    Addr(SocketAddr),
    /// Case index.
    Enum(EnumId, u32),
    /// List.
    List(Vec<Const>),
    /// Map in insertion order; keys are scalars or strings.
    Map(Vec<(Const, Const)>),
    /// Record, fields in the order of its type.
    Record(Vec<Const>),
    /// Tuple.
    Tuple(Vec<Const>),
    /// Range.
    Range {
        start: Box<Const>,
        end: Box<Const>,
        inclusive: bool,
    },
    /// A constant converted to `json` or to a union; the type is the one before.
    Any(TypeId, Box<Const>),
}

/// A function of any kind.
#[derive(Debug)]
pub struct Function {
    /// `login`, `checkout.each`, `test "a user is found"`, `api GET /users/{}`: for traces.
    pub name: String,
    /// What it is.
    pub kind: FunctionKind,
    /// Its parameters, the first locals.
    pub params: Vec<LocalId>,
    /// All locals, whatever their scope.
    pub locals: Vec<Local>,
    /// Result type.
    pub result: TypeId,
    /// Body.
    pub body: Block,
    /// Cells that it sees: those of its scenario or server.
    pub cells: Option<CellOwner>,
    /// The head, for traces.
    pub span: Span,
}

/// Whose cells a function sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellOwner {
    /// Variables of a scenario's `init`: index into [`Hir::scenarios`].
    Scenario(u32),
    /// State of a server: its global.
    Server(GlobalId),
}

/// Kinds of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// `fn`, or a library function with a body.
    Fn,
    /// A section of a scenario; `Each` for a scenario of plain statements.
    Section(SectionKind),
    /// A test's body.
    Test,
    /// The initialiser of a global: no parameters, gives its value.
    Initialiser,
    /// Gives cells their first values; `init` sections do that themselves, servers have one of these.
    ServerState,
    /// The body of a tcp, tls or udp server; one parameter.
    Connection,
    /// A route: parameters are `req` and the path parameters in order; result is the reply.
    Route,
}

/// A local variable.
#[derive(Clone, Debug)]
pub struct Local {
    /// Its name; empty for one the checker made up.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
    /// Whether it was declared by `var`.
    pub mutable: bool,
    /// Where it is declared.
    pub span: Span,
}

/// A block: statements, and a value if the last is an expression whose value is used.
#[derive(Debug)]
pub struct Block {
    /// The statements before the value.
    pub stmts: Vec<Stmt>,
    /// The value; its type is the block's.
    pub value: Option<Expr>,
    /// From `{` to `}`.
    pub span: Span,
}

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Debug)]
pub enum StmtKind {
    /// `let`, `var`: gives locals (or, at the top of `init` and servers, cells) their first value.
    Let { pattern: Binding, value: Expr },
    /// `place = value`. Compound assignment to a plain local or cell may come as `a = a + v`;
    /// to other places it comes as [`StmtKind::Update`], so that the place is evaluated once.
    Assign { place: Place, value: Expr },
    /// `place op= value` with `op` already chosen by type; `old` is bound to the current value in `value`.
    Update {
        place: Place,
        old: LocalId,
        value: Expr,
    },
    /// `check` (soft) or `expect`.
    Check(Check),
    /// `think D` or `think A..B`.
    Think(Wait),
    /// `sleep D`; a range sleeps for a random time.
    Sleep(Wait),
    /// Runs when the innermost block is left, whichever way.
    Defer(Block),
    /// `for`; walks a snapshot. The iterable is a list, map, range, json, string-free; data sets and handles come as natives.
    For {
        pattern: Binding,
        iterable: Expr,
        body: Block,
    },
    /// `while`, `loop` (condition `None`).
    While { cond: Option<Cond>, body: Block },
    /// `every D { }`.
    Every { period: Expr, body: Block },
    /// `choose { }`: constant weights, at least one above 0.
    Choose(Vec<(i64, Block)>),
    /// `parallel { }`: branches; the locals that a branch's top-level `let`s declare are visible afterwards.
    Parallel(Vec<Branch>),
    /// An expression whose value is dropped.
    Expr(Expr),
}

/// One branch of `parallel` or `race`.
#[derive(Debug)]
pub struct Branch {
    /// Its statements; of `race` also the value.
    pub body: Block,
    /// Locals that it leaves to the statements after a `parallel`.
    pub lets: Vec<LocalId>,
}

/// The pause of `think` and `sleep`.
#[derive(Debug)]
pub enum Wait {
    /// A duration.
    Fixed(Expr),
    /// Uniform between two durations.
    Between(Expr, Expr),
}

/// `check` and `expect`.
#[derive(Debug)]
pub struct Check {
    /// `check` goes on when it fails, `expect` raises `script.expect`.
    pub soft: bool,
    /// The label; a constant or an interpolation (keyed by its template). Default is the condition's source text.
    pub label: Option<Expr>,
    /// The condition, of type `bool`. `&&` and comparisons at its top are what lowering takes apart to show values.
    pub cond: Expr,
}

/// What a `let` binds.
#[derive(Debug)]
pub enum Binding {
    /// A local.
    Local(LocalId),
    /// A cell.
    Cell(CellId),
    /// Nothing; the value is dropped.
    Ignore,
    /// A tuple; for `for` over a map: key and value.
    Tuple(Vec<Binding>),
}

/// Condition of `if` and `while`.
#[derive(Debug)]
pub enum Cond {
    /// A `bool`.
    Expr(Expr),
    /// `let x = optional`: holds when there is a value.
    Let { pattern: Binding, value: Expr },
}

/// A place that can be assigned: a root and a path.
#[derive(Debug)]
pub struct Place {
    /// The variable.
    pub root: Root,
    /// Path from the root to the place; empty for the variable itself.
    pub path: Vec<Step>,
    /// Type of the place.
    pub ty: TypeId,
    /// Its place in the source.
    pub span: Span,
}

/// The root of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A `var`.
    Local(LocalId),
    /// A user's or server's variable.
    Cell(CellId),
}

/// One step of a path.
#[derive(Debug)]
pub enum Step {
    /// Field of a record, by index; the type is the record's.
    Field { record: TypeId, index: u32 },
    /// Element of a list.
    Index { list: TypeId, index: Expr },
    /// Value of a map; as the last step of an assignment it inserts, before other steps a missing key fails.
    Key { map: TypeId, key: Expr },
}

/// An expression with its type.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: Box<ExprKind>,
    /// Its type.
    pub ty: TypeId,
    /// Its place.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// A constant; `const` items and folded expressions too.
    Const(Const),
    /// A local.
    Local(LocalId),
    /// A variable of the user or server.
    Cell(CellId),
    /// A param's value, or a data set, pool, metric, server as a receiver.
    Global(GlobalId),
    /// A call of a function, arguments in the order of parameters, defaults filled in.
    Call { func: FuncId, args: Vec<Expr> },
    /// A call of a library declaration, receiver first, defaults filled in, conversions done.
    /// A declaration with `var` receiver comes as [`ExprKind::CallVar`].
    CallNative { native: NativeId, args: Vec<Expr> },
    /// A call that changes its receiver: `xs.push(1)`.
    CallVar {
        native: NativeId,
        place: Place,
        args: Vec<Expr>,
    },
    /// A field of a record.
    Field { base: Expr, index: u32 },
    /// An element of a tuple, made by destructuring.
    Element { base: Expr, index: u32 },
    /// `xs[i]` of a list.
    Index { base: Expr, index: Expr },
    /// `b[i]` of bytes: an int.
    ByteAt { base: Expr, index: Expr },
    /// `m[k]` of a map: an optional.
    Lookup { base: Expr, key: Expr },
    /// `-` of int, float, duration; `!` of bool; `~` of int.
    Unary { op: UnaryOp, operand: Expr },
    /// Arithmetic on two operands of these types: int with int, float with float (conversions done), durations, rates:
    /// see [`Arith`]. Bit operators and shifts on ints.
    Arith { op: Arith, left: Expr, right: Expr },
    /// `+` of strings, bytes, lists.
    Concat { left: Expr, right: Expr },
    /// Comparison of two operands of one type (`==` lifts to optionals first).
    Compare {
        op: BinaryOp,
        left: Expr,
        right: Expr,
    },
    /// `&&`, `||`.
    Logic {
        op: BinaryOp,
        left: Expr,
        right: Expr,
    },
    /// `a ?? b`.
    Coalesce { left: Expr, right: Expr },
    /// `base?.member`: binds `local` to the value of `base` if there is one and gives `body` as an optional, else `none`.
    OptionalChain {
        base: Expr,
        local: LocalId,
        body: Expr,
    },
    /// A range.
    Range {
        start: Expr,
        end: Expr,
        inclusive: bool,
    },
    /// `json as T`; with `T?` absent and null give `none`. `typed` descriptors tell the shape.
    Decode { value: Expr, to: TypeId },
    /// `string as T`: int, float, bool, duration, ip, addr, enum, or their optional is not possible.
    Parse { value: Expr, to: TypeId },
    /// An implicit conversion; `ty` of the node is the type after it.
    Convert { value: Expr, kind: Conversion },
    /// A string with interpolations.
    Interpolate(Vec<Part>),
    /// List literal.
    List(Vec<Expr>),
    /// Map literal in source order.
    Map(Vec<(Expr, Expr)>),
    /// Record literal, fields in the order of the type; each evaluated in source order given by `order`.
    Record { fields: Vec<Expr>, order: Vec<u32> },
    /// Tuple literal.
    Tuple(Vec<Expr>),
    /// `[value for pattern in iterable if filter]`.
    Comprehension {
        value: Expr,
        pattern: Binding,
        iterable: Expr,
        filter: Option<Expr>,
    },
    /// `x catch ...`: the error is bound to `binder` in `handler`.
    Catch {
        value: Expr,
        binder: Option<LocalId>,
        handler: Block,
    },
    /// `if`; without `else` its type is `None`.
    If {
        cond: Cond,
        then: Block,
        otherwise: Option<Block>,
    },
    /// `match`: arms in order, exhaustive.
    Match { value: Expr, arms: Vec<Arm> },
    /// `do { }`.
    Do(Block),
    /// `step "name" { }`; the name is a constant or an interpolation.
    Step { name: Expr, body: Block },
    /// `timeout D { }`.
    Timeout { limit: Expr, body: Block },
    /// `retry N times backoff A..B { }`.
    Retry {
        times: Option<Expr>,
        backoff: Option<(Expr, Expr)>,
        body: Block,
    },
    /// `race { }`: value of the first branch to finish.
    Race(Vec<Branch>),
    /// `parallel for`: list of values in input order (a list of `None` values is just dropped: type `None`).
    ParallelFor {
        pattern: Binding,
        iterable: Expr,
        max: Option<Expr>,
        body: Block,
    },
    /// `return`.
    Return(Option<Expr>),
    /// `break` of the innermost loop.
    Break,
    /// `continue` of the innermost loop.
    Continue,
    /// `fail "why" kind "k"`: raises an error made of a message and a kind (default `script.fail`).
    Fail { message: Expr, kind: Option<Expr> },
    /// `fail e`: raises an error again.
    Rethrow(Expr),
}

/// Arithmetic by operand types. Ints, durations: checked; floats, rates: IEEE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arith {
    /// int op int, checked: `+ - * / % & | ^ << >>`.
    Int(BinaryOp),
    /// float op float: `+ - * / %`; also rate ± rate, rate / rate -> float, float * rate.
    Float(BinaryOp),
    /// duration ± duration -> duration, checked.
    Duration(BinaryOp),
    /// duration * int, int * duration (operands as written), duration / int, checked.
    DurationInt(BinaryOp),
    /// duration * float, float * duration (operands as written), duration / float.
    DurationFloat(BinaryOp),
    /// duration / duration -> float.
    DurationRatio,
    /// duration % duration -> duration.
    DurationRem,
    /// number (as float) / duration -> rate.
    NumberPerDuration,
    /// rate * duration, duration * rate (operands as written) -> float.
    RateTimesDuration,
    /// number (as float) / rate -> duration.
    NumberPerRate,
}

/// Implicit conversions (and those calls that are nothing else).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// `T` to `T?`.
    ToOptional,
    /// To `json`: scalars are boxed, objects stay what they are.
    ToJson,
    /// To a union parameter: scalars are boxed, objects stay what they are.
    ToUnion,
    /// A record to one with other order or additional optional fields.
    Record,
    /// `T` to `secret<T>`, or out of it where the library allows; nothing happens at run time.
    Secret,
    /// `list<never>`/empty literals and other cases where only the static type changes.
    Static,
    /// `int` to `float`.
    IntToFloat,
}

/// A part of an interpolation.
#[derive(Debug)]
pub enum Part {
    /// Text.
    Text(String),
    /// A value, printed as language.md rule 18 says.
    Value(Expr),
}

/// One arm of `match`.
#[derive(Debug)]
pub struct Arm {
    /// What it matches.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// Its value.
    pub body: Expr,
}

/// A pattern.
#[derive(Debug)]
pub enum Pattern {
    /// Everything.
    Any,
    /// Everything, bound to a local.
    Bind(LocalId),
    /// A constant of the matched type (for an optional: its value).
    Const(Const),
    /// A range of ints, floats or durations.
    Range {
        start: Const,
        end: Const,
        inclusive: bool,
    },
    /// `none`.
    None,
    /// A value in an optional that matches the pattern.
    Some(Box<Pattern>),
    /// Any of these.
    Or(Vec<Pattern>),
    /// A tuple.
    Tuple(Vec<Pattern>),
}

/// A global of the program.
#[derive(Debug)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// Its type: the value's for a param, [`Type::Data`], [`Type::Pool`], [`Type::Metric`], [`Type::Server`].
    pub ty: TypeId,
    /// Its documentation.
    pub doc: Option<String>,
    /// Where it is declared.
    pub span: Span,
    /// What it is.
    pub kind: GlobalKind,
}

/// Kinds of globals.
#[derive(Debug)]
pub enum GlobalKind {
    /// A param; without initialiser `--set` must give it.
    Param { init: Option<FuncId> },
    /// A data set: the initialiser gives `list<T>`.
    Data { init: FuncId },
    /// An IP pool.
    Pool(PoolDef),
    /// A metric.
    Metric,
    /// A server.
    Server(Server),
}

/// A server.
#[derive(Debug)]
pub struct Server {
    /// Its protocol.
    pub protocol: Protocol,
    /// Initialiser that gives the address to listen on, a string.
    pub address: FuncId,
    /// Certificate and key of a tls server, as initialisers that give strings (PEM text or paths); `None`: self-signed.
    pub options: Vec<(String, FuncId)>,
    /// Its state.
    pub cells: Vec<Local>,
    /// Gives the cells their values.
    pub state: Option<FuncId>,
    /// The body of every protocol but http.
    pub body: Option<FuncId>,
    /// Routes of http in source order.
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Debug)]
pub struct Route {
    /// The method; `None` for any.
    pub method: Option<String>,
    /// Path segments; `None` for the catch-all.
    pub path: Option<Vec<Segment>>,
    /// Its function.
    pub func: FuncId,
    /// Its place.
    pub span: Span,
}

/// A segment of a route's path.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// Text.
    Text(String),
    /// `{id: int}`: `int` or `string`.
    Param(String, TypeId),
}

/// A checked pool.
#[derive(Debug, Default)]
pub struct PoolDef {
    /// Inclusive ranges of addresses.
    pub ranges: Vec<(IpAddr, IpAddr)>,
    /// Addresses left out.
    pub reserved: Vec<(IpAddr, IpAddr)>,
    /// `round_robin`, `random`, `sequential`.
    pub pick: String,
    /// `user`, `iteration`, `request`.
    pub lease: String,
    /// `wait D` before the policy.
    pub wait: Option<i64>,
    /// `fail`, `share`, or a pool.
    pub exhausted: Option<Exhausted>,
}

/// What a pool does when it has no free address.
#[derive(Debug)]
pub enum Exhausted {
    /// An error.
    Fail,
    /// Hands addresses out twice.
    Share,
    /// Takes from another pool.
    Pool(GlobalId),
}

/// A scenario.
#[derive(Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// Where its head is.
    pub span: Span,
    /// `setup`.
    pub setup: Option<FuncId>,
    /// `init`; takes setup's value if it has a parameter.
    pub init: Option<FuncId>,
    /// The iteration.
    pub each: Option<FuncId>,
    /// `exit`.
    pub exit: Option<FuncId>,
    /// `teardown`.
    pub teardown: Option<FuncId>,
    /// Variables of `init` that live with the user.
    pub cells: Vec<Local>,
    /// The load plan.
    pub load: Option<LoadPlan>,
    /// The source pool.
    pub source: Option<GlobalId>,
    /// Tags.
    pub tags: Vec<(String, String)>,
    /// Thresholds.
    pub thresholds: Vec<Threshold>,
}

/// A test.
#[derive(Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its body.
    pub func: FuncId,
    /// Where its head is.
    pub span: Span,
}

/// A checked load block; times in nanoseconds, rates per second.
#[derive(Debug, Default)]
pub struct LoadPlan {
    /// Stages of users, arrivals or spawns, in source order.
    pub stages: Vec<LoadStage>,
    /// `iterations N per user`.
    pub iterations_per_user: Option<i64>,
    /// `iterations N shared`.
    pub iterations_shared: Option<i64>,
    /// `run for`.
    pub run_for: Option<i64>,
    /// `think`.
    pub think: Option<(i64, i64)>,
    /// `pace`.
    pub pace: Option<i64>,
    /// `max users`.
    pub max_users: Option<i64>,
    /// `limit spawn`.
    pub limit_spawn: Option<f64>,
    /// `limit requests`.
    pub limit_requests: Option<f64>,
    /// `fresh users`.
    pub fresh_users: bool,
    /// `start at`.
    pub start_at: Option<i64>,
    /// `weight`.
    pub weight: Option<i64>,
    /// `graceful stop`.
    pub graceful_stop: Option<i64>,
}

/// One stage of a load plan.
#[derive(Debug)]
pub enum LoadStage {
    /// Closed model.
    Users {
        from: i64,
        to: i64,
        over: Option<i64>,
    },
    /// Open model.
    Arrivals {
        from: f64,
        to: f64,
        over: i64,
        poisson: bool,
    },
    /// A phase.
    Spawn {
        count: i64,
        at: i64,
        pool: Option<GlobalId>,
        tags: Vec<(String, String)>,
    },
}

/// A checked threshold.
#[derive(Debug)]
pub struct Threshold {
    /// `http.duration`.
    pub metric: String,
    /// The `metric` item that is meant, if it is no metric of the tool.
    pub declared: Option<GlobalId>,
    /// Tag filters.
    pub filter: Vec<(String, String)>,
    /// `p95`, `rate`...
    pub aggregate: String,
    /// The comparison.
    pub op: BinaryOp,
    /// The bound: nanoseconds for durations, a share for percentages, else a number.
    pub value: f64,
    /// `or empty`.
    pub or_empty: bool,
    /// `abort`, after that many nanoseconds.
    pub abort_after: Option<i64>,
    /// Its source text.
    pub text: String,
    /// Its place.
    pub span: Span,
}
