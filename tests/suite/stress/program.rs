//! Makes programs: functions, then a scenario whose `init` variables its iteration changes.
//!
//! Statements change nested values, fail, catch, retry, wait, defer, and run branches; expressions are of the type that
//! is asked for. Enter at [`generate`].

#[path = "expression.rs"]
mod expression;
#[path = "statement.rs"]
mod statement;

use super::random::Random;
use std::fmt::Write;

/// How a line of `log` begins that says that a value changed behind the program's back.
pub const BROKEN: &str = "BROKEN";

/// Types of generated values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Int,
    Text,
    Ints,
    /// `list<string>`
    Texts,
    /// A record of scalars and a list.
    Part,
    /// A record of all others.
    Whole,
    /// `map<string, list<string>>`
    Map,
    /// `int?`
    MaybeInt,
    /// `Part?`
    MaybePart,
    Pair,
}

const KINDS: [Kind; 10] = [
    Kind::Int,
    Kind::Text,
    Kind::Ints,
    Kind::Texts,
    Kind::Part,
    Kind::Whole,
    Kind::Map,
    Kind::MaybeInt,
    Kind::MaybePart,
    Kind::Pair,
];

const TYPES: &str = "\
type Part = { n: int, s: string, xs: list<int> }
type Whole = { part: Part, parts: list<Part>, map: map<string, list<string>>, maybe: Part?, k: int? }
";

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Int => "int",
            Kind::Text => "string",
            Kind::Ints => "list<int>",
            Kind::Texts => "list<string>",
            Kind::Part => "Part",
            Kind::Whole => "Whole",
            Kind::Map => "map<string, list<string>>",
            Kind::MaybeInt => "int?",
            Kind::MaybePart => "Part?",
            Kind::Pair => "(int, string)",
        }
    }

    /// Whether interpolation takes it.
    fn is_shown(self) -> bool {
        !matches!(self, Kind::MaybeInt | Kind::MaybePart | Kind::Pair)
    }
}

/// A variable in scope.
#[derive(Clone)]
struct Variable {
    name: String,
    kind: Kind,
    mutable: bool,
}

/// A function that was made.
struct Function {
    name: String,
    params: Vec<Kind>,
    result: Kind,
}

/// The program under construction.
struct Maker {
    random: Random,
    out: String,
    indent: usize,
    names: usize,
    variables: Vec<Variable>,
    /// Variables from here on may be assigned: a branch assigns only its own.
    own: usize,
    functions: Vec<Function>,
    /// Statements that may still be made in this function.
    fuel: usize,
    /// Loops around the place, in which little is called.
    loops: usize,
    /// Whether `break` and `continue` are allowed.
    can_jump: bool,
    /// What `return` may give.
    result: Option<Kind>,
}

/// The program of a seed.
pub fn generate(seed: u64) -> String {
    let mut maker = Maker {
        random: Random::new(seed),
        out: TYPES.to_owned(),
        indent: 0,
        names: 0,
        variables: Vec::new(),
        own: 0,
        functions: Vec::new(),
        fuel: 0,
        loops: 0,
        can_jump: false,
        result: None,
    };
    let functions = maker.random.below(4);
    (0..functions).for_each(|_| maker.function());
    maker.scenario();
    maker.out
}

impl Maker {
    fn line(&mut self, text: &str) {
        let indent = self.indent * 2;
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn kind(&mut self) -> Kind {
        self.random.pick(&KINDS)
    }

    fn declare(&mut self, name: &str, kind: Kind, mutable: bool) {
        self.variables.push(Variable {
            name: name.to_owned(),
            kind,
            mutable,
        });
    }

    /// A block of its own scope: what `inner` writes, indented.
    fn scoped<T>(&mut self, inner: impl FnOnce(&mut Maker) -> T) -> T {
        let variables = self.variables.len();
        self.indent += 1;
        let made = inner(self);
        self.indent -= 1;
        self.variables.truncate(variables);
        made
    }

    fn function(&mut self) {
        let name = self.name("f");
        let params: Vec<Kind> = (0..1 + self.random.below(3)).map(|_| self.kind()).collect();
        let result = self.kind();
        let names: Vec<String> = params.iter().map(|_| self.name("p")).collect();
        let list: Vec<String> = names
            .iter()
            .zip(&params)
            .map(|(name, kind)| format!("{name}: {}", kind.name()))
            .collect();
        self.line(&format!(
            "fn {name}({}) -> {} {{",
            list.join(", "),
            result.name()
        ));
        self.fuel = 12;
        self.result = Some(result);
        self.scoped(|maker| {
            for (name, kind) in names.iter().zip(&params) {
                maker.declare(name, *kind, false);
            }
            maker.statements(5);
            let value = maker.value(result, 2);
            maker.line(&format!("return {value}"));
        });
        self.result = None;
        self.line("}");
        self.functions.push(Function {
            name,
            params,
            result,
        });
    }

    fn scenario(&mut self) {
        self.line("scenario s {");
        self.indent += 1;
        self.line("init {");
        let cells: Vec<(String, Kind)> = [
            Kind::Whole,
            Kind::Ints,
            Kind::Map,
            Kind::Int,
            Kind::MaybePart,
        ]
        .map(|kind| (self.name("c"), kind))
        .into();
        self.indent += 1;
        for (name, kind) in &cells {
            let value = self.literal(*kind, 2);
            self.line(&format!("var {name}: {} = {value}", kind.name()));
        }
        self.indent -= 1;
        self.line("}");
        for (name, kind) in &cells {
            self.declare(name, *kind, true);
        }
        for section in ["each", "exit"] {
            self.line(&format!("{section} {{"));
            self.fuel = 30;
            self.scoped(|maker| {
                maker.statements(14);
                maker.show_all();
            });
            self.line("}");
        }
        self.indent -= 1;
        self.line("}");
    }

    /// Logs all variables that can be shown.
    fn show_all(&mut self) {
        let shown: Vec<String> = self
            .variables
            .iter()
            .filter(|variable| variable.kind.is_shown())
            .map(|variable| format!("${{{}}}", variable.name))
            .collect();
        self.line(&format!("log.info(\"{}\")", shown.join(" ")));
    }
}
