//! Lints about items that nobody uses.
//!
//! Only the entry file is looked at, and only if it runs something: a file of functions is there for others.

use super::Checker;
use crate::diagnostics::lints;
use scn_grammar::ast::ItemKind;
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
                && !self.is_used(&item.kind, name.span)
            {
                self.report(lints::unused_item(what, &name.text, name.span));
            }
        }
    }

    fn is_used(&self, item: &ItemKind, span: scn_grammar::Span) -> bool {
        match item {
            ItemKind::Fn(_) => self.fns.iter().any(|def| def.span == span && def.used),
            ItemKind::Const { .. } => self.consts.iter().any(|def| def.span == span && def.used),
            ItemKind::Type { name, .. } | ItemKind::Enum { name, .. } => self.units[0]
                .types
                .get(&name.text)
                .is_none_or(|def| def.used),
            _ => self
                .hir
                .globals
                .iter()
                .zip(&self.used_globals)
                .any(|(global, used)| global.span == span && *used),
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
