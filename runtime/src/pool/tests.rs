//! Policies, the queue, and what was handed out, without a run: leases of tests wait for nobody.

use super::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn pool(pick: &str, range: (&str, &str), wait: Option<u64>, exhausted: Exhausted) -> Arc<Pool> {
    let pool = ir::Pool {
        ranges: vec![(ip(range.0), ip(range.1))],
        pick: pick.to_owned(),
        wait,
        exhausted,
        ..ir::Pool::default()
    };
    Arc::new(Pool::new("clients", &pool))
}

const FOUR: (&str, &str) = ("10.0.0.0", "10.0.0.3");

/// A free address without a context, which only random pools need.
fn lease(pool: &Arc<Pool>, draw: u64) -> Option<Lease> {
    let taken = pool.lock().take_free(Family::V4, pool.pick, draw);
    taken.map(|(place, ip)| pool.lease_of(place, ip))
}

fn last(lease: &Lease) -> u8 {
    match lease.ip {
        IpAddr::V4(ip) => ip.octets()[3],
        IpAddr::V6(ip) => ip.octets()[15],
    }
}

fn turn(pool: &Arc<Pool>) -> Turn {
    let ticket = pool.lock().queue(Family::V4);
    Turn::new(pool.clone(), Family::V4, ticket)
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Count>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(turn: &mut Turn, count: &Arc<Count>) -> Option<Lease> {
    let waker = Waker::from(count.clone());
    match Pin::new(turn).poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(lease) => Some(lease),
        Poll::Pending => None,
    }
}

fn count() -> Arc<Count> {
    Arc::new(Count(AtomicUsize::new(0)))
}

#[test]
fn round_robin_goes_on_behind_the_last() {
    let pool = pool("round_robin", FOUR, None, Exhausted::Fail);
    let mut leases: Vec<Lease> = (0..3).filter_map(|_| lease(&pool, 0)).collect();
    assert_eq!(leases.iter().map(last).collect::<Vec<_>>(), [0, 1, 2]);
    leases.remove(0);
    leases.extend((0..2).filter_map(|_| lease(&pool, 0)));
    assert_eq!(leases.iter().map(last).collect::<Vec<_>>(), [1, 2, 3, 0]);
    assert!(lease(&pool, 0).is_none());
}

#[test]
fn sequential_takes_the_lowest_free_one() {
    let pool = pool("sequential", FOUR, None, Exhausted::Fail);
    let mut leases: Vec<Lease> = (0..3).filter_map(|_| lease(&pool, 0)).collect();
    leases.remove(1);
    assert_eq!(lease(&pool, 0).as_ref().map(last), Some(1));
    drop(leases);
    assert_eq!(lease(&pool, 0).as_ref().map(last), Some(0));
}

#[test]
fn random_takes_each_once_and_the_same_by_the_same_draws() {
    let course = || -> Vec<u8> {
        let pool = pool("random", ("10.0.0.0", "10.0.0.99"), None, Exhausted::Fail);
        let leases: Vec<Lease> = (0..100).filter_map(|draw| lease(&pool, draw)).collect();
        assert!(lease(&pool, 7).is_none());
        leases.iter().map(last).collect()
    };
    let first = course();
    assert_eq!(first, course());
    let sorted: Vec<u8> = (0..100).collect();
    assert_ne!(first, sorted);
    let mut each = first;
    each.sort_unstable();
    assert_eq!(each, sorted);
}

#[test]
fn a_huge_network_hands_out_without_being_written_down() {
    let range = ("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff");
    let pool = pool("random", range, None, Exhausted::Fail);
    let mut seen = std::collections::HashSet::new();
    for draw in 0..1_000 {
        let taken = pool.lock().take_free(Family::V6, pool.pick, draw);
        assert!(seen.insert(taken.expect("there are enough").1));
    }
}

#[test]
fn shared_addresses_are_those_with_the_fewest_users() {
    let pool = pool(
        "round_robin",
        ("10.0.0.0", "10.0.0.1"),
        None,
        Exhausted::Share,
    );
    let mut leases: Vec<Lease> = (0..2).filter_map(|_| lease(&pool, 0)).collect();
    leases.extend((0..3).map(|_| pool.share(Family::V4)));
    let ends: Vec<u8> = leases.iter().map(last).collect();
    assert_eq!(ends, [0, 1, 0, 1, 0]);
    leases.truncate(2);
    leases.remove(1);
    assert_eq!(lease(&pool, 0).as_ref().map(last), Some(1));
    let report = pool.report();
    assert_eq!((report.leases, report.shared, report.peak), (6, 3, 5));
    let by_address = [(ip("10.0.0.0"), 3), (ip("10.0.0.1"), 3)];
    assert_eq!(report.addresses, by_address);
}

#[test]
fn an_address_that_comes_back_goes_to_the_first_in_the_queue() {
    let pool = pool(
        "round_robin",
        ("10.0.0.0", "10.0.0.0"),
        Some(1),
        Exhausted::Fail,
    );
    let held = lease(&pool, 0).expect("one is free");
    let (mut first, mut second) = (turn(&pool), turn(&pool));
    let (woken, later) = (count(), count());
    assert!(poll(&mut first, &woken).is_none() && poll(&mut second, &later).is_none());
    drop(held);
    assert_eq!(
        (
            woken.0.load(Ordering::Relaxed),
            later.0.load(Ordering::Relaxed)
        ),
        (1, 0)
    );
    assert!(
        lease(&pool, 0).is_none(),
        "nobody gets in before those who wait"
    );
    assert!(poll(&mut second, &later).is_none());
    let got = poll(&mut first, &woken).expect("its turn has come");
    drop(got);
    assert_eq!(later.0.load(Ordering::Relaxed), 1);
    assert!(poll(&mut second, &later).is_some());
    assert!(lease(&pool, 0).is_some());
}

#[test]
fn who_leaves_the_queue_hands_on_what_was_kept() {
    let pool = pool(
        "round_robin",
        ("10.0.0.0", "10.0.0.0"),
        Some(1),
        Exhausted::Fail,
    );
    let held = lease(&pool, 0).expect("one is free");
    let (gone, called, mut last) = (turn(&pool), turn(&pool), turn(&pool));
    let woken = count();
    assert!(poll(&mut last, &woken).is_none());
    drop(gone);
    drop(held);
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    drop(called);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    drop(poll(&mut last, &woken).expect("its turn has come"));
    assert!(lease(&pool, 0).is_some());
}

#[test]
fn threads_that_share_a_pool_never_have_the_same_address() {
    let pool = pool(
        "round_robin",
        ("10.0.0.0", "10.0.0.7"),
        None,
        Exhausted::Fail,
    );
    let users: Vec<AtomicUsize> = (0..8).map(|_| AtomicUsize::new(0)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let Some(lease) = lease(&pool, 0) else {
                        continue;
                    };
                    let user = &users[usize::from(last(&lease))];
                    assert_eq!(user.fetch_add(1, Ordering::SeqCst), 0);
                    user.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    let leases: Vec<Lease> = (0..9).filter_map(|_| lease(&pool, 0)).collect();
    assert_eq!(leases.len(), 8);
}

#[test]
fn families_fit_or_the_error_says_why() {
    let mixed = Arc::new(Pool::new(
        "both",
        &ir::Pool {
            ranges: vec![(ip("10.0.0.1"), ip("10.0.0.1")), (ip("::1"), ip("::1"))],
            ..ir::Pool::default()
        },
    ));
    assert_eq!(mixed.only_family(), None);
    assert_eq!(mixed.family(Some(Family::V6)).ok(), Some(Family::V6));
    assert_eq!(mixed.family(None).ok(), Some(Family::V4));
    let four = pool("round_robin", FOUR, None, Exhausted::Fail);
    assert_eq!(four.only_family(), Some(Family::V4));
    let fault = four.family(Some(Family::V6)).expect_err("it has none");
    assert_eq!(fault.kind(), "invalid_input");
    assert!(fault.message().contains("`clients` has no IPv6 address"));
}
