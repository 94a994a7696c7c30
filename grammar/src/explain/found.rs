//! What stands before and after a place, in the user's words.

use super::Explainer;
use crate::build::is_reserved;

/// Longest piece of source that a message quotes.
const QUOTED: usize = 24;

/// Characters that form operators together.
const OPERATORS: &str = "=+-*/%<>!&|^?.:~";

impl Explainer<'_> {
    /// The place and the text of the token at or after `at`, comments passed over. Ends at the end of
    /// the line.
    pub(super) fn token(&self, at: usize) -> (usize, &str) {
        let rest = &self.text[at..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        let rest = &rest[blanks..];
        let start = at + blanks;
        let Some(first) = rest.chars().next() else {
            return (start, "");
        };
        if first == '\n' || rest.starts_with("//") {
            return (start, "\n");
        }
        (start, &rest[..token_len(first, rest)])
    }

    /// How to name the token at or after `at`.
    pub(super) fn found(&self, at: usize) -> String {
        let (_, token) = self.token(at);
        match token {
            "" => "the end of the file".to_owned(),
            "\n" => "the end of the line".to_owned(),
            word if is_reserved(word) && word != "_" => format!("the reserved word `{word}`"),
            _ => quoted(token),
        }
    }

    /// What stands before `at` on its line, for "expected ... after ...".
    pub(super) fn before(&self, at: usize) -> Option<String> {
        let text = self.text[..at].trim_end_matches([' ', '\t']);
        let last = text
            .chars()
            .next_back()
            .filter(|&last| last != '\n' && last != '\r')?;
        let start = if is_word(last) {
            text.trim_end_matches(is_word).len()
        } else if OPERATORS.contains(last) {
            text.trim_end_matches(|char| OPERATORS.contains(char)).len()
        } else if matches!(last, '(' | '[' | '{' | ',' | ')' | ']' | '}' | '@') {
            text.len() - 1
        } else {
            return None;
        };
        (text.len() - start <= QUOTED).then(|| format!("`{}`", &text[start..]))
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn token_len(first: char, text: &str) -> usize {
    if is_word(first) {
        return text.find(|char| !is_word(char)).unwrap_or(text.len());
    }
    if first == '"' {
        let line = text.lines().next().unwrap_or(text);
        return line[1..]
            .find('"')
            .map_or(line.trim_end().len(), |end| end + 2);
    }
    if OPERATORS.contains(first) {
        return text
            .find(|char| !OPERATORS.contains(char))
            .unwrap_or(text.len());
    }
    first.len_utf8()
}

/// `token` in backquotes, shortened and made printable.
fn quoted(token: &str) -> String {
    let mut short: String = token
        .chars()
        .take(QUOTED)
        .flat_map(char::escape_debug)
        .collect();
    short = short
        .replace("\\\"", "\"")
        .replace("\\'", "'")
        .replace("\\\\", "\\");
    if token.chars().nth(QUOTED).is_some() {
        short.push_str("...");
    }
    format!("`{short}`")
}
