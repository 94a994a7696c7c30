//! `scn inspect FILE --emit ast|hir|ir`: what a file is turned into, stage by stage.

use crate::execute::refuse;
use crate::files::{self, Files};
use crate::render::findings;
use crate::terminal::{Exit, Terminal};
use std::path::PathBuf;

/// Arguments of `scn inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArguments {
    /// The file.
    file: PathBuf,
    /// The stage to show.
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
}

/// Prints the stage; the tree of a broken file is shown too.
pub(crate) fn inspect(arguments: &InspectArguments, terminal: &mut Terminal<'_>) -> Exit {
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
    let _ = match arguments.emit {
        Stage::Ast => Ok(()),
        Stage::Hir => write!(terminal.out, "{}", scn_compiler::hir::hir_text(&hir)),
        Stage::Ir => write!(
            terminal.out,
            "{}",
            scn_compiler::ir::ir_text(&scn_compiler::lower(&checked.sources, &hir))
        ),
    };
    Exit::Success
}
