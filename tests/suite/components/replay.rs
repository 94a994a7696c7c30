//! Components that print what a native run has told: what becomes of their lines can be compared with that run.

use crate::Temporary;
use scn_compiler::ir::Program;
use scn_compiler::source::{Loader, Source};
use scn_compiler::wasm::capabilities::{self, Capabilities};
use scn_compiler::wasm::component::wrap;
use scn_compiler::wasm::section;
use scn_compiler::wasm::sources::{self, SourceMap};
use scn_compiler::wasm::wit::World;
use scn_tests::program::{Output, scn};
use std::ffi::OsString;

/// A program with what a run of it tells.
pub struct Told {
    file: Temporary,
    program: Program,
    /// Lines of `--json`.
    lines: String,
}

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("there is no {path}"))
    }
}

impl Told {
    /// Runs a program natively and keeps what it told.
    pub fn of(name: &str, text: &str, options: &[&str]) -> Told {
        let mut told = Told::checked(name, text);
        let shown = told.file.shown();
        let mut args: Vec<&str> = vec!["scn", "run", &shown, "--json"];
        args.extend(RUN);
        args.extend(options);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        // Times are told as they are, not as `[time]`.
        let mut terminal =
            scn_cli::Terminal::new(&mut out, &mut err, scn_cli::Surroundings::default());
        scn_cli::main_with(args.iter().map(OsString::from), &mut terminal);
        told.lines = String::from_utf8(out).expect("JSON is text");
        told
    }

    /// A program that was only checked.
    pub fn checked(name: &str, text: &str) -> Told {
        let file = Temporary::new(name, text.as_bytes());
        let source = Source {
            name: file.shown(),
            text: text.to_owned(),
        };
        let checked = scn_compiler::check(source, &NoFiles, &scn_stdlib::LIBRARY);
        let hir = checked.hir.as_ref();
        let hir = hir.unwrap_or_else(|| panic!("it is well formed: {:?}", checked.diagnostics));
        Told {
            program: scn_compiler::lower(&checked.sources, hir),
            lines: String::new(),
            file,
        }
    }

    /// What the native run prints with these options.
    pub fn native(&self, options: &[&str]) -> Output {
        let shown = self.file.shown();
        let mut args = vec!["run", &shown];
        args.extend(RUN);
        args.extend(options);
        scn(args)
    }

    /// The component that prints the lines.
    pub fn component(&self) -> Vec<u8> {
        let core = wat::parse_str(module(&self.lines)).expect("the text is a module");
        let mut component = wrap(core, World::scenario()).expect("the module fits the world");
        let map = SourceMap::of(&self.program).write();
        section::add(&mut component, sources::SECTION, &map);
        let reached = Capabilities::of(&self.program).write();
        section::add(&mut component, capabilities::SECTION, &reached);
        component
    }
}

/// The same story each time.
const RUN: [&str; 3] = ["--seed", "1", "--virtual-clock"];

/// A module that prints a text.
fn module(text: &str) -> String {
    let bytes: String = text.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let pages = text.len() / 65536 + 2;
    let most = 4096;
    format!(
        r#"(module
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") {pages})
  (data (i32.const 1024) "{bytes}")
  (func (export "wasi:cli/run@0.2.0#run") (result i32)
    (local $out i32) (local $at i32) (local $left i32) (local $now i32)
    (local.set $out (call $stdout))
    (local.set $at (i32.const 1024))
    (local.set $left (i32.const {}))
    (loop $again
      (local.set $now (select (i32.const {most}) (local.get $left)
        (i32.gt_u (local.get $left) (i32.const {most}))))
      (call $write (local.get $out) (local.get $at) (local.get $now) (i32.const 16))
      (local.set $at (i32.add (local.get $at) (local.get $now)))
      (local.set $left (i32.sub (local.get $left) (local.get $now)))
      (br_if $again (local.get $left)))
    (i32.const 0)))"#,
        text.len()
    )
}
