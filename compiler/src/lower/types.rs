//! Types of the HIR as registers, memory slots and object descriptors.

use super::tables::Tables;
use crate::hir::{Type, TypeId};
use crate::ir::{Desc, DescId, Scalar, SlotKind, SlotType, Ty, desc};

/// How a value of a type lives in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repr {
    /// No register: `None`, `never`.
    Unit,
    /// One register.
    Scalar(Scalar),
    /// A flag and a payload, which is 0 when the flag is.
    OptScalar(Scalar),
    /// A pointer; null is `none` when the type is optional.
    Ptr,
}

impl Repr {
    /// The register classes.
    pub fn classes(self) -> &'static [Ty] {
        match self {
            Repr::Unit => &[],
            Repr::Scalar(s) => match class(s) {
                Ty::Float => &[Ty::Float],
                _ => &[Ty::Int],
            },
            Repr::OptScalar(s) => match class(s) {
                Ty::Float => &[Ty::Int, Ty::Float],
                _ => &[Ty::Int, Ty::Int],
            },
            Repr::Ptr => &[Ty::Ptr],
        }
    }

    /// The register class of its memory form.
    pub fn slot_class(self) -> Ty {
        match self {
            Repr::Unit => Ty::Int,
            Repr::Scalar(s) => class(s),
            Repr::OptScalar(_) | Repr::Ptr => Ty::Ptr,
        }
    }
}

/// The register class of a scalar.
pub(crate) fn class(scalar: Scalar) -> Ty {
    match scalar {
        Scalar::Float | Scalar::Rate => Ty::Float,
        _ => Ty::Int,
    }
}

impl Tables<'_> {
    /// The type below `secret`, which is nothing at run time.
    pub fn strip(&self, mut ty: TypeId) -> TypeId {
        while let Type::Secret(inner) = &self.hir.types[ty] {
            ty = *inner;
        }
        ty
    }

    /// The type of the value in an optional; the type itself if it is none.
    pub fn unwrap_optional(&self, ty: TypeId) -> TypeId {
        match &self.hir.types[self.strip(ty)] {
            Type::Optional(inner) => self.unwrap_optional(*inner),
            _ => self.strip(ty),
        }
    }

    /// The type without `secret` around it.
    pub fn ty(&self, ty: TypeId) -> &Type {
        &self.hir.types[self.strip(ty)]
    }

    /// Whether a type is optional.
    pub fn is_optional(&self, ty: TypeId) -> bool {
        matches!(self.ty(ty), Type::Optional(_))
    }

    /// Whether values of the type must not be shown: they are secret or hold something that is.
    pub fn is_secret(&self, ty: TypeId) -> bool {
        self.any_part(ty, &|ty| matches!(ty, Type::Secret(_)))
    }

    /// Whether a type or one of its parts is of a kind.
    fn any_part(&self, ty: TypeId, wanted: &dyn Fn(&Type) -> bool) -> bool {
        let inside = |ty: &TypeId| self.any_part(*ty, wanted);
        let ty = &self.hir.types[ty];
        wanted(ty)
            || match ty {
                Type::Optional(t) | Type::Secret(t) | Type::List(t) | Type::Range(t) => inside(t),
                Type::Map(key, value) => inside(key) || inside(value),
                Type::Tuple(items) => items.iter().any(inside),
                Type::Record(fields) => fields.iter().any(|(_, t)| inside(t)),
                _ => false,
            }
    }

    /// How a type lives in registers.
    pub fn repr(&self, ty: TypeId) -> Repr {
        let scalar = match self.ty(ty) {
            Type::None | Type::Never => return Repr::Unit,
            Type::Optional(inner) => {
                return match self.repr(*inner) {
                    Repr::Scalar(s) => Repr::OptScalar(s),
                    other => other,
                };
            }
            Type::Bool => Scalar::Bool,
            Type::Int | Type::Data(_) | Type::Pool | Type::Metric(..) | Type::Server(_) => {
                Scalar::Int
            }
            Type::Float => Scalar::Float,
            Type::Duration => Scalar::Duration,
            Type::Rate => Scalar::Rate,
            Type::Enum(id) => Scalar::Enum(id.0),
            _ => return Repr::Ptr,
        };
        Repr::Scalar(scalar)
    }

    /// What a memory slot of a type holds.
    pub fn slot(&mut self, ty: TypeId) -> SlotType {
        let optional = self.is_optional(ty);
        let kind = match self.repr(ty) {
            Repr::Unit => {
                return SlotType {
                    kind: SlotKind::Unit,
                    optional: false,
                };
            }
            Repr::Scalar(s) | Repr::OptScalar(s) => SlotKind::Scalar(s),
            Repr::Ptr => {
                let inner = self.unwrap_optional(ty);
                match self.ty(inner) {
                    Type::Json | Type::Union(_) | Type::Unknown | Type::Param(_) => SlotKind::Any,
                    _ => SlotKind::Object(self.desc(inner)),
                }
            }
        };
        SlotType { kind, optional }
    }

    /// The descriptor of objects of a type; of a scalar that of its box. The `?` of an optional is left off.
    /// Where a descriptor tells what to decode to, that of JSON `null` stands for any JSON.
    pub fn desc(&mut self, ty: TypeId) -> DescId {
        let ty = self.unwrap_optional(ty);
        if let Repr::Scalar(s) = self.repr(ty) {
            return self.intern_desc(Desc::Box(s));
        }
        let hir = self.hir;
        let made = match &hir.types[ty] {
            Type::String => return desc::STRING,
            Type::Bytes => return desc::BYTES,
            Type::Ip => return desc::IP,
            Type::Addr => return desc::ADDR,
            Type::Regex => return desc::REGEX,
            Type::Error => return desc::ERROR,
            Type::Range(of) => match self.repr(*of) {
                Repr::Scalar(s) => Desc::Range(s),
                _ => Desc::Range(Scalar::Int),
            },
            Type::List(of) => Desc::List(self.slot(*of)),
            Type::Map(key, value) => Desc::Map(self.slot(*key), self.slot(*value)),
            Type::Tuple(items) => Desc::Tuple(items.iter().map(|item| self.slot(*item)).collect()),
            Type::Record(fields) => self.record_desc(ty, fields),
            Type::Extern(id) => {
                let def = &hir.externs[id.index()];
                Desc::Extern {
                    name: def.name.clone(),
                    is_handle: def.is_handle,
                }
            }
            _ => return desc::NULL,
        };
        self.intern_desc(made)
    }

    fn record_desc(&mut self, ty: TypeId, fields: &[(String, TypeId)]) -> Desc {
        let name = self
            .hir
            .types
            .names
            .iter()
            .find(|(id, _)| *id == ty)
            .map(|(_, name)| name.clone());
        Desc::Record {
            name,
            fields: fields
                .iter()
                .map(|(name, ty)| (name.clone(), self.slot(*ty)))
                .collect(),
        }
    }

    /// The index of a descriptor.
    pub fn intern_desc(&mut self, desc: Desc) -> DescId {
        if let Some(id) = self.desc_ids.get(&desc) {
            return *id;
        }
        let id = DescId(self.program.descs.len() as u32);
        self.program.descs.push(desc.clone());
        self.desc_ids.insert(desc, id);
        id
    }

    /// Whether a value of the type holds a handle, so that locals of it live to the end of their scope.
    pub fn holds_handle(&self, ty: TypeId) -> bool {
        self.any_part(
            ty,
            &|ty| matches!(ty, Type::Extern(id) if self.hir.externs[id.index()].is_handle),
        )
    }
}
