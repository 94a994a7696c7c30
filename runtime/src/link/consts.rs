//! Constant objects, built once and immortal.

use super::LinkError;
use crate::frozen::{Frozen, immortal};
use crate::heap::Heap;
use crate::value::{Obj, Value};
use scn_compiler::ir::ConstObject;

/// The bits of each constant.
pub(super) fn build(consts: &[ConstObject], frozen: &mut Frozen) -> Result<Vec<u64>, LinkError> {
    frozen.build(|heap, payloads| {
        consts
            .iter()
            .map(|object| Builder { heap, payloads }.slot(object))
            .collect()
    })
}

struct Builder<'a> {
    heap: &'a Heap,
    payloads: &'a mut Vec<Obj>,
}

impl Builder<'_> {
    /// A constant as the bits of a slot.
    fn slot(&mut self, object: &ConstObject) -> Result<u64, LinkError> {
        let obj = match object {
            ConstObject::Scalar(bits) => return Ok(*bits),
            ConstObject::None => return Ok(0),
            ConstObject::String(text) => self.heap.string(text).into_obj(),
            ConstObject::Bytes(bytes) => self.heap.bytes(bytes).into_obj(),
            ConstObject::Regex(pattern) => self.regex(pattern)?,
            ConstObject::Ip(ip) => self.heap.ip(*ip).into_obj(),
            ConstObject::Addr(addr) => self.heap.addr(*addr).into_obj(),
            ConstObject::Null => self.heap.null().into_obj(),
            ConstObject::Box(desc, bits) => self.heap.boxed(*desc, Value(*bits)).into_obj(),
            ConstObject::List(desc, items) => {
                let list = self.heap.list(*desc, items.len());
                for item in items {
                    let bits = self.slot(item)?;
                    // SAFETY: the list is new, and the program's elements are of its type.
                    unsafe { self.heap.list_push(list, bits) };
                }
                list
            }
            ConstObject::Map(desc, entries) => {
                let map = self.heap.map(*desc);
                for (key, value) in entries {
                    let (key, value) = (self.slot(key)?, self.slot(value)?);
                    // SAFETY: the map is new, and the program's keys and values are of its types.
                    unsafe { self.heap.map_insert(map, key, value) };
                }
                map
            }
            ConstObject::Slots(desc, items) => {
                let slots = items
                    .iter()
                    .map(|item| self.slot(item))
                    .collect::<Result<Vec<_>, _>>()?;
                // SAFETY: the program gives as many slots as the descriptor has, of its types.
                unsafe { self.heap.slots(*desc, &slots) }
            }
        };
        Ok(immortal(obj).bits())
    }

    fn regex(&mut self, pattern: &str) -> Result<Obj, LinkError> {
        let regex =
            regex::Regex::new(pattern).map_err(|error| LinkError::Constant(error.to_string()))?;
        let obj = self.heap.regex(regex).into_obj();
        self.payloads.push(obj);
        Ok(obj)
    }
}
