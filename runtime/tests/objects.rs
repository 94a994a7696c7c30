//! Lists, maps, deep values and frozen ones, from the outside.

use scn_compiler::ir::{ConstObject, Desc, Program, Scalar, SlotKind, SlotType};
use scn_runtime::desc::fixed;
use scn_runtime::object::order;
use scn_runtime::{Ctx, DescId, Fault, Key, Linked, OwnSlot, Settings, VarList, VarMap, desc};
use std::sync::Arc;

/// `map<int, string>`, behind the fixed descriptors.
const MAP_INT: DescId = DescId(desc::COUNT);
/// `map<ip, json>`.
const MAP_IP: DescId = DescId(desc::COUNT + 1);

fn with_ctx(test: impl FnOnce(&Ctx)) {
    let plain = |kind| SlotType {
        kind,
        optional: false,
    };
    let mut descs = fixed();
    descs.push(Desc::Map(
        plain(SlotKind::Scalar(Scalar::Int)),
        plain(SlotKind::Object(desc::STRING)),
    ));
    descs.push(Desc::Map(
        plain(SlotKind::Object(desc::IP)),
        plain(SlotKind::Any),
    ));
    let consts = vec![ConstObject::Regex("a+".to_owned())];
    let linked = Linked::link(
        Program {
            descs,
            consts,
            ..Program::default()
        },
        &[],
    )
    .expect("it links");
    let linked = Arc::new(linked);
    let ctx = Ctx::new(
        linked.descs.clone(),
        Arc::new(Settings::default()),
        Box::new(|_| {}),
    );
    ctx.set_linked(linked);
    let entered = ctx.enter();
    test(&ctx);
    drop(entered);
    assert_eq!(ctx.heap.live(), 0, "an object was left behind");
    assert_eq!(ctx.heap.account().bytes(), 0, "bytes were left behind");
}

fn string(ctx: &Ctx, text: &str) -> OwnSlot {
    OwnSlot::own(ctx.heap.string(text))
}

#[test]
fn a_large_map_finds_removes_and_keeps_order() {
    with_ctx(|ctx| {
        let mut map = VarMap::new(ctx, MAP_INT);
        for at in 0..1000 {
            map.insert(ctx, OwnSlot::int(at * 7), string(ctx, &at.to_string()));
        }
        map.insert(ctx, OwnSlot::int(14), string(ctx, "again"));
        assert_eq!(map.as_map().len(), 1000);
        assert_eq!(map.as_map().find_str_of(ctx, 14), Some("again"));
        for at in (0..1000).step_by(2) {
            assert!(map.remove(ctx, Key::Scalar(at * 7)).is_some());
        }
        assert!(map.remove(ctx, Key::Scalar(0)).is_none());
        let keys: Vec<u64> = map
            .as_map()
            .iter(ctx.descs())
            .map(|(key, _)| key.bits)
            .collect();
        assert_eq!(
            keys,
            (0..1000)
                .filter(|at| at % 2 == 1)
                .map(|at| at * 7)
                .collect::<Vec<_>>()
        );
        assert_eq!(map.as_map().find_str_of(ctx, 7), Some("1"));
    });
}

/// Shorthand of these tests.
trait FindInt<'a> {
    fn find_str_of(self, ctx: &Ctx, key: u64) -> Option<&'a str>;
}

impl<'a> FindInt<'a> for scn_runtime::Map<'a> {
    fn find_str_of(self, ctx: &Ctx, key: u64) -> Option<&'a str> {
        self.find(ctx.descs(), Key::Scalar(key))?.str()
    }
}

#[test]
fn changing_a_shared_map_or_list_leaves_the_other_alone() {
    with_ctx(|ctx| {
        let mut map = VarMap::new(ctx, desc::MAP_STRING);
        map.insert_str(ctx, "a", "1");
        let kept = map.as_map().any().to_own();
        map.insert_str(ctx, "a", "2");
        map.insert_str(ctx, "b", "3");
        assert_eq!(map.as_map().find_str(ctx.descs(), "a"), Some("2"));
        let other = VarMap::new(ctx, desc::MAP_STRING).into_own();
        assert!(!order::equal_objects(
            ctx.descs(),
            kept.as_any(),
            other.as_any()
        ));
        let mut list = VarList::of_strings(ctx, ["c", "a", "b"]);
        let unsorted = list.as_list().any().to_own();
        list.sort_by(ctx, |left, right| left.str().cmp(&right.str()));
        list.insert(ctx, 1, string(ctx, "x"));
        drop(list.remove(ctx, 0));
        assert_eq!(
            list.as_list().strings(ctx.descs()).collect::<Vec<_>>(),
            ["x", "b", "c"]
        );
        let unsorted = VarList::from_own(ctx, unsorted).expect("a list");
        assert_eq!(
            unsorted.as_list().strings(ctx.descs()).collect::<Vec<_>>(),
            ["c", "a", "b"]
        );
    });
}

#[test]
fn addresses_are_keys_by_content() {
    with_ctx(|ctx| {
        let mut map = VarMap::new(ctx, MAP_IP);
        for last in 0..40 {
            let ip = [127, 0, 0, last].into();
            map.insert(
                ctx,
                OwnSlot::own(ctx.heap.ip(ip)),
                OwnSlot::own(ctx.heap.box_int(i64::from(last))),
            );
        }
        let found = map
            .as_map()
            .find(ctx.descs(), Key::Ip([127, 0, 0, 33].into()));
        assert!(found.is_some());
        assert!(
            map.as_map()
                .find(ctx.descs(), Key::Ip([127, 0, 0, 50].into()))
                .is_none()
        );
    });
}

#[test]
fn any_number_of_levels_is_dropped_compared_and_frozen_without_stack() {
    with_ctx(|ctx| {
        let nest = |levels: usize| {
            let mut value = ctx.heap.box_int(1);
            for _ in 0..levels {
                let mut list = VarList::new(ctx, desc::JSON_LIST, 1);
                list.push(ctx, OwnSlot::own(value));
                value = list.into_own();
            }
            value
        };
        let levels = if cfg!(miri) { 100 } else { 200_000 };
        let (left, right) = (nest(levels), nest(levels));
        assert!(order::equal_objects(
            ctx.descs(),
            left.as_any(),
            right.as_any()
        ));
        let frozen = ctx
            .linked()
            .frozen()
            .freeze(left.obj())
            .expect("lists can be shared");
        drop(left);
        // SAFETY: frozen objects live as long as the program.
        let frozen = unsafe { scn_runtime::Any::from_obj(frozen) };
        assert!(order::equal_objects(ctx.descs(), frozen, right.as_any()));
        drop(frozen.to_own());
    });
}

#[test]
fn frozen_values_share_what_was_shared() {
    with_ctx(|ctx| {
        // Doubling 60 times would be 2^60 elements if sharing were lost.
        let mut value = ctx.heap.error(Fault::invalid("x"));
        for _ in 0..60 {
            let mut list = VarList::new(ctx, desc::JSON_LIST, 2);
            list.push(ctx, OwnSlot::own(value.clone()));
            list.push(ctx, OwnSlot::own(value));
            value = list.into_own();
        }
        assert!(ctx.linked().frozen().freeze(value.obj()).is_ok());
        let mut map = VarMap::new(ctx, desc::MAP_STRING);
        (0..100).for_each(|at| map.insert_str(ctx, &at.to_string(), "v"));
        let frozen = ctx
            .linked()
            .frozen()
            .freeze(map.as_map().any().obj())
            .expect("maps can be shared");
        // SAFETY: frozen objects live as long as the program.
        let frozen = unsafe { scn_runtime::Any::from_obj(frozen) };
        let scn_runtime::View::Map(copy) = frozen.view(ctx.descs()) else {
            panic!("a map")
        };
        assert_eq!(copy.find_str(ctx.descs(), "77"), Some("v"));
    });
}

#[test]
fn one_user_pays_for_its_objects_only() {
    with_ctx(|ctx| {
        let before = ctx.heap.account().bytes();
        let text = ctx.heap.string(&"x".repeat(5000));
        assert!(ctx.heap.account().bytes() >= before + 5000);
        drop(text);
        assert_eq!(ctx.heap.account().bytes(), before);
        assert_eq!(
            ctx.reserve(100 << 20).expect_err("too much").kind(),
            "script.memory"
        );
    });
}
