//! The short way from one iteration to the next: what `life` does between two sections, done at once for users of whom
//! nobody wants events one by one, and who lease no address. Everything else takes the long way.

use super::progress::Next;
use super::{Course, Life, Open, carry_out, close_if_over, is_run_stopping};
use crate::ctx::Ctx;
use crate::event::{End, SectionKind};
use crate::metrics::IterationEnd;
use crate::timer::Nanos;
use crate::user::User;
use crate::waker::StrandId;

/// Ends an iteration that went well and begins what comes next; false if the long way is to be taken.
pub(super) fn again(ctx: &Ctx, root: StrandId) -> bool {
    if !ctx.settings().silent {
        return false;
    }
    let worker = ctx.worker();
    let (mut lives, mut strands) = (worker.lives.borrow_mut(), worker.strands.borrow_mut());
    let Some(strand) = strands.find(root) else {
        return false;
    };
    let id = strand.life;
    let life = &mut lives[id as usize];
    if !strand.scopes.is_empty() || life.closing || life.user.source.kind().is_some() {
        return false;
    }
    let stopping = life.stopping || is_run_stopping(ctx);
    let Some((started, user, course)) = iteration_of(life) else {
        return false;
    };
    let Course::Scenario(progress) = course else {
        return false;
    };
    let now = worker.reactor().now();
    let nanos = now.saturating_sub(*started).cast_signed() - strand.start_anew();
    let context = user.context.get();
    ctx.recorder()
        .iteration(context, now, nanos, IterationEnd::Done);
    let next = progress.next(ctx, (id, user), stopping, Some(&End::Done));
    user.iteration.set(progress.iteration);
    if let Next::Run(SectionKind::Each, func) = next {
        *started = now;
        strand.context = context;
        strand.intended = progress.began;
        worker.begin(strand, func, progress.share.cast.args_of(worker, func));
        if !std::mem::replace(&mut strand.queued, true) {
            worker.ready.borrow_mut().push_back(root);
        }
        return true;
    }
    let share = progress.share.clone();
    life.section = None;
    drop((lives, strands));
    carry_out(ctx, id, &share, next);
    close_if_over(ctx, id);
    true
}

/// The iteration that runs in a life, if it is one: when it began, whose it is, and who decides what follows.
fn iteration_of(life: &mut Life) -> Option<(&mut Nanos, &User, &mut Course)> {
    match &mut life.section {
        Some(Open {
            kind: SectionKind::Each,
            started,
            behind_lease: None,
            ..
        }) => Some((started, &life.user, &mut life.course)),
        _ => None,
    }
}
