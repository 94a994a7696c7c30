//! How far a plan goes: when its stages and the whole of it end, and how many users it can have at once.

use super::{Load, Stage};

impl Load {
    /// When the plan is over, from the scenario's start: its stages or `run for`, whichever is first. Nothing if only
    /// iterations bound it.
    pub fn end(&self) -> Option<u64> {
        let stages = self.spans().last().and_then(|(_, to)| *to);
        [stages, self.run_for].into_iter().flatten().min()
    }

    /// When each stage begins and ends, from the scenario's start and without regard to `run for`. Stages behind one
    /// that has no time of its own would never begin and are left out; phases last as long as the plan.
    pub fn spans(&self) -> Vec<(u64, Option<u64>)> {
        let mut begins = Some(0_u64);
        self.stages
            .iter()
            .map_while(|stage| {
                let over = match *stage {
                    Stage::Users { over, .. } => over,
                    Stage::Arrivals { over, .. } => Some(over),
                    Stage::Spawn { at, .. } => return Some((at, None)),
                };
                let from = begins?;
                begins = over.map(|over| from.saturating_add(over));
                Some((from, begins))
            })
            .collect()
    }

    /// The most users that there can be at once. Nothing for arrivals without `max users`: how many they need depends
    /// on the responses.
    pub fn peak_users(&self) -> Option<u64> {
        let end = self.end().unwrap_or(u64::MAX);
        let begun = || {
            self.stages
                .iter()
                .zip(self.spans())
                .filter(|(_, (from, _))| *from < end)
        };
        let most = match self.stages.first() {
            None => 1,
            Some(Stage::Arrivals { .. }) => return self.max_users,
            Some(Stage::Users { .. }) => begun()
                .map(|(stage, (from, _))| stage.highest(end - from))
                .max()
                .unwrap_or(0),
            Some(Stage::Spawn { .. }) => begun().map(|(stage, _)| stage.highest(0)).sum(),
        };
        Some(most.min(self.max_users.unwrap_or(u64::MAX)))
    }
}

impl Stage {
    /// The most users of a stage that is cut off after that time.
    fn highest(&self, left: u64) -> u64 {
        match *self {
            Stage::Users {
                from,
                to,
                over: Some(over),
            } if to > from && left < over => {
                let rise = u128::from(to - from) * u128::from(left);
                from + rise.div_ceil(u128::from(over)) as u64
            }
            Stage::Users {
                from,
                to,
                over: Some(_),
            } => from.max(to),
            Stage::Users { from, .. } => from,
            Stage::Spawn { count, .. } => count,
            Stage::Arrivals { .. } => 0,
        }
    }
}
