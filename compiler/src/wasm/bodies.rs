//! The bodies of the library: scn code that natives are made of in a component, compiled once. Enter at [`Bodies::compile`].

use super::data::Addressed;
use crate::diagnostics::Diagnostic;
use crate::ir::{FuncId, Function, Op, Program, Reg};
use crate::source::Library;
use std::collections::HashMap;

/// All bodies as one program, and where to find each.
#[derive(Debug)]
pub struct Bodies {
    /// Their code.
    pub(super) program: Program,
    /// The words that they name by addresses.
    pub(super) addressed: Addressed,
    /// By name of the function.
    plain: HashMap<String, FuncId>,
    /// By name of module and function: `heap.alloc`.
    qualified: HashMap<String, FuncId>,
}

impl Bodies {
    /// Compiles the bodies of a library: the declarations and, behind them, the modules that hold bodies.
    pub fn compile(library: &Library) -> Result<Bodies, Vec<Diagnostic>> {
        let checked = crate::check::check_library(library);
        let Some(hir) = &checked.hir else {
            return Err(checked.diagnostics);
        };
        let program = crate::lower::lower_bodies(&checked.sources, hir);
        let mut plain = HashMap::new();
        let mut qualified = HashMap::new();
        for (at, function) in program.functions.iter().enumerate() {
            let id = FuncId(at as u32);
            let source = &program.sources[function.span.source.0 as usize].0;
            let module = source
                .trim_start_matches("library/")
                .trim_end_matches(".scn");
            plain.insert(function.name.clone(), id);
            qualified.insert(format!("{module}.{}", function.name), id);
        }
        Ok(Bodies {
            addressed: addressed(&program),
            program,
            plain,
            qualified,
        })
    }

    /// Whether a component can call a native: it has a body, or is an instruction.
    pub fn has(&self, native: &str) -> bool {
        self.of_native(native).is_some() || crate::passes::is_operation(native)
    }

    /// The function behind a native's name.
    pub(super) fn of_native(&self, name: &str) -> Option<FuncId> {
        let word = match name.contains('.') {
            true => name.replace('.', "_"),
            false => format!("prelude_{name}"),
        };
        self.plain.get(&word).copied()
    }

    /// A function by module and name, `heap.alloc`, which the back end itself calls.
    pub(super) fn named(&self, name: &str) -> Option<FuncId> {
        self.qualified.get(name).copied()
    }
}

/// The words that some function names by addresses.
fn addressed(program: &Program) -> Addressed {
    let mut addressed = Addressed::default();
    for function in &program.functions {
        for inst in function.blocks.iter().flat_map(|block| &block.insts) {
            if let Op::Host(native, args) = &inst.op
                && program.natives[native.index()].name == "mem.words"
            {
                let [first, count] = [args[0], args[1]].map(|arg| constant(function, arg));
                addressed.add(first, count);
            }
        }
    }
    addressed
}

/// An argument that is written as a constant.
fn constant(function: &Function, wanted: Reg) -> i64 {
    let mut insts = function.blocks.iter().flat_map(|block| &block.insts);
    let made = insts.find(|inst| inst.results.contains(&wanted));
    match made.map(|inst| &inst.op) {
        Some(Op::Int(value)) => *value,
        other => unreachable!("mem.words takes constants, not {other:?}"),
    }
}
