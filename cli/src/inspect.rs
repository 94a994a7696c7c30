//! `scn inspect FILE --emit ast|hir|ir|clif|asm`: what a file is turned into, stage by stage; of a component what it
//! says of itself.

mod component;

#[cfg(feature = "component-host")]
pub(crate) use component::peer;

use crate::execute::refuse;
use crate::files::{self, Files};
use crate::render::findings;
use crate::terminal::{Exit, Terminal};
use scn_compiler::ir::Program;
use scn_runtime::Linked;
use scn_runtime::jit::Listing;
use std::path::PathBuf;

/// Arguments of `scn inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArguments {
    /// The file: of a component (`x.wasm`) its interfaces, what it reaches and its sources are shown.
    file: PathBuf,
    /// The stage of a file of source to show.
    #[arg(long, value_name = "STAGE", default_value = "ir")]
    emit: Stage,
}

/// The stages with a text form.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Stage {
    /// The syntax tree.
    Ast,
    /// The typed tree.
    Hir,
    /// The intermediate representation, after all passes.
    Ir,
    /// What the JIT makes of it for its code generator.
    Clif,
    /// The machine code of the JIT, for this machine.
    Asm,
}

/// Prints the stage; the tree of a broken file is shown too.
pub(crate) fn inspect(arguments: &InspectArguments, terminal: &mut Terminal<'_>) -> Exit {
    if files::is_component(&arguments.file) {
        return component::inspect(&arguments.file, terminal);
    }
    let source = match files::read_entry(&arguments.file) {
        Ok(source) => source,
        Err(unreadable) => return refuse(unreadable, terminal),
    };
    if let Stage::Ast = arguments.emit {
        let parsed = scn_grammar::parse(scn_compiler::SourceId(0), &source.text);
        let _ = write!(
            terminal.out,
            "{}",
            scn_grammar::print::ast_text(&parsed.file)
        );
    }
    let checked = scn_compiler::check(
        source,
        &Files::of_entry(&arguments.file),
        &scn_stdlib::LIBRARY,
    );
    let style = terminal.err_style();
    let _ = terminal
        .err
        .write_all(findings::draw(&checked.diagnostics, &checked.sources, style).as_bytes());
    let Some(hir) = checked.hir else {
        return Exit::Usage;
    };
    let program = || scn_compiler::lower(&checked.sources, &hir);
    let text = match arguments.emit {
        Stage::Ast => Ok(String::new()),
        Stage::Hir => Ok(scn_compiler::hir::hir_text(&hir)),
        Stage::Ir => Ok(scn_compiler::ir::ir_text(&program())),
        Stage::Clif => machine_code(program(), Listing::Clif),
        Stage::Asm => machine_code(program(), Listing::Asm),
    };
    match text {
        Ok(text) => {
            let _ = terminal.out.write_all(text.as_bytes());
            Exit::Success
        }
        Err(why) => terminal.fail(&why),
    }
}

/// What the JIT makes of a program.
fn machine_code(program: Program, listing: Listing) -> Result<String, String> {
    let linked = Linked::link(program, &scn_stdlib::natives()).map_err(|e| e.to_string())?;
    scn_runtime::jit::listing(&linked, listing).map_err(|error| error.to_string())
}
