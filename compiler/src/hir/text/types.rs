//! Types and fields by name.

use super::Printer;
use crate::hir::{MetricKind, Type, TypeId};

impl Printer<'_> {
    /// A type as written.
    pub(super) fn ty(&self, id: TypeId) -> String {
        let named = self.hir.types.names.iter().find(|(ty, _)| *ty == id);
        if let Some((_, name)) = named {
            return name.clone();
        }
        let all = |parts: &[TypeId], between: &str| {
            let parts: Vec<_> = parts.iter().map(|part| self.ty(*part)).collect();
            parts.join(between)
        };
        match &self.hir.types[id] {
            Type::Range(inner) => format!("range<{}>", self.ty(*inner)),
            Type::List(inner) => format!("list<{}>", self.ty(*inner)),
            Type::Map(key, value) => format!("map<{}, {}>", self.ty(*key), self.ty(*value)),
            Type::Record(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, ty)| format!("{name}: {}", self.ty(*ty)))
                    .collect();
                format!("{{ {} }}", fields.join(", "))
            }
            Type::Tuple(parts) => format!("({})", all(parts, ", ")),
            Type::Union(parts) => format!("({})", all(parts, " | ")),
            Type::Optional(inner) => format!("{}?", self.ty(*inner)),
            Type::Secret(inner) => format!("secret<{}>", self.ty(*inner)),
            Type::Enum(id) => self.hir.enums[id.index()].name.clone(),
            Type::Extern(id) => self.hir.externs[id.index()].name.clone(),
            Type::Param(name) => name.clone(),
            Type::Data(row) => format!("data<{}>", self.ty(*row)),
            Type::Metric(kind, value) => {
                let kind = match kind {
                    MetricKind::Counter => "counter",
                    MetricKind::Gauge => "gauge",
                    MetricKind::Rate => "rate",
                    MetricKind::Trend => "trend",
                };
                format!("{kind}<{}>", self.ty(*value))
            }
            simple => format!("{simple:?}").to_lowercase(),
        }
    }

    /// The name of a record's field.
    pub(super) fn field(&self, record: TypeId, index: u32) -> String {
        match &self.hir.types[record] {
            Type::Record(fields) => fields[index as usize].0.clone(),
            _ => index.to_string(),
        }
    }
}
