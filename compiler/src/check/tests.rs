//! Tests of the checker: programs and the diagnostics that they give, against a small library of its own.

mod calls;
mod explain;
mod hir;
mod items;
mod needs;
mod programs;
mod types;

use super::{Checked, check};
use crate::source::{Library, Loader, Source};

/// The declarations that these tests use.
const LIBRARY: Library = Library {
    modules: &[
        ("prelude", include_str!("tests/prelude.scn")),
        ("http", include_str!("tests/http.scn")),
        ("server", include_str!("tests/server.scn")),
        ("tcp", include_str!("tests/tcp.scn")),
        ("log", include_str!("tests/log.scn")),
    ],
    prelude: &["prelude"],
};

/// Files for `use`, by name.
struct Files<'a>(&'a [(&'a str, &'a str)]);

impl Loader for Files<'_> {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        let (name, text) = found.ok_or_else(|| "no such file".to_owned())?;
        Ok(Source {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        })
    }
}

fn checked(text: &str) -> Checked {
    checked_with(text, &[])
}

fn checked_with(text: &str, files: &[(&str, &str)]) -> Checked {
    check(
        Source {
            name: "main.scn".to_owned(),
            text: text.to_owned(),
        },
        &Files(files),
        &LIBRARY,
    )
}

/// The findings as text.
fn findings(checked: &Checked) -> String {
    let all: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| d.text(&checked.sources))
        .collect();
    all.join("\n")
}

/// Asserts which codes a program gives, in order of place.
#[track_caller]
fn gives(text: &str, codes: &[&str]) {
    let checked = checked(text);
    let found: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|d| d.code.as_str())
        .collect();
    assert_eq!(found, codes, "in:\n{text}\nfound:\n{}", findings(&checked));
}

/// Asserts that a program has nothing to complain about.
#[track_caller]
fn fine(text: &str) {
    gives(text, &[]);
}

/// Asserts which codes the statements of a scenario give.
#[track_caller]
fn body(statements: &str, codes: &[&str]) {
    gives(&format!("scenario s {{\n{statements}\n}}\n"), codes);
}
