//! Expressions of a type, from literals and what is in scope.

use super::program::{Kind, Maker};

const TEXTS: [&str; 9] = [
    "",
    "a",
    "bc",
    "ä",
    "long enough to be copied",
    "12",
    "-9223372036854775808",
    "a€𝄞b",
    "red",
];
const FLOATS: [&str; 7] = ["0.0", "1.5", "(-2.5)", "1e300", "0.1", "3.0", "1e-310"];
const COLORS: [&str; 3] = ["Color.red", "Color.green", "Color.blue"];
const DOCUMENTS: [&str; 4] = [
    r#"json.parse("{\"a\": 1, \"s\": \"x\", \"f\": 1.5, \"l\": [1, null, \"y\"]}")"#,
    r#"json.parse("[1, 2, {\"a\": [3]}]")"#,
    r#"json.parse("null")"#,
    r#"json.parse("{\"a\": \"1\", \"l\": [], \"b\": {\"a\": 7}}")"#,
];
const KEYS: [&str; 3] = ["a", "b", "c"];

impl Maker {
    /// A literal, nested so deep.
    pub fn literal(&mut self, kind: Kind, depth: usize) -> String {
        let many = if depth == 0 { 0 } else { self.random.below(3) };
        let below = depth.saturating_sub(1);
        let mut list = |kind| {
            let items: Vec<String> = (0..many).map(|_| self.literal(kind, below)).collect();
            format!("[{}]", items.join(", "))
        };
        match kind {
            Kind::Int => self.random.below(7).to_string(),
            Kind::Float => self.random.pick(&FLOATS).to_owned(),
            Kind::Bool => self.random.pick(&["true", "false"]).to_owned(),
            Kind::Color => self.random.pick(&COLORS).to_owned(),
            Kind::Bytes => self
                .random
                .pick(&["b\"\"", "b\"ab\"", "x\"ff 00 80\""])
                .to_owned(),
            Kind::Floats => list(Kind::Float),
            Kind::Json => self.random.pick(&DOCUMENTS).to_owned(),
            Kind::Text => format!("\"{}\"", self.random.pick(&TEXTS)),
            Kind::Ints => list(Kind::Int),
            Kind::Texts => list(Kind::Text),
            Kind::Part => {
                let [n, s, xs] =
                    [Kind::Int, Kind::Text, Kind::Ints].map(|kind| self.literal(kind, depth));
                format!("({{ n: {n}, s: {s}, xs: {xs} }})")
            }
            Kind::Whole => self.whole(depth),
            Kind::Map => self.map(depth),
            Kind::MaybeInt | Kind::MaybePart | Kind::MaybeText | Kind::MaybeFloat
                if self.random.one_in(3) =>
            {
                "none".to_owned()
            }
            Kind::MaybeText => self.literal(Kind::Text, depth),
            Kind::MaybeFloat => self.literal(Kind::Float, depth),
            Kind::MaybeInt => self.literal(Kind::Int, depth),
            Kind::MaybePart => self.literal(Kind::Part, depth),
            Kind::Pair => {
                let [n, s] = [Kind::Int, Kind::Text].map(|kind| self.literal(kind, depth));
                format!("({n}, {s})")
            }
        }
    }

    fn whole(&mut self, depth: usize) -> String {
        let below = depth.saturating_sub(1);
        let [part, map, maybe, k] = [Kind::Part, Kind::Map, Kind::MaybePart, Kind::MaybeInt]
            .map(|kind| self.literal(kind, below));
        let parts: Vec<String> = (0..self.random.below(3))
            .map(|_| self.literal(Kind::Part, below))
            .collect();
        let parts = parts.join(", ");
        format!("({{ part: {part}, parts: [{parts}], map: {map}, maybe: {maybe}, k: {k} }})")
    }

    fn map(&mut self, depth: usize) -> String {
        let count = self.random.below(3);
        let entries: Vec<String> = KEYS[..count]
            .iter()
            .map(|key| format!("\"{key}\": {}", self.literal(Kind::Texts, depth)))
            .collect();
        format!("({{ {} }})", entries.join(", "))
    }

    /// A key of a map.
    pub fn key(&mut self) -> String {
        format!("\"{}\"", self.random.pick(&KEYS))
    }

    /// A variable of a type.
    pub fn variable(&mut self, kind: Kind) -> Option<String> {
        let fitting: Vec<usize> = (0..self.variables.len())
            .filter(|at| self.variables[*at].kind == kind)
            .collect();
        (!fitting.is_empty()).then(|| {
            let at = fitting[self.random.below(fitting.len())];
            self.variables[at].name.clone()
        })
    }

    /// Something small of a type: a variable if there is one.
    fn leaf(&mut self, kind: Kind) -> String {
        match self.variable(kind) {
            _ if kind == Kind::Int && self.random.one_in(12) => {
                format!("edge({})", self.random.below(9))
            }
            Some(name) if !self.random.one_in(4) => name,
            _ => self.literal(kind, 1),
        }
    }

    /// A variable whose type is known without context.
    fn named(&mut self, kind: Kind) -> Option<String> {
        self.variable(kind)
    }

    /// An expression of a type.
    pub fn value(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(kind);
        }
        match self.random.below(9) {
            0 | 1 => self.leaf(kind),
            2 => self.call(kind, depth).unwrap_or_else(|| self.leaf(kind)),
            3 => self.either(kind, depth),
            4 => self.caught(kind, depth),
            5 | 6 => self
                .formed(kind, depth)
                .unwrap_or_else(|| self.built(kind, depth - 1)),
            _ => self.built(kind, depth - 1),
        }
    }

    fn call(&mut self, kind: Kind, depth: usize) -> Option<String> {
        if self.loops > 1 {
            return None;
        }
        let fitting: Vec<usize> = (0..self.functions.len())
            .filter(|at| self.functions[*at].result == kind)
            .collect();
        let at = *fitting.get(self.random.below(fitting.len().max(1)))?;
        let params = self.functions[at].params.clone();
        let args: Vec<String> = params
            .iter()
            .map(|kind| self.value(*kind, depth - 1))
            .collect();
        Some(format!("{}({})", self.functions[at].name, args.join(", ")))
    }

    fn either(&mut self, kind: Kind, depth: usize) -> String {
        let condition = self.condition();
        let [a, b] = [(); 2].map(|()| self.value(kind, depth - 1));
        let subject = self.value(Kind::Int, 0);
        match self.random.below(3) {
            0 => {
                let c = self.value(kind, depth - 1);
                format!("(match {subject} {{ 0 => {a}, 1 | 2 => {b}, _ => {c} }})")
            }
            1 => format!("(match {subject} {{ n if n > 2 => {a}, _ => {b} }})"),
            _ => format!("(if {condition} {{ {a} }} else {{ {b} }})"),
        }
    }

    fn caught(&mut self, kind: Kind, depth: usize) -> String {
        let [a, b] = [(); 2].map(|()| self.value(kind, depth - 1));
        match kind {
            // A literal has no type of its own there.
            Kind::Int | Kind::Text | Kind::Float | Kind::Bool | Kind::Color | Kind::Json => {
                format!("({a} catch {b})")
            }
            _ => a,
        }
    }

    /// A condition without errors in most cases.
    pub fn condition(&mut self) -> String {
        let [a, b] = [(); 2].map(|()| self.value(Kind::Int, 1));
        match self.random.below(6) {
            0 => format!("{a} == {b}"),
            4 | 5 => self.value(Kind::Bool, 2),
            1 => format!("{a} < {b} || {b} < 3"),
            2 => match self.named(Kind::Texts) {
                Some(list) => format!("\"a\" in {list}"),
                None => format!("{a} != {b}"),
            },
            _ => match self.named(Kind::Part) {
                Some(part) => format!("{part} == {}", self.literal(Kind::Part, 1)),
                None => format!("{a} > {b}"),
            },
        }
    }

    /// An expression that makes a value out of others.
    fn built(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Ints => self.ints(depth),
            Kind::Texts => self.texts(depth),
            Kind::Part => self.part(depth),
            Kind::Whole => match self.named(Kind::Whole) {
                Some(whole) => {
                    let part = self.value(Kind::Part, depth);
                    format!("({{ ...{whole}, part: {part} }})")
                }
                None => self.literal(kind, 2),
            },
            Kind::Map | Kind::MaybePart | Kind::MaybeInt => self.member(kind, depth),
            _ => self.formed(kind, depth).unwrap_or_else(|| self.leaf(kind)),
        }
    }

    fn ints(&mut self, depth: usize) -> String {
        let Some(list) = self.named(Kind::Ints) else {
            return self.literal(Kind::Ints, 2);
        };
        match self.random.below(6) {
            0 => format!("[x + 1 for x in {list} if x > 1]"),
            1 => match self.named(Kind::Part) {
                Some(part) => format!("{part}.xs"),
                None => list,
            },
            2 if self.loops == 0 => {
                let value = self.value(Kind::Int, depth);
                format!("(parallel for x in {list}.take(3) max 2 {{ sleep 1ms * x; x + {value} }})")
            }
            3 => format!("{list}.reversed()"),
            4 => format!("{list}.take(3) + {list}.skip(4)"),
            _ => {
                let value = self.value(Kind::Int, depth);
                format!("[{value}, ..{list}]")
                    .replace(", ..", "] + [")
                    .replace(&format!("[{list}]"), &format!("{list}.take(2)"))
            }
        }
    }

    fn texts(&mut self, depth: usize) -> String {
        let text = self.value(Kind::Text, depth);
        match (self.named(Kind::Texts), self.named(Kind::Map)) {
            (Some(list), _) if self.random.one_in(2) => format!("{list}.take(2) + [{text}]"),
            (_, Some(map)) => format!("({map}[{}] ?? [{text}])", self.key()),
            _ => format!("[{text}]"),
        }
    }

    fn part(&mut self, depth: usize) -> String {
        match (self.named(Kind::Whole), self.named(Kind::Part)) {
            (Some(whole), _) if self.random.one_in(3) => {
                format!("{whole}.parts[{}]", self.random.below(3))
            }
            (Some(whole), Some(part)) if self.random.one_in(2) => {
                format!("({whole}.maybe ?? {part})")
            }
            (_, Some(part)) => {
                let (n, s) = (self.value(Kind::Int, depth), self.value(Kind::Text, depth));
                format!("({{ ...{part}, n: {n}, s: {s} }})")
            }
            _ => {
                let xs = self.value(Kind::Ints, depth);
                format!("({{ n: 1, s: \"p\", xs: {xs} }})")
            }
        }
    }

    /// A member of a whole, or a leaf.
    fn member(&mut self, kind: Kind, _depth: usize) -> String {
        let field = match kind {
            Kind::Map => "map",
            Kind::MaybePart => "maybe",
            Kind::MaybeInt => "k",
            _ => "k",
        };
        match self.named(Kind::Whole) {
            Some(whole) => format!("{whole}.{field}"),
            None => self.leaf(kind),
        }
    }
}
