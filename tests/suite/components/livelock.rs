//! Many users in one component, each with a connection of its own: every request is answered, nobody waits for ever.
//!
//! A host that counts the readiness of sockets against a budget tells a component with many of them that none is ready.

use crate::Temporary;
use scn_tests::program::scn;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests of each user.
const ITERATIONS: u64 = 3;

const PROGRAM: &str = r#"param base: string
scenario many {
  load {
    users 100
    iterations 3 per user
  }
  let answer = http.get(base)
  check answer.status == 200
}
"#;

/// A server that answers every request, and counts.
fn server() -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let counter = counter.clone();
            let thread = std::thread::Builder::new().stack_size(64 * 1024);
            let spawned = thread.spawn(move || answer(stream, &counter));
            spawned.expect("there are threads");
        }
    });
    (address, count)
}

/// Answers the requests of one connection until it is closed.
fn answer(mut stream: TcpStream, count: &AtomicU64) {
    let mut seen = Vec::new();
    let mut bytes = [0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes) {
        seen.extend_from_slice(&bytes[..read]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            count.fetch_add(1, Ordering::Relaxed);
            let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            if stream.write_all(text).is_err() {
                return;
            }
        }
    }
}

#[test]
fn every_request_of_many_users_is_answered() {
    let _ = scn_runtime::load::descriptors::raise_limit();
    let source = Temporary::new("many.scn", PROGRAM.as_bytes());
    let component = Temporary::new("many.wasm", b"");
    let built = scn(["build", &source.shown(), "-o", &component.shown()]);
    assert_eq!(built.status, 0, "{}", built.err);
    for users in [100, 250, 1000] {
        let (address, count) = server();
        let users_given = users.to_string();
        let base = format!("base=http://{address}/");
        let output = scn([
            "run",
            &component.shown(),
            "--json",
            "--time-limit",
            "120s",
            "--allow",
            &address.to_string(),
            "--users",
            &users_given,
            "--set",
            &base,
        ]);
        let line = output
            .out
            .lines()
            .find(|line| line.contains(r#""type":"report""#));
        let line = line.unwrap_or_else(|| panic!("{users} users: {}", output.transcript()));
        let line: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let scenario = &line["results"]["scenarios"][0];
        assert_eq!(scenario["users"], users, "{scenario}");
        assert_eq!(scenario["iterations"], ITERATIONS * users, "{scenario}");
        assert_eq!(scenario["failed"], 0, "{scenario}");
        assert_eq!(line["results"]["checks"][0]["passed"], ITERATIONS * users);
        assert_eq!(count.load(Ordering::Relaxed), ITERATIONS * users);
    }
}
