//! Boxes, records, tuples and ranges: slots behind the header. And what one slot is.

use super::{Any, Own, layout};
use crate::ctx::Ctx;
use crate::descs::{Descs, Shape, is_pointer};
use crate::heap::Heap;
use crate::host::RawSlot;
use crate::value::{Obj, Value};
use scn_compiler::ir::{Desc, DescId, Scalar, SlotKind, SlotType, desc};
use std::marker::PhantomData;

/// A borrowed slot with its type.
#[derive(Clone, Copy, Debug)]
pub struct Slot<'a> {
    /// What is in it.
    pub bits: u64,
    /// How to read it.
    pub ty: SlotType,
    life: PhantomData<&'a ()>,
}

/// The slots of a borrowed record, tuple or range.
#[derive(Clone, Copy, Debug)]
pub struct Slots<'a> {
    obj: Obj,
    life: PhantomData<&'a ()>,
}

impl<'a> Slot<'a> {
    /// A slot of a type.
    ///
    /// # Safety
    /// The bits are of that type, and what they point to lives for `'a`.
    pub unsafe fn new(bits: u64, ty: SlotType) -> Slot<'a> {
        Slot {
            bits,
            ty,
            life: PhantomData,
        }
    }

    /// The object, if the slot holds a pointer that is not null.
    pub fn any(self) -> Option<Any<'a>> {
        // SAFETY: the type says that it is a pointer or null.
        (is_pointer(self.ty) && self.bits != 0)
            .then(|| unsafe { Any::from_obj(Obj::from_bits(self.bits)) })
    }

    /// The scalar, if the slot holds one itself.
    pub fn scalar(self) -> Option<(Scalar, Value)> {
        match self.ty {
            SlotType {
                kind: SlotKind::Scalar(scalar),
                optional: false,
            } => Some((scalar, Value(self.bits))),
            _ => None,
        }
    }

    /// The text, if it is a string.
    pub fn str(self) -> Option<&'a str> {
        self.any()?.as_str()
    }

    /// The same value with a reference of one's own.
    #[allow(clippy::wrong_self_convention)]
    pub fn to_own(self) -> OwnSlot {
        if let Some(any) = self.any() {
            any.obj().retain();
        }
        OwnSlot(self.bits, is_pointer(self.ty))
    }
}

impl Slot<'_> {
    /// The value as an object, as `json` and unions have it: scalars in boxes, `none` as JSON `null`.
    pub fn to_any(self, cx: &Ctx) -> Own {
        match (self.scalar(), self.any()) {
            (Some((scalar, value)), _) => cx.heap.boxed(cx.descs().box_of(scalar), value),
            (None, Some(any)) => any.to_own(),
            (None, None) => cx.heap.null(),
        }
    }
}

impl<'a> Slots<'a> {
    /// The slots of an object.
    ///
    /// # Safety
    /// It is a record, tuple or range that is alive and unchanged for `'a`.
    pub(crate) unsafe fn from_obj(obj: Obj) -> Slots<'a> {
        Slots {
            obj,
            life: PhantomData,
        }
    }

    /// The object.
    pub fn any(self) -> Any<'a> {
        // SAFETY: whoever made `self` says that the object lives for `'a`.
        unsafe { Any::from_obj(self.obj) }
    }

    /// How many there are.
    pub fn len(self, descs: &Descs) -> usize {
        match descs.shape(self.obj.desc()) {
            Shape::Slots { count, .. } => *count as usize,
            _ => 0,
        }
    }

    /// A slot.
    pub fn slot(self, descs: &Descs, at: usize) -> Slot<'a> {
        let ty = match descs.desc(self.obj.desc()) {
            Desc::Record { fields, .. } => fields[at].1,
            Desc::Tuple(slots) => slots[at],
            Desc::Range(_) if at == 2 => scalar(Scalar::Bool),
            Desc::Range(of) | Desc::Box(of) => scalar(*of),
            _ => unreachable!("only objects with inline slots are seen as slots"),
        };
        // SAFETY: the descriptor has this slot, and its type is that of the slot.
        unsafe { Slot::new(layout::slot(self.obj, at as u32).read(), ty) }
    }

    /// A generic value that is declared as an end of this range, as a slot.
    pub fn typed(self, descs: &Descs, value: RawSlot) -> Slot<'a> {
        // SAFETY: the declaration types the value as an end of this range; ends are scalars.
        unsafe { Slot::new(value.0, self.slot(descs, 0).ty) }
    }

    /// The fields of a record in order; nothing of a tuple.
    pub fn fields(self, descs: &'a Descs) -> impl Iterator<Item = (&'a str, Slot<'a>)> {
        let fields: &[(String, SlotType)] = match descs.desc(self.obj.desc()) {
            Desc::Record { fields, .. } => fields,
            _ => &[],
        };
        fields
            .iter()
            .enumerate()
            .map(move |(at, (name, _))| (name.as_str(), self.slot(descs, at)))
    }

    /// The field of a record.
    pub fn field(self, descs: &Descs, name: &str) -> Option<Slot<'a>> {
        let Desc::Record { fields, .. } = descs.desc(self.obj.desc()) else {
            return None;
        };
        let at = fields.iter().position(|(field, _)| field == name)?;
        Some(self.slot(descs, at))
    }
}

/// The slot type of a plain scalar.
pub(crate) fn scalar(scalar: Scalar) -> SlotType {
    SlotType {
        kind: SlotKind::Scalar(scalar),
        optional: false,
    }
}

impl Heap {
    /// A new record, tuple, range or box; pointers among the slots are taken over.
    ///
    /// # Safety
    /// The descriptor is of such an object, and the slots are as many and of the types that it names.
    pub(crate) unsafe fn slots(&self, desc: DescId, slots: &[u64]) -> Obj {
        let obj = self.object(layout::slots_size(slots.len()), desc.0);
        for (at, bits) in (0u32..).zip(slots) {
            // SAFETY: the object was made with room for that many slots.
            unsafe { layout::slot(obj, at).write(*bits) };
        }
        obj
    }

    /// A shallow copy of a record or tuple, whose pointers get a reference more.
    ///
    /// # Safety
    /// It is an object with inline slots.
    pub(crate) unsafe fn slots_copy(&self, obj: Obj) -> Obj {
        let Shape::Slots { count, pointers } = self.descs().shape(obj.desc()) else {
            unreachable!("only objects with parts are copied")
        };
        // SAFETY: the object has that many slots, and those that are pointers hold live objects or null.
        unsafe {
            let slots = std::slice::from_raw_parts(layout::slot(obj, 0), *count as usize);
            for at in pointers {
                if let Some(child) = Value(slots[*at as usize]).obj() {
                    child.retain();
                }
            }
            self.slots(DescId(obj.desc()), slots)
        }
    }

    /// A new box.
    pub fn boxed(&self, desc: DescId, value: Value) -> Own {
        debug_assert!(matches!(self.descs().desc(desc.0), Desc::Box(_)));
        // SAFETY: a box has one slot, which is a scalar.
        unsafe { Own::from_obj(self.slots(desc, &[value.0])) }
    }

    /// A boxed int.
    pub fn box_int(&self, int: i64) -> Own {
        self.boxed(desc::BOX_INT, Value::from_int(int))
    }

    /// A boxed float.
    pub fn box_float(&self, float: f64) -> Own {
        self.boxed(desc::BOX_FLOAT, Value::from_float(float))
    }

    /// A boxed bool.
    pub fn box_bool(&self, bool: bool) -> Own {
        self.boxed(desc::BOX_BOOL, Value(u64::from(bool)))
    }

    /// JSON `null`.
    pub fn null(&self) -> Own {
        // SAFETY: the object of null has no slots.
        unsafe { Own::from_obj(self.slots(desc::NULL, &[])) }
    }

    /// A new record or tuple from slots in order; see [`OwnSlot`].
    ///
    /// # Panics
    /// If the number of slots is not that of the descriptor.
    pub fn record(&self, desc: DescId, slots: Vec<OwnSlot>) -> Own {
        let Shape::Slots { count, pointers } = self.descs().shape(desc.0) else {
            unreachable!("a record or tuple is made of slots")
        };
        assert_eq!(
            *count as usize,
            slots.len(),
            "a record takes as many slots as it has fields"
        );
        for (at, slot) in (0u32..).zip(&slots) {
            assert!(
                slot.0 == 0 || slot.1 == pointers.contains(&at),
                "a slot has the class of its field"
            );
        }
        let bits: Vec<u64> = slots.into_iter().map(OwnSlot::into_bits).collect();
        // SAFETY: number and classes were just compared.
        unsafe { Own::from_obj(self.slots(desc, &bits)) }
    }
}

/// An owned slot on its way into an object or result: a scalar, or a pointer with its reference.
#[derive(Debug)]
pub struct OwnSlot(u64, bool);

impl OwnSlot {
    /// Nothing: null.
    pub const NONE: OwnSlot = OwnSlot(0, false);

    /// A slot of raw bits.
    ///
    /// # Safety
    /// If `pointer`, the bits are null or a reference that is given away here.
    pub unsafe fn from_bits(bits: u64, pointer: bool) -> OwnSlot {
        OwnSlot(bits, pointer)
    }

    /// An int, duration, bool or enum case.
    pub fn int(int: i64) -> OwnSlot {
        OwnSlot(int as u64, false)
    }

    /// A float or rate.
    pub fn float(float: f64) -> OwnSlot {
        OwnSlot(float.to_bits(), false)
    }

    /// An object.
    pub fn own(own: Own) -> OwnSlot {
        OwnSlot(own.into_bits(), true)
    }

    /// An object or none.
    pub fn option(own: Option<Own>) -> OwnSlot {
        own.map_or(OwnSlot::NONE, OwnSlot::own)
    }

    /// Gives it away as bits.
    pub fn into_bits(self) -> u64 {
        let bits = self.0;
        std::mem::forget(self);
        bits
    }

    /// The raw bits.
    pub fn bits(&self) -> u64 {
        self.0
    }

    /// Whether it holds a pointer.
    pub fn is_pointer(&self) -> bool {
        self.1
    }
}

impl Drop for OwnSlot {
    fn drop(&mut self) {
        if self.1 && self.0 != 0 {
            // SAFETY: the reference is this value's own.
            Ctx::current(|ctx| unsafe { ctx.heap.release_slot(self.0) });
        }
    }
}
