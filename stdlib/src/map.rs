//! Methods of `map`.

use crate::shape;
use scn_runtime::{Ctx, DescId, Map, NativeDef, OwnSlot, RawSlot, VarList, VarMap, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("map.len", len),
        ready("map.is_empty", is_empty),
        ready("map.get", get),
        ready("map.contains", contains),
        ready("map.keys", keys),
        ready("map.values", values),
        ready("map.entries", entries),
        ready("map.remove", remove),
        ready("map.clear", clear),
        ready("map.merge", merge),
    ]
}

fn len(map: Map<'_>) -> i64 {
    map.len() as i64
}

fn is_empty(map: Map<'_>) -> bool {
    map.is_empty()
}

fn get(ctx: &Ctx, map: Map<'_>, key: RawSlot) -> Option<OwnSlot> {
    map.find_raw(ctx.descs(), key).map(|slot| slot.to_own())
}

fn contains(ctx: &Ctx, map: Map<'_>, key: RawSlot) -> bool {
    map.find_raw(ctx.descs(), key).is_some()
}

fn keys(ctx: &Ctx, result: DescId, map: Map<'_>) -> VarList {
    let mut keys = VarList::new(ctx, result, map.len());
    for (key, _) in map.iter(ctx.descs()) {
        keys.push(ctx, key.to_own());
    }
    keys
}

fn values(ctx: &Ctx, result: DescId, map: Map<'_>) -> VarList {
    let mut values = VarList::new(ctx, result, map.len());
    for (_, value) in map.iter(ctx.descs()) {
        values.push(ctx, value.to_own());
    }
    values
}

fn entries(ctx: &Ctx, result: DescId, map: Map<'_>) -> VarList {
    let mut entries = VarList::new(ctx, result, map.len());
    let pair = shape::element(ctx.descs(), result);
    for (key, value) in map.iter(ctx.descs()) {
        let slots = vec![key.to_own(), value.to_own()];
        entries.push(ctx, OwnSlot::own(ctx.heap.record(pair, slots)));
    }
    entries
}

fn remove(ctx: &Ctx, map: &mut VarMap, key: RawSlot) -> Option<OwnSlot> {
    map.remove_raw(ctx, key)
}

fn clear(ctx: &Ctx, map: &mut VarMap) {
    map.clear(ctx);
}

fn merge(ctx: &Ctx, map: Map<'_>, other: Map<'_>) -> VarMap {
    let mut merged = VarMap::new(ctx, map.any().desc());
    for (key, value) in map.iter(ctx.descs()).chain(other.iter(ctx.descs())) {
        merged.insert(ctx, key.to_own(), value.to_own());
    }
    merged
}
