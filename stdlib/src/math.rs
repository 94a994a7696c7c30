//! Arithmetic beyond operators.

use crate::raise;
use scn_compiler::ir::{Desc, Scalar};
use scn_runtime::{Ctx, DescId, Fault, NativeDef, OwnSlot, RawSlot, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    let mut all = vec![
        ready("math.abs", abs),
        ready("math.min", min),
        ready("math.max", max),
        ready("math.clamp", clamp),
        ready("math.pow", pow),
        ready("math.round", round),
        ready("math.atan2", atan2),
        ready("math.hypot", hypot),
        ready("math.pi", pi),
        ready("math.e", e),
        ready("math.inf", inf),
        ready("math.nan", nan),
        ready("math.max_int", max_int),
        ready("math.min_int", min_int),
    ];
    all.extend(functions());
    all
}

/// Whether values of this descriptor are floats; the others are ints.
fn is_float(ctx: &Ctx, ty: DescId) -> bool {
    matches!(
        ctx.descs().desc(ty.0),
        Desc::Box(Scalar::Float | Scalar::Rate)
    )
}

/// Whether `a` comes before `b`. NaN comes before nothing.
fn less(ctx: &Ctx, ty: DescId, a: RawSlot, b: RawSlot) -> bool {
    if is_float(ctx, ty) {
        f64::from_bits(a.0) < f64::from_bits(b.0)
    } else {
        (a.0 as i64) < b.0 as i64
    }
}

fn int(value: Option<i64>, what: &str) -> Result<OwnSlot, Fault> {
    value
        .map(OwnSlot::int)
        .ok_or_else(|| raise::arithmetic(format!("integer overflow: {what}")))
}

fn abs(ctx: &Ctx, ty: DescId, value: RawSlot) -> Result<OwnSlot, Fault> {
    if is_float(ctx, ty) {
        return Ok(OwnSlot::float(f64::from_bits(value.0).abs()));
    }
    int(
        (value.0 as i64).checked_abs(),
        &format!("abs({})", value.0 as i64),
    )
}

fn min(ctx: &Ctx, ty: DescId, a: RawSlot, b: RawSlot) -> OwnSlot {
    OwnSlot::int(if less(ctx, ty, b, a) { b.0 } else { a.0 } as i64)
}

fn max(ctx: &Ctx, ty: DescId, a: RawSlot, b: RawSlot) -> OwnSlot {
    OwnSlot::int(if less(ctx, ty, a, b) { b.0 } else { a.0 } as i64)
}

fn clamp(ctx: &Ctx, ty: DescId, value: RawSlot, low: RawSlot, high: RawSlot) -> OwnSlot {
    let value = if less(ctx, ty, value, low) {
        low
    } else {
        value
    };
    min(ctx, ty, value, high)
}

fn pow(ctx: &Ctx, ty: DescId, base: RawSlot, exponent: RawSlot) -> Result<OwnSlot, Fault> {
    if is_float(ctx, ty) {
        return Ok(OwnSlot::float(
            f64::from_bits(base.0).powf(f64::from_bits(exponent.0)),
        ));
    }
    let (base, exponent) = (base.0 as i64, exponent.0 as i64);
    if exponent < 0 {
        return Err(raise::arithmetic(format!(
            "a negative exponent of an int: {exponent}"
        )));
    }
    int(power(base, exponent), &format!("pow({base}, {exponent})"))
}

/// A power; the bases that never overflow take any exponent.
fn power(base: i64, exponent: i64) -> Option<i64> {
    match (base, u32::try_from(exponent)) {
        (_, Ok(exponent)) => base.checked_pow(exponent),
        (0 | 1, _) => Some(base),
        (-1, _) => Some(if exponent % 2 == 0 { 1 } else { -1 }),
        _ => None,
    }
}

fn round(value: f64, decimals: i64) -> f64 {
    if decimals == 0 || !value.is_finite() {
        return value.round();
    }
    let scale = 10f64.powi(decimals.clamp(-400, 400) as i32);
    let scaled = (value * scale).round() / scale;
    if scaled.is_finite() { scaled } else { value }
}

macro_rules! functions {
    ($($name:ident)*) => {
        $(fn $name(value: f64) -> f64 {
            value.$name()
        })*

        fn functions() -> Vec<NativeDef> {
            vec![$(ready(concat!("math.", stringify!($name)), $name)),*, ready("math.log", log)]
        }
    };
}
functions!(floor ceil trunc sqrt cbrt exp log2 log10 sin cos tan asin acos atan);

fn log(value: f64) -> f64 {
    value.ln()
}

fn atan2(y: f64, x: f64) -> f64 {
    y.atan2(x)
}

fn hypot(x: f64, y: f64) -> f64 {
    x.hypot(y)
}

fn pi() -> f64 {
    std::f64::consts::PI
}

fn e() -> f64 {
    std::f64::consts::E
}

fn inf() -> f64 {
    f64::INFINITY
}

fn nan() -> f64 {
    f64::NAN
}

fn max_int() -> i64 {
    i64::MAX
}

fn min_int() -> i64 {
    i64::MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(power(2, 62), Some(1 << 62));
        assert_eq!(power(2, 63), None);
        assert_eq!(power(-1, i64::MAX), Some(-1));
        assert_eq!(power(0, 0), Some(1));
        assert_eq!(power(3, i64::MAX), None);
    }

    #[test]
    fn rounding() {
        assert_eq!(round(2.345, 2), 2.35);
        assert_eq!(round(-2.5, 0), -3.0);
        assert_eq!(round(1234.5, -2), 1200.0);
        assert_eq!(round(1.5, 1000), 1.5);
        assert!(round(f64::NAN, 1).is_nan());
    }
}
