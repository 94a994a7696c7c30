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
        self.draw_within(style, None, &[])
    }

    /// The lines, without as many of the spare columns, in their order, as it takes to fit into a width.
    pub(crate) fn draw_within(&self, style: Style, most: Option<usize>, spare: &[usize]) -> String {
        let widths = self.widths();
        let hidden = self.hidden(&widths, most, spare);
        let mut out = String::new();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            let shown = row.iter().enumerate();
            for (column, (text, look)) in shown.filter(|(column, _)| !hidden.contains(column)) {
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

    fn hidden<'s>(&self, widths: &[usize], most: Option<usize>, spare: &'s [usize]) -> &'s [usize] {
        let all: usize = widths.iter().map(|width| width + 2).sum();
        let mut left = (self.indent + all).saturating_sub(2);
        let too_wide = |width: usize| most.is_some_and(|most| width > most);
        let gone = spare.iter().take_while(|column| {
            let goes = too_wide(left);
            left = left.saturating_sub(widths.get(**column).map_or(0, |width| width + 2));
            goes
        });
        &spare[..gone.count()]
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
    fn spare_columns_go_in_their_order_until_the_rest_fits() {
        let mut table = Table::new(0, 1);
        table.row(Look::Plain, ["name", "p50", "p90", "p99", "max"]);
        let draw = |most| table.draw_within(Style { colour: false }, most, &[2, 4]);
        assert_eq!(draw(None), "name  p50  p90  p99  max\n");
        assert_eq!(draw(Some(24)), "name  p50  p90  p99  max\n");
        assert_eq!(draw(Some(23)), "name  p50  p99  max\n");
        assert_eq!(draw(Some(18)), "name  p50  p99\n");
        assert_eq!(draw(Some(3)), "name  p50  p99\n");
    }

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
