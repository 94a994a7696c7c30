//! What load plans need of the machine: local ports and addresses of pools. Warnings: a run on other terms may be fine.
//!
//! A user is counted with one connection, which is what a user of HTTP holds.

use super::Checker;
use crate::diagnostics::{Diagnostic, needs};
use crate::hir::{Exhausted, GlobalId, GlobalKind, Hir, LoadStage, PoolDef, Scenario};
use crate::ir::load::Load;
use scn_grammar::Span;
use std::net::IpAddr;

/// Local ports that an address has for connections to one target, where Linux has not been told otherwise:
/// 32768 to 60999.
const PORTS: u64 = 28_232;

/// Descriptors of a worker that are no connections, as the runtime counts them.
const OTHER_DESCRIPTORS: u64 = 256;

/// Users that want addresses of a pool, or of none, and the scenario that wants most.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    users: u64,
    most: u64,
    whose: Option<Span>,
}

impl Demand {
    fn add(&mut self, users: u64, whose: Option<Span>) {
        self.users = self.users.saturating_add(users);
        if users > self.most {
            (self.most, self.whose) = (users, whose);
        }
    }
}

impl Checker<'_> {
    /// Warns of plans that need more addresses or ports than there are. The program has no errors.
    pub(super) fn lint_needs(&mut self) {
        let mut unpooled = Demand::default();
        let mut pooled = vec![Demand::default(); self.hir.globals.len()];
        for scenario in &self.hir.scenarios {
            for (pool, users) in demands(scenario) {
                let demand = match pool {
                    Some(id) => &mut pooled[id.index()],
                    None => &mut unpooled,
                };
                demand.add(users, Some(scenario.span));
            }
        }
        let mut found = Vec::new();
        if unpooled.users > PORTS
            && let Some(whose) = unpooled.whose
        {
            found.push(needs::too_few_ports(unpooled.users, PORTS, whose));
        }
        for id in self.pools_before_their_fallbacks() {
            found.extend(self.pool_needs(id, &mut pooled));
        }
        self.diagnostics.extend(found);
    }

    /// Looks at one pool; users that find it exhausted become demand of the pool that it falls back on.
    fn pool_needs(&self, id: GlobalId, pooled: &mut [Demand]) -> Option<Diagnostic> {
        let demand = pooled[id.index()];
        let global = &self.hir.globals[id.index()];
        let GlobalKind::Pool(pool) = &global.kind else {
            return None;
        };
        let whose = demand.whose?;
        let addresses = u64::try_from(addresses(pool)).unwrap_or(u64::MAX);
        let (name, span) = (global.name.as_str(), global.span);
        match &pool.exhausted {
            Some(Exhausted::Pool(next)) => {
                let left = demand.users.saturating_sub(addresses);
                pooled[next.index()].add(left, Some(whose));
                None
            }
            // Users who wait for the lease of another one may well get it.
            Some(Exhausted::Fail) => {
                (pool.lease == "user" && pool.wait.is_none() && demand.users > addresses)
                    .then(|| needs::too_few_addresses(name, addresses, demand.users, span, whose))
            }
            Some(Exhausted::Share) | None => {
                (demand.users > addresses.saturating_mul(PORTS)).then(|| {
                    let needed = demand.users.div_ceil(PORTS);
                    needs::too_few_ports_in_pool(
                        name,
                        (addresses, needed, PORTS),
                        demand.users,
                        span,
                        whose,
                    )
                })
            }
        }
    }

    /// All pools, each before the one that it falls back on. There are no circles.
    fn pools_before_their_fallbacks(&self) -> Vec<GlobalId> {
        let next = |id: GlobalId| match &self.hir.globals[id.index()].kind {
            GlobalKind::Pool(PoolDef {
                exhausted: Some(Exhausted::Pool(next)),
                ..
            }) => Some(*next),
            _ => None,
        };
        let mut pools: Vec<GlobalId> = (0..self.hir.globals.len())
            .map(|at| GlobalId(at as u32))
            .filter(|id| matches!(self.hir.globals[id.index()].kind, GlobalKind::Pool(_)))
            .collect();
        let behind = |id: GlobalId| std::iter::successors(next(id), |id| next(*id)).count();
        pools.sort_by_key(|id| std::cmp::Reverse(behind(*id)));
        pools
    }
}

/// The users of a scenario at its peak, by the pool of their addresses.
fn demands(scenario: &Scenario) -> Vec<(Option<GlobalId>, u64)> {
    let Some(plan) = &scenario.load else {
        return Vec::new();
    };
    let most = plan.max_users.map_or(u64::MAX, |most| most.unsigned_abs());
    let phases: Vec<_> = plan
        .stages
        .iter()
        .filter_map(|stage| match stage {
            LoadStage::Spawn { count, pool, .. } => {
                Some((pool.or(scenario.source), count.unsigned_abs().min(most)))
            }
            _ => None,
        })
        .collect();
    if !phases.is_empty() {
        return phases;
    }
    let peak = Load::from(plan).peak_users();
    peak.map(|users| (scenario.source, users))
        .into_iter()
        .collect()
}

/// The most users of all plans together, where plans say so, and the scenario that has most of them.
fn peak_users(hir: &Hir) -> Demand {
    let mut demand = Demand::default();
    for scenario in &hir.scenarios {
        let plan = scenario.load.as_ref().map(Load::from);
        let peak = plan.and_then(|plan| plan.peak_users());
        demand.add(peak.unwrap_or(0), Some(scenario.span));
    }
    demand
}

/// The warning that the plans of a program need more descriptors than a table of them holds.
pub fn lint_descriptors(hir: &Hir, limit: u64) -> Option<Diagnostic> {
    let demand = peak_users(hir);
    let room = limit.saturating_sub(OTHER_DESCRIPTORS).max(1);
    let whose = demand.whose.filter(|_| demand.users > room)?;
    let workers = demand.users.div_ceil(room);
    Some(needs::too_few_descriptors(
        demand.users,
        limit,
        workers,
        whose,
    ))
}

/// How many addresses a pool has; its ranges do not overlap.
pub(super) fn addresses(pool: &PoolDef) -> u128 {
    let count = |(from, to): (u128, u128)| (to - from).saturating_add(1);
    let all = pool
        .ranges
        .iter()
        .map(|range| count(bits(range)))
        .fold(0, u128::saturating_add);
    let mut reserved: Vec<(bool, (u128, u128))> = pool
        .reserved
        .iter()
        .map(|range| (range.0.is_ipv6(), bits(range)))
        .collect();
    reserved.sort_unstable();
    let mut out: u128 = 0;
    let mut last: Option<(bool, u128)> = None;
    for (family, (from, to)) in reserved {
        // What an earlier line has reserved is not taken away twice.
        let from = match last {
            Some((known, end)) if known == family && end >= from => end.saturating_add(1),
            _ => from,
        };
        if from <= to {
            out = out.saturating_add(count((from, to)));
            last = Some((family, to));
        }
    }
    all.saturating_sub(out)
}

fn bits((from, to): &(IpAddr, IpAddr)) -> (u128, u128) {
    let bits = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    (bits(from), bits(to))
}
