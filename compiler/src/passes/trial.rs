//! Trials of passes in tests: what a pass makes of a program that is written by hand, beside what came in.

use crate::ir::{Program, Stage, ir_text, parse_ir, verify};

/// A program before and behind a pass.
pub(super) struct Trial {
    before: String,
    pub program: Program,
}

/// Runs a pass on a program, which the verifier must like behind it.
pub(super) fn trial(text: &str, pass: impl FnOnce(&mut Program)) -> Trial {
    let mut program = parse_ir(text).unwrap_or_else(|wrong| panic!("{wrong} in:\n{text}"));
    let before = ir_text(&program);
    pass(&mut program);
    let trial = Trial { before, program };
    trial.verify(Stage::Ssa);
    trial
}

impl Trial {
    /// Fails unless the program keeps the rules of a stage.
    pub fn verify(&self, stage: Stage) {
        verify(&self.program, stage)
            .unwrap_or_else(|broken| panic!("{broken} in:\n{}", self.behind()));
    }

    pub fn behind(&self) -> String {
        ir_text(&self.program)
    }

    /// As a snapshot shows it.
    pub fn both(&self) -> String {
        format!("before:\n{}\nbehind:\n{}", self.before, self.behind())
    }

    /// Whether the pass did nothing.
    pub fn is_unchanged(&self) -> bool {
        self.before == self.behind()
    }

    /// How often a word occurs before and behind.
    pub fn count(&self, word: &str) -> (usize, usize) {
        let behind = self.behind();
        (
            self.before.matches(word).count(),
            behind.matches(word).count(),
        )
    }
}
