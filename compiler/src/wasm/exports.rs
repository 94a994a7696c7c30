//! Libraries: `export fn` items as an interface that others call.
//!
//! [`Library::of`] describes the interface in WIT (`describe`) and has it read again, so that every size and offset is
//! wit-parser's. Per function the module then has a row of data that tells how its values are laid out (`rows`), and a few
//! instructions that bring the arguments from the stack into memory (`flat`). The rest is scn: `stdlib/component/exports.scn`.

mod describe;
mod flat;
mod names;
mod rows;

use super::unit::{Code, Key, Unit};
use super::wit::World;
use super::{Unbuilt, wit};
use crate::ir::Program;
use wit_parser::{
    Function, LiftLowerAbi, ManglingAndAbi, WasmExport, WasmExportKind, WorldItem, WorldKey,
};

pub use names::InterfaceName;

/// How a library is called, and what its errors are outside.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The interface that it exports.
    pub interface: InterfaceName,
    /// What an error becomes.
    pub errors: Errors,
}

/// What a function that fails hands back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errors {
    /// A record of its kind and its message.
    Record,
    /// Its message.
    Text,
    /// The case of this enum that is called as its kind, or `other`.
    Enum(String),
}

/// The interface that a program exports.
pub struct Library {
    /// Its text in WIT, complete in itself.
    pub text: String,
    /// The world of the component.
    world: World,
    errors: describe::ErrorForm,
}

/// An exported function of the module.
pub(super) struct Door {
    /// Its name in the module.
    pub export: String,
    /// That of what is called when its result has been read, if that is needed.
    pub post_return: Option<String>,
    /// Its type.
    function: Function,
    /// The address of its row.
    row: u32,
    /// Bytes of its arguments in memory.
    arguments: u32,
}

impl Library {
    /// The interface of a program's exports; or what cannot be exported, or what the naming does not fit.
    pub fn of(program: &Program, naming: &Naming) -> Result<Library, Unbuilt> {
        let description = describe::describe(program, naming)?;
        // All else in the text is ours.
        let misnamed =
            |error| Unbuilt::Misnamed(format!("the interface cannot be called so: {error}"));
        let has_run = !program.scenarios.is_empty();
        let text = description.package("");
        let imports = description.package(&surroundings(has_run));
        let name = naming.interface.world();
        Ok(Library {
            text: wit::printed(&text).map_err(misnamed)?,
            world: World::with_package(&imports, name).map_err(misnamed)?,
            errors: description.errors,
        })
    }

    /// The world of the component.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Whether the component can be run as well.
    pub(super) fn has_run(&self) -> bool {
        let world = &self.world.resolve.worlds[self.world.id];
        world.exports.len() > 1
    }

    /// The exported functions, in the order of the program.
    fn functions(&self) -> impl Iterator<Item = (&WorldKey, &Function)> {
        let resolve = &self.world.resolve;
        let exports = resolve.worlds[self.world.id].exports.iter();
        let own = exports.filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } if resolve.name_world_key(key) != RUN => {
                Some((key, &resolve.interfaces[*id]))
            }
            _ => None,
        });
        own.flat_map(|(key, interface)| interface.functions.values().map(move |one| (key, one)))
    }
}

/// What is exported beside the interface where there is something to run.
const RUN: &str = "wasi:cli/run@0.2.0";

/// The other lines of a library's world: what it may import, and that it can be run.
fn surroundings(has_run: bool) -> String {
    let scenario = World::scenario();
    let imports = scenario.imported().map(|(key, _)| {
        let name = scenario.resolve.name_world_key(key);
        format!("  import {name};\n")
    });
    let run = has_run.then(|| format!("  export {RUN};\n"));
    imports.chain(run).collect()
}

const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// Writes the rows of all exported functions, which become part of the module.
pub(super) fn write(unit: &mut Unit<'_>, library: &Library) {
    let resolve = &library.world.resolve;
    let named = |key, func, kind| {
        let interface = Some(key);
        let export = WasmExport::Func {
            interface,
            func,
            kind,
        };
        resolve.wasm_export_name(NAMES, export)
    };
    let user = unit.user;
    for (export, (key, function)) in user.exports.iter().zip(library.functions()) {
        let (row, arguments) = rows::function(unit, library, export, function);
        let is_in_memory = flat::signature(&library.world, function).retptr;
        let post = || named(key, function, WasmExportKind::PostReturn);
        unit.doors.push(Door {
            export: named(key, function, WasmExportKind::Normal),
            post_return: is_in_memory.then(post),
            function: function.clone(),
            row,
            arguments,
        });
        let number = unit.doors.len() - 1;
        unit.number(Key::Door(number));
    }
    unit.number(Key::Ended);
}

/// What the module exports by which names.
pub(super) fn named(unit: &Unit<'_>) -> impl Iterator<Item = (String, Key)> {
    let doors = unit.doors.iter().enumerate();
    doors.flat_map(|(number, door)| {
        let post = door.post_return.clone().map(|name| (name, Key::Ended));
        [Some((door.export.clone(), Key::Door(number))), post]
            .into_iter()
            .flatten()
    })
}

/// The code of a function that is called from outside.
pub(super) fn code(unit: &mut Unit<'_>, number: usize) -> Code {
    let library = unit.library.expect("only libraries have such functions");
    flat::code(unit, &library.world, number)
}

/// The code of what is called when a result has been read.
pub(super) fn ended(unit: &mut Unit<'_>) -> Code {
    flat::ended(unit)
}
