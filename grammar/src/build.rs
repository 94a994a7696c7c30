//! From the flat tree of `syntax` to the syntax tree of [`ast`](crate::ast).
//!
//! Markers and junk become `Missing` and `Bad` nodes silently; `explain` reports them. What the
//! grammar cannot see is reported here: bad literals, operators that do not chain, reserved words as
//! names. Every recursion is bounded: the grammar bounds brackets, [`Builder::within`] bounds chains.
//! Enter at [`Builder::file`].

mod exprs;
mod items;
mod load;
mod numbers;
mod operators;
mod patterns;
mod scenario;
mod servers;
mod stmts;
mod strings;
mod text_block;
mod types;

use crate::ast::{Expr, ExprKind, File, Ident};
use crate::syntax::{Kids, Node, Rule, Tree};
use crate::{Comment, SourceId, Span, SyntaxError, SyntaxErrorKind};

/// How deep an expression may nest in the tree, chains of operators and members included. With the
/// 128 levels of brackets it keeps every walk over a tree within a small stack.
const DEPTH_LIMIT: usize = 256;

/// Builds the tree of one file.
pub(crate) struct Builder<'t> {
    pub(crate) text: &'t str,
    pub(crate) source: SourceId,
    pub(crate) tree: &'t Tree,
    pub(crate) errors: Vec<SyntaxError>,
    /// Which comments were taken as documentation.
    documents: Vec<bool>,
    depth: usize,
}

impl<'t> Builder<'t> {
    pub(crate) fn new(source: SourceId, text: &'t str, tree: &'t Tree) -> Self {
        let documents = vec![false; tree.comments.len()];
        Self {
            text,
            source,
            tree,
            errors: Vec::new(),
            documents,
            depth: 0,
        }
    }

    /// The whole file.
    pub(crate) fn file(&mut self) -> File {
        let root = self.tree.nodes[0];
        let items = self.kids(root).filter(|kid| kid.rule == Rule::item);
        File {
            items: items.map(|item| self.item(item)).collect(),
        }
    }

    /// The comments that are no documentation.
    pub(crate) fn trivia(&self) -> Vec<Comment> {
        let comments = self.tree.comments.iter().zip(&self.documents);
        let plain = comments.filter(|(_, documents)| !**documents);
        plain
            .map(|(&(start, end), _)| Comment {
                span: self.trimmed(start, end),
            })
            .collect()
    }

    fn trimmed(&self, start: u32, end: u32) -> Span {
        let text = self.text[start as usize..end as usize].trim_end_matches('\r');
        Span::new(self.source, start as usize, start as usize + text.len())
    }

    fn kids(&self, node: Node) -> Kids<'t> {
        self.tree.kids(node)
    }

    /// The children of a node that may be absent.
    fn inside(&self, node: Option<Node>) -> Kids<'t> {
        node.map_or(Kids::default(), |node| self.kids(node))
    }

    fn span(&self, node: Node) -> Span {
        Span {
            source: self.source,
            start: node.start,
            end: node.end,
        }
    }

    fn str(&self, node: Node) -> &'t str {
        &self.text[node.range()]
    }

    /// The name `node` was declared with; a reserved word is reported and kept.
    fn name(&mut self, node: Node) -> Ident {
        let ident = self.word(node);
        if is_reserved(&ident.text) {
            self.reserved(&ident);
        }
        ident
    }

    fn reserved(&mut self, ident: &Ident) {
        let word = &ident.text;
        self.error(
            SyntaxErrorKind::ReservedWord,
            ident.span,
            format!("`{word}` is a reserved word and cannot be a name"),
            "a reserved word",
            Some(format!("choose another name, such as `{word}_`")),
        );
    }

    /// The word `node`, where every word is a name.
    fn word(&self, node: Node) -> Ident {
        Ident {
            text: self.str(node).to_owned(),
            span: self.span(node),
        }
    }

    /// The next `name` among `kids`, or an empty one where it is missing.
    fn take_name(&mut self, kids: &mut Kids<'t>, parent: Node) -> Ident {
        match kids.accept(Rule::name) {
            Some(name) => self.name(name),
            None => Ident {
                text: String::new(),
                span: self.gap(kids, parent),
            },
        }
    }

    /// The next `name` among `kids` where every word is a name.
    fn take_word(&self, kids: &mut Kids<'t>, parent: Node) -> Ident {
        match kids.accept(Rule::name) {
            Some(name) => self.word(name),
            None => Ident {
                text: String::new(),
                span: self.gap(kids, parent),
            },
        }
    }

    /// An empty span where the next child would stand.
    fn gap(&self, kids: &Kids<'t>, parent: Node) -> Span {
        let at = kids.peek().map_or(parent.end, |next| next.start);
        Span {
            source: self.source,
            start: at,
            end: at,
        }
    }

    fn missing(&self, span: Span) -> Expr {
        Expr {
            span,
            kind: Box::new(ExprKind::Missing),
        }
    }

    pub(crate) fn error(
        &mut self,
        kind: SyntaxErrorKind,
        span: Span,
        message: String,
        label: &str,
        help: Option<String>,
    ) {
        let label = label.to_owned();
        self.errors.push(SyntaxError {
            kind,
            span,
            message,
            label,
            help,
            related: Vec::new(),
        });
    }

    /// Runs `build` with `levels` more levels counted, or reports that `node` is too deep.
    fn within<T>(
        &mut self,
        levels: usize,
        node: Node,
        build: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        if self.depth + levels > DEPTH_LIMIT {
            let message = "this expression is nested too deep".to_owned();
            let help = "name parts of it with `let`, or move them to a function".to_owned();
            let label = "more than 256 levels, chained operators and members included";
            self.error(
                SyntaxErrorKind::TooDeep,
                self.span(node),
                message,
                label,
                Some(help),
            );
            return None;
        }
        self.depth += levels;
        let built = build(self);
        self.depth -= levels;
        Some(built)
    }

    /// The `///` lines that end right before `start`.
    fn doc(&mut self, start: u32) -> Option<String> {
        let comments = &self.tree.comments;
        let last = comments.partition_point(|&(_, end)| end <= start);
        let (mut first, mut below) = (last, start);
        while first > 0 && self.documents_line(comments[first - 1], below) {
            first -= 1;
            below = comments[first].0;
        }
        if first == last {
            return None;
        }
        self.documents[first..last].fill(true);
        let lines = comments[first..last].iter().map(|&(from, to)| {
            let line = self.text[from as usize + 3..to as usize].trim_end();
            line.strip_prefix(' ').unwrap_or(line)
        });
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    /// Whether a comment is a `///` line of its own with only blanks between it and `below`.
    fn documents_line(&self, (start, end): (u32, u32), below: u32) -> bool {
        let text = &self.text[start as usize..];
        let gap = &self.text[end as usize..below as usize];
        text.starts_with("///")
            && !text.starts_with("////")
            && gap.bytes().all(|byte| byte.is_ascii_whitespace())
            && self.starts_line(start)
    }

    fn starts_line(&self, at: u32) -> bool {
        let before = self.text[..at as usize].bytes().rev();
        let mut blanks = before.skip_while(|byte| matches!(byte, b' ' | b'\t'));
        matches!(blanks.next(), None | Some(b'\n') | Some(b'\xBF'))
    }
}

/// The reserved words; all others are legal names.
pub(crate) const RESERVED: [&str; 38] = [
    "let", "var", "const", "fn", "type", "enum", "if", "else", "match", "for", "in", "while",
    "loop", "break", "continue", "return", "true", "false", "none", "as", "catch", "do", "defer",
    "contains", "matches", "check", "expect", "fail", "step", "think", "sleep", "timeout", "retry",
    "parallel", "race", "choose", "every", "_",
];

/// Whether `word` cannot be a name.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}
