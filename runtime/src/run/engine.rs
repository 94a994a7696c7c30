//! Which engine runs a program. Enter at [`start`].

use super::RunError;
use crate::link::Linked;
use std::sync::Arc;

/// What runs scripts. All engines give a program the same meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// Begins with the interpreter, compiles beside it, and goes on in machine code as soon as that is there. Load runs
    /// are compiled at once, others when their scripts compute for long.
    #[default]
    Auto,
    /// The interpreter.
    Interp,
    /// Machine code from the first instruction on: the run begins when the program is compiled.
    Jit,
}

/// The engine of a run that goes on. What is compiled beside the run is given up with it.
pub(super) struct Running<'a>(&'a Arc<Linked>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.stop_compiling_behind();
    }
}

/// Makes a program ready for its engine.
pub(super) fn start(
    linked: &Arc<Linked>,
    engine: Engine,
    is_load: bool,
) -> Result<Running<'_>, RunError> {
    match engine {
        Engine::Interp => {}
        Engine::Jit => linked
            .compile()
            .map_err(|error| RunError::Engine(error.to_string()))?,
        Engine::Auto => {
            linked.allow_compiling_behind();
            if is_load {
                linked.compile_behind();
            }
        }
    }
    Ok(Running(linked))
}
