//! Types and values.

use super::{body, fine, gives};

#[test]
fn literals_take_their_type_from_what_is_expected() {
    body(
        "let x: float = 2\nlet xs: list<float> = [1, 2.5]\nlet m: map<string, int> = {}\ncheck x == xs.sum() + float(m[\"a\"] ?? 0)",
        &[],
    );
    body("let x = []\ncheck x.len() == 0", &["E0202"]);
    body("let x = {}\ncheck x == x", &["E0202"]);
    body("let x = none\ncheck x == x", &["E0202"]);
    body("let xs = [1, 2.5, 3]\ncheck xs.sum() == 6.5", &[]);
    body("let xs = [1, \"a\"]\ncheck xs.len() == 2", &["E0222"]);
}

#[test]
fn dimensions_are_checked() {
    body(
        "let d = 3s / 2\nlet r = 10 / d\nlet n = r * 1m\nlet f = d / 1ms\ncheck n + f > 0.0",
        &[],
    );
    body("check 3s + 1 == 4s", &["E0203"]);
    body("check 1 + 1.5 == 2.5", &[]);
    body(
        "let n = 1\nlet m = [n]\ncheck m.sum() + 1.5 == 2.5",
        &["E0203"],
    );
    body("check 10/s * 1s == 10.0", &[]);
}

#[test]
fn constants_are_folded_and_must_have_a_value() {
    gives("const A: int = 9223372036854775807 + 1\n", &["E0217"]);
    gives("const A: int = 1 / 0\n", &["E0217"]);
    gives("const A: int = 1 << 64\n", &["E0217"]);
    gives("const A = B\nconst B = A\n", &["E0110"]);
    gives("fn f() -> int { return 1 }\nconst A = f()\n", &["E0218"]);
    body("let n = 7\ncheck n / 0 == 1", &["E0217"]);
}

#[test]
fn optionals_are_refused_where_values_are_needed() {
    let r = "let r = http.get(\"http://h/\")\n";
    body(
        &format!("{r}check r.header(\"a\") contains \"x\""),
        &["E0204"],
    );
    body(
        &format!("{r}check \"${{r.header(\"a\")}}\" == \"x\""),
        &["E0204"],
    );
    body(&format!("{r}check r.header(\"a\") == \"x\""), &[]);
    body(&format!("{r}check r.header(\"a\")?.len() == 1"), &[]);
    body(&format!("{r}check r.header(\"a\").len() == 1"), &["E0204"]);
    body(
        &format!("{r}if let a = r.header(\"a\") {{ check a == \"x\" }}"),
        &[],
    );
    body(
        &format!("{r}if let a = r.status {{ check a == 1 }}"),
        &["E0203"],
    );
    body(&format!("{r}check (r.status ?? 1) == 1"), &["E0203"]);
}

#[test]
fn json_is_navigated_and_cast() {
    let r = "let j = http.get(\"http://h/\").json()\n";
    body(&format!("{r}check j.a.b[0][\"k\"] == \"x\""), &[]);
    body(&format!("{r}check j.n > 3"), &["E0203"]);
    body(&format!("{r}check (j.n as int) > 3"), &[]);
    body(
        &format!(
            "{r}let u = j as {{ name: string, age: int? }}\ncheck u.age == none || u.name == \"\""
        ),
        &[],
    );
    body(
        &format!("{r}let r = j.r as regex\ncheck \"a\" matches r"),
        &["E0207"],
    );
    body("check (\"12\" as int) == 12", &[]);
    body("check (12 as int) == 12", &["E0207"]);
}

#[test]
fn records_are_structural() {
    let user =
        "type User = { name: string, age: int? }\nfn f(u: User) -> string { return u.name }\n";
    fine(&format!(
        "{user}scenario s {{ check f({{ name: \"a\" }}) == \"a\" }}"
    ));
    gives(
        &format!("{user}scenario s {{ check f({{ age: 1 }}) == \"a\" }}"),
        &["E0215"],
    );
    gives(
        &format!("{user}scenario s {{ check f({{ name: \"a\", agee: 1 }}) == \"a\" }}"),
        &["E0104"],
    );
    gives(
        &format!("{user}scenario s {{ check f({{ name: 1 }}) == \"a\" }}"),
        &["E0201"],
    );
    gives(
        &format!("{user}scenario s {{ check f({{ name: \"a\", name: \"b\" }}) == \"a\" }}"),
        &["E0214"],
    );
    fine(
        &format!(
            "{user}scenario s {{ let u = {{ name: \"a\" }}\n check f(u) == f({{ ...u, age: 3 }}) }}"
        )
        .replace("...u, age: 3", "name: u.name"),
    );
    body(
        "let u = { name: \"a\", age: 3 }\nlet v = { ...u, age: 4 }\ncheck v.age == 4",
        &[],
    );
    body("let u = { name: \"a\" }\ncheck u.nam == \"a\"", &["E0104"]);
}

#[test]
fn matches_must_be_exhaustive() {
    let color = "enum Color { red, green, blue }\nfn c() -> Color { return Color.red }\n";
    fine(&format!(
        "{color}scenario s {{ match c() {{ red | green => log.info(1), Color.blue => log.info(2) }} }}"
    ));
    gives(
        &format!(
            "{color}scenario s {{ match c() {{ red => log.info(1), Color.blue => log.info(2) }} }}"
        ),
        &["E0209"],
    );
    gives(
        &format!(
            "{color}scenario s {{ match c() {{ red => log.info(1), _ => log.info(2), blue => log.info(3) }} }}"
        ),
        &["W0202"],
    );
    gives(
        &format!("{color}scenario s {{ check c() == Color.rad }}"),
        &["E0115"],
    );
    body(
        "let n = http.get(\"http://h/\").status\nmatch n { 200 => log.info(1), 201..=299 => log.info(2) }",
        &["E0209"],
    );
    body(
        "let n = http.get(\"http://h/\").status\nmatch n { 200..=299 => log.info(1), 201 => log.info(2), _ => log.info(3) }",
        &["W0202"],
    );
    body(
        "let h = http.get(\"http://h/\").header(\"a\")\nmatch h { none => log.info(1), \"x\" => log.info(2), _ => log.info(3) }",
        &[],
    );
    body(
        "let h = http.get(\"http://h/\").header(\"a\")\nmatch h { none => log.info(1), \"x\" => log.info(2) }",
        &["E0209"],
    );
    body(
        "let t = (true, 1)\nmatch t { (true, _) => log.info(1), (false, 0) => log.info(2) }",
        &["E0209"],
    );
}

#[test]
fn secrets_go_over_the_wire_only() {
    let s = "let s = secret(\"x\")\n";
    body(
        &format!("{s}http.post(\"http://h/\", json: {{ a: s, b: [s] }})"),
        &[],
    );
    body(
        &format!("{s}http.get(\"http://h/\", headers: {{ \"a\": \"Bearer ${{s}}\" }})"),
        &[],
    );
    body(&format!("{s}log.info(s)"), &["E0216"]);
    body(&format!("{s}log.info({{ s }})"), &["E0216"]);
    body(&format!("{s}let r = {{ s }}\nlog.info(r)"), &["E0216"]);
    body(
        &format!("{s}http.post(\"http://h/\", json: do {{ log.info(s)\n s }})"),
        &["E0216"],
    );
    body(&format!("{s}log.info(\"token ${{s}}\")"), &["E0216"]);
    body(&format!("{s}check \"l ${{s}}\": true"), &["E0216"]);
    body(&format!("{s}step \"l ${{s}}\" {{ }}"), &["E0216"]);
    body(&format!("{s}fail \"l ${{s}}\""), &["E0216"]);
    body(&format!("{s}log.info(s.upper())"), &["E0216"]);
    body(&format!("{s}log.info(s.len())"), &[]);
    body(&format!("{s}check s contains \"a\""), &["E0216"]);
}

#[test]
fn error_kinds_come_from_the_list() {
    body(
        "http.get(\"http://h/\") catch e { check e.kind == \"conection_refused\" }",
        &["E0220"],
    );
    body(
        "http.get(\"http://h/\") catch e { match e.kind { \"timeot\" => log.info(1), _ => log.info(2) } }",
        &["E0220"],
    );
    body("fail \"x\" kind \"protocol.smtp\"", &[]);
    body("fail \"x\" kind \"smtp\"", &["E0220"]);
    body(
        "http.get(\"http://h/\") catch e { check e.kind in [\"timeout\", \"othr\"] }",
        &["E0220"],
    );
}
