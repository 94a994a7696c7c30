//! Peers that refuse, reset, stall, drip and lie: an error of the right kind within its limit, never a hang.

use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use scn_tests::program::scn;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// What a peer does with a connection; the request has been read.
type Script = fn(TcpStream);

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    let cases: &[(&str, Script, &str)] = &[
        ("split_into_bytes", split_into_bytes, "status 200, 5 bytes"),
        ("closes_at_once", |_| {}, "http.closed"),
        (
            "cut_within_the_head",
            |mut c| send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-le"),
            "http.incomplete",
        ),
        (
            "cut_within_the_body",
            cut_within_the_body,
            "http.incomplete",
        ),
        ("chunks_cut_off", chunks_cut_off, "http.incomplete"),
        (
            "chunk_size_is_no_number",
            chunk_size_is_no_number,
            "http.bad_chunk",
        ),
        (
            "chunk_size_without_end",
            chunk_size_without_end,
            "http.bad_chunk",
        ),
        ("two_lengths", two_lengths, "http.bad_length"),
        (
            "negative_length",
            |mut c| send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n"),
            "http.bad_length",
        ),
        (
            "not_http",
            |mut c| send(&mut c, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            "http.bad_response",
        ),
        ("head_without_end", head_without_end, "http.head_too_large"),
        (
            "body_above_the_limit",
            body_above_the_limit,
            "http.body_too_large",
        ),
        ("stalls_before_the_head", stall, "timeout"),
        ("stalls_within_the_body", stalls_within_the_body, "timeout"),
        ("drips", drip, "timeout"),
        ("early_hints", early_hints, "status 200, 2 bytes"),
        (
            "body_until_close",
            |mut c| send(&mut c, b"HTTP/1.0 200 OK\r\n\r\nuntil the end"),
            "status 200, 13 bytes",
        ),
        (
            "no_content_with_a_body",
            no_content_with_a_body,
            "status 204, 0 bytes",
        ),
    ];
    let mut trials: Vec<Trial> = cases
        .iter()
        .map(|(name, script, wanted)| {
            let (script, wanted) = (*script, *wanted);
            Trial::test(format!("hostile_peer::{name}"), move || {
                answers(name, script, wanted)
            })
        })
        .collect();
    trials.push(Trial::test("hostile_peer::refuses", refuses));
    trials.push(Trial::test("hostile_peer::resets", resets));
    trials
}

const PROGRAM: &str = r#"
param base: string

fn outcome(url: string) -> string {
  let r = http.get(url, timeout: 500ms, max_body: 100KB) catch e { return e.kind }
  return "status ${r.status}, ${r.body.len()} bytes"
}

scenario hostile { log.info("outcome: ${outcome(base)}") }
"#;

/// Runs the program against an address; it must end well within its limit and log the outcome.
fn outcome(name: &str, address: SocketAddr, wanted: &str) -> Result<(), Failed> {
    let folder = Folder::new(&format!("peer-{name}"));
    let path = folder.write("hostile.scn", PROGRAM);
    let start = Instant::now();
    let base = format!("base=http://{address}/");
    let output = scn([
        "run".as_ref(),
        path.as_os_str(),
        "--set".as_ref(),
        base.as_ref(),
    ]);
    if start.elapsed() > Duration::from_secs(10) {
        return Err(format!("took {:?}", start.elapsed()).into());
    }
    match output.out.contains(&format!("outcome: {wanted}\n")) {
        true => Ok(()),
        false => Err(format!("wanted {wanted}: {}", output.transcript()).into()),
    }
}

/// Serves connections by a script until the test is over.
fn answers(name: &str, script: Script, wanted: &str) -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || script(with_request_read(connection)));
        }
    });
    outcome(name, address, wanted)
}

/// Reads the request's head, so that closing does not reset the connection.
fn with_request_read(mut connection: TcpStream) -> TcpStream {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    connection
}

/// The peer under test may be gone already: that is what it was tested for.
fn send(connection: &mut TcpStream, bytes: &[u8]) {
    let _ = connection.write_all(bytes);
}

fn split_into_bytes(mut c: TcpStream) {
    let _ = c.set_nodelay(true);
    for byte in
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    {
        send(&mut c, &[*byte]);
    }
}

fn cut_within_the_body(mut c: TcpStream) {
    send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
}

fn chunks_cut_off(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    );
}

fn chunk_size_is_no_number(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
    );
}

fn chunk_size_without_end(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    );
    send(&mut c, "f".repeat(100).as_bytes());
    send(&mut c, b"\r\n");
}

fn two_lengths(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    );
}

fn head_without_end(mut c: TcpStream) {
    send(&mut c, b"HTTP/1.1 200 OK\r\nx-long: ");
    let part = "y".repeat(64 * 1024);
    while c.write_all(part.as_bytes()).is_ok() {}
}

fn body_above_the_limit(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n",
    );
    let part = "z".repeat(64 * 1024);
    while c.write_all(part.as_bytes()).is_ok() {}
}

fn stall(mut c: TcpStream) {
    let _ = c.read(&mut [0]);
}

fn stalls_within_the_body(mut c: TcpStream) {
    send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc");
    let _ = c.read(&mut [0]);
}

/// Sends a byte now and then: each one is in time, the whole is not.
fn drip(mut c: TcpStream) {
    let _ = c.set_read_timeout(Some(Duration::from_millis(50)));
    send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-length: 50000\r\n\r\n");
    while c.write_all(b"d").is_ok() {
        // Waiting for the peer to go away is what paces the drops.
        if c.read(&mut [0]).is_ok() {
            break;
        }
    }
}

fn early_hints(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
    );
    send(&mut c, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

fn no_content_with_a_body(mut c: TcpStream) {
    send(
        &mut c,
        b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nabcde",
    );
}

fn refuses() -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    drop(listener);
    outcome("refuses", address, "connection_refused")
}

/// Closing with unread data makes the system send a reset.
fn resets() -> Result<(), Failed> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0]);
        }
    });
    outcome("resets", address, "connection_reset")
}
