//! The errors that library functions raise, by kind; `stdlib/README.md` lists the kinds.

use scn_runtime::{Detail, Fault, kind};

/// An argument that makes no sense.
pub(crate) fn argument(message: impl Into<String>) -> Fault {
    Fault::text("script.argument", message)
}

/// A text that is not what it should be.
pub(crate) fn parse(message: impl Into<String>) -> Fault {
    Fault::text(kind::SCRIPT_PARSE, message)
}

/// A JSON value of another type.
pub(crate) fn decode(message: impl Into<String>) -> Fault {
    Fault::text(kind::SCRIPT_DECODE, message)
}

/// A result that does not fit.
pub(crate) fn arithmetic(message: impl Into<String>) -> Fault {
    Fault::text(kind::SCRIPT_ARITHMETIC, message)
}

/// A data file that cannot be read.
pub(crate) fn data(message: impl Into<String>) -> Fault {
    Fault::text("script.data", message)
}

/// A position outside of `0..len`.
pub(crate) fn index(at: i64, len: usize) -> Fault {
    Fault::new(kind::SCRIPT_INDEX, Detail::Index(at, len as i64))
}

/// A range outside of `0..len`.
pub(crate) fn range(from: i64, to: Option<i64>, len: usize) -> Fault {
    Fault::new(
        kind::SCRIPT_INDEX,
        Detail::Range(from, to.unwrap_or(len as i64), len as i64),
    )
}

/// A count that is not negative.
pub(crate) fn count(n: i64, what: &str) -> Result<usize, Fault> {
    usize::try_from(n).map_err(|_| argument(format!("{what} must not be negative, it is {n}")))
}
