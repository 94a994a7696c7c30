//! Methods of `list`. What compares elements is in `order`.

mod order;

use crate::{raise, shape};
use scn_runtime::{
    Ctx, DescId, Fault, List, NativeDef, OwnSlot, RawOwn, Seen, VarList, desc, ready,
};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    let mut all = vec![
        ready("list.len", len),
        ready("list.is_empty", is_empty),
        ready("list.push", push),
        ready("list.append", append),
        ready("list.pop", pop),
        ready("list.insert", insert),
        ready("list.remove", remove),
        ready("list.clear", clear),
        ready("list.first", first),
        ready("list.last", last),
        ready("list.slice", slice),
        ready("list.take", take),
        ready("list.skip", skip),
        ready("list.reversed", reversed),
        ready("list.any", any),
        ready("list.all", all_hold),
        ready("list.indexed", indexed),
        ready("list.zip", zip),
        ready("list.chunks", chunks),
        ready("list.flatten", flatten),
    ];
    all.extend(order::natives());
    all
}

/// A `list<int>`.
pub(crate) fn of_ints(ctx: &Ctx, ints: impl IntoIterator<Item = i64>) -> VarList {
    let mut list = VarList::new(ctx, desc::LIST_INT, 0);
    for int in ints {
        list.push(ctx, OwnSlot::int(int));
    }
    list
}

/// The elements `from..to` as a list of the same type.
pub(crate) fn part(ctx: &Ctx, list: List<'_>, from: usize, to: usize) -> VarList {
    let mut part = VarList::new(ctx, list.any().desc(), to.saturating_sub(from));
    for slot in list.iter(ctx.descs()).take(to).skip(from) {
        part.push(ctx, slot.to_own());
    }
    part
}

fn len(list: List<'_>) -> i64 {
    list.len() as i64
}

fn is_empty(list: List<'_>) -> bool {
    list.is_empty()
}

fn push(ctx: &Ctx, list: &mut VarList, value: RawOwn) {
    list.push_raw(ctx, value);
}

fn append(ctx: &Ctx, list: &mut VarList, other: List<'_>) {
    for slot in other.iter(ctx.descs()) {
        list.push(ctx, slot.to_own());
    }
}

fn pop(ctx: &Ctx, list: &mut VarList) -> Option<OwnSlot> {
    list.pop(ctx)
}

fn insert(ctx: &Ctx, list: &mut VarList, at: i64, value: RawOwn) -> Result<(), Fault> {
    let value = list.own_slot(ctx, value);
    let len = list.as_list().len();
    let place = usize::try_from(at).ok().filter(|place| *place <= len);
    list.insert(ctx, place.ok_or_else(|| raise::index(at, len))?, value);
    Ok(())
}

/// A position that is inside.
pub(crate) fn inside(at: i64, len: usize) -> Result<usize, Fault> {
    let place = usize::try_from(at).ok().filter(|place| *place < len);
    place.ok_or_else(|| raise::index(at, len))
}

fn remove(ctx: &Ctx, list: &mut VarList, at: i64) -> Result<OwnSlot, Fault> {
    let place = inside(at, list.as_list().len())?;
    Ok(list.remove(ctx, place))
}

fn clear(ctx: &Ctx, list: &mut VarList) {
    list.clear(ctx);
}

fn first(ctx: &Ctx, list: List<'_>) -> Option<OwnSlot> {
    list.at(ctx.descs(), 0).map(|slot| slot.to_own())
}

fn last(ctx: &Ctx, list: List<'_>) -> Option<OwnSlot> {
    list.at(ctx.descs(), list.len().checked_sub(1)?)
        .map(|slot| slot.to_own())
}

fn slice(ctx: &Ctx, list: List<'_>, from: i64, to: Option<i64>) -> Result<VarList, Fault> {
    let len = list.len();
    let end = to.unwrap_or(len as i64);
    match (usize::try_from(from), usize::try_from(end)) {
        (Ok(from), Ok(end)) if from <= end && end <= len => Ok(part(ctx, list, from, end)),
        _ => Err(raise::range(from, to, len)),
    }
}

fn take(ctx: &Ctx, list: List<'_>, n: i64) -> VarList {
    let n = usize::try_from(n).unwrap_or(0);
    part(ctx, list, 0, n.min(list.len()))
}

fn skip(ctx: &Ctx, list: List<'_>, n: i64) -> VarList {
    let n = usize::try_from(n).unwrap_or(0);
    part(ctx, list, n.min(list.len()), list.len())
}

fn reversed(ctx: &Ctx, list: List<'_>) -> VarList {
    let mut reversed = part(ctx, list, 0, list.len());
    reversed.reverse(ctx);
    reversed
}

fn any(list: List<'_>) -> bool {
    list.bits().iter().any(|bits| *bits != 0)
}

fn all_hold(list: List<'_>) -> bool {
    list.bits().iter().all(|bits| *bits != 0)
}

fn indexed(ctx: &Ctx, result: DescId, list: List<'_>) -> VarList {
    let mut pairs = VarList::new(ctx, result, list.len());
    let pair = shape::element(ctx.descs(), result);
    for (at, slot) in list.iter(ctx.descs()).enumerate() {
        let slots = vec![OwnSlot::int(at as i64), slot.to_own()];
        pairs.push(ctx, OwnSlot::own(ctx.heap.record(pair, slots)));
    }
    pairs
}

fn zip(ctx: &Ctx, result: DescId, list: List<'_>, other: List<'_>) -> VarList {
    let mut pairs = VarList::new(ctx, result, list.len().min(other.len()));
    let pair = shape::element(ctx.descs(), result);
    for (left, right) in list.iter(ctx.descs()).zip(other.iter(ctx.descs())) {
        let slots = vec![left.to_own(), right.to_own()];
        pairs.push(ctx, OwnSlot::own(ctx.heap.record(pair, slots)));
    }
    pairs
}

fn chunks(ctx: &Ctx, result: DescId, list: List<'_>, n: i64) -> Result<VarList, Fault> {
    let n = usize::try_from(n).ok().filter(|n| *n > 0);
    let n = n.ok_or_else(|| raise::argument("a chunk has at least one element"))?;
    let mut chunks = VarList::new(ctx, result, list.len().div_ceil(n));
    for from in (0..list.len()).step_by(n) {
        let chunk = part(ctx, list, from, (from + n).min(list.len()));
        chunks.push(ctx, OwnSlot::own(chunk.into_own()));
    }
    Ok(chunks)
}

fn flatten(ctx: &Ctx, result: DescId, lists: List<'_>) -> VarList {
    let mut flat = VarList::new(ctx, result, 0);
    for inner in lists.iter(ctx.descs()) {
        if let Some(Seen::List(inner)) = inner.any().map(|any| any.seen(ctx.descs())) {
            append(ctx, &mut flat, inner);
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{INT_LISTS, with_ctx};
    use scn_runtime::object::show;

    fn shown(ctx: &Ctx, list: &VarList) -> String {
        show::json_object(ctx.descs(), list.as_list().any(), None)
    }

    #[test]
    fn changing_a_shared_list_copies_it() {
        with_ctx(|ctx| {
            let mut list = of_ints(ctx, [1, 2, 3]);
            let shared = list.as_list().any().to_own();
            push(ctx, &mut list, RawOwn(4));
            insert(ctx, &mut list, 0, RawOwn(0)).expect("inside");
            assert_eq!(
                remove(ctx, &mut list, 1).map(|slot| slot.bits()).ok(),
                Some(1)
            );
            assert_eq!(pop(ctx, &mut list).map(|slot| slot.bits()), Some(4));
            assert_eq!(shown(ctx, &list), "[0,2,3]");
            assert_eq!(
                show::json_object(ctx.descs(), shared.as_any(), None),
                "[1,2,3]"
            );
            let error = insert(ctx, &mut list, 4, RawOwn(9)).expect_err("behind the end");
            assert_eq!(
                (error.kind(), error.message().as_str()),
                ("script.index", "index 4 is outside of 0..3")
            );
            assert!(remove(ctx, &mut list, -1).is_err());
            clear(ctx, &mut list);
            assert!(pop(ctx, &mut list).is_none());
        });
    }

    #[test]
    fn parts_of_lists() {
        with_ctx(|ctx| {
            let list = of_ints(ctx, [1, 2, 3]);
            let view = list.as_list();
            assert_eq!(
                slice(ctx, view, 1, None)
                    .map(|part| shown(ctx, &part))
                    .ok()
                    .as_deref(),
                Some("[2,3]")
            );
            assert!(slice(ctx, view, 2, Some(1)).is_err() && slice(ctx, view, 0, Some(4)).is_err());
            assert_eq!(shown(ctx, &take(ctx, view, 9)), "[1,2,3]");
            assert_eq!(shown(ctx, &skip(ctx, view, 2)), "[3]");
            assert_eq!(shown(ctx, &reversed(ctx, view)), "[3,2,1]");
            let chunked = chunks(ctx, INT_LISTS, view, 2).expect("a positive size");
            assert_eq!(shown(ctx, &chunked), "[[1,2],[3]]");
            assert_eq!(
                shown(ctx, &flatten(ctx, desc::LIST_INT, chunked.as_list())),
                "[1,2,3]"
            );
            assert!(chunks(ctx, INT_LISTS, view, 0).is_err());
        });
    }
}
