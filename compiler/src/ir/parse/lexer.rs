//! Tokens of the text form. What follows a `;` on a line is left out.

use super::{ParseError, Parsed};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, with digits and dots in it: `list_get`, `v12`, `fn3`, `int?`.
    Word(String),
    /// An int.
    Num(i64),
    /// A quoted text.
    Text(String),
    /// One of `( ) [ ] { } , : =`.
    Mark(char),
    /// `->`
    Arrow,
    /// The end of the text.
    End,
}

/// All tokens of a text and where reading stands.
pub(super) struct Lexer {
    tokens: Vec<(Token, usize)>,
    at: usize,
}

impl Lexer {
    pub(super) fn new(text: &str) -> Parsed<Lexer> {
        let mut tokens = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let mut rest = text.trim_start();
            while !rest.is_empty() && !rest.starts_with(';') {
                let (token, behind) = token(rest).ok_or_else(|| ParseError {
                    line: line + 1,
                    message: format!("no token at {rest:?}"),
                })?;
                tokens.push((token, line + 1));
                rest = behind.trim_start();
            }
        }
        let last = text.lines().count();
        tokens.push((Token::End, last));
        Ok(Lexer { tokens, at: 0 })
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn expected(&self, what: &str) -> ParseError {
        let line = self.tokens[self.at].1;
        ParseError {
            line,
            message: format!("expected {what} before {:?}", self.peek()),
        }
    }

    pub(super) fn word(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Word(word) => {
                let word = word.clone();
                self.next();
                Ok(word)
            }
            _ => Err(self.expected("a word")),
        }
    }

    pub(super) fn text(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Text(text) => {
                let text = text.clone();
                self.next();
                Ok(text)
            }
            _ => Err(self.expected("a text")),
        }
    }

    pub(super) fn num(&mut self) -> Parsed<i64> {
        match *self.peek() {
            Token::Num(n) => {
                self.next();
                Ok(n)
            }
            _ => Err(self.expected("a number")),
        }
    }

    pub(super) fn skip(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.next();
        }
        found
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(next) if next == word);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn skip_mark(&mut self, mark: char) -> bool {
        self.skip(&Token::Mark(mark))
    }

    pub(super) fn skip_arrow(&mut self) -> bool {
        self.skip(&Token::Arrow)
    }

    pub(super) fn mark(&mut self, mark: char) -> Parsed<()> {
        if self.skip_mark(mark) {
            Ok(())
        } else {
            Err(self.expected(&mark.to_string()))
        }
    }

    pub(super) fn arrow(&mut self) -> Parsed<()> {
        if self.skip_arrow() {
            Ok(())
        } else {
            Err(self.expected("->"))
        }
    }
}

/// The token at the start and the rest.
fn token(text: &str) -> Option<(Token, &str)> {
    let first = text.chars().next()?;
    if let Some(rest) = text.strip_prefix("->") {
        return Some((Token::Arrow, rest));
    }
    if "()[]{},:=".contains(first) {
        return Some((Token::Mark(first), &text[1..]));
    }
    if first == '"' {
        return quoted(&text[1..]);
    }
    let end = text
        .find(|c: char| c.is_whitespace() || "()[]{},:=;\"".contains(c))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    match word.parse() {
        Ok(n) => Some((Token::Num(n), rest)),
        Err(_) => Some((Token::Word(word.to_owned()), rest)),
    }
}

/// A text in the form that `{:?}` gives it.
fn quoted(text: &str) -> Option<(Token, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Token::Text(out), &text[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                'r' => out.push('\r'),
                't' => out.push('\t'),
                '0' => out.push('\0'),
                'u' => {
                    let hex: String = chars
                        .by_ref()
                        .map(|(_, c)| c)
                        .skip(1)
                        .take_while(|c| *c != '}')
                        .collect();
                    out.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
                }
                other => out.push(other),
            },
            c => out.push(c),
        }
    }
    None
}
