//! The `scn` program: finds out what the terminal can show and hands everything to the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = std::io::BufWriter::with_capacity(8 * 1024, std::io::stdout());
    let mut err = std::io::stderr();
    let surroundings = scn::Surroundings::detect();
    let exit = scn::main_with(
        std::env::args_os(),
        &mut scn::Terminal::new(&mut out, &mut err, surroundings),
    );
    ExitCode::from(exit.code())
}
