//! Every explanation page: its first example gives exactly its code, its second nothing.

use super::{checked_with, findings};
use crate::check::{Checked, lint_descriptors};
use crate::diagnostics::{Code, explain};

/// What the examples import.
const FILES: &[(&str, &str)] = &[
    (
        "lib/auth.scn",
        "const LIMIT: int = 3\nparam base: string = \"http://127.0.0.1\"\nfn home() -> string { return base }\n",
    ),
    (
        "lib/circle.scn",
        "use \"main.scn\" as main\nfn run() { main.run() }\n",
    ),
    ("main.scn", ""),
];

/// The code blocks of a page that are marked like this.
fn fences<'p>(page: &'p str, mark: &str) -> Vec<&'p str> {
    let start = format!("```{mark}\n");
    page.split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

/// What depends on the machine is not the checker's alone: the page speaks of one with 1024 descriptors.
fn add_machine(code: Code, checked: &mut Checked) {
    if code == Code::W0303 {
        let found = checked
            .hir
            .as_ref()
            .and_then(|hir| lint_descriptors(hir, 1024));
        checked.diagnostics.extend(found);
    }
}

#[test]
fn the_failing_example_gives_its_code_and_the_fixed_one_nothing() {
    let mut wrong = Vec::new();
    // What a target cannot do is found when it is built for, not by the checker; E0008 is about bytes that are no text.
    let of_checker = |code: &&Code| **code != Code::E0008 && !code.as_str().starts_with("E04");
    for code in Code::ALL.iter().filter(of_checker) {
        let page = explain(code.as_str()).expect("every code has a page");
        let (failing, fixed) = (fences(page, "scn fails"), fences(page, "scn"));
        assert_eq!((failing.len(), fixed.len()), (1, 1), "examples of {code}");
        let mut checked = checked_with(failing[0], FILES);
        add_machine(*code, &mut checked);
        let found: Vec<_> = checked.diagnostics.iter().map(|d| d.code).collect();
        if found.is_empty() || found.iter().any(|found| found != code) {
            wrong.push(format!("{code} fails with:\n{}", findings(&checked)));
        }
        let mut checked = checked_with(fixed[0], FILES);
        add_machine(*code, &mut checked);
        if !checked.diagnostics.is_empty() {
            wrong.push(format!("{code} is not fixed:\n{}", findings(&checked)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn pages_open_with_their_code_and_title() {
    for code in Code::ALL {
        let head = format!("# {code}: {}\n", code.title());
        assert!(code.page().starts_with(&head), "{head}");
    }
    assert!(explain("e0201").is_some());
    assert!(explain("E9999").is_none());
}
