//! Engines in turns: round by round, each round in another order.

use super::Bench;
use super::engines::Engine;
use super::programs::{Program, SMALL, START};
use crate::compare::child::{Child, Finished};
use std::collections::BTreeMap;
use std::time::Duration;

/// The time that one run may take before it is killed.
const LIMIT: Duration = Duration::from_secs(300);

/// One turn: a run at the smallest size and one at the size that is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// CPU of starting, in seconds.
    pub(crate) start: f64,
    /// CPU of the whole process, in seconds.
    pub(crate) whole: f64,
}

impl Sample {
    /// CPU of the program itself. A start may cost more than a run that does next to nothing.
    pub(crate) fn own(&self) -> f64 {
        (self.whole - self.start).max(1e-9)
    }
}

/// All turns of one engine with one program at one size.
pub(crate) struct Series {
    /// Which of the bench's engines.
    pub(crate) engine: Engine,
    /// The size.
    pub(crate) size: u64,
    /// One for each round; none where it failed.
    pub(crate) samples: Vec<Option<Sample>>,
}

/// A program and what was measured of it.
pub(crate) struct Measured {
    /// Which.
    pub(crate) program: &'static Program,
    /// Its engines and sizes.
    pub(crate) series: Vec<Series>,
}

/// Measures programs; what could not be measured is told in notes.
pub(crate) fn run(bench: &Bench, programs: &[&'static Program]) -> (Vec<Measured>, Vec<String>) {
    let mut notes = Vec::new();
    let mut measured = Vec::new();
    for program in programs {
        match same_results(bench, program) {
            Ok(()) => measured.push(measure(bench, program, &mut notes)),
            Err(why) => notes.push(format!("{} is not measured: {why}", program.name)),
        }
        eprintln!("{} is done", program.name);
    }
    (measured, notes)
}

/// An error unless all engines print the same at small sizes.
fn same_results(bench: &Bench, program: &Program) -> Result<(), String> {
    for size in SMALL {
        let mut results = Results::default();
        for engine in &bench.engines {
            let finished = finish(bench, engine, program, size)?;
            results.compare(engine, size, &finished.out)?;
        }
    }
    Ok(())
}

fn measure(bench: &Bench, program: &'static Program, notes: &mut Vec<String>) -> Measured {
    let mut series = Vec::new();
    for engine in &bench.engines {
        for size in engine.sizes(program, &bench.engines) {
            series.push(Series {
                engine: engine.clone(),
                size,
                samples: Vec::new(),
            });
        }
    }
    let mut results = Results::default();
    for round in 0..bench.rounds {
        for turn in 0..series.len() {
            let index = (turn + round) % series.len();
            let one = &mut series[index];
            let sample = take_turn(bench, program, one, &mut results);
            if let Err(error) = &sample {
                let (name, engine) = (program.name, one.engine.name());
                notes.push(format!("{name}, {engine}, round {}: {error}", round + 1));
            }
            one.samples.push(sample.ok());
        }
    }
    Measured { program, series }
}

fn take_turn(
    bench: &Bench,
    program: &Program,
    series: &Series,
    results: &mut Results,
) -> Result<Sample, String> {
    let start = finish(bench, &series.engine, program, START)?;
    let whole = finish(bench, &series.engine, program, series.size)?;
    results.compare(&series.engine, series.size, &whole.out)?;
    Ok(Sample {
        start: start.processor().as_secs_f64(),
        whole: whole.processor().as_secs_f64(),
    })
}

/// Runs a program to its end, which must be a good one.
fn finish(
    bench: &Bench,
    engine: &Engine,
    program: &Program,
    size: u64,
) -> Result<Finished, String> {
    let text = |error: std::io::Error| error.to_string();
    let command = engine.command(&bench.paths, program, size);
    let child = Child::start(command, bench.core, "engine", bench.folder.path()).map_err(text)?;
    let finished = child.finish(LIMIT).map_err(text)?;
    finished
        .succeeded(None)
        .map_err(|error| format!("{}: {error}", engine.name()))?;
    Ok(finished)
}

/// The first result of each size, which all others must equal.
#[derive(Default)]
struct Results(BTreeMap<u64, (Engine, String)>);

impl Results {
    fn compare(&mut self, engine: &Engine, size: u64, printed: &str) -> Result<(), String> {
        let result = engine.result(printed);
        if result.is_empty() {
            return Err(format!("{} printed no result", engine.name()));
        }
        let first = self.0.entry(size);
        let (other, wanted) = first.or_insert_with(|| (engine.clone(), result.clone()));
        match *wanted == result {
            true => Ok(()),
            false => Err(format!(
                "at size {size} {} printed `{result}`, but {} `{wanted}`",
                engine.name(),
                other.name()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_must_be_there_and_be_equal() {
        let mut results = Results::default();
        assert_eq!(results.compare(&Engine::Lua, 3, "6\n"), Ok(()));
        assert_eq!(results.compare(&Engine::LuaJit, 3, "6\n"), Ok(()));
        assert_eq!(results.compare(&Engine::LuaJit, 4, "24\n"), Ok(()));
        let differs = results.compare(&Engine::LuaJit, 3, "7\n");
        let wanted = "at size 3 luajit printed `7`, but lua5.4 `6`".to_owned();
        assert_eq!(differs, Err(wanted));
        let nothing = results.compare(&Engine::Scn(None), 3, "{\"type\":\"summary\"}\n");
        assert_eq!(nothing, Err("scn printed no result".to_owned()));
    }
}
