//! One case of the language suite: a program whose first comment lines say which stages its snapshot shows.
//!
//! ```text
//! //# check run            the stages: check, ast, hir, ir, run, test
//! //# args: --set n=3      further arguments of `run` and `test`
//! //# real                 with the real clock instead of the virtual one
//! //# needs ipv6           skipped where there is no such loopback address
//! //# native: reason       not as a component, although one could be built
//! let x = y                //~ E0101
//! ```
//!
//! What `run` and `test` print is the same on all engines: interpreted, compiled, and as a component. Where a component
//! is refused, the snapshot has a section `component` with the reasons.
//!
//! A mark `//~ CODE` says which findings the checker has on a line; all findings need a mark.

use crate::program::{Output, scn};
use crate::{filter, tree};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A program and what its head asks for.
#[derive(Debug)]
pub struct Case {
    path: PathBuf,
    stages: Vec<String>,
    args: Vec<String>,
    real_clock: bool,
    native_only: bool,
    /// Whether it talks over `::1`.
    pub needs_ipv6: bool,
}

impl Case {
    /// Reads the head of a program; `None` when it has none, as files have that others import.
    pub fn read(path: &Path) -> Option<Case> {
        let bytes = std::fs::read(path).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let mut case = Case {
            path: path.to_owned(),
            stages: Vec::new(),
            args: Vec::new(),
            real_clock: false,
            native_only: false,
            needs_ipv6: false,
        };
        let heads = text
            .trim_start_matches('\u{feff}')
            .lines()
            .map_while(|line| line.strip_prefix("//#"));
        let mut any = false;
        for head in heads {
            any = true;
            match head.trim() {
                "real" => case.real_clock = true,
                "needs ipv6" => case.needs_ipv6 = true,
                head if head.starts_with("native:") => case.native_only = true,
                other => match other.strip_prefix("args:") {
                    Some(args) => case.args.extend(args.split_whitespace().map(str::to_owned)),
                    None => case
                        .stages
                        .extend(other.split_whitespace().map(str::to_owned)),
                },
            }
        }
        any.then_some(case)
    }

    /// Runs all stages and compares them with the snapshot beside the program, and the findings with the marks.
    pub fn verify(&self) -> Result<(), String> {
        let marks = self.compare_marks();
        let text = self
            .stages
            .iter()
            .map(|stage| self.section(stage))
            .collect::<Result<String, _>>()?;
        compare_snapshot(&self.path, &text)?;
        marks
    }

    fn section(&self, stage: &str) -> Result<String, String> {
        let path = self.path.to_string_lossy().into_owned();
        let output = match stage {
            "check" => scn(["check", &path]),
            "ast" | "hir" | "ir" => scn(["inspect", "--emit", stage, &path]),
            "run" | "test" => return self.run_everywhere(stage, &path),
            other => return Err(format!("no stage is called `{other}`")),
        };
        Ok(format!(
            "== {stage}\n{}",
            filter::stable(&output.transcript())
        ))
    }

    /// What a run prints, which is the same on every engine.
    fn run_everywhere(&self, stage: &str, path: &str) -> Result<String, String> {
        let shown = |engine| filter::stable(&self.run(stage, path, engine).transcript());
        let (interpreted, compiled) = (shown("interp"), shown("jit"));
        if interpreted != compiled {
            return Err(format!(
                "the engines differ: interpreted it does\n{interpreted}\nand compiled\n{compiled}"
            ));
        }
        let mut refused = String::new();
        if !self.native_only {
            let component = shown("component");
            refused = refusals(&component);
            if refused.is_empty() && component != interpreted {
                return Err(format!(
                    "the engines differ: interpreted it does\n{interpreted}\nand as a component\n{component}"
                ));
            }
        }
        Ok(format!("== {stage}\n{interpreted}{refused}"))
    }

    fn run(&self, command: &str, path: &str, engine: &str) -> Output {
        let mut args = vec![command, path, "--seed", "1", "--engine", engine];
        if !self.real_clock {
            args.push("--virtual-clock");
        }
        if engine == "component" {
            args.extend(LIMIT);
        }
        args.extend(self.args.iter().map(String::as_str));
        scn(args)
    }

    /// The findings of the checker must be exactly those that are marked.
    fn compare_marks(&self) -> Result<(), String> {
        let output = scn(["check".as_ref(), "--json".as_ref(), self.path.as_os_str()]);
        let document: serde_json::Value = serde_json::from_str(&output.out).map_err(|error| {
            format!(
                "`check --json` printed no JSON: {error}\n{}{}",
                output.out, output.err
            )
        })?;
        let mut found: BTreeMap<(String, u64), Vec<String>> = BTreeMap::new();
        for finding in document["diagnostics"].as_array().into_iter().flatten() {
            let place = &finding["labels"][0];
            let key = (
                place["file"].as_str().unwrap_or("").to_owned(),
                place["line"].as_u64().unwrap_or(0),
            );
            found
                .entry(key)
                .or_default()
                .push(finding["code"].as_str().unwrap_or("").to_owned());
        }
        let mut wanted = BTreeMap::new();
        let mut names: Vec<String> = found.keys().map(|(name, _)| name.clone()).collect();
        names.push(self.path.to_string_lossy().into_owned());
        names.dedup();
        for name in names {
            wanted.extend(marks(&name));
        }
        for codes in found.values_mut().chain(wanted.values_mut()) {
            codes.sort();
        }
        match found == wanted {
            true => Ok(()),
            false => Err(format!("marked: {wanted:?}\n found: {found:?}")),
        }
    }
}

/// Components are cut off after a time that none of them needs on the busiest machine.
pub const LIMIT: [&str; 2] = ["--engine-limit", "60s"];

/// The section of a snapshot that says why there is no component; empty where there is one.
pub fn refusals(transcript: &str) -> String {
    let mut found: Vec<String> = Vec::new();
    let mut lines = transcript.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("E04")
            && let Some((_, message)) = lines.next().unwrap_or_default().split_once("× ")
        {
            let reason = format!("{line} {message}\n");
            if !found.contains(&reason) {
                found.push(reason);
            }
        }
    }
    match found.is_empty() {
        true => String::new(),
        false => format!("== component\n{}", found.concat()),
    }
}

/// The marks `//~ CODE CODE` of a file, by line.
fn marks(name: &str) -> BTreeMap<(String, u64), Vec<String>> {
    let text = String::from_utf8_lossy(&std::fs::read(name).unwrap_or_default()).into_owned();
    let mut found = BTreeMap::new();
    for (index, line) in text.split('\n').enumerate() {
        if let Some((_, codes)) = line.split_once("//~") {
            let codes = codes.split_whitespace().map(str::to_owned).collect();
            found.insert((name.to_owned(), index as u64 + 1), codes);
        }
    }
    found
}

/// Compares with `NAME.snap` beside the program; `INSTA_UPDATE=always` accepts, as does `cargo insta review`.
pub fn compare_snapshot(program: &Path, text: &str) -> Result<(), String> {
    let folder = program.parent().expect("a program lies in a folder");
    let name = program
        .file_stem()
        .expect("a program has a name")
        .to_string_lossy()
        .into_owned();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(program.strip_prefix(tree::root()).unwrap_or(program));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name, text));
    }));
    outcome.map_err(|_| format!("the snapshot differs; the whole output is\n{text}"))
}
