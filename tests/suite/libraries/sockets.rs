//! The socket library of the examples, called by a host that speaks to it over loopback.

use super::host::Loaded;
use super::{build_file, interface_of};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use wasmtime::component::Val;

pub const SOURCE: &str = "examples/lib/socket.scn";
pub const OPTIONS: &[&str] = &[
    "--interface",
    "scn:net/socket@0.1.0",
    "--errors",
    "SocketError",
];

fn loaded() -> Loaded {
    Loaded::of(&build_file(SOURCE, OPTIONS), "scn:net/socket@0.1.0")
}

/// What a call gives that succeeds.
fn good(loaded: &mut Loaded, name: &str, arguments: &[Val]) -> Val {
    match loaded.call(name, arguments) {
        Some(Val::Result(Ok(Some(value)))) => *value,
        Some(Val::Result(Ok(None))) => Val::Bool(true),
        other => panic!("{name} gives {other:?}"),
    }
}

/// The error of a call that fails.
fn error(loaded: &mut Loaded, name: &str, arguments: &[Val]) -> String {
    match loaded.call(name, arguments) {
        Some(Val::Result(Err(Some(error)))) => match *error {
            Val::Enum(case) => case,
            other => panic!("{name} fails with {other:?}"),
        },
        other => panic!("{name} gives {other:?}"),
    }
}

fn case(name: &str) -> Val {
    Val::Enum(name.to_owned())
}

fn bytes(text: &[u8]) -> Val {
    Val::List(text.iter().copied().map(Val::U8).collect())
}

/// A port of 127.0.0.1.
fn address(port: u16) -> Val {
    let octets = [127, 0, 0, 1].map(Val::U8).to_vec();
    let ip = Val::Variant("ipv4".to_owned(), Some(Box::new(Val::Tuple(octets))));
    Val::Record(vec![
        ("address".to_owned(), ip),
        ("port".to_owned(), Val::U16(port)),
    ])
}

fn port_of(address: &Val) -> u16 {
    let Val::Record(fields) = address else {
        panic!("an address is a record, not {address:?}");
    };
    match fields.as_slice() {
        [_, (_, Val::U16(port))] => *port,
        _ => panic!("{address:?} has no port"),
    }
}

fn socket(loaded: &mut Loaded, protocol: &str) -> Val {
    good(loaded, "create", &[case("ipv4"), case(protocol)])
}

#[test]
fn its_interface_has_seventeen_functions_and_ten_errors() {
    let text = interface_of(SOURCE, OPTIONS);
    assert_eq!(text.matches(": func(").count(), 17, "{text}");
    for part in [
        "package scn:net@0.1.0;",
        "interface socket {",
        "enum address-family {\n    ipv4,\n    ipv6,\n  }",
        "enum socket-protocol {",
        "record socket-address {",
        "connect: func(socket: socket, to: socket-address) -> result<_, socket-error>;",
    ] {
        assert!(text.contains(part), "there is no `{part}` in\n{text}");
    }
    let (_, behind) = text
        .split_once("enum socket-error {")
        .expect("errors are cases");
    let (cases, _) = behind.split_once('}').expect("the enum has an end");
    assert_eq!(cases.matches(',').count(), 10, "{cases}");
    assert!(cases.contains("    timeout,"), "{cases}");
}

#[test]
fn it_connects_sends_and_receives() {
    let mut loaded = loaded();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = std::thread::spawn(move || {
        let (mut stream, from) = listener.accept().unwrap();
        let mut text = Vec::new();
        stream.read_to_end(&mut text).unwrap();
        text.reverse();
        stream.write_all(&text).unwrap();
        from.port()
    });
    let open = socket(&mut loaded, "tcp");
    assert_eq!(open, Val::U32(1));
    good(&mut loaded, "connect", &[open.clone(), address(port)]);
    let local = good(&mut loaded, "local-address", std::slice::from_ref(&open));
    let remote = good(&mut loaded, "peer-address", std::slice::from_ref(&open));
    assert_eq!(remote, address(port));
    let sent = good(&mut loaded, "send", &[open.clone(), bytes(b"hello")]);
    assert_eq!(sent, Val::S64(5));
    good(&mut loaded, "shutdown", &[open.clone(), case("write")]);
    let mut text = Vec::new();
    loop {
        match good(&mut loaded, "receive", &[open.clone(), Val::S64(3)]) {
            Val::List(part) if part.is_empty() => break,
            Val::List(part) => text.extend(part),
            other => panic!("{other:?} are no bytes"),
        }
    }
    assert_eq!(Val::List(text), bytes(b"olleh"));
    assert_eq!(peer.join().unwrap(), port_of(&local));
    good(&mut loaded, "close", &[open]);
}

#[test]
fn it_listens_and_accepts() {
    let mut loaded = loaded();
    let listener = socket(&mut loaded, "tcp");
    good(
        &mut loaded,
        "set-reuse-address",
        &[listener.clone(), Val::Bool(true)],
    );
    good(&mut loaded, "bind", &[listener.clone(), address(0)]);
    good(&mut loaded, "listen", &[listener.clone(), Val::S64(8)]);
    let at = good(
        &mut loaded,
        "local-address",
        std::slice::from_ref(&listener),
    );
    let mut client = TcpStream::connect(("127.0.0.1", port_of(&at))).unwrap();
    client.write_all(b"ping").unwrap();
    let served = good(&mut loaded, "accept", std::slice::from_ref(&listener));
    assert_ne!(served, listener);
    let got = good(&mut loaded, "receive", &[served.clone(), Val::S64(100)]);
    assert_eq!(got, bytes(b"ping"));
    good(&mut loaded, "close", &[served]);
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the peer sees the end");
}

#[test]
fn it_exchanges_datagrams() {
    let mut loaded = loaded();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = address(peer.local_addr().unwrap().port());
    let open = socket(&mut loaded, "udp");
    good(&mut loaded, "bind", &[open.clone(), address(0)]);
    let sent = good(
        &mut loaded,
        "send-to",
        &[open.clone(), bytes(b"one"), to.clone()],
    );
    assert_eq!(sent, Val::S64(3));
    let mut room = [0; 16];
    let (count, from) = peer.recv_from(&mut room).unwrap();
    assert_eq!(&room[..count], b"one");
    peer.send_to(b"two", from).unwrap();
    let datagram = good(&mut loaded, "receive-from", &[open.clone(), Val::S64(100)]);
    let fields = vec![
        ("data".to_owned(), bytes(b"two")),
        ("sender".to_owned(), to),
    ];
    assert_eq!(datagram, Val::Record(fields));
}

#[test]
fn what_goes_wrong_is_one_of_ten_errors() {
    let mut loaded = loaded();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let open = socket(&mut loaded, "tcp");
    let refused = error(&mut loaded, "connect", &[open.clone(), address(port)]);
    assert_eq!(refused, "connection-refused");
    let unconnected = error(&mut loaded, "peer-address", &[open]);
    assert_eq!(unconnected, "invalid-input");

    let listener = socket(&mut loaded, "tcp");
    good(&mut loaded, "bind", &[listener.clone(), address(0)]);
    good(&mut loaded, "listen", &[listener.clone(), Val::S64(1)]);
    let at = good(
        &mut loaded,
        "local-address",
        std::slice::from_ref(&listener),
    );
    let second = socket(&mut loaded, "tcp");
    let taken = error(&mut loaded, "bind", &[second, at]);
    assert_eq!(taken, "address-in-use");
    let limit = |nanos| Val::Option(Some(Box::new(Val::S64(nanos))));
    good(
        &mut loaded,
        "set-read-timeout",
        &[listener.clone(), limit(0)],
    );
    let at_once = error(&mut loaded, "accept", std::slice::from_ref(&listener));
    assert_eq!(at_once, "would-block");
    good(
        &mut loaded,
        "set-read-timeout",
        &[listener.clone(), limit(1_000_000)],
    );
    assert_eq!(error(&mut loaded, "accept", &[listener]), "timeout");
}

#[test]
fn numbers_stand_for_sockets_until_these_are_closed() {
    let mut loaded = loaded();
    for number in [0, 1, 7, u32::MAX] {
        let unknown = error(&mut loaded, "close", &[Val::U32(number)]);
        assert_eq!(unknown, "invalid-input", "{number}");
    }
    let first = socket(&mut loaded, "tcp");
    let second = socket(&mut loaded, "tcp");
    assert_ne!(first, second);
    good(&mut loaded, "close", std::slice::from_ref(&first));
    good(&mut loaded, "close", std::slice::from_ref(&first));
    let closed = error(&mut loaded, "listen", &[first.clone(), Val::S64(1)]);
    assert_eq!(closed, "invalid-input");
    assert_eq!(
        socket(&mut loaded, "udp"),
        first,
        "the number is free again"
    );
    // As many at once as the host would not give numbers for if they stayed.
    for _ in 0..2_000 {
        let open = socket(&mut loaded, "tcp");
        good(&mut loaded, "close", &[open]);
    }
}
