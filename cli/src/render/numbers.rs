//! Times and amounts as people read them.

/// Prints times, or `[time]` where outputs are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Whether times are left out.
    pub(crate) hidden: bool,
}

impl Clock {
    /// A time with about three digits: `1.24 ms`, `12.4 ms`, `3.20 s`.
    pub(crate) fn show(self, nanos: i64) -> String {
        if self.hidden {
            return "[time]".to_owned();
        }
        let nanos = nanos.max(0) as f64;
        match nanos {
            n if n < 1e3 => format!("{n} ns"),
            // What would round to 1000 of a unit is 1.00 of the next.
            n if n < 999.5e3 => format!("{} µs", three_digits(n / 1e3)),
            n if n < 999.5e6 => format!("{} ms", three_digits(n / 1e6)),
            n => format!("{} s", three_digits(n / 1e9)),
        }
    }

    /// How long something took that people planned: `12.4 s`, `2m 30s`, `1h 05m`.
    pub(crate) fn length(self, nanos: u64) -> String {
        if self.hidden {
            return "[time]".to_owned();
        }
        let seconds = nanos.saturating_add(500_000_000) / 1_000_000_000;
        match seconds {
            _ if nanos == 0 => "0 s".to_owned(),
            0..60 => self.show(nanos as i64),
            60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
            _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        }
    }

    /// How often in a second: `408/s`.
    pub(crate) fn rate(self, count: u64, nanos: u64) -> String {
        if self.hidden {
            return "[rate]".to_owned();
        }
        per_second(per_second_of(count, nanos))
    }

    /// Nanoseconds for JSON.
    pub(crate) fn json(self, nanos: i64) -> serde_json::Value {
        if self.hidden {
            serde_json::Value::Null
        } else {
            nanos.into()
        }
    }
}

/// How many in a second; 0 of no time.
pub(crate) fn per_second_of(count: u64, nanos: u64) -> f64 {
    match nanos {
        0 => 0.0,
        nanos => count as f64 * 1e9 / nanos as f64,
    }
}

/// `0.42/s`, `408/s`, `12,345/s`.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", number(rate))
}

/// A number of anything: whole ones in full, others with three digits.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs();
    if magnitude >= 99.95 || value.fract() == 0.0 {
        let sign = if value <= -0.5 { "-" } else { "" };
        return format!("{sign}{}", count(magnitude.round() as u64));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    match magnitude {
        m if m < 0.001 => format!("{value:.1e}"),
        m if m < 0.1 => format!("{sign}{m:.4}"),
        m => format!("{sign}{}", three_digits(m)),
    }
}

/// A count with its thousands apart: `61,234`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 user`, `61,234 users`.
pub(crate) fn counted(value: u64, word: &str) -> String {
    let ending = if value == 1 { "" } else { "s" };
    format!("{} {word}{ending}", count(value))
}

/// A part of a whole in percent. Neither a few of many nor all but a few are rounded away.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    percent(part as f64 / whole as f64)
}

/// A share between 0 and 1 in percent: `0 %`, `0.02 %`, `99.98 %`, `100 %`.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value {
        v if v <= 0.0 => "0 %".to_owned(),
        v if v < 0.01 => "<0.01 %".to_owned(),
        v if v >= 100.0 => "100 %".to_owned(),
        v if v > 99.99 => ">99.99 %".to_owned(),
        v if !(10.0..=90.0).contains(&v) => format!("{v:.2} %"),
        v => format!("{v:.1} %"),
    }
}

/// An amount of bytes: `812 B`, `12.3 MB`.
pub(crate) fn bytes(value: u64) -> String {
    let value = value as f64;
    match value {
        v if v < 1e3 => format!("{v} B"),
        v if v < 999.5e3 => format!("{} kB", three_digits(v / 1e3)),
        v if v < 999.5e6 => format!("{} MB", three_digits(v / 1e6)),
        v if v < 999.5e9 => format!("{} GB", three_digits(v / 1e9)),
        v => format!("{} TB", three_digits(v / 1e12)),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        let clock = Clock::default();
        assert_eq!(clock.show(812), "812 ns");
        assert_eq!(clock.show(1_240_000), "1.24 ms");
        assert_eq!(clock.show(12_440_000), "12.4 ms");
        assert_eq!(clock.show(3_200_000_000), "3.20 s");
        assert_eq!(clock.show(999_600_000), "1.00 s");
        assert_eq!(clock.show(9_996_000), "10.0 ms");
        assert_eq!(Clock { hidden: true }.show(5), "[time]");
    }

    #[test]
    fn lengths_are_said_as_people_plan_them() {
        let clock = Clock::default();
        assert_eq!(clock.length(1_234_000_000), "1.23 s");
        assert_eq!(clock.length(59_600_000_000), "1m 00s");
        assert_eq!(clock.length(150_000_000_000), "2m 30s");
        assert_eq!(clock.length(3_900_000_000_000), "1h 05m");
    }

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(number(61_234.4), "61,234");
        assert_eq!(number(3.0), "3");
        assert_eq!(number(0.123_46), "0.12");
        assert_eq!(number(0.012_34), "0.0123");
        assert_eq!(number(-2.5), "-2.50");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(per_second(per_second_of(7, 0)), "0/s");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(12_300_000), "12.3 MB");
        assert_eq!(counted(1, "user"), "1 user");
    }

    #[test]
    fn shares_do_not_round_to_none_or_all() {
        assert_eq!(share(0, 5), "0 %");
        assert_eq!(share(0, 0), "-");
        assert_eq!(share(1, 1_000_000), "<0.01 %");
        assert_eq!(share(999_999, 1_000_000), ">99.99 %");
        assert_eq!(share(12, 61_234), "0.02 %");
        assert_eq!(share(5, 5), "100 %");
        assert_eq!(share(1, 3), "33.3 %");
        // What is just above a bound of 1 % is not shown as 1 %.
        assert_eq!(percent(0.010_19), "1.02 %");
    }
}
