//! Diagnostics: what is wrong with a program, as plain data.
//!
//! Every code has one row in [`codes`] and one constructor in the module of its topic; no other place makes up
//! messages. Nothing is drawn here: the command line renders with miette, tests use [`Diagnostic::text`].

pub(crate) mod calls;
pub mod codes;
pub(crate) mod lints;
pub(crate) mod names;
pub(crate) mod needs;
pub(crate) mod scenario;
pub mod suggest;
pub(crate) mod syntax;
pub(crate) mod target;
pub(crate) mod types;
pub(crate) mod values;

use crate::source::Sources;
pub use codes::{Code, explain};
use scn_grammar::Span;
use std::fmt::Write;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program cannot run.
    Error,
    /// The program runs, but this is probably not what was meant.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Its code, such as `E0201`.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Places involved and what is there; the first is the primary one.
    pub labels: Vec<(Span, String)>,
    /// What to do.
    pub help: Option<String>,
    /// Why the rule is there.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A finding with its primary place; the code tells the severity.
    pub fn new(
        code: Code,
        message: impl Into<String>,
        span: Span,
        label: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: vec![(span, label.into())],
            help: None,
            notes: Vec::new(),
        }
    }

    /// Adds another place.
    #[must_use]
    pub fn label(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what to do, if there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Says why.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The primary place.
    pub fn span(&self) -> Span {
        self.labels[0].0
    }

    /// As plain text, one line for each part: what tests compare.
    pub fn text(&self, sources: &Sources) -> String {
        let mut out = format!("{}: {}", self.code, self.message);
        for (span, label) in &self.labels {
            let (line, column) = sources.line_column(*span);
            let source = &sources.source(span.source).name;
            let _ = write!(
                out,
                "\n  {source}:{line}:{column} `{}`",
                sources.text(*span)
            );
            if !label.is_empty() {
                let _ = write!(out, " {label}");
            }
        }
        for note in &self.notes {
            let _ = write!(out, "\n  note: {note}");
        }
        if let Some(help) = &self.help {
            let _ = write!(out, "\n  help: {help}");
        }
        out
    }
}
