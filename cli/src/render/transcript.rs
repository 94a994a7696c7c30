//! The transcript of a run: one line for each check, request, log line and step, failures drawn in place.
//!
//! Enter at [`Transcript::event`]. What is counted is the tally's business, what failed and why that of `failures`.

use super::failures;
use super::numbers::Clock;
use super::program::ProgramText;
use crate::terminal::Style;
use scn_compiler::ir::SiteKind;
use scn_runtime::event::{End, Event, Exchange, Section, SectionKind, Transfer};
use scn_runtime::fault::Fault;
use std::collections::{HashMap, HashSet};

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Failures only.
    Quiet,
    /// One line for everything that happens.
    Usual,
    /// The addresses of servers too.
    Serving,
    /// Exchanges with their content, debug logs too.
    Verbose,
}

/// Turns events into lines.
#[derive(Debug)]
pub(crate) struct Transcript<'p> {
    program: &'p ProgramText,
    style: Style,
    clock: Clock,
    detail: Detail,
    /// How many steps are open.
    depth: usize,
    /// How many are open in sections that others have interrupted.
    depths: HashMap<Section, usize>,
    /// Whose lines are being printed; a heading says when that changes.
    heading: Option<Section>,
    /// Checks that were drawn once; later failures of them are one line.
    drawn: HashSet<u32>,
    out: String,
}

impl<'p> Transcript<'p> {
    /// A transcript that has said nothing yet.
    pub(crate) fn new(
        program: &'p ProgramText,
        style: Style,
        clock: Clock,
        detail: Detail,
    ) -> Self {
        Self {
            program,
            style,
            clock,
            detail,
            depth: 0,
            depths: HashMap::new(),
            heading: None,
            drawn: HashSet::new(),
            out: String::new(),
        }
    }

    /// The program that runs.
    pub(crate) fn program(&self) -> &'p ProgramText {
        self.program
    }

    /// The text since the last time it was taken.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// Tells what happened.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::ServerStart {
                name,
                protocol,
                address,
            } if self.detail >= Detail::Serving => {
                let text = format!("server {name} listens on {protocol}://{address}");
                self.line(&self.style.dim(&text));
            }
            Event::ServerStart { .. } | Event::Sample { .. } | Event::Progress(_) | Event::Idle => {
            }
            Event::ServerError { name, fault } => self.failure(&format!("server {name}"), fault),
            Event::SectionStart { section } | Event::Turn { section } => self.section(section),
            Event::SectionEnd { section, end, .. } => self.section_end(section, end),
            Event::Check {
                site,
                label,
                ok,
                sides,
                error,
            } => {
                self.check(*site, label.as_deref(), *ok, sides.as_ref(), error.as_ref());
            }
            Event::StepBegin { site, name, .. } => self.step_begin(*site, name.as_deref()),
            Event::StepEnd {
                site,
                name,
                nanos,
                ok,
                ..
            } => self.step_end(*site, name.as_deref(), *nanos, *ok),
            Event::Log { level, text, .. } => self.log(level, text),
            Event::Exchange(exchange) => self.exchange(exchange),
            Event::Transfer(transfer) => self.transfer(transfer),
            Event::DeferFailed { fault } => self.failure("defer", fault),
            Event::WorkerFailed { why } => {
                let mark = self.style.red("✗");
                self.line(&format!("{mark} a worker could not go on: {why}"));
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(&"  ".repeat(self.depth + 1));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// Several lines, each indented like one.
    fn block(&mut self, text: &str) {
        for line in text.lines() {
            if line.is_empty() {
                self.out.push('\n')
            } else {
                self.line(line)
            }
        }
    }

    fn section(&mut self, section: &Section) {
        if let Some(before) = &self.heading {
            self.depths.insert(before.clone(), self.depth);
        }
        self.depth = self.depths.remove(section).unwrap_or_default();
        if self.detail == Detail::Quiet
            || section.kind == SectionKind::Global
            || section.kind == SectionKind::Server
        {
            return;
        }
        if self.heading.as_ref() != Some(section) {
            self.heading = Some(section.clone());
            let title = self.style.bold(&section.name);
            let part = match section.kind {
                SectionKind::Each if section.iteration == 0 => String::new(),
                SectionKind::Each => format!(", iteration {}", section.iteration + 1),
                other => format!(", {}", section_word(other)),
            };
            self.out.push_str(&format!("{title}{part}\n"));
        }
    }

    fn section_end(&mut self, section: &Section, end: &End) {
        let depth = std::mem::take(&mut self.depth);
        self.end_told(section, end);
        self.depths.remove(section);
        if self.heading.as_ref() != Some(section) {
            self.depth = depth;
        }
    }

    fn end_told(&mut self, section: &Section, end: &End) {
        match (end, section.kind) {
            // A test's own line says already that it failed.
            (End::Failed(fault), SectionKind::Test) => {
                let drawn = failures::fault(fault, self.program).draw(self.style);
                self.block(&drawn);
            }
            (End::Failed(fault), kind) => {
                let what = match kind {
                    SectionKind::Each => format!("the iteration of {}", section.name),
                    SectionKind::Global => format!("the value of {}", section.name),
                    SectionKind::Server => format!("server {}", section.name),
                    other => format!("{} of {}", section_word(other), section.name),
                };
                self.failure(&what, fault);
            }
            // Servers always end so.
            (End::Done, _) | (End::Cancelled, SectionKind::Server) => {}
            (End::Cancelled, _) => {
                let text = self.style.yellow("cut off by the end of the run");
                self.line(&text);
            }
        }
    }

    fn failure(&mut self, what: &str, fault: &Fault) {
        let headline = format!("{} {what} failed", self.style.red("✗"));
        self.line(&headline);
        let drawn = failures::fault(fault, self.program).draw(self.style);
        self.block(&drawn);
    }

    fn check(
        &mut self,
        site: u32,
        label: Option<&str>,
        ok: bool,
        sides: Option<&(String, String)>,
        error: Option<&Fault>,
    ) {
        let known = self.program.site(site);
        // A failed `expect` raises an error: it is told where that ends something, and not where it is caught.
        if known.kind == SiteKind::Expect && !ok {
            return;
        }
        let label = one_line(label.unwrap_or(&known.label));
        if ok {
            if self.detail > Detail::Quiet {
                self.line(&format!("{} {label}", self.style.green("✓")));
            }
            return;
        }
        self.line(&format!("{} {label}", self.style.red("✗")));
        if self.drawn.insert(site) {
            let drawn = failures::check(known.span, sides, error, self.program).draw(self.style);
            self.block(&drawn);
        } else if let Some((left, right)) = sides {
            self.line(&format!(
                "    left: {}, right: {}",
                one_line(left),
                one_line(right)
            ));
        }
    }

    fn step_begin(&mut self, site: u32, name: Option<&str>) {
        if self.detail > Detail::Quiet {
            let name = one_line(name.unwrap_or(&self.program.site(site).label));
            self.line(&format!("{} {name}", self.style.cyan("▸")));
        }
        self.depth += 1;
    }

    fn step_end(&mut self, site: u32, name: Option<&str>, nanos: i64, ok: bool) {
        self.depth = self.depth.saturating_sub(1);
        if self.detail > Detail::Quiet {
            let name = one_line(name.unwrap_or(&self.program.site(site).label));
            let how = if ok { "took" } else { "failed after" };
            let text = format!(
                "{} {name} {how} {}",
                self.style.cyan("◂"),
                self.clock.show(nanos)
            );
            self.line(&text);
        }
    }

    fn log(&mut self, level: &str, text: &str) {
        let wanted = match level {
            "debug" => Detail::Verbose,
            _ => Detail::Usual,
        };
        if self.detail < wanted {
            return;
        }
        let word = match level {
            "error" => self.style.red("error"),
            "warn" => self.style.yellow("warn"),
            other => self.style.dim(other),
        };
        let text = printable(text);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        self.line(&format!("{word}: {first}"));
        for line in lines {
            self.line(&format!("      {line}"));
        }
    }

    fn exchange(&mut self, exchange: &Exchange) {
        if self.detail == Detail::Quiet {
            return;
        }
        let time = self.clock.show(exchange.nanos);
        let outcome = match (exchange.status, &exchange.error) {
            (_, Some(error)) => self.style.red(error.kind()),
            (Some(status), None) if status >= 400 => self.style.yellow(&status.to_string()),
            (Some(status), None) => self.style.green(&status.to_string()),
            (None, None) => self.style.green("ok"),
        };
        let (method, target) = (&exchange.method, one_line(&exchange.target));
        self.line(&format!(
            "{} {target} {} {outcome} {}",
            self.style.bold(method),
            self.style.dim("→"),
            self.style.dim(&time)
        ));
        if self.detail == Detail::Verbose {
            self.exchange_detail(exchange);
        }
    }

    fn transfer(&mut self, transfer: &Transfer) {
        let mark = if transfer.sent { '>' } else { '<' };
        let Transfer { protocol, peer, .. } = transfer;
        let text = self.style.dim(&transfer.text);
        self.line(&format!(
            "{} {mark} {peer} {} bytes {text}",
            self.style.bold(protocol),
            transfer.bytes
        ));
    }

    fn exchange_detail(&mut self, exchange: &Exchange) {
        if let Some((request, response)) = &exchange.text {
            self.quoted('>', request);
            self.quoted('<', response);
        }
        let mut facts: Vec<String> = exchange
            .phases
            .iter()
            .filter(|(_, nanos)| *nanos > 0)
            .map(|(phase, nanos)| format!("{phase} {}", self.clock.show(*nanos)))
            .collect();
        if self.clock.hidden {
            // Which phases took time at all differs from run to run.
            facts.clear();
        }
        facts.push(format!("sent {} bytes", exchange.sent));
        facts.push(format!("received {} bytes", exchange.received));
        if exchange.reused {
            facts.push("connection reused".to_owned());
        }
        let text = self.style.dim(&facts.join(", "));
        self.line(&format!("    {text}"));
        if let Some(error) = &exchange.error {
            self.line(&format!("    {error}"));
        }
    }

    fn quoted(&mut self, mark: char, text: &str) {
        const MOST: usize = 40;
        let count = text.lines().count();
        for line in text.lines().take(MOST) {
            let text = self.style.dim(&format!("{mark} {line}"));
            self.line(format!("    {text}").trim_end());
        }
        if count > MOST {
            self.line(&format!("    {mark} ... {} more lines", count - MOST));
        }
    }
}

/// The word of a section as written in the source.
pub(crate) fn section_word(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Global => "global",
        SectionKind::Server => "server",
        SectionKind::Setup => "setup",
        SectionKind::Init => "init",
        SectionKind::Each => "each",
        SectionKind::Exit => "exit",
        SectionKind::Teardown => "teardown",
        SectionKind::Test => "test",
    }
}

/// A text without what would steer the terminal; it may come from a peer.
pub(crate) fn printable(text: &str) -> String {
    let steers = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    text.chars().filter(|c| !steers(c)).collect()
}

/// Labels and targets on one line, and not a long one; control characters would steer the terminal.
pub(crate) fn one_line(text: &str) -> String {
    const MOST: usize = 160;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = printable(&lines.collect::<Vec<_>>().join(" "));
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_one_line() {
        assert_eq!(one_line("a\n   b\x1b[2J"), "a b[2J");
        assert_eq!(one_line(&"x".repeat(500)).len(), 163);
    }
}
