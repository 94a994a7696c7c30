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
            n if n < 1e6 => format!("{} µs", three_digits(n / 1e3)),
            n if n < 1e9 => format!("{} ms", three_digits(n / 1e6)),
            n => format!("{} s", three_digits(n / 1e9)),
        }
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

fn three_digits(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
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
        assert_eq!(Clock { hidden: true }.show(5), "[time]");
    }
}
