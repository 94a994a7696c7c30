//! Limits memory: what an instance may have altogether, and whether it was refused more.

use wasmtime::ResourceLimiter;

/// Tables of a component are small: entries of the functions that wait, and handles.
const MOST_TABLE_ENTRIES: usize = 1 << 20;

/// Counts the memory of one store.
#[derive(Debug)]
pub(crate) struct Limits {
    most: usize,
    used: usize,
    /// Whether more was wanted than there may be.
    pub(crate) refused: bool,
}

impl Limits {
    /// A limit in bytes.
    pub(crate) fn new(most: usize) -> Limits {
        Limits {
            most,
            used: 0,
            refused: false,
        }
    }

    /// The most that there was; memory never shrinks.
    pub(crate) fn used(&self) -> usize {
        self.used
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.most {
            self.refused = true;
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MOST_TABLE_ENTRIES)
    }
}
