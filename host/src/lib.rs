//! Runs components: the embedding of wasmtime, with grants, limits, and trusted roots of one's own.
//!
//! A component gets nothing that [`Settings`] do not grant: addresses it may connect to, local addresses it may bind,
//! names it may look up, memory, time. What it prints is handed on line by line. It knows nothing of the language:
//! what the lines of a scenario's component mean is the command line's business. Enter at [`run`].

#![forbid(unsafe_code)]

mod clock;
mod engine;
mod error;
mod gate;
mod grants;
mod limits;
mod names;
mod output;
mod requests;
mod run;
mod settings;
mod state;
mod stop;
mod tls;

pub use error::HostError;
pub use gate::Denied;
pub use grants::{BadGrant, Block, Grant, Grants};
pub use output::{Line, Stream};
pub use run::{Ended, Hear, Ran, run};
pub use settings::Settings;
pub use stop::Stop;
pub use tls::Roots;
