//! Equality, order and text of objects of all kinds.

use super::decode;
use super::order::{compare, compare_objects, equal_objects};
use super::parse;
use super::show::{interpolated_object, json_object};
use super::{Own, OwnSlot, VarList, VarMap};
use crate::descs::Descs;
use crate::{Ctx, Settings, desc};
use scn_compiler::ir::desc::fixed;
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
pub(super) fn with_ctx(f: impl FnOnce(&Ctx)) {
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
fn shared_parts_are_not_compared() {
    with_ctx(|ctx| {
        let twice = |inner: Own, _| json_list(ctx, vec![inner.clone(), inner]);
        let shared = (0..60).fold(ctx.heap.null(), twice);
        let holder = || json_list(ctx, vec![shared.clone()]);
        assert!(equal(ctx, &holder(), &holder()));
    });
}

#[test]
fn deep_levels_are_indented_no_further() {
    with_ctx(|ctx| {
        let levels = 10_000;
        let deep = (0..levels).fold(ctx.heap.null(), |inner, _| json_list(ctx, vec![inner]));
        let text = json_object(ctx.descs(), deep.as_any(), Some(2));
        assert!(text.len() < levels * 2 * 600, "{}", text.len());
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

#[test]
fn json_decodes_to_records() {
    with_ctx(|ctx| {
        let heap = &ctx.heap;
        let name = || ("name", heap.string("ann"));
        let decoded = |value: Own| {
            let decoded =
                decode::object(ctx, RECORD, value.as_any()).map_err(|fault| fault.message());
            decoded.map(|user| json_object(ctx.descs(), user.as_any(), None))
        };
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            decoded(json_map(ctx, vec![name(), ("x", heap.null())])),
            ok(r#"{"name":"ann","age":null}"#)
        );
        assert_eq!(
            decoded(json_map(ctx, vec![("age", heap.box_float(7.0)), name()])),
            ok(r#"{"name":"ann","age":7}"#)
        );
        let wrong = |text: &str| Err(text.to_owned());
        assert_eq!(decoded(json_map(ctx, vec![])), wrong("`$.name` is missing"));
        let half = json_map(ctx, vec![name(), ("age", heap.box_float(0.5))]);
        assert_eq!(decoded(half), wrong("expected int at `$.age`, found 0.5"));
        let number = json_map(ctx, vec![("name", heap.box_int(1))]);
        assert_eq!(
            decoded(number),
            wrong("expected string at `$.name`, found 1")
        );
        assert_eq!(
            decoded(heap.missing("$.user")),
            wrong("`$.user` is missing")
        );
        assert_eq!(
            decoded(json_list(ctx, vec![])),
            wrong("expected an object (User), found an array of 0")
        );
    });
}

#[test]
fn json_decodes_to_lists_maps_and_scalars() {
    with_ctx(|ctx| {
        let heap = &ctx.heap;
        let decoded = |wanted, value: Own| {
            let decoded =
                decode::object(ctx, wanted, value.as_any()).map_err(|fault| fault.message());
            decoded.map(|object| json_object(ctx.descs(), object.as_any(), None))
        };
        let ints = json_list(ctx, vec![heap.box_int(1), heap.string("2")]);
        let message = "expected int at `$[1]`, found string \"2\"";
        assert_eq!(decoded(desc::LIST_INT, ints), Err(message.to_owned()));
        let texts = json_map(ctx, vec![("a", heap.string("1"))]);
        assert_eq!(
            decoded(desc::MAP_STRING, texts).as_deref(),
            Ok(r#"{"a":"1"}"#)
        );
        let scalar = |wanted, value: Own| {
            decode::scalar(ctx, wanted, value.as_any()).map(|value| value.int())
        };
        assert_eq!(scalar(BOX_COLOR, heap.string("green")).ok(), Some(1));
        let blue = scalar(BOX_COLOR, heap.string("blue")).map_err(|fault| fault.message());
        assert_eq!(
            blue,
            Err("expected one of red, green, found string \"blue\"".to_owned())
        );
        assert_eq!(scalar(desc::BOX_INT, heap.box_int(3)).ok(), Some(3));
        assert_eq!(
            scalar(desc::BOX_INT, heap.big_number("1e30"))
                .err()
                .map(|fault| fault.kind().to_owned())
                .as_deref(),
            Some("script.decode")
        );
    });
}

#[test]
fn texts_parse_whole() {
    let descs = Descs::new(fixed(), Vec::new(), &[]);
    let int = |text| parse::scalar(&descs, Scalar::Int, text).map(|value| value.int());
    assert_eq!(int("-7"), Ok(-7));
    assert_eq!(int("7x"), Err("expected int, found `7x`".to_owned()));
    assert!(int("9223372036854775808").is_err());
    let float = |text| parse::scalar(&descs, Scalar::Float, text).map(|value| value.float());
    assert_eq!(float("1.5e3"), Ok(1500.0));
    assert!(float("inf").is_err() && float("").is_err());
    let rate = |text| parse::scalar(&descs, Scalar::Rate, text).map(|value| value.float());
    assert_eq!(rate("30/m"), Ok(0.5));
    for (text, nanos) in [
        ("250ms", Some(250_000_000)),
        ("1m30s", Some(90_000_000_000)),
        ("-1.5s", Some(-1_500_000_000)),
        ("1h", Some(3_600_000_000_000)),
        ("7us", Some(7_000)),
    ] {
        assert_eq!(parse::duration(text), nanos, "{text}");
    }
    for bad in ["", "-", "5", "s", "1x", "1..5s", "99999999999999999999h"] {
        assert_eq!(parse::duration(bad), None, "{bad}");
    }
}

#[test]
fn a_text_grows_in_its_block_while_it_is_the_only_one() {
    with_ctx(|cx| {
        let mut text = cx.heap.string("");
        let mut blocks = 0;
        for _ in 0..100_000 {
            let before = text.obj().bits();
            text = cx.heap.append(text, b"abc");
            blocks += u32::from(text.obj().bits() != before);
        }
        assert_eq!(text.as_any().as_str(), Some(&*"abc".repeat(100_000)));
        assert!(blocks < 300, "{blocks} blocks for 100,000 pieces");
        let shared = text.clone();
        let longer = cx.heap.append(text, b"!");
        assert_eq!(shared.as_any().as_str().map(str::len), Some(300_000));
        assert_eq!(longer.as_any().as_str().map(str::len), Some(300_001));
    });
}
