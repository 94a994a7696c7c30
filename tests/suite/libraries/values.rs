//! Values of all types that cross the boundary, there and back.

use super::host::Loaded;
use super::{interface, library};
use wasmtime::component::Val;

const ADD: &str = "/// Adds up.\nexport fn add(a: int, b: int) -> int { return a + b }\n";

/// One function for each type.
const VALUES: &str = include_str!("values.scn");

fn loaded() -> Loaded {
    Loaded::of(&library(VALUES, &[]), "scn:library/shop")
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn some(value: Val) -> Val {
    Val::Option(Some(Box::new(value)))
}

fn none() -> Val {
    Val::Option(None)
}

fn colour(name: &str) -> Val {
    Val::Enum(name.to_owned())
}

fn list(values: impl IntoIterator<Item = Val>) -> Val {
    Val::List(values.into_iter().collect())
}

fn raw(bytes: &[u8]) -> Val {
    list(bytes.iter().copied().map(Val::U8))
}

fn record(fields: &[(&str, Val)]) -> Val {
    let field = |(name, value): &(&str, Val)| ((*name).to_owned(), value.clone());
    Val::Record(fields.iter().map(field).collect())
}

fn good(value: Val) -> Val {
    Val::Result(Ok(Some(Box::new(value))))
}

fn bad(kind: &str, message: &str) -> Val {
    let error = record(&[("kind", text(kind)), ("message", text(message))]);
    Val::Result(Err(Some(Box::new(error))))
}

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
  /// Adds up.
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

#[test]
fn scalars_and_texts_cross() {
    let mut loaded = loaded();
    let mut gives = |name: &str, argument: Val, wanted: Val| {
        assert_eq!(loaded.call(name, &[argument]), Some(wanted), "{name}");
    };
    gives("negate", Val::Bool(true), Val::Bool(false));
    gives("half", Val::Float64(-5.0), Val::Float64(-2.5));
    gives("next", colour("red"), colour("dark-green"));
    gives("next", colour("blue"), colour("red"));
    gives("greet", text("Zoë"), text("hello, Zoë"));
    gives("greet", text(""), text("hello, "));
    gives("twice", raw(b"\0ab"), good(raw(b"\0ab\0ab")));
    gives("doubled", Val::S64(-1_500), Val::S64(-3_000));
    gives("perhaps", some(Val::S64(41)), some(Val::S64(42)));
    gives("perhaps", none(), none());
    assert_eq!(loaded.call("nothing", &[]), None);
}

#[test]
fn lists_tuples_and_records_cross() {
    let mut loaded = loaded();
    let pair = Val::Tuple(vec![Val::S64(7), text("seven")]);
    let swapped = Val::Tuple(vec![text("seven"), Val::S64(7)]);
    assert_eq!(loaded.call("swap", &[pair]), Some(swapped));
    let numbers = list((1..=100).map(Val::S64));
    assert_eq!(
        loaded.call("total", &[numbers]),
        Some(good(Val::S64(5_050)))
    );
    assert_eq!(loaded.call("total", &[list([])]), Some(good(Val::S64(0))));
    let floats = list([some(Val::Float64(3.0)), none()]);
    let halves = list([some(Val::Float64(1.5)), none()]);
    assert_eq!(loaded.call("halves", &[floats]), Some(halves));
    let line = record(&[("name", text("tea")), ("count", Val::S64(2))]);
    assert_eq!(loaded.call("only-name", &[line]), Some(text("tea")));
}

fn order(note: Val, express: Val, paint: Val) -> Val {
    let line = |name, count| record(&[("name", text(name)), ("count", Val::S64(count))]);
    record(&[
        ("id", Val::S64(-9)),
        ("lines", list([line("tea", 2), line("", 0)])),
        ("colour", colour("blue")),
        ("note", note),
        ("express", express),
        ("wait", Val::S64(1_500_000_000)),
        ("raw", raw(&[1, 255])),
        ("paint", paint),
    ])
}

#[test]
fn large_records_cross_by_memory() {
    let mut loaded = loaded();
    let full = order(
        some(text("soon")),
        some(Val::Bool(true)),
        some(colour("dark-green")),
    );
    let bare = order(none(), none(), none());
    let lines = r#"[{"name":"tea","count":2},{"name":"","count":0}]"#;
    let shown = format!("-9 {lines} blue soon true 1.5s 01ff dark_green");
    assert_eq!(
        loaded.call("shown", std::slice::from_ref(&full)),
        Some(text(&shown))
    );
    let shown = format!("-9 {lines} blue none none 1.5s 01ff none");
    assert_eq!(
        loaded.call("shown", std::slice::from_ref(&bare)),
        Some(text(&shown))
    );
    for order in [full, bare] {
        let twice = list([order.clone(), order.clone()]);
        assert_eq!(loaded.call("again", &[order, Val::S64(2)]), Some(twice));
    }
    let mut arguments = Vec::new();
    for (number, letter) in (1..=6).zip(["a", "b", "c", "d", "e", "f"]) {
        arguments.extend([Val::S64(number), text(letter)]);
    }
    assert_eq!(loaded.call("many", &arguments), Some(text("1a2b3c4d5e6f")));
}

fn v4(octets: [u8; 4]) -> Val {
    let octets = octets.into_iter().map(Val::U8).collect();
    Val::Variant("ipv4".to_owned(), Some(Box::new(Val::Tuple(octets))))
}

fn v6(groups: [u16; 8]) -> Val {
    let groups = groups.into_iter().map(Val::U16).collect();
    Val::Variant("ipv6".to_owned(), Some(Box::new(Val::Tuple(groups))))
}

#[test]
fn addresses_cross() {
    let mut loaded = loaded();
    let addresses = [v4([127, 0, 0, 1]), v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x1f])];
    let shown = list([text("127.0.0.1"), text("2001:db8::1f")]);
    assert_eq!(loaded.call("loopback", &[list(addresses)]), Some(shown));
    let made = loaded.call("with-port", &[v4([10, 0, 0, 7]), Val::S64(8080)]);
    let address = record(&[("address", v4([10, 0, 0, 7])), ("port", Val::U16(8080))]);
    assert_eq!(made, Some(good(address.clone())));
    assert_eq!(
        loaded.call("port", &[some(address)]),
        Some(some(Val::S64(8080)))
    );
    let address = record(&[
        ("address", v6([0, 0, 0, 0, 0, 0, 0, 1])),
        ("port", Val::U16(65_535)),
    ]);
    assert_eq!(
        loaded.call("port", &[some(address)]),
        Some(some(Val::S64(65_535)))
    );
    assert_eq!(loaded.call("port", &[none()]), Some(none()));
}

#[test]
fn what_fails_hands_an_error_back() {
    let mut loaded = loaded();
    assert_eq!(
        loaded.call("positive", &[Val::S64(3)]),
        Some(good(Val::S64(3)))
    );
    let Some(Val::Result(Err(Some(error)))) = loaded.call("positive", &[Val::S64(-3)]) else {
        panic!("-3 is not positive");
    };
    assert!(format!("{error:?}").contains("script.expect"), "{error:?}");
    assert_eq!(loaded.call("caught", &[Val::S64(-3)]), Some(Val::S64(0)));
    let refused = loaded.call("refuse", &[text("closed")]);
    assert_eq!(refused, Some(bad("protocol.refused", "closed")));
    assert_eq!(loaded.printed(), "", "the caller is told, nobody else");
}

#[test]
fn errors_are_what_the_build_says() {
    let program = "export enum Trouble { refused, other }
export fn refuse(kind: string) { fail \"no\" kind kind }\n";
    let error = |errors: &str, kind: &str| {
        let library = library(program, &["--errors", errors]);
        let mut loaded = Loaded::of(&library, "scn:library/shop");
        match loaded.call("refuse", &[text(kind)]) {
            Some(Val::Result(Err(Some(error)))) => *error,
            other => panic!("it fails, but hands back {other:?}"),
        }
    };
    assert_eq!(error("string", "x"), text("no"));
    assert_eq!(error("Trouble", "refused"), Val::Enum("refused".to_owned()));
    assert_eq!(error("Trouble", "x"), Val::Enum("other".to_owned()));
}

#[test]
fn checks_that_do_not_hold_are_printed() {
    let program = "export fn doubled(n: int) -> int {
  check n > 0
  check \"even\": n % 2 == 0
  check n == 2
  return 2 * n
}
";
    let mut loaded = Loaded::of(&library(program, &[]), "scn:library/shop");
    assert_eq!(loaded.call("doubled", &[Val::S64(2)]), Some(Val::S64(4)));
    assert_eq!(loaded.printed(), "", "what holds is not told");
    loaded.call("doubled", &[Val::S64(3)]);
    let printed = loaded.printed();
    for part in [
        "  ✗ even\n",
        ":3:17 in doubled\n",
        "  ✗ n == 2\n    left is 3, right is 2\n    at ",
        ":4:9 in doubled\n",
    ] {
        assert!(printed.contains(part), "{part:?} in {printed}");
    }
    assert!(!printed.contains("n > 0"), "{printed}");
}

#[test]
fn calls_wait_and_do_several_things_at_once() {
    let mut loaded = loaded();
    let waited = loaded.call("waits", &[Val::S64(3_000_000)]);
    assert_eq!(waited, Some(Val::Bool(true)));
    let squares = list([0, 1, 4, 9].map(Val::S64));
    assert_eq!(loaded.call("together", &[Val::S64(4)]), Some(squares));
    let first = loaded.call("dice", &[]);
    let next: Vec<_> = (0..8).map(|_| loaded.call("dice", &[])).collect();
    assert!(next.iter().any(|one| *one != first), "random numbers go on");
}

/// The host gives an instance 16 MiB, less than what is handed over and back.
fn stays_small(name: &str, arguments: &[Val], times: usize) {
    let mut loaded = loaded();
    for _ in 0..times {
        assert!(loaded.call(name, arguments).is_some());
    }
}

fn long() -> Val {
    text(&"x".repeat(100_000))
}

#[test]
fn texts_are_freed() {
    stays_small("greet", &[long()], 400);
}

#[test]
fn bytes_are_freed() {
    stays_small("twice", &[raw(&[7; 20_000])], 1_000);
}

#[test]
fn records_are_freed() {
    let order = order(some(long()), none(), some(colour("red")));
    stays_small("again", &[order, Val::S64(10)], 400);
}

#[test]
fn errors_are_freed() {
    stays_small("refuse", &[long()], 400);
}

#[test]
fn lists_are_freed() {
    stays_small("total", &[list((0..5_000).map(Val::S64))], 600);
}
