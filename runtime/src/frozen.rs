//! Values that live as long as the program: constants, params, data sets, what `setup` returned.
//!
//! They are copied once, marked immortal and never written again, so that all workers share them.

use crate::descs::{Descs, Shape};
use crate::heap::Heap;
use crate::object::layout;
use crate::value::{IMMORTAL, Obj};
use scn_compiler::ir::DescId;
use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

/// The store.
pub struct Frozen {
    inner: Mutex<Inner>,
}

struct Inner {
    heap: Heap,
    /// Objects that hold Rust values, which are dropped with the store.
    payloads: Vec<Obj>,
}

// SAFETY: the heap is only touched under the lock, and objects in it are not written once they are handed out:
// their counts say immortal.
unsafe impl Send for Frozen {}
// SAFETY: as above.
unsafe impl Sync for Frozen {}

/// A value that cannot be shared: it holds a handle or library value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFreezable;

impl Frozen {
    /// An empty store.
    pub(crate) fn new(descs: Arc<Descs>) -> Frozen {
        Frozen {
            inner: Mutex::new(Inner {
                heap: Heap::arena(descs),
                payloads: Vec::new(),
            }),
        }
    }

    /// Runs `make` with the heap of the store; what it makes is marked by [`immortal`].
    pub(crate) fn build<R>(&mut self, make: impl FnOnce(&Heap, &mut Vec<Obj>) -> R) -> R {
        let inner = self.inner.get_mut().unwrap_or_else(PoisonError::into_inner);
        make(&inner.heap, &mut inner.payloads)
    }

    /// A deep copy of an object that lives as long as the program.
    pub fn freeze(&self, obj: Obj) -> Result<Obj, NotFreezable> {
        let mut root = obj.bits();
        self.freeze_slot(&mut root)?;
        // SAFETY: the root was a pointer, and it was replaced by the copy's.
        Ok(unsafe { Obj::from_bits(root) })
    }

    fn freeze_slot(&self, root: &mut u64) -> Result<(), NotFreezable> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known: HashMap<Obj, Obj> = HashMap::new();
        let mut work: Vec<*mut u64> = vec![root];
        while let Some(place) = work.pop() {
            // SAFETY: places are the root or pointer slots of fresh copies, which nobody else has; they hold what
            // the original's slots hold: null or live objects.
            unsafe {
                let bits = place.read();
                if bits == 0 {
                    continue;
                }
                let old = Obj::from_bits(bits);
                let copy = match known.get(&old) {
                    Some(copy) => *copy,
                    None => inner.copy(old, &mut work)?,
                };
                known.insert(old, copy);
                place.write(copy.bits());
            }
        }
        Ok(())
    }
}

/// Marks an object as never to be counted.
pub(crate) fn immortal(obj: Obj) -> Obj {
    obj.header().rc.set(IMMORTAL);
    obj
}

impl Inner {
    /// A copy whose pointer slots still point to the original's parts; they are added to `work`.
    ///
    /// # Safety
    /// The object is alive.
    unsafe fn copy(&mut self, old: Obj, work: &mut Vec<*mut u64>) -> Result<Obj, NotFreezable> {
        if old.header().rc.get() & IMMORTAL != 0 {
            return Ok(old);
        }
        let descs = self.heap.descs_arc();
        // SAFETY: each arm copies the layout that the shape names, byte for byte or by `clone`.
        let copy = unsafe {
            match descs.shape(old.desc()) {
                Shape::Text => self.raw_copy(
                    old,
                    layout::text_size(old.body::<layout::Text>().len as usize),
                ),
                Shape::Ip => self.raw_copy(old, size_of::<layout::Ip>()),
                Shape::Addr => self.raw_copy(old, size_of::<layout::Addr>()),
                Shape::Regex => {
                    let regex = old.body::<layout::Regex>().regex.clone();
                    self.payload(self.heap.regex(regex).into_obj())
                }
                Shape::Error => {
                    let fault = old.body::<layout::Error>().fault.clone();
                    self.payload(self.heap.error(fault).into_obj())
                }
                Shape::Extern => return Err(NotFreezable),
                Shape::List { pointers } => {
                    let copy = self.list(old);
                    if *pointers {
                        work.extend(
                            copy.body_mut::<layout::List>()
                                .slots_mut()
                                .iter_mut()
                                .map(ptr::from_mut),
                        );
                    }
                    copy
                }
                Shape::Map { keys, values } => {
                    let copy = self.map(old);
                    for entry in copy.body_mut::<layout::Map>().entries_mut() {
                        work.extend(keys.then_some(&raw mut entry.key));
                        work.extend(values.then_some(&raw mut entry.value));
                    }
                    copy
                }
                Shape::Slots { count, pointers } => {
                    let copy = self.raw_copy(old, layout::slots_size(*count as usize));
                    work.extend(pointers.iter().map(|at| layout::slot(copy, *at)));
                    copy
                }
            }
        };
        Ok(immortal(copy))
    }

    fn payload(&mut self, obj: Obj) -> Obj {
        self.payloads.push(obj);
        obj
    }

    /// # Safety
    /// The object has `size` bytes that may be copied.
    unsafe fn raw_copy(&self, old: Obj, size: usize) -> Obj {
        let copy = self.heap.object(size, old.desc());
        let head = size_of::<crate::value::Header>();
        // SAFETY: both have `size` bytes; the header of the copy is its own.
        unsafe {
            let from = old.0.as_ptr().cast::<u8>().add(head);
            ptr::copy_nonoverlapping(from, copy.0.as_ptr().cast::<u8>().add(head), size - head);
        }
        copy
    }

    /// # Safety
    /// It is a list.
    unsafe fn list(&self, old: Obj) -> Obj {
        // SAFETY: a list with room for as many elements; they are copied as bits.
        unsafe {
            let from = old.body::<layout::List>();
            let copy = self.heap.list(DescId(old.desc()), from.len as usize);
            from.slots()
                .iter()
                .for_each(|bits| self.heap.list_push(copy, *bits));
            copy
        }
    }

    /// # Safety
    /// It is a map.
    unsafe fn map(&self, old: Obj) -> Obj {
        // SAFETY: keys are compared by content, so entries may be inserted before their copies replace them.
        unsafe {
            let copy = self.heap.map(DescId(old.desc()));
            for entry in old.body::<layout::Map>().entries() {
                self.heap.map_insert(copy, entry.key, entry.value);
            }
            copy
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let descs = self.heap.descs_arc();
        for obj in self.payloads.drain(..) {
            // SAFETY: the store goes, and with it all that could refer to the object; each is listed once.
            unsafe {
                match descs.shape(obj.desc()) {
                    Shape::Regex => {
                        ptr::drop_in_place(&raw mut obj.body_mut::<layout::Regex>().regex)
                    }
                    Shape::Error => {
                        ptr::drop_in_place(&raw mut obj.body_mut::<layout::Error>().fault)
                    }
                    _ => unreachable!("only regexes and errors hold Rust values"),
                }
            }
        }
    }
}

impl std::fmt::Debug for Frozen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Frozen")
    }
}
