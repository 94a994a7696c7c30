//! Makes components of core modules that are written as text. Enter at [`program`].

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("wasi.wit");

/// What every program may use: its imports by name, memory, an allocator that frees nothing, and printing.
///
/// `say` prints some bytes, `letter` one letter and a newline.
const PRELUDE: &str = r#"
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  IMPORTS
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
    (global.set $top (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $say (param $at i32) (param $count i32)
    (call $write (call $stdout) (local.get $at) (local.get $count) (i32.const 0)))
  (func $letter (param $number i32)
    (i32.store8 (i32.const 8) (i32.add (i32.const 97) (local.get $number)))
    (i32.store8 (i32.const 9) (i32.const 10))
    (call $say (i32.const 8) (i32.const 2)))
"#;

/// A program of further imports and its items; `run` is exported by them.
pub fn program(imports: &str, items: &str) -> Vec<u8> {
    let prelude = PRELUDE.replace("IMPORTS", imports);
    wrap(&format!("(module {prelude} {items})"), "program")
}

/// A program that is the body of `run` only.
pub fn run_of(imports: &str, body: &str) -> Vec<u8> {
    let run = format!(r#"(func (export "wasi:cli/run@0.2.0#run") (result i32) {body})"#);
    program(imports, &run)
}

/// A component that exports one function of its own, and no `run`.
pub fn library() -> Vec<u8> {
    let answer = r#"(func (export "scn:tests/library@0.1.0#answer") (result i32) (i32.const 42))"#;
    wrap(&format!("(module {answer})"), "lib")
}

fn wrap(text: &str, world: &str) -> Vec<u8> {
    let mut core = wat::parse_str(text).expect("the text is a module");
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("wasi.wit", WIT)
        .expect("the interfaces are well formed");
    let world = resolve
        .select_world(&[package], Some(&format!("scn:tests/{world}@0.1.0")))
        .expect("the world is there");
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8)
        .expect("the interfaces can be embedded");
    ComponentEncoder::default()
        .module(&core)
        .expect("the module fits its interfaces")
        .validate(true)
        .encode()
        .expect("the component is valid")
}
