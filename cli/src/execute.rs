//! From a file to a run: what `scn run` and `scn test` have in common.
//!
//! Enter at [`prepare`] and [`Prepared::execute`].

use crate::files::{self, Files, Unreadable};
#[cfg(feature = "component-host")]
use crate::hosted;
use crate::outputs::Outputs;
use crate::render::findings;
use crate::render::live::{Live, Size};
use crate::render::profile;
use crate::render::program::ProgramText;
use crate::terminal::{Exit, Terminal};
use scn_compiler::diagnostics::suggest;
use scn_compiler::ir;
#[cfg(feature = "component-host")]
use scn_compiler::wasm::Unbuilt;
use scn_runtime::Linked;
use scn_runtime::event::{Event, Observer};
use scn_runtime::profile::Profile;
use scn_runtime::report::Progress;
#[cfg(feature = "component-host")]
use scn_runtime::run::What;
use scn_runtime::run::{Engine, Outcome, Plan, RunError};
use scn_runtime::stop::StopHandle;
use std::hash::{BuildHasher, Hasher};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Options of both commands.
#[derive(Debug, clap::Args)]
pub(crate) struct RunOptions {
    /// Set a param; the value is read by the param's type.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// The seed of everything random; without it each run has another one.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Show each exchange with its content, and debug logs. Secrets are masked.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Print one JSON object for each event (see docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
    /// Print failures only.
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// What runs scripts: `interp` interprets, `jit` compiles before the run begins, `auto` compiles beside the run
    /// what computes for long, and load runs, `component` builds a component and runs that, where this scn was built
    /// with what runs components. All do the same (see docs/engines.md).
    #[arg(long, value_name = "ENGINE", default_value = "auto")]
    engine: EngineName,
    /// Print at the end where the scenarios' own time went, by source line.
    #[arg(long)]
    profile: bool,
    /// Tell Linux' `perf` the names of machine code, in /tmp/perf-PID.map. SCN_PERF_MAP=1 does the same.
    #[arg(long)]
    perf_map: bool,
    /// When a component of `--engine component` is cut off.
    #[cfg(feature = "component-host")]
    #[arg(long, hide = true, value_parser = crate::load::duration)]
    engine_limit: Option<u64>,
    /// Let time jump to the next timer instead of waiting for it.
    #[arg(long, hide = true)]
    pub(crate) virtual_clock: bool,
}

impl RunOptions {
    /// Whether a component is what runs.
    #[cfg(feature = "component-host")]
    pub(crate) fn runs_component(&self) -> bool {
        matches!(self.engine, EngineName::Component)
    }

    /// The first option that was given and that has no meaning where a host runs a component.
    #[cfg(feature = "component-host")]
    pub(crate) fn not_for_components(&self) -> Option<&'static str> {
        let native = [
            (!matches!(self.engine, EngineName::Auto), "--engine"),
            (self.profile, "--profile"),
            (self.perf_map, "--perf-map"),
        ];
        let given = native.iter().find(|(given, _)| *given);
        given.map(|(_, option)| *option)
    }
}

/// The engines by their names.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EngineName {
    Auto,
    Interp,
    Jit,
    /// Builds a component and runs that, with everything granted.
    #[cfg(feature = "component-host")]
    Component,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Engine {
        match name {
            EngineName::Auto => Engine::Auto,
            EngineName::Interp => Engine::Interp,
            EngineName::Jit => Engine::Jit,
            // The runtime's engines have no part in it.
            #[cfg(feature = "component-host")]
            EngineName::Component => Engine::Interp,
        }
    }
}

/// A file that can run.
pub(crate) struct Prepared {
    /// What reports need of it.
    pub(crate) text: ProgramText,
    linked: Arc<Linked>,
    base: PathBuf,
    /// What samples of scripts there are.
    profile: Arc<Profile>,
}

/// Checks and links a file. What is wrong with it is printed here; the error is the exit status.
pub(crate) fn prepare(
    path: &Path,
    quiet: bool,
    terminal: &mut Terminal<'_>,
) -> Result<Prepared, Exit> {
    let source = files::read_entry(path).map_err(|unreadable| refuse(unreadable, terminal))?;
    let checked = scn_compiler::check(source, &Files::of_entry(path), &scn_stdlib::LIBRARY);
    if !quiet || checked.hir.is_none() {
        let drawn = findings::draw(&checked.diagnostics, &checked.sources, terminal.err_style());
        let _ = terminal.err.write_all(drawn.as_bytes());
    }
    let Some(hir) = &checked.hir else {
        let count = findings::Count::of(&checked.diagnostics);
        let first = checked
            .diagnostics
            .iter()
            .find(|found| found.severity == scn_compiler::Severity::Error);
        let closing = findings::closing(count, first, terminal.err_style());
        let _ = writeln!(terminal.err, "{closing}");
        return Err(Exit::Usage);
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    let text = ProgramText::new(checked.sources, &program);
    let linked = Linked::link(program, &scn_stdlib::natives())
        .map_err(|error| terminal.fail(&error.to_string()))?;
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Prepared {
        text,
        linked: Arc::new(linked),
        base,
        profile: Arc::default(),
    })
}

/// Says why a path could not be read.
pub(crate) fn refuse(unreadable: Unreadable, terminal: &mut Terminal<'_>) -> Exit {
    match unreadable {
        Unreadable::Missing { message, help } => terminal.refuse(&message, help.as_deref()),
        Unreadable::NotText { source, diagnostic } => {
            let sources = scn_compiler::source::Sources { all: vec![source] };
            let drawn = findings::draw(&[*diagnostic], &sources, terminal.err_style());
            let _ = terminal.err.write_all(drawn.as_bytes());
            Exit::Usage
        }
    }
}

impl Prepared {
    /// The program.
    pub(crate) fn program(&self) -> &ir::Program {
        &self.linked.program
    }

    /// Runs it. What refuses a run before it began is printed here.
    pub(crate) fn execute(
        &self,
        mut plan: Plan,
        options: &RunOptions,
        printer: &mut dyn Printer,
        watch: Watch<'_>,
        terminal: &mut Terminal<'_>,
    ) -> Result<Outcome, Exit> {
        plan.params = params(&options.set)
            .map_err(|wrong| terminal.refuse(&wrong, Some("write --set name=value")))?;
        plan.seed = options.seed.unwrap_or_else(random_seed);
        plan.base.clone_from(&self.base);
        plan.verbose = options.verbose;
        plan.engine = options.engine.into();
        plan.perf_map =
            options.perf_map || std::env::var_os("SCN_PERF_MAP").is_some_and(|on| on == "1");
        plan.profile = options.profile.then(|| self.profile.clone());
        plan.virtual_clock = options.virtual_clock;
        #[cfg(feature = "component-host")]
        if let EngineName::Component = options.engine {
            return self.execute_component(&plan, options, printer, watch, terminal);
        }
        let stop = StopHandle::new();
        if terminal.surroundings.interrupts {
            let stop = stop.clone();
            // A view that is redrawn says itself that the run stops.
            let silent = watch.live.as_ref().is_some_and(Live::is_redrawn);
            on_interrupt(move || {
                say_stopping(stop.level(), silent);
                stop.request();
            });
        }
        // Where the system refuses, the limit stays; a run that needs more says so.
        let _ = scn_runtime::load::descriptors::raise_limit();
        let mut screen = Screen::new(printer, watch, terminal);
        let result = scn_runtime::run::run(&self.linked, &plan, &mut screen, &stop);
        screen.erase();
        let outcome = result.map_err(|error| self.refuse_run(&error, terminal))?;
        nothing_is_left(outcome, terminal)
    }

    /// Its component, which leads load if the plan asks for that.
    #[cfg(feature = "component-host")]
    pub(crate) fn component(
        &self,
        plan: &Plan,
        terminal: &mut Terminal<'_>,
    ) -> Result<Vec<u8>, Exit> {
        let built = crate::build::component(&with_load(self.program(), plan), &self.base);
        built.map_err(|unbuilt| match unbuilt {
            Unbuilt::Refused(found) => {
                crate::build::show(&found, &self.text.sources, terminal);
                Exit::Usage
            }
            Unbuilt::Misnamed(why) | Unbuilt::Defect(why) => terminal.fail(&why),
        })
    }

    /// Whether there is a test that a plan asks for; of a plan without tests, whatever it asks for.
    #[cfg(feature = "component-host")]
    fn has_wanted(&self, plan: &Plan) -> bool {
        let What::Tests(Some(filter)) = &plan.what else {
            return true;
        };
        let mut tests = self.program().tests.iter();
        tests.any(|test| test.name.contains(filter.as_str()))
    }

    /// Builds its component and runs that, with everything granted.
    #[cfg(feature = "component-host")]
    fn execute_component(
        &self,
        plan: &Plan,
        options: &RunOptions,
        printer: &mut dyn Printer,
        watch: Watch<'_>,
        terminal: &mut Terminal<'_>,
    ) -> Result<Outcome, Exit> {
        if !self.has_wanted(plan) {
            return Ok(Outcome::default());
        }
        let stop = scn_host::Stop::default();
        stop_on_interrupt(&stop, &watch, terminal);
        let bytes = self.component(plan, terminal)?;
        let mut settings = scn_host::Settings {
            grants: scn_host::Grants::all(),
            environment: variables(),
            time: options.engine_limit.map(Duration::from_nanos),
            stop,
            ..scn_host::Settings::default()
        };
        let told = hosted::arguments(&plan.what, plan.seed, plan.overrides, options);
        settings.arguments.extend(told);
        let load = hosted::Load {
            is_load: !plan.overrides.is_empty()
                || self
                    .program()
                    .scenarios
                    .iter()
                    .any(|one| one.load.is_some()),
            is_verbose: plan.verbose,
            seed: plan.seed,
        };
        let mut screen = Screen::new(printer, watch, terminal);
        let told = hosted::run(&bytes, &settings, &self.text, load, &mut screen);
        screen.erase();
        let told = told.map_err(|error| terminal.fail(&error.to_string()))?;
        if let Some(refused) = told.refused {
            return Err(terminal.refuse(&refused.message, refused.help.as_deref()));
        }
        if let Some(ended) = told.ran.ended.iter().find(|ended| !ended.is_status()) {
            return Err(terminal.fail(&format!("the component: {ended}")));
        }
        nothing_is_left(told.outcome, terminal)
    }

    /// Prints where the time went, if that was asked for. Everything else stands before it.
    pub(crate) fn print_profile(&self, options: &RunOptions, terminal: &mut Terminal<'_>) {
        if options.profile {
            let text = profile::draw(&self.profile.seen(&self.linked), &self.text);
            let _ = terminal.out.flush();
            let _ = terminal.err.write_all(text.as_bytes());
        }
    }

    fn refuse_run(&self, error: &RunError, terminal: &mut Terminal<'_>) -> Exit {
        let help = match error {
            RunError::UnknownScenario(name) => near(
                name,
                self.program()
                    .scenarios
                    .iter()
                    .map(|scenario| scenario.name.as_str())
                    .collect(),
            ),
            RunError::UnknownParam(name) => near(name, self.params()),
            RunError::MissingParam(name) => Some(format!("give it by --set {name}=...")),
            RunError::BadParam { .. } => None,
            RunError::NoTime(_) => {
                Some("say how long it lasts by --for, as in --for 30s".to_owned())
            }
            RunError::Engine(_) => Some("the interpreter runs it: --engine interp".to_owned()),
            RunError::Io(_) => return terminal.fail(&error.to_string()),
        };
        terminal.refuse(&error.to_string(), help.as_deref())
    }

    fn params(&self) -> Vec<&str> {
        let globals = self.program().globals.iter();
        let params = globals.filter(|global| matches!(global.kind, ir::GlobalKind::Param { .. }));
        params.map(|global| global.name.as_str()).collect()
    }
}

/// The program, in which each scenario has a load plan if the command line asks for one.
#[cfg(feature = "component-host")]
fn with_load<'p>(program: &'p ir::Program, plan: &Plan) -> std::borrow::Cow<'p, ir::Program> {
    if plan.overrides.is_empty() {
        return std::borrow::Cow::Borrowed(program);
    }
    let mut program = program.clone();
    for scenario in &mut program.scenarios {
        scenario.load.get_or_insert_with(|| ir::load::Load {
            weight: 1,
            ..Default::default()
        });
    }
    std::borrow::Cow::Owned(program)
}

/// What a name was meant to be: one like it, or which there are.
pub(crate) fn near(name: &str, names: Vec<&str>) -> Option<String> {
    suggest::nearest(name, names.iter().copied())
        .map(|near| format!("did you mean `{near}`?"))
        .or_else(|| {
            let all: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            (!all.is_empty()).then(|| format!("there are {}", all.join(", ")))
        })
}

/// The environment, as far as it is text.
#[cfg(feature = "component-host")]
pub(crate) fn variables() -> Vec<(String, String)> {
    let all = std::env::vars_os();
    let texts =
        all.map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.flatten().collect()
}

/// Objects that are left are a defect, which builds with checks tell.
fn nothing_is_left(outcome: Outcome, terminal: &mut Terminal<'_>) -> Result<Outcome, Exit> {
    match outcome.live_objects {
        left if cfg!(debug_assertions) && left > 0 => {
            Err(terminal.fail(&format!("{left} objects are alive at the end of the run")))
        }
        _ => Ok(outcome),
    }
}

/// What signals that ask the process to end do instead.
pub(crate) fn on_interrupt(then: impl Fn() + Send + 'static) {
    // Without a handler they end the process: that is no reason not to run.
    let _ = scn_runtime::keep_ignoring_hangups(|| ctrlc::set_handler(then));
}

/// Ctrl-C: the first one asks, the second one cancels. Who waits for a long iteration is told so.
fn say_stopping(asked: u32, silent: bool) {
    if asked == 0 && !silent && std::io::stderr().is_terminal() {
        eprintln!("\nstopping when the running iteration ends; Ctrl-C again cancels it");
    }
}

/// The same of a component that listens.
#[cfg(feature = "component-host")]
pub(crate) fn stop_on_interrupt(stop: &scn_host::Stop, watch: &Watch<'_>, terminal: &Terminal<'_>) {
    if terminal.surroundings.interrupts {
        let stop = stop.clone();
        let silent = watch.live.as_ref().is_some_and(Live::is_redrawn);
        on_interrupt(move || say_stopping(stop.request(), silent));
    }
}

/// `name=value` of `--set`.
fn params(set: &[String]) -> Result<Vec<(String, String)>, String> {
    let pairs = set.iter().map(|given| match given.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.to_owned())),
        None => Err(format!("`{given}` sets nothing")),
    });
    pairs.collect()
}

/// Another number for each run; the standard library's hashing is seeded by the system.
pub(crate) fn random_seed() -> u64 {
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

/// Turns events into text.
pub(crate) trait Printer {
    /// What is printed for this event; nothing for many.
    fn print(&mut self, event: &Event) -> String;
}

/// Who sees a run beside the printer.
#[derive(Default)]
pub(crate) struct Watch<'w> {
    /// The view of a load run.
    pub(crate) live: Option<Live>,
    /// Files that are written while the run goes on.
    pub(crate) outputs: Option<&'w mut Outputs>,
    /// Whether the printer's text goes to the error stream, because an output is on the other one.
    pub(crate) to_err: bool,
}

/// Writes what a printer says, with the view of the run below it.
pub(crate) struct Screen<'a, 't> {
    printer: &'a mut dyn Printer,
    watch: Watch<'a>,
    terminal: &'a mut Terminal<'t>,
    flushed: Instant,
    /// Whether the view was taken away for a text and is not there again.
    is_erased: bool,
}

impl Observer for Screen<'_, '_> {
    fn event(&mut self, event: Event) {
        match &event {
            Event::Idle => {
                self.flush();
                return self.draw();
            }
            Event::Progress(progress) => self.second(progress),
            _ => {}
        }
        let text = self.printer.print(&event);
        if text.is_empty() {
            return;
        }
        self.erase();
        // Whoever reads the output may be gone: the run goes on, its exit status still counts.
        let _ = match self.watch.to_err {
            true => self.terminal.err.write_all(text.as_bytes()),
            false => self.terminal.out.write_all(text.as_bytes()),
        };
        let waits_long = self.flushed.elapsed() > Duration::from_millis(100);
        // What begins may take long without ever waiting.
        let begins = matches!(
            event,
            Event::ServerStart { .. } | Event::SectionStart { .. } | Event::Progress(_)
        );
        if self.terminal.surroundings.out_is_terminal || waits_long || begins {
            self.flush();
        }
        // Below many lines the view comes back when there is time.
        if waits_long {
            self.draw();
        }
    }
}

#[cfg(feature = "component-host")]
impl crate::hosted::Viewer for Screen<'_, '_> {
    fn line(&mut self, is_error: bool, bytes: &[u8]) {
        self.erase();
        let _ = match is_error || self.watch.to_err {
            true => self.terminal.err.write_all(bytes),
            false => self.terminal.out.write_all(bytes),
        };
    }
}

impl<'a, 't> Screen<'a, 't> {
    /// A screen that shows nothing yet.
    pub(crate) fn new(
        printer: &'a mut dyn Printer,
        watch: Watch<'a>,
        terminal: &'a mut Terminal<'t>,
    ) -> Screen<'a, 't> {
        Screen {
            printer,
            watch,
            terminal,
            flushed: Instant::now(),
            is_erased: false,
        }
    }
}

impl Screen<'_, '_> {
    fn flush(&mut self) {
        let _ = self.terminal.out.flush();
        self.flushed = Instant::now();
    }

    fn second(&mut self, progress: &Progress) {
        if let Some(outputs) = &mut self.watch.outputs {
            outputs.progress(progress);
        }
        let size = terminal_size();
        if let Some(live) = &mut self.watch.live {
            let text = live.second(progress, size);
            self.is_erased = false;
            self.show(&text);
        }
    }

    /// Takes the view away.
    pub(crate) fn erase(&mut self) {
        if let Some(live) = &mut self.watch.live {
            let text = live.erase(terminal_size());
            self.is_erased |= !text.is_empty();
            self.show(&text);
        }
    }

    /// Shows the view again.
    fn draw(&mut self) {
        if let Some(live) = self.watch.live.as_mut().filter(|_| self.is_erased) {
            let text = live.draw(terminal_size());
            self.is_erased = false;
            // Both streams are one terminal: the lines above come first.
            self.flush();
            self.show(&text);
        }
    }

    fn show(&mut self, text: &str) {
        if !text.is_empty() {
            let _ = self.terminal.err.write_all(text.as_bytes());
            let _ = self.terminal.err.flush();
        }
    }
}

/// Columns and rows of the terminal that messages go to.
fn terminal_size() -> Size {
    match terminal_size::terminal_size_of(std::io::stderr()) {
        Some((columns, rows)) => (usize::from(columns.0), usize::from(rows.0)),
        None => (80, 24),
    }
}
