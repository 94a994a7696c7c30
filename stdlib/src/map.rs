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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_ctx;
    use scn_runtime::desc;
    use scn_runtime::object::show;

    #[test]
    fn entries_keep_their_order() {
        with_ctx(|ctx| {
            let mut map = VarMap::new(ctx, desc::MAP_STRING);
            for key in ["b", "a", "c"] {
                map.insert_str(ctx, key, "1");
            }
            let mut other = VarMap::new(ctx, desc::MAP_STRING);
            other.insert_str(ctx, "a", "2");
            other.insert_str(ctx, "d", "2");
            let shown = |map: &VarMap| show::json_object(ctx.descs(), map.as_map().any(), None);
            assert_eq!(
                shown(&merge(ctx, map.as_map(), other.as_map())),
                r#"{"b":"1","a":"2","c":"1","d":"2"}"#
            );
            let key = ctx.heap.string("a");
            assert!(contains(ctx, map.as_map(), RawSlot(key.obj().bits())));
            assert!(remove(ctx, &mut map, RawSlot(key.obj().bits())).is_some());
            assert!(remove(ctx, &mut map, RawSlot(key.obj().bits())).is_none());
            assert_eq!(shown(&map), r#"{"b":"1","c":"1"}"#);
            let names = keys(ctx, desc::LIST_STRING, map.as_map());
            assert_eq!(
                show::json_object(ctx.descs(), names.as_list().any(), None),
                r#"["b","c"]"#
            );
            clear(ctx, &mut map);
            assert!(is_empty(map.as_map()));
        });
    }
}
