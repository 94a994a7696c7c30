//! Random values from the user's sequence. The generator is the runtime's.

use crate::{list, raise, uuid};
use scn_runtime::{Ctx, Fault, List, Nanos, NativeDef, OwnSlot, Slots, VarList, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("rand.int", int),
        ready("rand.float", float),
        ready("rand.duration", duration),
        ready("rand.bool", bool),
        ready("rand.pick", pick),
        ready("rand.sample", sample),
        ready("rand.shuffle", shuffle),
        ready("rand.string", string),
        ready("rand.bytes", bytes),
        ready("rand.uuid", uuid::v4),
        ready("rand.normal", normal),
        ready("rand.exponential", exponential),
    ]
}

/// Uniform in `0.0..1.0`.
fn unit(ctx: &Ctx) -> f64 {
    ctx.user().rng.unit()
}

/// Uniform in `start..end`; both ends count if `inclusive`.
fn between(ctx: &Ctx, start: i64, end: i64, inclusive: bool) -> Option<i64> {
    let width = (i128::from(end) - i128::from(start) + i128::from(inclusive)).max(0);
    let offset = match u64::try_from(width) {
        Ok(0) => return None,
        Ok(width) => ctx.random_below(width),
        Err(_) => ctx.random(),
    };
    Some(start.wrapping_add_unsigned(offset))
}

/// The bits of start and end, and whether the end counts.
fn ends(ctx: &Ctx, range: Slots<'_>) -> (u64, u64, bool) {
    let slot = |at| range.slot(ctx.descs(), at).bits;
    (slot(0), slot(1), slot(2) != 0)
}

fn int(ctx: &Ctx, range: Slots<'_>) -> Result<i64, Fault> {
    let (start, end, inclusive) = ends(ctx, range);
    between(ctx, start as i64, end as i64, inclusive).ok_or_else(empty_range)
}

fn empty_range() -> Fault {
    raise::argument("the range is empty")
}

fn duration(ctx: &Ctx, range: Slots<'_>) -> Result<Nanos, Fault> {
    int(ctx, range).map(Nanos)
}

fn float(ctx: &Ctx, range: Slots<'_>) -> Result<f64, Fault> {
    let (start, end, inclusive) = ends(ctx, range);
    let (start, end) = (f64::from_bits(start), f64::from_bits(end));
    let holds = if inclusive { start <= end } else { start < end };
    if !holds || !start.is_finite() || !end.is_finite() {
        return Err(empty_range());
    }
    let value = start + unit(ctx) * (end - start);
    // Rounding may reach the end, which does not count.
    Ok(if value >= end && !inclusive {
        start
    } else {
        value.min(end)
    })
}

fn bool(ctx: &Ctx, probability: f64) -> bool {
    unit(ctx) < probability
}

fn pick(ctx: &Ctx, from: List<'_>) -> Result<OwnSlot, Fault> {
    let at = ctx.random_below(from.len() as u64) as usize;
    let slot = from
        .at(ctx.descs(), at)
        .ok_or_else(|| raise::argument("the list is empty"))?;
    Ok(slot.to_own())
}

/// The first `n` places hold different elements in random order (Fisher and Yates).
fn shuffled(ctx: &Ctx, from: List<'_>, n: usize) -> VarList {
    let mut all = list::part(ctx, from, 0, from.len());
    for at in 0..n.min(from.len()) {
        let other = at + ctx.random_below((from.len() - at) as u64) as usize;
        all.swap(ctx, at, other);
    }
    all
}

fn sample(ctx: &Ctx, from: List<'_>, n: i64) -> VarList {
    let n = usize::try_from(n).unwrap_or(0).min(from.len());
    let shuffled = shuffled(ctx, from, n);
    list::part(ctx, shuffled.as_list(), 0, n)
}

fn shuffle(ctx: &Ctx, from: List<'_>) -> VarList {
    shuffled(ctx, from, from.len())
}

fn string(ctx: &Ctx, n: i64, alphabet: &str) -> Result<String, Fault> {
    let n = raise::count(n, "the number of characters")?;
    ctx.reserve(n.saturating_mul(4))?;
    let letters: Vec<char> = alphabet.chars().collect();
    if letters.is_empty() && n > 0 {
        return Err(raise::argument("the alphabet is empty"));
    }
    Ok((0..n)
        .map(|_| letters[ctx.random_below(letters.len() as u64) as usize])
        .collect())
}

fn bytes(ctx: &Ctx, n: i64) -> Result<Vec<u8>, Fault> {
    let n = raise::count(n, "the number of bytes")?;
    ctx.reserve(n)?;
    let mut bytes = Vec::with_capacity(n + 8);
    while bytes.len() < n {
        bytes.extend(ctx.random().to_le_bytes());
    }
    bytes.truncate(n);
    Ok(bytes)
}

/// Box and Muller (1958).
fn normal(ctx: &Ctx, mean: f64, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - unit(ctx)).ln()).sqrt();
    mean + deviation * radius * (std::f64::consts::TAU * unit(ctx)).cos()
}

fn exponential(ctx: &Ctx, mean: Nanos) -> Nanos {
    Nanos((-(1.0 - unit(ctx)).ln() * mean.0 as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, with_ctx};

    #[test]
    fn ranges_are_met_at_both_ends() {
        with_ctx(|ctx| {
            let drawn: std::collections::BTreeSet<_> =
                (0..200).filter_map(|_| between(ctx, -1, 1, true)).collect();
            assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1]);
            assert_eq!(between(ctx, 5, 5, false), None);
            assert_eq!(between(ctx, 5, 5, true), Some(5));
            assert_eq!(between(ctx, 6, 5, true), None);
            assert!(between(ctx, i64::MIN, i64::MAX, true).is_some());
        });
    }

    #[test]
    fn shuffling_loses_nothing() {
        with_ctx(|ctx| {
            let list = list::of_ints(ctx, 0..50);
            let mut shuffled: Vec<_> = shuffle(ctx, list.as_list()).as_list().bits().to_vec();
            assert_ne!(shuffled, list.as_list().bits());
            shuffled.sort_unstable();
            assert_eq!(shuffled, list.as_list().bits());
            assert_eq!(sample(ctx, list.as_list(), 3).as_list().len(), 3);
            assert_eq!(sample(ctx, list.as_list(), 99).as_list().len(), 50);
            assert_eq!(shown(ctx, &sample(ctx, list.as_list(), -1)), "[]");
            assert!(pick(ctx, list::of_ints(ctx, []).as_list()).is_err());
        });
    }

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let draw = || {
            let mut drawn = String::new();
            with_ctx(|ctx| drawn = string(ctx, 20, "abc€").expect("a valid alphabet"));
            drawn
        };
        assert_eq!(draw(), draw());
        assert_eq!(draw().chars().count(), 20);
        with_ctx(|ctx| {
            assert!(string(ctx, 1, "").is_err() && string(ctx, -1, "a").is_err());
            assert_eq!(bytes(ctx, 13).map(|bytes| bytes.len()).ok(), Some(13));
            let mean = (0..1000).map(|_| normal(ctx, 10.0, 2.0)).sum::<f64>() / 1000.0;
            assert!((mean - 10.0).abs() < 0.5, "{mean}");
            let mean = (0..1000)
                .map(|_| exponential(ctx, Nanos(1000)).0)
                .sum::<i64>()
                / 1000;
            assert!((800..1200).contains(&mean), "{mean}");
        });
    }
}
