//! Turns the markers and junk of the tree into errors in the user's words.

use crate::syntax::{Tree, is_junk, is_marker};
use crate::{SourceId, Span, SyntaxError, SyntaxErrorKind};

/// The errors that the shape of the tree shows.
pub(crate) fn errors(source: SourceId, text: &str, tree: &Tree) -> Vec<SyntaxError> {
    let _ = text;
    let wrong = tree
        .nodes
        .iter()
        .filter(|node| is_marker(node.rule) || is_junk(node.rule));
    let errors = wrong.map(|node| SyntaxError {
        kind: SyntaxErrorKind::Unexpected,
        span: Span {
            source,
            start: node.start,
            end: node.end,
        },
        message: format!("{:?}", node.rule),
        label: "here".to_owned(),
        help: None,
        related: Vec::new(),
    });
    errors.collect()
}
