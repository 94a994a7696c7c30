//! One report in the form that miette draws: a message, labelled places, help.

use super::excerpt::Excerpt;
use crate::terminal::Style;
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, Severity};
use scn_compiler::Span;
use scn_compiler::diagnostics::Diagnostic;
use scn_compiler::source::Sources;
use std::fmt;

/// Text is broken to this width.
const WIDTH: usize = 120;

/// A report that can be drawn.
#[derive(Debug)]
pub(crate) struct Report {
    code: Option<String>,
    message: String,
    severity: Severity,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
    /// Places in other files.
    elsewhere: Vec<Report>,
    help: Option<String>,
    /// Values of the sides of a comparison.
    sides: Vec<(&'static str, String)>,
    notes: Vec<String>,
}

impl Report {
    /// A report without places.
    pub(crate) fn new(code: Option<&str>, severity: Severity, message: &str) -> Self {
        Self {
            code: code.map(str::to_owned),
            message: message.to_owned(),
            severity,
            source: None,
            labels: Vec::new(),
            elsewhere: Vec::new(),
            help: None,
            sides: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// A finding of the compiler.
    pub(crate) fn of(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let severity = match diagnostic.severity {
            scn_compiler::diagnostics::Severity::Error => Severity::Error,
            scn_compiler::diagnostics::Severity::Warning => Severity::Warning,
        };
        let mut report = Self::new(
            Some(diagnostic.code.as_str()),
            severity,
            &diagnostic.message,
        );
        report.point(sources, &diagnostic.labels);
        report.help.clone_from(&diagnostic.help);
        report.notes.clone_from(&diagnostic.notes);
        report
    }

    /// Adds labelled places; the first is the primary one and decides which file is shown first.
    pub(crate) fn point(&mut self, sources: &Sources, labels: &[(Span, String)]) {
        let Some((first, _)) = labels.first() else {
            return;
        };
        let source = sources.source(first.source);
        let excerpt = Excerpt::new(&source.name, &source.text);
        for (index, (span, text)) in labels.iter().enumerate() {
            if span.source == first.source {
                let place = excerpt.drawable(span.start as usize, span.end as usize);
                let text = (!text.is_empty()).then(|| text.clone());
                self.labels.push(match index {
                    0 => LabeledSpan::new_primary_with_span(text, place),
                    _ => LabeledSpan::new_with_span(text, place),
                });
            } else {
                let mut other = Report::new(None, Severity::Advice, text);
                other.point(sources, &[(*span, String::new())]);
                self.elsewhere.push(other);
            }
        }
        self.source = Some(excerpt);
    }

    /// Adds the value of one side of a comparison; long ones are cut.
    pub(crate) fn side(&mut self, name: &'static str, value: &str) {
        const MOST: usize = 500;
        let value = super::transcript::printable(value);
        let mut shown: String = value.chars().take(MOST).collect();
        if shown.len() < value.len() {
            shown.push_str(&format!("... ({} characters)", value.chars().count()));
        }
        self.sides.push((name, shown));
    }

    /// Adds a line below.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The drawing.
    pub(crate) fn draw(&self, style: Style) -> String {
        let theme = if style.colour {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::unicode_nocolor()
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(WIDTH)
            .with_links(false)
            .without_syntax_highlighting()
            .with_context_lines(1)
            .with_show_related_as_nested(true);
        let mut out = String::new();
        if handler.render_report(&mut out, self).is_err() {
            out.push_str(&self.message);
        }
        // miette separates head and body by an empty line; one finding should look like one thing.
        let mut out = out.replacen("\n\n", "\n", usize::from(self.code.is_some()));
        for (name, value) in &self.sides {
            out.push_str(&format!(
                "{:>7}: {}\n",
                name,
                value.replace('\n', "\n         ")
            ));
        }
        for note in &self.notes {
            out.push_str(&format!(
                "  {}: {}\n",
                style.cyan("note"),
                note.replace('\n', "\n        ")
            ));
        }
        out.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
            + "\n"
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Report {}

impl miette::Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code.as_ref().map(|code| Box::new(code) as _)
    }

    fn severity(&self) -> Option<Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        (!self.elsewhere.is_empty()).then(|| {
            Box::new(
                self.elsewhere
                    .iter()
                    .map(|other| other as &dyn miette::Diagnostic),
            ) as _
        })
    }
}
