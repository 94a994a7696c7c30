//! Runs one program on all engines and compares the stories. Enter at [`compare`].

use super::program::BROKEN;
use crate::story::{link, plan, program, same, tell};
use scn_compiler::Passes;
use scn_runtime::run::Engine;

/// What all engines have done.
#[derive(Debug)]
pub struct Compared {
    /// What was told.
    pub lines: Vec<String>,
    /// How many runs were compared.
    pub runs: usize,
}

/// Runs a program on all engines, and says how they differ if they do.
pub fn compare(text: &str) -> Result<Compared, String> {
    let plain = link(&program(text, Passes::Needed)?)?;
    let program = program(text, Passes::All)?;
    let linked = link(&program)?;
    let lines = tell(&linked, &plan(Engine::Interp), None)?;
    if let Some(line) = lines.iter().find(|line| line.starts_with(BROKEN)) {
        return Err(line.clone());
    }
    same("again", &lines, tell(&linked, &plan(Engine::Interp), None))?;
    same("compiled", &lines, tell(&linked, &plan(Engine::Jit), None))?;
    same(
        "with few passes",
        &lines,
        tell(&plain, &plan(Engine::Interp), None),
    )?;
    let mut runs = 4;
    // The code of a switch is published while a user runs, behind the first line or in the middle.
    for switch in [1, lines.len() / 2] {
        let how = format!("compiled after {switch} lines");
        let begun = link(&program)?;
        same(
            &how,
            &lines,
            tell(&begun, &plan(Engine::Interp), Some(switch)),
        )?;
        runs += 1;
    }
    Ok(Compared { lines, runs })
}
