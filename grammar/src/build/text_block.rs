//! `"""` literals: the common indentation goes, and so do a blank first and a blank last line.

use super::Builder;
use crate::ast::{Expr, StrPart};
use crate::syntax::{Node, Rule};

/// A piece of the literal as written.
enum Piece<'t> {
    Text(&'t str, u32),
    Expr(Expr),
}

impl<'t> Builder<'t> {
    pub(super) fn text_block(&mut self, node: Node) -> Vec<StrPart> {
        let mut pieces = Vec::new();
        for kid in self.kids(node) {
            match kid.rule {
                Rule::long_text => pieces.push(Piece::Text(self.str(kid), kid.start)),
                Rule::long_interp => pieces.push(Piece::Expr(self.interpolated(kid))),
                _ => {}
            }
        }
        trim_ends(&mut pieces);
        let indent = common_indent(&pieces);
        let mut parts = Vec::new();
        let mut line_start = true;
        for piece in pieces {
            match piece {
                Piece::Text(text, start) => {
                    let text = self.dedent(text, start, indent, &mut line_start);
                    if !text.is_empty() {
                        parts.push(StrPart::Text(text));
                    }
                }
                Piece::Expr(expr) => {
                    line_start = false;
                    parts.push(StrPart::Expr(expr));
                }
            }
        }
        parts
    }

    /// `text` without the indentation of its lines, escapes replaced.
    fn dedent(&mut self, text: &str, start: u32, indent: usize, line_start: &mut bool) -> String {
        let mut plain = String::with_capacity(text.len());
        let mut at = start;
        for line in text.split_inclusive('\n') {
            let cut = if *line_start {
                indent.min(indentation(line))
            } else {
                0
            };
            let kept = &line[cut..];
            let kept = kept
                .strip_suffix("\r\n")
                .map_or(kept, |_| &kept[..kept.len() - 2]);
            plain.push_str(&self.unescape(kept, at + cut as u32));
            if kept.len() + cut < line.len() {
                plain.push('\n');
            }
            *line_start = line.ends_with('\n');
            at += line.len() as u32;
        }
        plain
    }
}

/// Bytes of blanks in front of `line`.
fn indentation(line: &str) -> usize {
    line.bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// Drops the rest of the opening line if it is blank, and the closing line if it is blank.
fn trim_ends(pieces: &mut [Piece<'_>]) {
    if let Some(Piece::Text(text, start)) = pieces.first_mut()
        && let Some((first, rest)) = text.split_once('\n')
        && first.trim().is_empty()
    {
        *start += first.len() as u32 + 1;
        *text = rest;
    }
    if let Some(Piece::Text(text, _)) = pieces.last_mut()
        && let Some((rest, last)) = text.rsplit_once('\n')
        && last.trim().is_empty()
    {
        *text = rest.strip_suffix('\r').unwrap_or(rest);
    }
}

/// The indentation that all lines with content share.
fn common_indent(pieces: &[Piece<'_>]) -> usize {
    let mut common = usize::MAX;
    let mut line_start = true;
    for (index, piece) in pieces.iter().enumerate() {
        let Piece::Text(text, _) = piece else {
            if line_start {
                common = 0;
            }
            line_start = false;
            continue;
        };
        for line in text.split_inclusive('\n') {
            let goes_on = !line.ends_with('\n') && index + 1 < pieces.len();
            if line_start && (goes_on || !line.trim().is_empty()) {
                common = common.min(indentation(line));
            }
            line_start = line.ends_with('\n');
        }
    }
    if common == usize::MAX { 0 } else { common }
}
