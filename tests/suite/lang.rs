//! The language suite: every program below `lang/`, every example, every program of the documentation.
//!
//! `cargo test --test lang FILTER` runs the cases whose path contains the filter.

#![forbid(unsafe_code)]

#[path = "lang/documentation.rs"]
mod documentation;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use scn_tests::case::{Case, LIMIT, compare_snapshot, refusals};
use scn_tests::{filter, program, tree};
use std::path::Path;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for path in tree::files("tests/lang", ".scn") {
        if let Some(case) = Case::read(&path) {
            trials.push(Trial::ignorable_test(tree::shown(&path), move || {
                verify(&case)
            }));
        }
    }
    for path in tree::files("examples", ".scn") {
        // Files in folders are what examples import.
        if path.parent() == Some(&tree::root().join("examples")) {
            trials.push(Trial::test(tree::shown(&path), move || {
                example(&path).map_err(Into::into)
            }));
        }
    }
    trials.extend(documentation::trials());
    let conclusion = libtest_mimic::run(&arguments, trials);
    let (refused, all) = availability();
    println!("{refused} of {all} programs are refused as components: see their snapshots");
    conclusion.exit();
}

/// How many programs are refused as components, by their snapshots, and how many there are.
fn availability() -> (usize, usize) {
    let snapshots = tree::files("tests/lang", ".snap").into_iter();
    let texts: Vec<String> = snapshots.map(|path| tree::read(&path)).collect();
    let has = |section: &str| texts.iter().filter(|text| text.contains(section)).count();
    (
        has("\n== component\n"),
        has("\n== run\n") + has("\n== test\n"),
    )
}

/// Some machines have no IPv6 at all, not even on loopback.
fn verify(case: &Case) -> Result<Completion, Failed> {
    if case.needs_ipv6 && std::net::TcpListener::bind("[::1]:0").is_err() {
        return Ok(Completion::ignored_with("there is no ::1 here"));
    }
    case.verify()?;
    Ok(Completion::Completed)
}

/// Lines without what differs between runs. What happens at the same time may be told in another order by another engine.
fn sorted(transcript: &str) -> Vec<String> {
    let stable = filter::stable(transcript);
    let mut lines: Vec<String> = stable.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// An example has no findings, runs alone, and prints what its snapshot holds, as a component too if it can be one. What a load test prints is numbers of
/// this machine: there it is enough that its thresholds hold.
fn example(path: &Path) -> Result<(), String> {
    let checked = program::scn(["check".as_ref(), "--quiet".as_ref(), path.as_os_str()]);
    if !checked.out.is_empty() || checked.status != 0 {
        return Err(checked.transcript());
    }
    let text = tree::read(path);
    let command = program::command_for(&text);
    let mut args = vec![command.into(), path.as_os_str().to_owned()];
    args.extend(["--seed", "1", "--virtual-clock"].map(Into::into));
    let mut as_component = args.clone();
    as_component.extend(["--engine", "component"].map(Into::into));
    as_component.extend(LIMIT.map(Into::into));
    let is_load_test = text.contains("load {");
    if is_load_test {
        // With one worker, time passes only where everything waits, servers included.
        args.extend(["--workers", "1"].map(Into::into));
    }
    let output = program::scn::<std::ffi::OsString>(args);
    if output.status != 0 {
        return Err(output.transcript());
    }
    let component = program::scn::<std::ffi::OsString>(as_component);
    let is_refused = !refusals(&component.transcript()).is_empty();
    if component.status != 0 && !is_refused {
        return Err(component.transcript());
    }
    if is_load_test {
        return Ok(());
    }
    let (shown, as_component) = (output.transcript(), component.transcript());
    if !is_refused && sorted(&shown) != sorted(&as_component) {
        return Err(format!("as a component it prints\n{as_component}"));
    }
    let snapshot = tree::root()
        .join("tests/examples")
        .join(path.file_name().expect("an example has a name"));
    compare_snapshot(&snapshot, &filter::stable(&output.transcript()))
}
