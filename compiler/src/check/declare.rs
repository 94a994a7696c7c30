//! Gives every item of a file its place in the tables, before any body is looked at.
//!
//! Types, constants and signatures are worked out when somebody first asks for them, so the order of items in a file
//! does not matter; only initialisers run in source order.

use super::Checker;
use super::scope::{FnCtx, Returns, ScopeKind};
use super::units::{TypeDef, TypeDefKind, UnitId, Value};
use crate::diagnostics::{names, syntax, values};
use crate::hir::{
    Const, EnumDef, ExternDef, FuncId, Global, GlobalId, GlobalKind, MetricKind, Type, TypeId,
};
use scn_grammar::Span;
use scn_grammar::ast::{EnumCase, Expr, FnItem, Ident, Item, ItemKind, Param, TypeExpr};
use std::rc::Rc;

/// A function with a body that scripts can call.
pub(super) struct FnDef {
    pub unit: UnitId,
    pub item: usize,
    pub span: Span,
    pub func: FuncId,
    pub used: bool,
    /// Worked out at the first question.
    pub signature: Option<Rc<Signature>>,
}

/// Parameters and result of a function.
pub(super) struct Signature {
    pub params: Vec<ParamDef>,
    pub result: TypeId,
}

/// A parameter of a function.
#[derive(Clone)]
pub(super) struct ParamDef {
    pub name: String,
    pub ty: TypeId,
    pub default: Option<Const>,
    pub wire: bool,
}

/// A `const` item.
pub(super) struct ConstDef {
    pub unit: UnitId,
    pub item: usize,
    pub name: String,
    pub span: Span,
    pub used: bool,
    pub state: ConstState,
}

/// How far a constant is worked out.
#[derive(Clone)]
pub(super) enum ConstState {
    Untouched,
    Open,
    Done(Const, TypeId),
}

impl Checker<'_> {
    /// Declares the names of all files, then the types of globals.
    pub(super) fn declare_units(&mut self) {
        let order = self.order.clone();
        for unit in &order {
            self.declare_unit(*unit);
        }
        for unit in order {
            self.declare_global_types(unit);
        }
    }

    /// Declares the names of one file.
    pub(super) fn declare_unit(&mut self, unit: UnitId) {
        let file = Rc::clone(&self.units[unit].file);
        for (at, item) in file.items.iter().enumerate() {
            self.declare_item(unit, at, item);
        }
        for (alias, import) in self.units[unit]
            .imports
            .iter()
            .map(|(a, i)| (a.clone(), i.span))
            .collect::<Vec<_>>()
        {
            if let Some(first) = self.units[unit].spans.get(&alias).copied() {
                self.report(names::declared_twice(&alias, import, first));
            }
        }
    }

    fn declare_item(&mut self, unit: UnitId, at: usize, item: &Item) {
        self.refuse_library_syntax(unit, item);
        match &item.kind {
            ItemKind::Type { name, .. } => self.declare_type(unit, name, TypeDefKind::Alias(at)),
            ItemKind::Enum { name, cases } => self.declare_enum(unit, name, cases),
            ItemKind::ExternType { name } => self.declare_extern(unit, item, name),
            ItemKind::Const { name, .. } => self.declare_const(unit, at, name),
            ItemKind::Fn(f) => self.declare_fn(unit, at, f),
            ItemKind::Param { name, .. }
            | ItemKind::Data { name, .. }
            | ItemKind::Pool { name, .. }
            | ItemKind::Metric { name, .. } => self.declare_global(unit, item, name),
            ItemKind::Server(server) => self.declare_global(unit, item, &server.name),
            ItemKind::Use { .. }
            | ItemKind::Scenario(_)
            | ItemKind::Test { .. }
            | ItemKind::Thresholds(_)
            | ItemKind::Bad => {}
        }
    }

    fn refuse_library_syntax(&mut self, unit: UnitId, item: &Item) {
        if self.units[unit].module.is_some() {
            return;
        }
        let can_leave = matches!(
            item.kind,
            ItemKind::Fn(_) | ItemKind::Type { .. } | ItemKind::Enum { .. } | ItemKind::Bad
        );
        if item.export && !can_leave {
            let mut word = item.span;
            word.end = word.start + "export".len() as u32;
            self.report(syntax::not_exportable(word));
        }
        if let Some(attribute) = item.attributes.first() {
            self.report(names::library_only("an attribute", attribute.name.span));
        }
        match &item.kind {
            ItemKind::ExternType { name } => {
                self.report(names::library_only("an extern type", name.span))
            }
            ItemKind::Fn(f) if f.is_extern => {
                self.report(names::library_only("an extern function", f.name.span))
            }
            ItemKind::Fn(f) => {
                if let Some(receiver) = &f.receiver {
                    self.report(names::library_only("a method", receiver.span));
                } else if let Some(generic) = f.generics.first() {
                    self.report(names::library_only("a type parameter", generic.span));
                }
            }
            _ => {}
        }
    }

    fn declare_value(&mut self, unit: UnitId, name: &Ident, value: Value) {
        if name.text.is_empty() || !self.first_declaration(unit, name) {
            return;
        }
        self.units[unit].values.insert(name.text.clone(), value);
    }

    /// Whether this is the first item of its name; values and modules share the table of places.
    fn first_declaration(&mut self, unit: UnitId, name: &Ident) -> bool {
        if let Some(first) = self.units[unit].spans.get(&name.text).copied() {
            self.report(names::declared_twice(&name.text, name.span, first));
            return false;
        }
        self.units[unit].spans.insert(name.text.clone(), name.span);
        true
    }

    fn declare_type(&mut self, unit: UnitId, name: &Ident, kind: TypeDefKind) {
        if name.text.is_empty() {
            return;
        }
        if let Some(first) = self.units[unit].types.get(&name.text) {
            let first = first.span;
            return self.report(names::declared_twice(&name.text, name.span, first));
        }
        let def = TypeDef {
            kind,
            used: false,
            span: name.span,
        };
        self.units[unit].types.insert(name.text.clone(), def);
    }

    fn declare_enum(&mut self, unit: UnitId, name: &Ident, cases: &[EnumCase]) {
        for (at, case) in cases.iter().enumerate() {
            if let Some(first) = cases[..at]
                .iter()
                .find(|first| first.name.text == case.name.text)
            {
                self.report(names::declared_twice(
                    &case.name.text,
                    case.name.span,
                    first.name.span,
                ));
            }
        }
        let id = crate::hir::EnumId(self.hir.enums.len() as u32);
        self.hir.enums.push(EnumDef {
            name: name.text.clone(),
            cases: cases.iter().map(|case| case.name.text.clone()).collect(),
            span: name.span,
        });
        self.declare_type(unit, name, TypeDefKind::Enum(id));
    }

    fn declare_extern(&mut self, unit: UnitId, item: &Item, name: &Ident) {
        let id = crate::hir::ExternId(self.hir.externs.len() as u32);
        self.hir.externs.push(ExternDef {
            name: name.text.clone(),
            module: self.units[unit].module.clone().unwrap_or_default(),
            is_handle: !item
                .attributes
                .iter()
                .any(|attribute| attribute.name.text == "value"),
        });
        self.declare_type(unit, name, TypeDefKind::Extern(id));
    }

    fn declare_const(&mut self, unit: UnitId, at: usize, name: &Ident) {
        let value = Value::Const(self.consts.len());
        self.consts.push(ConstDef {
            unit,
            item: at,
            name: name.text.clone(),
            span: name.span,
            used: false,
            state: ConstState::Untouched,
        });
        self.declare_value(unit, name, value);
    }

    fn declare_fn(&mut self, unit: UnitId, at: usize, f: &FnItem) {
        if f.is_extern {
            return self.declare_native(unit, at, f);
        }
        let func = self.new_function();
        let value = Value::Fn(self.fns.len());
        self.fns.push(FnDef {
            unit,
            item: at,
            span: f.name.span,
            func,
            used: false,
            signature: None,
        });
        self.declare_value(unit, &f.name, value);
        if self.units[unit].module.is_some() {
            self.bodies
                .push(super::native::Body::Function(self.fns.len() - 1));
        }
    }

    fn declare_native(&mut self, unit: UnitId, at: usize, f: &FnItem) {
        match f.receiver.as_ref().and_then(super::native::receiver_word) {
            Some(receiver) => {
                let key = (receiver.to_owned(), f.name.text.clone());
                self.methods.entry(key).or_default().push((unit, at));
            }
            None => self.declare_value(unit, &f.name, Value::Native(at)),
        }
    }

    fn declare_global(&mut self, unit: UnitId, item: &Item, name: &Ident) {
        let id = GlobalId(self.hir.globals.len() as u32);
        self.hir.globals.push(Global {
            name: name.text.clone(),
            ty: self.basic.unknown,
            doc: item.doc.clone(),
            span: name.span,
            kind: GlobalKind::Metric,
        });
        self.used_globals.push(false);
        self.declare_value(unit, name, Value::Global(id));
    }

    fn declare_global_types(&mut self, unit: UnitId) {
        let file = Rc::clone(&self.units[unit].file);
        for item in &file.items {
            let (name, ty) = match &item.kind {
                ItemKind::Param { name, ty, .. } => (name, self.type_of(unit, ty)),
                ItemKind::Data { name, ty, .. } => (name, self.data_type(unit, ty)),
                ItemKind::Pool { name, .. } => (name, self.intern(Type::Pool)),
                ItemKind::Metric { name, ty } => (name, self.metric_type(unit, ty)),
                ItemKind::Server(server) => (&server.name, self.server_type(server)),
                _ => continue,
            };
            if let Some(id) = self.global_declared_at(unit, name) {
                self.hir.globals[id.index()].ty = ty;
            }
        }
    }

    /// The global that was declared by exactly this name, not by an earlier one that is called the same.
    pub(super) fn global_declared_at(&self, unit: UnitId, name: &Ident) -> Option<GlobalId> {
        match self.units[unit].values.get(&name.text) {
            Some(Value::Global(id)) if self.hir.globals[id.index()].span == name.span => Some(*id),
            _ => None,
        }
    }

    fn data_type(&mut self, unit: UnitId, ty: &TypeExpr) -> TypeId {
        let list = self.type_of(unit, ty);
        match *self.ty(list) {
            Type::List(row) => self.intern(Type::Data(row)),
            Type::Unknown => list,
            _ => {
                let name = self.name(list);
                self.report(crate::diagnostics::scenario::data_is_no_list(
                    &name, ty.span,
                ));
                self.basic.unknown
            }
        }
    }

    /// Signature of a function, worked out at the first call.
    pub(super) fn signature(&mut self, at: usize) -> Rc<Signature> {
        if let Some(signature) = &self.fns[at].signature {
            return Rc::clone(signature);
        }
        let (unit, item) = (self.fns[at].unit, self.fns[at].item);
        let file = Rc::clone(&self.units[unit].file);
        let ItemKind::Fn(f) = &file.items[item].kind else {
            unreachable!("a function definition points at a function item")
        };
        if !f.generics.is_empty() && self.units[unit].module.is_none() {
            return self.unknown_signature(at, f);
        }
        if self.units[unit].module.is_none() {
            self.refuse_untyped(&f.params);
        }
        let params: Vec<_> = f
            .params
            .iter()
            .map(|param| self.param_def(unit, param))
            .collect();
        let result = f
            .result
            .as_ref()
            .map_or(self.basic.none, |ty| self.type_of(unit, ty));
        let signature = Rc::new(Signature { params, result });
        self.fns[at].signature = Some(Rc::clone(&signature));
        signature
    }

    /// Parameters are written with their types; only sections take theirs from elsewhere.
    fn refuse_untyped(&mut self, params: &[Param]) {
        for param in params.iter().filter(|param| param.ty.is_none()) {
            self.report(syntax::untyped_parameter(&param.name.text, param.name.span));
        }
    }

    /// The signature of a function whose types mean nothing outside of the library.
    fn unknown_signature(&mut self, at: usize, f: &FnItem) -> Rc<Signature> {
        let unknown = self.basic.unknown;
        let params = f.params.iter().map(|param| ParamDef {
            name: param.name.text.clone(),
            ty: unknown,
            default: None,
            wire: false,
        });
        let signature = Rc::new(Signature {
            params: params.collect(),
            result: unknown,
        });
        self.fns[at].signature = Some(Rc::clone(&signature));
        signature
    }

    /// Type and default of a parameter.
    pub(super) fn param_def(&mut self, unit: UnitId, param: &Param) -> ParamDef {
        let ty = match &param.ty {
            Some(ty) => self.type_of(unit, ty),
            None => self.basic.unknown,
        };
        let default = param
            .default
            .as_ref()
            .and_then(|value| self.constant_of(unit, value, Some(ty)).map(|c| c.0));
        ParamDef {
            name: param.name.text.clone(),
            ty,
            default,
            wire: param
                .attributes
                .iter()
                .any(|attribute| attribute.name.text == "wire"),
        }
    }

    /// Value of a `const` item.
    pub(super) fn const_value(&mut self, at: usize) -> Option<(Const, TypeId)> {
        match self.consts[at].state.clone() {
            ConstState::Done(value, ty) => return Some((value, ty)),
            ConstState::Open => {
                let def = &self.consts[at];
                let diagnostic = names::refers_to_itself("constant", &def.name, def.span);
                self.report(diagnostic);
                return None;
            }
            ConstState::Untouched => {}
        }
        self.consts[at].state = ConstState::Open;
        let (unit, item) = (self.consts[at].unit, self.consts[at].item);
        let file = Rc::clone(&self.units[unit].file);
        let ItemKind::Const { ty, value, .. } = &file.items[item].kind else {
            unreachable!("a constant definition points at a const item")
        };
        let ty = ty.as_ref().map(|ty| self.type_of(unit, ty));
        let found = self
            .constant_of(unit, value, ty)
            .unwrap_or((Const::None, self.basic.unknown));
        self.consts[at].state = ConstState::Done(found.0.clone(), found.1);
        Some(found)
    }

    /// Checks an expression that must be constant, in a context without variables.
    pub(super) fn constant_of(
        &mut self,
        unit: UnitId,
        value: &Expr,
        ty: Option<TypeId>,
    ) -> Option<(Const, TypeId)> {
        let outer = self.enter(unit, Returns::Nothing);
        let checked = match ty {
            Some(ty) => self.typed(value, ty),
            None => self.value(value),
        };
        self.f = outer;
        if self.is_unknown(checked.ty) || checked.ty == self.basic.never {
            return None;
        }
        match super::fold::constant(&checked) {
            Some(found) => Some((found, checked.ty)),
            None => {
                self.report(values::not_constant(value.span));
                None
            }
        }
    }

    /// Starts a function in a unit; gives the one before, to be put back into `self.f`.
    pub(super) fn enter(&mut self, unit: UnitId, returns: Returns) -> FnCtx {
        let outer = std::mem::replace(
            &mut self.f,
            FnCtx {
                unit,
                returns,
                ..FnCtx::default()
            },
        );
        self.push(ScopeKind::Block);
        outer
    }

    fn metric_type(&mut self, unit: UnitId, ty: &TypeExpr) -> TypeId {
        match self.metric_kind(unit, ty) {
            Some((kind, value)) => self.intern(Type::Metric(kind, value)),
            None => self.basic.unknown,
        }
    }

    fn metric_kind(&mut self, unit: UnitId, ty: &TypeExpr) -> Option<(MetricKind, TypeId)> {
        super::metrics::declared_kind(self, unit, ty)
    }
}
