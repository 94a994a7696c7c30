//! Scopes: which variable a name means, what was done to it, and what lies between.

use super::Checker;
use super::units::UnitId;
use crate::diagnostics::names;
use crate::hir::{CellId, CellOwner, FuncId, GlobalId, Local, LocalId, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::Ident;
use std::collections::HashMap;

/// The function being checked.
#[derive(Default)]
pub(super) struct FnCtx {
    pub unit: UnitId,
    pub locals: Vec<Local>,
    /// What happened to each local.
    pub marks: Vec<Marks>,
    pub scopes: Vec<Scope>,
    pub returns: Returns,
    /// Id of the function, for the wait analysis.
    pub id: Option<FuncId>,
    /// How many scopes are open where `var`s become cells.
    pub cell_depth: Option<usize>,
    /// The global whose initialiser this is.
    pub initialises: Option<GlobalId>,
    /// Which cells are in scope.
    pub cells: Option<CellOwner>,
    /// Inside arguments that go over the wire, where secrets may go.
    pub wire: bool,
    /// A secret was opened since the innermost call began.
    pub revealed: bool,
    /// Inside a route, where `req` and `reply` are known.
    pub in_route: bool,
}

/// What was done to a variable.
#[derive(Clone, Copy, Default)]
pub(super) struct Marks {
    pub read: bool,
    pub written: bool,
    /// Parameters have a lint of their own, or none.
    pub kind: VarKind,
}

/// How a variable came to be.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum VarKind {
    /// `let`, `var`, `for`, `if let`, patterns.
    #[default]
    Variable,
    /// A parameter that the user wrote and could remove.
    Parameter,
    /// Nobody complains when it is not used: `req`, `catch e`, made-up locals.
    Silent,
}

/// What `return` does.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Returns {
    /// There is nothing to return from.
    #[default]
    Nothing,
    /// Returns without a value.
    Plain,
    /// Returns a value of this type.
    Value(TypeId),
    /// Like `setup`: the first `return` decides.
    Infer(Option<TypeId>),
}

/// A scope with its names.
pub(super) struct Scope {
    pub kind: ScopeKind,
    pub names: Vec<(String, Var, Span)>,
    /// Where a name stands in `names`; the last declaration wins.
    index: HashMap<String, usize>,
}

/// What a scope is to the jumps and assignments in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScopeKind {
    /// A block.
    Block,
    /// A loop; whether a `break` leaves it.
    Loop { breaks: bool },
    /// A branch of `parallel` or `race`: reads outer variables, assigns only its own.
    Branch(&'static str),
    /// `defer`: no jump leaves it.
    Defer,
}

/// What a name in a scope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Var {
    Local(LocalId),
    Cell(CellId),
}

/// Variables of the scenario or server being checked.
#[derive(Default)]
pub(super) struct Cells {
    pub all: Vec<Local>,
    pub marks: Vec<Marks>,
}

/// A variable that was found, and what stands between.
pub(super) struct Found {
    pub var: Var,
    /// A parallel branch between here and its declaration.
    pub branch: Option<&'static str>,
}

impl Checker<'_> {
    pub(super) fn push(&mut self, kind: ScopeKind) {
        self.f.scopes.push(Scope {
            kind,
            names: Vec::new(),
            index: HashMap::new(),
        });
    }

    pub(super) fn pop(&mut self) -> Scope {
        self.f.scopes.pop().expect("every pop follows its push")
    }

    /// A local without a name.
    pub(super) fn hidden_local(&mut self, ty: TypeId, span: Span) -> LocalId {
        self.new_local(String::new(), ty, false, span, VarKind::Silent)
    }

    fn new_local(
        &mut self,
        name: String,
        ty: TypeId,
        mutable: bool,
        span: Span,
        kind: VarKind,
    ) -> LocalId {
        self.f.locals.push(Local {
            name,
            ty,
            mutable,
            span,
        });
        self.f.marks.push(Marks {
            kind,
            ..Marks::default()
        });
        LocalId(self.f.locals.len() as u32 - 1)
    }

    /// Declares a local in the innermost scope.
    pub(super) fn declare(
        &mut self,
        name: &Ident,
        ty: TypeId,
        mutable: bool,
        kind: VarKind,
    ) -> LocalId {
        let local = self.new_local(name.text.clone(), ty, mutable, name.span, kind);
        self.bind(&name.text, Var::Local(local), name.span);
        local
    }

    /// Declares a cell of the current scenario or server.
    pub(super) fn declare_cell(&mut self, name: &Ident, ty: TypeId, mutable: bool) -> CellId {
        let cell = CellId(self.cells.all.len() as u32);
        self.cells.all.push(Local {
            name: name.text.clone(),
            ty,
            mutable,
            span: name.span,
        });
        self.cells.marks.push(Marks::default());
        self.bind(&name.text, Var::Cell(cell), name.span);
        cell
    }

    /// Makes all cells visible in the innermost scope.
    pub(super) fn bind_cells(&mut self) {
        for at in 0..self.cells.all.len() {
            let Local { name, span, .. } = self.cells.all[at].clone();
            self.bind(&name, Var::Cell(CellId(at as u32)), span);
        }
    }

    /// Gives a name to a variable in the innermost scope.
    pub(super) fn bind(&mut self, name: &str, var: Var, span: Span) {
        if name.is_empty() {
            return;
        }
        let scope = self
            .f
            .scopes
            .last_mut()
            .expect("names are bound inside a scope");
        let first = scope.index.insert(name.to_owned(), scope.names.len());
        let first = first.map(|at| scope.names[at].2);
        scope.names.push((name.to_owned(), var, span));
        if let Some(first) = first {
            self.report(names::declared_twice(name, span, first));
        }
    }

    /// The variable that a name means here.
    pub(super) fn lookup(&self, name: &str) -> Option<Found> {
        let mut branch = None;
        for scope in self.f.scopes.iter().rev() {
            if let Some(at) = scope.index.get(name) {
                let var = scope.names[*at].1;
                return Some(Found { var, branch });
            }
            if let ScopeKind::Branch(what) = scope.kind {
                branch = branch.or(Some(what));
            }
        }
        None
    }

    pub(super) fn local(&self, id: LocalId) -> &Local {
        &self.f.locals[id.index()]
    }

    /// Declaration of a variable.
    pub(super) fn declaration(&self, var: Var) -> &Local {
        match var {
            Var::Local(id) => self.local(id),
            Var::Cell(id) => &self.cells.all[id.index()],
        }
    }

    pub(super) fn marks(&mut self, var: Var) -> &mut Marks {
        match var {
            Var::Local(id) => &mut self.f.marks[id.index()],
            Var::Cell(id) => &mut self.cells.marks[id.index()],
        }
    }

    /// Names in scope, for suggestions.
    pub(super) fn names_in_scope(&self) -> Vec<String> {
        let unit = &self.units[self.f.unit];
        let locals = self
            .f
            .scopes
            .iter()
            .flat_map(|scope| scope.names.iter().map(|name| name.0.clone()));
        let values = unit.values.keys().chain(unit.imports.keys()).cloned();
        let modules = self
            .library
            .modules
            .iter()
            .map(|module| module.0.to_owned());
        locals
            .chain(values)
            .chain(modules)
            .filter(|name| name != "prelude")
            .collect()
    }
}
