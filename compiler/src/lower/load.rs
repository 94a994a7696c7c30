//! Load plans, pools and thresholds: from the checker's form to that of runs. Nothing here computes.
//!
//! Enter at [`plan`], [`pool`] and [`thresholds`].

use crate::hir::{self, LoadStage};
use crate::ir;
use crate::ir::load::{Exhausted, Lease, Load, Stage, Threshold};

/// The same global in the program, which holds them in the same order.
pub(super) fn global(id: hir::GlobalId) -> ir::GlobalId {
    ir::GlobalId(id.index() as u32)
}

/// The checker lets no negative number pass.
fn amount(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

impl From<&hir::LoadPlan> for Load {
    fn from(plan: &hir::LoadPlan) -> Load {
        self::plan(plan)
    }
}

pub(super) fn plan(plan: &hir::LoadPlan) -> Load {
    Load {
        stages: plan.stages.iter().map(stage).collect(),
        iterations_per_user: plan.iterations_per_user.map(amount),
        iterations_shared: plan.iterations_shared.map(amount),
        run_for: plan.run_for.map(amount),
        think: plan.think.map(|(from, to)| (amount(from), amount(to))),
        pace: plan.pace.map(amount),
        max_users: plan.max_users.map(amount),
        limit_spawn: plan.limit_spawn,
        limit_requests: plan.limit_requests,
        fresh_users: plan.fresh_users,
        start_at: plan.start_at.map_or(0, amount),
        weight: plan.weight.map_or(1, amount),
        graceful_stop: plan.graceful_stop.map(amount),
    }
}

fn stage(stage: &LoadStage) -> Stage {
    match stage {
        LoadStage::Users { from, to, over } => Stage::Users {
            from: amount(*from),
            to: amount(*to),
            over: over.map(amount),
        },
        LoadStage::Arrivals {
            from,
            to,
            over,
            poisson,
        } => Stage::Arrivals {
            from: *from,
            to: *to,
            over: amount(*over),
            poisson: *poisson,
        },
        LoadStage::Spawn {
            count,
            at,
            pool,
            tags,
        } => Stage::Spawn {
            count: amount(*count),
            at: amount(*at),
            pool: pool.map(global),
            tags: tags.clone(),
        },
    }
}

pub(super) fn pool(pool: &hir::PoolDef) -> ir::Pool {
    ir::Pool {
        ranges: pool.ranges.clone(),
        reserved: pool.reserved.clone(),
        pick: pool.pick.clone(),
        lease: match pool.lease.as_str() {
            "iteration" => Lease::Iteration,
            "request" => Lease::Request,
            _ => Lease::User,
        },
        wait: pool.wait.map(amount),
        exhausted: match &pool.exhausted {
            Some(hir::Exhausted::Fail) => Exhausted::Fail,
            Some(hir::Exhausted::Pool(id)) => Exhausted::Pool(global(*id)),
            Some(hir::Exhausted::Share) | None => Exhausted::Share,
        },
    }
}

pub(super) fn thresholds(thresholds: &[hir::Threshold]) -> Vec<Threshold> {
    thresholds
        .iter()
        .map(|threshold| Threshold {
            metric: threshold.metric.clone(),
            declared: threshold.declared.map(global),
            filter: threshold.filter.clone(),
            aggregate: threshold.aggregate.clone(),
            op: threshold.op,
            value: threshold.value,
            or_empty: threshold.or_empty,
            abort_after: threshold.abort_after.map(amount),
            text: threshold.text.clone(),
            span: threshold.span,
        })
        .collect()
}
