//! Random types: functions that hand back what they are given, and random values for them. Every layout, the long way
//! through arguments, objects and results, must give the same value again.

use super::host::Loaded;
use super::library;
use std::fmt::Write;
use wasmtime::component::Val;

/// A type that crosses.
#[derive(Clone)]
enum Shape {
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    Ip,
    Addr,
    /// An enum of so many cases.
    Enum(usize),
    List(Box<Shape>),
    Tuple(Vec<Shape>),
    /// A record by its number, with its fields.
    Record(usize, Vec<Shape>),
    Option(Box<Shape>),
}

/// Enums whose numbers take one and two bytes.
const CASES: [usize; 3] = [1, 3, 300];

struct Maker {
    state: u64,
    program: String,
    records: usize,
}

impl Maker {
    fn new(seed: u64) -> Maker {
        let mut program = String::new();
        for count in CASES {
            let cases: Vec<String> = (0..count).map(|case| format!("c{case}")).collect();
            let _ = writeln!(program, "enum E{count} {{ {} }}", cases.join(", "));
        }
        Maker {
            state: seed,
            program,
            records: 0,
        }
    }

    /// A number below another (Knuth's generator, its upper half).
    fn below(&mut self, end: usize) -> usize {
        let (a, b) = (6_364_136_223_846_793_005, 1_442_695_040_888_963_407);
        self.state = self.state.wrapping_mul(a).wrapping_add(b);
        (self.state >> 33) as usize % end
    }

    fn shape(&mut self, depth: usize) -> Shape {
        match self.below(if depth == 0 { 8 } else { 13 }) {
            0 => Shape::Bool,
            1 => Shape::Int,
            2 => Shape::Float,
            3 => Shape::Text,
            4 => Shape::Bytes,
            5 => Shape::Ip,
            6 => Shape::Addr,
            7 => Shape::Enum(CASES[self.below(CASES.len())]),
            8 => Shape::List(Box::new(self.shape(depth - 1))),
            9 => Shape::Tuple(self.shapes(2, depth)),
            10 => self.record(depth),
            _ => match self.shape(depth - 1) {
                Shape::Option(inner) => Shape::Option(inner),
                inner => Shape::Option(Box::new(inner)),
            },
        }
    }

    fn shapes(&mut self, least: usize, depth: usize) -> Vec<Shape> {
        let count = least + self.below(4);
        (0..count).map(|_| self.shape(depth - 1)).collect()
    }

    fn record(&mut self, depth: usize) -> Shape {
        let fields = self.shapes(1, depth);
        let number = self.records;
        self.records += 1;
        let parts = fields.iter().enumerate();
        let parts: Vec<String> = parts
            .map(|(at, field)| format!("f{at}: {}", name(field)))
            .collect();
        let _ = writeln!(self.program, "type R{number} = {{ {} }}", parts.join(", "));
        Shape::Record(number, fields)
    }

    fn value(&mut self, shape: &Shape) -> Val {
        match shape {
            Shape::Bool => Val::Bool(self.below(2) == 1),
            Shape::Int => Val::S64(self.below(1 << 30) as i64 - (1 << 29)),
            Shape::Float => Val::Float64(self.below(1 << 20) as f64 / 16.0 - 3.5),
            Shape::Text => {
                Val::String(["", "a", "zwölf", "多い"][self.below(4)].repeat(self.below(4)))
            }
            Shape::Bytes => self.values(&|maker| Val::U8(maker.below(256) as u8)),
            Shape::Ip => self.ip(),
            Shape::Addr => Val::Record(vec![
                ("address".to_owned(), self.ip()),
                ("port".to_owned(), Val::U16(self.below(1 << 16) as u16)),
            ]),
            Shape::Enum(count) => Val::Enum(format!("c{}", self.below(*count))),
            Shape::List(element) => self.values(&|maker| maker.value(element)),
            Shape::Tuple(parts) => Val::Tuple(parts.iter().map(|part| self.value(part)).collect()),
            Shape::Record(_, fields) => {
                let fields = fields.iter().enumerate();
                let fields = fields.map(|(at, field)| (format!("f{at}"), self.value(field)));
                Val::Record(fields.collect())
            }
            Shape::Option(inner) => {
                let is_there = self.below(3) > 0;
                Val::Option(is_there.then(|| Box::new(self.value(inner))))
            }
        }
    }

    fn values(&mut self, one: &dyn Fn(&mut Maker) -> Val) -> Val {
        let count = self.below(5);
        Val::List((0..count).map(|_| one(self)).collect())
    }

    fn ip(&mut self) -> Val {
        let (case, parts): (_, Vec<Val>) = match self.below(2) {
            0 => (
                "ipv4",
                (0..4).map(|_| Val::U8(self.below(256) as u8)).collect(),
            ),
            _ => (
                "ipv6",
                (0..8)
                    .map(|_| Val::U16(self.below(1 << 16) as u16))
                    .collect(),
            ),
        };
        Val::Variant(case.to_owned(), Some(Box::new(Val::Tuple(parts))))
    }
}

/// A type as the program writes it.
fn name(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "bool".to_owned(),
        Shape::Int => "int".to_owned(),
        Shape::Float => "float".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::Bytes => "bytes".to_owned(),
        Shape::Ip => "ip".to_owned(),
        Shape::Addr => "addr".to_owned(),
        Shape::Enum(count) => format!("E{count}"),
        Shape::List(element) => format!("list<{}>", name(element)),
        Shape::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(name).collect();
            format!("({})", parts.join(", "))
        }
        Shape::Record(number, _) => format!("R{number}"),
        Shape::Option(inner) => format!("{}?", name(inner)),
    }
}

/// How many functions each way.
const FUNCTIONS: usize = 40;

#[test]
fn what_goes_in_comes_out() {
    let mut maker = Maker::new(7);
    let mut shapes = Vec::new();
    for at in 0..FUNCTIONS {
        let parts = [maker.shape(3), maker.shape(2), maker.shape(1)];
        let [a, b, c] = parts.each_ref().map(name);
        let _ = writeln!(
            maker.program,
            "export fn all{at}(a: {a}, b: {b}, c: {c}) -> ({a}, {b}, {c}) {{ return (a, b, c) }}
export fn one{at}(a: {a}, refused: bool) -> {a} {{
  if refused {{ fail \"no\" }}
  return a
}}"
        );
        shapes.push(parts);
    }
    let mut loaded = Loaded::of(
        &library(&maker.program, &["--errors", "string"]),
        "scn:library/shop",
    );
    let refused = Val::Result(Err(Some(Box::new(Val::String("no".to_owned())))));
    for (at, parts) in shapes.iter().enumerate() {
        for _ in 0..5 {
            let values: Vec<Val> = parts.iter().map(|part| maker.value(part)).collect();
            let all = loaded.call(&format!("all{at}"), &values);
            assert_eq!(all, Some(Val::Tuple(values.clone())), "all{at}");
            let one = |flag: bool| [values[0].clone(), Val::Bool(flag)];
            let given = loaded.call(&format!("one{at}"), &one(false));
            let wanted = Val::Result(Ok(Some(Box::new(values[0].clone()))));
            assert_eq!(given, Some(wanted), "one{at}");
            let given = loaded.call(&format!("one{at}"), &one(true));
            assert_eq!(given.as_ref(), Some(&refused), "one{at}");
        }
    }
}
