//! The declarations are read by the real parser.

use scn_compiler::source::Library;
use scn_stdlib::{BODIES, LIBRARY};

#[test]
fn every_module_parses() {
    for (name, text) in LIBRARY.modules {
        let parsed = scn_grammar::parse(scn_grammar::SourceId(0), text);
        let errors: Vec<_> = parsed
            .errors
            .iter()
            .map(|error| format!("{error:?}"))
            .collect();
        assert!(errors.is_empty(), "{name}.scn: {errors:#?}");
    }
}

#[test]
fn the_texts_are_small_enough_to_read_at_every_start() {
    let size: usize = LIBRARY.modules.iter().map(|(_, text)| text.len()).sum();
    assert!(size < 100_000, "{size} bytes of declarations");
}

#[test]
fn the_prelude_names_modules() {
    for name in LIBRARY.prelude {
        assert!(
            LIBRARY.modules.iter().any(|(module, _)| module == name),
            "{name}"
        );
    }
}

#[test]
fn the_checker_finds_nothing_wrong_with_the_library() {
    assert_clean(&LIBRARY);
}

#[test]
fn the_checker_finds_nothing_wrong_with_the_bodies() {
    assert_clean(&BODIES);
}

fn assert_clean(library: &Library) {
    let checked = scn_compiler::check_library(library);
    let found = checked.diagnostics.iter().map(|found| {
        let (span, _) = &found.labels[0];
        let source = checked.sources.source(span.source);
        let (line, column) = checked.sources.line_column(*span);
        let (name, code, message) = (&source.name, found.code, &found.message);
        format!("{name}:{line}:{column}: {code} {message} {:?}", found.help)
    });
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Numbers in bodies that look like addresses of words and are none.
const NO_WORDS: [(&str, u32); 5] = [
    ("dates", 2000),
    ("hashes", 1344),
    ("heap", 1024),
    ("meters", 2000),
    ("servers", 1024),
];

/// The back end finds the words that have addresses by `mem.words`; all others are none of memory's.
#[test]
fn no_body_names_a_word_by_a_number_of_its_own() {
    for (module, text) in &BODIES.modules[LIBRARY.modules.len()..] {
        for number in numbers(text) {
            let is_address = (1024..3072).contains(&number) && number % 8 == 0;
            assert!(
                !is_address || NO_WORDS.contains(&(*module, number)),
                "{module}.scn: {number} may be the address of a word, which `mem.words` gives"
            );
        }
    }
}

/// The map of the folder names each module of bodies once, and no other.
#[test]
fn the_map_of_bodies_names_each() {
    let map = include_str!("../component/README.md");
    let mut named: Vec<&str> = map.split('`').skip(1).step_by(2).collect();
    let bodies = BODIES.modules[LIBRARY.modules.len()..].iter();
    let mut modules: Vec<&str> = bodies.map(|(module, _)| *module).collect();
    named.sort_unstable();
    modules.sort_unstable();
    assert_eq!(named, modules);
}

/// The decimal numbers of a text, without those in comments and texts.
fn numbers(text: &str) -> Vec<u32> {
    let lines = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    let code = lines.flat_map(|line| line.split('"').step_by(2));
    let words = code.flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words
        .filter_map(|word| word.replace('_', "").parse().ok())
        .collect()
}
