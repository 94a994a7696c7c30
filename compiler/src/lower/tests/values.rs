//! Values: optionals, records, lists, maps, json, constants, text.

use super::{count, ir};
use insta::assert_snapshot;

#[test]
fn a_match_on_constants_is_a_switch() {
    let text = ir(
        "enum Color { red, green, blue }\nexport fn name(c: Color) -> string {\n  return match c { red => \"r\", green => \"g\", blue => \"b\" }\n}",
    );
    assert!(text.contains("switch v0, [0 bb1, 1 bb2], bb3"), "{text}");
}

#[test]
fn patterns_are_tested_in_order() {
    assert_snapshot!(ir(
        "export fn kind(n: int?) -> int {\n  return match n { none => 0, 1 | 2 => 1, 5..=9 => 2, x if x > 20 => 3, _ => 4 }\n}"
    ));
}

#[test]
fn an_optional_scalar_is_boxed_only_in_memory() {
    assert_snapshot!(ir(
        "export fn both(a: int?) -> list<int?> {\n  let b = a ?? 1\n  return [a, b, none]\n}"
    ));
}

#[test]
fn a_nested_update_takes_out_and_puts_back() {
    let text = ir(
        "type Box = { grid: list<list<int>>, names: map<string, list<string>> }\nexport fn change(b: Box, i: int) -> Box {\n  var c = b\n  c.grid[i][0] += 5\n  c.names[\"x\"].push(\"y\")\n  return c\n}",
    );
    // The box is unique already when the names are changed.
    assert_eq!(count(&text, "unique"), 3, "{text}");
    assert_snapshot!(text);
}

#[test]
fn cells_are_taken_out_and_put_back() {
    assert_snapshot!(ir(
        "scenario s {\n  init { var names: list<string> = []; var n = 0 }\n  each {\n    n += 1\n    names.push(\"x\")\n    let first = names.remove(0) catch \"none\"\n    log.info(first)\n  }\n}"
    ));
}

#[test]
fn decoding_goes_by_descriptor() {
    assert_snapshot!(ir(
        "type User = { name: string, age: int? }\nexport fn read(j: json) -> string {\n  let n = j.n as int?\n  let u = j.user as User\n  let token = j.token as secret<string>\n  log.info(\"${n ?? 0}\")\n  if token == \"x\" { return \"\" }\n  return u.name\n}"
    ));
}

#[test]
fn text_is_formatted_once() {
    let text = ir(
        "export fn say(a: string, n: int) -> string {\n  let b = \"<\" + a + \": ${n}\" + \">\"\n  return \"${b}!\"\n}",
    );
    assert!(
        text.contains("format [const0, object, v0, const1, int, v1, const2]"),
        "{text}"
    );
}

#[test]
fn generic_arguments_travel_in_memory_form() {
    assert_snapshot!(ir(
        "export fn go(xs: list<int?>, ys: list<int>, zs: list<string>) -> int {\n  var all = xs\n  all.push(3)\n  let a = xs.first() ?? 1\n  let b = ys.first() ?? 2\n  let c = zs.first() ?? \"\"\n  if c == \"\" && all.len() > 3 { return a }\n  return b\n}"
    ));
}

#[test]
fn a_typed_declaration_gets_its_descriptor() {
    let text = ir(
        "type Row = { id: int }\ndata rows: list<Row> = csv(\"x.csv\")\nscenario s { let r = rows.next(); check r.id > 0 }",
    );
    assert!(text.contains("record \"Row\" [\"id\" int]"), "{text}");
    assert!(
        text.contains("int 21\n"),
        "the list's descriptor is the hidden argument: {text}"
    );
}

#[test]
fn params_are_read_as_globals() {
    assert_snapshot!(ir(
        "param base: string = env(\"BASE\") ?? \"http://x\"\nparam many: int? = none\nscenario s { log.info(\"${base} ${many ?? 3}\") }"
    ));
}

#[test]
fn comprehensions_append() {
    assert_snapshot!(ir(
        "export fn squares(n: int) -> list<int> {\n  return [x * x for x in 1..=n if x % 2 == 0]\n}"
    ));
}

#[test]
fn secret_fields_of_what_is_decoded_are_registered() {
    let text = ir(
        "type Login = { user: string, token: secret<string>, extra: secret<string>? }\nexport fn read(j: json) -> string {\n  let l = j as Login\n  return l.user\n}",
    );
    assert_eq!(count(&text, "; rt.secret"), 2, "{text}");
}
