//! Joins: the frames of `parallel`, `race` and `parallel for`, which run branches as strands and wait for them.
//!
//! A join's frame holds a boxed [`Join`]. Its children report their end to it; it wakes its own strand when all have
//! ended, and only then ends itself, so no child outlives what it was given. Enter at [`push_parallel`].

use crate::ctx::Ctx;
use crate::driver::{raise_delivered, top_frame};
use crate::frame::{Cancel, Frame, FrameCode, Resume, frame_size};
use crate::metrics::ContextId;
use crate::object::Own;
use crate::strand::{Owner, Strand};
use crate::value::Obj;
use crate::waker::StrandId;
use scn_compiler::ir::{DescId, FuncId};
use smallvec::SmallVec;

/// A branch with its owned arguments.
pub type Branch = (FuncId, SmallVec<[u64; 4]>);

/// Calls a `parallel` from the running frame: pushes the join, which the caller answers with `Call`.
/// The result is a tuple of the descriptor.
pub fn push_parallel(ctx: &Ctx, result: DescId, branches: Vec<Branch>) {
    push(
        ctx,
        Join::new(Kind::Parallel(result), Source::Branches(branches)),
    );
}

/// Calls a `race`: the results are those of the first branch to end, in slots 0 and 1 as they are.
/// An error ends a branch, too.
pub fn push_race(ctx: &Ctx, branches: Vec<Branch>) {
    push(ctx, Join::new(Kind::Race, Source::Branches(branches)));
}

/// Calls a `parallel for`: the result is a list of the descriptor, in input order. List and captures are borrowed for
/// the whole wait; `max` is how many run at once, 0 is no limit.
pub fn push_for_each(
    ctx: &Ctx,
    result: DescId,
    list: Obj,
    func: FuncId,
    captures: &[u64],
    max: i64,
) {
    let source = Source::List {
        list,
        func,
        captures: captures.into(),
        max: max.max(0) as usize,
    };
    push(ctx, Join::new(Kind::ForEach(result), source));
}

/// The side table's row of joins.
pub(crate) fn code() -> FrameCode {
    FrameCode {
        resume,
        cancel,
        size: frame_size(2) as u32,
        reserve: frame_size(2) as u32,
        leaf: true,
        recursive: false,
        host: None,
    }
}

struct Join {
    kind: Kind,
    source: Source,
    /// The children by number, `NONE` for those that have ended.
    children: SmallVec<[StrandId; 4]>,
    running: usize,
    /// Results of the children that have ended well.
    results: SmallVec<[Option<[u64; 2]>; 4]>,
    /// The first error.
    failed: Option<Own>,
    /// Whether the join itself was cancelled.
    cancelled: bool,
    /// Whether nothing further counts: an error, a winner or a cancellation came.
    decided: bool,
    /// The longest time that a child has spent in `think`.
    think: i64,
    life: u32,
    steps: u32,
    /// How deep its children begin: recursion through branches counts as any other.
    depth: u32,
    /// Where samples of the branches belong.
    context: ContextId,
    /// When the branches became runnable.
    intended: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Parallel(DescId),
    Race,
    ForEach(DescId),
}

enum Source {
    Branches(Vec<Branch>),
    List {
        list: Obj,
        func: FuncId,
        captures: SmallVec<[u64; 4]>,
        max: usize,
    },
}

fn push(ctx: &Ctx, mut join: Join) {
    let worker = ctx.worker();
    join.depth = ctx.depth.get();
    worker.with_running(|strand| {
        join.life = strand.life;
        join.steps = strand.outer_steps + strand.steps.len() as u32;
        join.context = strand.context;
        join.intended = strand.intended;
    });
    let frame = worker.push_frame(worker.join_code());
    // SAFETY: the new frame has two slots.
    unsafe { Frame::slots(frame.as_ptr()).write(Box::into_raw(Box::new(join)) as u64) };
}

/// # Safety
/// The frame is a live join.
unsafe fn join_of<'a>(frame: *mut Frame) -> &'a mut Join {
    // SAFETY: slot 0 of a join's frame holds its box until it ends; callers drop the reference before anyone else
    // looks at the frame.
    unsafe { &mut *(Frame::slots(frame).read() as *mut Join) }
}

/// # Safety
/// The frame is a live join, and is not used as one afterwards.
unsafe fn take_join(frame: *mut Frame) -> Box<Join> {
    // SAFETY: the box was made by `push`, and the caller is the only one who takes it back.
    unsafe { Box::from_raw(Frame::slots(frame).read() as *mut Join) }
}

/// # Safety
/// The frame is a join on top of the running strand.
unsafe fn resume(ctx: &Ctx, frame: *mut Frame) -> Resume {
    // SAFETY: upheld by the caller; the reference ends before the box is taken.
    unsafe {
        let join = join_of(frame);
        if (*frame).state == 0 {
            (*frame).state = 1;
            join.start_children(ctx, ctx.worker().running());
        }
        if join.running > 0 {
            return Resume::Pending;
        }
        take_join(frame).finish(ctx, frame)
    }
}

/// # Safety
/// As [`resume`].
unsafe fn cancel(ctx: &Ctx, frame: *mut Frame) -> Cancel {
    // SAFETY: upheld by the caller; the reference ends before the box is taken.
    unsafe {
        let join = join_of(frame);
        join.cancelled = true;
        join.decide(ctx);
        if (*frame).state == 0 || join.running == 0 {
            take_join(frame).release(ctx);
            return Cancel::Gone;
        }
    }
    Cancel::Unwinding
}

/// A child has ended: well, with its results, or with the error in `ctx.err`.
pub(crate) fn child_ended(ctx: &Ctx, parent: StrandId, child: u32, ok: bool, think: i64) {
    let worker = ctx.worker();
    let frame = top_frame(worker, parent).expect("a join waits for its children");
    // SAFETY: a parent's top frame is the join until all children have ended.
    let join = unsafe { join_of(frame) };
    let child = child as usize;
    join.running -= 1;
    join.children[child] = StrandId::NONE;
    join.think = join.think.max(think);
    if ok {
        join.accept(ctx, child, worker.results());
    } else {
        join.refuse(ctx);
    }
    join.start_children(ctx, parent);
    if join.running == 0 {
        worker.queue(parent);
    }
}

impl Join {
    fn new(kind: Kind, source: Source) -> Join {
        Join {
            kind,
            source,
            children: SmallVec::new(),
            running: 0,
            results: SmallVec::new(),
            failed: None,
            cancelled: false,
            decided: false,
            think: 0,
            life: 0,
            steps: 0,
            depth: 0,
            context: ContextId::NONE,
            intended: 0,
        }
    }

    /// Starts children as far as they may run now.
    fn start_children(&mut self, ctx: &Ctx, parent: StrandId) {
        let worker = ctx.worker();
        while !self.decided
            && let Some((func, args)) = self.next_branch(ctx)
        {
            let owner = Owner::Join {
                parent,
                child: self.children.len() as u32,
            };
            let child = Strand {
                depth: self.depth,
                outer_steps: self.steps,
                context: self.context,
                intended: self.intended,
                ..Strand::new(owner, self.life)
            };
            self.children.push(worker.spawn(child, func, &args));
            self.results.push(None);
            self.running += 1;
        }
    }

    fn next_branch(&mut self, ctx: &Ctx) -> Option<Branch> {
        match &mut self.source {
            Source::Branches(branches) => {
                let (func, args) = branches.get_mut(self.children.len())?;
                Some((*func, std::mem::take(args)))
            }
            Source::List { max, .. } if *max > 0 && self.running >= *max => None,
            Source::List {
                list,
                func,
                captures,
                ..
            } => {
                // SAFETY: the caller of the join keeps list and captures alive for the whole wait.
                let element = unsafe { crate::object::List::from_obj(*list) }
                    .at(ctx.descs(), self.children.len())?;
                let mut args = SmallVec::from_slice(&[element.to_own().into_bits()]);
                let pointers = ctx.worker().shape(*func).pointers.iter().skip(1);
                for (bits, pointer) in captures.iter().zip(pointers) {
                    if *pointer && *bits != 0 {
                        // SAFETY: a pointer register that is not null, alive as said above.
                        unsafe { Obj::from_bits(*bits) }.retain();
                    }
                    args.push(*bits);
                }
                Some((*func, args))
            }
        }
    }

    fn func(&self, child: usize) -> FuncId {
        match &self.source {
            Source::Branches(branches) => branches[child].0,
            Source::List { func, .. } => *func,
        }
    }

    /// Takes the results of a child over.
    fn accept(&mut self, ctx: &Ctx, child: usize, results: *const u64) {
        // SAFETY: a popped frame has two slots; those that are no results are not looked at.
        let results = unsafe { [results.read(), results.add(1).read()] };
        if self.decided {
            self.drop_results(ctx, child, results);
            return;
        }
        self.results[child] = Some(results);
        if matches!(self.kind, Kind::Race) {
            self.decide(ctx);
        }
    }

    fn drop_results(&self, ctx: &Ctx, child: usize, results: [u64; 2]) {
        for (bits, pointer) in results
            .iter()
            .zip(&ctx.worker().shape(self.func(child)).results)
        {
            if *pointer {
                // SAFETY: the child handed its reference over, and nobody wants it.
                unsafe { ctx.heap.release_slot(*bits) };
            }
        }
    }

    /// Takes the error of a child over, or drops it.
    fn refuse(&mut self, ctx: &Ctx) {
        let error = ctx.take_err();
        if !self.decided {
            self.failed = error;
            self.decide(ctx);
        }
    }

    /// Nothing further counts: the children still running are cancelled.
    fn decide(&mut self, ctx: &Ctx) {
        self.decided = true;
        for child in self
            .children
            .iter()
            .filter(|child| **child != StrandId::NONE)
        {
            ctx.worker().cancel(ctx, *child, 0);
        }
    }

    /// Gives everything up that the join holds.
    fn release(&mut self, ctx: &Ctx) {
        let results = std::mem::take(&mut self.results);
        for (child, results) in results.into_iter().enumerate() {
            if let Some(results) = results {
                self.drop_results(ctx, child, results);
            }
        }
        let started = self.children.len();
        if let Source::Branches(branches) = &self.source {
            for (func, args) in &branches[started.min(branches.len())..] {
                ctx.worker().drop_args(ctx, *func, args);
            }
        }
        self.failed = None;
    }

    /// Ends the join: its results, its error, or the cancellation.
    ///
    /// # Safety
    /// The frame is the join's, on top of the running strand.
    unsafe fn finish(mut self, ctx: &Ctx, frame: *mut Frame) -> Resume {
        ctx.worker()
            .with_running(|strand| strand.think += self.think);
        if self.cancelled || self.failed.is_some() {
            let error = self.failed.take();
            self.release(ctx);
            match error {
                Some(error) if !self.cancelled => ctx.set_err(Some(error)),
                _ => raise_delivered(ctx),
            }
            return Resume::Error;
        }
        // SAFETY: a join's frame has two slots.
        let slots = unsafe { std::slice::from_raw_parts_mut(Frame::slots(frame), 2) };
        self.leave(ctx, slots);
        Resume::Done
    }

    fn leave(&self, ctx: &Ctx, slots: &mut [u64]) {
        let results = || self.results.iter().enumerate();
        let memory_form = results().map(|(child, results)| {
            let is_there = !ctx.worker().shape(self.func(child)).results.is_empty();
            results.filter(|_| is_there).map_or(0, |results| results[0])
        });
        match self.kind {
            Kind::Race => {
                let winner = self.results.iter().flatten().next();
                slots.copy_from_slice(winner.unwrap_or(&[0; 2]));
            }
            Kind::Parallel(desc) => {
                let values: SmallVec<[u64; 8]> = memory_form.collect();
                // SAFETY: lowering made the descriptor from the branches' results, which move into the tuple.
                slots[0] = unsafe { ctx.heap.slots(desc, &values) }.bits();
            }
            Kind::ForEach(desc) => {
                let list = ctx.heap.list(desc, self.results.len());
                // SAFETY: lowering made the descriptor from the function's results, which move into the list; it is new.
                memory_form.for_each(|bits| unsafe { ctx.heap.list_push(list, bits) });
                slots[0] = list.bits();
            }
        }
    }
}
