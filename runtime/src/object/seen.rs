//! What a slot holds, told alike for scalars in the slot, in a box and in JSON. Comparing and showing go by it.

use super::{Any, List, Map, Slot, Slots, View};
use crate::descs::Descs;
use crate::value::Value;
use scn_compiler::ir::Scalar;
use std::net::{IpAddr, SocketAddr};

/// What is in a slot.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    /// `none` of an optional type.
    None,
    /// A scalar.
    Scalar(Scalar, Value),
    /// A string.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An address without port.
    Ip(IpAddr),
    /// An address with port.
    Addr(SocketAddr),
    /// JSON `null`.
    Null,
    /// A JSON path that leads nowhere.
    Missing(&'a str),
    /// A number of JSON that is neither int nor float.
    BigNumber(&'a str),
    /// A list.
    List(List<'a>),
    /// A map.
    Map(Map<'a>),
    /// A record.
    Record(Slots<'a>),
    /// A tuple.
    Tuple(Slots<'a>),
    /// A range.
    Range(Slots<'a>),
    /// A regex, an error, a handle.
    Other(Any<'a>),
}

impl<'a> Slot<'a> {
    /// What it holds.
    pub fn seen(self, descs: &'a Descs) -> Seen<'a> {
        match (self.scalar(), self.any()) {
            (Some((scalar, value)), _) => Seen::Scalar(scalar, value),
            (None, Some(any)) => any.seen(descs),
            (None, None) => Seen::None,
        }
    }
}

impl<'a> Any<'a> {
    /// What it is, boxes opened.
    pub fn seen(self, descs: &'a Descs) -> Seen<'a> {
        match self.view(descs) {
            View::Str(text) => Seen::Str(text),
            View::Bytes(bytes) => Seen::Bytes(bytes),
            View::Ip(ip) => Seen::Ip(ip),
            View::Addr(addr) => Seen::Addr(addr),
            View::Null => Seen::Null,
            View::Missing(path) => Seen::Missing(path),
            View::Box(scalar, value) => Seen::Scalar(scalar, value),
            View::BigNumber(text) => Seen::BigNumber(text),
            View::List(list) => Seen::List(list),
            View::Map(map) => Seen::Map(map),
            View::Record(slots) => Seen::Record(slots),
            View::Tuple(slots) => Seen::Tuple(slots),
            View::Range(slots) => Seen::Range(slots),
            View::Regex(_) | View::Error(_) | View::Extern(_) => Seen::Other(self),
        }
    }
}
