//! Schedules: exact times, and what holds for all of them.

use super::*;
use scn_compiler::ir::load::{Load, Stage};

const SECOND: u64 = 1_000_000_000;
const MILLI: u64 = 1_000_000;

fn users(from: u64, to: u64, seconds: u64) -> Stage {
    Stage::Users {
        from,
        to,
        over: Some(seconds * SECOND),
    }
}

fn arrivals(from: f64, to: f64, seconds: u64, poisson: bool) -> Stage {
    Stage::Arrivals {
        from,
        to,
        over: seconds * SECOND,
        poisson,
    }
}

fn spawn(count: u64, seconds: u64) -> Stage {
    Stage::Spawn {
        count,
        at: seconds * SECOND,
        pool: None,
        tags: Vec::new(),
    }
}

fn plan(stages: impl Into<Vec<Stage>>) -> Load {
    Load {
        stages: stages.into(),
        weight: 1,
        ..Load::default()
    }
}

fn actions(plan: &Load) -> Vec<Action> {
    let all: Vec<Action> = Schedule::new(plan, 7).collect();
    let end = Schedule::new(plan, 7).end().unwrap_or(u64::MAX);
    assert!(all.is_sorted_by_key(|action| action.at), "in order of time");
    assert!(all.iter().all(|action| action.at < end), "before the end");
    all
}

/// Times in milliseconds with numbers, `+` for what begins and `-` for what stops.
fn shown(plan: &Load) -> String {
    let text = |action: Action| {
        let sign = if action.what == What::Stop { '-' } else { '+' };
        let ms = action.at as f64 / MILLI as f64;
        match action.what {
            What::Spawn(phase) => format!("{ms}+{}p{phase}", action.index),
            _ => format!("{ms}{sign}{}", action.index),
        }
    };
    let all: Vec<String> = actions(plan).into_iter().map(text).collect();
    all.join(" ")
}

#[test]
fn users_start_and_stop_where_the_line_passes_their_slot() {
    let plan = plan([users(0, 4, 2), users(4, 4, 1), users(4, 0, 4)]);
    assert_eq!(shown(&plan), "0+0 500+1 1000+2 1500+3 4000-3 5000-2 6000-1");
    let schedule = Schedule::new(&plan, 0);
    assert_eq!(schedule.end(), Some(7 * SECOND));
    assert_eq!(schedule.peak_users(), Some(4));
}

#[test]
fn a_jump_starts_and_stops_all_at_once() {
    let plan = plan([users(3, 3, 1), users(1, 1, 1), users(2, 4, 1)]);
    assert_eq!(
        shown(&plan),
        "0+0 0+1 0+2 1000-2 1000-1 2000+3 2000+4 2500+5"
    );
}

#[test]
fn a_slot_that_is_taken_again_has_a_new_user() {
    let plan = plan([
        users(2, 2, 1),
        users(0, 0, 1),
        users(2, 2, 1),
        users(1, 1, 1),
    ]);
    assert_eq!(shown(&plan), "0+0 0+1 1000-1 1000-0 2000+2 2000+3 3000-3");
}

#[test]
fn users_without_a_time_stay_until_run_for() {
    let mut plan = plan([Stage::Users {
        from: 2,
        to: 2,
        over: None,
    }]);
    assert_eq!(shown(&plan), "0+0 0+1");
    assert_eq!(Schedule::new(&plan, 0).end(), None);
    plan.run_for = Some(SECOND);
    assert_eq!(Schedule::new(&plan, 0).end(), Some(SECOND));
}

#[test]
fn run_for_cuts_off() {
    let mut plan = plan([users(0, 10, 10)]);
    plan.run_for = Some(3 * SECOND);
    assert_eq!(shown(&plan), "0+0 1000+1 2000+2");
    assert_eq!(Schedule::new(&plan, 0).peak_users(), Some(3));
}

#[test]
fn spawn_limits_delay_starts_and_drop_none() {
    let mut plan = plan([users(4, 4, 2)]);
    plan.limit_spawn = Some(4.0);
    assert_eq!(shown(&plan), "0+0 250+1 500+2 750+3");
}

#[test]
fn a_falling_line_gives_up_the_starts_that_wait() {
    let mut plan = plan([users(4, 4, 1), users(1, 1, 1), users(2, 2, 1)]);
    plan.limit_spawn = Some(2.0);
    // 0 and 1 start at 0 and 500 ms, the third would at 1000 ms: it does, and stops with the second.
    assert_eq!(shown(&plan), "0+0 500+1 1000+2 1000-2 1000-1 2000+3");
}

#[test]
fn phases_come_in_order_of_time_and_keep_to_the_limit() {
    let mut plan = plan([spawn(2, 1), spawn(3, 0), spawn(1, 1)]);
    plan.run_for = Some(10 * SECOND);
    assert_eq!(shown(&plan), "0+0p1 0+1p1 0+2p1 1000+3p0 1000+4p0 1000+5p2");
    assert_eq!(Schedule::new(&plan, 0).peak_users(), Some(6));
    plan.limit_spawn = Some(2.0);
    assert_eq!(
        shown(&plan),
        "0+0p1 500+1p1 1000+2p1 1500+3p0 2000+4p0 2500+5p2"
    );
    plan.max_users = Some(5);
    assert_eq!(Schedule::new(&plan, 0).peak_users(), Some(5));
}

#[test]
fn limits_do_not_drift() {
    let mut plan = plan([spawn(3_000_000, 5)]);
    plan.limit_spawn = Some(3.0);
    plan.run_for = Some(u64::MAX);
    for action in Schedule::new(&plan, 0) {
        let wanted = 5 * SECOND + (action.index as f64 / 3.0 * 1e9).round() as u64;
        assert!(action.at.abs_diff(wanted) <= 1, "{action:?}, not {wanted}");
    }
}

#[test]
fn arrivals_are_spread_evenly() {
    let plan = plan([arrivals(4.0, 4.0, 1, false)]);
    assert_eq!(shown(&plan), "0+0 250+1 500+2 750+3");
    assert_eq!(Schedule::new(&plan, 0).peak_users(), None);
}

#[test]
fn rising_and_falling_rates_mirror_each_other() {
    // The integral of 2t is t²: arrival k is at √k.
    let all = actions(&plan([arrivals(0.0, 20.0, 10, false)]));
    assert_eq!(all.len(), 100);
    for action in &all {
        let wanted = ((action.index as f64).sqrt() * 1e9).round() as u64;
        assert!(action.at.abs_diff(wanted) <= 1, "{action:?}, not {wanted}");
    }
    let falling = actions(&plan([arrivals(20.0, 0.0, 10, false)]));
    assert_eq!(falling.len(), 100);
    for (up, down) in all.iter().skip(1).zip(falling.iter().skip(1).rev()) {
        assert!(
            (up.at + down.at).abs_diff(10 * SECOND) <= 2,
            "{up:?} {down:?}"
        );
    }
}

#[test]
fn a_pause_delays_the_arrival_due_at_its_beginning() {
    let plan = plan([
        arrivals(2.0, 2.0, 1, false),
        arrivals(0.0, 0.0, 3, false),
        arrivals(2.0, 2.0, 1, false),
    ]);
    assert_eq!(shown(&plan), "0+0 500+1 4000+2 4500+3");
    assert_eq!(Schedule::new(&plan, 0).end(), Some(5 * SECOND));
}

#[test]
fn what_a_stage_leaves_over_counts_in_the_next() {
    // 1.5 arrivals in the first second: the third arrival is half of a gap into the next.
    let plan = plan([arrivals(1.5, 1.5, 1, false), arrivals(1.0, 1.0, 2, false)]);
    assert_eq!(shown(&plan), "0+0 666.666667+1 1500+2 2500+3");
}

#[test]
fn counts_are_the_integrals() {
    let tenth = arrivals(0.1, 0.1, 70, false);
    for (stages, count) in [
        (vec![arrivals(500.0, 500.0, 120, false)], 60_000),
        (vec![arrivals(10.0, 500.0, 30, false)], 7_650),
        (vec![arrivals(0.1, 0.1, 100, false)], 10),
        (vec![tenth.clone(), tenth.clone(), tenth], 21),
        (vec![arrivals(1.0 / 3.0, 1.0 / 3.0, 3_000, false)], 1_000),
        (vec![arrivals(0.0, 0.0, 5, false)], 0),
    ] {
        assert_eq!(
            Schedule::new(&plan(stages.clone()), 0).count(),
            count,
            "{stages:?}"
        );
    }
}

#[test]
fn hours_of_arrivals_do_not_drift() {
    let plan = plan([arrivals(1_000.0, 1_000.0, 3_600, false)]);
    let worst = Schedule::new(&plan, 0)
        .map(|action| action.at.abs_diff(action.index * MILLI))
        .max();
    assert_eq!(worst, Some(0));
}

#[test]
fn poisson_has_the_mean_and_the_spread_of_its_rate() {
    let plan = plan([arrivals(1_000.0, 1_000.0, 100, true)]);
    let all = actions(&plan);
    // 100,000 expected with a standard deviation of 316, gaps of 1 ms with one of 1 ms.
    assert!(all.len().abs_diff(100_000) < 1_300, "{}", all.len());
    let gaps: Vec<f64> = all
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at) as f64 / MILLI as f64)
        .collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    assert!((mean - 1.0).abs() < 0.02, "{mean}");
    assert!((variance - 1.0).abs() < 0.05, "{variance}");
}

#[test]
fn poisson_is_a_function_of_the_seed() {
    let plan = plan([
        arrivals(5.0, 50.0, 10, true),
        arrivals(10.0, 10.0, 1, false),
        arrivals(50.0, 0.0, 10, true),
    ]);
    let of = |seed| Schedule::new(&plan, seed).collect::<Vec<_>>();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let regular: Vec<u64> = of(1)
        .iter()
        .map(|action| action.at)
        .filter(|at| (10 * SECOND..11 * SECOND).contains(at))
        .collect();
    let wanted: Vec<u64> = (0..10).map(|k| 10 * SECOND + k * 100 * MILLI).collect();
    assert_eq!(regular, wanted, "regular stages stay regular");
}

#[test]
fn shares_of_workers_are_all_of_it() {
    let mut limited = plan([users(0, 50, 5), users(10, 10, 2), users(30, 30, 1)]);
    limited.limit_spawn = Some(20.0);
    for plan in [
        limited,
        plan([arrivals(10.0, 50.0, 10, true)]),
        plan([spawn(20, 0), spawn(20, 3)]),
        Load::default(),
    ] {
        let all = actions(&plan);
        for workers in 1..5 {
            let mut shares: Vec<Action> = (0..workers)
                .flat_map(|worker| {
                    Schedule::new(&plan, 7).filter(move |action| action.index % workers == worker)
                })
                .collect();
            shares.sort_by_key(|action| (action.at, action.index));
            let mut whole = all.clone();
            whole.sort_by_key(|action| (action.at, action.index));
            assert_eq!(shares, whole);
        }
    }
}

#[test]
fn stops_end_users_that_run_and_the_line_is_never_exceeded() {
    for limit in [None, Some(3.0), Some(40.0)] {
        let mut plan = plan([
            users(0, 50, 5),
            users(10, 10, 2),
            users(30, 5, 3),
            users(0, 0, 1),
        ]);
        plan.limit_spawn = limit;
        let mut running = std::collections::BTreeSet::new();
        let mut started = 0;
        for action in actions(&plan) {
            match action.what {
                What::Start => {
                    assert_eq!(action.index, started, "numbered in order");
                    started += 1;
                    assert!(running.insert(action.index));
                }
                _ => assert!(running.remove(&action.index), "{action:?} stops nobody"),
            }
            assert!(running.len() <= 50);
        }
        assert!(running.is_empty(), "{running:?}");
    }
}

#[test]
fn a_plan_of_iterations_is_one_user() {
    let mut plan = Load::default();
    assert_eq!(shown(&plan), "0+0");
    plan.iterations_shared = Some(10);
    plan.start_at = 30 * SECOND;
    assert_eq!(shown(&plan), "0+0");
    let schedule = Schedule::new(&plan, 0);
    assert_eq!(schedule.peak_users(), Some(1));
    assert_eq!(schedule.stages()[0].text, "iterations 10 shared");
    assert_eq!(schedule.stages()[0].from, 30 * SECOND);
}

/// Stages as text with their times in seconds.
fn stage_texts(plan: &Load) -> Vec<String> {
    let time = |nanos: u64| nanos / SECOND;
    Schedule::new(plan, 0)
        .stages()
        .iter()
        .map(|stage| {
            let to = stage.to.map_or("-".to_owned(), |to| time(to).to_string());
            format!("{} {}..{to}", stage.text, time(stage.from))
        })
        .collect()
}

#[test]
fn stages_are_told_as_they_are_written() {
    let mut open = plan([
        arrivals(10.0, 500.0, 30, false),
        arrivals(0.5, 0.5, 90, true),
    ]);
    open.start_at = 10 * SECOND;
    assert_eq!(
        stage_texts(&open),
        [
            "arrivals 10/s -> 500/s over 30s 10..40",
            "arrivals 30/m for 1m30s poisson 40..130"
        ]
    );
    let mut closed = plan([users(50, 50, 60), users(50, 0, 60), users(9, 9, 60)]);
    closed.run_for = Some(70 * SECOND);
    assert_eq!(
        stage_texts(&closed),
        ["users 50 for 1m 0..60", "users 50 -> 0 over 1m 60..70"]
    );
    assert_eq!(
        stage_texts(&plan([spawn(30, 0), spawn(50, 10)])),
        ["spawn 30 0..-", "spawn 50 at 10s 10..-"]
    );
}
