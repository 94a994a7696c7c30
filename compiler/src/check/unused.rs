//! Lints about items that nobody uses.
//!
//! Only the entry file is looked at, and only if it runs something: a file of functions is there for others.

use super::Checker;
use super::units::Value;
use crate::diagnostics::lints;
use scn_grammar::Span;
use scn_grammar::ast::{Ident, ItemKind};
use std::rc::Rc;

impl Checker<'_> {
    pub(super) fn lint_unused(&mut self) {
        self.lint_imports();
        let file = Rc::clone(&self.units[0].file);
        let runs = file.items.iter().any(|item| {
            matches!(
                item.kind,
                ItemKind::Scenario(_) | ItemKind::Test { .. } | ItemKind::Server(_)
            ) || item.export
        });
        if !runs {
            return;
        }
        for item in &file.items {
            let (what, name) = match &item.kind {
                ItemKind::Fn(f) if !item.export => ("function", &f.name),
                ItemKind::Const { name, .. } => ("constant", name),
                ItemKind::Param { name, .. } => ("param", name),
                ItemKind::Data { name, .. } => ("data set", name),
                ItemKind::Pool { name, .. } => ("pool", name),
                ItemKind::Metric { name, .. } => ("metric", name),
                ItemKind::Type { name, .. } => ("type", name),
                ItemKind::Enum { name, .. } => ("enum", name),
                _ => continue,
            };
            if !name.text.is_empty()
                && !name.text.starts_with('_')
                && !self.is_used(&item.kind, name)
            {
                self.report(lints::unused_item(what, &name.text, name.span));
            }
        }
    }

    fn is_used(&self, item: &ItemKind, name: &Ident) -> bool {
        let (ItemKind::Type { .. } | ItemKind::Enum { .. }) = item else {
            return self.is_used_value(name, name.span);
        };
        self.units[0]
            .types
            .get(&name.text)
            .is_none_or(|def| def.used)
    }

    fn is_used_value(&self, name: &Ident, span: Span) -> bool {
        match self.units[0].values.get(&name.text) {
            Some(Value::Fn(at)) if self.fns[*at].span == span => self.fns[*at].used,
            Some(Value::Const(at)) if self.consts[*at].span == span => self.consts[*at].used,
            Some(Value::Global(id)) if self.hir.globals[id.index()].span == span => {
                self.used_globals[id.index()]
            }
            // Declared twice, which was reported.
            _ => true,
        }
    }

    fn lint_imports(&mut self) {
        let unused: Vec<_> = self.units[0]
            .imports
            .iter()
            .filter(|(alias, import)| !import.used && !alias.starts_with('_'))
            .map(|(alias, import)| lints::unused_import(alias, import.span))
            .collect();
        self.diagnostics.extend(unused);
    }
}
