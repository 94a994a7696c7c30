//! Source files and library modules: parsing, `use`, and what is loaded when.
//!
//! A unit is one parsed file. Library modules become units when somebody needs them; [`Index`] knows which module
//! declares what without parsing any.

use super::Checker;
use crate::diagnostics::{names, syntax};
use crate::hir::{EnumId, ExternId, GlobalId, TypeId};
use crate::source::{Library, Source};
use scn_grammar::Span;
use scn_grammar::ast::{File, Ident, ItemKind, StrLit};
use std::collections::HashMap;
use std::rc::Rc;

/// A unit of [`Checker::units`].
pub(super) type UnitId = usize;

/// A parsed file or library module with its names.
pub(super) struct Unit {
    /// Its tree; shared so that it can be walked while the checker changes.
    pub file: Rc<File>,
    /// Name of the source.
    pub name: String,
    /// The module's name, if it belongs to the library.
    pub module: Option<String>,
    /// Values: functions, constants, globals.
    pub values: HashMap<String, Value>,
    /// Types.
    pub types: HashMap<String, TypeDef>,
    /// Imports by alias.
    pub imports: HashMap<String, Import>,
    /// Where each declared name stands.
    pub spans: HashMap<String, Span>,
}

/// What a `use` brought in.
pub(super) struct Import {
    /// `None` when the file could not be loaded, which was reported.
    pub unit: Option<UnitId>,
    pub span: Span,
    pub used: bool,
}

/// What a name in the namespace of values stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Index into `Checker::fns`.
    Fn(usize),
    /// Index into `Checker::consts`.
    Const(usize),
    /// A global.
    Global(GlobalId),
    /// An `extern fn` of the library: index of the item in its file.
    Native(usize),
}

/// What a name in the namespace of types stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypeDef {
    pub kind: TypeDefKind,
    pub used: bool,
    pub span: Span,
}

/// Kinds of declared types.
#[derive(Clone, Copy, Debug)]
pub(super) enum TypeDefKind {
    /// A `type` item that nobody looked at yet: index of the item.
    Alias(usize),
    /// A `type` item that is being resolved.
    Resolving,
    /// A resolved `type` item.
    Done(TypeId),
    /// An enum.
    Enum(EnumId),
    /// An extern type.
    Extern(ExternId),
}

/// Which library module declares what, found without parsing: a declaration starts its line.
#[derive(Default)]
pub(super) struct Index {
    /// Type name to module.
    pub types: HashMap<&'static str, usize>,
    /// Receiver of methods to modules.
    receivers: HashMap<&'static str, Vec<usize>>,
    /// Module to unit, once loaded.
    units: HashMap<usize, UnitId>,
}

impl Index {
    pub(super) fn new(library: &Library) -> Self {
        let mut index = Self::default();
        for (module, (_, text)) in library.modules.iter().enumerate() {
            for line in text.lines() {
                index.add_line(module, line);
            }
        }
        index
    }

    fn add_line(&mut self, module: usize, line: &'static str) {
        let line = skip_attributes(line);
        let declared = line.strip_prefix("extern ").unwrap_or(line);
        if let Some(rest) = declared
            .strip_prefix("type ")
            .or_else(|| declared.strip_prefix("enum "))
        {
            self.types.insert(word(rest), module);
        } else if let Some(rest) = declared.strip_prefix("fn ") {
            let name = word(rest);
            let behind = &rest[name.len()..];
            let behind = match behind.starts_with('<') {
                true => behind.split_once('>').map_or("", |(_, behind)| behind),
                false => behind,
            };
            if behind.starts_with('.') || behind.starts_with(">.") {
                let modules = self.receivers.entry(name).or_default();
                if modules.last() != Some(&module) {
                    modules.push(module);
                }
            }
        }
    }
}

fn skip_attributes(mut line: &'static str) -> &'static str {
    while line.starts_with('@') {
        line = line
            .split_once(' ')
            .map_or("", |(_, rest)| rest.trim_start());
    }
    line
}

fn word(text: &'static str) -> &'static str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

/// A file on its way through `use`.
enum Loading {
    Open,
    Done(UnitId),
}

impl Checker<'_> {
    /// Parses the entry and everything that it imports.
    pub(super) fn load_entry(&mut self, entry: Source) {
        let mut seen = HashMap::new();
        self.load_file(entry, &mut seen, &mut Vec::new());
    }

    fn load_file(
        &mut self,
        source: Source,
        seen: &mut HashMap<String, Loading>,
        chain: &mut Vec<String>,
    ) -> UnitId {
        let name = source.name.clone();
        seen.insert(name.clone(), Loading::Open);
        chain.push(name.clone());
        let unit = self.parse_unit(source, None);
        let file = Rc::clone(&self.units[unit].file);
        for item in &file.items {
            if let ItemKind::Use { path, alias } = &item.kind {
                self.import(unit, path, alias, seen, chain);
            }
        }
        chain.pop();
        seen.insert(name, Loading::Done(unit));
        self.order.push(unit);
        unit
    }

    fn import(
        &mut self,
        unit: UnitId,
        path: &StrLit,
        alias: &Ident,
        seen: &mut HashMap<String, Loading>,
        chain: &mut Vec<String>,
    ) {
        if path.text.is_empty() && path.span.is_empty() {
            return;
        }
        let found = self.imported(unit, path, seen, chain);
        let import = Import {
            unit: found,
            span: alias.span,
            used: found.is_none(),
        };
        if let Some(first) = self.units[unit].imports.get(&alias.text) {
            let first = first.span;
            return self.report(names::declared_twice(&alias.text, alias.span, first));
        }
        self.units[unit].imports.insert(alias.text.clone(), import);
    }

    /// The unit of an imported file.
    fn imported(
        &mut self,
        unit: UnitId,
        path: &StrLit,
        seen: &mut HashMap<String, Loading>,
        chain: &mut Vec<String>,
    ) -> Option<UnitId> {
        let source = match self.loader.load(&self.units[unit].name, &path.text) {
            Ok(source) => source,
            Err(why) => {
                self.report(names::cannot_load(&path.text, &why, path.span));
                return None;
            }
        };
        match seen.get(&source.name) {
            Some(Loading::Open) => {
                let from = chain.iter().position(|name| *name == source.name);
                let mut circle = chain[from.unwrap_or(0)..].to_vec();
                circle.push(source.name);
                self.report(names::import_cycle(&circle, path.span));
                None
            }
            Some(Loading::Done(found)) => Some(*found),
            None => Some(self.load_file(source, seen, chain)),
        }
    }

    /// Parses a text into a unit without names.
    fn parse_unit(&mut self, source: Source, module: Option<String>) -> UnitId {
        let name = source.name.clone();
        let id = self.sources.add(source);
        let parsed = scn_grammar::parse(id, &self.sources.source(id).text);
        for error in &parsed.errors {
            self.diagnostics.push(syntax::syntax(error));
        }
        self.units.push(Unit {
            file: Rc::new(parsed.file),
            name,
            module,
            values: HashMap::new(),
            types: HashMap::new(),
            imports: HashMap::new(),
            spans: HashMap::new(),
        });
        self.units.len() - 1
    }

    /// The unit of a library module, loaded now if it was not yet.
    pub(super) fn module(&mut self, name: &str) -> Option<UnitId> {
        let at = self
            .library
            .modules
            .iter()
            .position(|(module, _)| *module == name)?;
        Some(self.module_at(at))
    }

    fn module_at(&mut self, at: usize) -> UnitId {
        if let Some(unit) = self.index.units.get(&at) {
            return *unit;
        }
        let (name, text) = self.library.modules[at];
        let source = Source {
            name: format!("library/{name}.scn"),
            text: text.to_owned(),
        };
        let unit = self.parse_unit(source, Some(name.to_owned()));
        self.index.units.insert(at, unit);
        self.declare_unit(unit);
        unit
    }

    /// Loads the library module that declares this type.
    pub(super) fn module_of_type(&mut self, name: &str) -> Option<UnitId> {
        let at = *self.index.types.get(name)?;
        Some(self.module_at(at))
    }

    /// Loads every module that declares methods of this receiver.
    pub(super) fn load_methods(&mut self, receiver: &str) {
        for at in self
            .index
            .receivers
            .get(receiver)
            .cloned()
            .unwrap_or_default()
        {
            self.module_at(at);
        }
    }

    /// Whether the library has a module of this name.
    pub(super) fn is_module(&self, name: &str) -> bool {
        self.library
            .modules
            .iter()
            .any(|(module, _)| *module == name)
    }

    /// Declares every function of every module.
    pub(super) fn load_whole_library(&mut self) {
        for at in 0..self.library.modules.len() {
            let unit = self.module_at(at);
            let file = Rc::clone(&self.units[unit].file);
            for (item, declared) in file.items.iter().enumerate() {
                if matches!(&declared.kind, ItemKind::Fn(f) if f.is_extern) {
                    self.native(unit, item);
                }
            }
        }
    }
}
