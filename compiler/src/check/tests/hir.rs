//! The HIR of small programs, as text.

use super::{checked, findings};
use crate::hir::hir_text;

/// Compares the HIR of a program with its snapshot.
fn shows(name: &str, text: &str) {
    let checked = checked(text);
    let hir = checked
        .hir
        .as_ref()
        .unwrap_or_else(|| panic!("{}", findings(&checked)));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, hir_text(hir));
    });
}

#[test]
fn requests_and_checks() {
    shows(
        "requests",
        r#"
param base: string = env("BASE_URL") ?? "http://127.0.0.1:8080"
scenario smoke {
  let home = http.get("${base}/", ok: 200..=404)
  check home.status == 200
  check "has a title": home.text() contains "<title>" && home.json().items[0].id == 3
  expect (home.header("content-type") ?? "") contains "text/html"
  let again = http.post("${base}/x", json: { items: [1, 2], name: "a" }) catch e {
    log.info(e.kind)
    none
  }
  log.info(again?.status ?? 0)
}"#,
    );
}

#[test]
fn values_and_places() {
    shows(
        "values",
        r#"
enum Color { red, green }
type User = { name: string, age: int?, color: Color }
fn birthday(u: User, by: int = 1) -> User {
  var copy = u
  copy.age = (copy.age ?? 0) + by
  return { ...copy, color: green }
}
scenario s {
  var users: list<User> = [{ name: "a", color: Color.red }]
  users.push(birthday(users[0]))
  users[1].name += "!"
  var counts: map<string, int> = { "a": 1 }
  counts["b"] = users.len()
  let total = [c * 2 for (_, c) in counts if c > 0].sum()
  let d = 3s * total / 2
  match users[1].color {
    red => log.info("${total} of ${d / 1ms}")
    green if total > 3 => fail "green" kind "protocol.color"
    _ => log.info({ total, half: float(total) / 2 })
  }
}"#,
    );
}

#[test]
fn scenarios_with_everything() {
    shows(
        "scenario",
        r#"
pool clients { range "127.0.1.0/30"
 reserve "127.0.1.0"
 lease per iteration }
metric took: trend<duration>
server api http "127.0.0.1:0" {
  var hits = 0
  GET "/users/{id: int}" { hits += 1; return reply(200, json: { id, hits }) }
  _ { return reply(404) }
}
scenario s {
  load { users 0 -> 10 over 30s
    think 1s..3s }
  source clients
  tags { team: "shop" }
  thresholds { http.duration{step: "a"} p95 < 300ms or empty
    http.failed rate < 1% abort after 5s }
  setup { return { seed: 3 } }
  init(s) { var n = s.seed }
  each {
    n += 1
    parallel {
      let a = http.get("${api.url}/users/${n}")
      let b = timeout 2s { retry 3 times backoff 10ms..1s { http.get("${api.url}/") } }
    }
    took.add(5ms)
    let first = race { do { a.status }
      do { b.status } }
    choose { 7 => { log.info(first) } 3 => { sleep 1s } }
    let all = parallel for i in 0..3 max 2 { i * n }
    for x in all { if x > 3 { break } else { continue } }
    defer { log.info("bye") }
    every 1s { return }
  }
}"#,
    );
}
