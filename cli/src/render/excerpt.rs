//! The part of a source that a report shows: whole lines, or a window where a line is too long for any screen.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Lines longer than this are shown in part.
const LONG_LINE: usize = 400;
/// How much of a long line stands before and behind what is pointed at.
const WINDOW: (usize, usize) = (60, 160);

/// A source text with its name, as miette asks for it.
#[derive(Debug, Clone)]
pub(crate) struct Excerpt {
    name: String,
    text: String,
}

impl Excerpt {
    /// The text called `name`. Characters that would steer the terminal are shown as a replacement of equal length.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: harmless(text),
        }
    }

    /// A range cut down to what can be drawn: to its first line, and to a part of a long line.
    pub(crate) fn drawable(&self, start: usize, end: usize) -> SourceSpan {
        let start = self.boundary(start);
        let mut end = self.boundary(end.max(start));
        if let Some(newline) = self.text[start..end].find('\n') {
            end = start + self.text[start..start + newline].trim_end().len();
        }
        if end - start > WINDOW.1 && self.line_around(start).len() > LONG_LINE {
            end = self.boundary(start + WINDOW.1);
        }
        (start, end - start).into()
    }

    /// The nearest character boundary at or before `at`.
    fn boundary(&self, at: usize) -> usize {
        self.text.floor_char_boundary(at)
    }

    fn line_around(&self, at: usize) -> std::ops::Range<usize> {
        let start = self.text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |newline| at + newline);
        start..end
    }

    /// The range of whole lines around `start..end`, with context.
    fn lines(
        &self,
        start: usize,
        end: usize,
        before: usize,
        after: usize,
    ) -> std::ops::Range<usize> {
        let mut from = self.line_around(start).start;
        for _ in 0..before {
            if from > 0 {
                from = self.line_around(from - 1).start;
            }
        }
        let mut to = self.line_around(end).end;
        for _ in 0..after {
            if to < self.text.len() {
                to = self.line_around(to + 1).end;
            }
        }
        from..to
    }

    /// Cuts a range of lines to a window where lines are too long.
    fn window(
        &self,
        lines: std::ops::Range<usize>,
        start: usize,
        end: usize,
    ) -> std::ops::Range<usize> {
        let longest = self.text[lines.clone()]
            .lines()
            .map(str::len)
            .max()
            .unwrap_or(0);
        if longest <= LONG_LINE {
            return lines;
        }
        let from = self
            .boundary(start.saturating_sub(WINDOW.0))
            .max(self.line_around(start).start);
        let to = self
            .boundary((end + WINDOW.1).min(self.text.len()))
            .min(self.line_around(end).end);
        from..to.max(end)
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let start = span.offset();
        let end = start + span.len();
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // Without context miette asks for the place only, to print its line and column.
        let shown = match (before, after) {
            (0, 0) => start..end,
            _ => self.window(self.lines(start, end, before, after), start, end),
        };
        let line = self.text[..shown.start]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count();
        let line_start = self.line_around(shown.start).start;
        let column = self.text[line_start..shown.start].chars().count();
        let count = self.text[shown.clone()]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            self.text[shown.clone()].as_bytes(),
            (shown.start, shown.len()).into(),
            line,
            column,
            count,
        )))
    }
}

/// Replaces control characters by `?`, so that a hostile file cannot steer the terminal; offsets stay the same.
fn harmless(text: &str) -> String {
    let steers = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.contains(steers) {
        true => text.replace(steers, "?"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_zero() {
        let excerpt = Excerpt::new("x.scn", "let a = 1\nlet ä = b\n");
        let contents = excerpt
            .read_span(&(19, 1).into(), 0, 0)
            .expect("the span lies in the text");
        assert_eq!((contents.line(), contents.column()), (1, 8));
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let text = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let excerpt = Excerpt::new("x.scn", &text);
        let contents = excerpt
            .read_span(&(5000, 1).into(), 1, 1)
            .expect("the span lies in the text");
        assert!(contents.data().len() < 300);
        assert!(contents.data().contains(&b'X'));
        assert!(excerpt.drawable(100, 9000).len() <= 200);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\tc"), "a?[2Jb\tc");
    }
}
