//! Constants: scalars become instructions, everything else an immortal object of the program.

use super::function::{Lower, Value};
use super::tables::Tables;
use super::types::Repr;
use crate::hir::{Const, Type, TypeId};
use crate::ir::{ConstObject, Op, Ty};

impl Lower<'_, '_> {
    /// A constant of a type.
    pub fn constant(&mut self, value: &Const, ty: TypeId) -> Value {
        match self.t.repr(ty) {
            Repr::Unit => Value::Unit,
            Repr::Scalar(s) => Value::One(self.scalar_const(value, super::types::class(s))),
            Repr::OptScalar(_) if *value == Const::None => self.none(ty),
            Repr::OptScalar(s) => {
                let flag = self.b.int(1);
                Value::Opt(flag, self.scalar_const(value, super::types::class(s)))
            }
            Repr::Ptr => match self.t.const_object(value, ty) {
                ConstObject::None => Value::One(self.null()),
                object => {
                    let id = self.t.constant(object);
                    Value::One(self.b.emit1(Op::Const(id), Ty::Ptr))
                }
            },
        }
    }

    fn scalar_const(&mut self, value: &Const, class: Ty) -> crate::ir::Reg {
        match class {
            Ty::Float => self.b.emit1(Op::Float(bits(value, true)), Ty::Float),
            _ => self.b.int(bits(value, false) as i64),
        }
    }
}

/// The bits of a scalar; an int where a float is wanted is converted.
pub(crate) fn bits(value: &Const, float: bool) -> u64 {
    match value {
        Const::Bool(b) => u64::from(*b),
        Const::Int(n) if float => (*n as f64).to_bits(),
        Const::Int(n) | Const::Duration(n) => *n as u64,
        Const::Float(f) | Const::Rate(f) => f.to_bits(),
        Const::Enum(_, case) => u64::from(*case),
        _ => 0,
    }
}

impl Tables<'_> {
    /// The memory form of a constant of a type.
    pub fn const_object(&mut self, value: &Const, ty: TypeId) -> ConstObject {
        let inner = self.unwrap_optional(ty);
        match value {
            Const::None if matches!(self.ty(ty), Type::Json) => ConstObject::Null,
            Const::None => ConstObject::None,
            Const::String(s) => ConstObject::String(s.clone()),
            Const::Bytes(b) => ConstObject::Bytes(b.clone()),
            Const::Regex(r) => ConstObject::Regex(r.clone()),
            Const::Ip(ip) => ConstObject::Ip(*ip),
            Const::Addr(addr) => ConstObject::Addr(*addr),
            Const::Any(before, value) => self.const_any(value, *before),
            Const::List(items) => self.const_list(items, inner),
            Const::Map(entries) => self.const_map(entries, inner),
            Const::Record(fields) => self.const_record(fields, inner),
            Const::Tuple(items) => self.const_tuple(items, inner),
            Const::Range {
                start,
                end,
                inclusive,
            } => self.const_range(start, end, *inclusive, inner),
            scalar => self.const_scalar(scalar, ty),
        }
    }

    fn const_scalar(&mut self, value: &Const, ty: TypeId) -> ConstObject {
        let repr = self.repr(ty);
        let float = matches!(repr, Repr::Scalar(s) | Repr::OptScalar(s) if super::types::class(s) == Ty::Float);
        let bits = bits(value, float);
        match repr {
            Repr::Scalar(_) | Repr::Unit => ConstObject::Scalar(bits),
            Repr::OptScalar(_) => ConstObject::Box(self.desc(ty), bits),
            Repr::Ptr => ConstObject::Box(box_of(value), bits),
        }
    }

    /// A constant converted to `json` or a union: scalars in boxes, objects as they are.
    fn const_any(&mut self, value: &Const, before: TypeId) -> ConstObject {
        if *value == Const::None {
            return ConstObject::Null;
        }
        match self.const_object(value, before) {
            ConstObject::Scalar(bits) => ConstObject::Box(self.desc(before), bits),
            object => object,
        }
    }

    fn const_list(&mut self, items: &[Const], ty: TypeId) -> ConstObject {
        let element = match self.ty(ty) {
            Type::List(element) => *element,
            _ => ty,
        };
        let desc = match self.ty(ty) {
            Type::List(_) => self.desc(ty),
            _ => crate::ir::desc::JSON_LIST,
        };
        ConstObject::List(
            desc,
            items
                .iter()
                .map(|item| self.const_object(item, element))
                .collect(),
        )
    }

    fn const_map(&mut self, entries: &[(Const, Const)], ty: TypeId) -> ConstObject {
        let Type::Map(key, value) = *self.ty(ty) else {
            let pair = |t: &mut Self, (k, v): &(Const, Const)| {
                (t.const_object(k, ty), t.const_object(v, ty))
            };
            let entries = entries.iter().map(|entry| pair(self, entry)).collect();
            return ConstObject::Map(crate::ir::desc::JSON_MAP, entries);
        };
        let pair = |t: &mut Self, (k, v): &(Const, Const)| {
            (t.const_object(k, key), t.const_object(v, value))
        };
        let desc = self.desc(ty);
        ConstObject::Map(
            desc,
            entries.iter().map(|entry| pair(self, entry)).collect(),
        )
    }

    fn const_record(&mut self, fields: &[Const], ty: TypeId) -> ConstObject {
        let hir = self.hir;
        let desc = self.desc(ty);
        let types: Vec<TypeId> = match &hir.types[ty] {
            Type::Record(fields) => fields.iter().map(|(_, ty)| *ty).collect(),
            _ => Vec::new(),
        };
        ConstObject::Slots(
            desc,
            fields
                .iter()
                .zip(types)
                .map(|(f, ty)| self.const_object(f, ty))
                .collect(),
        )
    }

    fn const_tuple(&mut self, items: &[Const], ty: TypeId) -> ConstObject {
        let hir = self.hir;
        let desc = self.desc(ty);
        let types: &[TypeId] = match &hir.types[ty] {
            Type::Tuple(types) => types,
            _ => &[],
        };
        ConstObject::Slots(
            desc,
            items
                .iter()
                .zip(types)
                .map(|(item, ty)| self.const_object(item, *ty))
                .collect(),
        )
    }

    fn const_range(
        &mut self,
        start: &Const,
        end: &Const,
        inclusive: bool,
        ty: TypeId,
    ) -> ConstObject {
        let of = match self.ty(ty) {
            Type::Range(of) => *of,
            _ => ty,
        };
        let slots = vec![
            self.const_object(start, of),
            self.const_object(end, of),
            ConstObject::Scalar(u64::from(inclusive)),
        ];
        ConstObject::Slots(self.desc(ty), slots)
    }
}

/// The box of a scalar whose static type is gone.
fn box_of(value: &Const) -> crate::ir::DescId {
    use crate::ir::desc;
    match value {
        Const::Bool(_) => desc::BOX_BOOL,
        Const::Float(_) => desc::BOX_FLOAT,
        Const::Duration(_) => desc::BOX_DURATION,
        Const::Rate(_) => desc::BOX_RATE,
        _ => desc::BOX_INT,
    }
}
