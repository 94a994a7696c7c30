//! Stages as they are written, in time.

use crate::object::text::duration;
use crate::report::StageReport;
use crate::timer::Nanos;
use scn_compiler::ir::load::{Load, Stage};

/// Stages for reports.
pub(super) fn reports(plan: &Load) -> Vec<StageReport> {
    let end = plan.end();
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
        .zip(plan.spans())
        .filter(|(_, (from, _))| end.is_none_or(|end| *from < end))
        .map(|(stage, (from, to))| report(written(stage), from, to))
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
