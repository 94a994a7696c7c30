//! Expressions and patterns in prefix form.

use super::Printer;
use crate::ast::{
    Arg, CatchHandler, Else, Entry, Expr, ExprKind, MatchArm, Pattern, PatternKind, StrPart,
};

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Bool(value) => self.word(&value.to_string()),
            ExprKind::Int { value, size: false } => self.word(&value.to_string()),
            ExprKind::Int { value, size: true } => self.word(&format!("{value}B")),
            ExprKind::Float(value) => self.word(&format!("{value:?}")),
            ExprKind::Duration(nanoseconds) => self.word(&duration(*nanoseconds)),
            ExprKind::Rate(value) => self.word(&format!("{value:?}/s")),
            ExprKind::Percent(value) => self.word(&format!("{value}%")),
            ExprKind::Str(parts) => self.string(parts),
            ExprKind::Bytes(bytes) => {
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                self.word(&format!("x\"{}\"", hex.join(" ")));
            }
            ExprKind::Regex(pattern) => self.word(&format!("re\"{pattern}\"")),
            ExprKind::None => self.word("none"),
            ExprKind::Name(name) => self.word(&name.text),
            ExprKind::Break => self.word("break"),
            ExprKind::Continue => self.word("continue"),
            ExprKind::Missing => self.word("<missing>"),
            _ => self.compound_expr(expr),
        }
    }

    fn string(&mut self, parts: &[StrPart]) {
        self.word("\"");
        for part in parts {
            match part {
                StrPart::Text(text) => {
                    let text = text.escape_debug().to_string();
                    self.word(&text.replace("${", "\\${"));
                }
                StrPart::Expr(expr) => {
                    self.word("${");
                    self.expr(expr);
                    self.word("}");
                }
            }
        }
        self.word("\"");
    }

    fn compound_expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::List(parts) => {
                self.word("[");
                self.joined(parts, " ", Self::expr);
                self.word("]");
            }
            ExprKind::Record(entries) => {
                self.word("{");
                self.joined(entries, " ", Self::entry);
                self.word("}");
            }
            _ => {
                self.word("(");
                self.form(expr);
                self.word(")");
            }
        }
    }

    /// A word and operands.
    fn operation(&mut self, word: &str, operands: &[&Expr]) {
        self.word(word);
        for operand in operands {
            self.word(" ");
            self.expr(operand);
        }
    }

    fn form(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Field {
                base,
                name,
                optional,
            } => {
                self.operation(if *optional { "?." } else { "." }, &[base]);
                self.word(&format!(" {}", name.text));
            }
            ExprKind::Call { callee, args } => {
                self.operation("call", &[callee]);
                for arg in args {
                    self.word(" ");
                    self.arg(arg);
                }
            }
            ExprKind::Index { base, index } => self.operation("index", &[base, index]),
            ExprKind::Unary { op, operand } => self.operation(op.text(), &[operand]),
            ExprKind::Binary {
                op, left, right, ..
            } => self.operation(op.text(), &[left, right]),
            ExprKind::Range {
                start,
                end,
                inclusive,
            } => {
                self.operation(if *inclusive { "..=" } else { ".." }, &[start, end]);
            }
            ExprKind::As { value, ty } => {
                self.operation("as", &[value]);
                self.word(" ");
                self.ty(ty);
            }
            ExprKind::Tuple(parts) => {
                self.operation("tuple", &parts.iter().collect::<Vec<_>>());
            }
            ExprKind::Paren(inner) => self.operation("paren", &[inner]),
            ExprKind::Return(value) => {
                self.operation("return", &value.iter().collect::<Vec<_>>());
            }
            ExprKind::Fail { value, kind } => {
                self.operation("fail", &[value]);
                if let Some(kind) = kind {
                    self.operation(" kind", &[kind]);
                }
            }
            ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            } => {
                self.operation("comprehension", &[value]);
                self.for_head(" for ", pattern, iterable);
                if let Some(filter) = filter {
                    self.operation(" if", &[filter]);
                }
            }
            _ => self.block_form(expr),
        }
    }

    /// The forms that hold a block.
    fn block_form(&mut self, expr: &Expr) {
        let body = match &*expr.kind {
            ExprKind::If { .. } => return self.if_form(expr),
            ExprKind::Catch { value, handler } => return self.catch_form(value, handler),
            ExprKind::Match { value, arms } => {
                self.operation("match", &[value]);
                self.word(" ");
                return self.braces(arms, Self::match_arm);
            }
            ExprKind::Do(body) => {
                self.word("do");
                body
            }
            ExprKind::Race(body) => {
                self.word("race");
                body
            }
            ExprKind::Step { name, body } => {
                self.operation("step", &[name]);
                body
            }
            ExprKind::Timeout { limit, body } => {
                self.operation("timeout", &[limit]);
                body
            }
            ExprKind::Retry {
                times,
                backoff,
                body,
            } => {
                self.operation("retry", &times.iter().collect::<Vec<_>>());
                if let Some(backoff) = backoff {
                    self.operation(" backoff", &[backoff]);
                }
                body
            }
            ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            } => {
                self.for_head("parallel for ", pattern, iterable);
                if let Some(max) = max {
                    self.operation(" max", &[max]);
                }
                body
            }
            _ => return,
        };
        self.word(" ");
        self.block(body);
    }

    /// `if` with its chain of `else if`, walked in a loop.
    fn if_form(&mut self, expr: &Expr) {
        let mut link = expr;
        while let ExprKind::If {
            cond,
            then,
            otherwise,
        } = &*link.kind
        {
            self.word("if ");
            self.cond(cond);
            self.word(" ");
            self.block(then);
            match otherwise {
                Some(Else::If(next)) => {
                    self.word(" else ");
                    link = next;
                }
                Some(Else::Block(block)) => {
                    self.word(" else ");
                    return self.block(block);
                }
                None => return,
            }
        }
    }

    fn catch_form(&mut self, value: &Expr, handler: &CatchHandler) {
        self.operation("catch", &[value]);
        self.word(" ");
        match handler {
            CatchHandler::Block { binder, body } => {
                if let Some(binder) = binder {
                    self.word(&format!("{} ", binder.text));
                }
                self.block(body);
            }
            CatchHandler::Value(value) => self.expr(value),
        }
    }

    pub(super) fn arg(&mut self, arg: &Arg) {
        if let Some(name) = &arg.name {
            self.word(&format!("{}: ", name.text));
        }
        self.expr(&arg.value);
    }

    fn entry(&mut self, entry: &Entry) {
        match entry {
            Entry::Field { name, value } => self.operation(&format!("{}:", name.text), &[value]),
            Entry::Key { key, value } => {
                self.expr(key);
                self.operation(":", &[value]);
            }
            Entry::Computed { key, value } => {
                self.operation("[", &[key]);
                self.operation("]:", &[value]);
            }
            Entry::Shorthand(name) => self.word(&name.text),
            Entry::Spread(value) => self.operation("...", &[value]),
        }
    }

    fn match_arm(&mut self, arm: &MatchArm) {
        self.pattern(&arm.pattern);
        if let Some(guard) = &arm.guard {
            self.operation(" if", &[guard]);
        }
        self.operation(" =>", &[&arm.body]);
    }

    fn pattern(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Literal(literal) => self.expr(literal),
            PatternKind::Range {
                start,
                end,
                inclusive,
            } => {
                self.expr(start);
                self.word(if *inclusive { "..=" } else { ".." });
                self.expr(end);
            }
            PatternKind::None => self.word("none"),
            PatternKind::Name(name) => self.word(&name.text),
            PatternKind::Case { path } => {
                self.joined(path, ".", |printer, name| printer.word(&name.text));
            }
            PatternKind::Or(parts) => self.joined(parts, " | ", Self::pattern),
            PatternKind::Tuple(parts) => {
                self.word("(");
                self.joined(parts, ", ", Self::pattern);
                self.word(")");
            }
            PatternKind::Ignore => self.word("_"),
            PatternKind::Missing => self.word("<missing>"),
        }
    }
}

/// The duration in the largest unit that it is a whole number of.
fn duration(nanoseconds: i64) -> String {
    let units = [
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
    ];
    let units = units.into_iter().chain([("ms", 1_000_000), ("us", 1_000)]);
    let whole = units
        .into_iter()
        .find(|(_, unit)| nanoseconds != 0 && nanoseconds % unit == 0);
    let (name, unit) = whole.unwrap_or(("ns", 1));
    format!("{}{name}", nanoseconds / unit)
}
