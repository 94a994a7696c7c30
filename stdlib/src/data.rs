//! Data sets: rows that were loaded once and are shared by all users.

use crate::{list, raise};
use scn_runtime::{Ctx, Fault, List, NativeDef, Own, OwnSlot, Seen, kind, ready};
use std::sync::atomic::Ordering;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("data.next", next),
        ready("data.random", random),
        ready("data.for_user", for_user),
        ready("data.at", at),
        ready("data.len", len),
        ready("data.rows", rows),
    ]
}

/// The rows of a set.
fn list(ctx: &Ctx, global: i64) -> List<'_> {
    let rows = ctx
        .linked()
        .global_object(global as u32)
        .map(|rows| rows.seen(ctx.descs()));
    match rows {
        Some(Seen::List(rows)) => rows,
        other => unreachable!("a data set is a list before any scenario runs, this is {other:?}"),
    }
}

fn row(ctx: &Ctx, rows: List<'_>, at: u64) -> Result<OwnSlot, Fault> {
    let slot = usize::try_from(at)
        .ok()
        .and_then(|at| rows.at(ctx.descs(), at));
    slot.map(|slot| slot.to_own())
        .ok_or_else(|| exhausted("the data set has no rows"))
}

fn exhausted(message: &'static str) -> Fault {
    Fault::fixed(kind::SCRIPT_DATA_EXHAUSTED, message)
}

fn next(ctx: &Ctx, global: i64, wrap: bool) -> Result<OwnSlot, Fault> {
    let rows = list(ctx, global);
    let turn = ctx
        .linked()
        .cursor(global as u32)
        .fetch_add(1, Ordering::Relaxed);
    let len = rows.len() as u64;
    if !wrap && turn >= len {
        return Err(exhausted("every row of the data set was handed out"));
    }
    row(ctx, rows, turn.checked_rem(len).unwrap_or(0))
}

fn random(ctx: &Ctx, global: i64) -> Result<OwnSlot, Fault> {
    let rows = list(ctx, global);
    row(ctx, rows, ctx.random_below(rows.len() as u64))
}

fn for_user(ctx: &Ctx, global: i64) -> Result<OwnSlot, Fault> {
    let rows = list(ctx, global);
    row(
        ctx,
        rows,
        ctx.user().id.checked_rem(rows.len() as u64).unwrap_or(0),
    )
}

fn at(ctx: &Ctx, global: i64, index: i64) -> Result<OwnSlot, Fault> {
    let rows = list(ctx, global);
    let at = list::inside(index, rows.len())?;
    rows.at(ctx.descs(), at)
        .map(|slot| slot.to_own())
        .ok_or_else(|| raise::index(index, rows.len()))
}

fn len(ctx: &Ctx, global: i64) -> i64 {
    list(ctx, global).len() as i64
}

fn rows(ctx: &Ctx, global: i64) -> Own {
    list(ctx, global).any().to_own()
}
