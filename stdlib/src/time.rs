//! Points in time as text. Enter at [`format`] and [`parse`]; a point is nanoseconds since 1970.

use crate::raise;
use jiff::fmt::{rfc2822, strtime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use scn_runtime::{Ctx, Fault, Nanos, NativeDef, ready};
use std::time::{SystemTime, UNIX_EPOCH};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("time.now", now),
        ready("time.since", since),
        ready("time.unix", unix),
        ready("time.format", format_time),
        ready("time.parse", parse_time),
        ready("time.http_date", http_date_of),
    ]
}

fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos))
        .expect("64 bits of nanoseconds are within the years that jiff knows")
}

/// RFC 3339 if the pattern is empty, else by strftime.
pub(crate) fn format(nanos: i64, pattern: &str) -> Result<String, String> {
    let at = timestamp(nanos);
    if pattern.is_empty() {
        return Ok(at.to_string());
    }
    strtime::format(pattern, &at.to_zoned(TimeZone::UTC))
        .map_err(|error| format!("bad pattern: {error}"))
}

/// The opposite of [`format`]; without an offset the text is in UTC.
pub(crate) fn parse(text: &str, pattern: &str) -> Result<i64, String> {
    let at = if pattern.is_empty() {
        text.parse::<Timestamp>()
            .map_err(|_| format!("`{text}` is no time of RFC 3339"))?
    } else {
        by_pattern(text, pattern)
            .map_err(|error| format!("`{text}` does not fit `{pattern}`: {error}"))?
    };
    i64::try_from(at.as_nanosecond()).map_err(|_| format!("`{text}` is too far away from 1970"))
}

fn by_pattern(text: &str, pattern: &str) -> Result<Timestamp, jiff::Error> {
    let parts = strtime::parse(pattern, text)?;
    if parts.offset().is_some() || parts.timestamp().is_some() {
        return parts.to_timestamp();
    }
    let date = parts.to_date()?;
    let time = parts.to_time().unwrap_or(civil::Time::midnight());
    Ok(date.to_datetime(time).to_zoned(TimeZone::UTC)?.timestamp())
}

/// The date of HTTP headers (RFC 9110, 5.6.7).
pub(crate) fn http_date(nanos: i64) -> Result<String, String> {
    let printer = rfc2822::DateTimePrinter::new();
    printer
        .timestamp_to_rfc9110_string(&timestamp(nanos))
        .map_err(|error| error.to_string())
}

/// What the worker's steady clock is ahead of 1970, read once, so that time never goes back within a run.
#[derive(Default)]
struct Epoch(Option<i64>);

/// Nanoseconds since 1970.
pub(crate) fn now(ctx: &Ctx) -> Nanos {
    let steady = ctx.now();
    let epoch =
        ctx.run_state::<Epoch, i64>(|mut epoch| *epoch.0.get_or_insert_with(|| wall() - steady));
    Nanos(epoch.saturating_add(steady))
}

/// Nanoseconds since 1970 by the system's clock.
fn wall() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Nanos::from(since).0,
        Err(before) => -Nanos::from(before.duration()).0,
    }
}

fn since(ctx: &Ctx, start: Nanos) -> Nanos {
    Nanos(now(ctx).0.saturating_sub(start.0))
}

fn unix(ctx: &Ctx) -> i64 {
    now(ctx).0.div_euclid(1_000_000_000)
}

fn format_time(at: Nanos, pattern: &str) -> Result<String, Fault> {
    format(at.0, pattern).map_err(raise::argument)
}

fn parse_time(text: &str, pattern: &str) -> Result<Nanos, Fault> {
    parse(text, pattern).map(Nanos).map_err(raise::parse)
}

fn http_date_of(at: Nanos) -> Result<String, Fault> {
    http_date(at.0).map_err(raise::argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_795_292_100_250_000_000;

    #[test]
    fn rfc_3339_both_ways() {
        assert_eq!(format(AT, "").as_deref(), Ok("2026-11-21T20:15:00.25Z"));
        assert_eq!(parse("2026-11-21T20:15:00.25Z", ""), Ok(AT));
        assert_eq!(parse("2026-11-21T22:15:00.25+02:00", ""), Ok(AT));
        assert_eq!(format(0, "").as_deref(), Ok("1970-01-01T00:00:00Z"));
        assert_eq!(
            format(-1_000_000_000, "").as_deref(),
            Ok("1969-12-31T23:59:59Z")
        );
        assert_eq!(
            parse("yesterday", "").expect_err("no time"),
            "`yesterday` is no time of RFC 3339"
        );
        assert!(parse("9999-01-01T00:00:00Z", "").is_err());
    }

    #[test]
    fn every_int_is_a_time() {
        for nanos in [i64::MIN, i64::MAX] {
            assert_eq!(parse(&format(nanos, "").expect("formats"), ""), Ok(nanos));
        }
    }

    #[test]
    fn patterns() {
        assert_eq!(
            format(AT, "%d.%m.%Y %H:%M").as_deref(),
            Ok("21.11.2026 20:15")
        );
        assert_eq!(
            parse("21.11.2026 20:15", "%d.%m.%Y %H:%M"),
            Ok(AT - 250_000_000)
        );
        assert_eq!(
            parse("2026-11-21", "%Y-%m-%d")
                .and_then(|at| format(at, "%F %T"))
                .as_deref(),
            Ok("2026-11-21 00:00:00")
        );
        assert_eq!(
            parse("21.11.2026 20:15 +0200", "%d.%m.%Y %H:%M %z"),
            Ok(AT - 250_000_000 - 7_200_000_000_000)
        );
        assert!(format(AT, "%!").is_err());
        assert!(parse("21.13.2026", "%d.%m.%Y").is_err());
    }

    #[test]
    fn dates_of_http() {
        assert_eq!(
            http_date(AT).as_deref(),
            Ok("Sat, 21 Nov 2026 20:15:00 GMT")
        );
    }
}
