//! The context of a worker as running code and host functions see it.
//!
//! Everything is reached through `&Ctx`: its fields change by cells, so that dropping an object deep inside of a host
//! function may reach the worker again. The driver fills the user's and strand's side.

use crate::descs::Descs;
use crate::event::{Event, Section, SectionKind};
use crate::fault::{Detail, Fault, Place, kind};
use crate::heap::Heap;
use crate::interp::Machine;
use crate::link::Linked;
use crate::metrics::Recorder;
use crate::object::{Any, Own};
use crate::profile::Profile;
use crate::user::{Extensions, NOBODY, User};
use crate::value::Obj;
use crate::worker::Worker;
use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::mem::offset_of;
use std::path::PathBuf;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// A worker's context. `heap.poke` is at offset 0, where native code tests it.
#[repr(C)]
pub struct Ctx {
    /// The heap.
    pub heap: Heap,
    /// The error on an error path: an owned error object, or null.
    err: Cell<u64>,
    /// The operation of the host call that is running: function in the low half, position in the high one.
    site_place: Cell<u64>,
    /// Its reporting site and one, or 0.
    site: Cell<u32>,
    /// The reporting site of the next host call and one, or 0.
    next_site: Cell<u32>,
    /// How deep recursive functions are in each other.
    pub(crate) depth: Cell<u32>,
    /// What compiled code was answered where all registers were to stay as they are.
    answer: Cell<u64>,
    user: RefCell<Rc<User>>,
    /// What is measured on this worker.
    pub(crate) recorder: Recorder,
    run: Extensions,
    settings: Arc<Settings>,
    origin: Instant,
    worker: OnceCell<Worker>,
    sink: RefCell<Box<dyn FnMut(Event)>>,
    /// The section that the last report was of.
    teller: RefCell<Option<Section>>,
    /// Whether something was reported since the worker waited.
    told: Cell<bool>,
    linked: OnceCell<Arc<Linked>>,
    /// The interpreter's memory, there while it does not run.
    pub(crate) machine: Cell<Option<Box<Machine>>>,
}

/// What compiled code reads and writes in a context.
impl Ctx {
    /// Where the error is.
    pub(crate) const ERR: usize = offset_of!(Ctx, err);
    /// Where the packed place of the running host call is.
    pub(crate) const SITE_PLACE: usize = offset_of!(Ctx, site_place);
    /// Where the reporting site of the running host call is.
    pub(crate) const SITE: usize = offset_of!(Ctx, site);
    /// Where the reporting site of the next host call is.
    pub(crate) const NEXT_SITE: usize = offset_of!(Ctx, next_site);
    /// Where such an answer is.
    pub(crate) const ANSWER: usize = offset_of!(Ctx, answer);
    /// Where the depth of recursive calls is.
    pub(crate) const DEPTH: usize = offset_of!(Ctx, depth);
}

/// An operation of a function in one word.
pub(crate) fn pack(function: u32, pc: u32) -> u64 {
    u64::from(pc) << 32 | u64::from(function)
}

fn unpack(place: u64) -> (u32, u32) {
    (place as u32, (place >> 32) as u32)
}

/// What the command line says, for all workers.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder that relative file names are looked up in: that of the scenario.
    pub base: PathBuf,
    /// Whether each exchange is shown.
    pub verbose: bool,
    /// Seed of all randomness.
    pub seed: u64,
    /// Whether events of users are not wanted one by one: they are measured only.
    pub silent: bool,
    /// Where samples of what scripts are at are kept, if they are wanted.
    pub profile: Option<Arc<Profile>>,
}

/// What a script that is put aside leaves in the context.
pub(crate) struct Aside {
    err: Option<Own>,
    site_place: u64,
    site: u32,
    next_site: u32,
}

thread_local! {
    static CURRENT: Cell<*const Ctx> = const { Cell::new(ptr::null()) };
}

/// While it lives, [`Ctx::current`] finds the context on this thread.
#[derive(Debug)]
pub struct Entered {
    before: *const Ctx,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

impl Ctx {
    /// The context of a worker, with a nameless user in charge.
    pub fn new(
        descs: Arc<Descs>,
        settings: Arc<Settings>,
        sink: Box<dyn FnMut(Event)>,
    ) -> Box<Ctx> {
        let user = Rc::new(User::new(0, "", settings.seed, 0));
        let ctx = Box::new(Ctx {
            heap: Heap::new(descs),
            err: Cell::new(0),
            site_place: Cell::new(u64::from(Place::NO_FUNCTION)),
            site: Cell::new(0),
            next_site: Cell::new(0),
            depth: Cell::new(0),
            answer: Cell::new(0),
            user: RefCell::new(user.clone()),
            recorder: Recorder::default(),
            run: Extensions::default(),
            settings,
            origin: Instant::now(),
            worker: OnceCell::new(),
            sink: RefCell::new(sink),
            teller: RefCell::default(),
            told: Cell::new(false),
            linked: OnceCell::new(),
            machine: Cell::new(None),
        });
        ctx.enter_user(user);
        ctx
    }

    /// The worker, in a context that has one.
    pub(crate) fn find_worker(&self) -> Option<&Worker> {
        self.worker.get()
    }

    /// The worker: reactor, strands, users.
    ///
    /// # Panics
    /// In a context that runs no strands.
    pub fn worker(&self) -> &Worker {
        self.worker
            .get()
            .expect("only a worker's context runs what waits")
    }

    /// Gives the context its worker.
    pub(crate) fn set_worker(&self, worker: Worker) {
        assert!(self.worker.set(worker).is_ok(), "a context has one worker");
    }

    /// Makes it the context of this thread.
    #[must_use]
    pub fn enter(&self) -> Entered {
        Entered {
            before: CURRENT.replace(self),
        }
    }

    /// Runs `f` with the context of this thread.
    ///
    /// # Panics
    /// Outside of a worker.
    pub fn current<R>(f: impl FnOnce(&Ctx) -> R) -> R {
        let current = CURRENT.get();
        assert!(!current.is_null(), "objects live on a worker's thread");
        // SAFETY: the pointer was made from a reference that outlives its `Entered` guard, which takes it away.
        f(unsafe { &*current })
    }

    /// The descriptors of the program.
    pub fn descs(&self) -> &Descs {
        self.heap.descs()
    }

    /// What the command line says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether each exchange is shown.
    pub fn verbose(&self) -> bool {
        self.settings.verbose
    }

    /// Whether events of the user in charge are wanted one by one. Where not, they are measured only.
    /// Those of nobody's in particular are always wanted: of `setup`, of servers.
    pub fn tells(&self) -> bool {
        !self.settings.silent || self.with_user(|user| user.id == NOBODY)
    }

    /// Whether the begin and end of a section are told.
    pub(crate) fn tells_of(&self, kind: SectionKind) -> bool {
        !self.settings.silent
            || !matches!(
                kind,
                SectionKind::Init | SectionKind::Each | SectionKind::Exit
            )
    }

    /// Monotonic nanoseconds of the worker's clock, which may be a virtual one.
    pub fn now(&self) -> i64 {
        match self.worker.get() {
            Some(worker) => worker.reactor().now() as i64,
            None => self.origin.elapsed().as_nanos() as i64,
        }
    }

    /// The moment that [`Ctx::now`] counts from.
    pub fn origin(&self) -> Instant {
        self.origin
    }

    /// Reports something, with the messages of its errors masked: they may quote anything that a peer sent.
    pub fn emit(&self, mut event: Event) {
        if let Some(fault) = event.fault_mut() {
            self.mask_fault(fault);
        }
        match &event {
            Event::ServerError { name, .. } => self.recorder.server_error(name),
            Event::SectionStart { section } => {
                self.teller.replace(Some(section.clone()));
            }
            event if event.is_inside_section() => self.take_turn(),
            _ => {}
        }
        self.tell(event);
    }

    /// Takes secrets out of an error's message.
    pub(crate) fn mask_fault(&self, fault: &mut Fault) {
        let message = fault.message();
        let masked = self.mask(&message);
        if masked != message {
            fault.data_mut().detail = Detail::Text(masked.into_boxed_str());
        }
    }

    /// Says whose the next report is, unless the one before was of the same section. Among the users of a load, whose
    /// reports come from several threads, that would say nothing.
    fn take_turn(&self) {
        if self.settings.silent {
            return;
        }
        let section = self.worker.get().and_then(Worker::section_running);
        if let Some(section) = section
            && self.teller.borrow().as_ref() != Some(&section)
        {
            self.teller.replace(Some(section.clone()));
            self.tell(Event::Turn { section });
        }
    }

    fn tell(&self, event: Event) {
        self.told.set(true);
        (self.sink.borrow_mut())(event);
    }

    /// Lets what was reported be shown before the worker waits.
    pub(crate) fn fall_idle(&self) {
        if self.told.replace(false) {
            (self.sink.borrow_mut())(Event::Idle);
        }
    }

    /// The user in charge.
    pub fn user(&self) -> Rc<User> {
        self.user.borrow().clone()
    }

    /// Moves away what belongs to the script that runs, so that another one can.
    pub(crate) fn put_aside(&self) -> Aside {
        Aside {
            err: self.take_err(),
            site_place: self.site_place.get(),
            site: self.site.get(),
            next_site: self.next_site.take(),
        }
    }

    /// Brings back what was moved away.
    pub(crate) fn take_up(&self, aside: Aside) {
        self.set_err(aside.err);
        self.site_place.set(aside.site_place);
        self.site.set(aside.site);
        self.next_site.set(aside.next_site);
    }

    /// Puts a user in charge: its account is charged, its cells and extensions are reached.
    pub fn enter_user(&self, user: Rc<User>) {
        // SAFETY: the context keeps the user, and with it the account, until the next one takes its place.
        unsafe { self.heap.charge_to(Some(&user.account)) };
        self.user.replace(user);
    }

    /// Whether a user is in charge.
    pub(crate) fn is_in_charge(&self, user: &Rc<User>) -> bool {
        Rc::ptr_eq(&self.user.borrow(), user)
    }

    /// Runs `f` with the library state of a type that lives with the user in charge.
    /// Don't touch scripts' objects or the context's state of the same type inside.
    pub fn user_state<T: Default + 'static, R>(&self, f: impl FnOnce(RefMut<'_, T>) -> R) -> R {
        f(self.user_shared::<T>().borrow_mut())
    }

    /// The library state of a type that lives with the user in charge: keep the `Rc` as long as needed, borrow the cell
    /// briefly.
    pub fn user_shared<T: Default + 'static>(&self) -> Rc<RefCell<T>> {
        self.user.borrow().extensions.shared()
    }

    /// Runs `f` with the library state of a type that lives with the worker.
    pub fn run_state<T: Default + 'static, R>(&self, f: impl FnOnce(RefMut<'_, T>) -> R) -> R {
        self.run.with(f)
    }

    /// The worker's library state, to keep an `Rc` of a value.
    pub fn run_extensions(&self) -> &Extensions {
        &self.run
    }

    /// Uniform in `0..bound`, from the user's random numbers.
    pub fn random_below(&self, bound: u64) -> u64 {
        self.user.borrow().rng.below(bound)
    }

    /// 64 bits of the user's random numbers.
    pub fn random(&self) -> u64 {
        self.user.borrow().rng.next()
    }

    /// Registers a text that reports mask.
    pub fn add_secret(&self, text: &str) {
        self.user.borrow().add_secret(text);
    }

    /// The text with the user's secrets as `***`; of a server, which belongs to no user, with those of all users.
    pub fn mask(&self, text: &str) -> String {
        let user = self.user.borrow();
        let own = user.mask(text);
        match self.worker.get() {
            Some(worker) if user.id == NOBODY => worker.mask_for_nobody(own),
            _ => own,
        }
    }

    /// Asks for room before a large object is made: an error of kind `script.memory` if there is none.
    pub fn reserve(&self, bytes: usize) -> Result<(), Fault> {
        if self.heap.has_room(bytes as u64) {
            return Ok(());
        }
        Err(self.memory_fault())
    }

    /// The error of a user that has passed the heap limit.
    pub fn memory_fault(&self) -> Fault {
        let limit = self.heap.account().limit() >> 20;
        Fault::text(
            kind::SCRIPT_MEMORY,
            format!("the user's memory passes its limit of {limit} MiB"),
        )
    }

    /// The place of the host call that is running. A waiting host function asks before its first await.
    pub fn site(&self) -> Place {
        let nowhere = Place {
            function: Place::NO_FUNCTION,
            ..Place::default()
        };
        let (function, pc) = unpack(self.site_place.get());
        self.linked
            .get()
            .map_or(nowhere, |linked| linked.place(function, pc))
    }

    /// The reporting site of the host call that is running, if it has one. Ask for it before the first await.
    pub fn site_id(&self) -> Option<u32> {
        self.site.get().checked_sub(1)
    }

    /// Says which operation calls a host function, and its reporting site unless that was named before.
    pub(crate) fn set_site(&self, function: u32, pc: u32, site: Option<u32>) {
        self.site_place.set(pack(function, pc));
        let named = self.next_site.take();
        self.site.set(site.map_or(named, |site| site + 1));
    }

    /// Names the reporting site of the next host call.
    pub(crate) fn set_next_site(&self, site: u32) {
        self.next_site.set(site + 1);
    }

    /// Puts an error of an operation into `ctx.err`; the operation is packed as by [`pack`].
    pub(crate) fn raise_at(&self, fault: Fault, place: u64) {
        self.raise(fault.at(self.place_of(place)));
    }

    /// Gives the error in `ctx.err` the place of an operation, unless it has one.
    pub(crate) fn place_error(&self, place: u64) {
        self.change_err(|fault| {
            if !fault.is_cancellation() {
                let place = self.place_of(place);
                fault.data_mut().place.get_or_insert(place);
            }
        });
    }

    /// Adds the place of a call to the trace of the error in `ctx.err`.
    pub(crate) fn trace_error(&self, place: u64) {
        self.change_err(|fault| {
            if !fault.is_cancellation() {
                fault.add_trace(self.place_of(place));
            }
        });
    }

    fn place_of(&self, place: u64) -> Place {
        let (function, pc) = unpack(place);
        self.linked().place(function, pc)
    }

    /// The linked program.
    ///
    /// # Panics
    /// In a context that runs none.
    pub fn linked(&self) -> &Arc<Linked> {
        self.linked
            .get()
            .expect("only a context with a program runs code")
    }

    /// The linked program, in a context that runs one.
    pub(crate) fn linked_if_any(&self) -> Option<&Arc<Linked>> {
        self.linked.get()
    }

    /// Gives the context the program that it runs, whose descriptors it was made with.
    pub fn set_linked(&self, linked: Arc<Linked>) {
        assert!(
            self.linked.set(linked).is_ok(),
            "a context runs one program"
        );
    }

    /// Runs `f` with the user in charge.
    pub fn with_user<R>(&self, f: impl FnOnce(&User) -> R) -> R {
        f(&self.user.borrow())
    }

    /// Changes the error in `ctx.err`, if there is one. A shared one is copied first.
    pub(crate) fn change_err(&self, f: impl FnOnce(&mut Fault)) {
        let Some(mut error) = self.take_err() else {
            return;
        };
        if !error.obj().is_unique() {
            let copy = error.as_any().as_fault().cloned();
            error = copy.map_or(error, |fault| self.heap.error(fault));
        }
        // SAFETY: the error has one reference, which is here.
        f(unsafe { self.heap.fault_mut(error.obj()) });
        self.set_err(Some(error));
    }

    /// Puts an error into `ctx.err`.
    pub fn raise(&self, fault: Fault) {
        let error = self.heap.error(fault);
        self.set_err(Some(error));
    }

    /// Replaces `ctx.err`.
    pub fn set_err(&self, error: Option<Own>) {
        let before = self.err.replace(error.map_or(0, Own::into_bits));
        // SAFETY: `ctx.err` owns the error object that it holds.
        unsafe { self.heap.release_slot(before) };
    }

    /// Whether there is an error in `ctx.err`.
    pub fn has_err(&self) -> bool {
        self.err.get() != 0
    }

    /// Moves the error out of `ctx.err`.
    pub fn take_err(&self) -> Option<Own> {
        let bits = self.err.replace(0);
        // SAFETY: `ctx.err` owned the object and does not hold it any more.
        (bits != 0).then(|| unsafe { Own::from_bits(bits) })
    }

    /// The error in `ctx.err`.
    pub fn with_err<R>(&self, f: impl FnOnce(Option<&Fault>) -> R) -> R {
        let bits = self.err.get();
        if bits == 0 {
            return f(None);
        }
        // SAFETY: `ctx.err` holds a live error object; a reference is kept while `f` looks at it.
        let error = unsafe { Any::from_obj(Obj::from_bits(bits)) }.to_own();
        f(error.as_any().as_fault())
    }

    /// Whether `ctx.err` is a cancellation.
    pub fn err_is_cancellation(&self) -> bool {
        self.with_err(|fault| fault.is_some_and(Fault::is_cancellation))
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("heap", &self.heap)
            .finish_non_exhaustive()
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        let entered = self.enter();
        self.set_err(None);
        self.run.clear();
        self.user.borrow().extensions.clear();
        drop(entered);
    }
}
