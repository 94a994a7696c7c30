//! The story of a run: everything that a program tells, as lines that can be compared. Enter at [`tell`].

use scn_compiler::Passes;
use scn_compiler::hir::Hir;
use scn_compiler::ir::Program;
use scn_compiler::source::{Loader, Source, Sources};
use scn_runtime::event::{End, Event, Observer};
use scn_runtime::fault::{Fault, Place};
use scn_runtime::run::Engine;
use scn_runtime::{Linked, Plan, StopHandle, What, run};
use std::sync::Arc;
use std::time::Duration;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!(
            "generated programs import nothing, not even {path}"
        ))
    }
}

/// What a run did, as lines.
struct Story<'a> {
    linked: &'a Arc<Linked>,
    lines: Vec<String>,
    /// After how many lines machine code takes over.
    switch: Option<usize>,
}

impl Observer for Story<'_> {
    fn event(&mut self, event: Event) {
        let Some(line) = self.line(event) else {
            return;
        };
        self.lines.push(line);
        if self.switch == Some(self.lines.len()) {
            let compiled = self.linked.compile();
            self.lines
                .extend(compiled.err().map(|why| format!("no code: {why}")));
        }
    }
}

impl Story<'_> {
    fn line(&self, event: Event) -> Option<String> {
        Some(match event {
            Event::Log { text, place, .. } => format!("{text} {}", self.place(&place)),
            Event::Check {
                site,
                label,
                ok,
                sides,
                error,
            } => {
                let error = error.map(|fault| self.fault(&fault));
                format!("check {site} {label:?} {ok} {sides:?} {error:?}")
            }
            Event::StepBegin { site, name, depth } => format!("begin {site} {name:?} {depth}"),
            Event::StepEnd {
                site, nanos, ok, ..
            } => format!("step {site} {nanos} {ok}"),
            Event::SectionEnd {
                section,
                nanos,
                end,
            } => {
                let end = match end {
                    End::Failed(fault) => self.fault(&fault),
                    other => format!("{other:?}"),
                };
                format!("end {:?} {nanos} {end}", section.kind)
            }
            Event::DeferFailed { fault } => format!("defer {}", self.fault(&fault)),
            _ => return None,
        })
    }

    fn fault(&self, fault: &Fault) -> String {
        let data = fault.data();
        let place = data.place.as_ref().map(|place| self.place(place));
        let trace: Vec<String> = data.trace.iter().map(|place| self.place(place)).collect();
        format!(
            "{} {:?} {:?} at {place:?} by {trace:?}",
            fault.kind(),
            data.operation,
            fault.message()
        )
    }

    fn place(&self, place: &Place) -> String {
        let name = self.linked.function_name(place.function);
        format!("[{name} {}..{}]", place.span.start, place.span.end)
    }
}

/// What the checker makes of a text, which it must accept.
pub fn checked(text: &str) -> Result<(Sources, Hir), String> {
    let entry = Source {
        name: "generated.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &scn_stdlib::LIBRARY);
    if let Some(hir) = checked.hir {
        return Ok((checked.sources, hir));
    }
    let found = checked.diagnostics.iter();
    let found: Vec<String> = found
        .filter(|found| found.code.to_string().starts_with('E'))
        .map(|found| {
            let at = found.labels.first().map_or(0, |(span, _)| span.start);
            let line = text[..at as usize].lines().count();
            format!("{} line {line}: {}", found.code, found.message)
        })
        .collect();
    Err(format!("it is refused: {found:#?}"))
}

/// The program of a text, which the checker must accept.
pub fn program(text: &str, passes: Passes) -> Result<Program, String> {
    let (sources, hir) = checked(text)?;
    Ok(scn_compiler::lower_with(&sources, &hir, passes))
}

/// A program that is ready to run.
pub fn link(program: &Program) -> Result<Arc<Linked>, String> {
    let linked = Linked::link(program.clone(), &scn_stdlib::natives());
    linked
        .map(Arc::new)
        .map_err(|error| format!("it does not link: {error}"))
}

/// A plan of all scenarios on the virtual clock.
pub fn plan(engine: Engine) -> Plan {
    Plan {
        virtual_clock: true,
        engine,
        limit: Some(Duration::from_secs(3600)),
        grace: Some(Duration::from_secs(1)),
        ..Plan::new(What::Scenarios(Vec::new()))
    }
}

/// Runs a program once; `switch` publishes its machine code behind so many lines.
pub fn tell(
    linked: &Arc<Linked>,
    plan: &Plan,
    switch: Option<usize>,
) -> Result<Vec<String>, String> {
    let mut story = Story {
        linked,
        lines: Vec::new(),
        switch,
    };
    let outcome = run(linked, plan, &mut story, &StopHandle::new());
    let mut outcome = outcome.map_err(|error| format!("it does not run: {error}"))?;
    let mut lines = story.lines;
    outcome.report = None;
    lines.push(format!("{outcome:?}"));
    match outcome.live_objects {
        0 => Ok(lines),
        live => Err(format!("{live} objects are left")),
    }
}

/// Says how two stories differ, if they do.
pub fn same(how: &str, lines: &[String], other: Result<Vec<String>, String>) -> Result<(), String> {
    let other = other.map_err(|why| format!("{how}: {why}"))?;
    let differs = |(at, line): (usize, &String)| other.get(at) != Some(line);
    let Some(at) = lines.iter().enumerate().position(differs) else {
        return match other.get(lines.len()) {
            None => Ok(()),
            Some(more) => Err(format!("{how} it goes on: {more}")),
        };
    };
    let before = lines[at.saturating_sub(3)..at].join("\n  ");
    Err(format!(
        "it differs {how}: behind\n  {before}\ncomes interpreted\n  {}\nand {how}\n  {}",
        lines[at],
        other.get(at).map_or("nothing", String::as_str)
    ))
}
