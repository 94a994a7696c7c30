//! Loads on peers that fail: the run goes on to its end, each failure is counted by kind, nobody is lost.

use libtest_mimic::{Failed, Trial};
use scn_tests::folder::Folder;
use scn_tests::program::{Output, scn};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    let test =
        |name: &str, f: fn() -> Result<(), Failed>| Trial::test(format!("load_faults::{name}"), f);
    vec![
        test("server_restarts", server_restarts),
        test("connections_are_reset", connections_are_reset),
        test("half_of_the_requests_stall", half_of_the_requests_stall),
        test("names_are_not_found", names_are_not_found),
        test("a_data_set_is_used_up", a_data_set_is_used_up),
        test("a_row_is_bad", a_row_is_bad),
        test("nothing_was_measured", nothing_was_measured),
        test("the_disk_is_full", the_disk_is_full),
        test("an_output_cannot_be_written", an_output_cannot_be_written),
    ]
}

const PROGRAM: &str = r#"
param base: string
scenario faults {
  load { users 5
    iterations 200 shared
    graceful stop 5s }
  let r = http.get("${base}/", timeout: 250ms)
  check r.status == 200
}
"#;

/// Runs a program with two workers; gives what it printed and its results.
fn load(name: &str, text: &str, args: &[String]) -> (Output, Value) {
    let folder = Folder::new(&format!("faults-{name}"));
    let path = folder.write("faults.scn", text);
    let results = folder.path("results.json");
    let mut all: Vec<String> = vec!["run".into(), path.display().to_string()];
    all.extend(["--workers".into(), "2".into(), "--out".into()]);
    all.push(format!("json={}", results.display()));
    all.extend_from_slice(args);
    let output = scn(all);
    let json = std::fs::read(&results).unwrap_or_default();
    (output, serde_json::from_slice(&json).unwrap_or_default())
}

fn base(address: SocketAddr) -> Vec<String> {
    vec!["--set".into(), format!("base=http://{address}")]
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// How many requests failed with a kind.
fn failures(results: &Value, kind: &str) -> u64 {
    let kinds = results["failures"].as_array().into_iter().flatten();
    let found = kinds.filter(|one| one["kind"] == kind);
    found.map(|one| count(&one["count"])).sum()
}

fn verify(holds: bool, what: &str, output: &Output, results: &Value) -> Result<(), Failed> {
    match holds {
        true => Ok(()),
        false => Err(format!("{what}\n{}\n{results:#}", output.transcript()).into()),
    }
}

/// All iterations took place, each is counted once, and no user is left.
fn verify_whole(output: &Output, results: &Value) -> Result<(), Failed> {
    let scenario = &results["scenarios"][0];
    let whole = count(&scenario["iterations"]) == 200
        && count(&scenario["users"]) == 5
        && count(&scenario["leaked_users"]) == 0
        && count(&scenario["interrupted"]) == 0;
    verify(whole, "the run is not whole", output, results)
}

/// Reads a request; false at the end of the connection.
fn read_request(connection: &mut TcpStream) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

fn answer(connection: &mut TcpStream) {
    // Whoever asked may have given up.
    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    (listener, address)
}

/// Serves each request of every connection by a script that is told its number.
fn serve(listener: TcpListener, script: fn(&mut TcpStream, u64) -> bool) {
    let requests = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let requests = requests.clone();
            thread::spawn(move || {
                while read_request(&mut connection)
                    && script(&mut connection, requests.fetch_add(1, Ordering::Relaxed))
                {
                }
            });
        }
    });
}

/// The server answers 40 requests, goes away with all its connections and a request that it never read, and comes back.
fn server_restarts() -> Result<(), Failed> {
    let (listener, address) = listen();
    let server = thread::spawn(move || {
        let mut open = Vec::new();
        let mut left = 40;
        for mut connection in listener.incoming().flatten() {
            if left > 0 && read_request(&mut connection) {
                answer(&mut connection);
                left -= 1;
            }
            // One request for each connection, so that the listener sees every one.
            let _ = connection.shutdown(Shutdown::Write);
            open.push(connection);
            if left == 0 {
                // One more request is sent and lost: somebody sees the failure, however soon the server is back.
                if let Some(Ok(lost)) = listener.incoming().next() {
                    let _ = lost.peek(&mut [0]);
                }
                break;
            }
        }
        drop((listener, open));
        // Probes until the port is closed for others as well, then takes it again.
        while TcpStream::connect(address).is_ok() {}
        let again = loop {
            match TcpListener::bind(address) {
                Ok(listener) => break listener,
                Err(_) => thread::yield_now(),
            }
        };
        serve(again, |connection, _| {
            answer(connection);
            true
        });
    });
    let text = PROGRAM.replace("http.get(", "retry 1000 times backoff 1ms..5ms { http.get(");
    let text = text.replace("timeout: 250ms)", "timeout: 250ms) }");
    let (output, results) = load("restarts", &text, &base(address));
    server.join().map_err(|_| "the server panicked")?;
    verify_whole(&output, &results)?;
    let refused = failures(&results, "connection_refused");
    let seen = refused + failures(&results, "connection_reset") + failures(&results, "http.closed");
    verify(seen > 0, "no failure was counted", &output, &results)?;
    verify(
        output.status == 0,
        "what was retried has not failed",
        &output,
        &results,
    )
}

/// Every seventh request is answered by a reset.
fn connections_are_reset() -> Result<(), Failed> {
    let (listener, address) = listen();
    serve(listener, |connection, number| {
        if number % 7 == 6 {
            // A socket that is closed with unread bytes resets its peer.
            let mut rest = [0; 1];
            let _ = connection.set_nonblocking(true);
            let _ = connection.peek(&mut rest);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-le");
            return false;
        }
        answer(connection);
        true
    });
    let (output, results) = load("resets", PROGRAM, &base(address));
    verify_whole(&output, &results)?;
    let failed = count(&results["scenarios"][0]["failed"]);
    let counted = failures(&results, "http.incomplete") + failures(&results, "connection_reset");
    verify(
        failed > 20 && failed == counted && output.status == 1,
        "each cut response is a failed iteration",
        &output,
        &results,
    )
}

/// Every second request gets no answer.
fn half_of_the_requests_stall() -> Result<(), Failed> {
    let (listener, address) = listen();
    serve(listener, |connection, number| {
        if number % 2 == 0 {
            answer(connection);
        }
        true
    });
    let text = PROGRAM
        .replace("iterations 200", "iterations 40")
        .replace("250ms", "50ms");
    let (output, results) = load("stalls", &text, &base(address));
    let scenario = &results["scenarios"][0];
    let timeouts = failures(&results, "timeout");
    verify(
        count(&scenario["iterations"]) == 40
            && timeouts == count(&scenario["failed"])
            && (15..=25).contains(&timeouts)
            && count(&scenario["leaked_users"]) == 0
            && output.status == 1,
        "half of the requests time out",
        &output,
        &results,
    )
}

fn names_are_not_found() -> Result<(), Failed> {
    let text = PROGRAM
        .replace("250ms", "5s")
        .replace("iterations 200", "iterations 20");
    let args = ["--set".into(), "base=http://nobody.invalid".into()];
    let (output, results) = load("names", &text, &args);
    let kinds = results["failures"].as_array().cloned().unwrap_or_default();
    let dns: u64 = kinds
        .iter()
        .filter(|one| {
            one["kind"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("dns."))
        })
        .map(|one| count(&one["count"]))
        .sum();
    verify(
        dns == 20 && output.status == 1,
        "each name that is not found is counted",
        &output,
        &results,
    )
}

fn a_data_set_is_used_up() -> Result<(), Failed> {
    let text = r#"
data rows: list<int> = [1, 2, 3]
scenario faults {
  load { users 2
    iterations 5 shared }
  let row = rows.next(wrap: false)
  check row > 0
}
"#;
    let (output, results) = load("rows", text, &[]);
    let scenario = &results["scenarios"][0];
    let error = &results["errors"][0];
    verify(
        count(&scenario["iterations"]) == 5
            && count(&scenario["failed"]) == 2
            && error["error"]["kind"] == "script.data_exhausted"
            && output.status == 1,
        "two of five iterations find no row",
        &output,
        &results,
    )
}

fn a_row_is_bad() -> Result<(), Failed> {
    let folder = Folder::new("faults-bad-row");
    folder.write("rows.csv", "id,name\n1,ann\nx,bob\n");
    let text = "data rows: list<{ id: int, name: string }> = csv(\"rows.csv\")\nscenario s { load { users 2 for 1s }\n let r = rows.next()\n check r.id > 0 }\n";
    let path = folder.write("bad.scn", text);
    let output = scn(["run".as_ref(), path.as_os_str()]);
    let said = format!("{}{}", output.out, output.err);
    verify(
        output.status == 1 && said.contains("rows.csv") && said.contains('3'),
        "the bad cell is named with its line",
        &output,
        &Value::Null,
    )
}

/// A threshold on what never happened does not hold.
fn nothing_was_measured() -> Result<(), Failed> {
    let text = r#"
scenario faults {
  load { users 2
    iterations 4 shared }
  thresholds { http.duration p95 < 1s }
  sleep 1ms
}
"#;
    let (output, results) = load("nothing", text, &[]);
    let threshold = &results["thresholds"][0];
    verify(
        output.status == 1 && threshold["ok"] == false && count(&threshold["samples"]) == 0,
        "no data fails",
        &output,
        &results,
    )?;
    let allowed = text.replace("< 1s", "< 1s or empty");
    let (output, results) = load("empty", &allowed, &[]);
    verify(
        output.status == 0,
        "`or empty` allows it",
        &output,
        &results,
    )
}

fn the_disk_is_full() -> Result<(), Failed> {
    let (listener, address) = listen();
    serve(listener, |connection, _| {
        answer(connection);
        true
    });
    let mut args = base(address);
    args.extend(["--out".into(), "html=/dev/full".into()]);
    let (output, results) = load("full", PROGRAM, &args);
    verify_whole(&output, &results)?;
    verify(
        output.status == 3 && output.err.contains("/dev/full"),
        "the full disk is named; the other results and the summary are there",
        &output,
        &results,
    )
}

fn an_output_cannot_be_written() -> Result<(), Failed> {
    let args = [
        "--set".into(),
        "base=http://127.0.0.1:1".into(),
        "--out".into(),
        "hdr=/nowhere/at/all.hdr".into(),
    ];
    let (output, results) = load("unwritable", PROGRAM, &args);
    verify(
        output.status == 2 && output.err.contains("/nowhere/at/all.hdr"),
        "it is refused before the run",
        &output,
        &results,
    )
}
