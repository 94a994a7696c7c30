//! Thresholds: the metric exists, has these tags and this aggregate, and the bound has its unit.

use super::Checker;
use super::metrics::{self, Samples};
use super::scenario::OWN_TAGS;
use super::scope::Returns;
use super::tags;
use super::units::{UnitId, Value};
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{scenario, values};
use crate::hir::{Const, GlobalId, Threshold, Type};
use scn_grammar::Span;
use scn_grammar::ast::{self, ExprKind, Ident, ItemKind, LoadLineKind};
use std::rc::Rc;

/// The unit of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Time,
    Number,
    PerSecond,
    Share,
}

impl Checker<'_> {
    /// Thresholds at file level.
    pub(super) fn check_unit_thresholds(&mut self, unit: UnitId) {
        if !self.is_entry(unit) {
            return;
        }
        let file = Rc::clone(&self.units[unit].file);
        for item in &file.items {
            if let ItemKind::Thresholds(thresholds) = &item.kind {
                let checked = self.thresholds(unit, thresholds);
                self.hir.thresholds.extend(checked);
            }
        }
    }

    pub(super) fn thresholds(
        &mut self,
        unit: UnitId,
        thresholds: &[ast::Threshold],
    ) -> Vec<Threshold> {
        thresholds
            .iter()
            .filter_map(|threshold| self.threshold(unit, threshold))
            .collect()
    }

    fn threshold(&mut self, unit: UnitId, threshold: &ast::Threshold) -> Option<Threshold> {
        let names: Vec<_> = threshold
            .metric
            .iter()
            .map(|name| name.text.as_str())
            .collect();
        let metric = names.join(".");
        let samples = self.samples(unit, &metric, &threshold.metric);
        let filter = self.filter(unit, samples.is_some().then_some(&*metric), threshold);
        let abort_after = match &threshold.abort {
            Some(Some(after)) => self.abort_after(unit, after),
            Some(None) => Some(0),
            None => None,
        };
        let (samples, declared) = samples?;
        let wanted = self.aggregate(samples, &metric, &threshold.aggregate)?;
        let value = self.bound_of(unit, wanted, &threshold.value)?;
        Some(Threshold {
            metric,
            declared,
            filter,
            aggregate: threshold.aggregate.text.clone(),
            op: threshold.op,
            value,
            or_empty: threshold.or_empty,
            abort_after,
            text: self.text(threshold.span).trim().to_owned(),
            span: threshold.span,
        })
    }

    fn abort_after(&mut self, unit: UnitId, after: &ast::Expr) -> Option<i64> {
        match self.constant_of(unit, after, Some(self.basic.duration))? {
            (Const::Duration(time), _) if time >= 0 => Some(time),
            _ => {
                self.report(scenario::too_short(true, after.span));
                None
            }
        }
    }

    /// What a metric's samples are, and the item that declares it.
    fn samples(
        &mut self,
        unit: UnitId,
        metric: &str,
        names: &[Ident],
    ) -> Option<(Samples, Option<GlobalId>)> {
        if metric.is_empty() || names.iter().any(|name| name.text.is_empty()) {
            return None;
        }
        if let Some(samples) = metrics::built_in(metric) {
            return Some((samples, None));
        }
        if let Some((samples, id)) = self.declared_samples(unit, names) {
            return Some((samples, Some(id)));
        }
        let span = names.first()?.span.to(names.last()?.span);
        let mut known = metrics::built_in_names();
        known.extend(
            self.hir
                .globals
                .iter()
                .filter(|g| matches!(self.ty(g.ty), Type::Metric(..)))
                .map(|g| g.name.clone()),
        );
        let last = metric.rsplit('.').next().unwrap_or(metric);
        let help = did_you_mean(metric, known.iter().map(String::as_str)).or_else(|| {
            known
                .iter()
                .find(|k| k.ends_with(&format!(".{last}")))
                .map(|k| format!("did you mean `{k}`?"))
        });
        self.report(scenario::unknown_metric(metric, span, help));
        None
    }

    fn declared_samples(&mut self, unit: UnitId, names: &[Ident]) -> Option<(Samples, GlobalId)> {
        let (owner, name) = match names {
            [name] => (unit, name),
            [alias, name] => {
                let import = self.units[unit].imports.get_mut(&alias.text)?;
                import.used = true;
                (import.unit?, name)
            }
            _ => return None,
        };
        let Some(Value::Global(id)) = self.units[owner].values.get(&name.text).copied() else {
            return None;
        };
        let Type::Metric(kind, value) = *self.ty(self.hir.globals[id.index()].ty) else {
            return None;
        };
        self.used_globals[id.index()] = true;
        Some((metrics::samples_of(self, kind, value), id))
    }

    fn filter(
        &mut self,
        unit: UnitId,
        metric: Option<&str>,
        threshold: &ast::Threshold,
    ) -> Vec<(String, String)> {
        let mut filter = Vec::with_capacity(threshold.filter.len());
        let known = self.known_tags(unit);
        for (at, (tag, value)) in threshold.filter.iter().enumerate() {
            self.filter_tag(&known, metric, tag);
            let twice = threshold.filter[..at]
                .iter()
                .find(|(first, _)| first.text == tag.text);
            if let Some((first, _)) = twice {
                self.report(values::given_twice("tag", &tag.text, tag.span, first.span));
            }
            if let ExprKind::Int { value: number, .. } = &*value.kind {
                self.report(scenario::tag_is_text(*number, value.span));
            } else if let Some(text) = self.constant_text(unit, value) {
                self.filter_value(unit, &tag.text, &text, value.span);
                filter.push((tag.text.clone(), text));
            }
        }
        filter
    }

    /// The tag exists, and samples of the metric carry it.
    fn filter_tag(&mut self, known: &[String], metric: Option<&str>, tag: &Ident) {
        if tag.text.is_empty() {
            return;
        }
        if !known.contains(&tag.text) {
            let help = did_you_mean(&tag.text, known.iter().map(String::as_str));
            return self.report(scenario::unknown_tag(&tag.text, tag.span, help));
        }
        if let Some(metric) = metric.filter(|metric| !tags::carries(metric, &tag.text)) {
            self.report(scenario::tag_of_other_metrics(
                &tag.text,
                metric,
                tags::tags_of(metric),
                tag.span,
            ));
        }
    }

    /// Values of tags whose values are all known.
    fn filter_value(&mut self, unit: UnitId, tag: &str, value: &str, span: Span) {
        let known: Vec<String> = match tag {
            "kind" => return self.check_kind(value, span),
            "scenario" => self.names_of(unit, |item| match item {
                ItemKind::Scenario(scenario) => Some(&scenario.name),
                _ => None,
            }),
            "server" => self.names_of(unit, |item| match item {
                ItemKind::Server(server) => Some(&server.name),
                _ => None,
            }),
            "method" => ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
                .into_iter()
                .filter(|method| method.eq_ignore_ascii_case(value))
                .map(str::to_owned)
                .collect(),
            _ => return,
        };
        let is_own_method = tag == "method" && known.is_empty();
        if !is_own_method && !known.iter().any(|known| known == value) {
            let help = did_you_mean(value, known.iter().map(String::as_str));
            self.report(scenario::unknown_tag_value(tag, value, span, help));
        }
    }

    /// Names of items of a file.
    fn names_of(&self, unit: UnitId, name: impl Fn(&ItemKind) -> Option<&Ident>) -> Vec<String> {
        let items = self.units[unit].file.items.iter();
        items
            .filter_map(|item| name(&item.kind))
            .map(|name| name.text.clone())
            .collect()
    }

    /// Tags of the tool and of all scenarios of the file.
    fn known_tags(&self, unit: UnitId) -> Vec<String> {
        let file = Rc::clone(&self.units[unit].file);
        let mut known: Vec<String> = OWN_TAGS.iter().map(|tag| (*tag).to_owned()).collect();
        for item in &file.items {
            let ItemKind::Scenario(scenario) = &item.kind else {
                continue;
            };
            let spawned = scenario
                .load
                .iter()
                .flat_map(|load| &load.lines)
                .filter_map(|line| match &line.kind {
                    LoadLineKind::Spawn { tags, .. } => tags.as_ref(),
                    _ => None,
                });
            for block in scenario.tags.iter().chain(spawned) {
                known.extend(block.tags.iter().map(|(tag, _)| tag.text.clone()));
            }
        }
        known
    }

    /// The unit that an aggregate of a metric has.
    fn aggregate(&mut self, samples: Samples, metric: &str, aggregate: &Ident) -> Option<Unit> {
        let word = aggregate.text.as_str();
        if word.is_empty() {
            return None;
        }
        if let Some(digits) = word.strip_prefix('p')
            && let Ok(percent) = digits.parse::<f64>()
            && !(percent > 0.0 && percent < 100.0)
        {
            self.report(scenario::bad_percentile(word, aggregate.span));
            return None;
        }
        let percentile = word
            .strip_prefix('p')
            .is_some_and(|digits| digits.parse::<f64>().is_ok());
        let unit = match (samples, word) {
            (_, "count") if samples != Samples::Level => Some(Unit::Number),
            (Samples::Time, "mean" | "min" | "max" | "med" | "last") => Some(Unit::Time),
            (Samples::Time, _) if percentile => Some(Unit::Time),
            (Samples::Number | Samples::Level, "mean" | "min" | "max" | "med" | "last") => {
                Some(Unit::Number)
            }
            (Samples::Number, _) if percentile => Some(Unit::Number),
            (Samples::Events | Samples::Time | Samples::Number, "rate") => Some(Unit::PerSecond),
            (Samples::Share, "rate") => Some(Unit::Share),
            _ => None,
        };
        if unit.is_none() {
            self.report(scenario::bad_aggregate(
                word,
                metric,
                aggregate.span,
                aggregates(samples),
            ));
        }
        unit
    }

    /// The bound as a number of its unit.
    fn bound_of(&mut self, unit: UnitId, wanted: Unit, value: &ast::Expr) -> Option<f64> {
        let found = match &*value.kind {
            ExprKind::Percent(percent) => Some((Unit::Share, percent / 100.0)),
            ExprKind::Missing => return None,
            _ => self.bound_constant(unit, value),
        };
        let (found, number) = found?;
        let fits = found == wanted
            || (found == Unit::Number && matches!(wanted, Unit::PerSecond | Unit::Share));
        if !fits {
            self.report(scenario::bad_unit(
                unit_text(wanted),
                unit_text(found),
                value.span,
            ));
            return None;
        }
        self.check_share(wanted, number, value.span);
        if number < 0.0 && (wanted != Unit::Share && wanted != Unit::Number) {
            self.report(scenario::negative_bound(value.span));
        }
        Some(number)
    }

    fn check_share(&mut self, wanted: Unit, number: f64, span: Span) {
        if wanted == Unit::Share && !(0.0..=1.0).contains(&number) {
            self.report(scenario::bad_share(span));
        }
    }

    fn bound_constant(&mut self, unit: UnitId, value: &ast::Expr) -> Option<(Unit, f64)> {
        let outer = self.enter(unit, Returns::Nothing);
        let checked = self.value(value);
        self.f = outer;
        if self.is_unknown(checked.ty) {
            return None;
        }
        match super::fold::constant(&checked) {
            Some(Const::Duration(time)) => Some((Unit::Time, time as f64)),
            Some(Const::Int(number)) => Some((Unit::Number, number as f64)),
            Some(Const::Float(number)) => Some((Unit::Number, number)),
            Some(Const::Rate(rate)) => Some((Unit::PerSecond, rate)),
            Some(_) => {
                self.report(scenario::bound_is_no_number(value.span));
                None
            }
            None => {
                self.report(crate::diagnostics::values::not_constant(value.span));
                None
            }
        }
    }
}

fn aggregates(samples: Samples) -> &'static str {
    match samples {
        Samples::Time | Samples::Number => {
            "count, rate, mean, min, max, med, last and percentiles such as p95"
        }
        Samples::Events => "count and rate",
        Samples::Share => "rate and count",
        Samples::Level => "mean, min, max, med and last",
    }
}

fn unit_text(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "a duration such as `300ms`",
        Unit::Number => "a number",
        Unit::PerSecond => "a rate such as `100/s`",
        Unit::Share => "a percentage such as `1%`",
    }
}
