//! Items with bodies: functions, constants, initialisers, tests; servers and scenarios in modules of their own.

use super::Checker;
use super::expr::Want;
use super::function::Head;
use super::scope::{Returns, VarKind};
use super::units::{UnitId, Value};
use crate::diagnostics::names;
use crate::hir::{Block, FuncId, FunctionKind, GlobalId, GlobalKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident, Item, ItemKind, StrLit};
use std::collections::HashMap;
use std::rc::Rc;

impl Checker<'_> {
    /// Checks all bodies: of files in initialisation order, then of what they used of the library.
    pub(super) fn check_items(&mut self) {
        for unit in self.order.clone() {
            let file = Rc::clone(&self.units[unit].file);
            self.refuse_same_names(&file.items);
            for item in &file.items {
                self.check_item(unit, item);
            }
        }
        for unit in self.order.clone() {
            self.check_unit_thresholds(unit);
        }
        self.check_library_bodies();
        self.check_initialisers();
        self.check_pool_circles();
    }

    fn check_item(&mut self, unit: UnitId, item: &Item) {
        match &item.kind {
            ItemKind::Fn(f) if !f.is_extern => self.check_fn_item(unit, &f.name),
            ItemKind::Const { name, .. } => self.check_const_item(unit, name),
            ItemKind::Type { name, .. } | ItemKind::Enum { name, .. } if item.export => {
                self.export_type(unit, name)
            }
            ItemKind::Type { name, .. } => self.check_type_item(unit, name),
            ItemKind::Param { name, value, .. } => self.check_param(unit, name, value.as_ref()),
            ItemKind::Data { name, value, .. } => self.check_data(unit, name, value),
            ItemKind::Pool { name, lines } => self.check_pool(unit, name, lines),
            ItemKind::Server(server) => self.check_server(unit, server),
            ItemKind::Scenario(scenario) => self.check_scenario(unit, scenario, item.doc.clone()),
            ItemKind::Test { name, body } => self.check_test(unit, name, body),
            ItemKind::Enum { .. }
            | ItemKind::ExternType { .. }
            | ItemKind::Fn(_)
            | ItemKind::Metric { .. }
            | ItemKind::Use { .. }
            | ItemKind::Thresholds(_)
            | ItemKind::Bad => {}
        }
    }

    fn check_fn_item(&mut self, unit: UnitId, name: &Ident) {
        let at = match self.units[unit].values.get(&name.text) {
            Some(Value::Fn(at)) if self.fns[*at].span == name.span => Some(*at),
            // Declared twice: the second one is checked as well.
            _ => self
                .fns
                .iter()
                .position(|def| def.unit == unit && def.span == name.span),
        };
        if let Some(at) = at {
            self.check_fn(at);
        }
    }

    fn check_const_item(&mut self, unit: UnitId, name: &Ident) {
        let at = match self.units[unit].values.get(&name.text) {
            Some(Value::Const(at)) if self.consts[*at].span == name.span => Some(*at),
            _ => self
                .consts
                .iter()
                .position(|def| def.unit == unit && def.span == name.span),
        };
        if let Some(at) = at {
            self.const_value(at);
        }
    }

    /// A type that others use.
    fn export_type(&mut self, unit: UnitId, name: &Ident) {
        if self.units[unit].types.contains_key(&name.text) {
            let ty = self.declared_type(unit, &name.text);
            self.hir.exported_types.push((ty, name.span));
        }
    }

    /// A type that nobody uses is looked at here.
    fn check_type_item(&mut self, unit: UnitId, name: &Ident) {
        let Some(def) = self.units[unit].types.get(&name.text) else {
            return;
        };
        let used = def.used;
        self.declared_type(unit, &name.text);
        if let Some(def) = self.units[unit].types.get_mut(&name.text) {
            def.used = used;
        }
    }

    /// Scenarios share one namespace, tests another.
    fn refuse_same_names(&mut self, items: &[Item]) {
        let mut seen: HashMap<(bool, &str), Span> = HashMap::new();
        for item in items {
            let (test, name, span) = match &item.kind {
                ItemKind::Scenario(scenario) => {
                    (false, scenario.name.text.as_str(), scenario.name.span)
                }
                ItemKind::Test { name, .. } => (true, name.text.as_str(), name.span),
                _ => continue,
            };
            if name.is_empty() {
                continue;
            }
            match seen.get(&(test, name)) {
                Some(first) => self.report(names::declared_twice(name, span, *first)),
                None => {
                    seen.insert((test, name), span);
                }
            }
        }
    }

    fn check_param(&mut self, unit: UnitId, name: &Ident, value: Option<&ast::Expr>) {
        let Some(id) = self.global_declared_at(unit, name) else {
            return;
        };
        let ty = self.hir.globals[id.index()].ty;
        let init =
            value.map(|value| self.initialiser(unit, id, value, ty, "the initialiser of a param"));
        self.hir.globals[id.index()].kind = GlobalKind::Param { init };
    }

    fn check_data(&mut self, unit: UnitId, name: &Ident, value: &ast::Expr) {
        let Some(id) = self.global_declared_at(unit, name) else {
            return;
        };
        let ty = match *self.ty(self.hir.globals[id.index()].ty) {
            Type::Data(row) => self.list(row),
            _ => self.basic.unknown,
        };
        let init = self.initialiser(unit, id, value, ty, "a data set");
        self.hir.globals[id.index()].kind = GlobalKind::Data { init };
    }

    /// A function without parameters that gives a global's value.
    pub(super) fn initialiser(
        &mut self,
        unit: UnitId,
        global: GlobalId,
        value: &ast::Expr,
        ty: TypeId,
        what: &'static str,
    ) -> FuncId {
        let func = self.new_function();
        self.waits.initialiser(func, what);
        let head = Head {
            unit,
            func,
            name: self.hir.globals[global.index()].name.clone(),
            kind: FunctionKind::Initialiser,
            returns: Returns::Nothing,
            result_span: None,
            span: value.span,
            cells: None,
        };
        let outer = self.begin(&head);
        self.f.initialises = Some(global);
        let value = self.expr(value, Want::Type(ty));
        let value = self.coerce(value, ty);
        let span = value.span;
        self.f.returns = Returns::Value(ty);
        let body = Block {
            stmts: Vec::new(),
            value: Some(value),
            span,
        };
        self.store(head, Vec::new(), body, outer);
        func
    }

    /// The global whose initialiser is being checked.
    pub(super) fn initialising(&self) -> Option<GlobalId> {
        self.f.initialises
    }

    fn check_test(&mut self, unit: UnitId, name: &StrLit, body: &ast::Block) {
        let func = self.new_function();
        let head = Head {
            unit,
            func,
            name: format!("test \"{}\"", name.text),
            kind: FunctionKind::Test,
            returns: Returns::Plain,
            result_span: None,
            span: name.span,
            cells: None,
        };
        self.check_function(head, &[], VarKind::Variable, body);
        if self.is_entry(unit) {
            self.hir.tests.push(crate::hir::Test {
                name: name.text.clone(),
                func,
                span: name.span,
            });
        }
    }

    /// Whether a unit is the file that was asked for: only its scenarios and tests are part of the program.
    pub(super) fn is_entry(&self, unit: UnitId) -> bool {
        unit == 0
    }

    /// The pool of a name in this file, or `alias.name` as one word is not possible here.
    pub(super) fn pool_named(&mut self, unit: UnitId, name: &Ident) -> Option<GlobalId> {
        if name.text.is_empty() {
            return None;
        }
        if let Some(Value::Global(id)) = self.units[unit].values.get(&name.text).copied()
            && matches!(self.ty(self.hir.globals[id.index()].ty), Type::Pool)
        {
            self.used_globals[id.index()] = true;
            return Some(id);
        }
        let pools: Vec<_> = self
            .hir
            .globals
            .iter()
            .filter(|g| matches!(self.ty(g.ty), Type::Pool))
            .collect();
        let help = crate::diagnostics::suggest::did_you_mean(
            &name.text,
            pools.iter().map(|g| g.name.as_str()),
        );
        self.report(crate::diagnostics::scenario::unknown_pool(
            &name.text, name.span, help,
        ));
        None
    }
}
