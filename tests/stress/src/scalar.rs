//! Forms of expressions: templates by kind, in which `$x` is any value of a kind and `@x` a variable of it.
//!
//! The letters of kinds are in [`kind_of`]; `$d` is a small number, `$e` the number of an edge, `$k` a key.

use super::program::{Kind, Maker};

const INT: &[&str] = &[
    "($i + $i)",
    "(@i + $i)",
    "($i - @i)",
    "($i * @i)",
    "($i / @i)",
    "($i % @i)",
    "(@i / 3)",
    "(@i % 8)",
    "(@i << @i)",
    "(@i >> @i)",
    "(@i << 3)",
    "(@i >> 1)",
    "($i & $i)",
    "($i | @i)",
    "(@i ^ $i)",
    "(-@i)",
    "(~@i)",
    "int($f)",
    "edge($e)",
    "@n[$i]",
    "@n.len()",
    "@p.n",
    "(@w.k ?? $i)",
    "(@o ?? fail \"nothing\")",
    "@w.parts[$i].xs[$i]",
    "@t.len()",
    "(@t.find($t) ?? $i)",
    "(@t as int)",
    "@y[$i]",
    "@y.len()",
    "(@n.min() ?? $i)",
    "@n.sum()",
    "math.abs(@i)",
    "math.min(@i, $i)",
    "math.max($i, @i)",
    "math.clamp(@i, 0, 9)",
    "math.pow(@i, $i)",
    "(match @c { red => $i, green => $i, blue => $i })",
    "(if @f < $f { $i } else { $i })",
    "(if let k = @o { k } else { $i })",
    "(match @o { none => $i, k if k > 2 => k, _ => 7 })",
    "(match @i { 0 => 1, 1..=5 => $i, -3..=-1 => 2, _ => @i })",
    "(@m[$k] ?? [\"q\"]).len()",
    "(@j.a as int)",
    "(@j.l[$i] as int)",
    "@j.l.len()",
    "@g.len()",
    "@t.count(\"a\")",
    "down($d, @n, $t)",
    "secret(@t).len()",
];

const FLOAT: &[&str] = &[
    "($f + $f)",
    "($f - @f)",
    "(@f * $f)",
    "($f / $f)",
    "(@f % $f)",
    "(-@f)",
    "float(@i)",
    "special($e)",
    "math.floor($f)",
    "math.ceil(@f)",
    "math.trunc($f)",
    "math.sqrt(@f)",
    "math.round($f)",
    "math.abs(@f)",
    "math.min(@f, $f)",
    "math.max($f, @f)",
    "math.pow(@f, 2.0)",
    "(@v ?? $f)",
    "@g[$i]",
    "(@g.max() ?? $f)",
    "@g.sum()",
    "(@t as float)",
    "(if @f <= $f { $f } else { @f })",
    "(if let k = @v { k } else { $f })",
    "(@j.f as float)",
];

const BOOL: &[&str] = &[
    "($i == $i)",
    "(@i < $i)",
    "($i <= @i)",
    "(@i > $i)",
    "(@i >= $i)",
    "(@i != $i)",
    "(@f < $f)",
    "($f == @f)",
    "(@f >= $f)",
    "(@f != @f)",
    "!(@f < $f)",
    "(!@b)",
    "(@b && $b)",
    "(@b || $b)",
    "(@t == $t)",
    "(@t < $t)",
    "(@t contains $t)",
    "@t.is_empty()",
    "(\"a\" in @x)",
    "(@p == $p)",
    "(@c == Color.red)",
    "(@c != @c)",
    "(@o == none)",
    "(@o == $i)",
    "(@u == $t)",
    "(@v == $f)",
    "(@w == @w)",
    "(@m == @m)",
    "(@j == $i)",
    "(@j.s == $t)",
    "@j.a.exists()",
    "even($d, $t)",
    "(@y == @y)",
    "(@g == @g)",
    "(@t matches re\"a.\")",
    "(@x.len() < @n.len())",
    "(@i in @n)",
];

const COLOR: &[&str] = &[
    "hue($i)",
    "(@t as Color)",
    "(match @c { red => Color.blue, _ => @c })",
    "(if $b { @c } else { Color.green })",
];

const BYTES: &[&str] = &[
    "@t.bytes()",
    "(@y + @y)",
    "@y.slice($i)",
    "@y.slice(0, $i)",
    "bytes.u16be(@i)",
    "bytes.f64be(@f)",
    "bytes.i64le(@i)",
    "@y.reversed()",
];

const TEXT: &[&str] = &[
    "@p.s",
    "@x[$i]",
    "(do { let (n, s) = @z; \"${n}${s}\" })",
    "(@m[$k] ?? [\"z\"])[0]",
    "\"<${@i}>\"",
    "(@t + $t)",
    "($t + $t)",
    "@t.slice($d)",
    "@t.slice($i, $i)",
    "@t.upper()",
    "@t.reversed()",
    "@t.repeat(2)",
    "@t.replace(\"a\", $t)",
    "(@u ?? $t)",
    "(@u ?? fail $t)",
    "(@t.before(\"b\") ?? $t)",
    "@t.split(\"a\")[$i]",
    "@t.chars()[$i]",
    "@x.join(\"-\")",
    "\"${@f} ${@b} ${@c}\"",
    "\"${@p}\"",
    "\"${@n}|${@x}\"",
    "\"${@m}${@w}\"",
    "\"${@j} ${@g}\"",
    "\"${base}/${limit}/${ratio}\"",
    "@y.hex()",
    "@y.text()",
    "(match @t { \"a\" => $t, \"\" => \"empty\", other => other + \"!\" })",
    "(match @u { none => $t, k if k.len() > 1 => k, k => k + k })",
    "(if let k = @u { k } else { $t })",
    "string(@i)",
    "string(@f)",
    "(@j.s as string)",
    "\"${1ms * @i}\"",
    "crypto.sha256(secret(@t)).hex()",
];

const INTS: &[&str] = &[
    "@t.codes()",
    "[x for x in @n if x != $i]",
    "[x + 1 for x in @n if x > 1]",
    "[x * $i for x in @n]",
    "@y.list()",
    "@n.sorted()",
    "[$i, $i]",
    "@n.slice($i)",
    "[x.n for x in @w.parts]",
    "@p.xs",
    "@n.reversed()",
    "@n.take(3) + @n.skip(4)",
    "(@n.take(2) + [$i])",
    "(if $b { @n } else { [$i] })",
];

const TEXTS: &[&str] = &[
    "@t.split(\"a\")",
    "@t.chars()",
    "@m.keys()",
    "@x.sorted()",
    "@x.unique()",
    "[x + $t for x in @x]",
    "(@x.take(2) + [$t])",
    "(@m[$k] ?? [$t])",
    "[$t]",
];

const FLOATS: &[&str] = &[
    "[$f, $f]",
    "[x * 2.0 for x in @g]",
    "@g.reversed()",
    "[float(x) for x in @n]",
    "(@g.take(2) + [$f])",
];

const MAYBE_TEXT: &[&str] = &[
    "@t.before(\"a\")",
    "@x.first()",
    "@x.max()",
    "(if @b { @u } else { none })",
];

const MAYBE_FLOAT: &[&str] = &["@g.first()", "@g.max()", "(if @b { @v } else { none })"];

const MAYBE_INT: &[&str] = &[
    "@n.first()",
    "@t.find($t)",
    "@n.find($i)",
    "@w.k",
    "(if @b { @o } else { none })",
    "@q?.n",
];

const MAYBE_PART: &[&str] = &[
    "@w.maybe",
    "@w.parts.first()",
    "(if @b { @q } else { none })",
];

const JSON: &[&str] = &[
    "@j.a",
    "@j.l[0]",
    "@j[\"b\"]",
    "json.parse(\"[1, 2.5, null, {}]\")",
    "json.parse($t)",
];

const PAIR: &[&str] = &["($i, $t)"];

/// The kind that a letter stands for.
fn kind_of(letter: char) -> Option<Kind> {
    Some(match letter {
        'i' => Kind::Int,
        't' => Kind::Text,
        'f' => Kind::Float,
        'b' => Kind::Bool,
        'c' => Kind::Color,
        'y' => Kind::Bytes,
        'n' => Kind::Ints,
        'x' => Kind::Texts,
        'g' => Kind::Floats,
        'p' => Kind::Part,
        'w' => Kind::Whole,
        'm' => Kind::Map,
        'o' => Kind::MaybeInt,
        'q' => Kind::MaybePart,
        'u' => Kind::MaybeText,
        'v' => Kind::MaybeFloat,
        'j' => Kind::Json,
        'z' => Kind::Pair,
        _ => return None,
    })
}

fn templates(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Int => INT,
        Kind::Text => TEXT,
        Kind::Float => FLOAT,
        Kind::Bool => BOOL,
        Kind::Color => COLOR,
        Kind::Bytes => BYTES,
        Kind::Ints => INTS,
        Kind::Texts => TEXTS,
        Kind::Floats => FLOATS,
        Kind::MaybeText => MAYBE_TEXT,
        Kind::MaybeFloat => MAYBE_FLOAT,
        Kind::MaybeInt => MAYBE_INT,
        Kind::MaybePart => MAYBE_PART,
        Kind::Json => JSON,
        Kind::Pair => PAIR,
        Kind::Part | Kind::Whole | Kind::Map => &[],
    }
}

impl Maker {
    /// A value made by one of the forms of its kind, if there are the variables that it needs.
    pub fn formed(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let forms = templates(kind);
        if forms.is_empty() {
            return None;
        }
        let form = self.random.pick(forms);
        self.fill(form, depth)
    }

    /// Fills a template in.
    pub fn fill(&mut self, template: &str, depth: usize) -> Option<String> {
        let below = depth.saturating_sub(1);
        let mut out = String::new();
        let mut letters = template.chars().peekable();
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied().unwrap_or(' ');
            let made = match (letter, next) {
                ('$', 'd') => self.random.below(40).to_string(),
                ('$', 'e') => self.random.below(11).to_string(),
                ('$', 'k') => self.key(),
                ('$', code) => match kind_of(code) {
                    Some(kind) => self.value(kind, below),
                    None => "$".to_owned(),
                },
                ('@', code) => self.variable(kind_of(code)?)?,
                _ => letter.to_string(),
            };
            if matches!(letter, '$' | '@') && made != "$" {
                letters.next();
            }
            out.push_str(&made);
        }
        Some(out)
    }
}
