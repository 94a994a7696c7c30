//! The host's functions by the names that bodies of the library use: `wasi.tcp_socket_subscribe(socket)`.
//!
//! Enter at [`Imports::find`]. A function of few parameters is called as it is; one of more is called with two
//! addresses, that of its arguments as a record and that of its result, by way of a [`Shim`].

mod shim;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use wasm_encoder::ValType;
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{
    Function, LiftLowerAbi, ManglingAndAbi, ResourceIntrinsic, TypeDefKind, WasmImport, WorldKey,
};

use super::wit::{World, function_name, snake};
pub use shim::{SHIM_PARAMS, Shim, shim};

/// A function of more core parameters than this is called by address.
pub const MOST_FLAT: usize = 8;

/// How bodies call an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// With its core parameters in order; the address of the return area is the last of them where there is one.
    Flat,
    /// With the address of the arguments and the address of the return area.
    Memory,
}

/// A function of the host.
#[derive(Clone)]
pub struct Import {
    /// What bodies call it.
    pub name: String,
    /// The core module it is imported from.
    pub module: String,
    /// Its name there.
    pub field: String,
    /// Its core parameters.
    pub params: Vec<ValType>,
    /// Its core results: none or one.
    pub results: Vec<ValType>,
    /// How it is called.
    pub form: Form,
    /// What it is in WIT; none for the drop of a resource.
    function: Option<Function>,
}

impl Import {
    /// How many arguments a call in a body has.
    pub fn arguments(&self) -> usize {
        match self.form {
            Form::Flat => self.params.len(),
            Form::Memory => 2,
        }
    }
}

/// All functions that a scenario can import.
pub struct Imports {
    by_name: BTreeMap<String, Import>,
}

impl Imports {
    /// The function that bodies call by this name.
    pub fn find(name: &str) -> Option<&'static Import> {
        Imports::all().by_name.get(name)
    }

    /// All of them in the order of their names.
    pub fn iter() -> impl Iterator<Item = &'static Import> {
        Imports::all().by_name.values()
    }

    fn all() -> &'static Imports {
        static ALL: OnceLock<Imports> = OnceLock::new();
        ALL.get_or_init(|| Imports::of(World::scenario()))
    }

    fn of(world: &World) -> Imports {
        let mut imports = Imports {
            by_name: BTreeMap::new(),
        };
        for (key, interface) in world.imported() {
            let name = interface.name.as_deref().unwrap_or_default();
            for function in interface.functions.values() {
                imports.add(called(world, key, name, function));
            }
            for (resource, id) in &interface.types {
                if matches!(world.resolve.types[*id].kind, TypeDefKind::Resource) {
                    imports.add(dropped(world, key, resource, *id));
                }
            }
        }
        imports
    }

    fn add(&mut self, import: Import) {
        let before = self.by_name.insert(import.name.clone(), import);
        assert!(before.is_none(), "two functions of the host share a name");
    }
}

const NAMES: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

fn called(world: &World, key: &WorldKey, interface: &str, function: &Function) -> Import {
    let signature = world
        .resolve
        .wasm_signature(AbiVariant::GuestImport, function);
    assert!(
        !signature.indirect_params,
        "{} has its parameters in memory, which shims do not write",
        function.name
    );
    let wanted = WasmImport::Func {
        interface: Some(key),
        func: function,
    };
    let (module, field) = world.resolve.wasm_import_name(NAMES, wanted);
    Import {
        name: function_name(interface, function),
        module,
        field,
        form: match signature.params.len() > MOST_FLAT {
            true => Form::Memory,
            false => Form::Flat,
        },
        params: signature.params.into_iter().map(core).collect(),
        results: signature.results.into_iter().map(core).collect(),
        function: Some(function.clone()),
    }
}

fn dropped(world: &World, key: &WorldKey, name: &str, resource: wit_parser::TypeId) -> Import {
    let wanted = WasmImport::ResourceIntrinsic {
        interface: Some(key),
        resource,
        intrinsic: ResourceIntrinsic::ImportedDrop,
    };
    let (module, field) = world.resolve.wasm_import_name(NAMES, wanted);
    Import {
        name: snake(&format!("{name}-drop")),
        module,
        field,
        params: vec![ValType::I32],
        results: Vec::new(),
        form: Form::Flat,
        function: None,
    }
}

/// The core type, where addresses are 32 bits wide.
pub(super) fn core(ty: WasmType) -> ValType {
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
    }
}
