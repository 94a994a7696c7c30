//! Methods of `list`. Comparing elements is in [`crate::order`].

use crate::raise;
use scn_runtime::{Ctx, Fault, List, NativeDef, OwnSlot, RawOwn, VarList, desc, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
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
        ready("list.all", all),
    ]
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

fn all(list: List<'_>) -> bool {
    list.bits().iter().all(|bits| *bits != 0)
}
