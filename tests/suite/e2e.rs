//! End to end: scn against real servers from the distribution, against hostile peers, and on hostile input.
//!
//! A test whose program is not installed says so and is skipped; `.ci/run` installs them all.

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, Vec::new()).exit();
}
