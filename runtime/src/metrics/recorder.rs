//! A worker's recorder: samples in, one [`Interval`] out each second. Nothing is shared, nothing grows with users.
//!
//! Each kind of sample has a table from its key to a bundle that stays where it is: a known key costs a look-up, and
//! takes no memory but the histogram's pages, which each interval takes along. `record.rs` is how the worker calls it.

use super::hash::FastMap;
use super::interval::{
    Checks, ErrorKey, Errors, Gauge, Interval, Iterations, OperationKey, Operations, Samples, Users,
};
use super::names::{Contexts, Names};
use super::{ContextId, Counts, Lack, Link, NameId, Operation, Protocol};
use crate::fault::Fault;
use crate::report::{CheckExample, MetricKind};
use crate::timer::Nanos;
use std::cell::{Cell, RefCell};
use std::hash::Hash;

/// Measures for one worker.
#[derive(Debug, Default)]
pub struct Recorder {
    tables: RefCell<Tables>,
    waited: Cell<Nanos>,
    /// The start of the users' part, by the worker's clock.
    zero: Cell<Nanos>,
    /// The end of the last interval.
    taken: Cell<Nanos>,
}

#[derive(Debug, Default)]
struct Tables {
    names: Names,
    contexts: Contexts,
    operations: Table<OperationKey, Operations>,
    /// For each bundle of operations the place of its phases.
    phase_of: Vec<usize>,
    phases: Table<(Protocol, ContextId), Option<Box<[Counts; 6]>>>,
    iterations: Table<ContextId, Iterations>,
    steps: Table<ContextId, Counts>,
    checks: Table<(u32, ContextId), Checks>,
    /// Whether a check has had its example.
    shown: FastMap<(u32, ContextId), ()>,
    samples: Table<(u32, ContextId), Option<Samples>>,
    errors: Table<ErrorKey, Errors>,
    server_errors: Table<NameId, u64>,
    users: Table<ContextId, Users>,
    lag: Counts,
    lacks: [u64; 3],
    /// Kinds that operations have failed with.
    failures: Vec<NameId>,
}

/// Bundles by key, with a memo of the two keys that came last: to send and to receive take turns.
#[derive(Debug)]
struct Table<K, V> {
    places: FastMap<K, usize>,
    entries: Vec<(K, V)>,
    last: usize,
    before: usize,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table {
            places: FastMap::default(),
            entries: Vec::new(),
            last: 0,
            before: 0,
        }
    }
}

impl<K: Copy + Eq + Hash, V: Default> Table<K, V> {
    /// The place of a key's bundle.
    #[inline(always)]
    fn place(&mut self, key: K) -> usize {
        match self.entries.get(self.last) {
            Some((known, _)) if *known == key => self.last,
            _ => self.place_before(key),
        }
    }

    #[inline(never)]
    fn place_before(&mut self, key: K) -> usize {
        std::mem::swap(&mut self.last, &mut self.before);
        match self.entries.get(self.last) {
            Some((known, _)) if *known == key => self.last,
            _ => self.look_up(key),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, key: K) -> usize {
        let next = self.entries.len();
        self.last = *self.places.entry(key).or_insert(next);
        if self.last == next {
            self.entries.push((key, V::default()));
        }
        self.last
    }

    #[inline]
    fn bundle(&mut self, key: K) -> &mut V {
        let place = self.place(key);
        &mut self.entries[place].1
    }

    /// Takes the bundles that hold something.
    fn take<R>(&mut self, is_used: impl Fn(&V) -> bool, out: impl Fn(K, V) -> R) -> Vec<R> {
        let used = self
            .entries
            .iter_mut()
            .filter(|(_, bundle)| is_used(bundle));
        used.map(|(key, bundle)| out(*key, std::mem::take(bundle)))
            .collect()
    }
}

/// How an iteration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IterationEnd {
    /// To its last statement.
    Done,
    /// By an error.
    Failed,
    /// By the end of the run.
    Interrupted,
}

/// How many steps of a trend's histogram a number of 1 has: such samples may be fractions.
pub(crate) const STEPS: f64 = 1e6;

/// A number in steps of a histogram; what is below 0 counts as 0.
pub fn steps_of(number: f64) -> u64 {
    (number * STEPS).round() as u64
}

impl Recorder {
    /// Begins the users' part, from whose start times count.
    pub fn begin(&self, now: Nanos) {
        self.zero.set(now);
        self.taken.set(now);
        self.waited.set(0);
    }

    /// The time since the start of the users' part.
    pub(super) fn since(&self, now: Nanos) -> Nanos {
        now.saturating_sub(self.zero.get())
    }

    /// The id of an operation's name; `{other}` when there are too many.
    pub fn name(&self, text: &str) -> NameId {
        self.tables.borrow_mut().names.operation(text)
    }

    /// The id of a method.
    pub fn method(&self, text: &str) -> NameId {
        self.tables.borrow_mut().names.word(text)
    }

    /// The text of a name.
    pub fn text(&self, id: NameId) -> String {
        self.tables.borrow().names.text(id).to_owned()
    }

    /// The context of a scenario's users with these tags.
    pub fn context(&self, scenario: &str, tags: &[(String, String)]) -> ContextId {
        self.tables.borrow_mut().contexts.base(scenario, tags)
    }

    /// The context of a step inside another one; `name` is its template.
    pub fn child<'a>(
        &self,
        parent: ContextId,
        site: u32,
        name: impl FnOnce() -> &'a str,
    ) -> ContextId {
        self.tables.borrow_mut().contexts.child(parent, site, name)
    }

    /// Records an operation. What nobody's users do is not measured: servers and `setup` are not the load.
    pub fn operation(&self, context: ContextId, operation: &Operation<'_>) {
        if context == ContextId::NONE {
            return;
        }
        let tables = &mut *self.tables.borrow_mut();
        let kind = operation
            .kind
            .map_or(NameId::NONE, |kind| tables.failure(kind));
        let place = tables.operations.place(OperationKey {
            protocol: operation.protocol,
            failed: operation.failed,
            status: operation.status,
            name: operation.name,
            method: operation.method,
            kind,
            context,
        });
        if place == tables.phase_of.len() {
            let base = tables.contexts.base_of(context);
            let phases = tables.phases.place((operation.protocol, base));
            tables.phase_of.push(phases);
        }
        let at = operation.done.saturating_sub(self.zero.get());
        tables.operations.entries[place].1.add(at, operation);
        if operation.phases.iter().all(|nanos| *nanos < 0) {
            return;
        }
        let phases = &mut tables.phases.entries[tables.phase_of[place]].1;
        let phases = phases.get_or_insert_with(Box::default);
        for (phase, nanos) in phases.iter_mut().zip(operation.phases) {
            if nanos >= 0 {
                phase.record(at, nanos.cast_unsigned());
            }
        }
    }

    /// Records an iteration that has ended, which took that long without `think`.
    pub fn iteration(&self, context: ContextId, now: Nanos, nanos: i64, end: IterationEnd) {
        let at = self.since(now);
        let bundle = &mut self.tables.borrow_mut().iterations;
        let iterations = bundle.bundle(context);
        match end {
            IterationEnd::Interrupted => iterations.interrupted += 1,
            IterationEnd::Done | IterationEnd::Failed => {
                iterations.failed += u64::from(end == IterationEnd::Failed);
                iterations.duration.record(at, nanos.max(0) as u64);
            }
        }
    }

    /// Records an `init` or `exit` that an error ended.
    pub fn failed_section(&self, context: ContextId) {
        let tables = &mut *self.tables.borrow_mut();
        tables.iterations.bundle(context).failed_sections += 1;
    }

    /// Records an arrival that did not become an iteration.
    pub fn dropped(&self, context: ContextId, while_free: bool) {
        let tables = &mut *self.tables.borrow_mut();
        let iterations = tables.iterations.bundle(context);
        iterations.dropped += 1;
        iterations.dropped_while_free += u64::from(while_free);
    }

    /// Records a step that has ended, by the context inside of it.
    pub fn step(&self, context: ContextId, now: Nanos, nanos: i64) {
        if context != ContextId::NONE {
            let at = self.since(now);
            let tables = &mut *self.tables.borrow_mut();
            let step = tables.steps.bundle(context);
            step.record(at, nanos.max(0) as u64);
        }
    }

    /// Records an evaluated check. The example is asked for at the first failure only.
    pub fn check(
        &self,
        context: ContextId,
        site: u32,
        now: Nanos,
        ok: bool,
        example: impl FnOnce() -> CheckExample,
    ) {
        let at = self.since(now);
        let tables = &mut *self.tables.borrow_mut();
        let checks = tables.checks.bundle((site, context));
        if ok {
            checks.passed += 1;
            return;
        }
        checks.failed += 1;
        let base = tables.contexts.base_of(context);
        if tables.shown.insert((site, base), ()).is_none() {
            checks.example = Some((at, Box::new(example())));
        }
    }

    /// Records a sample of a `metric` item: nanoseconds of durations, 0 and 1 of rates.
    pub fn sample(
        &self,
        context: ContextId,
        metric: u32,
        kind: MetricKind,
        is_whole: bool,
        now: Nanos,
        value: f64,
    ) {
        let at = self.since(now);
        let tables = &mut *self.tables.borrow_mut();
        let bundle = tables.samples.bundle((metric, context));
        let bundle = bundle.get_or_insert_with(|| Samples::of(kind));
        bundle.add(at, value, is_whole);
    }

    /// Records an error that ended an iteration or another section.
    pub fn error(
        &self,
        context: ContextId,
        now: Nanos,
        fault: &Fault,
        example: impl FnOnce() -> Fault,
    ) {
        let at = self.since(now);
        let tables = &mut *self.tables.borrow_mut();
        let kind = tables.names.word(fault.kind());
        let reported = tables.failures.contains(&kind) && is_of_operation(fault);
        let place = ErrorKey::place_of(fault);
        let key = ErrorKey {
            kind,
            place,
            context,
        };
        let is_new = !tables.errors.places.contains_key(&key);
        let errors = tables.errors.bundle(key);
        if errors.count == 0 {
            errors.first = at;
        }
        errors.count += 1;
        errors.last = at;
        errors.reported = reported;
        if is_new {
            errors.example = Some(Box::new(example()));
        }
    }

    /// Records an error of a server.
    pub fn server_error(&self, name: &str) {
        let tables = &mut *self.tables.borrow_mut();
        let name = tables.names.word(name);
        *tables.server_errors.bundle(name) += 1;
    }

    /// Records that a user has come.
    pub fn user_started(&self, context: ContextId) {
        let mut tables = self.tables.borrow_mut();
        let users = tables.users.bundle(context);
        users.started += 1;
        users.alive += 1;
        users.peak = users.peak.max(users.alive);
    }

    /// Records that a user has gone.
    pub fn user_ended(&self, context: ContextId) {
        let mut tables = self.tables.borrow_mut();
        let users = tables.users.bundle(context);
        users.alive = users.alive.saturating_sub(1);
    }

    /// Records how long after its intended time an iteration began.
    pub fn lag(&self, now: Nanos, nanos: Nanos) {
        let at = self.since(now);
        self.tables.borrow_mut().lag.record(at, nanos);
    }

    /// Records that the worker has waited for events.
    pub fn waited(&self, nanos: Nanos) {
        self.waited.set(self.waited.get() + nanos);
    }

    /// Records a failure for lack of something that the generator's machine should have.
    pub fn lack(&self, lack: Lack) {
        self.tables.borrow_mut().lacks[lack as usize] += 1;
    }

    /// Takes everything that came since the last time.
    pub fn take(&self, now: Nanos) -> Interval {
        let until = self.since(now);
        let from = self.since(self.taken.replace(now));
        let tables = &mut *self.tables.borrow_mut();
        Interval {
            from,
            until,
            waited: self.waited.take(),
            ..tables.take()
        }
    }
}

impl Tables {
    fn failure(&mut self, kind: &str) -> NameId {
        let kind = self.names.word(kind);
        if !self.failures.contains(&kind) {
            self.failures.push(kind);
        }
        kind
    }

    fn take(&mut self) -> Interval {
        Interval {
            names: self.names.take_new(),
            contexts: self.contexts.take_new(),
            operations: self.operations.take(
                |bundle| bundle.response.count() > 0,
                |key, bundle| (key, bundle),
            ),
            phases: self
                .phases
                .take(Option::is_some, |(protocol, base), phases| {
                    (protocol, base, phases.unwrap_or_default())
                }),
            iterations: self
                .iterations
                .take(Iterations::is_used, |key, bundle| (key, bundle)),
            steps: self
                .steps
                .take(|step| step.count() > 0, |key, step| (key, step)),
            checks: self.checks.take(
                |checks| checks.passed + checks.failed > 0,
                |(site, context), checks| (site, context, checks),
            ),
            samples: self
                .samples
                .take(Option::is_some, |(metric, context), samples| {
                    (metric, context, samples)
                })
                .into_iter()
                .filter_map(|(metric, context, samples)| Some((metric, context, samples?)))
                .collect(),
            errors: self
                .errors
                .take(|errors| errors.count > 0, |key, errors| (key, errors)),
            server_errors: self
                .server_errors
                .take(|count| *count > 0, |name, count| (name, count)),
            users: self.take_users(),
            lag: std::mem::take(&mut self.lag),
            lacks: std::mem::take(&mut self.lacks),
            ..Interval::default()
        }
    }

    /// Users stay: only what is counted by interval begins anew.
    fn take_users(&mut self) -> Vec<(ContextId, Users)> {
        let all = self.users.entries.iter_mut();
        all.map(|(context, users)| {
            let now = *users;
            users.started = 0;
            users.peak = users.alive;
            (*context, now)
        })
        .collect()
    }
}

impl Operations {
    #[inline]
    fn add(&mut self, at: Nanos, operation: &Operation<'_>) {
        let since = |start: Nanos| operation.done.saturating_sub(start);
        self.response.record(at, since(operation.intended));
        self.service.record(at, since(operation.started));
        self.sent += operation.sent;
        self.received += operation.received;
        if operation.link != Link::Held {
            self.links[operation.link as usize] += 1;
        }
    }
}

impl Iterations {
    fn is_used(&self) -> bool {
        self.duration.count() + self.interrupted + self.dropped + self.failed_sections > 0
    }
}

impl Samples {
    fn of(kind: MetricKind) -> Samples {
        match kind {
            MetricKind::Counter => Samples::Counter(0.0, 0),
            MetricKind::Rate => Samples::Rate(0, 0),
            MetricKind::Trend => Samples::Trend(Counts::default()),
            MetricKind::Gauge => Samples::Gauge(Gauge {
                last: (0, 0.0),
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                samples: Counts::default(),
            }),
        }
    }

    fn add(&mut self, at: Nanos, value: f64, is_whole: bool) {
        match self {
            Samples::Counter(sum, count) => {
                *sum += value;
                *count += 1;
            }
            Samples::Rate(yes, total) => {
                *yes += u64::from(value != 0.0);
                *total += 1;
            }
            Samples::Trend(counts) if is_whole => counts.record(at, value as u64),
            Samples::Trend(counts) => counts.record(at, steps_of(value)),
            Samples::Gauge(gauge) => {
                if at >= gauge.last.0 {
                    gauge.last = (at, value);
                }
                gauge.min = gauge.min.min(value);
                gauge.max = gauge.max.max(value);
                gauge.samples.record(at, steps_of(value));
            }
        }
    }
}

/// Whether an error arose in an operation of a protocol, which reports its own failures.
fn is_of_operation(fault: &Fault) -> bool {
    let operation = &fault.data().operation;
    let before = operation.split('.').next().unwrap_or("");
    [
        "http",
        "tcp",
        "udp",
        "tls",
        "dns",
        "TcpConn",
        "TlsConn",
        "UdpSocket",
        "Session",
    ]
    .contains(&before)
}
