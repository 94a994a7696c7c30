//! JSON text to objects in one pass, for text that is what it should be: where anything is wrong or rare, it gives up,
//! and `parse` takes the long way. So it makes no errors, and need not know all of JSON. Enter at [`parse`].

use super::parse::number;
use scn_runtime::{Ctx, Own, OwnSlot, VarList, VarMap, desc};

/// How deep it goes.
const DEPTH: u32 = 100;

/// Reads a whole text; `None` if that takes a closer look.
pub(super) fn parse(ctx: &Ctx, text: &[u8]) -> Option<Own> {
    let text = std::str::from_utf8(text).ok()?;
    let mut reader = Reader { ctx, text, at: 0 };
    let value = reader.value(DEPTH)?;
    reader.skip_blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    ctx: &'a Ctx,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// The next byte that is no blank, without taking it.
    fn next(&mut self) -> Option<u8> {
        self.skip_blanks();
        self.peek()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Own) -> Option<Own> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self, depth: u32) -> Option<Own> {
        let heap = &self.ctx.heap;
        match self.next()? {
            b'"' => Some(match self.string()? {
                Text::Plain(text) => heap.string(text),
                Text::Escaped(text) => heap.string(&text),
            }),
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b't' => self.word("true", heap.box_bool(true)),
            b'f' => self.word("false", heap.box_bool(false)),
            b'n' => self.word("null", heap.null()),
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn array(&mut self, depth: u32) -> Option<Own> {
        self.at += 1;
        let mut list = VarList::new(self.ctx, desc::JSON_LIST, 0);
        if self.next()? == b']' {
            self.at += 1;
            return Some(list.into_own());
        }
        loop {
            let item = self.value(depth)?;
            list.push(self.ctx, OwnSlot::own(item));
            match self.next()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(list.into_own())
    }

    fn object(&mut self, depth: u32) -> Option<Own> {
        self.at += 1;
        let mut map = VarMap::new(self.ctx, desc::JSON_MAP);
        if self.next()? == b'}' {
            self.at += 1;
            return Some(map.into_own());
        }
        loop {
            if self.next()? != b'"' {
                return None;
            }
            let key = match self.string()? {
                Text::Plain(text) => self.ctx.heap.string(text),
                Text::Escaped(text) => self.ctx.heap.string(&text),
            };
            self.take(b':')?;
            let value = self.value(depth)?;
            map.insert(self.ctx, OwnSlot::own(key), OwnSlot::own(value));
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(map.into_own())
    }

    /// The text between two quotes, the first of which is next.
    fn string(&mut self) -> Option<Text<'a>> {
        let rest = &self.text[self.at + 1..];
        let end = end_of_plain(rest.as_bytes())?;
        match rest.as_bytes()[end] {
            b'"' => {
                self.at += end + 2;
                Some(Text::Plain(&rest[..end]))
            }
            b'\\' => {
                let mut text = rest[..end].to_owned();
                let used = unescape(&rest[end..], &mut text)?;
                self.at += end + used + 2;
                Some(Text::Escaped(text))
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Own> {
        let bytes = &self.text.as_bytes()[self.at..];
        let (len, digits, whole) = measure(bytes)?;
        let text = &self.text[self.at..self.at + len];
        self.at += len;
        let heap = &self.ctx.heap;
        Some(match whole {
            true if digits <= 18 => heap.box_int(text.parse().ok()?),
            // So few digits are the same after a float has been made of them.
            false if digits <= 15 => heap.box_float(text.parse().ok()?),
            _ => number(self.ctx, text),
        })
    }
}

/// Where the quote, backslash or control character stands that ends plain text.
fn end_of_plain(text: &[u8]) -> Option<usize> {
    const SPECIAL: [bool; 256] = {
        let mut special = [false; 256];
        let mut at = 0;
        while at < 0x20 {
            special[at] = true;
            at += 1;
        }
        special[b'"' as usize] = true;
        special[b'\\' as usize] = true;
        special
    };
    text.iter().position(|byte| SPECIAL[*byte as usize])
}

enum Text<'a> {
    Plain(&'a str),
    Escaped(String),
}

/// The length of a number, how many digits it has, and whether it is written as an int.
fn measure(bytes: &[u8]) -> Option<(usize, usize, bool)> {
    let run = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let sign = usize::from(bytes[0] == b'-');
    let mut digits = run(sign);
    if digits == 0 || digits > 1 && bytes[sign] == b'0' {
        return None;
    }
    let mut at = sign + digits;
    let mut whole = true;
    if bytes.get(at) == Some(&b'.') {
        let fraction = run(at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
        digits += fraction;
        whole = false;
    }
    // Exponents are rare.
    let is_end = !matches!(bytes.get(at), Some(b'e' | b'E'));
    is_end.then_some((at, digits, whole))
}

/// Appends text with escapes up to the quote that ends it, and gives how many bytes stand before that.
fn unescape(text: &str, out: &mut String) -> Option<usize> {
    let mut rest = text;
    loop {
        let end = end_of_plain(rest.as_bytes())?;
        out.push_str(&rest[..end]);
        match rest.as_bytes()[end] {
            b'"' => return Some(text.len() - rest.len() + end),
            b'\\' => {}
            _ => return None,
        }
        let mut used = 2;
        out.push(match rest.as_bytes().get(end + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let hex = rest.get(end + 2..end + 6)?;
                if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return None;
                }
                used = 6;
                // Halves of surrogate pairs are rare enough for the long way.
                char::from_u32(u32::from_str_radix(hex, 16).ok()?)?
            }
            _ => return None,
        });
        rest = &rest[end + used..];
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_closely;
    use super::*;
    use crate::testing::with_ctx;
    use scn_runtime::object::show;

    /// Both ways agree wherever the short one does not give up.
    fn agree(text: &[u8]) -> bool {
        let mut read = false;
        with_ctx(|ctx| {
            let shown = |value: &Own| {
                let text = show::json_object(ctx.descs(), value.as_any(), None);
                (value.as_any().desc(), text)
            };
            if let Some(short) = parse(ctx, text) {
                let long = parse_closely(ctx, text).map(|value| shown(&value)).ok();
                assert_eq!(Some(shown(&short)), long, "{}", text.escape_ascii());
                read = true;
            }
        });
        read
    }

    #[test]
    fn the_short_way_reads_what_is_common() {
        for text in [
            r#"{"a":[1,-2.5,true,false,null,"é\n\u00e9\/"],"b":{},"c":[], "a": "again"}"#,
            " [ ] ",
            "0",
            "-0",
            "-0.0",
            "0.1",
            "98.50",
            "123456789012345678",
            "9223372036854775808",
            "0.10000000000000000001",
            "123456789.012345",
            "\"\"",
        ] {
            assert!(agree(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_left_to_the_long_way() {
        for text in [
            "",
            " ",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e2",
            "1e999",
            "1e+",
            "+1",
            "[1,]",
            "[1 2]",
            "[",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1",
            "tru",
            "nul",
            "\"a",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "1 2",
        ] {
            assert!(!agree(text.as_bytes()), "{text}");
        }
        assert!(!agree(b"\"\xff\""));
        assert!(!agree(&[b'['; 1000]));
    }

    #[test]
    fn every_cut_and_change_of_a_text_is_read_alike() {
        let text = br#"{"id":-12.5e1,"x":["a\u0041\"",0,{"t":true,"n":null}],"f":1.25}"#;
        for at in 0..text.len() {
            agree(&text[..at]);
            for byte in [
                b'"', b'\\', b',', b'0', b'.', b'e', b'-', b'}', b' ', b'u', 0, 0xff,
            ] {
                let mut changed = text.to_vec();
                changed[at] = byte;
                agree(&changed);
            }
        }
    }
}
