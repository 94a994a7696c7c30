//! The lines that show a second: how far the run is, what is going on, what came of it so far.

use super::super::numbers::{count, counted, per_second, per_second_of, share};
use super::super::summary::threshold_value;
use super::super::table::Look;
use super::super::transcript::one_line;
use super::CLOCK;
use crate::terminal::Style;
use scn_runtime::report::{Progress, ScenarioProgress, StageReport, ThresholdReport};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many scenarios and thresholds have a line of their own.
const MOST: usize = 6;
/// How many kinds of errors are named.
const MOST_KINDS: usize = 4;
/// Where the second column begins.
const COLUMN: usize = 12;

/// A line: parts that look different.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<(String, Look)>);

impl Line {
    /// A line with a name before it.
    fn named(name: &str) -> Line {
        let gap = if name.width() < COLUMN { "" } else { "  " };
        Line::default().with(format!("  {name:<COLUMN$}{gap}"), Look::Dim)
    }

    fn with(mut self, text: impl Into<String>, look: Look) -> Line {
        self.0.push((text.into(), look));
        self
    }

    /// Columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.width()).sum()
    }

    /// Cuts off what does not fit.
    pub(super) fn cut(&mut self, width: usize) {
        if self.width() <= width {
            return;
        }
        let mut left = width.saturating_sub(1);
        for (text, _) in &mut self.0 {
            let mut end = 0;
            for (at, c) in text.char_indices() {
                let wide = c.width().unwrap_or(0);
                if wide > left {
                    left = 0;
                    break;
                }
                left -= wide;
                end = at + c.len_utf8();
            }
            text.truncate(end);
        }
        self.0.push(("…".to_owned(), Look::Dim));
    }

    /// The text with its colours.
    pub(super) fn paint(&self, style: Style) -> String {
        let parts = self.0.iter().filter(|(text, _)| !text.is_empty());
        parts.map(|(text, look)| look.paint(style, text)).collect()
    }
}

/// All lines of a second.
pub(super) fn lines(progress: &Progress, width: usize) -> Vec<Line> {
    let mut all = vec![far(progress, width)];
    let elapsed = elapsed(progress);
    let several = progress.scenarios.len() > MOST;
    all.extend(
        progress
            .scenarios
            .iter()
            .take(MOST)
            .map(|one| scenario(one, elapsed)),
    );
    if several {
        let more = counted((progress.scenarios.len() - MOST) as u64, "more scenario");
        all.push(Line::named("").with(more, Look::Dim));
    }
    all.extend([rate(progress), response(progress), failed(progress)]);
    all.extend(checks(progress));
    let broken_first = progress.thresholds.iter().filter(|one| !one.ok);
    let shown = broken_first.chain(progress.thresholds.iter().filter(|one| one.ok));
    all.extend(shown.take(MOST).map(threshold));
    if progress.stopping {
        let text = "stopping when running iterations end; Ctrl-C again cancels them";
        all.push(Line::named("").with(text, Look::Doubtful));
    }
    all
}

/// How long the users' part has been going on.
pub(super) fn elapsed(progress: &Progress) -> u64 {
    progress.point.at + progress.point.nanos
}

/// When the last stage ends; nothing if that is not a matter of time.
fn planned(progress: &Progress) -> Option<u64> {
    let ends = progress
        .scenarios
        .iter()
        .map(|scenario| scenario.stages.last()?.to);
    ends.collect::<Option<Vec<u64>>>()?.into_iter().max()
}

/// `━━━━━━╌╌╌╌  1m 12s of 2m 30s  48 %`.
fn far(progress: &Progress, width: usize) -> Line {
    let elapsed = elapsed(progress);
    let Some(planned) = planned(progress).filter(|planned| *planned > 0) else {
        return Line::default().with(
            format!("  running for {}", CLOCK.length(elapsed)),
            Look::Plain,
        );
    };
    let done = (elapsed as f64 / planned as f64).min(1.0);
    let text = format!(
        "  {} of {}  {:.0} %",
        CLOCK.length(elapsed.min(planned)),
        CLOCK.length(planned),
        (done * 100.0).floor()
    );
    let bar = width.saturating_sub(text.len() + 4).min(40);
    if bar < 8 {
        return Line::default().with(text, Look::Plain);
    }
    let full = (done * bar as f64).floor() as usize;
    Line::default()
        .with(format!("  {}", "━".repeat(full)), Look::Good)
        .with("╌".repeat(bar - full), Look::Dim)
        .with(text, Look::Plain)
}

/// The stage that runs, by its place in the plan; nothing between and after stages.
pub(super) fn current(stages: &[StageReport], elapsed: u64) -> Option<usize> {
    let runs =
        |stage: &StageReport| stage.from <= elapsed && stage.to.is_none_or(|to| elapsed < to);
    stages.iter().rposition(runs)
}

fn scenario(one: &ScenarioProgress, elapsed: u64) -> Line {
    let line = Line::named(&one_line(&one.name))
        .with(format!("{}  ", counted(one.users, "user")), Look::Plain);
    let Some(at) = current(&one.stages, elapsed) else {
        let ahead = one.stages.iter().find(|stage| stage.from > elapsed);
        return match ahead {
            Some(stage) => {
                let wait = CLOCK.length(stage.from - elapsed);
                line.with(format!("in {wait}: {}", stage.text), Look::Dim)
            }
            None if one.stages.is_empty() => line,
            None => line.with("all stages done", Look::Dim),
        };
    };
    let stage = &one.stages[at];
    let left = stage
        .to
        .map(|to| format!(", {} left", CLOCK.length(to - elapsed)));
    let place = match one.stages.len() {
        1 => String::new(),
        all => format!(" ({} of {all})", at + 1),
    };
    let line = line.with(
        format!("▸ {}{place}{}", stage.text, left.unwrap_or_default()),
        Look::Plain,
    );
    match one.stages.get(at + 1) {
        Some(next) => line.with(format!("  then {}", next.text), Look::Dim),
        None => line,
    }
}

fn rate(progress: &Progress) -> Line {
    let point = &progress.point;
    let each = |count: u64| per_second(per_second_of(count, point.nanos));
    let text = format!(
        "{} requests  {} iterations",
        each(point.requests),
        each(point.iterations)
    );
    Line::named("rate").with(text, Look::Plain)
}

fn response(progress: &Progress) -> Line {
    let times = &progress.point.response;
    if times.count == 0 {
        return Line::named("response").with("-", Look::Dim);
    }
    let show = |nanos: u64| CLOCK.show(nanos as i64);
    let text = format!(
        "p50 {}  p95 {}  p99 {}  max {}",
        show(times.p50),
        show(times.p95),
        show(times.p99),
        show(times.max)
    );
    Line::named("response").with(text, Look::Plain)
}

fn failed(progress: &Progress) -> Line {
    let totals = &progress.totals;
    let look = |count: u64| if count > 0 { Look::Bad } else { Look::Dim };
    let requests = match totals.failed {
        0 => "no requests".to_owned(),
        some => format!(
            "{} ({})",
            counted(some, "request"),
            share(some, totals.requests)
        ),
    };
    let mut line = Line::named("failed").with(requests, look(totals.failed));
    if totals.failed_iterations > 0 {
        line = line.with(
            format!(", {}", counted(totals.failed_iterations, "iteration")),
            Look::Bad,
        );
    }
    if totals.dropped > 0 {
        line = line.with(
            format!(", {} dropped", counted(totals.dropped, "arrival")),
            Look::Doubtful,
        );
    }
    let kinds = totals
        .errors
        .iter()
        .filter(|(_, times)| *times > 0)
        .take(MOST_KINDS);
    let kinds: Vec<String> = kinds
        .map(|(kind, times)| format!("{} {}", one_line(kind), count(*times)))
        .collect();
    match kinds.is_empty() {
        true => line,
        false => line.with(format!(": {}", kinds.join(", ")), Look::Plain),
    }
}

fn checks(progress: &Progress) -> Option<Line> {
    let (held, failed) = (progress.totals.passed_checks, progress.totals.failed_checks);
    let all = held + failed;
    let look = if failed > 0 { Look::Bad } else { Look::Plain };
    (all > 0).then(|| {
        let text = format!("{} of {} held", share(held, all), count(all));
        Line::named("checks").with(text, look)
    })
}

fn threshold(one: &ThresholdReport) -> Line {
    let (mark, look) = if one.ok {
        ("✓", Look::Good)
    } else {
        ("✗", Look::Bad)
    };
    let value = match one.value {
        Some(value) => threshold_value(one, value, CLOCK),
        None => "no data yet".to_owned(),
    };
    Line::default()
        .with(format!("  {mark} "), look)
        .with(format!("{}  ", one_line(&one.text)), Look::Plain)
        .with(value, if one.ok { Look::Dim } else { Look::Bad })
}
