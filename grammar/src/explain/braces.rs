//! Missing `}`: finds the brace that was meant by the indentation.

use super::Explainer;
use crate::SyntaxErrorKind;
use crate::syntax::{Node, Rule};

/// A `{` with the place of its `}`, or of where the file or the next item cut it off.
struct Braces {
    open: usize,
    close: usize,
    closed: bool,
}

impl Explainer<'_> {
    pub(super) fn no_brace(&mut self, node: Node) {
        let at = node.start as usize;
        // Every open block ends here; one error tells it.
        if self.cut
            || self
                .silenced
                .last()
                .is_some_and(|last| (last.start, last.end) == (node.start, node.start))
        {
            return;
        }
        let item = self.enclosing(Rule::item).unwrap_or(self.tree.nodes[0]);
        let open = self
            .offside(item)
            .unwrap_or_else(|| self.brace_of(self.parent()));
        let message = "`{` is never closed".to_owned();
        self.report(
            SyntaxErrorKind::Unclosed,
            self.span(open, open + 1),
            message,
            "`}` is missing",
        );
        let rest = &self.text[at..];
        let next = at + rest.len() - rest.trim_start().len();
        let end = self.span(next, next);
        let note = if next == self.text.len() {
            "the file ends here"
        } else {
            "the next item starts here"
        };
        self.relate(end, note);
        self.silence(node.start, node.start);
    }

    fn brace_of(&self, node: Node) -> usize {
        let start = node.start as usize;
        start + self.text[node.range()].find('{').unwrap_or(0)
    }

    /// The first brace whose block holds a line that is not indented more than the line of the brace, or
    /// whose `}` stands elsewhere; the innermost of those.
    fn offside(&self, item: Node) -> Option<usize> {
        let inside = &self.tree.nodes[item.id as usize..item.next as usize];
        let pairs = inside
            .iter()
            .filter(|node| is_braced(node.rule))
            .map(|node| self.pair(*node));
        let mut best: Option<(usize, usize)> = None;
        for pair in pairs {
            if let Some(line) = self.violation(&pair)
                && best.is_none_or(|(earliest, _)| line <= earliest)
            {
                best = Some((line, pair.open));
            }
        }
        best.map(|(_, open)| open)
    }

    fn pair(&self, node: Node) -> Braces {
        let closed = self.text[node.range()].ends_with('}')
            && !self
                .tree
                .kids(node)
                .any(|kid| matches!(kid.rule, Rule::no_brace | Rule::no_curly));
        Braces {
            open: self.brace_of(node),
            close: node.end as usize - usize::from(closed),
            closed,
        }
    }

    /// The start of the first line that is offside.
    fn violation(&self, pair: &Braces) -> Option<usize> {
        let column = self.indent(self.line_start(pair.open));
        let mut at = self.next_line(pair.open)?;
        while at <= pair.close {
            let line = self.text[at..].lines().next().unwrap_or("");
            let indent = self.indent(at);
            let is_last = at + line.len() >= pair.close;
            if is_last && pair.closed {
                let aligned = !line.trim_start().starts_with('}') || indent == column;
                return (!aligned).then_some(at);
            }
            if !line.trim().is_empty() && indent <= column && at < pair.close {
                return Some(at);
            }
            at = self.next_line(at)?;
        }
        None
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    fn next_line(&self, at: usize) -> Option<usize> {
        self.text[at..].find('\n').map(|newline| at + newline + 1)
    }

    fn indent(&self, line: usize) -> usize {
        self.text[line..]
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }
}

fn is_braced(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::block
            | Rule::record
            | Rule::type_record
            | Rule::enum_body
            | Rule::tags_block
            | Rule::match_body
            | Rule::pool_body
            | Rule::http_body
            | Rule::scenario_body
            | Rule::choose_s
            | Rule::load_block
            | Rule::scenario_thresholds
            | Rule::thresholds_item
    )
}
