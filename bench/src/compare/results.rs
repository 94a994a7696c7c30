//! What the harness reads of scn's own results (`--out json=`): what no outside count can tell.

use serde_json::Value;
use std::path::Path;

/// Reads a file of results.
pub(crate) fn read(path: &Path) -> Result<Value, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// How late iterations began, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lag {
    /// The median.
    pub(crate) p50: f64,
    /// 90 of 100.
    pub(crate) p90: f64,
    /// 99 of 100.
    pub(crate) p99: f64,
    /// The greatest.
    pub(crate) max: f64,
}

/// The lag of the generator.
pub(crate) fn lag(results: &Value) -> Option<Lag> {
    let lag = &results["generator"]["lag_nanos"];
    let point = |name: &str| lag[name].as_f64();
    Some(Lag {
        p50: point("p50")?,
        p90: point("p90")?,
        p99: point("p99")?,
        max: point("max")?,
    })
}

/// Sums a number over all scenarios.
pub(crate) fn sum_of_scenarios(results: &Value, name: &str) -> Option<u64> {
    let scenarios = results["scenarios"].as_array()?;
    scenarios
        .iter()
        .map(|scenario| scenario[name].as_u64())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_and_sums_are_found() {
        let results = serde_json::json!({
            "scenarios": [{ "failed": 1, "dropped": 0 }, { "failed": 2, "dropped": 0 }],
            "generator": { "lag_nanos": { "p50": 15000, "p90": 20000, "p99": 90000, "max": 1000000 } },
        });
        assert_eq!(lag(&results).map(|lag| lag.p50), Some(15_000.0));
        assert_eq!(sum_of_scenarios(&results, "failed"), Some(3));
        assert_eq!(sum_of_scenarios(&results, "leaked"), None);
        assert_eq!(lag(&serde_json::json!({})), None);
    }
}
