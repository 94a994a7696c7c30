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
