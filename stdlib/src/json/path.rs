//! JSONPath (RFC 9535) as text: what `json.query` understands. Enter at [`Path::parse`].
//!
//! The leading `$` may be left out: `items[0].id`. Evaluation is in [`super::select`].

use std::iter::Peekable;
use std::str::CharIndices;

/// A parsed path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path {
    /// Steps from the root.
    pub segments: Vec<Segment>,
}

/// A step: selectors, applied to each node or to all its descendants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Segment {
    pub descendants: bool,
    pub selectors: Vec<Selector>,
}

/// What a step takes from a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selector {
    Name(String),
    Index(i64),
    Wildcard,
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Filter(Filter),
}

/// A condition behind `?`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    Or(Vec<Filter>),
    And(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Operand, Comparison, Operand),
    /// Whether a query finds something.
    Exists(Query),
    /// `match` (whole) and `search` (part) of a text and an I-Regexp.
    Match {
        whole: bool,
        text: Operand,
        pattern: Operand,
    },
}

/// A query inside of a filter, from `@` or `$`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Query {
    pub from_root: bool,
    pub path: Path,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// The one node that a query finds; also `value(...)`.
    Query(Query),
    /// `length(...)`.
    Length(Box<Operand>),
    /// `count(...)`.
    Count(Query),
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// How deep filters may nest, so that a hostile path cannot exhaust the stack.
const DEPTH: usize = 32;

impl Path {
    /// Reads a path; the error says what is wrong and where.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let mut parser = Parser {
            text,
            chars: text.char_indices().peekable(),
            depth: 0,
        };
        parser.blanks();
        let mut segments = Vec::new();
        if !parser.take('$') && !matches!(parser.peek(), None | Some('.' | '[')) {
            segments.push(Segment {
                descendants: false,
                selectors: vec![parser.member()?],
            });
        }
        segments.extend(parser.segments()?);
        match parser.peek() {
            None => Ok(Path { segments }),
            Some(_) => Err(parser.expected("`.`, `[` or the end")),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, c)| *c)
    }

    fn at(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn rest(&mut self) -> &str {
        let at = self.at();
        &self.text[at..]
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, c)| *c == wanted).is_some()
    }

    fn take_text(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.chars
                .by_ref()
                .take(wanted.chars().count())
                .for_each(drop);
        }
        found
    }

    fn need(&mut self, wanted: char) -> Result<(), String> {
        self.blanks();
        if self.take(wanted) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{wanted}`")))
        }
    }

    fn blanks(&mut self) {
        while self
            .chars
            .next_if(|(_, c)| matches!(c, ' ' | '\t' | '\n' | '\r'))
            .is_some()
        {}
    }

    fn expected(&mut self, what: &str) -> String {
        let column = self.text[..self.at()].chars().count() + 1;
        match self.peek() {
            Some(found) => {
                format!("expected {what} at character {column} of the path, found `{found}`")
            }
            None => format!("expected {what} at the end of the path"),
        }
    }

    fn segments(&mut self) -> Result<Vec<Segment>, String> {
        let mut segments = Vec::new();
        loop {
            if self.take_text("..") {
                let selectors = if self.take('[') {
                    self.bracket()?
                } else {
                    vec![self.member()?]
                };
                segments.push(Segment {
                    descendants: true,
                    selectors,
                });
            } else if self.take('.') {
                segments.push(Segment {
                    descendants: false,
                    selectors: vec![self.member()?],
                });
            } else if self.take('[') {
                segments.push(Segment {
                    descendants: false,
                    selectors: self.bracket()?,
                });
            } else {
                return Ok(segments);
            }
        }
    }

    /// `name` or `*` behind a dot.
    fn member(&mut self) -> Result<Selector, String> {
        if self.take('*') {
            return Ok(Selector::Wildcard);
        }
        let mut name = String::new();
        while let Some((_, c)) = self
            .chars
            .next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii())
        {
            name.push(c);
        }
        if name.is_empty() {
            Err(self.expected("a name or `*`"))
        } else {
            Ok(Selector::Name(name))
        }
    }

    fn bracket(&mut self) -> Result<Vec<Selector>, String> {
        let mut selectors = Vec::new();
        loop {
            self.blanks();
            selectors.push(self.selector()?);
            self.blanks();
            if !self.take(',') {
                self.need(']')?;
                return Ok(selectors);
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, String> {
        match self.peek() {
            Some('*') => {
                self.take('*');
                Ok(Selector::Wildcard)
            }
            Some('\'' | '"') => self.quoted().map(Selector::Name),
            Some('?') => {
                self.take('?');
                self.or().map(Selector::Filter)
            }
            Some('-' | ':' | '0'..='9') => self.index_or_slice(),
            _ => Err(self.expected("a quoted name, a number, `*`, `?` or a slice")),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, String> {
        let start = self.int()?;
        self.blanks();
        if !self.take(':') {
            return start
                .map(Selector::Index)
                .ok_or_else(|| self.expected("a number"));
        }
        self.blanks();
        let end = self.int()?;
        self.blanks();
        let step = if self.take(':') {
            self.blanks();
            self.int()?.unwrap_or(1)
        } else {
            1
        };
        Ok(Selector::Slice { start, end, step })
    }

    fn int(&mut self) -> Result<Option<i64>, String> {
        let from = self.at();
        self.take('-');
        while self.chars.next_if(|(_, c)| c.is_ascii_digit()).is_some() {}
        let to = self.at();
        match &self.text[from..to] {
            "" => Ok(None),
            digits => digits
                .parse()
                .map(Some)
                .map_err(|_| self.expected("a number that fits 64 bits")),
        }
    }

    fn quoted(&mut self) -> Result<String, String> {
        let Some((_, quote)) = self.chars.next() else {
            return Err(self.expected("a quote"));
        };
        let mut text = String::new();
        loop {
            match self.chars.next() {
                None => return Err(self.expected("the closing quote")),
                Some((_, c)) if c == quote => return Ok(text),
                Some((_, '\\')) => text.push(self.escape()?),
                Some((_, c)) => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, String> {
        Ok(match self.chars.next().map(|(_, c)| c) {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => return self.unicode(),
            Some(c @ ('/' | '\\' | '\'' | '"')) => c,
            _ => return Err(self.expected("an escape such as `\\n`")),
        })
    }

    /// `XXXX`, with a surrogate pair as two of them.
    fn unicode(&mut self) -> Result<char, String> {
        let high = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&high) && self.take_text("\\u") {
            let low = self.hex4()?;
            0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.expected("the escape of a character"))
    }

    fn hex4(&mut self) -> Result<u32, String> {
        let digits: String = self.chars.by_ref().take(4).map(|(_, c)| c).collect();
        let code = u32::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| digits.len() == 4);
        code.ok_or_else(|| self.expected("four hexadecimal digits"))
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.and()?];
        while self.operator("||") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::Or(parts)
        })
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut parts = vec![self.basic()?];
        while self.operator("&&") {
            parts.push(self.basic()?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::And(parts)
        })
    }

    fn operator(&mut self, text: &str) -> bool {
        self.blanks();
        self.take_text(text)
    }

    fn basic(&mut self) -> Result<Filter, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.expected("a filter with fewer levels"));
        }
        self.blanks();
        let filter = if self.take('!') {
            Filter::Not(Box::new(self.basic()?))
        } else if self.take('(') {
            let inner = self.or()?;
            self.need(')')?;
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, String> {
        for (word, whole) in [("match(", true), ("search(", false)] {
            if self.take_text(word) {
                let text = self.operand()?;
                self.need(',')?;
                let pattern = self.operand()?;
                self.need(')')?;
                return Ok(Filter::Match {
                    whole,
                    text,
                    pattern,
                });
            }
        }
        let left = self.operand()?;
        self.blanks();
        match (self.comparison_operator(), left) {
            (Some(op), left) => Ok(Filter::Compare(left, op, self.operand()?)),
            (None, Operand::Query(query)) => Ok(Filter::Exists(query)),
            (None, _) => Err(self.expected("a comparison")),
        }
    }

    fn comparison_operator(&mut self) -> Option<Comparison> {
        use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
        let all = [
            ("==", Eq),
            ("!=", Ne),
            ("<=", Le),
            (">=", Ge),
            ("<", Lt),
            (">", Gt),
        ];
        all.into_iter()
            .find(|(text, _)| self.take_text(text))
            .map(|(_, op)| op)
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.blanks();
        match self.peek() {
            Some('@' | '$') => self.query().map(Operand::Query),
            Some('\'' | '"') => self.quoted().map(Operand::Text),
            Some('-' | '0'..='9') => self.number(),
            _ => self.word(),
        }
    }

    fn query(&mut self) -> Result<Query, String> {
        self.blanks();
        let from_root = self.take('$');
        if !from_root && !self.take('@') {
            return Err(self.expected("`@` or `$`"));
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.expected("a filter with fewer levels"));
        }
        let path = Path {
            segments: self.segments()?,
        };
        self.depth -= 1;
        Ok(Query { from_root, path })
    }

    fn number(&mut self) -> Result<Operand, String> {
        let from = self.at();
        while self
            .chars
            .next_if(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
            .is_some()
        {}
        let to = self.at();
        self.text[from..to]
            .parse()
            .map(Operand::Number)
            .map_err(|_| self.expected("a number before this"))
    }

    fn word(&mut self) -> Result<Operand, String> {
        for (word, value) in [
            ("true", Operand::Bool(true)),
            ("false", Operand::Bool(false)),
            ("null", Operand::Null),
        ] {
            if self.take_text(word) {
                return Ok(value);
            }
        }
        let operand = if self.take_text("length(") {
            Operand::Length(Box::new(self.operand()?))
        } else if self.take_text("count(") {
            Operand::Count(self.query()?)
        } else if self.take_text("value(") {
            Operand::Query(self.query()?)
        } else {
            return Err(self.expected("a value, `@`, `$` or a function"));
        };
        self.need(')')?;
        Ok(operand)
    }
}
