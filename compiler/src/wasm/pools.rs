//! Pools as tables of 64-bit words: count of addresses, whether any is picked, count of runs, then for each run its first
//! address (an object) and how many there are. The library's body is `pools.scn`.

use super::data::Side;
use super::unit::Unit;
use crate::ir::{ConstObject, Pool};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First and last address, both of one family.
type Range = (IpAddr, IpAddr);

/// Writes the table of a pool; its address.
pub(super) fn write(unit: &mut Unit<'_>, pool: &Pool) -> u32 {
    let runs = runs(pool);
    let most = i64::MAX as u64;
    let counts = runs.iter().map(|run| count(*run));
    let all = counts.fold(0, |sum: u64, count| sum.saturating_add(count).min(most));
    let mut words = vec![all, u64::from(pool.pick == "random"), runs.len() as u64];
    for run in &runs {
        let first = unit.data.object(Side::Body, &ConstObject::Ip(run.0));
        words.extend([u64::from(first), count(*run)]);
    }
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    unit.data.add(&bytes)
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

/// How many addresses there are, as far as an int tells.
fn count((first, last): Range) -> u64 {
    let count = (bits(last) - bits(first)).saturating_add(1);
    u64::try_from(count)
        .unwrap_or(u64::MAX)
        .min(i64::MAX as u64)
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
        assert_eq!(count(range("::", "ffff::")), i64::MAX as u64);
    }
}
