//! `json as T` and `string as T`: values to a wanted type, or an error that names the path.
//!
//! Unknown members are ignored; absent and null are `none` of an optional type. Numbers convert where nothing is lost.
//! Enter at [`object`] and [`scalar`] (JSON), [`from_text`] and [`parse::scalar`] (text).

use super::seen::Seen;
use super::{Any, Key, Own, OwnSlot, Slot, VarList, VarMap, parse};
use crate::ctx::Ctx;
use crate::fault::{Fault, kind};
use crate::value::Value;
use scn_compiler::ir::{Desc, DescId, Scalar, SlotKind, SlotType, desc};
use std::fmt::Write;

/// How deep types may be nested in each other while decoding.
const DEPTH: usize = 512;

/// The largest float up to which every int is one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Decodes to an object of a descriptor.
pub fn object<'a>(ctx: &'a Ctx, wanted: DescId, any: Any<'a>) -> Result<Own, Fault> {
    let ty = SlotType {
        kind: SlotKind::Object(wanted),
        optional: false,
    };
    let slot = slot(ctx, ty, any.seen(ctx.descs()), Some(any))?;
    // SAFETY: the slot of an object that is not optional holds a pointer that is given away here.
    Ok(unsafe { Own::from_bits(slot.into_bits()) })
}

/// Decodes to a scalar, given by the descriptor of its box.
pub fn scalar(ctx: &Ctx, wanted: DescId, any: Any<'_>) -> Result<Value, Fault> {
    let ty = match ctx.descs().desc(wanted.0) {
        Desc::Box(scalar) => SlotType {
            kind: SlotKind::Scalar(*scalar),
            optional: false,
        },
        other => unreachable!("a scalar is given by its box, this is {other:?}"),
    };
    Ok(Value(
        slot(ctx, ty, any.seen(ctx.descs()), Some(any))?.into_bits(),
    ))
}

/// Decodes to a slot of a type.
pub fn slot<'a>(
    ctx: &'a Ctx,
    ty: SlotType,
    from: Seen<'a>,
    object: Option<Any<'a>>,
) -> Result<OwnSlot, Fault> {
    let mut decoder = Decoder {
        ctx,
        path: Vec::new(),
    };
    decoder
        .slot(ty, from, object)
        .map_err(|wrong| Fault::text(kind::SCRIPT_DECODE, decoder.message(&wrong)))
}

/// Parses a text to an object that has a text form: an address, or an enum in a box.
pub fn from_text(ctx: &Ctx, wanted: DescId, text: &str) -> Result<Own, Fault> {
    let bad = |what: &str| {
        Fault::text(
            kind::SCRIPT_PARSE,
            format!("expected {what}, found `{text}`"),
        )
    };
    match ctx.descs().desc(wanted.0) {
        Desc::Ip => text
            .parse()
            .map(|ip| ctx.heap.ip(ip))
            .map_err(|_| bad("an IP address")),
        Desc::Addr => text
            .parse()
            .map(|addr| ctx.heap.addr(addr))
            .map_err(|_| bad("an address with port")),
        Desc::Box(scalar) => {
            let value = parse::scalar(ctx.descs(), *scalar, text);
            value
                .map(|value| ctx.heap.boxed(wanted, value))
                .map_err(|message| Fault::text(kind::SCRIPT_PARSE, message))
        }
        Desc::String => Ok(ctx.heap.string(text)),
        other => unreachable!("no text form: {other:?}"),
    }
}

/// A step from the value that is decoded to the part that is wrong.
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// What is wrong there.
enum Wrong {
    Missing(String),
    Type { wanted: String, found: String },
}

struct Decoder<'a> {
    ctx: &'a Ctx,
    path: Vec<Step<'a>>,
}

impl<'a> Decoder<'a> {
    fn message(&self, wrong: &Wrong) -> String {
        let mut path = "$".to_owned();
        for step in &self.path {
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Name(name) => write!(path, ".{name}"),
                Step::Index(at) => write!(path, "[{at}]"),
            };
        }
        match wrong {
            Wrong::Missing(missing) if self.path.is_empty() => format!("`{missing}` is missing"),
            Wrong::Missing(_) => format!("`{path}` is missing"),
            Wrong::Type { wanted, found } if self.path.is_empty() => {
                format!("expected {wanted}, found {found}")
            }
            Wrong::Type { wanted, found } => {
                format!("expected {wanted} at `{path}`, found {found}")
            }
        }
    }

    /// Decodes a part below the current one.
    fn part(
        &mut self,
        step: Step<'a>,
        ty: SlotType,
        slot: Option<Slot<'a>>,
    ) -> Result<OwnSlot, Wrong> {
        self.path.push(step);
        if self.path.len() > DEPTH {
            return Err(Wrong::Type {
                wanted: "fewer levels".to_owned(),
                found: "more".to_owned(),
            });
        }
        let seen = slot.map_or(Seen::Missing(""), |slot| slot.seen(self.ctx.descs()));
        let decoded = self.slot(ty, seen, slot.and_then(Slot::any))?;
        self.path.pop();
        Ok(decoded)
    }

    fn slot(
        &mut self,
        ty: SlotType,
        from: Seen<'a>,
        object: Option<Any<'a>>,
    ) -> Result<OwnSlot, Wrong> {
        match (ty.kind, ty.optional, from) {
            (_, true, Seen::None | Seen::Null | Seen::Missing(_)) => Ok(OwnSlot::NONE),
            (SlotKind::Any, _, _) => Ok(OwnSlot::own(self.any(from, object))),
            (_, false, Seen::Missing(path)) => Err(Wrong::Missing(path.to_owned())),
            (SlotKind::Scalar(scalar), false, _) => {
                Ok(OwnSlot::int(self.scalar(scalar, from)?.int()))
            }
            (SlotKind::Scalar(scalar), true, _) => {
                let value = self.scalar(scalar, from)?;
                Ok(OwnSlot::own(
                    self.ctx.heap.boxed(self.ctx.descs().box_of(scalar), value),
                ))
            }
            (SlotKind::Object(wanted), _, _) => match object {
                Some(object) if object.desc() == wanted => Ok(OwnSlot::own(object.to_own())),
                _ => self.object(wanted, from).map(OwnSlot::own),
            },
            (SlotKind::Unit, _, _) => Ok(OwnSlot::NONE),
        }
    }

    /// Anything, as JSON has it: scalars in boxes.
    fn any(&self, from: Seen<'a>, object: Option<Any<'a>>) -> Own {
        let heap = &self.ctx.heap;
        match (object, from) {
            (Some(object), _) => object.to_own(),
            (None, Seen::Scalar(scalar, value)) => {
                heap.boxed(self.ctx.descs().box_of(scalar), value)
            }
            (None, Seen::Missing(path)) => heap.missing(path),
            (None, _) => heap.null(),
        }
    }

    fn wrong(&self, wanted: impl Into<String>, from: Seen<'a>) -> Wrong {
        Wrong::Type {
            wanted: wanted.into(),
            found: found(self.ctx, from),
        }
    }

    fn scalar(&self, wanted: Scalar, from: Seen<'a>) -> Result<Value, Wrong> {
        let descs = self.ctx.descs();
        let value = match (wanted, from) {
            (Scalar::Enum(of), Seen::Scalar(Scalar::Enum(other), value)) if of == other => {
                Some(value)
            }
            (Scalar::Int, Seen::Scalar(Scalar::Float, value)) => whole(value.float()),
            (Scalar::Float, Seen::Scalar(Scalar::Int, value)) => {
                Some(Value::from_float(value.int() as f64))
            }
            (Scalar::Float, Seen::BigNumber(text)) => text.parse().ok().map(Value::from_float),
            (Scalar::Enum(_) | Scalar::Duration | Scalar::Rate, Seen::Str(text)) => {
                parse::scalar(descs, wanted, text).ok()
            }
            (wanted, Seen::Scalar(found, value)) if wanted == found => Some(value),
            _ => None,
        };
        value.ok_or_else(|| self.wrong(parse::name(descs, wanted), from))
    }

    fn object(&mut self, wanted: DescId, from: Seen<'a>) -> Result<Own, Wrong> {
        let ctx = self.ctx;
        match (ctx.descs().desc(wanted.0), from) {
            (Desc::List(element), Seen::List(list)) => {
                self.list(wanted, *element, list.iter(ctx.descs()))
            }
            (Desc::List(element), Seen::Tuple(tuple)) => {
                let parts = (0..tuple.len(ctx.descs())).map(|at| tuple.slot(ctx.descs(), at));
                self.list(wanted, *element, parts)
            }
            (Desc::Tuple(types), Seen::List(list)) if types.len() == list.len() => self.fields(
                wanted,
                types
                    .iter()
                    .enumerate()
                    .map(|(at, ty)| (Step::Index(at), *ty, list.at(ctx.descs(), at))),
            ),
            (Desc::Map(key, value), Seen::Map(_) | Seen::Record(_)) => {
                self.map(wanted, *key, *value, from)
            }
            (Desc::Record { fields, .. }, Seen::Map(_) | Seen::Record(_)) => self.fields(
                wanted,
                fields
                    .iter()
                    .map(|(name, ty)| (Step::Name(name), *ty, member(ctx, from, name))),
            ),
            (Desc::Ip | Desc::Addr, Seen::Str(text)) => {
                from_text(ctx, wanted, text).map_err(|_| self.wrong(type_name(ctx, wanted), from))
            }
            _ => Err(self.wrong(type_name(ctx, wanted), from)),
        }
    }

    fn list(
        &mut self,
        wanted: DescId,
        element: SlotType,
        parts: impl Iterator<Item = Slot<'a>>,
    ) -> Result<Own, Wrong> {
        let mut list = VarList::new(self.ctx, wanted, 0);
        for (at, slot) in parts.enumerate() {
            let part = self.part(Step::Index(at), element, Some(slot))?;
            list.push(self.ctx, part);
        }
        Ok(list.into_own())
    }

    fn fields(
        &mut self,
        wanted: DescId,
        parts: impl Iterator<Item = (Step<'a>, SlotType, Option<Slot<'a>>)>,
    ) -> Result<Own, Wrong> {
        let mut slots = Vec::new();
        for (step, ty, slot) in parts {
            slots.push(self.part(step, ty, slot)?);
        }
        Ok(self.ctx.heap.record(wanted, slots))
    }

    fn map(
        &mut self,
        wanted: DescId,
        key: SlotType,
        value: SlotType,
        from: Seen<'a>,
    ) -> Result<Own, Wrong> {
        let mut map = VarMap::new(self.ctx, wanted);
        for (name, slot) in members(self.ctx, from) {
            let key = self.key(key, name)?;
            let value = self.part(Step::Name(name), value, Some(slot))?;
            map.insert(self.ctx, key, value);
        }
        Ok(map.into_own())
    }

    /// A member's name as a key of the wanted type.
    fn key(&self, key: SlotType, name: &'a str) -> Result<OwnSlot, Wrong> {
        let from = Seen::Str(name);
        match key.kind {
            SlotKind::Scalar(scalar) => {
                let value = parse::scalar(self.ctx.descs(), scalar, name);
                let value = value.map_err(|_| {
                    self.wrong(
                        format!("keys of {}", parse::name(self.ctx.descs(), scalar)),
                        from,
                    )
                })?;
                Ok(OwnSlot::int(value.int()))
            }
            SlotKind::Object(wanted) => {
                let key = from_text(self.ctx, wanted, name)
                    .map_err(|_| self.wrong(type_name(self.ctx, wanted), from))?;
                Ok(OwnSlot::own(key))
            }
            SlotKind::Any | SlotKind::Unit => {
                unreachable!("keys are scalars, strings or addresses")
            }
        }
    }
}

/// A float without fraction as an int.
fn whole(value: f64) -> Option<Value> {
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(Value::from_int(value as i64))
}

/// The member of an object or the field of a record.
fn member<'a>(ctx: &'a Ctx, from: Seen<'a>, name: &str) -> Option<Slot<'a>> {
    match from {
        Seen::Map(map) => map.find(ctx.descs(), Key::str(name)),
        Seen::Record(record) => record.field(ctx.descs(), name),
        _ => None,
    }
}

/// The members of an object, the fields of a record.
fn members<'a>(ctx: &'a Ctx, from: Seen<'a>) -> Vec<(&'a str, Slot<'a>)> {
    let descs = ctx.descs();
    match from {
        Seen::Map(map) => map
            .iter(descs)
            .filter_map(|(key, value)| Some((key.str()?, value)))
            .collect(),
        Seen::Record(record) => match descs.desc(record.any().desc().0) {
            Desc::Record { fields, .. } => fields
                .iter()
                .enumerate()
                .map(|(at, (name, _))| (name.as_str(), record.slot(descs, at)))
                .collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a value is, for messages; scalars with their value.
fn found(ctx: &Ctx, from: Seen<'_>) -> String {
    match from {
        Seen::None | Seen::Null => "null".to_owned(),
        Seen::Scalar(scalar, value) => super::show::scalar(ctx.descs(), scalar, value),
        Seen::Str(text) if text.chars().count() <= 32 => format!("string {text:?}"),
        Seen::Str(_) => "a long string".to_owned(),
        Seen::BigNumber(text) => text.to_owned(),
        Seen::List(list) => format!("an array of {}", list.len()),
        Seen::Map(_) | Seen::Record(_) => "an object".to_owned(),
        Seen::Missing(_) => "nothing".to_owned(),
        Seen::Bytes(_) => "bytes".to_owned(),
        Seen::Ip(ip) => ip.to_string(),
        Seen::Addr(addr) => addr.to_string(),
        Seen::Tuple(_) => "a tuple".to_owned(),
        Seen::Range(_) => "a range".to_owned(),
        Seen::Other(_) => "something else".to_owned(),
    }
}

/// What a wanted type is called.
fn type_name(ctx: &Ctx, wanted: DescId) -> String {
    match ctx.descs().desc(wanted.0) {
        Desc::String => "string".to_owned(),
        Desc::Bytes => "bytes".to_owned(),
        Desc::Ip => "an IP address".to_owned(),
        Desc::Addr => "an address with port".to_owned(),
        Desc::List(_) => "an array".to_owned(),
        Desc::Tuple(types) => format!("an array of {}", types.len()),
        Desc::Record {
            name: Some(name), ..
        } => format!("an object ({name})"),
        Desc::Map(..) | Desc::Record { .. } => "an object".to_owned(),
        Desc::Extern { name, .. } => name.clone(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Whether a JSON value is null or missing.
pub fn is_absent(any: Any<'_>) -> bool {
    matches!(any.desc(), desc::NULL | desc::MISSING)
}
