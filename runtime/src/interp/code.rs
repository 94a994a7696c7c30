//! The interpreter's code: 16-byte operations over a file of locals, in one line for each function.
//!
//! The `ok` edge of what may fail is the next operation; the `err` edges and places lie in side tables by position.

use scn_compiler::Span;
use scn_compiler::ir::{Cmp, FloatBin, FormatPart, WaitOp};

/// A local of the function's window.
pub(crate) type Local = u32;
/// A position in the code.
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
    IntCmp {
        cmp: Cmp,
        dst: Local,
        a: Local,
        b: Local,
    },
    FloatBin {
        op: FloatBin,
        dst: Local,
        a: Local,
        b: Local,
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
    Store {
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
    ListPut {
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
    /// Operands: result count, results, argument count, arguments.
    Call {
        function: u32,
        list: List,
    },
    /// Operands as of `Call`.
    Host {
        native: u32,
        list: List,
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
    /// Operands: list, index, value.
    ListSet {
        dst: Local,
        list: List,
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
    /// Index into [`Code::switches`].
    Switch {
        value: Local,
        table: u32,
    },
    /// Operands: count, results.
    Return {
        list: List,
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

/// A wait with its landings.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    /// What is waited for; there once the block is laid out.
    pub(crate) op: Option<WaitOp>,
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
    pub(crate) fn fixed<const N: usize>(&self, at: List) -> [u32; N] {
        let slice = &self.operands[at as usize..at as usize + N];
        slice.try_into().expect("the slice has N elements")
    }
}
