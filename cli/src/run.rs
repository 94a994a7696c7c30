//! `scn run FILE [SCENARIO...]`: runs the scenarios of a file once, as one user. A file with servers only serves until
//! it is stopped.

use crate::execute::{Prepared, Printer, RunOptions, prepare};
use crate::render::json;
use crate::render::numbers::Clock;
use crate::render::program::ProgramText;
use crate::render::tally::Tally;
use crate::render::transcript::{Detail, Transcript};
use crate::terminal::{Exit, Style, Terminal};
use scn_runtime::event::Event;
use scn_runtime::run::{Outcome, Plan, What};
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `scn run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// The file.
    file: PathBuf,
    /// Scenarios to run; all of them if none is named.
    scenarios: Vec<String>,
    #[command(flatten)]
    options: RunOptions,
}

/// Runs a file.
pub(crate) fn run(arguments: &RunArguments, terminal: &mut Terminal<'_>) -> Exit {
    run_file(arguments, terminal).unwrap_or_else(|exit| exit)
}

fn run_file(arguments: &RunArguments, terminal: &mut Terminal<'_>) -> Result<Exit, Exit> {
    let options = &arguments.options;
    let prepared = prepare(&arguments.file, options.quiet, terminal)?;
    let plan = Plan::new(what(arguments, &prepared, terminal)?);
    let style = terminal.out_style();
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let start = Instant::now();
    let mut report = match options.json {
        true => Report::Json(JsonLines {
            program: &prepared.text,
            clock,
            tally: Tally::default(),
        }),
        false => {
            let detail = detail(options, &plan.what);
            Report::Text(TextLines {
                transcript: Transcript::new(&prepared.text, style, clock, detail),
                tally: Tally::default(),
            })
        }
    };
    let outcome = prepared.execute(plan, options, &mut report, terminal)?;
    let closing = report.closing(
        &outcome,
        start.elapsed().as_nanos() as i64,
        style,
        clock,
        options.quiet,
    );
    let _ = terminal.out.write_all(closing.as_bytes());
    Ok(report.tally().exit())
}

/// What of the file is run.
fn what(
    arguments: &RunArguments,
    prepared: &Prepared,
    terminal: &mut Terminal<'_>,
) -> Result<What, Exit> {
    let program = prepared.program();
    if !program.scenarios.is_empty() || !arguments.scenarios.is_empty() {
        return Ok(What::Scenarios(arguments.scenarios.clone()));
    }
    let serves = program
        .globals
        .iter()
        .any(|global| matches!(global.kind, scn_compiler::ir::GlobalKind::Server { .. }));
    if !program.tests.is_empty() {
        let help = format!("it has tests: scn test {}", arguments.file.display());
        return Err(terminal.refuse(
            &format!("`{}` has no scenario", arguments.file.display()),
            Some(&help),
        ));
    }
    match serves {
        true => Ok(What::Servers),
        false => {
            let message = format!("`{}` has nothing to run", arguments.file.display());
            Err(terminal.refuse(&message, Some("write a `scenario name { }`")))
        }
    }
}

/// How much is told. Where servers are all there is, their addresses are what one wants to know.
pub(crate) fn detail(options: &RunOptions, what: &What) -> Detail {
    match (options.quiet, options.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ if *what == What::Servers => Detail::Serving,
        _ => Detail::Usual,
    }
}

/// The two forms of the output.
enum Report<'p> {
    Text(TextLines<'p>),
    Json(JsonLines<'p>),
}

struct TextLines<'p> {
    transcript: Transcript<'p>,
    tally: Tally,
}

/// One object for each event.
pub(crate) struct JsonLines<'p> {
    /// The program that runs.
    pub(crate) program: &'p ProgramText,
    /// How times are shown.
    pub(crate) clock: Clock,
    /// What was counted.
    pub(crate) tally: Tally,
}

impl Printer for Report<'_> {
    fn print(&mut self, event: &Event) -> String {
        match self {
            Report::Text(lines) => {
                lines.tally.count(event, lines.transcript.program());
                lines.transcript.event(event);
                lines.transcript.take()
            }
            Report::Json(lines) => lines.print(event),
        }
    }
}

impl Printer for JsonLines<'_> {
    fn print(&mut self, event: &Event) -> String {
        self.tally.count(event, self.program);
        match json::event(event, self.program, self.clock) {
            serde_json::Value::Null => String::new(),
            value => format!("{value}\n"),
        }
    }
}

impl Report<'_> {
    fn tally(&self) -> &Tally {
        match self {
            Report::Text(lines) => &lines.tally,
            Report::Json(lines) => &lines.tally,
        }
    }

    /// The summary.
    fn closing(
        &self,
        outcome: &Outcome,
        nanos: i64,
        style: Style,
        clock: Clock,
        quiet: bool,
    ) -> String {
        let tally = self.tally();
        match self {
            Report::Json(_) => format!("{}\n", json::summary(tally, nanos, clock)),
            Report::Text(_) if quiet && tally.is_good() => String::new(),
            Report::Text(_) => {
                let mark = if tally.is_good() {
                    style.green("✓")
                } else {
                    style.red("✗")
                };
                let stopped = if outcome.stopped { ", stopped" } else { "" };
                format!(
                    "\n{mark} {}{stopped} in {}\n",
                    tally.text(style),
                    clock.show(nanos)
                )
            }
        }
    }
}
