//! Arithmetic of a pool's addresses: runs of addresses that follow each other, however long, and the free ones.

use scn_compiler::ir::Pool;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of ranges without those reserved, in the order of the ranges. A place counts through all of them.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    runs: Vec<Run>,
    len: u128,
}

/// Addresses that follow each other: the first, and how many.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: IpAddr,
    count: u128,
}

type Range = (IpAddr, IpAddr);

impl Addresses {
    /// Those of a pool, of both families.
    pub fn of(pool: &Pool) -> Addresses {
        let reserved = pool.reserved.iter();
        let ranges = reserved.fold(pool.ranges.clone(), |left, reserved| {
            left.into_iter()
                .flat_map(|range| without(range, *reserved))
                .collect()
        });
        Addresses::from_runs(ranges.into_iter().map(|(first, last)| Run {
            first,
            count: (bits(last) - bits(first)).saturating_add(1),
        }))
    }

    fn from_runs(runs: impl Iterator<Item = Run>) -> Addresses {
        let runs: Vec<Run> = runs.collect();
        let len = runs
            .iter()
            .fold(0_u128, |sum, run| sum.saturating_add(run.count));
        Addresses { runs, len }
    }

    /// Those of one family.
    pub fn of_family(&self, is_v4: bool) -> Addresses {
        let fits = |run: &Run| run.first.is_ipv4() == is_v4;
        Addresses::from_runs(self.runs.iter().copied().filter(fits))
    }

    /// How many.
    pub fn len(&self) -> u128 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address at a place.
    pub fn at(&self, mut place: u128) -> Option<IpAddr> {
        for run in &self.runs {
            if place < run.count {
                return plus(run.first, place);
            }
            place -= run.count;
        }
        None
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

fn like(ip: IpAddr, bits: u128) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(_) => Some(Ipv4Addr::from_bits(u32::try_from(bits).ok()?).into()),
        IpAddr::V6(_) => Some(Ipv6Addr::from_bits(bits).into()),
    }
}

/// The address `n` behind another.
fn plus(ip: IpAddr, n: u128) -> Option<IpAddr> {
    like(ip, bits(ip).checked_add(n)?)
}

/// A range without another: what is left before and behind it.
fn without((from, to): Range, (first, last): Range) -> impl Iterator<Item = Range> {
    let apart = from.is_ipv4() != first.is_ipv4() || last < from || to < first;
    let before = match apart {
        true => Some((from, to)),
        false => (first > from)
            .then(|| like(first, bits(first) - 1).map(|end| (from, end)))
            .flatten(),
    };
    let behind = (!apart && last < to)
        .then(|| plus(last, 1).map(|start| (start, to)))
        .flatten();
    before.into_iter().chain(behind)
}

/// Places that are free, as gaps: what is taken splits one, what comes back joins two.
#[derive(Debug)]
pub(super) struct Free {
    /// Ends, exclusive, by starts.
    gaps: BTreeMap<u128, u128>,
}

impl Free {
    /// All of them.
    pub fn all(len: u128) -> Free {
        Free {
            gaps: (len > 0).then_some((0, len)).into_iter().collect(),
        }
    }

    /// Whether a place is free.
    pub fn has(&self, place: u128) -> bool {
        let gap = self.gaps.range(..=place).next_back();
        gap.is_some_and(|(_, end)| place < *end)
    }

    /// The first free place from one on, going on at the start behind the last.
    pub fn next_from(&self, place: u128) -> Option<u128> {
        if self.has(place) {
            return Some(place);
        }
        let behind = self.gaps.range(place..).next();
        behind
            .or_else(|| self.gaps.iter().next())
            .map(|(start, _)| *start)
    }

    /// Takes a place that is free.
    pub fn take(&mut self, place: u128) {
        let Some((&start, &end)) = self.gaps.range(..=place).next_back() else {
            return;
        };
        debug_assert!(place < end, "only free places are taken");
        self.gaps.remove(&start);
        if start < place {
            self.gaps.insert(start, place);
        }
        if place + 1 < end {
            self.gaps.insert(place + 1, end);
        }
    }

    /// Gives a place back.
    pub fn give(&mut self, place: u128) {
        debug_assert!(!self.has(place), "only taken places come back");
        let end = self.gaps.remove(&(place + 1)).unwrap_or(place + 1);
        match self.gaps.range_mut(..place).next_back() {
            Some((_, before)) if *before == place => *before = end,
            _ => {
                self.gaps.insert(place, end);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn pairs(texts: &[(&str, &str)]) -> Vec<Range> {
        texts.iter().map(|(from, to)| (ip(from), ip(to))).collect()
    }

    fn addresses(ranges: &[(&str, &str)], reserved: &[(&str, &str)]) -> Addresses {
        Addresses::of(&Pool {
            ranges: pairs(ranges),
            reserved: pairs(reserved),
            ..Pool::default()
        })
    }

    fn all(addresses: &Addresses) -> Vec<String> {
        (0..addresses.len())
            .filter_map(|place| addresses.at(place))
            .map(|ip| ip.to_string())
            .collect()
    }

    const TWO: &[(&str, &str)] = &[("10.0.0.254", "10.0.1.1"), ("::1", "::2")];

    #[test]
    fn ranges_follow_each_other() {
        let both = addresses(TWO, &[]);
        let four = ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"];
        assert_eq!(all(&both.of_family(true)), four);
        assert_eq!(all(&both.of_family(false)), ["::1", "::2"]);
        assert_eq!(all(&both), [&four[..], &["::1", "::2"]].concat());
        assert_eq!(both.at(6), None);
    }

    #[test]
    fn reserved_addresses_are_left_out() {
        let reserved = [
            ("10.0.0.255", "10.0.1.0"),
            ("::2", "::9"),
            ("192.0.2.1", "192.0.2.1"),
        ];
        let left = addresses(TWO, &reserved);
        assert_eq!(all(&left), ["10.0.0.254", "10.0.1.1", "::1"]);
        let none = addresses(TWO, &[("10.0.0.0", "10.0.255.255"), ("::", "::ffff")]);
        assert!(none.is_empty());
    }

    #[test]
    fn huge_ranges_are_only_counted() {
        let network = addresses(
            &[("2001:db8::", "2001:db8::ffff:ffff:ffff:ffff")],
            &[("2001:db8::", "2001:db8::")],
        );
        assert_eq!(network.len(), (1 << 64) - 1);
        assert_eq!(network.at(0), Some(ip("2001:db8::1")));
        let last = network.at(network.len() - 1);
        assert_eq!(last, Some(ip("2001:db8::ffff:ffff:ffff:ffff")));
        let whole = addresses(&[("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")], &[]);
        assert_eq!(whole.len(), u128::MAX);
        let ends = addresses(&[("0.0.0.0", "255.255.255.255")], &[("0.0.0.0", "0.0.0.9")]);
        assert_eq!(ends.at(0), Some(ip("0.0.0.10")));
        assert_eq!(ends.at(ends.len() - 1), Some(ip("255.255.255.255")));
    }

    #[test]
    fn gaps_split_and_join_again() {
        let mut free = Free::all(5);
        for place in [2, 0, 4] {
            free.take(place);
        }
        assert_eq!(free.gaps, BTreeMap::from([(1, 2), (3, 4)]));
        assert_eq!(free.next_from(0), Some(1));
        assert_eq!(free.next_from(2), Some(3));
        assert_eq!(free.next_from(4), Some(1));
        for place in [1, 3] {
            free.take(place);
        }
        assert_eq!(free.next_from(0), None);
        for place in [0, 4, 2, 1, 3] {
            free.give(place);
        }
        assert_eq!(free.gaps, BTreeMap::from([(0, 5)]));
        assert_eq!(Free::all(0).next_from(0), None);
    }

    #[test]
    fn a_long_random_course_agrees_with_a_plain_set() {
        let rng = crate::user::Rng::new(7);
        let (mut free, mut plain) = (Free::all(60), vec![true; 60]);
        for _ in 0..5_000 {
            let place = rng.below(60);
            match plain[place as usize] {
                true => free.take(place.into()),
                false => free.give(place.into()),
            }
            plain[place as usize] ^= true;
            let from = rng.below(60);
            let expected = (from..60).chain(0..from).find(|at| plain[*at as usize]);
            assert_eq!(free.next_from(from.into()), expected.map(u128::from));
        }
    }
}
