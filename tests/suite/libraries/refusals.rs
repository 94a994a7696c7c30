//! What cannot be exported is a finding when a component is built.

use super::{build, interface, library};
use scn_compiler::diagnostics::explain;
use scn_tests::folder::Folder;
use scn_tests::program::scn;

/// The code blocks of a page that are marked like this.
fn fences<'p>(page: &'p str, mark: &str) -> Vec<&'p str> {
    let start = format!("```{mark}\n");
    let blocks = page.split(start.as_str()).skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_pages_have_a_program_that_fails_and_one_that_works() {
    for code in ["E0403", "E0404"] {
        let page = explain(code).expect("the code has a page");
        let (failing, fixed) = (fences(page, "scn fails"), fences(page, "scn"));
        assert_eq!((failing.len(), fixed.len()), (1, 1), "examples of {code}");
        let (told, component) = build(failing[0], &[]);
        assert!(
            component.is_none() && told.status == 2,
            "{}",
            told.transcript()
        );
        assert_eq!(told.err.matches(code).count(), 1, "{}", told.err);
        library(fixed[0], &[]);
    }
}

#[test]
fn types_without_a_form_outside_are_refused_where_they_stand() {
    for (parameter, shown, help) in [
        (
            "map<string, int>",
            "map<string, int>",
            "list<(string, int)>",
        ),
        ("json", "json", "pass its text"),
        ("list<json?>", "json", "pass its text"),
        ("regex", "regex", "pass the expression as a `string`"),
        ("error", "error", "pass its kind and its message"),
        ("Response", "Response", "pass what is needed of it"),
        ("{ a: int }", "{ a: int }", "type Name = { a: int }"),
        ("secret<string>", "a secret", "secret(...)"),
    ] {
        let text = format!(
            "export fn f(x: {parameter}) {{ log.info(\"${{1}}\"); _keep(x) }}\nfn _keep(_x: {parameter}) {{ }}\n"
        );
        let (told, component) = build(&text, &[]);
        assert!(
            component.is_none() && told.status == 2,
            "{parameter}: {}",
            told.transcript()
        );
        for part in ["E0403", shown, help] {
            assert!(
                told.err.contains(part),
                "{parameter}: no `{part}` in {}",
                told.err
            );
        }
    }
    let (told, _) = build("export fn f() -> json { return none }", &[]);
    assert!(told.err.contains("E0403"), "{}", told.transcript());
}

#[test]
fn names_that_become_one_are_refused() {
    for text in [
        "export fn get_it() { }\nexport fn getIt() { }",
        "export fn f(one_two: int, oneTwo: int) -> int { return one_two + oneTwo }",
        "enum E { one_two, oneTwo }\nexport fn f(e: E) -> E { return e }",
        "type R = { one_two: int, oneTwo: int }\nexport fn f(r: R) -> R { return r }",
        "type Duration = { long: bool }\nexport fn f(d: Duration) -> duration { return if d.long { 2s } else { 1s } }",
        "export fn _1() { }",
    ] {
        let (told, component) = build(text, &[]);
        assert!(
            component.is_none() && told.status == 2,
            "{text}: {}",
            told.transcript()
        );
        assert!(told.err.contains("E0404"), "{text}: {}", told.err);
    }
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let fails = "enum Trouble { refused }\nexport fn f(t: Trouble) { fail \"${t}\" }";
    for (options, why) in [
        (["--errors", "Nothing"], "there is no enum `Nothing`"),
        (["--errors", "Trouble"], "has no case `other`"),
        (["--interface", "socket"], "scn:net/socket@0.1.0"),
        (["--interface", "wasi:io/poll@0.2.0"], "cannot be called so"),
    ] {
        let (told, component) = build(fails, &options);
        assert!(
            component.is_none() && told.status == 2,
            "{}",
            told.transcript()
        );
        assert!(told.err.contains(why), "{}", told.err);
    }
    let (told, _) = build("fn f() { }\nscenario a { f() }", &["--emit", "wit"]);
    assert!(
        told.err.contains("exports nothing"),
        "{}",
        told.transcript()
    );
}

#[test]
fn words_of_wit_are_names_all_the_same() {
    let text = interface(
        "type Record = { list: int, own: bool? }\nexport fn result(variant: Record) -> Record { return variant }",
        &[],
    );
    assert!(
        text.contains("%result: func(%variant: %record) -> %record;"),
        "{text}"
    );
}

#[test]
fn the_same_source_gives_the_same_library() {
    let folder = Folder::new("libraries");
    let text = "export fn f(a: int?) -> string { return \"${a ?? 0}\" }";
    let source = folder.write("same.scn", text).display().to_string();
    let build = |name: &str| {
        let output = folder.path(name);
        let shown = output.display().to_string();
        let told = scn(["build", &source, "-o", &shown]);
        std::fs::read(&output).unwrap_or_else(|_| panic!("{}", told.transcript()))
    };
    assert!(build("first.wasm") == build("second.wasm"));
}
