//! The back end that writes components: IR to a core module, wrapped by what the host offers.
//!
//! `ARCHITECTURE.md` ("Components") lays down memory, signatures and words. Enter at [`build`].

mod aside;
mod bodies;
mod calls;
pub mod capabilities;
pub mod component;
mod control;
mod data;
mod emit;
pub mod exports;
mod files;
pub mod imports;
pub mod interfaces;
mod loops;
mod machine;
mod module;
mod ops;
mod pools;
mod program;
mod refusals;
pub mod section;
mod shorten;
mod sites;
pub mod sources;
mod structure;
mod tries;
mod unit;
mod waits;
pub mod wit;

pub use bodies::Bodies;
pub use exports::Library;
pub use files::Reader;

use crate::diagnostics::Diagnostic;
use crate::ir::{ConstObject, Program};

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

/// How requests to `https` go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Https {
    /// Over the component's own sockets, made secure by `wasi:tls`, which only programs ask for that name TLS or an
    /// address of https.
    #[default]
    WhereNamed,
    /// The same, whatever the program names: its addresses may be told when it runs.
    WasiTls,
    /// The host makes them, by `wasi:http`.
    WasiHttp,
}

/// What can be chosen of a component.
#[derive(Clone, Copy, Default)]
pub struct Choices<'l> {
    /// The interface that is exported, of a program that was lowered with its exports.
    pub library: Option<&'l Library>,
    /// How requests to `https` go out.
    pub https: Https,
    /// Whether it leads users as its arguments say, even if nothing in the program is about load.
    pub load: bool,
}

/// Builds the component of a program, with the files that it reads.
pub fn build(user: &Program, bodies: &Bodies, read: Reader<'_>) -> Result<Vec<u8>, Unbuilt> {
    build_as(user, bodies, Choices::default(), read)
}

/// Builds the component of a program as it was chosen.
pub fn build_as(
    user: &Program,
    bodies: &Bodies,
    choices: Choices<'_>,
    read: Reader<'_>,
) -> Result<Vec<u8>, Unbuilt> {
    let refused = refusals::of(user, bodies, choices.https);
    if !refused.is_empty() {
        return Err(Unbuilt::Refused(refused));
    }
    let files = files::embed(user, read).map_err(Unbuilt::Refused)?;
    let core = core_module(user, bodies, choices, &files).map_err(Unbuilt::Defect)?;
    let world = choices
        .library
        .map_or(wit::World::scenario(), Library::world);
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
    choices: Choices<'_>,
    files: &files::Embedded,
) -> Result<Vec<u8>, String> {
    let mut unit = unit::Unit::new(user, bodies);
    unit.library = choices.library;
    unit.leads = choices.load;
    if unit.is_run() {
        unit.number(unit::Key::Run);
    }
    unit.number(unit::Key::Realloc);
    program::write(&mut unit);
    files::write(&mut unit, files);
    if let Some(library) = choices.library {
        exports::write(&mut unit, library);
    }
    let speaks_tls = match choices.https {
        Https::WhereNamed => names_tls(user),
        Https::WasiTls => calls(user, "http.") || calls_tls(user),
        Https::WasiHttp => {
            unit.replace_body("https.transferred", "handovers.transferred");
            false
        }
    };
    if speaks_tls && let Some(advance) = unit.body("secures.advance") {
        let index = unit.table_index(data::Side::Body, advance);
        unit.data.set_word(TLS_WORD, index.into());
    }
    let mut codes = Vec::new();
    module::write_all(&mut unit, &mut codes);
    if unit.has_body("rands.next_of")
        && let Some(drawn) = unit.body("rands.drawn")
    {
        // A run that is told no seed asks the host for one; where nothing is random, no host is asked.
        let index = unit.table_index(data::Side::Body, drawn);
        unit.data.set_word(SEED_WORD, index.into());
        module::write_all(&mut unit, &mut codes);
    }
    match unit.missing.is_empty() {
        true => Ok(module::assemble(unit, &codes)),
        false => Err(format!("the library lacks {}", unit.missing.join(", "))),
    }
}

/// The word that holds the number of the function by which connections are made secure; 0 where there is none.
const TLS_WORD: u32 = 202;
/// The word that holds the number of the function that draws a seed; 0 where nothing is random.
const SEED_WORD: u32 = 166;

/// Whether a program speaks TLS, as far as can be told: its host must offer it then. Others do not even name it.
fn names_tls(user: &Program) -> bool {
    let names_https = || {
        user.consts.iter().any(
            |constant| matches!(constant, ConstObject::String(text) if text.contains("https:")),
        )
    };
    calls_tls(user) || calls(user, "http.") && names_https()
}

fn calls_tls(user: &Program) -> bool {
    calls(user, "tls.") || calls(user, "TcpConn.start_tls")
}

/// Whether a program calls something whose name begins so.
fn calls(user: &Program, start: &str) -> bool {
    let mut natives = user.natives.iter();
    natives.any(|native| native.name.starts_with(start))
}
