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

#[test]
fn token_soup() {
    const TOKENS: &str = "let var x = == ( ) [ ] { } , : ; . ?. ?? && || + - * / % < > ! ~ | & .. ..= => -> @ 1 2s 5/s \
        \"a\" \"${ \" \"\"\" b\"x re\"x if else match for in while loop every choose parallel race retry times \
        backoff step timeout do catch as return fail none true check expect think sleep defer fn type enum \
        const param data pool metric server http scenario test thresholds load users spawn each setup \
        source tags export extern use GET _ ' \\ // /// $ # é";
    let tokens: Vec<&str> = TOKENS.split_whitespace().collect();
    let programs = if cfg!(debug_assertions) { 300 } else { 20_000 };
    // A small generator of its own keeps the soup the same on every machine.
    let mut state: u64 = 0x2545_F491_4F6C_DD1D;
    let mut next = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound as u64) as usize
    };
    for _ in 0..programs {
        let mut text = String::new();
        for _ in 0..next(80) {
            text.push_str(tokens[next(tokens.len())]);
            text.push_str(["", " ", " ", " ", "\n", "\n  "][next(6)]);
        }
        survive(&text);
        survive(&format!("fn f() {{\n{text}\n}}\n"));
        survive(&format!("scenario s {{\n{text}\n}}\n"));
    }
}
