//! Types: the basic ones, questions about them, and their names in messages.

use super::Checker;
use crate::hir::{Type, TypeId, Types};
use std::collections::HashSet;

/// Ids of the types without parts.
#[derive(Clone, Copy)]
pub(super) struct Basic {
    pub bool: TypeId,
    pub int: TypeId,
    pub float: TypeId,
    pub string: TypeId,
    pub bytes: TypeId,
    pub duration: TypeId,
    pub rate: TypeId,
    pub ip: TypeId,
    pub addr: TypeId,
    pub regex: TypeId,
    pub json: TypeId,
    pub error: TypeId,
    pub none: TypeId,
    pub never: TypeId,
    pub unknown: TypeId,
}

impl Basic {
    pub(super) fn new(types: &mut Types) -> Self {
        let mut id = |ty| types.intern(ty);
        Self {
            bool: id(Type::Bool),
            int: id(Type::Int),
            float: id(Type::Float),
            string: id(Type::String),
            bytes: id(Type::Bytes),
            duration: id(Type::Duration),
            rate: id(Type::Rate),
            ip: id(Type::Ip),
            addr: id(Type::Addr),
            regex: id(Type::Regex),
            json: id(Type::Json),
            error: id(Type::Error),
            none: id(Type::None),
            never: id(Type::Never),
            unknown: id(Type::Unknown),
        }
    }
}

impl Checker<'_> {
    pub(super) fn ty(&self, id: TypeId) -> &Type {
        &self.hir.types[id]
    }

    pub(super) fn intern(&mut self, ty: Type) -> TypeId {
        self.hir.types.intern(ty)
    }

    /// `T?`; an optional stays what it is.
    pub(super) fn optional(&mut self, inner: TypeId) -> TypeId {
        match self.ty(inner) {
            Type::Optional(_) | Type::Unknown | Type::Never | Type::None => inner,
            _ => self.intern(Type::Optional(inner)),
        }
    }

    pub(super) fn list(&mut self, element: TypeId) -> TypeId {
        self.intern(Type::List(element))
    }

    /// `secret<T>`; a secret stays what it is.
    pub(super) fn secret(&mut self, inner: TypeId) -> TypeId {
        match self.ty(inner) {
            Type::Secret(_) | Type::Unknown | Type::Never => inner,
            _ => self.intern(Type::Secret(inner)),
        }
    }

    pub(super) fn is_unknown(&self, id: TypeId) -> bool {
        id == self.basic.unknown
    }

    /// The type inside an optional.
    pub(super) fn inside(&self, id: TypeId) -> Option<TypeId> {
        match self.ty(id) {
            Type::Optional(inner) => Some(*inner),
            _ => None,
        }
    }

    /// The type inside a secret.
    pub(super) fn revealed(&self, id: TypeId) -> Option<TypeId> {
        match self.ty(id) {
            Type::Secret(inner) => Some(*inner),
            _ => None,
        }
    }

    /// Whether a value of this type has a secret anywhere in it.
    pub(super) fn holds_secret(&self, id: TypeId) -> bool {
        self.holds(id, &|ty| matches!(ty, Type::Secret(_)), &mut HashSet::new())
    }

    /// Whether a value of this type has a handle anywhere in it.
    pub(super) fn holds_handle(&self, id: TypeId) -> bool {
        let is_handle =
            |ty: &Type| matches!(ty, Type::Extern(id) if self.hir.externs[id.index()].is_handle);
        self.holds(id, &is_handle, &mut HashSet::new())
    }

    /// Whether type parameters occur in it.
    pub(super) fn is_generic(&self, id: TypeId) -> bool {
        self.holds(id, &|ty| matches!(ty, Type::Param(_)), &mut HashSet::new())
    }

    fn holds(
        &self,
        id: TypeId,
        wanted: &dyn Fn(&Type) -> bool,
        seen: &mut HashSet<TypeId>,
    ) -> bool {
        if !seen.insert(id) {
            return false;
        }
        let ty = self.ty(id);
        wanted(ty) || parts(ty).iter().any(|part| self.holds(*part, wanted, seen))
    }

    /// The type as the user would write it.
    pub(super) fn name(&self, id: TypeId) -> String {
        if let Some(name) = self.type_names.get(&id) {
            return name.clone();
        }
        match self.ty(id) {
            Type::Range(inner) => format!("range of {}", self.name(*inner)),
            Type::List(inner) => format!("list<{}>", self.name(*inner)),
            Type::Map(key, value) => format!("map<{}, {}>", self.name(*key), self.name(*value)),
            Type::Record(fields) => self.record_name(fields),
            Type::Tuple(parts) => format!("({})", self.names(parts, ", ")),
            Type::Optional(inner) => match self.ty(*inner) {
                Type::Union(_) => format!("({})?", self.name(*inner)),
                _ => format!("{}?", self.name(*inner)),
            },
            Type::Secret(inner) => format!("secret<{}>", self.name(*inner)),
            Type::Enum(id) => self.hir.enums[id.index()].name.clone(),
            Type::Extern(id) => self.hir.externs[id.index()].name.clone(),
            Type::Union(parts) => self.names(parts, " | "),
            Type::Param(name) => name.clone(),
            Type::Data(row) => format!("data set of {}", self.name(*row)),
            Type::Metric(kind, value) => format!("{}<{}>", metric_word(*kind), self.name(*value)),
            simple => simple_name(simple).to_owned(),
        }
    }

    fn names(&self, ids: &[TypeId], between: &str) -> String {
        let names: Vec<_> = ids.iter().map(|id| self.name(*id)).collect();
        names.join(between)
    }

    fn record_name(&self, fields: &[(String, TypeId)]) -> String {
        if fields.is_empty() {
            return "{}".to_owned();
        }
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, ty)| format!("{name}: {}", self.name(*ty)))
            .collect();
        format!("{{ {} }}", fields.join(", "))
    }

    /// The name under which the library declares methods of a type.
    pub(super) fn receiver_name(&self, id: TypeId) -> Option<String> {
        let name = match self.ty(id) {
            Type::List(_) => "list",
            Type::Map(..) => "map",
            Type::Range(_) => "range",
            Type::Data(_) => "data",
            Type::Pool => "pool",
            Type::Metric(..) => "metric",
            Type::Server(_) => "server",
            Type::Extern(id) => return Some(self.hir.externs[id.index()].name.clone()),
            Type::Record(_) => return self.type_names.get(&id).cloned(),
            Type::Enum(_) => "enum",
            Type::Tuple(_)
            | Type::Optional(_)
            | Type::Secret(_)
            | Type::Union(_)
            | Type::Param(_) => return None,
            simple => simple_name(simple),
        };
        Some(name.to_owned())
    }
}

/// The word of a metric kind.
pub(super) fn metric_word(kind: crate::hir::MetricKind) -> &'static str {
    match kind {
        crate::hir::MetricKind::Counter => "counter",
        crate::hir::MetricKind::Gauge => "gauge",
        crate::hir::MetricKind::Rate => "rate",
        crate::hir::MetricKind::Trend => "trend",
    }
}

fn simple_name(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Float => "float",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Duration => "duration",
        Type::Rate => "rate",
        Type::Ip => "ip",
        Type::Addr => "addr",
        Type::Regex => "regex",
        Type::Json => "json",
        Type::Error => "error",
        Type::None => "none",
        Type::Never => "never",
        Type::Pool => "pool",
        Type::Server(_) => "server",
        _ => "?",
    }
}

/// The types directly inside a type.
pub(super) fn parts(ty: &Type) -> Vec<TypeId> {
    match ty {
        Type::Range(a)
        | Type::List(a)
        | Type::Optional(a)
        | Type::Secret(a)
        | Type::Data(a)
        | Type::Metric(_, a) => {
            vec![*a]
        }
        Type::Map(a, b) => vec![*a, *b],
        Type::Record(fields) => fields.iter().map(|(_, ty)| *ty).collect(),
        Type::Tuple(parts) | Type::Union(parts) => parts.clone(),
        _ => Vec::new(),
    }
}
