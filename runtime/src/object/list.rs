//! Lists: borrowed views, owners that change them, and the primitives that engines use.

use super::{Any, Own, OwnSlot, Slot, layout};
use crate::ctx::Ctx;
use crate::descs::{Descs, is_pointer};
use crate::heap::Heap;
use crate::host::{RawOwn, RawSlot};
use crate::value::Obj;
use scn_compiler::ir::{Desc, DescId, SlotType, desc};
use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ptr;

/// A borrowed list.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    obj: Obj,
    life: PhantomData<&'a ()>,
}

/// An owned list that may be changed; a shared one is copied first.
#[derive(Debug)]
#[repr(transparent)]
pub struct VarList(Own);

/// The type of a list's elements.
fn element_type(descs: &Descs, obj: Obj) -> SlotType {
    match descs.desc(obj.desc()) {
        Desc::List(slot) => *slot,
        other => unreachable!("a list is expected, this is {other:?}"),
    }
}

impl<'a> List<'a> {
    /// A view of a list.
    ///
    /// # Safety
    /// It is a list that is alive and unchanged for `'a`.
    pub(crate) unsafe fn from_obj(obj: Obj) -> List<'a> {
        List {
            obj,
            life: PhantomData,
        }
    }

    /// The object.
    pub fn any(self) -> Any<'a> {
        // SAFETY: whoever made `self` says that the object lives for `'a`.
        unsafe { Any::from_obj(self.obj) }
    }

    /// Number of elements.
    pub fn len(self) -> usize {
        self.bits().len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.bits().is_empty()
    }

    /// The elements as raw slots.
    pub fn bits(self) -> &'a [u64] {
        // SAFETY: whoever made `self` says that it is a list.
        unsafe { self.obj.body::<layout::List>() }.slots()
    }

    /// The type of the elements.
    pub fn element_type(self, descs: &Descs) -> SlotType {
        element_type(descs, self.obj)
    }

    /// An element, if the index is inside.
    pub fn at(self, descs: &Descs, at: usize) -> Option<Slot<'a>> {
        let bits = *self.bits().get(at)?;
        // SAFETY: the descriptor tells the type of the elements.
        Some(unsafe { Slot::new(bits, self.element_type(descs)) })
    }

    /// The elements.
    pub fn iter(self, descs: &Descs) -> impl Iterator<Item = Slot<'a>> + use<'a> {
        let ty = self.element_type(descs);
        // SAFETY: the descriptor tells the type of the elements.
        self.bits()
            .iter()
            .map(move |bits| unsafe { Slot::new(*bits, ty) })
    }

    /// A generic value that is declared as an element of this list, as a slot.
    pub fn typed(self, descs: &Descs, value: RawSlot) -> Slot<'a> {
        // SAFETY: the declaration types the value as an element of this list; arguments live for the call.
        unsafe { Slot::new(value.0, self.element_type(descs)) }
    }

    /// The elements that are strings: all of them in a `list<string>`.
    pub fn strings(self, descs: &Descs) -> impl Iterator<Item = &'a str> + use<'a> {
        self.iter(descs).filter_map(Slot::str)
    }
}

impl VarList {
    /// An empty list of a descriptor.
    pub fn new(cx: &Ctx, desc: DescId, capacity: usize) -> VarList {
        debug_assert!(matches!(cx.descs().desc(desc.0), Desc::List(_)));
        // SAFETY: the new object is owned by nobody else.
        VarList(unsafe { Own::from_obj(cx.heap.list(desc, capacity)) })
    }

    /// A `list<string>`.
    pub fn of_strings<S: AsRef<str>>(cx: &Ctx, texts: impl IntoIterator<Item = S>) -> VarList {
        let mut list = VarList::new(cx, desc::LIST_STRING, 0);
        for text in texts {
            list.push(cx, OwnSlot::own(cx.heap.string(text.as_ref())));
        }
        list
    }

    /// Takes a list over.
    pub fn from_own(cx: &Ctx, own: Own) -> Result<VarList, Own> {
        match cx.descs().desc(own.obj().desc()) {
            Desc::List(_) => Ok(VarList(own)),
            _ => Err(own),
        }
    }

    /// Takes the list in a slot over.
    ///
    /// # Safety
    /// The slot holds a list that the caller owns and gives away.
    pub unsafe fn from_bits(bits: u64) -> VarList {
        // SAFETY: upheld by the caller.
        VarList(unsafe { Own::from_bits(bits) })
    }

    /// Gives it away.
    pub fn into_own(self) -> Own {
        self.0
    }

    /// Borrows it.
    pub fn as_list(&self) -> List<'_> {
        // SAFETY: it is a list, kept alive by `self`.
        unsafe { List::from_obj(self.0.obj()) }
    }

    /// Its buffer's head, after it is made the only reference.
    fn unique(&mut self, cx: &Ctx) -> &mut layout::List {
        if !self.0.obj().is_unique() {
            let shared = self.0.clone().into_obj();
            // SAFETY: the reference that was just made is given away and comes back as the copy.
            self.0 = unsafe { Own::from_obj(cx.heap.unique(shared)) };
        }
        // SAFETY: it is a list with one reference, which `self` borrows exclusively.
        unsafe { self.0.obj().body_mut() }
    }

    fn expect_class(&self, cx: &Ctx, slot: &OwnSlot) -> bool {
        slot.is_pointer() == is_pointer(element_type(cx.descs(), self.0.obj()))
    }

    /// Adds at the end. Generic elements come from the engine in the list's own form.
    pub fn push(&mut self, cx: &Ctx, value: OwnSlot) {
        debug_assert!(value.bits() == 0 || self.expect_class(cx, &value));
        self.unique(cx);
        // SAFETY: the list is unique now; the value has the type of its elements.
        unsafe { cx.heap.list_push(self.0.obj(), value.into_bits()) };
    }

    /// Adds a generic element, which comes from the engine in the list's own form.
    pub fn push_raw(&mut self, cx: &Ctx, value: RawOwn) {
        let value = self.own_slot(cx, value);
        self.push(cx, value);
    }

    /// A generic element as an owned slot of this list.
    pub fn own_slot(&self, cx: &Ctx, value: RawOwn) -> OwnSlot {
        let pointer = is_pointer(element_type(cx.descs(), self.0.obj()));
        // SAFETY: the declaration types the value as an element of this list, and the caller gave it away.
        unsafe { OwnSlot::from_bits(value.0, pointer) }
    }

    /// Inserts before `at`, which is at most the length.
    pub fn insert(&mut self, cx: &Ctx, at: usize, value: OwnSlot) {
        self.push(cx, value);
        self.unique(cx).slots_mut()[at..].rotate_right(1);
    }

    /// Takes the element at `at` out, which is inside.
    pub fn remove(&mut self, cx: &Ctx, at: usize) -> OwnSlot {
        let pointer = is_pointer(element_type(cx.descs(), self.0.obj()));
        let list = self.unique(cx);
        list.slots_mut()[at..].rotate_left(1);
        list.len -= 1;
        // SAFETY: the slot behind the new end is still initialised; its reference moves out.
        unsafe { OwnSlot::from_bits(list.buffer.add(list.len as usize).read(), pointer) }
    }

    /// Takes the last element out.
    pub fn pop(&mut self, cx: &Ctx) -> Option<OwnSlot> {
        let len = self.as_list().len();
        (len > 0).then(|| self.remove(cx, len - 1))
    }

    /// Removes all elements.
    pub fn clear(&mut self, cx: &Ctx) {
        *self = VarList::new(cx, self.0.as_any().desc(), 0);
    }

    /// Turns it around.
    pub fn reverse(&mut self, cx: &Ctx) {
        self.unique(cx).slots_mut().reverse();
    }

    /// Reorders its raw slots: `f` must only permute them.
    fn permute(&mut self, cx: &Ctx, f: impl FnOnce(&mut [u64])) {
        f(self.unique(cx).slots_mut());
    }

    /// Sorts, keeping the order of equal elements.
    pub fn sort_by(&mut self, cx: &Ctx, mut order: impl FnMut(Slot<'_>, Slot<'_>) -> Ordering) {
        let ty = element_type(cx.descs(), self.0.obj());
        self.permute(cx, |slots| {
            // SAFETY: both are elements of the list, and stay alive while it is sorted.
            slots.sort_by(|left, right| unsafe {
                order(Slot::new(*left, ty), Slot::new(*right, ty))
            });
        });
    }

    /// Swaps two elements.
    pub fn swap(&mut self, cx: &Ctx, left: usize, right: usize) {
        self.permute(cx, |slots| slots.swap(left, right));
    }
}

impl Heap {
    /// A new list without elements.
    pub(crate) fn list(&self, desc: DescId, capacity: usize) -> Obj {
        let buffer = if capacity == 0 {
            ptr::null_mut()
        } else {
            self.list_buffer(capacity)
        };
        let obj = self.object(size_of::<layout::List>(), desc.0);
        // SAFETY: the object was made with room for a list; all fields behind the header are written.
        unsafe {
            let list = obj.0.cast::<layout::List>().as_ptr();
            (&raw mut (*list).len).write(0);
            (&raw mut (*list).cap).write(capacity as u32);
            (&raw mut (*list).buffer).write(buffer);
        }
        obj
    }

    fn list_buffer(&self, capacity: usize) -> *mut u64 {
        assert!(
            capacity <= scn_compiler::ir::LONGEST_LIST,
            "a list has at most 2^30 elements"
        );
        self.allocate(capacity * 8).cast().as_ptr()
    }

    /// Adds an element, which is taken over.
    ///
    /// # Safety
    /// It is a unique list with elements of the value's type.
    pub(crate) unsafe fn list_push(&self, obj: Obj, bits: u64) {
        // SAFETY: a unique list; the buffer has `cap` slots, and `len` is below after growing.
        unsafe {
            if obj.body::<layout::List>().len == obj.body::<layout::List>().cap {
                self.list_grow(obj);
            }
            let list = obj.body_mut::<layout::List>();
            list.buffer.add(list.len as usize).write(bits);
            list.len += 1;
        }
    }

    /// # Safety
    /// It is a unique list.
    unsafe fn list_grow(&self, obj: Obj) {
        // SAFETY: the new buffer has room for all elements of the old one, which is then not used any more.
        unsafe {
            let list = obj.body_mut::<layout::List>();
            let cap = (list.cap as usize * 2).max(4);
            let buffer = self.list_buffer(cap);
            ptr::copy_nonoverlapping(list.slots().as_ptr(), buffer, list.len as usize);
            self.free_list_buffer(list);
            list.buffer = buffer;
            list.cap = cap as u32;
        }
    }

    /// A shallow copy of a list, whose elements get a reference more.
    ///
    /// # Safety
    /// It is a list.
    pub(crate) unsafe fn list_copy(&self, obj: Obj) -> Obj {
        // SAFETY: the copy has room for all elements; pointer elements are live objects.
        unsafe {
            let from = obj.body::<layout::List>();
            let to = self.list(DescId(obj.desc()), from.len as usize);
            let list = to.body_mut::<layout::List>();
            if from.len > 0 {
                ptr::copy_nonoverlapping(from.buffer, list.buffer, from.len as usize);
            }
            list.len = from.len;
            if is_pointer(element_type(self.descs(), obj)) {
                list.slots()
                    .iter()
                    .filter(|bits| **bits != 0)
                    .for_each(|bits| Obj::from_bits(*bits).retain());
            }
            to
        }
    }

    /// Gives an object with one reference: itself, or a shallow copy.
    ///
    /// # Safety
    /// The caller owns a reference and gives it away for that of the result. Records, tuples, lists, maps.
    pub(crate) unsafe fn unique(&self, obj: Obj) -> Obj {
        if obj.is_unique() {
            return obj;
        }
        // SAFETY: the descriptor tells which copy fits; the caller's reference is given up after copying.
        unsafe {
            let copy = match self.descs().desc(obj.desc()) {
                Desc::List(_) => self.list_copy(obj),
                Desc::Map(..) => self.map_copy(obj),
                _ => self.slots_copy(obj),
            };
            self.release(obj);
            copy
        }
    }
}
