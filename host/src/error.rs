//! Why a component does not run at all. What ends one that runs is [`crate::Ended`].

use std::fmt;

/// Why nothing ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostError {
    /// The bytes are no component; why.
    NotAComponent(String),
    /// It imports what this host does not have: the interfaces.
    Missing(Vec<String>),
    /// It exports no `wasi:cli/run`, but these.
    NoRun(Vec<String>),
    /// What it imports has another shape than here; how.
    Unlinkable(String),
    /// More instances than there can be.
    TooMany(u32),
    /// The machine refuses what every run needs.
    System(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::NotAComponent(why) => write!(f, "it is no component: {why}"),
            HostError::Missing(names) => {
                write!(
                    f,
                    "it imports what this host does not have: {}",
                    names.join(", ")
                )
            }
            HostError::NoRun(exports) if exports.is_empty() => {
                f.write_str("it has nothing to run: it exports nothing")
            }
            HostError::NoRun(exports) => {
                write!(
                    f,
                    "it has nothing to run: it is a library that exports {}",
                    exports.join(", ")
                )
            }
            HostError::Unlinkable(why) => write!(f, "it does not fit this host: {why}"),
            HostError::TooMany(most) => write!(f, "there can be at most {most} instances"),
            HostError::System(why) => write!(f, "the machine refuses: {why}"),
        }
    }
}

impl std::error::Error for HostError {}
