//! What a terminal shows of a run that goes on.

use super::*;
use crate::sample;

const PLAIN: Style = Style { colour: false };

/// A terminal of so many columns: what stands in its rows after all that was written.
#[derive(Default)]
struct Screen {
    rows: Vec<String>,
    row: usize,
}

impl Screen {
    /// Writes a text with the few sequences that the view uses.
    fn write(&mut self, text: &str, columns: usize) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '\n' => self.row += 1,
                '\r' => {}
                '\x1b' => {
                    let end = rest
                        .find(|c: char| c.is_ascii_alphabetic())
                        .expect("sequences end");
                    let number: usize = rest[1..end].parse().unwrap_or(0);
                    match &rest[end..=end] {
                        "A" => self.row -= number,
                        "J" => self.rows.truncate(self.row),
                        other => panic!("the view does not use {other}"),
                    }
                    rest = &rest[end + 1..];
                }
                c => {
                    self.rows
                        .resize(self.rows.len().max(self.row + 1), String::new());
                    if self.rows[self.row].chars().count() == columns {
                        self.row += 1;
                        self.rows.insert(self.row, String::new());
                    }
                    self.rows[self.row].push(c);
                }
            }
        }
    }
}

#[test]
fn a_second_is_a_few_lines() {
    let mut live = Live::redrawn(PLAIN);
    insta::assert_snapshot!(live.second(&sample::progress(12), (100, 40)));
}

#[test]
fn lines_fit_narrow_and_low_terminals() {
    let mut live = Live::redrawn(Style { colour: true });
    for (columns, rows) in [(40, 24), (20, 10), (8, 3), (1, 1), (0, 0)] {
        let shown = lines(&sample::progress(90), columns);
        assert!(!shown.is_empty());
        let text = live.second(&sample::progress(90), (columns, rows));
        let drawn = text.matches('\n').count();
        assert!(
            drawn <= rows.saturating_sub(1).max(1),
            "{drawn} lines in {rows} rows"
        );
        let Form::Redrawn { drawn, .. } = &live.form else {
            unreachable!("it is redrawn")
        };
        assert!(
            drawn
                .iter()
                .all(|width| *width <= columns.saturating_sub(1).max(1)),
            "{drawn:?} in {columns}"
        );
    }
}

#[test]
fn each_second_takes_the_place_of_the_one_before() {
    let (mut live, mut screen) = (Live::redrawn(PLAIN), Screen::default());
    let size = (90, 30);
    screen.write(&live.second(&sample::progress(10), size), 90);
    let first = screen.rows.clone();
    screen.write(&live.erase(size), 90);
    screen.write("a line of the script\n", 90);
    screen.write(&live.draw(size), 90);
    assert_eq!(screen.rows[0], "a line of the script");
    assert_eq!(screen.rows[1..], first);
    screen.write(&live.second(&sample::progress(11), size), 90);
    assert_eq!(screen.rows.len(), first.len() + 1);
    screen.write(&live.erase(size), 90);
    assert_eq!(screen.rows, ["a line of the script"]);
}

#[test]
fn a_terminal_that_becomes_narrower_keeps_nothing_behind() {
    let mut live = Live::redrawn(PLAIN);
    let text = live.second(&sample::progress(40), (100, 30));
    // The terminal breaks what stands there into rows of 30 columns.
    let mut screen = Screen::default();
    screen.write(&text, 30);
    screen.write(&live.second(&sample::progress(41), (30, 30)), 30);
    screen.write(&live.erase((30, 30)), 30);
    assert!(screen.rows.is_empty(), "{:?}", screen.rows);
}

#[test]
fn logs_get_a_line_now_and_then() {
    let mut live = Live::plain(PLAIN);
    let text: String = (0..45)
        .map(|second| live.second(&sample::progress(second), (0, 0)))
        .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn a_run_without_an_end_in_time_says_how_long_it_has_been() {
    let mut progress = sample::progress(75);
    progress.scenarios[0].stages.clear();
    progress.stopping = true;
    let shown = lines(&progress, 100);
    assert_eq!(shown[0].paint(PLAIN), "  running for 1m 16s");
    assert!(
        shown
            .last()
            .expect("there are lines")
            .paint(PLAIN)
            .contains("Ctrl-C again cancels")
    );
}

#[test]
fn a_long_name_does_not_touch_what_follows() {
    let mut progress = sample::progress(12);
    progress.scenarios[0].name = "a_scenario_with_a_long_name".to_owned();
    let shown = Live::redrawn(PLAIN).second(&progress, (100, 40));
    assert!(shown.contains("a_scenario_with_a_long_name  "), "{shown}");
}
