//! Methods of durations, rates and numbers.

use crate::raise;
use scn_runtime::{Ctx, Fault, Nanos, NativeDef, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("duration.nanos", nanos),
        ready("duration.micros", micros),
        ready("duration.millis", millis),
        ready("duration.seconds", seconds),
        ready("duration.abs", abs),
        ready("duration.rounded", rounded),
        ready("rate.per_second", per_second),
        ready("int.hex", hex),
        ready("int.digits", digits),
        ready("float.fixed", fixed),
        ready("float.is_nan", is_nan),
        ready("float.is_finite", is_finite),
    ]
}

fn nanos(d: Nanos) -> i64 {
    d.0
}

fn micros(d: Nanos) -> i64 {
    d.0 / 1_000
}

fn millis(d: Nanos) -> i64 {
    d.0 / 1_000_000
}

fn seconds(d: Nanos) -> f64 {
    d.0 as f64 / 1e9
}

fn abs(d: Nanos) -> Result<Nanos, Fault> {
    d.0.checked_abs()
        .map(Nanos)
        .ok_or_else(|| raise::arithmetic("the duration without sign does not fit"))
}

fn rounded(d: Nanos, unit: Nanos) -> Result<Nanos, Fault> {
    if unit.0 <= 0 {
        return Err(raise::argument("the unit must be positive"));
    }
    let (value, unit) = (i128::from(d.0), i128::from(unit.0));
    let rounded = (value + unit / 2).div_euclid(unit) * unit;
    i64::try_from(rounded)
        .map(Nanos)
        .map_err(|_| raise::arithmetic("the rounded duration does not fit"))
}

fn per_second(rate: f64) -> f64 {
    rate
}

/// A width that texts may reasonably have.
fn width(ctx: &Ctx, width: i64) -> Result<usize, Fault> {
    let width = raise::count(width, "the width")?;
    ctx.reserve(width)?;
    Ok(width)
}

fn hex(ctx: &Ctx, n: i64, digits: i64) -> Result<String, Fault> {
    let width = width(ctx, digits)?;
    let text = format!("{n:x}");
    Ok("0".repeat(width.saturating_sub(text.len())) + &text)
}

fn digits(n: i64, base: i64) -> Result<String, Fault> {
    let base = u32::try_from(base)
        .ok()
        .filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| raise::argument("the base must be 2..=36"))?;
    let mut left = n.unsigned_abs();
    let mut reversed = Vec::new();
    loop {
        let digit = (left % u64::from(base)) as u32;
        reversed.push(char::from_digit(digit, base).expect("a remainder is a digit of its base"));
        left /= u64::from(base);
        if left == 0 {
            break;
        }
    }
    let sign = if n < 0 { "-" } else { "" };
    Ok(sign.chars().chain(reversed.into_iter().rev()).collect())
}

fn fixed(value: f64, decimals: i64) -> Result<String, Fault> {
    let decimals = usize::try_from(decimals)
        .ok()
        .filter(|decimals| *decimals <= 100);
    let decimals =
        decimals.ok_or_else(|| raise::argument("the number of decimals must be 0..=100"))?;
    Ok(format!("{value:.decimals$}"))
}

fn is_nan(value: f64) -> bool {
    value.is_nan()
}

fn is_finite(value: f64) -> bool {
    value.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_half_up() {
        let rounded = |nanos, unit| {
            rounded(Nanos(nanos), Nanos(unit))
                .map(|d| d.0)
                .map_err(|fault| fault.message())
        };
        assert_eq!(rounded(1_499, 1_000), Ok(1_000));
        assert_eq!(rounded(1_500, 1_000), Ok(2_000));
        assert_eq!(rounded(-1_500, 1_000), Ok(-1_000));
        assert_eq!(rounded(i64::MAX, 7).map(|d| d % 7), Ok(0));
        assert_eq!(rounded(i64::MAX, i64::MAX - 1), Ok(i64::MAX - 1));
        assert!(rounded(1, 0).is_err());
    }

    #[test]
    fn numbers_in_any_base() {
        let digits = |n, base| digits(n, base).map_err(|fault| fault.message());
        assert_eq!(digits(255, 2).as_deref(), Ok("11111111"));
        assert_eq!(digits(-35, 36).as_deref(), Ok("-z"));
        assert_eq!(digits(0, 10).as_deref(), Ok("0"));
        assert_eq!(digits(i64::MIN, 16).as_deref(), Ok("-8000000000000000"));
        assert!(digits(1, 1).is_err() && digits(1, 37).is_err());
    }
}
