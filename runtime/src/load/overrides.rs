//! What the command line says about load: `--users`, `--for`, `--rate`, `--iterations`, as changes of plans.
//!
//! The numbers are for all scenarios of the run together and are shared out by `weight`. A scenario without a plan gets
//! one. Enter at [`Overrides::apply`].

use crate::timer::Nanos;
use scn_compiler::ir::load::{Load, Stage};

/// What was given; times in nanoseconds, rates per second. None of the numbers is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `--users N`: how many there are at the peak. Stages and phases keep their shape; for arrivals it is the ceiling.
    pub users: Option<u64>,
    /// `--for D`: one stage at the peak in place of the stages. Phases keep their times, and end by then.
    pub duration: Option<Nanos>,
    /// `--rate R`: arrivals at the peak. Stages of arrivals keep their shape, other plans become arrivals.
    pub rate: Option<f64>,
    /// `--iterations N`: how many are shared by all users, in place of what the plans say.
    pub iterations: Option<u64>,
}

/// `--rate` for a scenario of which nothing says how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTime {
    /// Its place among the plans.
    pub scenario: usize,
}

impl Overrides {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }

    /// The plans of a run's scenarios with these changes. A scenario whose share is nothing has a plan of no users.
    pub fn apply(&self, plans: &[Option<Load>]) -> Result<Vec<Option<Load>>, NoTime> {
        if self.is_empty() {
            return Ok(plans.to_vec());
        }
        let weights: Vec<u64> = plans
            .iter()
            .map(|plan| plan.as_ref().map_or(1, |plan| plan.weight.max(1)))
            .collect();
        let total: u64 = weights.iter().sum();
        let users = self.users.map(|all| shares(all, &weights));
        let iterations = self.iterations.map(|all| shares(all, &weights));
        plans
            .iter()
            .enumerate()
            .map(|(at, plan)| {
                let own = Overrides {
                    users: users.as_ref().map(|shares| shares[at]),
                    duration: self.duration,
                    rate: self
                        .rate
                        .map(|rate| rate * weights[at] as f64 / total as f64),
                    iterations: iterations.as_ref().map(|shares| shares[at]),
                };
                let plan = plan.as_ref().map_or_else(one_user, Load::clone);
                match own.changed(plan) {
                    Some(plan) => Ok(Some(plan)),
                    None => Err(NoTime { scenario: at }),
                }
            })
            .collect()
    }

    /// One plan with its share of the numbers; nothing if it would have a rate, but no time.
    fn changed(self, mut plan: Load) -> Option<Load> {
        if self.users == Some(0) || self.iterations == Some(0) {
            return Some(nothing(&plan));
        }
        if let Some(count) = self.iterations {
            plan.iterations_per_user = None;
            plan.iterations_shared = Some(count);
        }
        if let Some(rate) = self.rate {
            scale_arrivals(&mut plan, rate, self.time_at(rate))?;
        }
        if let Some(users) = self.users {
            scale_users(&mut plan, users);
        }
        if let Some(time) = self.duration {
            hold(&mut plan, time);
        }
        let unbounded = plan.end().is_none()
            && plan.iterations_shared.is_none()
            && plan.iterations_per_user.is_none();
        if unbounded {
            plan.iterations_per_user = Some(1);
        }
        Some(plan)
    }

    /// How long it takes at a rate: as long as `--for` says, or until all iterations have begun.
    fn time_at(&self, rate: f64) -> Option<Nanos> {
        self.duration.or_else(|| {
            self.iterations
                .map(|count| (count as f64 / rate * 1e9).ceil() as Nanos)
        })
    }
}

/// The plan of a scenario that has none.
fn one_user() -> Load {
    Load {
        weight: 1,
        ..Load::default()
    }
}

/// The plan of a scenario whose share is nothing: it ends as soon as it starts.
fn nothing(plan: &Load) -> Load {
    Load {
        stages: vec![Stage::Users {
            from: 0,
            to: 0,
            over: Some(0),
        }],
        start_at: plan.start_at,
        weight: plan.weight,
        ..Load::default()
    }
}

/// Brings the highest rate to the given one. A plan of another model becomes arrivals for as long as it would have
/// lasted, or for the given time.
fn scale_arrivals(plan: &mut Load, rate: f64, time: Option<Nanos>) -> Option<()> {
    let peak = peak_rate(plan);
    if peak > 0.0 {
        for stage in &mut plan.stages {
            if let Stage::Arrivals { from, to, .. } = stage {
                (*from, *to) = (*from / peak * rate, *to / peak * rate);
            }
        }
        return Some(());
    }
    let over = time.or_else(|| plan.end())?;
    plan.stages = vec![Stage::Arrivals {
        from: rate,
        to: rate,
        over,
        poisson: false,
    }];
    // The schedule alone says when iterations start and users with them.
    plan.iterations_per_user = None;
    plan.think = None;
    plan.pace = None;
    plan.limit_spawn = None;
    Some(())
}

fn peak_rate(plan: &Load) -> f64 {
    plan.stages
        .iter()
        .fold(0.0, |peak: f64, stage| match stage {
            Stage::Arrivals { from, to, .. } => peak.max(*from).max(*to),
            _ => peak,
        })
}

/// Brings the most users that there are at once to the given number, in the shape that the plan has.
fn scale_users(plan: &mut Load, users: u64) {
    match plan.stages.first() {
        Some(Stage::Arrivals { .. }) => {
            plan.max_users = Some(users);
            return;
        }
        Some(Stage::Spawn { .. }) => scale_phases(&mut plan.stages, users),
        Some(Stage::Users { .. }) => scale_line(&mut plan.stages, users),
        None => {
            plan.stages = vec![Stage::Users {
                from: users,
                to: users,
                over: None,
            }]
        }
    }
    plan.max_users = plan.max_users.map(|most| most.max(users));
}

fn scale_line(stages: &mut [Stage], users: u64) {
    let peak = stages
        .iter()
        .map(|stage| match stage {
            Stage::Users { from, to, .. } => *from.max(to),
            _ => 0,
        })
        .max()
        .unwrap_or(0)
        .max(1);
    let scaled = |level: u64| {
        let doubled = 2 * u128::from(level) * u128::from(users) / u128::from(peak);
        doubled.div_ceil(2) as u64
    };
    for stage in stages {
        if let Stage::Users { from, to, .. } = stage {
            (*from, *to) = (scaled(*from), scaled(*to));
        }
    }
}

fn scale_phases(stages: &mut [Stage], users: u64) {
    let counts: Vec<u64> = stages
        .iter()
        .map(|stage| match stage {
            Stage::Spawn { count, .. } => *count,
            _ => 0,
        })
        .collect();
    for (stage, share) in stages.iter_mut().zip(shares(users, &counts)) {
        if let Stage::Spawn { count, .. } = stage {
            *count = share;
        }
    }
}

/// Replaces the stages by one at the peak.
fn hold(plan: &mut Load, time: Nanos) {
    match plan.stages.first() {
        Some(Stage::Users { .. }) => {
            let users = plan
                .stages
                .iter()
                .map(|stage| match stage {
                    Stage::Users { from, to, .. } => *from.max(to),
                    _ => 0,
                })
                .max()
                .unwrap_or(1);
            plan.stages = vec![Stage::Users {
                from: users,
                to: users,
                over: Some(time),
            }];
            plan.run_for = None;
        }
        Some(Stage::Arrivals { poisson, .. }) => {
            let (rate, poisson) = (peak_rate(plan), *poisson);
            plan.stages = vec![Stage::Arrivals {
                from: rate,
                to: rate,
                over: time,
                poisson,
            }];
            plan.run_for = None;
        }
        Some(Stage::Spawn { .. }) | None => plan.run_for = Some(time),
    }
}

/// Shares a number out by weights; what is left over goes to the largest remainders, the first of equal ones.
fn shares(all: u64, weights: &[u64]) -> Vec<u64> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if total == 0 {
        return vec![0; weights.len()];
    }
    let product = |weight: u64| u128::from(all) * u128::from(weight);
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|weight| (product(*weight) / total) as u64)
        .collect();
    let left = all - shares.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(product(weights[*at]) % total));
    for at in order.into_iter().take(left as usize) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Schedule;

    const SECOND: Nanos = 1_000_000_000;

    fn plan(stages: Vec<Stage>, weight: u64) -> Option<Load> {
        Some(Load {
            stages,
            weight,
            ..Load::default()
        })
    }

    fn users(from: u64, to: u64, seconds: u64) -> Stage {
        Stage::Users {
            from,
            to,
            over: Some(seconds * SECOND),
        }
    }

    fn arrivals(from: f64, to: f64, seconds: u64) -> Stage {
        Stage::Arrivals {
            from,
            to,
            over: seconds * SECOND,
            poisson: false,
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

    /// The changed plans' stages as text, with what bounds them.
    fn shown(overrides: Overrides, plans: &[Option<Load>]) -> Vec<String> {
        let plans = overrides.apply(plans).expect("each plan has a time");
        let text = |plan: &Option<Load>| {
            let plan = plan.as_ref().expect("each has a plan");
            let stages: Vec<String> = Schedule::new(plan, 0)
                .stages()
                .into_iter()
                .map(|stage| stage.text)
                .collect();
            let bound = match (plan.iterations_per_user, plan.iterations_shared) {
                (Some(each), _) => format!(" x{each}"),
                (_, Some(all)) => format!(" of {all}"),
                _ => String::new(),
            };
            let end = plan
                .end()
                .map_or("-".to_owned(), |end| (end / SECOND).to_string());
            format!("{} ({end}){bound}", stages.join(", "))
        };
        plans.iter().map(text).collect()
    }

    #[test]
    fn nothing_given_changes_nothing() {
        let plans = [None, plan(vec![users(5, 5, 1)], 1)];
        assert_eq!(Overrides::default().apply(&plans), Ok(plans.to_vec()));
    }

    #[test]
    fn users_are_shared_by_weight_and_keep_the_shape() {
        let all = Overrides {
            users: Some(100),
            ..Overrides::default()
        };
        let plans = [
            plan(vec![users(0, 10, 30), users(5, 5, 60)], 3),
            plan(vec![spawn(1, 0), spawn(3, 5)], 1),
        ];
        assert_eq!(
            shown(all, &plans),
            [
                "users 0 -> 75 over 30s, users 38 for 1m (90)",
                "spawn 6, spawn 19 at 5s (-) x1"
            ]
        );
    }

    #[test]
    fn a_scenario_without_a_plan_gets_one() {
        let given = |users, duration: Option<u64>, rate, iterations| Overrides {
            users,
            duration: duration.map(|seconds| seconds * SECOND),
            rate,
            iterations,
        };
        for (overrides, wanted) in [
            (given(Some(10), None, None, None), "users 10 (-) x1"),
            (
                given(Some(10), Some(30), None, None),
                "users 10 for 30s (30)",
            ),
            (given(None, Some(30), None, None), "users 1 (30)"),
            (
                given(None, None, None, Some(7)),
                "iterations 7 shared (-) of 7",
            ),
            (given(Some(3), None, None, Some(7)), "users 3 (-) of 7"),
            (
                given(None, Some(30), Some(500.0), None),
                "arrivals 500/s for 30s (30)",
            ),
            (
                given(None, None, Some(2.0), Some(7)),
                "arrivals 2/s for 3.5s (3) of 7",
            ),
        ] {
            assert_eq!(shown(overrides, &[None]), [wanted], "{overrides:?}");
        }
    }

    #[test]
    fn rates_scale_arrivals_and_replace_other_models() {
        let rate = Overrides {
            rate: Some(400.0),
            ..Overrides::default()
        };
        let plans = [
            plan(vec![arrivals(0.0, 10.0, 30), arrivals(5.0, 5.0, 60)], 1),
            plan(vec![users(5, 5, 10), users(5, 0, 10)], 1),
        ];
        assert_eq!(
            shown(rate, &plans),
            [
                "arrivals 0/s -> 200/s over 30s, arrivals 100/s for 1m (90)",
                "arrivals 200/s for 20s (20)"
            ]
        );
        assert_eq!(
            rate.apply(&[plans[0].clone(), None]),
            Err(NoTime { scenario: 1 })
        );
    }

    #[test]
    fn a_time_holds_the_peak() {
        let time = Overrides {
            duration: Some(90 * SECOND),
            ..Overrides::default()
        };
        let plans = [
            plan(vec![arrivals(0.0, 10.0, 30), arrivals(5.0, 5.0, 60)], 1),
            plan(vec![users(0, 20, 10), users(5, 0, 10)], 1),
            plan(vec![spawn(5, 0), spawn(7, 10)], 1),
        ];
        assert_eq!(
            shown(time, &plans),
            [
                "arrivals 10/s for 1m30s (90)",
                "users 20 for 1m30s (90)",
                "spawn 5, spawn 7 at 10s (90)"
            ]
        );
    }

    #[test]
    fn a_share_of_nothing_starts_nothing() {
        let one = Overrides {
            users: Some(1),
            ..Overrides::default()
        };
        let plans = [None, plan(vec![users(5, 5, 60)], 3)];
        let changed = one.apply(&plans).expect("no rate was given");
        let starts: Vec<usize> = changed
            .iter()
            .flatten()
            .map(|plan| Schedule::new(plan, 0).count())
            .collect();
        assert_eq!(starts, [0, 1]);
    }

    #[test]
    fn a_number_of_users_raises_the_ceiling() {
        let mut stages = plan(vec![users(5, 5, 60)], 1).expect("it is one");
        stages.max_users = Some(10);
        let many = Overrides {
            users: Some(50),
            ..Overrides::default()
        };
        let changed = many.apply(&[Some(stages)]).expect("no rate was given");
        let peak = changed[0].as_ref().and_then(Load::peak_users);
        assert_eq!(peak, Some(50));
    }

    #[test]
    fn shares_add_up() {
        for all in 0..50 {
            let shares = shares(all, &[3, 1, 5, 0, 2]);
            assert_eq!(shares.iter().sum::<u64>(), all);
            assert_eq!(shares[3], 0);
        }
    }
}
