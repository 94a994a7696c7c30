//! Functions of every kind: parameters, body, result, and what was never used in them.

use super::Checker;
use super::block::Checked;
use super::expr::Want;
use super::scope::{FnCtx, Returns, VarKind};
use super::units::UnitId;
use crate::diagnostics::{lints, types};
use crate::hir::{Block, CellOwner, Export, FuncId, Function, FunctionKind, LocalId, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident, ItemKind};
use std::rc::Rc;

/// What is known of a function before its body.
pub(super) struct Head {
    pub unit: UnitId,
    pub func: FuncId,
    pub name: String,
    pub kind: FunctionKind,
    pub returns: Returns,
    /// Where the result type is written.
    pub result_span: Option<Span>,
    pub span: Span,
    pub cells: Option<CellOwner>,
}

impl Checker<'_> {
    /// Checks a `fn` item.
    pub(super) fn check_fn(&mut self, at: usize) {
        let signature = self.signature(at);
        let (unit, item, func) = (self.fns[at].unit, self.fns[at].item, self.fns[at].func);
        let file = Rc::clone(&self.units[unit].file);
        let ItemKind::Fn(f) = &file.items[item].kind else {
            unreachable!("a function points at a function item")
        };
        let params: Vec<_> = f
            .params
            .iter()
            .zip(&signature.params)
            .map(|(param, def)| (param.name.clone(), def.ty))
            .collect();
        let returns = match &f.result {
            Some(_) => Returns::Value(signature.result),
            None => Returns::Plain,
        };
        let head = Head {
            unit,
            func,
            name: f.name.text.clone(),
            kind: FunctionKind::Fn,
            returns,
            result_span: f.result.as_ref().map(|ty| ty.span),
            span: f.name.span,
            cells: None,
        };
        let empty = ast::Block {
            span: f.name.span,
            stmts: Vec::new(),
        };
        let body = f.body.as_ref().unwrap_or(&empty);
        self.check_function(head, &params, VarKind::Parameter, body);
        if file.items[item].export {
            let doc = file.items[item].doc.clone();
            self.hir.exports.push(Export { func, doc });
        }
    }

    /// Checks a function's body and stores it; gives what `return` turned out to give.
    pub(super) fn check_function(
        &mut self,
        head: Head,
        params: &[(Ident, TypeId)],
        kind: VarKind,
        body: &ast::Block,
    ) -> Returns {
        let outer = self.begin(&head);
        let params: Vec<_> = params
            .iter()
            .map(|(name, ty)| self.declare(name, *ty, false, kind))
            .collect();
        if head.kind == FunctionKind::Section(ast::SectionKind::Init) {
            self.f.cell_depth = Some(self.f.scopes.len() + 1);
        }
        let checked = self.block(body, Want::Drop);
        self.require_return(&head, &checked);
        self.store(head, params, checked.block, outer)
    }

    /// Starts a function: its context is new, the cells of its scenario or server are in scope.
    pub(super) fn begin(&mut self, head: &Head) -> FnCtx {
        let outer = self.enter(head.unit, head.returns);
        self.f.id = Some(head.func);
        self.f.cells = head.cells;
        self.f.in_route = head.kind == FunctionKind::Route;
        if head.cells.is_some() {
            self.bind_cells();
            self.push(super::scope::ScopeKind::Block);
        }
        outer
    }

    /// Stores a checked function and goes back to the one around it.
    pub(super) fn store(
        &mut self,
        head: Head,
        params: Vec<LocalId>,
        body: Block,
        outer: FnCtx,
    ) -> Returns {
        self.lint_locals();
        let f = std::mem::replace(&mut self.f, outer);
        let result = match f.returns {
            Returns::Value(ty) | Returns::Infer(Some(ty)) => ty,
            Returns::Nothing | Returns::Plain | Returns::Infer(None) => self.basic.none,
        };
        self.functions[head.func.index()] = Some(Function {
            name: head.name,
            kind: head.kind,
            params,
            locals: f.locals,
            result,
            body,
            cells: f.cells,
            span: head.span,
        });
        f.returns
    }

    fn require_return(&mut self, head: &Head, checked: &Checked) {
        let wanted = match self.f.returns {
            Returns::Value(ty) => ty,
            Returns::Infer(Some(ty)) => ty,
            _ => return,
        };
        if checked.ty == self.basic.never || wanted == self.basic.none || self.is_unknown(wanted) {
            return;
        }
        let last = checked.block.stmts.last();
        let value = last.and_then(|stmt| match &stmt.kind {
            crate::hir::StmtKind::Expr(value)
                if self.fits(value.ty, wanted, Default::default()) =>
            {
                Some(value.span)
            }
            _ => None,
        });
        let end = Span {
            start: checked.block.span.end.saturating_sub(1),
            ..checked.block.span
        };
        let wanted = self.name(wanted);
        self.report(types::missing_return(
            &head.name,
            &wanted,
            end,
            head.result_span,
            value.is_some(),
        ));
    }

    /// Warns about locals that nobody read.
    fn lint_locals(&mut self) {
        if self.units[self.f.unit].module.is_some() {
            return;
        }
        let mut found = Vec::new();
        for (local, marks) in self.f.locals.iter().zip(&self.f.marks) {
            if local.name.is_empty() || local.name.starts_with('_') || marks.kind == VarKind::Silent
            {
                continue;
            }
            if !marks.read {
                found.push(match marks.kind {
                    VarKind::Parameter => lints::unused_parameter(&local.name, local.span),
                    _ => lints::unused_variable(&local.name, local.span, marks.written),
                });
            } else if local.mutable && !marks.written {
                found.push(lints::never_changes(&local.name, local.span));
            }
        }
        self.diagnostics.extend(found);
    }
}
