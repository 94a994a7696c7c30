//! `scn build FILE -o FILE.wasm`: one WASI 0.2 component of a scenario or library, or the interface of a library in WIT.

use crate::execute::refuse;
use crate::files::{self, Files};
use crate::render::findings;
use crate::terminal::{Exit, Terminal};
use scn_compiler::diagnostics::Diagnostic;
use scn_compiler::ir::Program;
use scn_compiler::source::Sources;
use scn_compiler::wasm::exports::{Errors, InterfaceName, Naming};
use scn_compiler::wasm::{self, Bodies, Choices, Https, Library, Unbuilt};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Arguments of `scn build`.
#[derive(Debug, clap::Args)]
pub(crate) struct BuildArguments {
    /// The file.
    file: PathBuf,
    /// Where to write; the file's name with `.wasm` if not given, and WIT to the standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to build.
    #[arg(long, value_name = "TARGET", default_value = "wasip2")]
    target: Target,
    /// How requests to `https` go out; `wasi-tls` if not given, as far as the file names an address of `https`.
    #[arg(long, value_name = "HOW")]
    https: Option<HttpsArgument>,
    /// Take `--users`, `--for`, `--rate` and `--iterations` when it runs, though nothing in the file is about load: what
    /// leads users is part of other components, too.
    #[arg(long)]
    load: bool,
    /// What to write: the component, or the interface of its `export fn` items.
    #[arg(long, value_name = "WHAT", default_value = "component")]
    emit: Emit,
    /// The name of the interface, such as `scn:net/socket@0.1.0`; `scn:library/FILE` if not given.
    #[arg(long, value_name = "NAME", value_parser = InterfaceName::parse)]
    interface: Option<InterfaceName>,
    /// What exported functions hand back when they fail: `record` (kind and message), `string` (the message), or the name
    /// of an enum whose cases are kinds.
    #[arg(long, value_name = "TYPE", default_value = "record")]
    errors: String,
}

/// What can be built.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// A component for hosts of WASI 0.2.
    Wasip2,
}

/// How requests to `https` go out.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum HttpsArgument {
    /// As all others, over sockets that the host makes secure: for hosts that offer `wasi:tls`.
    WasiTls,
    /// As requests that the host makes: for hosts that offer `wasi:http` only.
    WasiHttp,
}

/// What is written of it.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Emit {
    /// The component.
    Component,
    /// The interface that it exports.
    Wit,
}

/// Writes the component, or its interface.
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
    if let Some(source) = overwritten(arguments, &checked.sources) {
        let message = format!("the output would overwrite the source `{source}`");
        return terminal.refuse(&message, Some("give another name by -o FILE.wasm"));
    }
    let program = scn_compiler::lower_library(&checked.sources, hir);
    let written = match arguments.emit {
        Emit::Component => {
            built(&program, arguments).map(|bytes| write(&output(arguments), &bytes, terminal))
        }
        Emit::Wit => library(&program, arguments).map(|library| match library {
            Some(library) => tell(arguments, &library.text, terminal),
            None => terminal.refuse("the file exports nothing", Some(EXPORT)),
        }),
    };
    match written {
        Ok(exit) => exit,
        Err(Unbuilt::Refused(diagnostics)) => {
            show(&diagnostics, &checked.sources, terminal);
            Exit::Usage
        }
        Err(Unbuilt::Misnamed(why)) => terminal.refuse(&why, None),
        Err(Unbuilt::Defect(why)) => terminal.fail(&why),
    }
}

/// What to do where nothing is exported.
const EXPORT: &str = "write `export` before the functions that others may call: `export fn add(a: int, b: int) -> int { return a + b }`";

/// Where the component goes.
fn output(arguments: &BuildArguments) -> PathBuf {
    let named = arguments.output.clone();
    named.unwrap_or_else(|| arguments.file.with_extension("wasm"))
}

/// The source that the output would take the place of, however its path is written.
fn overwritten<'s>(arguments: &BuildArguments, sources: &'s Sources) -> Option<&'s str> {
    let output = match (arguments.emit, &arguments.output) {
        (Emit::Wit, None) => return None,
        _ => output(arguments).canonicalize().ok()?,
    };
    let mut names = sources.all.iter().map(|source| source.name.as_str());
    names.find(|name| {
        Path::new(name)
            .canonicalize()
            .is_ok_and(|path| path == output)
    })
}

/// A file that cannot be opened is a wrong command line, one that cannot be written a failure.
fn write(output: &Path, bytes: &[u8], terminal: &mut Terminal<'_>) -> Exit {
    let shown = output.display();
    let mut file = match File::create(output) {
        Ok(file) => file,
        Err(error) => return terminal.refuse(&format!("cannot write `{shown}`: {error}"), None),
    };
    match file.write_all(bytes) {
        Ok(()) => Exit::Success,
        Err(error) => terminal.fail(&format!("cannot write `{shown}`: {error}")),
    }
}

/// Writes the interface to a file or to the standard output.
fn tell(arguments: &BuildArguments, text: &str, terminal: &mut Terminal<'_>) -> Exit {
    match &arguments.output {
        Some(output) => write(output, text.as_bytes(), terminal),
        None => {
            let _ = terminal.out.write_all(text.as_bytes());
            Exit::Success
        }
    }
}

fn built(program: &Program, arguments: &BuildArguments) -> Result<Vec<u8>, Unbuilt> {
    let library = library(program, arguments)?;
    let https = match arguments.https {
        None => Https::WhereNamed,
        Some(HttpsArgument::WasiTls) => Https::WasiTls,
        Some(HttpsArgument::WasiHttp) => Https::WasiHttp,
    };
    let choices = Choices {
        library: library.as_ref(),
        https,
        load: arguments.load,
    };
    let base = arguments.file.parent().unwrap_or(Path::new(""));
    let read = |path: &str| files::read_bytes(&base.join(path));
    wasm::build_as(program, bodies()?, choices, &read)
}

/// The interface that a program exports, if it exports anything.
fn library(program: &Program, arguments: &BuildArguments) -> Result<Option<Library>, Unbuilt> {
    if program.exports.is_empty() {
        return Ok(None);
    }
    let of_file = || {
        let stem = arguments.file.file_stem().unwrap_or_default();
        InterfaceName::of_file(&stem.to_string_lossy())
    };
    let naming = Naming {
        interface: arguments.interface.clone().unwrap_or_else(of_file),
        errors: match arguments.errors.as_str() {
            "record" => Errors::Record,
            "string" => Errors::Text,
            name => Errors::Enum(name.to_owned()),
        },
    };
    Library::of(program, &naming).map(Some)
}

/// The component of a program whose files are in a folder, to be run at once.
#[cfg(feature = "component-host")]
pub(crate) fn component(program: &Program, base: &Path) -> Result<Vec<u8>, Unbuilt> {
    let read = |path: &str| files::read_bytes(&base.join(path));
    wasm::build(program, bodies()?, &read)
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
