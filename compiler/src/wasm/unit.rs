//! The module under construction: which functions are part of it, in which order, and what they share.
//!
//! A function gets its number when code first names it, and its code when its turn comes: so what nobody reaches is
//! not there. Calls of functions of the module's own are written by number and moved behind the imports at the end.

use super::bodies::Bodies;
use super::data::{Data, Side};
use super::exports::{Door, Library};
use super::imports::{Form, Import, Imports, SHIM_PARAMS};
use crate::ir::{FuncId, Function, NativeRef, Op, Program, Terminator, TryOp, Ty};
use crate::source::Sources;
use scn_grammar::Span;
use std::collections::HashMap;
use wasm_encoder::{Instruction, ValType};

/// Marks the number of an import in a call.
pub(super) const IMPORTED: u32 = 1 << 31;

/// A function of the module.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Key {
    /// A function of a program; one that waits is its `resume`.
    Function(Side, FuncId),
    /// Calls an import whose parameters lie in memory.
    Shim(String),
    /// What the host runs.
    Run,
    /// Makes room for what the host hands over.
    Realloc,
    /// An exported function, by its number.
    Door(usize),
    /// What the host calls when it has read what an exported function handed back.
    Ended,
}

/// Code of a function.
pub(super) struct Code {
    /// Parameters.
    pub params: Vec<ValType>,
    /// Results.
    pub results: Vec<ValType>,
    /// Types of further locals.
    pub locals: Vec<ValType>,
    /// Instructions without the last `end`.
    pub body: Vec<Instruction<'static>>,
}

/// What callers must know of a function.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Shape {
    /// Whether it may fail: then its last result is a status.
    pub fails: bool,
    /// Whether it takes the depth of calls as its first argument.
    pub counts_depth: bool,
}

/// The module under construction.
pub(super) struct Unit<'p> {
    pub user: &'p Program,
    pub bodies: &'p Bodies,
    pub data: Data,
    user_shapes: Vec<Shape>,
    body_shapes: Vec<Shape>,
    numbers: HashMap<Key, u32>,
    /// Bodies in whose place others are part of the module.
    replaced: HashMap<FuncId, FuncId>,
    /// The functions in order.
    pub keys: Vec<Key>,
    /// Names of the imports that are used, in order.
    pub imported: Vec<String>,
    /// Functions in the table, from index 1 on.
    pub table: Vec<u32>,
    table_keys: Vec<Key>,
    table_index: HashMap<Key, u32>,
    places: HashMap<(Span, u32), u32>,
    place_rows: Vec<u32>,
    /// What the back end lacks: names of functions that bodies should have.
    pub missing: Vec<String>,
    /// The address of the values of globals.
    pub globals: u32,
    /// Words that are globals of the module, in the order in which code first names them.
    pub words: Vec<u32>,
    sources: Sources,
    /// The interface that is exported, if there is one.
    pub library: Option<&'p Library>,
    /// Whether it leads users in any case.
    pub leads: bool,
    /// Its functions.
    pub doors: Vec<Door>,
}

impl<'p> Unit<'p> {
    pub(super) fn new(user: &'p Program, bodies: &'p Bodies) -> Unit<'p> {
        let mut data = Data::new(bodies.addressed.clone());
        let globals = data.add(&vec![0; 8 * user.globals.len()]);
        let mut sources = Sources::default();
        for (name, text) in &user.sources {
            sources.add(crate::source::Source {
                name: name.clone(),
                text: text.clone(),
            });
        }
        Unit {
            user,
            bodies,
            data,
            user_shapes: shapes(user),
            body_shapes: shapes(&bodies.program),
            numbers: HashMap::new(),
            replaced: HashMap::new(),
            keys: Vec::new(),
            imported: Vec::new(),
            table: Vec::new(),
            table_keys: Vec::new(),
            table_index: HashMap::new(),
            places: HashMap::new(),
            place_rows: vec![0; 6],
            missing: Vec::new(),
            globals,
            words: Vec::new(),
            sources,
            library: None,
            leads: false,
            doors: Vec::new(),
        }
    }

    /// Whether the component can be run: a library only if it has scenarios.
    pub(super) fn is_run(&self) -> bool {
        self.library.is_none_or(Library::has_run)
    }

    pub(super) fn program(&self, side: Side) -> &'p Program {
        match side {
            Side::User => self.user,
            Side::Body => &self.bodies.program,
        }
    }

    pub(super) fn function(&self, side: Side, id: FuncId) -> &'p Function {
        &self.program(side).functions[id.index()]
    }

    pub(super) fn shape(&self, side: Side, id: FuncId) -> Shape {
        match side {
            Side::User => self.user_shapes[id.index()],
            Side::Body => self.body_shapes[id.index()],
        }
    }

    /// Puts one body in the place of another, before anything names that.
    pub(super) fn replace_body(&mut self, name: &str, other: &str) {
        let (Some(name), Some(other)) = (self.body(name), self.body(other)) else {
            return;
        };
        let waits = |id| self.function(Side::Body, id).waits;
        let fails = |id| self.shape(Side::Body, id).fails;
        assert!(
            waits(name) == waits(other) && fails(name) == fails(other),
            "callers must not see the difference"
        );
        self.replaced.insert(name, other);
    }

    /// What is called where a function is named.
    fn called(&self, key: Key) -> Key {
        match key {
            Key::Function(Side::Body, id) => {
                let id = self.replaced.get(&id).copied().unwrap_or(id);
                Key::Function(Side::Body, id)
            }
            other => other,
        }
    }

    /// The number of a function, which is part of the module from now on.
    pub(super) fn number(&mut self, key: Key) -> u32 {
        let key = self.called(key);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.keys.len() as u32;
        self.numbers.insert(key.clone(), number);
        self.keys.push(key);
        number
    }

    /// How many values a call with this number takes and leaves.
    pub(super) fn arity(&self, number: u32) -> (usize, usize) {
        if number & IMPORTED != 0 {
            let name = &self.imported[(number & !IMPORTED) as usize];
            let import = Imports::find(name).expect("only imports are noted as used");
            return (import.params.len(), import.results.len());
        }
        match &self.keys[number as usize] {
            Key::Function(side, id) => {
                let function = self.function(*side, *id);
                let shape = self.shape(*side, *id);
                let params = function.params.len() + usize::from(shape.counts_depth);
                match function.waits {
                    true => (1, 1),
                    false => (params, super::emit::results(function, shape).len()),
                }
            }
            Key::Shim(_) => (SHIM_PARAMS.len(), 0),
            Key::Run => (0, 1),
            Key::Realloc => (4, 1),
            // Only the host calls these.
            Key::Door(_) | Key::Ended => (0, 0),
        }
    }

    /// The number of a body that the back end needs; noted as missing if there is none.
    pub(super) fn body(&mut self, name: &str) -> Option<FuncId> {
        let found = self.bodies.named(name);
        if found.is_none() && !self.missing.iter().any(|missing| missing == name) {
            self.missing.push(name.to_owned());
        }
        found
    }

    /// Whether a body is part of the module by now.
    pub(super) fn has_body(&self, name: &str) -> bool {
        let key = |id| Key::Function(Side::Body, id);
        let found = self.bodies.named(name);
        found.is_some_and(|id| self.numbers.contains_key(&key(id)))
    }

    /// The module's global that is a word.
    pub(super) fn global_of_word(&mut self, word: u32) -> u32 {
        let position = self.words.iter().position(|known| *known == word);
        let at = position.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        });
        super::emit::global::WORDS + at as u32
    }

    /// The number of an import, marked as one.
    pub(super) fn import(&mut self, import: &Import) -> u32 {
        let position = self.imported.iter().position(|name| *name == import.name);
        let at = position.unwrap_or_else(|| {
            self.imported.push(import.name.clone());
            self.imported.len() - 1
        });
        at as u32 | IMPORTED
    }

    /// What to call for an import: itself, or the shim that reads its parameters from memory.
    pub(super) fn import_or_shim(&mut self, import: &Import) -> u32 {
        match import.form {
            Form::Flat => self.import(import),
            Form::Memory => self.number(Key::Shim(import.name.clone())),
        }
    }

    /// The index of a function in the module's table.
    pub(super) fn table_index(&mut self, side: Side, id: FuncId) -> u32 {
        let key = self.called(Key::Function(side, id));
        if let Some(index) = self.table_index.get(&key) {
            return *index;
        }
        let number = self.number(key.clone());
        self.table.push(number);
        self.table_keys.push(key.clone());
        let index = self.table.len() as u32;
        self.table_index.insert(key, index);
        index
    }

    /// The body of a native.
    pub(super) fn native_body(&self, native: &NativeRef) -> Option<FuncId> {
        self.bodies.of_native(&native.name)
    }

    /// The number of a place in the table of places; bodies have none.
    pub(super) fn place(&mut self, side: Side, id: FuncId, span: Span) -> u32 {
        if side == Side::Body {
            return 0;
        }
        let origin = self.user.functions[id.index()].origin(span).unwrap_or(id);
        if let Some(place) = self.places.get(&(span, origin.0)) {
            return *place;
        }
        let (line, column) = self.sources.line_column(span);
        let function = self.user.functions[origin.index()].name.clone();
        let function = self.data.string(&function);
        let file = self.user.sources[span.source.0 as usize].0.clone();
        let file = self.data.string(&file);
        let row = [
            function,
            file,
            line as u32,
            column as u32,
            span.start,
            span.end,
        ];
        self.place_rows.extend_from_slice(&row);
        let place = (self.place_rows.len() / 6 - 1) as u32;
        self.places.insert((span, origin.0), place);
        place
    }

    /// Writes the tables that are complete only when all code is there.
    pub(super) fn write_tables(&mut self) {
        let (user, bodies) = (self.user, self.bodies);
        let functions = super::sites::functions(user);
        let sites: Vec<u32> = user
            .sites
            .iter()
            .zip(functions)
            .flat_map(|(site, function)| {
                let place = self.place(Side::User, function, site.span);
                let label = self.data.string(&site.label);
                [site.kind as u32, label, place]
            })
            .collect();
        let at = self.data.add_u32s(&sites);
        self.data.set_word(3, at.into());
        let at = self.data.add_u32s(&self.place_rows);
        self.data.set_word(4, at.into());
        self.data.write_types(&bodies.program, user);
        let rows = self.function_rows();
        let at = self.data.add_u32s(&rows);
        self.data.set_word(5, at.into());
    }

    fn function_rows(&self) -> Vec<u32> {
        // Row 0 is the frame of what was done at once: two results.
        let mut rows = vec![32, 0, 0];
        for key in &self.table_keys {
            let Key::Function(side, id) = key else {
                unreachable!("only functions of programs are in the table")
            };
            let function = self.function(*side, *id);
            let mut mask = 0;
            for (at, param) in function.params.iter().enumerate().take(32) {
                mask |= u32::from(function.regs[param.reg.index()] == Ty::Ptr) << at;
            }
            let results = function.results.iter().enumerate();
            let owned = results.fold(0, |mask, (at, ty)| mask | u32::from(*ty == Ty::Ptr) << at);
            let results = function.results.len() as u32;
            let counts = function.params.len() as u32 | owned << 16 | results << 24;
            rows.extend([frame_size(function), counts, mask]);
        }
        rows
    }
}

/// The bytes of a function's frame.
pub(super) fn frame_size(function: &Function) -> u32 {
    16 + 8 * function.frame.as_ref().map_or(0, |frame| frame.slots)
}

fn shapes(program: &Program) -> Vec<Shape> {
    let fails = |function: &Function| {
        let mut ends = function.blocks.iter().map(|block| &block.term);
        ends.any(|term| matches!(term, Terminator::Fail))
    };
    let mut shapes: Vec<Shape> = program
        .functions
        .iter()
        .map(|function| Shape {
            fails: fails(function),
            counts_depth: function.recursive && !function.waits,
        })
        .collect();
    let callees: Vec<Vec<FuncId>> = program.functions.iter().map(pure_callees).collect();
    loop {
        let mut changed = false;
        for at in 0..shapes.len() {
            let mut deep = callees[at].iter().map(|to| shapes[to.index()].counts_depth);
            let waits = program.functions[at].waits;
            if !shapes[at].counts_depth && !waits && deep.any(|counts| counts) {
                shapes[at].counts_depth = true;
                changed = true;
            }
        }
        if !changed {
            return shapes;
        }
    }
}

fn pure_callees(function: &Function) -> Vec<FuncId> {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let plain = insts.filter_map(|inst| match &inst.op {
        Op::Call(callee, _) => Some(*callee),
        _ => None,
    });
    let fallible = function
        .blocks
        .iter()
        .filter_map(|block| match &block.term {
            Terminator::Try {
                op: TryOp::Call(callee, _),
                ..
            } => Some(*callee),
            _ => None,
        });
    plain.chain(fallible).collect()
}

/// The wasm type of a register.
pub(super) fn val_type(ty: Ty) -> ValType {
    match ty {
        Ty::Int | Ty::Ptr => ValType::I64,
        Ty::Float => ValType::F64,
    }
}
