//! Maps: dense entries in insertion order; from [`INDEXED`] entries on an index of positions by hash.

use super::{Any, Own, OwnSlot, Slot, layout, text};
use crate::ctx::Ctx;
use crate::descs::{Descs, is_pointer};
use crate::heap::Heap;
use crate::host::{RawOwn, RawSlot};
use crate::value::Obj;
use layout::Entry;
use scn_compiler::ir::{Desc, DescId, SlotType, desc};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::ptr;

/// Entries up to which a map is searched from the front.
const INDEXED: usize = 8;

/// A borrowed map.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a> {
    obj: Obj,
    life: PhantomData<&'a ()>,
}

/// An owned map that may be changed; a shared one is copied first.
#[derive(Debug)]
#[repr(transparent)]
pub struct VarMap(Own);

/// A key to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// Int, bool, enum case.
    Scalar(u64),
    /// String or bytes.
    Text(&'a [u8]),
    /// Address without port.
    Ip(IpAddr),
    /// Address with port.
    Addr(SocketAddr),
}

impl<'a> Key<'a> {
    /// A string.
    pub fn str(text: &'a str) -> Key<'a> {
        Key::Text(text.as_bytes())
    }

    /// The key in a slot of a type.
    ///
    /// # Safety
    /// The slot is of that type, and what it points to lives for `'a`.
    pub(crate) unsafe fn of(bits: u64, pointer: bool) -> Key<'a> {
        if !pointer {
            return Key::Scalar(bits);
        }
        // SAFETY: keys that are pointers are strings, ips and addrs, never null; headers tell which.
        unsafe {
            let obj = Obj::from_bits(bits);
            match DescId(obj.desc()) {
                desc::IP => Key::Ip(obj.body::<layout::Ip>().ip),
                desc::ADDR => Key::Addr(obj.body::<layout::Addr>().addr),
                _ => Key::Text(text::bytes_of(obj)),
            }
        }
    }

    fn hash(self) -> u32 {
        match self {
            Key::Scalar(bits) => mixed(bits, 8),
            Key::Text(text) => hash_bytes(text),
            Key::Ip(_) | Key::Addr(_) => {
                let mut hasher = DefaultHasher::new();
                Hash::hash(&self, &mut hasher);
                hasher.finish() as u32
            }
        }
    }
}

/// A step of hashing: both halves of a product (Wang Yi's wyhash has the idea).
fn mixed(a: u64, b: u64) -> u32 {
    let product = u128::from(a ^ 0x9e37_79b9_7f4a_7c15) * u128::from(b ^ 0xe703_7ed1_a0b4_28db);
    let half = product as u64 ^ (product >> 64) as u64;
    (half ^ half >> 32) as u32
}

fn hash_bytes(bytes: &[u8]) -> u32 {
    let mut hash = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let product = u128::from(u64::from_le_bytes(word) ^ 0x9e37_79b9_7f4a_7c15)
            * u128::from(hash ^ 0xe703_7ed1_a0b4_28db);
        hash = product as u64 ^ (product >> 64) as u64;
    }
    (hash ^ hash >> 32) as u32
}

fn types(descs: &Descs, obj: Obj) -> (SlotType, SlotType) {
    match descs.desc(obj.desc()) {
        Desc::Map(key, value) => (*key, *value),
        other => unreachable!("a map is expected, this is {other:?}"),
    }
}

/// The position of a key.
///
/// # Safety
/// It is a map whose keys are pointers or not as told.
unsafe fn position(map: &layout::Map, pointer: bool, key: Key<'_>) -> Option<usize> {
    let entries = map.entries();
    // SAFETY: the keys of the entries are of the map's type.
    let is_at = |at: usize| unsafe {
        match key {
            // Most keys differ in length, so that is looked at before what the key is.
            Key::Text(text) if pointer => {
                let obj = Obj::from_bits(entries[at].key);
                !matches!(DescId(obj.desc()), desc::IP | desc::ADDR)
                    && obj.body::<layout::Text>().len == text.len() as u64
                    && text::bytes_of(obj) == text
            }
            _ => Key::of(entries[at].key, pointer) == key,
        }
    };
    if map.index.is_null() {
        return (0..entries.len()).find(|at| is_at(*at));
    }
    let (mask, hash) = (map.index_size - 1, key.hash());
    let mut probe = hash & mask;
    loop {
        // SAFETY: the probe is masked to the size of the index.
        let cell = unsafe { map.index.add(probe as usize).read() };
        if cell == 0 {
            return None;
        }
        let at = (cell as u32 - 1) as usize;
        if (cell >> 32) as u32 == hash && is_at(at) {
            return Some(at);
        }
        probe = (probe + 1) & mask;
    }
}

/// Enters a position into the index, which has room.
///
/// # Safety
/// The map has an index.
unsafe fn enter_index(map: &layout::Map, hash: u32, at: usize) {
    let mask = map.index_size - 1;
    let mut probe = hash & mask;
    // SAFETY: the probe is masked to the size of the index, which has a free cell.
    unsafe {
        while map.index.add(probe as usize).read() != 0 {
            probe = (probe + 1) & mask;
        }
        map.index
            .add(probe as usize)
            .write(u64::from(hash) << 32 | (at as u64 + 1));
    }
}

impl<'a> Map<'a> {
    /// A view of a map.
    ///
    /// # Safety
    /// It is a map that is alive and unchanged for `'a`.
    pub(crate) unsafe fn from_obj(obj: Obj) -> Map<'a> {
        Map {
            obj,
            life: PhantomData,
        }
    }

    fn body(self) -> &'a layout::Map {
        // SAFETY: whoever made `self` says that it is a map that lives for `'a`.
        unsafe { self.obj.body() }
    }

    /// The object.
    pub fn any(self) -> Any<'a> {
        // SAFETY: whoever made `self` says that the object lives for `'a`.
        unsafe { Any::from_obj(self.obj) }
    }

    /// Number of entries.
    pub fn len(self) -> usize {
        self.body().len as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Key and value at a position in insertion order.
    pub fn entry(self, descs: &Descs, at: usize) -> (Slot<'a>, Slot<'a>) {
        let (key, value) = types(descs, self.obj);
        let entry = self.body().entries()[at];
        // SAFETY: the descriptor tells the types.
        unsafe { (Slot::new(entry.key, key), Slot::new(entry.value, value)) }
    }

    /// The entries in insertion order.
    pub fn iter(self, descs: &'a Descs) -> impl Iterator<Item = (Slot<'a>, Slot<'a>)> {
        (0..self.len()).map(move |at| self.entry(descs, at))
    }

    /// The value of a key.
    pub fn find(self, descs: &Descs, key: Key<'_>) -> Option<Slot<'a>> {
        let pointer = is_pointer(types(descs, self.obj).0);
        // SAFETY: the descriptor tells whether keys are pointers.
        let at = unsafe { position(self.body(), pointer, key) }?;
        Some(self.entry(descs, at).1)
    }

    /// The value of a generic key, which is declared as a key of this map.
    pub fn find_raw(self, descs: &Descs, key: RawSlot) -> Option<Slot<'a>> {
        let pointer = is_pointer(types(descs, self.obj).0);
        // SAFETY: the declaration types the key as one of this map.
        self.find(descs, unsafe { Key::of(key.0, pointer) })
    }

    /// The string of a string: in a `map<string, string>`.
    pub fn find_str(self, descs: &Descs, key: &str) -> Option<&'a str> {
        self.find(descs, Key::str(key))?.str()
    }
}

impl VarMap {
    /// An empty map of a descriptor.
    pub fn new(cx: &Ctx, desc: DescId) -> VarMap {
        debug_assert!(matches!(cx.descs().desc(desc.0), Desc::Map(..)));
        // SAFETY: the new object is owned by nobody else.
        VarMap(unsafe { Own::from_obj(cx.heap.map(desc)) })
    }

    /// A `map<string, json>` of names, which are strings, and values; of equal names the last one counts.
    pub fn of_members(cx: &Ctx, members: impl ExactSizeIterator<Item = (Own, Own)>) -> VarMap {
        let map = VarMap::new(cx, desc::JSON_MAP);
        // SAFETY: the map is new, and its keys are strings as its descriptor says.
        unsafe { cx.heap.map_fill(map.0.obj(), members) };
        map
    }

    /// Takes the map in a slot over.
    ///
    /// # Safety
    /// The slot holds a map that the caller owns and gives away.
    pub unsafe fn from_bits(bits: u64) -> VarMap {
        // SAFETY: upheld by the caller.
        VarMap(unsafe { Own::from_bits(bits) })
    }

    /// Gives it away.
    pub fn into_own(self) -> Own {
        self.0
    }

    /// Borrows it.
    pub fn as_map(&self) -> Map<'_> {
        // SAFETY: it is a map, kept alive by `self`.
        unsafe { Map::from_obj(self.0.obj()) }
    }

    fn unique(&mut self, cx: &Ctx) {
        if !self.0.obj().is_unique() {
            let shared = self.0.clone().into_obj();
            // SAFETY: the reference that was just made is given away and comes back as the copy.
            self.0 = unsafe { Own::from_obj(cx.heap.unique(shared)) };
        }
    }

    /// Inserts or replaces.
    pub fn insert(&mut self, cx: &Ctx, key: OwnSlot, value: OwnSlot) {
        self.unique(cx);
        // SAFETY: the map is unique; key and value come in the map's own form.
        unsafe {
            cx.heap
                .map_insert(self.0.obj(), key.into_bits(), value.into_bits())
        };
    }

    /// Inserts or replaces text in a `map<string, string>`.
    pub fn insert_str(&mut self, cx: &Ctx, key: &str, value: &str) {
        self.insert(
            cx,
            OwnSlot::own(cx.heap.string(key)),
            OwnSlot::own(cx.heap.string(value)),
        );
    }

    /// Inserts or replaces; key and value are declared as those of this map.
    pub fn insert_raw(&mut self, cx: &Ctx, key: RawOwn, value: RawOwn) {
        self.unique(cx);
        // SAFETY: the map is unique; the declaration types key and value as those of this map.
        unsafe { cx.heap.map_insert(self.0.obj(), key.0, value.0) };
    }

    /// Removes the entry of a generic key, which is declared as a key of this map.
    pub fn remove_raw(&mut self, cx: &Ctx, key: RawSlot) -> Option<OwnSlot> {
        let pointer = is_pointer(types(cx.descs(), self.0.obj()).0);
        // SAFETY: the declaration types the key as one of this map.
        self.remove(cx, unsafe { Key::of(key.0, pointer) })
    }

    /// Removes an entry; the others keep their order.
    pub fn remove(&mut self, cx: &Ctx, key: Key<'_>) -> Option<OwnSlot> {
        self.unique(cx);
        // SAFETY: the map is unique.
        unsafe { cx.heap.map_remove(self.0.obj(), key) }
    }

    /// Removes all entries.
    pub fn clear(&mut self, cx: &Ctx) {
        *self = VarMap::new(cx, self.0.as_any().desc());
    }
}

impl Heap {
    /// A new map without entries.
    pub(crate) fn map(&self, desc: DescId) -> Obj {
        let obj = self.object(size_of::<layout::Map>(), desc.0);
        // SAFETY: the object was made with room for a map; all fields behind the header are written.
        unsafe {
            let map = obj.0.cast::<layout::Map>().as_ptr();
            (&raw mut (*map).len).write(0);
            (&raw mut (*map).cap).write(0);
            (&raw mut (*map).buffer).write(ptr::null_mut());
            (&raw mut (*map).index).write(ptr::null_mut());
            (&raw mut (*map).index_size).write(0);
        }
        obj
    }

    /// The position of a key in a slot of the map's key type.
    ///
    /// # Safety
    /// It is a map, and the key is of its key type.
    pub(crate) unsafe fn map_position(&self, obj: Obj, key: u64) -> Option<usize> {
        let pointer = is_pointer(types(self.descs(), obj).0);
        // SAFETY: upheld by the caller.
        unsafe { position(obj.body(), pointer, Key::of(key, pointer)) }
    }

    /// Inserts or replaces; key and value are taken over.
    ///
    /// # Safety
    /// It is a unique map; key and value are of its types.
    pub(crate) unsafe fn map_insert(&self, obj: Obj, key: u64, value: u64) {
        let (key_type, value_type) = types(self.descs(), obj);
        let (key_pointer, value_pointer) = (is_pointer(key_type), is_pointer(value_type));
        // SAFETY: upheld by the caller; a replaced value's reference is the map's own, a spare key's the caller's.
        unsafe {
            let known = Key::of(key, key_pointer);
            let Some(at) = position(obj.body(), key_pointer, known) else {
                return self.map_append(obj, key, value, known, key_pointer);
            };
            let entry = &mut obj.body_mut::<layout::Map>().entries_mut()[at];
            let before = std::mem::replace(&mut entry.value, value);
            if key_pointer {
                self.release_slot(key);
            }
            if value_pointer {
                self.release_slot(before);
            }
        }
    }

    /// Inserts into a map without entries, with room for all of them from the start.
    ///
    /// # Safety
    /// It is a unique map without entries of strings to `json`; the keys are strings.
    unsafe fn map_fill(&self, obj: Obj, members: impl ExactSizeIterator<Item = (Own, Own)>) {
        // SAFETY: as long as there is no index, entries are written behind the last one, where there is room for them.
        unsafe {
            self.map_reserve(obj, members.len());
            for (key, value) in members {
                let (key, value) = (key.into_bits(), value.into_bits());
                let map = obj.body_mut::<layout::Map>();
                let name = text::bytes_of(Obj::from_bits(key));
                let is_name = |entry: &Entry| text::bytes_of(Obj::from_bits(entry.key)) == name;
                if map.len == map.cap
                    || map.len as usize == INDEXED
                    || !map.index.is_null()
                    || map.entries().iter().any(is_name)
                {
                    self.map_insert(obj, key, value);
                    continue;
                }
                map.buffer.add(map.len as usize).write(Entry { key, value });
                map.len += 1;
            }
        }
    }

    /// # Safety
    /// As [`Heap::map_insert`], and the key is not there.
    unsafe fn map_append(&self, obj: Obj, key: u64, value: u64, known: Key<'_>, key_pointer: bool) {
        // SAFETY: after growing there is room for an entry.
        unsafe {
            if obj.body::<layout::Map>().len == obj.body::<layout::Map>().cap {
                self.map_grow(obj);
            }
            let map = obj.body_mut::<layout::Map>();
            map.buffer.add(map.len as usize).write(Entry { key, value });
            map.len += 1;
            let len = map.len as usize;
            if len > INDEXED && (map.index.is_null() || len * 4 > map.index_size as usize * 3) {
                self.map_index(obj, key_pointer);
            } else if !map.index.is_null() {
                enter_index(map, known.hash(), len - 1);
            }
        }
    }

    /// # Safety
    /// It is a unique map.
    unsafe fn map_grow(&self, obj: Obj) {
        // SAFETY: upheld by the caller; the room doubles.
        unsafe { self.map_reserve(obj, (obj.body::<layout::Map>().cap as usize * 2).max(4)) };
    }

    /// Makes room for so many entries, which are not fewer than there are.
    ///
    /// # Safety
    /// It is a unique map.
    unsafe fn map_reserve(&self, obj: Obj, cap: usize) {
        // SAFETY: the new buffer has room for all entries of the old one, which is then not used any more.
        unsafe {
            let map = obj.body_mut::<layout::Map>();
            assert!(u32::try_from(cap).is_ok(), "a map has at most 2^32 entries");
            let buffer = self
                .allocate(cap * size_of::<Entry>())
                .cast::<Entry>()
                .as_ptr();
            ptr::copy_nonoverlapping(map.entries().as_ptr(), buffer, map.len as usize);
            if let Some(old) = ptr::NonNull::new(map.buffer) {
                self.free(old.cast(), map.cap as usize * size_of::<Entry>());
            }
            map.buffer = buffer;
            map.cap = cap as u32;
        }
    }

    /// Builds the index anew, for twice the entries.
    ///
    /// # Safety
    /// It is a unique map.
    unsafe fn map_index(&self, obj: Obj, key_pointer: bool) {
        // SAFETY: the new index has more cells than the map has entries.
        unsafe {
            let map = obj.body_mut::<layout::Map>();
            if let Some(old) = ptr::NonNull::new(map.index) {
                self.free(old.cast(), map.index_size as usize * 8);
            }
            let size = (map.len as usize * 2).next_power_of_two().max(16);
            map.index = self.allocate(size * 8).cast().as_ptr();
            map.index.write_bytes(0, size);
            map.index_size = size as u32;
            for (at, entry) in map.entries().iter().enumerate() {
                enter_index(map, Key::of(entry.key, key_pointer).hash(), at);
            }
        }
    }

    /// Removes an entry and closes the gap.
    ///
    /// # Safety
    /// It is a unique map.
    unsafe fn map_remove(&self, obj: Obj, key: Key<'_>) -> Option<OwnSlot> {
        let (key_type, value_type) = types(self.descs(), obj);
        let key_pointer = is_pointer(key_type);
        // SAFETY: the entry's references move out: the key is given up, the value handed over.
        unsafe {
            let at = position(obj.body(), key_pointer, key)?;
            let map = obj.body_mut::<layout::Map>();
            let entry = map.entries()[at];
            map.entries_mut()[at..].rotate_left(1);
            map.len -= 1;
            if !map.index.is_null() {
                self.map_index(obj, key_pointer);
            }
            if key_pointer {
                self.release_slot(entry.key);
            }
            Some(OwnSlot::from_bits(entry.value, is_pointer(value_type)))
        }
    }

    /// A shallow copy of a map, whose keys and values get a reference more.
    ///
    /// # Safety
    /// It is a map.
    pub(crate) unsafe fn map_copy(&self, obj: Obj) -> Obj {
        let (key_type, value_type) = types(self.descs(), obj);
        let copy = self.map(DescId(obj.desc()));
        // SAFETY: keys and values of the map are live objects of its types and get a reference for the copy.
        unsafe {
            for entry in obj.body::<layout::Map>().entries() {
                for (bits, ty) in [(entry.key, key_type), (entry.value, value_type)] {
                    if is_pointer(ty) && bits != 0 {
                        Obj::from_bits(bits).retain();
                    }
                }
                self.map_insert(copy, entry.key, entry.value);
            }
        }
        copy
    }
}
