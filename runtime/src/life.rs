//! Lives of users: which section runs next, and what is cleaned up at the end.
//!
//! A life is a small state machine that moves on when its root strand has nothing to run. Scenarios' users move on by
//! themselves; setups, tests, servers and initialisers are led by `run`, section by section. Enter at [`open`].

mod again;
mod progress;

use crate::crew::{Part, Share};
use crate::ctx::Ctx;
use crate::event::{End, Event, Section, SectionKind};
use crate::fault::Fault;
use crate::metrics::IterationEnd;
use crate::source;
use crate::strand::{Owner, Strand};
use crate::timer::Nanos;
use crate::user::User;
use crate::waker::StrandId;
use crate::worker::Worker;
use scn_compiler::ir::FuncId;
use std::rc::Rc;
use std::sync::Arc;

use progress::{Next, Phase, Progress};

/// Place of a life in the worker's slab.
pub(crate) type LifeId = u32;

/// A user's life.
pub(crate) struct Life {
    /// The user as host functions see it.
    pub user: Rc<User>,
    /// The strand of its sections.
    pub root: StrandId,
    /// Strands that are alive, the root included.
    pub strands: u32,
    /// Whether the first Ctrl-C's leave it alone: servers end after everything else.
    pub sheltered: bool,
    /// Whether it is to begin no further iteration.
    stopping: bool,
    closing: bool,
    course: Course,
    section: Option<Open>,
}

impl Life {
    /// The section that runs.
    pub fn section(&self) -> Option<Section> {
        self.section.as_ref().map(|open| self.named(open))
    }

    fn named(&self, open: &Open) -> Section {
        Section {
            kind: open.kind,
            name: open.name.clone(),
            user: self.user.id,
            iteration: self.user.iteration.get(),
        }
    }

    fn is_of(&self, share: &Share) -> bool {
        matches!(&self.course, Course::Scenario(progress) if std::ptr::eq(&*progress.share, share))
    }
}

/// Who decides what comes next.
pub(crate) enum Course {
    /// `run` does.
    Led(Box<Led>),
    /// The scenario's sections, one after another.
    Scenario(Progress),
}

/// A life that `run` leads.
#[derive(Default)]
pub(crate) struct Led {
    /// Which cells hold pointers.
    pub cells: Rc<[bool]>,
    /// What the last section gave.
    pub result: Option<(End, [u64; 2])>,
}

/// The section that runs.
struct Open {
    kind: SectionKind,
    name: Arc<str>,
    started: Nanos,
    /// Whether there is more to it than leasing an address, which is told only when it fails.
    told: bool,
    /// What it runs once the user has its address, while it waits for that.
    behind_lease: Option<Option<FuncId>>,
}

/// Begins a life, whose cells are null.
pub(crate) fn open(ctx: &Ctx, user: Rc<User>, course: Course) -> LifeId {
    let worker = ctx.worker();
    let mut lives = worker.lives.borrow_mut();
    let entry = lives.vacant_entry();
    let id = entry.key() as LifeId;
    let root = worker
        .strands
        .borrow_mut()
        .insert(Strand::new(Owner::Life, id));
    entry.insert(Life {
        user,
        root,
        strands: 1,
        sheltered: false,
        stopping: false,
        closing: false,
        course,
        section: None,
    });
    id
}

/// Begins the life of a scenario's user and its first section; gives its root strand, which tells it from others.
pub(crate) fn open_user(ctx: &Ctx, user: Rc<User>, share: &Rc<Share>, part: Part) -> StrandId {
    let worker = ctx.worker();
    let progress = Progress {
        share: share.clone(),
        start: part.start,
        phase: Phase::Start,
        due: part.arrival.is_some(),
        iteration: 0,
        began: part.arrival.unwrap_or_else(|| worker.reactor().now()),
    };
    let id = open(ctx, user, Course::Scenario(progress));
    let root = worker.lives.borrow()[id as usize].root;
    advance(ctx, id, None);
    root
}

/// Begins an iteration of a user that is free or rests; it was to begin at `intended`.
pub(crate) fn iterate(ctx: &Ctx, id: LifeId, intended: Nanos) {
    if let Course::Scenario(progress) = &mut ctx.worker().lives.borrow_mut()[id as usize].course {
        (progress.due, progress.began) = (true, intended);
    }
    advance(ctx, id, None);
}

/// The pause of a user is over.
pub(crate) fn rested(ctx: &Ctx, id: LifeId) {
    advance(ctx, id, None);
}

/// The users of a share that have not been asked to stop.
pub(crate) fn users_of(ctx: &Ctx, share: &Share) -> Vec<StrandId> {
    let lives = ctx.worker().lives.borrow();
    let wanted = lives
        .iter()
        .filter(|(_, life)| life.is_of(share) && !life.stopping);
    wanted.map(|(_, life)| life.root).collect()
}

/// Asks a user to begin no further iteration; false if it is gone.
pub(crate) fn dismiss(ctx: &Ctx, root: StrandId) -> bool {
    let worker = ctx.worker();
    let Some(id) = worker.life_of(root) else {
        return false;
    };
    let (waits, single) = {
        let mut lives = worker.lives.borrow_mut();
        let life = &mut lives[id as usize];
        life.stopping = true;
        (life.section.is_none(), life.strands == 1)
    };
    match (waits, single) {
        (true, _) => advance(ctx, id, None),
        // Those in `every` look whether they are to stop.
        (false, true) => worker.queue(root),
        (false, false) => {
            let all = worker.strands.borrow().all_of(id);
            all.into_iter().for_each(|strand| worker.queue(strand));
        }
    }
    true
}

/// Cancels what a user runs that was asked to stop.
pub(crate) fn cut_off(ctx: &Ctx, root: StrandId) {
    let worker = ctx.worker();
    if let Some(id) = worker.life_of(root) {
        cancel(ctx, id);
    }
}

/// Starts a section of a life whose root strand is empty. The arguments are owned.
pub(crate) fn start(
    ctx: &Ctx,
    id: LifeId,
    kind: SectionKind,
    name: &Arc<str>,
    func: FuncId,
    args: &[u64],
) {
    let root = open_section(ctx, id, kind, name, None);
    run_on(ctx, root, |worker, strand| worker.begin(strand, func, args));
}

/// Starts a section of a user that is to have an address first; without a function there is nothing more to it.
fn start_behind_lease(
    ctx: &Ctx,
    id: LifeId,
    kind: SectionKind,
    name: &Arc<str>,
    func: Option<FuncId>,
) {
    let root = open_section(ctx, id, kind, name, Some(func));
    run_on(ctx, root, Worker::begin_lease);
}

fn run_on(ctx: &Ctx, root: StrandId, begin: impl FnOnce(&Worker, &mut Strand)) {
    let worker = ctx.worker();
    if let Some(strand) = worker.strands.borrow_mut().find(root) {
        begin(worker, strand);
    }
    worker.queue(root);
}

fn open_section(
    ctx: &Ctx,
    id: LifeId,
    kind: SectionKind,
    name: &Arc<str>,
    behind_lease: Option<Option<FuncId>>,
) -> StrandId {
    let worker = ctx.worker();
    let mut lives = worker.lives.borrow_mut();
    let life = &mut lives[id as usize];
    life.section = Some(Open {
        kind,
        name: name.clone(),
        started: worker.reactor().recent(),
        told: behind_lease != Some(None),
        behind_lease,
    });
    let (root, context) = (life.root, life.user.context.get());
    let told = if ctx.tells_of(kind) && behind_lease != Some(None) {
        life.section()
    } else {
        None
    };
    drop(lives);
    if let Some(section) = told {
        ctx.emit(Event::SectionStart { section });
    }
    if let Some(strand) = worker.strands.borrow_mut().find(root) {
        strand.context = context;
        strand.intended = worker.reactor().recent();
    }
    root
}

/// The user has its address: what waited for that runs. False if nothing did.
fn go_on_behind_lease(ctx: &Ctx, id: LifeId) -> bool {
    let worker = ctx.worker();
    let mut lives = worker.lives.borrow_mut();
    let life = &mut lives[id as usize];
    let Some(open) = &mut life.section else {
        return false;
    };
    let Some(func) = open.behind_lease.take() else {
        return false;
    };
    // Waiting for an address is no part of the section, nor of its first operation's response time.
    let now = worker.reactor().recent();
    let waited = now.saturating_sub(std::mem::replace(&mut open.started, now));
    let Course::Scenario(progress) = &life.course else {
        return false;
    };
    let (root, share) = (life.root, progress.share.clone());
    drop(lives);
    if let Some(strand) = worker.strands.borrow_mut().find(root) {
        strand.intended = strand.intended.saturating_add(waited);
    }
    if let Some(func) = func {
        run_on(ctx, root, |worker, strand| {
            worker.begin(strand, func, share.cast.args_of(worker, func));
        });
    }
    func.is_some()
}

/// What the last section of a led life gave, once it has ended. The results are owned.
pub(crate) fn take_result(ctx: &Ctx, id: LifeId) -> Option<(End, [u64; 2])> {
    match &mut ctx.worker().lives.borrow_mut()[id as usize].course {
        Course::Led(led) => led.result.take(),
        Course::Scenario(_) => None,
    }
}

/// Whether a life is there.
pub(crate) fn is_open(ctx: &Ctx, id: LifeId) -> bool {
    ctx.worker().lives.borrow().contains(id as usize)
}

/// Ends a life as soon as its strands have ended, which are cancelled.
pub(crate) fn close(ctx: &Ctx, id: LifeId) {
    ctx.worker().lives.borrow_mut()[id as usize].closing = true;
    cancel(ctx, id);
    close_if_over(ctx, id);
}

/// Cancels everything that runs in a life.
pub(crate) fn cancel(ctx: &Ctx, id: LifeId) {
    let worker = ctx.worker();
    let (root, strands) = {
        let lives = worker.lives.borrow();
        (lives[id as usize].root, lives[id as usize].strands)
    };
    let tops = match strands {
        1 => vec![root],
        _ => worker.strands.borrow().tops_of(id),
    };
    for strand in tops {
        if !worker.is_at_rest(strand) {
            worker.cancel(ctx, strand, 0);
        }
    }
}

/// Acts upon Ctrl-C: the first time users are asked to stop, the second time what runs is cancelled, the third time
/// servers too: one that computes without end would keep all others from ending.
pub(crate) fn look_at_stop(ctx: &Ctx) {
    let stop = &ctx.worker().stop;
    let level = stop.handle.level();
    if level <= stop.seen.replace(level) {
        return;
    }
    ctx.worker().wake_all();
    ctx.worker().look_at_plans();
    if level < 2 {
        return;
    }
    let lives: Vec<LifeId> = {
        let lives = ctx.worker().lives.borrow();
        lives
            .iter()
            .filter(|(_, life)| !life.sheltered || level > 2)
            .map(|(id, _)| id as LifeId)
            .collect()
    };
    lives.into_iter().for_each(|id| cancel(ctx, id));
}

/// The root strand of a life has nothing left to run.
pub(crate) fn section_ended(ctx: &Ctx, root: StrandId, ok: bool) {
    if ok && again::again(ctx, root) {
        return;
    }
    let worker = ctx.worker();
    let end = take_end(ctx, ok);
    // SAFETY: a frame that was popped has two slots; they are looked at only if the section has ended well.
    let results = unsafe { [worker.results().read(), worker.results().add(1).read()] };
    let Some((id, think)) = worker.reset_root(root) else {
        return;
    };
    if matches!(end, End::Done) && go_on_behind_lease(ctx, id) {
        return;
    }
    let mut lives = worker.lives.borrow_mut();
    let life = &mut lives[id as usize];
    let open = life.section.take();
    let user = life.user.clone();
    if let Course::Led(led) = &mut life.course {
        led.result = Some((end.clone(), results));
    }
    let told = open
        .as_ref()
        .filter(|open| ctx.tells_of(open.kind) && (open.told || !matches!(end, End::Done)));
    let told = told.map(|open| life.named(open));
    drop(lives);
    user.source.section_ended();
    if let Some(Open { kind, started, .. }) = open {
        let nanos = worker.reactor().now().saturating_sub(started) as i64 - think;
        record(ctx, id, kind, nanos, &end);
        if let Some(section) = told {
            let end = end.clone();
            ctx.emit(Event::SectionEnd {
                section,
                nanos,
                end,
            });
        }
    }
    advance(ctx, id, Some(end));
    close_if_over(ctx, id);
}

/// Measures a section that has ended.
fn record(ctx: &Ctx, id: LifeId, kind: SectionKind, nanos: i64, end: &End) {
    let context = ctx.worker().lives.borrow()[id as usize].user.context.get();
    if let End::Failed(fault) = end {
        ctx.record_error(context, fault);
        if matches!(kind, SectionKind::Init | SectionKind::Exit) {
            ctx.record_failed_section(context);
        }
    }
    if kind == SectionKind::Each {
        let end = match end {
            End::Done => IterationEnd::Done,
            End::Failed(_) => IterationEnd::Failed,
            End::Cancelled => IterationEnd::Interrupted,
        };
        ctx.record_iteration(context, nanos, end);
    }
}

fn take_end(ctx: &Ctx, ok: bool) -> End {
    if ok {
        return End::Done;
    }
    match ctx.take_fault() {
        Some(fault) if !fault.is_cancellation() => End::Failed(fault),
        _ => End::Cancelled,
    }
}

/// A strand that reports to nobody has ended.
pub(crate) fn spawned_ended(ctx: &Ctx, id: StrandId, ok: bool) {
    let worker = ctx.worker();
    let life = worker
        .strands
        .borrow_mut()
        .find(id)
        .map(|strand| strand.life);
    if let End::Failed(fault) = take_end(ctx, ok) {
        ctx.emit(Event::ServerError {
            name: ctx.user().scenario.to_string(),
            fault,
        });
    }
    worker.remove_strand(id);
    if let Some(life) = life {
        close_if_over(ctx, life);
    }
}

/// Starts what comes next for a scenario's user.
fn advance(ctx: &Ctx, id: LifeId, ended: Option<End>) {
    let Some((share, next)) = next_of(ctx, id, ended) else {
        return;
    };
    carry_out(ctx, id, &share, next);
}

/// Starts what was decided.
fn carry_out(ctx: &Ctx, id: LifeId, share: &Rc<Share>, next: Next) {
    match next {
        Next::Run(kind, func) => {
            let (worker, name) = (ctx.worker(), &share.cast.name);
            let user = worker.user_of(id);
            if source::is_due(ctx, &user, kind) {
                start_behind_lease(ctx, id, kind, name, Some(func));
            } else {
                start(ctx, id, kind, name, func, share.cast.args_of(worker, func));
            }
            if kind == SectionKind::Each {
                note_intended(ctx, id);
            }
        }
        Next::Lease => start_behind_lease(ctx, id, SectionKind::Init, &share.cast.name, None),
        Next::Free => {
            rest(ctx, id);
            share.is_free(id);
        }
        Next::Wait => rest(ctx, id),
        Next::Close => close(ctx, id),
    }
}

/// Response times of the iteration's first operation count from when it was to begin.
fn note_intended(ctx: &Ctx, id: LifeId) {
    let worker = ctx.worker();
    let lives = worker.lives.borrow();
    let life = &lives[id as usize];
    if let Course::Scenario(progress) = &life.course
        && let Some(strand) = worker.strands.borrow_mut().find(life.root)
    {
        strand.intended = progress.began;
    }
}

/// A user that waits for its next iteration has no frames, and needs no memory for them.
fn rest(ctx: &Ctx, id: LifeId) {
    let worker = ctx.worker();
    let root = worker.lives.borrow()[id as usize].root;
    if let Some(strand) = worker.strands.borrow_mut().find(root) {
        strand.stack.rest(&mut worker.pool.borrow_mut());
    }
}

/// What comes next for a scenario's user; nothing if `run` leads the life.
fn next_of(ctx: &Ctx, id: LifeId, ended: Option<End>) -> Option<(Rc<Share>, Next)> {
    let is_run_stopping = is_run_stopping(ctx);
    let mut lives = ctx.worker().lives.borrow_mut();
    let life = &mut lives[id as usize];
    if life.closing {
        return None;
    }
    let stopping = is_run_stopping || life.stopping;
    let Course::Scenario(progress) = &mut life.course else {
        return None;
    };
    let next = progress.next(ctx, (id, &life.user), stopping, ended.as_ref());
    life.user.iteration.set(progress.iteration);
    Some((progress.share.clone(), next))
}

/// Whether the whole run is asked to stop.
pub(crate) fn is_run_stopping(ctx: &Ctx) -> bool {
    ctx.worker().stop.handle.level() > 0
}

/// Whether the user of the strand that runs is asked to stop.
pub(crate) fn is_stopping(ctx: &Ctx) -> bool {
    let worker = ctx.worker();
    let life = worker.life_of(worker.running());
    let told = life.is_some_and(|id| worker.lives.borrow()[id as usize].stopping);
    told || is_run_stopping(ctx)
}

fn close_if_over(ctx: &Ctx, id: LifeId) {
    let worker = ctx.worker();
    let over = match worker.lives.borrow().get(id as usize) {
        Some(life) => life.closing && life.strands == 1 && worker.is_at_rest(life.root),
        None => false,
    };
    if over {
        let life = worker.lives.borrow_mut().remove(id as usize);
        finish(ctx, worker, life);
    }
}

/// Gives up what the user holds: cells in order, then the libraries' state with its connections.
fn finish(ctx: &Ctx, worker: &Worker, life: Life) {
    worker.forget_root(life.root);
    ctx.enter_user(life.user.clone());
    let pointers = match &life.course {
        Course::Led(led) => led.cells.clone(),
        Course::Scenario(progress) => progress.share.cast.cells.clone(),
    };
    for (cell, pointer) in life.user.cells.iter().zip(pointers.iter()) {
        let bits = cell.replace(0);
        if *pointer {
            // SAFETY: a pointer cell owns what it holds, and no code of the user runs any more.
            unsafe { ctx.heap.release_slot(bits) };
        }
    }
    life.user.extensions.clear();
    life.user.source.end_tenure();
    if let Course::Scenario(progress) = life.course {
        let (share, start) = (progress.share, progress.start);
        // A user that never got to an iteration, because `init` failed, would have a successor that fails as well.
        let successor = share.plan.fresh_users && progress.iteration > 0;
        share.user_ended(ctx, &life.user, start, successor);
    }
}

impl Ctx {
    /// Moves the error out of `ctx.err` as a fault.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        let error = self.take_err()?;
        error.as_any().as_fault().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::Life;
    use crate::strand::Strand;
    use crate::user::User;

    /// What the frames of a request and of a function around it take.
    const CHUNK: usize = 384;

    #[test]
    fn a_user_at_rest_takes_less_than_a_kibibyte() {
        // A place in the slab of lives, the user behind its `Rc`, the root strand in its box, one chunk.
        let bytes =
            size_of::<Option<Life>>() + size_of::<User>() + 16 + size_of::<Strand>() + 16 + CHUNK;
        assert!(
            bytes < 1024,
            "{bytes}: {} + {} + {}",
            size_of::<Life>(),
            size_of::<User>(),
            size_of::<Strand>()
        );
    }
}
