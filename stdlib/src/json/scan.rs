//! The reader of JSON text that `quick` and `extract` stand on: strings, numbers and words, and whole values to skip.
//! Where anything is wrong or rare it gives up: it knows no errors. Enter at [`Scan`].

use std::borrow::Cow;

/// How deep a skipped value may be nested: its open containers are the bits of a word.
const SKIPPED: u32 = 64;

/// The powers of ten that are floats, as far as a fraction of 15 digits needs them.
const TENS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A text and how far it is read.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// A number as it is written.
#[derive(Debug)]
pub(super) enum Number<'a> {
    /// An int of at most 18 digits.
    Int(i64),
    /// A float of at most 15 digits, which are the same after a float has been made of them.
    Float(f64),
    /// Anything longer.
    Long(&'a str),
}

impl<'a> Scan<'a> {
    /// Begins with a text; `None` if it is no UTF-8.
    pub(super) fn new(text: &'a [u8]) -> Option<Scan<'a>> {
        let text = std::str::from_utf8(text).ok()?;
        Some(Scan { text, at: 0 })
    }

    /// The byte at a place; 0, which is nothing in JSON, behind the end.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    /// The next byte that is no blank, without taking it.
    #[inline]
    pub(super) fn next(&mut self) -> u8 {
        match self.byte(self.at) {
            b' ' | b'\n' | b'\r' | b'\t' => self.next_behind_blanks(),
            byte => byte,
        }
    }

    #[inline(never)]
    fn next_behind_blanks(&mut self) -> u8 {
        while matches!(self.byte(self.at), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.byte(self.at)
    }

    /// Takes the byte that is next, which the caller has seen.
    #[inline]
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    /// Takes a byte, if it is next.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next() == byte).then(|| self.at += 1)
    }

    /// Whether nothing but blanks is left.
    pub(super) fn is_done(&mut self) -> bool {
        self.next();
        self.at == self.text.len()
    }

    /// Takes `true`, `false` or `null`.
    #[inline]
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        let end = self.at + word.len();
        (self.text.as_bytes().get(self.at..end) == Some(word)).then(|| self.at = end)
    }

    /// Takes the name of a member and its colon.
    #[inline]
    pub(super) fn name(&mut self) -> Option<Cow<'a, str>> {
        if self.next() != b'"' {
            return None;
        }
        let name = self.string()?;
        self.take(b':')?;
        Some(name)
    }

    /// Takes a string, whose quote is next.
    #[inline]
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at + 1;
        let end = end_of_plain(self.text.as_bytes(), start)?;
        if self.text.as_bytes()[end] == b'"' {
            self.at = end + 1;
            return Some(Cow::Borrowed(&self.text[start..end]));
        }
        self.escaped(start, end).map(Cow::Owned)
    }

    #[cold]
    fn escaped(&mut self, start: usize, end: usize) -> Option<String> {
        let mut text = self.text[start..end].to_owned();
        self.at = end;
        loop {
            match self.byte(self.at) {
                b'"' => break,
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
            let end = end_of_plain(self.text.as_bytes(), self.at)?;
            text.push_str(&self.text[self.at..end]);
            self.at = end;
        }
        self.at += 1;
        Some(text)
    }

    /// Takes an escape, whose backslash is next.
    fn escape(&mut self) -> Option<char> {
        let escaped = match self.byte(self.at + 1) {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.hex_escape(),
            _ => return None,
        };
        self.at += 2;
        Some(escaped)
    }

    fn hex_escape(&mut self) -> Option<char> {
        let hex = self.text.get(self.at + 2..self.at + 6)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 6;
        // Halves of surrogate pairs are rare enough for the long way.
        char::from_u32(u32::from_str_radix(hex, 16).ok()?)
    }

    /// Takes a number, which begins with the next byte. Exponents are rare.
    #[inline]
    pub(super) fn number(&mut self) -> Option<Number<'a>> {
        let start = self.at;
        let negative = self.byte(start) == b'-';
        let first = start + usize::from(negative);
        let mut digits = 0;
        let mut end = self.digits(first, &mut digits);
        let whole = end - first;
        if whole == 0 || whole > 1 && self.byte(first) == b'0' {
            return None;
        }
        let mut fraction = 0;
        if self.byte(end) == b'.' {
            let from = end + 1;
            end = self.digits(from, &mut digits);
            fraction = end - from;
            if fraction == 0 {
                return None;
            }
        }
        if matches!(self.byte(end), b'e' | b'E') {
            return None;
        }
        self.at = end;
        Some(match fraction {
            0 if whole <= 18 => Number::Int(if negative { -digits } else { digits }),
            // Both are floats without loss, so that the quotient is the nearest one.
            1.. if whole + fraction <= 15 => {
                let float = digits as f64 / TENS[fraction];
                Number::Float(if negative { -float } else { float })
            }
            _ => Number::Long(&self.text[start..end]),
        })
    }

    /// Where the digits from a place on end; adds them to a number, which means nothing when there are too many.
    #[inline]
    fn digits(&self, mut at: usize, number: &mut i64) -> usize {
        loop {
            let digit = self.byte(at).wrapping_sub(b'0');
            if digit > 9 {
                return at;
            }
            *number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            at += 1;
        }
    }

    /// Reads a value without making anything of it.
    pub(super) fn skip(&mut self) -> Option<()> {
        // The innermost open container is the lowest bit, which is set for objects.
        let (mut open, mut level) = (0u64, 0);
        loop {
            if let Some(object) = self.skip_leaf()? {
                if level == SKIPPED {
                    return None;
                }
                level += 1;
                open = open << 1 | u64::from(object);
                if object {
                    self.skip_name()?;
                }
                continue;
            }
            loop {
                if level == 0 {
                    return Some(());
                }
                match (self.next(), open & 1) {
                    (b',', object) => {
                        self.at += 1;
                        if object == 1 {
                            self.skip_name()?;
                        }
                        break;
                    }
                    (b'}', 1) | (b']', 0) => {}
                    _ => return None,
                }
                self.at += 1;
                level -= 1;
                open >>= 1;
            }
        }
    }

    /// Skips a value without parts, or the beginning of one with parts, and tells whether that is an object.
    #[inline]
    fn skip_leaf(&mut self) -> Option<Option<bool>> {
        match self.next() {
            b'"' => self.skip_string()?,
            open @ (b'{' | b'[') => {
                self.at += 1;
                // The brackets that close stand two behind those that open.
                if self.next() != open + 2 {
                    return Some(Some(open == b'{'));
                }
                self.at += 1;
            }
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            b'-' | b'0'..=b'9' => {
                self.number()?;
            }
            _ => return None,
        }
        Some(None)
    }

    #[inline]
    fn skip_name(&mut self) -> Option<()> {
        if self.next() != b'"' {
            return None;
        }
        self.skip_string()?;
        self.take(b':')
    }

    #[inline]
    fn skip_string(&mut self) -> Option<()> {
        let mut at = self.at + 1;
        loop {
            at = end_of_plain(self.text.as_bytes(), at)?;
            match self.byte(at) {
                b'"' => break,
                b'\\' => {
                    self.at = at;
                    self.escape()?;
                    at = self.at;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        Some(())
    }
}

/// Where the quote, backslash or control character stands that ends plain text: eight bytes at a time.
#[inline]
fn end_of_plain(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(at + special.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = text.get(at..)?;
    let is_special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    rest.iter().position(is_special).map(|more| at + more)
}

/// The high bit of each byte that is a quote, a backslash or below a blank. Behind the first one, others may be set too.
#[inline]
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let is_zero = |word: u64| word.wrapping_sub(ONES);
    let quote = is_zero(word ^ (ONES * b'"' as u64));
    let backslash = is_zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20);
    (quote | backslash | control) & !word & (ONES * 0x80)
}
