//! What literals mean, and which are refused.

use scn_grammar::{SourceId, ast_text, parse};

/// The literal in the notation of the tree, or the message.
fn value(literal: &str) -> String {
    let source = format!("const X = {literal}\n");
    let parsed = parse(SourceId(0), &source);
    match parsed.errors.first() {
        Some(error) => format!("error: {}", error.message),
        None => ast_text(&parsed.file)
            .trim()
            .trim_start_matches("const X = ")
            .to_owned(),
    }
}

#[test]
fn integers_and_floats() {
    assert_eq!(value("1_000"), "1000");
    assert_eq!(value("0xff"), "255");
    assert_eq!(value("0o17"), "15");
    assert_eq!(value("0b1010"), "10");
    assert_eq!(value("1.5e3"), "1500.0");
    assert_eq!(value("2e-2"), "0.02");
    assert_eq!(value("9223372036854775807"), "9223372036854775807");
    assert_eq!(value("-9223372036854775808"), "-9223372036854775808");
    assert_eq!(value("- 9223372036854775808"), "-9223372036854775808");
    assert!(value("9223372036854775808").starts_with("error: "));
    assert!(value("-(9223372036854775808)").starts_with("error: "));
    assert!(value("0b12").starts_with("error: `2` is no digit"));
    assert!(value("0x").starts_with("error: "));
}

#[test]
fn durations_sizes_and_rates() {
    assert_eq!(value("250ms"), "250ms");
    assert_eq!(value("1.5s"), "1500ms");
    assert_eq!(value("1m30s"), "90s");
    assert_eq!(value("1d"), "24h");
    assert_eq!(value("0.5us"), "500ns");
    assert_eq!(value("64KiB"), "65536B");
    assert_eq!(value("10MB"), "10000000B");
    assert_eq!(value("0B"), "0B");
    assert_eq!(value("1.5KiB"), "1536B");
    assert_eq!(value("500/s"), "500.0/s");
    assert_eq!(value("30/m"), "0.5/s");
    assert_eq!(value("500 / s"), "(/ 500 s)");
    assert_eq!(value("x/s"), "(/ x s)");
    assert!(value("200000d").starts_with("error: `200000d` is too large"));
    assert!(value("10000000000GiB").starts_with("error: "));
    assert!(value("5parsecs").starts_with("error: unknown unit `parsecs`"));
}

#[test]
fn numbers_beside_dots() {
    assert_eq!(value("1..3"), "(.. 1 3)");
    assert_eq!(value("1s..=3s"), "(..= 1s 3s)");
    assert_eq!(value("1.foo()"), "(call (. 1 foo))");
    assert!(value("1.2.3").starts_with("error: "));
}

#[test]
fn strings() {
    assert_eq!(value(r#""""#), r#""""#);
    assert_eq!(value(r#""a\n\t\"\u{e9}""#), r#""a\n\t\"é""#);
    assert_eq!(value(r#""5$ \${x} $x""#), r#""5$ \${x} $x""#);
    assert_eq!(value(r#""${a}${b.c}""#), r#""${a}${(. b c)}""#);
    assert_eq!(value(r#""${"in ${"deep"}"}""#), r#""${"in ${"deep"}"}""#);
    assert_eq!(value(r#""${f({ a: 1 })}""#), r#""${(call f {a: 1})}""#);
    assert_eq!(value(r#"r"\d${x}""#), r#""\\d\${x}""#);
    assert_eq!(value(r#"re"a\"b\d""#), r#"re"a"b\d""#);
    assert_eq!(value(r#"b"A\x00\n""#), r#"x"41 00 0a""#);
    assert_eq!(value(r#"x"DE ad""#), r#"x"de ad""#);
}

#[test]
fn text_blocks_lose_their_common_indentation() {
    let block = |lines: &str| value(&format!("\"\"\"{lines}\"\"\""));
    assert_eq!(block("one"), r#""one""#);
    assert_eq!(block("\n    a\n      b\n\n    c\n    "), r#""a\n  b\n\nc""#);
    assert_eq!(block("\n    a\n  b\n  "), r#""  a\nb""#);
    assert_eq!(block("\n  a ${x}\n  ${y} b\n"), r#""a ${x}\n${y} b""#);
    assert_eq!(block("\r\n  a\r\n  b\r\n  "), r#""a\nb""#);
    assert_eq!(block("\n  a\\n\n  \"quoted\"\n"), r#""a\n\n\"quoted\"""#);
}
