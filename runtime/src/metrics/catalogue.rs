//! The metrics that the tool measures itself: names, kinds, units. The checker lists the same names.

use super::Protocol;
use crate::report::{MetricKind, Unit};

/// Number of a metric: the tool's own first, then `metric` items by their global.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct MetricId(pub u32);

use MetricKind::{Counter, Gauge, Rate, Trend};
use Unit::{Bytes, Nanos, Number};

/// Metrics of each protocol, under its name.
const OF_PROTOCOL: [(&str, MetricKind, Unit); 15] = [
    ("duration", Trend, Nanos),
    ("service", Trend, Nanos),
    ("dns", Trend, Nanos),
    ("connect", Trend, Nanos),
    ("tls", Trend, Nanos),
    ("send", Trend, Nanos),
    ("wait", Trend, Nanos),
    ("receive", Trend, Nanos),
    ("failed", Rate, Number),
    ("requests", Counter, Number),
    ("sent", Counter, Bytes),
    ("received", Counter, Bytes),
    ("connections.reused", Counter, Number),
    ("connections.opened", Counter, Number),
    ("connections.failed", Counter, Number),
];

/// All other metrics.
const OTHERS: [(&str, MetricKind, Unit); 10] = [
    ("iterations", Counter, Number),
    ("iterations.failed", Rate, Number),
    ("iterations.dropped", Counter, Number),
    ("iterations.interrupted", Counter, Number),
    ("iteration.duration", Trend, Nanos),
    ("step.duration", Trend, Nanos),
    ("checks", Rate, Number),
    ("errors", Counter, Number),
    ("users", Gauge, Number),
    ("server.errors", Counter, Number),
];

const PROTOCOLS: [Protocol; 5] = [
    Protocol::Http,
    Protocol::Tcp,
    Protocol::Udp,
    Protocol::Tls,
    Protocol::Dns,
];

const FIRST_OTHER: u32 = (PROTOCOLS.len() * OF_PROTOCOL.len()) as u32;
const FIRST_DECLARED: u32 = FIRST_OTHER + OTHERS.len() as u32;

/// Metrics of operations, in the order of the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum OfProtocol {
    Duration,
    Service,
    /// The first of the phases, which are in the order of [`super::Operation::phases`].
    FirstPhase,
    Failed = 8,
    Requests,
    Sent,
    Received,
    /// The first of what becomes of connections, in the order of [`super::Link`].
    FirstLink,
}

impl MetricId {
    pub const ITERATIONS: MetricId = MetricId(FIRST_OTHER);
    pub const ITERATIONS_FAILED: MetricId = MetricId(FIRST_OTHER + 1);
    pub const ITERATIONS_DROPPED: MetricId = MetricId(FIRST_OTHER + 2);
    pub const ITERATIONS_INTERRUPTED: MetricId = MetricId(FIRST_OTHER + 3);
    pub const ITERATION_DURATION: MetricId = MetricId(FIRST_OTHER + 4);
    pub const STEP_DURATION: MetricId = MetricId(FIRST_OTHER + 5);
    pub const CHECKS: MetricId = MetricId(FIRST_OTHER + 6);
    pub const ERRORS: MetricId = MetricId(FIRST_OTHER + 7);
    pub const USERS: MetricId = MetricId(FIRST_OTHER + 8);
    pub const SERVER_ERRORS: MetricId = MetricId(FIRST_OTHER + 9);

    /// A metric of a protocol's operations; `plus` counts on from the first of several.
    pub fn of_protocol(protocol: Protocol, metric: OfProtocol, plus: usize) -> MetricId {
        MetricId(protocol as u32 * OF_PROTOCOL.len() as u32 + metric as u32 + plus as u32)
    }

    /// The metric of a `metric` item.
    pub fn of_global(global: u32) -> MetricId {
        MetricId(FIRST_DECLARED + global)
    }

    /// The tool's own metric of a name.
    pub fn of_name(name: &str) -> Option<MetricId> {
        let found = built_in().position(|(known, ..)| known == name)?;
        Some(MetricId(found as u32))
    }
}

/// The tool's own metrics by their number.
pub(super) fn built_in() -> impl Iterator<Item = (String, MetricKind, Unit)> {
    let of_protocols = PROTOCOLS.into_iter().flat_map(|protocol| {
        OF_PROTOCOL
            .into_iter()
            .map(move |(name, kind, unit)| (format!("{}.{name}", protocol.name()), kind, unit))
    });
    let others = OTHERS.into_iter();
    of_protocols.chain(others.map(|(name, kind, unit)| (name.to_owned(), kind, unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Link;
    use std::collections::BTreeSet;

    fn name(id: MetricId) -> String {
        built_in().nth(id.0 as usize).expect("it is listed").0
    }

    #[test]
    fn the_checker_knows_the_same_metrics() {
        let checker: BTreeSet<String> = scn_compiler::built_in_metrics().into_iter().collect();
        let ours: BTreeSet<String> = built_in().map(|(name, ..)| name).collect();
        assert_eq!(checker, ours);
    }

    #[test]
    fn numbers_and_names_agree() {
        let of = |metric, plus| name(MetricId::of_protocol(Protocol::Dns, metric, plus));
        assert_eq!(of(OfProtocol::Duration, 0), "dns.duration");
        assert_eq!(of(OfProtocol::FirstPhase, 5), "dns.receive");
        assert_eq!(of(OfProtocol::Failed, 0), "dns.failed");
        assert_eq!(of(OfProtocol::Received, 0), "dns.received");
        let link = |link| of(OfProtocol::FirstLink, link as usize);
        assert_eq!(link(Link::Reused), "dns.connections.reused");
        assert_eq!(link(Link::Opened), "dns.connections.opened");
        assert_eq!(link(Link::Failed), "dns.connections.failed");
        assert_eq!(name(MetricId::SERVER_ERRORS), "server.errors");
        assert_eq!(name(MetricId::USERS), "users");
        assert_eq!(MetricId::of_name("checks"), Some(MetricId::CHECKS));
    }
}
