//! A load run while it goes on: a few lines that are redrawn in place, or a plain line now and then where nothing can
//! be redrawn.
//!
//! It knows nothing of streams: it gives the text that shows a second, and the text that takes it away again, so that
//! logs can be printed above it. Enter at [`Live`].

mod lines;
mod plain;

use super::numbers::Clock;
use crate::terminal::Style;
use lines::{Line, lines};
use plain::Plain;
use scn_runtime::report::Progress;

/// Columns and rows of a terminal.
pub(crate) type Size = (usize, usize);

/// What is shown of a run that goes on.
#[derive(Debug)]
pub(crate) struct Live {
    style: Style,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Redrawn {
        /// The last second, to draw it again below a log line.
        latest: Option<Box<Progress>>,
        /// How wide each drawn line is.
        drawn: Vec<usize>,
    },
    Plain(Box<Plain>),
}

impl Live {
    /// For a terminal, whose lines can be redrawn.
    pub(crate) fn redrawn(style: Style) -> Live {
        let form = Form::Redrawn {
            latest: None,
            drawn: Vec::new(),
        };
        Live { style, form }
    }

    /// For a file or a pipe.
    pub(crate) fn plain(style: Style) -> Live {
        Live {
            style,
            form: Form::Plain(Box::default()),
        }
    }

    /// Whether it keeps lines at the bottom of a terminal.
    pub(crate) fn is_redrawn(&self) -> bool {
        matches!(self.form, Form::Redrawn { .. })
    }

    /// The text that shows a second.
    pub(crate) fn second(&mut self, progress: &Progress, size: Size) -> String {
        match &mut self.form {
            Form::Plain(plain) => plain.second(progress),
            Form::Redrawn { latest, .. } => {
                *latest = Some(Box::new(progress.clone()));
                let erased = self.erase(size);
                format!("{erased}{}", self.draw(size))
            }
        }
    }

    /// The text that takes away what is shown.
    pub(crate) fn erase(&mut self, (columns, _): Size) -> String {
        let Form::Redrawn { drawn, .. } = &mut self.form else {
            return String::new();
        };
        // A terminal that was made narrower has broken lines into several rows.
        let rows: usize = drawn
            .drain(..)
            .map(|width| width.div_ceil(columns.max(1)).max(1))
            .sum();
        match rows {
            0 => String::new(),
            rows => format!("\r\x1b[{rows}A\x1b[J"),
        }
    }

    /// The text that shows the last second again.
    pub(crate) fn draw(&mut self, (columns, rows): Size) -> String {
        let Form::Redrawn { latest, drawn } = &mut self.form else {
            return String::new();
        };
        let Some(progress) = latest else {
            return String::new();
        };
        // The last column stays empty: some terminals break the line when it is written to.
        let width = columns.saturating_sub(1).max(1);
        let mut shown = lines(progress, width);
        shown.truncate(rows.saturating_sub(1).max(1));
        shown.iter_mut().for_each(|line| line.cut(width));
        drawn.extend(shown.iter().map(Line::width));
        let texts = shown
            .iter()
            .map(|line| format!("{}\n", line.paint(self.style)));
        texts.collect()
    }
}

/// Times while a run goes on are never hidden: where outputs are compared nothing of this is shown.
const CLOCK: Clock = Clock { hidden: false };

#[cfg(test)]
mod tests;
