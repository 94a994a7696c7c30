//! The clock of components that give way by themselves: who has computed for long and asks for the time lets others run
//! first, and may not come back. Lies over `wasi:clocks/monotonic-clock`. Enter at [`add_to_linker`].

use crate::engine::EPOCH;
use crate::state::State;
use std::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock::Host;

/// The interface, as wasmtime names the one that is there already.
const INTERFACE: &str = "wasi:clocks/monotonic-clock@0.2.12";

/// Puts it in the place of wasmtime's own.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut interface = linker.instance(INTERFACE)?;
    interface.func_wrap_async("now", |mut store: StoreContextMut<'_, State>, (): ()| {
        Box::new(async move {
            if store.data_mut().turn.is_long() {
                tokio::task::yield_now().await;
            }
            Ok((store.data_mut().clocks().now()?,))
        })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

/// When a component gave way for the last time.
pub(crate) struct Turn(Instant);

impl Turn {
    /// One that begins now.
    pub(crate) fn new() -> Turn {
        Turn(Instant::now())
    }

    /// Whether it is time to give way; then it does.
    fn is_long(&mut self) -> bool {
        let now = Instant::now();
        let is_long = now.duration_since(self.0) >= EPOCH;
        if is_long {
            self.0 = now;
        }
        is_long
    }
}
