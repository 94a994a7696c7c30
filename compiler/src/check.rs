//! The checker: syntax trees to HIR, with diagnostics.
//!
//! Enter at [`check`]. In order: [`units`] parses the entry file and what it imports; [`declare`] gives every item its
//! place in tables; [`items`] checks bodies, initialisers, servers and scenarios and builds the HIR; [`unused`] looks
//! at what nobody used. Library modules are parsed when a program first names them, and a library declaration
//! enters the HIR when it is first called. An error yields the type `Unknown`, which fits everything, so that one
//! mistake is reported once.

mod args;
mod block;
mod call;
mod cast;
mod compare;
mod constants;
mod control;
mod convert;
mod declare;
mod exhaustive;
mod expr;
mod fold;
mod function;
mod items;
mod kinds;
mod literal;
mod load;
mod member;
mod method;
pub(crate) mod metrics;
mod names;
mod native;
mod needs;
mod operator;
mod parallel;
mod pattern;
mod place;
mod pool;
mod scenario;
mod scope;
mod server;
mod stmt;
mod tags;
mod threshold;
mod typename;
mod types;
mod units;
mod unused;
mod waits;

#[cfg(test)]
mod tests;

pub use needs::lint_descriptors;

use crate::diagnostics::{Diagnostic, Severity};
use crate::hir::{FuncId, Function, Hir, NativeId, TypeId};
use crate::source::{Library, Loader, Source, Sources};
use declare::{ConstDef, FnDef};
use scn_grammar::{SourceId, Span};
use scope::{Cells, FnCtx};
use std::collections::{HashMap, HashSet};
use types::Basic;
use units::{Index, Unit, UnitId};

/// The outcome of checking.
#[derive(Debug)]
pub struct Checked {
    /// Every text that spans may point into: the entry first, then imports and library modules.
    pub sources: Sources,
    /// The program; `None` when there are errors.
    pub hir: Option<Hir>,
    /// What was found, in the order of the sources.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether there is an error among the diagnostics.
    pub fn has_errors(&self) -> bool {
        self.hir.is_none()
    }
}

/// Checks a program: the entry file, what it imports through `loader`, and what it uses of the library.
pub fn check(entry: Source, loader: &dyn Loader, library: &Library) -> Checked {
    let mut checker = Checker::new(loader, library);
    checker.load_entry(entry);
    checker.declare_units();
    checker.check_items();
    checker.lint_unused();
    if !checker.found_errors() {
        checker.lint_needs();
    }
    checker.finish()
}

/// Checks and gives all declarations of the library, also those that no program uses.
pub fn check_library(library: &Library) -> Checked {
    struct NoFiles;
    impl Loader for NoFiles {
        fn load(&self, _: &str, path: &str) -> Result<Source, String> {
            Err(format!("the library imports no files, not even {path}"))
        }
    }
    let mut checker = Checker::new(&NoFiles, library);
    checker.load_whole_library();
    checker.check_library_bodies();
    checker.finish()
}

/// Where lines start, by source: many findings in a large file are placed without reading it again for each.
#[derive(Default)]
struct LineStarts {
    known: HashMap<SourceId, Vec<u32>>,
}

impl LineStarts {
    /// The line that a span starts in.
    fn line(&mut self, sources: &Sources, span: Span) -> (SourceId, usize) {
        let starts = self.known.entry(span.source).or_insert_with(|| {
            let text = &sources.source(span.source).text;
            text.match_indices('\n')
                .map(|(at, _)| at as u32 + 1)
                .collect()
        });
        (
            span.source,
            starts.partition_point(|start| *start <= span.start),
        )
    }
}

/// All state of one check.
struct Checker<'a> {
    loader: &'a dyn Loader,
    library: &'a Library,
    index: Index,
    sources: Sources,
    hir: Hir,
    basic: Basic,
    diagnostics: Vec<Diagnostic>,
    units: Vec<Unit>,
    /// Units in initialisation order: imports before importers.
    order: Vec<UnitId>,
    /// Functions by id; `None` until checked.
    functions: Vec<Option<Function>>,
    fns: Vec<FnDef>,
    consts: Vec<ConstDef>,
    /// Rules of natives that calls need, by id.
    native_rules: Vec<native::NativeRules>,
    /// Which library item became which native.
    natives: HashMap<(UnitId, usize), NativeId>,
    /// Native by receiver and name, filled as modules are loaded.
    methods: HashMap<(String, String), Vec<(UnitId, usize)>>,
    /// Library bodies that wait to be checked.
    bodies: Vec<native::Body>,
    /// Names of types that are not seen in their structure.
    type_names: HashMap<TypeId, String>,
    /// Globals that some code mentions.
    used_globals: Vec<bool>,
    /// How many expressions are open around the current one.
    depth: usize,
    /// The function being checked.
    f: FnCtx,
    /// Variables of the scenario or server being checked.
    cells: Cells,
    /// Which functions call which, for initialisers that must not wait.
    waits: waits::Waits,
}

impl<'a> Checker<'a> {
    fn new(loader: &'a dyn Loader, library: &'a Library) -> Self {
        let mut hir = Hir::default();
        let basic = Basic::new(&mut hir.types);
        Self {
            loader,
            library,
            index: Index::new(library),
            sources: Sources::default(),
            hir,
            basic,
            diagnostics: Vec::new(),
            units: Vec::new(),
            order: Vec::new(),
            functions: Vec::new(),
            fns: Vec::new(),
            consts: Vec::new(),
            native_rules: Vec::new(),
            natives: HashMap::new(),
            methods: HashMap::new(),
            bodies: Vec::new(),
            type_names: HashMap::new(),
            used_globals: Vec::new(),
            depth: 0,
            f: FnCtx::default(),
            cells: Cells::default(),
            waits: waits::Waits::default(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A new function id; its body is filled in later.
    fn new_function(&mut self) -> FuncId {
        self.functions.push(None);
        FuncId(self.functions.len() as u32 - 1)
    }

    fn text(&self, span: Span) -> &str {
        self.sources.text(span)
    }

    /// Drops what would only repeat: what a syntax error on the same line caused, and names that seem unused because
    /// the code that uses them is wrong.
    fn drop_consequences(&mut self) {
        let is_syntax = |d: &Diagnostic| d.code < crate::diagnostics::Code::E0101;
        let mut lines = LineStarts::default();
        let broken: HashSet<_> = self
            .diagnostics
            .iter()
            .filter(|d| is_syntax(d))
            .map(|d| lines.line(&self.sources, d.span()))
            .collect();
        let errors = self
            .diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error);
        let sources = &self.sources;
        self.diagnostics.retain(|d| {
            let unused = d.code.as_str().starts_with("W01");
            let mut repeats =
                || !broken.is_empty() && broken.contains(&lines.line(sources, d.span()));
            is_syntax(d) || !(errors && unused || repeats())
        });
    }

    fn found_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error)
    }

    fn finish(mut self) -> Checked {
        self.drop_consequences();
        self.diagnostics
            .sort_by_key(|d| (d.span().source, d.span().start, d.span().end, d.code));
        self.diagnostics.dedup();
        let failed = self.found_errors();
        let functions: Option<Vec<Function>> = self.functions.into_iter().collect();
        debug_assert!(
            failed || functions.is_some(),
            "a function was declared but never checked"
        );
        let hir = functions.filter(|_| !failed).map(|functions| {
            self.hir.functions = functions;
            self.hir
        });
        Checked {
            sources: self.sources,
            hir,
            diagnostics: self.diagnostics,
        }
    }
}
