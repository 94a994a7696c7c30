//! Samples with one character deleted, inserted or cut off: always a tree, spans inside the text,
//! and work that stays in proportion to the length.

use scn_grammar::{SourceId, parse};

const SAMPLES: [&str; 4] = [
    include_str!("samples/checkout.scn"),
    include_str!("samples/everything.scn"),
    include_str!("samples/library.scn"),
    include_str!("samples/peers.scn"),
];

/// The parser is slow without optimisation; a release build mutates every place.
const STRIDE: usize = if cfg!(debug_assertions) { 17 } else { 1 };

fn survive(text: &str) -> usize {
    let parsed = parse(SourceId(0), text);
    for error in &parsed.errors {
        assert!(
            text.get(error.span.range()).is_some(),
            "{:?} in {text}",
            error.span
        );
        // Pest gives up only when the stack ends, which must not happen here.
        assert_ne!(error.message, "this file is nested too deep");
    }
    parsed.errors.len()
}

/// Where characters start, the end included; every `stride`-th of them.
fn places(text: &str, stride: usize) -> impl Iterator<Item = usize> {
    let ends = std::iter::once(text.len());
    text.char_indices()
        .map(|(at, _)| at)
        .chain(ends)
        .step_by(stride)
}

#[test]
fn files_cut_anywhere() {
    for text in SAMPLES {
        for at in places(text, STRIDE) {
            survive(&text[..at]);
        }
    }
}

#[test]
fn one_character_deleted() {
    let (mut mutants, mut single) = (0, 0);
    for text in SAMPLES {
        for at in places(text, STRIDE).filter(|&at| at < text.len()) {
            let rest = &text[at..];
            let width = rest.chars().next().map_or(0, char::len_utf8);
            let errors = survive(&format!("{}{}", &text[..at], &rest[width..]));
            mutants += usize::from(errors > 0);
            single += usize::from(errors == 1);
        }
    }
    // Most mistakes of one character are told by one message.
    assert!(
        single * 10 >= mutants * 7,
        "{single} of {mutants} have one error"
    );
}

#[test]
fn one_character_inserted() {
    let inserted = [
        '(', ')', '[', ']', '{', '}', '"', '$', '\\', '\n', '@', '.', '=', '-', 'é', '\0', '/',
    ];
    for (index, text) in SAMPLES.iter().enumerate() {
        for at in places(text, STRIDE) {
            // One of the characters at each place; over all places every one meets every context.
            let char = inserted[(at / STRIDE + index) % inserted.len()];
            survive(&format!("{}{char}{}", &text[..at], &text[at..]));
        }
    }
}

#[test]
fn lines_shuffled() {
    for text in SAMPLES {
        let lines: Vec<&str> = text.lines().collect();
        for start in (0..lines.len()).step_by(STRIDE) {
            let shuffled: Vec<&str> = (0..lines.len())
                .map(|index| lines[(start + index * 31) % lines.len()])
                .collect();
            survive(&shuffled.join("\n"));
        }
    }
}
