//! Names as values: variables, constants, globals, bare enum cases, and what to say about everything else.

use super::Checker;
use super::expr::Want;
use super::scope::Var;
use super::units::{TypeDefKind, UnitId, Value};
use crate::diagnostics::names;
use crate::diagnostics::suggest::did_you_mean;
use crate::hir::{Const, EnumId, Expr, ExprKind, GlobalId, GlobalKind, Type};
use scn_grammar::Span;
use scn_grammar::ast::{BindingKind, Ident, ItemKind, SectionKind, StmtKind};
use std::rc::Rc;

/// What stands before a dot, when it is no value.
#[derive(Clone, Copy)]
pub(super) enum PathBase {
    /// The alias of a `use`.
    Import(UnitId),
    /// A library module.
    Module(UnitId),
    /// An enum.
    Enum(EnumId),
    /// The alias of a file that could not be loaded.
    Broken,
}

impl Checker<'_> {
    /// A name where a value is wanted.
    pub(super) fn name_value(&mut self, name: &Ident, want: Want) -> Expr {
        if name.text.is_empty() {
            return self.unknown(name.span);
        }
        if let Some(value) = self.variable(name) {
            return value;
        }
        if let Some(value) = self.bare_case(name, want) {
            return value;
        }
        match self.units[self.f.unit].values.get(&name.text).copied() {
            Some(Value::Const(at)) => self.const_use(at, name.span),
            Some(Value::Global(id)) => self.global_use(id, name.span),
            Some(Value::Fn(at)) => {
                self.fns[at].used = true;
                self.function_as_value(&name.text, name.span)
            }
            Some(Value::Native(_)) => self.function_as_value(&name.text, name.span),
            None => self.no_value(name),
        }
    }

    fn function_as_value(&mut self, name: &str, span: Span) -> Expr {
        self.refused(names::not_a_value(
            name,
            "a function",
            span,
            Some(format!("call it: `{name}(...)`")),
        ))
    }

    /// A variable in scope.
    pub(super) fn variable(&mut self, name: &Ident) -> Option<Expr> {
        let found = self.lookup(&name.text)?;
        self.marks(found.var).read = true;
        let ty = self.declaration(found.var).ty;
        let kind = match found.var {
            Var::Local(id) => ExprKind::Local(id),
            Var::Cell(id) => ExprKind::Cell(id),
        };
        Some(self.node(kind, ty, name.span))
    }

    /// The case of an expected enum, named without the enum.
    fn bare_case(&mut self, name: &Ident, want: Want) -> Option<Expr> {
        let ty = want.ty()?;
        let ty = self.inside(ty).unwrap_or(ty);
        let Type::Enum(id) = *self.ty(ty) else {
            return None;
        };
        let case = self.hir.enums[id.index()]
            .cases
            .iter()
            .position(|case| *case == name.text)?;
        Some(self.literal(Const::Enum(id, case as u32), ty, name.span))
    }

    pub(super) fn const_use(&mut self, at: usize, span: Span) -> Expr {
        self.consts[at].used = true;
        match self.const_value(at) {
            Some((value, ty)) => self.literal(value, ty, span),
            None => self.unknown(span),
        }
    }

    pub(super) fn global_use(&mut self, id: GlobalId, span: Span) -> Expr {
        self.used_globals[id.index()] = true;
        let global = &self.hir.globals[id.index()];
        let (ty, declared) = (global.ty, global.span);
        if let Some(current) = self.initialising()
            && id >= current
            && !matches!(self.ty(ty), Type::Pool | Type::Metric(..))
        {
            let name = self.hir.globals[id.index()].name.clone();
            self.report(names::used_too_early(&name, span, declared));
        }
        self.node(ExprKind::Global(id), ty, span)
    }

    fn no_value(&mut self, name: &Ident) -> Expr {
        let text = &name.text;
        if let Some(base) = self.path_base(name) {
            let what = match base {
                PathBase::Broken => return self.unknown(name.span),
                PathBase::Enum(_) => "an enum",
                PathBase::Import(_) | PathBase::Module(_) => "a module",
            };
            return self.refused(names::not_a_value(text, what, name.span, None));
        }
        if self.prelude_function(text).is_some() {
            return self.function_as_value(text, name.span);
        }
        if self.units[self.f.unit].types.contains_key(text) {
            return self.refused(names::not_a_value(text, "a type", name.span, None));
        }
        if let Some(declared) = self.init_variable_span(text) {
            return self.refused(names::init_variable(text, name.span, declared));
        }
        let help = self.name_suggestion(text);
        self.refused(names::unknown_name(text, name.span, help))
    }

    pub(super) fn name_suggestion(&self, name: &str) -> Option<String> {
        match name {
            "null" | "nil" | "undefined" | "None" => {
                return Some("did you mean `none`?".to_owned());
            }
            "True" => return Some("did you mean `true`?".to_owned()),
            "False" => return Some("did you mean `false`?".to_owned()),
            "console" | "print" | "println" => return Some("write `log.info(...)`".to_owned()),
            "assert" => return Some("write `check ...` or `expect ...`".to_owned()),
            "len" => return Some("write `.len()` behind the value".to_owned()),
            _ => {}
        }
        // In a large broken file suggestions would cost more than they help.
        if self.diagnostics.len() > 200 {
            return None;
        }
        let candidates = self.names_in_scope();
        did_you_mean(name, candidates.iter().map(String::as_str))
    }

    /// Where an `init` of this file declares a variable of that name.
    fn init_variable_span(&self, name: &str) -> Option<Span> {
        let file = Rc::clone(&self.units[self.f.unit].file);
        let scenarios = file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Scenario(scenario) => Some(scenario),
            _ => None,
        });
        let inits =
            scenarios.flat_map(|s| s.sections.iter().filter(|s| s.kind == SectionKind::Init));
        inits
            .flat_map(|init| &init.body.stmts)
            .find_map(|stmt| match &stmt.kind {
                StmtKind::Let {
                    mutable: true,
                    pattern,
                    ..
                } => match &pattern.kind {
                    BindingKind::Name(declared) if declared.text == name => Some(declared.span),
                    _ => None,
                },
                _ => None,
            })
    }

    /// A function that needs no module name: of the prelude, and `reply` in routes.
    pub(super) fn prelude_function(&mut self, name: &str) -> Option<(UnitId, usize)> {
        let mut modules = vec!["prelude"];
        if self.f.in_route {
            modules.push("server");
        }
        modules.into_iter().find_map(|module| {
            let unit = self.module(module)?;
            match self.units[unit].values.get(name) {
                Some(Value::Native(item)) => Some((unit, *item)),
                _ => None,
            }
        })
    }

    /// What a name before a dot means, if it is neither variable nor item.
    pub(super) fn path_base(&mut self, name: &Ident) -> Option<PathBase> {
        if self.lookup(&name.text).is_some()
            || self.units[self.f.unit].values.contains_key(&name.text)
        {
            return None;
        }
        if let Some(import) = self.units[self.f.unit].imports.get_mut(&name.text) {
            import.used = true;
            return Some(import.unit.map_or(PathBase::Broken, PathBase::Import));
        }
        if let Some(id) = self.enum_named(self.f.unit, &name.text) {
            return Some(PathBase::Enum(id));
        }
        if self.is_module(&name.text) && name.text != "prelude" {
            return self.module(&name.text).map(PathBase::Module);
        }
        let owner = self.module_of_type(&name.text)?;
        self.enum_named(owner, &name.text).map(PathBase::Enum)
    }

    /// An enum that a unit declares.
    pub(super) fn enum_named(&mut self, unit: UnitId, name: &str) -> Option<EnumId> {
        let def = self.units[unit].types.get_mut(name)?;
        match def.kind {
            TypeDefKind::Enum(id) => {
                def.used = true;
                Some(id)
            }
            _ => None,
        }
    }

    /// `Color.red`.
    pub(super) fn enum_case(&mut self, id: EnumId, case: &Ident, span: Span) -> Expr {
        let def = &self.hir.enums[id.index()];
        match def.cases.iter().position(|known| *known == case.text) {
            Some(at) => {
                let ty = self.intern(Type::Enum(id));
                self.literal(Const::Enum(id, at as u32), ty, span)
            }
            None if case.text.is_empty() => self.unknown(span),
            None => {
                let cases = def.cases.iter().map(String::as_str);
                let diagnostic =
                    names::unknown_case(&def.name, &case.text, case.span, def.span, cases);
                self.refused(diagnostic)
            }
        }
    }

    /// `auth.LIMIT`, `user.id`: a member that is not called.
    pub(super) fn path_member(
        &mut self,
        base: PathBase,
        alias: &Ident,
        name: &Ident,
        span: Span,
    ) -> Expr {
        match base {
            PathBase::Broken => self.unknown(span),
            PathBase::Enum(id) => self.enum_case(id, name, span),
            PathBase::Import(unit) => match self.units[unit].values.get(&name.text).copied() {
                Some(Value::Const(at)) => self.const_use(at, span),
                Some(Value::Global(id)) => self.imported_global(id, alias, name, span),
                Some(_) => self.function_as_value(&format!("{}.{}", alias.text, name.text), span),
                None => self.no_member(unit, alias, name),
            },
            PathBase::Module(unit) => match self.units[unit].values.get(&name.text).copied() {
                Some(Value::Native(item)) => {
                    let native = self.native(unit, item);
                    if !self.hir.natives[native.index()].property {
                        return self
                            .function_as_value(&format!("{}.{}", alias.text, name.text), span);
                    }
                    self.call_native(native, None, &[], span, name.span, Want::Any)
                }
                Some(Value::Const(at)) => self.const_use(at, span),
                _ => self.no_member(unit, alias, name),
            },
        }
    }

    fn imported_global(&mut self, id: GlobalId, alias: &Ident, name: &Ident, span: Span) -> Expr {
        let what = match self.ty(self.hir.globals[id.index()].ty) {
            Type::Data(_) | Type::Pool | Type::Metric(..) => return self.global_use(id, span),
            Type::Server(_) => "a server",
            _ => "a param",
        };
        let declared = self.hir.globals[id.index()].span;
        self.refused(names::not_importable(
            &alias.text,
            &name.text,
            what,
            name.span,
            declared,
        ))
    }

    pub(super) fn no_member(&mut self, unit: UnitId, module: &Ident, name: &Ident) -> Expr {
        if name.text.is_empty() {
            return self.unknown(name.span);
        }
        let members: Vec<_> = self.units[unit].values.keys().cloned().collect();
        let diagnostic = names::unknown_module_member(
            &module.text,
            &name.text,
            name.span,
            members.iter().map(String::as_str),
        );
        self.refused(diagnostic)
    }

    /// What a global is, in words.
    pub(super) fn global_word(&self, id: GlobalId) -> &'static str {
        match &self.hir.globals[id.index()].kind {
            GlobalKind::Param { .. } => "param",
            GlobalKind::Data { .. } => "data set",
            GlobalKind::Pool(_) => "pool",
            GlobalKind::Metric => "metric",
            GlobalKind::Server(_) => "server",
        }
    }
}
