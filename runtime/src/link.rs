//! From a program to what runs: descriptors, constants, host functions by name, the interpreter's code.

mod consts;

use crate::descs::Descs;
use crate::fault::Place;
use crate::frozen::Frozen;
use crate::host::NativeDef;
use crate::interp::{Code, Env, compile};
use crate::jit::{self, CompileError, NATIVE_PLACE, Native, PerfMap};
use crate::object::Any;
use crate::pool::Pools;
use crate::value::Obj;
use scn_compiler::Span;
use scn_compiler::ir::{GlobalKind, NativeRef, Program};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

/// A linked program, shared by all workers.
pub struct Linked {
    /// The program: sources, sites, scenarios, globals. Its code is in linked form besides.
    pub program: Program,
    /// The descriptors.
    pub descs: Arc<Descs>,
    /// Host functions in the order of the program's.
    pub natives: Vec<LinkedNative>,
    pub(crate) code: Vec<Code>,
    consts: Vec<u64>,
    /// Values of globals, immortal; 0 before they are set.
    globals: Vec<AtomicU64>,
    /// How often data sets and pools were asked.
    cursors: Vec<AtomicU64>,
    pools: Arc<Pools>,
    frozen: Frozen,
    native: OnceLock<Native>,
    behind: Behind,
    perf_map: OnceLock<PerfMap>,
}

/// Compiling beside a run: whether it is allowed, has begun, is of use no more.
#[derive(Default)]
struct Behind(AtomicU8);

impl Behind {
    const ALLOWED: u8 = 1;
    const BEGUN: u8 = 2;
    const STOPPED: u8 = 3;

    fn allow(&self) {
        self.0.store(Behind::ALLOWED, Ordering::Release);
    }

    /// True for the one who is to begin.
    fn begin(&self) -> bool {
        let begun = (Ordering::AcqRel, Ordering::Relaxed);
        self.0.load(Ordering::Relaxed) == Behind::ALLOWED
            && (self.0)
                .compare_exchange(Behind::ALLOWED, Behind::BEGUN, begun.0, begun.1)
                .is_ok()
    }

    fn stop(&self) {
        self.0.store(Behind::STOPPED, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Acquire) == Behind::STOPPED
    }
}

/// A host function as a program calls it.
#[derive(Debug)]
pub struct LinkedNative {
    /// The function.
    pub def: NativeDef,
    /// Number of argument registers.
    pub args: u32,
    /// Number of result registers without the receiver that comes back: 2 is (flag, payload).
    pub results: u32,
}

/// What a program asks for and the runtime has not got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// No host function of that name.
    Unknown(String),
    /// The host function has another signature.
    Signature {
        /// Its name.
        name: String,
        /// How it differs.
        why: String,
    },
    /// A constant that cannot be made.
    Constant(String),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Unknown(name) => write!(f, "there is no host function `{name}`"),
            LinkError::Signature { name, why } => {
                write!(f, "the host function `{name}` has another signature: {why}")
            }
            LinkError::Constant(why) => write!(f, "a constant cannot be made: {why}"),
        }
    }
}

impl std::error::Error for LinkError {}

impl Linked {
    /// Links a program with the host functions of a library; the runtime's own are added.
    pub fn link(program: Program, library: &[NativeDef]) -> Result<Linked, LinkError> {
        let own = crate::natives::table();
        let known: HashMap<&str, &NativeDef> = own
            .iter()
            .chain(library)
            .map(|def| (def.name, def))
            .collect();
        let natives = program
            .natives
            .iter()
            .map(|wanted| link_native(wanted, &known))
            .collect::<Result<Vec<_>, _>>()?;
        let externs: Vec<&str> = known
            .values()
            .flat_map(|def| def.signature.externs.iter().copied())
            .collect();
        let descs = Arc::new(Descs::new(
            program.descs.clone(),
            program.enums.clone(),
            &externs,
        ));
        let mut frozen = Frozen::new(descs.clone());
        let consts = consts::build(&program.consts, &mut frozen)?;
        let env = Env {
            consts: &consts,
            refs: &program.natives,
            natives: &natives,
            functions: &program.functions,
        };
        let code = program
            .functions
            .iter()
            .map(|function| compile(function, env))
            .collect();
        let zeros = || program.globals.iter().map(|_| AtomicU64::new(0)).collect();
        let (globals, cursors) = (zeros(), zeros());
        Ok(Linked {
            descs,
            natives,
            code,
            consts,
            globals,
            cursors,
            pools: Arc::new(Pools::new(&program)),
            frozen,
            native: OnceLock::new(),
            behind: Behind::default(),
            perf_map: OnceLock::new(),
            program,
        })
    }

    /// The value of a global, in memory form and immortal.
    pub fn global(&self, index: u32) -> u64 {
        self.globals[index as usize].load(Ordering::Acquire)
    }

    /// Where the value of a global is, for code that reads it there.
    pub(crate) fn global_place(&self, index: u32) -> usize {
        self.globals[index as usize].as_ptr() as usize
    }

    /// The machine code, once it is published.
    pub(crate) fn native(&self) -> Option<&Native> {
        self.native.get()
    }

    /// Compiles the program and publishes the machine code: frames that are resumed from now on run it.
    pub fn compile(&self) -> Result<(), CompileError> {
        self.compile_if(&|| true)
    }

    fn compile_if(&self, is_wanted: &dyn Fn() -> bool) -> Result<(), CompileError> {
        if self.native.get().is_some() {
            return Ok(());
        }
        let native = jit::compile(self, is_wanted)?;
        if let Some(map) = self.perf_map.get() {
            map.add(native.symbols());
        }
        // Whoever was first has published the same code.
        let _ = self.native.set(native);
        Ok(())
    }

    /// Lets profilers know the names of machine code.
    pub fn name_code(&self, map: PerfMap) {
        // The map of a process is the same for all its runs.
        let _ = self.perf_map.set(map);
    }

    /// Lets [`Linked::compile_behind`] begin.
    pub(crate) fn allow_compiling_behind(&self) {
        self.behind.allow();
    }

    /// A run is over: nobody waits for machine code.
    pub(crate) fn stop_compiling_behind(&self) {
        self.behind.stop();
    }

    /// Begins to compile on a thread of its own, if the engine is to and nobody has begun. Without a thread, or on a
    /// machine that the compiler does not know, the interpreter goes on.
    pub(crate) fn compile_behind(self: &Arc<Self>) {
        if !self.behind.begin() {
            return;
        }
        let linked = self.clone();
        let builder = thread::Builder::new().name("scn-compile".into());
        let _ = builder.spawn(move || {
            let _ = linked.compile_if(&|| !linked.behind.is_stopped());
        });
    }

    /// The object of a global that holds one: a data set's rows.
    pub fn global_object(&self, index: u32) -> Option<Any<'_>> {
        let kind = &self.program.globals[index as usize].kind;
        let bits = self.global(index);
        // SAFETY: a data set is an immortal list as soon as it is set, and the store that owns it lives as long as `self`.
        (matches!(kind, GlobalKind::Data { .. }) && bits != 0)
            .then(|| unsafe { Any::from_obj(Obj::from_bits(bits)) })
    }

    /// Counts what a data set or pool has handed out, for all workers.
    pub fn cursor(&self, index: u32) -> &AtomicU64 {
        &self.cursors[index as usize]
    }

    /// The pools of addresses, for all workers.
    pub fn pools(&self) -> &Arc<Pools> {
        &self.pools
    }

    /// Gives a global its value, before any scenario runs.
    pub fn set_global(&self, index: u32, frozen: u64) {
        self.globals[index as usize].store(frozen, Ordering::Release);
        let texts = self.code.iter().flat_map(|code| &code.texts);
        texts.for_each(|text| text.store(0, Ordering::Release));
        if let Some(native) = self.native() {
            native.forget_texts();
        }
    }

    /// The bits of a constant object.
    pub(crate) fn constant(&self, index: usize) -> u64 {
        self.consts[index]
    }

    /// The store of values that live as long as the program.
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// Bytes of slots in a frame of a function or, behind the functions, of a host function.
    pub fn frame_slots(&self, code: u32) -> usize {
        let functions = self.code.len();
        match (code as usize).checked_sub(functions) {
            None => self.code[code as usize].slots as usize,
            Some(native) => self.natives[native].frame_slots(),
        }
    }

    /// Which parameters of a function are pointers that it takes over.
    pub fn owned_params(&self, function: u32) -> impl Iterator<Item = bool> + '_ {
        self.code[function as usize]
            .params
            .iter()
            .map(|param| param.own)
    }

    /// Number of functions.
    pub fn functions(&self) -> usize {
        self.code.len()
    }

    /// The name of a function, for traces.
    pub fn function_name(&self, function: u32) -> &str {
        self.program
            .functions
            .get(function as usize)
            .map_or("", |function| &function.name)
    }

    /// The span of an operation.
    pub(crate) fn span(&self, function: u32, pc: u32) -> Span {
        if pc & NATIVE_PLACE != 0 {
            let function = self.program.functions.get(function as usize);
            return function.map_or(Span::default(), |function| {
                jit::span(function, pc & !NATIVE_PLACE)
            });
        }
        self.code
            .get(function as usize)
            .map_or(Span::default(), |code| code.span(pc))
    }

    /// The place of an operation: in the function that it was written in, wherever its code is.
    pub(crate) fn place(&self, function: u32, pc: u32) -> Place {
        let span = self.span(function, pc);
        let running = self.program.functions.get(function as usize);
        let origin = running.and_then(|running| running.origin(span));
        Place {
            function: origin.map_or(function, |origin| origin.0),
            span,
        }
    }
}

impl LinkedNative {
    /// Slots of its frame: its arguments, then the future.
    pub fn frame_slots(&self) -> usize {
        let future = match &self.def.call {
            crate::host::Call::Waiting(waiting) => waiting.size as usize / 8,
            crate::host::Call::Ready(_) => 0,
        };
        (self.args as usize + future).max(2)
    }
}

fn link_native(
    wanted: &NativeRef,
    known: &HashMap<&str, &NativeDef>,
) -> Result<LinkedNative, LinkError> {
    let def = known
        .get(wanted.name.as_str())
        .ok_or_else(|| LinkError::Unknown(wanted.name.clone()))?;
    if let Some(why) = def.signature.mismatch(wanted) {
        return Err(LinkError::Signature {
            name: wanted.name.clone(),
            why,
        });
    }
    let extra = usize::from(wanted.inout && wanted.results.len() > def.signature.results.len());
    let results = (wanted.results.len() - extra) as u32;
    Ok(LinkedNative {
        def: (*def).clone(),
        args: wanted.params.len() as u32,
        results,
    })
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked")
            .field("functions", &self.code.len())
            .finish_non_exhaustive()
    }
}
