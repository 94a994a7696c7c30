//! Slots and object headers: the layout that engines, host functions and the heap agree on.
//!
//! A [`Value`] is one 64-bit slot without a type of its own. An [`Obj`] is a pointer to an object, whose header
//! holds the reference count and the index of its descriptor. Nothing here allocates or frees: see [`crate::heap`].

use std::cell::Cell;
use std::ptr::NonNull;

/// Set in [`Header::rc`] of objects that live as long as the program: such a count is never written,
/// so that they can be shared by threads.
pub const IMMORTAL: u32 = 1 << 31;

/// The count of a freed object in debug builds.
pub(crate) const POISON: u32 = 0x2bad_2bad;

/// What every object starts with.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    /// The reference count, or [`IMMORTAL`].
    pub rc: Cell<u32>,
    /// Index of the descriptor.
    pub desc: u32,
}

/// One slot: an int, a float, a bool, a pointer to an object or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(transparent)]
pub struct Value(pub u64);

impl Value {
    /// Null, `none`, `false` and 0.
    pub const NULL: Value = Value(0);

    /// An int, a duration or an enum case.
    pub fn from_int(int: i64) -> Self {
        Value(int as u64)
    }

    /// A float or a rate.
    pub fn from_float(float: f64) -> Self {
        Value(float.to_bits())
    }

    /// A pointer or null.
    pub fn from_obj(obj: Option<Obj>) -> Self {
        Value(obj.map_or(0, |obj| obj.bits()))
    }

    /// As an int.
    pub fn int(self) -> i64 {
        self.0 as i64
    }

    /// As a float.
    pub fn float(self) -> f64 {
        f64::from_bits(self.0)
    }

    /// As a bool.
    pub fn bool(self) -> bool {
        self.0 != 0
    }

    /// As a pointer.
    ///
    /// # Safety
    /// The slot holds null or a pointer to a live object.
    pub unsafe fn obj(self) -> Option<Obj> {
        NonNull::new(self.0 as *mut Header).map(Obj)
    }
}

/// A pointer to a live object, without ownership. Runtime code uses it where lifetimes cannot be told to Rust;
/// host functions use [`crate::object::Any`] and [`crate::object::Own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Obj(pub(crate) NonNull<Header>);

impl Obj {
    /// From the bits of a slot that is not null.
    ///
    /// # Safety
    /// The slot holds a pointer to a live object.
    pub unsafe fn from_bits(bits: u64) -> Self {
        debug_assert_ne!(bits, 0, "null where an object must be");
        // SAFETY: the caller says that this is a pointer to an object, which is never null.
        Obj(unsafe { NonNull::new_unchecked(bits as *mut Header) })
    }

    /// As the bits of a slot.
    pub fn bits(self) -> u64 {
        self.0.as_ptr() as u64
    }

    /// Its header.
    pub fn header<'a>(self) -> &'a Header {
        // SAFETY: an `Obj` points to a live object, which starts with a header; whoever made it vouches for that.
        unsafe { self.0.as_ref() }
    }

    /// Index of its descriptor.
    pub fn desc(self) -> u32 {
        self.header().desc
    }

    /// Whether this is the only reference.
    pub fn is_unique(self) -> bool {
        self.header().rc.get() == 1
    }

    /// Whether it is never freed and never changed.
    pub fn is_immortal(self) -> bool {
        self.header().rc.get() & IMMORTAL != 0
    }

    /// Adds a reference.
    pub fn retain(self) {
        let rc = &self.header().rc;
        debug_assert_ne!(rc.get(), POISON, "a freed object is used");
        if rc.get() & IMMORTAL == 0 {
            rc.set(rc.get() + 1);
        }
    }

    /// Gives a reference up; true if it was the last one and the object is to be freed.
    #[must_use]
    pub(crate) fn lose(self) -> bool {
        let rc = &self.header().rc;
        debug_assert_ne!(rc.get(), POISON, "a freed object is dropped");
        let count = rc.get();
        if count & IMMORTAL != 0 {
            return false;
        }
        rc.set(count - 1);
        count == 1
    }

    /// The object seen as its layout.
    ///
    /// # Safety
    /// The descriptor's layout is `T`, and `'a` ends before the object is freed or changed.
    pub(crate) unsafe fn body<'a, T>(self) -> &'a T {
        // SAFETY: upheld by the caller.
        unsafe { self.0.cast::<T>().as_ref() }
    }

    /// The object seen as its layout, to change it.
    ///
    /// # Safety
    /// As [`Obj::body`], and the object is not reached in another way for `'a`.
    pub(crate) unsafe fn body_mut<'a, T>(self) -> &'a mut T {
        // SAFETY: upheld by the caller.
        unsafe { self.0.cast::<T>().as_mut() }
    }
}
