//! What the parser says about typical mistakes, one snapshot for all of them.

use scn_grammar::{SourceId, parse};
use std::fmt::Write as _;

/// Mistakes at file level.
const ITEMS: &[&str] = &[
    "let x = 1",
    "var hits = 0",
    "http.get(\"/\")",
    "scenario {\n}",
    "scenario a",
    "scenario a\n{\n  f()\n}",
    "fn (x: int) { }",
    "fn f { }",
    "fn f(x int) { }",
    "fn f(x: ) { }",
    "fn f(x: int -> int { }",
    "fn f(x: int) -> { }",
    "fn f(x: int, , y: int) { }",
    "fn match() { }",
    "function f() { }",
    "import \"a.scn\"",
    "use \"a.scn\"",
    "use auth",
    "struct User { name: string }",
    "type User { name: string }",
    "type User = { name: string age: int }",
    "type User = {\n  name: string\n  age: int\n}",
    "type User = { name }",
    "type L = list<int",
    "enum Color { red green }",
    "const N: int",
    "param base = 1",
    "param base string",
    "data users = csv(\"a.csv\")",
    "metric t",
    "test { }",
    "test name { }",
    "each { f() }",
    "load { users 5 }",
    "}",
    "scenario a { } scenario b { }",
    "server s \"127.0.0.1:0\" { }",
    "server s tcp (c) { }",
    "server s http \"127.0.0.1:0\" {\n  get \"/\" { }\n}",
    "server s http \"127.0.0.1:0\" {\n  GET /users { }\n}",
    "pool p { range }",
    "pool p { lease user }",
    "pool p { pick }",
    "pool p { when exhausted wait 30s spare }",
    "pool p { color red }",
    "thresholds { http.duration p95 }",
    "thresholds { http.duration < 5s }",
    "thresholds { http.duration p95 < }",
    "thresholds { checks rate > 99% abort after }",
    "extern struct X",
    "@",
];

/// Mistakes in a function body, one line or more.
const BODIES: &[&str] = &[
    "let = 3",
    "let x",
    "let x =",
    "let x == 3",
    "let x 3",
    "let x: = 3",
    "let v: list<int = 3",
    "let (a, = f()",
    "let match = 3",
    "let x := 3",
    "x = ",
    "x + ",
    "x++",
    "f(a b)",
    "f(a,, b)",
    "f(a, b",
    "f(a, b\nlet y = 2",
    "f(\n  a,\n  b\nlet y = 2",
    "f(timeout = 2s)",
    "f(x => x)",
    "f(a: 1\n  b: 2)",
    "xs[1",
    "xs[]",
    "let l = [1, 2",
    "let l = [1 2]",
    "let r = { a: 1",
    "let r = { a: 1 b: 2 }",
    "let r = { a: 1\n  b: 2 }",
    "let r = { a = 1 }",
    "let r = { \"a\" 1 }",
    "(a, b]",
    "()",
    "a < b < c",
    "a..b..c",
    "1 = x",
    "f() = 3",
    "if { }",
    "if x",
    "if x\n{ f() }",
    "if x = 3 { }",
    "if x { } f()",
    "if a and b { }",
    "if x then { }",
    "if let x { }",
    "else { }",
    "while { }",
    "for x { }",
    "for in xs { }",
    "for x in { }",
    "for x of xs { }",
    "for (let i = 0; i < 3; i++) { }",
    "match { }",
    "match x { case 1 => 2 }",
    "match x { 1 -> 2 }",
    "match x { 1 => 2 2 => 3 }",
    "match x { _ => y = 1 }",
    "step { }",
    "timeout { }",
    "retry 5 { }",
    "every { }",
    "choose { 7 { } }",
    "let p = parallel { a() }",
    "x catch",
    "r.",
    "r.json().",
    "x as",
    "check",
    "check 3: x",
    "think",
    "sleep \n",
    "defer",
    "a ? b : c",
    "x => x + 1",
    "{ a() }",
    "fn g() { }",
    "const N = 3",
    "let s = 'abc'",
    "let s = \"abc",
    "let s = \"a ${b\"",
    "let s = \"a ${b c}\"",
    "let s = \"a ${}\"",
    "let s = \"\"\"abc",
    "let s = \"\\q\"",
    "let s = \"\\ud800\"",
    "let s = \"\\u{d800}\"",
    "let s = \"\\u{110000}\"",
    "let s = \"\\x41\"",
    "let b = b\"\\xZZ\"",
    "let b = x\"abc\"",
    "let b = x\"zz\"",
    "let n = 0xfg",
    "let n = 99999999999999999999",
    "let n = 5sec",
    "let n = 30s1m",
    "let n = 10kb",
    "let n = 1.2.3",
    "let n = 10h/s",
    "x # comment",
    "x; ) y",
    "async f()",
    "let é = 1",
];

/// Mistakes in a load block.
const LOADS: &[&str] = &[
    "users for 1m",
    "users 50 for",
    "users 50 for }",
    "users 50 over 1m",
    "users 0 -> 100 for 30s",
    "users 0 -> over 30s",
    "arrivals over 30s",
    "arrivals 10/s -> 500/s over",
    "spawn at 10s",
    "spawn 30 at",
    "spawn 30 from",
    "spawn 30 at 2s tags { a }",
    "iterations 3 per",
    "run 5m",
    "max 600",
    "limit 100/s",
    "fresh",
    "start 30s",
    "graceful 10s",
    "ramp 10",
    "users 50 for 1m 2",
];

fn explained(source: &str) -> String {
    let parsed = parse(SourceId(0), source);
    let mut text = String::new();
    for error in &parsed.errors {
        let (line, column) = place(source, error.span.start as usize);
        let length = error.span.len();
        let _ = writeln!(text, "  {line}:{column}+{length} {}", error.message);
        let _ = writeln!(text, "      label: {}", error.label);
        for (span, note) in &error.related {
            let (line, column) = place(source, span.start as usize);
            let _ = writeln!(text, "      {line}:{column} {note}");
        }
        if let Some(help) = &error.help {
            let _ = writeln!(text, "      help: {help}");
        }
    }
    text
}

fn place(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..at];
    let line = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, at - line + 1)
}

fn listing(sources: &[&str], before: &str, after: &str) -> String {
    let mut text = String::new();
    for snippet in sources {
        let indent = " ".repeat(before.len() - before.trim_end_matches(' ').len());
        let source = format!(
            "{before}{}{after}",
            snippet.replace('\n', &format!("\n{indent}"))
        );
        let shown = snippet.replace('\n', "\n| ");
        let explained = explained(&source);
        assert!(!explained.is_empty(), "no error for {snippet:?}");
        let _ = write!(text, "| {shown}\n{explained}\n");
    }
    text
}

#[test]
fn mistakes_at_file_level() {
    insta::assert_snapshot!(listing(ITEMS, "", "\n"));
}

#[test]
fn mistakes_in_bodies() {
    insta::assert_snapshot!(listing(BODIES, "fn f() {\n  ", "\n}\n"));
}

#[test]
fn mistakes_in_load_blocks() {
    insta::assert_snapshot!(listing(
        LOADS,
        "scenario a {\n  load {\n    ",
        "\n  }\n  f()\n}\n"
    ));
}
