//! Pools of addresses.

use crate::{ip, raise};
use scn_compiler::ir::{GlobalKind, Pool};
use scn_runtime::{Ctx, Fault, NativeDef, ready};
use std::net::IpAddr;
use std::sync::atomic::Ordering;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![ready("pool.next", next), ready("pool.len", len)]
}

fn pool(ctx: &Ctx, global: i64) -> &Pool {
    match &ctx.linked().program.globals[global as usize].kind {
        GlobalKind::Pool(pool) => pool,
        other => unreachable!("the checker lets only pools be receivers here, this is {other:?}"),
    }
}

/// Addresses that follow each other: the first, and how many.
type Run = (IpAddr, u128);

/// The ranges without what is reserved, in order.
fn runs(pool: &Pool) -> Vec<Run> {
    let mut free: Vec<(IpAddr, IpAddr)> = pool.ranges.clone();
    for (from, to) in &pool.reserved {
        free = free
            .into_iter()
            .flat_map(|range| without(range, (*from, *to)))
            .collect();
    }
    free.into_iter()
        .map(|(from, to)| (from, ip::distance(from, to) + 1))
        .collect()
}

/// A range without another: what is left before and behind it.
fn without((from, to): (IpAddr, IpAddr), (first, last): (IpAddr, IpAddr)) -> Vec<(IpAddr, IpAddr)> {
    let apart = from.is_ipv4() != first.is_ipv4() || last < from || to < first;
    if apart {
        return vec![(from, to)];
    }
    let before = (first > from)
        .then(|| ip::plus(first, -1))
        .flatten()
        .map(|end| (from, end));
    let behind = (last < to)
        .then(|| ip::plus(last, 1))
        .flatten()
        .map(|start| (start, to));
    before.into_iter().chain(behind).collect()
}

fn total(runs: &[Run]) -> u128 {
    runs.iter()
        .fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// The address at a place, counted through all runs.
fn address(runs: &[Run], mut place: u128) -> Option<IpAddr> {
    for (first, count) in runs {
        if place < *count {
            return ip::offset(*first, place);
        }
        place -= count;
    }
    None
}

fn next(ctx: &Ctx, global: i64) -> Result<IpAddr, Fault> {
    let pool = pool(ctx, global);
    let runs = runs(pool);
    let total = total(&runs);
    let place = match pool.pick.as_str() {
        "random" => ctx
            .random_below(u64::try_from(total).unwrap_or(u64::MAX))
            .into(),
        _ => u128::from(
            ctx.linked()
                .cursor(global as u32)
                .fetch_add(1, Ordering::Relaxed),
        ),
    };
    let found = place
        .checked_rem(total)
        .and_then(|place| address(&runs, place));
    found.ok_or_else(|| raise::argument("the pool has no addresses"))
}

fn len(ctx: &Ctx, global: i64) -> i64 {
    i64::try_from(total(&runs(pool(ctx, global)))).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn example(reserved: &[(&str, &str)]) -> Vec<Run> {
        runs(&Pool {
            ranges: vec![(ip("10.0.0.254"), ip("10.0.1.1")), (ip("::1"), ip("::2"))],
            reserved: reserved
                .iter()
                .map(|(from, to)| (ip(from), ip(to)))
                .collect(),
            pick: "round_robin".to_owned(),
            ..Pool::default()
        })
    }

    fn all(runs: &[Run]) -> Vec<String> {
        (0..total(runs))
            .filter_map(|place| address(runs, place))
            .map(|ip| ip.to_string())
            .collect()
    }

    #[test]
    fn ranges_follow_each_other() {
        let addresses = [
            "10.0.0.254",
            "10.0.0.255",
            "10.0.1.0",
            "10.0.1.1",
            "::1",
            "::2",
        ];
        assert_eq!(all(&example(&[])), addresses);
        assert_eq!(address(&example(&[]), 6), None);
    }

    #[test]
    fn reserved_addresses_are_left_out() {
        let runs = example(&[
            ("10.0.0.255", "10.0.1.0"),
            ("::2", "::9"),
            ("192.0.2.1", "192.0.2.1"),
        ]);
        assert_eq!(all(&runs), ["10.0.0.254", "10.0.1.1", "::1"]);
        assert_eq!(
            total(&example(&[("10.0.0.0", "10.0.255.255"), ("::", "::ffff")])),
            0
        );
    }
}
