//! What a scenario's own computing costs: programs of `bench/compute` in scn beside the same programs in Lua.
//!
//! Each engine is a process of its own that runs one program at one size and prints a result; engines take turns, round
//! by round. Programs and bars are in [`programs`], how an engine is called in [`engines`], the turns in [`turns`].
//! A program whose results differ is not measured.

use crate::compare::child::Folder;
use crate::compare::clients::find;
use crate::compare::{machine, publish};
use crate::os;
use engines::{Engine, Programs};
use std::path::PathBuf;

mod engines;
mod programs;
mod report;
#[cfg(test)]
mod tests;
mod turns;

/// Arguments of `scn-bench compute`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Programs, or `language`, or `library`; all of them if none is named.
    #[arg(value_name = "PROGRAM")]
    programs: Vec<String>,
    /// Rounds.
    #[arg(long, default_value_t = 6)]
    rounds: usize,
    /// Engines of scn, for its `--engine`; without it scn runs once, with the engine that it takes by itself.
    #[arg(long = "engine", value_name = "ENGINE", value_delimiter = ',')]
    engines: Vec<String>,
    /// The core that everything runs on; default is the last one.
    #[arg(long)]
    core: Option<usize>,
    /// Append the report to this file as well.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// scn; default is the one beside this program.
    #[arg(long)]
    scn: Option<PathBuf>,
    /// LuaJIT.
    #[arg(long, default_value = "luajit")]
    luajit: PathBuf,
    /// Lua 5.4.
    #[arg(long, default_value = "lua5.4")]
    lua: PathBuf,
    /// The folder with the programs.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/compute"))]
    folder: PathBuf,
}

impl Options {
    fn paths(&self) -> Result<Programs, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let scn = self.scn.clone();
        Ok(Programs {
            scn: scn.unwrap_or_else(|| own.with_file_name("scn")),
            luajit: self.luajit.clone(),
            lua: self.lua.clone(),
            folder: self.folder.clone(),
        })
    }

    /// The engines whose programs are there; the others are told of.
    fn present(&self, paths: &Programs) -> Vec<Engine> {
        let (there, missing): (Vec<Engine>, Vec<Engine>) = Engine::all(&self.engines)
            .into_iter()
            .partition(|engine| find(engine.program(paths)).is_some());
        for engine in missing {
            eprintln!(
                "note: {} is left out: there is no such program",
                engine.name()
            );
        }
        there
    }
}

/// Measures the programs that are named and prints the report.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let chosen = programs::named(&options.programs)?;
    let paths = options.paths()?;
    let engines = options.present(&paths);
    let cores = os::cores().map_err(|error| error.to_string())?;
    let core = options.core.or(cores.last().copied()).unwrap_or(0);
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let bench = Bench {
        paths,
        engines,
        folder,
        rounds: options.rounds,
        core: Some(core),
    };
    publish(options.markdown.as_deref(), &bench.machine())?;
    let (measured, notes) = turns::run(&bench, &chosen);
    publish(
        options.markdown.as_deref(),
        &report::report(&bench, &measured, &notes),
    )
}

/// What all programs share.
pub(crate) struct Bench {
    paths: Programs,
    engines: Vec<Engine>,
    folder: Folder,
    rounds: usize,
    core: Option<usize>,
}

impl Bench {
    fn machine(&self) -> String {
        machine::describe(&[
            (&self.paths.scn, "--version"),
            (&self.paths.luajit, "-v"),
            (&self.paths.lua, "-v"),
        ])
    }
}
