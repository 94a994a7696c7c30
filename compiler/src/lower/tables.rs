//! What all functions of a program share while they are lowered: descriptors, constants, host functions, sites.

use crate::hir::{self, Hir};
use crate::ir::{
    ConstId, ConstObject, Desc, DescId, FuncId, Function, NativeId, NativeRef, Program, Site,
    SiteId, SiteKind,
};
use crate::source::Sources;
use scn_grammar::Span;
use smallvec::SmallVec;
use std::collections::HashMap;

/// The program under construction and the indices into it.
pub(crate) struct Tables<'h> {
    pub hir: &'h Hir,
    pub sources: &'h Sources,
    pub program: Program,
    pub desc_ids: HashMap<Desc, DescId>,
    const_ids: HashMap<ConstObject, ConstId>,
    native_ids: HashMap<NativeRef, NativeId>,
    /// Functions that run as strands: they own their parameters and have frames.
    pub strands: Vec<FuncId>,
    /// Whether arithmetic wraps and loops have no poll points: bodies of the library in components.
    pub is_unchecked: bool,
}

impl<'h> Tables<'h> {
    /// Empty tables, with one place kept for each function of the HIR so that ids agree.
    pub fn new(sources: &'h Sources, hir: &'h Hir) -> Self {
        let mut tables = Tables {
            hir,
            sources,
            program: Program::default(),
            desc_ids: HashMap::new(),
            const_ids: HashMap::new(),
            native_ids: HashMap::new(),
            strands: Vec::new(),
            is_unchecked: false,
        };
        for desc in crate::ir::desc::fixed() {
            tables.intern_desc(desc);
        }
        for function in &hir.functions {
            tables.reserve(function.name.clone(), function.span);
        }
        tables
    }

    /// The IR function of a HIR function.
    pub fn func(&self, id: hir::FuncId) -> FuncId {
        FuncId(id.0)
    }

    /// Makes room for a function whose body comes later.
    pub fn reserve(&mut self, name: String, span: Span) -> FuncId {
        self.program.functions.push(Function {
            name,
            params: Vec::new(),
            results: SmallVec::new(),
            regs: Vec::new(),
            blocks: Vec::new(),
            waits: false,
            recursive: false,
            frame: None,
            inlined: Vec::new(),
            span,
        });
        FuncId(self.program.functions.len() as u32 - 1)
    }

    /// The index of a constant object.
    pub fn constant(&mut self, object: ConstObject) -> ConstId {
        if let Some(id) = self.const_ids.get(&object) {
            return *id;
        }
        let id = ConstId(self.program.consts.len() as u32);
        self.program.consts.push(object.clone());
        self.const_ids.insert(object, id);
        id
    }

    /// The index of a constant string.
    pub fn string(&mut self, text: &str) -> ConstId {
        self.constant(ConstObject::String(text.to_owned()))
    }

    /// The index of a host function.
    pub fn native(&mut self, native: NativeRef) -> NativeId {
        if let Some(id) = self.native_ids.get(&native) {
            return *id;
        }
        let id = NativeId(self.program.natives.len() as u32);
        self.program.natives.push(native.clone());
        self.native_ids.insert(native, id);
        id
    }

    /// A new reporting site.
    pub fn site(&mut self, kind: SiteKind, label: String, span: Span) -> SiteId {
        self.program.sites.push(Site { kind, label, span });
        SiteId(self.program.sites.len() as u32 - 1)
    }
}
