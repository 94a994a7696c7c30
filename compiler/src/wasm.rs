//! The back end that writes components: IR to a core module, wrapped by what the host offers.
//!
//! `ARCHITECTURE.md` ("Components") lays down memory, signatures and words. Enter at [`build`].

mod bodies;
mod calls;
pub mod capabilities;
pub mod component;
mod data;
mod emit;
pub mod exports;
pub mod imports;
pub mod interfaces;
mod machine;
mod module;
mod ops;
mod program;
pub mod section;
mod shorten;
pub mod sources;
mod structure;
mod tries;
mod unit;
mod waits;
pub mod wit;

pub use bodies::Bodies;
pub use exports::Library;

use crate::diagnostics::Diagnostic;
use crate::ir::load::Stage;
use crate::ir::{
    ConstObject, Function, Global, GlobalKind, NativeId, Op, Program, Scenario, Terminator, TryOp,
    WaitOp,
};
use scn_grammar::Span;

/// How many polls of loops pass between two looks at the clock.
const POLLS: i32 = 16_384;

/// Why there is no component.
#[derive(Debug)]
pub enum Unbuilt {
    /// The program does what the target cannot.
    Refused(Vec<Diagnostic>),
    /// The program does not have what the naming of its interface asks for.
    Misnamed(String),
    /// The back end or the library is wrong.
    Defect(String),
}

/// Builds the component of a program.
pub fn build(user: &Program, bodies: &Bodies) -> Result<Vec<u8>, Unbuilt> {
    wrapped(user, bodies, None)
}

/// Builds the component of a program that was lowered with its exports.
pub fn build_library(
    user: &Program,
    bodies: &Bodies,
    library: &Library,
) -> Result<Vec<u8>, Unbuilt> {
    wrapped(user, bodies, Some(library))
}

fn wrapped(user: &Program, bodies: &Bodies, library: Option<&Library>) -> Result<Vec<u8>, Unbuilt> {
    let refused = refusals(user, bodies);
    if !refused.is_empty() {
        return Err(Unbuilt::Refused(refused));
    }
    let core = core_module(user, bodies, library).map_err(Unbuilt::Defect)?;
    let world = library.map_or(wit::World::scenario(), Library::world);
    let mut component = component::wrap(core, world).map_err(Unbuilt::Defect)?;
    let sources = sources::SourceMap::of(user).write();
    section::add(&mut component, sources::SECTION, &sources);
    let reached = capabilities::Capabilities::of(user).write();
    section::add(&mut component, capabilities::SECTION, &reached);
    Ok(component)
}

/// The core module of a program.
fn core_module(
    user: &Program,
    bodies: &Bodies,
    library: Option<&Library>,
) -> Result<Vec<u8>, String> {
    let mut unit = unit::Unit::new(user, bodies);
    unit.library = library;
    if unit.is_run() {
        unit.number(unit::Key::Run);
    }
    unit.number(unit::Key::Realloc);
    program::write(&mut unit);
    if let Some(library) = library {
        exports::write(&mut unit, library);
    }
    if may_use_tls(user)
        && let Some(advance) = unit.body("secures.advance")
    {
        let index = unit.table_index(data::Side::Body, advance);
        unit.data.set_word(TLS_WORD, index.into());
    }
    let codes = module::write_all(&mut unit);
    match unit.missing.is_empty() {
        true => Ok(module::assemble(unit, &codes)),
        false => Err(format!("the library lacks {}", unit.missing.join(", "))),
    }
}

/// The word that holds the number of the function by which connections are made secure; 0 where there is none.
const TLS_WORD: u32 = 202;

/// Whether a program speaks TLS, as far as can be told: its host must offer it then. Others do not even name it.
fn may_use_tls(user: &Program) -> bool {
    let calls = |start: &str| {
        user.natives
            .iter()
            .any(|native| native.name.starts_with(start))
    };
    let names_https = || {
        user.consts.iter().any(
            |constant| matches!(constant, ConstObject::String(text) if text.contains("https:")),
        )
    };
    calls("tls.") || calls("TcpConn.start_tls") || calls("http.") && names_https()
}

/// What a program calls that no component has, where it calls it.
fn refusals(user: &Program, bodies: &Bodies) -> Vec<Diagnostic> {
    let mut found: Vec<(Span, NativeId)> = user.functions.iter().flat_map(host_calls).collect();
    found.sort_by_key(|(span, native)| (span.source, span.start, span.end, native.0));
    found.dedup();
    let calls = found
        .into_iter()
        .map(|(span, native)| (span, &user.natives[native.index()].name))
        .filter(|(_, name)| !bodies.has(name))
        .map(|(span, name)| crate::diagnostics::target::no_native(name, span));
    calls.chain(refused_items(user)).collect()
}

/// Items that no component has: servers of datagrams, source addresses from pools.
fn refused_items(user: &Program) -> impl Iterator<Item = Diagnostic> {
    let is_udp = |global: &&Global| match &global.kind {
        GlobalKind::Server(server) => server.protocol == "udp",
        _ => false,
    };
    let servers = user.globals.iter().filter(is_udp);
    let servers = servers.map(|global| ("server ... udp", global.span));
    let sources = user.scenarios.iter().filter(|scenario| {
        let stages = scenario.load.iter().flat_map(|load| &load.stages);
        let mut pools = stages.map(|stage| matches!(stage, Stage::Spawn { pool: Some(_), .. }));
        scenario.source.is_some() || pools.any(|named| named)
    });
    let sources = sources.map(|scenario| ("source POOL", scenario.span));
    let crowded = user.scenarios.iter().filter_map(too_many_users);
    servers
        .chain(sources)
        .map(|(what, span)| crate::diagnostics::target::no_native(what, span))
        .chain(crowded)
}

/// As many users as one component leads.
const MOST_USERS: u64 = 1_000;

/// A plan that needs more users than one component leads.
fn too_many_users(scenario: &Scenario) -> Option<Diagnostic> {
    let users = scenario.load.as_ref()?.peak_users()?;
    (users > MOST_USERS).then(|| {
        let (name, span) = (&scenario.name, scenario.span);
        crate::diagnostics::target::too_many_users(name, users, MOST_USERS, span)
    })
}

/// The natives that a function calls, with the places of the calls.
fn host_calls(function: &Function) -> Vec<(Span, NativeId)> {
    let mut found = Vec::new();
    for block in &function.blocks {
        for inst in &block.insts {
            if let Op::Host(native, _) = &inst.op {
                found.push((inst.span, *native));
            }
        }
        match &block.term {
            Terminator::Try {
                op: TryOp::Host(native, _),
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Host(native, _),
                ..
            } => found.push((block.term_span, *native)),
            _ => {}
        }
    }
    found
}
