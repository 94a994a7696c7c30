//! Where a statement ends and where a line goes on: rules 1 and 2 of the language.

use scn_grammar::{SourceId, ast_text, parse};

/// The statements of a body, one on each line of the result; nested blocks on one line too.
fn statements(body: &str) -> Vec<String> {
    let source = format!("fn f() {{\n{body}\n}}\n");
    let parsed = parse(SourceId(0), &source);
    let errors: Vec<&str> = parsed
        .errors
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    assert!(errors.is_empty(), "{body:?}: {errors:?}");
    let text = ast_text(&parsed.file);
    let body = text
        .trim_start_matches("fn f() {\n")
        .trim_end_matches("\n}\n");
    let mut statements: Vec<String> = Vec::new();
    for line in body.lines() {
        let goes_on = line.starts_with("    ") || line.starts_with("  }");
        match statements.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(&format!(" {}", line.trim())),
            None => statements.push(line.trim().to_owned()),
        }
    }
    statements
}

fn errors(body: &str) -> Vec<String> {
    let source = format!("fn f() {{\n{body}\n}}\n");
    parse(SourceId(0), &source)
        .errors
        .into_iter()
        .map(|error| error.message)
        .collect()
}

#[test]
fn newline_and_semicolon_end_a_statement() {
    assert_eq!(statements("  a\n  b"), ["a", "b"]);
    assert_eq!(statements("  a; b"), ["a", "b"]);
    assert_eq!(statements("  a;; b;\n;"), ["a", "b"]);
    assert_eq!(statements("  return\n  a"), ["(return)", "a"]);
}

#[test]
fn a_line_goes_on_inside_parentheses_and_brackets() {
    assert_eq!(
        statements("  f(\n  a\n  + b\n  ,\n  c\n  )"),
        ["(call f (+ a b) c)"]
    );
    assert_eq!(statements("  [\n  a\n  - b\n  ]"), ["[(- a b)]"]);
    assert_eq!(statements("  (a\n  == b)"), ["(paren (== a b))"]);
    assert_eq!(statements("  xs[\n  1\n  ]"), ["(index xs 1)"]);
}

#[test]
fn a_nested_brace_ends_statements_again() {
    assert_eq!(
        statements("  f(do {\n    a\n    -b\n  })"),
        ["(call f (do { a (- b) }))"]
    );
    assert_eq!(
        statements("  [if x {\n    a\n    -b\n  }]"),
        ["[(if x { a (- b) })]"]
    );
}

#[test]
fn a_line_goes_on_after_operators_and_punctuation() {
    for op in [
        "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "??", "|", "&", "^", "<<",
    ] {
        assert_eq!(
            statements(&format!("  a {op}\n  b")),
            [format!("({op} a b)")]
        );
    }
    for op in ["contains", "matches", "in"] {
        assert_eq!(
            statements(&format!("  a {op}\n  b")),
            [format!("({op} a b)")]
        );
    }
    assert_eq!(statements("  a ..\n  b"), ["(.. a b)"]);
    assert_eq!(statements("  let x =\n  1"), ["let x = 1"]);
    assert_eq!(statements("  x +=\n  1"), ["x += 1"]);
    assert_eq!(statements("  let x:\n  int = 1"), ["let x: int = 1"]);
    assert_eq!(
        statements("  let r = { a:\n  1,\n  b: 2 }"),
        ["let r = {a: 1 b: 2}"]
    );
    assert_eq!(statements("  check \"l\":\n  a"), ["check \"l\": a"]);
    assert_eq!(
        statements("  match x { 1 =>\n  2 }"),
        ["(match x { 1 => 2 })"]
    );
}

#[test]
fn a_line_goes_on_before_leading_words() {
    assert_eq!(statements("  a\n  .b\n  .c()"), ["(call (. (. a b) c))"]);
    assert_eq!(statements("  a\n  ?.b"), ["(?. a b)"]);
    assert_eq!(statements("  a\n  ?? b"), ["(?? a b)"]);
    assert_eq!(statements("  a\n  && b"), ["(&& a b)"]);
    assert_eq!(statements("  a\n  || b"), ["(|| a b)"]);
    assert_eq!(statements("  a\n  catch b"), ["(catch a b)"]);
    assert_eq!(
        statements("  if a { b }\n  else { c }"),
        ["(if a { b } else { c })"]
    );
    assert_eq!(statements("  a // why\n  // more\n\n  .b"), ["(. a b)"]);
}

#[test]
fn other_operators_do_not_continue_a_line() {
    assert_eq!(statements("  a\n  -b"), ["a", "(- b)"]);
    assert_eq!(statements("  a\n  (b)"), ["a", "(paren b)"]);
    assert_eq!(statements("  a\n  [b]"), ["a", "[b]"]);
    for op in [
        "+ b",
        "* b",
        "== b",
        "< b",
        "| b",
        "in b",
        "contains b",
        "= b",
        "as int",
    ] {
        assert_eq!(errors(&format!("  a\n  {op}")).len(), 1, "{op}");
    }
}

#[test]
fn brackets_stand_on_the_line_of_what_they_follow() {
    // Also inside brackets, where a line goes on otherwise.
    assert_eq!(errors("  f(a\n  (b))").len(), 2);
    assert_eq!(statements("  f (a)"), ["(call f a)"]);
    assert_eq!(statements("  xs [0]"), ["(index xs 0)"]);
}

#[test]
fn a_separator_follows_a_brace_on_its_line() {
    assert_eq!(statements("  if a { b }; c"), ["(if a { b })", "c"]);
    assert_eq!(errors("  if a { b } c").len(), 1);
    assert_eq!(statements("  if a { b }.c"), ["(. (if a { b }) c)"]);
}

#[test]
fn braces_are_literals_in_operand_position_and_blocks_after_heads() {
    assert_eq!(statements("  let x = { a: 1 }"), ["let x = {a: 1}"]);
    assert_eq!(
        statements("  if { a: 1 }.a { b }"),
        ["(if (. {a: 1} a) { b })"]
    );
    assert_eq!(statements("  for x in {} { b }"), ["for x in {} { b }"]);
    assert_eq!(
        statements("  match x { 1 => { a } }"),
        ["(match x { 1 => (do { a }) })"]
    );
    assert_eq!(statements("  a catch { b }"), ["(catch a { b })"]);
    assert_eq!(statements("  a catch e { b }"), ["(catch a e { b })"]);
    assert_eq!(
        statements("  a catch ({ b: 1 })"),
        ["(catch a (paren {b: 1}))"]
    );
    assert_eq!(statements("  for x in xs { b }"), ["for x in xs { b }"]);
    assert_eq!(statements("  return { a }"), ["(return {a})"]);
}

#[test]
fn contextual_words_are_names_and_all_words_are_members() {
    let words = "data test server source load users tags each rate max error http tcp setup init";
    for word in words.split(' ') {
        assert_eq!(statements(&format!("  let {word} = {word} + 1")).len(), 1);
        assert_eq!(statements(&format!("  {word}({word}: {word})")).len(), 1);
    }
    let reserved = "let var const fn type enum if else match for in while loop break continue \
        return true false none as catch do defer contains matches check expect fail step think \
        sleep timeout retry parallel race choose every";
    for word in reserved.split_whitespace() {
        assert_eq!(
            statements(&format!("  a.{word}({word}: 1, b: {{ {word}: 2 }})")).len(),
            1
        );
        let found = errors(&format!("  let {word} = 1"));
        assert_eq!(
            found,
            [format!("`{word}` is a reserved word and cannot be a name")]
        );
    }
}
