//! The declarations are read by the real parser.

use scn_stdlib::LIBRARY;

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
    let checked = scn_compiler::check_library(&LIBRARY);
    let found: Vec<_> = checked
        .diagnostics
        .iter()
        .map(|found| format!("{found:?}"))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}
