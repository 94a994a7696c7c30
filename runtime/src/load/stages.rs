//! Stages as a whole: when a plan ends, how many users it can have, and its stages as they are written.

use crate::object::text::duration;
use crate::report::StageReport;
use crate::timer::Nanos;
use scn_compiler::ir::load::{Load, Stage};

/// When the plan is over, if time bounds it.
pub(super) fn end(plan: &Load) -> Option<Nanos> {
    let last = spans(plan).last().and_then(|(_, to)| *to);
    [last, plan.run_for].into_iter().flatten().min()
}

/// The most users that there can be at once.
pub(super) fn peak(plan: &Load) -> Option<u64> {
    let end = end(plan).unwrap_or(Nanos::MAX);
    let stages = || plan.stages.iter().zip(spans(plan));
    let most = match plan.stages.first() {
        None => 1,
        Some(Stage::Users { .. }) => stages()
            .filter(|(_, (from, _))| *from < end)
            .map(|(stage, span)| highest(stage, span, end))
            .max()?,
        Some(Stage::Arrivals { .. }) => return plan.max_users,
        Some(Stage::Spawn { .. }) => stages()
            .map(|(stage, (from, _))| match stage {
                Stage::Spawn { count, .. } if from < end => *count,
                _ => 0,
            })
            .sum(),
    };
    Some(most.min(plan.max_users.unwrap_or(u64::MAX)))
}

/// How high the line of a stage gets before the plan's end.
fn highest(stage: &Stage, (begins, _): (Nanos, Option<Nanos>), end: Nanos) -> u64 {
    match *stage {
        Stage::Users {
            from,
            to,
            over: Some(over),
        } if to > from && end - begins < over => {
            let rise = u128::from(to - from) * u128::from(end - begins);
            from + rise.div_ceil(u128::from(over)) as u64
        }
        Stage::Users {
            from,
            to,
            over: Some(_),
        } => from.max(to),
        Stage::Users { from, .. } => from,
        _ => 0,
    }
}

/// Stages for reports.
pub(super) fn reports(plan: &Load) -> Vec<StageReport> {
    let end = end(plan);
    let report = |text: String, from: Nanos, to: Option<Nanos>| {
        let to = to.into_iter().chain(end).min();
        StageReport {
            text,
            from: plan.start_at.saturating_add(from),
            to: to.map(|to| plan.start_at.saturating_add(to)),
        }
    };
    if plan.stages.is_empty() {
        return vec![report(iterations(plan), 0, None)];
    }
    plan.stages
        .iter()
        .zip(spans(plan))
        .filter(|(_, (from, _))| end.is_none_or(|end| *from < end))
        .map(|(stage, (from, to))| report(written(stage), from, to))
        .collect()
}

/// When each stage begins and ends, from the scenario's start and without regard to `run for`. Stages behind one that
/// has no time of its own would never begin and are left out; phases last as long as the plan.
fn spans(plan: &Load) -> Vec<(Nanos, Option<Nanos>)> {
    let mut begins = Some(0);
    plan.stages
        .iter()
        .map_while(|stage| {
            let over = match *stage {
                Stage::Users { over, .. } => over,
                Stage::Arrivals { over, .. } => Some(over),
                Stage::Spawn { at, .. } => return Some((at, None)),
            };
            let from: Nanos = begins?;
            begins = over.map(|over| from.saturating_add(over));
            Some((from, begins))
        })
        .collect()
}

fn iterations(plan: &Load) -> String {
    match (plan.iterations_per_user, plan.iterations_shared) {
        (Some(count), _) => format!("iterations {count} per user"),
        (_, Some(count)) => format!("iterations {count} shared"),
        _ => "users 1".to_owned(),
    }
}

fn written(stage: &Stage) -> String {
    match *stage {
        Stage::Users { from, to, over } => {
            with_time(format!("users {from}"), (from != to).then_some(to), over)
        }
        Stage::Arrivals {
            from,
            to,
            over,
            poisson,
        } => {
            let other = (from != to).then(|| rate(to));
            let text = with_time(format!("arrivals {}", rate(from)), other, Some(over));
            format!("{text}{}", if poisson { " poisson" } else { "" })
        }
        Stage::Spawn { count, at, .. } => match at {
            0 => format!("spawn {count}"),
            at => format!("spawn {count} at {}", time(at)),
        },
    }
}

fn with_time(what: String, to: Option<impl ToString>, over: Option<Nanos>) -> String {
    let (to, word) = match to {
        Some(to) => (format!(" -> {}", to.to_string()), "over"),
        None => (String::new(), "for"),
    };
    let over = over.map_or_else(String::new, |over| format!(" {word} {}", time(over)));
    format!("{what}{to}{over}")
}

fn time(nanos: Nanos) -> String {
    duration(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// A rate by the largest unit in which it is a whole number: `500/s`, `30/m`.
fn rate(per_second: f64) -> String {
    let whole = |rate: f64| (rate - rate.round()).abs() < 1e-9 * rate.max(1.0);
    for (unit, seconds) in [("s", 1.0), ("m", 60.0), ("h", 3600.0)] {
        if whole(per_second * seconds) {
            return format!("{}/{unit}", (per_second * seconds).round());
        }
    }
    format!("{per_second}/s")
}
