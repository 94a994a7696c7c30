//! The abstract syntax tree: what was written, with spans, before any name or type is known.
//!
//! The tree is total: where something is missing or wrong the parser leaves a `Missing` or `Bad`
//! node and reports a [`SyntaxError`](crate::SyntaxError) beside it, so every file has a tree.
//! Whoever walks a tree treats those nodes as already reported and stays silent about them.

#![expect(
    missing_docs,
    reason = "fields of variants are documented by their variant"
)]

use crate::span::Span;

/// A name as written, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ident {
    /// The text; empty when the name is missing.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// One parsed file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Items in source order.
    pub items: Vec<Item>,
}

/// A top-level item with its documentation.
#[derive(Clone, Debug)]
pub struct Item {
    /// The `///` lines before it, joined by newlines, without the slashes.
    pub doc: Option<String>,
    /// `@name` and `@name(word, ...)` attributes; only library declarations have them.
    pub attributes: Vec<Attribute>,
    /// Whether `export` stands before it (functions only).
    pub export: bool,
    /// The whole item, documentation not included.
    pub span: Span,
    /// What it is.
    pub kind: ItemKind,
}

/// `@name` or `@name(arg, ...)` before a library declaration.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The word after `@`.
    pub name: Ident,
    /// The words in parentheses.
    pub args: Vec<Ident>,
}

/// The kinds of items.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `use "lib/auth.scn" as auth`.
    Use { path: StrLit, alias: Ident },
    /// `type User = { name: string }`.
    Type { name: Ident, ty: TypeExpr },
    /// `enum Color { red, green }`.
    Enum { name: Ident, cases: Vec<EnumCase> },
    /// `const N: int = 3`.
    Const {
        name: Ident,
        ty: Option<TypeExpr>,
        value: Expr,
    },
    /// `param base: string = "..."`; without a value it must be `--set`.
    Param {
        name: Ident,
        ty: TypeExpr,
        value: Option<Expr>,
    },
    /// `data users: list<User> = csv("users.csv")`.
    Data {
        name: Ident,
        ty: TypeExpr,
        value: Expr,
    },
    /// `pool clients { ... }`.
    Pool { name: Ident, lines: Vec<PoolLine> },
    /// `metric checkout_time: trend<duration>`.
    Metric { name: Ident, ty: TypeExpr },
    /// `fn`, or `extern fn` of a library.
    Fn(Box<FnItem>),
    /// `extern type TcpConn`: a handle type of a library, opaque to scripts.
    ExternType { name: Ident },
    /// `server api http "127.0.0.1:0" { ... }`.
    Server(Box<ServerItem>),
    /// `scenario checkout { ... }`.
    Scenario(Box<ScenarioItem>),
    /// `test "name" { ... }`.
    Test { name: StrLit, body: Block },
    /// `thresholds { ... }` at file level.
    Thresholds(Vec<Threshold>),
    /// Something that is no item; already reported.
    Bad,
}

/// A plain string literal without interpolation, where only text makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct StrLit {
    /// The text after escapes.
    pub text: String,
    /// The literal with its quotes.
    pub span: Span,
}

/// One case of an enum.
#[derive(Clone, Debug)]
pub struct EnumCase {
    /// Its documentation.
    pub doc: Option<String>,
    /// Its name.
    pub name: Ident,
}

/// A function. In a library it may be `extern`, may name a receiver type, and may lack a body.
#[derive(Clone, Debug)]
pub struct FnItem {
    /// Whether `extern` was written.
    pub is_extern: bool,
    /// `list<T>` in `extern fn list<T>.push(...)`: the type that the function is a method of.
    pub receiver: Option<TypeExpr>,
    /// Its name.
    pub name: Ident,
    /// Type parameters `<T, U>` after the name; libraries only.
    pub generics: Vec<Ident>,
    /// Parameters.
    pub params: Vec<Param>,
    /// The type after `->`.
    pub result: Option<TypeExpr>,
    /// The body; `None` for an extern declaration without one.
    pub body: Option<Block>,
}

/// A parameter of a function, a section or a route.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its documentation (`///` before it).
    pub doc: Option<String>,
    /// `@own`, `@wire`, `@var` before it; libraries only.
    pub attributes: Vec<Attribute>,
    /// Its name.
    pub name: Ident,
    /// Its type; section parameters (`each(seed)`) have none.
    pub ty: Option<TypeExpr>,
    /// The default after `=`.
    pub default: Option<Expr>,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// Its place.
    pub span: Span,
    /// What was written.
    pub kind: TypeKind,
}

/// The kinds of types.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `int`, `list<T>`, `auth.User`: an optional module, a name, type arguments.
    Name {
        module: Option<Ident>,
        name: Ident,
        args: Vec<TypeExpr>,
    },
    /// `{ name: string, age: int? }`.
    Record(Vec<FieldType>),
    /// `(A, B)`.
    Tuple(Vec<TypeExpr>),
    /// `T?`.
    Optional(Box<TypeExpr>),
    /// `string | bytes`; libraries only.
    Union(Vec<TypeExpr>),
    /// Nothing stood where a type must stand; already reported.
    Missing,
}

/// A field of a record type.
#[derive(Clone, Debug)]
pub struct FieldType {
    /// Its documentation.
    pub doc: Option<String>,
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
}

/// `{ statements }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// From `{` to `}`.
    pub span: Span,
    /// The statements.
    pub stmts: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// `let p: T = e` or `var p: T = e`.
    Let {
        mutable: bool,
        pattern: Binding,
        ty: Option<TypeExpr>,
        value: Expr,
    },
    /// `place op= e`; `op` is `None` for plain `=`.
    Assign {
        place: Expr,
        op: Option<BinaryOp>,
        op_span: Span,
        value: Expr,
    },
    /// `check e` or `check "label": e`.
    Check { label: Option<Expr>, cond: Expr },
    /// `expect e` or `expect "label": e`.
    Expect { label: Option<Expr>, cond: Expr },
    /// `think 1s` or `think 1s..3s` (the range is an expression).
    Think(Expr),
    /// `sleep 1s`.
    Sleep(Expr),
    /// `defer call()` or `defer { ... }`.
    Defer(Box<Stmt>),
    /// `for x in xs { }`, `for (k, v) in m { }`.
    For {
        pattern: Binding,
        iterable: Expr,
        body: Block,
    },
    /// `while cond { }`, also `while let x = e { }`.
    While { cond: Cond, body: Block },
    /// `loop { }`.
    Loop(Block),
    /// `every 1s { }`.
    Every { period: Expr, body: Block },
    /// `choose { 7 => { } 2 => { } }`.
    Choose(Vec<ChooseArm>),
    /// `parallel { a; b }`: every statement is a branch.
    Parallel(Block),
    /// An expression; the last one of an expression block is its value.
    Expr(Expr),
    /// A bare `{ ... }` block as the body of `defer`.
    Block(Block),
    /// Something that is no statement; already reported.
    Bad,
}

/// One arm of `choose`.
#[derive(Clone, Debug)]
pub struct ChooseArm {
    /// The weight.
    pub weight: Expr,
    /// What happens.
    pub body: Block,
}

/// What `let`, `var` and `for` bind.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Its place.
    pub span: Span,
    /// What is bound.
    pub kind: BindingKind,
}

/// The kinds of bindings.
#[derive(Clone, Debug)]
pub enum BindingKind {
    /// A name.
    Name(Ident),
    /// `_`.
    Ignore,
    /// `(a, b)`.
    Tuple(Vec<Binding>),
    /// Nothing stood there; already reported.
    Missing,
}

/// The head of `if` and `while`.
#[derive(Clone, Debug)]
pub enum Cond {
    /// A `bool` expression.
    Expr(Expr),
    /// `let x = optional`.
    Let { pattern: Binding, value: Expr },
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: Box<ExprKind>,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `true`, `false`.
    Bool(bool),
    /// `42`, `0xff`, and sizes such as `64KiB` (`size` tells). Out-of-range literals are reported and become 0.
    Int { value: i64, size: bool },
    /// `1.5e3`.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// Per second.
    Rate(f64),
    /// `99%`, in thresholds only; the number before the sign.
    Percent(f64),
    /// A string with its interpolations; a plain string has at most one text part.
    Str(Vec<StrPart>),
    /// `b"..."`, `x"..."`.
    Bytes(Vec<u8>),
    /// `re"..."`.
    Regex(String),
    /// `none`.
    None,
    /// A name.
    Name(Ident),
    /// `base.name`, or `base?.name` with `optional`.
    Field {
        base: Expr,
        name: Ident,
        optional: bool,
    },
    /// `callee(args)`.
    Call { callee: Expr, args: Vec<Arg> },
    /// `base[index]`.
    Index { base: Expr, index: Expr },
    /// `-x`, `!x`, `~x`.
    Unary { op: UnaryOp, operand: Expr },
    /// `a + b` and all other binary operators except `catch`, `as` and ranges.
    Binary {
        op: BinaryOp,
        op_span: Span,
        left: Expr,
        right: Expr,
    },
    /// `a..b`, `a..=b`.
    Range {
        start: Expr,
        end: Expr,
        inclusive: bool,
    },
    /// `x as T`.
    As { value: Expr, ty: TypeExpr },
    /// `x catch e { }`, `x catch { }`, `x catch VALUE`.
    Catch { value: Expr, handler: CatchHandler },
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{ name: v }`, `{ "key": v }`, `{ ...r }`; empty for `{}`.
    Record(Vec<Entry>),
    /// `(a, b)`.
    Tuple(Vec<Expr>),
    /// `(e)`: kept for messages and formatting.
    Paren(Expr),
    /// `[x.id for x in xs if x.ok]`.
    Comprehension {
        value: Expr,
        pattern: Binding,
        iterable: Expr,
        filter: Option<Expr>,
    },
    /// `if c { } else { }`; the else part is a block or another `if`.
    If {
        cond: Cond,
        then: Block,
        otherwise: Option<Else>,
    },
    /// `match e { p => x, ... }`.
    Match { value: Expr, arms: Vec<MatchArm> },
    /// `do { }`.
    Do(Block),
    /// `step "name" { }`.
    Step { name: Expr, body: Block },
    /// `timeout 2s { }`.
    Timeout { limit: Expr, body: Block },
    /// `retry 5 times backoff 50ms..1s { }`.
    Retry {
        times: Option<Expr>,
        backoff: Option<Expr>,
        body: Block,
    },
    /// `race { a; b }`.
    Race(Block),
    /// `parallel for x in xs max 6 { }`.
    ParallelFor {
        pattern: Binding,
        iterable: Expr,
        max: Option<Expr>,
        body: Block,
    },
    /// `return e`.
    Return(Option<Expr>),
    /// `break`.
    Break,
    /// `continue`.
    Continue,
    /// `fail e`, `fail "why" kind "protocol.smtp"`.
    Fail { value: Expr, kind: Option<Expr> },
    /// Nothing stood where an expression must stand, or it was wrong; already reported.
    Missing,
}

/// What stands behind `else`.
#[derive(Clone, Debug)]
pub enum Else {
    /// `else { }`.
    Block(Block),
    /// `else if ...`: an expression whose kind is `If`.
    If(Expr),
}

/// A part of a string literal.
#[derive(Clone, Debug)]
pub enum StrPart {
    /// Text after escapes.
    Text(String),
    /// `${expr}`.
    Expr(Expr),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Arg {
    /// The name before `:`.
    pub name: Option<Ident>,
    /// The value; for the shorthand `f({ name })` see [`Entry::Shorthand`].
    pub value: Expr,
}

/// What follows `catch`.
#[derive(Clone, Debug)]
pub enum CatchHandler {
    /// `catch e { }` or `catch { }`.
    Block { binder: Option<Ident>, body: Block },
    /// `catch VALUE`.
    Value(Expr),
}

/// An entry of a `{ }` literal.
#[derive(Clone, Debug)]
pub enum Entry {
    /// `name: value`.
    Field { name: Ident, value: Expr },
    /// `"key": value` (the key may be interpolated).
    Key { key: Expr, value: Expr },
    /// `[key]: value`.
    Computed { key: Expr, value: Expr },
    /// `name`.
    Shorthand(Ident),
    /// `...r`.
    Spread(Expr),
}

/// One arm of `match`.
#[derive(Clone, Debug)]
pub struct MatchArm {
    /// What it matches.
    pub pattern: Pattern,
    /// `if guard`.
    pub guard: Option<Expr>,
    /// What follows `=>`: an expression, or a block as [`ExprKind::Do`].
    pub body: Expr,
}

/// A pattern of `match`.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Its place.
    pub span: Span,
    /// What it is.
    pub kind: PatternKind,
}

/// The kinds of patterns.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// A literal (also a negative number).
    Literal(Expr),
    /// `400..=499`.
    Range {
        start: Expr,
        end: Expr,
        inclusive: bool,
    },
    /// `none`.
    None,
    /// A binding name, or the bare name of an enum case: the checker decides by type.
    Name(Ident),
    /// `Color.red`.
    Case { path: Vec<Ident> },
    /// `a | b`.
    Or(Vec<Pattern>),
    /// `(a, b)`.
    Tuple(Vec<Pattern>),
    /// `_`.
    Ignore,
    /// Already reported.
    Missing,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`.
    Neg,
    /// `!`.
    Not,
    /// `~`.
    BitNot,
}

impl UnaryOp {
    /// The operator as it is written.
    pub fn text(self) -> &'static str {
        match self {
            UnaryOp::Neg => "-",
            UnaryOp::Not => "!",
            UnaryOp::BitNot => "~",
        }
    }
}

/// Binary operators, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `contains`
    Contains,
    /// `matches`
    Matches,
    /// `in`
    In,
    /// `??`
    Coalesce,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Contains => "contains",
            BinaryOp::Matches => "matches",
            BinaryOp::In => "in",
            BinaryOp::Coalesce => "??",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
}

/// `server NAME PROTOCOL ADDRESS (conn) { ... }`.
#[derive(Clone, Debug)]
pub struct ServerItem {
    /// Its name.
    pub name: Ident,
    /// `tcp`, `udp`, `tls` or `http`.
    pub protocol: Ident,
    /// The address to listen on.
    pub address: Expr,
    /// Further options before the body: `cert: "x.pem", key: "y.pem"` in parentheses.
    pub options: Vec<Arg>,
    /// `(conn)` of tcp and tls, `(socket)` of udp; none for http.
    pub params: Vec<Ident>,
    /// `var hits = 0` lines of an http server; also `let`.
    pub state: Vec<Stmt>,
    /// Routes of an http server.
    pub routes: Vec<Route>,
    /// The body of every other server.
    pub body: Option<Block>,
}

/// A route of an http server.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its place.
    pub span: Span,
    /// `GET`; `None` for the catch-all `_`.
    pub method: Option<Ident>,
    /// `"/users/{id: int}"`; `None` for the catch-all.
    pub path: Option<StrLit>,
    /// The body.
    pub body: Block,
}

/// `scenario NAME { ... }`.
#[derive(Clone, Debug)]
pub struct ScenarioItem {
    /// Its name.
    pub name: Ident,
    /// `load { }` blocks (more than one is the checker's error).
    pub load: Vec<LoadBlock>,
    /// `source POOL` lines.
    pub source: Vec<Ident>,
    /// `tags { }` blocks.
    pub tags: Vec<TagBlock>,
    /// `thresholds { }` blocks.
    pub thresholds: Vec<Threshold>,
    /// `setup`, `init`, `each`, `exit`, `teardown`.
    pub sections: Vec<Section>,
    /// Plain statements; the iteration when there are no sections.
    pub body: Block,
}

/// `tags { team: "shop" }`.
#[derive(Clone, Debug)]
pub struct TagBlock {
    /// Its place.
    pub span: Span,
    /// Names and values.
    pub tags: Vec<(Ident, Expr)>,
}

/// A lifecycle section of a scenario.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its place.
    pub span: Span,
    /// Which.
    pub kind: SectionKind,
    /// The word as written.
    pub word: Span,
    /// `(seed)`.
    pub params: Vec<Param>,
    /// Its statements.
    pub body: Block,
}

/// The five sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SectionKind {
    /// Once for the run, first.
    Setup,
    /// Once for each user, first.
    Init,
    /// The iteration.
    Each,
    /// Once for each user, last.
    Exit,
    /// Once for the run, last.
    Teardown,
}

/// `load { ... }`.
#[derive(Clone, Debug)]
pub struct LoadBlock {
    /// Its place.
    pub span: Span,
    /// Its lines.
    pub lines: Vec<LoadLine>,
}

/// One line of a load block.
#[derive(Clone, Debug)]
pub struct LoadLine {
    /// Its place.
    pub span: Span,
    /// What it says.
    pub kind: LoadLineKind,
}

/// The kinds of load lines. Operands are expressions: the checker asks for constants.
#[derive(Clone, Debug)]
pub enum LoadLineKind {
    /// `users 50 for 1m`, `users 0 -> 100 over 30s`, `users 50`.
    Users {
        from: Expr,
        to: Option<Expr>,
        over: Option<Expr>,
    },
    /// `arrivals 10/s -> 500/s over 30s poisson`.
    Arrivals {
        from: Expr,
        to: Option<Expr>,
        over: Option<Expr>,
        poisson: bool,
    },
    /// `spawn 50 at 10s from tenant_a tags { tenant: "a" }`.
    Spawn {
        count: Expr,
        at: Option<Expr>,
        pool: Option<Ident>,
        tags: Option<TagBlock>,
    },
    /// `iterations 3 per user`, `iterations 1000 shared`, `iterations 3`.
    Iterations {
        count: Expr,
        mode: Option<IterationsMode>,
    },
    /// `run for 5m`.
    RunFor(Expr),
    /// `think 1s..3s`.
    Think(Expr),
    /// `pace 2s`.
    Pace(Expr),
    /// `max users 600`.
    MaxUsers(Expr),
    /// `limit spawn 100/s`.
    LimitSpawn(Expr),
    /// `limit requests 1000/s`.
    LimitRequests(Expr),
    /// `fresh users`.
    FreshUsers,
    /// `start at 30s`.
    StartAt(Expr),
    /// `weight 3`.
    Weight(Expr),
    /// `graceful stop 10s`.
    GracefulStop(Expr),
    /// Already reported.
    Bad,
}

/// How `iterations N` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationsMode {
    /// Each user does that many.
    PerUser,
    /// All users together do that many.
    Shared,
}

/// `METRIC{tag: "v"} AGG CMP VALUE or empty abort after D`.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// Its place.
    pub span: Span,
    /// `http.duration`: dotted words.
    pub metric: Vec<Ident>,
    /// `{step: "buy"}`.
    pub filter: Vec<(Ident, Expr)>,
    /// `p95`, `p99.9`, `rate`, `count`.
    pub aggregate: Ident,
    /// `<`, `<=`, `>`, `>=`, `==` or `!=`.
    pub op: BinaryOp,
    /// The bound; may be [`ExprKind::Percent`].
    pub value: Expr,
    /// `or empty`.
    pub or_empty: bool,
    /// `abort`: `Some(None)`; `abort after 10s`: `Some(Some(_))`.
    pub abort: Option<Option<Expr>>,
}

/// One line of a pool.
#[derive(Clone, Debug)]
pub struct PoolLine {
    /// Its place.
    pub span: Span,
    /// What it says.
    pub kind: PoolLineKind,
}

/// The kinds of pool lines.
#[derive(Clone, Debug)]
pub enum PoolLineKind {
    /// `range "127.0.1.0/26"`, `range "a-b"`.
    Range(Expr),
    /// `reserve "127.0.1.1"`.
    Reserve(Expr),
    /// `pick round_robin`.
    Pick(Ident),
    /// `lease per user`: the word after `per`.
    Lease(Ident),
    /// `when exhausted wait 30s then spare`.
    WhenExhausted { wait: Option<Expr>, policy: Ident },
    /// Already reported.
    Bad,
}
