//! Metrics: those that the tool measures itself, and the types of those that programs declare.

use super::Checker;
use super::types::metric_word;
use super::units::UnitId;
use crate::diagnostics::scenario;
use crate::hir::{MetricKind, TypeId};
use scn_grammar::ast::{TypeExpr, TypeKind};

/// What the samples of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// Durations.
    Time,
    /// Numbers.
    Number,
    /// Events that are counted.
    Events,
    /// True or false.
    Share,
    /// A level that goes up and down.
    Level,
}

/// Protocols that measure what [`PROTOCOL_METRICS`] lists.
const PROTOCOLS: [&str; 5] = ["http", "tcp", "udp", "tls", "dns"];

/// Metrics under each protocol.
const PROTOCOL_METRICS: [(&str, Samples); 15] = [
    ("duration", Samples::Time),
    ("service", Samples::Time),
    ("dns", Samples::Time),
    ("connect", Samples::Time),
    ("tls", Samples::Time),
    ("send", Samples::Time),
    ("wait", Samples::Time),
    ("receive", Samples::Time),
    ("failed", Samples::Share),
    ("requests", Samples::Events),
    ("sent", Samples::Events),
    ("received", Samples::Events),
    ("connections.reused", Samples::Events),
    ("connections.opened", Samples::Events),
    ("connections.failed", Samples::Events),
];

/// All other metrics.
const METRICS: [(&str, Samples); 10] = [
    ("iterations", Samples::Events),
    ("iterations.failed", Samples::Share),
    ("iterations.dropped", Samples::Events),
    ("iterations.interrupted", Samples::Events),
    ("iteration.duration", Samples::Time),
    ("step.duration", Samples::Time),
    ("checks", Samples::Share),
    ("errors", Samples::Events),
    ("users", Samples::Level),
    ("server.errors", Samples::Events),
];

/// What a metric of the tool measures.
pub(super) fn built_in(name: &str) -> Option<Samples> {
    if let Some((protocol, rest)) = name.split_once('.')
        && PROTOCOLS.contains(&protocol)
    {
        return PROTOCOL_METRICS
            .iter()
            .find(|(known, _)| *known == rest)
            .map(|(_, samples)| *samples);
    }
    METRICS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, samples)| *samples)
}

/// The names of the tool's metrics, as thresholds write them.
pub fn built_in_names() -> Vec<String> {
    let protocols = PROTOCOLS.iter().flat_map(|p| {
        PROTOCOL_METRICS
            .iter()
            .map(move |(m, _)| format!("{p}.{m}"))
    });
    METRICS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(protocols)
        .collect()
}

/// Kind and samples of a declared metric: `trend<duration>`, `counter`.
pub(super) fn declared_kind(
    checker: &mut Checker<'_>,
    unit: UnitId,
    ty: &TypeExpr,
) -> Option<(MetricKind, TypeId)> {
    let TypeKind::Name {
        module: None,
        name,
        args,
    } = &ty.kind
    else {
        if !matches!(ty.kind, TypeKind::Missing) {
            checker.report(scenario::bad_metric("", ty.span));
        }
        return None;
    };
    let kinds = [
        MetricKind::Counter,
        MetricKind::Gauge,
        MetricKind::Rate,
        MetricKind::Trend,
    ];
    let Some(kind) = kinds
        .into_iter()
        .find(|kind| metric_word(*kind) == name.text)
    else {
        checker.report(scenario::bad_metric(&name.text, ty.span));
        return None;
    };
    let given = args.first().map(|arg| checker.type_of(unit, arg));
    let b = checker.basic;
    let (value, allowed) = match kind {
        MetricKind::Counter => (given.unwrap_or(b.int), vec![b.int, b.float]),
        MetricKind::Gauge => (given.unwrap_or(b.float), vec![b.int, b.float, b.duration]),
        MetricKind::Rate => (given.unwrap_or(b.bool), vec![b.bool]),
        MetricKind::Trend => (given.unwrap_or(b.none), vec![b.int, b.float, b.duration]),
    };
    if checker.is_unknown(value) {
        return None;
    }
    if args.len() > 1 || !allowed.contains(&value) {
        let allowed: Vec<_> = allowed.iter().map(|ty| checker.name(*ty)).collect();
        checker.report(scenario::bad_metric_samples(
            metric_word(kind),
            &allowed,
            ty.span,
        ));
        return None;
    }
    Some((kind, value))
}

/// What a declared metric's samples are.
pub(super) fn samples_of(checker: &Checker<'_>, kind: MetricKind, value: TypeId) -> Samples {
    match kind {
        MetricKind::Counter => Samples::Events,
        MetricKind::Rate => Samples::Share,
        MetricKind::Gauge => Samples::Level,
        MetricKind::Trend if value == checker.basic.duration => Samples::Time,
        MetricKind::Trend => Samples::Number,
    }
}
