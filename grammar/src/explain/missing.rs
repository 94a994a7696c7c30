//! Markers: what is missing, as a phrase.

use super::Explainer;
use crate::SyntaxErrorKind;
use crate::syntax::{Node, Rule};

/// What a marker asks for, and what to do.
type Phrase = (&'static str, Option<&'static str>);

impl Explainer<'_> {
    pub(super) fn missing(&mut self, node: Node) {
        match node.rule {
            Rule::no_paren | Rule::no_bracket | Rule::no_curly | Rule::no_angle => {
                self.unclosed(node);
            }
            Rule::no_interp => self.open_interpolation(),
            Rule::no_quote | Rule::no_quotes => self.open_string(node),
            Rule::no_comma => self.no_comma(node),
            _ => self.expected(node),
        }
    }

    fn expected(&mut self, node: Node) {
        let at = node.start as usize;
        let (start, token) = self.token(at);
        let shown = if token == "\n" { 0 } else { token.len() };
        // At the end of a line the place is right behind what stands there.
        let start = if shown == 0 { at } else { start };
        let span = self.span(start, start + shown);
        let parent = self.parent().rule;
        let before = self.before(at);
        // Behind its colon only the type itself is missing.
        let colon = node.rule == Rule::no_type && before.as_deref() == Some("`:`");
        let (phrase, help) = phrase(node.rule, if colon { Rule::type_x } else { parent });
        let found = self.found(at);
        let message = match &before {
            Some(before) => format!("expected {phrase} after {before}, found {found}"),
            None => format!("expected {phrase}, found {found}"),
        };
        let help = self
            .better_help(node.rule, token, before.as_deref())
            .or(help);
        self.report(
            SyntaxErrorKind::Unexpected,
            span,
            message,
            &format!("expected {phrase}"),
        );
        if let Some(help) = help {
            self.help(help);
        }
    }

    /// Help for mistakes that other languages teach.
    fn better_help(&self, rule: Rule, token: &str, before: Option<&str>) -> Option<&'static str> {
        let operand = matches!(rule, Rule::no_operand | Rule::no_expr);
        let in_call = self.parent().rule == Rule::call || self.enclosing(Rule::arg).is_some();
        match (token, before) {
            (":", Some("`)`")) if rule == Rule::no_block => {
                Some("what a function gives stands behind `->`: `fn f() -> int { }`")
            }
            ("/", _) if operand => Some("a regular expression is written `re\"...\"`"),
            ("`", _) if operand => Some("text stands in double quotes, with values as `${name}`"),
            ("[" | "{", Some("`let`" | "`var`"))
                if rule == Rule::no_name || rule == Rule::no_binding =>
            {
                Some("only tuples are taken apart: `let (a, b) = ...`")
            }
            ("=", _) if in_call => Some("arguments are named with `:`, as in `timeout: 2s`"),
            ("=", Some("`:`")) => Some("write `let name = value`"),
            (_, Some("`case`")) => Some("arms are written `pattern => value`"),
            ("->", _) if rule == Rule::no_arrow => Some("arms are written `pattern => value`"),
            (other, _) if other.starts_with(|char: char| !char.is_ascii()) => {
                Some("names are made of ASCII letters, digits and `_`")
            }
            ("+" | "++", Some("`+`" | "`++`")) => Some("there is no `++`; write `x += 1`"),
            ("=" | "==" | "===", Some("`==`" | "`===`")) => Some("`==` compares values"),
            (":", Some("`?`")) => Some("write `if c { a } else { b }`"),
            ("==", _) if rule == Rule::no_init => Some("`=` gives the value, `==` compares"),
            (":=", _) => Some("write `let name = value`"),
            ("fn" | "=>" | "|", _) if operand => {
                Some("there are no function values; declare a `fn` at file level and call it")
            }
            ("check" | "expect" | "let" | "var" | "for" | "while" | "loop", _) if operand => {
                Some("this word starts a statement, which has no value")
            }
            _ => None,
        }
    }

    fn unclosed(&mut self, node: Node) {
        let parent = self.parent();
        let open = parent.start as usize;
        let (open, brackets) = self.opener(open, node.rule);
        let at = node.start as usize;
        let (start, token) = self.token(at);
        let shown = if token == "\n" { 0 } else { token.len() };
        let start = if shown == 0 { at } else { start };
        let span = self.span(start, start + shown);
        let (left, right) = brackets;
        let message = format!(
            "`{left}` is never closed: expected `{right}`, found {}",
            self.found(at)
        );
        self.report(
            SyntaxErrorKind::Unclosed,
            span,
            message,
            &format!("`{right}` is missing"),
        );
        let opener = self.span(open, open + left.len_utf8());
        self.relate(opener, format!("this `{left}` is open"));
    }

    /// The opening bracket of the parent that starts at `from`.
    fn opener(&self, from: usize, rule: Rule) -> (usize, (char, char)) {
        let brackets = match rule {
            Rule::no_paren => ('(', ')'),
            Rule::no_bracket => ('[', ']'),
            Rule::no_angle => ('<', '>'),
            _ => ('{', '}'),
        };
        let found = self.text[from..].find(brackets.0).unwrap_or(0);
        (from + found, brackets)
    }

    /// Inside the string everything else is a consequence.
    fn open_interpolation(&mut self) {
        let parent = self.parent();
        let start = parent.start as usize;
        let string = self
            .parents
            .iter()
            .copied()
            .find(|node| node.rule == Rule::string);
        let span = self.span(start, start + 2);
        let message = "`${` is never closed".to_owned();
        self.report(SyntaxErrorKind::Unclosed, span, message, "`}` is missing");
        self.help("close it with `}`, or write `\\${` for the two characters");
        if let Some(string) = string {
            self.silence(string.start, string.end);
        }
    }

    fn open_string(&mut self, node: Node) {
        let parent = self.parent();
        let (start, end) = (parent.start as usize, parent.end as usize);
        let line = self.text[start..end]
            .find('\n')
            .map_or(end, |length| start + length);
        let span = self.span(start, line.max(start + 1).min(self.text.len()));
        let (message, help) = match node.rule {
            Rule::no_quotes => (
                "this `\"\"\"` string is never closed",
                "close it with `\"\"\"`",
            ),
            _ if parent.rule == Rule::string => (
                "this string is never closed",
                "close it with `\"`; text over several lines stands in `\"\"\"`",
            ),
            _ => ("this literal is never closed", "close it with `\"`"),
        };
        self.cut |= node.rule == Rule::no_quotes;
        self.report(
            SyntaxErrorKind::Unterminated,
            span,
            message.to_owned(),
            "starts here",
        );
        self.help(help);
    }

    fn no_comma(&mut self, node: Node) {
        let at = node.start as usize;
        let what = match self.parent().rule {
            Rule::call => "arguments",
            Rule::record => "entries",
            Rule::enum_body => "cases",
            Rule::params => "parameters",
            _ => "fields",
        };
        let message = format!("expected `,` between {what}, found {}", self.found(at));
        self.report(
            SyntaxErrorKind::Unexpected,
            self.span(at, at),
            message,
            "`,` is missing",
        );
    }
}

/// The phrase of the marker `rule` inside `parent`.
fn phrase(rule: Rule, parent: Rule) -> Phrase {
    match rule {
        Rule::no_cond => ("a condition", None),
        Rule::no_subject => ("a value to match", None),
        Rule::no_name => (name_phrase(parent), None),
        Rule::no_member => ("a name", None),
        Rule::no_type => type_phrase(parent),
        Rule::no_binding => ("a name", None),
        Rule::no_pattern => ("a pattern", None),
        Rule::no_block => block_phrase(parent),
        Rule::no_equals if parent == Rule::type_item => ("`=` and a type", None),
        Rule::no_init | Rule::no_equals => ("`=` and a value", None),
        Rule::no_colon => ("`:` and a value", None),
        Rule::no_arrow => ("`=>`", None),
        Rule::no_in => ("`in`", Some("write `for x in xs { }`")),
        Rule::no_for if parent == Rule::parallel_x => (
            "`for`",
            Some(
                "`parallel { }` is a statement without a value; `parallel for x in xs { }` has one",
            ),
        ),
        Rule::no_for => ("`for` and a duration such as `5m`", None),
        Rule::no_times => ("`times`", Some("write `retry 5 times { }`")),
        Rule::no_string if parent == Rule::step_x => ("a name such as `\"buy\"`", None),
        Rule::no_string if parent == Rule::route => ("a path such as `\"/users\"`", None),
        Rule::no_string if parent == Rule::test_item => ("a name in quotes", None),
        Rule::no_string if parent == Rule::use_item => ("a path in quotes", None),
        Rule::no_string => ("a string", None),
        Rule::no_as => (
            "`as` and a name",
            Some("write `use \"lib/auth.scn\" as auth`"),
        ),
        Rule::no_handler => (
            "a block or a value",
            Some("write `catch e { }`, `catch { }` or `catch value`"),
        ),
        Rule::no_params => ("`(` and parameters", None),
        Rule::no_key => ("a name or a key", None),
        Rule::no_fn => ("`fn` or `type`", None),
        Rule::no_item => ("a declaration", None),
        _ => setting_phrase(rule, parent),
    }
}

/// The phrases of configuration lines and literals with units.
fn setting_phrase(rule: Rule, parent: Rule) -> Phrase {
    let plain = match rule {
        Rule::no_duration => "a duration such as `2s`",
        Rule::no_count => "a number such as `50`",
        Rule::no_rate => "a rate such as `100/s`",
        Rule::no_protocol => "`tcp`, `udp`, `tls` or `http`",
        Rule::no_address => "an address such as `\"127.0.0.1:0\"`",
        Rule::no_policy if parent == Rule::pool_pick => "`round_robin`, `random` or `sequential`",
        Rule::no_policy => "`fail`, `share` or the name of a pool",
        Rule::no_per => "`per user`, `per iteration` or `per request`",
        Rule::no_lease => "`user`, `iteration` or `request`",
        Rule::no_then => "`then` and what happens next",
        Rule::no_cmp => "a comparison such as `<`",
        Rule::no_bound => "a bound such as `300ms` or `1%`",
        Rule::no_aggregate => "an aggregate such as `p95`, `rate` or `count`",
        Rule::no_range => "a range such as `\"10.0.0.0/24\"`",
        Rule::no_at => "`at` and a time such as `30s`",
        Rule::no_users => "`users`",
        Rule::no_limit => "`spawn` or `requests` and a rate",
        Rule::no_stop => "`stop` and a duration such as `10s`",
        Rule::no_mode => "`user`",
        Rule::no_empty => "`empty`",
        Rule::no_pool => "the name of a pool",
        _ => "an expression",
    };
    (plain, None)
}

fn name_phrase(parent: Rule) -> &'static str {
    match parent {
        Rule::use_item => "a name for the file",
        Rule::fn_item | Rule::extern_fn => "a name for the function",
        Rule::type_item | Rule::extern_type => "a name for the type",
        Rule::enum_item => "a name for the enum",
        Rule::scenario_item => "a name for the scenario",
        Rule::server_item | Rule::http_server => "a name for the server",
        Rule::pool_item => "a name for the pool",
        Rule::params => "a parameter",
        Rule::type_record => "a field",
        _ => "a name",
    }
}

fn type_phrase(parent: Rule) -> Phrase {
    match parent {
        Rule::param_item => (
            "`:` and a type",
            Some("write `param name: string = \"...\"`"),
        ),
        Rule::data_item => (
            "`:` and a type",
            Some("write `data name: list<T> = csv(\"...\")`"),
        ),
        Rule::metric_item => ("`:` and a type", Some("write `metric name: counter<int>`")),
        Rule::field_type | Rule::param => ("`:` and a type", None),
        _ => ("a type such as `int` or `list<string>`", None),
    }
}

fn block_phrase(parent: Rule) -> Phrase {
    match parent {
        Rule::match_x => ("`{` and the arms", None),
        Rule::enum_item => ("`{` and the cases", None),
        _ => ("`{`", None),
    }
}
