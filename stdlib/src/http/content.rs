//! Between objects of scenarios and what is sent: maps of headers, queries, forms, JSON.

use super::body::push_pair;
use super::head::Head;
use scn_compiler::ir::Scalar;
use scn_runtime::object::show;
use scn_runtime::{Any, Ctx, DescId, Fault, Map, Own, Slot, VarMap, View};

/// The names and values of a `map<string, string>`.
pub(crate) fn string_pairs(cx: &Ctx, map: Option<Map<'_>>) -> Vec<(String, String)> {
    let Some(map) = map else {
        return Vec::new();
    };
    let text = |slot: Slot<'_>| slot.str().unwrap_or_default().to_owned();
    map.iter(cx.descs())
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// The headers of a message as a `map<string, string>`.
pub(crate) fn string_map(cx: &Ctx, desc: DescId, head: &Head) -> VarMap {
    let mut map = VarMap::new(cx, desc);
    for name in head.names() {
        let value = head.get(&name).unwrap_or_default();
        map.insert_str(cx, &name, &value);
    }
    map
}

/// A JSON value as text.
pub(crate) fn json_text(cx: &Ctx, value: Any<'_>) -> String {
    show::json_object(cx.descs(), value, None)
}

/// Text as a JSON value.
pub(crate) fn json_object(cx: &Ctx, text: &[u8]) -> Result<Own, Fault> {
    crate::json::parse(cx, text)
}

/// The names and values of a `map<string, json>` as a query or form: lists give several values, null gives none.
pub(crate) fn encoded_pairs(cx: &Ctx, map: Map<'_>) -> String {
    let mut out = String::new();
    for (name, value) in map.iter(cx.descs()) {
        if let Some(value) = value.any() {
            push_values(cx, &mut out, name.str().unwrap_or_default(), value);
        }
    }
    out
}

fn push_values(cx: &Ctx, out: &mut String, name: &str, value: Any<'_>) {
    match value.view(cx.descs()) {
        View::Null | View::Missing(_) => {}
        View::Str(text) => push_pair(out, name, text),
        View::List(list) => {
            for slot in list.iter(cx.descs()) {
                match (slot.any(), slot.scalar()) {
                    (Some(value), _) => push_values(cx, out, name, value),
                    (None, Some((scalar, value))) => {
                        push_pair(out, name, &scalar_text(cx, scalar, value))
                    }
                    (None, None) => {}
                }
            }
        }
        _ => push_pair(out, name, &show::interpolated_object(cx.descs(), value)),
    }
}

fn scalar_text(cx: &Ctx, scalar: Scalar, value: scn_runtime::value::Value) -> String {
    show::scalar(cx.descs(), scalar, value)
}
