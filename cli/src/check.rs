//! `scn check PATH...`: what is wrong with files, without running them.
//!
//! Files are checked side by side; what is printed does not depend on who was first.

use crate::execute::refuse;
use crate::files::{self, Files, Unreadable};
use crate::render::findings::{self, Count, plural};
use crate::render::json;
use crate::terminal::{Exit, Terminal};
use rayon::prelude::*;
use scn_compiler::diagnostics::{Diagnostic, Severity};
use scn_compiler::source::Sources;
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Arguments of `scn check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// Files, and folders whose `.scn` files are checked.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON document (see docs/json.md).
    #[arg(long)]
    json: bool,
    /// Print findings only.
    #[arg(long, short)]
    quiet: bool,
}

/// What is known about one file after the check.
struct FileFindings {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

/// Checks everything that the arguments name.
pub(crate) fn check(arguments: &CheckArguments, terminal: &mut Terminal<'_>) -> Exit {
    let paths = match files::expand(&arguments.paths) {
        Ok(paths) => paths,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    if paths.is_empty() {
        let shown: Vec<String> = arguments
            .paths
            .iter()
            .map(|path| format!("`{}`", path.display()))
            .collect();
        return terminal.refuse(
            &format!("there is no .scn file in {}", shown.join(", ")),
            None,
        );
    }
    let mut results = match check_all(&paths) {
        Ok(results) => results,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    drop_repeated(&mut results);
    if arguments.json {
        print_json(&results, terminal)
    } else {
        print_text(&results, arguments.quiet, terminal)
    }
}

/// A single file is not worth starting threads for.
fn check_all(paths: &[PathBuf]) -> Result<Vec<FileFindings>, Unreadable> {
    match paths {
        [path] => Ok(vec![check_file(path)?]),
        _ => paths.par_iter().map(|path| check_file(path)).collect(),
    }
}

fn check_file(path: &Path) -> Result<FileFindings, Unreadable> {
    let source = match files::read_entry(path) {
        Ok(source) => source,
        Err(Unreadable::NotText { source, diagnostic }) => {
            return Ok(FileFindings {
                sources: Sources { all: vec![source] },
                diagnostics: vec![*diagnostic],
            });
        }
        Err(missing) => return Err(missing),
    };
    let mut checked = scn_compiler::check(source, &Files::of_entry(path), &scn_stdlib::LIBRARY);
    checked.diagnostics.extend(missing_descriptors(&checked));
    Ok(FileFindings {
        sources: checked.sources,
        diagnostics: checked.diagnostics,
    })
}

/// Whether load plans need more descriptors than this process could have. Runs make up for it if they can.
fn missing_descriptors(checked: &scn_compiler::Checked) -> Option<Diagnostic> {
    let limit = scn_runtime::load::descriptors::limit().ok()?;
    scn_compiler::lint_descriptors(checked.hir.as_ref()?, limit.hard)
}

/// A file that several others import is checked with each of them; its findings are shown once.
fn drop_repeated(results: &mut [FileFindings]) {
    let mut seen = HashSet::new();
    for FileFindings {
        sources,
        diagnostics,
    } in results
    {
        diagnostics.retain(|found| {
            let span = found.span();
            seen.insert((
                sources.source(span.source).name.clone(),
                span.range(),
                found.code,
                found.message.clone(),
            ))
        });
    }
}

fn total(results: &[FileFindings]) -> Count {
    let mut count = Count::default();
    for result in results {
        count.add(Count::of(&result.diagnostics));
    }
    count
}

fn exit(count: Count) -> Exit {
    if count.errors > 0 {
        Exit::Usage
    } else {
        Exit::Success
    }
}

fn print_text(results: &[FileFindings], quiet: bool, terminal: &mut Terminal<'_>) -> Exit {
    let style = terminal.out_style();
    for result in results {
        let _ = terminal
            .out
            .write_all(findings::draw(&result.diagnostics, &result.sources, style).as_bytes());
    }
    let count = total(results);
    if !quiet {
        let checked = plural(results.len(), "file");
        let _ = match count == Count::default() {
            true => writeln!(
                terminal.out,
                "{} {checked}, nothing to report",
                style.green("✓")
            ),
            false => {
                let closing = findings::closing(count, first(results), style);
                writeln!(terminal.out, "{checked}: {closing}")
            }
        };
    }
    exit(count)
}

/// The first error, or else the first warning.
fn first(results: &[FileFindings]) -> Option<&Diagnostic> {
    let mut all = results.iter().flat_map(|result| &result.diagnostics);
    let first = all.clone().next();
    all.find(|found| found.severity == Severity::Error)
        .or(first)
}

fn print_json(results: &[FileFindings], terminal: &mut Terminal<'_>) -> Exit {
    let count = total(results);
    let diagnostics: Vec<Value> = results
        .iter()
        .flat_map(|result| {
            result
                .diagnostics
                .iter()
                .map(|found| json::diagnostic(found, &result.sources))
        })
        .collect();
    let document = serde_json::json!({
        "files": results.len(),
        "errors": count.errors,
        "warnings": count.warnings,
        "diagnostics": diagnostics,
    });
    let _ = writeln!(terminal.out, "{document:#}");
    exit(count)
}
