//! Names, calls, variables, control flow.

use super::{body, checked_with, findings, fine, gives};

#[test]
fn unknown_names_are_suggested() {
    body("let home = 1\ncheck hone == home", &["E0101"]);
    body("http.gett(\"http://h/\")", &["E0103"]);
    body("htp.get(\"http://h/\")", &["E0101"]);
    body(
        "let r = http.get(\"http://h/\")\ncheck r.staus == 200",
        &["E0104"],
    );
    body(
        "let r = http.get(\"http://h/\")\ncheck r.text == \"\"",
        &["E0104"],
    );
    body(
        "let r = http.get(\"http://h/\")\ncheck r.status() == 200",
        &["E0112"],
    );
    gives("fn f(x: strng) -> int { return 1 }\n", &["E0102"]);
}

#[test]
fn arguments_fit_their_parameters() {
    body("http.get()", &["E0205"]);
    body("http.get(\"http://h/\", timeout: 3)", &["E0201"]);
    body("http.get(\"http://h/\", timout: 3s)", &["E0206"]);
    body(
        "http.get(\"http://h/\", timeout: 3s, timeout: 4s)",
        &["E0206"],
    );
    body("http.get(timeout: 3s, \"http://h/\")", &["E0206"]);
    body("log.info(1, 2)", &["E0205"]);
    body(
        "http.get(\"http://h/\", ok: 404)\nhttp.get(\"http://h/\", ok: 200..=404)\nhttp.get(\"http://h/\", ok: [200, 404])",
        &[],
    );
    body("http.get(\"http://h/\", ok: 1000)", &["E0219"]);
    body("http.post(\"http://h/\", bind: ip(\"127.0.0.1\"))", &[]);
    body("http.post(\"http://h/\", bind: \"127.0.0.1\")", &["E0201"]);
    body(
        "http.post(\"http://h/\", bind: ip(\"127.0.0.300\"))",
        &["E0219"],
    );
    gives(
        "fn f(a: int, b: int = 2) -> int { return a + b }\nscenario s { check f(1) == f(1, 2) && f(b: 1, a: 2) == f(\"x\") }",
        &["E0201"],
    );
}

#[test]
fn constants_in_arguments_are_checked() {
    body("http.get(\"htp://h/\")", &["E0219"]);
    body("http.get(\"/items\")", &["E0219"]);
    body("http.get(\"http://h/\", timeout: 0s)", &["E0219"]);
    body("http.get(\"http://h:99999/\")", &["E0219"]);
    body(
        "let h = \"x\"\nhttp.get(\"http://${h}/\")\nhttp.get(\"${h}/x\")",
        &[],
    );
    body("let h = \"x\"\nhttp.get(\"ftp://${h}/\")", &["E0219"]);
    body("check \"a\" matches re\"(\"", &["E0219"]);
    body("check \"a\" matches \"a\"", &["E0203"]);
}

#[test]
fn variables_change_only_when_declared_so() {
    body("let x = 1\nx = 2\ncheck x == 2", &["E0210"]);
    body("var x = 1\nx = 2\ncheck x == 2", &[]);
    body("var x = 1\ncheck x == 1", &["W0105"]);
    body(
        "var xs: list<int> = []\nxs.push(1)\ncheck xs.len() == 1",
        &[],
    );
    body(
        "let xs: list<int> = []\nxs.push(1)\ncheck xs.len() == 1",
        &["E0210"],
    );
    body(
        "var r = { a: [1] }\nr.a.push(2)\nr.a[0] += 2\ncheck r.a.len() == 2",
        &[],
    );
    body("[1].push(2)", &["E0210"]);
    body(
        "var m: map<string, list<int>> = {}\nm[\"a\"] = []\nm[\"a\"].push(1)\ncheck m[\"a\"] == none",
        &[],
    );
    gives(
        "const A = 1\nscenario s { A = 2\n check A == 1 }",
        &["E0210"],
    );
    gives("fn f(x: int) -> int { x = 2\n return x }\n", &["E0210"]);
}

#[test]
fn branches_are_kept_apart() {
    body(
        "var n = 0\nparallel { n = 1\n n = 2 }\ncheck n == 0",
        &["E0224", "E0224"],
    );
    body(
        "for x in [1, 2] { parallel { break\n log.info(x) } }",
        &["E0213"],
    );
    body(
        "let all = parallel for x in [1, 2] max 2 { x * 2 }\ncheck all.sum() == 6",
        &[],
    );
    body(
        "let first = race { do { 1 }\n do { 2 } }\ncheck first == 1",
        &[],
    );
    body("defer { return }", &["E0213"]);
    body("break", &["E0213"]);
}

#[test]
fn functions_return_on_every_path() {
    gives(
        "fn f(x: int) -> int { if x > 1 { return 1 } }\n",
        &["E0211"],
    );
    gives("fn f(x: int) -> int { x + 1 }\n", &["W0203", "E0211"]);
    fine("fn f(x: int) -> int { if x > 1 { return 1 } else { fail \"no\" } }\n");
    fine("fn f() -> int { loop { log.info(1) } }\n");
    gives("fn f() { return 1 }\n", &["E0212"]);
    gives("fn f() -> int { return 1\n log.info(2) }\n", &["W0201"]);
}

#[test]
fn blocks_have_the_value_of_their_last_expression() {
    body("let x = if true { 1 } else { 2 }\ncheck x == 1", &[]);
    body("let x = if true { 1 } else { none }\ncheck x == 1", &[]);
    body(
        "let x = if true { 1 } else { \"a\" }\ncheck x == 1",
        &["E0222"],
    );
    body("let x = if true { 1 }\ncheck x == 1", &["E0221"]);
    body("let x = do { let y = 1 }\ncheck x == 1", &["E0221"]);
    body("let x = log.info(1)\ncheck x == 1", &["E0221"]);
    body(
        "let x: int? = if true { none } else { 3 }\ncheck x == 3",
        &[],
    );
    body(
        "let token = env(\"T\") ?? fail \"no token\"\ncheck token == \"x\"",
        &[],
    );
    body("1 == 2", &["W0203"]);
}

#[test]
fn unused_names_are_found() {
    body("let x = 1", &["W0101"]);
    body("let _x = 1", &[]);
    gives(
        "const A = 1\nfn f() { }\nparam p: int = 1\nscenario s { }",
        &["W0102", "W0102", "W0102"],
    );
    gives("fn f(x: int) { }\nscenario s { f(1) }", &["W0104"]);
    fine("const A = 1\nfn f() { }\n");
}

#[test]
fn imports_bring_items_under_an_alias() {
    let auth = [(
        "auth.scn",
        "const LIMIT = 3\nenum Role { admin, guest }\nfn role(n: int) -> Role { if n > LIMIT { return Role.admin }\n return Role.guest }\nparam p: int = 1\nfn q() -> int { return p }",
    )];
    let of = |text: &str| {
        let checked = checked_with(text, &auth);
        let codes: Vec<_> = checked
            .diagnostics
            .iter()
            .map(|d| d.code.as_str())
            .collect();
        (codes.join(" "), findings(&checked))
    };
    let used = "use \"auth.scn\" as auth\n";
    let (codes, text) = of(&format!(
        "{used}scenario s {{ check auth.role(auth.LIMIT) == auth.Role.guest }}"
    ));
    assert_eq!(codes, "", "{text}");
    assert_eq!(of(&format!("{used}scenario s {{ }}")).0, "W0103");
    assert_eq!(
        of(&format!("{used}scenario s {{ check auth.p == 1 }}")).0,
        "E0113"
    );
    assert_eq!(
        of(&format!("{used}scenario s {{ auth.rle(1) }}")).0,
        "E0103"
    );
    assert_eq!(of("use \"nope.scn\" as x\nscenario s { }").0, "E0106");
}

#[test]
fn import_circles_are_found() {
    let files = [
        ("a.scn", "use \"b.scn\" as b\nfn f() { b.g() }"),
        ("b.scn", "use \"a.scn\" as a\nfn g() { a.f() }"),
    ];
    let checked = checked_with("use \"a.scn\" as a\nscenario s { a.f() }", &files);
    assert!(
        checked
            .diagnostics
            .iter()
            .any(|d| d.code.as_str() == "E0107"),
        "{}",
        findings(&checked)
    );
}
