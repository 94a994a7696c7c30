//! Names of machine code for profilers: the map that Linux' `perf` looks for, one line for each function.
//!
//! Enter at [`PerfMap::create`].

use super::Symbol;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The map of this process, empty at first.
#[derive(Debug)]
pub struct PerfMap(Mutex<File>);

impl PerfMap {
    /// Makes the file where `perf` looks for it, `/tmp/perf-PID.map`. One that another process of this number has left
    /// is removed; what somebody else has put there is not written through.
    pub fn create() -> io::Result<PerfMap> {
        let path = PathBuf::from(format!("/tmp/perf-{}.map", std::process::id()));
        let _ = fs::remove_file(&path);
        let file = File::create_new(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("`{}`: {error}", path.display()))
        })?;
        Ok(PerfMap(Mutex::new(file)))
    }

    /// Adds a program's functions. A disk that is full costs names, not the run.
    pub(crate) fn add(&self, symbols: &[Symbol]) {
        let mut text = String::new();
        for symbol in symbols {
            let _ = writeln!(
                text,
                "{:x} {:x} {}",
                symbol.address, symbol.size, symbol.name
            );
        }
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(text.as_bytes());
    }
}
