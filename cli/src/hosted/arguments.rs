//! What a component of a scenario is told by its arguments, in the words of the command line. Enter at [`arguments`].

use crate::execute::RunOptions;
use scn_runtime::load::Overrides;
use scn_runtime::object::text;
use scn_runtime::run::What;

/// The arguments of a run.
pub(crate) fn arguments(
    what: &What,
    seed: u64,
    load: Overrides,
    options: &RunOptions,
) -> Vec<String> {
    let mut told = vec!["--events".to_owned(), "--stop-on-stdin".to_owned()];
    let mut pair = |name: &str, value: String| told.extend([name.to_owned(), value]);
    pair("--seed", seed.to_string());
    for set in &options.set {
        pair("--set", set.clone());
    }
    if let Some(users) = load.users {
        pair("--users", users.to_string());
    }
    if let Some(nanos) = load.duration {
        pair("--for", text::duration(nanos.cast_signed()));
    }
    if let Some(rate) = load.rate {
        pair("--rate", format!("{rate}/s"));
    }
    if let Some(iterations) = load.iterations {
        pair("--iterations", iterations.to_string());
    }
    if let What::Tests(Some(filter)) = what {
        pair("--filter", filter.clone());
    }
    if matches!(what, What::Tests(_)) {
        told.push("--tests".to_owned());
    }
    if options.verbose {
        told.push("--verbose".to_owned());
    }
    if options.virtual_clock {
        told.push("--virtual-clock".to_owned());
    }
    if let What::Scenarios(names) = what {
        told.extend(names.iter().cloned());
    }
    told
}
