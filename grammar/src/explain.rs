//! Turns the markers and junk of the tree into errors in the user's words.
//!
//! The grammar leaves a zero-width marker where something is missing and a span where something is
//! wrong; their rule and their parent say what was expected, the text around them what was found.
//! One error is kept for each line, because what follows is usually its consequence. Enter at
//! [`errors`].

mod braces;
mod found;
mod junk;
mod missing;

use crate::syntax::{Node, Rule, Tree, is_junk, is_marker};
use crate::{SourceId, Span, SyntaxError, SyntaxErrorKind};

/// More errors than this help nobody; the bound keeps hopeless files cheap.
const MOST_ERRORS: usize = 100;

/// Joins what the shape of the tree shows with `known`, the errors of the builder.
pub(crate) fn errors(
    source: SourceId,
    text: &str,
    tree: &Tree,
    known: Vec<SyntaxError>,
) -> Vec<SyntaxError> {
    let mut explainer = Explainer::new(source, text, tree);
    explainer.walk();
    explainer.select(known)
}

/// A place that the error with index `owner` explains.
struct Silence {
    start: u32,
    end: u32,
    owner: usize,
}

impl Silence {
    fn covers(&self, index: usize, span: Span) -> bool {
        self.owner != index && self.start <= span.start && span.end <= self.end
    }
}

/// Walks the tree once, with the chain of parents at hand.
struct Explainer<'t> {
    source: SourceId,
    text: &'t str,
    tree: &'t Tree,
    parents: Vec<Node>,
    errors: Vec<SyntaxError>,
    /// Whether a literal runs to the end of the file, so that nothing can be closed.
    cut: bool,
    /// Where the last statement at file level ended: those that follow it are its consequence.
    stray_end: usize,
    /// Places that one error explains as a whole: nothing else is reported inside.
    silenced: Vec<Silence>,
}

impl<'t> Explainer<'t> {
    fn new(source: SourceId, text: &'t str, tree: &'t Tree) -> Self {
        let (parents, errors, silenced) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            source,
            text,
            tree,
            parents,
            errors,
            cut: false,
            stray_end: 0,
            silenced,
        }
    }

    fn walk(&mut self) {
        let mut id = 0;
        while let Some(&node) = self.tree.nodes.get(id)
            && self.errors.len() < MOST_ERRORS
        {
            while self
                .parents
                .last()
                .is_some_and(|parent| parent.next <= node.id)
            {
                self.parents.pop();
            }
            let inside = self.node(node);
            if inside {
                self.parents.push(node);
            }
            id = if inside { id + 1 } else { node.next as usize };
        }
    }

    /// Reports `node` if it is wrong; says whether to look inside.
    fn node(&mut self, node: Node) -> bool {
        match node.rule {
            Rule::deep => self.too_deep(node),
            Rule::late => self.late(node),
            Rule::no_brace => self.no_brace(node),
            rule if is_marker(rule) => self.missing(node),
            rule if is_junk(rule) => self.junk(node),
            _ => return true,
        }
        false
    }

    fn parent(&self) -> Node {
        self.parents.last().copied().unwrap_or(self.tree.nodes[0])
    }

    /// The nearest enclosing node with `rule`.
    fn enclosing(&self, rule: Rule) -> Option<Node> {
        self.parents
            .iter()
            .rev()
            .copied()
            .find(|parent| parent.rule == rule)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, start, end)
    }

    fn report(&mut self, kind: SyntaxErrorKind, span: Span, message: String, label: &str) {
        let label = label.to_owned();
        let (help, related) = (None, Vec::new());
        self.errors.push(SyntaxError {
            kind,
            span,
            message,
            label,
            help,
            related,
        });
    }

    fn help(&mut self, help: impl Into<String>) {
        if let Some(error) = self.errors.last_mut() {
            error.help = Some(help.into());
        }
    }

    fn relate(&mut self, span: Span, note: impl Into<String>) {
        if let Some(error) = self.errors.last_mut() {
            error.related.push((span, note.into()));
        }
    }

    /// Lets the last error explain everything between `start` and `end`.
    fn silence(&mut self, start: u32, end: u32) {
        let owner = self.errors.len().saturating_sub(1);
        self.silenced.push(Silence { start, end, owner });
    }

    /// Everything else in the item is a consequence of giving up.
    fn too_deep(&mut self, node: Node) {
        let start = node.start as usize;
        let opener = self.text[..start].trim_end().len().saturating_sub(1);
        let span = self.span(opener, start.max(opener + 1).min(self.text.len()));
        let message = "nested deeper than 128 levels".to_owned();
        self.report(
            SyntaxErrorKind::TooDeep,
            span,
            message,
            "the level that is too much",
        );
        self.help("move inner parts to functions");
        let item = self.enclosing(Rule::item).unwrap_or(self.tree.nodes[0]);
        self.silence(item.start, item.end);
    }

    fn late(&mut self, node: Node) {
        let brace = node.end as usize;
        let message = "`{` must stand on the line that it belongs to".to_owned();
        let span = self.span(brace, brace + 1);
        self.report(
            SyntaxErrorKind::Unexpected,
            span,
            message,
            "this `{` starts a line",
        );
        self.help("move the `{` to the end of the line above");
    }

    /// Drops what is a consequence of something else.
    fn select(mut self, known: Vec<SyntaxError>) -> Vec<SyntaxError> {
        let silenced = std::mem::take(&mut self.silenced);
        let silent = |index, span| silenced.iter().any(|silence| silence.covers(index, span));
        let shape = std::mem::take(&mut self.errors).into_iter().enumerate();
        let heard = |index, error: &SyntaxError| {
            error.kind == SyntaxErrorKind::TooDeep || !silent(index, error.span)
        };
        let shape = shape.filter(|(index, error)| heard(*index, error));
        let mut all: Vec<(bool, SyntaxError)> = shape.map(|(_, error)| (true, error)).collect();
        let known = known.into_iter().filter(|error| heard(usize::MAX, error));
        all.extend(known.map(|error| (false, error)));
        all.sort_by_key(|(_, error)| (error.span.start, error.span.end));
        self.one_for_each_line(all)
    }

    fn one_for_each_line(&self, all: Vec<(bool, SyntaxError)>) -> Vec<SyntaxError> {
        let mut kept: Vec<SyntaxError> = Vec::with_capacity(all.len());
        let (mut line_end, mut after_shape) = (None, false);
        for (shape, error) in all {
            let start = error.span.start as usize;
            let same_line = line_end.is_some_and(|end| start <= end);
            let consequence = same_line && (shape || after_shape);
            if !consequence && kept.len() < MOST_ERRORS {
                let rest = &self.text[start..];
                line_end = Some(start + rest.find('\n').unwrap_or(rest.len()));
                after_shape = shape;
                kept.push(error);
            }
        }
        kept
    }
}
