//! Puts together what several instances of one component measured: sums, distributions, and the worst of what cannot
//! be added up.
//!
//! Percentiles of single seconds are those of the slowest instance: their distributions are not told. Thresholds are
//! judged by each instance for itself, and hold if they hold for all. Enter at [`reports`] and [`Seconds::add`].

use scn_runtime::report::{
    CheckReport, ErrorReport, GeneratorReport, Percentiles, Point, PoolReport, Progress, Report,
    ScenarioReport, Series, ThresholdReport, Totals, Value,
};
use std::collections::BTreeMap;

/// The report of all instances; nothing if there is none.
pub(super) fn reports(all: Vec<Report>) -> Option<Report> {
    let mut all = all.into_iter();
    let mut sum = all.next()?;
    for more in all {
        add(&mut sum, more);
    }
    sum.errors
        .sort_by_key(|error| std::cmp::Reverse(error.count));
    Some(sum)
}

fn add(sum: &mut Report, more: Report) {
    sum.started = sum.started.min(more.started);
    sum.nanos = sum.nanos.max(more.nanos);
    sum.workers += more.workers;
    sum.stopped = sum.stopped.take().or(more.stopped);
    join(
        &mut sum.scenarios,
        more.scenarios,
        |a, b| a.name == b.name,
        add_scenario,
    );
    join(
        &mut sum.series,
        more.series,
        |a, b| a.metric == b.metric && a.tags == b.tags,
        add_series,
    );
    join(
        &mut sum.timeline,
        more.timeline,
        |a, b| second(a) == second(b),
        add_point,
    );
    sum.timeline.sort_by_key(|point| point.at);
    join(
        &mut sum.thresholds,
        more.thresholds,
        is_same_threshold,
        add_threshold,
    );
    join(
        &mut sum.checks,
        more.checks,
        |a, b| a.site == b.site && a.scenario == b.scenario,
        add_check,
    );
    join(&mut sum.errors, more.errors, is_same_error, add_error);
    join(
        &mut sum.pools,
        more.pools,
        |a, b| a.name == b.name,
        add_pool,
    );
    add_generator(&mut sum.generator, more.generator);
}

/// Adds each entry to the one that it belongs to, or behind all others.
fn join<T>(
    sum: &mut Vec<T>,
    more: Vec<T>,
    is_same: impl Fn(&T, &T) -> bool,
    add: impl Fn(&mut T, T),
) {
    for one in more {
        match sum.iter_mut().find(|known| is_same(known, &one)) {
            Some(known) => add(known, one),
            None => sum.push(one),
        }
    }
}

fn add_scenario(sum: &mut ScenarioReport, more: ScenarioReport) {
    sum.users += more.users;
    sum.peak += more.peak;
    sum.leaked += more.leaked;
    sum.iterations += more.iterations;
    sum.failed += more.failed;
    sum.interrupted += more.interrupted;
    sum.dropped += more.dropped;
    sum.failed_sections += more.failed_sections;
}

fn add_series(sum: &mut Series, more: Series) {
    match (&mut sum.value, more.value) {
        (Value::Counter(sum), Value::Counter(more)) => *sum += more,
        (
            Value::Gauge { last, min, max },
            Value::Gauge {
                last: other,
                min: least,
                max: most,
            },
        ) => {
            *last = other;
            *min = min.min(least);
            *max = max.max(most);
        }
        (
            Value::Rate { yes, total },
            Value::Rate {
                yes: more,
                total: of,
            },
        ) => {
            *yes += more;
            *total += of;
        }
        (Value::Trend(sum), Value::Trend(more)) => sum.merge(&more),
        // One program has one kind for each metric.
        _ => {}
    }
}

/// The second that a point is of.
fn second(point: &Point) -> u64 {
    point.at / 1_000_000_000
}

fn add_point(sum: &mut Point, more: Point) {
    sum.nanos = sum.nanos.max(more.nanos);
    sum.users += more.users;
    sum.iterations += more.iterations;
    sum.failed_iterations += more.failed_iterations;
    sum.dropped += more.dropped;
    sum.requests += more.requests;
    sum.failed += more.failed;
    sum.sent += more.sent;
    sum.received += more.received;
    sum.opened += more.opened;
    add_kinds(&mut sum.errors, more.errors);
    sum.checks.0 += more.checks.0;
    sum.checks.1 += more.checks.1;
    add_points(&mut sum.response, &more.response);
    add_points(&mut sum.service, &more.service);
    add_points(&mut sum.lag, &more.lag);
    sum.busy = sum.busy.max(more.busy);
}

fn add_kinds(sum: &mut Vec<(String, u64)>, more: Vec<(String, u64)>) {
    join(sum, more, |a, b| a.0 == b.0, |sum, more| sum.1 += more.1);
}

/// The mean of all, and the worst of the rest.
fn add_points(sum: &mut Percentiles, more: &Percentiles) {
    if more.count == 0 {
        return;
    }
    if sum.count == 0 {
        *sum = *more;
        return;
    }
    let count = sum.count + more.count;
    let total = u128::from(sum.mean) * u128::from(sum.count)
        + u128::from(more.mean) * u128::from(more.count);
    *sum = Percentiles {
        count,
        mean: (total / u128::from(count)) as u64,
        min: sum.min.min(more.min),
        p50: sum.p50.max(more.p50),
        p90: sum.p90.max(more.p90),
        p95: sum.p95.max(more.p95),
        p99: sum.p99.max(more.p99),
        p999: sum.p999.max(more.p999),
        max: sum.max.max(more.max),
    };
}

fn is_same_threshold(a: &ThresholdReport, b: &ThresholdReport) -> bool {
    a.text == b.text && a.scenario == b.scenario && a.span == b.span
}

/// One that does not hold stands for all.
fn add_threshold(sum: &mut ThresholdReport, more: ThresholdReport) {
    let (samples, aborted) = (sum.samples + more.samples, sum.aborted || more.aborted);
    let is_worse = sum.ok && !more.ok || sum.value.is_none();
    if is_worse {
        *sum = more;
    }
    (sum.samples, sum.aborted) = (samples, aborted);
}

fn add_check(sum: &mut CheckReport, more: CheckReport) {
    sum.passed += more.passed;
    sum.failed += more.failed;
    sum.example = sum.example.take().or(more.example);
}

fn is_same_error(a: &ErrorReport, b: &ErrorReport) -> bool {
    let (left, right) = (&a.example, &b.example);
    a.scenario == b.scenario
        && left.kind() == right.kind()
        && left.data().place == right.data().place
}

fn add_error(sum: &mut ErrorReport, more: ErrorReport) {
    sum.count += more.count;
    sum.first = sum.first.min(more.first);
    sum.last = sum.last.max(more.last);
}

fn add_pool(sum: &mut PoolReport, more: PoolReport) {
    sum.leases += more.leases;
    sum.peak += more.peak;
    sum.waits += more.waits;
    sum.waited += more.waited;
    sum.shared += more.shared;
    sum.fell_back += more.fell_back;
    sum.failed += more.failed;
    join(
        &mut sum.addresses,
        more.addresses,
        |a, b| a.0 == b.0,
        |sum, more| sum.1 += more.1,
    );
}

fn add_generator(sum: &mut GeneratorReport, more: GeneratorReport) {
    sum.invalid.extend(more.invalid);
    add_points(&mut sum.lag, &more.lag);
    sum.busy.extend(more.busy);
}

/// Seconds of instances that run side by side: one is whole when all have told it.
pub(super) struct Seconds {
    instances: usize,
    waiting: BTreeMap<u64, Vec<Progress>>,
}

impl Seconds {
    /// Of so many instances.
    pub(super) fn new(instances: u32) -> Seconds {
        Seconds {
            instances: instances.max(1) as usize,
            waiting: BTreeMap::new(),
        }
    }

    /// Takes the second of one instance; gives that of all when it is the last one.
    pub(super) fn add(&mut self, progress: Progress) -> Option<Progress> {
        let at = second(&progress.point);
        let waiting = self.waiting.entry(at).or_default();
        waiting.push(progress);
        if waiting.len() < self.instances {
            return None;
        }
        let all = self.waiting.remove(&at)?;
        // Of an instance that has ended earlier there are seconds that will never be whole.
        self.waiting = self.waiting.split_off(&at);
        let mut all = all.into_iter();
        let mut sum = all.next()?;
        all.for_each(|more| add_progress(&mut sum, more));
        Some(sum)
    }
}

fn add_progress(sum: &mut Progress, more: Progress) {
    add_point(&mut sum.point, more.point);
    add_totals(&mut sum.totals, more.totals);
    join(
        &mut sum.scenarios,
        more.scenarios,
        |a, b| a.name == b.name,
        |sum, more| sum.users += more.users,
    );
    join(
        &mut sum.thresholds,
        more.thresholds,
        is_same_threshold,
        add_threshold,
    );
    sum.stopping |= more.stopping;
}

fn add_totals(sum: &mut Totals, more: Totals) {
    sum.iterations += more.iterations;
    sum.failed_iterations += more.failed_iterations;
    sum.dropped += more.dropped;
    sum.requests += more.requests;
    sum.failed += more.failed;
    sum.passed_checks += more.passed_checks;
    sum.failed_checks += more.failed_checks;
    sum.sent += more.sent;
    sum.received += more.received;
    add_kinds(&mut sum.errors, more.errors);
    add_points(&mut sum.response, &more.response);
}
