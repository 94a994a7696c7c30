//! The command line's arguments: one variant for each subcommand.

use crate::terminal::{ColorChoice, Exit, Terminal};
use crate::{build, check, explain, inspect, run, test};
use clap::Parser;
use std::ffi::OsString;

/// Runs network scenarios: smoke tests, mock servers and load tests, written in scn.
#[derive(Debug, Parser)]
#[command(
    name = "scn",
    version,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
struct Arguments {
    /// When to colour the output.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Run the scenarios of a file.
    Run(Box<run::RunArguments>),
    /// Run the `test` blocks of files, and of all `.scn` files in folders.
    Test(test::TestArguments),
    /// Check files, and all `.scn` files in folders, without running anything.
    Check(check::CheckArguments),
    /// Build a WASI 0.2 component of a file.
    Build(build::BuildArguments),
    /// Show what a file is turned into: its tree, its typed tree, its IR.
    Inspect(inspect::InspectArguments),
    /// Explain an error code, such as E0201.
    Explain(explain::ExplainArguments),
}

impl Command {
    /// Does what the command says.
    pub(crate) fn run(self, terminal: &mut Terminal<'_>) -> Exit {
        match self {
            Command::Run(arguments) => run::run(&arguments, terminal),
            Command::Test(arguments) => test::test(&arguments, terminal),
            Command::Check(arguments) => check::check(&arguments, terminal),
            Command::Build(arguments) => build::build(&arguments, terminal),
            Command::Inspect(arguments) => inspect::inspect(&arguments, terminal),
            Command::Explain(arguments) => explain::explain(&arguments, terminal),
        }
    }
}

/// Takes the arguments apart; help and mistakes are printed here.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    terminal: &mut Terminal<'_>,
) -> Result<Command, Exit> {
    match Arguments::try_parse_from(args) {
        Ok(arguments) => {
            terminal.choose_colour(arguments.color);
            Ok(arguments.command)
        }
        Err(error) => Err(report(&error, terminal)),
    }
}

fn report(error: &clap::Error, terminal: &mut Terminal<'_>) -> Exit {
    let (style, to_err) = match error.use_stderr() {
        true => (terminal.err_style(), true),
        false => (terminal.out_style(), false),
    };
    let text = error.render();
    let text = if style.colour {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    let writer = if to_err {
        &mut *terminal.err
    } else {
        &mut *terminal.out
    };
    let _ = writer.write_all(text.as_bytes());
    if to_err { Exit::Usage } else { Exit::Success }
}
