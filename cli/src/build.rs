//! `scn build FILE -o FILE.wasm`: one WASI 0.2 component of a scenario.

use crate::execute::refuse;
use crate::files::{self, Files};
use crate::render::findings;
use crate::terminal::{Exit, Terminal};
use scn_compiler::diagnostics::Diagnostic;
use scn_compiler::ir::Program;
use scn_compiler::source::Sources;
use scn_compiler::wasm::{self, Bodies, Unbuilt};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Arguments of `scn build`.
#[derive(Debug, clap::Args)]
pub(crate) struct BuildArguments {
    /// The file.
    file: PathBuf,
    /// Where to write; the file's name with `.wasm` if not given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to build.
    #[arg(long, value_name = "TARGET", default_value = "wasip2")]
    target: Target,
}

/// What can be built.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// A component for hosts of WASI 0.2.
    Wasip2,
}

/// Writes the component.
pub(crate) fn build(arguments: &BuildArguments, terminal: &mut Terminal<'_>) -> Exit {
    let Target::Wasip2 = arguments.target;
    let source = match files::read_entry(&arguments.file) {
        Ok(source) => source,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    let loader = Files::of_entry(&arguments.file);
    let checked = scn_compiler::check(source, &loader, &scn_stdlib::LIBRARY);
    show(&checked.diagnostics, &checked.sources, terminal);
    let Some(hir) = &checked.hir else {
        return Exit::Usage;
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    let bytes = match component(&program) {
        Ok(bytes) => bytes,
        Err(Unbuilt::Refused(diagnostics)) => {
            show(&diagnostics, &checked.sources, terminal);
            return Exit::Usage;
        }
        Err(Unbuilt::Defect(why)) => return terminal.fail(&why),
    };
    let output = match &arguments.output {
        Some(output) => output.clone(),
        None => arguments.file.with_extension("wasm"),
    };
    match std::fs::write(&output, bytes) {
        Ok(()) => Exit::Success,
        Err(error) => terminal.fail(&format!("cannot write `{}`: {error}", output.display())),
    }
}

/// The component of a program.
pub(crate) fn component(program: &Program) -> Result<Vec<u8>, Unbuilt> {
    wasm::build(program, bodies()?)
}

/// The bodies of the library, compiled once.
fn bodies() -> Result<&'static Bodies, Unbuilt> {
    static BODIES: OnceLock<Result<Bodies, String>> = OnceLock::new();
    let compile = || {
        Bodies::compile(&scn_stdlib::BODIES).map_err(|found| match found.first() {
            Some(first) => format!("the library's bodies: {}", first.message),
            None => "the library's bodies are wrong".to_owned(),
        })
    };
    let bodies = BODIES.get_or_init(compile).as_ref();
    bodies.map_err(|why| Unbuilt::Defect(why.clone()))
}

/// Draws what a build refuses.
pub(crate) fn show(diagnostics: &[Diagnostic], sources: &Sources, terminal: &mut Terminal<'_>) {
    let style = terminal.err_style();
    let text = findings::draw(diagnostics, sources, style);
    let _ = terminal.err.write_all(text.as_bytes());
}
