//! The runtime of scn: values, interpreter, host calls, strands, users and the reactor.
//!
//! It runs IR and knows neither HIR nor the terminal nor any protocol.
//! Library authors enter at [`host`] (`runtime/README.md` has a worked example) and [`ctx::Ctx`].

mod blocking;
mod codes;
mod compute;
mod crew;
pub mod ctx;
pub mod cx;
pub mod descs;
mod driver;
pub mod event;
pub mod fault;
pub mod frame;
pub mod frozen;
pub mod heap;
pub mod host;
pub mod interp;
pub mod io;
pub mod jit;
pub mod join;
mod life;
pub mod link;
pub mod load;
pub mod metrics;
mod natives;
pub mod object;
pub mod pool;
pub mod profile;
pub mod report;
pub mod run;
mod scope;
pub mod source;
pub mod stop;
mod strand;
mod task;
pub mod timer;
pub mod user;
pub mod value;
pub mod waker;
mod watchdog;
pub mod worker;

pub use ctx::{Ctx, Settings};
pub use event::{Event, Observer};
pub use fault::{Detail, Fault, Place, kind};
pub use host::{Cx, Nanos, NativeDef, New, RawOwn, RawSlot, Text, Unread, ready, waiting};
pub use link::{LinkError, Linked};
pub use object::{
    Any, Extern, Key, List, Map, Own, OwnSlot, Seen, Slot, Slots, VarList, VarMap, View,
};
pub use run::{Outcome, Plan, RunError, What, run};
pub use scn_compiler::ir::{DescId, desc};
pub use stop::{StopHandle, keep_ignoring_hangups};
