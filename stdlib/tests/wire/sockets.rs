//! `tcp`, `udp`, `socket` and `dns` on loopback.

use crate::harness::{Act, Peer, against, say, scenario};
use std::net::{TcpListener, UdpSocket};

#[test]
fn a_dialogue_by_lines_and_lengths() {
    let script = vec![
        say("220 hi\r\n\x00\x05hel"),
        Act::Await(b"\n"),
        say("lorest"),
        Act::Stall,
    ];
    let peer = Peer::start(vec![script]);
    let body = "
        let c = tcp.connect(\"127.0.0.1:${port}\", bind: ip(\"127.0.0.3\"), timeout: 5s)
        check c.recv_until(b\"\\r\\n\") == b\"220 hi\\r\\n\"
        let n = c.recv_exact(2).read_u16be(0)
        c.send(\"go\\n\")
        check c.recv_exact(n) == b\"hello\"
        check c.recv(2) == b\"re\"
        check c.recv_exact(2) == b\"st\"
        check \"${c.local}\" contains \"127.0.0.3\"
        c.close()
        let again = c.recv(1) catch e { check e.kind == \"invalid_input\"; b\"\" }
        check again.is_empty()";
    against(peer.addr, body).expect_ok();
    let seen = peer.seen();
    assert_eq!(
        (
            seen[0].read.as_str(),
            seen[0].from.ip().to_string().as_str()
        ),
        ("go\n", "127.0.0.3")
    );
}

#[test]
fn early_ends_stalls_and_resets_have_their_kinds() {
    let kind = |script: Vec<Act>, call: &str| {
        let peer = Peer::start(vec![script]);
        let body = format!(
            "let c = tcp.connect(\"127.0.0.1:${{port}}\")\n let d = {call} catch e {{ log.info(e.kind); b\"\" }}\n check d.is_empty()"
        );
        against(peer.addr, &body).expect_ok().logs.join(",")
    };
    assert_eq!(
        kind(vec![say("ab")], "c.recv_exact(3)"),
        "connection_aborted"
    );
    assert_eq!(
        kind(vec![say("ab")], "c.recv_until(\"\\n\")"),
        "connection_aborted"
    );
    assert_eq!(
        kind(
            vec![say("abcdef"), Act::Stall],
            "c.recv_until(\"\\n\", max: 4)"
        ),
        "invalid_input"
    );
    assert_eq!(kind(vec![Act::Stall], "c.recv(timeout: 20ms)"), "timeout");
    assert_eq!(
        kind(
            vec![Act::Take(1), Act::Reset],
            "do { c.send(\"x\"); c.recv() }"
        ),
        "connection_reset"
    );
    assert_eq!(kind(vec![], "c.recv()"), "");
}

#[test]
fn foreign_and_mixed_source_addresses_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let body = "
        let a = tcp.connect(\"127.0.0.1:${port}\", bind: ip(\"192.0.2.77\")) catch e { log.info(\"${e.kind} ${e.message}\"); none }
        let b = tcp.connect(\"127.0.0.1:${port}\", bind: ip(\"::1\")) catch e { log.info(e.kind); none }";
    let ran = against(listener.local_addr().expect("it is bound"), body).expect_ok();
    assert!(
        ran.logs[0].starts_with("address_not_available 192.0.2.77 is no address of this machine"),
        "{:?}",
        ran.logs
    );
    assert!(ran.logs[0].contains("ip_nonlocal_bind"));
    assert_eq!(ran.logs[1], "invalid_input");
}

#[test]
fn scenarios_can_listen_themselves() {
    let source = "scenario s {
        let l = tcp.listen(\"127.0.0.1:0\")
        parallel {
            let a = do { let c = l.accept(timeout: 5s); let d = c.recv_exact(2); c.send(d); d }
            let b = do { let c = tcp.connect(l.local); c.send(b\"hi\"); c.recv_exact(2) }
        }
        check a == b
    }";
    scenario(source, &[]).expect_ok();
}

#[test]
fn datagrams_go_both_ways() {
    let source = "scenario s {
        let a = udp.bind(\"127.0.0.1:0\", timeout: 5s)
        let b = udp.connect(a.local, bind: ip(\"127.0.0.4\"), timeout: 5s)
        b.send(\"hello\")
        let (data, from) = a.recv_from()
        check data == b\"hello\"
        check from == b.local
        a.send_to(b\"back\", from)
        check b.recv() == b\"back\"
        let late = b.recv(timeout: 20ms) catch e { check e.kind == \"timeout\"; b\"\" }
        check late.is_empty()
    }";
    scenario(source, &[]).expect_ok();
}

#[test]
fn the_low_level_layer_does_what_the_system_does() {
    let source = "scenario s {
        let l = socket.create(socket.Family.ipv4, socket.Protocol.tcp)
        l.set_reuse_address(true)
        l.bind(addr(\"127.0.0.1:0\"))
        l.listen()
        let c = socket.create(socket.Family.ipv4, socket.Protocol.tcp)
        c.connect(l.local_address())
        let s = l.accept()
        check s.peer_address() == c.local_address()
        check c.send(\"hello\") == 5
        check s.receive(3) == b\"hel\"
        check s.receive(64) == b\"lo\"
        s.set_read_timeout(0s)
        let nothing = s.receive(1) catch e { check e.kind == \"would_block\"; b\"\" }
        s.set_read_timeout(20ms)
        let late = s.receive(1) catch e { check e.kind == \"timeout\"; b\"\" }
        check nothing == late
        c.shutdown(socket.Direction.write)
        s.set_read_timeout(none)
        check s.receive(1).is_empty()
        l.close()
        let refused = do {
            let d = socket.create(socket.Family.ipv4, socket.Protocol.tcp)
            d.connect(addr(\"127.0.0.1:1\"))
            \"\"
        } catch e { e.kind }
        check refused == \"connection_refused\"
        let d = socket.create(socket.Family.ipv4, socket.Protocol.udp)
        d.bind(addr(\"127.0.0.1:0\"))
        let e = socket.create(socket.Family.ipv4, socket.Protocol.udp)
        check e.send_to(b\"dgram\", d.local_address()) == 5
        let (data, from) = d.receive_from()
        check data == b\"dgram\"
        let used = socket.create(socket.Family.ipv4, socket.Protocol.udp)
        let taken = do { used.bind(d.local_address()); \"\" } catch err { err.kind }
        check taken == \"address_in_use\"
        check socket.resolve(\"127.0.0.1\")[0] == ip(\"127.0.0.1\")
        check from.ip == ip(\"127.0.0.1\")
    }";
    scenario(source, &[]).expect_ok();
}

/// Makes an answer of a question.
type Answer = fn(&[u8]) -> Vec<u8>;

/// A DNS server that answers each question with these bytes behind the question's number.
fn dns_server(answers: Vec<Answer>) -> std::net::SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let addr = socket.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        for answer in answers {
            let Ok((len, from)) = socket.recv_from(&mut buffer) else {
                return;
            };
            let _ = socket.send_to(&answer(&buffer[..len]), from);
        }
    });
    addr
}

/// The question as an answer with this code, and one address record if there is one.
fn reply(question: &[u8], code: u8, record: &[u8]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] = 0x81;
    answer[3] = 0x80 | code;
    answer[7] = u8::from(!record.is_empty());
    answer.extend_from_slice(record);
    answer
}

/// `192.0.2.5` for the name at offset 12.
const RECORD: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 5];

#[test]
fn a_name_server_is_asked_directly() {
    let body = "
        let found = dns.resolve(\"www.a.test\", server: \"127.0.0.1:${port}\")
        check found.len() == 1
        check found[0] == ip(\"192.0.2.5\")";
    let server = dns_server(vec![|q| reply(q, 0, RECORD), |q| reply(q, 0, &[])]);
    against(server, body).expect_ok();
    let refuses_ipv6 = dns_server(vec![|q| reply(q, 0, RECORD), |q| reply(q, 5, &[])]);
    against(refuses_ipv6, body).expect_ok();
}

#[test]
fn failures_of_name_servers_have_their_kinds() {
    let kind = |answers: Vec<Answer>| {
        let body = "
            let found = dns.resolve(\"www.a.test\", server: \"127.0.0.1:${port}\", timeout: 200ms) catch e { log.info(e.kind); [] }
            check found.is_empty()";
        against(dns_server(answers), body)
            .expect_ok()
            .logs
            .join(",")
    };
    assert_eq!(kind(vec![|q| reply(q, 3, &[])]), "dns.not_found");
    assert_eq!(
        kind(vec![|q| reply(q, 2, &[]), |q| reply(q, 2, &[])]),
        "dns.server_failure"
    );
    assert_eq!(
        kind(vec![|q| reply(q, 0, &[]), |q| reply(q, 0, &[])]),
        "dns.not_found"
    );
    assert_eq!(
        kind(vec![|q| q[..2].to_vec(), |q| q[..2].to_vec()]),
        "dns.protocol"
    );
    // An answer to another question is passed over, and no other comes.
    assert_eq!(
        kind(vec![|q| [&[q[0] ^ 1], &reply(q, 0, RECORD)[1..]].concat()]),
        "dns.timeout"
    );
}

#[test]
fn literals_and_names_of_the_system() {
    let source = "scenario s {
        check dns.resolve(\"::1\")[0] == ip(\"::1\")
        check dns.resolve(\"localhost\").len() > 0
        let none_such = dns.resolve(\"a..b\") catch e { check e.kind == \"dns.invalid_name\"; [] }
        check none_such.is_empty()
    }";
    scenario(source, &[]).expect_ok();
}
