//! Markdown tables of what programs cost.

use super::Bench;
use super::engines::{Bar, Claim, Engine};
use super::programs::Group;
use super::turns::{Measured, Sample, Series};
use crate::compare::report::three;
use crate::compare::stats::{Spread, paired, spread};
use std::fmt::Write;

/// The whole report.
pub(crate) fn report(bench: &Bench, measured: &[Measured], notes: &[String]) -> String {
    let claims = Claim::all(&bench.engines);
    let mut text = format!("### compute: {} rounds\n\n", bench.rounds);
    text.push_str(&costs(measured));
    text.push_str(&ratios(&claims, measured));
    text.push_str(&means(&claims, measured));
    for note in notes {
        let _ = write!(text, "\nFailed: {note}\n");
    }
    text
}

/// CPU of each engine with each program.
fn costs(measured: &[Measured]) -> String {
    let mut text = String::from(
        "| program | n | engine | CPU ms without start min / MED / max | start ms MED |\n|---|---|---|---|---|\n",
    );
    for one in measured {
        for series in &one.series {
            let millis = |of: fn(&Sample) -> f64| {
                spread(series.samples.iter().flatten().map(of).map(|s| s * 1e3))
            };
            let (name, engine) = (one.program.name, series.engine.name());
            let own = three(millis(Sample::own), 1);
            let start = millis(|sample| sample.start)
                .map_or("-".to_owned(), |start| format!("{:.1}", start.median));
            let _ = writeln!(
                text,
                "| {name} | {} | {engine} | {own} | {start} |",
                series.size
            );
        }
    }
    text
}

/// The ratios of each program.
fn ratios(claims: &[Claim], measured: &[Measured]) -> String {
    let mut text = String::from("\n| ratio of CPU without start |");
    claims.iter().for_each(|claim| {
        let _ = write!(text, " {} |", heading(claim));
    });
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(claims.len()));
    for one in measured {
        let _ = write!(text, "| {} |", one.program.name);
        for claim in claims {
            let _ = write!(text, " {} |", three(ratio(claim, one), 3));
        }
        text.push('\n');
    }
    text
}

fn heading(claim: &Claim) -> String {
    format!("{} / {}", claim.of.name(), claim.to.name())
}

/// The ratio of a claim for one program, round by round.
fn ratio(claim: &Claim, measured: &Measured) -> Option<Spread> {
    let size = claim.size(measured.program);
    let own = |engine: &Engine| {
        let fits = |series: &&Series| series.engine == *engine && series.size == size;
        let series = measured.series.iter().find(fits)?;
        let own = |sample: &Option<Sample>| sample.map(|sample| sample.own());
        Some(series.samples.iter().map(own).collect::<Vec<_>>())
    };
    paired(&own(&claim.of)?, &own(&claim.to)?)
}

/// Geometric means over the groups, against their bars.
fn means(claims: &[Claim], measured: &[Measured]) -> String {
    let mut text = String::from(
        "\n| geometric mean of median ratios | programs | mean | greatest | bar |\n|---|---|---|---|---|\n",
    );
    for claim in claims {
        for group in [Group::Language, Group::Library] {
            let of_group = measured.iter().filter(|one| one.program.group == group);
            let (wanted, medians) = of_group.fold((0, Vec::new()), |(count, mut medians), one| {
                medians.extend(ratio(claim, one).map(|spread| spread.median));
                (count + 1, medians)
            });
            if wanted == 0 {
                continue;
            }
            let mean = geometric_mean(&medians);
            let greatest = medians
                .iter()
                .copied()
                .fold(None, |most: Option<f64>, one| {
                    Some(most.map_or(one, |most| most.max(one)))
                });
            let shown = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.3}"));
            let verdict = match medians.len() == wanted {
                true => verdict(claim.bar(group), mean, greatest),
                false => format!("{} of {wanted} measured", medians.len()),
            };
            let _ = writeln!(
                text,
                "| {} | {} ({wanted}) | {} | {} | {verdict} |",
                heading(claim),
                group.name(),
                shown(mean),
                shown(greatest),
            );
        }
    }
    text
}

fn geometric_mean(values: &[f64]) -> Option<f64> {
    let logarithms: f64 = values.iter().map(|value| value.ln()).sum();
    (!values.is_empty()).then(|| (logarithms / values.len() as f64).exp())
}

/// The bar and whether it is reached.
fn verdict(bar: Option<Bar>, mean: Option<f64>, greatest: Option<f64>) -> String {
    let (Some(mean), Some(greatest)) = (mean, greatest) else {
        return "not measured".to_owned();
    };
    let (text, reached) = match bar {
        None => return "(for comparison)".to_owned(),
        Some(Bar::AtLeast(least)) => (format!("mean at least {least:.2}"), mean >= least),
        Some(Bar::AtMost {
            mean: most,
            each: None,
        }) => (format!("mean at most {most:.2}"), mean <= most),
        Some(Bar::AtMost {
            mean: most,
            each: Some(each),
        }) => (
            format!("mean at most {most:.2}, none above {each:.2}"),
            mean <= most && greatest <= each,
        ),
    };
    format!("{text}: {}", if reached { "reached" } else { "MISSED" })
}

#[cfg(test)]
mod tests {
    use super::super::programs::PROGRAMS;
    use super::*;

    fn series(engine: Engine, size: u64, own: &[Option<f64>]) -> Series {
        let sample = |own: f64| Sample {
            start: 0.5,
            whole: own + 0.5,
        };
        Series {
            engine,
            size,
            samples: own.iter().map(|own| own.map(sample)).collect(),
        }
    }

    /// A program that takes scn so many times as long as Lua.
    fn measured(index: usize, times: f64) -> Measured {
        let program = &PROGRAMS[index];
        Measured {
            program,
            series: vec![
                series(
                    Engine::Scn(None),
                    program.size,
                    &[Some(2.0 * times), Some(times), None],
                ),
                series(
                    Engine::Lua,
                    program.size,
                    &[Some(2.0), Some(1.0), Some(9.0)],
                ),
            ],
        }
    }

    #[test]
    fn ratios_are_of_time_without_the_start_and_of_the_same_round() {
        let claims = Claim::all(&[Engine::Scn(None), Engine::Lua]);
        let table = ratios(&claims, &[measured(0, 3.0)]);
        let wanted = "\n| ratio of CPU without start | scn / lua5.4 |\n|---|---|\n| fib | 3.000 / **3.000** / 3.000 |\n";
        assert_eq!(table, wanted);
        let costs = costs(&[measured(0, 3.0)]);
        assert!(
            costs.contains("| fib | 32 | scn | 3000.0 / **4500.0** / 6000.0 | 500.0 |"),
            "{costs}"
        );
    }

    #[test]
    fn means_are_geometric_and_held_against_the_bars() {
        let claims = Claim::all(&[Engine::Scn(None), Engine::Lua]);
        let row = |all: &[Measured]| {
            let table = means(&claims, all);
            table
                .lines()
                .nth(3)
                .expect("one claim, one group")
                .to_owned()
        };
        let shown = row(&[measured(0, 0.5), measured(1, 2.0)]);
        let wanted = "| scn / lua5.4 | language (2) | 1.000 | 2.000 | mean at most 1.50: reached |";
        assert_eq!(shown, wanted);
        assert!(row(&[measured(0, 4.0)]).ends_with("MISSED |"));
        let mut half = measured(1, 1.0);
        half.series.pop();
        assert!(row(&[measured(0, 1.0), half]).ends_with("1 of 2 measured |"));
    }

    #[test]
    fn a_bar_can_hold_for_the_mean_and_for_each() {
        let bar = Some(Bar::AtMost {
            mean: 1.15,
            each: Some(2.0),
        });
        assert!(verdict(bar, Some(1.1), Some(1.9)).ends_with("reached"));
        assert!(verdict(bar, Some(1.1), Some(2.1)).ends_with("MISSED"));
        assert!(verdict(Some(Bar::AtLeast(5.0)), Some(4.9), Some(9.0)).ends_with("MISSED"));
        assert_eq!(verdict(bar, None, None), "not measured");
    }
}
