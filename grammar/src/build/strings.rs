//! String, byte and regular-expression literals: escapes and interpolations.

use super::Builder;
use crate::ast::{Expr, ExprKind, StrPart};
use crate::syntax::{Node, Rule};
use crate::{Span, SyntaxErrorKind};

const STRING_ESCAPES: &str = "known escapes: `\\n \\r \\t \\0 \\\\ \\\" \\$ \\u{1F600}`";
const BYTE_ESCAPES: &str = "known escapes: `\\n \\r \\t \\0 \\\\ \\\" \\xFF`";

/// One decoded escape, or why there is none.
enum Escape {
    Char(char),
    Byte(u8),
    Bad(String),
}

impl<'t> Builder<'t> {
    /// The parts of a `"..."` or `"""..."""` literal.
    pub(super) fn string_parts(&mut self, node: Node) -> Vec<StrPart> {
        let long = self.str(node).starts_with("\"\"\"");
        if long {
            return self.text_block(node);
        }
        let mut parts = Vec::new();
        for kid in self.kids(node) {
            match kid.rule {
                Rule::text => parts.push(StrPart::Text(self.unescape(self.str(kid), kid.start))),
                Rule::interp => parts.push(StrPart::Expr(self.interpolated(kid))),
                _ => {}
            }
        }
        parts
    }

    /// The expression of `${...}`.
    pub(super) fn interpolated(&mut self, node: Node) -> Expr {
        self.take_expr(&mut self.kids(node), node)
    }

    pub(super) fn raw_parts(&mut self, node: Node) -> Vec<StrPart> {
        let text = self.content(node);
        if text.is_empty() {
            Vec::new()
        } else {
            vec![StrPart::Text(text.to_owned())]
        }
    }

    /// What stands between the quotes of a literal with a prefix.
    fn content(&self, node: Node) -> &'t str {
        self.kids(node).next().map_or("", |text| self.str(text))
    }

    fn content_start(&self, node: Node) -> u32 {
        self.kids(node).next().map_or(node.start, |text| text.start)
    }

    /// `text` with its escapes replaced; `start` is its place in the file.
    pub(super) fn unescape(&mut self, text: &str, start: u32) -> String {
        let mut plain = String::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = text[at..].find('\\') {
            plain.push_str(&text[at..at + found]);
            let from = at + found;
            let (escape, len) = string_escape(&text[from..]);
            match escape {
                Escape::Char(char) => plain.push(char),
                Escape::Byte(_) => {}
                Escape::Bad(message) => self.bad_escape(start, from, len, message, STRING_ESCAPES),
            }
            at = from + len;
        }
        plain.push_str(&text[at..]);
        plain
    }

    fn bad_escape(&mut self, start: u32, from: usize, len: usize, message: String, help: &str) {
        let from = start + from as u32;
        let span = Span {
            source: self.source,
            start: from,
            end: from + len as u32,
        };
        let kind = SyntaxErrorKind::BadLiteral;
        self.error(kind, span, message, "bad escape", Some(help.to_owned()));
    }

    /// The bytes of `b"..."`.
    pub(super) fn byte_text(&mut self, node: Node) -> Vec<u8> {
        let (text, start) = (self.content(node), self.content_start(node));
        let mut bytes = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(found) = text[at..].find('\\') {
            bytes.extend_from_slice(&text.as_bytes()[at..at + found]);
            let from = at + found;
            let (escape, len) = byte_escape(&text[from..]);
            match escape {
                Escape::Char(char) => bytes.extend(char.encode_utf8(&mut [0; 4]).bytes()),
                Escape::Byte(byte) => bytes.push(byte),
                Escape::Bad(message) => self.bad_escape(start, from, len, message, BYTE_ESCAPES),
            }
            at = from + len;
        }
        bytes.extend_from_slice(&text.as_bytes()[at..]);
        bytes
    }

    /// The bytes of `x"de ad"`.
    pub(super) fn hex_text(&mut self, node: Node) -> Vec<u8> {
        let (text, start) = (self.content(node), self.content_start(node));
        let mut digits = Vec::new();
        for (at, char) in text.char_indices() {
            if let Some(digit) = char.to_digit(16) {
                digits.push(digit as u8);
            } else if !char.is_whitespace() && char != '_' {
                let message = format!("`{char}` is no hexadecimal digit");
                let span = Span::new(self.source, 0, char.len_utf8());
                let at = start + at as u32;
                let span = Span {
                    start: at,
                    end: at + span.end,
                    ..span
                };
                self.error(
                    SyntaxErrorKind::BadLiteral,
                    span,
                    message,
                    "not a hex digit",
                    None,
                );
                return Vec::new();
            }
        }
        if digits.len() % 2 == 1 {
            let message = "hex bytes need two digits for each byte".to_owned();
            let label = "an odd number of digits";
            self.error(
                SyntaxErrorKind::BadLiteral,
                self.span(node),
                message,
                label,
                None,
            );
        }
        digits
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    /// The pattern of `re"..."`; only `\"` is ours, all other escapes belong to the pattern.
    pub(super) fn regex_text(&self, node: Node) -> String {
        let text = self.content(node);
        let mut pattern = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match (char, chars.as_str().chars().next()) {
                ('\\', Some('"')) => {}
                ('\\', Some(next)) => {
                    chars.next();
                    pattern.extend(['\\', next]);
                }
                _ => pattern.push(char),
            }
        }
        pattern
    }

    pub(super) fn single_quoted(&mut self, node: Node) -> ExprKind {
        let message = "strings stand in double quotes".to_owned();
        let text = self.str(node).trim_matches('\'');
        let help = Some(format!("write \"{text}\""));
        let kind = SyntaxErrorKind::BadLiteral;
        self.error(kind, self.span(node), message, "single quotes", help);
        ExprKind::Str(vec![StrPart::Text(text.to_owned())])
    }
}

/// The escape at the start of `text`, which is a backslash, and its length.
fn string_escape(text: &str) -> (Escape, usize) {
    match text[1..].chars().next() {
        Some('$') => (Escape::Char('$'), 2),
        Some('u') => unicode_escape(text),
        Some('x') => {
            let message = "`\\x` stands in byte literals only".to_owned();
            (Escape::Bad(message), 2)
        }
        _ => simple_escape(text),
    }
}

fn byte_escape(text: &str) -> (Escape, usize) {
    if !text[1..].starts_with('x') {
        return simple_escape(text);
    }
    let digits = text
        .get(2..4)
        .filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
    match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => (Escape::Byte(byte), 4),
        None => (
            Escape::Bad("`\\x` needs two hexadecimal digits".to_owned()),
            2,
        ),
    }
}

fn simple_escape(text: &str) -> (Escape, usize) {
    let Some(char) = text[1..].chars().next() else {
        return (Escape::Bad("a lone `\\` at the end".to_owned()), 1);
    };
    let plain = match char {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        '\\' | '"' => char,
        _ => {
            let message = format!("unknown escape `\\{}`", char.escape_debug());
            return (Escape::Bad(message), 1 + char.len_utf8());
        }
    };
    (Escape::Char(plain), 2)
}

/// `\u{1F600}`.
fn unicode_escape(text: &str) -> (Escape, usize) {
    let Some(digits) = text[2..].strip_prefix('{') else {
        let four = text[2..]
            .chars()
            .take(4)
            .take_while(char::is_ascii_hexdigit)
            .count();
        let digits = &text[2..2 + four];
        let message = if four == 4 {
            format!("a code point stands in braces: `\\u{{{digits}}}`")
        } else {
            "`\\u` needs a code point in braces: `\\u{1F600}`".to_owned()
        };
        return (Escape::Bad(message), 2 + four);
    };
    let len = digits.chars().take_while(char::is_ascii_hexdigit).count();
    let digits = &digits[..len];
    if !text[3 + len..].starts_with('}') {
        return (
            Escape::Bad("`\\u{` is not closed by `}`".to_owned()),
            3 + len,
        );
    }
    let code = u32::from_str_radix(digits, 16).ok();
    match code.and_then(char::from_u32) {
        Some(char) => (Escape::Char(char), 4 + len),
        None => {
            let message = match code {
                Some(0xD800..=0xDFFF) => format!("`\\u{{{digits}}}` is half of a surrogate pair"),
                _ => format!("`\\u{{{digits}}}` is no Unicode code point"),
            };
            (Escape::Bad(message), 4 + len)
        }
    }
}
