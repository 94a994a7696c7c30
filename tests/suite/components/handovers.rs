//! Components whose requests to https the host makes (`scn build --https wasi-http`), against a server with TLS.

use crate::{Temporary, run};
use scn_tests::program::{Output, scn};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// Answers by the path. It speaks HTTP by hand, so that it can break its rules.
const SERVER: &str = r#"server web tls "127.0.0.1:PORT" (cert: "CERT", key: "KEY") (conn) {
  let head = conn.recv_until("\r\n\r\n").text()
  match head.split(" ")[1] {
    "/plain" => { conn.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: a=1\r\nx-two: 1\r\nx-two: 2\r\n\r\nhello") }
    "/chunked" => { conn.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n4\r\n you\r\n0\r\n\r\n") }
    "/closed" => { conn.send("HTTP/1.0 200 OK\r\n\r\nuntil the end") }
    "/cut" => { conn.send("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello") }
    "/garbled" => { conn.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n") }
    "/gone" => { }
    "/wrong" => { conn.send("hello") }
    "/moved" => { conn.send("HTTP/1.1 302 Found\r\nlocation: /echo\r\ncontent-length: 0\r\n\r\n") }
    "/slow" => { let rest = conn.recv() catch b"" }
    "/drip" => { conn.send("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello"); let rest = conn.recv() catch b"" }
    "/large" => { conn.send("HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n${"x".repeat(300000)}") }
    "/count" => {
      let body = conn.recv_exact(300000)
      conn.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n${body.len()}")
    }
    _ => {
      let low = head.lower()
      let body = if low contains "content-length: 3" { conn.recv_exact(3).text() } else if low contains "chunked" { conn.recv_until("0\r\n\r\n").text() } else { "" }
      let answer = "${head}${body}"
      conn.send("HTTP/1.1 200 OK\r\ncontent-length: ${answer.len()}\r\n\r\n${answer}")
    }
  }
  conn.close()
}
scenario serve {
  let _ended = tcp.listen("127.0.0.1:STOP").accept()
}
"#;

/// A server that runs until it is stopped.
struct Server {
    port: u16,
    stop: u16,
    authority: Temporary,
    runs: JoinHandle<Output>,
}

impl Server {
    fn start(name: &str) -> Server {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a name");
        let cert = Temporary::new(&format!("{name}.pem"), made.cert.pem().as_bytes());
        let key = made.signing_key.serialize_pem();
        let key = Temporary::new(&format!("{name}.key"), key.as_bytes());
        let (port, stop) = (free_port(), free_port());
        let text = SERVER
            .replace("PORT", &port.to_string())
            .replace("STOP", &stop.to_string())
            .replace("CERT", &cert.shown())
            .replace("KEY", &key.shown());
        let file = Temporary::new(&format!("{name}-server.scn"), text.as_bytes());
        let runs = std::thread::spawn(move || {
            let ran = scn(["run", &file.shown()]);
            drop(key);
            ran
        });
        let server = Server {
            port,
            stop,
            authority: cert,
            runs,
        };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(!server.runs.is_finished(), "{:?}", server.runs.join());
            std::thread::yield_now();
        }
        server
    }

    fn stop(self) {
        while TcpStream::connect(("127.0.0.1", self.stop)).is_err() {
            assert!(!self.runs.is_finished(), "{:?}", self.runs.join());
            std::thread::yield_now();
        }
        // What clients do to it is told as its errors.
        let ran = self.runs.join().expect("it does not panic");
        assert!(ran.out.starts_with("serve\n"), "{}", ran.out);
    }
}

/// A port that nobody uses. Another program may take it before it is used; the tests' own do not.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = listener.local_addr();
    address.expect("a bound socket has an address").port()
}

/// A component of a program, with the requests made by the host.
fn built(name: &str, text: &str) -> Temporary {
    built_with(name, text, &["--https", "wasi-http"])
}

fn built_with(name: &str, text: &str, options: &[&str]) -> Temporary {
    let file = Temporary::new(&format!("{name}.scn"), text.as_bytes());
    let component = Temporary::new(&format!("{name}.wasm"), b"");
    let (source, output) = (file.shown(), component.shown());
    let arguments = [&["build", &source, "-o", &output], options].concat();
    let built = scn(arguments);
    assert_eq!(built.status, 0, "{}", built.err);
    component
}

const REQUESTS: &str = r#"param base: string

fn outcome(at: string) -> string {
  let r = http.get("${base}/${at}", timeout: 20s) catch e { return "${e.kind}: ${e.message}" }
  return "${r.status}: ${r.text()}"
}

fn refused(headers: map<string, string>) -> string {
  let r = http.put("${base}/echo", body: "abc", headers: headers) catch e { return "${e.kind}: ${e.message}" }
  return "${r.status}"
}

scenario handed_over {
  step "responses" {
    let r = http.get("${base}/plain")
    check r.status == 200
    check r.text() == "hello"
    check r.header("x-two") == "1, 2"
    check r.url == "${base}/plain"
    check r.local == addr("0.0.0.0:0")
    check r.timings.dns == 0s && r.timings.tls == 0s && r.timings.wait > 0s
    check outcome("chunked") == "200: hello you"
    check outcome("closed") == "200: until the end"
    check http.head("${base}/plain").status == 200
    check http.get("${base}/large").body.len() == 300000
  }
  step "requests" {
    let told = http.get("${base}/echo", headers: { "X-Mine": " a b " }, query: { "q": "a b" }).text()
    check told contains "GET /echo?q=a%20b HTTP/1.1\r\n"
    check told contains "host: ${base.replace("https://", "")}\r\n"
    check told contains "user-agent: scn/"
    check "cookies are kept": told contains "cookie: a=1\r\n"
    check told contains "x-mine: a b\r\n"
    let posted = http.post("${base}/echo", body: "abc").text()
    check posted contains "content-length: 3\r\n"
    check posted.ends_with("\r\n\r\nabc")
    let chunked = http.post("${base}/echo", body: "abc", chunked: true).text()
    check chunked contains "transfer-encoding: chunked\r\n"
    check chunked.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    check http.request("PURGE", "${base}/echo").text().starts_with("PURGE /echo HTTP/1.1\r\n")
    check "redirects are followed": http.post("${base}/moved").text().starts_with("GET /echo HTTP/1.1\r\n")
    check http.get("${base}/moved", redirects: 0).status == 302
    check http.post("${base}/count", body: "x".repeat(300000)).text() == "300000"
  }
  step "what goes wrong" {
    check outcome("cut") == "http.incomplete: the connection ended before the message was complete"
    check outcome("garbled") == "http.bad_chunk: the chunked coding of the body is broken"
    check outcome("gone") == "http.closed: the connection ended before a byte of the response"
    check outcome("wrong").starts_with("http.bad_response: ")
    let slow = do { http.get("${base}/slow", timeout: 100ms).text() } catch e { "${e.kind}: ${e.message}" }
    check slow == "timeout: took longer than 100ms"
    let late = do { http.get("${base}/slow", first_byte_timeout: 100ms).text() } catch e { "${e.kind}: ${e.message}" }
    check late == "timeout: the first byte of the response took longer than 100ms"
    let drip = do { http.get("${base}/drip", timeout: 100ms).text() } catch e { "${e.kind}: ${e.message}" }
    check drip == "timeout: took longer than 100ms"
    let large = do { http.get("${base}/large", max_body: 1000).text() } catch e { "${e.kind}: ${e.message}" }
    check large == "http.body_too_large: the body is above the limit of 1000 bytes"
    let bound = do { http.get("${base}/plain", bind: ip("127.0.0.2")).text() } catch e { e.kind }
    check bound == "invalid_input"
    check refused({ "connection": "close" }) == "http.invalid_request: header `connection` is set by the host of this component"
    check refused({ "Host": "a.test" }) == "http.invalid_request: header `Host` is set by the host of this component"
    check refused({ "content-length": "7" }) == "http.invalid_request: the body is not as long as `content-length` says"
    check refused({ "x": "\u{1}" }) == "http.invalid_request: the host of this component takes no such header `x`"
  }
}
"#;

#[test]
fn requests_are_made_by_the_host() {
    let server = Server::start("handed");
    let component = built("handed", REQUESTS);
    let set = format!("base=https://localhost:{}", server.port);
    let peer = format!("localhost:{}", server.port);
    let roots = server.authority.shown();
    let ran = run(
        &component,
        &["--set", &set, "--allow", &peer, "--roots", &roots],
    );
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    let events = run(
        &component,
        &["--set", &set, "--allow", &peer, "--roots", &roots, "--json"],
    );
    let request = events.out.lines().find(|line| line.contains("/chunked"));
    let request = request.expect("requests are told");
    for part in [r#""status":200"#, r#""method":"GET""#] {
        assert!(request.contains(part), "{request}");
    }
    server.stop();
}

const REFUSED: &str = r#"param base: string
scenario refused {
  let r = http.get("${base}/plain") catch e { fail "${e.kind}: ${e.message}" }
  check r.status == 200
}
"#;

#[test]
fn hosts_that_are_not_granted_or_trusted_are_refused() {
    let server = Server::start("distrusted");
    let component = built("distrusted", REFUSED);
    let peer = format!("localhost:{}", server.port);
    let set = format!("base=https://{peer}");
    let ran = run(&component, &["--set", &set]);
    assert_eq!(ran.status, 1);
    let denied = format!("access_denied: the host does not grant this: {peer}");
    assert!(ran.out.contains(&denied), "{}", ran.out);
    let help = format!("grant it by --allow {peer}");
    assert!(ran.err.contains(&help), "{}", ran.err);
    // Nobody has signed for it whom the system trusts.
    let ran = run(&component, &["--set", &set, "--allow", &peer]);
    let wrong =
        "tls.bad_certificate: the host of this component does not accept the peer's certificate";
    assert!(ran.out.contains(wrong), "{}", ran.out);
    let nobody = format!("base=https://localhost:{}", free_port());
    let ran = run(&component, &["--set", &nobody, "--allow", "localhost:*"]);
    let nobody = "connection_refused: connection refused";
    assert!(ran.out.contains(nobody), "{}", ran.out);
    server.stop();
}

#[test]
fn programs_that_name_no_https_have_tls_if_it_is_asked_for() {
    let server = Server::start("unnamed");
    let peer = format!("localhost:{}", server.port);
    let set = format!("base=https://{peer}");
    let roots = server.authority.shown();
    let options = ["--set", &set, "--allow", &peer, "--roots", &roots];
    let ran = run(&built_with("unnamed", REFUSED, &[]), &options);
    let without =
        "tls.unsupported: this component was built without TLS, because nothing in it names https";
    assert!(ran.out.contains(without), "{}", ran.out);
    let asked = built_with("asked", REFUSED, &["--https", "wasi-tls"]);
    let ran = run(&asked, &options);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    server.stop();
}

#[test]
fn only_the_host_needs_tls() {
    let imports = |file: &Temporary| {
        let shown = scn(["inspect", &file.shown()]).out;
        let end = shown.find("exports:").expect("exports are shown");
        shown[..end].to_owned()
    };
    let handed = imports(&built("imports", REFUSED));
    assert!(
        handed.contains("  wasi:http/outgoing-handler@0.2.0\n    handle("),
        "{handed}"
    );
    assert!(!handed.contains("wasi:tls"), "{handed}");
    // Requests to http go over the component's own sockets.
    assert!(handed.contains("wasi:sockets/tcp@0.2.0"), "{handed}");
    let own = built_with("own-imports", REFUSED, &[]);
    assert!(!imports(&own).contains("wasi:http"));
}

#[test]
fn what_the_host_decides_is_refused_when_it_is_built() {
    for (call, code, wanted) in [
        (
            r#"http.get("https://a.test/", bind: ip("127.0.0.1"))"#,
            "E0405",
            "`bind` of `http.get` cannot be given in a component",
        ),
        (
            r#"http.request("GET", "https://a.test/", server_name: "b.test")"#,
            "E0405",
            "`server_name` of `http.request` cannot be given in a component",
        ),
        (
            r#"http.post("https://a.test/", body: "x", expect_continue: true)"#,
            "E0405",
            "`expect_continue` of `http.post` cannot be given in a component",
        ),
        (
            r#"http.get("https://a.test/", verify: false)"#,
            "E0405",
            "`verify` of `http.get` cannot be given in a component",
        ),
        (
            r#"tls.connect("a.test:443")"#,
            "E0401",
            "`tls.connect` is not available in a component that is built with `--https wasi-http`",
        ),
    ] {
        let text = format!("scenario s {{ let _made = {call} }}");
        let file = Temporary::new("undecided.scn", text.as_bytes());
        let output = scn(["build", &file.shown(), "--https", "wasi-http"]);
        assert_eq!(output.status, 2, "{call}");
        assert!(output.err.contains(code), "{}", output.err);
        assert!(output.err.contains(wanted), "{}", output.err);
    }
    let sources = r#"pool p { range "127.0.1.0/28" }
scenario s { source p
  each { let _made = http.get("https://a.test/") } }"#;
    let file = Temporary::new("sources.scn", sources.as_bytes());
    let output = scn(["build", &file.shown(), "--https", "wasi-http"]);
    let wanted = "`source` of `http.get` cannot be given in a component";
    assert!(output.err.contains(wanted), "{}", output.err);
    let fine = r#"scenario s {
  let _made = http.get("http://a.test/", bind: ip("127.0.0.1"))
  let _other = http.post("https://a.test/", json: { a: 1 }, timeout: 1s, connect_timeout: 1s, redirects: 2)
}"#;
    built("fine", fine);
}
