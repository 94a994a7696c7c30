//! Values of all types that cross the boundary, there and back.

use super::host::Loaded;
use super::{interface, library};
use wasmtime::component::Val;

const ADD: &str = "export fn add(a: int, b: int) -> int { return a + b }\n";

#[test]
fn a_function_is_called_from_outside() {
    let mut loaded = Loaded::of(&library(ADD, &[]), "scn:library/shop");
    let sum = |loaded: &mut Loaded, a, b| loaded.call("add", &[Val::S64(a), Val::S64(b)]);
    assert_eq!(sum(&mut loaded, 2, 3), Some(Val::S64(5)));
    assert_eq!(sum(&mut loaded, -2, 1), Some(Val::S64(-1)));
    let overflow = loaded.try_call("add", &[Val::S64(i64::MAX), Val::S64(1)]);
    assert!(overflow.is_err(), "a mistake of the program is a trap");
    assert!(
        loaded.printed().contains("integer overflow"),
        "{}",
        loaded.printed()
    );
}

#[test]
fn the_interface_is_told_in_wit() {
    let wanted = "package scn:library;

interface shop {
  add: func(a: s64, b: s64) -> s64;
}

world library {
  export shop;
}
";
    assert_eq!(interface(ADD, &[]), wanted);
    let named = interface(ADD, &["--interface", "scn:net/socket@0.1.0"]);
    assert!(
        named.starts_with("package scn:net@0.1.0;\n\ninterface socket {"),
        "{named}"
    );
}
