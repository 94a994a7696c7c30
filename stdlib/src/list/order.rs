//! Methods of `list` that compare elements or add them up.

use crate::raise;
use scn_compiler::ir::Scalar;
use scn_runtime::object::order::{compare, equal};
use scn_runtime::object::show;
use scn_runtime::{
    Ctx, DescId, Fault, List, NativeDef, OwnSlot, RawSlot, Seen, Slot, VarList, ready,
};
use std::cmp::Ordering;
use std::collections::HashSet;

/// The natives of this part.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        ready("list.contains", contains),
        ready("list.find", find),
        ready("list.count", count),
        ready("list.sorted", sorted),
        ready("list.unique", unique),
        ready("list.join", join),
        ready("list.sum", sum),
        ready("list.mean", mean),
        ready("list.min", min),
        ready("list.max", max),
    ]
}

fn position(ctx: &Ctx, list: List<'_>, value: RawSlot) -> Option<usize> {
    let value = list.typed(ctx.descs(), value);
    list.iter(ctx.descs())
        .position(|slot| equal(ctx.descs(), slot, value))
}

fn contains(ctx: &Ctx, list: List<'_>, value: RawSlot) -> bool {
    position(ctx, list, value).is_some()
}

fn find(ctx: &Ctx, list: List<'_>, value: RawSlot) -> Option<i64> {
    position(ctx, list, value).map(|at| at as i64)
}

fn count(ctx: &Ctx, list: List<'_>, value: RawSlot) -> i64 {
    let value = list.typed(ctx.descs(), value);
    list.iter(ctx.descs())
        .filter(|slot| equal(ctx.descs(), *slot, value))
        .count() as i64
}

/// What an element is sorted by: itself, or its field.
fn key<'a>(ctx: &'a Ctx, slot: Slot<'a>, by: Option<&str>) -> Option<Slot<'a>> {
    let Some(by) = by else { return Some(slot) };
    match slot.seen(ctx.descs()) {
        Seen::Record(record) => record.field(ctx.descs(), by),
        Seen::Map(map) => map.find(ctx.descs(), scn_runtime::Key::str(by)),
        _ => None,
    }
}

fn sorted(ctx: &Ctx, list: List<'_>, by: Option<&str>, descending: bool) -> Result<VarList, Fault> {
    let descs = ctx.descs();
    for slot in list.iter(descs) {
        let key = key(ctx, slot, by).ok_or_else(|| no_field(by))?;
        if compare(descs, key, key).is_none() {
            return Err(raise::argument("the values to sort by have no order"));
        }
    }
    let mut sorted = super::part(ctx, list, 0, list.len());
    sorted.sort_by(ctx, |left, right| {
        let order = match (key(ctx, left, by), key(ctx, right, by)) {
            (Some(left), Some(right)) => compare(descs, left, right).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        };
        if descending { order.reverse() } else { order }
    });
    Ok(sorted)
}

fn no_field(by: Option<&str>) -> Fault {
    raise::argument(format!(
        "an element has no field `{}`",
        by.unwrap_or_default()
    ))
}

fn unique(ctx: &Ctx, list: List<'_>) -> VarList {
    let mut unique = VarList::new(ctx, list.any().desc(), 0);
    let mut known = Known::default();
    for slot in list.iter(ctx.descs()) {
        if known.is_new(ctx, slot) {
            unique.push(ctx, slot.to_own());
        }
    }
    unique
}

/// Elements seen so far: hashed where hashing means equality, else one by one.
#[derive(Default)]
struct Known<'a> {
    ints: HashSet<u64>,
    texts: HashSet<&'a str>,
    others: Vec<Slot<'a>>,
}

impl<'a> Known<'a> {
    fn is_new(&mut self, ctx: &'a Ctx, slot: Slot<'a>) -> bool {
        match (slot.scalar(), slot.str()) {
            (Some((Scalar::Float | Scalar::Rate, _)), _) | (None, None) => {
                let new = !self
                    .others
                    .iter()
                    .any(|other| equal(ctx.descs(), *other, slot));
                self.others.extend(new.then_some(slot));
                new
            }
            (Some((_, value)), _) => self.ints.insert(value.0),
            (None, Some(text)) => self.texts.insert(text),
        }
    }
}

fn join(ctx: &Ctx, list: List<'_>, separator: &str) -> Result<String, Fault> {
    ctx.reserve(list.len().saturating_mul(separator.len()))?;
    let texts: Vec<_> = list
        .iter(ctx.descs())
        .map(|slot| show::interpolated(ctx.descs(), slot))
        .collect();
    Ok(texts.join(separator))
}

/// Whether the elements are floats; an error if they are no numbers.
fn are_floats(ctx: &Ctx, list: List<'_>) -> Result<bool, Fault> {
    use scn_compiler::ir::SlotKind::Scalar as Of;
    let ty = list.element_type(ctx.descs());
    match (ty.kind, ty.optional) {
        (Of(Scalar::Float | Scalar::Rate), false) => Ok(true),
        (Of(Scalar::Int | Scalar::Duration), false) => Ok(false),
        _ => Err(raise::argument("the elements are no numbers")),
    }
}

fn sum(ctx: &Ctx, list: List<'_>) -> Result<OwnSlot, Fault> {
    if are_floats(ctx, list)? {
        return Ok(OwnSlot::float(
            list.bits().iter().map(|bits| f64::from_bits(*bits)).sum(),
        ));
    }
    let sum = list
        .bits()
        .iter()
        .try_fold(0i64, |sum, bits| sum.checked_add(*bits as i64));
    sum.map(OwnSlot::int)
        .ok_or_else(|| raise::arithmetic("integer overflow in a sum"))
}

fn mean(ctx: &Ctx, _result: DescId, list: List<'_>) -> Option<OwnSlot> {
    let len = list.len();
    let bits = list.bits().iter();
    match are_floats(ctx, list) {
        Ok(_) if len == 0 => None,
        Ok(true) => Some(OwnSlot::float(
            bits.map(|bits| f64::from_bits(*bits)).sum::<f64>() / len as f64,
        )),
        Ok(false) => {
            let sum: i128 = bits.map(|bits| i128::from(*bits as i64)).sum();
            Some(OwnSlot::int((sum / len as i128) as i64))
        }
        Err(_) => None,
    }
}

/// The first element that none precedes.
fn extreme(ctx: &Ctx, list: List<'_>, wanted: Ordering) -> Option<OwnSlot> {
    let better = |best: Slot<'_>, slot: Slot<'_>| compare(ctx.descs(), slot, best) == Some(wanted);
    let best = list
        .iter(ctx.descs())
        .reduce(|best, slot| if better(best, slot) { slot } else { best });
    best.map(|slot| slot.to_own())
}

fn min(ctx: &Ctx, list: List<'_>) -> Option<OwnSlot> {
    extreme(ctx, list, Ordering::Less)
}

fn max(ctx: &Ctx, list: List<'_>) -> Option<OwnSlot> {
    extreme(ctx, list, Ordering::Greater)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOATS, USER, USERS, with_ctx};
    use scn_compiler::ir::desc;

    fn ints(ctx: &Ctx, ints: &[i64]) -> VarList {
        crate::list::of_ints(ctx, ints.iter().copied())
    }

    fn shown(ctx: &Ctx, list: &VarList) -> String {
        show::json_object(ctx.descs(), list.as_list().any(), None)
    }

    fn users(ctx: &Ctx) -> VarList {
        let mut users = VarList::new(ctx, USERS, 0);
        for (name, age, score) in [
            ("bob", Some(30), 1.0),
            ("ann", None, 1.0),
            ("cid", Some(4), 0.5),
        ] {
            let age = OwnSlot::option(age.map(|age| ctx.heap.box_int(age)));
            let slots = vec![
                OwnSlot::own(ctx.heap.string(name)),
                age,
                OwnSlot::float(score),
            ];
            users.push(ctx, OwnSlot::own(ctx.heap.record(USER, slots)));
        }
        users
    }

    #[test]
    fn sorting_is_stable_and_by_field() {
        with_ctx(|ctx| {
            let list = ints(ctx, &[3, -1, 2]);
            let sorted_ints = |descending| {
                sorted(ctx, list.as_list(), None, descending).expect("ints have an order")
            };
            assert_eq!(shown(ctx, &sorted_ints(false)), "[-1,2,3]");
            assert_eq!(shown(ctx, &sorted_ints(true)), "[3,2,-1]");
            assert_eq!(shown(ctx, &list), "[3,-1,2]");
            let users = users(ctx);
            let names = |by: &str, descending| {
                let sorted = sorted(ctx, users.as_list(), Some(by), descending)
                    .expect("fields have an order");
                let first_letters = shown(ctx, &sorted);
                ["ann", "bob", "cid"]
                    .map(|name| first_letters.find(name).expect("each name is there"))
            };
            let [ann, bob, cid] = names("age", false);
            assert!(ann < cid && cid < bob, "none comes first");
            let [ann, bob, cid] = names("score", false);
            assert!(cid < bob && bob < ann, "equal scores keep their order");
            let message = |by| {
                sorted(ctx, users.as_list(), by, false)
                    .expect_err("no order")
                    .message()
            };
            assert_eq!(message(Some("email")), "an element has no field `email`");
            assert_eq!(message(None), "the values to sort by have no order");
        });
    }

    #[test]
    fn finding_and_counting() {
        with_ctx(|ctx| {
            let list = ints(ctx, &[1, 2, 1]);
            assert!(contains(ctx, list.as_list(), RawSlot(2)));
            assert_eq!(find(ctx, list.as_list(), RawSlot(1)), Some(0));
            assert_eq!(find(ctx, list.as_list(), RawSlot(9)), None);
            assert_eq!(count(ctx, list.as_list(), RawSlot(1)), 2);
            assert_eq!(shown(ctx, &unique(ctx, list.as_list())), "[1,2]");
            let texts = VarList::of_strings(ctx, ["b", "a", "b"]);
            let wanted = ctx.heap.string("a");
            assert_eq!(
                find(ctx, texts.as_list(), RawSlot(wanted.obj().bits())),
                Some(1)
            );
            assert_eq!(shown(ctx, &unique(ctx, texts.as_list())), r#"["b","a"]"#);
            assert_eq!(
                join(ctx, texts.as_list(), "-").ok().as_deref(),
                Some("b-a-b")
            );
            assert_eq!(
                join(ctx, list.as_list(), ", ").ok().as_deref(),
                Some("1, 2, 1")
            );
            let users = users(ctx);
            let twice = crate::list::part(ctx, users.as_list(), 0, 3);
            assert_eq!(unique(ctx, twice.as_list()).as_list().len(), 3);
        });
    }

    #[test]
    fn sums_and_extremes() {
        with_ctx(|ctx| {
            let list = ints(ctx, &[3, 1, 2]);
            assert_eq!(
                sum(ctx, list.as_list()).map(|slot| slot.bits()).ok(),
                Some(6)
            );
            assert_eq!(
                mean(ctx, desc::BOX_INT, list.as_list()).map(|slot| slot.bits()),
                Some(2)
            );
            assert_eq!(min(ctx, list.as_list()).map(|slot| slot.bits()), Some(1));
            assert_eq!(max(ctx, list.as_list()).map(|slot| slot.bits()), Some(3));
            let most = ints(ctx, &[i64::MAX, 1]);
            assert_eq!(
                sum(ctx, most.as_list()).expect_err("overflow").kind(),
                "script.arithmetic"
            );
            assert!(min(ctx, ints(ctx, &[]).as_list()).is_none());
            let mut floats = VarList::new(ctx, FLOATS, 0);
            [0.5, 1.5]
                .into_iter()
                .for_each(|float| floats.push(ctx, OwnSlot::float(float)));
            assert_eq!(
                sum(ctx, floats.as_list())
                    .map(|slot| f64::from_bits(slot.bits()))
                    .ok(),
                Some(2.0)
            );
            assert_eq!(
                mean(ctx, desc::BOX_FLOAT, floats.as_list())
                    .map(|slot| f64::from_bits(slot.bits())),
                Some(1.0)
            );
            let texts = VarList::of_strings(ctx, ["b", "a"]);
            assert!(sum(ctx, texts.as_list()).is_err());
        });
    }
}
