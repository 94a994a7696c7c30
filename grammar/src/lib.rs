//! The grammar of scn: text to a syntax tree with spans, and nothing else.
//!
//! Enter at [`parse`]. It never fails: what is missing or wrong becomes a marker in the tree and a
//! [`SyntaxError`] beside it. Names and types are the compiler's business. `pest` appears only here.

#![forbid(unsafe_code)]

pub mod ast;
mod build;
mod explain;
pub mod print;
mod span;
mod syntax;

pub use print::ast_text;
pub use span::{SourceId, Span};

/// What a file was parsed to.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The tree; total, also for broken text.
    pub file: ast::File,
    /// What was wrong, in source order.
    pub errors: Vec<SyntaxError>,
    /// Comments that are not documentation, in source order.
    pub trivia: Vec<Comment>,
}

/// A `//` comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Its place, from the slashes to the end of the line.
    pub span: Span,
}

/// A syntax error in the user's words.
#[derive(Clone, Debug)]
pub struct SyntaxError {
    /// What kind of error it is; the compiler gives each kind its code.
    pub kind: SyntaxErrorKind,
    /// Where it is.
    pub span: Span,
    /// What is wrong, as one sentence without a full stop: `expected a duration after "for", found "}"`.
    pub message: String,
    /// What the label at `span` says.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places involved, such as the opening brace.
    pub related: Vec<(Span, String)>,
}

/// The kinds of syntax errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyntaxErrorKind {
    /// Something else was expected here.
    Unexpected,
    /// A closing `)`, `]` or `}` is missing.
    Unclosed,
    /// Nested deeper than 128 levels.
    TooDeep,
    /// A bad escape, digit, unit or character in a literal.
    BadLiteral,
    /// A string or comment that never ends.
    Unterminated,
    /// An operator used wrongly: chained comparisons, bad assignment targets.
    BadOperator,
    /// A reserved word used as a name.
    ReservedWord,
    /// The file is not text.
    NotText,
}

/// Parses `text`. Never fails: look at [`Parsed::errors`].
pub fn parse(source: SourceId, text: &str) -> Parsed {
    let Some(tree) = syntax::tree(text) else {
        return out_of_stack(source);
    };
    let mut builder = build::Builder::new(source, text, &tree);
    let file = builder.file();
    let trivia = builder.trivia();
    let errors = explain::errors(source, text, &tree, builder.errors);
    Parsed {
        file,
        errors,
        trivia,
    }
}

/// The grammar bounds its own depth; this is what a caller on a tiny stack sees.
fn out_of_stack(source: SourceId) -> Parsed {
    let error = SyntaxError {
        kind: SyntaxErrorKind::TooDeep,
        span: Span::new(source, 0, 0),
        message: "this file is nested too deep".to_owned(),
        label: "in this file".to_owned(),
        help: None,
        related: Vec::new(),
    };
    Parsed {
        errors: vec![error],
        ..Parsed::default()
    }
}
