//! Source texts, the library's declarations, and how imported files are asked for.
//!
//! The compiler reads no files: the caller hands in an entry text, a [`Loader`] for `use`, and the [`Library`].

use scn_grammar::{SourceId, Span};

/// A source text with the name that messages show.
#[derive(Clone, Debug)]
pub struct Source {
    /// The name, usually a path.
    pub name: String,
    /// The text.
    pub text: String,
}

/// All sources of one compilation; a [`SourceId`] is an index.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The sources.
    pub all: Vec<Source>,
}

impl Sources {
    /// Adds a source.
    pub fn add(&mut self, source: Source) -> SourceId {
        self.all.push(source);
        SourceId(self.all.len() as u32 - 1)
    }

    /// The source of an id.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.all[id.0 as usize]
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        &self.source(span.source).text[span.range()]
    }

    /// Line and column of a span's start, both from 1; columns count characters.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = &self.source(span.source).text[..span.start as usize];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// Answers `use "path"`: the caller decides what a path means.
pub trait Loader {
    /// The file `path` as written in the source called `from`; the returned name identifies the file
    /// (two paths to one file must give one name).
    fn load(&self, from: &str, path: &str) -> Result<Source, String>;
}

/// The declarations of the standard library: module names and their text.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// `("http", "extern fn get(...)...")`; parsed only when a program names them.
    pub modules: &'static [(&'static str, &'static str)],
    /// Modules whose methods and types need no name to be reached: `list`, `string`, `json`...
    pub prelude: &'static [&'static str],
}
