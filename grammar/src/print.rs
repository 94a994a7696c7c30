//! The tree as text, for `scn inspect --emit ast` and for snapshots.
//!
//! Expressions are written in prefix form, so that grouping shows: `(+ a (* b c))`. Spans are left out.
//! This is no formatter: what it writes is no scn. Enter at [`ast_text`].

mod exprs;
mod items;
mod settings;
mod stmts;

use crate::ast::File;

/// The tree of `file` as indented text.
pub fn ast_text(file: &File) -> String {
    let mut printer = Printer::default();
    for item in &file.items {
        printer.item(item);
        printer.line();
    }
    let end = printer.text.trim_end().len();
    printer.text.truncate(end);
    printer.text.push('\n');
    printer.text
}

/// Text under construction; a line is begun by [`Printer::line`].
#[derive(Default)]
struct Printer {
    text: String,
    indent: usize,
}

impl Printer {
    fn line(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", self.indent));
    }

    fn word(&mut self, word: &str) {
        self.text.push_str(word);
    }

    /// `{`, one line for each of `parts`, `}`.
    fn braces<T>(&mut self, parts: &[T], mut print: impl FnMut(&mut Self, &T)) {
        self.word("{");
        self.indent += 1;
        for part in parts {
            self.line();
            print(self, part);
        }
        self.indent -= 1;
        if !parts.is_empty() {
            self.line();
        }
        self.word("}");
    }

    /// `parts` with `between` between them.
    fn joined<T>(&mut self, parts: &[T], between: &str, mut print: impl FnMut(&mut Self, &T)) {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.word(between);
            }
            print(self, part);
        }
    }

    fn doc(&mut self, doc: Option<&String>) {
        for line in doc.into_iter().flat_map(|doc| doc.lines()) {
            self.word("/// ");
            self.word(line);
            self.line();
        }
    }
}
