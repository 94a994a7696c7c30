//! `scn run x.wasm`: runs a component with what the command line grants it.
//!
//! A component that was built from a scenario tells what happens as events, which are shown as those of every other
//! run; of any other component the lines are passed on. Enter at [`run`].

/// What a component is granted.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Components")]
pub(crate) struct HostArguments {
    /// Grant a peer: host:port, where the host may be a name, *.name, an address, a block or *, the port a range or *.
    #[arg(long, value_name = "HOST:PORT")]
    allow: Vec<String>,
    /// Grant every peer, every name and every source address.
    #[arg(long)]
    allow_all: bool,
    /// Grant local addresses to bind: 127.0.1.0/24, 10.0.0.5-10.0.0.9.
    #[arg(long, value_name = "RANGE")]
    source: Vec<String>,
    /// Trust the certificate authorities of a PEM file instead of the system's.
    #[arg(long, value_name = "FILE")]
    roots: Option<std::path::PathBuf>,
    /// Give a variable of the environment; without a value, the one of this process.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// The most memory of an instance: 64MiB.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<usize>,
    /// When the run has failed: what runs is cancelled then, and cut off 5 s later: 30s.
    #[arg(long, value_name = "DURATION", value_parser = crate::load::duration)]
    time_limit: Option<u64>,
    /// How many instances run side by side.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    instances: Option<u32>,
}

impl HostArguments {
    /// Whether anything is said of components.
    pub(super) fn is_given(&self) -> bool {
        self.given().is_some()
    }

    /// The first option that is given.
    fn given(&self) -> Option<&'static str> {
        let all = [
            (!self.allow.is_empty(), "--allow"),
            (self.allow_all, "--allow-all"),
            (!self.source.is_empty(), "--source"),
            (self.roots.is_some(), "--roots"),
            (!self.env.is_empty(), "--env"),
            (self.memory.is_some(), "--memory"),
            (self.time_limit.is_some(), "--time-limit"),
            (self.instances.is_some(), "--instances"),
        ];
        let given = all.iter().find(|(given, _)| *given);
        given.map(|(_, option)| *option)
    }
}

/// `64MiB`, `512KiB`, `1GiB`, or a number of bytes.
fn size(text: &str) -> Result<usize, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let wrong = || "write a size such as 64MiB".to_owned();
    let (digits, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .ok_or_else(wrong)?;
    let count: usize = digits.parse().map_err(|_| wrong())?;
    count
        .checked_mul(1 << shift)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

#[cfg(feature = "component-host")]
mod with_host;
#[cfg(not(feature = "component-host"))]
mod without_host;

#[cfg(feature = "component-host")]
pub(super) use with_host::{run, run_source};
#[cfg(not(feature = "component-host"))]
pub(super) use without_host::{run, run_source};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_of_two() {
        assert_eq!(size("64MiB"), Ok(64 << 20));
        assert_eq!(size("1GiB"), Ok(1 << 30));
        assert_eq!(size("65536"), Ok(65536));
        for wrong in ["", "MiB", "0", "1.5MiB", "10MB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
