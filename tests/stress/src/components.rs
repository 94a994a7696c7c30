//! Any program that checks builds to a component or is told what a component cannot do. Enter at [`build`].

use crate::story::checked;
use scn_compiler::ir::Program;
use scn_compiler::wasm::exports::{Errors, InterfaceName, Naming};
use scn_compiler::wasm::{self, Bodies, Choices, Https, Library, Unbuilt};
use std::sync::OnceLock;

/// What came of building a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Built {
    /// A component of so many bytes, which is valid: the back end validates what it writes.
    Component(usize),
    /// The codes of what a component cannot do.
    Refused(Vec<String>),
}

/// Builds the component of a program that the checker accepts, as a library too if it exports anything.
pub fn build(text: &str) -> Result<Built, String> {
    build_with(text, Https::WhereNamed)
}

/// The same, with another way for requests to `https`.
pub fn build_with(text: &str, https: Https) -> Result<Built, String> {
    let (sources, hir) = checked(text)?;
    let program = scn_compiler::lower_library(&sources, &hir);
    let read = |_: &str| Ok(b"a,b\n1,2\n".to_vec());
    let built = library(&program).and_then(|library| {
        let choices = Choices {
            library: library.as_ref(),
            https,
            ..Choices::default()
        };
        wasm::build_as(&program, bodies()?, choices, &read)
    });
    match built {
        Ok(bytes) => Ok(Built::Component(bytes.len())),
        Err(Unbuilt::Defect(why) | Unbuilt::Misnamed(why)) => Err(why),
        Err(Unbuilt::Refused(found)) => {
            let codes: Vec<String> = found.iter().map(|one| one.code.to_string()).collect();
            match !codes.is_empty() && codes.iter().all(|code| code.starts_with("E04")) {
                true => Ok(Built::Refused(codes)),
                false => Err(format!("it is refused by {codes:?}")),
            }
        }
    }
}

/// What a program exports.
fn library(program: &Program) -> Result<Option<Library>, Unbuilt> {
    if program.exports.is_empty() {
        return Ok(None);
    }
    let naming = Naming {
        interface: InterfaceName::of_file("generated"),
        errors: Errors::Record,
    };
    Library::of(program, &naming).map(Some)
}

/// The bodies of the library, compiled once.
fn bodies() -> Result<&'static Bodies, Unbuilt> {
    static BODIES: OnceLock<Result<Bodies, String>> = OnceLock::new();
    let compile = || Bodies::compile(&scn_stdlib::BODIES).map_err(|found| format!("{found:?}"));
    let bodies = BODIES.get_or_init(compile).as_ref();
    bodies.map_err(|why| Unbuilt::Defect(why.clone()))
}
