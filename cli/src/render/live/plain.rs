//! Progress for logs of continuous integration: a line each ten seconds, and one where a stage begins.

use super::super::numbers::{counted, per_second, per_second_of, share};
use super::super::transcript::one_line;
use super::CLOCK;
use super::lines::{current, elapsed};
use scn_runtime::metrics::Histogram;
use scn_runtime::report::{Progress, Totals};

/// Nanoseconds between two lines.
const PERIOD: u64 = 10_000_000_000;

/// What was said last, and what came since.
#[derive(Debug, Default)]
pub(super) struct Plain {
    said: u64,
    totals: Totals,
    response: Histogram,
    /// The stage of each scenario.
    stages: Vec<Option<usize>>,
}

impl Plain {
    /// The lines that a second is worth.
    pub(super) fn second(&mut self, progress: &Progress) -> String {
        let elapsed = elapsed(progress);
        for (_, times) in progress
            .trends
            .iter()
            .filter(|(metric, _)| is_response(metric))
        {
            self.response.merge(times);
        }
        let mut out = self.begun(progress);
        if elapsed >= self.said + PERIOD {
            out.push_str(&self.line(progress, elapsed));
            self.said = elapsed - elapsed % PERIOD;
            self.totals = progress.totals.clone();
            self.response = Histogram::default();
        }
        out
    }

    /// `[30.0 s] checkout: arrivals 500/s for 2m`.
    fn begun(&mut self, progress: &Progress) -> String {
        let start = progress.point.at;
        self.stages.resize(progress.scenarios.len(), None);
        let mut out = String::new();
        for (scenario, before) in progress.scenarios.iter().zip(&mut self.stages) {
            let now = current(&scenario.stages, start);
            if let Some(at) = now.filter(|_| now != *before) {
                let text = one_line(&scenario.stages[at].text);
                out.push_str(&format!(
                    "[{}] {}: {text}\n",
                    CLOCK.length(start),
                    scenario.name
                ));
            }
            *before = now;
        }
        out
    }

    fn line(&self, progress: &Progress, elapsed: u64) -> String {
        let (now, before) = (&progress.totals, &self.totals);
        let nanos = elapsed - self.said;
        let each =
            |now: u64, before: u64| per_second(per_second_of(now.saturating_sub(before), nanos));
        let mut parts = vec![
            format!("{} requests", each(now.requests, before.requests)),
            format!("{} iterations", each(now.iterations, before.iterations)),
            counted(progress.point.users, "user"),
        ];
        if self.response.count() > 0 {
            let [p50, p95, p99] = [50.0, 95.0, 99.0]
                .map(|percent| CLOCK.show(self.response.percentile(percent) as i64));
            parts.push(format!("response p50 {p50} p95 {p95} p99 {p99}"));
        }
        let failed = now.failed.saturating_sub(before.failed);
        if failed > 0 {
            parts.push(format!(
                "{} failed",
                share(failed, now.requests.saturating_sub(before.requests))
            ));
        }
        let dropped = now.dropped.saturating_sub(before.dropped);
        if dropped > 0 {
            parts.push(format!("{} dropped", counted(dropped, "arrival")));
        }
        let broken = progress
            .thresholds
            .iter()
            .filter(|one| !one.ok && one.value.is_some())
            .count();
        if broken > 0 {
            parts.push(format!("{} broken", counted(broken as u64, "threshold")));
        }
        format!("[{}] {}\n", CLOCK.length(elapsed), parts.join(", "))
    }
}

/// Whether a trend holds response times of a protocol.
fn is_response(metric: &str) -> bool {
    crate::digest::protocol_metric(metric).is_some_and(|(_, rest)| rest == "duration")
}
