//! Source addresses from pools, as peers see them, and what is left of leases on every path.

use crate::harness::{Ran, scenario, scenario_in_no_time, scenario_on_workers};
use scn_runtime::report::PoolReport;

/// Peers that answer with the address that they were met from.
const PEERS: &str = "
server stream tcp \"127.0.0.1:0\" (conn) { conn.send(\"${conn.remote.ip}\\n\"); let rest = conn.recv(64KiB) catch b\"\" }
server secure tls \"127.0.0.1:0\" (conn) { conn.send(\"${conn.remote.ip}\\n\"); let rest = conn.recv(64KiB) catch b\"\" }
server dgram udp \"127.0.0.1:0\" (socket) { loop { let (d, from) = socket.recv_from(); socket.send_to(\"${from.ip}\", from) } }
server api http \"127.0.0.1:0\" {
  GET \"/who\" { return reply(200, body: \"${req.remote}\") }
  GET \"/bye\" { return reply(200, body: \"${req.remote}\", headers: { \"connection\": \"close\" }) }
  GET \"/broken\" { let n = \"x\" as int; return reply(200, json: n) }
}
fn host(remote: string) -> string { return remote.split(\":\")[0] }
";

fn with_peers(rest: &str) -> String {
    format!("{PEERS}\n{rest}\n")
}

fn pool<'a>(ran: &'a Ran, name: &str) -> &'a PoolReport {
    let found = ran.pools.iter().find(|pool| pool.name == name);
    found.unwrap_or_else(|| panic!("{name} was used: {:?}", ran.pools))
}

#[test]
fn every_protocol_comes_from_the_users_address() {
    let source = with_peers(
        "pool clients { range \"127.0.1.7\" }
scenario s {
  source clients
  let c = tcp.connect(stream.addr)
  check c.recv_until(\"\\n\") == b\"127.0.1.7\\n\"
  let t = tls.connect(secure.addr, verify: false, timeout: 5s)
  check t.recv_until(\"\\n\") == b\"127.0.1.7\\n\"
  let u = udp.connect(dgram.addr, timeout: 5s)
  u.send(\"x\")
  check u.recv() == b\"127.0.1.7\"
  let raw = socket.create(socket.Family.ipv4, socket.Protocol.tcp)
  raw.connect(stream.addr)
  check raw.receive(64) == b\"127.0.1.7\\n\"
  check host(http.get(\"${api.url}/who\").text()) == \"127.0.1.7\"
  check user.ip == ip(\"127.0.1.7\")
  let own = tcp.connect(stream.addr, bind: ip(\"127.0.0.9\"))
  check own.recv_until(\"\\n\") == b\"127.0.0.9\\n\"
  check host(http.get(\"${api.url}/who\", bind: ip(\"127.0.0.9\")).text()) == \"127.0.0.9\"
}",
    );
    let ran = scenario(&source, &[]).expect_ok();
    let clients = pool(&ran, "clients");
    assert_eq!((clients.leases, clients.peak, clients.size), (1, 1, 1));
}

#[test]
fn a_users_connections_are_kept_with_its_lease() {
    let source = with_peers(
        "pool clients { range \"127.0.1.0/28\" }
scenario s {
  source clients
  let a = http.get(\"${api.url}/who\").text()
  check http.get(\"${api.url}/who\").text() == a
  check http.get(\"${api.url}/bye\").text() == a
  check http.get(\"${api.url}/who\").text() != a
}",
    );
    let ran = scenario(&source, &[]).expect_ok();
    assert_eq!(pool(&ran, "clients").leases, 1);
}

#[test]
fn requests_with_leases_of_their_own_share_no_connection() {
    let source = with_peers(
        "pool clients { range \"127.0.1.0/30\"; reserve \"127.0.1.0\"; lease per request }
scenario s {
  source clients
  let seen = [host(http.get(\"${api.url}/who\").text()) for _ in 0..4]
  check seen == [\"127.0.1.1\", \"127.0.1.2\", \"127.0.1.3\", \"127.0.1.1\"]
  let c = tcp.connect(stream.addr)
  check c.recv_until(\"\\n\") == b\"127.0.1.2\\n\"
  check user.ip == none
}",
    );
    let ran = scenario(&source, &[]).expect_ok();
    let clients = pool(&ran, "clients");
    assert_eq!((clients.leases, clients.peak, clients.shared), (5, 1, 0));
}

#[test]
fn leases_come_back_from_errors_and_cancelled_branches() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1\"; lease per request; when exhausted fail }
scenario s {
  source clients
  let refused = http.get(\"http://127.0.0.1:9/\") catch e { check e.kind == \"connection_refused\"; none }
  let late = do { timeout 20ms { let c = tcp.connect(stream.addr); c.recv_until(\"never\"); \"\" } } catch e { e.kind }
  check late == \"timeout\"
  race { do { let c = tcp.connect(stream.addr); c.recv_until(\"never\") }; sleep 5ms }
  check host(http.get(\"${api.url}/who\").text()) == \"127.0.1.1\"
  check http.get(\"${api.url}/broken\").status == 500
  let first = tcp.connect(stream.addr)
  let second = do { tcp.connect(stream.addr); \"connected\" } catch e { \"${e.kind}: ${e.message}\" }
  check second == \"pool.exhausted: the only address of the pool `clients` is leased\"
  first.close()
  let third = tcp.connect(stream.addr)
  fail \"with a connection open\"
}",
    );
    let ran = scenario(&source, &[]);
    assert!(ran.failed.is_empty(), "{:#?}", ran.failed);
    let kinds: Vec<&str> = ran.errors.iter().map(|fault| fault.kind()).collect();
    assert_eq!(kinds, ["script.parse", "script.fail"]);
    assert_eq!((ran.outcome.live_objects, ran.leased), (0, 0));
    let clients = pool(&ran, "clients");
    assert_eq!((clients.peak, clients.failed, clients.shared), (1, 1, 0));
}

#[test]
fn an_exhausted_pool_shares_what_has_the_fewest_users() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1-127.0.1.2\"; lease per request; when exhausted share }
scenario s {
  source clients
  let all = [tcp.connect(stream.addr) for _ in 0..4]
  var seen = [\"\"]
  for c in all { seen.push(c.recv_until(\"\\n\").text()) }
  check seen == [\"\", \"127.0.1.1\\n\", \"127.0.1.2\\n\", \"127.0.1.1\\n\", \"127.0.1.2\\n\"]
}",
    );
    let ran = scenario(&source, &[]).expect_ok();
    let clients = pool(&ran, "clients");
    assert_eq!((clients.leases, clients.peak, clients.shared), (4, 4, 2));
}

const WAITING: &str = "
pool clients { range \"127.0.1.1\"; lease per request; when exhausted wait 30s then spare }
pool spare { range \"127.0.3.1\"; lease per request; when exhausted wait 5s then fail }
scenario s {
  source clients
";

#[test]
fn who_waits_gets_the_address_that_comes_back_or_falls_back() {
    let source = with_peers(&format!(
        "{WAITING}
  let began = time.now()
  parallel {{
    do {{
      let c = tcp.connect(stream.addr)
      check c.recv_until(\"\\n\") == b\"127.0.1.1\\n\"
      sleep 10s
    }}
    do {{
      sleep 1s
      let c = tcp.connect(stream.addr, timeout: 2s)
      check c.recv_until(\"\\n\") == b\"127.0.1.1\\n\"
      check time.since(began) == 10s
      sleep 60s
    }}
    do {{
      sleep 2s
      check host(http.get(\"${{api.url}}/who\", timeout: 2s).text()) == \"127.0.3.1\"
      check time.since(began) == 32s
    }}
  }}
}}"
    ));
    let ran = scenario_in_no_time(&source).expect_ok();
    let (clients, spare) = (pool(&ran, "clients"), pool(&ran, "spare"));
    let counts = (
        clients.leases,
        clients.waits,
        clients.fell_back,
        clients.failed,
    );
    assert_eq!(counts, (2, 2, 1, 0));
    assert_eq!(clients.waited, 39_000_000_000);
    assert_eq!((spare.leases, spare.waits), (1, 0));
}

#[test]
fn the_last_pool_of_a_chain_decides() {
    let source = with_peers(&format!(
        "{WAITING}
  let a = tcp.connect(stream.addr)
  let b = tcp.connect(stream.addr)
  check b.recv_until(\"\\n\") == b\"127.0.3.1\\n\"
  let began = time.now()
  let c = do {{ tcp.connect(stream.addr); \"connected\" }} catch e {{ \"${{e.kind}}: ${{e.message}}\" }}
  check c == \"pool.exhausted: the only address of the pool `spare` is leased, and none came back within 5s\"
  check time.since(began) == 35s
  let d = do {{ timeout 3s {{ tcp.connect(stream.addr); \"connected\" }} }} catch e {{ e.kind }}
  check d == \"timeout\"
}}"
    ));
    let ran = scenario_in_no_time(&source).expect_ok();
    let (clients, spare) = (pool(&ran, "clients"), pool(&ran, "spare"));
    assert_eq!((clients.waits, clients.fell_back), (3, 2));
    assert_eq!((spare.leases, spare.failed), (1, 1));
}

#[test]
fn families_agree_or_the_error_says_why() {
    let source = with_peers(
        "pool clients { range \"2001:db8::/64\" }
scenario s {
  source clients
  let c = do { tcp.connect(stream.addr); \"connected\" } catch e { \"${e.kind}: ${e.message}\" }
  check c == \"invalid_input: the pool `clients` has no IPv4 address, and the peer has\"
}",
    );
    scenario(&source, &[]).expect_ok();
}

#[test]
fn a_pool_of_both_families_gives_the_one_that_fits() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        println!("skipped: this machine has no IPv6 loopback");
        return;
    }
    let source = with_peers(
        "pool clients { range \"::1\"; range \"127.0.1.5\" }
server six tcp \"[::1]:0\" (conn) { conn.send(\"${conn.remote.ip}\\n\"); let rest = conn.recv(64KiB) catch b\"\" }
scenario s {
  source clients
  let a = tcp.connect(six.addr)
  check a.recv_until(\"\\n\") == b\"::1\\n\"
  let b = tcp.connect(stream.addr)
  check b.recv_until(\"\\n\") == b\"127.0.1.5\\n\"
}",
    );
    let ran = scenario(&source, &[]).expect_ok();
    assert_eq!(pool(&ran, "clients").leases, 2);
}

const LOADED: &str = "
scenario s {
  load { users 4; iterations 2 per user; think 10s }
  source clients
  init { log.info(\"${user.id} has ${user.ip ?? ip(\"::\")} after ${run.elapsed}\") }
  each { check host(http.get(\"${api.url}/who\").text()) == string(user.ip ?? ip(\"::\")) }
}";

#[test]
fn users_wait_for_their_address_before_init_and_in_turn() {
    let source = with_peers(&format!(
        "pool clients {{ range \"127.0.1.1-127.0.1.2\"; when exhausted wait 30s then fail }} {LOADED}"
    ));
    let ran = scenario_in_no_time(&source).expect_ok();
    let wanted = [
        "0 has 127.0.1.1 after 0s",
        "1 has 127.0.1.2 after 0s",
        "2 has 127.0.1.1 after 10s",
        "3 has 127.0.1.2 after 10s",
    ];
    assert_eq!(ran.logs, wanted);
    let clients = pool(&ran, "clients");
    assert_eq!((clients.leases, clients.peak, clients.waits), (4, 2, 2));
    assert_eq!(clients.waited, 20_000_000_000);
}

#[test]
fn a_user_without_an_address_ends_before_init() {
    let source = with_peers(&format!(
        "pool clients {{ range \"127.0.1.1-127.0.1.3\"; when exhausted wait 5s then fail }} {LOADED}"
    ));
    let ran = scenario_in_no_time(&source);
    assert_eq!((ran.logs.len(), ran.leased), (3, 0));
    let kinds: Vec<&str> = ran.errors.iter().map(|fault| fault.kind()).collect();
    assert_eq!(kinds, ["pool.exhausted"]);
    assert_eq!(pool(&ran, "clients").failed, 1);
}

#[test]
fn leases_of_iterations_end_with_their_connections() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1-127.0.1.3\"; lease per iteration; when exhausted fail }
scenario s {
  load { users 1; iterations 4 per user; think 1s }
  source clients
  init { check user.ip == none }
  each {
    let a = http.get(\"${api.url}/who\").text()
    check http.get(\"${api.url}/who\").text() == a
    log.info(host(a))
    if user.iteration == 1 { fail \"in the middle\" }
  }
}",
    );
    let ran = scenario_in_no_time(&source);
    assert!(ran.failed.is_empty(), "{:#?}", ran.failed);
    assert_eq!(
        ran.logs,
        ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.1"]
    );
    let clients = pool(&ran, "clients");
    let counts = (clients.leases, clients.peak, clients.failed, ran.leased);
    assert_eq!(counts, (4, 1, 0, 0));
}

#[test]
fn who_waits_for_an_address_stops_when_it_is_asked_to() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1\"; when exhausted wait 1h then fail }
scenario s {
  load { users 2 for 5s; think 1s; graceful stop 20s }
  source clients
  init { log.info(\"${user.id}\") }
  each { check http.get(\"${api.url}/who\").status == 200 }
  teardown { log.info(\"${run.elapsed}\") }
}",
    );
    let ran = scenario_in_no_time(&source).expect_ok();
    assert_eq!(ran.logs, ["0", "5s"]);
    // The first user's end hands the address on, to one who is asked to stop in the same instant.
    let clients = pool(&ran, "clients");
    assert_eq!((clients.leases, clients.waits, clients.failed), (2, 1, 0));
    assert_eq!(ran.leased, 0);
}

#[test]
fn phases_have_pools_of_their_own() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1-127.0.1.9\" }
pool guests { range \"127.0.2.1-127.0.2.9\"; pick sequential }
scenario s {
  load { spawn 2 at 0s; spawn 2 at 1s from guests; iterations 1 per user }
  source clients
  each { let c = tcp.connect(stream.addr); log.info(c.recv_until(\"\\n\").text().trim()) }
}",
    );
    let ran = scenario_in_no_time(&source).expect_ok();
    let mut logs = ran.logs.clone();
    logs.sort();
    assert_eq!(logs, ["127.0.1.1", "127.0.1.2", "127.0.2.1", "127.0.2.2"]);
    assert_eq!(pool(&ran, "guests").size, 9);
}

#[test]
fn users_of_several_workers_take_turns_at_one_address() {
    let source = with_peers(
        "pool clients { range \"127.0.1.1\"; when exhausted wait 30s then fail }
scenario s {
  load { users 8; iterations 2 per user }
  source clients
  each { check host(http.get(\"${api.url}/who\").text()) == \"127.0.1.1\" }
}",
    );
    let ran = scenario_on_workers(&source, 4).expect_ok();
    let clients = pool(&ran, "clients");
    let counts = (clients.leases, clients.peak, clients.failed, ran.leased);
    assert_eq!(counts, (8, 1, 0, 0));
}
