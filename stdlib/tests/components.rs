//! Programs become components with the bodies of this library: valid ones, the same each time, or a finding says why not.

use scn_compiler::diagnostics::Code;
use scn_compiler::ir::Program;
use scn_compiler::source::{Loader, Source};
use scn_compiler::wasm::interfaces::interfaces;
use scn_compiler::wasm::{self, Bodies, Choices, Https, Unbuilt};
use scn_stdlib::{BODIES, LIBRARY};
use std::sync::OnceLock;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("these programs import nothing, not even {path}"))
    }
}

/// The bodies of the library; compiling them takes a while.
fn bodies() -> &'static Bodies {
    static COMPILED: OnceLock<Bodies> = OnceLock::new();
    COMPILED.get_or_init(|| {
        Bodies::compile(&BODIES).expect("the checker finds nothing wrong with the bodies")
    })
}

fn no_file(path: &str) -> Result<Vec<u8>, String> {
    Err(format!("there is no {path}"))
}

fn program(text: &str) -> Program {
    let entry = Source {
        name: "program.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &LIBRARY);
    let found: Vec<&str> = checked
        .diagnostics
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    let hir = checked
        .hir
        .as_ref()
        .unwrap_or_else(|| panic!("it is refused: {found:?}"));
    scn_compiler::lower(&checked.sources, hir)
}

#[test]
fn items_that_a_component_has_not_are_refused() {
    let bodies = bodies();
    let text = "server echo tls \"127.0.0.1:0\" (cert: \"c\", key: \"k\") (s) { s.close() }\nscenario a { log.info(\"x\") }";
    match wasm::build(&program(text), bodies, &no_file) {
        Err(Unbuilt::Refused(found)) => assert_eq!(found[0].code, Code::E0401, "{text}"),
        other => panic!("{text} gives {:?}", other.map(|bytes| bytes.len())),
    }
}

#[test]
fn only_programs_with_sources_lease_addresses() {
    let bodies = bodies();
    let built = |source: &str| {
        let text = format!(
            "pool p {{ range \"127.0.1.0/28\" }}\nscenario a {{ {source}\n each {{ log.info(\"${{p.len()}}\") }} }}"
        );
        let bytes = wasm::build(&program(&text), bodies, &no_file).expect("it can be built");
        bytes.len()
    };
    let (without, with) = (built(""), built("source p"));
    assert!(with > without + 8_000, "{without} and {with} bytes");
}

/// What a build finds wrong with a program: codes and messages.
fn refused(text: &str) -> Vec<(Code, String)> {
    let bodies = bodies();
    match wasm::build(&program(text), bodies, &no_file) {
        Err(Unbuilt::Refused(found)) => {
            let told = found.into_iter().map(|one| (one.code, one.message));
            told.collect()
        }
        other => panic!("{text} gives {:?}", other.map(|bytes| bytes.len())),
    }
}

#[test]
fn arguments_that_the_host_decides_are_refused() {
    for (call, name) in [
        ("http.get(\"https://a.test/\", verify: false)", "verify"),
        (
            "http.post(\"https://a.test/\", json: 1, roots: \"a.pem\")",
            "roots",
        ),
        (
            "http.request(\"PUT\", \"https://a.test/\", cert: \"a\")",
            "cert",
        ),
        ("tls.connect(\"a.test:1\", key: \"k\")", "key"),
        ("tls.connect(\"a.test:1\", alpn: [\"x\"])", "alpn"),
        (
            "tls.connect(\"a.test:1\", min_version: \"1.3\")",
            "min_version",
        ),
        (
            "tcp.connect(\"a.test:1\").start_tls(\"a.test\", max_version: \"1.2\")",
            "max_version",
        ),
    ] {
        let found = refused(&format!("scenario s {{ {call} }}"));
        assert_eq!(found.len(), 1, "{call} gives {found:?}");
        let (code, message) = &found[0];
        let begins = format!("`{name}` of `");
        assert!(
            *code == Code::E0405 && message.starts_with(&begins),
            "{call}: {message}"
        );
    }
    let bodies = bodies();
    let usual = "scenario s {\n http.get(\"https://a.test/\", verify: true, server_name: \"b.test\", timeout: 1s, connect_timeout: 1s)\n\
                 http.post(\"https://a.test/\", body: \"x\")\n tls.connect(\"a.test:1\", min_version: \"1.2\") }";
    assert!(wasm::build(&program(usual), bodies, &no_file).is_ok());
}

#[test]
fn properties_in_constant_patterns_are_refused() {
    let found = refused("scenario s { check \"a\" matches re\"^\\p{Greek}\" }");
    assert_eq!(
        found,
        [(
            Code::E0405,
            "`\\p{Greek}` is not available in a component".to_owned()
        )]
    );
}

#[test]
fn files_are_embedded() {
    let bodies = bodies();
    let text = "data names: list<string> = lines_file(\"names.txt\")\nscenario s { log.info(names.next()) }";
    let read = |path: &str| match path {
        "names.txt" => Ok(b"somebody\nelse\n".to_vec()),
        _ => no_file(path),
    };
    let build = || wasm::build(&program(text), bodies, &read).expect("it builds");
    let component = build();
    assert_eq!(component, build());
    let content = b"somebody\nelse\n";
    assert!(component.windows(content.len()).any(|part| part == content));
    let found = refused(text);
    assert_eq!(
        found,
        [(
            Code::E0406,
            "cannot embed `names.txt`: there is no names.txt".to_owned()
        )]
    );
    let found =
        refused("param path: string = \"x\"\nscenario s { log.info(\"${file(path).len()}\") }");
    assert_eq!(found[0].0, Code::E0401, "{found:?}");
}

/// The lines of the documentation between its two marks.
fn table(text: &str) -> &str {
    let (_, behind) = text
        .split_once("the declarations -->\n")
        .expect("the table begins with its mark");
    let (table, _) = behind
        .split_once("<!-- end -->")
        .expect("the table has its end");
    table
}

#[test]
fn the_documentation_lists_what_is_not_available() {
    let bodies = bodies();
    let library = scn_compiler::check_library(&LIBRARY);
    let hir = library.hir.expect("the library has no errors");
    let mut lacking: Vec<&str> = hir
        .natives
        .iter()
        .map(|native| native.name.as_str())
        .filter(|name| !bodies.has(name))
        .collect();
    lacking.sort_unstable();
    lacking.dedup();
    let rows = lacking.iter().map(|name| format!("| `{name}` |\n"));
    let wanted = format!(
        "\n| not available |\n| --- |\n{}\n",
        rows.collect::<String>()
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/components.md");
    let text = std::fs::read_to_string(path).expect("the documentation is there");
    if std::env::var_os("SCN_WRITE_TABLES").is_some() {
        let written = text.replace(table(&text), &wanted);
        std::fs::write(path, written).expect("the documentation can be written");
        return;
    }
    assert_eq!(
        table(&text),
        wanted,
        "docs/components.md: run this test with SCN_WRITE_TABLES=1"
    );
}

const PROGRAM: &str = r#"
fn halves(n: int) -> list<int> {
  var found = [n]
  while found[found.len() - 1] > 1 { found.push(found[found.len() - 1] / 2) }
  return found
}
scenario s {
  var seen: map<string, int> = {}
  for n in halves(100) { seen["n${n}"] = n }
  parallel {
    let a = do { sleep 1ms; seen.len() }
    let b = do { timeout 5ms { sleep 2ms; 1 } catch 2 }
  }
  check a + b > 2
}
"#;

#[test]
fn a_component_is_valid_and_the_same_each_time() {
    let bodies = bodies();
    let build = || wasm::build(&program(PROGRAM), bodies, &no_file).expect("it builds");
    let first = build();
    assert_eq!(first, build());
    // What it carries beside its code.
    for section in [wasm::sources::SECTION, wasm::capabilities::SECTION] {
        assert!(wasm::section::find(&first, section).is_some(), "{section}");
    }
}

#[test]
fn what_a_component_cannot_call_is_refused_where_it_is_called() {
    // The declarations alone: nothing has a body.
    let declared =
        Bodies::compile(&LIBRARY).expect("the checker finds nothing wrong with the library");
    let text = "scenario s { log.info(\"a \".trim()) }";
    let Err(Unbuilt::Refused(found)) = wasm::build(&program(text), &declared, &no_file) else {
        panic!("it is built without bodies");
    };
    let refused: Vec<(Code, &str)> = found
        .iter()
        .map(|found| {
            let span = found.span();
            (found.code, &text[span.start as usize..span.end as usize])
        })
        .collect();
    assert!(
        refused.contains(&(Code::E0401, "\"a \".trim()")),
        "{refused:?}"
    );
}

/// A component with a choice for https.
fn built_as(text: &str, https: Https) -> Vec<u8> {
    let choices = Choices {
        https,
        ..Choices::default()
    };
    wasm::build_as(&program(text), bodies(), choices, &no_file).expect("it builds")
}

#[test]
fn components_are_small() {
    let request = "let r = http.get(\"http://127.0.0.1:1/x\")\n check r.status == 200";
    let load = "load { users 3 for 1s }\n thresholds { http.duration p95 < 1s\n checks rate > 99% }\n each";
    let one = format!("scenario s {{ {request} }}");
    let led = format!("scenario s {{ {load} {{ {request} }} }}");
    let secure = one.replace("http:", "https:");
    for (text, https, most) in [
        (&one, Https::WhereNamed, 96 << 10),
        (&secure, Https::WhereNamed, 96 << 10),
        (&secure, Https::WasiHttp, 104 << 10),
        (&led, Https::WhereNamed, 256 << 10),
    ] {
        let size = built_as(text, https).len();
        println!("{size} bytes with {https:?}: {text}");
        assert!(size <= most, "{size} bytes with {https:?}: {text}");
    }
}

#[test]
fn hosts_are_asked_for_https_as_it_was_chosen() {
    let asks = |text: &str, https| {
        let (imports, _) = interfaces(&built_as(text, https)).expect("it is a component");
        let asks = |start: &str| imports.iter().any(|one| one.name.starts_with(start));
        (asks("wasi:tls/"), asks("wasi:http/"))
    };
    let named = "scenario s { http.get(\"https://a.test/\") }";
    let given = "param base: string\nscenario s { http.get(base) }";
    let neither = "scenario s { log.info(\"x\") }";
    for (text, where_named, by_tls, by_http) in [
        (named, (true, false), (true, false), (false, true)),
        (given, (false, false), (true, false), (false, true)),
        (neither, (false, false), (false, false), (false, false)),
    ] {
        assert_eq!(asks(text, Https::WhereNamed), where_named, "{text}");
        assert_eq!(asks(text, Https::WasiTls), by_tls, "{text}");
        assert_eq!(asks(text, Https::WasiHttp), by_http, "{text}");
    }
}
