//! The compilation of one program: declares all functions, compiles each, publishes all.

use super::emit::trusted;
use super::entries::Entry;
use super::function::{names_sites_early, translate};
use super::shape::{Shape, shapes, signature};
use super::stack::Stack;
use super::{CompileError, Listing, Native, NativeResume, Symbol, Thunk};
use crate::ctx::Ctx;
use crate::link::Linked;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{Context, isa::OwnedTargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use scn_compiler::ir::{Op, Program};
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

/// A program that is being compiled.
pub(super) struct Unit<'a> {
    pub linked: &'a Linked,
    pub module: JITModule,
    /// Machine functions, by function.
    pub functions: Vec<FuncId>,
    pub shapes: Vec<Shape>,
    /// Entries of the runtime.
    pub entries: HashMap<Entry, FuncId>,
    /// Ways to entries that leave all registers as they are, as far as code takes them.
    stubs: HashMap<Entry, FuncId>,
    /// Texts that are the same each time, null before they are made.
    texts: Box<[AtomicU64]>,
    /// How many of them are taken.
    texts_taken: usize,
    /// What frames of callees begin with.
    templates: Vec<Box<[u64]>>,
    /// For each pure function, the way into it.
    thunks: Vec<Option<FuncId>>,
    /// Whether a reporting site may be named elsewhere than right before the call.
    pub loose_sites: bool,
    listing: String,
    /// Machine functions that were made, with their sizes and names.
    made: Vec<(FuncId, usize, String)>,
    /// What calls may need of a stack.
    stack: Stack,
}

impl From<cranelift_module::ModuleError> for CompileError {
    fn from(error: cranelift_module::ModuleError) -> CompileError {
        CompileError(format!("{error:?}"))
    }
}

/// The machine of this process.
fn target() -> Result<OwnedTargetIsa, CompileError> {
    let mut flags = settings::builder();
    let wanted = [
        ("opt_level", "speed"),
        ("use_colocated_libcalls", "false"),
        ("is_pic", "false"),
        // A frame larger than a page must not step over the guard page below the stack.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
        // Profilers walk stacks by frame pointers.
        ("preserve_frame_pointers", "true"),
        (
            "enable_verifier",
            if cfg!(debug_assertions) {
                "true"
            } else {
                "false"
            },
        ),
    ];
    for (name, value) in wanted {
        let set = flags.set(name, value);
        set.map_err(|error| CompileError(error.to_string()))?;
    }
    let isa = cranelift_native::builder().map_err(|why| unknown_machine(&why))?;
    isa.finish(settings::Flags::new(flags))
        .map_err(|error| CompileError(error.to_string()))
}

/// A place for each text that a program makes.
fn places_for_texts(program: &Program) -> Box<[AtomicU64]> {
    let blocks = program.functions.iter().flat_map(|f| &f.blocks);
    let insts = blocks.flat_map(|block| &block.insts);
    let texts = insts.filter(|inst| matches!(inst.op, Op::Format(_)));
    texts.map(|_| AtomicU64::new(0)).collect()
}

/// What profilers call a function: its name, file and line.
fn symbol_name(linked: &Linked, at: usize) -> String {
    let function = &linked.program.functions[at];
    let source = linked.program.sources.get(function.span.source.0 as usize);
    let Some((file, text)) = source else {
        return format!("scn {}", function.name);
    };
    let before = text.as_bytes().iter().take(function.span.start as usize);
    let line = 1 + before.filter(|byte| **byte == b'\n').count();
    format!("scn {} {file}:{line}", function.name)
}

/// The error of a machine that there is no compiler for.
fn unknown_machine(why: &dyn fmt::Display) -> CompileError {
    let machine = std::env::consts::ARCH;
    CompileError(format!("there is no machine code for {machine}: {why}"))
}

/// The signature of the stub of an entry.
fn stub_signature(entry: Entry) -> Signature {
    let mut signature = Signature::new(CallConv::PreserveAll);
    let params = entry.params().iter().map(|ty| AbiParam::new(*ty));
    signature.params.extend(params);
    signature
}

impl<'a> Unit<'a> {
    /// Compiles all functions of a program.
    pub(super) fn new(
        linked: &'a Linked,
        show: Option<Listing>,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Self, CompileError> {
        let mut builder = JITBuilder::with_isa(target()?, default_libcall_names());
        for entry in Entry::ALL {
            builder.symbol(entry.name(), entry.address());
        }
        let mut unit = Unit {
            linked,
            module: JITModule::new(builder),
            functions: Vec::new(),
            shapes: shapes(&linked.program),
            entries: HashMap::new(),
            stubs: HashMap::new(),
            texts: places_for_texts(&linked.program),
            texts_taken: 0,
            templates: Vec::new(),
            thunks: Vec::new(),
            loose_sites: linked.program.functions.iter().any(names_sites_early),
            listing: String::new(),
            made: Vec::new(),
            stack: Stack::default(),
        };
        match unit.fill(show, is_wanted) {
            Ok(()) => Ok(unit),
            Err(error) => {
                // SAFETY: nothing of it was published.
                unsafe { unit.module.free_memory() };
                Err(error)
            }
        }
    }

    fn fill(
        &mut self,
        show: Option<Listing>,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<(), CompileError> {
        self.declare()?;
        self.define(show, is_wanted)?;
        self.stack.check()?;
        self.define_stubs()?;
        self.thunks = self.define_thunks()?;
        self.module.finalize_definitions()?;
        Ok(())
    }

    /// The calling convention of everything.
    pub(super) fn conv(&self) -> CallConv {
        self.module.isa().default_call_conv()
    }

    /// A place for a text that is the same each time; it stays where it is as long as the code.
    pub(super) fn new_text(&mut self) -> usize {
        let place = &self.texts[self.texts_taken];
        self.texts_taken += 1;
        place.as_ptr() as usize
    }

    /// Words that frames begin with; they stay where they are as long as the code.
    pub(super) fn new_template(&mut self, words: Vec<u64>) -> usize {
        let words = words.into_boxed_slice();
        let at = words.as_ptr() as usize;
        self.templates.push(words);
        at
    }

    /// What builders must know of the machine.
    pub(super) fn config(&self) -> TargetFrontendConfig {
        self.module.target_config()
    }

    /// The way to an entry that leaves all registers as they are: who takes it rarely keeps values in registers.
    /// A result is left in [`Ctx::ANSWER`].
    pub(super) fn stub(&mut self, entry: Entry) -> FuncId {
        *self.stubs.entry(entry).or_insert_with(|| {
            let declared = self
                .module
                .declare_anonymous_function(&stub_signature(entry));
            declared.expect("a function without a name is like no other")
        })
    }

    fn define_stubs(&mut self) -> Result<(), CompileError> {
        let mut context = self.module.make_context();
        let mut builder = FunctionBuilderContext::new();
        for (entry, id) in self.stubs.clone() {
            context.func.signature = stub_signature(entry);
            let mut b = FunctionBuilder::new(&mut context.func, &mut builder);
            let block = b.create_block();
            b.append_block_params_for_function_params(block);
            b.switch_to_block(block);
            let target = self
                .module
                .declare_func_in_func(self.entries[&entry], b.func);
            let args = b.block_params(block).to_vec();
            let call = b.ins().call(target, &args);
            if let Some(answer) = b.inst_results(call).first().copied() {
                b.ins()
                    .store(trusted(), answer, args[0], Ctx::ANSWER as i32);
            }
            b.ins().return_(&[]);
            b.seal_all_blocks();
            b.finalize(self.config());
            self.module.define_function(id, &mut context)?;
            self.note(id, format!("scn {}", entry.name()), &context);
            self.module.clear_context(&mut context);
        }
        Ok(())
    }

    fn declare(&mut self) -> Result<(), CompileError> {
        for entry in Entry::ALL {
            let mut signature = Signature::new(self.conv());
            let params = entry.params().iter().map(|ty| AbiParam::new(*ty));
            signature.params.extend(params);
            signature.returns.extend(entry.result().map(AbiParam::new));
            let id = self
                .module
                .declare_function(entry.name(), Linkage::Import, &signature)?;
            self.entries.insert(*entry, id);
        }
        let functions = &self.linked.program.functions;
        for (function, shape) in functions.iter().zip(&self.shapes) {
            let signature = signature(function, *shape, self.conv());
            let id = self.module.declare_anonymous_function(&signature)?;
            self.functions.push(id);
        }
        Ok(())
    }

    fn define(
        &mut self,
        show: Option<Listing>,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<(), CompileError> {
        let linked = self.linked;
        let mut context = self.module.make_context();
        let mut builder = FunctionBuilderContext::new();
        for (at, function) in linked.program.functions.iter().enumerate() {
            if !is_wanted() {
                return Err(CompileError("nobody waits for it any more".to_owned()));
            }
            let id = self.functions[at];
            context.func.signature = signature(function, self.shapes[at], self.conv());
            context.want_disasm = show == Some(Listing::Asm);
            translate(self, at, &mut context.func, &mut builder);
            if show == Some(Listing::Clif) {
                let _ = writeln!(
                    self.listing,
                    "; {}\n{}",
                    function.name,
                    context.func.display()
                );
            }
            self.module
                .define_function_with_control_plane(id, &mut context, &mut ControlPlane::default())
                .map_err(|error| CompileError(format!("`{}`: {error:?}", function.name)))?;
            self.show_asm(&function.name, &context);
            self.note(id, symbol_name(linked, at), &context);
            self.stack.add(function, &context);
            self.module.clear_context(&mut context);
        }
        Ok(())
    }

    /// Keeps the size and name of a machine function that was just made.
    pub(super) fn note(&mut self, id: FuncId, name: String, context: &Context) {
        if let Some(code) = context.compiled_code() {
            self.made.push((id, code.code_buffer().len(), name));
        }
    }

    fn symbols(&self) -> Vec<Symbol> {
        let symbol = |(id, size, name): &(FuncId, usize, String)| Symbol {
            address: self.module.get_finalized_function(*id) as usize,
            size: *size,
            name: name.clone(),
        };
        self.made.iter().map(symbol).collect()
    }

    /// For each pure function, its thunk and its code.
    fn pure(&self) -> Vec<Option<(Thunk, usize)>> {
        let pure = |(thunk, id): (&Option<FuncId>, &FuncId)| {
            let thunk = self.module.get_finalized_function((*thunk)?);
            // SAFETY: thunks were declared with this very signature.
            let thunk = unsafe { std::mem::transmute::<*const u8, Thunk>(thunk) };
            Some((thunk, self.module.get_finalized_function(*id) as usize))
        };
        self.thunks.iter().zip(&self.functions).map(pure).collect()
    }

    fn show_asm(&mut self, name: &str, context: &Context) {
        let code = context.compiled_code();
        if let Some(asm) = code.and_then(|code| code.vcode.as_ref()) {
            let _ = writeln!(self.listing, "; {name}\n{asm}");
        }
    }

    /// The published code.
    pub(super) fn finish(self) -> Result<Native, CompileError> {
        let functions = self.linked.program.functions.iter().zip(&self.functions);
        let resume = |(function, id): (&scn_compiler::ir::Function, &FuncId)| {
            let code = self.module.get_finalized_function(*id);
            // SAFETY: the machine code of a waiting function was declared with this very signature.
            function
                .waits
                .then(|| unsafe { std::mem::transmute::<*const u8, NativeResume>(code) })
        };
        Ok(Native {
            resume: functions.map(resume).collect(),
            pure: self.pure(),
            symbols: self.symbols(),
            texts: self.texts,
            _templates: self.templates,
            module: Mutex::new(Some(self.module)),
        })
    }

    /// The listing.
    pub(super) fn text(self) -> Result<String, CompileError> {
        Ok(self.listing)
    }
}
