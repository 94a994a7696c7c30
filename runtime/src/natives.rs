//! The runtime's own host functions, named `rt.*`. Here are those that neither wait nor touch strands.
//!
//! `ARCHITECTURE.md` ("Intrinsics") lists what each means. Reports are in [`reports`], what waits in [`strands`].

mod reports;
mod strands;

use crate::ctx::Ctx;
use crate::fault::{Detail, Fault, kind};
use crate::host::{NativeDef, ready};
use crate::object::{Any, List, Own, VarList, decode, order, parse, show};
use crate::value::Value;
use scn_compiler::ir::{Desc, DescId, Scalar};
use std::borrow::Cow;
use std::cmp::Ordering;

/// All of them.
pub(crate) fn table() -> Vec<NativeDef> {
    let mut table = reports::table();
    table.extend(strands::table());
    table.extend([
        ready("rt.backoff", backoff),
        ready("rt.choose", choose),
        ready("rt.fail", fail),
        ready("rt.index_failed", index_failed),
        ready("rt.key_missing", key_missing),
        ready("rt.compare", compare),
        ready("rt.append_text", append_text),
        ready("rt.concat_bytes", concat_bytes),
        ready("rt.concat_list", concat_list),
        ready("rt.decode", decode_object),
        ready("rt.decode_int", decode_int),
        ready("rt.decode_float", decode_float),
        ready("rt.is_absent", is_absent),
        ready("rt.secret", secret),
        ready("rt.parse_int", parse_int),
        ready("rt.parse_float", parse_float),
        ready("rt.parse_object", parse_object),
        ready("rt.json_len", json_len),
        ready("rt.json_at", json_at),
        ready("rt.record_convert", record_convert),
    ]);
    table
}

/// Doubles from `from` up to `to`, with full jitter: uniform from nothing to there. `attempt` counts from 0.
fn backoff(cx: &Ctx, attempt: i64, from: i64, to: i64) -> i64 {
    let factor = 1i64
        .checked_shl(attempt.clamp(0, 62) as u32)
        .unwrap_or(i64::MAX);
    let most = from.saturating_mul(factor).min(to).max(0);
    cx.random_below(most as u64 + 1) as i64
}

fn choose(cx: &Ctx, total: i64) -> i64 {
    cx.random_below(total.max(0) as u64) as i64
}

fn fail(message: &str, own_kind: Option<&str>) -> Result<(), Fault> {
    let kind: Cow<'static, str> = match own_kind {
        Some(own) => Cow::Owned(own.to_owned()),
        None => Cow::Borrowed(kind::SCRIPT_FAIL),
    };
    Err(Fault::new(kind, Detail::Text(message.into())).during("fail"))
}

fn index_failed(at: i64, len: i64) -> Result<(), Fault> {
    Err(Fault::new(kind::SCRIPT_INDEX, Detail::Index(at, len)).during("index"))
}

fn key_missing(cx: &Ctx, key: Option<Any<'_>>) -> Result<(), Fault> {
    let key = key.map_or("none".to_owned(), |key| {
        show::json_object(cx.descs(), key, None)
    });
    Err(Fault::text(
        kind::SCRIPT_INDEX,
        format!("there is no entry {key} in the map"),
    )
    .during("index"))
}

fn compare(cx: &Ctx, left: Option<Any<'_>>, right: Option<Any<'_>>) -> i64 {
    let order = match (left, right) {
        (Some(left), Some(right)) => {
            order::compare_objects(cx.descs(), left, right).unwrap_or(Ordering::Equal)
        }
        (left, right) => left.is_some().cmp(&right.is_some()),
    };
    match order {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// Cannot fail, as strings cannot: one `+` at most doubles what is there, and the next poll point sees the limit passed.
fn concat_bytes(cx: &Ctx, left: Own, right: &[u8]) -> Own {
    cx.heap.append(left, right)
}

fn append_text(cx: &Ctx, text: Own, more: &str) -> Own {
    cx.heap.append(text, more.as_bytes())
}

fn concat_list(cx: &Ctx, mut left: VarList, right: List<'_>) -> VarList {
    for slot in right.iter(cx.descs()) {
        left.push(cx, slot.to_own());
    }
    left
}

fn wanted(desc: i64) -> DescId {
    DescId(desc as u32)
}

fn decode_object(cx: &Ctx, desc: i64, json: Any<'_>) -> Result<Own, Fault> {
    decode::object(cx, wanted(desc), json).map_err(named)
}

fn decode_int(cx: &Ctx, desc: i64, json: Any<'_>) -> Result<i64, Fault> {
    decode::scalar(cx, wanted(desc), json)
        .map(Value::int)
        .map_err(named)
}

fn decode_float(cx: &Ctx, desc: i64, json: Any<'_>) -> Result<f64, Fault> {
    decode::scalar(cx, wanted(desc), json)
        .map(Value::float)
        .map_err(named)
}

/// The operation of a failed conversion, as it is written.
fn named(fault: Fault) -> Fault {
    fault.during("as")
}

fn is_absent(json: Option<Any<'_>>) -> bool {
    json.is_none_or(decode::is_absent)
}

fn secret(cx: &Ctx, value: Option<Any<'_>>) {
    if let Some(value) = value {
        cx.add_secret(&show::interpolated_object(cx.descs(), value));
    }
}

/// The scalar that the descriptor of a box stands for.
fn boxed(cx: &Ctx, desc: i64) -> Scalar {
    match cx.descs().desc(desc as u32) {
        Desc::Box(scalar) => *scalar,
        other => unreachable!("a scalar is given by its box, this is {other:?}"),
    }
}

fn parse_scalar(cx: &Ctx, desc: i64, text: &str) -> Result<Value, Fault> {
    let parsed = parse::scalar(cx.descs(), boxed(cx, desc), text);
    parsed.map_err(|message| named(Fault::text(kind::SCRIPT_PARSE, message)))
}

fn parse_int(cx: &Ctx, desc: i64, text: &str) -> Result<i64, Fault> {
    parse_scalar(cx, desc, text).map(Value::int)
}

fn parse_float(cx: &Ctx, desc: i64, text: &str) -> Result<f64, Fault> {
    parse_scalar(cx, desc, text).map(Value::float)
}

fn parse_object(cx: &Ctx, desc: i64, text: &str) -> Result<Own, Fault> {
    decode::from_text(cx, wanted(desc), text).map_err(named)
}

fn json_len(cx: &Ctx, json: Any<'_>) -> Result<i64, Fault> {
    use crate::object::Seen;
    match json.seen(cx.descs()) {
        Seen::List(list) => Ok(list.len() as i64),
        Seen::Tuple(tuple) => Ok(tuple.len(cx.descs()) as i64),
        Seen::Missing(path) => Err(not_array(&format!("`{path}` is missing"))),
        Seen::Null => Err(not_array("found null")),
        _ => {
            let mut found = show::json_object(cx.descs(), json, None);
            if found.len() > 40 {
                found.truncate(found.floor_char_boundary(40));
                found.push_str("...");
            }
            Err(not_array(&format!("found {found}")))
        }
    }
}

fn not_array(found: &str) -> Fault {
    Fault::text(kind::SCRIPT_DECODE, format!("expected an array, {found}")).during("for")
}

fn json_at(cx: &Ctx, json: Any<'_>, at: i64) -> Own {
    use crate::object::Seen;
    let at = at as usize;
    let slot = match json.seen(cx.descs()) {
        Seen::List(list) => list.at(cx.descs(), at),
        Seen::Tuple(tuple) => (at < tuple.len(cx.descs())).then(|| tuple.slot(cx.descs(), at)),
        _ => None,
    };
    match slot.map(|slot| (slot.scalar(), slot.any())) {
        Some((Some((scalar, value)), _)) => cx.heap.boxed(cx.descs().box_of(scalar), value),
        Some((None, Some(any))) => any.to_own(),
        _ => cx.heap.null(),
    }
}

/// Cannot fail: the checker has compared the fields.
fn record_convert(cx: &Ctx, desc: i64, record: Any<'_>) -> Own {
    decode::object(cx, wanted(desc), record)
        .expect("the checker allows records to convert only where all fields fit")
}
