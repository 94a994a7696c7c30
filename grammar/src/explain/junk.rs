//! Junk: what is wrong where the grammar could not go on.

use super::Explainer;
use crate::SyntaxErrorKind;
use crate::build::is_reserved;
use crate::syntax::{Node, Rule};

impl Explainer<'_> {
    pub(super) fn junk(&mut self, node: Node) {
        // What lies too deep is reported even inside junk.
        if let Some(deep) = self.deep_inside(node) {
            return self.too_deep(deep);
        }
        match node.rule {
            Rule::bad_item => self.bad_item(node),
            Rule::bad_stmt => self.bad_stmt(node),
            Rule::bad_tail => self.bad_tail(node),
            Rule::bad_head => self.bad_head(node),
            Rule::bad_arm => self.bad_arm(node),
            Rule::bad_interp => self.wrong(node, "`}` to end the interpolation"),
            _ => self.bad_in(node),
        }
    }

    fn deep_inside(&self, node: Node) -> Option<Node> {
        let inside = &self.tree.nodes[node.id as usize..node.next as usize];
        inside.iter().copied().find(|node| node.rule == Rule::deep)
    }

    /// Reports the first token of `node` where `phrase` was expected.
    fn wrong(&mut self, node: Node, phrase: &str) {
        let at = node.start as usize;
        let message = format!("expected {phrase}, found {}", self.found(at));
        let (start, token) = self.token(at);
        let span = self.span(
            start,
            (start + token.len()).min(node.end as usize).max(start),
        );
        self.report(
            SyntaxErrorKind::Unexpected,
            span,
            message,
            "not expected here",
        );
    }

    /// Reports the first token of `node` with a message of its own.
    fn say(&mut self, node: Node, message: String, label: &str, help: &str) {
        let (start, token) = self.token(node.start as usize);
        let span = self.span(
            start,
            (start + token.len()).min(node.end as usize).max(start),
        );
        self.report(SyntaxErrorKind::Unexpected, span, message, label);
        if !help.is_empty() {
            self.help(help);
        }
    }

    fn first_word(&self, node: Node) -> String {
        self.token(node.start as usize).1.to_owned()
    }

    fn bad_item(&mut self, node: Node) {
        let word = self.first_word(node);
        if self.follows_stray(node) || (word == "}" && !self.errors.is_empty()) {
            return;
        }
        let (message, label, help) = match word.as_str() {
            "}" | ")" | "]" => {
                let message = format!("`{word}` closes nothing");
                (message, "no bracket is open here", "")
            }
            "var" | "let" => (
                format!("`{word}` cannot stand at file level"),
                "a variable outside of any block",
                "use `const` for a fixed value, `param` for one that `--set` changes",
            ),
            "load" | "setup" | "init" | "each" | "exit" | "teardown" | "source" | "tags" => (
                format!("`{word}` belongs inside a scenario"),
                "outside of any scenario",
                "put it between the braces of `scenario name { }`",
            ),
            "function" | "func" | "def" | "async" => (
                format!("expected an item, found `{word}`"),
                "no item starts like this",
                "functions are declared with `fn name(x: int) -> int { }`",
            ),
            "import" | "include" | "require" | "from" => (
                format!("expected an item, found `{word}`"),
                "no item starts like this",
                "files are imported with `use \"lib/auth.scn\" as auth`",
            ),
            "struct" | "class" | "interface" | "record" => (
                format!("expected an item, found `{word}`"),
                "no item starts like this",
                "records are declared with `type Name = { field: type }`",
            ),
            _ => return self.stray_statement(node),
        };
        self.say(node, message, label, help);
    }

    /// Whether only blanks stand between `node` and a statement at file level before it. A block that
    /// was closed too early leaves many of them, and a `}`.
    fn follows_stray(&mut self, node: Node) -> bool {
        let (start, end) = (node.start as usize, node.end as usize);
        let between = self.text.get(self.stray_end..start);
        let follows = self.stray_end > 0 && between.is_some_and(|text| text.trim().is_empty());
        self.stray_end = end;
        follows
    }

    fn stray_statement(&mut self, node: Node) {
        let is_stmt = self.tree.kids(node).any(|kid| kid.rule == Rule::stmt);
        if is_stmt {
            let message = "a statement cannot stand at file level".to_owned();
            let label = "outside of any block";
            let help = "put it inside a `scenario`, `test` or `fn`";
            return self.say(node, message, label, help);
        }
        self.wrong(node, "an item such as `scenario`, `test` or `fn`");
    }

    fn bad_stmt(&mut self, node: Node) {
        let phrase = match self.parent().rule {
            Rule::load_line => "a line such as `users 50 for 1m` or `run for 5m`",
            Rule::pool_line => "`range`, `reserve`, `pick`, `lease` or `when exhausted`",
            Rule::http_body => "a route such as `GET \"/users\" { }`",
            Rule::threshold => "a threshold such as `http.duration p95 < 300ms`",
            Rule::choose_arm => "a weight and a block: `7 => { }`",
            _ => return self.no_statement(node),
        };
        self.wrong(node, phrase);
    }

    fn no_statement(&mut self, node: Node) {
        let word = self.first_word(node);
        let (message, label, help) = match word.as_str() {
            "else" => (
                "`else` without `if`".to_owned(),
                "no `if` ends before this",
                "",
            ),
            "catch" => (
                "`catch` without anything to its left".to_owned(),
                "nothing to catch",
                "",
            ),
            "fn" | "type" | "enum" | "const" => (
                format!("`{word}` cannot stand inside a block"),
                "only at file level",
                "move the declaration out of the block",
            ),
            "parallel" => (
                "expected `{` or `for` after `parallel`".to_owned(),
                "incomplete",
                "write `parallel { a; b }` or `parallel for x in xs { }`",
            ),
            word if is_reserved(word) => {
                let message = format!("the reserved word `{word}` cannot start a statement");
                (message, "a reserved word", "")
            }
            ")" | "]" => (
                format!("`{word}` closes nothing"),
                "no bracket is open here",
                "",
            ),
            _ => return self.wrong(node, "a statement"),
        };
        self.say(node, message, label, help);
    }

    fn bad_tail(&mut self, node: Node) {
        let word = self.first_word(node);
        let foreign = match word.as_str() {
            "and" => "write `&&`",
            "or" => "write `||`",
            "?" => "there is no `? :`; write `if c { a } else { b }`",
            "=>" | "->" => "there are no function values; declare a `fn` at file level and call it",
            ":=" => "write `let name = value`",
            "++" => "there is no `++`; write `x += 1`",
            "--" => "there is no `--`; write `x -= 1`",
            "{" if self.line_before(node) == "try" => {
                "errors are handled behind an expression: `do { ... } catch e { ... }`"
            }
            "{" => "a block follows a keyword, such as `if`, `step` or `do`",
            "#" => "comments start with `//`",
            "," => "a newline or `;` ends a statement",
            "=" if self.follows_check(node) => "compare with `==`",
            "=" => "the line above or the name in front may be incomplete",
            _ => self.foreign_word(node),
        };
        if matches!(word.as_str(), ")" | "]") {
            let message = format!("`{word}` closes nothing");
            return self.say(node, message, "no bracket is open here", "");
        }
        let after_brace = self.text[..node.start as usize].trim_end().ends_with('}');
        let end = match self.parent().rule {
            Rule::file => "the end of the line",
            _ => "the end of the statement",
        };
        self.wrong(node, end);
        if !foreign.is_empty() {
            self.help(foreign);
        } else if after_brace {
            self.help("a new line or `;` must follow this `}`");
        }
    }

    /// Whether the statement that `node` ends badly is a `check` or an `expect`.
    fn follows_check(&self, node: Node) -> bool {
        let line = self.line_before(node);
        line.starts_with("check ") || line.starts_with("expect ")
    }

    /// The statement on the line of `node`, up to it.
    fn line_before(&self, node: Node) -> &str {
        let before = &self.text[..node.start as usize];
        let start = before.rfind(['\n', ';', '{']).map_or(0, |at| at + 1);
        before[start..].trim()
    }

    /// Help for what other languages write in front of a place where nothing may follow.
    fn foreign_word(&self, node: Node) -> &'static str {
        let last = self
            .line_before(node)
            .split(' ')
            .next_back()
            .unwrap_or_default();
        let unit = matches!(
            self.first_word(node).as_str(),
            "ns" | "us"
                | "ms"
                | "s"
                | "sec"
                | "second"
                | "seconds"
                | "m"
                | "min"
                | "minutes"
                | "h"
                | "hours"
                | "d"
        );
        match last {
            "await" => "there is no `await`: a call comes back with its result",
            "throw" | "raise" => "write `fail \"why\"`",
            "not" => "write `!`",
            "new" => "values are written without `new`",
            "const" | "final" => "write `let name = value`",
            number if unit && number.ends_with(|last: char| last.is_ascii_digit()) => {
                "a duration is written without a blank: `100ms`, `5s`, `1m30s`"
            }
            _ => "",
        }
    }

    fn bad_head(&mut self, node: Node) {
        let word = self.first_word(node);
        if word == "=" {
            let message = "`=` assigns and has no value here".to_owned();
            return self.say(node, message, "not a comparison", "compare with `==`");
        }
        self.wrong(node, "`{`");
        match word.as_str() {
            "and" => self.help("write `&&`"),
            "or" => self.help("write `||`"),
            "then" | ":" => self.help("a block follows: `{ ... }`"),
            "catch" => self.help("put the part with `catch` in parentheses"),
            ";" => self.help("write `for x in 0..10 { }`"),
            _ => {}
        }
    }

    fn bad_arm(&mut self, node: Node) {
        match self.parent().rule {
            Rule::match_arm => {
                self.wrong(node, "a pattern");
                let case = matches!(self.first_word(node).as_str(), "case" | "default" | "else");
                if case {
                    self.help("arms are written `pattern => value`, the rest is `_ => value`");
                }
            }
            Rule::match_body => {
                self.wrong(node, "`,` or a new line after the arm");
                if self.first_word(node).ends_with('=') {
                    self.help("an assignment needs a block: `=> { x = 1 }`");
                }
            }
            Rule::tag | Rule::tags_block | Rule::filter => self.wrong(node, "`name: value`"),
            _ => self.wrong(node, "`,` or `}`"),
        }
    }

    fn bad_in(&mut self, node: Node) {
        let parent = self.parent().rule;
        let phrase = match parent {
            Rule::list | Rule::comprehension | Rule::index => "`,` or `]`",
            Rule::record | Rule::type_record | Rule::enum_body => "`,` or `}`",
            _ => "`,` or `)`",
        };
        let first = self.is_first(node);
        let phrase = match (first, parent) {
            (true, Rule::call | Rule::paren | Rule::list) => "an expression",
            (true, Rule::params) => "a parameter such as `name: string`",
            (true, Rule::record) => "a name or a key",
            (true, Rule::type_record) => "a field such as `name: string`",
            _ => phrase,
        };
        self.wrong(node, phrase);
        let help = match (self.first_word(node).as_str(), parent) {
            ("=", Rule::call) => "arguments are named with `:`, as in `timeout: 2s`",
            ("=", Rule::record) => "entries are written `name: value`",
            ("(", Rule::record) => "a block follows a keyword, such as `do { }`",
            ("=>", _) => {
                "there are no function values; use a comprehension: `[x.id for x in xs if x.ok]`"
            }
            ("-", Rule::record) => {
                "a key with other characters stands in quotes: `\"content-type\": \"...\"`"
            }
            ("?", _) => "there is no `? :`; write `if c { a } else { b }`",
            ("and", _) => "write `&&`",
            ("or", _) => "write `||`",
            (";", Rule::type_record) => "fields are separated by `,`",
            _ => return,
        };
        self.help(help);
    }

    /// Whether nothing but an opening bracket or a comma stands before `node`.
    fn is_first(&self, node: Node) -> bool {
        let before = self.text[..node.start as usize].trim_end();
        before.ends_with(['(', '[', '{', ','])
    }
}
