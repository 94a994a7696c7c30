//! Tags of samples: which metric's samples carry which, so that a threshold does not ask for what never comes.

use super::scenario::OWN_TAGS;

/// Tags of the tool itself on the samples of a metric: what is measured of requests has more than what is measured of
/// users. Metrics that programs declare are like `step.duration`.
pub(super) fn tags_of(metric: &str) -> &'static [&'static str] {
    match metric {
        "errors" => &["scenario", "step", "kind"],
        "checks" => &["scenario", "step", "check"],
        "server.errors" => &["server"],
        "users"
        | "iterations"
        | "iterations.failed"
        | "iterations.dropped"
        | "iterations.interrupted"
        | "iteration.duration" => &["scenario"],
        _ => match metric.split_once('.') {
            Some((
                "http" | "tcp" | "udp" | "tls" | "ws" | "dns",
                "dns" | "connect" | "tls" | "send" | "wait" | "receive",
            )) => &["scenario"],
            Some(("http" | "tcp" | "udp" | "tls" | "ws" | "dns", _)) => {
                &["scenario", "step", "name", "method", "status", "kind"]
            }
            _ => &["scenario", "step"],
        },
    }
}

/// Whether samples of a metric can carry a tag: one of theirs, or one that a scenario sets. Servers belong to no
/// scenario.
pub(super) fn carries(metric: &str, tag: &str) -> bool {
    tags_of(metric).contains(&tag) || (!OWN_TAGS.contains(&tag) && metric != "server.errors")
}
