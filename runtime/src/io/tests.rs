//! Tests of the reactor on real sockets.

use super::*;
use crate::timer::monotonic;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::pin::pin;
use std::task::{Context, Poll};

/// Drives one future by the reactor alone.
fn block_on<F: Future>(reactor: &Reactor, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        reactor.poll(true, true).expect("polling works");
    }
}

fn pair(reactor: &Reactor) -> (Io, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let ours =
        TcpStream::connect(listener.local_addr().expect("bound")).expect("the listener is there");
    ours.set_nonblocking(true)
        .expect("a socket can be non-blocking");
    let (theirs, _) = listener.accept().expect("somebody has connected");
    (
        reactor
            .register(ours.into(), false)
            .expect("the reactor takes a socket"),
        theirs,
    )
}

fn collect(reactor: &Reactor, io: &Io) -> Vec<u8> {
    let mut all = Vec::new();
    let result = block_on(
        reactor,
        io.receive(|data: &[u8]| {
            all.extend_from_slice(data);
            if data.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }),
    );
    result.expect("the stream ends without an error");
    all
}

#[test]
fn a_large_send_waits_for_the_reader_and_arrives_whole() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    let (io, mut theirs) = pair(&reactor);
    let bytes: Vec<u8> = (0..8_000_000u32).map(|n| (n % 251) as u8).collect();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        theirs.read_to_end(&mut all).expect("the stream ends");
        all
    });
    block_on(&reactor, io.send(&bytes)).expect("all is sent");
    drop(io);
    assert!(reader.join().expect("the reader ends") == bytes);
    assert_eq!(reactor.sockets(), 0);
}

#[test]
fn data_and_end_in_one_event_are_both_seen() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    let (io, mut theirs) = pair(&reactor);
    theirs.write_all(b"bye").expect("sent");
    drop(theirs);
    assert_eq!(collect(&reactor, &io), b"bye");
    assert!(io.is_ended());
}

#[test]
fn more_than_a_buffer_arrives_in_order() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    let (io, mut theirs) = pair(&reactor);
    let bytes: Vec<u8> = (0..5 * RECEIVE_BUFFER).map(|n| (n % 253) as u8).collect();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || theirs.write_all(&sent).expect("sent"));
    assert!(collect(&reactor, &io) == bytes);
    writer.join().expect("the writer ends");
}

#[test]
fn a_virtual_clock_jumps_to_the_next_timer() {
    let reactor = Reactor::new(Clock::Virtual(5)).expect("a reactor");
    let hour = 3_600_000_000_000;
    reactor.insert_timer(hour, Target::Wake(Waker::noop().clone()));
    reactor.poll(true, true).expect("polling works");
    assert_eq!(reactor.now(), hour);
    assert!(reactor.pop_timer(hour).is_some());
}

#[test]
fn a_real_timer_wakes_the_poll_after_its_time() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    let at = monotonic() + 300_000;
    reactor.insert_timer(at, Target::Wake(Waker::noop().clone()));
    while reactor.pop_timer(reactor.now()).is_none() {
        reactor.poll(true, true).expect("polling works");
    }
    assert!(monotonic() >= at);
}

#[test]
fn a_reused_place_does_not_see_events_of_the_socket_before() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    let (first, mut theirs) = pair(&reactor);
    theirs.write_all(b"for the first").expect("sent");
    // The event of the first socket is in the kernel's queue when its place is taken over.
    drop(first);
    let (second, _theirs) = pair(&reactor);
    reactor.poll(false, false).expect("polling works");
    assert!(!second.is_readable());
}

#[test]
fn a_datagram_comes_with_its_sender() {
    let reactor = Reactor::new(Clock::Real).expect("a reactor");
    for local in ["127.0.0.1:0", "[::1]:0"] {
        let ours = std::net::UdpSocket::bind(local).expect("a free port");
        ours.set_nonblocking(true)
            .expect("a socket can be non-blocking");
        let theirs = std::net::UdpSocket::bind(local).expect("a free port");
        theirs
            .send_to(b"hello", ours.local_addr().expect("bound"))
            .expect("loopback takes it");
        let io = reactor
            .register(ours.into(), false)
            .expect("the reactor takes a socket");
        let mut buffer = [0; 4];
        let got = block_on(
            &reactor,
            io.operate(Direction::Read, |_| io.try_receive_from(&mut buffer)),
        );
        let sender = theirs.local_addr().expect("bound");
        assert_eq!(got.expect("it has arrived"), (4, sender));
        assert_eq!(&buffer, b"hell");
    }
}
