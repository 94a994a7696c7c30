//! Spawn phases: groups of users that come up at given instants, and stay.

use super::pacer::Pacer;
use crate::timer::Nanos;
use scn_compiler::ir::load::Stage;

/// One phase.
#[derive(Clone, Copy, Debug)]
struct Phase {
    /// Its place among the plan's stages.
    stage: u32,
    at: Nanos,
    count: u64,
}

/// Walks phases in the order of time, those of one instant in source order.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    phases: Vec<Phase>,
    current: usize,
    /// Users of the current phase that have started.
    given: u64,
    pacer: Pacer,
}

impl Phases {
    pub(super) fn new(stages: &[Stage], limit: Option<f64>) -> Phases {
        let mut phases: Vec<Phase> = stages
            .iter()
            .enumerate()
            .filter_map(|(stage, what)| match *what {
                Stage::Spawn { count, at, .. } => Some(Phase {
                    stage: stage as u32,
                    at,
                    count,
                }),
                _ => None,
            })
            .collect();
        phases.sort_by_key(|phase| phase.at);
        Phases {
            phases,
            current: 0,
            given: 0,
            pacer: Pacer::new(limit),
        }
    }

    /// When the next user starts, and its phase.
    pub(super) fn next(&mut self) -> Option<(Nanos, u32)> {
        while self.phases.get(self.current)?.count == self.given {
            self.current += 1;
            self.given = 0;
        }
        let phase = self.phases[self.current];
        self.given += 1;
        Some((self.pacer.take(phase.at), phase.stage))
    }
}
