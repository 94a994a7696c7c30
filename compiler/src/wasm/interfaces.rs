//! What a finished component imports and exports, read from its own types. Enter at [`interfaces`].

use wit_component::DecodedWasm;
use wit_parser::{Function, Handle, IndexMap, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

/// An interface of a component, or a function that stands alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `wasi:io/poll@0.2.0`.
    pub name: String,
    /// Its functions with their types, as WIT has them.
    pub functions: Vec<String>,
}

/// The imports and the exports of a component; or why it is none.
pub fn interfaces(component: &[u8]) -> Result<(Vec<Interface>, Vec<Interface>), String> {
    match component.get(..8) {
        Some(b"\0asm\x01\0\0\0") => return Err("it is a core module".to_owned()),
        Some(head) if head.starts_with(b"\0asm") => {}
        _ => return Err("it is no WebAssembly".to_owned()),
    }
    let decoded =
        wit_component::decode(component).map_err(|error| error.root_cause().to_string())?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err("it only describes interfaces".to_owned());
    };
    let world = &resolve.worlds[world];
    Ok((
        list(&resolve, &world.imports),
        list(&resolve, &world.exports),
    ))
}

fn list(resolve: &Resolve, items: &IndexMap<WorldKey, WorldItem>) -> Vec<Interface> {
    let found = items.iter().filter_map(|(key, item)| {
        let functions = match item {
            WorldItem::Interface { id, .. } => {
                let functions = resolve.interfaces[*id].functions.values();
                functions.map(|one| signature(resolve, one)).collect()
            }
            WorldItem::Function(function) => vec![signature(resolve, function)],
            WorldItem::Type { .. } => return None,
        };
        Some(Interface {
            name: resolve.name_world_key(key),
            functions,
        })
    });
    found.collect()
}

/// `resolve-addresses(network: borrow<network>, name: string) -> result<...>`.
fn signature(resolve: &Resolve, function: &Function) -> String {
    let params = function.params.iter();
    let params = params.map(|param| format!("{}: {}", param.name, shown(resolve, &param.ty)));
    let mut text = format!(
        "{}({})",
        function.name,
        params.collect::<Vec<_>>().join(", ")
    );
    if let Some(result) = &function.result {
        text.push_str(" -> ");
        text.push_str(&shown(resolve, result));
    }
    text
}

/// A type as WIT has it; one with a name is its name.
fn shown(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return format!("{ty:?}").to_lowercase();
    };
    let def = &resolve.types[*id];
    if let Some(name) = &def.name {
        return name.clone();
    }
    let of = |ty: &Type| shown(resolve, ty);
    let or_none = |ty: &Option<Type>| ty.as_ref().map_or("_".to_owned(), of);
    match &def.kind {
        TypeDefKind::Handle(Handle::Own(id)) => of(&Type::Id(*id)),
        TypeDefKind::Handle(Handle::Borrow(id)) => format!("borrow<{}>", of(&Type::Id(*id))),
        TypeDefKind::Option(inner) => format!("option<{}>", of(inner)),
        TypeDefKind::List(inner) => format!("list<{}>", of(inner)),
        TypeDefKind::Tuple(tuple) => {
            let all: Vec<String> = tuple.types.iter().map(of).collect();
            format!("tuple<{}>", all.join(", "))
        }
        TypeDefKind::Result(result) => match (&result.ok, &result.err) {
            (None, None) => "result".to_owned(),
            (ok, None) => format!("result<{}>", or_none(ok)),
            (ok, err) => format!("result<{}, {}>", or_none(ok), or_none(err)),
        },
        TypeDefKind::Type(inner) => of(inner),
        other => other.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(interfaces(b"").unwrap_err().contains("no WebAssembly"));
        let module = interfaces(b"\0asm\x01\0\0\0").unwrap_err();
        assert!(module.contains("core module"));
        assert!(interfaces(b"\0asm\x0d\0\x01\0\x77").is_err());
    }
}
