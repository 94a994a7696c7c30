//! `http` against peers that answer well, badly, late and never.

use crate::harness::{Act, Peer, Ran, against, say};

const HEAD: Act = Act::Await(b"\r\n\r\n");
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One scenario body against one connection that answers a request with this.
fn answered(script: Vec<Act>, body: &str) -> (Ran, Vec<String>) {
    let peer = Peer::start(vec![script]);
    let ran = against(peer.addr, body);
    (ran, peer.seen().into_iter().map(|seen| seen.read).collect())
}

/// The kind of error that a GET of this answer raises.
fn kind_of(script: Vec<Act>, options: &str) -> String {
    let call = format!(
        "let r = http.get(\"http://127.0.0.1:${{port}}/\"{options}) catch e {{ log.info(e.kind); none }}"
    );
    let (ran, _) = answered(script, &call);
    assert_eq!(ran.errors.len(), 0);
    ran.logs.join(",")
}

#[test]
fn a_request_is_these_bytes() {
    let body = "
        let r = http.post(\"http://127.0.0.1:${port}/a b?x=1\", query: { y: [1, 2], z: none },
            headers: { \"X-Own\": \"v\" }, json: { n: 1, s: \"ü\" }, auth: http.basic(\"u\", \"p\"))
        check r.status == 200
        check r.text() == \"ok\"
        check r.header(\"content-length\") == \"2\"";
    let (ran, read) = answered(vec![Act::Await(b"}"), say(OK)], body);
    let port = read[0]
        .split("127.0.0.1:")
        .nth(1)
        .and_then(|rest| rest.split('\r').next())
        .expect("a host header");
    let want = format!(
        "POST /a%20b?x=1&y=1&y=2 HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: scn/{}\r\naccept: */*\r\n\
         authorization: Basic dTpw\r\ncontent-type: application/json\r\ncontent-length: 16\r\nX-Own: v\r\n\r\n\
         {{\"n\":1,\"s\":\"ü\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(read[0], want);
    let ran = ran.expect_ok();
    let exchange = &ran.exchanges[0];
    assert_eq!(
        (exchange.name.as_str(), exchange.status, exchange.reused),
        ("POST /a b", Some(200), false)
    );
    let (request, _) = exchange.text.as_ref().expect("the run is verbose");
    assert!(request.contains("authorization: ***") && !request.contains("dTpw"));
}

#[test]
fn a_response_may_come_byte_by_byte() {
    let wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let body = "check http.get(\"http://127.0.0.1:${port}/\").text() == \"hello\"";
    answered(vec![HEAD, Act::Drip(wire.as_bytes().to_vec())], body)
        .0
        .expect_ok();
}

#[test]
fn a_connection_is_kept_and_replaced_when_it_is_stale() {
    let peer = Peer::start(vec![
        vec![HEAD, say(OK), HEAD, say(OK)],
        vec![HEAD, say(OK)],
    ]);
    let body = "
        let url = \"http://127.0.0.1:${port}/\"
        check http.get(url).status == 200
        check http.get(url).status == 200
        check http.get(url).status == 200";
    let ran = against(peer.addr, body).expect_ok();
    assert_eq!(peer.seen().len(), 2);
    let reused: Vec<bool> = ran
        .exchanges
        .iter()
        .map(|exchange| exchange.reused)
        .collect();
    assert_eq!(reused, [false, true, false]);
}

#[test]
fn lies_and_cuts_have_their_kinds() {
    let one = |text: &str| kind_of(vec![HEAD, say(text)], "");
    assert_eq!(
        one("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
        "http.incomplete"
    );
    assert_eq!(
        one("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n"),
        "http.bad_chunk"
    );
    assert_eq!(
        one("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        "http.bad_length"
    );
    assert_eq!(one("SSH-2.0-OpenSSH_9\r\n"), "http.bad_response");
    assert_eq!(one(""), "http.closed");
    assert_eq!(kind_of(vec![HEAD, Act::Reset], ""), "connection_reset");
    let large = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    assert_eq!(
        kind_of(vec![HEAD, say(large)], ", max_body: 99"),
        "http.body_too_large"
    );
}

#[test]
fn a_stalling_peer_ends_by_its_limit() {
    assert_eq!(
        kind_of(vec![HEAD, Act::Stall], ", timeout: 20ms"),
        "timeout"
    );
    assert_eq!(
        kind_of(vec![HEAD, Act::Stall], ", first_byte_timeout: 20ms"),
        "timeout"
    );
    let half = say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    assert_eq!(
        kind_of(vec![HEAD, half, Act::Stall], ", timeout: 20ms"),
        "timeout"
    );
}

#[test]
fn bodiless_responses_leave_the_connection_usable() {
    let peer = Peer::start(vec![vec![
        HEAD,
        say("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
        HEAD,
        say("HTTP/1.1 204 No Content\r\n\r\n"),
        HEAD,
        say("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        HEAD,
        say(OK),
    ]]);
    let body = "
        let url = \"http://127.0.0.1:${port}/\"
        check http.head(url).header(\"content-length\") == \"500\"
        check http.delete(url).status == 204
        check http.get(url).status == 304
        check http.get(url).text() == \"ok\"";
    against(peer.addr, body).expect_ok();
    assert!(peer.seen()[0].read.starts_with("HEAD / HTTP/1.1\r\n"));
}

#[test]
fn a_body_waits_for_its_invitation() {
    let script = vec![
        HEAD,
        say("HTTP/1.1 100 Continue\r\n\r\n"),
        Act::Take(5),
        say(OK),
    ];
    let body = "check http.put(\"http://127.0.0.1:${port}/\", body: \"hello\", expect_continue: true).status == 200";
    let (ran, read) = answered(script, body);
    ran.expect_ok();
    assert!(read[0].contains("expect: 100-continue\r\n") && read[0].ends_with("\r\n\r\nhello"));
}

#[test]
fn a_refused_invitation_keeps_the_body_back() {
    let script = vec![
        HEAD,
        say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"),
        Act::Stall,
    ];
    let body = "check http.put(\"http://127.0.0.1:${port}/\", body: \"hello\", expect_continue: true).status == 417";
    let (ran, read) = answered(script, body);
    ran.expect_ok();
    assert!(read[0].ends_with("\r\n\r\n"));
}

#[test]
fn redirects_and_cookies_go_along() {
    let first = "HTTP/1.1 302 Found\r\nLocation: /b?q\r\nSet-Cookie: s=1; Path=/\r\nContent-Length: 0\r\n\r\n";
    let body = "
        let r = http.post(\"http://127.0.0.1:${port}/a\", form: { a: \"1 2\" })
        check r.text() == \"ok\"
        check r.url == \"http://127.0.0.1:${port}/b?q\"";
    let (ran, read) = answered(
        vec![Act::Await(b"a=1%202"), say(first), HEAD, say(OK)],
        body,
    );
    ran.expect_ok();
    let second = read[0].split("a=1%202").nth(1).expect("a second request");
    assert!(
        second.starts_with("GET /b?q HTTP/1.1\r\n") && second.contains("cookie: s=1\r\n"),
        "{second}"
    );
    let circle = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
    let script = vec![HEAD, say(circle), HEAD, say(circle), HEAD, say(circle)];
    assert_eq!(kind_of(script, ", redirects: 2"), "http.too_many_redirects");
    assert_eq!(kind_of(vec![HEAD, say(circle)], ", redirects: 0"), "");
}

#[test]
fn nobody_listening_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    drop(listener);
    let body = "
        let r = http.get(\"http://127.0.0.1:${port}/\") catch e {
            check e.kind == \"connection_refused\"
            none
        }";
    let ran = against(addr, body).expect_ok();
    assert!(ran.exchanges[0].failed && ran.exchanges[0].error.is_some());
}

#[test]
fn the_source_address_is_the_one_that_was_asked_for() {
    let peer = Peer::start(vec![vec![HEAD, say(OK)]]);
    let body = "
        let r = http.get(\"http://127.0.0.1:${port}/\", bind: ip(\"127.0.0.9\"))
        check r.status == 200
        check \"${r.local}\" contains \"127.0.0.9\"";
    against(peer.addr, body).expect_ok();
    assert_eq!(peer.seen()[0].from.ip().to_string(), "127.0.0.9");
}
