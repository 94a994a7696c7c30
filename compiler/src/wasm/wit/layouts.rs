//! Sizes, offsets and numbers of cases by name, so that no body of the library writes one by hand.
//!
//! Of a type: `RECORD_FIELD` (of one that may be missing `RECORD_FIELD_ok`, if it is there), `RECORD_size`,
//! `VARIANT_payload`, `VARIANT_size`, `VARIANT_CASE` and `ENUM_CASE`.
//! Of a function that leaves its result in memory: `FUNCTION_size`, `FUNCTION_ok` (the payload of an option or result;
//! `_ok_ok` of one in it; `_ok_1` the second of a tuple), `FUNCTION_item` (bytes of an element of a list).
//! Of a function that is called by the address of its arguments: `FUNCTION_ARGUMENT`, `FUNCTION_args`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use wit_parser::abi::AbiVariant;
use wit_parser::{Function, Int, Interface, Type, TypeDefKind};

use super::super::imports;
use super::{World, function_name, narrow, snake};

/// All layouts of the world of a scenario.
pub struct Layouts {
    values: BTreeMap<String, u32>,
}

impl Layouts {
    /// The size, offset or number of this name.
    pub fn find(name: &str) -> Option<u32> {
        Layouts::all().values.get(name).copied()
    }

    /// The names in order, which is the order of their declarations.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Layouts::all().values.keys().map(String::as_str)
    }

    fn all() -> &'static Layouts {
        static ALL: OnceLock<Layouts> = OnceLock::new();
        ALL.get_or_init(|| Layouts::of(World::scenario()))
    }

    fn of(world: &World) -> Layouts {
        let mut layouts = Layouts {
            values: BTreeMap::new(),
        };
        for (_, interface) in world.imported() {
            layouts.add_types(world, interface);
            for function in interface.functions.values() {
                layouts.add_function(world, interface, function);
            }
        }
        layouts
    }

    fn add(&mut self, name: String, value: u32) {
        let name = snake(&name);
        let before = self.values.insert(name.clone(), value);
        assert!(before.is_none(), "two layouts are called {name}");
    }

    /// Sockets and HTTP both call a type `error-code`: that of HTTP has its package's name in front.
    fn add_types(&mut self, world: &World, interface: &Interface) {
        let package = interface
            .package
            .map(|id| &world.resolve.packages[id].name.name);
        for (name, id) in &interface.types {
            let name = match package {
                Some(package) if name == "error-code" && package == "http" => {
                    format!("{package}-{name}")
                }
                _ => name.clone(),
            };
            self.add_type(world, &name, &Type::Id(*id));
        }
    }

    fn add_type(&mut self, world: &World, name: &str, ty: &Type) {
        let Type::Id(id) = ty else { return };
        match &world.resolve.types[*id].kind {
            TypeDefKind::Record(record) => {
                let offsets = world.offsets(record.fields.iter().map(|field| &field.ty));
                for (field, offset) in record.fields.iter().zip(offsets) {
                    self.add_part(world, format!("{name}-{}", field.name), &field.ty, offset);
                }
                self.add(format!("{name}-size"), world.size(ty));
            }
            TypeDefKind::Variant(variant) => {
                for (case, number) in variant.cases.iter().zip(0..) {
                    self.add(format!("{name}-{}", case.name), number);
                }
                self.add(format!("{name}-payload"), payload(world, ty));
                self.add(format!("{name}-size"), world.size(ty));
            }
            TypeDefKind::Enum(cases) => {
                for (case, number) in cases.cases.iter().zip(0..) {
                    self.add(format!("{name}-{}", case.name), number);
                }
            }
            _ => {}
        }
    }

    fn add_function(&mut self, world: &World, interface: &Interface, function: &Function) {
        let signature = world
            .resolve
            .wasm_signature(AbiVariant::GuestImport, function);
        let name = function_name(interface.name.as_deref().unwrap_or_default(), function);
        if let Some(result) = &function.result
            && signature.retptr
        {
            self.add(format!("{name}-size"), world.size(result));
            self.add_result(world, &name, result, 0);
        }
        if signature.params.len() > imports::MOST_FLAT {
            let types = function.params.iter().map(|param| &param.ty);
            for (param, offset) in function.params.iter().zip(world.offsets(types.clone())) {
                self.add_part(world, format!("{name}-{}", param.name), &param.ty, offset);
            }
            self.add(format!("{name}-args"), world.record_size(types));
        }
    }

    /// A field or argument; of one that may be missing, where it lies if it is there.
    fn add_part(&mut self, world: &World, name: String, ty: &Type, offset: u32) {
        if let Type::Id(id) = ty
            && matches!(world.resolve.types[*id].kind, TypeDefKind::Option(_))
        {
            self.add(format!("{name}-ok"), offset + payload(world, ty));
        }
        self.add(name, offset);
    }

    /// What lies in a return area, by its offset in the whole of it.
    fn add_result(&mut self, world: &World, name: &str, ty: &Type, base: u32) {
        let Type::Id(id) = ty else { return };
        match &world.resolve.types[*id].kind {
            TypeDefKind::Type(aliased) => self.add_result(world, name, aliased, base),
            TypeDefKind::List(element) => {
                self.add(format!("{name}-item"), world.size(element));
            }
            TypeDefKind::Tuple(tuple) => {
                for (offset, number) in world.offsets(&tuple.types).into_iter().zip(0..) {
                    self.add(format!("{name}-{number}"), base + offset);
                }
            }
            TypeDefKind::Option(inner) => self.add_payload(world, name, ty, Some(inner), base),
            TypeDefKind::Result(result) => {
                self.add_payload(world, name, ty, result.ok.as_ref(), base);
            }
            _ => {}
        }
    }

    fn add_payload(
        &mut self,
        world: &World,
        name: &str,
        whole: &Type,
        inner: Option<&Type>,
        base: u32,
    ) {
        let name = format!("{name}-ok");
        let at = base + payload(world, whole);
        self.add(name.clone(), at);
        if let Some(inner) = inner {
            self.add_result(world, &name, inner, at);
        }
    }
}

/// Where the payload of a variant, option or result lies; 0 for all other types.
pub(in super::super) fn payload(world: &World, ty: &Type) -> u32 {
    let Type::Id(id) = ty else { return 0 };
    let offset = |tag, types: Vec<Option<&Type>>| {
        narrow(world.sizes.payload_offset(tag, types).size_wasm32())
    };
    match &world.resolve.types[*id].kind {
        TypeDefKind::Type(aliased) => payload(world, aliased),
        TypeDefKind::Variant(variant) => {
            let types = variant.cases.iter().map(|case| case.ty.as_ref());
            offset(variant.tag(), types.collect())
        }
        TypeDefKind::Option(inner) => offset(Int::U8, vec![None, Some(inner)]),
        TypeDefKind::Result(result) => {
            offset(Int::U8, vec![result.ok.as_ref(), result.err.as_ref()])
        }
        _ => 0,
    }
}
