//! Ranges.

use crate::raise;
use scn_runtime::object::order::compare;
use scn_runtime::{Ctx, Fault, NativeDef, OwnSlot, RawSlot, Slots, ready};
use std::cmp::Ordering;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("range.start", start),
        ready("range.end", end),
        ready("range.contains", contains),
        ready("range.len", len),
    ]
}

fn start(ctx: &Ctx, range: Slots<'_>) -> OwnSlot {
    range.slot(ctx.descs(), 0).to_own()
}

fn end(ctx: &Ctx, range: Slots<'_>) -> OwnSlot {
    range.slot(ctx.descs(), 1).to_own()
}

fn contains(ctx: &Ctx, range: Slots<'_>, value: RawSlot) -> bool {
    let descs = ctx.descs();
    let (start, end) = (range.slot(descs, 0), range.slot(descs, 1));
    let value = range.typed(descs, value);
    let below_end = match compare(descs, value, end) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => range.slot(descs, 2).bits != 0,
        _ => false,
    };
    below_end
        && matches!(
            compare(descs, start, value),
            Some(Ordering::Less | Ordering::Equal)
        )
}

fn len(ctx: &Ctx, range: Slots<'_>) -> Result<i64, Fault> {
    let at = |at| range.slot(ctx.descs(), at).bits as i64;
    let len = i128::from(at(1)) - i128::from(at(0)) + i128::from(at(2));
    i64::try_from(len.max(0))
        .map_err(|_| raise::arithmetic("the range has more elements than an int can count"))
}
