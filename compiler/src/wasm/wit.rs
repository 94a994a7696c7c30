//! The world that a scenario lives in: the host's interfaces, read from `wit/*.wit`, and the layouts of their records.
//!
//! Enter at [`World::scenario`] and [`Layouts`]. The texts hold what bodies of the library use and no more;
//! enums, variants and records are complete, because hosts compare them.

mod layouts;

use std::sync::OnceLock;

use wit_component::WitPrinter;
use wit_parser::{
    Function, Interface, Resolve, SizeAlign, Type, TypeDefKind, WorldId, WorldItem, WorldKey,
};

pub use layouts::Layouts;
pub(super) use layouts::payload;

/// The packages, each behind those that it uses.
const PACKAGES: [(&str, &str); 8] = [
    ("io.wit", include_str!("wit/io.wit")),
    ("clocks.wit", include_str!("wit/clocks.wit")),
    ("random.wit", include_str!("wit/random.wit")),
    ("cli.wit", include_str!("wit/cli.wit")),
    ("sockets.wit", include_str!("wit/sockets.wit")),
    ("http.wit", include_str!("wit/http.wit")),
    ("tls.wit", include_str!("wit/tls.wit")),
    ("scenario.wit", include_str!("wit/scenario.wit")),
];

/// A world with all that it refers to.
pub struct World {
    /// The packages.
    pub resolve: Resolve,
    /// The world among them.
    pub id: WorldId,
    /// Sizes of its types.
    pub sizes: SizeAlign,
}

impl World {
    /// The world of a program that is run: it imports everything and exports `wasi:cli/run`.
    pub fn scenario() -> &'static World {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| World::read(&[], "scenario").expect("the embedded WIT is valid"))
    }

    /// The world of this name, after a further package has been read.
    pub fn with_package(text: &str, world: &str) -> Result<World, String> {
        World::read(&[("program.wit", text)], world)
    }

    /// A type without the names that it goes by.
    pub(super) fn kind(&self, ty: &Type) -> Option<&TypeDefKind> {
        let Type::Id(id) = ty else { return None };
        match &self.resolve.types[*id].kind {
            TypeDefKind::Type(aliased @ Type::Id(_)) => self.kind(aliased),
            kind => Some(kind),
        }
    }

    fn read(further: &[(&str, &str)], world: &str) -> Result<World, String> {
        let mut resolve = Resolve::default();
        for (path, text) in PACKAGES.iter().chain(further) {
            let pushed = resolve.push_source(path, text);
            pushed.map_err(|error| format!("{path}: {error:#}"))?;
        }
        let mut worlds = resolve.worlds.iter();
        let found = worlds.find(|(_, candidate)| candidate.name == world);
        let (id, _) = found.ok_or_else(|| format!("there is no world `{world}`"))?;
        let mut sizes = SizeAlign::default();
        sizes.fill(&resolve);
        Ok(World { resolve, id, sizes })
    }

    /// The interfaces that the world imports, in its order.
    pub fn imported(&self) -> impl Iterator<Item = (&WorldKey, &Interface)> {
        let imports = self.resolve.worlds[self.id].imports.iter();
        imports.filter_map(|(key, item)| match item {
            WorldItem::Interface { id, .. } => Some((key, &self.resolve.interfaces[*id])),
            _ => None,
        })
    }

    /// Bytes that a type takes in memory.
    pub fn size(&self, ty: &Type) -> u32 {
        narrow(self.sizes.size(ty).size_wasm32())
    }

    /// Where each of these lies when they are written one behind the other as a record.
    pub fn offsets<'a>(&self, types: impl IntoIterator<Item = &'a Type>) -> Vec<u32> {
        let offsets = self.sizes.field_offsets(types).into_iter();
        offsets
            .map(|(offset, _)| narrow(offset.size_wasm32()))
            .collect()
    }

    /// Bytes that these take as a record.
    pub fn record_size<'a>(&self, types: impl IntoIterator<Item = &'a Type>) -> u32 {
        narrow(self.sizes.record(types).size.size_wasm32())
    }
}

/// A package of its own as WIT is usually laid out; why it is none.
pub(super) fn printed(text: &str) -> Result<String, String> {
    let told = |error| format!("{error:#}");
    let mut resolve = Resolve::default();
    let package = resolve.push_source("library.wit", text).map_err(told)?;
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &[]).map_err(told)?;
    Ok(String::from(printer.output))
}

/// The name that bodies know a function by: a method, static or constructor by its resource, others by their interface.
pub fn function_name(interface: &str, function: &Function) -> String {
    let name = &function.name;
    match name.split_once(']') {
        None => snake(&format!("{interface}-{name}")),
        Some(("[constructor", resource)) => snake(&format!("{resource}-new")),
        Some((_, path)) => snake(&path.replace('.', "-")),
    }
}

/// A name of WIT as bodies write it.
pub fn snake(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

fn narrow(size: usize) -> u32 {
    u32::try_from(size).expect("records of the embedded WIT are small")
}
