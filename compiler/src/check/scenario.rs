//! Scenarios: their sections, what they hand to each other, and their configuration lines.

use super::Checker;
use super::function::Head;
use super::scope::{Cells, Returns, VarKind};
use super::units::UnitId;
use crate::diagnostics::{lints, scenario, values};
use crate::hir::{CellOwner, Const, FuncId, FunctionKind, Scenario, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident, Param, ScenarioItem, Section, SectionKind, TagBlock};

/// Tags that the tool sets itself.
pub(super) const OWN_TAGS: [&str; 8] = [
    "scenario", "step", "name", "method", "status", "kind", "check", "server",
];

/// The order in which sections run and are checked.
const ORDER: [SectionKind; 5] = [
    SectionKind::Setup,
    SectionKind::Init,
    SectionKind::Each,
    SectionKind::Exit,
    SectionKind::Teardown,
];

impl Checker<'_> {
    pub(super) fn check_scenario(
        &mut self,
        unit: UnitId,
        item: &ScenarioItem,
        doc: Option<String>,
    ) {
        if !self.is_entry(unit) {
            return;
        }
        self.refuse_repeats(item);
        let index = self.hir.scenarios.len() as u32;
        let mut sections: [Option<FuncId>; 5] = [None; 5];
        self.cells = Cells::default();
        if item.sections.is_empty() {
            sections[2] = Some(self.check_plain(unit, item, index));
        } else {
            self.check_sections(unit, item, index, &mut sections);
        }
        self.lint_cells();
        let [setup, init, each, exit, teardown] = sections;
        let load = item.load.first().map(|load| self.load_plan(unit, load));
        let source = item
            .source
            .first()
            .and_then(|pool| self.pool_named(unit, pool));
        let tags = item
            .tags
            .iter()
            .flat_map(|block| self.tags(unit, block))
            .collect();
        let thresholds = self.thresholds(unit, &item.thresholds);
        let cells = std::mem::take(&mut self.cells).all;
        self.hir.scenarios.push(Scenario {
            name: item.name.text.clone(),
            doc,
            span: item.name.span,
            setup,
            init,
            each,
            exit,
            teardown,
            cells,
            load,
            source,
            tags,
            thresholds,
        });
    }

    fn refuse_repeats(&mut self, item: &ScenarioItem) {
        if let [first, second, ..] = item.load.as_slice() {
            self.report(scenario::line_twice("load", second.span, first.span));
        }
        if let [first, second, ..] = item.source.as_slice() {
            self.report(scenario::line_twice("source", second.span, first.span));
        }
        for (at, section) in item.sections.iter().enumerate() {
            if let Some(first) = item.sections[..at]
                .iter()
                .find(|first| first.kind == section.kind)
            {
                let word = section_word(section.kind);
                self.report(scenario::section_twice(word, section.word, first.word));
            }
        }
        if let (Some(section), Some(stmt)) = (item.sections.first(), item.body.stmts.first()) {
            self.report(scenario::statements_beside_sections(
                stmt.span,
                section.word,
            ));
        }
    }

    /// A scenario of plain statements: they are the iteration.
    fn check_plain(&mut self, unit: UnitId, item: &ScenarioItem, index: u32) -> FuncId {
        let func = self.new_function();
        let head = Head {
            unit,
            func,
            name: item.name.text.clone(),
            kind: FunctionKind::Section(SectionKind::Each),
            returns: Returns::Plain,
            result_span: None,
            span: item.name.span,
            cells: Some(CellOwner::Scenario(index)),
        };
        self.check_function(head, &[], VarKind::Parameter, &item.body);
        func
    }

    fn check_sections(
        &mut self,
        unit: UnitId,
        item: &ScenarioItem,
        index: u32,
        sections: &mut [Option<FuncId>; 5],
    ) {
        let mut seed: Option<TypeId> = None;
        for (at, kind) in ORDER.into_iter().enumerate() {
            let Some(section) = item.sections.iter().find(|section| section.kind == kind) else {
                continue;
            };
            let (func, returned) = self.check_section(unit, item, section, index, seed);
            sections[at] = Some(func);
            if let (SectionKind::Setup, Returns::Infer(found)) = (kind, returned) {
                seed = found.filter(|ty| *ty != self.basic.none);
                self.refuse_handles(seed, section.word);
            }
        }
        if sections[2].is_none() {
            self.report(scenario::no_each(item.name.span));
        }
    }

    fn refuse_handles(&mut self, seed: Option<TypeId>, span: Span) {
        if let Some(ty) = seed.filter(|ty| self.holds_handle(*ty)) {
            let name = self.name(ty);
            self.report(values::handle_in_setup(&name, span));
        }
    }

    fn check_section(
        &mut self,
        unit: UnitId,
        item: &ScenarioItem,
        section: &Section,
        index: u32,
        seed: Option<TypeId>,
    ) -> (FuncId, Returns) {
        let params = self.section_params(unit, section, seed);
        let func = self.new_function();
        let lives_with_user = matches!(
            section.kind,
            SectionKind::Init | SectionKind::Each | SectionKind::Exit
        );
        let head = Head {
            unit,
            func,
            name: format!("{}.{}", item.name.text, section_word(section.kind)),
            kind: FunctionKind::Section(section.kind),
            returns: if section.kind == SectionKind::Setup {
                Returns::Infer(None)
            } else {
                Returns::Plain
            },
            result_span: None,
            span: section.word,
            cells: lives_with_user.then_some(CellOwner::Scenario(index)),
        };
        let returns = self.check_function(head, &params, VarKind::Silent, &section.body);
        (func, returns)
    }

    fn section_params(
        &mut self,
        unit: UnitId,
        section: &Section,
        seed: Option<TypeId>,
    ) -> Vec<(Ident, TypeId)> {
        let Some(first) = section.params.first() else {
            return Vec::new();
        };
        if section.kind == SectionKind::Setup {
            self.report(scenario::setup_parameter(first.name.span));
            return self.unknown_params(&section.params);
        }
        if let Some(second) = section.params.get(1) {
            self.report(scenario::too_many_section_parameters(second.name.span));
        }
        let Some(seed) = seed else {
            self.report(scenario::no_setup_value(&first.name.text, first.name.span));
            return self.unknown_params(&section.params);
        };
        if let Some(written) = &first.ty {
            let ty = self.type_of(unit, written);
            if ty != seed && !self.is_unknown(ty) && !self.is_unknown(seed) {
                let (found, wanted) = (self.name(ty), self.name(seed));
                self.report(scenario::section_parameter_type(
                    &wanted,
                    &found,
                    written.span,
                ));
            }
        }
        vec![(first.name.clone(), seed)]
    }

    fn unknown_params(&self, params: &[Param]) -> Vec<(Ident, TypeId)> {
        params
            .iter()
            .map(|param| (param.name.clone(), self.basic.unknown))
            .collect()
    }

    fn lint_cells(&mut self) {
        let mut found = Vec::new();
        for (cell, marks) in self.cells.all.iter().zip(&self.cells.marks) {
            if cell.name.starts_with('_') {
                continue;
            }
            if !marks.read {
                found.push(lints::unused_variable(&cell.name, cell.span, marks.written));
            }
        }
        self.diagnostics.extend(found);
    }

    /// The tags of a block: constant texts.
    pub(super) fn tags(&mut self, unit: UnitId, block: &TagBlock) -> Vec<(String, String)> {
        let mut known: Vec<(String, String)> = Vec::with_capacity(block.tags.len());
        for (at, (name, value)) in block.tags.iter().enumerate() {
            if OWN_TAGS.contains(&name.text.as_str()) {
                self.report(scenario::own_tag(&name.text, name.span));
            }
            if let Some(first) = block.tags[..at]
                .iter()
                .find(|first| first.0.text == name.text)
            {
                self.report(values::given_twice(
                    "tag",
                    &name.text,
                    name.span,
                    first.0.span,
                ));
            }
            if let Some(text) = self.constant_text(unit, value) {
                known.push((name.text.clone(), text));
            }
        }
        known
    }

    /// A text that is known now.
    pub(super) fn constant_text(&mut self, unit: UnitId, value: &ast::Expr) -> Option<String> {
        match self.constant_of(unit, value, Some(self.basic.string))? {
            (Const::String(text), _) => Some(text),
            _ => None,
        }
    }
}

pub(super) fn section_word(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Setup => "setup",
        SectionKind::Init => "init",
        SectionKind::Each => "each",
        SectionKind::Exit => "exit",
        SectionKind::Teardown => "teardown",
    }
}
