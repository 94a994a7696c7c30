//! Files that a program reads, embedded when its component is built. Their paths are constants (`refusals` sees to that).
//!
//! Enter at [`embed`]. The library's body is `files.scn`.

use super::capabilities::trace::{self, Known};
use super::unit::Unit;
use crate::diagnostics::Diagnostic;
use crate::diagnostics::target;
use crate::ir::{ConstObject, Program};
use std::collections::BTreeMap;

/// The functions that read files; the path is their first argument.
pub(super) const FILES: [&str; 4] = ["csv", "file", "json_file", "lines_file"];

/// The word with the table: a count, then for each file its path and its content, objects.
const WORD: u32 = 215;

/// Reads a file of a program by its path as written; the error says why there is none.
pub type Reader<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// Files by path.
pub(super) type Embedded = BTreeMap<String, Vec<u8>>;

/// Reads what a program reads. What cannot be read is a finding at the first call that wants it.
pub(super) fn embed(user: &Program, read: Reader<'_>) -> Result<Embedded, Vec<Diagnostic>> {
    let mut files = Embedded::new();
    let mut refused = Vec::new();
    for call in trace::calls(user) {
        let Some(Known::Text { start: path, .. }) = call.arguments.first() else {
            continue;
        };
        if !FILES.contains(&call.name.as_str()) || files.contains_key(path) {
            continue;
        }
        match read(path) {
            Ok(bytes) => {
                files.insert(path.clone(), bytes);
            }
            Err(why) => refused.push(target::no_file(path, &why, call.span)),
        }
    }
    match refused.is_empty() {
        true => Ok(files),
        false => Err(refused),
    }
}

/// Puts the files into the static memory of a component, if there are any.
pub(super) fn write(unit: &mut Unit<'_>, files: &Embedded) {
    if files.is_empty() {
        return;
    }
    let mut table = vec![files.len() as u32];
    for (path, bytes) in files {
        table.push(unit.data.string(path));
        let content = ConstObject::Bytes(bytes.clone());
        table.push(unit.data.object(super::data::Side::Body, &content));
    }
    let at = unit.data.add_u32s(&table);
    unit.data.set_word(WORD, at.into());
}
