//! Any program that checks builds to a component or is told what a component cannot do. Enter at [`build`].

use crate::story::program;
use scn_compiler::Passes;
use scn_compiler::wasm::{self, Bodies, Unbuilt};
use std::sync::OnceLock;

/// What came of building a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Built {
    /// A component of so many bytes, which is valid: the back end validates what it writes.
    Component(usize),
    /// The codes of what a component cannot do.
    Refused(Vec<String>),
}

/// Builds the component of a program that the checker accepts.
pub fn build(text: &str) -> Result<Built, String> {
    let program = program(text, Passes::All)?;
    let no_file = |path: &str| Err(format!("random programs read no files, not even {path}"));
    match wasm::build(&program, bodies()?, &no_file) {
        Ok(bytes) => Ok(Built::Component(bytes.len())),
        Err(Unbuilt::Defect(why) | Unbuilt::Misnamed(why)) => Err(why),
        Err(Unbuilt::Refused(found)) => {
            let codes: Vec<String> = found.iter().map(|one| one.code.to_string()).collect();
            match codes.iter().all(|code| code.starts_with("E04")) {
                true => Ok(Built::Refused(codes)),
                false => Err(format!("it is refused by {codes:?}")),
            }
        }
    }
}

/// The bodies of the library, compiled once.
fn bodies() -> Result<&'static Bodies, String> {
    static BODIES: OnceLock<Result<Bodies, String>> = OnceLock::new();
    let compile = || Bodies::compile(&scn_stdlib::BODIES).map_err(|found| format!("{found:?}"));
    BODIES.get_or_init(compile).as_ref().map_err(Clone::clone)
}
