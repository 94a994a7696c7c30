//! Scenarios: configuration lines, sections, and plain statements.

use super::Builder;
use crate::Span;
use crate::ast::{Block, ScenarioItem, Section, SectionKind};
use crate::syntax::{Node, Rule};

impl Builder<'_> {
    pub(super) fn scenario(&mut self, node: Node) -> ScenarioItem {
        let mut kids = self.kids(node);
        let name = self.take_name(&mut kids, node);
        let body = kids.accept(Rule::scenario_body);
        let span = body.map_or(self.gap(&kids, node), |body| self.span(body));
        let mut scenario = ScenarioItem {
            name,
            load: Vec::new(),
            source: Vec::new(),
            tags: Vec::new(),
            thresholds: Vec::new(),
            sections: Vec::new(),
            body: Block {
                span,
                stmts: Vec::new(),
            },
        };
        for line in self.inside(body) {
            self.scenario_line(line, &mut scenario);
        }
        scenario
    }

    fn scenario_line(&mut self, node: Node, scenario: &mut ScenarioItem) {
        match node.rule {
            Rule::load_block => scenario.load.push(self.load_block(node)),
            Rule::source_line => {
                let name = self.take_name(&mut self.kids(node), node);
                scenario.source.push(name);
            }
            Rule::tags_block => scenario.tags.push(self.tags(node)),
            Rule::scenario_thresholds => scenario.thresholds.extend(self.thresholds(node)),
            Rule::section => scenario.sections.push(self.section(node)),
            Rule::stmt | Rule::bad_stmt => scenario.body.stmts.push(self.stmt(node)),
            _ => {}
        }
    }

    fn section(&mut self, node: Node) -> Section {
        let mut kids = self.kids(node);
        let word = kids.accept(Rule::section_word);
        let kind = match word.map_or("", |word| self.str(word)) {
            "setup" => SectionKind::Setup,
            "init" => SectionKind::Init,
            "exit" => SectionKind::Exit,
            "teardown" => SectionKind::Teardown,
            _ => SectionKind::Each,
        };
        let span: Span = self.span(node);
        let word = word.map_or(span, |word| self.span(word));
        let params = self.take_params(&mut kids);
        Section {
            span,
            kind,
            word,
            params,
            body: self.take_block(&mut kids, node),
        }
    }
}
