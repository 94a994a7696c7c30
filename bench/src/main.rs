//! Programs that compare scn with other load generators and with Lua: a server that costs little, raw clients, and the harness
//! that runs everything in turns on pinned cores. `bench/README.md` says what is measured how.
//!
//! Enter at `compare` for the harness, at `canned` for the server, at `peer` for the raw clients, at `compute` for scn beside Lua.

mod canned;
mod compare;
mod compute;
mod histogram;
mod os;
mod peer;
mod sources;

use clap::Parser;
use std::process::ExitCode;

/// Compares scn with other load generators.
#[derive(Debug, Parser)]
#[command(name = "scn-bench", disable_help_subcommand = true)]
enum Command {
    /// A server with one fixed response, so that the client is what is measured.
    Canned(canned::Options),
    /// The raw HTTP client: what a GET costs without a language.
    PeerHttp(peer::Options),
    /// The raw TCP client: what a round trip costs without a language.
    PeerEcho(peer::Options),
    /// Runs a suite: clients in turns against one server, with paired ratios.
    Compare(Box<compare::Options>),
    /// Runs programs that only compute, in scn and in Lua, in turns.
    Compute(Box<compute::Options>),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Canned(options) => canned::serve(&options).map_err(|error| error.to_string()),
        Command::PeerHttp(options) => peer::http(&options).map_err(|error| error.to_string()),
        Command::PeerEcho(options) => peer::echo(&options).map_err(|error| error.to_string()),
        Command::Compare(options) => compare::run(&options),
        Command::Compute(options) => compute::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
