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
