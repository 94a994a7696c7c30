//! The engines that compile and run components, and what they offer to them.
//!
//! Some make room for an instance when there is one, others keep room for many. Some have a thread that counts epochs,
//! so that a component which computes without end lets others run and can be cut off. That has its price: whatever is
//! alive in a loop is alive across a call, and who compiles it keeps it in memory. Components of scn look at the clock
//! now and then whatever they do, which is as good; the others are for these. Enter at [`engine_of`].

use crate::clock;
use crate::names::Names;
use crate::settings::Settings;
use crate::state::State;
use std::sync::OnceLock;
use std::time::Duration;
use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup;

/// After so long a component that computes gives way.
pub(crate) const EPOCH: Duration = Duration::from_millis(10);

/// From so many instances on, memory is kept for them instead of being asked for one by one.
const MANY: u32 = 32;

/// The most instances at once.
pub(crate) const MOST_INSTANCES: u32 = 1_000;

/// The most memory of an instance where there are many: so much address space is kept for each.
const POOLED_MEMORY: usize = 256 << 20;

/// The stack of an instance: 10,000 calls are nested on it, as in every run. Only what is used takes memory.
const STACK: usize = 16 << 20;

/// What the host's own functions need on top.
const OWN_STACK: usize = 1 << 20;

/// An engine with what components can import.
pub(crate) struct Host {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<State>,
}

/// How an engine treats its instances.
#[derive(Clone, Copy)]
struct Treats {
    /// Keeps room for many.
    pools: bool,
    /// Lets go on what gives way by itself.
    trusts: bool,
}

/// The engine for these settings; why there is none does not change.
pub(crate) fn engine_of(settings: &Settings) -> Result<&'static Host, String> {
    static ENGINES: [OnceLock<Result<Host, String>>; 4] = [const { OnceLock::new() }; 4];
    let treats = Treats {
        pools: settings.instances >= MANY && settings.memory <= POOLED_MEMORY,
        trusts: settings.yields,
    };
    let cell = &ENGINES[2 * usize::from(treats.pools) + usize::from(treats.trusts)];
    let made = cell.get_or_init(|| Host::new(treats).map_err(|error| format!("{error:#}")));
    made.as_ref().map_err(Clone::clone)
}

impl Host {
    fn new(treats: Treats) -> wasmtime::Result<Host> {
        let mut config = Config::new();
        config.epoch_interruption(!treats.trusts);
        config.max_wasm_stack(STACK);
        config.async_stack_size(STACK + OWN_STACK);
        if treats.pools {
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
        }
        let engine = Engine::new(&config)?;
        let mut linker = linker(&engine)?;
        match treats.trusts {
            true => clock::add_to_linker(&mut linker)?,
            false => count_epochs(&engine)?,
        }
        Ok(Host { engine, linker })
    }
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    // A component is its own module and two that wit-component puts around it.
    pool.total_component_instances(MOST_INSTANCES)
        .total_core_instances(4 * MOST_INSTANCES)
        .total_memories(MOST_INSTANCES)
        .total_tables(2 * MOST_INSTANCES)
        .total_stacks(MOST_INSTANCES)
        .max_memory_size(POOLED_MEMORY);
    pool
}

fn count_epochs(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let count = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(EPOCH);
        }
    };
    let thread = std::thread::Builder::new().name("epochs".to_owned());
    thread.spawn(count).map(drop)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    let mut options = wasmtime_wasi_tls::p2::LinkOptions::default();
    options.tls(true);
    wasmtime_wasi_tls::p2::add_to_linker(&mut linker, &options)?;
    linker.allow_shadowing(true);
    ip_name_lookup::add_to_linker::<State, Names>(&mut linker, State::lookup)?;
    linker.allow_shadowing(false);
    Ok(linker)
}
