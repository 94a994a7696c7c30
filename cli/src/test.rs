//! `scn test PATH...`: runs the `test` blocks of files and folders, each with servers of its own.

use crate::execute::{Prepared, Printer, RunOptions, Watch, prepare, refuse};
use crate::files;
use crate::outputs::junit::TestFile;
use crate::outputs::{Outputs, Target};
use crate::render::findings::plural;
use crate::render::json;
use crate::render::numbers::Clock;
use crate::render::tally::Tally;
use crate::render::tests::TestReport;
use crate::render::transcript::Detail;
use crate::run::{JsonLines, detail};
use crate::terminal::{Exit, Style, Terminal};
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
    /// Write the results: junit=FILE; `-` is standard output.
    #[arg(long, value_name = "FORMAT=FILE")]
    out: Vec<Target>,
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
    /// Each file with its tests, when an output asks for them.
    files: Vec<TestFile>,
}

/// Runs the tests.
pub(crate) fn test(arguments: &TestArguments, terminal: &mut Terminal<'_>) -> Exit {
    let paths = match files::expand(&arguments.paths) {
        Ok(paths) => paths,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    if let Some(wrong) = refusal(arguments) {
        return terminal.refuse(wrong, Some("write --out junit=FILE"));
    }
    let outputs = match Outputs::open(&arguments.out, terminal) {
        Ok(outputs) => outputs,
        Err(exit) => return exit,
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
    let nanos = start.elapsed().as_nanos() as i64;
    close(&total, nanos, arguments, terminal);
    match outputs.finish_tests(&total.files, nanos, terminal) {
        true => total.worst.unwrap_or(Exit::Success),
        false => Exit::Internal,
    }
}

/// What is wrong with the outputs that are asked for.
fn refusal(arguments: &TestArguments) -> Option<&'static str> {
    if arguments.out.iter().any(|target| !target.takes_tests()) {
        return Some("the results of tests have one form only");
    }
    let on_out = arguments.out.iter().any(Target::is_stdout);
    on_out.then_some("standard output has the lines of the tests")
}

/// A printer that also keeps what an output needs: texts without colours, whatever is printed.
struct Kept<'p, 'i> {
    inner: &'i mut dyn Printer,
    report: Option<TestReport<'p>>,
}

impl<'p, 'i> Kept<'p, 'i> {
    fn new(
        prepared: &'p Prepared,
        arguments: &TestArguments,
        inner: &'i mut dyn Printer,
    ) -> Kept<'p, 'i> {
        let (plain, clock) = (Style { colour: false }, Clock::default());
        let kept = (!arguments.out.is_empty())
            .then(|| TestReport::new(&prepared.text, plain, clock, Detail::Quiet));
        Kept {
            inner,
            report: kept,
        }
    }

    /// The file's part of the output.
    fn file(self, path: &Path) -> Option<TestFile> {
        let mut report = self.report?;
        let (text, good) = report.rest();
        Some(TestFile {
            name: path.display().to_string(),
            tests: report.cases,
            outside: (!good).then_some(text),
        })
    }
}

impl Printer for Kept<'_, '_> {
    fn print(&mut self, event: &Event) -> String {
        if let Some(report) = &mut self.report {
            report.event(event);
            report.take();
        }
        self.inner.print(event)
    }
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
    let result = match arguments.options.json {
        true => test_json(path, &prepared, plan, arguments, total, terminal),
        false => test_text(path, &prepared, plan, arguments, total, terminal),
    };
    prepared.print_profile(&arguments.options, terminal);
    result
}

impl Printer for TestReport<'_> {
    fn print(&mut self, event: &Event) -> String {
        self.event(event);
        self.take()
    }
}

fn test_text(
    path: &Path,
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
    let mut kept = Kept::new(prepared, arguments, &mut report);
    let options = &arguments.options;
    prepared.execute(plan, options, &mut kept, Watch::default(), terminal)?;
    total.files.extend(kept.file(path));
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
    path: &Path,
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
    let mut kept = Kept::new(prepared, arguments, &mut lines);
    let options = &arguments.options;
    let outcome = prepared.execute(plan, options, &mut kept, Watch::default(), terminal)?;
    total.files.extend(kept.file(path));
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
