//! JSON.

mod path;
mod select;
