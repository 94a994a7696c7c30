//! `--out html=`: one file with everything in it, readable offline, in light and dark, and on paper.
//!
//! Plots are drawn here as SVG; a script of a few lines shows values under the pointer. Names and messages come from
//! servers: all text goes through [`escaped`], and the page forbids any script but its own. Enter at [`page`].

mod plot;
mod plots;
mod tables;

use super::Results;
use crate::render::numbers::{Clock, count, counted, per_second, per_second_of, share};
use crate::render::summary::{invalid_text, stopped_text};
use crate::terminal::Exit;
use std::hash::{BuildHasher, Hasher};

const CSS: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page.
pub(crate) fn page(results: &Results<'_>) -> String {
    let nonce = nonce();
    let title = escaped(&format!("{}: {}", results.file, results.verdict.word()));
    let parts = [
        head(results),
        judgement(results),
        cards(results),
        tables::thresholds(results),
        plots::all(results),
        tables::requests(results),
        tables::steps(results),
        tables::checks(results),
        tables::errors(results),
        tables::metrics(results),
        tables::scenarios(results),
        tables::pools(results),
        tables::generator(results),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style nonce=\"{nonce}\">\n{CSS}</style>\n</head>\n<body>\n<main>\n{}</main>\n\
         <div id=\"tip\" hidden></div>\n<script nonce=\"{nonce}\">\n{SCRIPT}</script>\n</body>\n</html>\n",
        parts.concat()
    )
}

/// A word that nobody who was measured could know: scripts without it do not run.
fn nonce() -> String {
    let state = std::collections::hash_map::RandomState::new();
    let word = |number: u64| {
        let mut hasher = state.build_hasher();
        hasher.write_u64(number);
        hasher.finish()
    };
    format!("{:016x}{:016x}", word(1), word(2))
}

/// Text for elements and attributes; what cannot be shown becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || is_bidi(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Marks that change the direction of the text around them.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn head(results: &Results<'_>) -> String {
    let report = results.report;
    let class = match results.verdict.exit {
        Exit::Success => "good",
        Exit::Invalid => "doubtful",
        _ => "bad",
    };
    let started = super::results::timestamp(report.started);
    let started = started
        .replace('T', " ")
        .replace(".000Z", " UTC")
        .replace('Z', " UTC");
    format!(
        "<header>\n<h1>{}</h1>\n<p class=\"badge {class}\">{}</p>\n<p class=\"facts\">{} · {} · {} · seed {}</p>\n</header>\n",
        escaped(results.file),
        results.verdict.word(),
        escaped(&started),
        Clock::default().length(report.nanos),
        counted(u64::from(report.workers), "worker"),
        report.seed
    )
}

/// Why the run is not a success, and what to do about an invalid one.
fn judgement(results: &Results<'_>) -> String {
    let mut items: Vec<String> = results
        .verdict
        .reasons
        .iter()
        .map(|why| escaped(why))
        .collect();
    items.extend(
        results
            .report
            .stopped
            .as_ref()
            .map(|why| escaped(&stopped_text(why))),
    );
    for why in &results.report.generator.invalid {
        let (text, help) = invalid_text(why, Clock::default());
        items.push(format!(
            "{}<br><small>{}</small>",
            escaped(&text),
            escaped(help)
        ));
    }
    if items.is_empty() {
        return String::new();
    }
    let class = match results.verdict.exit {
        Exit::Success => "note",
        Exit::Invalid => "note doubtful",
        _ => "note bad",
    };
    format!(
        "<ul class=\"{class}\">\n<li>{}</li>\n</ul>\n",
        items.join("</li>\n<li>")
    )
}

/// The figures that one looks for first.
fn cards(results: &Results<'_>) -> String {
    let report = results.report;
    let all = results.digest.all_requests();
    let all = all.as_ref().or(results.digest.requests.first());
    let sum = |what: fn(&scn_runtime::report::ScenarioReport) -> u64| {
        report.scenarios.iter().map(what).sum::<u64>()
    };
    let mut cards = Vec::new();
    if let Some(all) = all {
        let rate = per_second(per_second_of(all.count, report.nanos));
        cards.push(card("requests", &count(all.count), &rate, false));
        cards.push(card(
            "failed",
            &share(all.failed, all.count),
            &counted(all.failed, "request"),
            all.failed > 0,
        ));
        for (name, percent) in [("median", 50.0), ("p95", 95.0), ("p99", 99.0)] {
            let time = Clock::default().show(all.response.percentile(percent) as i64);
            cards.push(card(name, &time, "response time", false));
        }
    }
    let (iterations, failed) = (sum(|one| one.iterations), sum(|one| one.failed));
    cards.push(card(
        "iterations",
        &count(iterations),
        &format!("{} failed", count(failed)),
        failed > 0,
    ));
    cards.push(card(
        "users",
        &count(sum(|one| one.users)),
        &format!("{} at once", count(peak(results))),
        false,
    ));
    format!("<section class=\"cards\">\n{}</section>\n", cards.concat())
}

/// Users at once: of all scenarios together, if there is a timeline to tell.
fn peak(results: &Results<'_>) -> u64 {
    let seconds = results
        .report
        .timeline
        .iter()
        .map(|point| point.users)
        .max()
        .unwrap_or(0);
    let single = results
        .report
        .scenarios
        .iter()
        .map(|one| one.peak)
        .max()
        .unwrap_or(0);
    seconds.max(single)
}

fn card(name: &str, value: &str, note: &str, bad: bool) -> String {
    let class = if bad { "card bad" } else { "card" };
    format!(
        "<div class=\"{class}\"><span>{}</span><b>{}</b><small>{}</small></div>\n",
        escaped(name),
        escaped(value),
        escaped(note)
    )
}

/// A section with a heading.
fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escaped(title))
}
