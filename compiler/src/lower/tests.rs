//! Lowering from source to IR: each construct passes the verifier at each stage, and the text shows its shape.

mod by_hand;
mod load;
mod scopes;
mod strands;
mod values;

use crate::check;
use crate::ir::{Program, Stage, ir_text, parse_ir, verify};
use crate::lower::lower;
use crate::source::{Library, Loader, Source};

/// The declarations that these tests use.
const LIBRARY: Library = Library {
    modules: &[
        ("prelude", include_str!("tests/library.scn")),
        ("net", include_str!("tests/net.scn")),
        ("log", include_str!("tests/log.scn")),
        (
            "tcp",
            "extern type TcpConn\n@waits @fails\nextern fn TcpConn.recv(self) -> bytes\n",
        ),
        ("server", include_str!("../check/tests/server.scn")),
    ],
    prelude: &["prelude", "net"],
};

/// These programs import nothing.
struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, _: &str) -> Result<Source, String> {
        Err("no files here".to_owned())
    }
}

/// Lowers a program without errors.
fn program(text: &str) -> Program {
    let source = Source {
        name: "main.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = check(source, &NoFiles, &LIBRARY);
    let said: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|d| d.text(&checked.sources))
        .collect();
    let hir = checked
        .hir
        .unwrap_or_else(|| panic!("in:\n{text}\n{}", said.join("\n")));
    let program = lower(&checked.sources, &hir);
    verify(&program, Stage::Framed).unwrap_or_else(|broken| panic!("{broken}"));
    assert_reads_back(&program);
    program
}

/// The text form of a program gives the same text when it is read and written again.
fn assert_reads_back(program: &Program) {
    let text = ir_text(program);
    let back = parse_ir(&text).unwrap_or_else(|wrong| panic!("{wrong} in:\n{text}"));
    assert_eq!(ir_text(&back), text);
}

/// The text of a program's lowering, without frames.
fn ir(text: &str) -> String {
    let text = ir_text(&program(text));
    let is_frame = |line: &str| {
        ["locals ", "slots ", "landing "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_frame(line)).collect();
    lines.join("\n")
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}
