//! Programs become components with the bodies of this library: valid ones, the same each time, or a finding says why not.

use scn_compiler::diagnostics::Code;
use scn_compiler::ir::Program;
use scn_compiler::source::{Loader, Source};
use scn_compiler::wasm::{self, Bodies, Unbuilt};
use scn_stdlib::{BODIES, LIBRARY};

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("these programs import nothing, not even {path}"))
    }
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
    let bodies = Bodies::compile(&BODIES).expect("the checker finds nothing wrong with the bodies");
    let build = || wasm::build(&program(PROGRAM), &bodies).expect("it builds");
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
    let bodies =
        Bodies::compile(&LIBRARY).expect("the checker finds nothing wrong with the library");
    let text = "scenario s { log.info(\"a \".trim()) }";
    let Err(Unbuilt::Refused(found)) = wasm::build(&program(text), &bodies) else {
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
