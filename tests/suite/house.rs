//! House rules: what must hold for the project's own files. A rule that is broken says where.

use scn_compiler::diagnostics::Code;
use scn_tests::tree;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The rooms of the house, and which rooms each may see.
const ROOMS: &[(&str, &str, &[&str])] = &[
    ("grammar", "scn-grammar", &[]),
    ("compiler", "scn-compiler", &["scn-grammar"]),
    ("runtime", "scn-runtime", &["scn-grammar", "scn-compiler"]),
    (
        "stdlib",
        "scn-stdlib",
        &["scn-grammar", "scn-compiler", "scn-runtime"],
    ),
    ("host", "scn-host", &[]),
    (
        "cli",
        "scn",
        &[
            "scn-grammar",
            "scn-compiler",
            "scn-runtime",
            "scn-stdlib",
            "scn-host",
        ],
    ),
];

/// Crates that few rooms may use.
const FEW_PLACES: &[(&str, &[&str])] = &[
    ("pest", &["grammar"]),
    ("miette", &["cli"]),
    ("clap", &["cli"]),
    ("ctrlc", &["cli"]),
    ("rustls", &["stdlib", "host"]),
    ("httparse", &["stdlib"]),
    ("wasmtime", &["host"]),
    ("tokio", &["host"]),
];

/// Files above 1,000 lines, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Words that must not stand in the sources; assembled here so that this file does not hold them.
fn forbidden_words() -> Vec<String> {
    [
        ("#[ign", "ore"),
        ("#[should_", "panic"),
        ("todo", "!("),
        ("unimplemented", "!("),
        ("dbg", "!("),
    ]
    .iter()
    .map(|(a, b)| format!("{a}{b}"))
    .collect()
}

fn rust_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ROOMS
        .iter()
        .flat_map(|(folder, ..)| tree::files(folder, ".rs"))
        .collect();
    files.extend(tree::files("tests", ".rs"));
    files.extend(tree::files("bench", ".rs"));
    assert!(files.len() > 20, "the sources are found");
    files
}

/// Fails with all places where a rule is broken.
fn assert_none(rule: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn every_file_says_at_its_head_what_it_is() {
    let broken = rust_files()
        .into_iter()
        .filter(|path| !tree::read(path).starts_with("//!"));
    assert_none(
        "a source file opens with `//!`",
        broken.map(|path| tree::shown(&path)).collect(),
    );
}

#[test]
fn no_file_is_too_long() {
    let mut broken = Vec::new();
    for path in rust_files() {
        let lines = tree::read(&path).lines().count();
        let allowed = LONG_FILES
            .iter()
            .any(|(name, _)| *name == tree::shown(&path));
        if lines > 1000 && !allowed {
            broken.push(format!("{}: {lines} lines", tree::shown(&path)));
        }
    }
    assert_none("a source file has at most 1,000 lines", broken);
    for (name, _) in LONG_FILES {
        let lines = tree::read(&tree::root().join(name)).lines().count();
        assert!(
            lines > 1000,
            "{name} is short enough now: take it from the list"
        );
    }
}

#[test]
fn no_module_is_called_mod() {
    let broken = rust_files()
        .into_iter()
        .filter(|path| path.ends_with("mod.rs"));
    assert_none(
        "modules are `name.rs` and `name/`",
        broken.map(|path| tree::shown(&path)).collect(),
    );
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    let mut broken = Vec::new();
    for path in rust_files() {
        for (index, line) in tree::read(&path).lines().enumerate() {
            for word in forbidden_words() {
                if line.contains(&word) {
                    broken.push(format!("{}:{}: {word}", tree::shown(&path), index + 1));
                }
            }
        }
    }
    assert_none("no skipped tests and no unfinished code", broken);
}

#[test]
fn rooms_depend_only_on_rooms_to_their_left() {
    let mut broken = Vec::new();
    for (folder, package, allowed) in ROOMS {
        let manifest = tree::read(&tree::root().join(folder).join("Cargo.toml"));
        for (_, other, _) in ROOMS {
            let named = manifest
                .lines()
                .any(|line| line.split(['.', ' ', '=']).next() == Some(other));
            if named && other != package && !allowed.contains(other) {
                broken.push(format!("{folder}/Cargo.toml depends on {other}"));
            }
        }
        for path in tree::files(folder, ".rs") {
            let text = tree::read(&path);
            for (_, other, _) in ROOMS
                .iter()
                .filter(|(_, other, _)| other != package && *other != "scn")
            {
                let path_in_code = format!("{}::", other.replace('-', "_"));
                if text.contains(&path_in_code) && !allowed.contains(other) {
                    broken.push(format!("{} uses {other}", tree::shown(&path)));
                }
            }
        }
    }
    assert_none("the arrows of ARCHITECTURE.md", broken);
}

#[test]
fn some_crates_are_used_in_few_rooms_only() {
    let mut broken = Vec::new();
    for (name, homes) in FEW_PLACES {
        for (folder, ..) in ROOMS.iter().filter(|(folder, ..)| !homes.contains(folder)) {
            let manifest = tree::read(&tree::root().join(folder).join("Cargo.toml"));
            if manifest
                .lines()
                .any(|line| line.split(['.', ' ', '=']).next() == Some(name))
            {
                broken.push(format!(
                    "{folder}/Cargo.toml depends on {name}, which belongs to {}",
                    homes.join(", ")
                ));
            }
        }
    }
    assert_none("some dependencies have their homes", broken);
}

#[test]
fn unsafe_code_is_forbidden_outside_the_runtime() {
    let heads = [
        "grammar/src/lib.rs",
        "compiler/src/lib.rs",
        "host/src/lib.rs",
        "cli/src/lib.rs",
        "cli/src/main.rs",
        "tests/src/lib.rs",
        "tests/stress/src/lib.rs",
    ];
    let broken = heads
        .iter()
        .filter(|head| !tree::read(&tree::root().join(head)).contains("#![forbid(unsafe_code)]"));
    assert_none(
        "`#![forbid(unsafe_code)]` stands in",
        broken.map(|head| (*head).to_owned()).collect(),
    );
}

#[test]
fn every_code_is_explained_and_has_a_case() {
    let cases: Vec<String> = tree::files("tests/lang", ".scn")
        .iter()
        .map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned())
        .collect();
    let marked: BTreeSet<&str> = cases
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.split_once("//~"))
        .flat_map(|(_, codes)| codes.split_whitespace())
        .collect();
    let mut broken = Vec::new();
    for code in Code::ALL {
        // Plans of so many users have findings that depend on the limits of the machine: the checker tests them.
        // What a component has not is found when one is built (stdlib/tests/components.rs).
        let depends = [Code::W0301, Code::W0303].contains(code) || code.as_str().starts_with("E04");
        let has_case = marked.contains(code.as_str()) || depends;
        if !has_case {
            broken.push(format!(
                "{}: no case below tests/lang is marked `//~ {}`",
                code.as_str(),
                code.as_str()
            ));
        }
        if scn_compiler::diagnostics::explain(code.as_str()).is_none() {
            broken.push(format!("{}: no explanation", code.as_str()));
        }
    }
    assert_none("codes", broken);
}

#[test]
fn the_language_suite_is_large_and_every_program_has_its_snapshot() {
    let mut broken = Vec::new();
    let mut count = 0;
    for path in tree::files("tests/lang", ".scn") {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        if !text.trim_start_matches('\u{feff}').starts_with("//#") {
            continue;
        }
        count += 1;
        if !path.with_extension("snap").is_file() {
            broken.push(format!("{} has no snapshot", tree::shown(&path)));
        }
    }
    for snapshot in tree::files("tests/lang", ".snap") {
        if !snapshot.with_extension("scn").is_file() {
            broken.push(format!("{} belongs to no program", tree::shown(&snapshot)));
        }
    }
    for path in tree::files("tests/examples", ".snap") {
        let name = path.with_extension("scn");
        let name = name.file_name().expect("a file has a name");
        if !tree::root().join("examples").join(name).is_file() {
            broken.push(format!("{} belongs to no example", tree::shown(&path)));
        }
    }
    assert_none("programs and snapshots", broken);
    assert!(count >= 150, "the suite has {count} cases");
}

#[test]
fn the_scenarios_of_the_comparisons_are_well_formed() {
    let files = tree::files("bench/scenarios", ".scn");
    assert!(files.len() > 5, "the scenarios are found");
    let mut broken = Vec::new();
    for path in files {
        let output = scn_tests::program::scn(["check".into(), path.clone().into_os_string()]);
        if output.status != 0 {
            broken.push(format!("{}: {}", tree::shown(&path), output.transcript()));
        }
    }
    assert_none("`scn check` finds no error", broken);
}

#[test]
fn no_new_snapshot_waits_for_review() {
    let waiting = tree::files("tests", ".snap.new");
    assert_none(
        "review these",
        waiting.iter().map(|path| tree::shown(path)).collect(),
    );
}
