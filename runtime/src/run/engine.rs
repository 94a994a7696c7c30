//! Which engine runs a program. Enter at [`start`].

use super::RunError;
use crate::link::Linked;
use std::sync::Arc;
use std::thread;

/// What runs scripts. All engines give a program the same meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Engine {
    /// Begins with the interpreter. A load run is compiled beside it, and goes on in machine code as soon as that is
    /// there.
    #[default]
    Auto,
    /// The interpreter.
    Interp,
    /// Machine code from the first instruction on: the run begins when the program is compiled.
    Jit,
}

/// Makes a program ready for its engine.
pub(super) fn start(linked: &Arc<Linked>, engine: Engine, is_load: bool) -> Result<(), RunError> {
    match engine {
        Engine::Interp => Ok(()),
        Engine::Jit => linked
            .compile()
            .map_err(|error| RunError::Engine(error.to_string())),
        Engine::Auto if is_load => {
            let linked = linked.clone();
            let builder = thread::Builder::new().name("scn-compile".into());
            // Without a thread, or on a machine that the compiler does not know, the interpreter goes on.
            let _ = builder.spawn(move || {
                let _ = linked.compile();
            });
            Ok(())
        }
        Engine::Auto => Ok(()),
    }
}
