//! Runs the scn program in this process and catches what it prints.

use scn_cli::{Surroundings, Terminal};
use std::ffi::OsString;

/// What a run of the program left.
#[derive(Debug)]
pub struct Output {
    /// Its exit status.
    pub status: u8,
    /// What it printed.
    pub out: String,
    /// What it said about its own work.
    pub err: String,
}

/// Runs `scn` with these arguments; times are printed as `[time]`, nothing is coloured.
pub fn scn<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Output {
    let mut out = Vec::new();
    let mut err = Vec::new();
    let args = std::iter::once(OsString::from("scn")).chain(args.into_iter().map(Into::into));
    let surroundings = Surroundings {
        hide_times: true,
        ..Surroundings::default()
    };
    let exit = scn_cli::main_with(args, &mut Terminal::new(&mut out, &mut err, surroundings));
    Output {
        status: exit.code(),
        out: String::from_utf8_lossy(&out).into_owned(),
        err: String::from_utf8_lossy(&err).into_owned(),
    }
}

/// The command that runs a program: `test` where there are tests only.
pub fn command_for(text: &str) -> &'static str {
    let has = |word: &str| text.lines().any(|line| line.starts_with(word));
    if has("test ") && !has("scenario ") {
        "test"
    } else {
        "run"
    }
}

impl Output {
    /// Both streams and the status, as a snapshot shows them.
    pub fn transcript(&self) -> String {
        let mut text = self.out.clone();
        if !self.err.is_empty() {
            text.push_str("-- stderr\n");
            text.push_str(&self.err);
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&format!("-- exit {}\n", self.status));
        text
    }
}
