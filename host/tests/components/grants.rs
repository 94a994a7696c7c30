//! What components may reach: peers, sources, names. Listeners are on the loopback, on ports of the system's choice.

use crate::wrap::run_of;
use crate::{settings, told};
use scn_host::{Denied, Ended, Grants};
use std::net::{SocketAddr, TcpListener};

/// WASI's numbers of errors, as the components print them.
const DENIED: &str = "b\n";
const REFUSED: &str = "o\n";
const CONNECTED: &str = "z\n";

const IMPORTS: &str = r#"
  (import "wasi:sockets/instance-network@0.2.0" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.0" "create-tcp-socket" (func $create (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-bind" (func $start-bind
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.finish-bind" (func $finish-bind (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.start-connect" (func $start-connect
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.finish-connect"
    (func $finish-connect (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.0" "[method]tcp-socket.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses"
    (func $resolve (param i32 i32 i32 i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.0" "[method]resolve-address-stream.resolve-next-address"
    (func $next (param i32 i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.0" "[method]resolve-address-stream.subscribe"
    (func $answered (param i32) (result i32)))
"#;

/// Prints the letter of an error and ends, if there is one.
const CHECKED: &str = "(if (i32.load8_u (i32.const 32))
    (then (call $letter (i32.load8_u (i32.const FIELD))) (return (i32.const 0))))";

fn checked(field: u32) -> String {
    CHECKED.replace("FIELD", &field.to_string())
}

/// The slots of an IPv4 address.
fn slots(address: SocketAddr) -> String {
    let SocketAddr::V4(address) = address else {
        panic!("the tests use IPv4")
    };
    let [a, b, c, d] = address.ip().octets();
    let used = [
        0,
        i32::from(address.port()),
        a.into(),
        b.into(),
        c.into(),
        d.into(),
    ];
    let all = used.into_iter().chain([0; 6]);
    all.map(|slot| format!("(i32.const {slot})")).collect()
}

/// Binds a source if there is one, connects, and prints a letter: `z`, or that of the error.
fn connect(source: Option<SocketAddr>, peer: SocketAddr) -> Vec<u8> {
    let bind = source.map(|source| {
        format!(
            "(call $start-bind (local.get $socket) (call $network) {} (i32.const 32)) {}
             (call $finish-bind (local.get $socket) (i32.const 32)) {}",
            slots(source),
            checked(33),
            checked(33)
        )
    });
    let body = format!(
        "(local $socket i32)
         (call $create (i32.const 0) (i32.const 32)) {}
         (local.set $socket (i32.load (i32.const 36)))
         {}
         (call $start-connect (local.get $socket) (call $network) {} (i32.const 32)) {}
         (call $block (call $subscribe (local.get $socket)))
         (call $finish-connect (local.get $socket) (i32.const 32)) {}
         (call $letter (i32.const 25)) (i32.const 0)",
        checked(36),
        bind.unwrap_or_default(),
        slots(peer),
        checked(33),
        checked(36),
    );
    run_of(IMPORTS, &body)
}

/// Looks a name up, then connects to a port of 127.0.0.1.
fn look_up(name: &str, peer: SocketAddr) -> Vec<u8> {
    let store: String = name
        .bytes()
        .enumerate()
        .map(|(at, byte)| format!("(i32.store8 offset={at} (i32.const 64) (i32.const {byte}))"))
        .collect();
    let body = format!(
        "(local $stream i32) (local $socket i32)
         {store}
         (call $resolve (call $network) (i32.const 64) (i32.const {}) (i32.const 32)) {}
         (local.set $stream (i32.load (i32.const 36)))
         (call $block (call $answered (local.get $stream)))
         (call $next (local.get $stream) (i32.const 32)) {}
         (call $create (i32.const 0) (i32.const 32))
         (local.set $socket (i32.load (i32.const 36)))
         (call $start-connect (local.get $socket) (call $network) {} (i32.const 32)) {}
         (call $block (call $subscribe (local.get $socket)))
         (call $finish-connect (local.get $socket) (i32.const 32)) {}
         (call $letter (i32.const 25)) (i32.const 0)",
        name.len(),
        checked(36),
        checked(34),
        slots(peer),
        checked(33),
        checked(36),
    );
    run_of(IMPORTS, &body)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback can be listened on");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

fn allow(texts: &[String]) -> Grants {
    Grants {
        allow: texts.iter().map(|text| text.parse().unwrap()).collect(),
        ..Grants::default()
    }
}

#[test]
fn without_a_grant_nothing_is_reached() {
    let (_listener, peer) = listener();
    let (ran, text) = told(&connect(None, peer), &settings(Grants::default()));
    assert_eq!(text, DENIED);
    assert_eq!(ran.denied, [Denied::Peer(peer)]);
    let elsewhere = allow(&[
        format!("127.0.0.2:{}", peer.port()),
        "127.0.0.1:1".to_owned(),
    ]);
    let (ran, text) = told(&connect(None, peer), &settings(elsewhere));
    assert_eq!(text, DENIED);
    assert_eq!(ran.denied, [Denied::Peer(peer)]);
}

#[test]
fn a_granted_peer_is_reached_from_an_address_of_the_systems_choice() {
    let (listener, peer) = listener();
    for grants in [
        allow(&[peer.to_string()]),
        allow(&["*:*".into()]),
        Grants::all(),
    ] {
        let (ran, text) = told(&connect(None, peer), &settings(grants));
        assert_eq!((text.as_str(), ran.denied.len()), (CONNECTED, 0));
        let (_, from) = listener.accept().expect("it has connected");
        assert_eq!(from.ip(), peer.ip());
    }
    drop(listener);
    let (_, text) = told(&connect(None, peer), &settings(Grants::all()));
    assert_eq!(text, REFUSED);
}

#[test]
fn a_granted_source_is_what_the_peer_sees() {
    let (listener, peer) = listener();
    let source: SocketAddr = "127.0.7.9:0".parse().unwrap();
    let mut grants = allow(&[peer.to_string()]);
    let bytes = connect(Some(source), peer);
    let (ran, text) = told(&bytes, &settings(grants.clone()));
    assert_eq!(text, DENIED);
    assert_eq!(ran.denied, [Denied::Source(source)]);
    grants.sources = vec!["127.0.7.0/28".parse().unwrap()];
    let (ran, text) = told(&bytes, &settings(grants));
    assert_eq!((text.as_str(), ran.denied.len()), (CONNECTED, 0));
    let (_, from) = listener.accept().expect("it has connected");
    assert_eq!(from.ip(), source.ip());
}

#[test]
fn names_are_looked_up_only_where_they_are_granted() {
    let (_listener, peer) = listener();
    let bytes = look_up("localhost", peer);
    let (ran, text) = told(&bytes, &settings(allow(&["other.test:*".into()])));
    assert_eq!(text, DENIED);
    assert_eq!(ran.denied, [Denied::Name("localhost".to_owned())]);
    let granted = allow(&[format!("localhost:{}", peer.port())]);
    let (ran, text) = told(&bytes, &settings(granted));
    assert_eq!(
        (text.as_str(), &ran.ended[..]),
        (CONNECTED, &[Ended::Status(0)][..])
    );
}
