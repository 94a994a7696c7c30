//! What rendering needs to know about the program that runs: its texts, the names of its functions, its sites.

use scn_compiler::Span;
use scn_compiler::ir;
use scn_compiler::source::Sources;
#[cfg(feature = "component-host")]
use scn_compiler::wasm::sources::SourceMap;
use scn_runtime::fault::Place;

/// The program as reports see it.
#[derive(Debug)]
pub(crate) struct ProgramText {
    /// The sources.
    pub(crate) sources: Sources,
    functions: Vec<String>,
    sites: Vec<ir::Site>,
}

impl ProgramText {
    /// Keeps what reports need of a program.
    pub(crate) fn new(sources: Sources, program: &ir::Program) -> Self {
        let functions = program
            .functions
            .iter()
            .map(|function| function.name.clone())
            .collect();
        Self {
            sources,
            functions,
            sites: program.sites.clone(),
        }
    }

    /// What the source map of a component keeps.
    #[cfg(feature = "component-host")]
    pub(crate) fn of_map(map: SourceMap) -> Self {
        Self {
            sources: map.sources,
            functions: map.functions,
            sites: map.sites,
        }
    }

    /// The first site that is so.
    #[cfg(feature = "component-host")]
    pub(crate) fn find_site(&self, is_it: impl Fn(&ir::Site) -> bool) -> Option<u32> {
        let found = self.sites.iter().position(is_it);
        found.map(|at| at as u32)
    }

    /// Whether there is a site of this number and kind.
    #[cfg(feature = "component-host")]
    pub(crate) fn has_site(&self, site: u32, kind: ir::SiteKind) -> bool {
        let known = self.sites.get(site as usize);
        known.is_some_and(|known| known.kind == kind)
    }

    /// The first function of this name.
    #[cfg(feature = "component-host")]
    pub(crate) fn find_function(&self, name: &str) -> Option<u32> {
        let found = self.functions.iter().position(|known| known == name);
        found.map(|at| at as u32)
    }

    /// A site's kind, label template and place.
    pub(crate) fn site(&self, site: u32) -> &ir::Site {
        &self.sites[site as usize]
    }

    /// The name of the function that a place lies in.
    pub(crate) fn function(&self, place: Place) -> Option<&str> {
        self.functions
            .get(place.function as usize)
            .map(String::as_str)
    }

    /// `file:line:column`; nothing for places of host code.
    pub(crate) fn position(&self, place: Place) -> Option<String> {
        self.is_known(place).then(|| self.span_position(place.span))
    }

    /// Whether a place has a text to point at.
    pub(crate) fn is_known(&self, place: Place) -> bool {
        place.function != Place::NO_FUNCTION
            && (place.span.source.0 as usize) < self.sources.all.len()
    }

    fn span_position(&self, span: Span) -> String {
        let (line, column) = self.sources.line_column(span);
        format!("{}:{line}:{column}", self.sources.source(span.source).name)
    }
}
