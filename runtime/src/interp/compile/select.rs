//! Which operation stands for which instruction, and where its operands lie.

use super::Compiler;
use crate::interp::code::{Ins, List, Local};
use scn_compiler::ir::{CheckedOp, FloatBin, FloatUn, Inst, IntBin, Op, Reg, TryOp, Ty};
use smallvec::SmallVec;
use std::sync::atomic::AtomicU64;

/// Whether the second operand may be in the operation.
pub(super) fn has_imm(op: CheckedOp) -> bool {
    matches!(op, CheckedOp::Add | CheckedOp::Sub | CheckedOp::Mul)
}

impl<'a> Compiler<'a> {
    pub(super) fn list(&mut self, parts: &[&[Reg]]) -> List {
        let at = self.code.operands.len() as List;
        for part in parts {
            self.code.operands.push(part.len() as u32);
            let locals: SmallVec<[u32; 8]> = part.iter().map(|reg| self.local(*reg)).collect();
            self.code.operands.extend(locals);
        }
        at
    }

    fn is_pointer(&self, reg: Reg) -> bool {
        self.function.regs[reg.index()] == Ty::Ptr
    }

    fn fixed(&mut self, regs: &[Reg]) -> List {
        let at = self.code.operands.len() as List;
        let locals: SmallVec<[u32; 8]> = regs.iter().map(|reg| self.local(*reg)).collect();
        self.code.operands.extend(locals);
        at
    }

    pub(super) fn inst(&mut self, inst: &'a Inst) {
        if let [reg] = inst.results[..]
            && self.uses.constant(reg).is_some()
            && !self.uses.is_wanted(reg)
        {
            return;
        }
        if let Some(ins) = self.operation(inst) {
            self.emit(ins);
        }
    }

    fn operation(&mut self, inst: &'a Inst) -> Option<Ins> {
        let dst = inst
            .results
            .first()
            .map_or(self.spare, |reg| self.local(*reg));
        let l = |reg: &Reg| self.code.local[reg.index()];
        Some(match &inst.op {
            Op::Int(int) => Ins::Bits {
                dst,
                bits: *int as u64,
            },
            Op::Float(bits) => Ins::Bits { dst, bits: *bits },
            Op::Const(id) => Ins::Bits {
                dst,
                bits: self.env.consts[id.index()],
            },
            Op::Null => Ins::Bits { dst, bits: 0 },
            Op::Global(id) => Ins::Global { dst, global: id.0 },
            Op::IntBin(op, a, b) => match (op, self.uses.imm(*b)) {
                (IntBin::Add, Some(imm)) => Ins::AddWrapImm { dst, a: l(a), imm },
                (IntBin::Mul, Some(imm)) => Ins::MulImm { dst, a: l(a), imm },
                _ => int_bin(*op, dst, l(a), l(b)),
            },
            Op::IntCmp(cmp, a, b) => match self.uses.imm(*b) {
                Some(imm) => Ins::IntCmpImm {
                    cmp: *cmp,
                    dst,
                    a: l(a),
                    imm,
                },
                None => Ins::IntCmp {
                    cmp: *cmp,
                    dst,
                    a: l(a),
                    b: l(b),
                },
            },
            Op::FloatBin(op, a, b) => float_bin(*op, dst, l(a), l(b)),
            Op::FloatCmp(cmp, a, b) => Ins::FloatCmp {
                cmp: *cmp,
                dst,
                a: l(a),
                b: l(b),
            },
            Op::FloatUn(FloatUn::Sqrt, src) => Ins::Sqrt { dst, src: l(src) },
            Op::FloatUn(op, src) => Ins::FloatUn {
                op: *op,
                dst,
                src: l(src),
            },
            Op::Select(flag, a, b) => Ins::Select {
                dst,
                list: self.fixed(&[*flag, *a, *b]),
            },
            Op::FloatNeg(src) => Ins::FloatNeg { dst, src: l(src) },
            Op::Not(src) => Ins::Not { dst, src: l(src) },
            Op::ToFloat(src) => Ins::ToFloat { dst, src: l(src) },
            Op::IsNull(src) => Ins::IsNull { dst, src: l(src) },
            Op::OptFlag(src) => Ins::OptFlag { dst, src: l(src) },
            Op::OptPayload(src) => Ins::OptPayload { dst, src: l(src) },
            Op::OptBox(desc, flag, payload) => Ins::OptBox {
                dst,
                desc: desc.0,
                list: self.fixed(&[*flag, *payload]),
            },
            Op::Box(desc, src) => Ins::Box {
                dst,
                desc: desc.0,
                src: l(src),
            },
            Op::New(desc, regs) => Ins::New {
                dst,
                desc: desc.0,
                list: self.list(&[regs]),
            },
            Op::NewList(desc, regs) => Ins::NewList {
                dst,
                desc: desc.0,
                list: self.list(&[regs]),
            },
            Op::NewMap(desc, regs) => Ins::NewMap {
                dst,
                desc: desc.0,
                list: self.list(&[regs]),
            },
            Op::Load(obj, at) => Ins::Load {
                dst,
                obj: l(obj),
                at: *at,
            },
            Op::Take(obj, at) => Ins::Take {
                dst,
                obj: l(obj),
                at: *at,
            },
            Op::Store(obj, at, src) => {
                let (obj, at, is_pointer) = (l(obj), *at, self.is_pointer(*src));
                let src = l(src);
                match is_pointer {
                    true => Ins::StoreObj { obj, at, src },
                    false => Ins::Store { obj, at, src },
                }
            }
            Op::Unique(src) => Ins::Unique { dst, src: l(src) },
            Op::ListLen(src) => Ins::ListLen { dst, src: l(src) },
            Op::BytesLen(src) => Ins::BytesLen { dst, src: l(src) },
            Op::ListAt(list, at) => Ins::ListAt {
                dst,
                list: l(list),
                at: l(at),
            },
            Op::MapLen(src) => Ins::MapLen { dst, src: l(src) },
            Op::MapKeyAt(map, at) => Ins::MapKeyAt {
                dst,
                map: l(map),
                at: l(at),
            },
            Op::MapValueAt(map, at) => Ins::MapValueAt {
                dst,
                map: l(map),
                at: l(at),
            },
            Op::MapGet(map, key) => Ins::MapGet {
                list: self.fixed(&[inst.results[0], inst.results[1], *map, *key]),
            },
            Op::MapTake(map, key) => Ins::MapTake {
                list: self.fixed(&[inst.results[0], inst.results[1], *map, *key]),
            },
            Op::MapInsert(map, key, value) => Ins::MapInsert {
                dst,
                list: self.fixed(&[*map, *key, *value]),
            },
            Op::ListPush(list, src) => Ins::ListPush {
                dst,
                list: l(list),
                src: l(src),
            },
            Op::ListTake(list, at) => Ins::ListTake {
                dst,
                list: l(list),
                at: l(at),
            },
            Op::ListPut(list, at, src) => {
                let (list, at, is_pointer) = (l(list), l(at), self.is_pointer(*src));
                let src = l(src);
                match is_pointer {
                    true => Ins::ListPutObj { list, at, src },
                    false => Ins::ListPut { list, at, src },
                }
            }
            Op::Equal(a, b) => Ins::Equal {
                dst,
                a: l(a),
                b: l(b),
            },
            Op::Format(parts) => {
                let at = self.code.formats.len() as u32;
                self.code.formats.push(parts.clone());
                self.code.texts.push(AtomicU64::new(0));
                match self.uses.is_fixed(parts) {
                    true => Ins::Text { dst, parts: at },
                    false => Ins::Format { dst, parts: at },
                }
            }
            Op::CellLoad(cell) => Ins::CellLoad { dst, cell: *cell },
            Op::CellTake(cell) => Ins::CellTake { dst, cell: *cell },
            Op::CellStore(cell, src) => {
                let pointer = self.is_pointer(*src);
                Ins::CellStore {
                    pointer,
                    cell: *cell,
                    src: l(src),
                }
            }
            Op::Retain(src) => Ins::Retain { dst, src: l(src) },
            Op::Drop(src) => Ins::Drop { src: l(src) },
            Op::Keep(_) => return None,
            Op::ErrTake => Ins::ErrTake { dst },
            Op::ErrSet(src) => Ins::ErrSet { src: l(src) },
            Op::ErrIsCancel => Ins::ErrIsCancel { dst },
            Op::ErrTrace => Ins::ErrTrace,
            Op::Site(id) => Ins::Site { site: id.0 },
            Op::Call(id, args) => self.call(*id, &inst.results, args),
            Op::Host(id, args) => self.host(*id, &inst.results, args),
            Op::Spawn(id, args) => Ins::Spawn {
                function: id.0,
                list: self.list(&[args]),
            },
        })
    }

    pub(super) fn try_operation(&mut self, op: &'a TryOp, results: &[Reg]) -> Ins {
        let dst = results.first().map_or(self.spare, |reg| self.local(*reg));
        let l = |reg: &Reg| self.code.local[reg.index()];
        match op {
            TryOp::Int(op, a, b) => match (op, self.uses.imm(*b)) {
                (CheckedOp::Add, Some(imm)) => Ins::AddImm { dst, a: l(a), imm },
                (CheckedOp::Sub, Some(imm)) => Ins::SubImm { dst, a: l(a), imm },
                (CheckedOp::Mul, Some(imm)) => Ins::MulImm { dst, a: l(a), imm },
                _ => checked(*op, dst, l(a), l(b)),
            },
            TryOp::Neg(src) => Ins::Neg { dst, src: l(src) },
            TryOp::ToInt(src) => Ins::ToInt { dst, src: l(src) },
            TryOp::ListGet(list, at) => Ins::ListGet {
                dst,
                list: l(list),
                at: l(at),
            },
            TryOp::ListSet(list, at, value) => {
                let is_pointer = self.is_pointer(*value);
                let list = self.fixed(&[*list, *at, *value]);
                match is_pointer {
                    true => Ins::ListSetObj { dst, list },
                    false => Ins::ListSet { dst, list },
                }
            }
            TryOp::ListTake(list, at) => Ins::ListTake {
                dst,
                list: l(list),
                at: l(at),
            },
            TryOp::ListPut(list, at, src) => {
                let (list, at, is_pointer) = (l(list), l(at), self.is_pointer(*src));
                let src = l(src);
                match is_pointer {
                    true => Ins::ListReplaceObj { list, at, src },
                    false => Ins::ListReplace { list, at, src },
                }
            }
            TryOp::BytesGet(bytes, at) => Ins::BytesGet {
                dst,
                bytes: l(bytes),
                at: l(at),
            },
            TryOp::Call(id, args) => self.call(*id, results, args),
            TryOp::Host(id, args) => self.host(*id, results, args),
            TryOp::Poke => Ins::Poke,
        }
    }
}

fn float_bin(op: FloatBin, dst: Local, a: Local, b: Local) -> Ins {
    match op {
        FloatBin::Add => Ins::FloatAdd { dst, a, b },
        FloatBin::Sub => Ins::FloatSub { dst, a, b },
        FloatBin::Mul => Ins::FloatMul { dst, a, b },
        FloatBin::Div => Ins::FloatDiv { dst, a, b },
        FloatBin::Rem => Ins::FloatRem { dst, a, b },
    }
}

fn int_bin(op: IntBin, dst: Local, a: Local, b: Local) -> Ins {
    match op {
        IntBin::And => Ins::And { dst, a, b },
        IntBin::Or => Ins::Or { dst, a, b },
        IntBin::Xor => Ins::Xor { dst, a, b },
        IntBin::Add => Ins::AddWrap { dst, a, b },
        IntBin::Sub => Ins::SubWrap { dst, a, b },
        // Here, checks that hold cost nothing of note.
        IntBin::Mul => Ins::Mul { dst, a, b },
        IntBin::Div => Ins::Div { dst, a, b },
        IntBin::Rem => Ins::Rem { dst, a, b },
        IntBin::Shl => Ins::Shl { dst, a, b },
        IntBin::Shr => Ins::Shr { dst, a, b },
    }
}

fn checked(op: CheckedOp, dst: Local, a: Local, b: Local) -> Ins {
    match op {
        CheckedOp::Add => Ins::Add { dst, a, b },
        CheckedOp::Sub => Ins::Sub { dst, a, b },
        CheckedOp::Mul => Ins::Mul { dst, a, b },
        CheckedOp::Div => Ins::Div { dst, a, b },
        CheckedOp::Rem => Ins::Rem { dst, a, b },
        CheckedOp::Shl => Ins::Shl { dst, a, b },
        CheckedOp::Shr => Ins::Shr { dst, a, b },
    }
}
