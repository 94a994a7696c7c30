//! Descriptors at run time: the program's layouts with what freeing, comparing and printing look up.
//!
//! One table for each linked program, shared by its workers and never changed.

use scn_compiler::ir::{Desc, DescId, EnumInfo, Scalar, SlotKind, SlotType, desc};
use std::collections::HashMap;

/// The table.
#[derive(Debug)]
pub struct Descs {
    rows: Vec<Row>,
    enums: Vec<EnumInfo>,
    externs: HashMap<String, u32>,
}

/// A descriptor and the shape that freeing goes by.
#[derive(Debug)]
struct Row {
    desc: Desc,
    shape: Shape,
}

/// How an object's memory is made up.
#[derive(Debug)]
pub(crate) enum Shape {
    /// Length and bytes inline.
    Text,
    /// An address without port.
    Ip,
    /// An address with port.
    Addr,
    /// A compiled regex.
    Regex,
    /// A fault.
    Error,
    /// A boxed Rust value.
    Extern,
    /// A buffer of slots.
    List { pointers: bool },
    /// Entries and an index.
    Map { keys: bool, values: bool },
    /// Slots inline; these of them are pointers.
    Slots { count: u32, pointers: Box<[u32]> },
}

/// Whether a slot of this type holds a pointer or null.
pub fn is_pointer(slot: SlotType) -> bool {
    match slot.kind {
        SlotKind::Scalar(_) => slot.optional,
        SlotKind::Object(_) | SlotKind::Any => true,
        SlotKind::Unit => false,
    }
}

impl Shape {
    fn of(desc: &Desc) -> Shape {
        match desc {
            Desc::String | Desc::Bytes | Desc::BigNumber | Desc::Missing => Shape::Text,
            Desc::Ip => Shape::Ip,
            Desc::Addr => Shape::Addr,
            Desc::Regex => Shape::Regex,
            Desc::Error => Shape::Error,
            Desc::Extern { .. } => Shape::Extern,
            Desc::List(slot) => Shape::List {
                pointers: is_pointer(*slot),
            },
            Desc::Map(key, value) => Shape::Map {
                keys: is_pointer(*key),
                values: is_pointer(*value),
            },
            Desc::Null => Shape::slots(&[]),
            Desc::Box(_) => Shape::slots(&[None]),
            Desc::Range(_) => Shape::slots(&[None, None, None]),
            Desc::Tuple(slots) => {
                Shape::slots(&slots.iter().copied().map(Some).collect::<Vec<_>>())
            }
            Desc::Record { fields, .. } => Shape::slots(
                &fields
                    .iter()
                    .map(|(_, slot)| Some(*slot))
                    .collect::<Vec<_>>(),
            ),
        }
    }

    fn slots(slots: &[Option<SlotType>]) -> Shape {
        let pointers = (0u32..)
            .zip(slots)
            .filter(|(_, slot)| slot.is_some_and(is_pointer));
        Shape::Slots {
            count: slots.len() as u32,
            pointers: pointers.map(|(at, _)| at).collect(),
        }
    }
}

impl Descs {
    /// The table of a program. `externs` are the extern types that host functions make; those that the program
    /// does not name get a descriptor of their own, so that host functions can hand them to each other.
    pub fn new(mut descs: Vec<Desc>, enums: Vec<EnumInfo>, externs: &[&str]) -> Descs {
        let named = |descs: &[Desc], wanted: &str| {
            descs
                .iter()
                .any(|desc| matches!(desc, Desc::Extern { name, .. } if name == wanted))
        };
        for name in externs {
            if !named(&descs, name) {
                descs.push(Desc::Extern {
                    name: (*name).to_owned(),
                    is_handle: false,
                });
            }
        }
        // Decoding makes boxes of enums that the program itself may never put into one.
        for of in 0..enums.len() as u32 {
            let boxed = Desc::Box(Scalar::Enum(of));
            if !descs.contains(&boxed) {
                descs.push(boxed);
            }
        }
        let externs = (0u32..).zip(&descs).filter_map(|(at, desc)| match desc {
            Desc::Extern { name, .. } => Some((name.clone(), at)),
            _ => None,
        });
        let externs = externs.collect();
        let rows = descs
            .into_iter()
            .map(|desc| Row {
                shape: Shape::of(&desc),
                desc,
            })
            .collect();
        Descs {
            rows,
            enums,
            externs,
        }
    }

    /// A descriptor.
    pub fn desc(&self, index: u32) -> &Desc {
        &self.rows[index as usize].desc
    }

    /// How its objects lie in memory.
    pub(crate) fn shape(&self, index: u32) -> &Shape {
        &self.rows[index as usize].shape
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none, which is never so in a linked program.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The name of an enum's case.
    pub fn case(&self, of: u32, case: i64) -> &str {
        let info = &self.enums[of as usize];
        usize::try_from(case)
            .ok()
            .and_then(|case| info.cases.get(case))
            .map_or("?", String::as_str)
    }

    /// An enum.
    pub fn enum_info(&self, of: u32) -> &EnumInfo {
        &self.enums[of as usize]
    }

    /// The descriptor of a scalar's box.
    pub fn box_of(&self, scalar: Scalar) -> DescId {
        match scalar {
            Scalar::Bool => desc::BOX_BOOL,
            Scalar::Int => desc::BOX_INT,
            Scalar::Float => desc::BOX_FLOAT,
            Scalar::Duration => desc::BOX_DURATION,
            Scalar::Rate => desc::BOX_RATE,
            Scalar::Enum(_) => {
                let at = self
                    .rows
                    .iter()
                    .position(|row| matches!(row.desc, Desc::Box(of) if of == scalar));
                DescId(at.expect("the table has the box of each enum") as u32)
            }
        }
    }

    /// The descriptor of an extern type.
    pub fn extern_type(&self, name: &str) -> Option<u32> {
        self.externs.get(name).copied()
    }
}
