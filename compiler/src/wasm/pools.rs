//! Pools as tables of 64-bit words: how many addresses, how they are picked (0 in turn, 1 at random, 2 from the lowest),
//! for how long they are leased (0 a user, 1 an iteration, 2 a connection), how long is waited for one (-1: not at all),
//! what is done then (0 an error, 1 others' addresses, else the number of another pool + 2), how many there are of each
//! family, the library's books (0), unused; then for each run its first address (an object) and how many there are.
//! Counts are 128 bits, the low half first. The library's bodies are `pools.scn` and `leases.scn`.

use super::data::Side;
use super::unit::Unit;
use crate::ir::load::{Exhausted, Lease};
use crate::ir::{ConstObject, Pool};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First and last address, both of one family.
type Range = (IpAddr, IpAddr);

/// Writes the table of a pool; its address.
pub(super) fn write(unit: &mut Unit<'_>, pool: &Pool) -> u32 {
    let runs = runs(pool);
    let mut words = Vec::new();
    words.extend(halves(total(runs.iter())));
    words.extend([
        match pool.pick.as_str() {
            "random" => 1,
            "sequential" => 2,
            _ => 0,
        },
        match pool.lease {
            Lease::User => 0,
            Lease::Iteration => 1,
            Lease::Request => 2,
        },
        pool.wait.unwrap_or(u64::MAX),
        match pool.exhausted {
            Exhausted::Fail => 0,
            Exhausted::Share => 1,
            Exhausted::Pool(next) => u64::from(next.0) + 2,
        },
    ]);
    for is_v4 in [true, false] {
        let of_family = runs.iter().filter(|run| run.0.is_ipv4() == is_v4);
        words.extend(halves(total(of_family)));
    }
    words.extend([0, 0]);
    for run in &runs {
        let first = unit.data.object(Side::Body, &ConstObject::Ip(run.0));
        words.push(first.into());
        words.extend(halves(count(*run)));
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    unit.data.add(&bytes)
}

fn halves(count: u128) -> [u64; 2] {
    [count as u64, (count >> 64) as u64]
}

fn total<'r>(runs: impl Iterator<Item = &'r Range>) -> u128 {
    runs.fold(0, |sum: u128, run| sum.saturating_add(count(*run)))
}

/// The ranges of a pool without what is reserved.
fn runs(pool: &Pool) -> Vec<Range> {
    let reserved = pool.reserved.iter();
    reserved.fold(pool.ranges.clone(), |left, reserved| {
        let parts = left.into_iter().map(|range| without(range, *reserved));
        parts.collect::<Vec<_>>().concat()
    })
}

/// What is left of a range before and behind another.
fn without(range: Range, hole: Range) -> Vec<Range> {
    let is_v4 = range.0.is_ipv4();
    let ((from, to), (first, last)) =
        ((bits(range.0), bits(range.1)), (bits(hole.0), bits(hole.1)));
    if is_v4 != hole.0.is_ipv4() || last < from || to < first {
        return vec![range];
    }
    let before = (first > from).then(|| (range.0, address(is_v4, first - 1)));
    let behind = (last < to).then(|| (address(is_v4, last + 1), range.1));
    before.into_iter().chain(behind).collect()
}

/// How many addresses there are; all of IPv6 are one less, as on the other engines.
fn count((first, last): Range) -> u128 {
    (bits(last) - bits(first)).saturating_add(1)
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn address(is_v4: bool, bits: u128) -> IpAddr {
    match is_v4 {
        true => Ipv4Addr::from_bits(bits as u32).into(),
        false => Ipv6Addr::from_bits(bits).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> Range {
        let ip = |text: &str| text.parse().expect("an address");
        (ip(first), ip(last))
    }

    #[test]
    fn what_is_reserved_splits_ranges() {
        let ten = range("10.0.0.0", "10.0.0.9");
        for (hole, left) in [
            (
                range("10.0.0.0", "10.0.0.0"),
                vec![range("10.0.0.1", "10.0.0.9")],
            ),
            (
                range("10.0.0.9", "10.0.1.9"),
                vec![range("10.0.0.0", "10.0.0.8")],
            ),
            (
                range("10.0.0.3", "10.0.0.4"),
                vec![range("10.0.0.0", "10.0.0.2"), range("10.0.0.5", "10.0.0.9")],
            ),
            (range("10.0.0.0", "10.0.0.9"), Vec::new()),
            (range("::", "::ffff"), vec![ten]),
        ] {
            assert_eq!(without(ten, hole), left, "{hole:?}");
        }
        assert_eq!(count(ten), 10);
        let network = range("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff");
        assert_eq!(halves(count(network)), [0, 1]);
        let all = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(total([all, network].iter()), u128::MAX);
    }
}
