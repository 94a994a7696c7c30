//! Values as text: what an interpolation shows (language.md, rule 18), and JSON. Nesting costs memory, not stack.

use super::seen::Seen;
use super::{Any, List, Map, Slot, Slots, text};
use crate::descs::Descs;
use crate::value::Value;
use scn_compiler::ir::{Desc, Scalar};
use std::fmt::Write;

/// Levels that the pretty form indents. With all of them its size would be the square of the depth.
const LEVELS: usize = 256;

/// A scalar as text.
pub fn scalar(descs: &Descs, scalar: Scalar, value: Value) -> String {
    match scalar {
        Scalar::Bool => value.bool().to_string(),
        Scalar::Int => value.int().to_string(),
        Scalar::Float => float(value.float()),
        Scalar::Duration => text::duration(value.int()),
        Scalar::Rate => format!("{}/s", value.float()),
        Scalar::Enum(of) => descs.case(of, value.int()).to_owned(),
    }
}

/// A float with at least one decimal, shortest.
fn float(value: f64) -> String {
    format!("{value:?}")
}

/// What an interpolation shows: strings as they are, parts as JSON.
pub fn interpolated<'a>(descs: &'a Descs, slot: Slot<'a>) -> String {
    shown(descs, slot.seen(descs))
}

/// The same for an object.
pub fn interpolated_object<'a>(descs: &'a Descs, any: Any<'a>) -> String {
    shown(descs, any.seen(descs))
}

fn shown<'a>(descs: &'a Descs, seen: Seen<'a>) -> String {
    match seen {
        Seen::None => "none".to_owned(),
        Seen::Scalar(kind, value) => scalar(descs, kind, value),
        Seen::Str(text) | Seen::BigNumber(text) => text.to_owned(),
        Seen::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Seen::Ip(ip) => ip.to_string(),
        Seen::Addr(addr) => addr.to_string(),
        Seen::Range(slots) => range(descs, slots),
        Seen::Other(any) => other(descs, any),
        parts => {
            let mut printer = Printer {
                descs,
                out: String::new(),
                indent: None,
                open: Vec::new(),
            };
            printer.print(parts);
            printer.out
        }
    }
}

fn range(descs: &Descs, slots: Slots<'_>) -> String {
    let end = |at| interpolated(descs, slots.slot(descs, at));
    let operator = if slots.slot(descs, 2).bits == 0 {
        ".."
    } else {
        "..="
    };
    format!("{}{operator}{}", end(0), end(1))
}

fn other(descs: &Descs, any: Any<'_>) -> String {
    match descs.desc(any.desc().0) {
        Desc::Extern { name, .. } => name.clone(),
        _ => any
            .as_fault()
            .map_or_else(String::new, crate::fault::Fault::message),
    }
}

/// A slot as JSON; `indent` blanks for each level, or all on one line.
pub fn json<'a>(descs: &'a Descs, slot: Slot<'a>, indent: Option<usize>) -> String {
    json_seen(descs, slot.seen(descs), indent)
}

/// An object as JSON.
pub fn json_object<'a>(descs: &'a Descs, any: Any<'a>, indent: Option<usize>) -> String {
    json_seen(descs, any.seen(descs), indent)
}

fn json_seen<'a>(descs: &'a Descs, seen: Seen<'a>, indent: Option<usize>) -> String {
    let mut printer = Printer {
        descs,
        out: String::new(),
        indent,
        open: Vec::new(),
    };
    printer.print(seen);
    printer.out
}

/// Bytes as a literal of the source: `b"PING\r\n"` where they are text, else `x"00 ff"`.
pub fn bytes_literal(bytes: &[u8]) -> String {
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    if bytes.iter().all(is_text) {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        return format!("b{}", json_string(&text));
    }
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("x\"{}\"", digits.join(" "))
}

/// A text as a JSON string.
pub fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}

/// An array or object that is being printed, and how far it is.
enum Open<'a> {
    List(List<'a>, usize),
    Tuple(Slots<'a>, usize),
    Map(Map<'a>, usize),
    Record(Slots<'a>, usize),
}

struct Printer<'a> {
    descs: &'a Descs,
    out: String,
    indent: Option<usize>,
    open: Vec<Open<'a>>,
}

impl<'a> Printer<'a> {
    fn print(&mut self, seen: Seen<'a>) {
        self.value(seen);
        while let Some(top) = self.open.last_mut() {
            let (next, first) = top.next(self.descs);
            match next {
                Some((key, slot)) => {
                    self.separate(first);
                    self.key(key);
                    self.value(slot.seen(self.descs));
                }
                None => self.close(first),
            }
        }
    }

    fn close(&mut self, empty: bool) {
        let closing = self.open.pop().map_or(']', |open| open.brackets().1);
        if !empty {
            self.line();
        }
        self.out.push(closing);
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.out.push(',');
        }
        self.line();
    }

    /// A new line with its indentation, in pretty form.
    fn line(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            let level = self.open.len().min(LEVELS);
            self.out.extend(std::iter::repeat_n(' ', indent * level));
        }
    }

    fn key(&mut self, key: Option<String>) {
        if let Some(key) = key {
            self.string(&key);
            self.out
                .push_str(if self.indent.is_some() { ": " } else { ":" });
        }
    }

    fn value(&mut self, seen: Seen<'a>) {
        match seen {
            Seen::None | Seen::Null | Seen::Missing(_) => self.out.push_str("null"),
            Seen::Scalar(kind, value) => self.scalar(kind, value),
            Seen::BigNumber(text) => self.out.push_str(text),
            Seen::Str(text) => self.string(text),
            Seen::List(list) => self.opens(Open::List(list, 0)),
            Seen::Map(map) => self.opens(Open::Map(map, 0)),
            Seen::Record(slots) => self.opens(Open::Record(slots, 0)),
            Seen::Tuple(slots) => self.opens(Open::Tuple(slots, 0)),
            Seen::Bytes(_) | Seen::Ip(_) | Seen::Addr(_) | Seen::Range(_) | Seen::Other(_) => {
                let text = shown(self.descs, seen);
                self.string(&text);
            }
        }
    }

    fn opens(&mut self, open: Open<'a>) {
        self.out.push(open.brackets().0);
        self.open.push(open);
    }

    fn scalar(&mut self, kind: Scalar, value: Value) {
        match kind {
            Scalar::Float if !value.float().is_finite() => self.out.push_str("null"),
            Scalar::Bool | Scalar::Int | Scalar::Float => {
                self.out.push_str(&scalar(self.descs, kind, value))
            }
            Scalar::Duration | Scalar::Rate | Scalar::Enum(_) => {
                let text = scalar(self.descs, kind, value);
                self.string(&text);
            }
        }
    }

    fn string(&mut self, text: &str) {
        write_string(&mut self.out, text);
    }
}

/// A string with the escapes of RFC 8259.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The next part with its key, and whether it is the first.
type Next<'a> = (Option<(Option<String>, Slot<'a>)>, bool);

impl<'a> Open<'a> {
    fn brackets(&self) -> (char, char) {
        match self {
            Open::List(..) | Open::Tuple(..) => ('[', ']'),
            Open::Map(..) | Open::Record(..) => ('{', '}'),
        }
    }

    fn next(&mut self, descs: &'a Descs) -> Next<'a> {
        match self {
            Open::List(list, at) => {
                let next = list.at(descs, *at).map(|slot| (None, slot));
                *at += 1;
                (next, *at == 1)
            }
            Open::Tuple(slots, at) => {
                let next = (*at < slots.len(descs)).then(|| (None, slots.slot(descs, *at)));
                *at += 1;
                (next, *at == 1)
            }
            Open::Map(map, at) => {
                let next = (*at < map.len()).then(|| map.entry(descs, *at));
                *at += 1;
                (
                    next.map(|(key, value)| (Some(interpolated(descs, key)), value)),
                    *at == 1,
                )
            }
            Open::Record(slots, at) => {
                let name = match descs.desc(slots.any().desc().0) {
                    Desc::Record { fields, .. } => fields.get(*at).map(|(name, _)| name.clone()),
                    _ => None,
                };
                let next = name.map(|name| (Some(name), slots.slot(descs, *at)));
                *at += 1;
                (next, *at == 1)
            }
        }
    }
}
