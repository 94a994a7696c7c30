//! Which functions may wait, for initialisers, which must not.
//!
//! Lowering infers waiting for itself; here it is only asked of what initialisers of params, data sets and servers call.

use super::Checker;
use crate::diagnostics::values;
use crate::hir::FuncId;
use scn_grammar::Span;
use std::collections::{HashMap, HashSet};

/// Facts gathered while bodies are checked.
#[derive(Default)]
pub(super) struct Waits {
    /// Where a function waits itself.
    direct: HashMap<FuncId, Span>,
    /// What a function calls, and where.
    called: HashMap<FuncId, Vec<(FuncId, Span)>>,
    /// Initialisers with what they are of.
    initialisers: Vec<(FuncId, &'static str)>,
}

impl Waits {
    pub(super) fn waits(&mut self, function: Option<FuncId>, span: Span) {
        if let Some(function) = function {
            self.direct.entry(function).or_insert(span);
        }
    }

    pub(super) fn calls(&mut self, function: Option<FuncId>, called: FuncId, span: Span) {
        if let Some(function) = function {
            self.called
                .entry(function)
                .or_default()
                .push((called, span));
        }
    }

    pub(super) fn initialiser(&mut self, function: FuncId, what: &'static str) {
        self.initialisers.push((function, what));
    }

    /// Where a function waits, itself or through what it calls.
    fn reaches(&self, function: FuncId, seen: &mut HashSet<FuncId>) -> bool {
        seen.insert(function)
            && (self.direct.contains_key(&function)
                || self
                    .called
                    .get(&function)
                    .is_some_and(|called| called.iter().any(|(f, _)| self.reaches(*f, seen))))
    }
}

impl Checker<'_> {
    /// Reports initialisers that may wait.
    pub(super) fn check_initialisers(&mut self) {
        let mut found = Vec::new();
        for (function, what) in &self.waits.initialisers {
            if let Some(span) = self.waits.direct.get(function) {
                found.push(values::initialiser_waits(what, *span));
                continue;
            }
            let calls = self.waits.called.get(function).into_iter().flatten();
            let waiting =
                calls.filter(|(called, _)| self.waits.reaches(*called, &mut HashSet::new()));
            found.extend(
                waiting
                    .map(|(_, span)| values::initialiser_waits(what, *span))
                    .take(1),
            );
        }
        self.diagnostics.extend(found);
    }
}
