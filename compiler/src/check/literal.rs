//! Literals with parts: strings, lists, tuples, records, maps, comprehensions.

use super::Checker;
use super::expr::Want;
use super::scope::ScopeKind;
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{types, values};
use crate::hir::{Binding, Block, Const, Expr, ExprKind, Part, Stmt, StmtKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Entry, Ident, StrPart};

/// A record on its way.
struct Building<'f> {
    /// The fields that its type has.
    fields: &'f [(String, TypeId)],
    /// The value of each, once known.
    found: Vec<Option<Expr>>,
    /// Fields in the order in which they are evaluated.
    order: Vec<u32>,
    /// Statements that run before.
    before: Vec<Stmt>,
}

impl Checker<'_> {
    pub(super) fn string(&mut self, parts: &[StrPart], span: Span) -> Expr {
        if let [] | [StrPart::Text(_)] = parts {
            let text = match parts {
                [StrPart::Text(text)] => text.clone(),
                _ => String::new(),
            };
            return self.literal(Const::String(text), self.basic.string, span);
        }
        let mut secret = false;
        let mut known = Vec::with_capacity(parts.len());
        for part in parts {
            known.push(match part {
                StrPart::Text(text) => Part::Text(text.clone()),
                StrPart::Expr(expr) => {
                    let value = self.value(expr);
                    secret |= self.holds_secret(value.ty);
                    Part::Value(self.interpolated(value))
                }
            });
        }
        let ty = if secret {
            self.secret(self.basic.string)
        } else {
            self.basic.string
        };
        let node = self.node(ExprKind::Interpolate(known), ty, span);
        self.folded(node)
    }

    /// Refuses values that have no text.
    pub(super) fn interpolated(&mut self, value: Expr) -> Expr {
        let inner = self.revealed(value.ty).unwrap_or(value.ty);
        let name = self.name(value.ty);
        let diagnostic = match self.ty(inner) {
            Type::Optional(_) => types::optional_as_value(&name, value.span),
            _ if self.has_text(inner) => return value,
            Type::Bytes => values::no_text(
                &name,
                value.span,
                Some("write `.text()`, `.hex()` or `base64.encode(...)`"),
            ),
            _ => values::no_text(&name, value.span, None),
        };
        self.refused(diagnostic)
    }

    fn has_text(&self, ty: TypeId) -> bool {
        match self.ty(ty) {
            Type::Bool | Type::Int | Type::Float | Type::String | Type::Duration | Type::Rate => {
                true
            }
            Type::Ip
            | Type::Addr
            | Type::Json
            | Type::Enum(_)
            | Type::Error
            | Type::Unknown
            | Type::Never => true,
            Type::List(inner) | Type::Secret(inner) | Type::Optional(inner) => {
                self.has_text(*inner)
            }
            Type::Map(_, value) => self.has_text(*value),
            Type::Record(fields) => fields.iter().all(|(_, ty)| self.has_text(*ty)),
            _ => false,
        }
    }

    pub(super) fn regex(&mut self, pattern: &str, span: Span) -> Expr {
        if let Err(why) = super::constants::regex_error(pattern) {
            return self.refused(values::bad_regex(&why, span));
        }
        self.literal(Const::Regex(pattern.to_owned()), self.basic.regex, span)
    }

    pub(super) fn list_literal(&mut self, items: &[ast::Expr], span: Span, want: Want) -> Expr {
        let wanted = want
            .ty()
            .and_then(|ty| self.wanted_part(ty, &|ty| matches!(ty, Type::List(_) | Type::Json)));
        let element = match wanted.map(|ty| (ty, self.ty(ty))) {
            Some((json, Type::Json)) => Some(json),
            Some((_, Type::List(element))) if !self.is_generic(*element) => Some(*element),
            _ => None,
        };
        if items.is_empty() {
            let Some(element) = element else {
                return self.refused(types::needs_type("[]", span));
            };
            let ty = self.list(element);
            return self.node(ExprKind::List(Vec::new()), ty, span);
        }
        if let Some(element) = element {
            let items = items.iter().map(|item| self.typed(item, element)).collect();
            let ty = self.list(element);
            return self.node(ExprKind::List(items), ty, span);
        }
        let items: Vec<_> = items
            .iter()
            .map(|item| self.expr(item, Want::Any))
            .collect();
        let element = self.join_all(&items);
        if element == self.basic.none {
            return self.refused(types::needs_type("none", items[0].span));
        }
        let items = items
            .into_iter()
            .map(|item| self.coerce(item, element))
            .collect();
        let ty = self.list(element);
        self.node(ExprKind::List(items), ty, span)
    }

    /// The part of an expected type that a literal can be: looks through `?`, `secret` and choices.
    fn wanted_part(&self, ty: TypeId, wanted: &dyn Fn(&Type) -> bool) -> Option<TypeId> {
        match self.ty(ty) {
            found if wanted(found) => Some(ty),
            Type::Optional(inner) | Type::Secret(inner) => self.wanted_part(*inner, wanted),
            Type::Union(parts) => parts
                .iter()
                .find_map(|part| self.wanted_part(*part, wanted)),
            _ => None,
        }
    }

    pub(super) fn tuple_literal(&mut self, items: &[ast::Expr], span: Span, want: Want) -> Expr {
        let wanted = want
            .ty()
            .and_then(|ty| match self.ty(self.inside(ty).unwrap_or(ty)) {
                Type::Tuple(parts) if parts.len() == items.len() => Some(parts.clone()),
                _ => None,
            });
        let items: Vec<_> = match wanted {
            Some(parts) => items
                .iter()
                .zip(parts)
                .map(|(item, ty)| self.typed(item, ty))
                .collect(),
            None => items.iter().map(|item| self.value(item)).collect(),
        };
        let ty = self.intern(Type::Tuple(items.iter().map(|item| item.ty).collect()));
        self.node(ExprKind::Tuple(items), ty, span)
    }

    pub(super) fn comprehension(
        &mut self,
        value: &ast::Expr,
        pattern: &ast::Binding,
        iterable: &ast::Expr,
        filter: Option<&ast::Expr>,
        span: Span,
        want: Want,
    ) -> Expr {
        let (iterable, element) = self.iterable(iterable);
        self.push(ScopeKind::Block);
        let pattern = self.binding(pattern, element, false);
        let filter = filter.map(|filter| self.typed(filter, self.basic.bool));
        let wanted = want
            .ty()
            .and_then(|ty| self.wanted_part(ty, &|ty| matches!(ty, Type::List(_) | Type::Json)));
        let element = wanted.and_then(|ty| match self.ty(ty) {
            Type::List(element) if !self.is_generic(*element) => Some(*element),
            _ => None,
        });
        let value = match element {
            Some(element) => self.typed(value, element),
            None => self.value(value),
        };
        self.pop();
        let ty = self.list(element.unwrap_or(value.ty));
        self.node(
            ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            },
            ty,
            span,
        )
    }

    /// `{ ... }`: a record or a map, by its keys and by what is expected.
    pub(super) fn braces(&mut self, entries: &[Entry], span: Span, want: Want) -> Expr {
        let fits = |ty: &Type| matches!(ty, Type::Map(..) | Type::Record(_) | Type::Json);
        let keyed = entries
            .iter()
            .any(|entry| matches!(entry, Entry::Key { .. } | Entry::Computed { .. }));
        let strict = |ty: &Type| {
            if keyed {
                matches!(ty, Type::Map(..) | Type::Json)
            } else {
                fits(ty)
            }
        };
        let wanted = want.ty().and_then(|ty| {
            self.wanted_part(ty, &strict)
                .or_else(|| self.wanted_part(ty, &fits))
        });
        match wanted.map(|ty| self.ty(ty).clone()) {
            Some(Type::Record(fields)) if !keyed => self.record_as(
                entries,
                None,
                &fields,
                wanted.expect("matched just now"),
                span,
            ),
            Some(Type::Map(key, value)) if !self.is_generic(value) && !self.is_generic(key) => {
                self.map_as(entries, key, value, span)
            }
            Some(Type::Json) if keyed || entries.is_empty() => {
                self.map_as(entries, self.basic.string, self.basic.json, span)
            }
            Some(Type::Json) => self.record_free(entries, span, Want::Type(self.basic.json)),
            _ if entries.is_empty() => self.refused(types::needs_type("{}", span)),
            _ if keyed => self.map_free(entries, span),
            _ => self.record_free(entries, span, Want::Any),
        }
    }

    /// A record of a known type; `spread` is the value of its `...`, if it was looked at already.
    fn record_as(
        &mut self,
        entries: &[Entry],
        spread: Option<Expr>,
        fields: &[(String, TypeId)],
        ty: TypeId,
        span: Span,
    ) -> Expr {
        let mut building = Building {
            fields,
            found: fields.iter().map(|_| None).collect(),
            order: Vec::with_capacity(fields.len()),
            before: Vec::new(),
        };
        let mut spread = spread;
        let mut given: Vec<&Ident> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Field { name, .. } | Entry::Shorthand(name) => {
                    self.refuse_repeated(&mut given, name);
                    self.record_entry(entry, name, ty, &mut building);
                }
                Entry::Spread(base) => {
                    if index > 0 {
                        self.report(values::spread_not_first(base.span));
                    }
                    let value = spread.take().unwrap_or_else(|| self.typed(base, ty));
                    self.spread_into(value, &mut building);
                }
                Entry::Key { .. } | Entry::Computed { .. } => {
                    unreachable!("records have no such entries")
                }
            }
        }
        let Building {
            found,
            mut order,
            before,
            ..
        } = building;
        let fields = self.fill_missing(found, fields, &mut order, ty, span);
        let record = self.node(ExprKind::Record { fields, order }, ty, span);
        if before.is_empty() {
            return record;
        }
        let block = Block {
            stmts: before,
            value: Some(record),
            span,
        };
        self.node(ExprKind::Do(block), ty, span)
    }

    fn record_entry(
        &mut self,
        entry: &Entry,
        name: &Ident,
        ty: TypeId,
        building: &mut Building<'_>,
    ) {
        let fields = building.fields;
        match fields.iter().position(|(field, _)| *field == name.text) {
            Some(at) => {
                let value = self.entry_value(entry, name, Want::Type(fields[at].1));
                building.found[at] = Some(self.coerce(value, fields[at].1));
                building.order.retain(|known| *known != at as u32);
                building.order.push(at as u32);
            }
            None => {
                self.entry_value(entry, name, Want::Any);
                self.report_unknown_field(name, fields, ty);
            }
        }
    }

    fn report_unknown_field(&mut self, name: &Ident, fields: &[(String, TypeId)], ty: TypeId) {
        let help = did_you_mean(&name.text, fields.iter().map(|(field, _)| field.as_str()));
        let ty = self.name(ty);
        self.report(crate::diagnostics::names::unknown_member(
            &ty, &name.text, "field", name.span, help,
        ));
    }

    /// Takes the fields of `...base`; what is no plain variable is kept in a local, so that it is evaluated once.
    fn spread_into(&mut self, base: Expr, building: &mut Building<'_>) {
        let span = base.span;
        if self.is_unknown(base.ty) {
            // Nobody knows what it brings: no field is missing.
            for slot in &mut building.found {
                slot.get_or_insert_with(|| Expr {
                    kind: Box::new(ExprKind::Const(Const::None)),
                    ty: base.ty,
                    span,
                });
            }
            return;
        }
        let ty = base.ty;
        let variable = match &*base.kind {
            ExprKind::Local(id) => *id,
            _ => {
                let local = self.hidden_local(ty, span);
                let kind = StmtKind::Let {
                    pattern: Binding::Local(local),
                    value: base,
                };
                building.before.push(Stmt { span, kind });
                local
            }
        };
        for (at, (_, field)) in building.fields.iter().enumerate() {
            let base = self.node(ExprKind::Local(variable), ty, span);
            let index = at as u32;
            building.found[at] = Some(self.node(ExprKind::Field { base, index }, *field, span));
            building.order.push(index);
        }
    }

    fn fill_missing(
        &mut self,
        found: Vec<Option<Expr>>,
        fields: &[(String, TypeId)],
        order: &mut Vec<u32>,
        ty: TypeId,
        span: Span,
    ) -> Vec<Expr> {
        let mut filled = Vec::with_capacity(fields.len());
        for (at, value) in found.into_iter().enumerate() {
            let (name, field) = &fields[at];
            filled.push(match value {
                Some(value) => value,
                None => {
                    order.push(at as u32);
                    if self.inside(*field).is_none() && !self.is_unknown(*field) {
                        let ty = self.name(ty);
                        self.report(values::missing_field(name, &ty, span));
                    }
                    self.literal(Const::None, *field, span.after())
                }
            });
        }
        filled
    }

    fn refuse_repeated<'n>(&mut self, given: &mut Vec<&'n Ident>, name: &'n Ident) {
        if let Some(first) = given.iter().find(|first| first.text == name.text) {
            self.report(values::given_twice(
                "field", &name.text, name.span, first.span,
            ));
        }
        given.push(name);
    }

    fn entry_value(&mut self, entry: &Entry, name: &Ident, want: Want) -> Expr {
        match entry {
            Entry::Field { value, .. } => self.expr(value, want),
            _ => self.name_value(name, want),
        }
    }

    /// A record whose type follows from its fields.
    fn record_free(&mut self, entries: &[Entry], span: Span, want: Want) -> Expr {
        if let Some(Entry::Spread(base)) = entries.first() {
            return self.copied_record(base, entries, span);
        }
        let mut given: Vec<&Ident> = Vec::new();
        let mut names = Vec::new();
        let mut fields = Vec::new();
        for entry in entries {
            let (Entry::Field { name, .. } | Entry::Shorthand(name)) = entry else {
                if let Entry::Spread(base) = entry {
                    self.report(values::spread_not_first(base.span));
                }
                continue;
            };
            self.refuse_repeated(&mut given, name);
            let value = self.entry_value(entry, name, want);
            let value = self.free_field(value, want);
            names.push((name.text.clone(), value.ty));
            fields.push(value);
        }
        let order = (0..fields.len() as u32).collect();
        let ty = self.intern(Type::Record(names));
        self.node(ExprKind::Record { fields, order }, ty, span)
    }

    /// A field of a record that nobody expects: under `json` a `none` is null, elsewhere it has no type.
    fn free_field(&mut self, value: Expr, want: Want) -> Expr {
        if value.ty != self.basic.none {
            return value;
        }
        match want.ty() {
            Some(json) => self.coerce(value, json),
            None => {
                let diagnostic = match &*value.kind {
                    ExprKind::Const(Const::None) => types::needs_type("none", value.span),
                    _ => values::no_value_here(value.span),
                };
                self.refused(diagnostic)
            }
        }
    }

    /// `{ ...r, a: 1 }` where nothing is expected: the type of `r`.
    fn copied_record(&mut self, base: &ast::Expr, entries: &[Entry], span: Span) -> Expr {
        let value = self.value(base);
        let ty = value.ty;
        let Type::Record(fields) = self.ty(ty).clone() else {
            if !self.is_unknown(ty) {
                let ty = self.name(ty);
                self.report(values::spread_of(&ty, base.span));
            }
            return self.unknown(span);
        };
        self.record_as(entries, Some(value), &fields, ty, span)
    }

    /// A map of known types; name keys are its keys where strings are expected.
    fn map_as(&mut self, entries: &[Entry], key: TypeId, value: TypeId, span: Span) -> Expr {
        let mut found = Vec::with_capacity(entries.len());
        let mut given: Vec<(Const, Span)> = Vec::new();
        for entry in entries {
            let pair = match entry {
                Entry::Field { name, value: v } => {
                    let name = self.literal(
                        Const::String(name.text.clone()),
                        self.basic.string,
                        name.span,
                    );
                    Some((self.coerce(name, key), self.typed(v, value)))
                }
                Entry::Shorthand(name) => {
                    let key_text = self.literal(
                        Const::String(name.text.clone()),
                        self.basic.string,
                        name.span,
                    );
                    let v = self.name_value(name, Want::Type(value));
                    Some((self.coerce(key_text, key), self.coerce(v, value)))
                }
                Entry::Key { key: k, value: v } | Entry::Computed { key: k, value: v } => {
                    Some((self.typed(k, key), self.typed(v, value)))
                }
                Entry::Spread(base) => {
                    self.report(values::spread_in_map(base.span));
                    None
                }
            };
            if let Some((k, v)) = pair {
                self.refuse_repeated_key(&mut given, &k);
                found.push((k, v));
            }
        }
        let ty = self.intern(Type::Map(key, value));
        self.node(ExprKind::Map(found), ty, span)
    }

    fn refuse_repeated_key(&mut self, given: &mut Vec<(Const, Span)>, key: &Expr) {
        let Some(value) = super::fold::constant(key) else {
            return;
        };
        if let Some((_, first)) = given.iter().find(|(known, _)| *known == value) {
            let text = self.text(key.span).to_owned();
            self.report(values::given_twice("key", &text, key.span, *first));
        }
        given.push((value, key.span));
    }

    /// A map whose types follow from its entries.
    fn map_free(&mut self, entries: &[Entry], span: Span) -> Expr {
        let mut keys = Vec::new();
        let mut found = Vec::new();
        for entry in entries {
            match entry {
                Entry::Key { key, value } | Entry::Computed { key, value } => {
                    keys.push(self.value(key));
                    found.push(self.value(value));
                }
                Entry::Field { name, value } => {
                    keys.push(self.literal(
                        Const::String(name.text.clone()),
                        self.basic.string,
                        name.span,
                    ));
                    found.push(self.value(value));
                }
                Entry::Shorthand(name) => {
                    keys.push(self.literal(
                        Const::String(name.text.clone()),
                        self.basic.string,
                        name.span,
                    ));
                    found.push(self.name_value(name, Want::Any));
                }
                Entry::Spread(base) => self.report(values::spread_in_map(base.span)),
            }
        }
        let (key, value) = (self.join_all(&keys), self.join_all(&found));
        if !self.is_key(key) && key != self.basic.never {
            let name = self.name(key);
            return self.refused(types::bad_key(&name, keys[0].span));
        }
        let mut given = Vec::new();
        let mut pairs = Vec::with_capacity(keys.len());
        for (k, v) in keys.into_iter().zip(found) {
            self.refuse_repeated_key(&mut given, &k);
            pairs.push((self.coerce(k, key), self.coerce(v, value)));
        }
        let ty = self.intern(Type::Map(key, value));
        self.node(ExprKind::Map(pairs), ty, span)
    }
}
