//! The command line of scn: arguments, files, drawing, exit statuses. What the commands mean is in the rooms before.
//!
//! Enter at [`main_with`], which is the whole program except for the process around it, so that tests can run it
//! inside their own process. Each subcommand has a file of its own.

#![forbid(unsafe_code)]

mod args;
mod build;
mod check;
mod digest;
mod execute;
mod explain;
mod files;
#[cfg(feature = "component-host")]
mod hosted;
mod inspect;
mod load;
mod outputs;
mod render;
mod run;
#[cfg(test)]
mod sample;
mod terminal;
mod test;

pub use terminal::{Exit, Surroundings, Terminal};

use std::ffi::OsString;

/// Runs the program with these arguments (the first is its own name) and says with which status it ends.
pub fn main_with(args: impl IntoIterator<Item = OsString>, terminal: &mut Terminal<'_>) -> Exit {
    let exit = match args::parse(args, terminal) {
        Ok(command) => command.run(terminal),
        Err(exit) => exit,
    };
    // Whoever reads the output may be gone (`scn check | head`): that is no failure of ours.
    let _ = terminal.flush();
    exit
}
