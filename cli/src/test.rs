//! `scn test PATH...`: runs the `test` blocks of files and folders, each with servers of its own.

use crate::execute::{Prepared, Printer, RunOptions, Watch, prepare, refuse};
use crate::files;
use crate::render::findings::plural;
use crate::render::json;
use crate::render::numbers::Clock;
use crate::render::tally::Tally;
use crate::render::tests::TestReport;
use crate::render::transcript::Detail;
use crate::run::{JsonLines, detail};
use crate::terminal::{Exit, Terminal};
use scn_runtime::event::Event;
use scn_runtime::run::{Plan, What};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `scn test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArguments {
    /// Files, and folders whose `.scn` files are tested.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run the tests whose name contains this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    options: RunOptions,
}

/// What all files came to.
#[derive(Default)]
struct Total {
    passed: usize,
    failed: usize,
    tally: Tally,
    worst: Option<Exit>,
}

/// Runs the tests.
pub(crate) fn test(arguments: &TestArguments, terminal: &mut Terminal<'_>) -> Exit {
    let paths = match files::expand(&arguments.paths) {
        Ok(paths) => paths,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    let start = Instant::now();
    let mut total = Total::default();
    for path in &paths {
        if let Err(exit) = test_file(path, paths.len() > 1, arguments, &mut total, terminal) {
            total.worst = total.worst.max(Some(exit));
        }
    }
    if let (0, None) = (total.passed + total.failed, total.worst) {
        return terminal.refuse(
            "there is no test to run",
            arguments.filter.as_ref().map(|_| "--filter left none over"),
        );
    }
    close(
        &total,
        start.elapsed().as_nanos() as i64,
        arguments,
        terminal,
    );
    total.worst.unwrap_or(Exit::Success)
}

fn test_file(
    path: &Path,
    several: bool,
    arguments: &TestArguments,
    total: &mut Total,
    terminal: &mut Terminal<'_>,
) -> Result<(), Exit> {
    let prepared = prepare(path, arguments.options.quiet, terminal)?;
    if prepared.program().tests.is_empty() {
        return Ok(());
    }
    if several && !arguments.options.json && !arguments.options.quiet {
        let heading = terminal.out_style().bold(&path.display().to_string());
        let _ = writeln!(terminal.out, "{heading}");
    }
    let plan = Plan::new(What::Tests(arguments.filter.clone()));
    match arguments.options.json {
        true => test_json(&prepared, plan, arguments, total, terminal),
        false => test_text(&prepared, plan, arguments, total, terminal),
    }
}

impl Printer for TestReport<'_> {
    fn print(&mut self, event: &Event) -> String {
        self.event(event);
        self.take()
    }
}

fn test_text(
    prepared: &Prepared,
    plan: Plan,
    arguments: &TestArguments,
    total: &mut Total,
    terminal: &mut Terminal<'_>,
) -> Result<(), Exit> {
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let detail: Detail = detail(&arguments.options, &plan.what);
    let mut report = TestReport::new(&prepared.text, terminal.out_style(), clock, detail);
    prepared.execute(
        plan,
        &arguments.options,
        &mut report,
        Watch::default(),
        terminal,
    )?;
    let (rest, good) = report.rest();
    let _ = terminal.out.write_all(rest.as_bytes());
    total.passed += report.passed;
    total.failed += report.failed;
    match good && report.failed == 0 {
        true => Ok(()),
        false => Err(Exit::Failed),
    }
}

fn test_json(
    prepared: &Prepared,
    plan: Plan,
    arguments: &TestArguments,
    total: &mut Total,
    terminal: &mut Terminal<'_>,
) -> Result<(), Exit> {
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let mut lines = JsonLines {
        program: &prepared.text,
        clock,
        tally: Tally::default(),
    };
    let outcome = prepared.execute(
        plan,
        &arguments.options,
        &mut lines,
        Watch::default(),
        terminal,
    )?;
    total.failed += outcome.failed_tests as usize;
    total.passed += (outcome.tests - outcome.failed_tests) as usize;
    total.tally.add(&lines.tally);
    match lines.tally.exit() {
        Exit::Success => Ok(()),
        exit => Err(exit),
    }
}

/// The summary.
fn close(total: &Total, nanos: i64, arguments: &TestArguments, terminal: &mut Terminal<'_>) {
    let clock = Clock {
        hidden: terminal.surroundings.hide_times,
    };
    let style = terminal.out_style();
    if arguments.options.json {
        let _ = writeln!(
            terminal.out,
            "{}",
            json::summary(&total.tally, total.tally.exit(), nanos, clock)
        );
        return;
    }
    let mut parts = vec![format!("{} passed", plural(total.passed, "test"))];
    if total.failed > 0 {
        parts.push(style.red(&format!("{} failed", total.failed)));
    }
    let mark = if total.worst.is_none() {
        style.green("✓")
    } else {
        style.red("✗")
    };
    let _ = writeln!(
        terminal.out,
        "\n{mark} {} in {}",
        parts.join(", "),
        clock.show(nanos)
    );
}
