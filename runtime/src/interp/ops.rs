//! Operations that are more than a line: checked arithmetic, lists, maps, text.

use super::code::{Code, List, Local};
use super::run::Run;
use crate::ctx::Ctx;
use crate::fault::{Detail, Fault, kind};
use crate::object::{Any, Piece, layout, order, text};
use crate::value::{Obj, Value};
use scn_compiler::ir::{Cmp, DescId, FloatUn, FormatPart, Reg};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// Whether a comparison holds.
#[inline(always)]
pub(super) fn compare<T: PartialOrd>(cmp: Cmp, left: &T, right: &T) -> bool {
    match cmp {
        Cmp::Eq => left == right,
        Cmp::Ne => left != right,
        Cmp::Lt => left < right,
        Cmp::Le => left <= right,
        Cmp::Gt => left > right,
        Cmp::Ge => left >= right,
    }
}

/// The error of checked arithmetic.
#[cold]
pub(super) fn arithmetic(operator: &'static str, left: i64, right: i64) -> Fault {
    Fault::new(
        kind::SCRIPT_ARITHMETIC,
        Detail::Arithmetic(operator, left, right),
    )
}

/// A function of one float.
pub(super) fn float_function(op: FloatUn, float: f64) -> f64 {
    match op {
        FloatUn::Abs => float.abs(),
        FloatUn::Ceil => float.ceil(),
        FloatUn::Floor => float.floor(),
        FloatUn::Sqrt => float.sqrt(),
        FloatUn::Trunc => float.trunc(),
    }
}

/// The remainder with the sign of the dividend; that of the smallest int by -1 is 0.
pub(super) fn remainder(left: i64, right: i64) -> Result<i64, Fault> {
    if right == 0 {
        Err(arithmetic("%", left, right))
    } else {
        Ok(left.wrapping_rem(right))
    }
}

/// By how much to shift.
pub(super) fn shift(operator: &'static str, left: i64, by: i64) -> Result<u32, Fault> {
    if (0..=63).contains(&by) {
        Ok(by as u32)
    } else {
        Err(arithmetic(operator, left, by))
    }
}

/// `-x`.
pub(super) fn negate(int: i64) -> Result<i64, Fault> {
    int.checked_neg().ok_or_else(|| arithmetic("neg", int, 0))
}

/// The int towards zero.
pub(super) fn to_int(float: f64) -> Result<i64, Fault> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let whole = float.trunc();
    if (-LIMIT..LIMIT).contains(&whole) {
        return Ok(whole as i64);
    }
    Err(not_an_int(float))
}

/// The error of a float outside of the range.
pub(crate) fn not_an_int(float: f64) -> Fault {
    Fault::text(
        kind::SCRIPT_ARITHMETIC,
        format!("{float} is not in the range of int"),
    )
}

/// The element at an index.
#[inline(always)]
pub(super) fn element<T: Copy>(elements: &[T], at: i64) -> Result<T, Fault> {
    match usize::try_from(at).ok().and_then(|at| elements.get(at)) {
        Some(element) => Ok(*element),
        None => Err(outside(at, elements.len())),
    }
}

/// The error of an index.
#[cold]
pub(super) fn outside(at: i64, len: usize) -> Fault {
    Fault::new(kind::SCRIPT_INDEX, Detail::Index(at, len as i64))
}

impl Run<'_> {
    pub(super) fn new_box(&self, desc: u32, bits: u64) -> u64 {
        self.ctx.heap.boxed(DescId(desc), Value(bits)).into_bits()
    }

    pub(super) fn new_list(&self, code: &Code, desc: u32, list: List) -> u64 {
        let (elements, _) = code.counted(list);
        let obj = self.ctx.heap.list(DescId(desc), elements.len());
        for local in elements {
            // SAFETY: the list is new; the verifier compared the elements with the descriptor.
            unsafe { self.ctx.heap.list_push(obj, self.reg(*local)) };
        }
        obj.bits()
    }

    pub(super) fn new_map(&self, code: &Code, desc: u32, list: List) -> u64 {
        let (parts, _) = code.counted(list);
        let obj = self.ctx.heap.map(DescId(desc));
        for pair in parts.chunks_exact(2) {
            // SAFETY: the map is new; the verifier compared keys and values with the descriptor.
            unsafe {
                self.ctx
                    .heap
                    .map_insert(obj, self.reg(pair[0]), self.reg(pair[1]))
            };
        }
        obj.bits()
    }

    /// Whether slots of an object are pointers: of a list, those of all elements.
    fn has_pointer_at(&self, obj: Obj, at: u32) -> bool {
        use crate::descs::Shape;
        match self.ctx.descs().shape(obj.desc()) {
            Shape::List { pointers } => *pointers,
            Shape::Slots { pointers, .. } => pointers.contains(&at),
            _ => false,
        }
    }

    pub(super) fn store(&self, obj: Obj, at: u32, bits: u64) {
        // SAFETY: the object is unique and has that slot; what was there is given up if it is a pointer.
        unsafe {
            let before = layout::slot(obj, at).replace(bits);
            if before != 0 && self.has_pointer_at(obj, at) {
                self.ctx.heap.release_slot(before);
            }
        }
    }

    /// Replaces an element of a unique list, giving up what was there.
    pub(super) fn list_put(&self, obj: Obj, at: usize, bits: u64) {
        // SAFETY: the list is unique, and the verifier knows its type.
        unsafe {
            let slots = obj.body_mut::<layout::List>().slots_mut();
            let before = std::mem::replace(&mut slots[at], bits);
            if before != 0 && self.has_pointer_at(obj, 0) {
                self.ctx.heap.release_slot(before);
            }
        }
    }

    /// The list, unique, and whether the index was inside.
    pub(super) fn list_set(
        &self,
        list: Local,
        at: Local,
        value: Local,
    ) -> (u64, Result<(), Fault>) {
        // SAFETY: the list is owned and consumed here; it comes back.
        let obj = unsafe { self.ctx.heap.unique(self.obj(list)) };
        (obj.bits(), self.list_replace(obj, at, value))
    }

    /// Replaces an element of a unique list, if the index is inside.
    pub(super) fn list_replace(&self, obj: Obj, at: Local, value: Local) -> Result<(), Fault> {
        let (at, bits) = (self.reg(at) as i64, self.reg(value));
        // SAFETY: it is a list.
        let len = unsafe { obj.body::<layout::List>().len as usize };
        if let Some(at) = usize::try_from(at).ok().filter(|at| *at < len) {
            self.list_put(obj, at, bits);
            return Ok(());
        }
        if self.has_pointer_at(obj, 0) {
            // SAFETY: the value is owned and consumed here.
            unsafe { self.ctx.heap.release_slot(bits) };
        }
        Err(outside(at, len))
    }

    pub(super) fn list_take(&self, list: Local, at: Local) -> Result<u64, Fault> {
        // SAFETY: the list is unique, so its slots are nobody else's.
        let slots = unsafe { self.unique(list).body_mut::<layout::List>() }.slots_mut();
        let at = self.reg(at) as i64;
        let bits = element(slots, at)?;
        slots[at as usize] = 0;
        Ok(bits)
    }

    pub(super) fn map_get(&mut self, code: &Code, list: List) {
        let [flag, value, map, key] = code.fixed(list);
        // SAFETY: it is a map, and the key is of its key type.
        let found = unsafe {
            let obj = self.obj(map);
            let at = self.ctx.heap.map_position(obj, self.reg(key));
            at.map(|at| obj.body::<layout::Map>().entries()[at].value)
        };
        self.set(flag, u64::from(found.is_some()));
        self.set(value, found.unwrap_or(0));
    }

    pub(super) fn map_take(&mut self, code: &Code, list: List) {
        let [flag, value, map, key] = code.fixed(list);
        // SAFETY: it is a unique map, and the key is of its key type; the reference moves out.
        let found = unsafe {
            let obj = self.unique(map);
            let at = self.ctx.heap.map_position(obj, self.reg(key));
            at.map(|at| std::mem::take(&mut obj.body_mut::<layout::Map>().entries_mut()[at].value))
        };
        self.set(flag, u64::from(found.is_some()));
        self.set(value, found.unwrap_or(0));
    }

    pub(super) fn map_insert(&self, map: Local, key: Local, value: Local) -> u64 {
        // SAFETY: map, key and value are owned and consumed here; key and value are of the map's types.
        unsafe {
            let obj = self.ctx.heap.unique(self.obj(map));
            self.ctx
                .heap
                .map_insert(obj, self.reg(key), self.reg(value));
            obj.bits()
        }
    }

    pub(super) fn equal(&self, left: Local, right: Local) -> bool {
        // SAFETY: both registers hold null or live objects.
        let (left, right) = unsafe { (Value(self.reg(left)).obj(), Value(self.reg(right)).obj()) };
        match (left, right) {
            (None, None) => true,
            // SAFETY: as above; nothing changes while they are compared.
            (Some(left), Some(right)) => unsafe {
                order::equal_objects(self.ctx.descs(), Any::from_obj(left), Any::from_obj(right))
            },
            _ => false,
        }
    }

    /// Text from parts.
    pub(super) fn format(&mut self, code: &Code, parts: u32) -> u64 {
        let value = |reg: Reg| self.reg(code.local[reg.index()]);
        // SAFETY: registers of the parts' kinds hold null or live objects.
        unsafe { text_of(self.ctx, &code.formats[parts as usize], value) }
    }

    /// Text that is the same each time: made once, for all workers. Two of them may make it at once, and both are right.
    #[cold]
    pub(super) fn text(&mut self, code: &Code, parts: u32) -> u64 {
        let made = self.format(code, parts);
        // SAFETY: `format` has made a string, whose reference is here.
        unsafe {
            let Ok(frozen) = self.linked.frozen().freeze(Obj::from_bits(made)) else {
                return made;
            };
            self.ctx.heap.release_slot(made);
            code.texts[parts as usize].store(frozen.bits(), Ordering::Release);
            frozen.bits()
        }
    }

    /// Puts a value into a cell of the user, dropping what was there.
    pub(super) fn store_cell(&self, pointer: bool, cell: u32, bits: u64) {
        let before = self
            .ctx
            .with_user(|user| user.cells[cell as usize].replace(bits));
        if pointer {
            // SAFETY: the cell is of the register's class, and owned what it held.
            unsafe { self.ctx.heap.release_slot(before) };
        }
    }
}

/// The text of an interpolation; `value` reads a register.
///
/// # Safety
/// A register that a part shows as an object holds null or a live object.
pub(crate) unsafe fn text_of(
    ctx: &Ctx,
    parts: &[FormatPart],
    mut value: impl FnMut(Reg) -> u64,
) -> u64 {
    let descs = ctx.descs();
    let piece = |part: &FormatPart| match part {
        FormatPart::Text(id) => {
            let bits = ctx.linked().constant(id.index());
            // SAFETY: it is a constant string.
            Piece::Text(unsafe { text::str_of(Obj::from_bits(bits)) })
        }
        FormatPart::Scalar(scalar, reg) => Piece::of_scalar(descs, *scalar, Value(value(*reg))),
        FormatPart::Object(reg) => {
            // SAFETY: upheld by the caller; the object outlives the text's making.
            let any = unsafe { Value(value(*reg)).obj().map(|obj| Any::from_obj(obj)) };
            Piece::of_object(descs, any)
        }
    };
    let pieces: SmallVec<[Piece<'_>; 8]> = parts.iter().map(piece).collect();
    ctx.heap.string_of(&pieces).into_bits()
}
