//! What the command line says about load: `--users`, `--for`, `--rate`, `--iterations`, `--workers`.
//!
//! Durations and rates are written as in the language. What the numbers do to plans is the runtime's business.

use scn_runtime::load::Overrides;
use scn_runtime::object::parse;

/// Options of `scn run` that change load plans.
#[derive(Clone, Copy, Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct LoadArguments {
    /// How many users there are at the peak, shared out among the scenarios by weight.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    users: Option<u64>,
    /// How long the load lasts, at its peak: 30s, 1m30s.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<u64>,
    /// How many iterations start in a second, at the peak: 500/s, 30/m.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<f64>,
    /// How many iterations there are, shared by all users.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    iterations: Option<u64>,
    /// Worker threads; one for each core without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) workers: Option<u32>,
}

impl LoadArguments {
    /// As the runtime takes them.
    pub(crate) fn overrides(&self) -> Overrides {
        Overrides {
            users: self.users,
            duration: self.duration,
            rate: self.rate,
            iterations: self.iterations,
        }
    }
}

/// A duration that is written as in the language.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let nanos = parse::duration(text).and_then(|nanos| u64::try_from(nanos).ok());
    match nanos {
        Some(0) => Err("a run of no time measures nothing".to_owned()),
        Some(nanos) => Ok(nanos),
        None if text.parse::<f64>().is_ok() => {
            Err(format!("a duration has a unit: {text}s, {text}m"))
        }
        None => Err("write a duration such as 250ms, 30s or 1m30s".to_owned()),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match parse::rate(text) {
        Some(rate) if rate > 0.0 => Ok(rate),
        Some(_) => Err("at this rate nothing ever starts".to_owned()),
        None if text.parse::<f64>().is_ok() => {
            Err(format!("a rate has a unit of time: {text}/s, {text}/m"))
        }
        None => Err("write a rate such as 500/s or 30/m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_rates_are_written_as_in_the_language() {
        assert_eq!(duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(rate("30/m"), Ok(0.5));
        assert!(duration("30").expect_err("no unit").contains("30s"));
        assert!(rate("500").expect_err("no unit").contains("500/s"));
        for wrong in ["", "-1s", "0s", "1 s", "s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "0/s", "-1/s", "1/d", "inf/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
