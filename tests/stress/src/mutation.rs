//! Mutants of programs that people wrote: the cases of the language suite and the examples, changed word by word and
//! line by line, as long as the checker accepts them. Enter at [`mutate`].

use crate::random::Random;
use crate::story::checked;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A program is changed at most so often.
const CHANGES: usize = 12;
/// A change that the checker refuses is tried again in another way, as long as these last.
const TRIES: usize = 40;
/// Longer programs take long to check, and show nothing that shorter ones do not.
const LONGEST: usize = 6_000;

/// Numbers at which something ends.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "63",
    "64",
    "255",
    "65536",
    "9223372036854775807",
    "0.0",
    "0.5",
    "1e300",
    "0s",
    "1ns",
    "10ms",
    "2h",
    "5%",
    "3/s",
    "1KiB",
    "none",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "b\"\"",
    "\"a\"",
];

const TYPES: &[&str] = &[
    "int",
    "float",
    "string",
    "bytes",
    "bool",
    "duration",
    "rate",
    "json",
    "ip",
    "addr",
    "int?",
    "string?",
    "json?",
    "list<int>",
    "list<string?>",
    "list<list<json>>",
    "map<string, int>",
    "map<int, list<string>>",
    "(int, string)",
];

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "&", "|", "^",
    "<<", ">>", "contains",
];

/// What goes before and behind a line.
const AROUND: &[(&str, &str)] = &[
    ("timeout 1s {", "}"),
    ("retry 2 times {", "}"),
    ("do {", "} catch e { log.info(e.kind) }"),
    ("defer {", "}"),
    ("if rand.bool() {", "}"),
    ("if false {} else {", "}"),
    ("for i in 0..3 {", "}"),
    ("for (i, x) in [\"a\", \"b\"].enumerate() {", "}"),
    ("loop {", "break }"),
    ("while 1 == 2 {", "}"),
    ("parallel {", "}"),
    ("parallel for n in 1..=3 max 2 {", "}"),
    ("step \"mutated\" {", "}"),
    ("export fn mutated() {", "}"),
    ("export ", ""),
    ("test \"mutated\" {", "}"),
    ("scenario mutated { load { users 3 for 1s }", "}"),
    (
        "scenario mutated { thresholds { checks rate > 1% } each {",
        "} }",
    ),
    ("let mutated = ", ""),
    ("let mutated = race {", "}"),
    ("check ", ""),
    ("log.info(\"${", "}\")"),
    ("return ", ""),
    ("fail ", ""),
];

/// The programs that mutants are made of: those of the repository that check without other files.
pub fn seeds() -> &'static [String] {
    static SEEDS: OnceLock<Vec<String>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut paths = Vec::new();
        for folder in ["tests/lang", "examples", "bench"] {
            find(&root.join(folder), &mut paths);
        }
        paths.sort();
        let texts = paths
            .iter()
            .filter_map(|path| std::fs::read_to_string(path).ok());
        texts
            .filter(|text| text.len() <= LONGEST && checked(text).is_ok())
            .collect()
    })
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "scn") {
            paths.push(path);
        }
    }
}

/// The mutant that these bytes choose; it checks.
pub fn mutate(bytes: &[u8]) -> String {
    mutate_by(&mut Random::from_bytes(bytes))
}

/// The mutant of a seed.
pub fn mutate_seed(seed: u64) -> String {
    mutate_by(&mut Random::new(seed))
}

fn mutate_by(random: &mut Random) -> String {
    let seeds = seeds();
    let mut text = seeds[far_below(random, seeds.len())].clone();
    let mut changes = 1 + random.below(CHANGES);
    for _ in 0..TRIES {
        let changed = change(&text, random);
        // Most changes are no program any more, which is found faster without the library.
        let is_new = changed.len() <= LONGEST && changed != text && parses(&changed);
        if is_new && checked(&changed).is_ok() {
            text = changed;
            changes -= 1;
        }
        if changes == 0 {
            break;
        }
    }
    text
}

fn parses(text: &str) -> bool {
    let parsed = scn_grammar::parse(scn_grammar::SourceId(0), text);
    parsed.errors.is_empty()
}

/// A number below a bound that may be larger than a byte.
fn far_below(random: &mut Random, bound: usize) -> usize {
    (256 * random.below(256) + random.below(256)) % bound
}

/// A text with one change, which it may not survive.
fn change(text: &str, random: &mut Random) -> String {
    match random.below(8) {
        0..4 => change_word(text, random),
        _ => change_lines(text, random),
    }
}

/// Puts something else in the place of a word, a number, a text or an operator.
fn change_word(text: &str, random: &mut Random) -> String {
    let words = words(text);
    if words.is_empty() {
        return text.to_owned();
    }
    let (start, end) = words[far_below(random, words.len())];
    let other = words[far_below(random, words.len())];
    let first = text.as_bytes()[start];
    let new = match random.below(4) {
        0 => &text[other.0..other.1],
        _ if first.is_ascii_alphabetic() && TYPES.contains(&&text[start..end]) => {
            random.pick(TYPES)
        }
        _ if first.is_ascii_digit() || first == b'"' => random.pick(NUMBERS),
        _ if first.is_ascii_alphabetic() => &text[other.0..other.1],
        _ => random.pick(OPERATORS),
    };
    [&text[..start], new, &text[end..]].concat()
}

/// Where words, numbers, texts and operators are.
fn words(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
                continue;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += 1 + usize::from(bytes[at] == b'\\');
                }
                at = (at + 1).min(bytes.len());
            }
            byte if byte.is_ascii_digit() => {
                while at < bytes.len() && is_word(bytes[at]) {
                    at += 1;
                }
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                while at < bytes.len() && is_word(bytes[at]) && bytes[at] != b'.' {
                    at += 1;
                }
            }
            b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'!' | b'<' | b'>' | b'&' | b'|' | b'?' => {
                while at < bytes.len() && b"+-*/%=!<>&|?".contains(&bytes[at]) {
                    at += 1;
                }
            }
            _ => {
                at += 1;
                continue;
            }
        }
        if text.is_char_boundary(start) && text.is_char_boundary(at) {
            found.push((start, at));
        }
    }
    found
}

/// Takes lines out, doubles, moves or wraps them, or brings some from another program.
fn change_lines(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let at = far_below(random, lines.len());
    let wrapped;
    match random.below(6) {
        0 => {
            lines.remove(at);
        }
        1 => lines.insert(far_below(random, lines.len()), lines[at]),
        2 => {
            let line = lines.remove(at);
            let to = far_below(random, lines.len() + 1);
            lines.insert(to, line);
        }
        3 | 4 => {
            let (before, behind) = random.pick(AROUND);
            let last = (at + random.below(3)).min(lines.len() - 1);
            wrapped = format!("{before} {} {behind}", lines[at..=last].join("\n"));
            lines.splice(at..=last, [wrapped.as_str()]);
        }
        _ => {
            let other = &seeds()[far_below(random, seeds().len())];
            let from: Vec<&str> = other.lines().collect();
            let start = far_below(random, from.len());
            let end = (start + 1 + random.below(12)).min(from.len());
            lines.splice(at..at, from[start..end].iter().copied());
        }
    }
    lines.join("\n") + "\n"
}
