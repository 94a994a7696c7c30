//! Objects as Rust code sees them: [`Any`] borrows one, [`Own`] owns a reference, [`View`] tells what it is.
//!
//! Making objects is `impl Heap` in the files beside this one: texts, lists, maps, slots, leaves.

pub mod decode;
pub(crate) mod layout;
mod leaf;
mod list;
mod map;
pub mod order;
pub mod parse;
mod pieces;
mod seen;
pub mod show;
mod slots;
#[cfg(test)]
mod tests;
pub mod text;

pub use leaf::Extern;
pub use list::{List, VarList};
pub use map::{Key, Map, VarMap};
pub(crate) use pieces::Piece;
pub use seen::Seen;
pub use slots::{OwnSlot, Slot, Slots};

use crate::ctx::Ctx;
use crate::descs::Descs;
use crate::fault::Fault;
use crate::value::{Obj, Value};
use scn_compiler::ir::{Desc, DescId, Scalar, desc};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};

/// A borrowed object of any kind.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Any<'a> {
    obj: Obj,
    life: PhantomData<&'a ()>,
}

/// An owned reference to an object; dropping it gives the reference up.
#[derive(Debug)]
#[repr(transparent)]
pub struct Own(Obj);

/// What an object is.
#[derive(Clone, Copy, Debug)]
pub enum View<'a> {
    /// `string`.
    Str(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `ip`.
    Ip(IpAddr),
    /// `addr`.
    Addr(SocketAddr),
    /// `regex`.
    Regex(&'a regex::Regex),
    /// `error`.
    Error(&'a Fault),
    /// JSON `null`.
    Null,
    /// A JSON path that leads nowhere.
    Missing(&'a str),
    /// A boxed scalar.
    Box(Scalar, Value),
    /// A number of JSON as text.
    BigNumber(&'a str),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A record.
    Record(Slots<'a>),
    /// A tuple.
    Tuple(Slots<'a>),
    /// A range: start, end, inclusive.
    Range(Slots<'a>),
    /// A handle or an opaque library value: its type's name.
    Extern(&'a str),
}

impl<'a> Any<'a> {
    /// Borrows an object.
    ///
    /// # Safety
    /// The object is alive and unchanged for `'a`.
    pub unsafe fn from_obj(obj: Obj) -> Any<'a> {
        Any {
            obj,
            life: PhantomData,
        }
    }

    /// The pointer.
    pub fn obj(self) -> Obj {
        self.obj
    }

    /// The pointer as a slot.
    pub fn bits(self) -> u64 {
        self.obj.bits()
    }

    /// Its descriptor.
    pub fn desc(self) -> DescId {
        DescId(self.obj.desc())
    }

    /// A reference of one's own.
    #[allow(clippy::wrong_self_convention)]
    pub fn to_own(self) -> Own {
        self.obj.retain();
        Own(self.obj)
    }

    /// The text, if it is a string.
    pub fn as_str(self) -> Option<&'a str> {
        // SAFETY: the descriptor says that it is a string, which holds UTF-8.
        (self.desc() == desc::STRING).then(|| unsafe { text::str_of(self.obj) })
    }

    /// The bytes, if it is a string or bytes.
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        let is_text = matches!(self.desc(), desc::STRING | desc::BYTES);
        // SAFETY: the descriptor says that it has the layout of a text.
        is_text.then(|| unsafe { text::bytes_of(self.obj) })
    }

    /// The fault, if it is an error.
    pub fn as_fault(self) -> Option<&'a Fault> {
        // SAFETY: the descriptor says that it is an error.
        (self.desc() == desc::ERROR).then(|| unsafe { &self.obj.body::<layout::Error>().fault })
    }

    /// The Rust value, if it is a handle or library value of that type.
    pub fn as_extern<T: Extern>(self, descs: &Descs) -> Option<&'a T> {
        match descs.desc(self.obj.desc()) {
            Desc::Extern { .. } => {
                // SAFETY: the descriptor says that it is an extern object.
                unsafe { &self.obj.body::<layout::Extern>().value }.downcast_ref()
            }
            _ => None,
        }
    }

    /// What it is.
    pub fn view(self, descs: &'a Descs) -> View<'a> {
        let obj = self.obj;
        // SAFETY: each arm reads the layout that the descriptor names.
        unsafe {
            match descs.desc(obj.desc()) {
                Desc::String => View::Str(text::str_of(obj)),
                Desc::Bytes => View::Bytes(text::bytes_of(obj)),
                Desc::Missing => View::Missing(text::str_of(obj)),
                Desc::BigNumber => View::BigNumber(text::str_of(obj)),
                Desc::Ip => View::Ip(obj.body::<layout::Ip>().ip),
                Desc::Addr => View::Addr(obj.body::<layout::Addr>().addr),
                Desc::Regex => View::Regex(&obj.body::<layout::Regex>().regex),
                Desc::Error => View::Error(&obj.body::<layout::Error>().fault),
                Desc::Null => View::Null,
                Desc::Box(scalar) => View::Box(*scalar, Value(layout::slot(obj, 0).read())),
                Desc::List(_) => View::List(List::from_obj(obj)),
                Desc::Map(..) => View::Map(Map::from_obj(obj)),
                Desc::Record { .. } => View::Record(Slots::from_obj(obj)),
                Desc::Tuple(_) => View::Tuple(Slots::from_obj(obj)),
                Desc::Range(_) => View::Range(Slots::from_obj(obj)),
                Desc::Extern { name, .. } => View::Extern(name),
            }
        }
    }
}

impl Own {
    /// Takes a reference over.
    ///
    /// # Safety
    /// The caller owns a reference to a live object and gives it away.
    pub unsafe fn from_obj(obj: Obj) -> Own {
        Own(obj)
    }

    /// Takes the reference in a slot over.
    ///
    /// # Safety
    /// The slot is not null, and the caller owns its reference and gives it away.
    pub unsafe fn from_bits(bits: u64) -> Own {
        // SAFETY: upheld by the caller.
        Own(unsafe { Obj::from_bits(bits) })
    }

    /// Gives the reference away as a slot.
    pub fn into_bits(self) -> u64 {
        self.into_obj().bits()
    }

    /// Gives the reference away.
    pub fn into_obj(self) -> Obj {
        let obj = self.0;
        std::mem::forget(self);
        obj
    }

    /// The pointer.
    pub fn obj(&self) -> Obj {
        self.0
    }

    /// Borrows it.
    pub fn as_any(&self) -> Any<'_> {
        // SAFETY: the reference keeps the object alive as long as `self` is borrowed.
        unsafe { Any::from_obj(self.0) }
    }
}

impl Clone for Own {
    fn clone(&self) -> Own {
        self.0.retain();
        Own(self.0)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.0.header().rc.get() & crate::value::IMMORTAL == 0 {
            // SAFETY: the reference is this value's own.
            Ctx::current(|ctx| unsafe { ctx.heap.release(self.0) });
        }
    }
}
