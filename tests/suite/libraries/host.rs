//! A program that loads libraries and calls them: what somebody else's host would do. Each call has a time limit.

use std::time::Duration;
use tokio::runtime::Runtime;
use wasmtime::component::{Component, Instance, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Longer than any call takes on the busiest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// As many steps as a call may compute, and after how many it gives way, so that the limit holds.
const STEPS: u64 = 1 << 36;
const TURN: u64 = 1 << 20;

/// The most memory of an instance.
const MEMORY: usize = 16 << 20;

struct State {
    limits: StoreLimits,
    table: ResourceTable,
    wasi: WasiCtx,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// A library that is loaded.
pub struct Loaded {
    runtime: Runtime,
    store: Store<State>,
    instance: Instance,
    interface: String,
    out: MemoryOutputPipe,
}

impl Loaded {
    /// Loads a component, to call functions of one of its interfaces, or of none. It may use the network.
    pub fn of(component: &[u8], interface: &str) -> Loaded {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config).expect("the settings fit together");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("the linker is empty");
        let component = Component::new(&engine, component).expect("it is a component");
        let out = MemoryOutputPipe::new(1 << 20);
        let wasi = WasiCtx::builder()
            .stdout(out.clone())
            .inherit_network()
            .allow_tcp(true)
            .allow_udp(true)
            .build();
        let table = ResourceTable::new();
        let limits = StoreLimitsBuilder::new().memory_size(MEMORY).build();
        let state = State {
            limits,
            table,
            wasi,
        };
        let mut store = Store::new(&engine, state);
        store.limiter(|state| &mut state.limits);
        store
            .fuel_async_yield_interval(Some(TURN))
            .expect("steps are counted");
        store.set_fuel(STEPS).expect("steps are counted");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime can be made");
        let instance = runtime.block_on(linker.instantiate_async(&mut store, &component));
        Loaded {
            instance: instance.expect("all that it imports is there"),
            interface: interface.to_owned(),
            runtime,
            store,
            out,
        }
    }

    /// Calls a function; its result, if it has one.
    pub fn call(&mut self, name: &str, arguments: &[Val]) -> Option<Val> {
        let called = self.try_call(name, arguments);
        called.unwrap_or_else(|error| panic!("{name} ends by {error:?}"))
    }

    /// The same where the call may trap.
    pub fn try_call(&mut self, name: &str, arguments: &[Val]) -> wasmtime::Result<Option<Val>> {
        let (instance, store) = (&self.instance, &mut self.store);
        let interface = match self.interface.as_str() {
            "" => None,
            wanted => {
                let found = instance.get_export(&mut *store, None, wanted);
                Some(found.unwrap_or_else(|| panic!("{wanted} is exported")).1)
            }
        };
        let (_, found) = instance
            .get_export(&mut *store, interface.as_ref(), name)
            .unwrap_or_else(|| panic!("{name} is exported"));
        let function = instance
            .get_func(&mut *store, found)
            .expect("it is a function");
        let count = usize::from(function.ty(&*store).results().len() > 0);
        let mut results = vec![Val::Bool(false); count];
        self.store.set_fuel(STEPS)?;
        let call = function.call_async(&mut self.store, arguments, &mut results);
        let limited = async { tokio::time::timeout(LIMIT, call).await };
        self.runtime
            .block_on(limited)
            .expect("a call ends in time")?;
        Ok(results.pop())
    }

    /// What it has printed.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.out.contents()).into_owned()
    }
}
