//! What unit tests of natives stand on: a context whose heap must be empty at the end.

use scn_compiler::ir::{Desc, DescId, Scalar, SlotKind, SlotType};
use scn_runtime::desc::fixed;
use scn_runtime::descs::Descs;
use scn_runtime::object::show;
use scn_runtime::{Ctx, Settings, VarList, desc};
use std::sync::Arc;

/// `list<User>` of [`USER`].
pub(crate) const USERS: DescId = DescId(desc::COUNT);
/// `{ name: string, age: int?, score: float }`.
pub(crate) const USER: DescId = DescId(desc::COUNT + 1);
/// `list<float>`.
pub(crate) const FLOATS: DescId = DescId(desc::COUNT + 2);
/// `Match` of the module `re`.
pub(crate) const MATCH: DescId = DescId(desc::COUNT + 4);
/// `list<Match>`.
pub(crate) const MATCHES: DescId = DescId(desc::COUNT + 5);
/// `list<string?>`.
const OPTIONAL_STRINGS: DescId = DescId(desc::COUNT + 6);
/// `list<list<int>>`.
pub(crate) const INT_LISTS: DescId = DescId(desc::COUNT + 3);

fn slot(kind: SlotKind, optional: bool) -> SlotType {
    SlotType { kind, optional }
}

fn descs() -> Descs {
    let scalar = |scalar, optional| slot(SlotKind::Scalar(scalar), optional);
    let object = |desc| slot(SlotKind::Object(desc), false);
    let field = |name: &str, slot| (name.to_owned(), slot);
    let mut all = fixed();
    all.push(Desc::List(object(USER)));
    all.push(Desc::Record {
        name: Some("User".to_owned()),
        fields: vec![
            field("name", object(desc::STRING)),
            field("age", scalar(Scalar::Int, true)),
            field("score", scalar(Scalar::Float, false)),
        ],
    });
    all.push(Desc::List(scalar(Scalar::Float, false)));
    all.push(Desc::List(object(desc::LIST_INT)));
    all.push(Desc::Record {
        name: Some("Match".to_owned()),
        fields: vec![
            field("text", object(desc::STRING)),
            field("start", scalar(Scalar::Int, false)),
            field("end", scalar(Scalar::Int, false)),
            field("groups", object(OPTIONAL_STRINGS)),
            field("names", object(desc::MAP_STRING)),
        ],
    });
    all.push(Desc::List(object(MATCH)));
    all.push(Desc::List(slot(SlotKind::Object(desc::STRING), true)));
    Descs::new(all, Vec::new(), &[])
}

/// Runs `f` with a context.
pub(crate) fn with_ctx(f: impl FnOnce(&Ctx)) {
    let ctx = Ctx::new(
        Arc::new(descs()),
        Arc::new(Settings::default()),
        Box::new(|_| {}),
    );
    let entered = ctx.enter();
    f(&ctx);
    assert_eq!(ctx.heap.live(), 0, "objects that nobody gave up");
    drop(entered);
}

/// A list as JSON.
pub(crate) fn shown(ctx: &Ctx, list: &VarList) -> String {
    show::json_object(ctx.descs(), list.as_list().any(), None)
}
