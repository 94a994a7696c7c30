//! Equality and order of values. JSON compares structurally: an int with a float by value, a record with an object by
//! its fields, an enum with a string by its case. Nesting costs memory, not stack.

use super::seen::Seen;
use super::{Any, Map, Slot, Slots};
use crate::descs::{Descs, is_pointer};
use crate::host::RawSlot;
use crate::value::Value;
use scn_compiler::ir::{Desc, Scalar};
use std::cmp::Ordering;

/// Pairs that are still to be compared.
type Work<'a> = Vec<(Slot<'a>, Slot<'a>)>;

/// Whether two slots hold equal values.
pub fn equal<'a>(descs: &'a Descs, left: Slot<'a>, right: Slot<'a>) -> bool {
    let mut work = Work::new();
    equal_here(descs, left.seen(descs), right.seen(descs), &mut work) && equal_rest(descs, work)
}

/// Whether two objects are equal.
pub fn equal_objects<'a>(descs: &'a Descs, left: Any<'a>, right: Any<'a>) -> bool {
    let mut work = Work::new();
    left.obj() == right.obj()
        || equal_here(descs, left.seen(descs), right.seen(descs), &mut work)
            && equal_rest(descs, work)
}

fn equal_rest<'a>(descs: &'a Descs, mut work: Work<'a>) -> bool {
    while let Some((left, right)) = work.pop() {
        // Parts that are the same object are not walked: shared ones could be there very often.
        let is_same = is_pointer(left.ty) && is_pointer(right.ty) && left.bits == right.bits;
        if !is_same && !equal_here(descs, left.seen(descs), right.seen(descs), &mut work) {
            return false;
        }
    }
    true
}

/// Whether the values are equal as far as they are not made of parts; the parts are left to do.
fn equal_here<'a>(descs: &'a Descs, left: Seen<'a>, right: Seen<'a>, work: &mut Work<'a>) -> bool {
    match (left, right) {
        (Seen::None, Seen::None)
        | (Seen::Null, Seen::Null)
        | (Seen::Missing(_), Seen::Missing(_)) => true,
        (Seen::None, Seen::Null | Seen::Missing(_))
        | (Seen::Null | Seen::Missing(_), Seen::None) => true,
        (Seen::Scalar(a, x), Seen::Scalar(b, y)) => equal_scalars(descs, (a, x), (b, y)),
        (Seen::Scalar(Scalar::Enum(of), case), Seen::Str(text))
        | (Seen::Str(text), Seen::Scalar(Scalar::Enum(of), case)) => {
            descs.case(of, case.int()) == text
        }
        (Seen::Str(a), Seen::Str(b)) | (Seen::BigNumber(a), Seen::BigNumber(b)) => a == b,
        (Seen::Bytes(a), Seen::Bytes(b)) => a == b,
        (Seen::Ip(a), Seen::Ip(b)) => a == b,
        (Seen::Addr(a), Seen::Addr(b)) => a == b,
        (Seen::List(a), Seen::List(b)) => {
            a.len() == b.len() && push_all(work, a.iter(descs).zip(b.iter(descs)))
        }
        (Seen::Map(a), Seen::Map(b)) => equal_maps(descs, a, b, work),
        (Seen::Record(a), Seen::Record(b)) => equal_records(descs, a, b, work),
        (Seen::Record(record), Seen::Map(map)) | (Seen::Map(map), Seen::Record(record)) => {
            equal_object(descs, record, map, work)
        }
        (Seen::Tuple(a), Seen::Tuple(b)) | (Seen::Range(a), Seen::Range(b)) => {
            let len = a.len(descs);
            len == b.len(descs)
                && push_all(
                    work,
                    (0..len).map(|at| (a.slot(descs, at), b.slot(descs, at))),
                )
        }
        (Seen::Other(a), Seen::Other(b)) => a.obj() == b.obj(),
        _ => false,
    }
}

/// Leaves pairs to do.
fn push_all<'a>(work: &mut Work<'a>, pairs: impl Iterator<Item = (Slot<'a>, Slot<'a>)>) -> bool {
    work.extend(pairs);
    true
}

fn equal_scalars(descs: &Descs, (a, x): (Scalar, Value), (b, y): (Scalar, Value)) -> bool {
    use Scalar::{Enum, Float, Int, Rate};
    match (a, b) {
        (Float, Float) | (Rate, Rate) => x.float() == y.float(),
        (Int, Float) => x.int() as f64 == y.float(),
        (Float, Int) => x.float() == y.int() as f64,
        (Enum(a), Enum(b)) if a != b => descs.case(a, x.int()) == descs.case(b, y.int()),
        (Enum(_), Enum(_)) => x == y,
        _ => a == b && x == y,
    }
}

fn equal_maps<'a>(descs: &'a Descs, left: Map<'a>, right: Map<'a>, work: &mut Work<'a>) -> bool {
    let same_keys = left.len() == right.len()
        && (left.is_empty() || keys_are_pointers(descs, left) == keys_are_pointers(descs, right));
    same_keys
        && left.iter(descs).all(|(key, value)| {
            let other = right.find_raw(descs, RawSlot(key.bits));
            other.is_some_and(|other| push_all(work, std::iter::once((value, other))))
        })
}

fn keys_are_pointers(descs: &Descs, map: Map<'_>) -> bool {
    matches!(descs.desc(map.any().desc().0), Desc::Map(key, _) if is_pointer(*key))
}

fn equal_records<'a>(
    descs: &'a Descs,
    left: Slots<'a>,
    right: Slots<'a>,
    work: &mut Work<'a>,
) -> bool {
    let names = field_names(descs, left);
    let matching = |name: &str| left.field(descs, name).zip(right.field(descs, name));
    names.len() == right.len(descs)
        && names.iter().all(|(name, _)| {
            matching(name).is_some_and(|pair| push_all(work, std::iter::once(pair)))
        })
}

/// A record and a JSON object: fields that are `none` may be absent.
fn equal_object<'a>(
    descs: &'a Descs,
    record: Slots<'a>,
    map: Map<'a>,
    work: &mut Work<'a>,
) -> bool {
    let mut found = 0;
    let fields_fit = field_names(descs, record)
        .iter()
        .enumerate()
        .all(|(at, (name, _))| {
            let field = record.slot(descs, at);
            match map.find(descs, super::Key::str(name)) {
                Some(value) => {
                    found += 1;
                    push_all(work, std::iter::once((field, value)))
                }
                None => matches!(field.seen(descs), Seen::None),
            }
        });
    fields_fit && keys_are_pointers(descs, map) && found == map.len()
}

fn field_names<'a>(
    descs: &'a Descs,
    record: Slots<'_>,
) -> &'a [(String, scn_compiler::ir::SlotType)] {
    match descs.desc(record.any().desc().0) {
        Desc::Record { fields, .. } => fields,
        _ => &[],
    }
}

/// The order of two values of one type, if it has one: scalars, strings, bytes, addresses.
/// Floats are ordered totally, NaN behind all others.
pub fn compare<'a>(descs: &'a Descs, left: Slot<'a>, right: Slot<'a>) -> Option<Ordering> {
    compare_seen(left.seen(descs), right.seen(descs))
}

/// The order of two objects, if they have one.
pub fn compare_objects<'a>(descs: &'a Descs, left: Any<'a>, right: Any<'a>) -> Option<Ordering> {
    compare_seen(left.seen(descs), right.seen(descs))
}

/// `none` comes first.
fn compare_seen(left: Seen<'_>, right: Seen<'_>) -> Option<Ordering> {
    match (left, right) {
        (Seen::None, Seen::None) => Some(Ordering::Equal),
        (Seen::None, _) => Some(Ordering::Less),
        (_, Seen::None) => Some(Ordering::Greater),
        (Seen::Scalar(Scalar::Float | Scalar::Rate, a), Seen::Scalar(_, b)) => Some(
            a.float()
                .partial_cmp(&b.float())
                .unwrap_or_else(|| a.float().is_nan().cmp(&b.float().is_nan())),
        ),
        (Seen::Scalar(_, a), Seen::Scalar(_, b)) => Some(a.int().cmp(&b.int())),
        (Seen::Str(a), Seen::Str(b)) => Some(a.cmp(b)),
        (Seen::Bytes(a), Seen::Bytes(b)) => Some(a.cmp(b)),
        (Seen::Ip(a), Seen::Ip(b)) => Some(a.cmp(&b)),
        (Seen::Addr(a), Seen::Addr(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}
