//! The table of `--profile`: where the scenarios' own time went, by source line.
//!
//! Enter at [`draw`].

use crate::render::program::ProgramText;
use scn_runtime::profile::{Kind, Seen};
use std::collections::BTreeMap;

/// Lines that are shown; what lies beyond is too little to look at.
const LINES: usize = 20;

/// A line of the source with its samples, or what is no line.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    what: &'static str,
    place: String,
    function: String,
    text: String,
}

fn row(seen: &Seen, program: &ProgramText) -> Row {
    let what = match seen.kind {
        Kind::Loop => "loop",
        Kind::Wait => "wait",
        Kind::Other => "scripts without loops",
        Kind::Runtime => "outside of scripts",
    };
    let mut row = Row {
        what,
        place: String::new(),
        function: String::new(),
        text: String::new(),
    };
    if !matches!(seen.kind, Kind::Loop | Kind::Wait) || !program.is_known(seen.place) {
        return row;
    }
    let source = program.sources.source(seen.place.span.source);
    let (line, _) = program.sources.line_column(seen.place.span);
    row.place = format!("{}:{line}", source.name);
    row.function = program.function(seen.place).unwrap_or_default().to_owned();
    let text = source.text.lines().nth(line - 1).unwrap_or_default();
    row.text = text.trim().to_owned();
    row
}

/// The table. Places of the same line and function are one row.
pub(crate) fn draw(seen: &[Seen], program: &ProgramText) -> String {
    let mut rows: BTreeMap<Row, u64> = BTreeMap::new();
    for seen in seen {
        *rows.entry(row(seen, program)).or_default() += seen.samples;
    }
    let total: u64 = rows.values().sum();
    if total == 0 {
        return "\nwhere the time went: no sample, the workers were not busy\n".to_owned();
    }
    let mut rows: Vec<(Row, u64)> = rows.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    rows.truncate(LINES);
    let width = |f: fn(&Row) -> &str| rows.iter().map(|(row, _)| f(row).chars().count()).max();
    let places = width(|row| &row.place).unwrap_or(0);
    let functions = width(|row| &row.function).unwrap_or(0);
    let mut out = format!(
        "\nwhere the time went: {total} samples, about one each millisecond of a busy worker\n"
    );
    for (row, samples) in &rows {
        let share = *samples as f64 * 100.0 / total as f64;
        let line = match row.place.is_empty() {
            true => format!("{share:6.1} %  {}", row.what),
            false => format!(
                "{share:6.1} %  {}  {:places$}  {:functions$}  {}",
                row.what, row.place, row.function, row.text
            ),
        };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use scn_compiler::source::{Source, Sources};
    use scn_compiler::{SourceId, Span};
    use scn_runtime::Place;

    fn seen(kind: Kind, start: usize, samples: u64) -> Seen {
        let place = Place {
            function: 0,
            span: Span::new(SourceId(0), start, start + 1),
        };
        Seen {
            kind,
            place,
            samples,
        }
    }

    #[test]
    fn places_of_a_line_are_one_row_and_the_largest_share_comes_first() {
        let source = Source {
            name: "a.scn".to_owned(),
            text: "scenario s {\n  for i in 0..9 { f(i) }\n  sleep 1s\n}\n".to_owned(),
        };
        let sources = Sources { all: vec![source] };
        let program = ProgramText::new(sources, &scn_compiler::ir::Program::default());
        let text = draw(
            &[
                seen(Kind::Runtime, 0, 1),
                seen(Kind::Loop, 15, 4),
                seen(Kind::Loop, 30, 3),
                seen(Kind::Wait, 40, 2),
            ],
            &program,
        );
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "where the time went: 10 samples, about one each millisecond of a busy worker",
                "  70.0 %  loop  a.scn:2    for i in 0..9 { f(i) }",
                "  20.0 %  wait  a.scn:3    sleep 1s",
                "  10.0 %  outside of scripts",
            ]
        );
    }
}
