//! The back end that writes components: what the host offers, by name, and the wrapping of a core module.

pub mod component;
pub mod imports;
pub mod wit;
