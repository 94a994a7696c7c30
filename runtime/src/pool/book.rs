//! A pool's book: free and leased places, the queue, and what was handed out. Everything here is under the pool's lock.

use super::addresses::{Addresses, Free};
use super::{Family, Pick, spread};
use crate::report::PoolReport;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::task::Waker;

/// Addresses that are counted one by one.
const COUNTED: usize = 1_000;

/// Random places that are tried before the next free one behind the last is taken.
const TRIES: u64 = 16;

/// What a pool knows.
pub(super) struct Book {
    v4: Ledger,
    v6: Ledger,
    /// The next ticket of the queue.
    next: u64,
    /// What was handed out.
    pub stats: Stats,
}

/// The same for one family.
struct Ledger {
    addresses: Addresses,
    free: Free,
    /// Where the next address is looked for.
    cursor: u128,
    /// How many have each leased place.
    holders: HashMap<u128, u32>,
    /// The same, fewest first; only kept where addresses may be shared.
    fewest: Option<BTreeSet<(u32, u128)>>,
    /// Who waits, by ticket.
    queue: BTreeMap<u64, Waker>,
    /// Places for those whose turn came.
    called: HashMap<u64, u128>,
}

/// Counts for the report.
#[derive(Default)]
pub(super) struct Stats {
    leases: u64,
    /// Leases that have not come back.
    pub out: u64,
    peak: u64,
    waits: u64,
    /// Nanoseconds.
    pub waited: u64,
    shared: u64,
    /// Leases that went to another pool.
    pub fell_back: u64,
    /// Leases that were refused.
    pub failed: u64,
    by_address: HashMap<IpAddr, u64>,
}

impl Book {
    pub fn new(all: &Addresses, shares: bool) -> Book {
        Book {
            v4: Ledger::new(all.of_family(true), shares),
            v6: Ledger::new(all.of_family(false), shares),
            next: 0,
            stats: Stats::default(),
        }
    }

    /// Addresses of a family.
    pub fn len(&self, family: Family) -> u128 {
        match family {
            Family::V4 => self.v4.addresses.len(),
            Family::V6 => self.v6.addresses.len(),
        }
    }

    fn ledger(&mut self, family: Family) -> &mut Ledger {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    /// Leases a free place.
    pub fn take_free(&mut self, family: Family, pick: Pick, draw: u64) -> Option<(u128, IpAddr)> {
        let ledger = self.ledger(family);
        let place = ledger.choose(pick, draw)?;
        ledger.free.take(place);
        ledger.hold(place);
        self.lend(family, place)
    }

    /// Leases a place that others have, those with the fewest holders first.
    pub fn share(&mut self, family: Family) -> (u128, IpAddr) {
        let ledger = self.ledger(family);
        let fewest = ledger.fewest.as_ref().and_then(BTreeSet::first);
        let place = fewest.map(|(_, place)| *place);
        let place = place.expect("an exhausted pool has leased all its addresses");
        ledger.hold(place);
        self.stats.shared += 1;
        self.lend(family, place)
            .expect("a leased place has an address")
    }

    fn lend(&mut self, family: Family, place: u128) -> Option<(u128, IpAddr)> {
        let ip = self.ledger(family).addresses.at(place)?;
        self.stats.lend(ip);
        Some((place, ip))
    }

    /// Takes a place in the queue.
    pub fn queue(&mut self, family: Family) -> u64 {
        let ticket = self.next;
        self.next += 1;
        self.stats.waits += 1;
        let queue = &mut self.ledger(family).queue;
        queue.insert(ticket, Waker::noop().clone());
        ticket
    }

    /// What was kept for a ticket; if nothing yet, whom to wake.
    pub fn claim(&mut self, family: Family, ticket: u64, waker: &Waker) -> Option<(u128, IpAddr)> {
        let ledger = self.ledger(family);
        if let Some(place) = ledger.called.remove(&ticket) {
            return self.lend(family, place);
        }
        if let Some(known) = ledger.queue.get_mut(&ticket) {
            known.clone_from(waker);
        }
        None
    }

    /// Leaves the queue; what was kept for the ticket goes to the next, who is to be woken.
    pub fn leave(&mut self, family: Family, ticket: u64) -> Option<Waker> {
        let ledger = self.ledger(family);
        ledger.queue.remove(&ticket);
        let place = ledger.called.remove(&ticket)?;
        ledger.give_back(place)
    }

    /// Takes a lease back, and says who is to be woken.
    pub fn release(&mut self, place: u128, family: Family) -> Option<Waker> {
        self.stats.out -= 1;
        self.ledger(family).give_back(place)
    }
}

impl Ledger {
    fn new(addresses: Addresses, shares: bool) -> Ledger {
        Ledger {
            free: Free::all(addresses.len()),
            addresses,
            cursor: 0,
            holders: HashMap::new(),
            fewest: shares.then(BTreeSet::new),
            queue: BTreeMap::new(),
            called: HashMap::new(),
        }
    }

    fn choose(&mut self, pick: Pick, draw: u64) -> Option<u128> {
        match pick {
            Pick::Sequential => self.free.next_from(0),
            Pick::RoundRobin => {
                let place = self.free.next_from(self.cursor)?;
                self.cursor = (place + 1) % self.addresses.len();
                Some(place)
            }
            Pick::Random => {
                let len = self.addresses.len();
                let mut places = (0..TRIES).map(|n| spread(draw, n).checked_rem(len));
                let found = places.find(|place| place.is_some_and(|place| self.free.has(place)));
                found
                    .flatten()
                    .or_else(|| self.free.next_from(spread(draw, 0).checked_rem(len)?))
            }
        }
    }

    fn hold(&mut self, place: u128) {
        let count = self.holders.entry(place).or_default();
        *count += 1;
        if let Some(fewest) = &mut self.fewest {
            fewest.remove(&(*count - 1, place));
            fewest.insert((*count, place));
        }
    }

    /// One holder less. The last one's place goes to the first in the queue, else it is free.
    fn give_back(&mut self, place: u128) -> Option<Waker> {
        let Some(count) = self.holders.get_mut(&place) else {
            debug_assert!(false, "only leased places come back");
            return None;
        };
        if *count == 1
            && let Some((ticket, waker)) = self.queue.pop_first()
        {
            self.called.insert(ticket, place);
            return Some(waker);
        }
        *count -= 1;
        let left = *count;
        if let Some(fewest) = &mut self.fewest {
            fewest.remove(&(left + 1, place));
            if left > 0 {
                fewest.insert((left, place));
            }
        }
        if left == 0 {
            self.holders.remove(&place);
            self.free.give(place);
        }
        None
    }
}

impl Stats {
    fn lend(&mut self, ip: IpAddr) {
        self.leases += 1;
        self.out += 1;
        self.peak = self.peak.max(self.out);
        if self.by_address.len() < COUNTED || self.by_address.contains_key(&ip) {
            *self.by_address.entry(ip).or_default() += 1;
        }
    }

    pub fn report(&self, name: &str, size: u64) -> PoolReport {
        let mut addresses: Vec<(IpAddr, u64)> = self
            .by_address
            .iter()
            .map(|(ip, count)| (*ip, *count))
            .collect();
        addresses.sort_by_key(|(ip, count)| (std::cmp::Reverse(*count), *ip));
        PoolReport {
            name: name.to_owned(),
            size,
            leases: self.leases,
            peak: self.peak,
            waits: self.waits,
            waited: self.waited,
            shared: self.shared,
            fell_back: self.fell_back,
            failed: self.failed,
            addresses,
        }
    }
}
