//! The worker's heap: a size-class allocator that counts bytes for each user, and the freeing of objects.
//!
//! Plain allocation never fails: passing the user's limit sets [`POKE_MEMORY`], and the next poll point raises
//! `script.memory`. Objects are made in [`crate::object`]; this file knows their shapes only to free them.

use crate::descs::{Descs, Shape};
use crate::object::layout;
use crate::value::{Header, Obj, POISON};
use smallvec::{SmallVec, smallvec};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The user has passed the heap limit.
pub const POKE_MEMORY: u32 = 1;
/// The watchdog, a deadline or a cancellation wants the driver to look.
pub const POKE_DRIVER: u32 = 2;
/// In `poke`: the slice is long, others are to have their turn.
pub const POKE_SLICE: u32 = 4;
/// In `poke`: the profiler wants to know where the worker is.
pub const POKE_PROFILE: u32 = 8;

/// The heap limit of a user, 64 MiB.
pub const USER_LIMIT: u64 = 64 << 20;

const CHUNK: usize = 64 << 10;
const SMALL: usize = 512;
const LARGEST: usize = 2048;
const CLASSES: usize = SMALL / 16 + 8;

/// What a user has allocated.
#[derive(Debug)]
pub struct Account {
    bytes: Cell<u64>,
    limit: Cell<u64>,
}

impl Account {
    /// An account without bytes.
    pub fn new(limit: u64) -> Self {
        Account {
            bytes: Cell::new(0),
            limit: Cell::new(limit),
        }
    }

    /// Bytes in use.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Bytes that may be in use.
    pub fn limit(&self) -> u64 {
        self.limit.get()
    }
}

/// The heap. `poke` is its first field, as the heap is the first of the context.
#[derive(Debug)]
#[repr(C)]
pub struct Heap {
    /// Tested at loop back edges and at the entry of recursive functions; any thread may set it.
    pub poke: AtomicU32,
    descs: Arc<Descs>,
    account: Cell<*const Account>,
    own: Box<Account>,
    free: [Cell<*mut u8>; CLASSES],
    bump: Cell<*mut u8>,
    left: Cell<usize>,
    chunks: RefCell<Vec<(NonNull<u8>, Layout)>>,
    live: Cell<u64>,
    /// Descriptors of extern types that were looked up.
    pub(crate) externs: RefCell<Vec<(&'static str, u32)>>,
    arena: bool,
}

/// The class that a size falls into.
fn class(size: usize) -> usize {
    match size {
        0..=SMALL => size.max(1).div_ceil(16) - 1,
        513..=1024 => SMALL / 16 + (size - SMALL).div_ceil(128) - 1,
        _ => SMALL / 16 + 4 + (size - 1024).div_ceil(256) - 1,
    }
}

/// The bytes that a block of a class has.
fn class_size(class: usize) -> usize {
    match class {
        0..32 => (class + 1) * 16,
        32..36 => SMALL + (class - 31) * 128,
        _ => 1024 + (class - 35) * 256,
    }
}

/// The bytes that a block for `size` takes. Large blocks come in steps of an eighth of their size at most, so that what grows
/// piece by piece needs a new one only now and then.
fn block_size(size: usize) -> usize {
    if size > LARGEST {
        size.next_multiple_of(size.next_power_of_two() / 16)
    } else {
        class_size(class(size))
    }
}

/// Whether something fits into its block at another size too.
pub(crate) fn same_block(size: usize, other: usize) -> bool {
    block_size(size) == block_size(other)
}

fn layout_of(size: usize) -> Layout {
    Layout::from_size_align(size, 16).expect("an object fits the address space")
}

fn system_block(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout is never empty: chunks and large blocks have at least 16 bytes.
    let block = unsafe { alloc(layout) };
    NonNull::new(block).unwrap_or_else(|| handle_alloc_error(layout))
}

impl Heap {
    /// The heap of a worker.
    pub fn new(descs: Arc<Descs>) -> Heap {
        Heap::with_mode(descs, false)
    }

    /// A heap whose objects live as long as it does: constants and frozen values.
    pub(crate) fn arena(descs: Arc<Descs>) -> Heap {
        Heap::with_mode(descs, true)
    }

    fn with_mode(descs: Arc<Descs>, arena: bool) -> Heap {
        let own = Box::new(Account::new(u64::MAX));
        Heap {
            poke: AtomicU32::new(0),
            descs,
            account: Cell::new(&raw const *own),
            own,
            free: [const { Cell::new(ptr::null_mut()) }; CLASSES],
            bump: Cell::new(ptr::null_mut()),
            left: Cell::new(0),
            chunks: RefCell::new(Vec::new()),
            live: Cell::new(0),
            externs: RefCell::default(),
            arena,
        }
    }

    /// The descriptors of the program.
    pub fn descs(&self) -> &Descs {
        &self.descs
    }

    /// The descriptors of the program, to share.
    pub fn descs_arc(&self) -> Arc<Descs> {
        self.descs.clone()
    }

    /// Number of objects alive.
    pub fn live(&self) -> u64 {
        self.live.get()
    }

    /// Charges what is allocated from now on to an account; none is the worker itself.
    ///
    /// # Safety
    /// The account lives until another one takes its place.
    pub unsafe fn charge_to(&self, account: Option<&Account>) {
        self.account
            .set(account.map_or(&raw const *self.own, |account| &raw const *account));
    }

    /// The account in charge.
    pub fn account(&self) -> &Account {
        // SAFETY: whoever set the account keeps it alive until it is replaced; the heap's own is always alive.
        unsafe { &*self.account.get() }
    }

    /// Whether the account can take that many bytes more.
    pub fn has_room(&self, bytes: u64) -> bool {
        let account = self.account();
        account.bytes.get().saturating_add(bytes) <= account.limit.get()
    }

    fn charge(&self, bytes: usize) {
        let account = self.account();
        let total = account.bytes.get() + bytes as u64;
        account.bytes.set(total);
        if total > account.limit.get() {
            self.poke.fetch_or(POKE_MEMORY, Ordering::Relaxed);
        }
    }

    /// Memory for `size` bytes, aligned to 16, not initialised.
    pub(crate) fn allocate(&self, size: usize) -> NonNull<u8> {
        self.charge(block_size(size));
        if size > LARGEST {
            return self.large(size);
        }
        let class = class(size);
        let head = &self.free[class];
        let Some(block) = NonNull::new(head.get()) else {
            return self.cut(class_size(class));
        };
        // SAFETY: a block on a free list has at least 16 bytes and keeps the next one in its second word.
        head.set(unsafe { block.cast::<*mut u8>().add(1).read() });
        block
    }

    fn large(&self, size: usize) -> NonNull<u8> {
        let layout = layout_of(block_size(size));
        let block = system_block(layout);
        if self.arena {
            self.chunks.borrow_mut().push((block, layout));
        }
        block
    }

    fn cut(&self, size: usize) -> NonNull<u8> {
        if self.left.get() < size {
            let layout = layout_of(CHUNK);
            let chunk = system_block(layout);
            self.chunks.borrow_mut().push((chunk, layout));
            self.bump.set(chunk.as_ptr());
            self.left.set(CHUNK);
        }
        let block = self.bump.get();
        // SAFETY: `left` bytes of the chunk are behind `bump`, and `size` is not more.
        self.bump.set(unsafe { block.add(size) });
        self.left.set(self.left.get() - size);
        NonNull::new(block).expect("a chunk was just made if there was none")
    }

    /// Gives memory back.
    ///
    /// # Safety
    /// It came from [`Heap::allocate`] of this heap with this size and is not used any more.
    pub(crate) unsafe fn free(&self, block: NonNull<u8>, size: usize) {
        let bytes = block_size(size);
        let account = self.account();
        account
            .bytes
            .set(account.bytes.get().saturating_sub(bytes as u64));
        if cfg!(debug_assertions) {
            // SAFETY: the block has that many bytes, and nobody uses them.
            unsafe { block.write_bytes(0xa5, bytes) };
        }
        if size > LARGEST {
            if !self.arena {
                // SAFETY: a large block of a worker's heap comes from the system with this very layout.
                unsafe { dealloc(block.as_ptr(), layout_of(bytes)) };
            }
            return;
        }
        let head = &self.free[class(size)];
        // SAFETY: the block has at least 16 bytes: a header's place, poisoned, and the link of the free list.
        unsafe {
            block.cast::<u32>().write(POISON);
            block.cast::<*mut u8>().add(1).write(head.get());
        }
        head.set(block.as_ptr());
    }

    /// A new object's memory with its header, count 1.
    pub(crate) fn object(&self, size: usize, desc: u32) -> Obj {
        let obj = self.allocate(size).cast::<Header>();
        self.live.set(self.live.get() + 1);
        // SAFETY: the memory is fresh, aligned to 16 and has room for a header.
        unsafe {
            obj.write(Header {
                rc: Cell::new(1),
                desc,
            })
        };
        Obj(obj)
    }

    /// Gives a reference up and frees what nobody refers to any more.
    ///
    /// # Safety
    /// The caller owns the reference; the object is of this heap or immortal.
    pub unsafe fn release(&self, obj: Obj) {
        if obj.lose() {
            self.free_tree(obj);
        }
    }

    /// [`Heap::release`] of a slot that may be null.
    ///
    /// # Safety
    /// As [`Heap::release`], and the slot holds a pointer or null.
    pub unsafe fn release_slot(&self, bits: u64) {
        if bits != 0 {
            // SAFETY: the slot holds a pointer, and the caller owns its reference.
            unsafe { self.release(Obj::from_bits(bits)) };
        }
    }

    /// Frees an object whose last reference was given up.
    ///
    /// # Safety
    /// The object is of this heap, its count is zero, and nobody uses it any more.
    pub(crate) unsafe fn free_unreferenced(&self, obj: Obj) {
        self.free_tree(obj);
    }

    /// Frees an object and what only it refers to, by a worklist: depth of data is no depth of the stack.
    fn free_tree(&self, first: Obj) {
        let mut work: SmallVec<[Obj; 16]> = smallvec![first];
        while let Some(obj) = work.pop() {
            self.live.set(self.live.get() - 1);
            // SAFETY: its count is zero, so nobody else reaches it; each child's reference is the object's own.
            unsafe { self.free_object(obj, &mut work) };
        }
    }

    /// # Safety
    /// Nobody refers to the object any more.
    unsafe fn free_object(&self, obj: Obj, work: &mut SmallVec<[Obj; 16]>) {
        let mut child = |bits: u64| {
            if bits != 0 {
                // SAFETY: pointer slots of a live object hold live objects.
                let child = unsafe { Obj::from_bits(bits) };
                if child.lose() {
                    work.push(child);
                }
            }
        };
        // SAFETY: each arm reads the layout that the shape names; blocks are freed with the size they were made with.
        unsafe {
            let size = match self.descs.shape(obj.desc()) {
                Shape::Text => layout::text_size(obj.body::<layout::Text>().len as usize),
                Shape::Ip => size_of::<layout::Ip>(),
                Shape::Addr => size_of::<layout::Addr>(),
                Shape::Regex => {
                    ptr::drop_in_place(&raw mut obj.body_mut::<layout::Regex>().regex);
                    size_of::<layout::Regex>()
                }
                Shape::Error => {
                    ptr::drop_in_place(&raw mut obj.body_mut::<layout::Error>().fault);
                    size_of::<layout::Error>()
                }
                Shape::Extern => {
                    ptr::drop_in_place(&raw mut obj.body_mut::<layout::Extern>().value);
                    size_of::<layout::Extern>()
                }
                Shape::List { pointers } => {
                    let list = obj.body::<layout::List>();
                    if *pointers {
                        list.slots().iter().for_each(|bits| child(*bits));
                    }
                    self.free_list_buffer(list);
                    size_of::<layout::List>()
                }
                Shape::Map { keys, values } => {
                    let map = obj.body::<layout::Map>();
                    for entry in map.entries() {
                        if *keys {
                            child(entry.key);
                        }
                        if *values {
                            child(entry.value);
                        }
                    }
                    self.free_map_buffers(map);
                    size_of::<layout::Map>()
                }
                Shape::Slots { count, pointers } => {
                    for at in pointers {
                        child(layout::slot(obj, *at).read());
                    }
                    layout::slots_size(*count as usize)
                }
            };
            self.free(obj.0.cast(), size);
        }
    }

    /// # Safety
    /// The list's buffer is not used any more.
    pub(crate) unsafe fn free_list_buffer(&self, list: &layout::List) {
        if let Some(buffer) = NonNull::new(list.buffer) {
            // SAFETY: the buffer was allocated with the list's capacity.
            unsafe { self.free(buffer.cast(), list.cap as usize * 8) };
        }
    }

    /// # Safety
    /// The map's buffers are not used any more.
    pub(crate) unsafe fn free_map_buffers(&self, map: &layout::Map) {
        if let Some(buffer) = NonNull::new(map.buffer) {
            // SAFETY: the buffer was allocated with the map's capacity.
            unsafe { self.free(buffer.cast(), map.cap as usize * size_of::<layout::Entry>()) };
        }
        if let Some(index) = NonNull::new(map.index) {
            // SAFETY: the index was allocated with the map's index size.
            unsafe { self.free(index.cast(), map.index_size as usize * 8) };
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        for (chunk, layout) in self.chunks.get_mut().drain(..) {
            // SAFETY: each chunk came from the system with this layout, and the heap's objects go with it.
            unsafe { dealloc(chunk.as_ptr(), layout) };
        }
    }
}
