//! An echo of datagrams, which keeps the addresses that they came from: natively and as a component.

use super::daemon::{all_hold, all_hold_in_component};
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// The tests of this file.
pub fn trials() -> Vec<Trial> {
    vec![Trial::test("udp::echo", echo)]
}

/// The addresses that datagrams came from.
pub type Seen = Arc<Mutex<BTreeSet<IpAddr>>>;

/// Sends each datagram back for as long as the process lives.
pub fn server() -> (SocketAddr, Seen) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = socket.local_addr().expect("a bound socket has an address");
    let seen = Seen::default();
    let peers = seen.clone();
    std::thread::spawn(move || {
        let mut bytes = [0; 2048];
        while let Ok((count, peer)) = socket.recv_from(&mut bytes) {
            peers
                .lock()
                .expect("nobody fails with it")
                .insert(peer.ip());
            let _ = socket.send_to(&bytes[..count], peer);
        }
    });
    (address, seen)
}

fn echo() -> Result<(), Failed> {
    for is_component in [false, true] {
        let (address, seen) = server();
        let params = [("server", address.to_string())];
        let peer = address.to_string();
        let grants = [
            "--allow",
            &peer,
            "--source",
            "127.0.0.5",
            "--source",
            "127.9.8.0/24",
        ];
        match is_component {
            true => all_hold_in_component("udp.scn", "echo", &params, &grants)?,
            false => all_hold("udp.scn", "echo", &params)?,
        };
        were_seen(&seen);
    }
    Ok(())
}

/// Both addresses that the program sends from were seen.
pub fn were_seen(seen: &Seen) {
    let seen = seen.lock().expect("nobody fails with it").clone();
    let wanted = ["127.0.0.5", "127.9.8.7"].map(|text| text.parse().expect("it is an address"));
    assert_eq!(seen, BTreeSet::from(wanted));
}
