//! Says how to get what this program was built without.

use crate::run::RunArguments;
use crate::terminal::{Exit, Terminal};

/// Refuses.
pub(in crate::run) fn run(
    arguments: &RunArguments,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    let message = format!(
        "cannot run `{}`: this scn was built without what runs components",
        arguments.file.display()
    );
    let help = "build one that has it: cargo build --release --features component-host";
    Err(terminal.refuse(&message, Some(help)))
}

/// Refuses what is said of components where a file of source runs.
pub(in crate::run) fn run_source(
    arguments: &RunArguments,
    terminal: &mut Terminal<'_>,
) -> Result<Exit, Exit> {
    let option = arguments.host.given().unwrap_or("--allow");
    let message = format!("`{option}` is for components only");
    let help = "scn build makes a component of a file";
    Err(terminal.refuse(&message, Some(help)))
}
