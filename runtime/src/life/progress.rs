//! How far a scenario's user has come, and what it does next: a section, a pause, waiting for an arrival, the end.
//!
//! Decisions only; `life` carries them out. Enter at [`Progress::next`].

use super::{LifeId, is_run_stopping};
use crate::crew::Share;
use crate::ctx::Ctx;
use crate::event::{End, SectionKind};
use crate::source;
use crate::timer::{Nanos, Target, TimerId};
use crate::user::User;
use scn_compiler::ir::FuncId;
use std::rc::Rc;

/// What an iteration that does not wait takes on the virtual clock, in nanoseconds.
const VIRTUAL_ITERATION: Nanos = 1_000_000;

/// How far a scenario's user has come.
pub(crate) struct Progress {
    pub share: Rc<Share>,
    /// Of a closed plan: the start that it came up by.
    pub start: u64,
    pub phase: Phase,
    /// Of an open plan: whether an arrival waits for it, since `began`.
    pub due: bool,
    /// Iterations that have ended.
    pub iteration: u64,
    /// When the last iteration began, or was to begin; in a pause, when the next one is to.
    pub began: Nanos,
}

/// The section that runs or ran last, or what the user waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Start,
    Init,
    Each,
    /// Between iterations, until the timer is due.
    Rest(TimerId),
    /// Between iterations, until an arrival.
    Free,
    Exit,
}

/// What a user does next.
pub(super) enum Next {
    Run(SectionKind, FuncId),
    /// Lease the user's address where there is no `init` that would wait for it.
    Lease,
    /// Wait for an arrival.
    Free,
    /// Wait for the timer.
    Wait,
    Close,
}

impl Progress {
    /// A failed `init` ends the life, a failed iteration does not; `exit` follows whenever `init` was well.
    pub(super) fn next(
        &mut self,
        ctx: &Ctx,
        of: (LifeId, &User),
        stopping: bool,
        ended: Option<&End>,
    ) -> Next {
        match self.phase {
            Phase::Start => match self.share.cast.sections[0] {
                Some(init) => self.run(Phase::Init, SectionKind::Init, init),
                None if source::is_due(ctx, of.1, SectionKind::Init) => {
                    self.phase = Phase::Init;
                    Next::Lease
                }
                None => self.ready(ctx, of, stopping),
            },
            Phase::Init if matches!(ended, None | Some(End::Done)) => self.ready(ctx, of, stopping),
            Phase::Each => {
                self.iteration += 1;
                self.ready(ctx, of, stopping || matches!(ended, Some(End::Cancelled)))
            }
            Phase::Rest(timer) => {
                let reactor = ctx.worker().reactor();
                reactor.remove_timer(timer);
                let now = reactor.now();
                if !stopping {
                    ctx.recorder().lag(now, now.saturating_sub(self.began));
                }
                self.iterate(ctx, stopping, Some(self.began))
            }
            Phase::Free => self.ready(ctx, of, stopping),
            Phase::Init | Phase::Exit => Next::Close,
        }
    }

    fn run(&mut self, phase: Phase, kind: SectionKind, func: FuncId) -> Next {
        self.phase = phase;
        Next::Run(kind, func)
    }

    /// The next iteration, or what there is to wait for before it.
    fn ready(&mut self, ctx: &Ctx, (id, user): (LifeId, &User), stopping: bool) -> Next {
        if stopping || self.share.open || self.iteration == 0 {
            let arrival = std::mem::take(&mut self.due).then_some(self.began);
            // Who came before the plan's end has its iteration, even if `init` took longer.
            let stopping = stopping && (arrival.is_none() || is_run_stopping(ctx));
            if self.share.open && arrival.is_none() && !stopping && !self.is_worn() {
                self.phase = Phase::Free;
                return Next::Free;
            }
            return self.iterate(ctx, stopping, arrival);
        }
        // The clock was looked at when the iteration ended.
        let reactor = ctx.worker().reactor();
        let now = reactor.recent();
        let plan = &self.share.plan;
        let pause = match (plan.think, plan.pace) {
            (Some((from, to)), _) => from + user.rng.below(to.saturating_sub(from) + 1),
            (None, Some(pace)) => (self.began + pace).saturating_sub(now),
            // On the virtual clock no time would pass, and the plan would never end.
            (None, None) if reactor.is_virtual() && self.began == now => VIRTUAL_ITERATION,
            (None, None) => 0,
        };
        // Of fresh users each has the pause before the next one comes.
        if pause == 0 || (self.is_worn() && !plan.fresh_users) {
            return self.iterate(ctx, false, None);
        }
        let due = now.saturating_add(pause);
        let timer = reactor.insert_timer(due, Target::Life(id));
        self.began = due;
        self.phase = Phase::Rest(timer);
        Next::Wait
    }

    /// Whether the user has done what it was to do.
    fn is_worn(&self) -> bool {
        let plan = &self.share.plan;
        let bound = match plan.fresh_users {
            true => Some(1),
            false => plan.iterations_per_user,
        };
        bound.is_some_and(|bound| self.iteration >= bound)
    }

    /// Begins an iteration, which was to begin at a time if something else than the one before decides over that.
    fn iterate(&mut self, ctx: &Ctx, stopping: bool, intended: Option<Nanos>) -> Next {
        let [_, each, exit] = self.share.cast.sections;
        let at = intended.unwrap_or_else(|| ctx.worker().reactor().recent());
        // An arrival is always of the plan's time.
        let over = !self.share.open && self.share.has_ended_by(at);
        let further = !stopping && !over && !self.is_worn();
        match each {
            Some(each) if further && (self.share.open || self.share.shared.take_iteration()) => {
                self.began = at;
                self.run(Phase::Each, SectionKind::Each, each)
            }
            _ => match exit {
                Some(exit) => self.run(Phase::Exit, SectionKind::Exit, exit),
                None => Next::Close,
            },
        }
    }
}
