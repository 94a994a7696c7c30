//! JSON: methods of `json` and the module. Navigation never fails: what is not there remembers the path.

mod extract;
mod parse;
mod path;
mod quick;
mod scan;
mod select;

pub(crate) use extract::{part, parts};
pub(crate) use parse::parse;

use crate::raise;
use path::Path;
use scn_runtime::descs::Descs;
use scn_runtime::object::{order, show};
use scn_runtime::{
    Any, Ctx, Fault, Key, List, NativeDef, Own, OwnSlot, Seen, Slot, Text, VarList, desc, ready,
};
use select::{Node, View};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("json.field", member),
        ready("json.key", member),
        ready("json.at", at),
        ready("json.query", query),
        ready("json.find", find),
        ready("json.len", len),
        ready("json.keys", keys),
        ready("json.values", values),
        ready("json.kind", kind),
        ready("json.exists", exists),
        ready("json.is_null", is_null),
        ready("json.contains", contains),
        ready("json.text", text),
        ready("json.pretty", pretty),
        ready("json.encode", text),
        ready("json.parse", parse_text),
        ready("json.parse_part", parse_part),
        ready("json.parse_parts", parse_parts),
        ready("json.null", null),
    ]
}

/// The member of an object or the field of a record, `none` included.
fn find_member<'a>(descs: &'a Descs, json: Any<'a>, name: &str) -> Option<Slot<'a>> {
    match json.seen(descs) {
        Seen::Map(map) => map.find(descs, Key::str(name)),
        Seen::Record(record) => record.field(descs, name),
        _ => None,
    }
}

fn member(ctx: &Ctx, json: Any<'_>, name: &str) -> Own {
    match find_member(ctx.descs(), json, name) {
        Some(slot) => slot.to_any(ctx),
        None => missing(ctx, json, &format!(".{name}")),
    }
}

/// What stands for a path that leads nowhere.
fn missing(ctx: &Ctx, json: Any<'_>, step: &str) -> Own {
    match json.seen(ctx.descs()) {
        Seen::Missing(path) => ctx.heap.missing(&format!("{path}{step}")),
        _ => ctx.heap.missing(step),
    }
}

/// The element of an array.
fn find_element<'a>(descs: &'a Descs, json: Any<'a>, index: i64) -> Option<Slot<'a>> {
    let place = |len: usize| select::position(index, len);
    match json.seen(descs) {
        Seen::List(list) => list.at(descs, place(list.len())?),
        Seen::Tuple(tuple) => place(tuple.len(descs)).map(|at| tuple.slot(descs, at)),
        _ => None,
    }
}

fn at(ctx: &Ctx, json: Any<'_>, index: i64) -> Own {
    match find_element(ctx.descs(), json, index) {
        Some(slot) => slot.to_any(ctx),
        None => missing(ctx, json, &format!("[{index}]")),
    }
}

fn select_all<'c>(ctx: &'c Ctx, json: Any<'_>, path: &str) -> Result<Vec<Value<'c>>, Fault> {
    let path = Path::parse(path).map_err(raise::argument)?;
    Ok(select::select(
        &Value {
            ctx,
            own: json.to_own(),
        },
        &path,
    ))
}

fn query(ctx: &Ctx, json: Any<'_>, path: &str) -> Result<VarList, Fault> {
    let found = select_all(ctx, json, path)?;
    Ok(list_of(ctx, found.into_iter().map(|value| value.own)))
}

fn find(ctx: &Ctx, json: Any<'_>, path: &str) -> Result<Own, Fault> {
    let first = select_all(ctx, json, path)?.into_iter().next();
    Ok(first.map_or_else(|| ctx.heap.missing(path), |value| value.own))
}

/// A `list<json>`.
fn list_of(ctx: &Ctx, items: impl IntoIterator<Item = Own>) -> VarList {
    let mut list = VarList::new(ctx, desc::JSON_LIST, 0);
    for item in items {
        list.push(ctx, OwnSlot::own(item));
    }
    list
}

/// The error of a value that is of another kind.
fn unexpected(ctx: &Ctx, wanted: &str, json: Any<'_>) -> Fault {
    match json.seen(ctx.descs()) {
        Seen::Missing(path) => raise::decode(format!("`{path}` is missing")),
        seen => raise::decode(format!(
            "expected {wanted}, found {}",
            kind_of(ctx.descs(), seen)
        )),
    }
}

fn len(ctx: &Ctx, json: Any<'_>) -> Result<i64, Fault> {
    match json.seen(ctx.descs()) {
        Seen::List(list) => Ok(list.len() as i64),
        Seen::Tuple(tuple) => Ok(tuple.len(ctx.descs()) as i64),
        _ => Err(unexpected(ctx, "an array", json)),
    }
}

/// The members of an object with their names.
fn members(ctx: &Ctx, json: Any<'_>) -> Result<Vec<(String, Own)>, Fault> {
    let descs = ctx.descs();
    match json.seen(descs) {
        Seen::Map(map) => {
            let entries = map.iter(descs);
            Ok(entries
                .map(|(key, value)| (show::interpolated(descs, key), value.to_any(ctx)))
                .collect())
        }
        Seen::Record(record) => Ok(record
            .fields(descs)
            .map(|(name, slot)| (name.to_owned(), slot.to_any(ctx)))
            .collect()),
        _ => Err(unexpected(ctx, "an object", json)),
    }
}

fn keys(ctx: &Ctx, json: Any<'_>) -> Result<VarList, Fault> {
    let names = members(ctx, json)?.into_iter().map(|(name, _)| name);
    Ok(VarList::of_strings(ctx, names))
}

fn values(ctx: &Ctx, json: Any<'_>) -> Result<VarList, Fault> {
    let descs = ctx.descs();
    match json.seen(descs) {
        Seen::List(list) => Ok(list_of(ctx, list.iter(descs).map(|slot| slot.to_any(ctx)))),
        Seen::Tuple(tuple) => Ok(list_of(
            ctx,
            (0..tuple.len(descs)).map(|at| tuple.slot(descs, at).to_any(ctx)),
        )),
        Seen::Map(_) | Seen::Record(_) => Ok(list_of(
            ctx,
            members(ctx, json)?.into_iter().map(|(_, value)| value),
        )),
        _ => Err(unexpected(ctx, "an array or object", json)),
    }
}

fn kind_of(descs: &Descs, seen: Seen<'_>) -> &'static str {
    match Kind::of(descs, seen) {
        Kind::Null => "null",
        Kind::Bool(_) => "bool",
        Kind::Number(_) => "number",
        Kind::Text => "string",
        Kind::Array(_) => "array",
        Kind::Object(_) => "object",
        Kind::Missing => "missing",
    }
}

/// What a value is as JSON.
enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    Text,
    Array(usize),
    Object(usize),
    Missing,
}

impl Kind {
    fn of(descs: &Descs, seen: Seen<'_>) -> Kind {
        use scn_compiler::ir::Scalar;
        match seen {
            Seen::Missing(_) => Kind::Missing,
            Seen::None | Seen::Null => Kind::Null,
            Seen::Scalar(Scalar::Bool, value) => Kind::Bool(value.bool()),
            Seen::Scalar(Scalar::Int, value) => Kind::Number(value.int() as f64),
            Seen::Scalar(Scalar::Float, value) => Kind::Number(value.float()),
            Seen::BigNumber(text) => Kind::Number(text.parse().unwrap_or(f64::NAN)),
            Seen::List(list) => Kind::Array(list.len()),
            Seen::Tuple(tuple) => Kind::Array(tuple.len(descs)),
            Seen::Map(map) => Kind::Object(map.len()),
            Seen::Record(record) => Kind::Object(record.len(descs)),
            _ => Kind::Text,
        }
    }
}

fn kind(ctx: &Ctx, json: Any<'_>) -> &'static str {
    kind_of(ctx.descs(), json.seen(ctx.descs()))
}

fn exists(json: Any<'_>) -> bool {
    json.desc() != desc::MISSING
}

fn is_null(json: Any<'_>) -> bool {
    matches!(json.desc(), desc::MISSING | desc::NULL)
}

fn contains(ctx: &Ctx, json: Any<'_>, value: Any<'_>) -> bool {
    let descs = ctx.descs();
    match (json.seen(descs), value.seen(descs)) {
        (Seen::Str(text), Seen::Str(part)) => text.contains(part),
        (Seen::Map(_) | Seen::Record(_), Seen::Str(name)) => {
            find_member(descs, json, name).is_some()
        }
        (Seen::List(list), _) => list.iter(descs).any(|slot| {
            let item = slot.to_any(ctx);
            order::equal_objects(descs, item.as_any(), value)
        }),
        _ => false,
    }
}

fn text(ctx: &Ctx, json: Any<'_>) -> String {
    show::json_object(ctx.descs(), json, None)
}

fn pretty(ctx: &Ctx, json: Any<'_>) -> String {
    show::json_object(ctx.descs(), json, Some(2))
}

fn parse_text(ctx: &Ctx, text: Text<'_>) -> Result<Own, Fault> {
    parse(ctx, text.bytes)
}

/// What the compiler makes of `json.parse` when one path of the value is all that is read.
fn parse_part(ctx: &Ctx, text: Text<'_>, path: List<'_>) -> Result<Own, Fault> {
    part(ctx, text.bytes, path).map_err(|fault| fault.during("json.parse"))
}

/// The same for several paths.
fn parse_parts(ctx: &Ctx, text: Text<'_>, paths: List<'_>) -> Result<VarList, Fault> {
    parts(ctx, text.bytes, paths).map_err(|fault| fault.during("json.parse"))
}

fn null(ctx: &Ctx) -> Own {
    ctx.heap.null()
}

/// A value as queries walk it.
#[derive(Clone)]
struct Value<'c> {
    ctx: &'c Ctx,
    own: Own,
}

impl Value<'_> {
    fn child(&self, slot: Slot<'_>) -> Self {
        Value {
            ctx: self.ctx,
            own: slot.to_any(self.ctx),
        }
    }
}

impl Node for Value<'_> {
    fn view(&self) -> View<'_> {
        let any = self.own.as_any();
        match Kind::of(self.ctx.descs(), any.seen(self.ctx.descs())) {
            Kind::Null | Kind::Missing => View::Null,
            Kind::Bool(value) => View::Bool(value),
            Kind::Number(value) => View::Number(value),
            Kind::Array(len) => View::Array(len),
            Kind::Object(len) => View::Object(len),
            Kind::Text => View::Text(any.as_str().unwrap_or_default()),
        }
    }

    fn member(&self, name: &str) -> Option<Self> {
        find_member(self.ctx.descs(), self.own.as_any(), name).map(|slot| self.child(slot))
    }

    fn element(&self, index: usize) -> Option<Self> {
        find_element(self.ctx.descs(), self.own.as_any(), index as i64).map(|slot| self.child(slot))
    }

    fn children(&self) -> Vec<Self> {
        let values = values(self.ctx, self.own.as_any());
        let Ok(list) = values else { return Vec::new() };
        list.as_list()
            .iter(self.ctx.descs())
            .map(|slot| self.child(slot))
            .collect()
    }

    fn equals(&self, other: &Self) -> bool {
        order::equal_objects(self.ctx.descs(), self.own.as_any(), other.own.as_any())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, with_ctx};

    fn parsed(ctx: &Ctx, text: &str) -> Own {
        parse(ctx, text.as_bytes()).expect("valid JSON")
    }

    #[test]
    fn navigation_never_fails() {
        with_ctx(|ctx| {
            let json = parsed(ctx, r#"{"a":{"b":[1,{"c":null}]}}"#);
            let a = member(ctx, json.as_any(), "a");
            let b = member(ctx, a.as_any(), "b");
            assert_eq!(text(ctx, at(ctx, b.as_any(), 0).as_any()), "1");
            assert_eq!(text(ctx, at(ctx, b.as_any(), -1).as_any()), r#"{"c":null}"#);
            let gone = member(
                ctx,
                at(ctx, member(ctx, b.as_any(), "x").as_any(), 3).as_any(),
                "y",
            );
            assert!(!exists(gone.as_any()) && is_null(gone.as_any()));
            assert_eq!(kind(ctx, gone.as_any()), "missing");
            assert_eq!(
                len(ctx, gone.as_any()).expect_err("missing").message(),
                "`.x[3].y` is missing"
            );
            assert_eq!(
                len(ctx, json.as_any()).expect_err("no array").message(),
                "expected an array, found object"
            );
        });
    }

    #[test]
    fn parts_and_queries() {
        with_ctx(|ctx| {
            let json = parsed(ctx, r#"{"items":[{"id":1,"tag":"x"},{"id":2}],"n":"abc"}"#);
            let list = |list: Result<VarList, Fault>| {
                list.map(|list| shown(ctx, &list))
                    .map_err(|fault| fault.message())
            };
            assert_eq!(
                list(keys(ctx, json.as_any())).as_deref(),
                Ok(r#"["items","n"]"#)
            );
            assert_eq!(
                list(query(ctx, json.as_any(), "$.items[*].id")).as_deref(),
                Ok("[1,2]")
            );
            assert_eq!(
                list(query(ctx, json.as_any(), "items[?@.tag == 'x'].id")).as_deref(),
                Ok("[1]")
            );
            assert_eq!(
                list(values(ctx, member(ctx, json.as_any(), "items").as_any())).as_deref(),
                Ok(r#"[{"id":1,"tag":"x"},{"id":2}]"#)
            );
            assert!(list(query(ctx, json.as_any(), "$[")).is_err());
            let none = find(ctx, json.as_any(), "$.items[7].id").expect("a valid path");
            assert_eq!(
                len(ctx, none.as_any()).expect_err("missing").message(),
                "`$.items[7].id` is missing"
            );
            let name = |text: &str| ctx.heap.string(text);
            assert!(
                contains(ctx, json.as_any(), name("n").as_any())
                    && !contains(ctx, json.as_any(), name("x").as_any())
            );
            let first = find(ctx, json.as_any(), "$.items[1]").expect("a valid path");
            let items = member(ctx, json.as_any(), "items");
            assert!(contains(ctx, items.as_any(), first.as_any()));
            assert!(contains(
                ctx,
                member(ctx, json.as_any(), "n").as_any(),
                name("bc").as_any()
            ));
        });
    }
}
