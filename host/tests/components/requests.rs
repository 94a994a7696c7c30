//! `wasi:http`: granted hosts, own roots.

use crate::wrap::run_of;
use crate::{settings, told};
use scn_host::{Denied, Grants, Roots, Settings};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;

const IMPORTS: &str = r#"
  (import "wasi:http/types@0.2.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme"
    (func $set-scheme (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority"
    (func $set-authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query"
    (func $set-path (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.0" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func $get (param i32 i32)))
  (import "wasi:http/types@0.2.0" "[method]incoming-response.status" (func $status (param i32) (result i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
"#;

/// Sends a GET and prints a letter: `a` + status - 200, or that of the error.
fn get(is_tls: bool, authority: &str) -> Vec<u8> {
    let store: String = authority
        .bytes()
        .enumerate()
        .map(|(at, byte)| format!("(i32.store8 offset={at} (i32.const 512) (i32.const {byte}))"))
        .collect();
    let body = format!(
        "(local $request i32) (local $future i32)
         {store}
         (local.set $request (call $request (call $fields)))
         (drop (call $set-scheme (local.get $request)
           (i32.const 1) (i32.const {}) (i32.const 0) (i32.const 0)))
         (drop (call $set-authority (local.get $request)
           (i32.const 1) (i32.const 512) (i32.const {})))
         (i32.store8 (i32.const 48) (i32.const 47))
         (drop (call $set-path (local.get $request)
           (i32.const 1) (i32.const 48) (i32.const 1)))
         (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 32))
         (if (i32.load8_u (i32.const 32))
           (then (call $letter (i32.load8_u (i32.const 40))) (return (i32.const 0))))
         (local.set $future (i32.load (i32.const 40)))
         (call $block (call $subscribe (local.get $future)))
         (call $get (local.get $future) (i32.const 32))
         (if (i32.load8_u offset=16 (i32.const 32))
           (then (call $letter (i32.load8_u offset=24 (i32.const 32))) (return (i32.const 0))))
         (call $letter (i32.sub (call $status (i32.load offset=24 (i32.const 32))) (i32.const 200)))
         (i32.const 0)",
        u8::from(is_tls),
        authority.len(),
    );
    run_of(IMPORTS, &body)
}

/// Answers one request with 203, and says what its first line was.
fn answer(stream: impl std::io::Read + Write) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    let mut line = String::new();
    while reader.read_line(&mut line).expect("the request comes") > 2 {
        if first.is_empty() {
            first = line.trim_end().to_owned();
        }
        line.clear();
    }
    let response = b"HTTP/1.1 203 Fine\r\ncontent-length: 0\r\n\r\n";
    reader.get_mut().write_all(response).expect("it is read");
    first
}

#[test]
fn requests_go_to_granted_hosts_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let bytes = get(false, &format!("localhost:{port}"));
    let (ran, text) = told(&bytes, &settings(Grants::default()));
    // HTTP-request-denied is the 16th case.
    assert_eq!(text, "p\n");
    assert_eq!(ran.denied, [Denied::Request("localhost".to_owned(), port)]);
    let served = std::thread::spawn(move || answer(listener.accept().unwrap().0));
    let granted = Grants {
        allow: vec![format!("localhost:{port}").parse().unwrap()],
        ..Grants::default()
    };
    let (ran, text) = told(&bytes, &settings(granted));
    assert_eq!((text.as_str(), ran.denied.len()), ("d\n", 0));
    assert_eq!(served.join().unwrap(), "GET / HTTP/1.1");
}

#[test]
fn https_trusts_the_given_roots() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![made.cert.der().clone()],
        rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into()),
    )
    .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let bytes = get(true, &format!("localhost:{port}"));
    let trusting = Settings {
        roots: Roots::of_pem(made.cert.pem().as_bytes()).unwrap(),
        ..settings(Grants::all())
    };
    let served = std::thread::spawn(move || {
        let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let trusted = answer(rustls::Stream::new(&mut connection, &mut stream));
        let mut connection = rustls::ServerConnection::new(config).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        // The client goes away when it sees whose certificate it is.
        let failed = connection.complete_io(&mut stream).is_err();
        (trusted, failed)
    });
    let (_, text) = told(&bytes, &trusting);
    assert_eq!(text, "d\n");
    let (_, text) = told(&bytes, &settings(Grants::all()));
    // TLS-certificate-error is the 14th case.
    assert_eq!(text, "n\n");
    assert_eq!(served.join().unwrap(), ("GET / HTTP/1.1".to_owned(), true));
}
