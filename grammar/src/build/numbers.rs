//! Number literals: integers, floats, durations, sizes and rates, told apart by their text.

use super::Builder;
use crate::SyntaxErrorKind;
use crate::ast::{Expr, ExprKind};
use crate::syntax::{Node, Rule};

/// Nanoseconds of each unit, large to small.
const DURATIONS: [(&str, i128); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Bytes of each unit.
const SIZES: [(&str, i128); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// What is wrong with a literal: the message and what to do.
type Wrong = (String, Option<&'static str>);

const UNITS: &str =
    "durations end in `ns us ms s m h d`, sizes in `B KB MB GB KiB MiB GiB`, rates in `/s /m /h`";

impl Builder<'_> {
    /// The literal `node`. The flag says that the `minus` in front is part of the value.
    pub(super) fn number(&mut self, node: Node, minus: bool) -> (ExprKind, bool) {
        match classify(self.str(node), minus) {
            Ok((kind, signed)) => (kind, signed),
            Err((message, help)) => {
                let kind = SyntaxErrorKind::BadLiteral;
                let help = help.map(str::to_owned);
                self.error(kind, self.span(node), message, "bad number", help);
                (
                    ExprKind::Int {
                        value: 0,
                        size: false,
                    },
                    false,
                )
            }
        }
    }

    /// `-` in front of a literal that may hold it already.
    pub(super) fn negate(&self, minus: Node, mut value: Expr, signed: bool) -> Expr {
        if signed {
            value.span = self.span(minus).to(value.span);
            return value;
        }
        self.prefixed(minus, value)
    }

    /// `99%` in a threshold.
    pub(super) fn percent(&mut self, node: Node) -> Expr {
        let span = self.span(node);
        let number = self.kids(node).find(|kid| kid.rule == Rule::number);
        let value = number.and_then(|number| plain_float(self.str(number)));
        let Some(value) = value else {
            let message = format!("`{}` is not a percentage", self.str(node));
            let help = Some("write a number and `%`, such as `99.5%`".to_owned());
            self.error(
                SyntaxErrorKind::BadLiteral,
                span,
                message,
                "bad percentage",
                help,
            );
            return self.missing(span);
        };
        Expr {
            span,
            kind: Box::new(ExprKind::Percent(value)),
        }
    }
}

fn classify(text: &str, minus: bool) -> Result<(ExprKind, bool), Wrong> {
    if let Some((number, unit)) = text.split_once('/') {
        return rate(text, number, unit).map(|kind| (kind, false));
    }
    if let Some((radix, digits)) = prefixed(text) {
        return integer(text, digits, radix, minus);
    }
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'_');
    if plain {
        return integer(text, text, 10, minus);
    }
    if let Some(value) = plain_float(text) {
        return Ok((ExprKind::Float(value), false));
    }
    with_units(text).map(|kind| (kind, false))
}

fn prefixed(text: &str) -> Option<(u32, &str)> {
    let radix = match text.get(..2)? {
        "0x" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => return None,
    };
    // Only small letters: `0B` is a size.
    Some((radix, &text[2..]))
}

fn integer(text: &str, digits: &str, radix: u32, minus: bool) -> Result<(ExprKind, bool), Wrong> {
    let digits = digits.replace('_', "");
    let bad = digits.chars().find(|digit| !digit.is_digit(radix));
    if let Some(bad) = bad {
        let message = format!("`{bad}` is no digit of the base-{radix} number `{text}`");
        return Err((message, None));
    }
    if digits.is_empty() {
        return Err((format!("`{text}` has no digits"), None));
    }
    let int = |value| ExprKind::Int { value, size: false };
    match u64::from_str_radix(&digits, radix) {
        Ok(value) if value <= i64::MAX as u64 => Ok((int(value as i64), false)),
        Ok(value) if minus && value == i64::MIN.unsigned_abs() => Ok((int(i64::MIN), true)),
        _ => {
            let help = "an int goes from -9223372036854775808 to 9223372036854775807";
            Err((format!("`{text}` does not fit into an int"), Some(help)))
        }
    }
}

/// A float such as `1.5`, `2e9`, also `7`; `None` for anything with a unit.
fn plain_float(text: &str) -> Option<f64> {
    let allowed = |byte: u8| byte.is_ascii_digit() || b"._eE+-".contains(&byte);
    if !text.bytes().all(allowed) || text.ends_with('_') {
        return None;
    }
    text.replace('_', "")
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

fn rate(text: &str, number: &str, unit: &str) -> Result<ExprKind, Wrong> {
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        _ => 3600.0,
    };
    let Some(value) = plain_float(number) else {
        let help = "a rate is a number and `/s`, `/m` or `/h`, such as `500/s`";
        return Err((format!("`{text}` is not a rate"), Some(help)));
    };
    Ok(ExprKind::Rate(value / seconds))
}

/// Durations and sizes.
fn with_units(text: &str) -> Result<ExprKind, Wrong> {
    let first = parts(text).next();
    let is_size = first.is_some_and(|(_, unit)| SIZES.iter().any(|(name, _)| *name == unit));
    if is_size {
        return size(text);
    }
    let mut total: i128 = 0;
    let mut largest = DURATIONS.len();
    for (number, unit) in parts(text) {
        let Some(index) = DURATIONS.iter().position(|(name, _)| *name == unit) else {
            return Err(unknown_unit(text, unit));
        };
        if largest != DURATIONS.len() && index <= largest {
            let help = "write the units from large to small, each once: `1h30m10s`";
            return Err((
                format!("the units of `{text}` are out of order"),
                Some(help),
            ));
        }
        largest = index;
        total += scaled(number, DURATIONS[index].1).ok_or_else(|| too_large(text))?;
    }
    let nanoseconds = i64::try_from(total).map_err(|_| too_large(text))?;
    Ok(ExprKind::Duration(nanoseconds))
}

fn size(text: &str) -> Result<ExprKind, Wrong> {
    let mut parts = parts(text);
    let (Some((number, unit)), None) = (parts.next(), parts.next()) else {
        return Err((
            format!("`{text}` is not a size"),
            Some("a size has one unit: `64KiB`"),
        ));
    };
    let bytes = SIZES
        .iter()
        .find(|(name, _)| *name == unit)
        .map_or(1, |(_, bytes)| *bytes);
    let value = scaled(number, bytes).and_then(|value| i64::try_from(value).ok());
    let value = value.ok_or_else(|| too_large(text))?;
    Ok(ExprKind::Int { value, size: true })
}

fn too_large(text: &str) -> Wrong {
    (format!("`{text}` is too large"), None)
}

fn unknown_unit(text: &str, unit: &str) -> Wrong {
    if unit.is_empty() || unit.starts_with('.') {
        return (format!("`{text}` is not a number"), None);
    }
    if SIZES
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(unit))
    {
        let help = "sizes are written `B KB MB GB` (thousands) or `KiB MiB GiB` (of 1024)";
        return (format!("unknown unit `{unit}` in `{text}`"), Some(help));
    }
    (format!("unknown unit `{unit}` in `{text}`"), Some(UNITS))
}

/// Splits `1m30.5s` into `("1", "m")` and `("30.5", "s")`.
fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'_';
        let digits = rest.bytes().take_while(|&byte| is_number(byte)).count();
        let letters = rest[digits..]
            .bytes()
            .take_while(|byte| !byte.is_ascii_digit())
            .count();
        let (part, tail) = rest.split_at(digits + letters);
        rest = tail;
        Some(part.split_at(digits))
    })
}

/// `number * unit`, exact as far as whole units of the result go.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let whole: i128 = whole.parse().ok()?;
    let mut total = whole.checked_mul(unit)?;
    let mut scale: i128 = 1;
    // Eighteen digits after the point are more than a nanosecond of a day can show.
    for digit in fraction.bytes().take(18) {
        scale *= 10;
        total += unit * i128::from(digit.checked_sub(b'0')?) / scale;
    }
    Some(total)
}
