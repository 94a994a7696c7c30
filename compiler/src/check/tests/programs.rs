//! Whole programs that are right.

use super::{body, checked, findings, fine, gives};

#[test]
fn a_smoke_test_is_fine() {
    fine(
        r#"
param base: string = env("BASE_URL") ?? "http://127.0.0.1:8080"
scenario smoke {
  let home = http.get("${base}/")
  check home.status == 200
  check "has a title": home.text() contains "<title>"
  expect (home.header("content-type") ?? "") contains "text/html"
}"#,
    );
}

#[test]
fn sections_share_the_value_of_setup_and_the_variables_of_init() {
    fine(
        r#"
param base: string = "http://127.0.0.1:8080"
data users: list<{ name: string, password: string }> = csv("users.csv")
metric checkout_time: trend<duration>
scenario checkout {
  load {
    arrivals 10/s -> 500/s over 30s
    arrivals 500/s for 2m
    max users 400
    graceful stop 10s
  }
  tags { team: "shop" }
  thresholds {
    http.duration p95 < 300ms
    http.duration{step: "buy", team: "shop"} p99 < 1s
    http.failed rate < 1%
    checks rate > 99% abort after 10s
    checkout_time p99.9 < 2s or empty
  }
  setup { return http.post("${base}/seed", json: { items: 100 }).json().id as int }
  init(seed) { var token = secret("${seed}") }
  each(seed) {
    if token == "" {
      let u = users.next()
      token = login(u.name, u.password)
    }
    step "browse" {
      let r = http.get("${base}/items", headers: { "authorization": "Bearer ${token}" })
      check r.status == 200
    }
    think 1s..3s
    let r = http.post("${base}/cart", json: { item: seed, n: 1 })
    expect r.status == 201
    checkout_time.add(3ms)
  }
  exit { http.post("${base}/logout") }
  teardown(seed) { http.get("${base}/seed/${seed}") }
}
fn login(name: string, password: string) -> secret<string> {
  let r = http.post("${base}/login", json: { name, password })
  expect r.status == 200
  return r.json().token as secret<string>
}"#,
    );
}

#[test]
fn servers_tests_and_control_flow_are_fine() {
    fine(
        r#"
server echo tcp "127.0.0.1:0" (conn) {
  loop { let d = conn.recv(64KiB); if d.text() == "" { break }; conn.send(d) }
}
server api http "127.0.0.1:0" {
  var hits = 0
  GET "/users/{id: int}" { hits += 1; return reply(200, json: { id, hits }) }
  _ { return reply(404) }
}
test "a user is found" {
  let r = http.get("${api.url}/users/7")
  expect r.json().id == 7
}
scenario frames {
  let c = tcp.connect(echo.addr, bind: ip("127.0.0.7"))
  c.send("x")
  let fallback = http.get("http://127.0.0.1:9/") catch e {
    check e.kind == "connection_refused"
    none
  }
  check fallback == none
  parallel {
    let a = http.get("${api.url}/users/1")
    let b = http.get("${api.url}/users/2")
  }
  check a.status == b.status
  let done = retry 5 times backoff 50ms..1s { let r = http.get("${api.url}/users/1"); expect r.status == 200; r }
  match done.status { 200 | 201 => log.info("ok"), 400..=499 => fail "client error", _ => fail "unexpected" }
}"#,
    );
}

#[test]
fn library_bodies_are_checked_when_they_are_used() {
    let checked = checked("scenario s { http.thrice(\"http://127.0.0.1/\") }");
    let hir = checked
        .hir
        .as_ref()
        .unwrap_or_else(|| panic!("{}", findings(&checked)));
    assert!(hir.functions.iter().any(|f| f.name == "http.thrice"));
    let native = hir
        .natives
        .iter()
        .find(|n| n.name == "http.thrice")
        .expect("it was called");
    assert!(native.body.is_some());
}

#[test]
fn only_what_is_used_of_the_library_enters_the_hir() {
    let checked = checked("scenario s { log.info(\"x\") }");
    let hir = checked.hir.expect("no errors");
    let names: Vec<_> = hir.natives.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["log.info"]);
}

#[test]
fn long_chains_are_refused_and_large_blocks_are_not() {
    let chain = "1 + ".repeat(3000) + "1";
    gives(&format!("const N: int = {chain}\n"), &["E0003"]);
    let members = ".a".repeat(3000);
    body(
        &format!("log.info(http.get(\"http://h/\").json(){members})"),
        &["E0003"],
    );
    let lets: String = (0..20_000)
        .map(|n| format!("let x{n} = {n}\nlog.info(x{n})\n"))
        .collect();
    body(&lets, &[]);
}

#[test]
fn a_copied_value_is_evaluated_once() {
    let checked = checked(
        "fn f() -> { a: int, b: int } { return { a: 1, b: 2 } }\nscenario s { let r = { ...f(), a: 3 }\n log.info(r) }",
    );
    let hir = checked.hir.as_ref().expect("no errors");
    assert_eq!(crate::hir::hir_text(hir).matches("f()").count(), 2);
}

#[test]
fn the_deepest_nesting_that_the_grammar_allows_is_checked() {
    let nested =
        |open: &str, close: &str| format!("{}log.info(1){}", open.repeat(120), close.repeat(120));
    body(&nested("if true { ", " }"), &[]);
    let parens = format!("log.info({}1{})", "(".repeat(120), ")".repeat(120));
    body(&parens, &[]);
}
