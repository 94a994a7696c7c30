//! How the values of exported functions are laid out, as data: what `stdlib/component/lifting.scn` and `exports.scn` read.
//! All sizes and offsets are wit-parser's.

use super::Library;
use super::describe::{ErrorForm, can_fail};
use crate::ir::{Desc, DescId, Export, Scalar, SlotKind, SlotType};
use crate::wasm::data::Side;
use crate::wasm::unit::Unit;
use crate::wasm::wit::{World, payload};
use wit_parser::{Function, Type, TypeDefKind};

const BOOL: u32 = 0;
const WORD: u32 = 1;
const ENUM: u32 = 2;
const STRING: u32 = 3;
const BYTES: u32 = 4;
const LIST: u32 = 5;
const FIELDS: u32 = 6;
const OPTION: u32 = 7;
const HANDLE: u32 = 8;
const IP: u32 = 9;
const ADDR: u32 = 10;

/// The row of a function, and the bytes of its arguments.
pub(super) fn function(
    unit: &mut Unit<'_>,
    library: &Library,
    export: &Export,
    function: &Function,
) -> (u32, u32) {
    let world = &library.world;
    let types = || function.params.iter().map(|param| &param.ty);
    let mut params = Vec::new();
    for ((param, ty), offset) in export
        .params
        .iter()
        .zip(types())
        .zip(world.offsets(types()))
    {
        params.extend([offset, row(unit, world, param.slot, ty)]);
    }
    let arguments = match types().next() {
        Some(_) => world.record_size(types()),
        None => 0,
    };
    let fails = can_fail(unit.user, export);
    let (value, error, at) = outcome(world, function, fails);
    let result = match (export.result, value) {
        (Some(slot), Some(ty)) => row(unit, world, slot, &ty),
        _ => 0,
    };
    let (form, more) = match error {
        Some(ty) => error_words(unit, world, &library.errors, &ty),
        None => (0, 0),
    };
    let words = [
        unit.table_index(Side::User, export.func),
        export.params.len() as u32,
        unit.data.add_u32s(&params),
        arguments,
        result,
        function.result.as_ref().map_or(0, |ty| world.size(ty)),
        fails.into(),
        at,
        form,
        more,
    ];
    (unit.data.add_u32s(&words), arguments)
}

/// The types of a function's value and of its error, and where they lie.
fn outcome(world: &World, function: &Function, fails: bool) -> (Option<Type>, Option<Type>, u32) {
    let Some(whole) = &function.result else {
        return (None, None, 0);
    };
    match world.kind(whole) {
        Some(TypeDefKind::Result(result)) if fails => {
            (result.ok, result.err, payload(world, whole))
        }
        _ => (Some(*whole), None, 0),
    }
}

/// What an error becomes, and what that needs.
fn error_words(unit: &mut Unit<'_>, world: &World, errors: &ErrorForm, ty: &Type) -> (u32, u32) {
    match (errors, world.kind(ty)) {
        (ErrorForm::Record, Some(TypeDefKind::Record(record))) => {
            let offsets = world.offsets(record.fields.iter().map(|field| &field.ty));
            (1, unit.data.add_u32s(&offsets))
        }
        (ErrorForm::Enum { id, other }, _) => {
            let cases = &unit.user.enums[*id as usize].cases;
            let mut words = vec![world.size(ty), *other, cases.len() as u32];
            for case in cases {
                // Words of the language are written with `_` behind them.
                words.push(unit.data.string(case.trim_end_matches('_')));
            }
            (2, unit.data.add_u32s(&words))
        }
        _ => (0, 0),
    }
}

/// The row of a type.
fn row(unit: &mut Unit<'_>, world: &World, slot: SlotType, ty: &Type) -> u32 {
    let size = world.size(ty);
    if slot.optional {
        let plain = SlotType {
            optional: false,
            ..slot
        };
        let inner = match world.kind(ty) {
            Some(TypeDefKind::Option(inner)) => row(unit, world, plain, inner),
            _ => unreachable!("what may be none is described as an option"),
        };
        let words = [OPTION, size, box_of(unit, slot), payload(world, ty), inner];
        return unit.data.add_u32s(&words);
    }
    match slot.kind {
        SlotKind::Scalar(scalar) => {
            let kind = match scalar {
                Scalar::Bool => BOOL,
                Scalar::Enum(_) => ENUM,
                _ => WORD,
            };
            unit.data.add_u32s(&[kind, size])
        }
        SlotKind::Object(id) => object(unit, world, id, ty, size),
        SlotKind::Any | SlotKind::Unit => unreachable!("such types are refused"),
    }
}

/// The descriptor of the box of an optional scalar, 0 for objects: that is no box's.
fn box_of(unit: &mut Unit<'_>, slot: SlotType) -> u32 {
    let SlotKind::Scalar(scalar) = slot.kind else {
        return 0;
    };
    let mut descs = unit.user.descs.iter();
    let at = descs
        .position(|desc| *desc == Desc::Box(scalar))
        .expect("lowering makes the boxes of what is exported");
    unit.data.desc(Side::User, DescId(at as u32))
}

fn object(unit: &mut Unit<'_>, world: &World, id: DescId, ty: &Type, size: u32) -> u32 {
    let desc = unit.data.desc(Side::User, id);
    let user = unit.user;
    let words = match (&user.descs[id.index()], world.kind(ty)) {
        (Desc::String, _) => vec![STRING, size],
        (Desc::Bytes, _) => vec![BYTES, size],
        (Desc::Extern { name, .. }, _) => vec![HANDLE, size, desc, unit.data.string(name)],
        (Desc::Ip, _) => vec![IP, size, desc, payload(world, ty)],
        (Desc::List(element), Some(TypeDefKind::List(inner))) => {
            vec![LIST, size, desc, row(unit, world, *element, inner)]
        }
        (Desc::Addr, Some(TypeDefKind::Record(record))) => {
            let fields: Vec<Type> = record.fields.iter().map(|field| field.ty).collect();
            let mut words = vec![ADDR, size, desc, payload(world, &fields[0])];
            words.extend(world.offsets(&fields));
            words
        }
        (Desc::Tuple(slots), Some(TypeDefKind::Tuple(tuple))) => {
            fields(unit, world, desc, size, slots, &tuple.types)
        }
        (Desc::Record { fields: slots, .. }, Some(TypeDefKind::Record(record))) => {
            let slots: Vec<SlotType> = slots.iter().map(|(_, slot)| *slot).collect();
            let types: Vec<Type> = record.fields.iter().map(|field| field.ty).collect();
            fields(unit, world, desc, size, &slots, &types)
        }
        _ => unreachable!("such types are refused"),
    };
    unit.data.add_u32s(&words)
}

fn fields(
    unit: &mut Unit<'_>,
    world: &World,
    desc: u32,
    size: u32,
    slots: &[SlotType],
    types: &[Type],
) -> Vec<u32> {
    let mut words = vec![FIELDS, size, desc, slots.len() as u32];
    for ((slot, ty), offset) in slots.iter().zip(types).zip(world.offsets(types)) {
        words.extend([offset, row(unit, world, *slot, ty)]);
    }
    words
}
