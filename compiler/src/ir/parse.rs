//! Reads the text form back. Spans and sources are not in it, so they come back empty.
//!
//! The text is made by programs and by tests: the first mistake ends it, with its line.

mod functions;
mod lexer;
mod load;
mod ops;
mod tables;

use super::{FuncId, Program, SmallVec, Ty, print};
use lexer::{Lexer, Token};

/// What is wrong with a text and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected.
    pub message: String,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

type Parsed<T> = Result<T, ParseError>;

/// Reads a program.
pub fn parse_ir(text: &str) -> Parsed<Program> {
    let mut parser = Parser {
        lexer: Lexer::new(text)?,
        program: Program::default(),
    };
    parser.program.descs = crate::ir::desc::fixed();
    while parser.lexer.peek() != &Token::End {
        parser.item()?;
    }
    Ok(parser.program)
}

struct Parser {
    lexer: Lexer,
    program: Program,
}

impl Parser {
    fn item(&mut self) -> Parsed<()> {
        let word = self.lexer.word()?;
        match word.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "enum" => self.enum_info(),
            "desc" => self.desc(),
            "const" => self.constant(),
            "host" => self.native(),
            "site" => self.site(),
            "fn" => self.function(),
            "global" => self.global(),
            "scenario" => self.scenario(),
            "thresholds" => self.run_thresholds(),
            "test" => self.test(),
            _ => Err(self.lexer.expected("an item")),
        }
    }

    /// A number after a prefix: `fn12`.
    fn id(&mut self, prefix: &str) -> Parsed<u32> {
        let word = self.lexer.word()?;
        self.id_of(&word, prefix)
    }

    fn id_of(&self, word: &str, prefix: &str) -> Parsed<u32> {
        let number = word.strip_prefix(prefix).and_then(|rest| rest.parse().ok());
        number.ok_or_else(|| self.lexer.expected(prefix))
    }

    /// The number after a prefix if it comes next.
    fn maybe_id(&mut self, prefix: &str) -> Option<u32> {
        let Token::Word(word) = self.lexer.peek() else {
            return None;
        };
        let number = word.strip_prefix(prefix)?.parse().ok()?;
        self.lexer.next();
        Some(number)
    }

    fn func(&mut self) -> Parsed<FuncId> {
        self.id("fn").map(FuncId)
    }

    /// `[a, b]`
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.lexer.mark('[')?;
        let mut items = Vec::new();
        while !self.lexer.skip_mark(']') {
            items.push(item(self)?);
            if !self.lexer.skip_mark(',') {
                self.lexer.mark(']')?;
                break;
            }
        }
        Ok(items)
    }

    fn class(&mut self) -> Parsed<Ty> {
        self.maybe_class()
            .ok_or_else(|| self.lexer.expected("a register class"))
    }

    fn maybe_class(&mut self) -> Option<Ty> {
        [Ty::Int, Ty::Float, Ty::Ptr]
            .into_iter()
            .find(|ty| self.lexer.skip_word(print::class_word(*ty)))
    }

    /// `-> int, ptr` if it is there.
    fn results(&mut self) -> Parsed<SmallVec<[Ty; 2]>> {
        let mut results = SmallVec::new();
        if self.lexer.skip_arrow() {
            results.push(self.class()?);
            while self.lexer.skip_mark(',') {
                results.push(self.class()?);
            }
        }
        Ok(results)
    }
}
