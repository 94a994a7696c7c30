//! Pools of source addresses: who has which, who waits, what is done when none is free.
//!
//! One for each `pool` of the program, shared by all workers: a mutex each, taken at the rate of leases. A [`Lease`]
//! gives its address back when it is dropped, on whatever path. Waiting strands stand in a queue, and an address that
//! comes back goes to the first of them. Enter at [`Pools::lease`]; which user has which lease is in `source.rs`.

mod addresses;
mod book;
mod turn;

pub use addresses::Addresses;

use crate::fault::{Fault, kind};
use crate::host::Cx;
use crate::object::text;
use crate::report::PoolReport;
use book::Book;
use scn_compiler::ir::load::{Exhausted, Lease as Kind};
use scn_compiler::ir::{self, GlobalId, GlobalKind};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use turn::Turn;

/// Families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// That of an address.
    pub fn of(ip: IpAddr) -> Family {
        if ip.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        })
    }
}

/// In which order addresses are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pick {
    /// The next after the last.
    RoundRobin,
    /// Any, by the random numbers of the user.
    Random,
    /// The lowest that is free.
    Sequential,
}

/// The pools of a program, by global.
#[derive(Debug, Default)]
pub struct Pools(Vec<Option<Arc<Pool>>>);

/// A pool.
pub struct Pool {
    name: String,
    kind: Kind,
    pick: Pick,
    wait: Option<u64>,
    exhausted: Exhausted,
    /// All addresses, of both families.
    all: Addresses,
    /// Whether there are IPv4 and IPv6 addresses.
    families: (bool, bool),
    book: Mutex<Book>,
}

/// An address that somebody has. It goes back when this is dropped.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    place: u128,
    /// The address.
    pub ip: IpAddr,
}

impl Pools {
    /// Those of a program, with nothing handed out.
    pub fn new(program: &ir::Program) -> Pools {
        let pool = |global: &ir::Global| match &global.kind {
            GlobalKind::Pool(pool) => Some(Arc::new(Pool::new(&global.name, pool))),
            _ => None,
        };
        Pools(program.globals.iter().map(pool).collect())
    }

    /// The pool of a global.
    ///
    /// # Panics
    /// If the global is none.
    pub fn pool(&self, id: GlobalId) -> &Arc<Pool> {
        self.0[id.index()]
            .as_ref()
            .expect("the checker lets only pools be sources")
    }

    /// What pools that were used have handed out.
    pub fn reports(&self) -> Vec<PoolReport> {
        let pools = self.0.iter().flatten();
        pools
            .map(|pool| pool.report())
            .filter(|report| report.leases > 0 || report.failed > 0 || report.fell_back > 0)
            .collect()
    }

    /// How many leases are out, those of shared addresses counted each.
    pub fn leased(&self) -> u64 {
        let pools = self.0.iter().flatten();
        pools.map(|pool| pool.lock().stats.out).sum()
    }

    /// Leases an address, waiting for one as the pool says, by the policies of this pool and those it falls back on.
    pub async fn lease(
        self: Arc<Pools>,
        cx: Cx,
        id: GlobalId,
        wanted: Option<Family>,
    ) -> Result<Lease, Fault> {
        let mut pool = self.pool(id);
        loop {
            let family = pool.family(wanted)?;
            let turn = match pool.lease_or_queue(family, cx) {
                Ok(lease) => return Ok(lease),
                Err(turn) => turn,
            };
            if let Some(lease) = wait(cx, pool, turn).await {
                return Ok(lease);
            }
            match pool.exhausted {
                Exhausted::Share => return Ok(pool.share(family)),
                Exhausted::Fail => return Err(pool.refuse(family)),
                Exhausted::Pool(next) => {
                    pool.lock().stats.fell_back += 1;
                    pool = self.pool(next);
                }
            }
        }
    }
}

/// Waits for one's turn as long as the pool says.
async fn wait(cx: Cx, pool: &Pool, turn: Option<Turn>) -> Option<Lease> {
    let (turn, limit) = turn.zip(pool.wait)?;
    let started = cx.now();
    let lease = cx.deadline(started.saturating_add(limit), turn).await.ok();
    pool.lock().stats.waited += cx.now().saturating_sub(started);
    lease
}

impl Pool {
    fn new(name: &str, pool: &ir::Pool) -> Pool {
        let all = Addresses::of(pool);
        Pool {
            name: name.to_owned(),
            kind: pool.lease,
            pick: match pool.pick.as_str() {
                "random" => Pick::Random,
                "sequential" => Pick::Sequential,
                _ => Pick::RoundRobin,
            },
            wait: pool.wait,
            exhausted: pool.exhausted,
            families: (
                !all.of_family(true).is_empty(),
                !all.of_family(false).is_empty(),
            ),
            book: Mutex::new(Book::new(&all, pool.exhausted == Exhausted::Share)),
            all,
        }
    }

    /// How long its addresses are leased.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its addresses, of both families.
    pub fn addresses(&self) -> &Addresses {
        &self.all
    }

    /// The family of all its addresses, if they have one.
    pub fn only_family(&self) -> Option<Family> {
        match self.families {
            (true, false) => Some(Family::V4),
            (false, true) => Some(Family::V6),
            _ => None,
        }
    }

    /// An address by the pool's rule that stays in the pool, for `clients.next()`: `cursor` counts such calls.
    pub fn next(
        &self,
        cursor: impl FnOnce() -> u64,
        random: impl FnOnce() -> u64,
    ) -> Option<IpAddr> {
        let place = match self.pick {
            Pick::Random => spread(random(), 0),
            Pick::RoundRobin | Pick::Sequential => cursor().into(),
        };
        self.all.at(place.checked_rem(self.all.len())?)
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The family to lease from: the wanted one, or one that there is.
    fn family(&self, wanted: Option<Family>) -> Result<Family, Fault> {
        let (v4, v6) = self.families;
        let has = |family| if family == Family::V4 { v4 } else { v6 };
        match wanted {
            Some(family) if has(family) => Ok(family),
            Some(family) => Err(Fault::invalid(format!(
                "the pool `{}` has no {family} address, and the peer has",
                self.name
            ))),
            None if v4 => Ok(Family::V4),
            None => Ok(Family::V6),
        }
    }

    /// A free address by the pool's rule, or a place in the queue if the pool has one.
    fn lease_or_queue(self: &Arc<Pool>, family: Family, cx: Cx) -> Result<Lease, Option<Turn>> {
        // A number is drawn even where none is free: what a user draws must not depend on others.
        let draw = match self.pick {
            Pick::Random => cx.with(|ctx| ctx.random()),
            _ => 0,
        };
        let mut book = self.lock();
        match book.take_free(family, self.pick, draw) {
            Some((place, ip)) => {
                drop(book);
                Ok(self.lease_of(place, ip))
            }
            None => Err(self.wait.map(|_| {
                let ticket = book.queue(family);
                drop(book);
                Turn::new(self.clone(), family, ticket)
            })),
        }
    }

    fn share(self: &Arc<Pool>, family: Family) -> Lease {
        let (place, ip) = self.lock().share(family);
        self.lease_of(place, ip)
    }

    fn lease_of(self: &Arc<Pool>, place: u128, ip: IpAddr) -> Lease {
        Lease {
            pool: self.clone(),
            place,
            ip,
        }
    }

    /// The error when no address is free.
    fn refuse(&self, family: Family) -> Fault {
        let mut book = self.lock();
        book.stats.failed += 1;
        let count = book.len(family);
        let name = &self.name;
        let waited = self.wait.map_or(String::new(), |nanos| {
            let limit = text::duration(nanos.cast_signed());
            format!(", and none came back within {limit}")
        });
        let message = match count {
            1 => format!("the only address of the pool `{name}` is leased{waited}"),
            _ => format!("all {count} addresses of the pool `{name}` are leased{waited}"),
        };
        Fault::text(kind::POOL_EXHAUSTED, message)
    }

    fn release(&self, place: u128, family: Family) {
        let waker = self.lock().release(place, family);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What it has handed out so far.
    pub fn report(&self) -> PoolReport {
        let size = u64::try_from(self.all.len()).unwrap_or(u64::MAX);
        self.lock().stats.report(&self.name, size)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.release(self.place, Family::of(self.ip));
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// 128 random bits of 64: the `n`th of a draw (splitmix64).
fn spread(draw: u64, n: u64) -> u128 {
    let mix = |at: u64| {
        let z = draw.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(z ^ (z >> 31))
    };
    mix(2 * n + 1) << 64 | mix(2 * n + 2)
}

#[cfg(test)]
mod tests;
