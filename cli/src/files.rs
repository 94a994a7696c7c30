//! Reading scenario files: the entry file, what it imports by `use`, and the `.scn` files of folders.
//!
//! The compiler reads no files; everything that can be wrong with one before its text is known is said here.

use scn_compiler::diagnostics::{Code, Diagnostic};
use scn_compiler::source::{Loader, Source};
use scn_compiler::{SourceId, Span};
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Larger files are refused: nobody writes them, and `/dev/zero` never ends.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Why a file gave no source.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// There is no text at all; a message and what to do.
    Missing {
        message: String,
        help: Option<String>,
    },
    /// There is something, but it is not text: its readable parts and what is wrong where.
    NotText {
        source: Source,
        diagnostic: Box<Diagnostic>,
    },
}

/// Reads the file named on the command line.
pub(crate) fn read_entry(path: &Path) -> Result<Source, Unreadable> {
    let shown = path.display().to_string();
    let bytes = read_bytes(path).map_err(|message| Unreadable::Missing {
        message: format!("cannot read `{shown}`: {message}"),
        help: similar_file(path),
    })?;
    if bytes.starts_with(WASM) {
        return Err(Unreadable::Missing {
            message: format!("`{shown}` is a component, not a source file"),
            help: Some(format!(
                "scn run {shown} runs it, scn inspect {shown} shows it"
            )),
        });
    }
    decode(bytes)
        .map(|text| Source {
            name: shown.clone(),
            text,
        })
        .map_err(|bytes| not_text(shown, &bytes))
}

/// How WebAssembly begins.
const WASM: &[u8] = b"\0asm";

/// Whether a file is a component, by its name or by how it begins. Of what is no plain file nothing is read: it might
/// be there only once.
pub(crate) fn is_component(path: &Path) -> bool {
    let is_named = path.extension().is_some_and(|ending| ending == "wasm");
    let is_plain = || path.metadata().is_ok_and(|metadata| metadata.is_file());
    is_named || is_plain() && begins_as_wasm(path).unwrap_or(false)
}

fn begins_as_wasm(path: &Path) -> std::io::Result<bool> {
    let mut start = [0; WASM.len()];
    File::open(path)?.read_exact(&mut start)?;
    Ok(start == *WASM)
}

/// A file's bytes, or why there are none.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| reason(&error))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err("it is a folder".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| reason(&error))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err("it is larger than 64 MiB".to_owned());
    }
    Ok(bytes)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// UTF-8 text without a byte order mark; the bytes again if they are not text.
fn decode(bytes: Vec<u8>) -> Result<String, Vec<u8>> {
    let text = String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)?;
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

/// Where the first byte stands that is not UTF-8, drawn on the part of the file before and behind it.
fn not_text(name: String, bytes: &[u8]) -> Unreadable {
    let valid = valid_prefix(bytes);
    let found = bytes[valid];
    let text = String::from_utf8_lossy(bytes).into_owned();
    let span = Span::new(
        SourceId(0),
        valid,
        valid + char::REPLACEMENT_CHARACTER.len_utf8(),
    );
    let label = format!("the byte 0x{found:02x} is not valid here");
    let diagnostic = Diagnostic::new(
        Code::E0008,
        format!("`{name}` is not UTF-8 text"),
        span,
        label,
    )
    .help(encoding_help(bytes));
    Unreadable::NotText {
        source: Source { name, text },
        diagnostic: Box::new(diagnostic),
    }
}

fn valid_prefix(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    }
}

fn encoding_help(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it looks like UTF-16: save it as UTF-8",
        _ if bytes.contains(&0) => "it looks like a binary file",
        _ => "save it as UTF-8",
    }
}

/// A file beside the missing one whose name is nearly the same.
fn similar_file(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    if !wanted.ends_with(".scn") {
        let with_ending = PathBuf::from(format!("{}.scn", path.display()));
        if with_ending.is_file() {
            return Some(format!("did you mean `{}`?", with_ending.display()));
        }
    }
    let folder = path.parent()?;
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".scn"))
        .collect();
    let near =
        scn_compiler::diagnostics::suggest::nearest(wanted, names.iter().map(String::as_str))?;
    Some(format!(
        "did you mean `{}`?",
        path.with_file_name(near).display()
    ))
}

/// Answers `use "path"` relative to the importing file.
///
/// Two ways to write one file give one name: the first that was used.
#[derive(Debug, Default)]
pub(crate) struct Files {
    names: RefCell<HashMap<PathBuf, String>>,
}

impl Files {
    /// A loader that already knows the entry file.
    pub(crate) fn of_entry(path: &Path) -> Self {
        let files = Self::default();
        files.name(path);
        files
    }

    fn name(&self, path: &Path) -> String {
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        self.names
            .borrow_mut()
            .entry(identity)
            .or_insert_with(|| path.display().to_string())
            .clone()
    }
}

impl Loader for Files {
    fn load(&self, from: &str, path: &str) -> Result<Source, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let path = collapse(&folder.join(path));
        let bytes = read_bytes(&path)?;
        let name = self.name(&path);
        decode(bytes)
            .map(|text| Source { name, text })
            .map_err(|bytes| {
                let line = bytes[..valid_prefix(&bytes)]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count()
                    + 1;
                format!("it is not UTF-8 text (line {line})")
            })
    }
}

/// Takes `.` and `..` out of a path as far as that is possible without asking the file system.
fn collapse(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The files that `check` and `test` are about: files as named, folders walked for `.scn`, each once, in order.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Unreadable> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            walk(path, &mut files).map_err(|error| Unreadable::Missing {
                message: format!(
                    "cannot read the folder `{}`: {}",
                    path.display(),
                    reason(&error)
                ),
                help: None,
            })?;
            files[before..].sort();
        } else {
            files.push(path.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        // Links to folders are left alone: they can lead in a circle.
        if entry.file_type()?.is_dir() {
            walk(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "scn") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_of_paths() {
        assert_eq!(collapse(Path::new("a/./b/../c.scn")), Path::new("a/c.scn"));
        assert_eq!(collapse(Path::new("../a.scn")), Path::new("../a.scn"));
        assert_eq!(collapse(Path::new("/a/../b.scn")), Path::new("/b.scn"));
    }

    #[test]
    fn components_are_known_by_their_ending_or_their_first_bytes() {
        assert!(is_component(Path::new("a/x.wasm")));
        assert!(!is_component(Path::new("wasm")));
        let path = std::env::temp_dir().join(format!("scn-files-{}", std::process::id()));
        for (bytes, expected) in [(&b"\0asm\r\0\x01\0"[..], true), (b"\0as", false)] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(is_component(&path), expected);
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_byte_order_mark_is_dropped_and_bad_bytes_are_located() {
        assert_eq!(decode(b"\xef\xbb\xbflet".to_vec()).as_deref(), Ok("let"));
        let Unreadable::NotText { diagnostic, .. } = not_text("x".to_owned(), b"ab\xff") else {
            panic!("a bad byte must be reported")
        };
        assert_eq!(diagnostic.span().range(), 2..5);
    }
}
