//! The IR: SSA with block parameters, in which waiting, errors and memory are explicit.
//!
//! Lowering builds it, passes rewrite it, engines run it. A [`Program`] holds everything that a run needs:
//! the runtime never sees the HIR. `ARCHITECTURE.md` ("The IR") tells the rules; the verifier checks them.
//!
//! In one paragraph: a function is a list of blocks; block 0 is the entry and has no parameters. An instruction
//! cannot fail. What can fail ends its block as [`Terminator::Try`], what can wait as [`Terminator::Wait`]; both
//! name an `ok` and an `err` target. Their results are defined in the `ok` block, which has no other predecessor
//! (as the `err` block has none): these are the landings. In the `err` block the error is in `ctx.err`.

pub mod load;
pub mod loops;
mod operands;
mod parse;
mod print;
mod verify;

pub use operands::{Mode, Origin, Signatures, immortals, result_origin, terminator_origin};
pub use parse::{ParseError, parse_ir};
pub use print::{function_text, ir_text};
pub use verify::{Broken, Stage, verify};

use scn_grammar::Span;
use smallvec::SmallVec;
use std::net::{IpAddr, SocketAddr};

/// As many elements as a list may have; the runtime refuses to make longer ones.
pub const LONGEST_LIST: usize = 1 << 30;

/// Declares an index newtype with its printed prefix.
macro_rules! id {
    ($(#[$doc:meta] $name:ident $prefix:literal)*) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}

id! {
    /// An SSA register of a function.
    Reg "v"
    /// A block of a function.
    BlockId "bb"
    /// A function of a program.
    FuncId "fn"
    /// A host function of a program.
    NativeId "host"
    /// A constant object of a program.
    ConstId "const"
    /// An object descriptor of a program.
    DescId "desc"
    /// A global of a program.
    GlobalId "global"
    /// A reporting site of a program.
    SiteId "site"
}

/// A lowered program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Names of sources, by [`SourceId`](scn_grammar::SourceId), and their texts, for places and reports.
    pub sources: Vec<(String, String)>,
    /// Object descriptors. The first ones are fixed, see [`desc`].
    pub descs: Vec<Desc>,
    /// Constant objects, built once and immortal.
    pub consts: Vec<ConstObject>,
    /// Enums.
    pub enums: Vec<EnumInfo>,
    /// Host functions that the program calls.
    pub natives: Vec<NativeRef>,
    /// Functions.
    pub functions: Vec<Function>,
    /// Globals, in initialisation order.
    pub globals: Vec<Global>,
    /// Reporting sites: checks, steps, requests, logs.
    pub sites: Vec<Site>,
    /// Scenarios.
    pub scenarios: Vec<Scenario>,
    /// Tests.
    pub tests: Vec<Test>,
    /// Thresholds of the file, which see the samples of the whole run.
    pub thresholds: Vec<load::Threshold>,
    /// What a component of the program offers to others; only in programs that are lowered for that.
    pub exports: Vec<Export>,
    /// Types that it offers though no function may name them.
    pub exported_types: Vec<(SlotType, Span)>,
}

/// An `export fn`.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// What calls it: a function that takes and gives memory form, and runs as a strand.
    pub func: FuncId,
    /// Its parameters.
    pub params: Vec<ExportParam>,
    /// What it gives, if anything.
    pub result: Option<SlotType>,
    /// Whether there is a secret in its result.
    pub secret: bool,
    /// Whether it can fail, other than by a mistake of the program.
    pub fails: bool,
    /// Its head.
    pub span: Span,
}

/// A parameter of an exported function.
#[derive(Clone, Debug)]
pub struct ExportParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub slot: SlotType,
    /// Whether there is a secret in it.
    pub secret: bool,
    /// Where it is declared.
    pub span: Span,
}

/// Enum names for printing, JSON and parsing.
#[derive(Clone, Debug)]
pub struct EnumInfo {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<String>,
}

/// Indices of descriptors that every program has, in this order.
pub mod desc {
    use super::{Desc, DescId, Scalar, SlotKind, SlotType};
    /// `string`.
    pub const STRING: DescId = DescId(0);
    /// `bytes`.
    pub const BYTES: DescId = DescId(1);
    /// `ip`.
    pub const IP: DescId = DescId(2);
    /// `addr`.
    pub const ADDR: DescId = DescId(3);
    /// `regex`.
    pub const REGEX: DescId = DescId(4);
    /// `error`.
    pub const ERROR: DescId = DescId(5);
    /// JSON `null`: one immortal object.
    pub const NULL: DescId = DescId(6);
    /// A JSON path that leads nowhere and remembers itself; holds the path as a string.
    pub const MISSING: DescId = DescId(7);
    /// Boxed scalars, for `T?` in memory, `json` and unions.
    pub const BOX_BOOL: DescId = DescId(8);
    /// Boxed int.
    pub const BOX_INT: DescId = DescId(9);
    /// Boxed float.
    pub const BOX_FLOAT: DescId = DescId(10);
    /// Boxed duration.
    pub const BOX_DURATION: DescId = DescId(11);
    /// Boxed rate.
    pub const BOX_RATE: DescId = DescId(12);
    /// `list<json>`: a JSON array.
    pub const JSON_LIST: DescId = DescId(13);
    /// `map<string, json>`: a JSON object.
    pub const JSON_MAP: DescId = DescId(14);
    /// `list<string>`.
    pub const LIST_STRING: DescId = DescId(15);
    /// `map<string, string>`.
    pub const MAP_STRING: DescId = DescId(16);
    /// `list<int>`.
    pub const LIST_INT: DescId = DescId(17);
    /// `list<bytes>`.
    pub const LIST_BYTES: DescId = DescId(18);
    /// A number of JSON that is neither an `int` nor exactly a `float`; holds its text.
    pub const BIG_NUMBER: DescId = DescId(19);
    /// How many there are.
    pub const COUNT: u32 = 20;

    /// The descriptors themselves, in the order of their indices.
    pub fn fixed() -> Vec<Desc> {
        let slot = |kind| SlotType {
            kind,
            optional: false,
        };
        let any = slot(SlotKind::Any);
        let string = slot(SlotKind::Object(STRING));
        let descs = vec![
            Desc::String,
            Desc::Bytes,
            Desc::Ip,
            Desc::Addr,
            Desc::Regex,
            Desc::Error,
            Desc::Null,
            Desc::Missing,
            Desc::Box(Scalar::Bool),
            Desc::Box(Scalar::Int),
            Desc::Box(Scalar::Float),
            Desc::Box(Scalar::Duration),
            Desc::Box(Scalar::Rate),
            Desc::List(any),
            Desc::Map(string, any),
            Desc::List(string),
            Desc::Map(string, string),
            Desc::List(slot(SlotKind::Scalar(Scalar::Int))),
            Desc::List(slot(SlotKind::Object(BYTES))),
            Desc::BigNumber,
        ];
        debug_assert_eq!(descs.len() as u32, COUNT);
        descs
    }
}

/// The layout of a heap object. Objects carry the index of their descriptor in their header.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Desc {
    /// UTF-8, inline.
    String,
    /// Bytes, inline.
    Bytes,
    /// An address without port.
    Ip,
    /// An address with port.
    Addr,
    /// A compiled regex.
    Regex,
    /// An error.
    Error,
    /// JSON `null`.
    Null,
    /// A JSON path that leads nowhere.
    Missing,
    /// One scalar.
    Box(Scalar),
    /// A list of slots.
    List(SlotType),
    /// A map: keys, values.
    Map(SlotType, SlotType),
    /// A record; structural equality looks at the fields only.
    Record {
        /// Its declared name, if it has one.
        name: Option<String>,
        /// Names and slots of the fields.
        fields: Vec<(String, SlotType)>,
    },
    /// A tuple.
    Tuple(Vec<SlotType>),
    /// `start`, `end`, `inclusive`.
    Range(Scalar),
    /// An extern type: a handle or an opaque library value; `name` as declared.
    Extern {
        /// Its name.
        name: String,
        /// Whether it is a handle.
        is_handle: bool,
    },
    /// A number of JSON kept as text.
    BigNumber,
}

/// What one memory slot holds. An optional slot is a nullable pointer: an optional scalar is a pointer to a [`Desc::Box`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotType {
    /// What is there.
    pub kind: SlotKind,
    /// Whether null (0) means `none`.
    pub optional: bool,
}

/// Kinds of memory slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SlotKind {
    /// A scalar in the slot (in a box when the slot is optional).
    Scalar(Scalar),
    /// A pointer to an object of this descriptor.
    Object(DescId),
    /// A pointer to any object: `json`, unions.
    Any,
    /// No information: the value of type `None`.
    Unit,
}

/// Scalars; all are one 64-bit slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// 0 or 1.
    Bool,
    /// 64-bit signed.
    Int,
    /// IEEE 754 double.
    Float,
    /// Nanoseconds, signed.
    Duration,
    /// Per second, a double.
    Rate,
    /// Case index of an enum of [`Program::enums`].
    Enum(u32),
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConstObject {
    /// A scalar, only inside of others.
    Scalar(u64),
    /// Null, only inside of others.
    None,
    /// String.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Regex, known to compile.
    Regex(String),
    /// Address without port.
    Ip(IpAddr),
    /// Address with port.
    Addr(SocketAddr),
    /// JSON null.
    Null,
    /// Boxed scalar: descriptor of the box, bits.
    Box(DescId, u64),
    /// List.
    List(DescId, Vec<ConstObject>),
    /// Map.
    Map(DescId, Vec<(ConstObject, ConstObject)>),
    /// Record, tuple or range: slots.
    Slots(DescId, Vec<ConstObject>),
}

/// A host function as the program sees it; the runtime links it by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NativeRef {
    /// `http.get`, `list.push`, `rt.step_enter`.
    pub name: String,
    /// Parameters as registers (an optional scalar takes two: flag, payload).
    pub params: Vec<NativeParam>,
    /// Result registers: none, one, or (flag, payload); without the receiver of an inout function,
    /// which instructions name as their first result.
    pub results: SmallVec<[Ty; 2]>,
    /// Whether it may suspend: then it is called by [`WaitOp::Host`].
    pub waits: bool,
    /// Whether it may fail.
    pub fails: bool,
    /// Whether the first argument is taken over and comes back as the first result, also on error.
    pub inout: bool,
    /// Whether a descriptor is the hidden first parameter (counted in `params`).
    pub typed: bool,
}

/// A register parameter of a host function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NativeParam {
    /// Its class.
    pub ty: Ty,
    /// Whether the host function takes the reference over.
    pub own: bool,
}

/// Register classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    /// A 64-bit integer: int, bool, duration, enum, flags.
    Int,
    /// A double: float, rate.
    Float,
    /// A pointer to an object, or null.
    Ptr,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name in traces.
    pub name: String,
    /// Its parameters: the first registers.
    pub params: Vec<Param>,
    /// Result classes: none, one, or (flag, payload) of an optional scalar.
    pub results: SmallVec<[Ty; 2]>,
    /// Class of every register.
    pub regs: Vec<Ty>,
    /// Blocks; the first is the entry.
    pub blocks: Vec<Block>,
    /// Whether it may wait. Pure functions have no [`Terminator::Wait`]. Always set for functions that run as
    /// strands (sections, tests, initialisers, a server's functions, branches): so these always have frames.
    pub waits: bool,
    /// Whether it is in a cycle of the call graph: then calls count depth.
    pub recursive: bool,
    /// Where registers live; made by the last pass.
    pub frame: Option<Frame>,
    /// Places that lie in other functions, whose code was inlined here; sorted.
    pub inlined: Vec<(Span, FuncId)>,
    /// Its head.
    pub span: Span,
}

impl Function {
    /// The function that a place of this one's code lies in: another one if that was inlined here.
    pub fn origin(&self, span: Span) -> Option<FuncId> {
        let found = self.inlined.binary_search_by_key(&span, |place| place.0);
        found.ok().map(|at| self.inlined[at].1)
    }
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its register.
    pub reg: Reg,
    /// For pointers: whether the function takes the reference over (else the caller keeps it alive for the call).
    pub own: bool,
}

/// A block.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Parameters; pointers come owned.
    pub params: Vec<Reg>,
    /// Instructions.
    pub insts: Vec<Inst>,
    /// How it ends.
    pub term: Terminator,
    /// Where it ends.
    pub term_span: Span,
    /// Whether it is an error path.
    pub cold: bool,
}

/// An instruction with its results and place.
#[derive(Clone, Debug)]
pub struct Inst {
    /// Registers that it defines.
    pub results: SmallVec<[Reg; 2]>,
    /// What it does.
    pub op: Op,
    /// Where it comes from.
    pub span: Span,
}

/// Operations that cannot fail. "own" operands are consumed, the others borrowed.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// An int.
    Int(i64),
    /// A float, by bits so that equality is exact.
    Float(u64),
    /// A constant object; immortal, so it may be consumed any number of times.
    Const(ConstId),
    /// The null pointer; may be consumed any number of times.
    Null,
    /// A global's value: params; immortal as well.
    Global(GlobalId),
    /// Int and bit operations that cannot fail.
    IntBin(IntBin, Reg, Reg),
    /// Comparison of ints.
    IntCmp(Cmp, Reg, Reg),
    /// Float arithmetic.
    FloatBin(FloatBin, Reg, Reg),
    /// Comparison of floats.
    FloatCmp(Cmp, Reg, Reg),
    /// `-x` of a float.
    FloatNeg(Reg),
    /// A function of one float.
    FloatUn(FloatUn, Reg),
    /// The second if the first, a flag, is set, else the third: scalars of one class.
    Select(Reg, Reg, Reg),
    /// `!x`: 1 - x.
    Not(Reg),
    /// Int to float.
    ToFloat(Reg),
    /// Whether a pointer is null.
    IsNull(Reg),
    /// Whether an optional scalar in memory form (a pointer) has a value.
    OptFlag(Reg),
    /// Its bits, 0 if there is none; the class of the result tells int or float.
    OptPayload(Reg),
    /// An optional scalar to memory form: a new box, or null if the flag is 0. (descriptor, flag, payload)
    OptBox(DescId, Reg, Reg),
    /// A new box. (descriptor, payload)
    Box(DescId, Reg),
    /// A new record, tuple or range; pointers are own.
    New(DescId, Vec<Reg>),
    /// A new list with these elements; pointers are own.
    NewList(DescId, Vec<Reg>),
    /// A new map with these keys and values in turn; pointers are own; a later key replaces an earlier one.
    NewMap(DescId, Vec<Reg>),
    /// A slot of a record, tuple or range. A pointer comes borrowed from the object.
    Load(Reg, u32),
    /// Moves a pointer out of a slot of a unique object, leaving null; owned.
    Take(Reg, u32),
    /// Puts a value into a slot of a unique object, dropping what was there. (object, slot, value own)
    Store(Reg, u32, Reg),
    /// Gives an object with count 1: itself (own), or a shallow copy if it is shared. Records, tuples, lists, maps.
    Unique(Reg),
    /// Number of elements of a list.
    ListLen(Reg),
    /// Number of bytes.
    BytesLen(Reg),
    /// Element of a list at an index known to be inside; a pointer comes borrowed from the list.
    ListAt(Reg, Reg),
    /// Number of entries of a map.
    MapLen(Reg),
    /// Key of the entry at a position known to be inside; a pointer comes borrowed from the map.
    MapKeyAt(Reg, Reg),
    /// Value of the entry at a position known to be inside; a pointer comes borrowed from the map.
    MapValueAt(Reg, Reg),
    /// Looks a key up: (flag, memory slot); the slot is 0 if the flag is, a pointer comes borrowed from the map.
    MapGet(Reg, Reg),
    /// Moves a pointer out of a unique map: (flag, pointer), leaving null there; owned.
    MapTake(Reg, Reg),
    /// Inserts or replaces; the result is the new map. (map own, key own, value own)
    MapInsert(Reg, Reg, Reg),
    /// Appends to a list; the result is the new list. (list own, value own)
    ListPush(Reg, Reg),
    /// Moves a pointer out of a unique list at an index known to be inside, leaving null; owned.
    ListTake(Reg, Reg),
    /// Puts an element into a unique list at an index known to be inside, dropping what was there.
    /// (list, index, value own)
    ListPut(Reg, Reg, Reg),
    /// Deep equality of two objects, `string`s too; null equals null only.
    Equal(Reg, Reg),
    /// Text from parts, allocated once. Secrecy is static, so nothing of it is here.
    Format(Vec<FormatPart>),
    /// Value of a cell of the user or server; a pointer comes borrowed from the cell and must be
    /// retained before anything that may write the cell or wait.
    CellLoad(u32),
    /// Moves a pointer out of a cell, leaving null.
    CellTake(u32),
    /// Puts a value into a cell, dropping what was there. (cell, value own)
    CellStore(u32, Reg),
    /// Adds a reference; the result is the same pointer, owned. Null stays null.
    Retain(Reg),
    /// Gives a reference up; null is nothing. (own)
    Drop(Reg),
    /// A use that does nothing: keeps a handle's local alive to the end of its scope. (borrow)
    Keep(Reg),
    /// The error of `ctx.err`, moved out; owned.
    ErrTake,
    /// Puts an error into `ctx.err`. (own)
    ErrSet(Reg),
    /// Whether `ctx.err` is a cancellation, which no handler sees.
    ErrIsCancel,
    /// Adds a call's place to the trace of `ctx.err`.
    ErrTrace,
    /// Names the next host call in reports: sets `ctx.site`.
    Site(SiteId),
    /// A call of a pure function that cannot fail.
    Call(FuncId, Vec<Reg>),
    /// A call of a host function that neither fails nor waits.
    Host(NativeId, Vec<Reg>),
    /// Starts a strand of its own, such as a server's connection. (arguments own)
    Spawn(FuncId, Vec<Reg>),
}

/// A part of [`Op::Format`].
#[derive(Clone, Debug, PartialEq)]
pub enum FormatPart {
    /// Literal text, a constant string.
    Text(ConstId),
    /// A scalar.
    Scalar(Scalar, Reg),
    /// An object: strings as they are, others as language.md rule 18 says. (borrow)
    Object(Reg),
}

/// Int operations that cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntBin {
    /// Bit and; also `bool` and.
    And,
    /// Bit or.
    Or,
    /// Bit exclusive or.
    Xor,
    /// Addition without a check: proven not to overflow.
    Add,
    /// Subtraction without a check.
    Sub,
    /// Multiplication, proven not to overflow.
    Mul,
    /// Division by what is proven to be neither 0 nor, of the smallest int, -1; truncating.
    Div,
    /// The remainder of such a division.
    Rem,
    /// `<<` by what is proven to be in 0..=63.
    Shl,
    /// `>>`, arithmetic, by what is proven to be in 0..=63.
    Shr,
}

/// Float operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatBin {
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

/// Functions of one float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatUn {
    /// Without sign.
    Abs,
    /// The smallest whole number that is not smaller.
    Ceil,
    /// The largest whole number that is not larger.
    Floor,
    /// The square root.
    Sqrt,
    /// Without its fraction.
    Trunc,
}

/// Comparisons; floats compare as IEEE says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cmp {
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
}

/// Operations that can fail.
#[derive(Clone, Debug, PartialEq)]
pub enum TryOp {
    /// Checked int arithmetic: `script.arithmetic`.
    Int(CheckedOp, Reg, Reg),
    /// `-x`, checked.
    Neg(Reg),
    /// Float to int, truncating; fails outside the range and for NaN.
    ToInt(Reg),
    /// Element of a list: `script.index`. A pointer comes borrowed from the list.
    ListGet(Reg, Reg),
    /// (list own and inout, index, value own): the new list is the result, on error too. Never grows.
    ListSet(Reg, Reg, Reg),
    /// Moves a pointer out of a unique list, leaving null; owned: `script.index`.
    ListTake(Reg, Reg),
    /// Puts an element into a unique list, dropping what was there: `script.index`. (list, index, value own)
    ListPut(Reg, Reg, Reg),
    /// A byte as int.
    BytesGet(Reg, Reg),
    /// A call of a pure function.
    Call(FuncId, Vec<Reg>),
    /// A call of a host function that does not wait.
    Host(NativeId, Vec<Reg>),
    /// Tests `ctx.poke`: on loop back edges and at the entry of recursive functions.
    Poke,
}

/// Checked int operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`, truncating
    Div,
    /// `%`, sign of the dividend
    Rem,
    /// `<<`, shift in 0..=63
    Shl,
    /// `>>`, arithmetic, shift in 0..=63
    Shr,
}

/// Operations that can wait (and fail).
#[derive(Clone, Debug, PartialEq)]
pub enum WaitOp {
    /// A call of a waiting function.
    Call(FuncId, Vec<Reg>),
    /// A call of a waiting host function. Borrowed arguments must live in slots across the wait, unless they are immortal.
    Host(NativeId, Vec<Reg>),
    /// Runs branches as strands, arguments own.
    /// `parallel`: the result is a tuple (of this descriptor) with one memory slot for each branch; the functions
    /// return memory form in one register, or nothing (the slot is 0 then).
    Parallel(DescId, Vec<(FuncId, Vec<Reg>)>),
    /// `race`: the results are those of the first branch to finish: none, one, or (flag, payload).
    Race(Vec<(FuncId, Vec<Reg>)>),
    /// `parallel for`: calls the function with each element and copies of the captures; the result is a list
    /// (of this descriptor) in input order. (result, list, function, captures, most at once; 0 is no limit)
    /// List and captures are borrowed, the strands get references of their own. The element comes first and in
    /// memory form; the function returns memory form in one register, or nothing (the slot is 0 then).
    ForEach {
        /// The descriptor of the result.
        result: DescId,
        /// The elements.
        list: Reg,
        /// The body.
        func: FuncId,
        /// What the body reads from outside.
        captures: Vec<Reg>,
        /// How many run at once.
        max: Reg,
    },
}

/// A jump to a block with arguments for its parameters; pointers are own.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Where to.
    pub block: BlockId,
    /// Arguments.
    pub args: Vec<Reg>,
}

/// How a block ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Terminator {
    /// Not set yet; the verifier refuses it.
    #[default]
    None,
    /// Goes on elsewhere.
    Jump(Target),
    /// If not zero, else.
    Branch {
        /// The flag.
        cond: Reg,
        /// Where to if it is set.
        then: Target,
        /// Where to if it is not.
        otherwise: Target,
    },
    /// By the value of an int.
    Switch {
        /// The int.
        value: Reg,
        /// Where to for which value.
        cases: Vec<(i64, Target)>,
        /// Where to for all others.
        default: Target,
    },
    /// Hands the results back; pointers are own.
    Return(SmallVec<[Reg; 2]>),
    /// Leaves the function with the error in `ctx.err`.
    Fail,
    /// Something that may fail. `results` are defined in the `ok` block; of an inout operation the first one
    /// is defined in both. Own operands are consumed on both edges.
    Try {
        /// What is done.
        op: TryOp,
        /// What it gives.
        results: SmallVec<[Reg; 2]>,
        /// Where to if it succeeds.
        ok: Target,
        /// Where to if it fails.
        err: Target,
    },
    /// Something that may wait and fail.
    Wait {
        /// What is done.
        op: WaitOp,
        /// What it gives.
        results: SmallVec<[Reg; 2]>,
        /// Where to if it succeeds.
        ok: Target,
        /// Where to if it fails.
        err: Target,
    },
    /// Cannot be reached.
    Unreachable,
}

/// Where the registers of a function live; made by the `frames` pass.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Number of 8-byte slots behind the frame's header. Parameters of a waiting function are slots 0, 1, ...
    /// A waiting function leaves its results in slots 0 and 1.
    pub slots: u32,
    /// Number of locals in the scratch file of the interpreter.
    pub locals: u32,
    /// Local of every register.
    pub local: Vec<u32>,
    /// Slot of every register that lives across a wait (or is mortal and borrowed by a wait), `None` for the others.
    pub slot: Vec<Option<u32>>,
    /// Waits in order; number k is state k + 1.
    pub waits: Vec<WaitPoint>,
}

/// One wait of a function.
#[derive(Clone, Debug)]
pub struct WaitPoint {
    /// The block that ends with it.
    pub block: BlockId,
    /// Registers that the ok landing reads from slots.
    pub ok_live: Vec<Reg>,
    /// Registers that the error landing reads from slots.
    pub err_live: Vec<Reg>,
}

/// A global.
#[derive(Clone, Debug)]
pub struct Global {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: Option<String>,
    /// What it is.
    pub kind: GlobalKind,
    /// Where it is declared.
    pub span: Span,
}

/// Kinds of globals.
#[derive(Clone, Debug)]
pub enum GlobalKind {
    /// A param of this type; without initialiser it must be given. The initialiser returns memory form in one register.
    Param {
        /// Its type.
        ty: SlotType,
        /// Whether reports mask it.
        secret: bool,
        /// Its initialiser.
        init: Option<FuncId>,
    },
    /// A data set; the initialiser returns a list.
    Data {
        /// The list of rows.
        list: DescId,
        /// Its initialiser.
        init: FuncId,
    },
    /// An IP pool.
    Pool(Pool),
    /// A metric: its kind's word (`counter`, `gauge`, `rate`, `trend`) and the scalar of its samples.
    Metric {
        /// `counter`, `gauge`, `rate` or `trend`.
        kind: String,
        /// The class of its samples.
        sample: Scalar,
    },
    /// A server.
    Server(Server),
}

/// An IP pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool {
    /// Inclusive ranges.
    pub ranges: Vec<(IpAddr, IpAddr)>,
    /// Addresses left out.
    pub reserved: Vec<(IpAddr, IpAddr)>,
    /// `round_robin`, `random`, `sequential`.
    pub pick: String,
    /// How long an address is leased.
    pub lease: load::Lease,
    /// How long to wait for a free address before the policy holds.
    pub wait: Option<u64>,
    /// The policy.
    pub exhausted: load::Exhausted,
}

/// A server. Its functions run on one worker as strands of the server's own user, whose cells are its state.
#[derive(Clone, Debug)]
pub struct Server {
    /// `tcp`, `udp`, `tls`, `http`.
    pub protocol: String,
    /// Cells of its state.
    pub cells: Vec<SlotType>,
    /// Gives the cells their values; no parameters.
    pub state: Option<FuncId>,
    /// Binds and returns the listener (or udp socket); no parameters. Made by lowering: evaluates address and options, calls `server.listen`.
    pub start: FuncId,
    /// Runs with the listener (own) until the server is cancelled. Made by lowering: accepts and spawns connections.
    pub main: FuncId,
}

/// A reporting site.
#[derive(Clone, Debug)]
pub struct Site {
    /// What it reports.
    pub kind: SiteKind,
    /// The label's or name's template: `buy {}`; for a check without a label the source text of its condition.
    pub label: String,
    /// Its place.
    pub span: Span,
}

/// Kinds of sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteKind {
    /// `check`.
    Check,
    /// `expect`.
    Expect,
    /// `step`.
    Step,
    /// A call of a host function, for the place of its logs and requests; the label is a URL or name template.
    Call,
}

/// A scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// `setup`; returns its value (memory form) or nothing.
    pub setup: Option<FuncId>,
    /// `init`; takes setup's value (memory form, one register) if it has a parameter, as the others do.
    pub init: Option<FuncId>,
    /// The iteration.
    pub each: Option<FuncId>,
    /// `exit`.
    pub exit: Option<FuncId>,
    /// `teardown`.
    pub teardown: Option<FuncId>,
    /// Variables that live with the user.
    pub cells: Vec<SlotType>,
    /// Its load plan; without one it runs once, as one user.
    pub load: Option<load::Load>,
    /// The pool that its connections take their source addresses from.
    pub source: Option<GlobalId>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
    /// Its thresholds, which see its samples.
    pub thresholds: Vec<load::Threshold>,
    /// Its head.
    pub span: Span,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its body.
    pub func: FuncId,
    /// Its head.
    pub span: Span,
}
