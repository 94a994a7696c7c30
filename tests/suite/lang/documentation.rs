//! The documentation is true: its programs run, its outputs are what is printed, its commands are those of the tests.

use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use scn_tests::markdown::{Block, blocks};
use scn_tests::program::{command_for, scn};
use scn_tests::{filter, tree};
use std::path::Path;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for page in [
        "README.md",
        "docs/guide.md",
        "docs/library.md",
        "docs/load.md",
        "docs/pools.md",
    ] {
        for block in blocks(&tree::read(&tree::root().join(page))) {
            if block.language == "scn" {
                trials.push(Trial::test(format!("{page}:{}", block.line), move || {
                    holds(&block)
                }));
            }
        }
    }
    for path in tree::files("cli/explain", ".md") {
        trials.push(Trial::test(tree::shown(&path), move || explained(&path)));
    }
    trials.push(Trial::test("README.md::commands", readme_commands));
    trials.push(Trial::test("README.md::outputs", readme_outputs));
    trials
}

/// A program of the documentation has no findings, and everything in it holds.
fn holds(block: &Block) -> Result<(), Failed> {
    let folder = Folder::new("docs");
    let path = folder.write("block.scn", &block.text);
    folder.write("words.csv", "word\ntea\nmilk\n");
    let checked = scn(["check".as_ref(), "--quiet".as_ref(), path.as_os_str()]);
    let mut arguments = vec![
        command_for(&block.text).into(),
        path.clone().into_os_string(),
    ];
    // A load test lasts as long as it says. On the virtual clock that takes no time; with one worker, time passes only
    // where everything waits, servers included.
    if block.text.contains("load {") {
        arguments.extend(["--virtual-clock", "--workers", "1"].map(Into::into));
    }
    let output = scn::<std::ffi::OsString>(arguments);
    match output.status == 0 && checked.out.is_empty() {
        true => Ok(()),
        false => Err(format!("{}{}", checked.transcript(), output.transcript()).into()),
    }
}

/// The first program of a page about a runtime error fails with that code; the second has nothing to report.
fn explained(page: &Path) -> Result<(), Failed> {
    let code = page
        .file_stem()
        .expect("a page has a name")
        .to_string_lossy()
        .into_owned();
    let programs = blocks(&tree::read(page));
    let [broken, fixed] = programs.as_slice() else {
        return Err("a page has two programs: a failing and a fixed one".into());
    };
    let folder = Folder::new("explain");
    let path = folder.write("broken.scn", &broken.text);
    let output = scn(["run".as_ref(), path.as_os_str()]);
    if output.status != 1 || !output.out.contains(&code) {
        return Err(format!("no {code}: {}", output.transcript()).into());
    }
    holds(fixed)
}

/// The README's two commands are those that the project's own check runs.
fn readme_commands() -> Result<(), Failed> {
    let readme = tree::read(&tree::root().join("README.md"));
    let commands: Vec<Block> = blocks(&readme)
        .into_iter()
        .filter(|block| block.language == "sh")
        .collect();
    let commands: Vec<&str> = commands
        .iter()
        .flat_map(|block| block.text.lines())
        .collect();
    let [run, test] = commands.as_slice() else {
        return Err(format!("two commands are promised: {commands:?}").into());
    };
    let arguments = run
        .strip_prefix("cargo run --release -- ")
        .ok_or("the first command runs the program")?;
    let root = tree::root();
    let arguments = arguments
        .split(' ')
        .map(|word| match word.ends_with(".scn") {
            true => root.join(word).display().to_string(),
            false => word.to_owned(),
        });
    let output = scn(arguments);
    if output.status != 0 {
        return Err(output.transcript().into());
    }
    match tree::read(&tree::root().join(".ci/run"))
        .lines()
        .next_back()
        == Some(*test)
    {
        true => Ok(()),
        false => Err(format!("`.ci/run` does not end with `{test}`").into()),
    }
}

/// What the README says is printed is what is printed, but for times and ports.
fn readme_outputs() -> Result<(), Failed> {
    let readme = tree::read(&tree::root().join("README.md"));
    let shown: Vec<Block> = blocks(&readme)
        .into_iter()
        .filter(|block| block.language == "text")
        .collect();
    let hello = tree::root().join("examples/hello.scn");
    let ran = scn(["run".as_ref(), hello.as_os_str()]);
    compare(&shown[0].text, &ran.out)?;
    let folder = Folder::new("typo");
    let typo = folder.write(
        "hello.scn",
        tree::read(&hello).replace("home.status", "home.staus"),
    );
    let checked = scn(["check".as_ref(), typo.as_os_str()]);
    compare(
        &shown[1].text,
        &checked
            .out
            .replace(&typo.display().to_string(), "examples/hello.scn"),
    )
}

fn compare(shown: &str, printed: &str) -> Result<(), Failed> {
    let printed = filter::stable(&filter::times(printed));
    match filter::stable(&filter::times(shown)).trim() == printed.trim() {
        true => Ok(()),
        false => Err(format!("the README shows something else than\n{printed}").into()),
    }
}
