//! Lives of users: which section runs next, and what is cleaned up at the end.
//!
//! A life is a small state machine that moves on when its root strand has nothing to run. Scenarios' users move on by
//! themselves; setups, tests, servers and initialisers are led by `run`, section by section. Enter at [`open`].

use crate::ctx::Ctx;
use crate::event::{End, Event, Section, SectionKind};
use crate::fault::Fault;
use crate::metrics::IterationEnd;
use crate::strand::{Owner, Strand};
use crate::timer::Nanos;
use crate::user::User;
use crate::waker::StrandId;
use crate::worker::Worker;
use scn_compiler::ir::FuncId;
use std::rc::Rc;

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
    course: Course,
    section: Option<Open>,
    /// What the last section of a led life gave.
    result: Option<(End, [u64; 2])>,
    closing: bool,
    /// Which cells hold pointers.
    cells: Rc<[bool]>,
}

impl Life {
    /// The section that runs.
    pub fn section(&self) -> Option<&Section> {
        self.section.as_ref().map(|open| &open.section)
    }
}

/// Who decides what comes next.
pub(crate) enum Course {
    /// `run` does.
    Led,
    /// The scenario's sections, one after another.
    Scenario(Progress),
}

/// A scenario's functions, shared by its users.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The scenario's name.
    pub name: Rc<str>,
    /// `init`, `each` and `exit`.
    pub sections: [Option<FuncId>; 3],
    /// The value of `setup`, immortal; passed to sections that have a parameter.
    pub seed: u64,
    /// Iterations of each user.
    pub iterations: u64,
}

/// How far a scenario's user has come.
pub(crate) struct Progress {
    plan: Rc<Plan>,
    phase: Phase,
    iteration: u64,
}

/// The section that runs or ran last.
#[derive(Clone, Copy)]
enum Phase {
    Start,
    Init,
    Each,
    Exit,
}

/// The section that runs.
struct Open {
    section: Section,
    started: Nanos,
}

/// Begins a life, whose cells are null.
pub(crate) fn open(ctx: &Ctx, user: Rc<User>, course: Course, cells: Rc<[bool]>) -> LifeId {
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
        course,
        section: None,
        result: None,
        closing: false,
        cells,
    });
    id
}

/// Begins the life of a scenario's user and its first section.
pub(crate) fn open_scenario(ctx: &Ctx, user: Rc<User>, plan: Rc<Plan>, cells: Rc<[bool]>) {
    let id = open(
        ctx,
        user,
        Course::Scenario(Progress {
            plan,
            phase: Phase::Start,
            iteration: 0,
        }),
        cells,
    );
    ctx.worker().users.set(ctx.worker().users.get() + 1);
    advance(ctx, id, None);
}

/// Starts a section of a life whose root strand is empty. The arguments are owned.
pub(crate) fn start(
    ctx: &Ctx,
    id: LifeId,
    kind: SectionKind,
    name: &Rc<str>,
    func: FuncId,
    args: &[u64],
) {
    let worker = ctx.worker();
    let mut lives = worker.lives.borrow_mut();
    let life = &mut lives[id as usize];
    let section = Section {
        kind,
        name: name.clone(),
        user: life.user.id,
        iteration: life.user.iteration.get(),
    };
    life.section = Some(Open {
        section: section.clone(),
        started: worker.reactor().now(),
    });
    let (root, context) = (life.root, life.user.context.get());
    drop(lives);
    ctx.emit(Event::SectionStart { section });
    if let Some(strand) = worker.strands.borrow_mut().find(root) {
        strand.context = context;
        strand.intended = worker.reactor().now();
        worker.begin(strand, func, args);
    }
    worker.queue(root);
}

/// What the last section of a led life gave, once it has ended. The results are owned.
pub(crate) fn take_result(ctx: &Ctx, id: LifeId) -> Option<(End, [u64; 2])> {
    ctx.worker().lives.borrow_mut()[id as usize].result.take()
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
    let tops = worker.strands.borrow().tops_of(id);
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
    let worker = ctx.worker();
    let end = take_end(ctx, ok);
    // SAFETY: a frame that was popped has two slots; they are looked at only if the section has ended well.
    let results = unsafe { [worker.results().read(), worker.results().add(1).read()] };
    let Some((id, think)) = worker.reset_root(root) else {
        return;
    };
    let mut lives = worker.lives.borrow_mut();
    let life = &mut lives[id as usize];
    let open = life.section.take();
    if matches!(life.course, Course::Led) {
        life.result = Some((end.clone(), results));
    }
    drop(lives);
    if let Some(Open { section, started }) = open {
        let nanos = worker.reactor().now().saturating_sub(started) as i64 - think;
        record(ctx, id, section.kind, nanos, &end);
        ctx.emit(Event::SectionEnd {
            section,
            nanos,
            end: end.clone(),
        });
    }
    advance(ctx, id, Some(end));
    close_if_over(ctx, id);
}

/// Measures a section that has ended.
fn record(ctx: &Ctx, id: LifeId, kind: SectionKind, nanos: i64, end: &End) {
    let context = ctx.worker().lives.borrow()[id as usize].user.context.get();
    if let End::Failed(fault) = end {
        ctx.record_error(context, fault);
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
    let Some((plan, next)) = next_section(ctx, id, ended) else {
        return;
    };
    let Some((kind, func)) = next else {
        close(ctx, id);
        return;
    };
    let takes_seed = !ctx.worker().shape(func).pointers.is_empty();
    let args: &[u64] = if takes_seed { &[plan.seed] } else { &[] };
    start(ctx, id, kind, &plan.name, func, args);
}

/// A section to run, `None` at the end of a life.
type Next = Option<(SectionKind, FuncId)>;

/// What comes next for a scenario's user; nothing if `run` leads the life.
fn next_section(ctx: &Ctx, id: LifeId, ended: Option<End>) -> Option<(Rc<Plan>, Next)> {
    let stopping = is_stopping(ctx);
    let mut lives = ctx.worker().lives.borrow_mut();
    let life = &mut lives[id as usize];
    if life.closing {
        return None;
    }
    let Course::Scenario(progress) = &mut life.course else {
        return None;
    };
    let next = progress.next(stopping, ended.as_ref());
    life.user.iteration.set(progress.iteration);
    Some((progress.plan.clone(), next))
}

impl Progress {
    /// A failed `init` ends the life, a failed iteration does not; `exit` follows whenever `init` was well.
    fn next(&mut self, stopping: bool, ended: Option<&End>) -> Next {
        match self.phase {
            Phase::Start => {
                self.phase = Phase::Init;
                match self.plan.sections[0] {
                    Some(init) => Some((SectionKind::Init, init)),
                    None => self.next(stopping, None),
                }
            }
            Phase::Init if matches!(ended, None | Some(End::Done)) => {
                self.phase = Phase::Each;
                self.iterate(!stopping)
            }
            Phase::Each => {
                self.iteration += 1;
                self.iterate(!stopping && !matches!(ended, Some(End::Cancelled)))
            }
            Phase::Init | Phase::Exit => None,
        }
    }

    fn iterate(&mut self, further: bool) -> Next {
        match self.plan.sections[1] {
            Some(each) if further && self.iteration < self.plan.iterations => {
                Some((SectionKind::Each, each))
            }
            _ => {
                self.phase = Phase::Exit;
                self.plan.sections[2].map(|exit| (SectionKind::Exit, exit))
            }
        }
    }
}

/// Whether users are asked to stop.
pub(crate) fn is_stopping(ctx: &Ctx) -> bool {
    ctx.worker().stop.handle.level() > 0
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
    for (cell, pointer) in life.user.cells.iter().zip(life.cells.iter()) {
        let bits = cell.replace(0);
        if *pointer {
            // SAFETY: a pointer cell owns what it holds, and no code of the user runs any more.
            unsafe { ctx.heap.release_slot(bits) };
        }
    }
    life.user.extensions.clear();
    if matches!(life.course, Course::Scenario(_)) {
        worker.users.set(worker.users.get() - 1);
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
    use crate::frame::MIN_CHUNK;
    use crate::strand::Strand;
    use crate::user::User;

    #[test]
    fn a_user_at_rest_takes_less_than_a_kibibyte() {
        // A place in the slab of lives, the user behind its `Rc`, the root strand in its box, one chunk.
        let bytes = size_of::<Option<Life>>()
            + size_of::<User>()
            + 16
            + size_of::<Strand>()
            + 16
            + MIN_CHUNK;
        assert!(
            bytes < 1024,
            "{bytes}: {} + {} + {}",
            size_of::<Life>(),
            size_of::<User>(),
            size_of::<Strand>()
        );
    }
}
