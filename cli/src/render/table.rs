//! Tables of text: columns as wide as they must be, the first to the left, numbers to the right.
//!
//! Enter at [`Table`].

use crate::terminal::Style;
use unicode_width::UnicodeWidthStr;

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// As it is.
    #[default]
    Plain,
    /// What is secondary.
    Dim,
    /// What held.
    Good,
    /// What failed.
    Bad,
    /// What deserves a look.
    Doubtful,
}

impl Look {
    /// A text that looks so.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        match self {
            Look::Plain => text.to_owned(),
            Look::Dim => style.dim(text),
            Look::Good => style.green(text),
            Look::Bad => style.red(text),
            Look::Doubtful => style.yellow(text),
        }
    }
}

/// Rows of cells.
#[derive(Debug)]
pub(crate) struct Table {
    indent: usize,
    /// How many columns stand to the left; the others are numbers.
    texts: usize,
    rows: Vec<Vec<(String, Look)>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(indent: usize, texts: usize) -> Table {
        Table {
            indent,
            texts,
            rows: Vec::new(),
        }
    }

    /// Adds a row that looks all the same.
    pub(crate) fn row<T: Into<String>>(&mut self, look: Look, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter().map(|cell| (cell.into(), look));
        self.rows.push(cells.collect());
    }

    /// Changes how a cell of the last row looks.
    pub(crate) fn look(&mut self, column: usize, look: Look) {
        let cell = self.rows.last_mut().and_then(|row| row.get_mut(column));
        if let Some((_, old)) = cell {
            *old = look;
        }
    }

    /// The lines.
    pub(crate) fn draw(&self, style: Style) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            for (column, (text, look)) in row.iter().enumerate() {
                let gap = " ".repeat(widths[column] - text.width());
                let painted = match text.is_empty() {
                    true => String::new(),
                    false => look.paint(style, text),
                };
                let space = if column == 0 { "" } else { "  " };
                line.push_str(space);
                match column < self.texts {
                    true => line.push_str(&format!("{painted}{gap}")),
                    false => line.push_str(&format!("{gap}{painted}")),
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| text.width()).max().unwrap_or(0)
        };
        (0..columns).map(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_characters() {
        let mut table = Table::new(2, 1);
        table.row(Look::Dim, ["name", "count"]);
        table.row(Look::Plain, ["日本", "7"]);
        table.row(Look::Plain, ["a-long-name", "1,234"]);
        table.look(1, Look::Bad);
        let plain = Style { colour: false };
        assert_eq!(
            table.draw(plain),
            "  name         count\n  日本             7\n  a-long-name  1,234\n"
        );
        let coloured = table.draw(Style { colour: true });
        assert!(coloured.contains("\u{1b}[31;1m1,234\u{1b}[0m"));
    }
}
