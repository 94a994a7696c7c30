//! `string`, `bytes` and what else is bytes behind a length.

use super::{Own, layout};
use crate::heap::{Heap, same_block};
use crate::value::Obj;
use scn_compiler::ir::{DescId, desc};
use std::ptr;

/// The bytes of a text.
///
/// # Safety
/// The object has the layout of a text and lives for `'a`.
pub(crate) unsafe fn bytes_of<'a>(obj: Obj) -> &'a [u8] {
    // SAFETY: the bytes follow the head, and all of them are initialised.
    unsafe {
        let len = obj.body::<layout::Text>().len as usize;
        std::slice::from_raw_parts(
            obj.0.as_ptr().cast::<u8>().add(size_of::<layout::Text>()),
            len,
        )
    }
}

/// The text of a string.
///
/// # Safety
/// As [`bytes_of`], and the bytes are UTF-8, as those of strings, missing paths and big numbers are.
pub(crate) unsafe fn str_of<'a>(obj: Obj) -> &'a str {
    // SAFETY: upheld by the caller.
    unsafe { std::str::from_utf8_unchecked(bytes_of(obj)) }
}

impl Heap {
    /// A new text of a descriptor from parts.
    fn text(&self, desc: DescId, parts: &[&[u8]]) -> Own {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let obj = self.object(layout::text_size(len), desc.0);
        // SAFETY: the object was made with room for the head and `len` bytes, and nobody else has it yet.
        unsafe {
            let head = obj.0.cast::<layout::Text>().as_ptr();
            (&raw mut (*head).len).write(len as u64);
            let mut at = head.add(1).cast::<u8>();
            for part in parts {
                ptr::copy_nonoverlapping(part.as_ptr(), at, part.len());
                at = at.add(part.len());
            }
            Own::from_obj(obj)
        }
    }

    /// A new string.
    pub fn string(&self, text: &str) -> Own {
        self.text(desc::STRING, &[text.as_bytes()])
    }

    /// A new string from two.
    pub fn string_concat(&self, left: &str, right: &str) -> Own {
        self.text(desc::STRING, &[left.as_bytes(), right.as_bytes()])
    }

    /// New bytes.
    pub fn bytes(&self, bytes: &[u8]) -> Own {
        self.text(desc::BYTES, &[bytes])
    }

    /// A text, which is of strings or bytes alike, with more behind it: in place where nobody else refers to it and its
    /// block has room.
    pub fn append(&self, text: Own, more: &[u8]) -> Own {
        let obj = text.obj();
        // SAFETY: only texts are appended to, and this one lives as long as `text`.
        let head = unsafe { bytes_of(obj) };
        let len = head.len() + more.len();
        if !obj.is_unique() || !same_block(layout::text_size(head.len()), layout::text_size(len)) {
            return self.text(DescId(obj.desc()), &[head, more]);
        }
        // SAFETY: the block has room for the longer text; nobody else refers to it, so `more` is no part of it.
        unsafe {
            let head = obj.0.cast::<layout::Text>().as_ptr();
            let end = head.add(1).cast::<u8>().add((*head).len as usize);
            ptr::copy_nonoverlapping(more.as_ptr(), end, more.len());
            (&raw mut (*head).len).write(len as u64);
        }
        text
    }

    /// A JSON path that leads nowhere.
    pub fn missing(&self, path: &str) -> Own {
        self.text(desc::MISSING, &[path.as_bytes()])
    }

    /// A number of JSON as text.
    pub fn big_number(&self, text: &str) -> Own {
        self.text(desc::BIG_NUMBER, &[text.as_bytes()])
    }
}

/// Units of durations, largest first.
const UNITS: [(i64, &str); 6] = [
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

/// A duration as the language writes it: `1m30s`, `1.5s`, `250ms`.
pub fn duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    if nanos < 0 {
        text.push('-');
    }
    let mut left = nanos.unsigned_abs();
    for (unit, name) in &UNITS[..2] {
        let unit = unit.unsigned_abs();
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    if left > 0 {
        text.push_str(&small_duration(left));
    }
    text
}

/// Less than a minute: one unit with decimals.
fn small_duration(nanos: u64) -> String {
    let (unit, name) = UNITS[2..]
        .iter()
        .map(|(unit, name)| (unit.unsigned_abs(), *name))
        .find(|(unit, _)| nanos >= *unit)
        .unwrap_or((1, "ns"));
    let (whole, rest) = (nanos / unit, nanos % unit);
    if rest == 0 {
        return format!("{whole}{name}");
    }
    let digits = unit.ilog10() as usize;
    let decimals = format!("{rest:0digits$}");
    format!("{whole}.{}{name}", decimals.trim_end_matches('0'))
}
