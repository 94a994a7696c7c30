//! The interpreter's code: 16-byte operations over a file of locals, in one line for each function.
//!
//! The `ok` edge of what may fail is the next operation; the `err` edges and places lie in side tables by position.

use crate::host::Entry;
use scn_compiler::Span;
use scn_compiler::ir::{Cmp, FloatUn, FormatPart, WaitOp};
use smallvec::SmallVec;
use std::sync::atomic::AtomicU64;

/// A local of the function's window.
pub(crate) type Local = u32;
/// A position in the code. The targets of operations become distances in bytes once all is laid out, signed and from the
/// operation behind.
pub(crate) type Pc = u32;
/// Where a list of operands begins in [`Code::operands`]; see each operation for what is there.
pub(crate) type List = u32;

/// One operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ins {
    Bits {
        dst: Local,
        bits: u64,
    },
    Copy {
        dst: Local,
        src: Local,
    },
    Global {
        dst: Local,
        global: u32,
    },
    And {
        dst: Local,
        a: Local,
        b: Local,
    },
    Or {
        dst: Local,
        a: Local,
        b: Local,
    },
    Xor {
        dst: Local,
        a: Local,
        b: Local,
    },
    AddWrap {
        dst: Local,
        a: Local,
        b: Local,
    },
    SubWrap {
        dst: Local,
        a: Local,
        b: Local,
    },
    AddWrapImm {
        dst: Local,
        a: Local,
        imm: i32,
    },
    IntCmp {
        cmp: Cmp,
        dst: Local,
        a: Local,
        b: Local,
    },
    IntCmpImm {
        cmp: Cmp,
        dst: Local,
        a: Local,
        imm: i32,
    },
    FloatAdd {
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatSub {
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatMul {
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatDiv {
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatRem {
        dst: Local,
        a: Local,
        b: Local,
    },
    /// `math.sqrt`.
    FloatUn {
        op: FloatUn,
        dst: Local,
        src: Local,
    },
    /// Operands: flag, and what is chosen from.
    Select {
        dst: Local,
        list: List,
    },
    Sqrt {
        dst: Local,
        src: Local,
    },
    FloatCmp {
        cmp: Cmp,
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatNeg {
        dst: Local,
        src: Local,
    },
    Not {
        dst: Local,
        src: Local,
    },
    ToFloat {
        dst: Local,
        src: Local,
    },
    IsNull {
        dst: Local,
        src: Local,
    },
    OptFlag {
        dst: Local,
        src: Local,
    },
    OptPayload {
        dst: Local,
        src: Local,
    },
    /// Operands: flag, payload.
    OptBox {
        dst: Local,
        desc: u32,
        list: List,
    },
    Box {
        dst: Local,
        desc: u32,
        src: Local,
    },
    /// Operands: count, slots.
    New {
        dst: Local,
        desc: u32,
        list: List,
    },
    /// Operands: count, elements.
    NewList {
        dst: Local,
        desc: u32,
        list: List,
    },
    /// Operands: count, keys and values.
    NewMap {
        dst: Local,
        desc: u32,
        list: List,
    },
    Load {
        dst: Local,
        obj: Local,
        at: u32,
    },
    Take {
        dst: Local,
        obj: Local,
        at: u32,
    },
    /// A slot that holds no pointer.
    Store {
        obj: Local,
        at: u32,
        src: Local,
    },
    /// A slot that may hold a pointer, which is given up.
    StoreObj {
        obj: Local,
        at: u32,
        src: Local,
    },
    Unique {
        dst: Local,
        src: Local,
    },
    ListLen {
        dst: Local,
        src: Local,
    },
    BytesLen {
        dst: Local,
        src: Local,
    },
    ListAt {
        dst: Local,
        list: Local,
        at: Local,
    },
    MapLen {
        dst: Local,
        src: Local,
    },
    MapKeyAt {
        dst: Local,
        map: Local,
        at: Local,
    },
    MapValueAt {
        dst: Local,
        map: Local,
        at: Local,
    },
    /// Operands: flag, value, map, key.
    MapGet {
        list: List,
    },
    /// Operands: flag, value, map, key.
    MapTake {
        list: List,
    },
    /// Operands: map, key, value.
    MapInsert {
        dst: Local,
        list: List,
    },
    ListPush {
        dst: Local,
        list: Local,
        src: Local,
    },
    /// At an index that is inside; what is put there is no pointer.
    ListPut {
        list: Local,
        at: Local,
        src: Local,
    },
    /// At an index that is inside; what is put there may be a pointer.
    ListPutObj {
        list: Local,
        at: Local,
        src: Local,
    },
    Equal {
        dst: Local,
        a: Local,
        b: Local,
    },
    Format {
        dst: Local,
        parts: u32,
    },
    /// A text that is the same each time, once params are known.
    Text {
        dst: Local,
        parts: u32,
    },
    CellLoad {
        dst: Local,
        cell: u32,
    },
    CellTake {
        dst: Local,
        cell: u32,
    },
    CellStore {
        pointer: bool,
        cell: u32,
        src: Local,
    },
    Retain {
        dst: Local,
        src: Local,
    },
    Drop {
        src: Local,
    },
    ErrTake {
        dst: Local,
    },
    ErrSet {
        src: Local,
    },
    ErrIsCancel {
        dst: Local,
    },
    ErrTrace,
    Site {
        site: u32,
    },
    /// Index into [`Code::calls`].
    Call {
        call: u32,
    },
    /// Index into [`Code::hosts`].
    Host {
        call: u32,
    },
    /// Operands: argument count, arguments.
    Spawn {
        function: u32,
        list: List,
    },
    Add {
        dst: Local,
        a: Local,
        b: Local,
    },
    Sub {
        dst: Local,
        a: Local,
        b: Local,
    },
    AddImm {
        dst: Local,
        a: Local,
        imm: i32,
    },
    SubImm {
        dst: Local,
        a: Local,
        imm: i32,
    },
    MulImm {
        dst: Local,
        a: Local,
        imm: i32,
    },
    Mul {
        dst: Local,
        a: Local,
        b: Local,
    },
    Div {
        dst: Local,
        a: Local,
        b: Local,
    },
    Rem {
        dst: Local,
        a: Local,
        b: Local,
    },
    Shl {
        dst: Local,
        a: Local,
        b: Local,
    },
    Shr {
        dst: Local,
        a: Local,
        b: Local,
    },
    Neg {
        dst: Local,
        src: Local,
    },
    ToInt {
        dst: Local,
        src: Local,
    },
    ListGet {
        dst: Local,
        list: Local,
        at: Local,
    },
    /// Operands: list, index, value, which is no pointer.
    ListSet {
        dst: Local,
        list: List,
    },
    /// Operands: list, index, value, which may be a pointer.
    ListSetObj {
        dst: Local,
        list: List,
    },
    /// In a unique list; the value is no pointer.
    ListReplace {
        list: Local,
        at: Local,
        src: Local,
    },
    /// In a unique list; the value may be a pointer.
    ListReplaceObj {
        list: Local,
        at: Local,
        src: Local,
    },
    ListTake {
        dst: Local,
        list: Local,
        at: Local,
    },
    BytesGet {
        dst: Local,
        bytes: Local,
        at: Local,
    },
    Poke,
    /// Index into [`Code::waits`].
    Wait {
        wait: u32,
    },
    /// Writes a local into the frame.
    ToSlot {
        slot: u32,
        src: Local,
    },
    /// Reads a local from the frame.
    FromSlot {
        dst: Local,
        slot: u32,
    },
    /// Reads a result of the popped frame.
    Returned {
        dst: Local,
        which: u32,
    },
    Jump {
        to: Pc,
    },
    /// Goes on if the condition holds.
    Unless {
        cond: Local,
        to: Pc,
    },
    /// Goes on if the condition does not hold.
    If {
        cond: Local,
        to: Pc,
    },
    /// Comparison and [`Ins::Unless`] in one; likewise all `Unless...`.
    UnlessLt {
        a: Local,
        b: Local,
        to: Pc,
    },
    UnlessLe {
        a: Local,
        b: Local,
        to: Pc,
    },
    UnlessEq {
        a: Local,
        b: Local,
        to: Pc,
    },
    UnlessNe {
        a: Local,
        b: Local,
        to: Pc,
    },
    UnlessLtImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessLeImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessGtImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessGeImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessEqImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessNeImm {
        a: Local,
        imm: i32,
        to: Pc,
    },
    UnlessFloatLt {
        a: Local,
        b: Local,
        to: Pc,
    },
    UnlessFloatLe {
        a: Local,
        b: Local,
        to: Pc,
    },
    /// [`Ins::Poke`] at the end of a loop and its condition: if it holds, the body follows at `to`.
    LoopLt {
        a: Local,
        b: Local,
        to: Pc,
    },
    LoopLe {
        a: Local,
        b: Local,
        to: Pc,
    },
    /// [`Ins::AddWrapImm`] of 1 to `a`, then [`Ins::LoopLt`].
    CountLt {
        a: Local,
        b: Local,
        to: Pc,
    },
    /// [`Ins::Poke`] at the end of a loop, then its head.
    Again {
        to: Pc,
    },
    /// Index into [`Code::switches`].
    Switch {
        value: Local,
        table: u32,
    },
    /// Operands: count, results.
    Return {
        list: List,
    },
    /// One result.
    ReturnOne {
        src: Local,
    },
    Fail,
    Unreachable,
}

/// The targets of a switch.
#[derive(Debug, Default)]
pub(crate) struct Switch {
    pub(crate) cases: Vec<(i64, Pc)>,
    pub(crate) default: Pc,
}

/// Where the arguments of a call come from: constants are in the template, each of the others is written over it.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) template: Box<[u64]>,
    pub(crate) moves: Box<[(u32, Local)]>,
}

/// A call of a pure function.
#[derive(Debug)]
pub(crate) struct PureCall {
    pub(crate) function: u32,
    pub(crate) results: SmallVec<[Local; 2]>,
    /// Locals of the callee and where they come from, in the caller's window.
    pub(crate) moves: Box<[(Local, Local)]>,
    /// Locals of the callee that are constant.
    pub(crate) bits: Box<[(Local, u64)]>,
}

/// Host functions with more registers are rare.
pub(crate) const FEW: usize = 8;

/// A call of a host function that does not wait.
#[derive(Debug)]
pub(crate) struct HostCall {
    pub(crate) native: u32,
    pub(crate) entry: Option<Entry>,
    /// The reporting site.
    pub(crate) site: Option<u32>,
    /// Where the receiver that comes back goes.
    pub(crate) receiver: Option<Local>,
    pub(crate) results: SmallVec<[Local; 2]>,
    /// The template has room for [`FEW`] at least.
    pub(crate) args: Args,
}

/// A wait with its landings.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    /// What is waited for; there once the block is laid out.
    pub(crate) op: Option<WaitOp>,
    /// The reporting site.
    pub(crate) site: Option<u32>,
    /// The row of what is pushed, and its arguments.
    pub(crate) row: u32,
    pub(crate) args: Args,
    /// Where it stands.
    pub(crate) at: Pc,
    pub(crate) ok: Pc,
    pub(crate) err: Pc,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) local: Local,
    /// Whether it is a pointer that the function takes over.
    pub(crate) own: bool,
}

/// The code of a function.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Ins>,
    pub(crate) operands: Vec<u32>,
    /// Where an error of the operation at a position goes, by position.
    pub(crate) errors: Vec<(Pc, Pc)>,
    /// Places, by the first position that they are of.
    pub(crate) places: Vec<(Pc, Span)>,
    pub(crate) switches: Vec<Switch>,
    pub(crate) formats: Vec<Vec<FormatPart>>,
    /// Of each format the immortal text that it made, if that is the same each time; else 0.
    pub(crate) texts: Vec<AtomicU64>,
    pub(crate) calls: Vec<PureCall>,
    pub(crate) hosts: Vec<HostCall>,
    pub(crate) waits: Vec<Wait>,
    /// Local of every register, for the operands of waits and formats.
    pub(crate) local: Vec<Local>,
    pub(crate) params: Vec<Param>,
    /// Size of the window: locals, and one more for parallel moves.
    pub(crate) locals: u32,
    /// Slots of its frame.
    pub(crate) slots: u32,
    pub(crate) recursive: bool,
    pub(crate) is_waiting: bool,
}

impl Code {
    /// Where an error of the operation at `pc` goes.
    pub(crate) fn error_edge(&self, pc: Pc) -> Option<Pc> {
        let at = self.errors.binary_search_by_key(&pc, |edge| edge.0).ok()?;
        Some(self.errors[at].1)
    }

    /// The place of the operation at `pc`.
    pub(crate) fn span(&self, pc: Pc) -> Span {
        let after = self.places.partition_point(|place| place.0 <= pc);
        after
            .checked_sub(1)
            .map_or(Span::default(), |at| self.places[at].1)
    }

    /// A counted list of operands, and where the next one begins.
    pub(crate) fn counted(&self, at: List) -> (&[u32], List) {
        let count = self.operands[at as usize];
        let first = at + 1;
        (
            &self.operands[first as usize..(first + count) as usize],
            first + count,
        )
    }

    /// A list of `N` operands.
    #[inline(always)]
    pub(crate) fn fixed<const N: usize>(&self, at: List) -> [u32; N] {
        debug_assert!(at as usize + N <= self.operands.len());
        // SAFETY: compiling has put `N` operands there for the operation that asks.
        unsafe {
            self.operands
                .as_ptr()
                .add(at as usize)
                .cast::<[u32; N]>()
                .read()
        }
    }
}
