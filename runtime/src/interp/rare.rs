//! Operations that take so long that a call more does not matter. They are kept out of the loop so that it has the
//! machine's registers for itself.

use super::code::{Code, Ins};
use super::run::{Run, map_of};
use crate::fault::Fault;
use crate::object::text;
use scn_compiler::ir::DescId;
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

impl Run<'_> {
    /// Runs an operation at `pc` that goes on behind itself if it succeeds.
    #[inline(never)]
    pub(super) fn rare(&mut self, code: &Code, ins: &Ins) -> Result<(), Fault> {
        match *ins {
            Ins::FloatRem { dst, a, b } => self.set(
                dst,
                (f64::from_bits(self.reg(a)) % f64::from_bits(self.reg(b))).to_bits(),
            ),
            Ins::OptBox { dst, desc, list } => {
                let [flag, payload] = code.fixed(list);
                let boxed = (self.reg(flag) != 0).then(|| self.new_box(desc, self.reg(payload)));
                self.set(dst, boxed.unwrap_or(0));
            }
            Ins::Box { dst, desc, src } => self.set(dst, self.new_box(desc, self.reg(src))),
            Ins::New { dst, desc, list } => {
                let slots: SmallVec<[u64; 16]> = self.values(code, list);
                // SAFETY: the verifier compared the slots with the descriptor.
                let obj = unsafe { self.ctx.heap.slots(DescId(desc), &slots) };
                self.set(dst, obj.bits());
            }
            Ins::NewList { dst, desc, list } => {
                let bits = self.new_list(code, desc, list);
                self.set(dst, bits);
            }
            Ins::NewMap { dst, desc, list } => {
                let bits = self.new_map(code, desc, list);
                self.set(dst, bits);
            }
            Ins::StoreObj { obj, at, src } => self.store(self.unique(obj), at, self.reg(src)),
            Ins::ListPutObj { list, at, src } => {
                self.list_put(self.unique(list), self.reg(at) as usize, self.reg(src));
            }
            Ins::MapLen { dst, src } => self.set(dst, u64::from(map_of(self.obj(src)).len)),
            Ins::MapKeyAt { dst, map, at } => {
                self.set(
                    dst,
                    map_of(self.obj(map)).entries()[self.reg(at) as usize].key,
                );
            }
            Ins::MapValueAt { dst, map, at } => {
                self.set(
                    dst,
                    map_of(self.obj(map)).entries()[self.reg(at) as usize].value,
                );
            }
            Ins::MapGet { list } => self.map_get(code, list),
            Ins::MapTake { list } => self.map_take(code, list),
            Ins::MapInsert { dst, list } => {
                let [map, key, value] = code.fixed(list);
                let bits = self.map_insert(map, key, value);
                self.set(dst, bits);
            }
            Ins::Equal { dst, a, b } => {
                let equal = self.equal(a, b);
                self.set(dst, u64::from(equal));
            }
            Ins::Format { dst, parts } => {
                let bits = self.format(code, parts);
                self.set(dst, bits);
            }
            Ins::Text { dst, parts } => {
                let known = code.texts[parts as usize].load(Ordering::Acquire);
                let bits = match known {
                    0 => self.text(code, parts),
                    known => known,
                };
                self.set(dst, bits);
            }
            Ins::CellLoad { dst, cell } => {
                let bits = self.ctx.with_user(|user| user.cells[cell as usize].get());
                self.set(dst, bits);
            }
            Ins::CellTake { dst, cell } => {
                let bits = self
                    .ctx
                    .with_user(|user| user.cells[cell as usize].replace(0));
                self.set(dst, bits);
            }
            Ins::CellStore { pointer, cell, src } => self.store_cell(pointer, cell, self.reg(src)),
            Ins::ErrTake { dst } => {
                let error = self.ctx.take_err().map_or(0, crate::object::Own::into_bits);
                self.set(dst, error);
            }
            // SAFETY: the register holds an owned error, which is consumed here.
            Ins::ErrSet { src } => unsafe {
                self.ctx
                    .set_err(Some(crate::object::Own::from_bits(self.reg(src))));
            },
            Ins::ErrIsCancel { dst } => {
                self.set(dst, u64::from(self.ctx.err_is_cancellation()));
            }
            Ins::ErrTrace => {
                self.trace_error();
            }
            Ins::Site { site } => self.ctx.set_next_site(site),
            Ins::Spawn { function, list } => self.spawn(code, function, list),
            Ins::Rem { dst, a, b } => {
                let result =
                    super::ops::remainder(self.reg(a).cast_signed(), self.reg(b).cast_signed());
                let result = result?;
                self.set(dst, result as u64);
            }
            Ins::Shl { dst, a, b } => {
                let by =
                    super::ops::shift("<<", self.reg(a).cast_signed(), self.reg(b).cast_signed())?;
                self.set(dst, self.reg(a) << by);
            }
            Ins::Shr { dst, a, b } => {
                let by =
                    super::ops::shift(">>", self.reg(a).cast_signed(), self.reg(b).cast_signed())?;
                self.set(dst, (self.reg(a).cast_signed() >> by) as u64);
            }
            Ins::Neg { dst, src } => {
                let result = super::ops::negate(self.reg(src).cast_signed())?;
                self.set(dst, result as u64);
            }
            Ins::ToInt { dst, src } => {
                let result = super::ops::to_int(f64::from_bits(self.reg(src)))?;
                self.set(dst, result as u64);
            }
            Ins::ListSetObj { dst, list } => {
                let [list, at, value] = code.fixed(list);
                let (bits, result) = self.list_set(list, at, value);
                self.set(dst, bits);
                result?;
            }
            Ins::ListReplaceObj { list, at, src } => {
                self.list_replace(self.unique(list), at, src)?;
            }
            Ins::ListTake { dst, list, at } => {
                let bits = self.list_take(list, at)?;
                self.set(dst, bits);
            }
            Ins::BytesGet { dst, bytes, at } => {
                // SAFETY: it is a text.
                let bytes = unsafe { text::bytes_of(self.obj(bytes)) };
                let byte = super::ops::element(bytes, self.reg(at).cast_signed())?;
                self.set(dst, u64::from(byte));
            }
            Ins::Unreachable => unreachable!("lowering says that control never comes here"),
            _ => unreachable!("{ins:?} is an operation of the loop"),
        }
        Ok(())
    }
}
