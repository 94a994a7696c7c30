//! `component/wasi.scn` and `component/wit.scn` say to the checker what the compiler reads from the WIT.
//! With `SCN_WRITE_IMPORTS` set the test writes them anew.

use std::fmt::Write;

use scn_compiler::wasm::imports::{Form, Import, Imports};
use scn_compiler::wasm::wit::Layouts;

const WASI: &str = "\
//! The host's functions by their names in WIT. Written by `tests/imports.rs`: do not edit.
//!
//! Ints in order as the core function takes them, the address of the return area last; what has more than eight
//! takes the address of its arguments as a record and that of the return area. A single result is an int.

";

const WIT: &str = "\
//! Sizes, offsets and numbers of cases of what the host's functions take and give. Written by `tests/imports.rs`:
//! do not edit. `compiler/src/wasm/wit/layouts.rs` says how the names are made.

";

#[test]
fn the_declared_functions_are_those_of_the_host() {
    let mut text = WASI.to_owned();
    for import in Imports::iter() {
        declare(&mut text, import);
    }
    compare("wasi.scn", &text);
}

#[test]
fn the_declared_layouts_are_those_of_the_records() {
    let mut text = WIT.to_owned();
    for name in Layouts::names() {
        writeln!(text, "extern fn {name}() -> int").expect("written to a string");
    }
    compare("wit.scn", &text);
}

fn declare(text: &mut String, import: &Import) {
    let arguments = match import.form {
        Form::Memory => "args: int, ret: int".to_owned(),
        Form::Flat => {
            let each = (0..import.arguments()).map(|number| format!("a{number}: int"));
            each.collect::<Vec<_>>().join(", ")
        }
    };
    let result = match (import.form, import.results.len()) {
        (Form::Flat, 1) => " -> int",
        _ => "",
    };
    writeln!(text, "extern fn {}({arguments}){result}", import.name).expect("written to a string");
}

fn compare(file: &str, wanted: &str) {
    let path = format!("{}/component/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SCN_WRITE_IMPORTS").is_some() {
        std::fs::write(&path, wanted).expect("the folder is there");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "{file} is not what the WIT gives; run this test with SCN_WRITE_IMPORTS=1"
    );
}
