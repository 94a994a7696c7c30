//! `scn run FILE [SCENARIO...]`: runs the scenarios of a file by their load plans, those without one once, as one user.
//! A file with servers only serves until it is stopped. Components (`x.wasm`) have a path of their own (`component`).

mod closing;
mod component;

#[cfg(feature = "component-host")]
pub(crate) use closing::Cut;

use crate::execute::{Prepared, Printer, RunOptions, Watch, prepare};
use crate::files;
use crate::load::LoadArguments;
use crate::outputs::{Outputs, Target};
use crate::render::json;
use crate::render::live::Live;
use crate::render::numbers::Clock;
use crate::render::program::ProgramText;
use crate::render::tally::Tally;
use crate::render::transcript::{Detail, Transcript};
use crate::terminal::{Exit, Style, Terminal};
use scn_runtime::event::Event;
use scn_runtime::run::{Plan, What};
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `scn run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// The file.
    file: PathBuf,
    /// Scenarios to run; all of them if none is named.
    scenarios: Vec<String>,
    /// Write the results: json=FILE, junit=FILE, hdr=FILE or html=FILE; `-` is standard output.
    #[arg(long, value_name = "FORMAT=FILE")]
    out: Vec<Target>,
    #[command(flatten)]
    load: LoadArguments,
    #[command(flatten)]
    options: RunOptions,
    #[command(flatten)]
    host: component::HostArguments,
}

/// Runs a file.
pub(crate) fn run(arguments: &RunArguments, terminal: &mut Terminal<'_>) -> Exit {
    run_file(arguments, terminal).unwrap_or_else(|exit| exit)
}

fn run_file(arguments: &RunArguments, terminal: &mut Terminal<'_>) -> Result<Exit, Exit> {
    let options = &arguments.options;
    let to_err = arguments.out.iter().any(Target::is_stdout);
    if to_err && options.json {
        let help = "give the output a file, or leave --json out";
        return Err(terminal.refuse(
            "both --json and an output are for standard output",
            Some(help),
        ));
    }
    if files::is_component(&arguments.file) {
        return component::run(arguments, terminal);
    }
    if arguments.host.is_given() {
        return component::run_source(arguments, terminal);
    }
    let prepared = prepare(&arguments.file, options.quiet, terminal)?;
    let plan = plan(arguments, &prepared, terminal)?;
    let is_load = is_load(&plan, &prepared);
    let mut outputs = Outputs::open(&arguments.out, terminal)?;
    let style = match to_err {
        true => terminal.err_style(),
        false => terminal.out_style(),
    };
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let start = Instant::now();
    let detail = detail(options, &plan.what);
    let mut lines = Lines::new(&prepared.text, detail, options, style, clock);
    let watch = Watch {
        live: is_load.then(|| live(options, terminal)).flatten(),
        outputs: Some(&mut outputs),
        to_err,
    };
    let outcome = prepared.execute(plan, options, &mut lines, watch, terminal)?;
    let end = closing::End {
        file: &arguments.file.display().to_string(),
        program: &prepared.text,
        outcome,
        tally: *lines.tally(),
        is_load,
        nanos: start.elapsed().as_nanos() as i64,
        style,
        clock,
        columns: columns(to_err, terminal),
        options,
        to_err,
        cut: None,
    };
    let exit = end.close(outputs, terminal);
    prepared.print_profile(options, terminal);
    Ok(exit)
}

/// The columns of the terminal that text goes to.
fn columns(to_err: bool, terminal: &Terminal<'_>) -> Option<usize> {
    let size = match to_err {
        true => terminal_size::terminal_size_of(std::io::stderr()),
        false if terminal.surroundings.out_is_terminal => {
            terminal_size::terminal_size_of(std::io::stdout())
        }
        false => None,
    };
    size.map(|(columns, _)| usize::from(columns.0))
}

/// What is run, and how.
fn plan(
    arguments: &RunArguments,
    prepared: &Prepared,
    terminal: &mut Terminal<'_>,
) -> Result<Plan, Exit> {
    let mut plan = Plan::new(what(arguments, prepared, terminal)?);
    plan.overrides = arguments.load.overrides();
    plan.workers = arguments.load.workers;
    if plan.what == What::Servers && !plan.overrides.is_empty() {
        let message = format!(
            "`{}` has no scenario to put load on",
            arguments.file.display()
        );
        return Err(terminal.refuse(&message, Some("write a `scenario name { }`")));
    }
    Ok(plan)
}

/// Whether users come by a plan: of the file, or of the command line.
fn is_load(plan: &Plan, prepared: &Prepared) -> bool {
    let What::Scenarios(names) = &plan.what else {
        return false;
    };
    let mut chosen = prepared
        .program()
        .scenarios
        .iter()
        .filter(|scenario| names.is_empty() || names.contains(&scenario.name));
    !plan.overrides.is_empty() || chosen.any(|scenario| scenario.load.is_some())
}

/// The view of a run that goes on. Where outputs are compared there is none: it depends on time only.
fn live(options: &RunOptions, terminal: &Terminal<'_>) -> Option<Live> {
    if options.quiet || options.json || terminal.surroundings.hide_times {
        return None;
    }
    let style = terminal.err_style();
    Some(match terminal.surroundings.redraws() {
        true => Live::redrawn(style),
        false => Live::plain(style),
    })
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

/// What is printed while the run goes on, in one of its two forms.
enum Lines<'p> {
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

impl Printer for Lines<'_> {
    fn print(&mut self, event: &Event) -> String {
        match self {
            Lines::Text(lines) => {
                lines.tally.count(event, lines.transcript.program());
                lines.transcript.event(event);
                lines.transcript.take()
            }
            Lines::Json(lines) => lines.print(event),
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

impl<'p> Lines<'p> {
    fn new(
        program: &'p ProgramText,
        detail: Detail,
        options: &RunOptions,
        style: Style,
        clock: Clock,
    ) -> Lines<'p> {
        match options.json {
            true => Lines::Json(JsonLines {
                program,
                clock,
                tally: Tally::default(),
            }),
            false => Lines::Text(TextLines {
                transcript: Transcript::new(program, style, clock, detail),
                tally: Tally::default(),
            }),
        }
    }

    fn tally(&self) -> &Tally {
        match self {
            Lines::Text(lines) => &lines.tally,
            Lines::Json(lines) => &lines.tally,
        }
    }
}
