//! What a run of a component is given.

use crate::grants::Grants;
use crate::stop::Stop;
use crate::tls::Roots;
use std::time::Duration;

/// The memory that an instance may have if nothing else is said.
const USUAL_MEMORY: usize = 1 << 30;

/// What a run is given: by default no network, no environment, no end in time.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it may reach.
    pub grants: Grants,
    /// The most bytes of memory of each instance. Growing beyond is refused, which the component may survive.
    pub memory: usize,
    /// When it is cut off, whatever it does.
    pub time: Option<Duration>,
    /// Its arguments; the first is a name, as programs have it.
    pub arguments: Vec<String>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Certificate authorities that TLS trusts.
    pub roots: Roots,
    /// How many instances run side by side. Where there are several, each is told which one it is by the further
    /// arguments `--share I/N`.
    pub instances: u32,
    /// Stops it from outside.
    pub stop: Stop,
    /// Whether it listens to its standard input for being asked to stop. Then it is told there, and cut off when it is
    /// asked a third time; when its time is over it has a few seconds to end by itself.
    pub listens: bool,
    /// Whether it asks for the time now and then, whatever it does, as components of scn do. Then its code runs faster,
    /// because nothing else interrupts it. One that does not do so is left behind when it is to be cut off: it goes on
    /// until the process ends.
    pub yields: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            grants: Grants::default(),
            memory: USUAL_MEMORY,
            time: None,
            arguments: vec!["component".to_owned()],
            environment: Vec::new(),
            roots: Roots::default(),
            instances: 1,
            stop: Stop::default(),
            listens: false,
            yields: false,
        }
    }
}
