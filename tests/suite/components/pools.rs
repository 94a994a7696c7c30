//! Source addresses from pools in components on the virtual clock: who has which and for how long, as in a native run.

use crate::loads::{same, told};
use crate::{Temporary, run};
use scn_tests::program::scn;
use serde_json::Value;

/// Peers that answer with the address that they were met from.
const PEERS: &str = r#"
server stream tcp "127.0.0.1:0" (conn) { conn.send("${conn.remote.ip}\n"); let _rest = conn.recv(64KiB) catch b"" }
server dgram udp "127.0.0.1:0" (socket) { loop { let (_d, from) = socket.recv_from(); socket.send_to("${from.ip}", from) } }
server api http "127.0.0.1:0" { GET "/who" { return reply(200, body: "${req.remote}") } }
fn met_from() -> string { return http.get("${api.url}/who").text().split(":")[0] }
fn shown(address: ip?) -> string { return string(address ?? ip("::")) }
"#;

/// A user that tells its address and is met from there.
const TELL: &str = r#"
  init { log.info("${user.id} has ${shown(user.ip)} after ${run.elapsed}") }
  each { check met_from() == shown(user.ip) }
}"#;

/// Runs a program with peers natively and as a component; its logs, and what it has measured.
fn agree(name: &str, text: &str) -> (Vec<String>, Value) {
    same(name, &format!("{PEERS}\n{text}"), &[])
}

fn pool<'a>(results: &'a Value, name: &str) -> &'a Value {
    let mut pools = results["pools"].as_array().into_iter().flatten();
    let found = pools.find(|pool| pool["name"] == name);
    found.unwrap_or_else(|| panic!("{name} was used: {}", results["pools"]))
}

#[test]
fn users_wait_for_their_address_in_turn_or_end_without() {
    let plan = "load { users 4; iterations 2 per user; think 10s }\n source clients";
    let (logs, results) = agree(
        "turns",
        &format!(
            "pool clients {{ range \"127.0.1.1-127.0.1.2\"; when exhausted wait 30s then fail }}\nscenario s {{ {plan} {TELL}"
        ),
    );
    assert!(logs[3].contains("3 has 127.0.1.2 after 10s"), "{logs:?}");
    assert_eq!(
        pool(&results, "clients")["waited_nanos"],
        20_000_000_000_u64
    );
    let (logs, results) = agree(
        "without",
        &format!(
            "pool clients {{ range \"127.0.1.1-127.0.1.3\"; when exhausted wait 5s then fail }}\nscenario s {{ {plan} {TELL}"
        ),
    );
    assert_eq!(
        (logs.len(), &pool(&results, "clients")["failed"]),
        (3, &1.into())
    );
    // Without `init` the address is leased before the first iteration, and outside of it.
    let (logs, _) = agree(
        "plain",
        r#"pool clients { range "127.0.1.1"; when exhausted wait 30s then fail }
           scenario s {
             load { users 3; iterations 1 per user }
             thresholds { iteration.duration max < 2s }
             source clients
             log.info("${user.id} ${shown(user.ip)} ${run.elapsed}")
             sleep 1s
           }"#,
    );
    assert!(logs[2].contains("2 127.0.1.1 2s"), "{logs:?}");
}

#[test]
fn leases_of_iterations_end_with_their_connections() {
    let (logs, results) = agree(
        "iterations",
        r#"pool clients { range "127.0.1.1-127.0.1.3"; lease per iteration; when exhausted fail }
           scenario s {
             load { users 1; iterations 4 per user; think 1s }
             source clients
             init { check user.ip == none }
             each {
               let a = http.get("${api.url}/who").text()
               check http.get("${api.url}/who").text() == a
               log.info("${user.iteration} ${a.split(":")[0]}")
               if user.iteration == 1 { fail "in the middle" }
             }
           }"#,
    );
    assert!(logs[3].contains("3 127.0.1.1"), "{logs:?}");
    assert_eq!(pool(&results, "clients")["peak"], 1);
}

#[test]
fn who_waits_for_an_address_stops_when_it_is_asked_to() {
    let (_, results) = agree(
        "stops",
        r#"pool clients { range "127.0.1.1"; when exhausted wait 1h then fail }
           scenario s {
             load { users 2 for 5s; think 1s; graceful stop 20s }
             source clients
             init { log.info("${user.id}") }
             each { check met_from() == "127.0.1.1" }
             teardown { log.info("${run.elapsed}") }
           }"#,
    );
    // The first user's end hands the address on, to one who is asked to stop in the same instant.
    assert_eq!(pool(&results, "clients")["leases"], 2);
}

#[test]
fn queues_and_chains() {
    agree(
        "queues",
        r#"pool clients { range "127.0.1.1"; lease per request; when exhausted wait 30s then spare }
           pool spare { range "127.0.3.1"; lease per request; when exhausted wait 5s then fail }
           scenario s {
             load { users 1; iterations 1 per user }
             source clients
             let began = time.now()
             parallel {
               do { let c = tcp.connect(stream.addr); check c.local.ip == ip("127.0.1.1"); sleep 10s }
               do {
                 sleep 1s
                 let c = tcp.connect(stream.addr, timeout: 2s)
                 check c.local.ip == ip("127.0.1.1")
                 check time.since(began) == 10s
                 sleep 60s
               }
               do {
                 sleep 2s
                 check met_from() == "127.0.3.1"
                 check time.since(began) == 32s
               }
             }
             let a = tcp.connect(stream.addr)
             let b = tcp.connect(stream.addr)
             check b.local.ip == ip("127.0.3.1")
             let c = do { tcp.connect(stream.addr); "connected" } catch e { "${e.kind}: ${e.message}" }
             check c == "pool.exhausted: the only address of the pool `spare` is leased, and none came back within 5s"
             let d = do { timeout 3s { tcp.connect(stream.addr); "connected" } } catch e { e.kind }
             check d == "timeout"
             check a.remote == b.remote
           }"#,
    );
}

#[test]
fn phases_have_pools_of_their_own_and_picks_are_the_same() {
    let (logs, _) = agree(
        "phases",
        r#"pool clients { range "127.0.1.1-127.0.1.9" }
           pool guests { range "127.0.2.1-127.0.2.9"; pick sequential }
           scenario s {
             load { spawn 2 at 0s; spawn 2 at 1s from guests; iterations 1 per user }
             source clients
             each { let c = tcp.connect(stream.addr); log.info(c.recv_until("\n").text().trim()) }
           }"#,
    );
    assert!(logs[3].contains("127.0.2.2"), "{logs:?}");
    agree(
        "random",
        r#"pool clients { range "127.0.1.0/24"; reserve "127.0.1.7-127.0.1.80"; pick random; lease per iteration }
           pool wide { range "2001:db8::/48"; reserve "2001:db8:0:1::/64"; pick random }
           scenario s {
             load { users 5; iterations 8 per user; think 100ms..900ms }
             source clients
             each { log.info("${user.id} ${user.iteration} ${shown(user.ip)} ${wide.next()} ${clients.next()}") }
           }"#,
    );
}

#[test]
fn every_protocol_comes_from_the_users_address() {
    agree(
        "protocols",
        r#"pool clients { range "127.0.1.8/30"; reserve "127.0.1.8" }
           scenario s {
             load { users 2; iterations 2 per user }
             source clients
             let address = shown(user.ip)
             check tcp.connect(stream.addr).recv_until("\n").text().trim() == address
             let u = udp.connect(dgram.addr)
             u.send("?")
             check u.recv().text() == address
             let raw = socket.create(ipv4, tcp)
             raw.connect(stream.addr)
             check raw.receive(64).text().trim() == address
             check met_from() == address
             check tcp.connect(stream.addr, bind: ip("127.0.0.9")).local.ip == ip("127.0.0.9")
           }"#,
    );
}

/// Users of instances have the addresses that they would have in one; those of no pool are had by two.
#[test]
fn instances_share_a_pool() {
    let text = r#"
pool clients { range "127.0.1.1-127.0.1.6"; range "127.0.2.1-127.0.2.5"; when exhausted fail }
pool few { range "127.0.5.1-127.0.5.2"; when exhausted fail }
scenario s {
  load { users 11; iterations 1 per user }
  source clients
  log.info("${user.id} ${shown(user.ip)} ${met_from()}")
}
scenario t {
  load { users 4; iterations 1 per user }
  source few
  log.info("few")
  sleep 1s
}"#;
    let source = Temporary::new("instances.scn", format!("{PEERS}\n{text}").as_bytes());
    let component = Temporary::new("instances.wasm", b"");
    let built = scn(["build", &source.shown(), "-o", &component.shown()]);
    assert_eq!(built.status, 0, "{}", built.err);
    let options = ["--json", "--virtual-clock", "--allow-all", "--instances"];
    let tell = |count: &str| told(&run(&component, &[&options[..], &[count]].concat()));
    let (one, four) = (tell("1"), tell("4"));
    assert_eq!(one.0.len(), 13);
    assert_eq!(one.0, four.0);
    for results in [&one.1, &four.1] {
        let (clients, few) = (pool(results, "clients"), pool(results, "few"));
        assert_eq!(
            (&clients["leases"], &clients["failed"]),
            (&11.into(), &0.into())
        );
        assert_eq!((&few["leases"], &few["failed"]), (&2.into(), &2.into()));
        assert_eq!(clients["addresses"].as_array().map(Vec::len), Some(11));
    }
}

#[test]
fn addresses_have_to_be_granted() {
    let text = r#"
pool clients { range "127.0.1.0/26"; reserve "127.0.1.0"; lease per request; when exhausted fail }
scenario s {
  source clients
  let kinds = [do { tcp.connect("127.0.0.1:1"); "" } catch e { e.kind } for _ in 0..3]
  check kinds == ["access_denied", "access_denied", "access_denied"]
}"#;
    let source = Temporary::new("denied.scn", text.as_bytes());
    let component = Temporary::new("denied.wasm", b"");
    let built = scn(["build", &source.shown(), "-o", &component.shown()]);
    assert_eq!(built.status, 0, "{}", built.err);
    let denied = run(&component, &["--allow", "127.0.0.1:*"]);
    assert_eq!(denied.status, 0, "{}", denied.out);
    let help = "denied: the component wanted to bind 127.0.1.1:0\n  help: grant it by --source 127.0.1.0-127.0.1.63\n";
    assert_eq!(denied.err, help);
    let granted = run(
        &component,
        &["--allow", "127.0.0.1:*", "--source", "127.0.1.0/26"],
    );
    assert!(
        granted.out.contains("connection_refused"),
        "{}",
        granted.out
    );
    let shown = scn(["inspect", &component.shown()]);
    let source = "from 127.0.1.0-127.0.1.63 by pool clients";
    assert!(shown.out.contains(source), "{}", shown.out);
}

/// What a user has from a pool and what is masked for it are beside each other in its record.
#[test]
fn users_with_addresses_have_secrets() {
    let (logs, _) = agree(
        "secretive",
        r#"pool clients { range "127.0.1.1-127.0.1.2" }
scenario s {
  load { users 2; iterations 2 per user; think 10s }
  source clients
  init {
    let token = secret("hush-${user.id}")
    log.info("hush-${user.id}, ${token.len()} long, from ${shown(user.ip)}")
  }
  each { check met_from() == shown(user.ip) }
}"#,
    );
    assert!(logs[0].contains("***, 6 long, from 127.0.1.1"), "{logs:?}");
}
