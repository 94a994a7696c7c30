//! Types as written to types as known.

use super::Checker;
use super::units::{TypeDefKind, UnitId};
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{names, types};
use crate::hir::{MetricKind, Protocol, Type, TypeId};
use scn_grammar::ast::{FieldType, Ident, ItemKind, TypeExpr, TypeKind};
use std::rc::Rc;

/// Names of the types without arguments.
const SIMPLE: [&str; 12] = [
    "bool", "int", "float", "string", "bytes", "duration", "rate", "ip", "addr", "regex", "json",
    "error",
];

impl Checker<'_> {
    /// The type that is written in a unit; `Unknown` after a report.
    pub(super) fn type_of(&mut self, unit: UnitId, ty: &TypeExpr) -> TypeId {
        match &ty.kind {
            TypeKind::Name { module, name, args } => {
                self.named_type(unit, module.as_ref(), name, args)
            }
            TypeKind::Record(fields) => self.record_type(unit, fields),
            TypeKind::Tuple(parts) if parts.len() == 1 => self.type_of(unit, &parts[0]),
            TypeKind::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.type_of(unit, part)).collect();
                self.intern(Type::Tuple(parts))
            }
            TypeKind::Optional(inner) => {
                let inner = self.type_of(unit, inner);
                self.optional(inner)
            }
            TypeKind::Union(parts) => self.union_type(unit, ty, parts),
            TypeKind::Missing => self.basic.unknown,
        }
    }

    fn union_type(&mut self, unit: UnitId, ty: &TypeExpr, parts: &[TypeExpr]) -> TypeId {
        if self.units[unit].module.is_none() {
            self.report(names::library_only("a choice of types", ty.span));
            return self.basic.unknown;
        }
        let mut known: Vec<TypeId> = parts.iter().map(|part| self.type_of(unit, part)).collect();
        let optional = known.contains(&self.basic.none);
        known.retain(|part| *part != self.basic.none);
        let union = match known.as_slice() {
            [one] => *one,
            _ => self.intern(Type::Union(known)),
        };
        if optional {
            self.optional(union)
        } else {
            union
        }
    }

    fn record_type(&mut self, unit: UnitId, fields: &[FieldType]) -> TypeId {
        let mut known: Vec<(String, TypeId)> = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            if let Some(first) = fields[..at]
                .iter()
                .find(|first| first.name.text == field.name.text)
            {
                self.report(names::declared_twice(
                    &field.name.text,
                    field.name.span,
                    first.name.span,
                ));
                continue;
            }
            let ty = self.type_of(unit, &field.ty);
            known.push((field.name.text.clone(), ty));
        }
        self.intern(Type::Record(known))
    }

    fn named_type(
        &mut self,
        unit: UnitId,
        module: Option<&Ident>,
        name: &Ident,
        args: &[TypeExpr],
    ) -> TypeId {
        if name.text.is_empty() {
            return self.basic.unknown;
        }
        let library = self.units[unit].module.is_some();
        if module.is_none() {
            if let Some(ty) = self.builtin_type(unit, name, args) {
                return ty;
            }
            if library && is_parameter(&name.text) {
                return self.intern(Type::Param(name.text.clone()));
            }
        }
        if !args.is_empty() {
            self.report(types::no_type_arguments(&name.text, args[0].span));
        }
        let owner = match module {
            Some(module) => self.module_for_type(unit, module),
            None => self.owner_of_type(unit, &name.text),
        };
        match owner {
            Some(owner) if self.units[owner].types.contains_key(&name.text) => {
                self.declared_type(owner, &name.text)
            }
            Some(owner) => {
                let candidates: Vec<_> = self.units[owner].types.keys().cloned().collect();
                let help = did_you_mean(&name.text, candidates.iter().map(String::as_str));
                self.report(names::unknown_type(&name.text, name.span, help));
                self.basic.unknown
            }
            None if module.is_some() => self.basic.unknown,
            None => {
                let help = self.type_suggestion(unit, &name.text);
                self.report(names::unknown_type(&name.text, name.span, help));
                self.basic.unknown
            }
        }
    }

    fn type_suggestion(&self, unit: UnitId, name: &str) -> Option<String> {
        let own = self.units[unit].types.keys().map(String::as_str);
        let library = self.index.types.keys().copied();
        let built_in = SIMPLE.into_iter().chain(["list", "map", "secret"]);
        match name {
            "str" | "String" | "text" => Some("did you mean `string`?".to_owned()),
            "integer" | "number" | "i64" | "u32" | "i32" => Some("did you mean `int`?".to_owned()),
            "boolean" => Some("did you mean `bool`?".to_owned()),
            "double" | "f64" => Some("did you mean `float`?".to_owned()),
            "array" | "vec" | "Vec" => Some("did you mean `list`?".to_owned()),
            _ => did_you_mean(name, own.chain(library).chain(built_in)),
        }
    }

    fn owner_of_type(&mut self, unit: UnitId, name: &str) -> Option<UnitId> {
        match self.units[unit].types.contains_key(name) {
            true => Some(unit),
            false => self.module_of_type(name),
        }
    }

    fn module_for_type(&mut self, unit: UnitId, module: &Ident) -> Option<UnitId> {
        if let Some(import) = self.units[unit].imports.get_mut(&module.text) {
            import.used = true;
            return import.unit;
        }
        let found = self.module(&module.text);
        if found.is_none() {
            let imports: Vec<_> = self.units[unit].imports.keys().cloned().collect();
            let modules = self.library.modules.iter().map(|module| module.0);
            let help = did_you_mean(
                &module.text,
                imports.iter().map(String::as_str).chain(modules),
            );
            self.report(names::unknown_module(&module.text, module.span, help));
        }
        found
    }

    /// A type that a unit declares.
    pub(super) fn declared_type(&mut self, unit: UnitId, name: &str) -> TypeId {
        let def = self.units[unit]
            .types
            .get_mut(name)
            .expect("the caller looked the name up");
        def.used = true;
        let span = def.span;
        match def.kind {
            TypeDefKind::Done(ty) => ty,
            TypeDefKind::Enum(id) => self.intern(Type::Enum(id)),
            TypeDefKind::Extern(id) => self.intern(Type::Extern(id)),
            TypeDefKind::Resolving => {
                self.report(names::refers_to_itself("type", name, span));
                self.basic.unknown
            }
            TypeDefKind::Alias(item) => {
                def.kind = TypeDefKind::Resolving;
                let ty = self.resolve_alias(unit, name, item);
                let def = self.units[unit]
                    .types
                    .get_mut(name)
                    .expect("types are never removed");
                def.kind = TypeDefKind::Done(ty);
                ty
            }
        }
    }

    fn resolve_alias(&mut self, unit: UnitId, name: &str, item: usize) -> TypeId {
        let file = Rc::clone(&self.units[unit].file);
        let ItemKind::Type { ty, .. } = &file.items[item].kind else {
            unreachable!("an alias points at a type item")
        };
        let resolved = self.type_of(unit, ty);
        if matches!(self.ty(resolved), Type::Record(_)) && !self.type_names.contains_key(&resolved)
        {
            self.type_names.insert(resolved, name.to_owned());
            self.hir.types.names.push((resolved, name.to_owned()));
        }
        resolved
    }

    fn builtin_type(&mut self, unit: UnitId, name: &Ident, args: &[TypeExpr]) -> Option<TypeId> {
        let library = self.units[unit].module.is_some();
        if let Some(simple) = self.simple_type(&name.text) {
            if let Some(extra) = args.first() {
                self.report(types::no_type_arguments(&name.text, extra.span));
            }
            return Some(simple);
        }
        let wanted = match name.text.as_str() {
            "list" | "secret" => 1,
            "map" => 2,
            "range" | "data" | "metric" if library => 1,
            "pool" | "server" | "none" | "never" if library => 0,
            _ => return None,
        };
        if args.len() != wanted {
            self.report(types::type_arguments(
                &name.text,
                wanted,
                args.len(),
                name.span,
            ));
            return Some(self.basic.unknown);
        }
        let parts: Vec<_> = args.iter().map(|arg| self.type_of(unit, arg)).collect();
        if name.text == "map" && !self.is_key(parts[0]) {
            let key = self.name(parts[0]);
            self.report(types::bad_key(&key, args[0].span));
        }
        Some(self.builtin_of(&name.text, &parts))
    }

    fn builtin_of(&mut self, name: &str, parts: &[TypeId]) -> TypeId {
        let ty = match name {
            "list" => Type::List(parts[0]),
            "secret" => return self.secret(parts[0]),
            "map" => Type::Map(parts[0], parts[1]),
            "range" => Type::Range(parts[0]),
            "data" => Type::Data(parts[0]),
            "metric" => Type::Metric(MetricKind::Trend, parts[0]),
            "pool" => Type::Pool,
            "none" => Type::None,
            "never" => Type::Never,
            _ => Type::Server(Protocol::Tcp),
        };
        self.intern(ty)
    }

    fn simple_type(&self, name: &str) -> Option<TypeId> {
        let b = &self.basic;
        let all = [
            b.bool, b.int, b.float, b.string, b.bytes, b.duration, b.rate, b.ip, b.addr, b.regex,
            b.json, b.error,
        ];
        SIMPLE
            .iter()
            .position(|simple| *simple == name)
            .map(|at| all[at])
    }

    /// Whether a type can be a map's key.
    pub(super) fn is_key(&self, ty: TypeId) -> bool {
        matches!(
            self.ty(ty),
            Type::String
                | Type::Int
                | Type::Bool
                | Type::Ip
                | Type::Addr
                | Type::Enum(_)
                | Type::Param(_)
                | Type::Unknown
        )
    }
}

/// Whether a name is a type parameter of the library: one capital letter.
fn is_parameter(name: &str) -> bool {
    name.len() == 1 && name.as_bytes()[0].is_ascii_uppercase()
}
