//! The action library of the examples: a session over HTTP of which the host sees `init`, `execute` and `release`.

use super::host::Loaded;
use super::{build_file, interface_of};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use wasmtime::component::Val;

const SOURCE: &str = "examples/lib/actions.scn";
const OPTIONS: &[&str] = &[
    "--interface",
    "scn:actions/session@0.1.0",
    "--errors",
    "string",
];

#[test]
fn its_interface_has_three_functions() {
    let text = interface_of(SOURCE, OPTIONS);
    for part in [
        "package scn:actions@0.1.0;",
        "interface session {",
        "init: func(url: string, name: string, password: string) -> result<_, string>;",
        "execute: func(action: action) -> result<outcome, string>;",
        "release: func(url: string) -> result<_, string>;",
    ] {
        assert!(text.contains(part), "there is no `{part}` in\n{text}");
    }
}

/// A request that has come: its first line, whether it has the session's cookie, its body.
fn request(stream: &mut BufReader<TcpStream>) -> (String, bool, String) {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    let has_cookie = lines.iter().any(|line| line == "cookie: session=1");
    (
        lines[0].clone(),
        has_cookie,
        String::from_utf8(body).unwrap(),
    )
}

/// Answers a session of one order, all of it on one connection; what has come.
fn shop(listener: &TcpListener) -> Vec<(String, bool, String)> {
    let (stream, _) = listener.accept().unwrap();
    let mut stream = BufReader::new(stream);
    let mut seen = Vec::new();
    for answer in [
        "200 OK\r\nset-cookie: session=1\r\ncontent-length: 0\r\n\r\n",
        "201 Created\r\ncontent-length: 1\r\n\r\n7",
        "409 Conflict\r\ncontent-length: 0\r\n\r\n",
        "200 OK\r\ncontent-length: 0\r\n\r\n",
    ] {
        seen.push(request(&mut stream));
        let answer = format!("HTTP/1.1 {answer}");
        stream.get_mut().write_all(answer.as_bytes()).unwrap();
    }
    seen
}

fn text(text: &str) -> Val {
    Val::String(text.to_owned())
}

fn order(url: &str, body: &str) -> Val {
    let body = Val::Option(Some(Box::new(text(body))));
    Val::Record(vec![
        ("verb".to_owned(), Val::Enum("post".to_owned())),
        ("url".to_owned(), text(url)),
        ("body".to_owned(), body),
        ("wanted".to_owned(), Val::S64(201)),
    ])
}

#[test]
fn a_session_keeps_its_cookie_and_its_connection_from_call_to_call() {
    let mut loaded = Loaded::of(&build_file(SOURCE, OPTIONS), "scn:actions/session@0.1.0");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let peer = std::thread::spawn(move || shop(&listener));
    let session = text(&format!("{base}/session"));
    let orders = format!("{base}/orders");
    let begun = loaded.call("init", &[session.clone(), text("ann"), text("x")]);
    assert_eq!(begun, Some(Val::Result(Ok(None))));
    let done = loaded.call("execute", &[order(&orders, "tea")]);
    let Some(Val::Result(Ok(Some(outcome)))) = done else {
        panic!("the order is taken, not {done:?}");
    };
    let Val::Record(fields) = *outcome else {
        panic!("{outcome:?} is no outcome");
    };
    assert_eq!(fields[0], ("status".to_owned(), Val::S64(201)));
    assert_eq!(fields[1], ("body".to_owned(), text("7")));
    assert!(
        matches!(fields[2], (_, Val::S64(nanos)) if nanos > 0),
        "{fields:?}"
    );
    let refused = loaded.call("execute", &[order(&orders, "milk")]);
    let why = text("201 was wanted, 409 came");
    assert_eq!(refused, Some(Val::Result(Err(Some(Box::new(why))))));
    assert_eq!(
        loaded.call("release", &[session]),
        Some(Val::Result(Ok(None)))
    );
    let seen = peer.join().unwrap();
    let wanted = [
        ("post /session http/1.1", false, "name=ann&password=x"),
        ("post /orders http/1.1", true, "tea"),
        ("post /orders http/1.1", true, "milk"),
        ("delete /session http/1.1", true, ""),
    ];
    let wanted = wanted.map(|(line, cookie, body)| (line.to_owned(), cookie, body.to_owned()));
    assert_eq!(seen, wanted);
}
