//! Spans cover what was written, without blanks at their ends.

use scn_grammar::ast::{Block, ExprKind, ItemKind, Stmt, StmtKind, TypeKind};
use scn_grammar::{SourceId, Span, parse};

const TEXT: &str = "\
/// Doc.
export fn f(a: list<int>?, b: auth.User = { x: 1 } ) -> int {
  let total =  a.first() ?? b.x   // comment
  total -= -5 * ( 2 + 1 )
  if a { 1 } else  if b { 2 } // other
  g( a, name : 2 ) catch e { 3 }
  check \"l\" : a
}
";

fn slice(span: Span) -> &'static str {
    &TEXT[span.range()]
}

fn body() -> Vec<Stmt> {
    let mut parsed = parse(SourceId(7), TEXT);
    assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
    let item = parsed.file.items.remove(0);
    assert_eq!(item.span.source, SourceId(7));
    assert!(slice(item.span).starts_with("export fn f") && slice(item.span).ends_with('}'));
    let ItemKind::Fn(function) = item.kind else {
        panic!("a function")
    };
    let Some(Block { span, stmts }) = function.body else {
        panic!("a body")
    };
    assert!(slice(span).starts_with("{\n") && slice(span).ends_with("\n}"));
    stmts
}

#[test]
fn items_and_parameters() {
    let parsed = parse(SourceId(0), TEXT);
    let item = &parsed.file.items[0];
    assert_eq!(item.doc.as_deref(), Some("Doc."));
    let ItemKind::Fn(function) = &item.kind else {
        panic!("a function")
    };
    assert_eq!(slice(function.name.span), "f");
    let [a, b] = &function.params[..] else {
        panic!("two parameters")
    };
    let (Some(list), Some(user)) = (&a.ty, &b.ty) else {
        panic!("two types")
    };
    assert_eq!(slice(list.span), "list<int>?");
    let TypeKind::Optional(inner) = &list.kind else {
        panic!("an optional")
    };
    assert_eq!(slice(inner.span), "list<int>");
    assert_eq!(slice(user.span), "auth.User");
    let TypeKind::Name {
        module: Some(module),
        name,
        ..
    } = &user.kind
    else {
        panic!("a name")
    };
    assert_eq!((slice(module.span), slice(name.span)), ("auth", "User"));
    assert_eq!(
        b.default.as_ref().map(|value| slice(value.span)),
        Some("{ x: 1 }")
    );
}

#[test]
fn comments_are_trivia_and_documentation_is_not() {
    let parsed = parse(SourceId(0), TEXT);
    let comments: Vec<&str> = parsed
        .trivia
        .iter()
        .map(|comment| slice(comment.span))
        .collect();
    assert_eq!(comments, ["// comment", "// other"]);
}

#[test]
fn statements_and_expressions() {
    let stmts = body();
    let spans: Vec<&str> = stmts.iter().map(|stmt| slice(stmt.span)).collect();
    let expected = [
        "let total =  a.first() ?? b.x",
        "total -= -5 * ( 2 + 1 )",
        "if a { 1 } else  if b { 2 }",
        "g( a, name : 2 ) catch e { 3 }",
        "check \"l\" : a",
    ];
    assert_eq!(spans, expected);
    let StmtKind::Let { value, .. } = &stmts[0].kind else {
        panic!("a let")
    };
    let ExprKind::Binary {
        op_span,
        left,
        right,
        ..
    } = &*value.kind
    else {
        panic!("an operator")
    };
    let parts = [
        slice(left.span),
        slice(*op_span),
        slice(right.span),
        slice(value.span),
    ];
    assert_eq!(parts, ["a.first()", "??", "b.x", "a.first() ?? b.x"]);
    let StmtKind::Assign { op_span, value, .. } = &stmts[1].kind else {
        panic!("an assignment")
    };
    assert_eq!(
        (slice(*op_span), slice(value.span)),
        ("-=", "-5 * ( 2 + 1 )")
    );
}

#[test]
fn calls_and_handlers() {
    let stmts = body();
    let StmtKind::Expr(catch) = &stmts[3].kind else {
        panic!("an expression")
    };
    let ExprKind::Catch { value, .. } = &*catch.kind else {
        panic!("a catch")
    };
    assert_eq!(slice(value.span), "g( a, name : 2 )");
    let ExprKind::Call { args, .. } = &*value.kind else {
        panic!("a call")
    };
    assert_eq!(
        args[1].name.as_ref().map(|name| slice(name.span)),
        Some("name")
    );
    assert_eq!(slice(args[1].value.span), "2");
    let StmtKind::Expr(choice) = &stmts[2].kind else {
        panic!("an expression")
    };
    let ExprKind::If {
        otherwise: Some(scn_grammar::ast::Else::If(link)),
        ..
    } = &*choice.kind
    else {
        panic!("an else if")
    };
    assert_eq!(slice(link.span), "if b { 2 }");
}
