//! The runtime of scn: values, interpreter, host calls, strands, users and the reactor.
//!
//! It runs IR and knows neither HIR nor the terminal nor any protocol.

pub mod io;
pub mod timer;
pub mod waker;
