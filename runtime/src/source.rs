//! Where a user's connections come from: its pool, and the addresses that it has leased.
//!
//! A lease for a user or an iteration is a [`Tenure`]; libraries keep connections that depend on it in the tenure, so
//! that they end before the address goes back. Enter at [`Cx::source_address`].

use crate::ctx::Ctx;
use crate::event::SectionKind;
use crate::fault::{Fault, Scope};
use crate::host::Cx;
use crate::life;
use crate::pool::{Family, Lease, Pools};
use crate::user::{Extensions, User};
use scn_compiler::ir::GlobalId;
use scn_compiler::ir::load::Lease as Kind;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A user's source of addresses; none unless it is given one.
#[derive(Debug, Default)]
pub struct Source {
    given: Cell<Option<(GlobalId, Kind)>>,
    tenure: RefCell<Option<Rc<Tenure>>>,
    /// Whether the tenure has an address, as far as anybody has looked: it lies three memory accesses away.
    met: Cell<bool>,
}

/// A lease for a user or an iteration, with what hangs on it.
#[derive(Debug, Default)]
pub struct Tenure {
    /// State of libraries: connections from these addresses. It goes before the addresses do.
    pub extensions: Extensions,
    /// At most one of each family; made when it is first needed, or before the section starts.
    leases: RefCell<Vec<Lease>>,
}

/// A source address for a connection, which keeps it for as long as this lives.
#[derive(Debug)]
pub struct Sourced {
    /// The address.
    pub ip: IpAddr,
    _hold: Hold,
}

#[derive(Debug)]
enum Hold {
    Own { _lease: Lease },
    Tenure { _tenure: Rc<Tenure> },
}

impl Source {
    /// Says which pool the user's addresses come from, and for how long it has one.
    pub fn set(&self, pools: &Pools, pool: GlobalId) {
        self.given.set(Some((pool, pools.pool(pool).kind())));
    }

    /// The pool.
    pub fn pool(&self) -> Option<GlobalId> {
        self.given.get().map(|(pool, _)| pool)
    }

    /// How long an address is leased, if there is a pool.
    pub fn kind(&self) -> Option<Kind> {
        self.given.get().map(|(_, kind)| kind)
    }

    /// What hangs on the lease of the user or iteration; nothing without a pool, and where each connection has its own.
    pub fn tenure(&self) -> Option<Rc<Tenure>> {
        match self.kind()? {
            Kind::Request => None,
            Kind::User | Kind::Iteration => {
                let mut tenure = self.tenure.borrow_mut();
                Some(tenure.get_or_insert_default().clone())
            }
        }
    }

    /// The leased address, if there is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.tenure.borrow().as_ref()?.first()
    }

    /// Whether an address is leased.
    fn has_ip(&self) -> bool {
        if !self.met.get() {
            self.met.set(self.ip().is_some());
        }
        self.met.get()
    }

    /// A section of the user has ended, and a lease for the iteration with it.
    pub(crate) fn section_ended(&self) {
        if self.kind() == Some(Kind::Iteration) {
            self.end_tenure();
        }
    }

    /// Ends the lease of the user or iteration: closes what libraries kept and gives the addresses back, unless
    /// connections of the user still hold them.
    pub fn end_tenure(&self) {
        self.met.set(false);
        if let Some(tenure) = self.tenure.take() {
            tenure.extensions.clear();
        }
    }
}

impl Tenure {
    fn first(&self) -> Option<IpAddr> {
        self.leases.borrow().first().map(|lease| lease.ip)
    }

    /// The address of a family, or of any.
    fn ip(&self, wanted: Option<Family>) -> Option<IpAddr> {
        let leases = self.leases.borrow();
        let fits = |lease: &&Lease| wanted.is_none_or(|wanted| Family::of(lease.ip) == wanted);
        leases.iter().find(fits).map(|lease| lease.ip)
    }

    /// Takes a lease, unless another branch of the user was faster.
    fn settle(&self, lease: Lease) -> IpAddr {
        if let Some(ip) = self.ip(Some(Family::of(lease.ip))) {
            return ip;
        }
        let ip = lease.ip;
        let mut leases = self.leases.borrow_mut();
        // Nearly all peers are of one family.
        leases.reserve_exact(1);
        leases.push(lease);
        ip
    }
}

/// Whether a section is to wait until the user has an address: where the lease is for the user, the first one; where it is
/// for an iteration, the iteration. Pools of both families wait for the first peer, which decides.
pub(crate) fn is_due(ctx: &Ctx, user: &User, section: SectionKind) -> bool {
    let Some((pool, kind)) = user.source.given.get() else {
        return false;
    };
    let wanted = match kind {
        Kind::User => section != SectionKind::Exit,
        Kind::Iteration => section == SectionKind::Each,
        Kind::Request => false,
    };
    let only_family = || ctx.linked().pools().pool(pool).only_family();
    wanted && !user.source.has_ip() && only_family().is_some()
}

/// Leases the address of the user in charge, unless it is asked to stop first.
pub(crate) async fn take(cx: Cx) -> Result<(), Fault> {
    let mut leased = pin!(cx.source_address(None));
    let mut waits = false;
    let patience = |task: &mut Context<'_>| {
        let leased = leased.as_mut().poll(task);
        waits |= leased.is_pending();
        // The end of a plan also brings addresses back: who had to wait until then begins nothing with one.
        if waits && cx.with(life::is_stopping) {
            return Poll::Ready(Err(Fault::cancellation(Scope::Strand)));
        }
        leased.map(|leased| leased.map(drop))
    };
    poll_fn(patience).await
}

/// What a lease is made from, taken from the user before the first await.
struct Asked {
    pools: Arc<Pools>,
    pool: GlobalId,
    tenure: Option<Rc<Tenure>>,
}

impl Asked {
    fn of(cx: Cx) -> Option<Asked> {
        cx.with(|ctx| {
            let user = ctx.user();
            Some(Asked {
                pool: user.source.pool()?,
                pools: ctx.linked().pools().clone(),
                tenure: user.source.tenure(),
            })
        })
    }
}

impl Cx {
    /// Whether connections of the user in charge come from a pool; then the only family of the pool, if it has one.
    pub fn source_family(self) -> Option<Option<Family>> {
        self.with(|ctx| {
            let pool = ctx.user().source.pool()?;
            Some(ctx.linked().pools().pool(pool).only_family())
        })
    }

    /// The source address for a connection of the user in charge, of the wanted family if the pool has both; nothing
    /// if the user has no pool. Waits as the pool says, outside of any limit of the connection itself.
    pub async fn source_address(self, wanted: Option<Family>) -> Result<Option<Sourced>, Fault> {
        let Some(Asked {
            pools,
            pool,
            tenure,
        }) = Asked::of(self)
        else {
            return Ok(None);
        };
        let Some(tenure) = tenure else {
            let lease = pools.lease(self, pool, wanted).await?;
            return Ok(Some(Sourced {
                ip: lease.ip,
                _hold: Hold::Own { _lease: lease },
            }));
        };
        let ip = match tenure.ip(wanted) {
            Some(ip) => ip,
            None => tenure.settle(pools.lease(self, pool, wanted).await?),
        };
        Ok(Some(Sourced {
            ip,
            _hold: Hold::Tenure { _tenure: tenure },
        }))
    }
}
