//! Makes programs: functions, then a scenario whose `init` variables its iteration changes.
//!
//! Statements change nested values, fail, catch, retry, wait, defer, and run branches; expressions are of the type that
//! is asked for. Enter at [`generate`].

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
    Float,
    Bool,
    /// An enum of three cases.
    Color,
    Bytes,
    /// `string?`
    MaybeText,
    /// `float?`
    MaybeFloat,
    Floats,
    Json,
}

const KINDS: [Kind; 20] = [
    Kind::Int,
    Kind::Int,
    Kind::Text,
    Kind::Text,
    Kind::Float,
    Kind::Bool,
    Kind::Color,
    Kind::Bytes,
    Kind::MaybeText,
    Kind::MaybeFloat,
    Kind::Floats,
    Kind::Json,
    Kind::Ints,
    Kind::Texts,
    Kind::Part,
    Kind::Whole,
    Kind::Map,
    Kind::MaybeInt,
    Kind::MaybePart,
    Kind::Pair,
];

const HEAD: &str = "\
enum Color { red, green, blue }
type Part = { n: int, s: string, xs: list<int> }
type Whole = { part: Part, parts: list<Part>, map: map<string, list<string>>, maybe: Part?, k: int? }
param base: string = \"b${edge(7)}\"
param limit: int = edge(9)
param ratio: float = special(10)
param shape: Part = { n: 3, s: base, xs: [limit, 1] }
fn edge(n: int) -> int {
  return match n { 0 => math.min_int, 1 => math.max_int, 2 => -1, 3 => 63, 4 => 64, 5 => 0, 6 => 4294967296, 8 => -64, _ => n }
}
fn special(n: int) -> float {
  return match n {
    0 => math.nan, 1 => math.inf, 2 => -math.inf, 3 => -0.0, 4 => 9223372036854775807.0, 5 => -9223372036854775808.0
    6 => 1e300, 7 => 5e-324, 8 => 0.1, 9 => -9223372036854777856.0, 10 => -1.5, _ => float(n)
  }
}
fn hue(n: int) -> Color { return match n { 0 => Color.red, 1 => Color.green, _ => Color.blue } }
fn down(n: int, xs: list<int>, s: string) -> int {
  if n <= 0 { return xs[n + 1] + s.len() }
  if n % 7 == 3 { return (down(n - 1, xs, s) catch xs.len()) + 1 }
  return down(n - 1, xs, s) + xs[0]
}
fn even(n: int, why: string) -> bool { if n == 0 { return true } else { return odd(n - 1, why + \"e\") } }
fn odd(n: int, why: string) -> bool { if n < 0 { fail why.slice(0, 3) }; return n != 0 && even(n - 1, why) }
fn slow(n: int, xs: list<int>) -> int {
  if n <= 0 { sleep 1ms; return xs[1] }
  let k = slow(n - 1, xs)
  return k + 1
}
fn mixed(n: int) -> int {
  if n <= 0 { sleep 1ms; return down(3, [1], \"m\") }
  return mixed(n - 1) + down(2, [n], \"\")
}
";

/// Params that every program has.
const GLOBALS: [(&str, Kind); 4] = [
    ("base", Kind::Text),
    ("limit", Kind::Int),
    ("ratio", Kind::Float),
    ("shape", Kind::Part),
];

impl Kind {
    pub fn name(self) -> &'static str {
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
            Kind::Float => "float",
            Kind::Bool => "bool",
            Kind::Color => "Color",
            Kind::Bytes => "bytes",
            Kind::MaybeText => "string?",
            Kind::MaybeFloat => "float?",
            Kind::Floats => "list<float>",
            Kind::Json => "json",
        }
    }

    /// Whether interpolation takes it.
    pub fn is_shown(self) -> bool {
        !matches!(
            self,
            Kind::MaybeInt
                | Kind::MaybePart
                | Kind::MaybeText
                | Kind::MaybeFloat
                | Kind::Pair
                | Kind::Bytes
        )
    }
}

/// A variable in scope.
#[derive(Clone)]
pub struct Variable {
    pub name: String,
    pub kind: Kind,
    pub mutable: bool,
}

/// A function that was made.
pub struct Function {
    pub name: String,
    pub params: Vec<Kind>,
    pub result: Kind,
}

/// The program under construction.
pub struct Maker {
    pub random: Random,
    pub out: String,
    pub indent: usize,
    pub names: usize,
    pub variables: Vec<Variable>,
    /// Variables from here on may be assigned: a branch assigns only its own.
    pub own: usize,
    pub functions: Vec<Function>,
    /// Statements that may still be made in this function.
    pub fuel: usize,
    /// Loops around the place, in which little is called.
    pub loops: usize,
    /// Whether `break` and `continue` are allowed.
    pub can_jump: bool,
    /// What `return` may give.
    pub result: Option<Kind>,
    /// Calls to the limit of depth that may still be made: they take long.
    pub deep: usize,
}

/// The program of a seed.
pub fn generate(seed: u64) -> String {
    made_of(Random::new(seed))
}

/// The program that a fuzzer's bytes choose.
pub fn generate_from(bytes: &[u8]) -> String {
    made_of(Random::from_bytes(bytes))
}

fn made_of(random: Random) -> String {
    let mut maker = Maker {
        random,
        out: HEAD.to_owned(),
        indent: 0,
        names: 0,
        variables: Vec::new(),
        own: 0,
        functions: Vec::new(),
        fuel: 0,
        loops: 0,
        can_jump: false,
        result: None,
        deep: 1,
    };
    for (name, kind) in GLOBALS {
        maker.declare(name, kind, false);
    }
    maker.own = maker.variables.len();
    let functions = maker.random.below(5);
    (0..functions).for_each(|_| maker.function());
    maker.scenario();
    maker.out
}

impl Maker {
    pub fn line(&mut self, text: &str) {
        let indent = self.indent * 2;
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    pub fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    pub fn kind(&mut self) -> Kind {
        self.random.pick(&KINDS)
    }

    pub fn declare(&mut self, name: &str, kind: Kind, mutable: bool) {
        self.variables.push(Variable {
            name: name.to_owned(),
            kind,
            mutable,
        });
    }

    /// A block of its own scope: what `inner` writes, indented.
    pub fn scoped<T>(&mut self, inner: impl FnOnce(&mut Maker) -> T) -> T {
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
            Kind::Float,
            Kind::MaybeText,
            Kind::Color,
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
            self.fuel = 36;
            self.scoped(|maker| {
                for _ in 0..4 {
                    maker.variable_of_its_own();
                }
                for _ in 0..5 {
                    maker.line("do {");
                    maker.scoped(|maker| maker.statements(5));
                    maker.line("} catch e { log.info(\"caught ${e.kind} ${e.message}\") }");
                }
                maker.statements(3);
                maker.show_all();
            });
            self.line("}");
        }
        self.indent -= 1;
        self.line("}");
    }

    /// Logs all variables that can be shown.
    pub fn show_all(&mut self) {
        let shown: Vec<String> = self
            .variables
            .iter()
            .filter(|variable| variable.kind.is_shown())
            .map(|variable| format!("${{{}}}", variable.name))
            .collect();
        self.line(&format!("log.info(\"{}\")", shown.join(" ")));
    }
}
