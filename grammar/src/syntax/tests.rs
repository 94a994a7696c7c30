//! Linear time, by counting the parser's calls instead of measuring.
//!
//! The limit of calls belongs to the whole process, so this is the crate's only unit test.

use super::tree;
use std::num::NonZeroUsize;

/// Calls of pest's combinators for each byte; real programs take 10 to 20.
const CALLS_PER_BYTE: usize = 120;

/// Texts that would cost more than linear time if a construct were parsed twice or scanned again.
fn hostile() -> Vec<String> {
    let nested = [
        "if do { ",
        "if x { ",
        "match x { _ => ",
        "f(",
        "f(a: ",
        "[",
        "({[",
        "{ a: ",
        "{ \"a\": ",
        "\"${",
        "x y { ",
        "step \"a\" { ",
        "retry 5 times { ",
        "a catch e { ",
        "list<",
        "let x: list<",
        "return ",
        "parallel for x in xs { ",
        "a.b(",
        "a[",
        "- (",
        "choose { 1 => { ",
    ];
    let flat = [
        "x ? y : z\n",
        "f(\n",
        "let = \n",
        "a.b.c + ",
        "// comment\n",
        "\n",
        "\"${\n",
        "} ",
        ") ",
        "@a(",
        "a catch b ",
        "x as int ",
        "a, ",
        "use ",
        "extern fn f(",
        "thresholds { a p95 < 1 }\n",
    ];
    let nested = nested.iter().map(|piece| piece.repeat(2_000));
    let flat = flat.iter().map(|piece| piece.repeat(2_000));
    let nested = nested.map(|text| format!("fn f() {{\n  {text}\n}}\n"));
    let bodies = flat
        .clone()
        .map(|text| format!("fn f() {{\n  f(f(f({text}\n}}\n"));
    nested.chain(bodies).chain(flat).collect()
}

#[test]
fn calls_grow_with_the_length_only() {
    let samples = [
        include_str!("../../tests/samples/checkout.scn"),
        include_str!("../../tests/samples/everything.scn"),
        include_str!("../../tests/samples/peers.scn"),
    ];
    let texts = samples.iter().map(|text| text.repeat(4)).chain(hostile());
    for text in texts {
        pest::set_call_limit(NonZeroUsize::new(text.len() * CALLS_PER_BYTE));
        let start: String = text.chars().take(40).collect();
        assert!(tree(&text).is_some(), "too many calls for {start:?}");
    }
    pest::set_call_limit(None);
}
