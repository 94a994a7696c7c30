//! Thresholds: each adds up the samples that it is about, and says each second whether it holds.

use super::catalogue::MetricId;
use super::hash::FastMap;
use super::series::{Delta, Sum};
use super::tags::{TagSets, TagsId, fits};
use crate::report::{MetricKind, ThresholdReport, Unit};
use crate::timer::Nanos;
use scn_compiler::ir::load::{BinaryOp, Threshold};

/// A threshold that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    threshold: Threshold,
    /// The scenario that it stands in, and whose samples it sees.
    scenario: Option<String>,
    metric: MetricId,
    unit: Unit,
    sum: Sum,
    /// Which sets of tags it is about.
    fitting: FastMap<TagsId, bool>,
    failing_since: Option<Nanos>,
    aborted: bool,
}

impl Watch {
    /// A threshold of a metric.
    pub fn new(
        threshold: &Threshold,
        scenario: Option<&str>,
        (metric, kind, unit): (MetricId, MetricKind, Unit),
    ) -> Watch {
        Watch {
            threshold: threshold.clone(),
            scenario: scenario.map(str::to_owned),
            metric,
            unit,
            sum: Sum::new(kind),
            fitting: FastMap::default(),
            failing_since: None,
            aborted: false,
        }
    }

    /// Adds samples, if it is about them.
    pub fn add(&mut self, metric: MetricId, tags: TagsId, sets: &TagSets, delta: Delta<'_>) {
        if metric == self.metric && self.is_about(tags, sets) {
            self.sum.add(delta);
        }
    }

    fn is_about(&mut self, tags: TagsId, sets: &TagSets) -> bool {
        let (filter, scenario) = (&self.threshold.filter, &self.scenario);
        let is_step = self.metric == MetricId::STEP_DURATION;
        *self.fitting.entry(tags).or_insert_with(|| {
            let its = scenario.as_ref();
            its.is_none_or(|scenario| sets.tag(tags, "scenario") == scenario)
                && fits(sets.tags(tags), filter, is_step)
        })
    }

    /// How it stands after that much of the users' part.
    pub fn report(&self, elapsed: Nanos) -> ThresholdReport {
        let Threshold {
            aggregate,
            op,
            value: bound,
            or_empty,
            text,
            span,
            ..
        } = &self.threshold;
        let found = self
            .sum
            .aggregate(aggregate, self.unit, elapsed as f64 / 1e9);
        ThresholdReport {
            text: text.clone(),
            span: *span,
            scenario: self.scenario.clone(),
            unit: self.unit_of(aggregate),
            value: found.value,
            bound: *bound,
            samples: found.samples,
            ok: found
                .value
                .map_or(*or_empty, |value| holds(value, *op, *bound)),
            aborted: self.aborted,
        }
    }

    fn unit_of(&self, aggregate: &str) -> Unit {
        match (self.unit, aggregate) {
            (Unit::Nanos, "count" | "rate") | (Unit::Millionths, _) => Unit::Number,
            (unit, _) => unit,
        }
    }

    /// Whether it ends the run now: it has failed all along for the time that it says, on samples.
    pub fn aborts(&mut self, elapsed: Nanos) -> bool {
        let Some(after) = self.threshold.abort_after else {
            return false;
        };
        let found = self.report(elapsed);
        // A counter may stay at 0 because nothing goes on any more, but not in the first second.
        let is_empty = found.samples == 0 && after == 0;
        if found.ok || found.value.is_none() || is_empty {
            self.failing_since = None;
            return false;
        }
        let since = *self.failing_since.get_or_insert(elapsed);
        self.aborted |= elapsed - since >= after;
        self.aborted
    }

    /// Whether it has ended the run.
    pub fn has_aborted(&self) -> bool {
        self.aborted
    }

    /// Its source text.
    pub fn text(&self) -> &str {
        &self.threshold.text
    }
}

fn holds(value: f64, op: BinaryOp, bound: f64) -> bool {
    match op {
        BinaryOp::Lt => value < bound,
        BinaryOp::Le => value <= bound,
        BinaryOp::Gt => value > bound,
        BinaryOp::Ge => value >= bound,
        BinaryOp::Ne => value != bound,
        // The grammar has no other comparison here.
        _ => value == bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Counts;

    const SECOND: Nanos = 1_000_000_000;

    fn watch(kind: MetricKind, aggregate: &str, op: BinaryOp, value: f64) -> Watch {
        let threshold = Threshold {
            metric: "m".to_owned(),
            declared: None,
            filter: vec![("status".to_owned(), "200".to_owned())],
            aggregate: aggregate.to_owned(),
            op,
            value,
            or_empty: false,
            abort_after: Some(2 * SECOND),
            text: "m".to_owned(),
            span: Default::default(),
        };
        let unit = match kind {
            MetricKind::Trend => Unit::Nanos,
            _ => Unit::Number,
        };
        Watch::new(&threshold, Some("shop"), (MetricId(3), kind, unit))
    }

    fn tags(sets: &mut TagSets, all: &[(&str, &str)]) -> TagsId {
        let all = all.iter();
        sets.intern(
            all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn it_sees_the_samples_of_its_scenario_and_filter_only() {
        let mut sets = TagSets::default();
        let mut watch = watch(MetricKind::Counter, "count", BinaryOp::Eq, 1.0);
        let good = tags(&mut sets, &[("scenario", "shop"), ("status", "200")]);
        let other_status = tags(&mut sets, &[("scenario", "shop"), ("status", "404")]);
        let elsewhere = tags(&mut sets, &[("scenario", "bar"), ("status", "200")]);
        for set in [good, other_status, elsewhere] {
            watch.add(MetricId(3), set, &sets, Delta::Amount(1.0));
            watch.add(MetricId(4), set, &sets, Delta::Amount(100.0));
        }
        let report = watch.report(SECOND);
        assert_eq!((report.value, report.ok), (Some(1.0), true));
    }

    #[test]
    fn no_data_fails_unless_it_says_so() {
        let mut watch = watch(MetricKind::Trend, "p95", BinaryOp::Lt, 1e9);
        assert!(!watch.report(SECOND).ok);
        assert_eq!(watch.report(SECOND).value, None);
        watch.threshold.or_empty = true;
        assert!(watch.report(SECOND).ok);
    }

    #[test]
    fn counters_without_samples_are_0() {
        let below = watch(MetricKind::Counter, "count", BinaryOp::Lt, 1.0);
        assert!(below.report(SECOND).ok);
        let rate = watch(MetricKind::Counter, "rate", BinaryOp::Gt, 1.0);
        assert!(!rate.report(SECOND).ok);
    }

    #[test]
    fn the_rate_of_a_counter_is_per_second_of_the_users_part() {
        let mut sets = TagSets::default();
        let set = tags(&mut sets, &[("scenario", "shop"), ("status", "200")]);
        let mut watch = watch(MetricKind::Counter, "rate", BinaryOp::Ge, 50.0);
        watch.add(MetricId(3), set, &sets, Delta::Amount(100.0));
        assert!(watch.report(2 * SECOND).ok);
        assert!(!watch.report(4 * SECOND).ok);
    }

    #[test]
    fn it_aborts_after_failing_all_along_on_samples() {
        let mut sets = TagSets::default();
        let set = tags(&mut sets, &[("scenario", "shop"), ("status", "200")]);
        let mut watch = watch(MetricKind::Trend, "max", BinaryOp::Lt, 10.0);
        assert!(!watch.aborts(SECOND), "nothing is measured yet");
        assert!(!watch.aborts(5 * SECOND));
        let mut slow = Counts::default();
        slow.record(0, 11);
        watch.add(MetricId(3), set, &sets, Delta::Times(&slow));
        assert!(!watch.aborts(6 * SECOND));
        assert!(!watch.aborts(7 * SECOND));
        assert!(watch.aborts(8 * SECOND));
        assert!(watch.report(8 * SECOND).aborted);
    }

    #[test]
    fn a_counter_at_0_aborts_only_after_a_time() {
        let mut watch = watch(MetricKind::Counter, "count", BinaryOp::Gt, 5.0);
        assert!(!watch.aborts(SECOND));
        assert!(watch.aborts(3 * SECOND));
        watch.aborted = false;
        watch.threshold.abort_after = Some(0);
        assert!(!watch.aborts(4 * SECOND));
    }

    #[test]
    fn what_recovers_begins_anew() {
        let mut sets = TagSets::default();
        let set = tags(&mut sets, &[("scenario", "shop"), ("status", "200")]);
        let mut watch = watch(MetricKind::Rate, "rate", BinaryOp::Lt, 0.5);
        watch.add(MetricId(3), set, &sets, Delta::Share(1, 1));
        assert!(!watch.aborts(SECOND));
        watch.add(MetricId(3), set, &sets, Delta::Share(0, 9));
        assert!(!watch.aborts(2 * SECOND));
        watch.add(MetricId(3), set, &sets, Delta::Share(90, 90));
        assert!(!watch.aborts(4 * SECOND));
        assert!(!watch.aborts(5 * SECOND));
        assert!(watch.aborts(6 * SECOND));
    }
}
