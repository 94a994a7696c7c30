//! The memory of each kind of object, as `ARCHITECTURE.md` ("Values") lays it down.
//!
//! Only the heap, the object types beside this file and engines look at these.

use crate::fault::Fault;
use crate::value::{Header, Obj};
use std::any::Any;
use std::net::{IpAddr, SocketAddr};

/// `string`, `bytes`, a big number, a missing path: the bytes follow.
#[repr(C)]
pub(crate) struct Text {
    pub(crate) header: Header,
    pub(crate) len: u64,
}

/// The size of a text of `len` bytes.
pub(crate) fn text_size(len: usize) -> usize {
    size_of::<Text>() + len
}

/// `list`: the slots lie in a buffer of their own.
#[repr(C)]
pub(crate) struct List {
    pub(crate) header: Header,
    pub(crate) len: u32,
    pub(crate) cap: u32,
    pub(crate) buffer: *mut u64,
}

impl List {
    /// Its elements.
    pub(crate) fn slots(&self) -> &[u64] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the first `len` slots of the buffer are initialised.
        unsafe { std::slice::from_raw_parts(self.buffer, self.len as usize) }
    }

    /// Its elements, to change them.
    pub(crate) fn slots_mut(&mut self) -> &mut [u64] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the first `len` slots of the buffer are initialised, and the list is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.buffer, self.len as usize) }
    }
}

/// An entry of a map.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) key: u64,
    pub(crate) value: u64,
}

/// `map`: dense entries in insertion order, and from eight entries on an index of positions.
#[repr(C)]
pub(crate) struct Map {
    pub(crate) header: Header,
    pub(crate) len: u32,
    pub(crate) cap: u32,
    pub(crate) buffer: *mut Entry,
    pub(crate) index: *mut u64,
    pub(crate) index_size: u32,
}

impl Map {
    /// Its entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: the first `len` entries of the buffer are initialised.
        unsafe { std::slice::from_raw_parts(self.buffer, self.len as usize) }
    }

    /// Its entries, to change them.
    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: the first `len` entries are initialised, and the map is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.buffer, self.len as usize) }
    }
}

/// `ip`.
#[repr(C)]
pub(crate) struct Ip {
    pub(crate) header: Header,
    pub(crate) ip: IpAddr,
}

/// `addr`.
#[repr(C)]
pub(crate) struct Addr {
    pub(crate) header: Header,
    pub(crate) addr: SocketAddr,
}

/// `regex`.
#[repr(C)]
pub(crate) struct Regex {
    pub(crate) header: Header,
    pub(crate) regex: regex::Regex,
}

/// `error`.
#[repr(C)]
pub(crate) struct Error {
    pub(crate) header: Header,
    pub(crate) fault: Fault,
}

/// A handle or an opaque library value.
#[repr(C)]
pub(crate) struct Extern {
    pub(crate) header: Header,
    pub(crate) value: Box<dyn Any>,
}

/// The size of an object of `count` inline slots; at least 16, so that a freed one can be linked.
pub(crate) fn slots_size(count: usize) -> usize {
    size_of::<Header>() + 8 * count.max(1)
}

/// The place of an inline slot of a box, record, tuple or range.
///
/// # Safety
/// The object has that slot.
pub(crate) unsafe fn slot(obj: Obj, at: u32) -> *mut u64 {
    // SAFETY: slots follow the header, and the object has one with this number.
    unsafe { obj.0.as_ptr().add(1).cast::<u64>().add(at as usize) }
}
