//! Hostile input: a located error, never a panic, never an overflow of the stack.

use scn_grammar::{Parsed, SourceId, SyntaxErrorKind, ast_text, parse};

/// Parses, checks that every span lies inside the text, prints and drops the tree.
fn survive(text: &str) -> Parsed {
    let parsed = parse(SourceId(0), text);
    for error in &parsed.errors {
        let range = error.span.range();
        assert!(
            text.get(range.clone()).is_some(),
            "{range:?} of {:?}",
            error.message
        );
        assert!(!error.message.is_empty() && !error.label.is_empty());
        for (span, _) in &error.related {
            assert!(
                text.get(span.range()).is_some(),
                "related to {:?}",
                error.message
            );
        }
    }
    for comment in &parsed.trivia {
        assert!(text[comment.span.range()].starts_with("//"));
    }
    drop(ast_text(&parsed.file));
    parsed
}

fn kinds(text: &str) -> Vec<SyntaxErrorKind> {
    survive(text)
        .errors
        .into_iter()
        .map(|error| error.kind)
        .collect()
}

const LEVELS: usize = 10_000;

#[test]
fn nesting_is_refused_beyond_128_levels() {
    let openers = [
        "(",
        "[",
        "{ a: ",
        "f(",
        "xs[",
        "if x { ",
        "do { ",
        "match x { _ => ",
        "if ",
        "match ",
        "step ",
        "timeout ",
        "retry ",
        "return ",
        "fail ",
        "while x { ",
        "\"${",
        "loop { ",
        "[x for x in ",
        "parallel for x in ",
        "parallel { ",
        "race { ",
        "a catch { ",
        "defer { ",
        "every 1s { ",
        "({[",
        "choose { 1 => { ",
        "x y { ",
        "for x in { a: ",
    ];
    let started = [
        ("let ", "("),
        ("let x: ", "list<"),
        ("let x: ", "{ a: "),
        ("x as ", "("),
    ];
    let openers = openers
        .into_iter()
        .map(|opener| ("", opener))
        .chain(started);
    for (start, opener) in openers {
        let levels = opener.repeat(LEVELS);
        let text = format!("fn f() {{\n  let x = 1\n  {start}{levels}\n}}\nfn g() {{ }}\n");
        let found = survive(&text);
        let found_kinds: Vec<_> = found.errors.iter().map(|error| error.kind).collect();
        assert_eq!(
            found_kinds,
            [SyntaxErrorKind::TooDeep],
            "{opener:?}: {:?}",
            found.errors
        );
        assert_eq!(
            found.file.items.len(),
            2,
            "the next item survives {opener:?}"
        );
    }
}

#[test]
fn nesting_below_the_limit_is_fine() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{ a: ", "}"),
        ("f(", ")"),
        ("do { ", "}"),
    ] {
        let text = format!(
            "fn f() {{\n  let x = {}1{}\n}}\n",
            open.repeat(120),
            close.repeat(120)
        );
        assert_eq!(kinds(&text), [], "{open}");
    }
    let text = format!(
        "fn f() {{ {} {} }}\n",
        "if a { ".repeat(120),
        "}".repeat(120)
    );
    assert_eq!(kinds(&text), []);
}

#[test]
fn chains_do_not_overflow() {
    for (link, count) in [
        (" + a", 200),
        (" && a", 200),
        (".a()", 100),
        (" as int", 200),
    ] {
        let short = format!("fn f() {{\n  let x = a{}\n}}\n", link.repeat(count));
        assert_eq!(kinds(&short), [], "{link}");
    }
    for link in [
        " + a",
        " ?? a",
        ".a()",
        "[0]",
        " as int",
        " catch a",
        " .. a",
        " < a",
        " catch fail a",
    ] {
        let long = format!("fn f() {{\n  let x = a{}\n}}\n", link.repeat(LEVELS));
        assert_eq!(kinds(&long), [SyntaxErrorKind::TooDeep], "{link}");
    }
    let prefixes = format!("fn f() {{\n  let x = {}a\n}}\n", "-".repeat(LEVELS));
    assert_eq!(kinds(&prefixes), [SyntaxErrorKind::TooDeep]);
    let links = " else if b { }";
    let short = format!("fn f() {{\n  if a {{ }}{}\n}}\n", links.repeat(200));
    assert_eq!(kinds(&short), []);
    let long = format!("fn f() {{\n  if a {{ }}{}\n}}\n", links.repeat(LEVELS));
    assert_eq!(kinds(&long), [SyntaxErrorKind::TooDeep]);
}

#[test]
fn wide_lists_are_fine() {
    let text = format!("fn f() {{\n  let x = [{}]\n}}\n", "1, ".repeat(LEVELS));
    assert_eq!(kinds(&text), []);
    let text = format!(
        "fn f() {{ match x {{ {}_ => 0 }} }}\n",
        "1 => 2, ".repeat(LEVELS)
    );
    assert_eq!(kinds(&text), []);
    let text = format!("type T = a{}\n", " | a".repeat(LEVELS));
    assert_eq!(kinds(&text), []);
}

#[test]
fn what_is_no_program_is_a_located_error() {
    let binary: String = (0..20_000u32)
        .map(|n| char::from((n * 7919 % 251) as u8))
        .collect();
    let texts = [
        "\0\0\0",
        "@",
        "@a",
        "export",
        "extern",
        "}",
        ")",
        "\"",
        "'",
        "\u{FEFF}@",
        &binary,
    ];
    for text in texts {
        assert!(!survive(text).errors.is_empty(), "{text:?}");
    }
    for text in [
        "",
        "\n",
        " \t\r\n",
        "// only a comment",
        "/// only documentation",
        "\u{FEFF}",
        ";",
    ] {
        assert_eq!(kinds(text), [], "{text:?}");
    }
}

#[test]
fn large_files_are_read_to_the_end() {
    // The parser is slow without optimisation.
    let size = if cfg!(debug_assertions) {
        10 << 10
    } else {
        1 << 20
    };
    for piece in [
        "a", "(", "{", "}", "\"", "@", "\n", "f(\n", "\"${\n", "1 ", "let = \n", "x ? y\n",
    ] {
        survive(&piece.repeat(size / piece.len()));
        survive(&format!("fn f() {{\n{}", piece.repeat(size / piece.len())));
    }
    let program = include_str!("samples/checkout.scn");
    let copies = 10 * size / program.len() + 1;
    let parsed = survive(&program.repeat(copies));
    assert!(parsed.errors.is_empty());
    assert_eq!(parsed.file.items.len(), copies * 6);
}

#[test]
fn surrogate_escapes_are_located() {
    let text = "fn f() { let s = \"a\\ud800\" }";
    let parsed = survive(text);
    assert_eq!(parsed.errors.len(), 1);
    assert_eq!(&text[parsed.errors[0].span.range()], "\\ud800");
    assert_eq!(parsed.errors[0].kind, SyntaxErrorKind::BadLiteral);
}

#[test]
fn line_ends_tabs_and_marks_make_no_difference() {
    let plain = include_str!("samples/everything.scn");
    let tree = ast_text(&survive(plain).file);
    let variants = [
        plain.replace('\n', "\r\n"),
        format!("\u{FEFF}{plain}"),
        plain.replace("\n  ", "\n\t"),
    ];
    for variant in variants {
        let parsed = survive(&variant);
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors[0]);
        assert_eq!(
            ast_text(&parsed.file).replace('\t', ""),
            tree.replace('\t', "")
        );
    }
}
