//! Libraries: what `export fn` items become, called from outside of the component.
//!
//! Each call has a time limit.

#![forbid(unsafe_code)]

#[path = "libraries/actions.rs"]
mod actions;
#[path = "libraries/composition.rs"]
mod composition;
#[path = "libraries/host.rs"]
mod host;
#[path = "libraries/random.rs"]
mod random;
#[path = "libraries/refusals.rs"]
mod refusals;
#[path = "libraries/shown.rs"]
mod shown;
#[path = "libraries/sockets.rs"]
mod sockets;
#[path = "libraries/values.rs"]
mod values;

use scn_tests::folder::Folder;
use scn_tests::program::{Output, scn};
use scn_tests::tree;

/// Runs `scn build` on a program, with further arguments; also what was written, if anything was.
fn build(text: &str, arguments: &[&str]) -> (Output, Option<Vec<u8>>) {
    let folder = Folder::new("libraries");
    let source = folder.write("shop.scn", text).display().to_string();
    let output = format!("{source}.out");
    let mut all = vec!["build", &source, "-o", &output];
    all.extend(arguments);
    let told = scn(all);
    (told, std::fs::read(&output).ok())
}

/// The component of a library.
fn library(text: &str, arguments: &[&str]) -> Vec<u8> {
    let (told, component) = build(text, arguments);
    component.unwrap_or_else(|| panic!("it is not built: {}", told.transcript()))
}

/// Its interface.
fn interface(text: &str, arguments: &[&str]) -> String {
    let arguments = [&["--emit", "wit"], arguments].concat();
    let (told, text) = build(text, &arguments);
    let text = text.unwrap_or_else(|| panic!("it has no interface: {}", told.transcript()));
    String::from_utf8(text).expect("WIT is text")
}

/// The component of a file of the repository.
fn build_file(path: &str, arguments: &[&str]) -> Vec<u8> {
    library(&tree::read(&tree::root().join(path)), arguments)
}

/// Its interface.
fn interface_of(path: &str, arguments: &[&str]) -> String {
    interface(&tree::read(&tree::root().join(path)), arguments)
}
