//! Load blocks: one model, lines that agree, numbers that make sense.

use super::Checker;
use super::units::UnitId;
use crate::diagnostics::scenario;
use crate::hir::{Const, LoadPlan, LoadStage, TypeId};
use crate::ir::load::Load;
use scn_grammar::Span;
use scn_grammar::ast::{Expr, IterationsMode, LoadBlock, LoadLine, LoadLineKind};
use std::collections::HashMap;

/// What the lines of a block said, for the rules between them.
#[derive(Default)]
struct Seen {
    /// First line of each kind.
    first: HashMap<&'static str, Span>,
    /// `iterations` without a mode.
    bare_iterations: Option<(i64, Span)>,
    /// Where the stages are.
    stages: Vec<Span>,
    /// A line was wrong; nothing is missing then.
    broken: bool,
}

impl Checker<'_> {
    pub(super) fn load_plan(&mut self, unit: UnitId, block: &LoadBlock) -> LoadPlan {
        let mut plan = LoadPlan::default();
        let mut seen = Seen::default();
        for line in &block.lines {
            let word = line_word(&line.kind);
            if let Some(first) = seen.first.get(word).copied() {
                if !matches!(word, "users" | "arrivals" | "spawn") {
                    self.report(scenario::load_line_twice(word, line.span, first));
                }
            } else {
                seen.first.insert(word, line.span);
            }
            self.load_line(unit, line, &mut plan, &mut seen);
            seen.stages.resize(plan.stages.len(), line.span);
        }
        self.check_model(block, &mut plan, &seen);
        plan
    }

    fn load_line(&mut self, unit: UnitId, line: &LoadLine, plan: &mut LoadPlan, seen: &mut Seen) {
        let before = self.diagnostics.len();
        match &line.kind {
            LoadLineKind::Users { from, to, over } => {
                let from = self.count(unit, from, "users", 0);
                let to = to
                    .as_ref()
                    .map_or(from, |to| self.count(unit, to, "users", 0));
                let over = over
                    .as_ref()
                    .and_then(|over| self.span_of_time(unit, over, 1));
                plan.stages.push(LoadStage::Users {
                    from: from.unwrap_or(1),
                    to: to.unwrap_or(1),
                    over,
                });
            }
            LoadLineKind::Arrivals {
                from,
                to,
                over,
                poisson,
            } => {
                let from = self.per_second(unit, from, true);
                let to = to
                    .as_ref()
                    .map_or(from, |to| self.per_second(unit, to, true));
                let time = over
                    .as_ref()
                    .and_then(|over| self.span_of_time(unit, over, 1));
                if over.is_none() {
                    self.report(scenario::arrivals_without_time(line.span));
                }
                plan.stages.push(LoadStage::Arrivals {
                    from: from.unwrap_or(1.0),
                    to: to.unwrap_or(1.0),
                    over: time.unwrap_or(1),
                    poisson: *poisson,
                });
            }
            LoadLineKind::Spawn {
                count,
                at,
                pool,
                tags,
            } => {
                let count = self.count(unit, count, "spawn", 1).unwrap_or(1);
                let at = at
                    .as_ref()
                    .and_then(|at| self.span_of_time(unit, at, 0))
                    .unwrap_or(0);
                let pool = pool.as_ref().and_then(|pool| self.pool_named(unit, pool));
                let tags = tags
                    .as_ref()
                    .map_or_else(Vec::new, |tags| self.tags(unit, tags));
                plan.stages.push(LoadStage::Spawn {
                    count,
                    at,
                    pool,
                    tags,
                });
            }
            LoadLineKind::Iterations { count, mode } => {
                let count = self.count(unit, count, "iterations", 1);
                match mode {
                    Some(IterationsMode::PerUser) => plan.iterations_per_user = count,
                    Some(IterationsMode::Shared) => plan.iterations_shared = count,
                    None => seen.bare_iterations = count.map(|count| (count, line.span)),
                }
            }
            LoadLineKind::RunFor(time) => plan.run_for = self.span_of_time(unit, time, 1),
            LoadLineKind::Think(pause) => plan.think = self.pause_times(unit, pause),
            LoadLineKind::Pace(time) => plan.pace = self.span_of_time(unit, time, 1),
            LoadLineKind::MaxUsers(count) => {
                plan.max_users = self.count(unit, count, "max users", 1)
            }
            LoadLineKind::LimitSpawn(rate) => plan.limit_spawn = self.per_second(unit, rate, false),
            LoadLineKind::LimitRequests(rate) => {
                plan.limit_requests = self.per_second(unit, rate, false)
            }
            LoadLineKind::FreshUsers => plan.fresh_users = true,
            LoadLineKind::StartAt(time) => plan.start_at = self.span_of_time(unit, time, 0),
            LoadLineKind::Weight(weight) => plan.weight = self.count(unit, weight, "weight", 1),
            LoadLineKind::GracefulStop(time) => {
                plan.graceful_stop = self.span_of_time(unit, time, 0)
            }
            LoadLineKind::Bad => seen.broken = true,
        }
        seen.broken |= self.diagnostics.len() > before;
    }

    /// The rules between lines.
    fn check_model(&mut self, block: &LoadBlock, plan: &mut LoadPlan, seen: &Seen) {
        let models: Vec<_> = ["users", "arrivals", "spawn"]
            .into_iter()
            .filter_map(|word| seen.first.get(word).map(|span| (word, *span)))
            .collect();
        if let [(a, first), (b, second), ..] = models.as_slice() {
            return self.report(scenario::two_models(a, *first, b, *second));
        }
        let model = models.first().map(|(word, _)| *word);
        self.check_contradictions(model, seen);
        match (seen.bare_iterations, model) {
            (Some((count, _)), None) => plan.iterations_per_user = Some(count),
            (Some((_, span)), Some(_)) => self.report(scenario::iterations_of_whom(span)),
            _ => {}
        }
        if !seen.broken {
            self.check_complete(block, model, plan, seen);
        }
    }

    fn check_contradictions(&mut self, model: Option<&str>, seen: &Seen) {
        let pairs: &[(&str, &str, &str)] = &[
            (
                "arrivals",
                "iterations per user",
                "with `arrivals` a new iteration starts on schedule, whoever runs it",
            ),
            (
                "arrivals",
                "think",
                "the schedule alone decides when iterations start",
            ),
            (
                "arrivals",
                "pace",
                "the schedule alone decides when iterations start",
            ),
            (
                "arrivals",
                "limit spawn",
                "a user starts when an arrival finds none free; `max users` bounds how many",
            ),
            (
                "fresh users",
                "iterations per user",
                "every iteration is a new user",
            ),
            (
                "iterations per user",
                "iterations shared",
                "either each user or all of them together count",
            ),
            (
                "think",
                "pace",
                "`pace` fixes the period, `think` the pause",
            ),
        ];
        for (a, b, why) in pairs {
            if let (Some(first), Some(second)) = (seen.first.get(a), seen.first.get(b)) {
                self.report(scenario::contradiction(a, *first, b, *second, why));
            }
        }
        if let (Some("arrivals"), Some((_, span))) = (model, seen.bare_iterations) {
            let first = seen.first["arrivals"];
            self.report(scenario::contradiction(
                "arrivals",
                first,
                "iterations",
                span,
                "say `iterations N shared`",
            ));
        }
    }

    fn check_complete(
        &mut self,
        block: &LoadBlock,
        model: Option<&str>,
        plan: &LoadPlan,
        seen: &Seen,
    ) {
        let before = self.diagnostics.len();
        self.check_stages(plan, seen);
        if self.diagnostics.len() > before {
            return;
        }
        let bounded = plan.run_for.is_some()
            || plan.iterations_per_user.is_some()
            || plan.iterations_shared.is_some()
            || seen.bare_iterations.is_some();
        match model {
            None if plan.iterations_per_user.is_some() => {}
            None if plan.iterations_shared.is_some() => {}
            None => self.report(scenario::no_model(block.span)),
            Some("users") => {
                let open = plan
                    .stages
                    .iter()
                    .any(|stage| matches!(stage, LoadStage::Users { over: None, .. }));
                if open && !bounded {
                    self.report(scenario::no_bound("users", seen.first["users"]));
                }
            }
            Some("spawn") if !bounded => {
                self.report(scenario::no_bound("spawn", seen.first["spawn"]))
            }
            Some(_) => {}
        }
        if let Some(model) = model {
            self.check_amounts(model, plan, seen);
        }
    }

    /// Each stage has its time, and a turn.
    fn check_stages(&mut self, plan: &LoadPlan, seen: &Seen) {
        for (at, stage) in plan.stages.iter().enumerate() {
            let LoadStage::Users {
                from,
                to,
                over: None,
            } = stage
            else {
                continue;
            };
            if from != to {
                self.report(scenario::ramp_without_time(seen.stages[at]));
            } else if let Some(next) = seen.stages.get(at + 1) {
                return self.report(scenario::stage_without_time(seen.stages[at], *next));
            }
        }
        let Some(end) = plan.run_for else {
            return;
        };
        for (at, (begins, _)) in Load::from(plan).spans().into_iter().enumerate() {
            if begins >= end.unsigned_abs() {
                let bound = seen.first["run for"];
                self.report(scenario::stage_behind_the_end(seen.stages[at], bound));
            }
        }
    }

    fn check_amounts(&mut self, model: &str, plan: &LoadPlan, seen: &Seen) {
        let nothing = plan.stages.iter().all(|stage| match stage {
            LoadStage::Users { from, to, .. } => *from == 0 && *to == 0,
            LoadStage::Arrivals { from, to, .. } => *from == 0.0 && *to == 0.0,
            LoadStage::Spawn { count, .. } => *count == 0,
        });
        if nothing {
            self.report(scenario::no_load(model, seen.first[model]));
        }
        let most = plan.stages.iter().map(|stage| match stage {
            LoadStage::Users { from, to, .. } => *from.max(to),
            _ => 0,
        });
        if let (Some(max), Some(most)) = (plan.max_users, most.max())
            && most > max
        {
            self.report(scenario::more_than_max(
                most,
                seen.first[model],
                max,
                seen.first["max users"],
            ));
        }
    }

    fn load_constant(&mut self, unit: UnitId, value: &Expr, ty: TypeId) -> Option<Const> {
        self.constant_of(unit, value, Some(ty))
            .map(|(value, _)| value)
    }

    fn count(&mut self, unit: UnitId, value: &Expr, what: &str, least: i64) -> Option<i64> {
        let Some(Const::Int(count)) = self.load_constant(unit, value, self.basic.int) else {
            return None;
        };
        if count < least {
            self.report(scenario::too_small(what, least, value.span));
            return None;
        }
        Some(count)
    }

    fn span_of_time(&mut self, unit: UnitId, value: &Expr, least: i64) -> Option<i64> {
        let Some(Const::Duration(time)) = self.load_constant(unit, value, self.basic.duration)
        else {
            return None;
        };
        if time < least {
            self.report(scenario::too_short(least == 0, value.span));
            return None;
        }
        Some(time)
    }

    fn per_second(&mut self, unit: UnitId, value: &Expr, zero: bool) -> Option<f64> {
        let Some(Const::Rate(rate)) = self.load_constant(unit, value, self.basic.rate) else {
            return None;
        };
        if rate < 0.0 || (rate == 0.0 && !zero) || !rate.is_finite() {
            self.report(scenario::bad_rate(value.span));
            return None;
        }
        Some(rate)
    }

    fn pause_times(&mut self, unit: UnitId, pause: &Expr) -> Option<(i64, i64)> {
        let is_range = matches!(&*pause.kind, scn_grammar::ast::ExprKind::Range { .. });
        if !is_range {
            return self.span_of_time(unit, pause, 0).map(|time| (time, time));
        }
        match self.constant_of(unit, pause, None)? {
            (Const::Range { start, end, .. }, _) => match (*start, *end) {
                (Const::Duration(a), Const::Duration(b)) if a >= 0 => Some((a, b)),
                _ => {
                    self.report(scenario::bad_pause(pause.span));
                    None
                }
            },
            _ => None,
        }
    }
}

/// The name of a line, for lines that may stand only once and for contradictions.
fn line_word(kind: &LoadLineKind) -> &'static str {
    match kind {
        LoadLineKind::Users { .. } => "users",
        LoadLineKind::Arrivals { .. } => "arrivals",
        LoadLineKind::Spawn { .. } => "spawn",
        LoadLineKind::Iterations {
            mode: Some(IterationsMode::PerUser),
            ..
        } => "iterations per user",
        LoadLineKind::Iterations {
            mode: Some(IterationsMode::Shared),
            ..
        } => "iterations shared",
        LoadLineKind::Iterations { mode: None, .. } => "iterations",
        LoadLineKind::RunFor(_) => "run for",
        LoadLineKind::Think(_) => "think",
        LoadLineKind::Pace(_) => "pace",
        LoadLineKind::MaxUsers(_) => "max users",
        LoadLineKind::LimitSpawn(_) => "limit spawn",
        LoadLineKind::LimitRequests(_) => "limit requests",
        LoadLineKind::FreshUsers => "fresh users",
        LoadLineKind::StartAt(_) => "start at",
        LoadLineKind::Weight(_) => "weight",
        LoadLineKind::GracefulStop(_) => "graceful stop",
        LoadLineKind::Bad => "",
    }
}
