//! The conductor's side: intervals of all workers become sums, seconds and, at the end, the report.
//!
//! Adding is exact and does not depend on how samples were shared among workers. Enter at [`Totals`].

use super::catalogue::{MetricId, OfProtocol, built_in};
use super::findings::Findings;
use super::hash::FastMap;
use super::series::{Delta, Sum};
use super::tags::{TagSets, TagsId};
use super::threshold::Watch;
use super::timeline::{Stretch, Timeline, by_frequency};
use super::verdict::Generator;
use super::{
    ContextId, Counts, Gauge, Histogram, Interval, Iterations, OperationKey, Operations, Protocol,
    Samples, Users, steps_of,
};
use crate::report::{
    self, MetricKind, Percentiles, Progress, Report, ScenarioProgress, ScenarioReport, Series,
    StageReport, Stopped, Unit,
};
use crate::timer::Nanos;
use scn_compiler::ir::{GlobalKind, Program, Scalar, Scenario};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// Everything that was measured.
///
/// The conductor calls [`Totals::add`] with what each worker's [`Recorder::take`](super::Recorder::take) gave,
/// [`Totals::tick`] each second, looks at [`Totals::abort`] then, and ends with [`Totals::report`]. Workers call
/// [`Recorder::begin`](super::Recorder::begin) when their users start.
#[derive(Debug)]
pub struct Totals {
    /// Name, kind and unit of each metric.
    metrics: Vec<(String, MetricKind, Unit)>,
    sets: TagSets,
    series: FastMap<(MetricId, TagsId), Sum>,
    watches: Vec<Watch>,
    scenarios: Vec<ScenarioReport>,
    findings: Findings,
    generator: Generator,
    timeline: Timeline,
    /// What came since the last tick.
    second: Stretch,
    /// Trends since the last tick, by metric.
    trends: BTreeMap<MetricId, Histogram>,
    sums: report::Totals,
    /// Response times of all operations, and errors by kind.
    response: Histogram,
    errors: BTreeMap<String, u64>,
    /// Each worker's users as it last told.
    users: BTreeMap<(u32, ContextId), (TagsId, Users)>,
    ticked: Nanos,
    /// Whether the generator is judged.
    has_plan: bool,
}

/// What a report says of a run beside what was measured.
#[derive(Clone, Debug)]
pub struct Head {
    /// When the users' part began, by the wall clock.
    pub started: SystemTime,
    /// How long it took.
    pub nanos: Nanos,
    /// Worker threads.
    pub workers: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// Why it ended before its plan did.
    pub stopped: Option<Stopped>,
}

impl Totals {
    /// For a run of some of a program's scenarios.
    pub fn new<'a>(program: &Program, scenarios: impl IntoIterator<Item = &'a Scenario>) -> Totals {
        let mut totals = Totals {
            metrics: metrics(program),
            sets: TagSets::default(),
            series: FastMap::default(),
            watches: Vec::new(),
            scenarios: Vec::new(),
            findings: Findings::new(program),
            generator: Generator::default(),
            timeline: Timeline::default(),
            second: Stretch::default(),
            trends: BTreeMap::new(),
            sums: report::Totals::default(),
            response: Histogram::default(),
            errors: BTreeMap::new(),
            users: BTreeMap::new(),
            ticked: 0,
            has_plan: false,
        };
        for scenario in scenarios {
            totals.scenarios.push(ScenarioReport {
                name: scenario.name.clone(),
                ..ScenarioReport::default()
            });
            totals.watch(&scenario.thresholds, Some(&scenario.name));
        }
        totals.watch(&program.thresholds, None);
        totals
    }

    fn watch(&mut self, thresholds: &[scn_compiler::ir::load::Threshold], scenario: Option<&str>) {
        for threshold in thresholds {
            let metric = match threshold.declared {
                Some(global) => Some(MetricId::of_global(global.0)),
                None => MetricId::of_name(&threshold.metric),
            };
            // The checker lets no unknown metric pass.
            let Some(metric) = metric else { continue };
            let (_, kind, unit) = self.metrics[metric.0 as usize];
            let watch = Watch::new(threshold, scenario, (metric, kind, unit));
            self.watches.push(watch);
        }
    }

    /// Says when a scenario's stages begin and end: users come by a plan, and the generator is judged by how it keeps
    /// to it.
    pub fn set_stages(&mut self, scenario: &str, stages: Vec<StageReport>) {
        self.has_plan = true;
        self.scenario(scenario).stages = stages;
    }

    /// Adds what a worker has measured.
    pub fn add(&mut self, worker: u32, mut interval: Interval) {
        let (names, contexts) = (&mut interval.names, &mut interval.contexts);
        self.sets
            .learn(worker, std::mem::take(names), std::mem::take(contexts));
        self.generator.add(worker, &interval);
        self.second.add(&interval);
        for (key, operations) in &interval.operations {
            self.add_operations(worker, key, operations);
        }
        for (protocol, base, phases) in &interval.phases {
            self.add_phases(worker, *protocol, *base, phases);
        }
        for (base, iterations) in &interval.iterations {
            self.add_iterations(worker, *base, iterations);
        }
        for (context, times) in &interval.steps {
            let tags = self.sets.of_context(worker, *context);
            self.feed(MetricId::STEP_DURATION, tags, Delta::Times(times));
        }
        for (metric, context, samples) in &interval.samples {
            let tags = self.sets.of_context(worker, *context);
            self.feed(MetricId::of_global(*metric), tags, samples.delta());
        }
        for (name, count) in &interval.server_errors {
            let name = self.sets.name(worker, *name);
            let tags = vec![("server".to_owned(), name.to_string())];
            let tags = self.sets.intern(tags);
            self.feed(MetricId::SERVER_ERRORS, tags, Delta::Amount(*count as f64));
        }
        self.add_checks(worker, &mut interval);
        self.add_errors(worker, &mut interval);
        for (base, users) in &interval.users {
            self.add_users(worker, *base, users);
        }
    }

    /// Adds samples to the series of a metric, and to the thresholds on it.
    fn feed(&mut self, metric: MetricId, tags: TagsId, delta: Delta<'_>) {
        let (_, kind, _) = self.metrics[metric.0 as usize];
        let sum = self.series.entry((metric, tags));
        sum.or_insert_with(|| Sum::new(kind)).add(delta);
        for watch in &mut self.watches {
            watch.add(metric, tags, &self.sets, delta);
        }
        if let Delta::Times(times) = delta {
            times.add_to(self.trends.entry(metric).or_default());
        }
    }

    fn feed_count(&mut self, metric: MetricId, tags: TagsId, count: u64) {
        if count > 0 {
            self.feed(metric, tags, Delta::Amount(count as f64));
        }
    }

    fn add_operations(&mut self, worker: u32, key: &OperationKey, operations: &Operations) {
        let tags = self.sets.of_operation(worker, key);
        let metric = |metric, plus| MetricId::of_protocol(key.protocol, metric, plus);
        let count = operations.response.count();
        let failed = if key.failed { count } else { 0 };
        let times = [
            (OfProtocol::Duration, &operations.response),
            (OfProtocol::Service, &operations.service),
        ];
        for (of, times) in times {
            self.feed(metric(of, 0), tags, Delta::Times(times));
        }
        self.feed(
            metric(OfProtocol::Failed, 0),
            tags,
            Delta::Share(failed, count),
        );
        self.feed_count(metric(OfProtocol::Requests, 0), tags, count);
        self.feed_count(metric(OfProtocol::Sent, 0), tags, operations.sent);
        self.feed_count(metric(OfProtocol::Received, 0), tags, operations.received);
        for (link, count) in operations.links.iter().enumerate() {
            self.feed_count(metric(OfProtocol::FirstLink, link), tags, *count);
        }
        let kind = self.sets.name(worker, key.kind);
        if !kind.is_empty() {
            self.count_errors(&kind, count);
        }
        operations.response.add_to(&mut self.response);
        operations.response.add_to(&mut self.second.response);
        operations.service.add_to(&mut self.second.service);
        let point = &mut self.second.point;
        point.requests += count;
        point.failed += failed;
        point.sent += operations.sent;
        point.received += operations.received;
        point.opened += operations.links[1];
        self.sums.requests += count;
        self.sums.failed += failed;
        self.sums.sent += operations.sent;
        self.sums.received += operations.received;
    }

    fn count_errors(&mut self, kind: &str, count: u64) {
        self.second.add_errors(kind, count);
        *self.errors.entry(kind.to_owned()).or_default() += count;
    }

    fn add_phases(
        &mut self,
        worker: u32,
        protocol: Protocol,
        base: ContextId,
        phases: &[Counts; 6],
    ) {
        let tags = self.sets.of_context(worker, base);
        for (phase, times) in phases.iter().enumerate() {
            if times.count() > 0 {
                let metric = MetricId::of_protocol(protocol, OfProtocol::FirstPhase, phase);
                self.feed(metric, tags, Delta::Times(times));
            }
        }
    }

    fn add_iterations(&mut self, worker: u32, base: ContextId, iterations: &Iterations) {
        let tags = self.sets.of_context(worker, base);
        let count = iterations.duration.count();
        if count > 0 {
            self.feed(
                MetricId::ITERATION_DURATION,
                tags,
                Delta::Times(&iterations.duration),
            );
            let failed = Delta::Share(iterations.failed, count);
            self.feed(MetricId::ITERATIONS_FAILED, tags, failed);
        }
        self.feed_count(MetricId::ITERATIONS, tags, count);
        self.feed_count(MetricId::ITERATIONS_DROPPED, tags, iterations.dropped);
        self.feed_count(
            MetricId::ITERATIONS_INTERRUPTED,
            tags,
            iterations.interrupted,
        );
        let name = self.sets.scenario(worker, base);
        let scenario = self.scenario(&name);
        scenario.iterations += count;
        scenario.failed += iterations.failed;
        scenario.interrupted += iterations.interrupted;
        scenario.dropped += iterations.dropped;
        scenario.failed_sections += iterations.failed_sections;
        let point = &mut self.second.point;
        point.iterations += count;
        point.failed_iterations += iterations.failed;
        point.dropped += iterations.dropped;
        self.sums.iterations += count;
        self.sums.failed_iterations += iterations.failed;
        self.sums.dropped += iterations.dropped;
    }

    fn add_checks(&mut self, worker: u32, interval: &mut Interval) {
        for (site, context, checks) in interval.checks.drain(..) {
            let label = self.findings.label(site).to_owned();
            let tags = self.sets.with(worker, context, &[("check", &label)]);
            let total = checks.passed + checks.failed;
            self.feed(MetricId::CHECKS, tags, Delta::Share(checks.passed, total));
            self.second.point.checks.0 += checks.passed;
            self.second.point.checks.1 += checks.failed;
            self.sums.passed_checks += checks.passed;
            self.sums.failed_checks += checks.failed;
            let scenario = self.sets.scenario(worker, context);
            self.findings.add_checks(site, scenario, checks);
        }
    }

    fn add_errors(&mut self, worker: u32, interval: &mut Interval) {
        for (key, errors) in interval.errors.drain(..) {
            let kind = self.sets.name(worker, key.kind);
            let tags = self.sets.with(worker, key.context, &[("kind", &kind)]);
            self.feed(MetricId::ERRORS, tags, Delta::Amount(errors.count as f64));
            if !errors.reported {
                self.count_errors(&kind, errors.count);
            }
            let scenario = self.sets.scenario(worker, key.context);
            self.findings.add_errors(&kind, key.place, scenario, errors);
        }
    }

    fn add_users(&mut self, worker: u32, base: ContextId, users: &Users) {
        let tags = self.sets.of_context(worker, base);
        let name = self.sets.scenario(worker, base);
        self.scenario(&name).users += users.started;
        self.users.insert((worker, base), (tags, *users));
    }

    fn scenario(&mut self, name: &str) -> &mut ScenarioReport {
        let known = self.scenarios.iter().position(|known| known.name == name);
        let at = known.unwrap_or_else(|| {
            self.scenarios.push(ScenarioReport {
                name: name.to_owned(),
                ..ScenarioReport::default()
            });
            self.scenarios.len() - 1
        });
        &mut self.scenarios[at]
    }

    /// Ends a second: everything that was added since the last one is of it. `elapsed` is the time since the start of
    /// the users' part.
    pub fn tick(&mut self, elapsed: Nanos, stopping: bool) -> Progress {
        let alive = self.count_users(elapsed);
        let second = &mut self.second.point;
        second.at = self.ticked;
        second.nanos = elapsed.saturating_sub(self.ticked);
        second.users = alive.values().sum();
        self.ticked = elapsed;
        let second = std::mem::take(&mut self.second);
        self.timeline.push(&second);
        let trends = std::mem::take(&mut self.trends);
        let trends = trends
            .into_iter()
            .map(|(metric, all)| (self.metrics[metric.0 as usize].0.clone(), all));
        let trends = trends.collect();
        for watch in &mut self.watches {
            watch.aborts(elapsed);
        }
        let scenarios = self.scenarios.iter().filter(|one| !one.name.is_empty());
        Progress {
            point: second.to_point(),
            trends,
            totals: report::Totals {
                errors: by_frequency(&self.errors),
                response: Percentiles::of(&self.response),
                ..self.sums.clone()
            },
            scenarios: scenarios
                .map(|scenario| ScenarioProgress {
                    name: scenario.name.clone(),
                    users: alive.get(&scenario.name).copied().unwrap_or(0),
                    stages: scenario.stages.clone(),
                })
                .collect(),
            thresholds: self.thresholds(elapsed),
            stopping,
        }
    }

    /// Takes a sample of the number of users; gives it by scenario.
    fn count_users(&mut self, elapsed: Nanos) -> BTreeMap<String, u64> {
        let mut by_tags: BTreeMap<TagsId, Users> = BTreeMap::new();
        for (tags, users) in self.users.values_mut() {
            let sum = by_tags.entry(*tags).or_default();
            sum.alive += users.alive;
            sum.peak += users.peak;
            // The next second begins with those who are there.
            users.peak = users.alive;
        }
        let mut alive: BTreeMap<String, u64> = BTreeMap::new();
        let mut peaks: BTreeMap<String, u64> = BTreeMap::new();
        for (tags, users) in by_tags {
            let scenario = self.sets.tag(tags, "scenario").to_owned();
            *alive.entry(scenario.clone()).or_default() += users.alive;
            *peaks.entry(scenario).or_default() += users.peak;
            if users.peak > 0 {
                let gauge = level(elapsed, &users);
                self.feed(MetricId::USERS, tags, Delta::Level(&gauge));
            }
        }
        for (name, peak) in peaks {
            let scenario = self.scenario(&name);
            scenario.peak = scenario.peak.max(peak);
        }
        alive
    }

    fn thresholds(&self, elapsed: Nanos) -> Vec<report::ThresholdReport> {
        let all = self.watches.iter();
        all.map(|watch| watch.report(elapsed)).collect()
    }

    /// The text of a threshold that ends the run, as of the last tick.
    pub fn abort(&self) -> Option<&str> {
        let mut aborting = self.watches.iter().filter(|watch| watch.has_aborted());
        aborting.next().map(Watch::text)
    }

    /// What it all comes to. The last intervals have been added; what is left of a second becomes a point.
    pub fn report(mut self, head: Head) -> Report {
        if head.nanos > self.ticked {
            self.tick(head.nanos, true);
        }
        let mut left: BTreeMap<String, u64> = BTreeMap::new();
        for (tags, users) in self.users.values() {
            let scenario = self.sets.tag(*tags, "scenario").to_owned();
            *left.entry(scenario).or_default() += users.alive;
        }
        for (name, alive) in left {
            self.scenario(&name).leaked = alive;
        }
        let mut generator = self.generator.report();
        if !self.has_plan {
            generator.invalid.clear();
        }
        Report {
            started: head.started,
            nanos: head.nanos,
            workers: head.workers,
            seed: head.seed,
            stopped: head.stopped,
            thresholds: self.thresholds(head.nanos),
            series: self.all_series(),
            timeline: self.timeline.points(),
            checks: self.findings.checks(),
            errors: self.findings.errors(),
            pools: Vec::new(),
            generator,
            scenarios: self
                .scenarios
                .into_iter()
                .filter(|scenario| !scenario.name.is_empty())
                .collect(),
        }
    }

    /// By metric and tags.
    fn all_series(&self) -> Vec<Series> {
        let mut all: Vec<_> = self
            .series
            .iter()
            .map(|((metric, tags), sum)| (*metric, self.sets.tags(*tags), sum))
            .collect();
        all.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let series = all.into_iter().map(|(metric, tags, sum)| {
            let (name, _, unit) = &self.metrics[metric.0 as usize];
            Series {
                metric: name.clone(),
                unit: *unit,
                tags: tags.clone(),
                value: sum.value(),
            }
        });
        series.collect()
    }
}

/// Users as a sample of their gauge: those at a second's end, or the most in it if all have left, as at the run's end.
fn level(at: Nanos, users: &Users) -> Gauge {
    let alive = match users.alive {
        0 => users.peak as f64,
        alive => alive as f64,
    };
    let mut samples = Counts::default();
    samples.record(at, steps_of(alive));
    Gauge {
        last: (at, alive),
        min: alive,
        max: users.peak as f64,
        samples,
    }
}

impl Samples {
    fn delta(&self) -> Delta<'_> {
        match self {
            Samples::Counter(sum, _) => Delta::Amount(*sum),
            Samples::Rate(yes, total) => Delta::Share(*yes, *total),
            Samples::Trend(counts) => Delta::Times(counts),
            Samples::Gauge(gauge) => Delta::Level(gauge),
        }
    }
}

/// All metrics by their number; what is no metric among the globals has no name.
fn metrics(program: &Program) -> Vec<(String, MetricKind, Unit)> {
    let declared = program.globals.iter().map(|global| match &global.kind {
        GlobalKind::Metric { kind, sample } => {
            let kind = MetricKind::of_word(kind);
            let unit = match (sample, kind) {
                (Scalar::Duration, _) => Unit::Nanos,
                (Scalar::Float | Scalar::Rate, MetricKind::Trend) => Unit::Millionths,
                _ => Unit::Number,
            };
            (global.name.clone(), kind, unit)
        }
        _ => (String::new(), MetricKind::Counter, Unit::Number),
    });
    built_in().chain(declared).collect()
}
