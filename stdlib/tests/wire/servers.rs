//! `server` blocks, met by bytes and by the library's own client.

use crate::harness::scenario;

const API: &str = "
server api http \"127.0.0.1:0\" {
  var hits = 0
  GET \"/users/{id: int}\" { hits += 1; return reply(200, json: { id, hits }) }
  POST \"/echo\" { return reply(201, body: req.body, headers: { \"x-q\": req.query(\"q\") ?? \"none\" }, chunked: true) }
  GET \"/fail\" { let n = req.text() as int; return reply(200, json: n) }
}
";

fn with_api(body: &str) -> crate::harness::Ran {
    scenario(&format!("{API}\nscenario s {{\n{body}\n}}\n"), &[])
}

#[test]
fn routes_answer_and_keep_state() {
    with_api(
        "
        check http.get(\"${api.url}/users/7\").json().hits == 1
        check http.get(\"${api.url}/users/8\").json() == { id: 8, hits: 2 }
        let e = http.post(\"${api.url}/echo\", body: \"hello\", query: { q: \"a b\" })
        check e.status == 201
        check e.text() == \"hello\"
        check e.header(\"X-Q\") == \"a b\"
        check http.post(\"${api.url}/echo\", body: \"later\", expect_continue: true, chunked: true).text() == \"later\"
        check http.get(\"${api.url}/users/x\").status == 404
        check http.put(\"${api.url}/echo\").status == 405
        check http.put(\"${api.url}/echo\").header(\"allow\") == \"POST\"",
    )
    .expect_ok();
}

#[test]
fn a_failing_route_answers_500_and_counts() {
    let ran = with_api("check http.get(\"${api.url}/fail\").status == 500");
    assert!(ran.failed.is_empty());
    assert_eq!(ran.errors.len(), 1);
    assert_eq!(
        (ran.outcome.server_errors, ran.outcome.failed_iterations),
        (1, 0)
    );
}

#[test]
fn what_is_no_request_is_refused_by_its_status() {
    with_api(
        "
        let c = tcp.connect(api.addr)
        c.send(\"GET /users/1 HTTP/1.1\\r\\n\\r\\n\")
        check c.recv_until(\"\\r\\n\").text() == \"HTTP/1.1 400 Bad Request\\r\\n\"
        let d = tcp.connect(api.addr)
        d.send(\"GET /users/1 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\nGET /users/2 HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n\")
        check d.recv_until(\"{\\\"id\\\":1,\\\"hits\\\":1}\").text() contains \"200 OK\"
        check d.recv_until(\"{\\\"id\\\":2,\\\"hits\\\":2}\").text() contains \"connection: close\"
        check d.recv().is_empty()",
    )
    .expect_ok();
}

#[test]
fn tcp_udp_and_tls_servers_echo() {
    let source = "
server echo tcp \"127.0.0.1:0\" (conn) {
  loop { let d = conn.recv(64KiB); if d.is_empty() { break }; conn.send(d) }
}
server dgram udp \"127.0.0.1:0\" (socket) {
  loop { let (d, from) = socket.recv_from(); socket.send_to(d, from) }
}
server secure tls \"127.0.0.1:0\" (conn) {
  loop { let d = conn.recv(64KiB); if d.is_empty() { break }; conn.send(d) }
}
scenario s {
  let c = tcp.connect(echo.addr)
  c.send(b\"tcp\")
  check c.recv_exact(3) == b\"tcp\"
  let u = udp.connect(dgram.addr, timeout: 5s)
  u.send(b\"udp\")
  check u.recv() == b\"udp\"
  let t = tls.connect(secure.addr, verify: false, timeout: 5s)
  t.send(b\"tls\")
  check t.recv_exact(3) == b\"tls\"
  check t.version == \"1.3\"
}
";
    scenario(source, &[]).expect_ok();
}
