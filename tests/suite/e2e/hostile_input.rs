//! Input that nobody would write: cut off, binary, huge, nested without end. The answer is a located error in bounded
//! time, never a crash. These tests run on threads with the usual 2 MiB of stack.

use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use scn_tests::program::scn;
use scn_tests::tree;
use std::time::{Duration, Instant};

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("hostile_input::truncated", truncated),
        Trial::test(
            "hostile_input::one_character_missing",
            one_character_missing,
        ),
        Trial::test("hostile_input::binary", binary),
        Trial::test("hostile_input::nested", nested),
        Trial::test("hostile_input::large", large),
        Trial::test("hostile_input::line_ends_and_marks", line_ends_and_marks),
    ]
}

/// Checks a text: it must give an answer with a status of 0 or 2, and each finding a place inside the file.
fn check(folder: &Folder, name: &str, content: &[u8]) -> Result<serde_json::Value, Failed> {
    let path = folder.write(name, content);
    let start = Instant::now();
    let output = scn(["check".as_ref(), "--json".as_ref(), path.as_os_str()]);
    if start.elapsed() > Duration::from_secs(60) {
        return Err(format!("{name} took {:?}", start.elapsed()).into());
    }
    let document: serde_json::Value = serde_json::from_str(&output.out)
        .map_err(|error| format!("{name}: no JSON ({error}): {}", output.transcript()))?;
    for finding in document["diagnostics"].as_array().into_iter().flatten() {
        let line = finding["labels"][0]["line"].as_u64();
        if line.is_none_or(|line| line == 0)
            || finding["message"].as_str().is_none_or(str::is_empty)
        {
            return Err(format!("{name}: a finding without place or message: {finding}").into());
        }
    }
    let expected = if document["errors"] == 0 { 0 } else { 2 };
    match output.status == expected {
        true => Ok(document),
        false => Err(format!("{name}: status {}", output.status).into()),
    }
}

/// Checks a text that cannot be right, and draws its report too.
fn refused(folder: &Folder, name: &str, content: &[u8]) -> Result<(), Failed> {
    let document = check(folder, name, content)?;
    if document["errors"] == 0 {
        return Err(format!("{name} was accepted").into());
    }
    let drawn = scn(["check".as_ref(), folder.path(name).as_os_str()]);
    match drawn.out.len() < 200_000 && drawn.status == 2 {
        true => Ok(()),
        false => Err(format!("{name}: a report of {} bytes", drawn.out.len()).into()),
    }
}

/// A program that uses most of the language.
fn sample() -> String {
    tree::read(&tree::root().join("tests/lang/load/good.scn"))
}

fn truncated() -> Result<(), Failed> {
    let folder = Folder::new("truncated");
    let text = sample();
    for at in (0..text.len()).step_by(17) {
        check(
            &folder,
            "cut.scn",
            text.as_bytes().get(..at).unwrap_or_default(),
        )?;
    }
    Ok(())
}

fn one_character_missing() -> Result<(), Failed> {
    let folder = Folder::new("missing");
    let text = sample();
    for at in (0..text.len()).step_by(23) {
        let mut bytes = text.clone().into_bytes();
        bytes.remove(at);
        check(&folder, "gap.scn", &bytes)?;
    }
    Ok(())
}

fn binary() -> Result<(), Failed> {
    let folder = Folder::new("binary");
    // A fixed sequence of all byte values, in an order that looks random.
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    refused(&folder, "noise.scn", &noise)?;
    refused(
        &folder,
        "elf.scn",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0",
    )?;
    refused(&folder, "utf16.scn", b"\xff\xfes\0c\0e\0n\0")?;
    refused(&folder, "zeros.scn", &[0; 4096])?;
    refused(&folder, "controls.scn", b"scenario s { \x1b[2J \x07 }")
}

fn nested() -> Result<(), Failed> {
    let folder = Folder::new("nested");
    let levels = 10_000;
    let programs = [
        (
            "parentheses",
            format!("const A = {}1{}", "(".repeat(levels), ")".repeat(levels)),
        ),
        (
            "lists",
            format!("const A = {}{}", "[".repeat(levels), "]".repeat(levels)),
        ),
        (
            "records",
            format!("const A = {}1{}", "{a:".repeat(levels), "}".repeat(levels)),
        ),
        (
            "blocks",
            format!(
                "scenario s {{ {} {} }}",
                "if true {".repeat(levels),
                "}".repeat(levels)
            ),
        ),
        (
            "loops",
            format!("scenario s {{ {}", "loop {".repeat(levels)),
        ),
        (
            "interpolation",
            format!(
                "const A = {}1{}",
                "\"${".repeat(levels),
                "}\"".repeat(levels)
            ),
        ),
        (
            "else",
            format!(
                "scenario s {{ if true {{ }} {} }}",
                "else if true { }".repeat(levels)
            ),
        ),
        ("negation", format!("const A = {}1", "-".repeat(levels))),
        ("not", format!("const A = {}true", "!".repeat(levels))),
        (
            "types",
            format!(
                "type T = {}int{}",
                "list<".repeat(levels),
                ">".repeat(levels)
            ),
        ),
        ("optionals", format!("type T = int{}", "?".repeat(levels))),
        (
            "calls",
            format!("scenario s {{ f{} }}", "(f".repeat(levels)),
        ),
        (
            "members",
            format!("scenario s {{ log.info(\"\"){} }}", ".x".repeat(levels)),
        ),
        ("sums", format!("const A = 1{}", " + 1".repeat(levels))),
        (
            "catches",
            format!("scenario s {{ let a = 1{} }}", " catch 2".repeat(levels)),
        ),
    ];
    for (name, text) in programs {
        check(&folder, &format!("{name}.scn"), text.as_bytes())
            .map_err(|error| format!("{name}: {error:?}"))?;
    }
    refused(
        &folder,
        "deep.scn",
        format!("const A = {}1{}", "(".repeat(levels), ")".repeat(levels)).as_bytes(),
    )
}

fn large() -> Result<(), Failed> {
    let folder = Folder::new("large");
    let mib = 1024 * 1024;
    refused(&folder, "one_line.scn", "x".repeat(10 * mib).as_bytes())?;
    check(
        &folder,
        "comments.scn",
        "// nothing\n".repeat(mib).as_bytes(),
    )?;
    refused(
        &folder,
        "string.scn",
        format!("const A = \"{}", "y".repeat(10 * mib)).as_bytes(),
    )?;
    refused(&folder, "quotes.scn", "\"".repeat(100_000).as_bytes())?;
    refused(&folder, "names.scn", "name ".repeat(100_000).as_bytes())
}

fn line_ends_and_marks() -> Result<(), Failed> {
    let folder = Folder::new("lines");
    let text = sample();
    let clean = check(&folder, "lf.scn", text.as_bytes())?;
    if clean["errors"] != 0 {
        return Err(format!("the sample has errors: {clean}").into());
    }
    let variants = [
        ("crlf.scn", text.replace('\n', "\r\n")),
        ("bom.scn", format!("\u{feff}{text}")),
        ("tabs.scn", text.replace("  ", "\t")),
        ("no_end.scn", text.trim_end().to_owned()),
    ];
    for (name, variant) in variants {
        let found = check(&folder, name, variant.as_bytes())?;
        if found["errors"] != 0 {
            return Err(format!("{name}: {found}").into());
        }
    }
    let surrogate = b"scenario s { log.info(\"\\u{d800}\") }";
    refused(&folder, "surrogate.scn", surrogate)?;
    check(&folder, "empty.scn", b"")?;
    check(&folder, "newline.scn", b"\n").map(|_| ())
}
