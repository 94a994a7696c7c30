//! Equality, order and text of objects of all kinds.

use super::order::{compare, compare_objects, equal_objects};
use super::show::{interpolated_object, json_object};
use super::{Own, OwnSlot, VarList, VarMap};
use crate::descs::{Descs, fixed};
use crate::{Ctx, Settings, desc};
use scn_compiler::ir::{Desc, DescId, EnumInfo, Scalar, SlotKind, SlotType};
use std::cmp::Ordering;
use std::sync::Arc;

const RECORD: DescId = DescId(desc::COUNT);
const REORDERED: DescId = DescId(desc::COUNT + 1);
const BOX_COLOR: DescId = DescId(desc::COUNT + 2);

fn slot(kind: SlotKind, optional: bool) -> SlotType {
    SlotType { kind, optional }
}

/// Runs `f` with a context whose heap must be empty again at its end.
fn with_ctx(f: impl FnOnce(&Ctx)) {
    let name = || {
        (
            "name".to_owned(),
            slot(SlotKind::Object(desc::STRING), false),
        )
    };
    let age = || ("age".to_owned(), slot(SlotKind::Scalar(Scalar::Int), true));
    let mut descs = fixed();
    descs.push(Desc::Record {
        name: Some("User".to_owned()),
        fields: vec![name(), age()],
    });
    descs.push(Desc::Record {
        name: None,
        fields: vec![age(), name()],
    });
    descs.push(Desc::Box(Scalar::Enum(0)));
    let color = EnumInfo {
        name: "Color".to_owned(),
        cases: vec!["red".to_owned(), "green".to_owned()],
    };
    let descs = Arc::new(Descs::new(descs, vec![color], &[]));
    let ctx = Ctx::new(descs, Arc::new(Settings::default()), Box::new(|_| {}));
    let entered = ctx.enter();
    f(&ctx);
    assert_eq!(ctx.heap.live(), 0);
    drop(entered);
}

fn json_map(ctx: &Ctx, entries: Vec<(&str, Own)>) -> Own {
    let mut map = VarMap::new(ctx, desc::JSON_MAP);
    for (key, value) in entries {
        map.insert(ctx, OwnSlot::own(ctx.heap.string(key)), OwnSlot::own(value));
    }
    map.into_own()
}

fn json_list(ctx: &Ctx, items: Vec<Own>) -> Own {
    let mut list = VarList::new(ctx, desc::JSON_LIST, 0);
    items
        .into_iter()
        .for_each(|item| list.push(ctx, OwnSlot::own(item)));
    list.into_own()
}

fn user(ctx: &Ctx, name: &str, age: Option<i64>) -> Own {
    let age = OwnSlot::option(age.map(|age| ctx.heap.box_int(age)));
    ctx.heap
        .record(RECORD, vec![OwnSlot::own(ctx.heap.string(name)), age])
}

fn equal(ctx: &Ctx, left: &Own, right: &Own) -> bool {
    let forth = equal_objects(ctx.descs(), left.as_any(), right.as_any());
    assert_eq!(
        forth,
        equal_objects(ctx.descs(), right.as_any(), left.as_any())
    );
    forth
}

#[test]
fn json_compares_by_structure() {
    with_ctx(|ctx| {
        let heap = &ctx.heap;
        let object = |age: Own| json_map(ctx, vec![("age", age), ("name", heap.string("ann"))]);
        assert!(equal(
            ctx,
            &user(ctx, "ann", Some(7)),
            &object(heap.box_int(7))
        ));
        assert!(equal(
            ctx,
            &user(ctx, "ann", Some(7)),
            &object(heap.box_float(7.0))
        ));
        assert!(equal(ctx, &user(ctx, "ann", None), &object(heap.null())));
        assert!(equal(
            ctx,
            &user(ctx, "ann", None),
            &json_map(ctx, vec![("name", heap.string("ann"))])
        ));
        assert!(!equal(
            ctx,
            &user(ctx, "ann", Some(7)),
            &object(heap.box_int(8))
        ));
        let more = json_map(ctx, vec![("name", heap.string("ann")), ("x", heap.null())]);
        assert!(!equal(ctx, &user(ctx, "ann", None), &more));
        let reordered = vec![
            OwnSlot::own(heap.box_int(7)),
            OwnSlot::own(heap.string("ann")),
        ];
        assert!(equal(
            ctx,
            &user(ctx, "ann", Some(7)),
            &heap.record(REORDERED, reordered)
        ));
        let mut ints = VarList::new(ctx, desc::LIST_INT, 0);
        [1, 2]
            .into_iter()
            .for_each(|int| ints.push(ctx, OwnSlot::int(int)));
        let ints = ints.into_own();
        assert!(equal(
            ctx,
            &ints,
            &json_list(ctx, vec![heap.box_int(1), heap.box_int(2)])
        ));
        assert!(!equal(ctx, &ints, &json_list(ctx, vec![heap.box_int(1)])));
        assert!(!equal(ctx, &heap.string("1"), &heap.box_int(1)));
        assert!(!equal(
            ctx,
            &heap.box_float(f64::NAN),
            &heap.box_float(f64::NAN)
        ));
        let green = heap.boxed(BOX_COLOR, crate::value::Value::from_int(1));
        assert!(equal(ctx, &green, &heap.string("green")));
        assert!(!equal(ctx, &green, &heap.box_int(1)));
    });
}

#[test]
fn deep_nesting_needs_no_stack() {
    with_ctx(|ctx| {
        let deep = || (0..200_000).fold(ctx.heap.null(), |inner, _| json_list(ctx, vec![inner]));
        let (left, right) = (deep(), deep());
        assert!(equal(ctx, &left, &right));
        assert_eq!(json_object(ctx.descs(), left.as_any(), None).len(), 400_004);
    });
}

#[test]
fn orders() {
    with_ctx(|ctx| {
        let order =
            |left: Own, right: Own| compare_objects(ctx.descs(), left.as_any(), right.as_any());
        let heap = &ctx.heap;
        assert_eq!(
            order(heap.string("a"), heap.string("b")),
            Some(Ordering::Less)
        );
        assert_eq!(
            order(heap.bytes(b"b"), heap.bytes(b"a")),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(heap.box_float(f64::NAN), heap.box_float(1.0)),
            Some(Ordering::Greater)
        );
        let ip = |text: &str| heap.ip(text.parse().expect("an address"));
        assert_eq!(order(ip("10.0.0.9"), ip("10.0.0.10")), Some(Ordering::Less));
        assert_eq!(order(heap.null(), heap.null()), None);
        let user = user(ctx, "ann", None);
        let super::Seen::Record(fields) = user.as_any().seen(ctx.descs()) else {
            panic!("a record")
        };
        let age = fields.slot(ctx.descs(), 1);
        assert_eq!(compare(ctx.descs(), age, age), Some(Ordering::Equal));
    });
}

#[test]
fn texts() {
    with_ctx(|ctx| {
        let heap = &ctx.heap;
        let shown = |own: Own| interpolated_object(ctx.descs(), own.as_any());
        assert_eq!(shown(heap.string("a\"b")), "a\"b");
        assert_eq!(shown(heap.box_float(1.0)), "1.0");
        assert_eq!(shown(heap.ip("::1".parse().expect("an address"))), "::1");
        assert_eq!(shown(heap.missing("$.a")), "null");
        assert_eq!(
            shown(user(ctx, "a\"b\n\u{1}", None)),
            r#"{"name":"a\"b\n\u0001","age":null}"#
        );
        let nested = json_map(
            ctx,
            vec![
                (
                    "a",
                    json_list(ctx, vec![heap.box_int(1), json_list(ctx, vec![])]),
                ),
                ("b", heap.box_bool(true)),
            ],
        );
        assert_eq!(
            json_object(ctx.descs(), nested.as_any(), None),
            r#"{"a":[1,[]],"b":true}"#
        );
        let pretty = "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": true\n}";
        assert_eq!(json_object(ctx.descs(), nested.as_any(), Some(2)), pretty);
        assert_eq!(
            shown(json_list(
                ctx,
                vec![heap.box_float(f64::INFINITY), heap.big_number("1e999")]
            )),
            "[null,1e999]"
        );
    });
}
