//! What `let` and `for` bind, and the patterns of `match`.

use super::Builder;
use crate::ast::{Binding, BindingKind, Expr, ExprKind, Ident, MatchArm, Pattern, PatternKind};
use crate::syntax::{Kids, Node, Rule};

impl<'t> Builder<'t> {
    /// The next binding among `kids`, or a missing one.
    pub(super) fn take_binding(&mut self, kids: &mut Kids<'t>, parent: Node) -> Binding {
        match kids.accept_any(&[Rule::binding, Rule::no_binding]) {
            Some(node) => self.binding(node),
            None => Binding {
                span: self.gap(kids, parent),
                kind: BindingKind::Missing,
            },
        }
    }

    fn binding(&mut self, node: Node) -> Binding {
        let kind = match self.kids(node).next() {
            Some(name) if name.rule == Rule::name => BindingKind::Name(self.name(name)),
            Some(ignore) if ignore.rule == Rule::ignore => BindingKind::Ignore,
            Some(tuple) if tuple.rule == Rule::binding_tuple => self.binding_tuple(tuple),
            _ => BindingKind::Missing,
        };
        Binding {
            span: self.span(node),
            kind,
        }
    }

    fn binding_tuple(&mut self, node: Node) -> BindingKind {
        let parts = self.kids(node);
        let parts = parts.filter(|kid| matches!(kid.rule, Rule::binding | Rule::no_binding));
        BindingKind::Tuple(parts.map(|part| self.binding(part)).collect())
    }

    /// `x in xs` of `for`, `parallel for` and comprehensions.
    pub(super) fn for_head(&mut self, kids: &mut Kids<'t>, parent: Node) -> (Binding, Expr) {
        let pattern = self.take_binding(kids, parent);
        (pattern, self.take_expr(kids, parent))
    }

    pub(super) fn match_arms(&mut self, kids: &mut Kids<'t>) -> Vec<MatchArm> {
        let arms = self.take_all(kids, Rule::match_body, Rule::match_arm);
        arms.into_iter()
            .filter_map(|arm| self.match_arm(arm))
            .collect()
    }

    fn match_arm(&mut self, node: Node) -> Option<MatchArm> {
        let mut kids = self.kids(node);
        let pattern = kids.accept(Rule::pattern)?;
        let pattern = self.pattern(pattern);
        let guard = kids.accept(Rule::guard);
        let guard = guard.map(|guard| self.take_expr(&mut self.kids(guard), guard));
        let body = match kids.accept(Rule::block) {
            Some(block) => {
                let kind = Box::new(ExprKind::Do(self.block(block)));
                Expr {
                    span: self.span(block),
                    kind,
                }
            }
            None => self.take_expr(&mut kids, node),
        };
        Some(MatchArm {
            pattern,
            guard,
            body,
        })
    }

    fn pattern(&mut self, node: Node) -> Pattern {
        let parts = self.kids(node);
        let mut parts: Vec<Pattern> = parts.map(|part| self.pattern_one(part)).collect();
        match parts.len() {
            1 => parts.remove(0),
            _ => Pattern {
                span: self.span(node),
                kind: PatternKind::Or(parts),
            },
        }
    }

    fn pattern_one(&mut self, node: Node) -> Pattern {
        let kind = match node.rule {
            Rule::ignore => PatternKind::Ignore,
            Rule::none_x => PatternKind::None,
            Rule::pattern_tuple => self.pattern_tuple(node),
            Rule::pattern_range => self.pattern_range(node),
            Rule::pattern_path => self.pattern_path(node),
            _ => PatternKind::Missing,
        };
        Pattern {
            span: self.span(node),
            kind,
        }
    }

    fn pattern_tuple(&mut self, node: Node) -> PatternKind {
        let parts = self.kids(node).filter(|kid| kid.rule == Rule::pattern);
        PatternKind::Tuple(parts.map(|part| self.pattern(part)).collect())
    }

    fn pattern_range(&mut self, node: Node) -> PatternKind {
        let mut kids = self.kids(node);
        let start = self.pattern_literal(&mut kids, node);
        let Some(op) = kids.accept(Rule::range_op) else {
            return PatternKind::Literal(start);
        };
        let inclusive = self.str(op) == "..=";
        PatternKind::Range {
            start,
            end: self.pattern_literal(&mut kids, node),
            inclusive,
        }
    }

    fn pattern_literal(&mut self, kids: &mut Kids<'t>, parent: Node) -> Expr {
        let Some(literal) = kids.accept(Rule::pattern_lit) else {
            return self.missing(self.gap(kids, parent));
        };
        let mut inner = self.kids(literal);
        let minus = inner.accept(Rule::minus);
        let Some(node) = inner.next() else {
            return self.missing(self.span(literal));
        };
        let (value, bare) = self.primary(node, minus.is_some());
        match minus {
            Some(minus) => self.negate(minus, value, bare),
            None => value,
        }
    }

    fn pattern_path(&mut self, node: Node) -> PatternKind {
        let kids = self.kids(node);
        let mut path: Vec<Ident> = kids
            .filter(|kid| kid.rule != Rule::no_member)
            .map(|word| self.word(word))
            .collect();
        match path.len() {
            1 => PatternKind::Name(path.remove(0)),
            _ => PatternKind::Case { path },
        }
    }
}
