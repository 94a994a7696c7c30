//! Declarations and the Rust behind them agree, both ways and in every register.

use scn_grammar::ast::{Attribute, FnItem, Item, ItemKind, TypeExpr, TypeKind};
use scn_runtime::host::{Class, Param, Signature};
use scn_stdlib::LIBRARY;
use std::collections::{BTreeMap, BTreeSet};

/// Natives that only lowering calls, for `server` blocks (`ARCHITECTURE.md`, "Intrinsics").
const OF_LOWERING: [&str; 11] = [
    "server.listen",
    "server.listen_udp",
    "server.accept",
    "server.handshake",
    "server.read",
    "server.route",
    "server.param_int",
    "server.param_string",
    "server.respond",
    "server.respond_error",
    "server.respond_missing",
];

/// Natives that only the compiler's pass `demand` calls.
const OF_DEMAND: [&str; 6] = [
    "json.parse_part",
    "json.parse_parts",
    "Response.json_part",
    "Response.json_parts",
    "Request.json_part",
    "Request.json_parts",
];

/// A declaration and what it promises.
struct Declared {
    signature: Signature,
    module: &'static str,
}

/// What a module's text declares: type parameters in scope while a signature is read, and the enums.
struct Reader {
    generics: Vec<String>,
    enums: BTreeSet<String>,
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.name.text == name)
}

impl Reader {
    /// The class of a value that is there.
    fn class(&self, ty: &TypeExpr) -> Class {
        let TypeKind::Name { name, .. } = &ty.kind else {
            return Class::Ptr;
        };
        match name.text.as_str() {
            "int" | "bool" | "duration" | "data" | "pool" | "metric" | "server" => Class::Int,
            "float" | "rate" => Class::Float,
            word if self.generics.iter().any(|generic| generic == word) => Class::Slot,
            word if self.enums.contains(word) => Class::Int,
            _ => Class::Ptr,
        }
    }

    /// The registers of a value: an optional scalar takes two, so does an optional generic.
    fn registers(&self, ty: &TypeExpr) -> Vec<Class> {
        let TypeKind::Optional(inner) = &ty.kind else {
            return vec![self.class(ty)];
        };
        match self.class(inner) {
            Class::Ptr => vec![Class::Ptr],
            class => vec![Class::Int, class],
        }
    }

    fn signature(&self, item: &Item, f: &FnItem) -> Signature {
        let mut signature = Signature {
            waits: has(&item.attributes, "waits"),
            fails: has(&item.attributes, "fails"),
            typed: has(&item.attributes, "typed"),
            ..Signature::default()
        };
        if signature.typed {
            signature.params.push(Param {
                class: Class::Int,
                own: false,
            });
        }
        for param in &f.params {
            let ty = param
                .ty
                .as_ref()
                .or(f.receiver.as_ref())
                .expect("parameters but `self` have types");
            let var = has(&param.attributes, "var");
            signature.inout |= var;
            let own = var || has(&param.attributes, "own");
            let classes = self.registers(ty);
            signature
                .params
                .extend(classes.into_iter().map(|class| Param { class, own }));
        }
        signature.results = f
            .result
            .as_ref()
            .map_or(Vec::new(), |ty| self.registers(ty));
        signature
    }
}

/// Words of a receiver's type arguments that name no type: its type parameters.
fn receiver_generics(ty: &TypeExpr, out: &mut Vec<String>) {
    if let TypeKind::Name { name, args, .. } = &ty.kind {
        if args.is_empty() && name.text.len() == 1 {
            out.push(name.text.clone());
        }
        args.iter().for_each(|arg| receiver_generics(arg, out));
    }
}

fn native_name(module: &str, f: &FnItem) -> String {
    let method = f
        .params
        .first()
        .is_some_and(|param| param.name.text == "self");
    match f.receiver.as_ref().map(|receiver| &receiver.kind) {
        Some(TypeKind::Name { name, .. }) if method => format!("{}.{}", name.text, f.name.text),
        _ if module == "prelude" => f.name.text.clone(),
        _ => format!("{module}.{}", f.name.text),
    }
}

fn declared() -> BTreeMap<String, Declared> {
    let files: Vec<_> = LIBRARY
        .modules
        .iter()
        .map(|(module, text)| {
            (
                *module,
                scn_grammar::parse(scn_grammar::SourceId(0), text).file,
            )
        })
        .collect();
    let items = || files.iter().flat_map(|(_, file)| &file.items);
    let enums = items().filter_map(|item| match &item.kind {
        ItemKind::Enum { name, .. } => Some(name.text.clone()),
        _ => None,
    });
    let mut reader = Reader {
        generics: Vec::new(),
        enums: enums.collect(),
    };
    let mut all = BTreeMap::new();
    for (module, file) in &files {
        for item in &file.items {
            let ItemKind::Fn(f) = &item.kind else {
                continue;
            };
            reader.generics = f
                .generics
                .iter()
                .map(|generic| generic.text.clone())
                .collect();
            f.receiver
                .iter()
                .for_each(|receiver| receiver_generics(receiver, &mut reader.generics));
            let declared = Declared {
                signature: reader.signature(item, f),
                module,
            };
            let name = native_name(module, f);
            assert!(
                all.insert(name.clone(), declared).is_none(),
                "{name} is declared twice"
            );
        }
    }
    all
}

#[test]
fn every_declaration_has_its_implementation() {
    let implemented: BTreeSet<_> = scn_stdlib::natives()
        .iter()
        .map(|native| native.name)
        .collect();
    let missing: Vec<_> = declared()
        .into_keys()
        .filter(|name| !implemented.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "declared, but not implemented: {missing:#?}"
    );
}

#[test]
fn every_implementation_is_declared_once() {
    let declared = declared();
    let mut seen = BTreeSet::new();
    for native in scn_stdlib::natives() {
        let known = declared.contains_key(native.name)
            || OF_LOWERING.contains(&native.name)
            || OF_DEMAND.contains(&native.name);
        assert!(known, "{} is implemented, but not declared", native.name);
        assert!(
            seen.insert(native.name),
            "{} is implemented twice",
            native.name
        );
    }
}

#[test]
fn signatures_agree() {
    let declared = declared();
    let mut wrong = Vec::new();
    for native in scn_stdlib::natives() {
        let Some(Declared { signature, module }) = declared.get(native.name) else {
            continue;
        };
        let have = Signature {
            externs: Vec::new(),
            ..native.signature
        };
        if have != *signature {
            wrong.push(format!(
                "{module}.scn: {}\n  declared    {signature:?}\n  implemented {have:?}",
                native.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
