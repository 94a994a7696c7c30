//! The `scn` program: finds out what the terminal can show and hands everything to the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Exit status of a defect in scn itself, as `docs/exit-status.md` has it.
const DEFECT: i32 = 3;

fn main() -> ExitCode {
    report_defects();
    let mut out = std::io::BufWriter::with_capacity(8 * 1024, std::io::stdout());
    let mut err = std::io::stderr();
    let surroundings = scn::Surroundings::detect();
    let exit = scn::main_with(
        std::env::args_os(),
        &mut scn::Terminal::new(&mut out, &mut err, surroundings),
    );
    ExitCode::from(exit.code())
}

/// A panic is a defect of scn, not of the scenario: it says so and ends with the status for that,
/// whichever thread it happened on.
fn report_defects() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        eprintln!(
            "error: this is a defect in scn, please report it with the scenario that led to it"
        );
        std::process::exit(DEFECT);
    }));
}
