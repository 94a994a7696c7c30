//! Text to values: what `string as T` reads, and cells of data files.

use crate::descs::Descs;
use crate::value::Value;
use scn_compiler::ir::Scalar;

/// Units of durations in nanoseconds; longer names first, so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 7] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Reads a whole text as a scalar; the error says what was expected.
pub fn scalar(descs: &Descs, kind: Scalar, text: &str) -> Result<Value, String> {
    let found = match kind {
        Scalar::Bool => text.parse().ok().map(|flag: bool| Value(u64::from(flag))),
        Scalar::Int => int(text).map(Value::from_int),
        Scalar::Float => float(text).map(Value::from_float),
        Scalar::Duration => duration(text).map(Value::from_int),
        Scalar::Rate => rate(text).map(Value::from_float),
        Scalar::Enum(of) => case(descs, of, text).map(Value::from_int),
    };
    found.ok_or_else(|| format!("expected {}, found `{text}`", name(descs, kind)))
}

/// What a scalar type is called.
pub fn name(descs: &Descs, kind: Scalar) -> String {
    let name = match kind {
        Scalar::Bool => "bool",
        Scalar::Int => "int",
        Scalar::Float => "float",
        Scalar::Duration => "a duration such as `1.5s`",
        Scalar::Rate => "a rate such as `10/s`",
        Scalar::Enum(of) => return format!("one of {}", descs.enum_info(of).cases.join(", ")),
    };
    name.to_owned()
}

/// The case of an enum.
pub fn case(descs: &Descs, of: u32, text: &str) -> Option<i64> {
    let at = descs
        .enum_info(of)
        .cases
        .iter()
        .position(|case| case == text);
    at.map(|at| at as i64)
}

/// Digits with an optional sign; no blanks.
fn int(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// As a literal; `inf` and `nan` are no numbers here.
fn float(text: &str) -> Option<f64> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse()
        .ok()
        .filter(|value: &f64| digits && value.is_finite())
}

/// `250ms`, `1m30s`, `-1.5s`.
pub fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = text
        .strip_prefix('-')
        .map_or((false, text), |rest| (true, rest));
    let mut nanos = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end = rest[end..]
            .find(|c: char| c.is_ascii_digit())
            .map_or(rest.len(), |at| end + at);
        let (_, unit) = UNITS
            .iter()
            .find(|(name, _)| *name == &rest[end..unit_end])?;
        nanos += number * unit;
        rest = &rest[unit_end..];
    }
    let nanos = (if negative { -nanos } else { nanos }).round();
    (nanos.abs() < i64::MAX as f64).then_some(nanos as i64)
}

/// `500/s`, `30/m`, `1/h`: per second.
pub fn rate(text: &str) -> Option<f64> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    float(number).map(|number| number / seconds)
}
