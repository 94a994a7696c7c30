//! Parts of descriptors that `@typed` functions make their results by.

use scn_compiler::ir::{Desc, SlotKind, SlotType};
use scn_runtime::DescId;
use scn_runtime::descs::Descs;

/// The descriptor of the elements of a list of objects.
pub(crate) fn element(descs: &Descs, list: DescId) -> DescId {
    match descs.desc(list.0) {
        Desc::List(slot) => object(*slot),
        other => unreachable!("the declaration promises a list, this is {other:?}"),
    }
}

/// The descriptor of a record's field that is an object.
pub(crate) fn field(descs: &Descs, record: DescId, name: &str) -> DescId {
    let field = match descs.desc(record.0) {
        Desc::Record { fields, .. } => fields.iter().find(|(field, _)| field == name),
        _ => None,
    };
    object(
        field
            .expect("the declaration promises a record with this field")
            .1,
    )
}

fn object(slot: SlotType) -> DescId {
    match slot.kind {
        SlotKind::Object(desc) => desc,
        other => unreachable!("the declaration promises objects, these are {other:?}"),
    }
}
