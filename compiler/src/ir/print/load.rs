//! Load plans, pools and thresholds in text.

use super::comma;
use crate::ir::load::{Exhausted, Lease, Load, Stage, Threshold};
use crate::ir::{IpAddr, Pool, Scenario};
use scn_grammar::ast::BinaryOp;

/// Comparisons and their words.
pub(in crate::ir) const COMPARISONS: [(BinaryOp, &str); 6] = [
    (BinaryOp::Lt, "lt"),
    (BinaryOp::Le, "le"),
    (BinaryOp::Gt, "gt"),
    (BinaryOp::Ge, "ge"),
    (BinaryOp::Eq, "eq"),
    (BinaryOp::Ne, "ne"),
];

/// Leases and their words.
pub(in crate::ir) const LEASES: [(Lease, &str); 3] = [
    (Lease::User, "user"),
    (Lease::Iteration, "iteration"),
    (Lease::Request, "request"),
];

/// What follows a scenario's sections.
pub(super) fn of_scenario(scenario: &Scenario) -> String {
    let mut out = String::new();
    if let Some(source) = scenario.source {
        out.push_str(&format!(" source {source:?}"));
    }
    if !scenario.tags.is_empty() {
        out.push_str(&format!(" tags {}", tags(&scenario.tags)));
    }
    if let Some(load) = &scenario.load {
        out.push_str(&format!("\n  load {}", plan(load)));
    }
    if !scenario.thresholds.is_empty() {
        out.push_str(&format!(
            "\n  thresholds {}",
            thresholds(&scenario.thresholds)
        ));
    }
    out
}

fn tags(tags: &[(String, String)]) -> String {
    let tags: Vec<String> = tags
        .iter()
        .map(|(name, value)| format!("{name:?} {value:?}"))
        .collect();
    format!("[{}]", comma(&tags))
}

fn plan(plan: &Load) -> String {
    let stages: Vec<String> = plan.stages.iter().map(stage).collect();
    let number = |word: &str, value: Option<u64>| {
        value.map_or_else(String::new, |value| format!(" {word} {value}"))
    };
    let rate = |word: &str, value: Option<f64>| {
        value.map_or_else(String::new, |value| format!(" {word} {value:?}"))
    };
    let parts = [
        format!("[{}]", comma(&stages)),
        number("per_user", plan.iterations_per_user),
        number("shared", plan.iterations_shared),
        number("run_for", plan.run_for),
        plan.think
            .map_or_else(String::new, |(from, to)| format!(" think {from} {to}")),
        number("pace", plan.pace),
        number("max_users", plan.max_users),
        rate("limit_spawn", plan.limit_spawn),
        rate("limit_requests", plan.limit_requests),
        (if plan.fresh_users { " fresh_users" } else { "" }).to_owned(),
        format!(" start_at {} weight {}", plan.start_at, plan.weight),
        number("graceful_stop", plan.graceful_stop),
    ];
    parts.concat()
}

fn stage(stage: &Stage) -> String {
    match stage {
        Stage::Users { from, to, over } => {
            let over = over.map_or_else(String::new, |over| format!(" over {over}"));
            format!("users {from} {to}{over}")
        }
        Stage::Arrivals {
            from,
            to,
            over,
            poisson,
        } => {
            let poisson = if *poisson { " poisson" } else { "" };
            format!("arrivals {from:?} {to:?} over {over}{poisson}")
        }
        Stage::Spawn {
            count,
            at,
            pool,
            tags: own,
        } => {
            let pool = pool.map_or_else(String::new, |pool| format!(" from {pool:?}"));
            format!("spawn {count} at {at}{pool} tags {}", tags(own))
        }
    }
}

pub(super) fn thresholds(all: &[Threshold]) -> String {
    let all: Vec<String> = all.iter().map(threshold).collect();
    format!("[{}]", comma(&all))
}

fn threshold(threshold: &Threshold) -> String {
    let op = COMPARISONS
        .iter()
        .find(|(op, _)| *op == threshold.op)
        .expect("a threshold compares")
        .1;
    let declared = threshold
        .declared
        .map_or_else(String::new, |id| format!(" {id:?}"));
    let or_empty = if threshold.or_empty { " or_empty" } else { "" };
    let abort = threshold
        .abort_after
        .map_or_else(String::new, |after| format!(" abort {after}"));
    format!(
        "{:?}{declared} {} {:?} {op} {:?}{or_empty}{abort} {:?}",
        threshold.metric,
        tags(&threshold.filter),
        threshold.aggregate,
        threshold.value,
        threshold.text
    )
}

pub(super) fn pool(pool: &Pool) -> String {
    let ranges = |ranges: &[(IpAddr, IpAddr)]| {
        let texts: Vec<String> = ranges
            .iter()
            .map(|(from, to)| format!("\"{from}\" \"{to}\""))
            .collect();
        comma(&texts)
    };
    let lease = LEASES
        .iter()
        .find(|(lease, _)| *lease == pool.lease)
        .expect("each lease has a word")
        .1;
    let wait = pool
        .wait
        .map_or_else(String::new, |wait| format!(" wait {wait}"));
    let exhausted = match pool.exhausted {
        Exhausted::Fail => "fail".to_owned(),
        Exhausted::Share => "share".to_owned(),
        Exhausted::Pool(id) => format!("{id:?}"),
    };
    format!(
        "pool {:?} [{}] [{}] lease {lease}{wait} exhausted {exhausted}",
        pool.pick,
        ranges(&pool.ranges),
        ranges(&pool.reserved)
    )
}
